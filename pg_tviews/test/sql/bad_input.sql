-- Each of these is an error with an SQLSTATE of its own, a message that names
-- the object, and a hint; and leaves nothing behind.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE TABLE tb_x (pk_x int PRIMARY KEY, fk_y int, word text);
CREATE TABLE tb_y (pk_y int PRIMARY KEY, word text);
INSERT INTO tb_x VALUES (1, 1, 'one'), (2, 2, 'two'), (3, 2, 'three');
INSERT INTO tb_y VALUES (1, 'eins'), (2, 'zwei');
CREATE FUNCTION try(definition text, entity text DEFAULT 'x') RETURNS SETOF text
LANGUAGE sql AS
	$$ SELECT test_error(format('SELECT pg_tviews_create(%L, %L)', entity, definition)) $$;

-- not one SELECT
SELECT try('');
SELECT try('SELECT 1 AS pk_x, ''{}''::jsonb AS data; SELECT 2');
SELECT try('INSERT INTO tb_x VALUES (4) RETURNING pk_x');
SELECT try('SELECT pk_x, to_jsonb(word) AS data INTO other FROM tb_x');
SELECT try('DROP TABLE tb_x');
SELECT try('EXPLAIN SELECT 1');
SELECT try('SELEC');
SELECT try('WITH w AS (DELETE FROM tb_x RETURNING *) SELECT pk_x, to_jsonb(word) AS data FROM w');

-- columns
SELECT try('SELECT fk_y, to_jsonb(word) AS data FROM tb_x');
SELECT try('SELECT pk_x, word FROM tb_x');
SELECT try('SELECT pk_x, word AS data FROM tb_x');
SELECT try('SELECT pk_x, to_json(word) AS data FROM tb_x');
SELECT try('SELECT pk_x, to_jsonb(word) AS data, 1 AS updated_at FROM tb_x');
SELECT test_error('CREATE TABLE tv_x AS SELECT fk_y, to_jsonb(word) AS data FROM tb_x');
SELECT test_error('CREATE TABLE tv_x AS SELECT pk_x, word AS data FROM tb_x');

-- duplicate keys at build
SELECT try('SELECT y.pk_y, to_jsonb(x.word) AS data FROM tb_y y JOIN tb_x x ON x.fk_y = y.pk_y', 'y');
SELECT test_error('CREATE TABLE tv_y AS SELECT y.pk_y, to_jsonb(x.word) AS data FROM tb_y y JOIN tb_x x ON x.fk_y = y.pk_y');

-- no key, no document
SELECT try('SELECT y.pk_y, to_jsonb(x.word) AS data FROM tb_x x LEFT JOIN tb_y y ON y.pk_y = x.pk_x', 'y');
SELECT try('SELECT pk_x, to_jsonb(nullif(word, ''two'')) AS data FROM tb_x');

-- names that are taken
CREATE VIEW v_x AS SELECT 1 AS a;
SELECT try('SELECT pk_x, to_jsonb(word) AS data FROM tb_x');
SELECT test_error('CREATE TABLE tv_x AS SELECT pk_x, to_jsonb(word) AS data FROM tb_x');
DROP VIEW v_x;
CREATE SEQUENCE tv_x;
SELECT try('SELECT pk_x, to_jsonb(word) AS data FROM tb_x');
DROP SEQUENCE tv_x;
CREATE TABLE tv_x AS SELECT pk_x, to_jsonb(word) AS data FROM tb_x;
SELECT try('SELECT pk_x, to_jsonb(word) AS data FROM tb_x');
SELECT test_error('CREATE TABLE tv_x AS SELECT pk_x, to_jsonb(word) AS data FROM tb_x');
DROP TABLE tv_x;

-- entity names
\set definition 'SELECT pk_x, to_jsonb(word) AS data FROM tb_x'
SELECT try(:'definition', '');
SELECT try(:'definition', 'a b');
SELECT try(:'definition', 'x; DROP TABLE tb_x');
SELECT try('SELECT pk_x AS "pk_x""", to_jsonb(word) AS data FROM tb_x', 'x"');
SELECT try('SELECT pk_x AS "pk_x;y", to_jsonb(word) AS data FROM tb_x', 'x;y');
SELECT try(:'definition', '"x');
SELECT try(:'definition', '"x""y"');
SELECT try(:'definition', 'a.b.c');
SELECT try(:'definition', '.x');
SELECT try(:'definition', 'tv_');
SELECT try(:'definition', 'nowhere.x');
SELECT try(:'definition', repeat('x', 60));
SELECT try(:'definition', repeat('x', 61));
SELECT try(:'definition', repeat('x', 63));
SELECT try(:'definition', repeat('x', 64));
SELECT try(:'definition', repeat('ü', 31));
SELECT try(:'definition', 'pg_catalog.x');
SELECT try(:'definition', 'pg_temp.x');
SELECT test_error('SELECT pg_tviews_drop(''x'')');
SELECT test_error('SELECT pg_tviews_refresh(''public.x'')');
SELECT test_error('SELECT * FROM pg_tviews_verify(''"X"'')');
SELECT test_error('SELECT * FROM pg_tviews_explain(''no.x'')');

SELECT * FROM test_objects();

