-- A role that may create TVIEWs gets no more than that: nothing of it runs
-- with the rights of those who write to base tables.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
SET client_min_messages = warning;
CREATE ROLE regress_mallory;
RESET client_min_messages;
GRANT CREATE ON SCHEMA public TO regress_mallory;
CREATE TABLE tb_a (pk_a int PRIMARY KEY, n int);
CREATE TABLE tb_b (pk_b int PRIMARY KEY, fk_a int);
INSERT INTO tb_a VALUES (1, 1);
INSERT INTO tb_b VALUES (1, 1);
CREATE TABLE tv_a AS
SELECT a.pk_a, jsonb_build_object('n', n, 'b', (SELECT count(*) FROM tb_b b WHERE b.fk_a = a.pk_a)) AS data
FROM tb_a a;
GRANT SELECT, TRIGGER ON tb_a, tb_b TO regress_mallory;

-- Whoever runs this with more rights than the role gives it some. Volatile
-- functions may be called by immutable ones.
SET ROLE regress_mallory;
CREATE FUNCTION note() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF current_user <> 'regress_mallory' THEN
		EXECUTE 'ALTER ROLE regress_mallory CREATEROLE';
	END IF;
END $$;
CREATE FUNCTION evil() RETURNS int IMMUTABLE LANGUAGE plpgsql AS
	'BEGIN IF current_user <> ''regress_mallory'' THEN PERFORM public.note(); END IF; RETURN 1; END';
CREATE FUNCTION evil_big() RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN public.evil(); END';
CREATE FUNCTION evil_trigger() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN PERFORM public.note(); RETURN NULL; END';
RESET ROLE;
CREATE VIEW escalated AS
SELECT rolcreaterole FROM pg_roles WHERE rolname = 'regress_mallory';

-- constants that are computed while a plan is made
SET ROLE regress_mallory;
SELECT pg_tviews_create('limit', $$
	SELECT a.pk_a AS pk_limit, jsonb_build_object('b', s.pk_b, 'e', public.evil()) AS data FROM public.tb_a a
	LEFT JOIN LATERAL (SELECT pk_b FROM public.tb_b b WHERE b.fk_a = a.pk_a
					   ORDER BY pk_b LIMIT public.evil_big()) s ON true
	WHERE a.n > public.evil() - 100 $$);
SELECT pg_tviews_create('group', $$
	SELECT b.fk_a AS pk_group, jsonb_build_object('n', count(*)) AS data FROM public.tb_b b
	WHERE b.fk_a IS NOT NULL GROUP BY b.fk_a HAVING count(*) >= public.evil() $$);
RESET ROLE;
\c -
UPDATE tb_a SET n = 2;
INSERT INTO tb_b VALUES (2, 1);
SELECT * FROM pg_tviews_verify('limit');
SELECT inserted, updated, deleted FROM pg_tviews_refresh('limit');
SELECT count(*) > 0 AS explained FROM pg_tviews_explain('group');
TRUNCATE tb_b;
INSERT INTO tb_b VALUES (1, 1);
TABLE escalated;
SELECT * FROM pg_tviews_verify('limit');
SELECT * FROM pg_tviews_verify('group');
-- whoever reads a view runs its functions, so the oracle must not
DROP TABLE tv_limit, tv_group;
SELECT * FROM test_oracle();

-- constants in what rows are looked up by, and in indexes, which are looked at for
-- that
SET ROLE regress_mallory;
CREATE TABLE tb_i (pk_i int PRIMARY KEY, fk_a int);
CREATE INDEX ON tb_i ((fk_a + evil()));
CREATE UNIQUE INDEX ON tb_i (fk_a) WHERE fk_a > evil() - 100;
CREATE VIEW helper AS SELECT n + evil() AS next FROM tb_a;
SELECT pg_tviews_create('i', $$
	SELECT i.pk_i, jsonb_build_object('n', (SELECT count(*) FROM public.helper h WHERE h.next = i.fk_a),
		'm', (SELECT count(*) FROM public.tb_a a WHERE a.n = i.fk_a + 2)) AS data FROM public.tb_i i $$);
INSERT INTO tb_i VALUES (1, 3);
RESET ROLE;
\c -
UPDATE tb_a SET n = 1;
\c -
SELECT count(*) > 0 AS explained FROM pg_tviews_explain('i');
\c -
SELECT count(*) > 0 AS suggested FROM pg_tviews_suggest_indexes();
\c -
SELECT count(*) > 0 AS checked FROM pg_tviews_health_check(10);
TABLE escalated;
SELECT * FROM pg_tviews_verify('i');
DROP TABLE tv_i;
DROP VIEW helper;
DROP TABLE tb_i;
UPDATE tb_a SET n = 2;

