-- What writes in replica mode, as the worker does that applies what replication
-- brings, is captured where pg_tviews_capture_replicated() has said so, through
-- all that it reaches; and that stays so, whatever becomes of TVIEWs and tables.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\set blog :test /include/blog.sql
\i :start
\i :blog
\set oracle 'SELECT string_agg(tview, \', \') AS differs FROM test_oracle() WHERE differences > 0'
CREATE VIEW modes AS
SELECT tgrelid::regclass::text COLLATE "C" AS relation, string_agg(substr(tgname, 8) || ' ' || tgenabled::text, ', ' ORDER BY tgname) AS triggers
FROM pg_trigger WHERE tgname LIKE '!tview%' AND tgname <> '!tview_guard' GROUP BY tgrelid ORDER BY 1;
\pset format unaligned
\pset tuples_only on

-- all that reaches one TVIEW, and what it goes on to
SELECT * FROM pg_tviews_capture_replicated('user') AS t ORDER BY t::text COLLATE "C";
TABLE modes;
SET session_replication_role = replica;
UPDATE tb_user SET name = 'ann!' WHERE pk_user = 1;
:oracle;
-- nobody has asked for these
UPDATE tb_post SET title = 'one!' WHERE pk_post = 1;
:oracle;
RESET session_replication_role;
SELECT * FROM pg_tviews_capture_replicated('post') AS t ORDER BY t::text COLLATE "C";
SELECT r.tview, r.difference FROM pg_tviews_repair() r;
SET session_replication_role = replica;
UPDATE tb_post SET title = 'two!' WHERE pk_post = 2;
UPDATE tb_comment SET fk_user = 1 WHERE pk_comment = 2;
BEGIN;
DELETE FROM tb_comment WHERE pk_comment = 1;
SELECT post FROM posts WHERE pk_post = 1;
COMMIT;
:oracle;
TRUNCATE tb_comment;
:oracle;
RESET session_replication_role;

-- what reads these later, and what these come to read
CREATE TABLE tv_thread AS SELECT pk_post AS pk_thread, jsonb_build_object('post', data) AS data FROM v_post;
CREATE TABLE tv_name AS SELECT pk_user AS pk_name, to_jsonb(name) AS data FROM tb_user;
CREATE TABLE tv_both AS SELECT pk_name AS pk_both, jsonb_build_object('name', data) AS data FROM v_name;
TABLE modes;
SET session_replication_role = replica;
UPDATE tb_user SET name = name || '!';
:oracle;
RESET session_replication_role;
-- an alteration, with a table that is new, and one that goes and comes back
CREATE TABLE tb_tag (pk_tag int PRIMARY KEY, fk_post int, tag text);
CREATE INDEX ON tb_tag (fk_post);
SELECT pg_tviews_alter('thread', 'SELECT pk_post AS pk_thread, jsonb_build_object(''post'', data, ''tags'', (SELECT jsonb_agg(tag ORDER BY pk_tag) FROM tb_tag WHERE fk_post = pk_post)) AS data FROM v_post');
SELECT pg_tviews_alter('both', 'SELECT pk_user AS pk_both, data FROM v_user');
SELECT pg_tviews_alter('both', 'SELECT pk_name AS pk_both, jsonb_build_object(''name'', data) AS data FROM v_name');
TABLE modes;
SELECT * FROM pg_tviews_capture_replicated('thread');
CREATE OR REPLACE VIEW v_name AS SELECT pk_user AS pk_name, to_jsonb(upper(name)) AS data FROM tb_user;
SET session_replication_role = replica;
INSERT INTO tb_tag VALUES (1, 1, 'new');
UPDATE tb_user SET name = name || '?';
:oracle;
RESET session_replication_role;
-- a table that is converted, and one that is made again
CREATE TABLE tv_tag (pk_tag int PRIMARY KEY, data jsonb);
INSERT INTO tb_tag SELECT n, n % 3 + 1, 'tag ' || n FROM generate_series(2, 20) n;
INSERT INTO tv_tag SELECT pk_tag, to_jsonb(tag) FROM tb_tag;
SELECT * FROM pg_tviews_convert_table('tv_tag', 'tag', 'SELECT pk_tag, to_jsonb(tag) AS data FROM tb_tag');
CREATE TABLE tv_label AS SELECT pk_tag AS pk_label, jsonb_build_object('label', data) AS data FROM v_tag;
TABLE modes;
SET session_replication_role = replica;
UPDATE tb_tag SET tag = tag || '!';
:oracle;
RESET session_replication_role;
-- TVIEWs that were lost, of which the metadata are left
CREATE TABLE before AS TABLE modes;
SET session_replication_role = replica;
DROP TABLE tv_label, tv_tag, tv_both, tv_name CASCADE;
DROP VIEW v_label, v_tag, v_both, v_name CASCADE;
RESET session_replication_role;
SELECT * FROM pg_tviews_recreate();
TABLE modes EXCEPT TABLE before ORDER BY relation;
TABLE before EXCEPT TABLE modes;
SET session_replication_role = replica;
UPDATE tb_tag SET tag = tag || '!';
UPDATE tb_user SET name = name || '.';
:oracle;
RESET session_replication_role;
-- triggers that are mended
DROP TRIGGER "!tview_capture" ON tv_name;
ALTER TABLE tb_post DISABLE TRIGGER "!tview_truncate";
ALTER TABLE tb_tag DISABLE TRIGGER "!tview_capture";
SELECT r."table", r.trigger, r.problem FROM pg_tviews_reinstall_triggers() r;
TABLE modes EXCEPT TABLE before ORDER BY relation;
-- all of a table: nothing tells what it was
ALTER TABLE tb_tag ENABLE TRIGGER ALL;
TABLE modes EXCEPT TABLE before ORDER BY relation;
SELECT * FROM pg_tviews_capture_replicated('tag');

