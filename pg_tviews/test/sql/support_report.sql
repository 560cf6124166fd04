-- pg_tviews_support_report(): all that helps, and nothing of what is in rows.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post (pk_post int PRIMARY KEY, fk_user int NOT NULL REFERENCES tb_user, title text NOT NULL);
CREATE TABLE "tb_odd "" name" (pk_odd int PRIMARY KEY);
INSERT INTO tb_user VALUES (1, 'canary');
INSERT INTO tb_post VALUES (1, 1, 'canary');

-- without TVIEWs
CREATE FUNCTION shape() RETURNS TABLE (part text, type text, members bigint, error text)
LANGUAGE sql SET search_path = public AS $$
SELECT p.key, jsonb_typeof(p.value),
	   CASE jsonb_typeof(p.value) WHEN 'array' THEN jsonb_array_length(p.value) END,
	   CASE jsonb_typeof(p.value) WHEN 'object' THEN p.value ->> 'sqlstate' END
FROM jsonb_each(pg_tviews_support_report()) AS p WHERE p.key <> 'health' ORDER BY 1
$$;
SELECT * FROM shape();

CREATE TABLE tv_user AS SELECT u.pk_user, jsonb_build_object('name', u.name) AS data FROM tb_user u;
CREATE VIEW v_helper AS SELECT p.pk_post, p.fk_user, p.title FROM tb_post p;
CREATE TABLE tv_post AS
SELECT h.pk_post, jsonb_build_object('title', h.title, 'user', v.data) AS data
FROM v_helper h JOIN v_user v ON v.pk_user = h.fk_user;
CREATE TABLE "tv_Odd $ ""name""" AS SELECT o.pk_odd AS "pk_Odd $ ""name""", '{}'::jsonb AS data FROM "tb_odd "" name" o;
SELECT * FROM shape();

-- a refresh that fails has a value in its message
ALTER TABLE tv_user ADD CONSTRAINT short CHECK (length((data ->> 'name')::int::text) > 0) NOT VALID;
SELECT test_error('UPDATE tb_user SET name = ''canary 2''; SELECT count(*) FROM tv_user');
SELECT s.last_error FROM pg_tviews_performance_summary s WHERE s.entity = 'user';
BEGIN;
ALTER TABLE tv_user DROP CONSTRAINT short;
UPDATE tb_user SET name = 'canary 3';
SELECT count(*) FROM tv_post;
UPDATE tb_user SET name = 'canary 4';
CREATE TEMP TABLE report AS SELECT pg_tviews_support_report() AS r;
SELECT * FROM shape();
ROLLBACK;
SELECT r::text ~ 'canary' AS has_rows FROM (SELECT pg_tviews_support_report() AS r) AS x;

-- what is in it
CREATE TEMP TABLE report AS SELECT pg_tviews_support_report() AS r;
SELECT jsonb_path_query(r, '$.tviews[*].entity'), jsonb_path_query(r, '$.tviews[*].metadata.tview') FROM report;
SELECT jsonb_path_query(r, '$.tviews[*] ? (@.entity == "post").metadata.definition') FROM report;
SELECT jsonb_path_query(r, '$.derivations[*].way ? (@.missing_index != null).missing_index') FROM report;
SELECT jsonb_path_query(r, '$.tables[*] ? (@.relname == "tb_post").triggers') FROM report;
SELECT jsonb_path_query(r, '$.statistics[*] ? (@.entity == "user").last_error_code') FROM report;
SELECT r #>> '{versions,library}' = pg_tviews_version(), r #> '{settings}' ? 'max_locks_per_transaction', r #> '{settings}' ? 'pg_tviews.queue_limit' FROM report;

-- anybody may ask; what they may not see is said
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA public TO regress_reader;
REVOKE SELECT ON pg_tviews_cache_stats FROM PUBLIC;
SET ROLE regress_reader;
SELECT pg_tviews_support_report() -> 'caches';
SELECT jsonb_array_length(pg_tviews_support_report() -> 'tviews');
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;

-- nothing is written
BEGIN READ ONLY;
SELECT jsonb_typeof(pg_tviews_support_report());
COMMIT;
-- nor does a broken TVIEW keep the rest away
BEGIN;
UPDATE pg_tview_meta SET tview = 1::regclass WHERE entity = 'post';
SELECT * FROM shape() WHERE error IS NOT NULL OR part = 'tviews';
ROLLBACK;
