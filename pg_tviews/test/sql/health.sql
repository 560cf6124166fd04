-- pg_tviews_health_check(): each fault is made, found, mended, and not found any
-- more.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE VIEW health AS
SELECT status, component, severity, CASE WHEN component = 'cache' AND status = 'OK' THEN '(sizes)'
	WHEN component = 'statistics' AND status = 'OK' THEN '(refreshes)'
	WHEN component = 'queue' AND status = 'OK' THEN split_part(message, ';', 1)
	ELSE regexp_replace(replace(message, pg_tviews_version(), '(version)'), ' at [^,]+,', ' at (time),') END AS message
FROM pg_tviews_health_check();
CREATE VIEW findings AS SELECT * FROM health WHERE status <> 'OK';
TABLE health;
CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text NOT NULL);
CREATE TABLE "tb Post" (pk_post int PRIMARY KEY, fk_user int NOT NULL, title text);
CREATE INDEX ON "tb Post" (fk_user);
INSERT INTO tb_user VALUES (1, 'Ada');
INSERT INTO "tb Post" VALUES (1, 1, 'One');
CREATE TABLE tv_user AS SELECT pk_user, jsonb_build_object('name', name) AS data FROM tb_user;
CREATE TABLE tv_post AS
SELECT p.pk_post, jsonb_build_object('title', p.title, 'user', u.data) AS data
FROM "tb Post" p JOIN v_user u ON u.pk_user = p.fk_user;
TABLE health;

-- capture triggers: disabled, in replica mode only, always
ALTER TABLE "tb Post" DISABLE TRIGGER "!tview_capture";
TABLE findings;
UPDATE "tb Post" SET title = 'Two';
SELECT * FROM pg_tviews_verify('post');
ALTER TABLE "tb Post" ENABLE REPLICA TRIGGER "!tview_capture";
TABLE findings;
-- what went by is seen now
ALTER TABLE "tb Post" ENABLE ALWAYS TRIGGER "!tview_capture";
TABLE findings;
SELECT * FROM pg_tviews_verify('post');
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

-- a view with another query; what changes rows on their way into a TVIEW, or adds
-- some; a plain view that isn't known
CREATE VIEW loud AS SELECT pk_user, upper(name) AS name FROM tb_user;
CREATE TABLE tv_loud AS
SELECT p.pk_post AS pk_loud, to_jsonb(l.name) AS data FROM "tb Post" p JOIN loud l ON l.pk_user = p.fk_user;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SET session_replication_role = replica;
CREATE OR REPLACE VIEW v_user AS SELECT pk_user, jsonb_build_object('name', lower(name)) AS data FROM tb_user;
CREATE RULE "no update" AS ON UPDATE TO tv_post DO INSTEAD NOTHING;
CREATE TRIGGER keeper BEFORE INSERT ON tv_user FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TABLE tv_louder () INHERITS (tv_loud);
RESET session_replication_role;
DELETE FROM pg_tview_helpers WHERE tview = 'tv_loud'::regclass;
TABLE findings;
DROP RULE "no update" ON tv_post;
DROP TRIGGER keeper ON tv_user;
DROP TABLE tv_louder;
CREATE OR REPLACE VIEW v_loud AS
SELECT p.pk_post AS pk_loud, to_jsonb(l.name) AS data FROM "tb Post" p JOIN loud l ON l.pk_user = p.fk_user;
TABLE findings;
SELECT * FROM pg_tviews_verify('user');
CREATE OR REPLACE VIEW v_user AS SELECT pk_user, jsonb_build_object('name', lower(name)) AS data FROM tb_user;
TABLE findings;
SELECT * FROM pg_tviews_verify('user');
CREATE OR REPLACE VIEW v_user AS SELECT pk_user, jsonb_build_object('name', name) AS data FROM tb_user;
-- a view that only looks different, as dumps write set operations
CREATE TABLE tv_all AS
SELECT pk_user AS pk_all, to_jsonb(name) AS data FROM tb_user UNION ALL SELECT -pk_user, to_jsonb(upper(name)) FROM tb_user;
SET session_replication_role = replica;
DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW v_all AS ' || pg_get_viewdef('v_all'); END $$;
RESET session_replication_role;
TABLE findings;
DROP TABLE tv_all, tv_loud;
DROP VIEW loud;
DROP FUNCTION nothing;

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

