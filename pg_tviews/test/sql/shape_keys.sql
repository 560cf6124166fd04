-- Keys: of each type, expressions, of a view, of either side of a FULL JOIN.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set tables :test /include/tables.sql
\i :tables
CREATE DOMAIN code AS text CHECK (VALUE <> '');
CREATE TABLE tb_key (
	small int2 NOT NULL UNIQUE, pk int4 PRIMARY KEY, big int8 NOT NULL UNIQUE, id uuid NOT NULL UNIQUE,
	word text NOT NULL UNIQUE, number numeric NOT NULL UNIQUE, code code NOT NULL UNIQUE, fk int, n int
);
INSERT INTO tb_key SELECT i, i, i * 10000000000, md5(i::text)::uuid, 'w' || i, i / 2.0, 'c' || i, i % 3, i % 2
FROM generate_series(1, 5) i;
-- a TVIEW for each type, which shows what other rows refer to it
CREATE PROCEDURE make(key text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE tv_%1$s AS SELECT k.%1$s AS pk_%1$s, jsonb_build_array(k.n, '
				   '(SELECT jsonb_agg(o.%1$s ORDER BY o.pk) FROM tb_key o WHERE o.fk = k.pk)) AS data FROM tb_key k', key);
END $$;
CALL make('small');
CALL make('big');
CALL make('id');
CALL make('word');
CALL make('number');
CALL make('code');

-- expressions of one column, of several, with a cast
CREATE TABLE tv_times AS
SELECT k.pk * 10 + 1 AS pk_times, jsonb_build_array(k.word, o.word) AS data
FROM tb_key k LEFT JOIN tb_key o ON o.pk = k.fk;
CREATE TABLE tv_path AS
SELECT k.n || '/' || k.word AS pk_path, jsonb_build_array(k.fk, (SELECT count(*) FROM tb_key o WHERE o.fk = k.pk)) AS data
FROM tb_key k WHERE k.n IS NOT NULL;
CREATE TABLE tv_text AS
SELECT p.pk_post::text AS pk_text, jsonb_build_array(p.title, u.name) AS data
FROM tb_post p LEFT JOIN tb_user u ON u.pk_user = p.fk_user;
-- not the same for different rows: groups
CREATE TABLE tv_half AS
SELECT p.pk_post / 2 AS pk_half, jsonb_agg(p.title ORDER BY p.pk_post) AS data FROM tb_post p GROUP BY p.pk_post / 2;
-- a root that is a view, a view of groups, a view of a view
CREATE VIEW posts AS SELECT p.*, u.name AS author, u.fk_team FROM tb_post p LEFT JOIN tb_user u ON u.pk_user = p.fk_user;
CREATE VIEW authors AS SELECT fk_user, count(*) AS posts FROM tb_post WHERE fk_user IS NOT NULL GROUP BY fk_user;
CREATE VIEW prolific AS SELECT a.fk_user AS k, a.posts, u.name FROM authors a LEFT JOIN tb_user u ON u.pk_user = a.fk_user WHERE a.posts > 1;
CREATE TABLE tv_view AS SELECT pk_post AS pk_view, jsonb_build_array(title, author, t.name) AS data
FROM posts LEFT JOIN tb_team t ON t.pk_team = posts.fk_team;
CREATE TABLE tv_grouped AS SELECT fk_user AS pk_grouped, jsonb_build_array(a.posts, p.name) AS data
FROM authors a LEFT JOIN prolific p ON p.k = a.fk_user;
-- from either side
CREATE TABLE tv_full AS
SELECT coalesce(t.pk_team, a.fk_user) AS pk_full, jsonb_build_array(t.name, a.posts, u.name) AS data
FROM tb_team t FULL JOIN authors a ON a.fk_user = t.pk_team LEFT JOIN tb_user u ON u.pk_user = t.pk_team;
CREATE TABLE tv_using AS
SELECT k AS pk_using, jsonb_build_array(a.name, b.slug) AS data
FROM (SELECT pk_team AS k, name FROM tb_team) a
FULL JOIN (SELECT pk_tag AS k, slug FROM tb_tag) b USING (k);
SELECT pk_path, data FROM tv_path ORDER BY 1;
SELECT pk_using, data FROM tv_using ORDER BY 1;
SELECT * FROM test_oracle();

-- keys change, swap, go and come
UPDATE tb_key SET fk = 4 WHERE pk = 1;
UPDATE tb_key SET small = 9, big = 9, id = md5('9')::uuid, word = 'w9', number = 9.0, code = 'c9' WHERE pk = 4;
:check
UPDATE tb_key SET n = 1 - n, number = number * 1.0;
:check
BEGIN;
UPDATE tb_key SET pk = 100, small = 100, word = 'x' WHERE pk = 1;
UPDATE tb_key SET pk = 1, small = 1, word = 'w1' WHERE pk = 2;
UPDATE tb_key SET pk = 2, small = 2, word = 'w2' WHERE pk = 100;
SELECT pk_word, data FROM tv_word ORDER BY 1;
COMMIT;
:check
BEGIN;
DELETE FROM tb_key WHERE pk = 3;
SAVEPOINT s;
INSERT INTO tb_key VALUES (3, 3, 3, md5('3')::uuid, 'w3', 3, 'c3', 1, 1);
SELECT pk_times FROM tv_times ORDER BY 1;
ROLLBACK TO s;
INSERT INTO tb_key VALUES (33, 3, 3, md5('3')::uuid, 'w33', 3, 'c3', 1, NULL);
COMMIT;
:check
-- a row goes to another group, and the groups' other rows change
BEGIN;
UPDATE tb_post SET pk_post = 12 WHERE pk_post = 2;
UPDATE tb_post SET pk_post = 13, title = 'x' WHERE pk_post = 3;
COMMIT;
SELECT pk_half, data FROM tv_half ORDER BY 1;
:check
UPDATE tb_post SET fk_user = 1 WHERE pk_post IN (4, 5);
UPDATE tb_user SET name = upper(name), fk_team = 3;
:check
-- one side of the FULL JOIN after the other, in both orders
DELETE FROM tb_team WHERE pk_team = 1;
SELECT pk_using, data FROM tv_using ORDER BY 1;
:check
BEGIN;
DELETE FROM tb_tag WHERE pk_tag IN (1, 2);
UPDATE tb_tag SET pk_tag = 6 WHERE pk_tag = 3;
INSERT INTO tb_team VALUES (6, 'six');
UPDATE tb_team SET pk_team = 4 WHERE pk_team = 3;
COMMIT;
SELECT pk_using, data FROM tv_using ORDER BY 1;
:check
BEGIN;
UPDATE tb_post SET fk_user = 4 WHERE fk_user = 1;
UPDATE tb_team SET pk_team = 1 WHERE pk_team = 4;
DELETE FROM tb_user WHERE pk_user = 1;
UPDATE tb_user SET pk_user = 1 WHERE pk_user = 4;
COMMIT;
:check
-- a key that is null, or is there twice, is an error of whoever writes it
CREATE TABLE tv_fk AS SELECT fk_post AS pk_fk, to_jsonb(fk_tag) AS data FROM tb_post_tag WHERE fk_tag = 1;
\set VERBOSITY terse
INSERT INTO tb_post_tag VALUES (1, 1);
INSERT INTO tb_post_tag VALUES (NULL, 1);
:check
TRUNCATE tb_tag, tb_team;
DELETE FROM tb_post;
SELECT * FROM test_oracle();
