-- Who has made the extension and is no superuser may restore metadata and the audit
-- log, by INSERT; but only what says nothing about others.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
\set without_row 'WHERE line NOT LIKE ''detail: Failing row%'''
DROP EXTENSION pg_tviews;
CREATE ROLE regress_maker;
GRANT CREATE ON DATABASE :"DBNAME" TO regress_maker;
GRANT CREATE ON SCHEMA public TO regress_maker;
SET ROLE regress_maker;
CREATE EXTENSION pg_tviews;
CREATE TABLE tb_mine (pk_mine int PRIMARY KEY, name text);
INSERT INTO tb_mine VALUES (1, 'one');
CREATE TABLE tv_mine AS SELECT pk_mine, to_jsonb(name) AS data FROM tb_mine;
RESET ROLE;
CREATE TABLE tb_other (pk_other int PRIMARY KEY);
CREATE TABLE tv_other AS SELECT pk_other, '{}'::jsonb AS data FROM tb_other;
CREATE TABLE kept AS SELECT * FROM pg_tview_meta;
DELETE FROM pg_tview_meta;
GRANT SELECT ON kept TO regress_maker;

SET ROLE regress_maker;
INSERT INTO pg_tview_meta SELECT * FROM kept WHERE entity = 'mine';
UPDATE tb_mine SET name = 'two';
SELECT data FROM tv_mine;
SELECT test_error($$INSERT INTO pg_tview_meta SELECT * FROM kept WHERE entity = 'other'$$);
SELECT test_error($$UPDATE pg_tview_meta SET definition = 'SELECT 1'$$);
SELECT test_error('DELETE FROM pg_tview_meta');
-- rows that lack something
SELECT line FROM test_error($$INSERT INTO pg_tview_meta (entity) VALUES ('mine')$$) line :without_row;
SELECT line FROM test_error($$INSERT INTO pg_tview_meta SELECT (jsonb_populate_record(k, '{"dependencies": null}')).* FROM kept k WHERE entity = 'mine'$$) line :without_row;
SELECT line FROM test_error($$INSERT INTO pg_tview_meta SELECT (jsonb_populate_record(k, '{"dependencies": [null]}')).* FROM kept k WHERE entity = 'mine'$$) line;
SELECT test_error('INSERT INTO pg_tview_helpers VALUES (NULL, NULL)');
-- rows of the log bear the mark, whatever they say
CREATE FUNCTION forge(details jsonb) RETURNS void LANGUAGE sql AS $$
	INSERT INTO pg_tview_audit_log (operation, schema, entity, owner, performed_by, performed_as, performed_at, transaction_id, application_name, details)
	VALUES ('CREATE', 'public', 'forged', 'postgres', 'postgres', 'postgres', '2000-01-01', '3', '', details);
$$;
SELECT forge('{"restored_by": "nobody", "version": "1"}');
SELECT test_error($$SELECT forge('[]')$$);
SELECT test_error($$SELECT forge('"restored_by"')$$);
SELECT line FROM test_error('SELECT forge(NULL)') line :without_row;
SELECT entity, details FROM pg_tview_audit_log WHERE entity = 'forged';
SELECT test_error('DELETE FROM pg_tview_audit_log');
RESET ROLE;
DROP TABLE kept;
SET client_min_messages = warning;
DROP EXTENSION pg_tviews CASCADE;
DROP OWNED BY regress_maker;
DROP ROLE regress_maker;