-- triggers on the TVIEW: of the row, of the statement, and deferred ones; and
-- what they leave behind, on a table of their own and in a holdable cursor
SET ROLE regress_mallory;
CREATE TABLE bait (x int);
CREATE CONSTRAINT TRIGGER evil AFTER INSERT ON bait
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evil_trigger();
CREATE FUNCTION lay() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO public.bait VALUES (1); RETURN NULL; END';
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN EXECUTE 'DECLARE evil CURSOR WITH HOLD FOR SELECT public.note()'; RETURN NULL; END $$;
CREATE FUNCTION become() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN EXECUTE 'SET ROLE NONE'; PERFORM public.note(); RETURN NULL; END $$;
CREATE FUNCTION shadow() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN CREATE TEMP TABLE tb_a (pk_a int, n int); RETURN NULL; END $$;
SELECT pg_tviews_create('m', 'SELECT a.pk_a AS pk_m, jsonb_build_object(''n'', a.n) AS data FROM public.tb_a a');
CREATE TRIGGER evil_row AFTER UPDATE ON tv_m FOR EACH ROW EXECUTE FUNCTION evil_trigger();
CREATE TRIGGER evil_statement AFTER UPDATE ON tv_m FOR EACH STATEMENT EXECUTE FUNCTION evil_trigger();
CREATE CONSTRAINT TRIGGER evil_deferred AFTER UPDATE ON tv_m
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evil_trigger();
CREATE TRIGGER lay AFTER UPDATE ON tv_m FOR EACH ROW EXECUTE FUNCTION lay();
RESET ROLE;
\set VERBOSITY terse
\c -
SET client_min_messages = warning;
UPDATE tb_a SET n = 3;
TABLE escalated;
BEGIN;
UPDATE tb_a SET n = 4;
SELECT pk_a, data FROM tv_a;
COMMIT;
BEGIN;
UPDATE tb_a SET n = 5;
SELECT pk_a, data FROM tv_a;
SET CONSTRAINTS ALL IMMEDIATE;
COMMIT;
TABLE escalated;
SELECT n FROM tb_a;
SELECT * FROM test_oracle();
DROP TABLE tv_m;
-- each of the others by itself
CREATE PROCEDURE with_trigger(function text, deferred boolean) LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE regress_mallory;
	PERFORM public.pg_tviews_create('public.m', 'SELECT a.pk_a AS pk_m, jsonb_build_object(''n'', a.n) AS data FROM public.tb_a a');
	IF deferred THEN
		EXECUTE format('CREATE CONSTRAINT TRIGGER evil AFTER UPDATE ON tv_m '
					   'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION %I()', function);
	ELSE
		EXECUTE format('CREATE TRIGGER evil AFTER UPDATE ON tv_m FOR EACH STATEMENT EXECUTE FUNCTION %I()', function);
		-- a deferrable one besides, that has nothing to do
		CREATE CONSTRAINT TRIGGER nop AFTER DELETE ON tv_m
			DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lay();
	END IF;
END $$;
CALL with_trigger('hold', false);
UPDATE tb_a SET n = 6;
TABLE escalated;
DROP TABLE tv_m;
CALL with_trigger('hold', true);
UPDATE tb_a SET n = 7;
TABLE escalated;
DROP TABLE tv_m;
CALL with_trigger('become', false);
UPDATE tb_a SET n = 10;
TABLE escalated;
DROP TABLE tv_m;
CALL with_trigger('become', true);
UPDATE tb_a SET n = 11;
TABLE escalated;
DROP TABLE tv_m;
CALL with_trigger('shadow', true);
UPDATE tb_a SET n = 12;
SELECT to_regclass('pg_temp.tb_a') IS NULL AS no_shadow;
DROP TABLE tv_m;
-- without a trigger it works
UPDATE tb_a SET n = 13;
SELECT pk_a, data FROM tv_a;
SELECT * FROM test_oracle();

