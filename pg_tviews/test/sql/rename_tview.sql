-- RENAME, SET SCHEMA and OWNER TO of a TVIEW: done to the table, and the view
-- follows.  What is the user's own is left alone.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE VIEW wrong AS SELECT * FROM test_oracle() WHERE differences > 0;
CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text);
CREATE TABLE tb_post (pk_post int PRIMARY KEY, fk_user int, title text);
INSERT INTO tb_user VALUES (1, 'ann');
INSERT INTO tb_post VALUES (1, 1, 'one');
SELECT pg_tviews_create('user', 'SELECT pk_user, name, to_jsonb(name) AS data FROM tb_user');
SELECT pg_tviews_create('post', 'SELECT pk_post, jsonb_build_object(''t'', title, ''u'', u.data) AS data FROM tb_post JOIN v_user u ON pk_user = fk_user');
SELECT pg_tviews_create('direct', 'SELECT pk_user AS pk_direct, data FROM tv_user');
CREATE INDEX by_name ON tv_user (name);

-- RENAME
ALTER TABLE tv_user RENAME TO "tv_Person x";
SELECT entity, schema, tview, view, key_column, definition FROM pg_tview_meta ORDER BY 1;
SELECT test_error('SELECT pg_tviews_refresh(''user'')');
SELECT pg_tviews_refresh('"Person x"'), pg_tviews_refresh('post');
UPDATE tb_user SET name = 'bob';
SELECT data FROM tv_post;
SELECT pk_user, data FROM "tv_Person x";
SELECT pg_tviews_alter('"Person x"', 'SELECT pk_user, name, to_jsonb(upper(name)) AS data FROM tb_user');
SELECT data FROM tv_post;
SELECT test_error('ALTER TABLE tv_post RENAME TO post');
SELECT test_error('ALTER TABLE tv_post RENAME TO tv_');
SELECT test_error('ALTER TABLE tv_post RENAME TO "tv_Person x"');
CREATE VIEW v_taken AS SELECT 1;
SELECT test_error('ALTER TABLE tv_post RENAME TO tv_taken');
SELECT test_error('ALTER VIEW v_post RENAME TO v_other');
SELECT test_error('ALTER TABLE v_post RENAME TO v_other');
ALTER TABLE "tv_Person x" RENAME TO tv_user;
ALTER INDEX by_name RENAME TO by_the_name;
ALTER TABLE tv_user RENAME CONSTRAINT tv_user_pkey TO user_key;
TABLE wrong;

-- SET SCHEMA
CREATE SCHEMA "A b";
ALTER TABLE tv_user SET SCHEMA "A b";
SELECT entity, schema, tview, view, definition FROM pg_tview_meta ORDER BY 1;
UPDATE tb_user SET name = 'cid';
SELECT data FROM tv_post;
SELECT test_error('ALTER VIEW v_post SET SCHEMA "A b"');
CREATE VIEW "A b".v_post AS SELECT 1;
SELECT test_error('ALTER TABLE tv_post SET SCHEMA "A b"');
ALTER SCHEMA "A b" RENAME TO "B";
SELECT entity, schema, tview, view FROM pg_tview_meta ORDER BY 1;
UPDATE tb_user SET name = 'dan';
SELECT pg_tviews_drop('direct'), pg_tviews_refresh('"B".user');
BEGIN;
UPDATE tb_user SET name = 'eve';
SAVEPOINT s;
ALTER TABLE "B".tv_user SET SCHEMA public;
ALTER TABLE tv_user RENAME TO tv_lost;
ROLLBACK TO s;
SELECT data FROM tv_post;
COMMIT;
SELECT entity, schema, tview, view FROM pg_tview_meta ORDER BY 1;
TABLE wrong;
SELECT test_error('DROP SCHEMA "B"');

-- OWNER TO
CREATE ROLE regress_tviews_new;
CREATE ROLE regress_tviews_third;
GRANT CREATE, USAGE ON SCHEMA public, "B" TO regress_tviews_new;
SELECT test_error('ALTER TABLE "B".tv_user OWNER TO regress_tviews_new');
GRANT SELECT ON tb_user, tb_post TO regress_tviews_new;
SELECT test_error('ALTER VIEW "B".v_user OWNER TO regress_tviews_new');
SELECT test_error('ALTER TABLE tv_post OWNER TO regress_tviews_new');
ALTER TABLE "B".tv_user OWNER TO regress_tviews_new;
SELECT relname, relowner::regrole FROM pg_class WHERE relname IN ('v_user', 'tv_user') ORDER BY 1;
ALTER TABLE tv_post OWNER TO regress_tviews_new;
UPDATE tb_user SET name = 'fay';
SELECT data FROM tv_post;
-- the server raises no event for this: refreshes fail until the owner may read
REASSIGN OWNED BY regress_tviews_new TO regress_tviews_third;
SELECT test_error('UPDATE tb_user SET name = ''lost''; SELECT FROM tv_post', true);
GRANT SELECT ON tb_user, tb_post TO regress_tviews_third;
GRANT USAGE ON SCHEMA "B" TO regress_tviews_third;
SELECT relname, relowner::regrole FROM pg_class WHERE relname IN ('v_user', 'tv_user', 'v_post', 'tv_post') ORDER BY 1, 2;
UPDATE tb_user SET name = 'gil';
SELECT data FROM tv_post;
-- row-level security applies to the new owner
CREATE TABLE tb_secret (pk_secret int PRIMARY KEY);
ALTER TABLE tb_secret ENABLE ROW LEVEL SECURITY;
SELECT pg_tviews_create('secret', 'SELECT pk_secret, to_jsonb(pk_secret) AS data FROM tb_secret');
GRANT SELECT ON tb_secret TO regress_tviews_new;
SELECT test_error('ALTER TABLE tv_secret OWNER TO regress_tviews_new');
TABLE wrong;

-- what is the user's own
ALTER TABLE tv_post ALTER COLUMN data SET STATISTICS 5, ALTER COLUMN data SET STORAGE EXTERNAL, SET (fillfactor = 50),
	REPLICA IDENTITY FULL, CLUSTER ON tv_post_pkey;
COMMENT ON TABLE tv_post IS 'posts';
CREATE STATISTICS "B".st ON pk_user, name FROM "B".tv_user;
ANALYZE tv_post, "B".tv_user;
CREATE TABLE tb_like (LIKE tv_post INCLUDING ALL);
UPDATE tb_user SET name = 'hal';
SELECT reloptions, attstorage, (to_jsonb(a) ->> 'attstattarget')::int FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid
WHERE relname = 'tv_post' AND attname = 'data';
-- where the same is written in other ways
ALTER TABLE IF EXISTS missing RENAME TO tv_x;
CREATE TABLE tv_plain (a int);
ALTER TABLE tv_plain RENAME TO plain;
ALTER TABLE plain OWNER TO regress_tviews_new;
\pset tuples_only off
\pset format aligned
SELECT * FROM test_oracle();
SET client_min_messages = warning;
DROP SCHEMA "B" CASCADE;
DROP OWNED BY regress_tviews_new, regress_tviews_third CASCADE;
DROP ROLE regress_tviews_new, regress_tviews_third;
