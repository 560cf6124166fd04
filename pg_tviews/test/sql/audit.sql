-- Whatever makes, changes, drops or rebuilds a TVIEW on request leaves a row in
-- the audit log, with what it takes to make the TVIEW again; what is rolled
-- back leaves none.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
SET client_min_messages = error;
CREATE ROLE regress_audit_a;
CREATE ROLE regress_audit_b;
GRANT CREATE ON SCHEMA public TO regress_audit_a, regress_audit_b;
GRANT regress_audit_b TO regress_audit_a;
CREATE VIEW wrong AS SELECT * FROM test_oracle() WHERE differences > 0;

-- Rows that have not been shown yet, oldest first, and whether what isn't
-- shown of them is as it should be
CREATE TABLE shown (log_id bigint);
CREATE FUNCTION fresh() RETURNS SETOF text LANGUAGE sql AS $$
WITH fresh AS (
	INSERT INTO shown SELECT log_id FROM pg_tview_audit_log
	WHERE log_id > (SELECT coalesce(max(log_id), 0) FROM shown) RETURNING log_id)
SELECT concat_ws(' ', l.operation, '"' || l.schema || '.' || l.entity || '"',
				 'of ' || replace(l.owner, session_user, 'me'), 'by ' || nullif(l.performed_as, session_user),
				 replace((l.details - 'options' - 'definition' - 'version' - 'key_column')::text, '"' || session_user || '"', '"me"'),
				 CASE WHEN l.operation <> 'DROP' AND l.details ? 'definition' AND m.entity IS NOT NULL AND
					  (l.details->>'definition' <> m.definition OR l.details->'options' <> m.options OR
					   l.details->>'key_column' <> m.key_column)
				 THEN 'NOT AS IT IS' END,
				 CASE WHEN l.operation IN ('CREATE', 'ALTER', 'DROP') AND
					  NOT l.details ?& ARRAY['definition', 'options', 'key_column'] OR
					  l.performed_by <> session_user OR
					  l.details->>'version' IS DISTINCT FROM pg_tviews_version() OR
					  l.performed_at NOT BETWEEN clock_timestamp() - interval '10 minutes' AND clock_timestamp() OR
					  l.client_addr IS DISTINCT FROM inet_client_addr() OR
					  l.client_port IS DISTINCT FROM inet_client_port() OR
					  l.application_name IS DISTINCT FROM current_setting('application_name')
				 THEN 'WRONG' END)
FROM fresh JOIN pg_tview_audit_log l USING (log_id)
LEFT JOIN pg_tview_meta m ON m.entity = l.entity AND m.schema = l.schema AND
	NOT EXISTS (SELECT FROM pg_tview_audit_log n WHERE n.entity = l.entity AND n.schema = l.schema AND
				n.operation <> 'REFRESH' AND n.log_id > l.log_id)
ORDER BY l.log_id
$$;

CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text, secret text);
CREATE TABLE tb_post (pk_post int PRIMARY KEY, fk_user int, title text);
INSERT INTO tb_user VALUES (1, 'ann'), (2, 'bob');
INSERT INTO tb_post VALUES (1, 1, 'one'), (2, 2, 'two');

-- CREATE
SELECT pg_tviews_create('user', 'SELECT pk_user, to_jsonb(name) AS data FROM tb_user');
CREATE TABLE tv_post AS
SELECT pk_post, jsonb_build_object('title', title, 'user', u.data) AS data FROM tb_post JOIN v_user u ON pk_user = fk_user;
SELECT pk_user AS "pk_A ""b""", to_jsonb(name) AS data INTO "tv_A ""b""" FROM tb_user;
SELECT pg_tviews_create('now', 'SELECT pk_user AS pk_now, to_jsonb(now()) AS data FROM tb_user', '{"time_dependent": true}');
CREATE VIEW helper AS SELECT pk_user, name FROM tb_user;
SELECT pg_tviews_create('helped', 'SELECT pk_user AS pk_helped, to_jsonb(name) AS data FROM helper');
SELECT * FROM fresh();
SELECT count(DISTINCT transaction_id), min(performed_at) < max(performed_at) FROM pg_tview_audit_log;
SELECT details FROM pg_tviews_audit('now');

