-- Roles that have nothing to do with TVIEWs, and may not even look into the
-- extension's schema, own what TVIEWs read, and alter it.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE VIEW wrong AS SELECT * FROM test_oracle() WHERE differences > 0;
CREATE ROLE regress_tviews_owner;
CREATE SCHEMA own AUTHORIZATION regress_tviews_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SET ROLE regress_tviews_owner;
CREATE TABLE own.tb_a (pk_a int PRIMARY KEY, n int);
INSERT INTO own.tb_a VALUES (1, 1);
CREATE VIEW own.hv AS SELECT pk_a, n FROM own.tb_a;
CREATE FUNCTION own.f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
RESET ROLE;
SELECT pg_tviews_create('a', 'SELECT h.pk_a, jsonb_build_object(''f'', own.f(h.n), ''row'', to_jsonb(a)) AS data
	FROM own.hv h JOIN own.tb_a a USING (pk_a)', '{"on_unmapped": "rebuild", "reads": {"own.f(int)": ["own.tb_a"]}}');
SET ROLE regress_tviews_owner;
ALTER TABLE own.tb_a RENAME TO tb_b;
ALTER TABLE own.tb_b ADD COLUMN x int;
ALTER TABLE own.tb_b RENAME COLUMN n TO m;
UPDATE own.tb_b SET m = 5;
CREATE OR REPLACE FUNCTION own.f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 2; END';
ALTER FUNCTION own.f(int) RENAME TO g;
CREATE OR REPLACE VIEW own.hv AS SELECT pk_a, m AS n FROM own.tb_b;
ALTER VIEW own.hv RENAME TO hh;
CREATE TABLE own.x (y int);
CREATE VIEW own.vv AS SELECT * FROM own.x;
CREATE OR REPLACE VIEW own.vv AS SELECT y, 1 AS z FROM own.x;
DROP TABLE own.x CASCADE;
RESET ROLE;
SELECT definition, options FROM pg_tview_meta;
SELECT data FROM tv_a;
\pset tuples_only off
\pset format aligned
SELECT * FROM test_oracle();
SET client_min_messages = warning;
DROP SCHEMA own CASCADE;
DROP ROLE regress_tviews_owner;
