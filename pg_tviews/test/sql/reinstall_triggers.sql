-- pg_tviews_reinstall_triggers() mends whatever is wrong with triggers, returns
-- what it was, and leaves alone what is right or meant.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE FUNCTION nop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text NOT NULL);
CREATE TABLE "tb Post" (pk_post int, fk_user int NOT NULL, title text, PRIMARY KEY (pk_post)) PARTITION BY LIST (pk_post);
CREATE TABLE tb_post_1 PARTITION OF "tb Post" FOR VALUES IN (1);
CREATE TABLE tb_post_2 PARTITION OF "tb Post" FOR VALUES IN (2);
CREATE INDEX ON "tb Post" (fk_user);
INSERT INTO tb_user VALUES (1, 'Ada');
INSERT INTO "tb Post" VALUES (1, 1, 'One'), (2, 1, 'Two');
CREATE TABLE tv_user AS SELECT pk_user, jsonb_build_object('name', name) AS data FROM tb_user;
CREATE TABLE tv_post AS
SELECT p.pk_post, jsonb_build_object('title', p.title, 'user', u.data) AS data
FROM "tb Post" p JOIN v_user u ON u.pk_user = p.fk_user;
CREATE VIEW triggers AS
SELECT tgrelid::regclass AS "table", tgname COLLATE "C" AS trigger, tgenabled, tgfoid::regproc AS function
FROM pg_trigger WHERE tgname LIKE '!%' ORDER BY tgrelid::regclass::text COLLATE "C", 2;
CREATE FUNCTION blind(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET session_replication_role = replica;
	EXECUTE statement;
	SET session_replication_role = origin;
END$$;
TABLE triggers;
SET client_min_messages = notice;
SELECT * FROM pg_tviews_reinstall_triggers();
SELECT * FROM pg_tviews_reinstall_triggers('post');
CREATE TABLE before AS TABLE triggers;

-- missing, disabled, of another definition, on a partition, and of a TVIEW
SELECT blind('DROP TRIGGER "!tview_capture" ON tb_user');
SELECT blind('CREATE TRIGGER "!tview_capture" AFTER UPDATE OF name ON tb_user FOR EACH ROW EXECUTE FUNCTION pg_tviews_capture()');
SELECT blind('DROP TRIGGER "!tview_truncate" ON tb_user');
SELECT blind('CREATE TRIGGER "!tview_truncate" AFTER TRUNCATE ON tb_user FOR EACH STATEMENT EXECUTE FUNCTION nop()');
SELECT blind('DROP TRIGGER "!tview_capture" ON tb_post_1');
SELECT blind('DROP TRIGGER "!tview_truncate" ON "tb Post"');
SELECT blind('DROP TRIGGER "!tview_guard" ON tv_user');
SELECT blind('DROP TRIGGER "!tview_capture" ON tv_user');
ALTER TABLE tb_post_2 DISABLE TRIGGER ALL;
ALTER TABLE tv_post DISABLE TRIGGER "!tview_guard";
UPDATE tb_user SET name = 'Eva';
INSERT INTO tb_user VALUES (2, 'Bob');
UPDATE "tb Post" SET title = upper(title);
SELECT component, count(*) FROM pg_tviews_health_check() WHERE status <> 'OK' AND component = 'triggers' GROUP BY 1;
SELECT * FROM pg_tviews_reinstall_triggers('post');
SELECT * FROM pg_tviews_reinstall_triggers();
SELECT * FROM pg_tviews_reinstall_triggers();
SELECT component, count(*) FROM pg_tviews_health_check() WHERE status <> 'OK' AND component = 'triggers' GROUP BY 1;
(TABLE before EXCEPT TABLE triggers) UNION ALL (TABLE triggers EXCEPT TABLE before);

-- what has gone by is left to pg_tviews_repair()
SELECT * FROM test_oracle();
SELECT * FROM pg_tviews_repair() ORDER BY tview::text, key;
SELECT * FROM test_oracle();
UPDATE tb_user SET name = 'Ada' WHERE pk_user = 1;
UPDATE "tb Post" SET title = lower(title);
SELECT test_error('DELETE FROM tv_user');
SELECT * FROM test_oracle();

-- the log says which triggers, for every TVIEW concerned
SELECT entity, details ->> 'triggers' AS triggers FROM pg_tview_audit_log
WHERE operation = 'REPAIR' AND details ->> 'command' = 'pg_tviews_reinstall_triggers' ORDER BY log_id;

-- what somebody has set on purpose stays; what fires in replica mode only must fire besides
ALTER TABLE tb_user ENABLE ALWAYS TRIGGER "!tview_capture", ENABLE ALWAYS TRIGGER "!tview_truncate";
ALTER TABLE tb_post_1 ENABLE REPLICA TRIGGER "!tview_capture";
SELECT * FROM pg_tviews_reinstall_triggers();
SELECT * FROM triggers WHERE tgenabled <> 'O';

-- a name of one's own, and two triggers for one, are as good
SELECT blind('DROP TRIGGER "!tview_capture" ON tb_post_1');
CREATE TRIGGER mine AFTER INSERT OR DELETE ON tb_post_1 FOR EACH ROW EXECUTE FUNCTION pg_tviews_capture();
CREATE TRIGGER too AFTER UPDATE ON tb_post_1 FOR EACH ROW EXECUTE FUNCTION pg_tviews_capture();
SELECT * FROM pg_tviews_reinstall_triggers();
ALTER TABLE tb_post_1 DISABLE TRIGGER mine, DISABLE TRIGGER too;
SELECT * FROM pg_tviews_reinstall_triggers();
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'tb_post_1'::regclass ORDER BY tgname COLLATE "C";

-- orphans, only without a name
CREATE TABLE bystander (x int);
CREATE TRIGGER stray AFTER INSERT ON bystander FOR EACH ROW EXECUTE FUNCTION pg_tviews_capture();
CREATE TRIGGER stray_guard BEFORE INSERT ON bystander FOR EACH STATEMENT EXECUTE FUNCTION pg_tviews_guard();
CREATE TRIGGER theirs AFTER INSERT ON bystander FOR EACH ROW EXECUTE FUNCTION nop();
SELECT test_error('INSERT INTO bystander VALUES (1)');
SELECT * FROM pg_tviews_reinstall_triggers('user');
SELECT * FROM pg_tviews_reinstall_triggers();
INSERT INTO bystander VALUES (1);
SELECT tgname FROM pg_trigger WHERE tgrelid = 'bystander'::regclass;

-- of a TVIEW that was dropped unnoticed
CREATE TABLE tb_lost (pk_lost int PRIMARY KEY);
CREATE TABLE tv_lost AS SELECT pk_lost, '{}'::jsonb AS data FROM tb_lost;
SELECT blind('DROP TABLE tv_lost');
INSERT INTO tb_lost VALUES (1);
SELECT * FROM pg_tviews_reinstall_triggers();
SELECT entity FROM pg_tview_meta WHERE entity = 'lost';
SELECT operation, details ->> 'command' AS command, details ->> 'found_later' AS found_later FROM pg_tviews_audit('lost');

-- what looks like an orphan is none where it is the metadata that are lost
CREATE TABLE tv_lost AS SELECT pk_lost, '{}'::jsonb AS data FROM tb_lost;
CREATE TABLE tv_ours (x int);
CREATE VIEW v_ours AS TABLE tv_lost;
BEGIN;
DELETE FROM pg_tview_meta WHERE entity = 'lost';
SELECT status, message FROM pg_tviews_health_check() WHERE component = 'metadata';
SELECT test_error('INSERT INTO tb_lost VALUES (2)');
SELECT test_error('SELECT * FROM pg_tviews_reinstall_triggers()');
SELECT * FROM pg_tviews_reinstall_triggers('user');
ROLLBACK;
DROP VIEW v_ours;
DROP TABLE tv_ours, tv_lost;

-- a rollback takes it back
ALTER TABLE tb_user DISABLE TRIGGER "!tview_capture";
BEGIN;
SELECT * FROM pg_tviews_reinstall_triggers('user');
ROLLBACK;
SELECT * FROM triggers WHERE tgenabled = 'D';

-- who may
SET client_min_messages = warning;
CREATE ROLE regress_owner;
GRANT USAGE, CREATE ON SCHEMA public TO regress_owner;
SET ROLE regress_owner;
SELECT test_error('SELECT * FROM pg_tviews_reinstall_triggers(''user'')');
SELECT * FROM pg_tviews_reinstall_triggers();
RESET ROLE;
ALTER TABLE tv_user OWNER TO regress_owner;
GRANT SELECT ON tb_user TO regress_owner;
ALTER TABLE tv_user OWNER TO regress_owner;
SET ROLE regress_owner;
SELECT test_error('SELECT * FROM pg_tviews_reinstall_triggers(''user'')');
RESET ROLE;
GRANT TRIGGER ON tb_user TO regress_owner;
SET ROLE regress_owner;
SELECT test_error('SELECT * FROM pg_tviews_reinstall_triggers(''user'')');
RESET ROLE;
SELECT blind('DROP TRIGGER "!tview_capture" ON tb_user');
SET ROLE regress_owner;
SELECT * FROM pg_tviews_reinstall_triggers('user');
SELECT * FROM pg_tviews_repair();
RESET ROLE;
SELECT * FROM test_oracle();
DROP TABLE tv_post, tv_user;
DROP OWNED BY regress_owner;
DROP ROLE regress_owner;
SELECT * FROM pg_tviews_reinstall_triggers();
SELECT * FROM test_oracle();