-- what fails, or makes nothing
SELECT test_error('SELECT pg_tviews_create(''user'', ''SELECT pk_user, to_jsonb(name) AS data FROM tb_user'')');
SELECT test_error('CREATE TABLE tv_bad AS SELECT pk_user AS pk_bad, to_jsonb(random()) AS data FROM tb_user');
CREATE TABLE IF NOT EXISTS tv_user AS SELECT 1 AS x;
CREATE TABLE tv_plain (x int);
DROP TABLE tv_plain;
SELECT pg_tviews_drop('nothing', true);
SELECT * FROM fresh();

-- writing to tables is not recorded
UPDATE tb_user SET name = upper(name);
TABLE wrong;
SELECT * FROM fresh();

-- REFRESH
SELECT * FROM pg_tviews_refresh('post');
SET session_replication_role = replica;
INSERT INTO tb_post VALUES (3, 1, 'three');
UPDATE tb_post SET title = 'new' WHERE pk_post = 1;
DELETE FROM tb_post WHERE pk_post = 2;
RESET session_replication_role;
SELECT * FROM pg_tviews_refresh('public.tv_post');
BEGIN READ ONLY;
SELECT test_error('SELECT pg_tviews_refresh(''post'')');
COMMIT;
SELECT * FROM fresh();

-- ALTER
SELECT pg_tviews_alter('user', 'SELECT pk_user, to_jsonb(lower(name)) AS data FROM tb_user');
SELECT pg_tviews_alter('user', 'SELECT pk_user, to_jsonb(lower(name)) AS data FROM tb_user');
SELECT pg_tviews_alter('user', 'SELECT pk_user, name, to_jsonb(lower(name)) AS data FROM tb_user', '{"on_unmapped": "rebuild"}');
SELECT test_error('SELECT pg_tviews_alter(''user'', ''SELECT pk_user FROM tb_user'')');
SELECT * FROM fresh();
CREATE OR REPLACE VIEW "v_A ""b""" AS SELECT pk_user AS "pk_A ""b""", to_jsonb(name || '') AS data FROM tb_user;
CREATE OR REPLACE VIEW helper AS SELECT pk_user, name || '!' AS name FROM tb_user;
CREATE OR REPLACE VIEW unconcerned AS SELECT 1;
CREATE OR REPLACE VIEW unconcerned AS SELECT 2;
SELECT * FROM fresh();
-- a TVIEW that shows another one's rows as a whole
SELECT pg_tviews_create('whole', 'SELECT p.pk_user AS pk_whole, to_jsonb(p) AS data FROM v_user AS p');
SELECT pg_tviews_alter('user', 'SELECT pk_user, to_jsonb(lower(name)) AS data FROM tb_user', '{}');
SELECT pg_tviews_drop('whole');
SELECT * FROM fresh();

-- what definitions name gets another name
ALTER TABLE tb_user RENAME COLUMN name TO full_name;
ALTER TABLE tb_user RENAME COLUMN secret TO "Secret";
ALTER TABLE tb_post RENAME TO tb_article;
SELECT * FROM fresh();
CREATE FUNCTION twice(int) RETURNS int STABLE LANGUAGE sql AS 'SELECT 2 * $1';
SELECT pg_tviews_create('twice', 'SELECT pk_user AS pk_twice, to_jsonb(twice(pk_user)) AS data FROM tb_user', '{"reads": {"twice(int)": []}}');
ALTER FUNCTION twice RENAME TO double;
SELECT * FROM fresh();
-- one that no definition names
ALTER TABLE tb_article ADD COLUMN extra int;
ALTER TABLE tb_article RENAME COLUMN extra TO more;
ALTER TABLE tb_article DROP COLUMN more;
CREATE INDEX by_name ON tb_user (full_name);
ALTER INDEX by_name RENAME TO by_full_name;
SELECT * FROM fresh();

