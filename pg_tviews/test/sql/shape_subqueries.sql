-- Subqueries of all kinds, in all places: what is written to their tables
-- reaches the rows that they are correlated with, before and after.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set tables :test /include/tables.sql
\i :tables

CREATE TABLE tv_scalar AS
SELECT p.pk_post AS pk_scalar, jsonb_build_object(
	'author', (SELECT u.name FROM tb_user u WHERE u.pk_user = p.fk_user),
	'texts', ARRAY(SELECT c.text FROM tb_comment c WHERE c.fk_post = p.pk_post ORDER BY c.pk_comment)) AS data
FROM tb_post p;
CREATE TABLE tv_exists AS
SELECT p.pk_post AS pk_exists, to_jsonb(p.title) AS data FROM tb_post p
WHERE EXISTS (SELECT FROM tb_comment c JOIN tb_user u ON u.pk_user = c.fk_user
			  WHERE c.fk_post = p.pk_post AND u.n > 0);
CREATE TABLE tv_absent AS
SELECT p.pk_post AS pk_absent, to_jsonb(p.title) AS data FROM tb_post p
WHERE NOT EXISTS (SELECT FROM tb_comment c JOIN tb_user u ON u.pk_user = c.fk_user
				  WHERE c.fk_post = p.pk_post AND u.n > 0);
CREATE TABLE tv_in AS
SELECT p.pk_post AS pk_in, to_jsonb(p.title) AS data FROM tb_post p
WHERE p.fk_user IN (SELECT u.pk_user FROM tb_user u WHERE u.n > 0)
AND p.pk_post IN (SELECT l.fk_post FROM tb_post_tag l JOIN tb_tag t ON t.pk_tag = l.fk_tag);
CREATE TABLE tv_not_in AS
SELECT p.pk_post AS pk_not_in, to_jsonb(p.title) AS data FROM tb_post p
WHERE p.n NOT IN (SELECT c.n FROM tb_comment c WHERE c.fk_post = p.pk_post);
CREATE TABLE tv_compared AS
SELECT p.pk_post AS pk_compared, jsonb_build_array(
	p.n < ANY (SELECT c.n FROM tb_comment c WHERE c.fk_post = p.pk_post),
	p.n >= ALL (SELECT c.n FROM tb_comment c WHERE c.fk_post = p.pk_post),
	p.fk_user IN (SELECT c.fk_user FROM tb_comment c WHERE c.fk_post = p.pk_post)) AS data
FROM tb_post p;
-- the newest two, and who wrote them
CREATE TABLE tv_newest AS
SELECT p.pk_post AS pk_newest, jsonb_build_object(
	'new', (SELECT jsonb_agg(n.text || '/' || n.name ORDER BY n.pk_comment) FROM (
		SELECT c.pk_comment, c.text, u.name FROM tb_comment c LEFT JOIN tb_user u ON u.pk_user = c.fk_user
		WHERE c.fk_post = p.pk_post ORDER BY c.n DESC, c.pk_comment DESC LIMIT 2) n),
	'some', (SELECT jsonb_agg(n.text ORDER BY n.pk_comment) FROM (
		SELECT c.pk_comment, c.text FROM tb_comment c
		WHERE c.fk_post = p.pk_post ORDER BY c.pk_comment OFFSET 1 LIMIT p.n) n)) AS data
FROM tb_post p;
CREATE TABLE tv_lateral AS
SELECT p.pk_post AS pk_lateral, jsonb_build_array(l.text, m.many, m.name) AS data
FROM tb_post p
CROSS JOIN LATERAL (SELECT c.fk_user, c.text FROM tb_comment c WHERE c.fk_post = p.pk_post
					ORDER BY c.pk_comment DESC LIMIT 1) l
LEFT JOIN LATERAL (SELECT u.name, (SELECT count(*) FROM tb_post o WHERE o.fk_user = u.pk_user) AS many
				   FROM tb_user u WHERE u.pk_user = l.fk_user) m ON m.many > 0;
-- correlated with what is several levels further out
CREATE TABLE tv_deep AS
SELECT u.pk_user AS pk_deep, jsonb_build_object('posts', (
	SELECT jsonb_agg(jsonb_build_array(p.title, (
		SELECT string_agg(c.text, ',' ORDER BY c.pk_comment) FROM tb_comment c
		WHERE c.fk_post = p.pk_post AND c.fk_user = u.fk_boss
		AND EXISTS (SELECT FROM tb_user b WHERE b.pk_user = c.fk_user AND b.fk_team = u.fk_team)
	)) ORDER BY p.pk_post)
	FROM tb_post p WHERE p.fk_user = u.pk_user)) AS data
FROM tb_user u;
CREATE TABLE tv_having AS
SELECT c.fk_post AS pk_having, to_jsonb(count(*)) AS data
FROM tb_comment c WHERE c.fk_post IS NOT NULL GROUP BY c.fk_post
HAVING count(*) > (SELECT p.n FROM tb_post p WHERE p.pk_post = c.fk_post);
-- in CASE, in a condition of a join, in ORDER BY of an aggregate
CREATE TABLE tv_places AS
SELECT p.pk_post AS pk_places, jsonb_build_array(
	CASE WHEN (SELECT count(*) FROM tb_comment c WHERE c.fk_post = p.pk_post) > 2 THEN 'many' ELSE 'few' END,
	u.name,
	(SELECT jsonb_agg(c.text ORDER BY (SELECT w.n FROM tb_user w WHERE w.pk_user = c.fk_user), c.pk_comment)
	 FROM tb_comment c WHERE c.fk_post = p.pk_post)) AS data
