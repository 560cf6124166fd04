-- pg_tviews_create() makes v_<entity>, tv_<entity>, its primary key, indexes,
-- triggers and metadata; in the schema that is named or comes first in
-- search_path; however the entity is spelled.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start

CREATE TABLE tb_user (pk_user int PRIMARY KEY, id uuid, name text NOT NULL);
CREATE TABLE tb_post (pk_post int PRIMARY KEY, id uuid, fk_user int, title text);
INSERT INTO tb_user SELECT i, NULL, 'user ' || i FROM generate_series(1, 3) i;
INSERT INTO tb_post SELECT i, NULL, 1 + i % 3, 'post ' || i FROM generate_series(1, 5) i;

SELECT pg_tviews_create('post', $$
	SELECT p.pk_post, p.id, p.fk_user, u.id AS user_id, p.title,
		   jsonb_build_object('title', p.title, 'author', u.name) AS data
	FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user
$$);
\d tv_post
SELECT pk_post, data, updated_at IS NOT NULL AS dated FROM tv_post ORDER BY 1;
SELECT * FROM test_objects();
SELECT entity, schema, tview, view, root, key_column, dependencies, fk_columns,
	   uuid_columns, options, created_at <= now() AS created
FROM pg_tview_meta;
-- the metadata's definition is good for any search_path
SELECT definition FROM pg_tview_meta;

-- the same entity, spelled in other ways
SELECT pg_tviews_drop('post');
\set definition 'SELECT pk_post, to_jsonb(title) AS data FROM public.tb_post'
SELECT pg_tviews_create('tv_post', :'definition');
SELECT pg_tviews_drop('tv_post');
SELECT pg_tviews_create('"tv_post"', :'definition');
SELECT pg_tviews_drop('public.post');
SELECT pg_tviews_create('POST', :'definition');
CREATE SCHEMA app;
SELECT pg_tviews_create('app.tv_post', :'definition');
SELECT pg_tviews_drop('app.post');
SET search_path = app, public;
SELECT pg_tviews_create('post', :'definition');
-- each of the two is found by search_path or by its schema
SELECT schema, entity, tview FROM pg_tview_meta ORDER BY schema::text;
SELECT pg_tviews_drop('post');
SELECT schema, entity, tview FROM pg_tview_meta ORDER BY schema::text;
SELECT pg_tviews_drop('post');
RESET search_path;
SELECT * FROM test_objects();

-- the name can be a number of words; the key column goes with it
CREATE TABLE tb_word (pk int PRIMARY KEY, word text);
SELECT pg_tviews_create('"My Word"',
	'SELECT pk AS "pk_My Word", to_jsonb(word) AS data FROM tb_word');
INSERT INTO tb_word VALUES (1, 'one');
SELECT "pk_My Word", data FROM "tv_My Word";

-- in a transaction that has changed the tables before, and rolls it all back
BEGIN;
INSERT INTO tb_word VALUES (2, 'two');
SELECT pg_tviews_create('word', 'SELECT pk AS pk_word, to_jsonb(word) AS data FROM tb_word');
SELECT pk_word, data FROM tv_word ORDER BY 1;
UPDATE tb_word SET word = 'zwei' WHERE pk = 2;
SELECT pk_word, data FROM tv_word ORDER BY 1;
SELECT * FROM test_oracle();
ROLLBACK;
SELECT * FROM test_objects();

-- an ORDER BY is of no use, and said to be
SELECT pg_tviews_create('word',
	'SELECT pk AS pk_word, to_jsonb(word) AS data FROM tb_word ORDER BY word');
SELECT pg_tviews_version() = extversion AS version
FROM pg_extension WHERE extname = 'pg_tviews';
SELECT * FROM test_oracle();
DROP SCHEMA app;