-- by statement the row trigger is for replica mode, and what is refreshed goes on
SELECT pg_tviews_install_stmt_triggers('tb_user');
SELECT pg_tviews_install_stmt_triggers('tv_user');
CREATE TABLE tv_mail AS SELECT pk_user AS pk_mail, jsonb_build_object('mail', email) AS data FROM tb_user;
CREATE TABLE tv_letter AS SELECT pk_mail AS pk_letter, jsonb_build_object('to', data) AS data FROM v_mail;
TABLE modes EXCEPT TABLE before ORDER BY relation;
SET session_replication_role = replica;
UPDATE tb_user SET name = lower(name), email = name;
:oracle;
RESET session_replication_role;
UPDATE tb_user SET name = upper(name), email = 'to ' || name;
:oracle;
SELECT pg_tviews_install_row_triggers('tb_user');
SELECT pg_tviews_install_row_triggers('tv_user');
TABLE modes EXCEPT TABLE before ORDER BY relation;

-- partitions
CREATE TABLE tb_event (pk_event int PRIMARY KEY, what text) PARTITION BY RANGE (pk_event);
CREATE TABLE tb_event_1 PARTITION OF tb_event FOR VALUES FROM (0) TO (10);
CREATE TABLE tv_event AS SELECT pk_event, to_jsonb(what) AS data FROM tb_event;
SELECT * FROM pg_tviews_capture_replicated('event') AS t ORDER BY t::text COLLATE "C";
CREATE TABLE tb_event_2 PARTITION OF tb_event FOR VALUES FROM (10) TO (20);
CREATE TABLE other (pk_event int NOT NULL, what text);
ALTER TABLE tb_event ATTACH PARTITION other FOR VALUES FROM (20) TO (30);
SELECT * FROM modes WHERE relation IN ('tb_event', 'tb_event_1', 'tb_event_2', 'other');
SET session_replication_role = replica;
INSERT INTO tb_event SELECT n, 'event ' || n FROM generate_series(1, 25) n;
:oracle;
RESET session_replication_role;

-- and back
SELECT * FROM pg_tviews_capture_replicated('event', false) AS t ORDER BY t::text COLLATE "C";
SELECT * FROM pg_tviews_capture_replicated('event', false);
SELECT count(*) FROM (SELECT pg_tviews_capture_replicated(entity, false) FROM pg_tview_meta) t;
SELECT count(*) FROM modes WHERE triggers ~ 'A';
SET session_replication_role = replica;
UPDATE tb_user SET name = 'not captured';
RESET session_replication_role;
SELECT count(*) FROM tv_user WHERE data ->> 'name' = 'not captured';
