-- UNION, INTERSECT, EXCEPT: each branch leads to the keys by itself, also for
-- rows that another branch had hidden.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set tables :test /include/tables.sql
\i :tables

CREATE TABLE tv_all AS
SELECT pk_post AS pk_all, 'post' AS kind, jsonb_build_array(title) AS data FROM tb_post
UNION ALL
SELECT c.pk_comment + 1000, 'comment', jsonb_build_array(c.text, u.name)
FROM tb_comment c LEFT JOIN tb_user u ON u.pk_user = c.fk_user;
CREATE TABLE tv_union AS
SELECT pk_team AS pk_union, to_jsonb(1) AS data FROM tb_team
UNION SELECT fk_team, to_jsonb(1) FROM tb_user WHERE fk_team IS NOT NULL
UNION SELECT p.fk_user, to_jsonb(1) FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user;
CREATE TABLE tv_both AS
SELECT pk_team AS pk_both, to_jsonb(1) AS data FROM tb_team
INTERSECT SELECT fk_team, to_jsonb(n) FROM tb_user;
CREATE TABLE tv_except AS
SELECT pk_team AS pk_except, to_jsonb(1) AS data FROM tb_team
EXCEPT SELECT u.fk_team, to_jsonb(1) FROM tb_user u JOIN tb_post p ON p.fk_user = u.pk_user;
CREATE TABLE tv_nested AS
(SELECT pk_team AS pk_nested, to_jsonb(1) AS data FROM tb_team EXCEPT SELECT fk_team, to_jsonb(1) FROM tb_user)
UNION
(SELECT pk_tag, to_jsonb(1) FROM tb_tag INTERSECT ALL SELECT fk_tag, to_jsonb(1) FROM tb_post_tag);
-- in FROM, grouped, correlated, limited
CREATE TABLE tv_texts AS
SELECT u.pk_user AS pk_texts, jsonb_build_object(
	'joined', jsonb_agg(w.word ORDER BY w.word, w.pk),
	'correlated', (SELECT jsonb_agg(x.n ORDER BY x.n) FROM (
		SELECT n FROM tb_post p WHERE p.fk_user = u.pk_user
		EXCEPT ALL SELECT n FROM tb_comment c WHERE c.fk_user = u.pk_user) x),
	'first', (SELECT x.word FROM (
		(SELECT p.title AS word FROM tb_post p WHERE p.fk_user = u.pk_user ORDER BY p.n, p.pk_post LIMIT 1)
		UNION SELECT c.text FROM tb_comment c WHERE c.fk_user = u.pk_user) x ORDER BY x.word LIMIT 1)) AS data
FROM tb_user u
LEFT JOIN (SELECT pk_post AS pk, fk_user, title AS word FROM tb_post
		   UNION ALL SELECT pk_comment, fk_user, text FROM tb_comment WHERE n > 0) w ON w.fk_user = u.pk_user
GROUP BY u.pk_user;
CREATE TABLE tv_in AS
SELECT u.pk_user AS pk_in, to_jsonb(u.n) AS data FROM tb_user u
WHERE u.pk_user IN (SELECT fk_user FROM tb_post EXCEPT SELECT fk_user FROM tb_comment WHERE n > 1);
-- of different types, made one
CREATE TABLE tv_types AS
SELECT t.pk_team AS pk_types, jsonb_build_array(t.name, w.word) AS data
FROM tb_team t LEFT JOIN (
	SELECT pk_tag AS k, slug AS word FROM tb_tag
	UNION SELECT pk_setting::bigint, value FROM tb_setting WHERE value = 'none') w ON w.k = t.pk_team;
-- a CTE of one, used twice
CREATE TABLE tv_twice AS
WITH w AS (SELECT fk_user, n FROM tb_post UNION SELECT fk_user, n FROM tb_comment)
SELECT u.pk_user AS pk_twice, jsonb_build_array(
	(SELECT count(*) FROM w WHERE w.fk_user = u.pk_user),
	(SELECT count(*) FROM w WHERE w.fk_user = u.fk_boss)) AS data
FROM tb_user u;
SELECT pk_union FROM tv_union ORDER BY 1;
SELECT * FROM test_oracle();

-- a row that another branch has too goes in one, then in the other
DELETE FROM tb_team WHERE pk_team = 1;
SELECT pk_union FROM tv_union ORDER BY 1;
:check
UPDATE tb_user SET fk_team = 3 WHERE fk_team = 1;
:check
DELETE FROM tb_post WHERE fk_user = 1;
SELECT pk_union FROM tv_union ORDER BY 1;
:check
UPDATE tb_user SET n = 1;
UPDATE tb_post_tag SET fk_tag = 4 WHERE fk_tag = 3;
DELETE FROM tb_post_tag WHERE fk_tag = 2;
:check
UPDATE tb_comment SET n = 2 - n, fk_user = fk_user % 3 + 1;
UPDATE tb_tag SET pk_tag = 7 WHERE pk_tag = 2;
UPDATE tb_setting SET value = 'none' WHERE pk_setting = 1;
:check
-- from one branch to the other in one transaction
BEGIN;
INSERT INTO tb_team VALUES (4, 'four');
SELECT count(*) FROM tv_union;
INSERT INTO tb_user VALUES (6, 4, 2, 'eve', 1);
DELETE FROM tb_team WHERE pk_team = 4;
SAVEPOINT s;
UPDATE tb_user SET fk_team = NULL;
SELECT count(*) FROM tv_union;
ROLLBACK TO s;
INSERT INTO tb_post VALUES (20, 6, 'twenty', 1);
COMMIT;
:check
BEGIN;
DELETE FROM tb_post WHERE pk_post = 20;
INSERT INTO tb_comment VALUES (30, NULL, 6, 'twenty', 1);
UPDATE tb_post SET fk_user = 6 WHERE pk_post = 3;
UPDATE tb_user SET pk_user = 2, fk_team = 2 WHERE pk_user = 6 AND NOT EXISTS (SELECT FROM tb_user WHERE pk_user = 2);
DELETE FROM tb_user WHERE pk_user = 3;
COMMIT;
:check
TRUNCATE tb_comment, tb_post_tag;
:check
DELETE FROM tb_user;
DELETE FROM tb_post;
SELECT * FROM test_oracle();
