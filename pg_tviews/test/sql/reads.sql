-- Whichever way a transaction reads a TVIEW, it sees what it has written
-- before (P2). Each case changes a number, and reads it.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE TABLE tb_x (pk_x int PRIMARY KEY, n int NOT NULL);
INSERT INTO tb_x VALUES (1, 0), (2, 0);
CREATE TABLE tv_x AS SELECT pk_x, to_jsonb(n) AS data FROM tb_x;
CREATE TABLE tv_y AS SELECT pk_x AS pk_y, jsonb_build_array(data) AS data FROM v_x;
CREATE TABLE tv_one AS SELECT pk_x AS pk_one, to_jsonb(n) AS data FROM tb_x WHERE pk_x = 1;
CREATE VIEW over_x AS SELECT data FROM tv_x WHERE pk_x = 1;
CREATE VIEW over_over AS SELECT data FROM over_x;
CREATE FUNCTION sql_stable() RETURNS jsonb STABLE LANGUAGE sql AS 'SELECT data FROM tv_x WHERE pk_x = 1';
CREATE FUNCTION sql_volatile() RETURNS jsonb LANGUAGE sql AS 'SELECT data FROM tv_x WHERE pk_x = 1';
CREATE FUNCTION pl_stable() RETURNS jsonb STABLE LANGUAGE plpgsql AS
	'BEGIN RETURN (SELECT data FROM tv_x WHERE pk_x = 1); END';
CREATE FUNCTION pl_volatile() RETURNS jsonb LANGUAGE plpgsql AS
	'BEGIN RETURN (SELECT data FROM tv_x WHERE pk_x = 1); END';
CREATE FUNCTION pl_dynamic() RETURNS jsonb LANGUAGE plpgsql AS
	'DECLARE r jsonb; BEGIN EXECUTE ''SELECT data FROM tv_x WHERE pk_x = 1'' INTO r; RETURN r; END';
CREATE FUNCTION pl_query() RETURNS SETOF jsonb LANGUAGE plpgsql AS
	'BEGIN RETURN QUERY SELECT data FROM tv_x WHERE pk_x = 1; END';
CREATE FUNCTION pl_loop() RETURNS jsonb LANGUAGE plpgsql AS
	'DECLARE r record; BEGIN FOR r IN SELECT data FROM tv_x WHERE pk_x = 1 LOOP RETURN r.data; END LOOP; END';
CREATE FUNCTION write_and_read() RETURNS jsonb LANGUAGE plpgsql AS
	'BEGIN UPDATE tb_x SET n = n + 1 WHERE pk_x = 1; RETURN (SELECT data FROM tv_x WHERE pk_x = 1); END';
CREATE TABLE other (at int, data jsonb);
PREPARE prepared AS SELECT data FROM tv_x WHERE pk_x = 1;
PREPARE with_key (int) AS SELECT data FROM tv_x WHERE pk_x = $1;
EXECUTE prepared;
\set inc 'UPDATE tb_x SET n = n + 1 WHERE pk_x = 1;'
\pset tuples_only on
\pset format unaligned

