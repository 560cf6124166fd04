-- A suspended TVIEW, and what reads it, is not refreshed and can't be read;
-- everything else goes on; resuming makes all of it right, once.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\set blog :test /include/blog.sql
\i :start
\i :blog
-- one that has nothing to do with it, but with the same table
CREATE TABLE tv_name AS SELECT pk_user AS pk_name, to_jsonb(name) AS data FROM tb_user;
SET client_min_messages = notice;
SELECT * FROM pg_tviews_suspend('comment');
SELECT entity, tview, cause, since <= clock_timestamp() AS since FROM pg_tviews_suspended;
SELECT entity, suspended IS NOT NULL AS suspended FROM pg_tview_meta ORDER BY entity;
SET client_min_messages = warning;

-- no way to read it, in this session or in a new one
SELECT test_error('SELECT * FROM tv_comment');
SELECT test_error('SELECT * FROM posts');
\c -
SELECT * FROM tv_comment;
\c -
SELECT * FROM posts;
\c -
PREPARE p AS SELECT count(*) FROM tv_post;
EXECUTE p;
COPY (SELECT pk_post FROM tv_post) TO stdout;
CREATE TABLE copied AS SELECT * FROM tv_post;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM tv_post;
ROLLBACK;
EXPLAIN ANALYZE SELECT * FROM tv_post;
SELECT count(*) FROM tb_post p WHERE EXISTS (SELECT FROM tv_post t WHERE t.pk_post = p.pk_post);
SELECT test_error('SELECT * FROM pg_tviews_verify(''comment'')');
CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT count(*) FROM tv_post';
SELECT reads();
-- what lets sessions notice is made again
SELECT format('DROP STATISTICS %s', string_agg(quote_ident(stxname), ', ' ORDER BY stxname)) FROM pg_statistic_ext \gexec
\c -
SELECT count(*) FROM tv_post;
-- but what only names it, plans it, or copies the whole table, as dumps do
SELECT pg_relation_size('tv_post'::regclass) > 0 AS named;
EXPLAIN (COSTS OFF) SELECT * FROM tv_post;
COPY tv_comment (pk_comment, data) TO stdout;
ANALYZE tv_comment;
-- other TVIEWs
SELECT count(*) FROM tv_user;

-- the health check says so
SELECT status, component, regexp_replace(message, 'since .*:', 'since (time):') AS message
FROM pg_tviews_health_check(10) WHERE component IN ('metadata', 'drift', 'triggers', 'plans', 'privileges');
SELECT t ->> 'entity' AS entity FROM jsonb_array_elements(pg_tviews_support_report() -> 'tviews') t
WHERE t #>> '{metadata,suspended}' IS NOT NULL;
-- changes: the others see them, this one doesn't
UPDATE tb_user SET name = 'ann!' WHERE pk_user = 1;
INSERT INTO tb_comment (pk_comment, fk_post, fk_user, content)
SELECT n, 1 + n % 3, 1 + n % 2, 'loaded' FROM generate_series(10, 20) n;
DELETE FROM tb_comment WHERE pk_comment = 1;
SELECT * FROM test_error('SELECT * FROM posts');
SELECT data FROM tv_name ORDER BY 1;
SELECT data FROM tv_user ORDER BY 1;
SET pg_tviews.allow_suspended_reads = on;
SELECT * FROM posts ORDER BY 1;
SELECT count(*) FROM tv_comment;
SELECT * FROM test_oracle();
RESET pg_tviews.allow_suspended_reads;
SELECT test_error('SELECT * FROM tv_comment');

-- what else can be done with it meanwhile
SELECT test_error('SELECT pg_tviews_suspend(''comment'')');
SELECT test_error('SELECT pg_tviews_resume(''post'')');
SELECT test_error('SELECT pg_tviews_resume(''user'')');
SELECT test_error('SELECT pg_tviews_refresh(''comment'')');
SELECT test_error('SELECT pg_tviews_refresh(''post'')');
SELECT test_error('SELECT pg_tviews_repair(''comment'')');
SELECT test_error('DELETE FROM tv_comment');
SET client_min_messages = notice;
SELECT * FROM pg_tviews_repair();
SET client_min_messages = warning;
SELECT test_error($$CREATE TABLE tv_late AS SELECT pk_comment AS pk_late, v_comment.data FROM v_comment$$);
SELECT count(*) FROM pg_tviews_explain('comment');
ALTER TABLE tv_comment RENAME TO tv_remark;
SELECT entity, tview, cause FROM pg_tviews_suspended;
ALTER TABLE tv_remark RENAME TO tv_comment;

