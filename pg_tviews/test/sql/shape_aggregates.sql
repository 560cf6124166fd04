-- Aggregates: groups by the key, by a link to it, in subqueries and views, and
-- all that can be written inside an aggregate.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set tables :test /include/tables.sql
\i :tables

CREATE TABLE tv_group AS
SELECT u.pk_user AS pk_group, jsonb_build_array(count(p.pk_post), array_agg(p.n ORDER BY p.pk_post),
	string_agg(p.title, ',' ORDER BY p.pk_post DESC)) AS data
FROM tb_user u LEFT JOIN tb_post p ON p.fk_user = u.pk_user GROUP BY u.pk_user;
CREATE TABLE tv_link AS
SELECT p.fk_user AS pk_link, jsonb_build_object('n', sum(p.n), 'big', count(*) FILTER (WHERE p.n > 1)) AS data
FROM tb_post p WHERE p.fk_user IS NOT NULL GROUP BY p.fk_user HAVING count(*) > 1 OR max(p.n) = 2;
CREATE TABLE tv_inside AS
SELECT u.pk_user AS pk_inside, (
	SELECT jsonb_build_array(array_agg(DISTINCT c.n ORDER BY c.n DESC), percentile_disc(0.5) WITHIN GROUP (ORDER BY c.n),
							 mode() WITHIN GROUP (ORDER BY c.n DESC), bool_or(c.n > 1), jsonb_object_agg(c.pk_comment, c.text))
	FROM tb_comment c WHERE c.fk_user = u.pk_user HAVING count(*) > 0) AS data
FROM tb_user u WHERE EXISTS (SELECT FROM tb_comment c WHERE c.fk_user = u.pk_user);
CREATE TABLE tv_sets AS
SELECT u.pk_user AS pk_sets, (
	SELECT jsonb_agg(jsonb_build_array(g.fk_post, g.n, g.level, g.many) ORDER BY g.level, g.fk_post, g.n) FROM (
		SELECT c.fk_post, c.n, grouping(c.fk_post, c.n) AS level, count(*) AS many
		FROM tb_comment c WHERE c.fk_user = u.pk_user GROUP BY CUBE (c.fk_post, c.n)) g) AS data
FROM tb_user u;
-- the key is in every grouping set
CREATE TABLE tv_rollup AS
SELECT u.pk_user AS pk_rollup, jsonb_object_agg(coalesce(g.n::text, 'all'), g.many) AS data
FROM tb_user u JOIN (SELECT fk_user, n, count(*) AS many FROM tb_post GROUP BY fk_user, ROLLUP (n)) g
ON g.fk_user = u.pk_user GROUP BY u.pk_user;
CREATE VIEW counts AS
SELECT p.fk_user, count(*) AS posts, sum(c.many) AS comments
FROM tb_post p LEFT JOIN (SELECT fk_post, count(*) AS many FROM tb_comment GROUP BY fk_post) c ON c.fk_post = p.pk_post
GROUP BY p.fk_user HAVING count(*) < 4;
CREATE TABLE tv_joined AS
SELECT u.pk_user AS pk_joined, jsonb_build_array(u.name, a.posts, a.comments, b.posts) AS data
FROM tb_user u LEFT JOIN counts a ON a.fk_user = u.pk_user LEFT JOIN counts b ON b.fk_user = u.fk_boss;
-- groups of groups, by an expression
CREATE TABLE tv_nested AS
SELECT t.pk_team AS pk_nested, jsonb_build_array(max(g.posts), count(*)) AS data
FROM tb_team t JOIN (SELECT u.fk_team, u.pk_user, count(p.pk_post) AS posts
	FROM tb_user u LEFT JOIN tb_post p ON p.fk_user = u.pk_user GROUP BY u.fk_team, u.pk_user) g
ON g.fk_team = t.pk_team GROUP BY t.pk_team;
CREATE TABLE tv_letter AS
SELECT left(u.name, 1) AS pk_letter, jsonb_agg(u.name ORDER BY u.pk_user) AS data
FROM tb_user u WHERE u.name IS NOT NULL GROUP BY left(u.name, 1);
SELECT * FROM test_oracle();

UPDATE tb_post SET n = 3 - n;
:check
UPDATE tb_post SET fk_user = CASE pk_post WHEN 1 THEN NULL WHEN 5 THEN 1 ELSE fk_user % 3 + 1 END;
:check
UPDATE tb_comment SET n = (n + 1) % 3 WHERE pk_comment % 2 = 0;
UPDATE tb_comment SET fk_post = 1 WHERE fk_post = 2;
UPDATE tb_comment SET fk_user = fk_user % 4 + 1;
:check
UPDATE tb_user SET name = 'zoe' WHERE pk_user IN (1, 2);
UPDATE tb_user SET name = NULL WHERE pk_user = 3;
UPDATE tb_user SET fk_team = 2, fk_boss = 2 WHERE pk_user IN (1, 4);
UPDATE tb_user SET pk_user = 9 WHERE pk_user = 2;
:check
INSERT INTO tb_comment VALUES (20, 3, 9, 'x', 2), (21, 3, 9, 'x', 2);
INSERT INTO tb_post VALUES (9, 9, 'nine', 2), (10, 3, 'ten', 0);
:check
-- the last row of a group goes, another group gets its first
BEGIN;
UPDATE tb_comment SET fk_user = 5 WHERE fk_user = 1;
UPDATE tb_post SET fk_user = 5 WHERE fk_user = 3;
COMMIT;
:check
-- a group's rows change places
BEGIN;
UPDATE tb_post SET fk_user = 100 WHERE fk_user = 5;
UPDATE tb_post SET fk_user = 5 WHERE fk_user = 9;
UPDATE tb_post SET fk_user = 9 WHERE fk_user = 100;
SELECT data FROM tv_group WHERE pk_group = 9;
UPDATE tb_user SET fk_team = 3 WHERE pk_user = 9;
DELETE FROM tb_team WHERE pk_team = 2;
SAVEPOINT s;
DELETE FROM tb_post;
SELECT count(*) FROM tv_link;
ROLLBACK TO s;
COMMIT;
:check
DELETE FROM tb_comment WHERE n = 2;
DELETE FROM tb_post WHERE fk_user = 9;
TRUNCATE tb_comment;
SELECT * FROM test_oracle();