BEGIN;
-- SELECT; through views; the next level; joined to base tables
:inc
SELECT data FROM tv_x WHERE pk_x = 1;
:inc
TABLE over_x;
:inc
TABLE over_over;
:inc
SELECT data FROM tv_y WHERE pk_y = 1;
:inc
SELECT n, data FROM tb_x JOIN tv_x USING (pk_x) WHERE pk_x = 1;
:inc
SELECT (SELECT data FROM tv_x WHERE pk_x = 1), EXISTS (SELECT FROM tv_x WHERE data = '6');
:inc
WITH x AS MATERIALIZED (SELECT * FROM tv_x) SELECT data FROM x WHERE pk_x = 1;
:inc
SELECT data FROM tv_x WHERE pk_x = 1 FOR SHARE;
-- functions
:inc
SELECT sql_stable();
:inc
SELECT sql_volatile();
:inc
SELECT pl_stable();
:inc
SELECT pl_volatile();
:inc
SELECT pl_dynamic();
:inc
SELECT pl_query();
:inc
SELECT pl_loop();
SELECT write_and_read();
SELECT write_and_read(), write_and_read(), pl_stable(), sql_stable();
-- an outer query that has started does not change its mind
SELECT pk_x, data, write_and_read() FROM tv_x ORDER BY pk_x;
-- prepared plans, custom and generic
:inc
EXECUTE prepared;
SET plan_cache_mode = force_generic_plan;
:inc
EXECUTE with_key(1);
:inc
EXECUTE with_key(1);
SET plan_cache_mode = force_custom_plan;
:inc
EXECUTE with_key(1);
RESET plan_cache_mode;
-- cursors: one opened before the write stays as it was
DECLARE before CURSOR FOR SELECT data FROM tv_x WHERE pk_x = 1;
:inc
DECLARE after CURSOR FOR SELECT data FROM tv_x WHERE pk_x = 1;
FETCH before;
FETCH after;
DECLARE hold CURSOR WITH HOLD FOR SELECT data FROM tv_x WHERE pk_x = 1;
:inc
COMMIT;
FETCH hold;
CLOSE hold;
BEGIN;
-- INSERT, UPDATE, DELETE, MERGE of other tables
:inc
INSERT INTO other SELECT 1, data FROM tv_x WHERE pk_x = 1;
:inc
UPDATE other SET at = 2, data = (SELECT data FROM tv_x WHERE pk_x = 1);
TABLE other;
:inc
UPDATE other SET at = 3, data = tv_x.data FROM tv_x WHERE pk_x = 1 RETURNING at, other.data;
:inc
DELETE FROM other WHERE data < (SELECT data FROM tv_x WHERE pk_x = 1) RETURNING data;
:inc
MERGE INTO other USING tv_x ON at = pk_x WHEN NOT MATCHED THEN INSERT VALUES (pk_x, tv_x.data);
SELECT * FROM other ORDER BY at;
-- COPY
:inc
COPY tv_one (pk_one, data) TO stdout;
:inc
COPY (SELECT data FROM tv_x WHERE pk_x = 1) TO stdout;
:inc
COPY (SELECT pl_stable()) TO stdout;
-- statements that make tables of it
:inc
CREATE TABLE copied AS SELECT data FROM tv_x WHERE pk_x = 1;
TABLE copied;
:inc
CREATE MATERIALIZED VIEW mat AS SELECT data FROM tv_x WHERE pk_x = 1;
TABLE mat;
:inc
REFRESH MATERIALIZED VIEW mat;
TABLE mat;
-- DO
:inc
DO $$ BEGIN RAISE NOTICE '%', (SELECT data FROM tv_x WHERE pk_x = 1); END $$;
COMMIT;

-- plain EXPLAIN does not refresh, EXPLAIN ANALYZE does: what a trigger of the
-- TVIEW notes tells
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE 'refreshed: %', NEW.data;
	RETURN NEW;
END $$;
CREATE TRIGGER note AFTER UPDATE ON tv_x FOR EACH ROW EXECUTE FUNCTION note();
BEGIN;
UPDATE tb_x SET n = -1 WHERE pk_x = 2;
EXPLAIN (COSTS OFF) SELECT * FROM tv_x;
\echo now analyze
DO $$
DECLARE
	line text;
BEGIN
	FOR line IN EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM tv_x LOOP
	END LOOP;
END $$;
\echo and commit
COMMIT;
DROP TRIGGER note ON tv_x;

-- one query with the simple protocol: several statements in one message
UPDATE tb_x SET n = 100 WHERE pk_x = 1\; SELECT data FROM tv_x WHERE pk_x = 1;

-- parallel plans
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE tv_x SET (parallel_workers = 2);
BEGIN;
:inc
SELECT data FROM tv_x WHERE pk_x = 1;
:inc
SELECT count(*), max(data ->> 0) FROM tv_x;
COMMIT;
\pset tuples_only off
\pset format aligned
SELECT * FROM test_oracle();