-- tables whose changes can't be captured
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE far (pk_x int, word text) SERVER nowhere;
SELECT try('SELECT pk_x, to_jsonb(word) AS data FROM far');
SELECT try('SELECT x.pk_x, to_jsonb(far.word) AS data FROM tb_x x LEFT JOIN far ON far.pk_x = x.pk_x');
CREATE MATERIALIZED VIEW mat AS SELECT * FROM tb_x;
SELECT try('SELECT pk_x, to_jsonb(word) AS data FROM mat');
CREATE TEMP TABLE passing (pk_x int PRIMARY KEY, word text);
SELECT try('SELECT pk_x, to_jsonb(word) AS data FROM public.tb_x WHERE EXISTS (SELECT FROM passing)');
SELECT test_error('CREATE TABLE public.tv_x AS SELECT pk_x, to_jsonb(word) AS data FROM passing');
SELECT try('SELECT oid AS pk_x, to_jsonb(relname::text) AS data FROM pg_class');
CREATE VIEW hidden AS SELECT * FROM mat;
SELECT try('SELECT pk_x, to_jsonb(word) AS data FROM hidden');
DROP MATERIALIZED VIEW mat CASCADE;
DROP FOREIGN DATA WRAPPER nothing CASCADE;

-- a role without the privileges
CREATE ROLE regress_nobody;
SET ROLE regress_nobody;
SELECT try(:'definition');
RESET ROLE;
GRANT CREATE ON SCHEMA public TO regress_nobody;
SET ROLE regress_nobody;
SELECT try(:'definition');
SELECT test_error('CREATE TABLE tv_x AS ' || :'definition');
RESET ROLE;
GRANT SELECT ON tb_x TO regress_nobody;
SET ROLE regress_nobody;
SELECT try(:'definition');
RESET ROLE;
GRANT TRIGGER ON tb_x TO regress_nobody;
SET ROLE regress_nobody;
SELECT try(:'definition');
RESET ROLE;
SELECT pg_tviews_drop('x');
CREATE TABLE tv_x AS SELECT pk_x, to_jsonb(word) AS data FROM tb_x;
SET ROLE regress_nobody;
SELECT test_error('SELECT pg_tviews_drop(''x'')');
SELECT test_error('SELECT pg_tviews_refresh(''x'')');
SELECT test_error('SELECT * FROM pg_tviews_verify(''x'')');
SELECT test_error('DELETE FROM pg_tview_meta');
RESET ROLE;
DROP OWNED BY regress_nobody;
DROP ROLE regress_nobody;

-- direct writes
SELECT test_error('INSERT INTO tv_x VALUES (4, ''{}'')');
SELECT test_error('UPDATE tv_x SET data = ''{}''');
SELECT test_error('UPDATE tv_x SET data = ''{}'' WHERE false');
SELECT test_error('DELETE FROM tv_x');
SELECT test_error('TRUNCATE tv_x');
SELECT test_error('MERGE INTO tv_x t USING tb_x x ON t.pk_x = x.pk_x WHEN MATCHED THEN DELETE');
SELECT test_error('WITH w AS (DELETE FROM tv_x RETURNING *) SELECT * FROM w');
COPY tv_x FROM stdin;
\.

-- duplicate and null keys that come later
CREATE TABLE tb_z (pk_z int, word text);
INSERT INTO tb_z VALUES (1, 'one'), (2, 'two');
CREATE TABLE tv_z AS SELECT pk_z, to_jsonb(word) AS data FROM tb_z;
SELECT test_error('INSERT INTO tb_z VALUES (2, ''again''); SELECT FROM tv_z');
SELECT test_error('INSERT INTO tb_z VALUES (7, ''new''), (7, ''again''); SELECT FROM tv_z');
SELECT test_error('INSERT INTO tb_z VALUES (NULL, ''void''); SELECT FROM tv_z');
SELECT test_error('UPDATE tb_z SET pk_z = 1; SELECT FROM tv_z');
SELECT test_error('UPDATE tb_z SET pk_z = NULL; SELECT FROM tv_z');
SELECT test_error('UPDATE tb_z SET word = NULL; SELECT FROM tv_z');
INSERT INTO tb_z VALUES (1, 'again');
INSERT INTO tb_z VALUES (NULL, 'void');
TABLE tb_z ORDER BY 1, 2;

-- cycles
CREATE VIEW helper AS SELECT pk_x, word FROM tb_x;
CREATE TABLE tv_y AS SELECT h.pk_x AS pk_y, to_jsonb(h.word) AS data FROM helper h;
SELECT test_error('CREATE OR REPLACE VIEW helper AS SELECT pk_y AS pk_x, data ->> 0 AS word FROM tv_y');
SELECT test_error('CREATE OR REPLACE VIEW v_y AS SELECT pk_y, data FROM tv_y');
SELECT try('SELECT pk_q, data FROM tv_q', 'q');

-- deeper than 10 levels
DROP TABLE tv_x, tv_y, tv_z;
SET client_min_messages = warning;
CREATE TABLE tv_l1 AS SELECT pk_x AS pk_l1, to_jsonb(word) AS data FROM tb_x;
SELECT pg_tviews_create('l' || i, format('SELECT pk_l%s AS pk_l%s, data FROM v_l%1$s', i - 1, i))
FROM generate_series(2, 10) i;
RESET client_min_messages;
SELECT try('SELECT pk_l10 AS pk_l11, data FROM v_l10', 'l11');
SELECT test_error('CREATE TABLE tv_l11 AS SELECT pk_l10 AS pk_l11, data FROM tv_l10');
\pset tuples_only off
\pset format aligned
SELECT * FROM test_oracle();
-- nothing is left over
SET client_min_messages = warning;
DROP TABLE tv_l1 CASCADE;
DROP VIEW helper;
SELECT * FROM test_objects();
