-- Triggers that were disabled, and are enabled again: what has gone by meanwhile
-- is not left out.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post (pk_post int PRIMARY KEY, fk_user int NOT NULL, title text) PARTITION BY RANGE (pk_post);
CREATE TABLE tb_post_1 PARTITION OF tb_post FOR VALUES FROM (0) TO (10);
CREATE TABLE tb_post_2 PARTITION OF tb_post FOR VALUES FROM (10) TO (20);
CREATE INDEX ON tb_post (fk_user);
CREATE TABLE tb_other (pk_other int PRIMARY KEY);
INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO tb_post VALUES (1, 1, 'one'), (11, 2, 'eleven');
INSERT INTO tb_other VALUES (1);
CREATE TABLE tv_user AS SELECT pk_user, jsonb_build_object('name', name) AS data FROM tb_user;
CREATE TABLE tv_post AS
SELECT p.pk_post, jsonb_build_object('title', p.title, 'user', u.data) AS data
FROM tb_post p JOIN v_user u ON u.pk_user = p.fk_user;
CREATE TABLE tv_other AS SELECT pk_other, '{}'::jsonb AS data FROM tb_other;
CREATE TEMP TABLE before AS SELECT xmin::text AS x, * FROM tv_other;
CREATE FUNCTION nop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER mine AFTER UPDATE ON tb_post_1 FOR EACH ROW EXECUTE FUNCTION nop();
CREATE TRIGGER mine AFTER UPDATE ON tb_other FOR EACH ROW EXECUTE FUNCTION nop();

-- all, and one by name
ALTER TABLE tb_user DISABLE TRIGGER ALL;
UPDATE tb_user SET name = upper(name) WHERE pk_user = 1;
INSERT INTO tb_user VALUES (3, 'Cid');
ALTER TABLE tb_user ENABLE TRIGGER ALL;
SELECT data FROM tv_post ORDER BY pk_post;
SELECT * FROM test_oracle();
ALTER TABLE tb_user DISABLE TRIGGER "!tview_truncate";
BEGIN;
TRUNCATE tb_user;
INSERT INTO tb_user VALUES (1, 'Eve');
ALTER TABLE tb_user ENABLE ALWAYS TRIGGER "!tview_truncate";
SELECT data FROM tv_post ORDER BY pk_post;
COMMIT;
SELECT * FROM test_oracle();

-- for replica mode only, and back
ALTER TABLE tb_user ENABLE REPLICA TRIGGER "!tview_capture";
INSERT INTO tb_user VALUES (2, 'Dan');
ALTER TABLE tb_user ENABLE TRIGGER USER;
SELECT * FROM test_oracle();

-- a rolled back savepoint takes it back
BEGIN;
ALTER TABLE tb_user DISABLE TRIGGER USER;
UPDATE tb_user SET name = 'Flo' WHERE pk_user = 2;
SAVEPOINT s;
ALTER TABLE tb_user ENABLE TRIGGER USER;
ROLLBACK TO s;
SELECT data FROM tv_user ORDER BY pk_user;
ALTER TABLE tb_user ENABLE TRIGGER USER;
COMMIT;
SELECT * FROM test_oracle();

-- partitions: their parent does nothing about them
ALTER TABLE tb_post_1 DISABLE TRIGGER USER;
UPDATE tb_post SET title = 'ONE' WHERE pk_post = 1;
ALTER TABLE tb_post_1 ENABLE TRIGGER USER;
SELECT * FROM test_oracle();
ALTER TABLE ONLY tb_post_1 DISABLE TRIGGER USER;
ALTER TABLE tb_post_2 DISABLE TRIGGER USER;
UPDATE tb_post SET title = lower(title) || '!';
ALTER TABLE tb_post ENABLE TRIGGER USER;
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE tgenabled = 'D' ORDER BY 1, 2;
ALTER TABLE tb_post_1 ENABLE TRIGGER USER;
ALTER TABLE tb_post_2 ENABLE TRIGGER USER;
SELECT * FROM test_oracle();

-- a TVIEW that another one reads
ALTER TABLE tv_user DISABLE TRIGGER "!tview_capture";
UPDATE tb_user SET name = 'Gil' WHERE pk_user = 1;
ALTER TABLE tv_user ENABLE TRIGGER "!tview_capture";
SELECT * FROM test_oracle();

-- by statement
SELECT pg_tviews_install_stmt_triggers('tb_user');
ALTER TABLE tb_user DISABLE TRIGGER "!tview_update";
UPDATE tb_user SET name = 'Hal' WHERE pk_user = 1;
ALTER TABLE tb_user ENABLE TRIGGER "!tview_update";
SELECT * FROM test_oracle();
SELECT pg_tviews_install_row_triggers('tb_user');

-- for replica mode only, of which there is none for statements
ALTER TABLE tb_user ENABLE REPLICA TRIGGER "!tview_truncate";
TRUNCATE tb_user;
ALTER TABLE tb_user ENABLE TRIGGER "!tview_truncate";
SELECT * FROM test_oracle();
INSERT INTO tb_user VALUES (1, 'Ina'), (2, 'Jo');
SELECT pg_tviews_install_stmt_triggers('tb_user');
ALTER TABLE tb_user ENABLE REPLICA TRIGGER "!tview_update";
UPDATE tb_user SET name = 'Kim' WHERE pk_user = 1;
ALTER TABLE tb_user ENABLE TRIGGER "!tview_update";
SELECT * FROM test_oracle();

-- triggers that are replaced, or made again when they are dropped
ALTER TABLE tb_user DISABLE TRIGGER "!tview_update";
UPDATE tb_user SET name = 'Lu' WHERE pk_user = 1;
SELECT pg_tviews_install_row_triggers('tb_user');
SELECT * FROM test_oracle();
ALTER TABLE tb_user DISABLE TRIGGER "!tview_capture";
UPDATE tb_user SET name = 'Mo' WHERE pk_user = 1;
SELECT pg_tviews_install_stmt_triggers('tb_user');
SELECT * FROM test_oracle();
SELECT pg_tviews_install_row_triggers('tb_user');
ALTER TABLE tb_user DISABLE TRIGGER "!tview_capture";
UPDATE tb_user SET name = 'Ned' WHERE pk_user = 1;
DROP TRIGGER "!tview_capture" ON public.tb_user;
SELECT * FROM test_oracle();

-- nothing is done that need not be
ALTER TABLE tb_other DISABLE TRIGGER mine;
ALTER TABLE tb_other ENABLE TRIGGER mine;
ALTER TABLE tb_other ENABLE TRIGGER USER;
SELECT count(*) AS unchanged FROM tv_other o JOIN before b ON b.pk_other = o.pk_other AND b.x = o.xmin::text;

-- an empty TVIEW may be about to be restored: nothing is done but said, and found
-- by the health check
CREATE TABLE tb_new (pk_new int PRIMARY KEY);
CREATE TABLE tv_new AS SELECT pk_new, '{}'::jsonb AS data FROM tb_new;
ALTER TABLE tb_new DISABLE TRIGGER USER;
INSERT INTO tb_new VALUES (1), (2);
ALTER TABLE tb_new ENABLE TRIGGER USER;
SELECT status, message FROM pg_tviews_health_check() WHERE component = 'drift';
SELECT * FROM pg_tviews_repair() ORDER BY key;
SELECT status, message FROM pg_tviews_health_check() WHERE component = 'drift';
SELECT * FROM test_oracle();

DROP TABLE tv_new;
DROP TABLE tb_new;
DROP TABLE tv_other, tv_post, tv_user;
DROP TABLE tb_other, tb_post, tb_user;
DROP FUNCTION nop;
