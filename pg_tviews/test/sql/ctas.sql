-- CREATE TABLE tv_<entity> AS makes a TVIEW wherever it is run; forms that
-- can't be one are refused with a hint; other tv_ tables are left alone.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start

CREATE TABLE tb_post (pk_post int PRIMARY KEY, title text NOT NULL);
INSERT INTO tb_post VALUES (1, 'one'), (2, 'two');

-- at the prompt
CREATE TABLE tv_post AS SELECT pk_post, to_jsonb(title) AS data FROM tb_post;
SELECT * FROM test_objects();
UPDATE tb_post SET title = 'uno' WHERE pk_post = 1;
SELECT pk_post, data FROM tv_post ORDER BY 1;

-- there already
CREATE TABLE IF NOT EXISTS tv_post AS SELECT pk_post, to_jsonb(title) AS data FROM tb_post;
CREATE TABLE tv_post AS SELECT pk_post, to_jsonb(title) AS data FROM tb_post;
SELECT count(*) FROM pg_tview_meta;
DROP TABLE tv_post;

-- not there yet
CREATE TABLE IF NOT EXISTS tv_post AS SELECT pk_post, to_jsonb(title) AS data FROM tb_post;
SELECT pk_post, data FROM tv_post ORDER BY 1;
DROP TABLE tv_post;

-- in a function, with subqueries that the planner would take apart
CREATE FUNCTION make() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	CREATE TABLE tv_post AS
	SELECT p.pk_post, jsonb_build_object('title', p.title,
			   'before', (SELECT count(*) FROM tb_post o WHERE o.pk_post = p.pk_post),
			   'other', EXISTS (SELECT 1 FROM tb_post q WHERE q.pk_post = p.pk_post)) AS data
	FROM tb_post p;
END $$;
SELECT make();
INSERT INTO tb_post VALUES (3, 'three');
SELECT pk_post, data FROM tv_post ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE tv_post;

-- in a DO block, as dynamic SQL, in another schema
CREATE SCHEMA app;
DO $$
BEGIN
	EXECUTE format('CREATE TABLE %I.tv_post AS SELECT pk_post, to_jsonb(title) AS data FROM tb_post', 'app');
END $$;
SELECT tview, view FROM pg_tview_meta;
DROP TABLE app.tv_post;

-- by search_path
SET search_path = app, public;
CREATE TABLE tv_post AS SELECT pk_post, to_jsonb(title) AS data FROM tb_post;
RESET search_path;
SELECT tview, view FROM pg_tview_meta;
DROP TABLE app.tv_post;

-- storage parameters are kept
CREATE TABLE tv_post WITH (fillfactor = 70) AS
SELECT pk_post, to_jsonb(title) AS data FROM tb_post;
SELECT reloptions FROM pg_class WHERE relname = 'tv_post';
DROP TABLE tv_post;

-- forms that can't be honoured
\set query 'SELECT pk_post, to_jsonb(title) AS data FROM tb_post'
\pset format unaligned
\pset tuples_only on
SELECT test_error('CREATE TEMP TABLE tv_post AS ' || :'query');
SELECT test_error('CREATE UNLOGGED TABLE tv_post AS ' || :'query');
SELECT test_error('CREATE TABLE tv_post (pk_post, data) AS ' || :'query');
SELECT test_error('CREATE TABLE tv_post AS ' || :'query' || ' WITH NO DATA');
PREPARE make AS SELECT pk_post, to_jsonb(title) AS data FROM tb_post;
SELECT test_error('CREATE TABLE tv_post AS EXECUTE make');
SELECT test_error($q$DO $do$ DECLARE n int := 1; BEGIN
	CREATE TABLE tv_post AS SELECT pk_post, to_jsonb(title) AS data FROM tb_post WHERE pk_post = n;
END $do$ $q$);
\pset tuples_only off
\pset format aligned
SELECT * FROM test_objects();

-- SELECT INTO is the same statement
SELECT pk_post, to_jsonb(title) AS data INTO tv_post FROM tb_post;
SELECT tview FROM pg_tview_meta;
DROP TABLE tv_post;

-- tables that nobody means as TVIEWs
CREATE TABLE tv_x (pk_x int, data jsonb);
INSERT INTO tv_x VALUES (1, '{}');
CREATE TABLE tv_ AS SELECT 1 AS a;
CREATE TABLE other AS SELECT pk_post FROM tb_post;
CREATE MATERIALIZED VIEW tv_mat AS SELECT pk_post FROM tb_post;
SET pg_tviews.ctas_interception = off;
CREATE TABLE tv_y AS SELECT pk_post FROM tb_post;
RESET pg_tviews.ctas_interception;
SELECT * FROM test_objects();
DROP TABLE tv_x, tv_, tv_y, other;

-- a transaction that is rolled back leaves nothing
BEGIN;
CREATE TABLE tv_post AS SELECT pk_post, to_jsonb(title) AS data FROM tb_post;
ROLLBACK;
SELECT * FROM test_objects();
CREATE TABLE tv_post AS SELECT pk_post, to_jsonb(title) AS data FROM tb_post;
SELECT * FROM test_oracle();
DROP SCHEMA app;