-- the TVIEWs themselves: name, schema, owner, and nothing of what is the user's
CREATE SCHEMA "S 1";
ALTER TABLE tv_user RENAME TO tv_person;
ALTER TABLE tv_person SET SCHEMA "S 1";
ALTER SCHEMA "S 1" RENAME TO s2;
SELECT test_error('ALTER TABLE s2.tv_person OWNER TO regress_audit_a');
GRANT SELECT, TRIGGER ON tb_user TO regress_audit_a, regress_audit_b;
ALTER TABLE s2.tv_person OWNER TO regress_audit_a;
ALTER TABLE s2.tv_person OWNER TO regress_audit_a;
ALTER TABLE s2.tv_person OWNER TO CURRENT_USER;
CREATE INDEX ON s2.tv_person ((data ->> 0));
ALTER TABLE s2.tv_person SET (fillfactor = 70);
COMMENT ON TABLE s2.tv_person IS 'mine';
GRANT SELECT ON s2.tv_person TO regress_audit_a;
SELECT * FROM fresh();

-- logged or not; policies are not the TVIEW's
CREATE TABLE tb_doc (pk_doc int PRIMARY KEY, open boolean);
CREATE POLICY open ON tb_doc USING (open);
GRANT SELECT, TRIGGER ON tb_doc TO regress_audit_a;
SET ROLE regress_audit_a;
CREATE TABLE tv_doc AS SELECT pk_doc, to_jsonb(pk_doc) AS data FROM tb_doc;
RESET ROLE;
ALTER TABLE tb_doc ENABLE ROW LEVEL SECURITY;
ALTER TABLE tb_doc SET UNLOGGED;
SELECT * FROM fresh();

-- rolled back, as a whole and in part
BEGIN;
SELECT pg_tviews_create('lost', 'SELECT pk_user AS pk_lost, to_jsonb(full_name) AS data FROM tb_user');
DROP TABLE tv_now;
ROLLBACK;
BEGIN;
SELECT pg_tviews_create('kept', 'SELECT pk_user AS pk_kept, to_jsonb(full_name) AS data FROM tb_user');
SAVEPOINT s;
SELECT pg_tviews_refresh('kept');
ALTER TABLE tv_kept RENAME TO tv_lost;
DROP TABLE tv_now, tv_lost;
ROLLBACK TO s;
DO $$ BEGIN PERFORM pg_tviews_drop('kept'); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END $$;
COMMIT;
SELECT * FROM fresh();

-- DROP: by every way
SELECT pg_tviews_drop('kept');
DROP TABLE tv_now, "tv_A ""b""";
DROP VIEW helper CASCADE;
DROP FUNCTION double CASCADE;
DROP SCHEMA s2 CASCADE;
SELECT * FROM fresh();
DROP TABLE tb_doc CASCADE;
GRANT CREATE ON SCHEMA public TO regress_audit_b;
SET ROLE regress_audit_b;
CREATE TABLE tv_b AS SELECT pk_user AS pk_b, to_jsonb(full_name) AS data FROM tb_user;
CREATE TABLE tv_c AS SELECT pk_user AS pk_c, to_jsonb(full_name) AS data FROM tb_user;
DROP VIEW v_c CASCADE;
RESET ROLE;
DROP OWNED BY regress_audit_b CASCADE;
SELECT * FROM fresh();
-- the last owner, though pg_class has several versions of the row
BEGIN;
CREATE TABLE tv_d AS SELECT pk_user AS pk_d, to_jsonb(full_name) AS data FROM tb_user;
ALTER TABLE tv_d OWNER TO regress_audit_a;
ALTER TABLE tv_d RENAME TO tv_e;
ALTER TABLE tv_e SET (fillfactor = 50);
DROP VIEW v_e CASCADE;
COMMIT;
SELECT * FROM fresh();
-- one that nobody noticed
CREATE TABLE tv_f AS SELECT pk_user AS pk_f, to_jsonb(full_name) AS data FROM tb_user;
SET session_replication_role = replica;
DROP TABLE tv_f;
RESET session_replication_role;
CREATE TABLE unconcerned_table (x int);
ALTER TABLE unconcerned_table RENAME TO renamed_table;
DROP TABLE renamed_table;
SELECT * FROM fresh();

