-- pg_tviews_repair() makes a TVIEW right, returns what was wrong with it, and
-- keeps that in the audit log; it refuses one that changes still go by.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\set blog :test /include/blog.sql
\i :start
\i :blog
SELECT * FROM pg_tviews_repair('post');
SELECT * FROM pg_tviews_repair();

-- every kind of damage, once
ALTER TABLE tv_post DISABLE TRIGGER "!tview_guard";
UPDATE tv_post SET data = '{}' WHERE pk_post = 1;
UPDATE tv_post SET user_id = NULL, data = 'null' WHERE pk_post = 2;
DELETE FROM tv_post WHERE pk_post = 3;
INSERT INTO tv_post (pk_post, data, updated_at) VALUES (7, '{}', now());
ALTER TABLE tv_post ENABLE TRIGGER "!tview_guard";
SELECT * FROM test_oracle();
SELECT test_remember('tv_post');
SELECT * FROM pg_tviews_repair('post') ORDER BY key;
SELECT * FROM test_written();
SELECT * FROM test_oracle();
SELECT * FROM pg_tviews_repair('post');

-- what was found stays in the log, and goes with a rollback
SELECT operation, entity, details - 'version' AS details FROM pg_tview_audit_log
WHERE operation = 'REPAIR' ORDER BY log_id;
BEGIN;
SELECT count(*) FROM pg_tviews_repair();
ROLLBACK;
SELECT count(*) FROM pg_tview_audit_log WHERE operation = 'REPAIR';

-- all at once: what a TVIEW has from another one is found there, too
SET session_replication_role = replica;
UPDATE tv_user SET data = '{"name": "nobody"}' WHERE pk_user = 1;
RESET session_replication_role;
UPDATE tb_post SET fk_user = 1 WHERE pk_post = 3;
SELECT * FROM posts ORDER BY 1;
SELECT * FROM pg_tviews_repair() ORDER BY tview::text, key;
SELECT * FROM posts ORDER BY 1;
SELECT * FROM test_oracle();

-- one alone: what reads it follows
SET session_replication_role = replica;
UPDATE tv_user SET data = '{"name": "nobody"}' WHERE pk_user = 2;
RESET session_replication_role;
UPDATE tb_comment SET content = 'fine!' WHERE pk_comment = 1;
SELECT * FROM posts ORDER BY 1;
SELECT * FROM pg_tviews_repair('user') ORDER BY key;
SELECT * FROM test_oracle();

-- what waits in the queue is no difference; an old snapshot is enough
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT FROM tb_user LIMIT 1;
UPDATE tb_user SET name = 'ada' WHERE pk_user = 1;
SELECT * FROM pg_tviews_repair();
COMMIT;
SELECT * FROM test_oracle();

-- many rows, names that need quotes, a key that looks like another one
CREATE TABLE tb_n ("The Key" numeric PRIMARY KEY, "It's" text);
INSERT INTO tb_n SELECT n, 'x' FROM generate_series(1, 3000) n;
CREATE TABLE "tv_N n" AS SELECT "The Key" AS "pk_N n", "It's", '{}'::jsonb AS data FROM tb_n;
ALTER TABLE "tv_N n" DISABLE TRIGGER USER;
UPDATE "tv_N n" SET "It's" = 'y', "pk_N n" = "pk_N n" + 0.00;
ALTER TABLE "tv_N n" ENABLE TRIGGER USER;
SELECT tview, difference, columns, count(*), min(key), max(length(key)) FROM pg_tviews_repair('"N n"') GROUP BY 1, 2, 3;
SELECT details ->> 'updated' AS updated FROM pg_tviews_audit('"N n"') WHERE operation = 'REPAIR';
SELECT * FROM test_oracle();
DROP TABLE "tv_N n";
DROP TABLE tb_n;

-- changes that would go by
ALTER TABLE tb_post DISABLE TRIGGER "!tview_capture";
UPDATE tb_post SET title = 'ONE' WHERE pk_post = 1;
SELECT test_error('SELECT * FROM pg_tviews_repair(''post'')');
SELECT test_error('SELECT * FROM pg_tviews_repair()');
SELECT * FROM pg_tviews_repair('user');
SELECT * FROM pg_tviews_refresh('post');
ALTER TABLE tb_post ENABLE TRIGGER "!tview_capture";
ALTER TABLE tv_post DISABLE TRIGGER "!tview_guard";
SELECT test_error('SELECT * FROM pg_tviews_repair(''post'')');
ALTER TABLE tv_post ENABLE TRIGGER "!tview_guard";
SELECT * FROM pg_tviews_repair();

-- a definition that can't be computed: nothing is written
ALTER TABLE tv_comment DISABLE TRIGGER USER;
DELETE FROM tv_comment WHERE pk_comment = 3;
ALTER TABLE tv_comment ENABLE TRIGGER USER;
ALTER TABLE tv_comment ADD CONSTRAINT short CHECK (length(data ->> 'text') < 10) NOT VALID;
SET session_replication_role = replica;
UPDATE tb_comment SET content = 'much too long' WHERE pk_comment = 2;
RESET session_replication_role;
SELECT test_error('SELECT * FROM pg_tviews_repair(''comment'')');
SELECT count(*) FROM tv_comment;
ALTER TABLE tv_comment DROP CONSTRAINT short;
SELECT * FROM pg_tviews_repair('comment') ORDER BY key;
SELECT * FROM test_oracle();

-- who may: the owner; without a name, each their own
CREATE ROLE regress_reader;
GRANT SELECT ON tv_post, v_post TO regress_reader;
SET ROLE regress_reader;
SELECT test_error('SELECT * FROM pg_tviews_repair(''post'')');
SELECT * FROM pg_tviews_repair();
RESET ROLE;
SELECT test_error('SELECT * FROM pg_tviews_repair(''nothing'')');

-- pg_tviews_verify() shows nobody keys that policies of the TVIEW hide from them
ALTER TABLE tv_post ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON tv_post USING (pk_post = 1);
ALTER TABLE tv_post DISABLE TRIGGER USER;
UPDATE tv_post SET data = '{}' WHERE pk_post = 2;
ALTER TABLE tv_post ENABLE TRIGGER USER;
SET ROLE regress_reader;
SELECT pk_post FROM tv_post;
SELECT test_error('SELECT * FROM pg_tviews_verify(''post'')');
SET row_security = off;
SELECT test_error('SELECT * FROM pg_tviews_verify(''post'')');
RESET row_security;
RESET ROLE;
ALTER ROLE regress_reader BYPASSRLS;
SET ROLE regress_reader;
SELECT * FROM pg_tviews_verify('post');
RESET ROLE;
SELECT * FROM pg_tviews_repair('post');
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
SELECT * FROM test_oracle();
