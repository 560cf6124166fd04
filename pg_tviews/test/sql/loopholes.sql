-- Ways around what is checked or looked at: functions inside of others, reads
-- that no plan shows, errors of triggers, and flushes that start each other.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set VERBOSITY terse
CREATE TABLE tb_a (pk_a int PRIMARY KEY, n int, d text, r regclass);
INSERT INTO tb_a SELECT i, 1, '2000-01-01', 'tb_a' FROM generate_series(1, 3) i;

-- functions that only the definition of another one shows: an aggregate's, and
-- those of casts by text
CREATE TABLE other (x int);
INSERT INTO other VALUES (1);
CREATE FUNCTION step(int, int) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT x FROM public.other';
CREATE AGGREGATE bad(int) (SFUNC = step, STYPE = int);
CREATE FUNCTION plus(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + $2';
CREATE FUNCTION ending(int) RETURNS int STABLE LANGUAGE sql AS 'SELECT x FROM public.other';
CREATE AGGREGATE bad_end(int) (SFUNC = plus, STYPE = int, FINALFUNC = ending, INITCOND = '0');
CREATE FUNCTION try(expression text) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT test_error(format('SELECT pg_tviews_create(''x'', ''SELECT pk_a AS pk_x, jsonb_build_object(1, %s) AS data FROM tb_a''); SELECT pg_tviews_drop(''x'')',
		replace(expression, '''', ''''''))) $$;
\pset format unaligned
\pset tuples_only on
SELECT try('(SELECT bad(1))');
SELECT try('(SELECT bad_end(1))');
SELECT try('(''now''::text)::timestamp');
SELECT try('(''now''::text)::date');
SELECT try('d::date');
SELECT try('d::timestamptz');
SELECT try('r::text');
SELECT try('d::regclass');
\pset tuples_only off
\pset format aligned

-- a read through a function in a parallel plan
CREATE TABLE tv_a AS SELECT pk_a, jsonb_build_object('n', n) AS data FROM tb_a;
CREATE FUNCTION read_tv(k int) RETURNS jsonb STABLE PARALLEL SAFE LANGUAGE plpgsql AS
	'BEGIN RETURN (SELECT data FROM public.tv_a WHERE pk_a = k); END';
CREATE TABLE nums AS SELECT i FROM generate_series(1, 3) i;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE nums SET (parallel_workers = 2);
BEGIN;
UPDATE tb_a SET n = 2;
SELECT i, read_tv(i) FROM nums ORDER BY i;
UPDATE tb_a SET n = 3;
SELECT count(*) FROM nums WHERE read_tv(i) = '{"n": 3}';
COMMIT;
SELECT count(*) FROM nums WHERE read_tv(i) = '{"n": 3}';
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT * FROM test_oracle();

-- a deferred trigger on a log that starts the queue again at commit
CREATE TABLE log (what text);
CREATE TABLE tb_b (pk_b int PRIMARY KEY, n int);
INSERT INTO tb_b VALUES (1, 0);
CREATE TABLE tv_b AS
SELECT b.pk_b, jsonb_build_object('n', b.n, 'a', (SELECT jsonb_agg(a.data ORDER BY a.pk_a) FROM v_a a WHERE a.pk_a = b.pk_b)) AS data
FROM tb_b b;
CREATE FUNCTION write_log() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO public.log VALUES (TG_RELNAME || '' '' || TG_OP); RETURN NULL; END';
CREATE FUNCTION write_base() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN UPDATE public.tb_b SET n = n + 1; RETURN NULL; END';
CREATE FUNCTION read_and_write() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN UPDATE public.tb_b SET n = n + 1; PERFORM FROM public.tv_b; UPDATE public.tb_b SET n = n + 10; RETURN NULL; END';
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON log
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_base();
INSERT INTO log VALUES ('by hand');
SELECT data FROM tv_b;
CREATE TRIGGER log AFTER UPDATE ON tb_a FOR EACH STATEMENT EXECUTE FUNCTION write_log();
UPDATE tb_a SET n = 4;
SELECT data FROM tv_b;
BEGIN;
UPDATE tb_a SET n = 5;
SELECT data FROM tv_b;
INSERT INTO log VALUES ('twice'), ('three times');
COMMIT;
SELECT data FROM tv_b;
SELECT * FROM test_oracle();
-- from a trigger of a TVIEW, whose flush is what starts it
CREATE CONSTRAINT TRIGGER log AFTER UPDATE ON tv_a
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_log();
UPDATE tb_a SET n = 6;
SELECT data FROM tv_b;
SELECT * FROM test_oracle();
BEGIN;
UPDATE tb_a SET n = 61;
SELECT data FROM tv_b;
UPDATE tb_a SET n = 62;
COMMIT;
SELECT data FROM tv_b;
SELECT * FROM test_oracle();
DROP TRIGGER late ON log;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON log
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION read_and_write();
UPDATE tb_a SET n = 7;
SELECT data FROM tv_b;
BEGIN;
UPDATE tb_a SET n = 8;
SAVEPOINT s;
UPDATE tb_a SET n = 9;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT data FROM tv_b;
ROLLBACK TO s;
COMMIT;
SELECT data FROM tv_b;
SELECT * FROM test_oracle();
-- the last of it fails
ALTER TABLE tv_b ADD CHECK ((data ->> 'n')::int < 1000);
UPDATE tb_b SET n = 985;
UPDATE tb_a SET n = 10;
\echo :LAST_ERROR_SQLSTATE
SELECT data FROM tv_b;
UPDATE tb_b SET n = 0;
SELECT * FROM test_oracle();
SELECT what, count(*) FROM log GROUP BY what ORDER BY what COLLATE "C";
DROP TABLE log CASCADE;
DROP FUNCTION write_log() CASCADE;

-- the context of an error, after the key's memory has been given back
CREATE TABLE ok (k text PRIMARY KEY);
INSERT INTO ok VALUES ('k');
CREATE TABLE tb_k (pk_k text PRIMARY KEY, n int);
CREATE TABLE tv_k AS SELECT pk_k, to_jsonb(n) AS data FROM tb_k;
ALTER TABLE tv_k ADD FOREIGN KEY (pk_k) REFERENCES ok;
\pset format unaligned
\pset tuples_only on
SELECT test_error('INSERT INTO tb_k SELECT repeat(''k'', 20) || i, i FROM generate_series(1, 3) i; SELECT FROM tv_k', true);
ALTER TABLE tv_k DROP CONSTRAINT tv_k_pk_k_fkey;
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	x text := repeat('x', 1000);
BEGIN
	PERFORM public.pg_tviews_trace_key(x || i) FROM generate_series(1, 3) i;
	x := NULL;
	RAISE division_by_zero;
END $$;
CREATE TRIGGER fail AFTER INSERT ON tv_k FOR EACH ROW EXECUTE FUNCTION fail();
SELECT test_error('INSERT INTO tb_k VALUES (''last'', 1); SELECT FROM tv_k');
\pset tuples_only off
\pset format aligned
INSERT INTO tb_k VALUES ('last', 1);
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER fail ON tv_k;
INSERT INTO tb_k VALUES ('last', 1);
SELECT * FROM test_oracle();

-- CREATE TABLE AS in a function says how many rows there are
CREATE FUNCTION make() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	rows bigint;
BEGIN
	CREATE TABLE tv_made AS SELECT pk_a AS pk_made, to_jsonb(n) AS data FROM tb_a;
	GET DIAGNOSTICS rows = ROW_COUNT;
	RETURN rows;
END $$;
SELECT make() IS NOT NULL AS made;
SELECT pk_made, data FROM tv_made ORDER BY 1;
DROP TABLE tv_made;
SELECT make() IS NOT NULL AS made_again;
DO $$
BEGIN
	DROP TABLE tv_made;
	CREATE TABLE tv_made AS SELECT pk_a AS pk_made, to_jsonb(n + 1) AS data FROM tb_a;
	UPDATE tb_a SET n = 20;
	RAISE NOTICE '%', (SELECT jsonb_agg(data) FROM tv_made);
END $$;
SELECT * FROM test_oracle();