-- from the log, a TVIEW can be made again
CREATE TABLE tv_g AS SELECT u.pk_user AS pk_g, jsonb_build_object('n', u.full_name, 'lit', 'it''s') AS data FROM tb_user u;
SELECT data FROM tv_g ORDER BY pk_g;
DROP TABLE tv_g;
SELECT pg_tviews_create(quote_ident(schema) || '.' || quote_ident(entity), details->>'definition', details->'options')
FROM pg_tviews_audit('g') WHERE operation = 'DROP' LIMIT 1;
SELECT data FROM tv_g ORDER BY pk_g;
TABLE wrong;
SELECT * FROM fresh();

-- who sees what: a TVIEW's owner then, and members of that role
GRANT SELECT, TRIGGER ON tb_user TO regress_audit_a, regress_audit_b;
GRANT CREATE ON SCHEMA public TO regress_audit_b;
SELECT * FROM pg_tviews_audit_purge('infinity') \gset purged_
SELECT :purged_pg_tviews_audit_purge > 40;
SET ROLE regress_audit_b;
CREATE TABLE tv_b1 AS SELECT pk_user AS pk_b1, to_jsonb(full_name) AS data FROM public.tb_user;
CREATE TABLE tv_b2 AS SELECT pk_user AS pk_b2, to_jsonb(full_name) AS data FROM public.tb_user;
DROP TABLE tv_b1;
RESET ROLE;
ALTER TABLE tv_b2 OWNER TO regress_audit_a;
SET ROLE regress_audit_a;
SELECT pg_tviews_refresh('b2');
ALTER TABLE tv_b2 RENAME TO tv_a2;
RESET ROLE;
SELECT operation, entity, owner FROM pg_tviews_audit();
SET ROLE regress_audit_b;
SELECT operation, entity, owner FROM pg_tviews_audit();
SELECT test_error('TABLE pg_tview_audit_log');
SET ROLE regress_audit_a;
SELECT operation, entity, owner FROM pg_tviews_audit();
RESET ROLE;
GRANT pg_monitor TO regress_audit_b;
SET ROLE regress_audit_b;
SELECT count(*) FROM pg_tviews_audit();
SELECT count(*) FROM pg_tview_audit_log;
RESET ROLE;
REVOKE pg_monitor FROM regress_audit_b;

-- by name, with or without schema, whatever it was called; and by time
SELECT operation, entity FROM pg_tviews_audit('b2');
SELECT operation, entity FROM pg_tviews_audit('public.tv_b2');
SELECT operation, entity FROM pg_tviews_audit('pg_catalog.b2');
SELECT operation, entity FROM pg_tviews_audit('a2');
SELECT count(*) FROM pg_tviews_audit('never');
SELECT count(*) = 1 FROM pg_tviews_audit('a2', (SELECT max(performed_at) FROM pg_tview_audit_log));
SELECT count(*) FROM pg_tviews_audit(NULL, 'infinity');
SELECT count(*) = (SELECT count(*) FROM pg_tview_audit_log) FROM pg_tviews_audit(since => '-infinity');
SELECT test_error('SELECT pg_tviews_audit(''a.b.c'')');

-- nobody else writes to it
SET ROLE regress_audit_a;
SELECT test_error('INSERT INTO pg_tview_audit_log (operation) VALUES (''DROP'')');
SELECT test_error('UPDATE pg_tview_audit_log SET owner = ''x''');
SELECT test_error('DELETE FROM pg_tview_audit_log');
SELECT test_error('TRUNCATE pg_tview_audit_log');
SELECT test_error('LOCK TABLE pg_tview_audit_log IN ROW EXCLUSIVE MODE');
SELECT test_error('CREATE TRIGGER t BEFORE INSERT ON pg_tview_audit_log FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()');
SELECT test_error('SELECT nextval(''pg_tview_audit_log_log_id_seq'')');
SELECT test_error('SELECT pg_tviews_audit_purge(now())');
RESET ROLE;
SELECT left(test_error('INSERT INTO pg_tview_audit_log (operation, schema, entity, performed_by, performed_as, performed_at, transaction_id, details) VALUES (''OTHER'', ''x'', ''x'', ''x'', ''x'', now(), ''1'', ''{}'')'), 120) LIMIT 1;