-- resumed: right, and refreshed again; each row is written once
SET pg_tviews.allow_suspended_reads = on;
SELECT test_remember('tv_comment', 'tv_post');
RESET pg_tviews.allow_suspended_reads;
SELECT * FROM pg_tviews_resume('comment');
SELECT tview, what, count(*) FROM test_written() GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM test_oracle();
SELECT * FROM posts ORDER BY 1;
TABLE pg_tviews_suspended;
SELECT * FROM test_error('SELECT pg_tviews_resume(''comment'')');
UPDATE tb_comment SET content = 'late' WHERE pk_comment = 20;
SELECT * FROM posts WHERE pk_post = 3;
SELECT * FROM test_oracle();
-- the tripwire stays, and a second one isn't laid
SELECT stxrelid::regclass, stxname FROM pg_statistic_ext ORDER BY 1;
SELECT count(*) FROM pg_tviews_suspend('comment');
SELECT * FROM pg_tviews_resume('comment');
SELECT stxrelid::regclass, stxname FROM pg_statistic_ext ORDER BY 1;
SELECT operation, entity, details - '{command,version,definition,options,key_column}'::text[] AS details
FROM pg_tview_audit_log WHERE details ->> 'command' ~ 'suspend|resume' ORDER BY log_id;

-- one that reads it is suspended by itself, too: it stays so
SELECT count(*) FROM pg_tviews_suspend('post');
SELECT count(*) FROM pg_tviews_suspend('user');
SELECT entity, cause FROM pg_tviews_suspended ORDER BY 1, 2;
UPDATE tb_post SET title = upper(title);
UPDATE tb_user SET name = upper(name);
SELECT * FROM pg_tviews_resume('user');
SELECT test_error('SELECT * FROM tv_post');
SELECT data FROM tv_user ORDER BY pk_user;
SELECT * FROM pg_tviews_resume('post');
SELECT * FROM test_oracle();

-- all in one transaction, in one with an old snapshot, and with savepoints
BEGIN;
SELECT count(*) FROM pg_tviews_suspend('user');
UPDATE tb_user SET name = lower(name);
SELECT * FROM pg_tviews_resume('user');
SELECT * FROM posts ORDER BY 1;
COMMIT;
SELECT * FROM test_oracle();
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE tb_post SET title = title || '?' WHERE pk_post = 1;
SELECT count(*) FROM pg_tviews_suspend('user');
UPDATE tb_user SET name = name || '?';
SELECT * FROM pg_tviews_resume('user');
SELECT * FROM posts ORDER BY 1;
COMMIT;
SELECT * FROM test_oracle();
BEGIN;
UPDATE tb_user SET name = 'before' WHERE pk_user = 1;
SAVEPOINT a;
SELECT count(*) FROM pg_tviews_suspend('user');
UPDATE tb_user SET name = 'within' WHERE pk_user = 2;
-- a flush that leaves it out
SET LOCAL pg_tviews.allow_suspended_reads = on;
SELECT data FROM tv_user ORDER BY pk_user;
ROLLBACK TO a;
SELECT data FROM tv_user ORDER BY pk_user;
SAVEPOINT b;
SELECT count(*) FROM pg_tviews_suspend('user');
UPDATE tb_user SET name = 'within' WHERE pk_user = 2;
SAVEPOINT c;
SELECT * FROM pg_tviews_resume('user');
SELECT data FROM tv_user ORDER BY pk_user;
ROLLBACK TO c;
SELECT test_error('SELECT * FROM tv_user');
RELEASE b;
COMMIT;
SELECT test_error('SELECT * FROM tv_user');
BEGIN;
SELECT * FROM pg_tviews_resume('user');
ROLLBACK;
SELECT test_error('SELECT * FROM tv_user');
SELECT * FROM pg_tviews_resume('user');
SELECT * FROM test_oracle();

-- what can't be rebuilt stays suspended
SELECT count(*) FROM pg_tviews_suspend('user');
ALTER TABLE tv_user ADD CONSTRAINT short CHECK (length(data ->> 'name') < 10) NOT VALID;
INSERT INTO tb_user (pk_user, name) VALUES (9, 'much too long');
SELECT test_error('SELECT * FROM pg_tviews_resume(''user'')') LIMIT 1;
SELECT test_error('SELECT * FROM tv_post');
ALTER TABLE tv_user DROP CONSTRAINT short;
-- nor does what changes go by
ALTER TABLE tb_user DISABLE TRIGGER "!tview_capture";
SELECT test_error('SELECT * FROM pg_tviews_resume(''user'')');
ALTER TABLE tb_user ENABLE TRIGGER "!tview_capture";
SELECT * FROM pg_tviews_resume('user');
SELECT * FROM test_oracle();

-- other definitions
SELECT count(*) FROM pg_tviews_suspend('user');
SELECT pg_tviews_alter('user', 'SELECT pk_user, id, name, jsonb_build_object(''name'', initcap(name)) AS data FROM tb_user');
CREATE OR REPLACE VIEW v_comment AS
SELECT tb_comment.pk_comment, tb_comment.fk_post,
	   jsonb_build_object('text', upper(tb_comment.content), 'by', v_user.data ->> 'name') AS data
