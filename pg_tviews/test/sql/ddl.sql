-- Changes of what a definition uses reach its TVIEW, or are refused: of
-- columns, types, functions, views, triggers, rules, and child tables.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
-- Differences, for those TVIEWs that have any
CREATE VIEW wrong AS SELECT * FROM test_oracle() WHERE differences > 0;

-- columns of a table that is referenced as a whole
CREATE TABLE tb_a (pk_a int PRIMARY KEY, n int, old int);
INSERT INTO tb_a VALUES (1, 1, 9);
CREATE TABLE tv_a AS SELECT a.pk_a, to_jsonb(a) AS data FROM tb_a a;
CREATE TABLE tv_row AS SELECT a.pk_a AS pk_row, jsonb_build_object('row', a.*) AS data FROM tb_a a;
CREATE TABLE tv_embedding AS SELECT v.pk_a AS pk_embedding, jsonb_build_array(v.data) AS data FROM v_a v;
ALTER TABLE tb_a ADD COLUMN extra int DEFAULT 5;
SELECT data FROM tv_embedding;
ALTER TABLE tb_a RENAME COLUMN n TO m;
SELECT data FROM tv_embedding;
ALTER TABLE tb_a DROP COLUMN old;
SELECT data FROM tv_embedding;
BEGIN;
ALTER TABLE tb_a ADD COLUMN late int DEFAULT 6;
SELECT data FROM tv_a;
SAVEPOINT s;
ALTER TABLE tb_a DROP COLUMN late;
ROLLBACK TO s;
COMMIT;
SELECT data FROM tv_row;
ALTER TABLE tb_a ALTER COLUMN extra TYPE numeric(10, 2);
SELECT data FROM tv_row;
TABLE wrong;
-- through views
CREATE TABLE tb_h (pk_h int PRIMARY KEY, n int, m int);
INSERT INTO tb_h VALUES (1, 1, 2);
CREATE VIEW hv AS SELECT pk_h, n FROM tb_h;
CREATE VIEW hhv AS SELECT pk_h, to_jsonb(hv) AS row FROM hv;
SELECT pg_tviews_create('h', 'SELECT pk_h, to_jsonb(hv) AS data FROM hv');
SELECT pg_tviews_create('hh', 'SELECT pk_h AS pk_hh, row AS data FROM hhv');
ALTER VIEW hv RENAME COLUMN n TO number;
SELECT data FROM tv_h;
ALTER TABLE hv RENAME COLUMN number TO n;
SELECT data FROM tv_hh;
CREATE OR REPLACE VIEW hv AS SELECT pk_h, m AS n FROM tb_h;
SELECT data FROM tv_hh;
CREATE OR REPLACE VIEW hv AS SELECT pk_h, n FROM tb_h;
SELECT test_error('CREATE OR REPLACE RULE "_RETURN" AS ON SELECT TO hv DO INSTEAD SELECT pk_h, m AS n FROM tb_h');
SELECT test_error('CREATE OR REPLACE RULE "_RETURN" AS ON SELECT TO v_h DO INSTEAD SELECT pk_h, ''{}''::jsonb AS data FROM tb_h');
SELECT test_error('CREATE RULE no AS ON INSERT TO tv_h DO INSTEAD NOTHING');
TABLE wrong;

-- types: labels, attributes, a table's row type
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (x int, y int);
CREATE TABLE addr (street text);
CREATE TABLE tb_e (pk_e int PRIMARY KEY, m mood, p pair, a addr, aa addr[]);
INSERT INTO tb_e VALUES (1, 'sad', '(1,2)', '(here)', '{(there)}');
CREATE TABLE tv_e AS SELECT pk_e, jsonb_build_object('m', m, 'p', p, 'a', a, 'aa', aa) AS data FROM tb_e;
CREATE TABLE tv_ee AS SELECT pk_e AS pk_ee, data FROM v_e;
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
SELECT data FROM tv_ee;
ALTER TYPE pair RENAME ATTRIBUTE x TO z;
SELECT data FROM tv_ee;
ALTER TABLE addr RENAME COLUMN street TO road;
SELECT data FROM tv_ee;
BEGIN;
ALTER TYPE mood RENAME VALUE 'blue' TO 'red';
SELECT data -> 'm' FROM tv_ee;
SAVEPOINT s;
ALTER TYPE mood RENAME VALUE 'red' TO 'green';
SELECT data -> 'm' FROM tv_ee;
ROLLBACK TO s;
COMMIT;
SELECT data -> 'm' FROM tv_ee;
-- the server does this one for types that tables use only if nothing is stored
ALTER TYPE pair ADD ATTRIBUTE w int;
ALTER TABLE addr ADD COLUMN zip text;
SELECT data FROM tv_ee;
TABLE wrong;