-- versions; whether there is a newer one is not known with Debian's
-- extension_destdir
BEGIN;
UPDATE pg_extension SET extversion = '0.0.9' WHERE extname = 'pg_tviews';
SELECT * FROM findings WHERE findings::text LIKE '%ERROR%';
ROLLBACK;
TABLE findings;

-- metadata that something is missing from, or wrong in
BEGIN;
UPDATE pg_tview_meta SET root = 1::regclass, dependencies = '{1}' WHERE entity = 'user';
UPDATE pg_tview_meta SET definition = 'SELECT pk_nothing FROM nowhere' WHERE entity = 'post';
INSERT INTO pg_tview_helpers VALUES ('v_post', '1');
TABLE findings;
ROLLBACK;
BEGIN;
UPDATE pg_tview_meta SET view = 'tb_user' WHERE entity = 'user';
TABLE findings;
ROLLBACK;
BEGIN;
UPDATE pg_tview_meta SET tview = 1::regclass, entity = 'gone' WHERE entity = 'post';
UPDATE pg_tview_meta SET schema = 'elsewhere' WHERE entity = 'user';
TABLE findings;
ROLLBACK;
-- what needs the missing part says so
BEGIN;
UPDATE pg_tview_meta SET view = 'tb_user' WHERE entity = 'user';
CREATE INDEX ON tb_user (name);
SELECT regexp_replace(e, 'relation \d+', 'relation (oid)') FROM test_error('SELECT * FROM pg_tviews_explain(''user'')') e;
SELECT regexp_replace(e, 'relation \d+', 'relation (oid)') FROM test_error('UPDATE tb_user SET name = ''x''; SELECT count(*) FROM tv_user') e;
UPDATE pg_tview_meta SET view = 1::regclass WHERE entity = 'user';
SELECT test_error('ALTER TABLE tb_user RENAME COLUMN name TO full_name');
ROLLBACK;
CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE tb_mood (pk_mood int PRIMARY KEY, mood mood);
CREATE TABLE tv_mood AS SELECT pk_mood, to_jsonb(mood) AS data FROM tb_mood;
CREATE TABLE tv_reader AS SELECT m.pk_mood AS pk_reader, m.data FROM v_mood m JOIN tb_user u ON u.pk_user = m.pk_mood;
SET session_replication_role = replica;
DROP TABLE tv_mood;
RESET session_replication_role;
TABLE findings;
ALTER TYPE mood RENAME VALUE 'sad' TO 'glad';
SELECT test_error('INSERT INTO tb_user VALUES (20, ''x''); SELECT count(*) FROM tv_reader');
-- and others' objects can be dropped
CREATE TABLE bystander (x int);
DROP TABLE bystander;
SELECT component, message FROM findings WHERE component = 'metadata';
DROP VIEW v_mood CASCADE;
TABLE findings;
ALTER TYPE mood RENAME VALUE 'sad' TO 'glad';
DROP TABLE tb_mood;
DROP TYPE mood;
TABLE findings;

-- a table that is read, but not known to be read
BEGIN;
UPDATE pg_tview_meta SET dependencies = '{tv_user}' WHERE entity = 'post';
TABLE findings;
ROLLBACK;
TABLE findings;

-- a component that can't be checked, and one TVIEW
BEGIN;
ALTER EVENT TRIGGER pg_tviews_ddl_command_start DISABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end DISABLE;
ALTER TABLE pg_tview_helpers RENAME COLUMN helper TO other;
TABLE findings;
ROLLBACK;
TABLE findings;

-- dependencies: a cycle, and too many levels
BEGIN;
UPDATE pg_tview_meta SET dependencies = dependencies || 'tv_post'::regclass WHERE entity = 'user';
SELECT * FROM findings WHERE component = 'dependencies';
SELECT DISTINCT component, split_part(message, ':', 1) FROM findings ORDER BY 1, 2;
ROLLBACK;
TABLE findings;
DO $$
BEGIN
	FOR i IN 1 .. 6 LOOP
		EXECUTE format('CREATE TABLE tv_level%s AS SELECT pk_%s AS pk_level%1$s, data FROM v_%2$s',
					   i, CASE i WHEN 1 THEN 'user' ELSE 'level' || i - 1 END);
	END LOOP;
