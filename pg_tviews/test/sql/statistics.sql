-- Statistics count what refreshes do: keys, rows, errors, rebuilds, whether
-- or not their transaction commits.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text NOT NULL, note text);
CREATE TABLE tb_post (pk_post int PRIMARY KEY, fk_user int NOT NULL, title text NOT NULL);
CREATE INDEX ON tb_post (fk_user);
INSERT INTO tb_user SELECT i, 'user ' || i FROM generate_series(1, 4) AS i;
INSERT INTO tb_post SELECT i, 1 + i % 4, 'title' FROM generate_series(1, 20) AS i;
CREATE TABLE tv_user AS
SELECT u.pk_user, jsonb_build_object('name', u.name) AS data FROM tb_user u;
CREATE TABLE tv_post AS
SELECT p.pk_post, jsonb_build_object('title', p.title, 'user', v.data) AS data
FROM tb_post p JOIN v_user v ON v.pk_user = p.fk_user;

CREATE VIEW counters AS
SELECT s.entity, s.total_refreshes AS n, s.rebuilds AS reb, s.keys_derived AS keys, s.patches AS pat,
	   s.rows_inserted AS ins, s.rows_updated AS upd, s.rows_deleted AS del, s.rows_unchanged AS unch, s.errors AS err
FROM pg_tviews_performance_summary s ORDER BY s.entity;
\pset tuples_only off

-- nothing yet, but a row for each TVIEW
SELECT * FROM counters;
SELECT bool_and(s.avg_refresh_ms IS NULL AND s.max_refresh_ms IS NULL AND s.p50_refresh_ms IS NULL AND s.last_refresh IS NULL AND s.stats_since IS NULL AND s.lock_wait_ms = 0)
FROM pg_tviews_performance_summary s;

-- a user with five posts: keys of both
UPDATE tb_user SET name = 'Ada' WHERE pk_user = 1;
SELECT * FROM counters;
-- a column that nobody reads
UPDATE tb_user SET note = 'x';
-- changed and changed back: derived, recomputed, not written
BEGIN;
UPDATE tb_user SET name = 'Bob' WHERE pk_user = 1;
UPDATE tb_user SET name = 'Ada' WHERE pk_user = 1;
COMMIT;
SELECT * FROM counters;
INSERT INTO tb_post VALUES (21, 1, 'new'), (22, 2, 'new');
DELETE FROM tb_post WHERE pk_post < 4;
SELECT * FROM counters;
-- a read in the middle is a refresh of its own; rolled back, it has been done all the same
BEGIN;
UPDATE tb_post SET title = 'read' WHERE pk_post = 10;
SELECT count(*) FROM tv_post;
UPDATE tb_post SET title = 'again' WHERE pk_post = 10;
SAVEPOINT s;
UPDATE tb_post SET title = 'undone' WHERE pk_post = 11;
SELECT count(*) FROM tv_post;
ROLLBACK TO s;
ROLLBACK;
SELECT * FROM counters WHERE entity = 'post';
-- all of it: what pg_tviews_refresh() and TRUNCATE take
SELECT * FROM pg_tviews_refresh('post');
TRUNCATE tb_post;
SELECT * FROM counters WHERE entity = 'post';

-- times
SELECT s.entity, s.avg_refresh_ms BETWEEN 0.001 AND s.max_refresh_ms AS avg,
	   s.p50_refresh_ms > 0 AND s.p50_refresh_ms <= s.p95_refresh_ms AND s.p95_refresh_ms <= s.p99_refresh_ms AND s.p99_refresh_ms <= s.max_refresh_ms AS percentiles,
	   abs(s.total_refresh_ms - s.avg_refresh_ms * s.total_refreshes) < 0.001 AS total,
	   s.last_refresh BETWEEN now() - interval '1 hour' AND clock_timestamp() AS last,
	   s.stats_since < s.last_refresh AS since, s.last_error IS NULL AS no_error
FROM pg_tviews_performance_summary s ORDER BY 1;

-- what fails is counted, with the last message
ALTER TABLE tv_user ADD CONSTRAINT short CHECK (length(data ->> 'name') < 10);
SELECT test_error($$UPDATE tb_user SET name = 'much too long a name' WHERE pk_user = 2; SELECT count(*) FROM tv_user$$);
SELECT s.entity, s.errors, s.last_error_code, s.last_error, s.last_error_at <= clock_timestamp() AS at
FROM pg_tviews_performance_summary s ORDER BY 1;
SELECT * FROM counters WHERE entity = 'user';

-- messages of errors may say what is in rows
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA public TO regress_reader;
SET ROLE regress_reader;
SELECT s.entity, s.errors, s.last_error_code, s.last_error FROM pg_tviews_performance_summary s ORDER BY 1;
SELECT count(*) FROM pg_tviews_cache_stats;
SELECT test_error('SELECT pg_tviews_stats_reset()');
SELECT test_error($$SELECT pg_tviews_stats_reset('user')$$);
RESET ROLE;
GRANT pg_read_all_stats TO regress_reader;
SET ROLE regress_reader;
SELECT s.last_error FROM pg_tviews_performance_summary s WHERE s.entity = 'user';
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;

-- reset: one, all, and what can't be
SELECT pg_tviews_stats_reset('post');
SELECT * FROM counters;
SELECT s.stats_since > now() - interval '1 hour', s.max_refresh_ms FROM pg_tviews_performance_summary s WHERE s.entity = 'post';
SELECT pg_tviews_stats_reset();
SELECT * FROM counters;
SELECT test_error($$SELECT pg_tviews_stats_reset('nothing')$$);