-- functions that are replaced: themselves, in an operator, in an aggregate,
-- in a helper view, in a cast
CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE FUNCTION opf(int, int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE OPERATOR #|# (FUNCTION = opf, LEFTARG = int, RIGHTARG = int);
CREATE FUNCTION af(int, int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE AGGREGATE agg(int) (SFUNC = af, STYPE = int);
CREATE FUNCTION cf(pair) RETURNS jsonb IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN ''1''; END';
CREATE CAST (pair AS jsonb) WITH FUNCTION cf(pair);
CREATE VIEW fv AS SELECT pk_h, f(n) AS f FROM tb_h;
SELECT pg_tviews_create('fun', 'SELECT h.pk_h AS pk_fun, jsonb_build_object(''f'', f(n), ''o'', n #|# n,
	''a'', (SELECT agg(n) FROM tb_h i WHERE i.pk_h = h.pk_h), ''v'', fv.f, ''c'', (e.p)::jsonb) AS data
	FROM tb_h h JOIN fv ON fv.pk_h = h.pk_h LEFT JOIN tb_e e ON e.pk_e = h.pk_h');
SELECT data FROM tv_fun;
CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 2; END';
SELECT data FROM tv_fun;
CREATE OR REPLACE FUNCTION opf(int, int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 2; END';
SELECT data FROM tv_fun;
CREATE OR REPLACE FUNCTION af(int, int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 2; END';
SELECT data FROM tv_fun;
CREATE OR REPLACE FUNCTION cf(pair) RETURNS jsonb IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN ''2''; END';
SELECT data FROM tv_fun;
TABLE wrong;
-- by one that a definition can't have
SELECT test_error('CREATE OR REPLACE FUNCTION f(int) RETURNS int VOLATILE LANGUAGE plpgsql AS ''BEGIN RETURN 2; END''');
SELECT test_error('CREATE OR REPLACE FUNCTION opf(int, int) RETURNS int STABLE LANGUAGE sql AS ''SELECT n FROM public.tb_h''');
SELECT test_error('ALTER FUNCTION f(int) VOLATILE');
SELECT test_error('ALTER FUNCTION af(int, int) VOLATILE');
SELECT test_error('DROP FUNCTION f(int)');
-- renamed, or moved
ALTER FUNCTION f(int) RENAME TO g;
CREATE SCHEMA app;
ALTER FUNCTION opf(int, int) SET SCHEMA app;
ALTER TYPE pair SET SCHEMA app;
CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN -1; END';
UPDATE tb_h SET n = n + 1;
SELECT data FROM tv_fun;
TABLE wrong;

-- columns of a TVIEW
SELECT test_error('ALTER TABLE tv_e ALTER COLUMN data TYPE text');
CREATE TABLE tb_t (pk_t int PRIMARY KEY, n numeric, word text);
INSERT INTO tb_t VALUES (1, 1.5, 'x');
SELECT pg_tviews_create('t', 'SELECT pk_t, n, word, ''{}''::jsonb AS data FROM tb_t');
SELECT test_error('ALTER TABLE tv_t ALTER COLUMN n TYPE numeric(10, 0)');
SELECT test_error('ALTER TABLE tv_t ALTER COLUMN word TYPE text COLLATE "C"');
SELECT test_error('ALTER VIEW v_t RENAME COLUMN n TO m');

-- triggers
CREATE FUNCTION nop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
DROP TRIGGER "!tview_capture" ON tb_t;
UPDATE tb_t SET n = 6;
DROP TRIGGER "!tview_truncate" ON tb_t;
TRUNCATE tb_t;
INSERT INTO tb_t VALUES (1, 1.5, 'x');
TABLE wrong;
DROP TRIGGER "!tview_guard" ON tv_t;
SELECT test_error('DELETE FROM tv_t');
SELECT test_error('CREATE TRIGGER keep BEFORE UPDATE ON tv_t FOR EACH ROW EXECUTE FUNCTION nop()');
-- one under another name does its work, too
ALTER TRIGGER "!tview_capture" ON tb_t RENAME TO other;
UPDATE tb_t SET n = 7;
DROP TRIGGER other ON tb_t;
UPDATE tb_t SET n = 8;
SELECT n FROM tv_t;
TABLE wrong;
-- the name is somebody else's
CREATE TABLE tb_x (pk_x int PRIMARY KEY);
CREATE TRIGGER "!tview_capture" AFTER INSERT ON tb_x FOR EACH ROW EXECUTE FUNCTION nop();
SELECT test_error('CREATE TABLE tv_x AS SELECT pk_x, ''{}''::jsonb AS data FROM tb_x');
INSERT INTO tb_x VALUES (1);
TABLE wrong;

-- child tables
SELECT test_error('CREATE TABLE child () INHERITS (tv_t)');
CREATE TABLE child (LIKE tv_t);
SELECT test_error('ALTER TABLE child INHERIT tv_t');
DROP TABLE child;
SELECT test_error('CREATE TEMPORARY TABLE child () INHERITS (tb_t)');
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
SELECT test_error('CREATE FOREIGN TABLE child () INHERITS (tb_t) SERVER nowhere');
-- a table that has had a child is like any other, ANALYZE or not
CREATE TABLE tb_once (pk_once int PRIMARY KEY);
CREATE TABLE child () INHERITS (tb_once);
DROP TABLE child;
CREATE TABLE tv_once AS SELECT pk_once, '{}'::jsonb AS data FROM tb_once;
CREATE TABLE innocent (x int);
INSERT INTO tb_once VALUES (1);
DROP FOREIGN DATA WRAPPER nothing CASCADE;

-- what is kept of TVIEWs that were dropped goes
CREATE PROCEDURE make_and_drop(times int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. times LOOP
		PERFORM pg_tviews_create('z', 'SELECT pk_t AS pk_z, to_jsonb(n) AS data FROM tb_t');
		UPDATE tb_t SET n = n + 1;
		PERFORM FROM tv_z;
		PERFORM pg_tviews_drop('z');
		COMMIT;
	END LOOP;
END $$;
CALL make_and_drop(3);
SELECT count(*) AS before FROM pg_backend_memory_contexts WHERE name LIKE 'pg_tviews%' \gset
CALL make_and_drop(20);
SELECT count(*) <= :before AS no_more FROM pg_backend_memory_contexts WHERE name LIKE 'pg_tviews%';
\pset tuples_only off
\pset format aligned
SELECT * FROM test_oracle();
SET client_min_messages = warning;
DROP SCHEMA app CASCADE;
