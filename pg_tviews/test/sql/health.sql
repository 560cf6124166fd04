-- pg_tviews_health_check(): what lets changes go by, or breaks a TVIEW, is
-- found without computing anything.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
SELECT status, component, severity, replace(message, pg_tviews_version(), '(version)') FROM pg_tviews_health_check();
CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text NOT NULL);
CREATE TABLE "tb Post" (pk_post int PRIMARY KEY, fk_user int NOT NULL, title text);
CREATE INDEX ON "tb Post" (fk_user);
INSERT INTO tb_user VALUES (1, 'Ada');
INSERT INTO "tb Post" VALUES (1, 1, 'One');
CREATE TABLE tv_user AS SELECT pk_user, jsonb_build_object('name', name) AS data FROM tb_user;
CREATE TABLE tv_post AS
SELECT p.pk_post, jsonb_build_object('title', p.title, 'user', u.data) AS data
FROM "tb Post" p JOIN v_user u ON u.pk_user = p.fk_user;
SELECT status, component, message FROM pg_tviews_health_check() WHERE component <> 'version';
CREATE VIEW findings AS SELECT status, component, severity, message FROM pg_tviews_health_check() WHERE status <> 'ok';

-- capture triggers: disabled, in replica mode only, always
ALTER TABLE "tb Post" DISABLE TRIGGER "!tview_capture";
TABLE findings;
UPDATE "tb Post" SET title = 'Two';
SELECT * FROM pg_tviews_verify('post');
ALTER TABLE "tb Post" ENABLE REPLICA TRIGGER "!tview_capture";
TABLE findings;
ALTER TABLE "tb Post" ENABLE ALWAYS TRIGGER "!tview_capture";
TABLE findings;
SELECT * FROM pg_tviews_refresh('post');
ALTER TABLE "tb Post" DISABLE TRIGGER ALL;
TABLE findings;
ALTER TABLE "tb Post" ENABLE TRIGGER ALL;
ALTER TABLE tv_user DISABLE TRIGGER USER;
TABLE findings;
ALTER TABLE tv_user ENABLE TRIGGER USER;
TABLE findings;

-- triggers that are missing: made so behind the event triggers' back
ALTER EVENT TRIGGER pg_tviews_sql_drop DISABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end ENABLE REPLICA;
TABLE findings;
DROP TRIGGER "!tview_truncate" ON tb_user;
DROP TRIGGER "!tview_capture" ON tb_user;
-- one that leaves something out doesn't count
CREATE TRIGGER part AFTER INSERT OR UPDATE OF name ON tb_user FOR EACH ROW EXECUTE FUNCTION pg_tviews_capture();
DROP TRIGGER "!tview_guard" ON tv_post;
CREATE TABLE bystander (x int);
CREATE TRIGGER stray AFTER INSERT ON bystander FOR EACH ROW EXECUTE FUNCTION pg_tviews_capture();
CREATE TRIGGER stray_guard BEFORE INSERT ON bystander FOR EACH STATEMENT EXECUTE FUNCTION pg_tviews_guard();
ALTER EVENT TRIGGER pg_tviews_sql_drop ENABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end ENABLE;
TABLE findings;
DROP TABLE bystander;
DROP TRIGGER part ON tb_user;
TABLE findings;

-- a definition and columns that have changed behind their back
ALTER EVENT TRIGGER pg_tviews_ddl_command_start DISABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end DISABLE;
CREATE OR REPLACE VIEW v_user AS SELECT pk_user, jsonb_build_object('name', name, 'seen', now()) AS data FROM tb_user;
ALTER TABLE tv_post RENAME COLUMN data TO document;
ALTER TABLE tv_user DROP CONSTRAINT tv_user_pkey;
ALTER EVENT TRIGGER pg_tviews_ddl_command_start ENABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end ENABLE;
TABLE findings;
ALTER EVENT TRIGGER pg_tviews_ddl_command_start DISABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end DISABLE;
CREATE OR REPLACE VIEW v_user AS SELECT pk_user, jsonb_build_object('name', name) AS data FROM tb_user;
ALTER TABLE tv_post RENAME COLUMN document TO data;
ALTER TABLE tv_user ADD PRIMARY KEY (pk_user);
ALTER EVENT TRIGGER pg_tviews_ddl_command_start ENABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end ENABLE;
TABLE findings;

-- partitions and child tables
CREATE TABLE tb_part (pk_part int, name text) PARTITION BY LIST (name);
CREATE TABLE tb_part_a PARTITION OF tb_part FOR VALUES IN ('a') PARTITION BY HASH (pk_part);
CREATE TABLE tb_part_a0 PARTITION OF tb_part_a FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE tb_kind (pk_kind int);
CREATE TABLE tb_kind_child () INHERITS (tb_kind);
CREATE TABLE tv_part AS SELECT pk_part, to_jsonb(name) AS data FROM tb_part;
CREATE TABLE tv_kind AS SELECT pk_kind, '{}'::jsonb AS data FROM tb_kind;
TABLE findings;
ALTER TABLE tb_part_a0 DISABLE TRIGGER "!tview_capture";
ALTER TABLE tb_part_a DISABLE TRIGGER "!tview_truncate";
ALTER TABLE tb_kind_child DISABLE TRIGGER "!tview_truncate";
TABLE findings;
DROP TABLE tb_part, tb_kind CASCADE;

-- a role that other policies apply to than before
CREATE ROLE regress_health;
GRANT CREATE ON SCHEMA public TO regress_health;
CREATE TABLE tb_row (pk_row int PRIMARY KEY);
INSERT INTO tb_row VALUES (1), (2);
GRANT SELECT, TRIGGER ON tb_row TO regress_health;
ALTER TABLE tb_row ENABLE ROW LEVEL SECURITY;
CREATE POLICY larger ON tb_row USING (pk_row > 1);
SET ROLE regress_health;
CREATE TABLE tv_row AS SELECT pk_row, '{}'::jsonb AS data FROM tb_row;
RESET ROLE;
TABLE findings;
ALTER ROLE regress_health BYPASSRLS;
TABLE findings;
SELECT * FROM pg_tviews_refresh('row');
TABLE findings;
DROP TABLE tb_row CASCADE;
DROP OWNED BY regress_health;
DROP ROLE regress_health;

-- a session whose changes go by
SET session_replication_role = replica;
TABLE findings;
RESET session_replication_role;

-- versions
BEGIN;
UPDATE pg_extension SET extversion = '0.0.9' WHERE extname = 'pg_tviews';
SELECT status, component, severity, replace(message, pg_tviews_version(), '(version)') FROM findings WHERE severity = 'critical';
ROLLBACK;

-- anybody may look, whatever their search_path
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA public TO regress_reader;
SET ROLE regress_reader;
CREATE TEMP TABLE pg_class (oid int);
SET search_path = pg_temp, public;
SELECT status, count(*) FROM pg_tviews_health_check() GROUP BY 1;
BEGIN READ ONLY;
SELECT status, count(*) FROM pg_tviews_health_check() GROUP BY 1;
COMMIT;
RESET search_path;
DROP TABLE pg_temp.pg_class;
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
SELECT * FROM test_oracle();
