-- Window functions: a change of one row reaches the keys of its whole
-- partition, of the one that it leaves and the one that it comes to.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set tables :test /include/tables.sql
\i :tables

CREATE TABLE tv_rank AS
SELECT p.pk_post AS pk_rank, jsonb_build_array(
	rank() OVER (PARTITION BY p.fk_user ORDER BY p.n DESC, p.pk_post),
	lag(p.title) OVER (PARTITION BY p.fk_user ORDER BY p.pk_post),
	sum(p.n) OVER (PARTITION BY p.fk_user)) AS data
FROM tb_post p;
-- by two partitions at once
CREATE TABLE tv_two AS
SELECT p.pk_post AS pk_two, jsonb_build_array(
	row_number() OVER (PARTITION BY p.fk_user ORDER BY p.pk_post),
	row_number() OVER (PARTITION BY p.n ORDER BY p.pk_post)) AS data
FROM tb_post p;
-- by a column of a table that is joined
CREATE TABLE tv_team AS
SELECT p.pk_post AS pk_team, jsonb_build_array(u.name,
	rank() OVER (PARTITION BY u.fk_team ORDER BY p.n, p.pk_post)) AS data
FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user;
-- by an expression, with a condition that decides who takes part
CREATE TABLE tv_odd AS
SELECT c.pk_comment AS pk_odd, jsonb_build_array(
	count(*) OVER (PARTITION BY c.fk_post % 2, c.n ORDER BY c.pk_comment ROWS 1 PRECEDING)) AS data
FROM tb_comment c WHERE EXISTS (SELECT FROM tb_user u WHERE u.pk_user = c.fk_user AND u.n > 0);
-- over groups; by the key, with DISTINCT
CREATE TABLE tv_groups AS
SELECT u.pk_user AS pk_groups, jsonb_build_array(count(p.pk_post),
	rank() OVER (PARTITION BY u.fk_team ORDER BY count(p.pk_post) DESC, u.pk_user)) AS data
FROM tb_user u LEFT JOIN tb_post p ON p.fk_user = u.pk_user GROUP BY u.pk_user;
CREATE TABLE tv_key AS
SELECT DISTINCT p.fk_user AS pk_key, jsonb_build_array(count(*) OVER (PARTITION BY p.fk_user)) AS data
FROM tb_post p WHERE p.fk_user IS NOT NULL;
-- in subqueries: joined by the partition, by another column, correlated
CREATE TABLE tv_sub AS
SELECT u.pk_user AS pk_sub, jsonb_build_object(
	'first', r.title,
	'all', (SELECT jsonb_agg(s.no ORDER BY s.pk_post) FROM (
		SELECT p.pk_post, row_number() OVER (ORDER BY p.n, p.pk_post) AS no
		FROM tb_post p WHERE p.fk_user = u.pk_user) s)) AS data
FROM tb_user u LEFT JOIN (
	SELECT fk_user, title, row_number() OVER (PARTITION BY fk_user ORDER BY n DESC, pk_post) AS no
	FROM tb_post) r ON r.fk_user = u.pk_user AND r.no = 1;
CREATE TABLE tv_other AS
SELECT p.pk_post AS pk_other, jsonb_build_array(r.share) AS data
FROM tb_post p LEFT JOIN (
	SELECT c.fk_post, c.fk_user, count(*) OVER (PARTITION BY c.fk_user) AS share, c.pk_comment FROM tb_comment c) r
ON r.fk_post = p.pk_post AND r.pk_comment = p.pk_post + 3;
SELECT pk_rank, data FROM tv_rank ORDER BY 1;
SELECT * FROM test_oracle();

UPDATE tb_post SET n = 9 WHERE pk_post = 2;
SELECT pk_rank, data FROM tv_rank ORDER BY 1;
:check
-- out of one partition, into another; into that of NULL, and out of it
UPDATE tb_post SET fk_user = 2 WHERE pk_post = 1;
:check
UPDATE tb_post SET fk_user = NULL WHERE pk_post = 3;
:check
UPDATE tb_post SET fk_user = 3 WHERE pk_post IN (5, 6);
:check
UPDATE tb_user SET fk_team = 2 WHERE pk_user = 1;
UPDATE tb_user SET fk_team = NULL WHERE pk_user = 3;
:check
UPDATE tb_user SET pk_user = 9 WHERE pk_user = 2;
UPDATE tb_user SET n = 1 - n WHERE n < 2;
:check
UPDATE tb_comment SET n = 1 WHERE pk_comment IN (4, 5);
UPDATE tb_comment SET fk_user = fk_user % 5 + 1 WHERE pk_comment < 6;
UPDATE tb_comment SET fk_post = 2 WHERE pk_comment IN (7, 10);
:check
INSERT INTO tb_post VALUES (7, 3, 'seven', 0), (8, NULL, 'eight', 1), (9, 9, 'nine', 2);
DELETE FROM tb_post WHERE pk_post = 5;
:check

-- a row moves to another partition, and both partitions lose or get others
BEGIN;
UPDATE tb_post SET fk_user = 3 WHERE pk_post = 2;
DELETE FROM tb_post WHERE pk_post = 1;
UPDATE tb_post SET fk_user = 1 WHERE pk_post IN (6, 7);
COMMIT;
:check
-- what decides about the partition changes together with what is in it
BEGIN;
UPDATE tb_user SET fk_team = CASE pk_user WHEN 1 THEN 3 WHEN 3 THEN 2 ELSE fk_team END;
UPDATE tb_post SET fk_user = 4 - fk_user WHERE fk_user IN (1, 3);
DELETE FROM tb_user WHERE pk_user = 4;
COMMIT;
:check
BEGIN;
UPDATE tb_post SET fk_user = 5 WHERE pk_post = 6;
SELECT data FROM tv_rank WHERE pk_rank = 6;
SAVEPOINT s;
UPDATE tb_post SET fk_user = 5, n = 0;
SELECT data FROM tv_rank WHERE pk_rank = 6;
ROLLBACK TO s;
SELECT data FROM tv_rank WHERE pk_rank = 6;
UPDATE tb_post SET fk_user = 3 WHERE pk_post = 6;
COMMIT;
:check
UPDATE tb_post SET pk_post = pk_post + 10;
:check
TRUNCATE tb_comment;
DELETE FROM tb_user;
SELECT * FROM test_oracle();
