-- A row of the metadata that says what can't be: changes that its TVIEW depends on are
-- refused, by an error that names it; others go on; and there is a way out.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE TABLE tb_a (pk_a int PRIMARY KEY, n int);
CREATE TABLE tb_b (pk_b int PRIMARY KEY, n int);
INSERT INTO tb_a VALUES (1, 1);
INSERT INTO tb_b VALUES (1, 1);
CREATE TABLE tv_a AS SELECT pk_a, to_jsonb(n) AS data FROM tb_a;
CREATE TABLE tv_b AS SELECT pk_b, to_jsonb(n) AS data FROM tb_b;
CREATE TABLE tv_both AS
SELECT pk_b AS pk_both, jsonb_build_object('a', a.data, 'n', n) AS data FROM tb_b LEFT JOIN v_a AS a ON a.pk_a = pk_b;
CREATE TABLE tv_also AS SELECT pk_a AS pk_also, to_jsonb(n) AS data FROM tb_a;
CREATE TYPE mood AS ENUM ('fine');
SET client_min_messages = warning;

-- Damage TVIEW a; write what it depends on, and what not; do all sorts of things
-- to others; remove it, in one of two ways.
CREATE FUNCTION damage(change text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	statement text;
BEGIN
	EXECUTE format('UPDATE pg_tview_meta SET %s WHERE entity = %L', change, 'a');
	RETURN QUERY SELECT * FROM test_error('UPDATE tb_a SET n = n + 1');
	FOREACH statement IN ARRAY ARRAY['UPDATE tb_b SET n = n + 1', 'TRUNCATE tb_b',
		'CREATE TABLE tv_new AS SELECT pk_b AS pk_new, data FROM v_b; UPDATE tb_b SET n = n + 1',
		'ALTER TABLE tb_b ADD c int', 'ALTER TABLE tb_b RENAME n TO m', 'ALTER TYPE mood RENAME TO moods',
		'ALTER TABLE tv_b RENAME TO tv_c', 'SELECT pg_tviews_drop(''b'')', 'DROP TABLE tv_both',
		'SELECT count(*) FROM pg_tviews_repair(''b'')', 'SELECT count(*) FROM tv_a',
		'DO ''BEGIN PERFORM pg_tviews_suspend(''''b''''); PERFORM pg_tviews_resume(''''b''''); END''',
		'DO ''BEGIN ASSERT (SELECT count(*) FROM pg_tviews_health_check() WHERE severity = ''''error'''') > 0;
			ASSERT NOT EXISTS (SELECT FROM pg_tviews_health_check() WHERE message ~ ''''XX000''''); END''',
		'DROP TABLE tv_a CASCADE; UPDATE tb_a SET n = n + 2; UPDATE tb_b SET n = n + 2;
		 DO ''BEGIN ASSERT (SELECT sum(differences) FROM test_oracle()) = 0; END'''] LOOP
		BEGIN
			EXECUTE statement;
			RAISE EXCEPTION USING ERRCODE = 'ZZ000';
		EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
			NULL;
		WHEN OTHERS THEN
			RETURN NEXT format('%s -- %s: %s', regexp_replace(statement, '\s+', ' ', 'g'), SQLSTATE, SQLERRM);
		END;
	END LOOP;
END $$;

BEGIN;
SAVEPOINT good;
SELECT damage($$options = '{"bad": 1}'$$);
ROLLBACK TO good;
SELECT damage($$options = '[]'$$);
ROLLBACK TO good;
SELECT damage($$options = '{"reads": {"f()": ["tb_b", 1]}}'$$);
ROLLBACK TO good;
SELECT damage($$dependencies = '{tv_both,tb_a}'$$);
ROLLBACK TO good;
SELECT damage($$dependencies = '{tv_a,tb_a}'$$);
ROLLBACK TO good;
-- a table that isn't called that any more
SELECT damage($$dependencies = '{tb_old}'$$);
ROLLBACK TO good;
SELECT damage($$key_column = 'nonsense'$$);
ROLLBACK TO good;
SELECT damage($$key_column = 'data'$$);
ROLLBACK TO good;
SELECT damage($$view = 'tb_a'$$);
ROLLBACK TO good;
-- a table that is somebody else's must not be dropped for one
SELECT damage($$tview = 'tb_b'$$);
SELECT test_error($$SELECT pg_tviews_drop('a')$$);
UPDATE pg_tview_meta SET tview = '-', view = '-' WHERE entity = 'a';
SELECT * FROM pg_tviews_recreate();
UPDATE tb_a SET n = 5;
UPDATE tb_b SET n = 5;
SELECT tview, differences FROM test_oracle();
ROLLBACK TO good;
SELECT damage($$view = 'tb_a', tview = 'v_a'$$);
ROLLBACK TO good;

-- an OID that is nobody's is none
UPDATE pg_tview_meta SET tview = '4294967295' WHERE entity = 'a' RETURNING tview;
ROLLBACK TO good;

-- pg_tviews_recreate() mends what it can: tables that are read, and rows that are
-- there twice
UPDATE pg_tview_meta SET dependencies = '{tb_old}' WHERE entity = 'a';
INSERT INTO pg_tview_meta SELECT (jsonb_populate_record(m, '{"tview": "-", "view": "-"}')).* FROM pg_tview_meta m, generate_series(1, 2);
SELECT * FROM pg_tviews_recreate() ORDER BY tview::text;
SELECT count(*), count(*) FILTER (WHERE tview = 0::oid) FROM pg_tview_meta;
UPDATE tb_a SET n = 10;
UPDATE tb_b SET n = 10;
SELECT data FROM tv_both;
SELECT tview, differences FROM test_oracle() WHERE differences <> 0;
SELECT component, message FROM pg_tviews_health_check() WHERE severity = 'error';
ROLLBACK TO good;

-- a session that has refreshed a TVIEW while one that it reads was not known
CREATE TABLE kept AS SELECT * FROM pg_tview_meta WHERE entity = 'a';
DELETE FROM pg_tview_meta WHERE entity = 'a';
UPDATE tb_b SET n = 20;
SELECT data FROM tv_both;
INSERT INTO pg_tview_meta SELECT * FROM kept;
UPDATE tb_a SET n = 20;
SELECT data FROM tv_both;
ROLLBACK TO good;

-- no trigger is dropped as an orphan
UPDATE pg_tview_meta SET dependencies = '{}' WHERE entity = 'b';
SELECT test_error('SELECT * FROM pg_tviews_reinstall_triggers()');
UPDATE pg_tview_meta SET options = '{"x": 0}' WHERE entity = 'a';
SELECT test_error('SELECT * FROM pg_tviews_reinstall_triggers()');
ROLLBACK TO good;

-- options are mended by others
UPDATE pg_tview_meta SET options = '{"x": 0}' WHERE entity = 'a';
SELECT pg_tviews_alter('a', 'SELECT pk_a, to_jsonb(n) AS data FROM tb_a', '{}');
UPDATE tb_a SET n = 11;
SELECT data FROM tv_a;
ROLLBACK TO good;

-- definitions of what is missing
CREATE FUNCTION recreate(wrong text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE pg_tview_meta SET definition = COALESCE(wrong, definition), tview = '-', view = '-',
		options = CASE WHEN wrong IS NULL THEN '{"x": 0}' ELSE options END WHERE entity = 'a';
	RETURN QUERY SELECT * FROM test_error('SELECT * FROM pg_tviews_recreate()', true);
END $$;
SELECT recreate('nonsense');
SELECT recreate('SELECT pk_a, to_jsonb(n) AS data FROM public.tb_a; DROP TABLE tb_a');
SELECT recreate('DROP TABLE tb_a');
SELECT recreate('');
SELECT recreate('SELECT pk_a, data FROM public.v_a');
SELECT recreate(NULL);
ROLLBACK;