-- purging
GRANT EXECUTE ON FUNCTION pg_tviews_audit_purge TO regress_audit_a;
SET ROLE regress_audit_a;
SELECT test_error('SELECT pg_tviews_audit_purge(NULL)');
SELECT pg_tviews_audit_purge('2001-01-01');
RESET ROLE;
-- whose a TVIEW is stays known: of two there is a row left
SELECT count(*) - 2 AS rows FROM pg_tview_audit_log \gset
SET ROLE regress_audit_a;
SELECT pg_tviews_audit_purge('infinity') = :rows;
RESET ROLE;
SELECT * FROM fresh();
SELECT operation, performed_as, details->>'before' AS before, (details->>'rows')::bigint = :rows FROM pg_tview_audit_log ORDER BY log_id;

-- who really did it: SECURITY DEFINER, and code of an owner
SET ROLE regress_audit_b;
CREATE FUNCTION make() RETURNS void SECURITY DEFINER LANGUAGE sql AS
	$$ SELECT public.pg_tviews_create('public.b3', 'SELECT pk_user AS pk_b3, to_jsonb(full_name) AS data FROM public.tb_user') $$;
RESET ROLE;
SELECT make();
SELECT * FROM fresh();

-- what a row costs, as the reference says: all in all, and with a definition
TRUNCATE pg_tview_audit_log;
DO $$ BEGIN FOR i IN 1 .. 1000 LOOP PERFORM pg_tviews_refresh('g'); END LOOP; END $$;
SELECT pg_total_relation_size('pg_tview_audit_log') / count(*) BETWEEN 250 AND 450 FROM pg_tview_audit_log;
TRUNCATE pg_tview_audit_log;
DROP TABLE tv_g;
SELECT pg_tviews_create('g', 'SELECT pk_user AS pk_g, jsonb_build_object(''n'', full_name) AS data FROM tb_user');
SELECT pg_tviews_alter('g', 'SELECT u.pk_user AS pk_g, jsonb_build_object(''n'', u.full_name, ''n2'', u.full_name) AS data FROM tb_user u');
SELECT operation, pg_column_size(l.*) - length(details->>'definition') - coalesce(length(details #>> '{old,definition}'), 0) BETWEEN 200 AND 350
FROM pg_tview_audit_log l ORDER BY log_id;

-- the caller's settings don't matter
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz';
CREATE FUNCTION hostile.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz';
CREATE TABLE hostile.pg_tview_audit_log (x int);
SET search_path = hostile, public, pg_catalog;
SET application_name = '';
SELECT pg_tviews_refresh('g');
RESET application_name;
RESET search_path;
SELECT operation, entity, application_name IS NULL, details FROM pg_tviews_audit() LIMIT 1;

-- a log that can't be written makes the command fail
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER suppress BEFORE INSERT ON pg_tview_audit_log FOR EACH ROW EXECUTE FUNCTION suppress();
SELECT test_error('DROP TABLE tv_g');
SELECT test_error('SELECT pg_tviews_refresh(''g'')');
DROP TRIGGER suppress ON pg_tview_audit_log;
ALTER TABLE pg_tview_audit_log ADD COLUMN more int NOT NULL DEFAULT 1, ADD CHECK (entity <> 'g') NOT VALID;
SELECT left(test_error('DROP TABLE tv_g'), 120) LIMIT 1;
ALTER TABLE pg_tview_audit_log DROP CONSTRAINT pg_tview_audit_log_entity_check;
DROP TABLE tv_g;
SELECT count(*) FROM pg_tview_meta WHERE entity = 'g';
TABLE wrong;

-- it goes with the extension
DROP EXTENSION pg_tviews CASCADE;
SELECT count(*) FROM pg_class WHERE relname LIKE 'pg_tview%' AND relnamespace <> 'hostile'::regnamespace;
\set ECHO none
DROP SCHEMA hostile CASCADE;
DROP OWNED BY regress_audit_a, regress_audit_b;
DROP ROLE regress_audit_a, regress_audit_b;