-- caches: an entry for each TVIEW and table that this session knows, at least
INSERT INTO tb_post VALUES (1, 1, 'one');
SELECT c.cache_type, c.entries >= CASE c.cache_type WHEN 'table' THEN 1 ELSE 2 END AS entries, c.estimated_size > 1000 AS size, c.hits > 0 AS hits,
	   c.misses >= 0 AS misses, c.invalidations >= 0 AS invalidations
FROM pg_tviews_cache_stats c;
-- DDL makes a plan, and what to capture of each table, out of date
CREATE TEMP TABLE before AS SELECT * FROM pg_tviews_cache_stats;
ALTER TABLE tb_post ADD COLUMN more int;
INSERT INTO tb_post VALUES (2, 1, 'two');
SELECT c.cache_type, c.misses > b.misses AS missed, c.invalidations > b.invalidations AS invalidated
FROM pg_tviews_cache_stats c JOIN before b USING (cache_type) WHERE c.cache_type <> 'graph';
-- and a new TVIEW what TVIEWs there are
CREATE TABLE tv_other AS SELECT pk_user AS pk_other, '{}'::jsonb AS data FROM tb_user;
INSERT INTO tb_post VALUES (3, 1, 'three');
SELECT c.misses > b.misses AS missed, c.invalidations > b.invalidations AS invalidated
FROM pg_tviews_cache_stats c JOIN before b USING (cache_type) WHERE c.cache_type = 'graph';

-- the queue of this session
SELECT count(*) FROM pg_tviews_queue_realtime q WHERE q.backend_pid = pg_backend_pid();
SET application_name = $$a 'name'$$;
BEGIN;
UPDATE tb_user SET name = 'x';
INSERT INTO tb_post VALUES (5, 1, 'five');
SELECT q.session, q.transaction_id = pg_current_xact_id()::xid AS xid, q.queue_size, q.entities, q.oldest_enqueued <= q.last_enqueued AS times,
	   q.last_enqueued <= clock_timestamp() AS past, q.memory_bytes > 1000 AS memory, q.state
FROM pg_tviews_queue_realtime q WHERE q.backend_pid = pg_backend_pid();
SAVEPOINT s;
UPDATE tb_post SET title = 'y';
SELECT q.queue_size FROM pg_tviews_queue_realtime q WHERE q.backend_pid = pg_backend_pid();
ROLLBACK TO s;
SELECT q.queue_size FROM pg_tviews_queue_realtime q WHERE q.backend_pid = pg_backend_pid();
SELECT count(*) FROM tv_post;
SELECT count(*) FROM pg_tviews_queue_realtime q WHERE q.backend_pid = pg_backend_pid();
UPDATE tb_user SET name = 'z';
SELECT q.queue_size, q.entities FROM pg_tviews_queue_realtime q WHERE q.backend_pid = pg_backend_pid();
ROLLBACK;
SELECT count(*) FROM pg_tviews_queue_realtime q WHERE q.backend_pid = pg_backend_pid();
-- a flush that fails in a subtransaction is over
DO $$
BEGIN
	INSERT INTO tb_user VALUES (9, 'again much too long');
	PERFORM FROM tv_user;
EXCEPTION WHEN check_violation THEN
	RAISE WARNING '%', (SELECT count(*) FROM pg_tviews_queue_realtime q WHERE q.backend_pid = pg_backend_pid());
END $$;

-- progress of a rebuild as a trigger sees it, and none after that
CREATE FUNCTION see_progress() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE WARNING '%', (SELECT row(p.entity, p.phase, p.estimated_total IS NULL, p.started <= clock_timestamp())
						FROM public.pg_tviews_progress p WHERE p.backend_pid = pg_backend_pid());
	RETURN NULL;
END $$;
CREATE TRIGGER see_progress AFTER UPDATE ON tv_other FOR EACH STATEMENT EXECUTE FUNCTION see_progress();
SELECT * FROM pg_tviews_refresh('other');
SELECT count(*) FROM pg_tviews_progress;
-- nor after one that failed in a subtransaction
CREATE TABLE tb_bad (pk_bad int PRIMARY KEY, n int);
INSERT INTO tb_bad VALUES (1, 0);
DO $$
BEGIN
	PERFORM pg_tviews_create('bad', 'SELECT pk_bad, jsonb_build_object(''n'', 1 / n) AS data FROM tb_bad');
EXCEPTION WHEN division_by_zero THEN
	RAISE WARNING '%', (SELECT count(*) FROM pg_tviews_progress);
END $$;

-- nothing is counted with track_counts off
SELECT pg_tviews_stats_reset();
SET track_counts = off;
UPDATE tb_user SET name = 'off';
RESET track_counts;
SELECT sum(n) FROM counters;
-- a dropped TVIEW is forgotten; one whose drop was undone is not
UPDATE tb_user SET name = 'on';
BEGIN;
SAVEPOINT s;
DROP TABLE tv_other;
ROLLBACK TO s;
COMMIT;
BEGIN;
DROP TABLE tv_post;
ROLLBACK;
SELECT entity, n FROM counters;
SELECT count(*) FROM pg_tviews_statistics();
DROP TABLE tv_other;
SELECT entity, n FROM counters;
SELECT * FROM test_oracle();