FROM tb_comment LEFT JOIN v_user ON v_user.pk_user = tb_comment.fk_user;
SELECT test_error('SELECT * FROM tv_comment');
-- one that comes to read it is suspended with it
SELECT pg_tviews_alter('name', 'SELECT pk_user AS pk_name, data FROM v_user');
\c -
SELECT * FROM tv_name;
SELECT * FROM pg_tviews_resume('user');
SELECT * FROM posts ORDER BY 1;
SELECT * FROM test_oracle();
-- when one comes to read no suspended one any more, it is right again, and so
-- is what reads it, which has missed changes of other tables
CREATE TABLE tv_text AS
SELECT p.pk_post AS pk_text, jsonb_build_object('text', p.content, 'name', v_name.data) AS data
FROM tb_post p JOIN v_name ON v_name.pk_name = p.fk_user;
SELECT count(*) FROM pg_tviews_suspend('user');
UPDATE tb_post SET content = 'one';
SELECT pg_tviews_alter('name', 'SELECT pk_user AS pk_name, to_jsonb(name) AS data FROM tb_user');
SELECT data FROM tv_text ORDER BY 1;
SELECT tview FROM pg_tviews_suspended ORDER BY tview::text;
SELECT count(*) FROM pg_tviews_resume('user');
SELECT * FROM test_oracle();
CREATE VIEW named AS SELECT pk_user, data FROM v_user;
SELECT pg_tviews_alter('name', 'SELECT pk_user AS pk_name, data FROM named');
SELECT count(*) FROM pg_tviews_suspend('user');
UPDATE tb_post SET content = 'two';
CREATE OR REPLACE VIEW named AS SELECT pk_user, to_jsonb(name) AS data FROM tb_user;
SELECT data FROM tv_text ORDER BY 1;
SELECT count(*) FROM pg_tviews_resume('user');
SELECT * FROM test_oracle();
DROP TABLE tv_text;
SELECT pg_tviews_alter('name', 'SELECT pk_user AS pk_name, data FROM v_user');
DROP VIEW named;
-- TRUNCATE, and DDL of what it reads
SELECT count(*) FROM pg_tviews_suspend('comment');
TRUNCATE tb_comment;
ALTER TABLE tb_comment RENAME COLUMN content TO body;
INSERT INTO tb_comment (pk_comment, fk_post, body) VALUES (1, 1, 'new');
SELECT * FROM pg_tviews_resume('comment');
SELECT * FROM test_oracle();
-- captured by statement
SELECT pg_tviews_install_stmt_triggers('tb_comment');
SELECT count(*) FROM pg_tviews_suspend('comment');
INSERT INTO tb_comment (pk_comment, fk_post, body) SELECT n, 1 + n % 3, 'bulk' FROM generate_series(100, 200) n;
UPDATE tb_comment SET body = 'bulk!' WHERE pk_comment > 150;
DELETE FROM tb_comment WHERE pk_comment < 110;
SELECT * FROM pg_tviews_resume('comment');
SELECT * FROM test_oracle();
SELECT pg_tviews_install_row_triggers('tb_comment');
-- a foreign key to it can't be checked
CREATE TABLE likes (pk_post int REFERENCES tv_post);
INSERT INTO likes VALUES (1);
SELECT count(*) FROM pg_tviews_suspend('post');
SELECT test_error('INSERT INTO likes VALUES (2)');
SELECT count(*) FROM pg_tviews_resume('post');
DROP TABLE likes;

-- dropped: nothing is left
SELECT count(*) FROM pg_tviews_suspend('post');
DROP TABLE tv_post CASCADE;
TABLE pg_tviews_suspended;
CREATE TABLE tv_post AS SELECT pk_post, to_jsonb(title) AS data FROM tb_post;
SELECT pk_post, data FROM tv_post ORDER BY 1;

-- who may
CREATE ROLE regress_owner;
CREATE ROLE regress_reader;
GRANT SELECT, TRIGGER ON tb_post, v_post TO regress_owner;
GRANT USAGE ON SCHEMA public TO regress_reader, regress_owner;
GRANT SELECT ON tv_post TO regress_reader, regress_owner;
SET ROLE regress_reader;
SELECT test_error('SELECT pg_tviews_suspend(''post'')');
RESET ROLE;
ALTER TABLE tv_post OWNER TO regress_owner;
GRANT SELECT ON tv_post TO regress_reader;
SET ROLE regress_owner;
-- the tripwire is in the TVIEW's schema
SELECT test_error('SELECT pg_tviews_suspend(''post'')');
RESET ROLE;
GRANT CREATE ON SCHEMA public TO regress_owner;
SET ROLE regress_owner;
SELECT pg_tviews_suspend('post');
SET ROLE regress_reader;
SELECT test_error('SELECT * FROM tv_post');
SELECT test_error('SELECT pg_tviews_resume(''post'')');
SELECT * FROM pg_tviews_suspended WHERE false;
RESET ROLE;
UPDATE tb_post SET title = 'x';
SET ROLE regress_owner;
SELECT * FROM pg_tviews_resume('post');
RESET ROLE;
-- another role's TVIEW would go with it
CREATE TABLE tv_more AS SELECT pk_post AS pk_more, v_post.data FROM v_post;
SET ROLE regress_owner;
SELECT test_error('SELECT pg_tviews_suspend(''post'')');
RESET ROLE;
SELECT * FROM test_oracle();
DROP TABLE tv_more, tv_post;
DROP OWNED BY regress_owner, regress_reader;
DROP ROLE regress_owner, regress_reader;
SELECT * FROM test_oracle();