END $$;
TABLE findings;
DROP TABLE tv_level6, tv_level5;
TABLE findings;
DROP TABLE tv_level1 CASCADE;

-- indexes
DROP INDEX "tb Post_fk_user_idx";
TABLE findings;
CREATE INDEX ON "tb Post" (fk_user);
TABLE findings;

-- privileges of an owner: on a table, its column, a schema, a function, the TVIEW
CREATE ROLE regress_health;
CREATE SCHEMA other;
CREATE TABLE other.tb_right (pk_right int PRIMARY KEY, name text);
CREATE TABLE other.tb_left (pk_left int PRIMARY KEY, fk_right int, name text);
CREATE INDEX ON other.tb_left (fk_right);
CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT upper($1) $$;
GRANT USAGE ON SCHEMA other TO regress_health;
GRANT CREATE ON SCHEMA public TO regress_health;
GRANT SELECT, TRIGGER ON other.tb_right, other.tb_left TO regress_health;
SET ROLE regress_health;
CREATE TABLE tv_right AS
SELECT r.pk_right, jsonb_build_object('name', shout(r.name), 'left', (SELECT jsonb_agg(l.name ORDER BY l.pk_left) FROM other.tb_left l WHERE l.fk_right = r.pk_right)) AS data
FROM other.tb_right r;
RESET ROLE;
TABLE findings;
REVOKE SELECT ON other.tb_left FROM regress_health;
TABLE findings;
GRANT SELECT (pk_left, fk_right) ON other.tb_left TO regress_health;
TABLE findings;
GRANT SELECT (name) ON other.tb_left TO regress_health;
TABLE findings;
REVOKE USAGE ON SCHEMA other FROM regress_health;
TABLE findings;
GRANT USAGE ON SCHEMA other TO regress_health;
REVOKE EXECUTE ON FUNCTION shout FROM PUBLIC;
TABLE findings;
GRANT EXECUTE ON FUNCTION shout TO regress_health;
REVOKE INSERT ON tv_right FROM regress_health;
TABLE findings;
GRANT INSERT ON tv_right TO regress_health;
TABLE findings;
-- on the table of another TVIEW, but not on its view
GRANT SELECT, TRIGGER ON tv_user TO regress_health;
GRANT SELECT ON v_user, other.tb_left TO regress_health;
SET ROLE regress_health;
CREATE TABLE tv_left AS
SELECT l.pk_left, jsonb_build_object('user', u.data) AS data FROM other.tb_left l JOIN v_user u ON u.pk_user = l.fk_right;
RESET ROLE;
REVOKE SELECT ON v_user FROM regress_health;
INSERT INTO other.tb_left VALUES (1, 1, 'left');
UPDATE tb_user SET name = name || '!' WHERE pk_user = 1;
SELECT data FROM tv_left;
TABLE findings;
SELECT test_error('SELECT * FROM pg_tviews_refresh(''left'')');
GRANT SELECT ON v_user TO regress_health;
TABLE findings;
SELECT * FROM pg_tviews_refresh('left');
REVOKE SELECT ON tv_user FROM regress_health;
TABLE findings;
SELECT test_error('UPDATE tb_user SET name = name || ''!'' WHERE pk_user = 1');
DROP TABLE tv_left;
DROP SCHEMA other CASCADE;
DROP FUNCTION shout;
DROP OWNED BY regress_health;
DROP ROLE regress_health;

-- persistence
ALTER EVENT TRIGGER pg_tviews_ddl_command_end DISABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_start DISABLE;
ALTER TABLE tv_post SET UNLOGGED;
ALTER EVENT TRIGGER pg_tviews_ddl_command_start ENABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end ENABLE;
TABLE findings;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end DISABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_start DISABLE;
ALTER TABLE tv_post SET LOGGED;
ALTER EVENT TRIGGER pg_tviews_ddl_command_start ENABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end ENABLE;
TABLE findings;

