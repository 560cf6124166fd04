-- Whatever drops a TVIEW, or what it is made of, leaves nothing behind: no
-- table, view, trigger, or row of metadata.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\set blog :test /include/blog.sql
\i :start
\i :blog
\set VERBOSITY terse
SELECT * FROM test_objects();

-- what others need stays
SELECT pg_tviews_drop('user');
DROP TABLE tv_user;
DROP TABLE tv_comment;
DROP VIEW v_post;
DROP VIEW v_user;
DROP TABLE tb_user;
DROP EXTENSION pg_tviews;
SELECT count(*) FROM test_objects();
DROP VIEW posts;

-- the function
SELECT pg_tviews_drop('post');
SELECT * FROM test_objects();
SELECT pg_tviews_drop('post', true);
SELECT pg_tviews_drop('nowhere.post', if_exists => true);
SELECT pg_tviews_drop('tv_comment');
SELECT * FROM test_objects();

-- undone
BEGIN;
UPDATE tb_user SET name = 'ada' WHERE pk_user = 1;
DROP TABLE tv_user;
SELECT * FROM test_objects();
ROLLBACK;
UPDATE tb_user SET name = 'eva' WHERE pk_user = 1;
SELECT pk_user, data FROM tv_user ORDER BY 1;

-- with changes waiting
BEGIN;
UPDATE tb_user SET name = 'ada' WHERE pk_user = 1;
DROP TABLE tv_user;
COMMIT;
SELECT * FROM test_objects();

-- DROP TABLE ... CASCADE takes the TVIEWs that read it along
\set make_user 'CREATE TABLE tv_user AS SELECT pk_user, to_jsonb(name) AS data FROM tb_user;'
\set make_post 'CREATE TABLE tv_post AS SELECT p.pk_post, jsonb_build_object(1, u.data) AS data FROM tb_post p JOIN v_user u ON u.pk_user = p.fk_user;'
:make_user
:make_post
DROP TABLE tv_user CASCADE;
SELECT * FROM test_objects();

-- DROP VIEW ... CASCADE
:make_user
:make_post
DROP VIEW v_user CASCADE;
SELECT * FROM test_objects();

-- two in one statement
:make_user
:make_post
DROP TABLE tv_post, tv_user;
SELECT * FROM test_objects();

-- a column
:make_user
:make_post
ALTER TABLE tb_user DROP COLUMN name;
ALTER TABLE tb_user DROP COLUMN name CASCADE;
SELECT * FROM test_objects();
ALTER TABLE tb_user ADD COLUMN name text NOT NULL DEFAULT 'none';

-- a base table
:make_user
:make_post
DROP TABLE tb_post;
DROP TABLE tb_post CASCADE;
SELECT * FROM test_objects();
DROP TABLE tv_user;
SELECT * FROM test_objects();

-- a plain view in between
CREATE VIEW helper AS SELECT pk_user, name FROM tb_user;
CREATE TABLE tv_user AS SELECT pk_user, to_jsonb(name) AS data FROM helper;
SELECT * FROM test_objects();
DROP VIEW helper;
DROP VIEW helper CASCADE;
SELECT * FROM test_objects();

-- a schema with TVIEWs over tables of another one, and the other way round
CREATE SCHEMA app;
CREATE TABLE app.tv_user AS SELECT pk_user, to_jsonb(name) AS data FROM tb_user;
CREATE TABLE app.tb_tag (pk_tag int PRIMARY KEY);
CREATE TABLE tv_tag AS SELECT pk_tag, to_jsonb(pk_tag) AS data FROM app.tb_tag;
DROP SCHEMA app CASCADE;
SELECT * FROM test_objects();

-- all that a role owns
CREATE ROLE regress_owner;
GRANT CREATE ON SCHEMA public TO regress_owner;
GRANT SELECT, TRIGGER ON tb_user TO regress_owner;
SET ROLE regress_owner;
:make_user
RESET ROLE;
SELECT * FROM test_objects();
DROP OWNED BY regress_owner;
SELECT * FROM test_objects();
DROP ROLE regress_owner;

-- the base table still takes writes, and can be read by a new TVIEW
INSERT INTO tb_user (pk_user, name) VALUES (9, 'ida');
:make_user
SELECT pk_user, data FROM tv_user WHERE pk_user = 9;
SELECT * FROM test_oracle();

-- while event triggers are off: writes and others' DDL go on, and the next DROP
-- finds it
CREATE TABLE tv_lost AS SELECT pk_user AS pk_lost, to_jsonb(name) AS data FROM tb_user;
SET session_replication_role = replica;
DROP TABLE tv_lost;
RESET session_replication_role;
UPDATE tb_user SET name = 'mia' WHERE pk_user = 9;
CREATE TABLE other (x int);
ALTER TABLE other RENAME TO another;
CREATE SCHEMA one_more;
ALTER TABLE another SET SCHEMA one_more;
SELECT entity FROM pg_tview_meta ORDER BY entity;
DROP SCHEMA one_more CASCADE;
SELECT entity FROM pg_tview_meta ORDER BY entity;
SELECT to_regclass('v_lost') IS NULL AS view_gone;
SELECT * FROM test_oracle();

-- the extension; what is left are base tables
DROP EXTENSION pg_tviews;
DROP EXTENSION pg_tviews CASCADE;
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
ORDER BY relname COLLATE "C";
SELECT tgname FROM pg_trigger WHERE NOT tgisinternal;
SELECT evtname FROM pg_event_trigger WHERE evtname LIKE '%tview%';
INSERT INTO tb_user (pk_user, name) VALUES (10, 'leo');
CREATE TABLE tv_user AS SELECT pk_user FROM tb_user;
DROP TABLE tv_user;

-- in a schema of its own
CREATE SCHEMA ext;
CREATE EXTENSION pg_tviews SCHEMA ext;
:make_user
INSERT INTO tb_user (pk_user, name) VALUES (11, 'max');
SELECT pk_user, data FROM tv_user WHERE pk_user > 9 ORDER BY 1;
SELECT entity, tview FROM ext.pg_tview_meta;
DROP SCHEMA ext CASCADE;
SELECT to_regclass('tv_user') IS NULL AS table_gone, to_regclass('v_user') IS NULL AS view_gone;
