-- pg_tviews_verify() shows every key whose row is not what the view returns,
-- and writes nothing; pg_tviews_refresh() writes those rows, and no others.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\set blog :test /include/blog.sql
\i :start
\i :blog
SELECT * FROM pg_tviews_verify('post');
SELECT * FROM pg_tviews_refresh('post');

-- damage: only the owner can do it, and only on purpose
ALTER TABLE tv_post DISABLE TRIGGER "!tview_guard";
UPDATE tv_post SET data = '{}' WHERE pk_post = 1;
UPDATE tv_post SET user_id = NULL WHERE pk_post = 2;
DELETE FROM tv_post WHERE pk_post = 3;
INSERT INTO tv_post (pk_post, data, updated_at) VALUES (7, '{}', now());
ALTER TABLE tv_post ENABLE TRIGGER "!tview_guard";
SELECT * FROM pg_tviews_verify('post') ORDER BY key;
SELECT * FROM test_oracle();
BEGIN READ ONLY;
SELECT count(*) FROM pg_tviews_verify('tv_post');
COMMIT;
SELECT * FROM pg_tviews_verify('post') ORDER BY key;

-- repair
SELECT test_remember('tv_post');
SELECT * FROM pg_tviews_refresh('post');
SELECT * FROM test_written();
SELECT * FROM pg_tviews_verify('post');
SELECT * FROM posts ORDER BY 1;
SELECT test_remember('tv_post');
SELECT * FROM pg_tviews_refresh('public.tv_post');
SELECT * FROM test_written();

-- duplicates and null keys can only be in a table without its constraints
ALTER TABLE tv_post DISABLE TRIGGER "!tview_guard";
ALTER TABLE tv_post DROP CONSTRAINT tv_post_pkey, ALTER pk_post DROP NOT NULL;
INSERT INTO tv_post SELECT * FROM tv_post WHERE pk_post = 1;
INSERT INTO tv_post (data, updated_at) VALUES ('{}', now());
SELECT * FROM pg_tviews_verify('post') ORDER BY key;
DELETE FROM tv_post;
INSERT INTO tv_post (pk_post, id, fk_user, user_id, data, updated_at)
SELECT pk_post, id, fk_user, user_id, data, now() FROM v_post;
ALTER TABLE tv_post ADD PRIMARY KEY (pk_post);
ALTER TABLE tv_post ENABLE TRIGGER "!tview_guard";
SELECT * FROM pg_tviews_verify('post');

-- a repair of what others read reaches them
SET session_replication_role = replica;
UPDATE tv_user SET data = '{"name": "nobody"}' WHERE pk_user = 1;
RESET session_replication_role;
UPDATE tb_post SET fk_user = 1 WHERE pk_post = 3;
SELECT * FROM posts ORDER BY 1;
SELECT tview, v.* FROM pg_tview_meta, pg_tviews_verify(entity) v ORDER BY entity;
SELECT * FROM pg_tviews_refresh('user');
SELECT * FROM posts ORDER BY 1;
SELECT tview, v.* FROM pg_tview_meta, pg_tviews_verify(entity) v ORDER BY entity;

-- what waits in the queue is no difference
BEGIN;
UPDATE tb_user SET name = 'ada' WHERE pk_user = 1;
SELECT * FROM pg_tviews_verify('user');
SELECT * FROM pg_tviews_verify('post');
UPDATE tb_user SET name = 'eva' WHERE pk_user = 1;
SELECT * FROM pg_tviews_refresh('user');
SELECT * FROM posts ORDER BY 1;
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE tb_user SET name = 'ada' WHERE pk_user = 1;
SELECT * FROM pg_tviews_refresh('post');
COMMIT;

-- who may
CREATE ROLE regress_reader;
GRANT SELECT ON tv_post, v_post TO regress_reader;
SET ROLE regress_reader;
SELECT * FROM pg_tviews_verify('post');
SELECT * FROM pg_tviews_refresh('post');
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
SELECT * FROM test_oracle();