-- drift: rows that differ, are missing, are there without reason
CREATE VIEW drift AS SELECT status, message FROM pg_tviews_health_check(100) WHERE component = 'drift';
TABLE drift;
INSERT INTO tb_user SELECT i, 'user ' || i FROM generate_series(2, 10) i;
TABLE drift;
SET session_replication_role = replica;
UPDATE tb_user SET name = 'other' WHERE pk_user = 2;
INSERT INTO tb_user VALUES (11, 'new');
DELETE FROM tb_user WHERE pk_user = 3;
RESET session_replication_role;
TABLE drift;
-- not without being asked
SELECT status, message FROM health WHERE component = 'drift';
SELECT * FROM pg_tviews_refresh('user');
TABLE drift;
-- changes of this transaction that are still to be refreshed
BEGIN;
UPDATE tb_user SET name = 'mine' WHERE pk_user = 4;
TABLE drift;
COMMIT;
-- a row that can't be computed
ALTER TABLE tb_user ADD COLUMN number text NOT NULL DEFAULT '1';
CREATE TABLE tv_number AS SELECT pk_user AS pk_number, to_jsonb(number::int) AS data FROM tb_user;
SET session_replication_role = replica;
UPDATE tb_user SET number = 'x' WHERE pk_user = 5;
RESET session_replication_role;
TABLE drift;
UPDATE tb_user SET number = '5' WHERE pk_user = 5;
TABLE drift;
-- keys that are no column of a table, of types with a collation, several tables, none
CREATE TABLE tb_tag (name text COLLATE "C" PRIMARY KEY, nr bigint NOT NULL);
INSERT INTO tb_tag VALUES ('a', 1), ('b', 2);
CREATE TABLE tv_tag AS SELECT name AS pk_tag, to_jsonb(nr) AS data FROM tb_tag;
CREATE TABLE tv_upper AS SELECT upper(name) AS pk_upper, to_jsonb(nr) AS data FROM tb_tag;
CREATE TABLE tv_all AS SELECT pk_user::bigint AS pk_all, to_jsonb(name) AS data FROM tb_user UNION ALL SELECT 100 + nr, to_jsonb(name) FROM tb_tag;
SELECT pg_tviews_create('first', 'SELECT nr AS pk_first, to_jsonb(name) AS data FROM tb_tag ORDER BY nr LIMIT 1', '{"on_unmapped": "rebuild"}');
TABLE drift;
SET session_replication_role = replica;
UPDATE tb_tag SET nr = nr + 10;
RESET session_replication_role;
TABLE drift;
SELECT pg_tviews_refresh(e) FROM unnest('{tag,upper,all,first}'::text[]) e;
TABLE drift;
SELECT test_error('SELECT * FROM pg_tviews_health_check(-1)');
SELECT test_error('SELECT * FROM pg_tviews_health_check(NULL)');
DROP TABLE tb_tag CASCADE;
DROP TABLE tv_number;

-- a refresh that has failed
ALTER TABLE tv_user ADD CONSTRAINT short CHECK (length(data ->> 'name') < 10);
SELECT test_error('UPDATE tb_user SET name = ''a name too long'' WHERE pk_user = 6; SELECT count(*) FROM tv_user');
TABLE findings;
ALTER TABLE tv_user DROP CONSTRAINT short;
UPDATE tb_user SET name = 'a name too long' WHERE pk_user = 6;
TABLE findings;
SET track_counts = off;
TABLE findings;
RESET track_counts;

-- who may ask: members of pg_monitor, whatever their search_path
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA public TO regress_reader;
SET ROLE regress_reader;
SELECT test_error('SELECT * FROM pg_tviews_health_check()');
RESET ROLE;
GRANT pg_monitor TO regress_reader;
SET ROLE regress_reader;
CREATE TEMP TABLE pg_class (oid int);
SET search_path = pg_temp, public;
SELECT status, count(*) FROM pg_tviews_health_check(10) GROUP BY 1;
BEGIN READ ONLY;
SELECT status, count(*) FROM pg_tviews_health_check(10) GROUP BY 1;
COMMIT;
RESET search_path;
DROP TABLE pg_temp.pg_class;
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
SELECT * FROM test_oracle();