FROM tb_post p
LEFT JOIN tb_user u ON u.pk_user = p.fk_user
	AND EXISTS (SELECT FROM tb_team t WHERE t.pk_team = u.fk_team AND t.name <> 'blue');
SELECT * FROM test_oracle();

-- each table by itself
UPDATE tb_user SET name = upper(name), n = 2 - n;
:check
UPDATE tb_comment SET text = upper(text), n = (n + 1) % 3;
:check
UPDATE tb_comment SET fk_post = fk_post % 4 + 1 WHERE pk_comment < 7;
UPDATE tb_comment SET fk_user = NULL WHERE pk_comment IN (1, 9);
:check
UPDATE tb_post SET fk_user = 3, n = 1 WHERE pk_post IN (2, 5);
UPDATE tb_team SET name = 'blue' WHERE pk_team = 1;
UPDATE tb_team SET pk_team = 4 WHERE pk_team = 2;
:check
UPDATE tb_user SET pk_user = 9 WHERE pk_user = 3;
UPDATE tb_post SET pk_post = 8 WHERE pk_post = 1;
UPDATE tb_tag SET pk_tag = 9 WHERE pk_tag = 1;
:check
INSERT INTO tb_post_tag VALUES (2, 9), (6, 9), (NULL, 1);
INSERT INTO tb_comment VALUES (20, 6, 9, 'last', 0), (21, 6, 1, 'very last', 2);
DELETE FROM tb_comment WHERE pk_comment IN (2, 3, 10);
:check

-- a comment moves, and both of its posts and its users change
BEGIN;
UPDATE tb_comment SET fk_post = 4, fk_user = 2 WHERE pk_comment = 20;
UPDATE tb_post SET fk_user = 1, n = 0 WHERE pk_post IN (4, 6);
UPDATE tb_user SET n = 0, fk_team = 4 WHERE pk_user IN (2, 9);
DELETE FROM tb_user WHERE pk_user = 1;
COMMIT;
:check
-- what made NOT EXISTS false goes another way each time
BEGIN;
UPDATE tb_user SET n = 0;
SELECT count(*) FROM tv_exists;
SAVEPOINT s;
UPDATE tb_user SET n = 1;
UPDATE tb_comment SET fk_post = 3 WHERE fk_post = 4;
SELECT count(*) FROM tv_exists;
ROLLBACK TO s;
UPDATE tb_comment SET fk_post = 2 WHERE fk_post = 4;
COMMIT;
:check
BEGIN;
DELETE FROM tb_comment WHERE fk_post = 2;
DELETE FROM tb_post WHERE pk_post = 2;
INSERT INTO tb_post VALUES (2, 9, 'again', 1);
COMMIT;
:check
TRUNCATE tb_comment;
SELECT * FROM test_oracle();

-- where a comparison with the subquery's rows may be null, each null counts
CREATE TABLE tb_n (pk_n int PRIMARY KEY, a int);
CREATE TABLE tb_m (pk_m int PRIMARY KEY, a int);
INSERT INTO tb_n VALUES (1, 1), (2, 2), (3, NULL), (4, 4);
CREATE TABLE tv_n AS
SELECT pk_n, jsonb_build_object(
	'in', a IN (SELECT m.a FROM tb_m m), 'all', a >= ALL (SELECT m.a FROM tb_m m),
	'any', a > ANY (SELECT m.a FROM tb_m m),
	'not in', a NOT IN (SELECT m.a FROM tb_m m WHERE m.a IS NOT NULL)) AS data
FROM tb_n;
CREATE TABLE tv_without AS
SELECT pk_n AS pk_without, '{}'::jsonb AS data FROM tb_n WHERE a NOT IN (SELECT m.a FROM tb_m m);
INSERT INTO tb_m VALUES (1, 1);
SELECT * FROM test_oracle() WHERE differences > 0;
INSERT INTO tb_m VALUES (2, NULL);
SELECT * FROM test_oracle() WHERE differences > 0;
UPDATE tb_m SET a = 2 WHERE pk_m = 2;
SELECT pk_n, data FROM tv_n ORDER BY 1;
SELECT pk_without FROM tv_without ORDER BY 1;
UPDATE tb_m SET a = NULL;
SELECT * FROM test_oracle() WHERE differences > 0;
DELETE FROM tb_m;
SELECT * FROM test_oracle() WHERE differences > 0;
BEGIN;
INSERT INTO tb_m VALUES (1, 4), (2, 5);
UPDATE tb_n SET a = NULL WHERE pk_n = 1;
UPDATE tb_n SET a = 5 WHERE pk_n = 3;
COMMIT;
SELECT * FROM test_oracle() WHERE differences > 0;
