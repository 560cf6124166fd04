-- Columns of base tables that come, go, and change their type, in the same
-- transaction as changes before and after, with plans that are cached.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE VIEW wrong AS SELECT * FROM test_oracle() WHERE differences > 0;
CREATE TABLE tb_user (gone1 int, pk_user int PRIMARY KEY, gone2 text, name text, spare int DEFAULT 0);
CREATE TABLE tb_post (gone int, pk_post int PRIMARY KEY, fk_user int, spare text, title text);
INSERT INTO tb_user (pk_user, name) VALUES (1, 'ann'), (2, 'bob');
INSERT INTO tb_post (pk_post, fk_user, title) VALUES (1, 1, 'one'), (2, 2, 'two');
SELECT pg_tviews_create('user', 'SELECT pk_user, jsonb_build_object(''name'', name) AS data FROM tb_user');
SELECT pg_tviews_create('post', $$SELECT pk_post, jsonb_build_object('title', title, 'author', u.name) AS data
	FROM tb_post JOIN tb_user u ON pk_user = fk_user$$);
SELECT pg_tviews_create('row', 'SELECT pk_post AS pk_row, to_jsonb(p) AS data FROM tb_post p');
CREATE FUNCTION read_posts() RETURNS SETOF text LANGUAGE plpgsql AS
	$$ BEGIN RETURN QUERY SELECT data::text FROM tv_post ORDER BY pk_post; END $$;
PREPARE posts AS SELECT data FROM tv_post ORDER BY pk_post;
PREPARE write(text) AS UPDATE tb_user SET name = $1 WHERE pk_user = 1;
EXECUTE write('a');
EXECUTE posts;
SELECT read_posts();

BEGIN;
EXECUTE write('b');
ALTER TABLE tb_user DROP COLUMN gone1;
EXECUTE posts;
EXECUTE write('c');
ALTER TABLE tb_post DROP COLUMN gone;
EXECUTE write('d');
SELECT read_posts();
ALTER TABLE tb_user ADD COLUMN late int DEFAULT 5;
EXECUTE write('e');
ALTER TABLE tb_user ALTER COLUMN spare TYPE text;
EXECUTE write('f');
SAVEPOINT s;
ALTER TABLE tb_user DROP COLUMN gone2;
ALTER TABLE tb_post ADD COLUMN more int DEFAULT 1;
EXECUTE write('lost');
SELECT read_posts();
SELECT data FROM tv_row ORDER BY pk_row;
ROLLBACK TO s;
EXECUTE posts;
UPDATE tb_post SET fk_user = 3 - fk_user;
ALTER TABLE tb_post ALTER COLUMN spare TYPE int USING 7;
SELECT data FROM tv_row ORDER BY pk_row;
COMMIT;
SELECT read_posts();
TABLE wrong;
ALTER TABLE tb_user DROP COLUMN gone2, DROP COLUMN spare, ADD COLUMN spare int;
EXECUTE write('g');
DELETE FROM tb_post WHERE pk_post = 2;
EXECUTE posts;
INSERT INTO tb_post (pk_post, fk_user, title) VALUES (3, 1, 'three');
UPDATE tb_user SET pk_user = 9 WHERE pk_user = 1;
SELECT read_posts();
-- where the table is written anew
ALTER TABLE tb_user ALTER COLUMN late TYPE bigint, ADD COLUMN stamp timestamptz DEFAULT clock_timestamp();
UPDATE tb_user SET pk_user = 1 WHERE pk_user = 9;
EXECUTE posts;
-- of a column that is used: the server's refusal, and the way out
SELECT test_error('ALTER TABLE tb_user ALTER COLUMN name TYPE varchar(20)');
SELECT e FROM test_error('ALTER TABLE tb_user DROP COLUMN name') e WHERE e NOT LIKE 'detail%';
BEGIN;
SELECT pg_tviews_alter('post', 'SELECT pk_post, jsonb_build_object(''title'', title) AS data FROM tb_post');
SELECT pg_tviews_alter('user', 'SELECT pk_user, ''{}''::jsonb AS data FROM tb_user');
ALTER TABLE tb_user ALTER COLUMN name TYPE varchar(20);
SELECT pg_tviews_alter('user', 'SELECT pk_user, jsonb_build_object(''name'', name) AS data FROM tb_user');
COMMIT;
UPDATE tb_user SET name = 'last';
SELECT data FROM tv_user ORDER BY pk_user;
EXECUTE posts;
\pset tuples_only off
\pset format aligned
SELECT * FROM test_oracle();