-- functions of the extension are for its own triggers and statements
SET ROLE regress_mallory;
CREATE TABLE own (pk_own int PRIMARY KEY, n int);
INSERT INTO own VALUES (1, 1);
CREATE TABLE tv_own AS SELECT pk_own, to_jsonb(n) AS data FROM own;
\pset format unaligned
\pset tuples_only on
SELECT test_error($$ CREATE TRIGGER x AFTER UPDATE ON own FOR EACH STATEMENT EXECUTE FUNCTION pg_tviews_capture(); UPDATE own SET n = 2 $$);
SELECT test_error($$ CREATE TRIGGER x AFTER INSERT ON own FOR EACH STATEMENT EXECUTE FUNCTION pg_tviews_capture(); INSERT INTO own VALUES (2) $$);
SELECT test_error($$ CREATE TRIGGER x BEFORE DELETE ON own FOR EACH ROW EXECUTE FUNCTION pg_tviews_capture(); DELETE FROM own $$);
SELECT test_error($$ CREATE TRIGGER x AFTER UPDATE ON own REFERENCING OLD TABLE AS o FOR EACH STATEMENT EXECUTE FUNCTION pg_tviews_capture(); UPDATE own SET n = 2 $$);
SELECT test_error($$ CREATE TRIGGER x AFTER UPDATE ON own FOR EACH ROW EXECUTE FUNCTION pg_tviews_guard(); UPDATE own SET n = 2 $$);
SELECT test_error($$ CREATE VIEW ov AS SELECT n FROM own;
	CREATE TRIGGER x INSTEAD OF UPDATE ON ov FOR EACH ROW EXECUTE FUNCTION pg_tviews_capture(); UPDATE ov SET n = 2 $$);
-- on a table that no TVIEW reads, nothing comes of it
SELECT test_error($$ CREATE TABLE other (n int); CREATE TRIGGER x AFTER INSERT OR UPDATE OR DELETE ON other FOR EACH ROW
	EXECUTE FUNCTION pg_tviews_capture(); INSERT INTO other VALUES (1); UPDATE other SET n = 2; DELETE FROM other $$);
SELECT test_error($$ SELECT pg_tviews_trace_key(1), pg_tviews_trace_key('x'::text), pg_tviews_trace_key(NULL::int[]) $$);
SELECT test_error($$ INSERT INTO public.pg_tview_meta SELECT * FROM public.pg_tview_meta $$);
SELECT test_error($$ DELETE FROM public.pg_tview_meta $$);
SELECT test_error($$ DROP TABLE tv_a $$);
SELECT test_error($$ SELECT pg_tviews_drop('a') $$);
SELECT test_error($$ SELECT pg_tviews_refresh('a') $$);
SELECT test_error($$ SELECT pg_tviews_verify('a') $$);
RESET ROLE;
UPDATE own SET n = 5;
\pset tuples_only off
\pset format aligned
SELECT * FROM test_oracle();

-- row security that comes later: no refresh takes hidden rows for absent ones
CREATE ROLE regress_byp BYPASSRLS;
GRANT CREATE ON SCHEMA public TO regress_byp;
CREATE TABLE tb_z (pk_z int PRIMARY KEY, n int);
INSERT INTO tb_z VALUES (1, 1);
ALTER TABLE tb_z ENABLE ROW LEVEL SECURITY;
GRANT SELECT, TRIGGER ON tb_z TO regress_byp;
SET ROLE regress_byp;
CREATE TABLE tv_z AS SELECT pk_z, jsonb_build_object('n', n) AS data FROM tb_z;
CREATE TABLE tb_r (pk_r int PRIMARY KEY, n int);
CREATE TABLE tv_r AS SELECT pk_r, jsonb_build_object('n', n) AS data FROM tb_r;
INSERT INTO tb_r VALUES (1, 1), (2, 2);
RESET ROLE;
ALTER ROLE regress_byp NOBYPASSRLS;
UPDATE tb_z SET n = 2;
SELECT pk_z, data FROM tv_z;
SELECT count(*) FROM tb_z;
ALTER ROLE regress_byp BYPASSRLS;
UPDATE tb_z SET n = 3;
SELECT pk_z, data FROM tv_z;
ALTER ROLE regress_byp NOBYPASSRLS;
ALTER TABLE tb_z DISABLE ROW LEVEL SECURITY;
UPDATE tb_z SET n = 4;
SELECT pk_z, data FROM tv_z;
\pset format unaligned
\pset tuples_only on
SELECT test_error('ALTER TABLE tb_z ENABLE ROW LEVEL SECURITY');
\pset tuples_only off
\pset format aligned
-- on the TVIEW itself
SET ROLE regress_byp;
ALTER TABLE tv_r ENABLE ROW LEVEL SECURITY;
DELETE FROM tb_r WHERE pk_r = 1;
SELECT pk_r, data FROM tv_r;
ALTER TABLE tv_r FORCE ROW LEVEL SECURITY;
DELETE FROM tb_r;
SELECT pk_r FROM tb_r;
RESET ROLE;
SELECT pk_r, data FROM tv_r;
SELECT * FROM test_oracle();

SET client_min_messages = warning;
DROP OWNED BY regress_byp, regress_mallory CASCADE;
DROP ROLE regress_byp, regress_mallory;
RESET client_min_messages;
SELECT * FROM test_objects();
SELECT * FROM test_oracle();
