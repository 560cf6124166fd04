-- pg_tviews_suggest_indexes() names the indexes that refreshes lack, once for
-- all TVIEWs; when its statements have been run, it is silent, and plans use
-- the indexes.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on

CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text);
CREATE TABLE tb_post (pk_post int PRIMARY KEY, fk_user int, "Tag" text, day date, n int);
CREATE TABLE tb_comment (pk_comment int PRIMARY KEY, fk_post int, fk_user int);
CREATE TABLE tb_log (pk_log int, fk_user int, at date) PARTITION BY RANGE (at);
CREATE TABLE tb_log_2024 PARTITION OF tb_log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE tb_log_2025 PARTITION OF tb_log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO tb_user SELECT i, 'user ' || i FROM generate_series(1, 100) i;
INSERT INTO tb_post SELECT i, i % 100 + 1, 'tag ' || i % 7, date '2024-01-01' + i % 7, i FROM generate_series(1, 2000) i;
INSERT INTO tb_comment SELECT i, i % 2000 + 1, i % 100 + 1 FROM generate_series(1, 4000) i;
INSERT INTO tb_log SELECT i, i % 100 + 1, date '2024-01-01' + i % 700 FROM generate_series(1, 1000) i;
ANALYZE tb_user, tb_post, tb_comment, tb_log;

-- none without TVIEWs
SELECT * FROM pg_tviews_suggest_indexes();

CREATE TABLE tv_user AS
SELECT u.pk_user, jsonb_build_object('name', u.name,
    'posts', (SELECT count(*) FROM tb_post p WHERE p.fk_user = u.pk_user)) AS data
FROM tb_user u;
CREATE TABLE tv_post AS
SELECT p.pk_post, jsonb_build_object('author', u.name,
    'same', (SELECT count(*) FROM tb_post o WHERE o."Tag" = p."Tag" AND o.day = p.day),
    'comments', (SELECT count(*) FROM tb_comment c WHERE c.fk_post = p.pk_post)) AS data
FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user;
CREATE TABLE tv_comment AS
SELECT c.pk_comment, jsonb_build_object('n', p.n, 'tagged',
    (SELECT count(*) FROM tb_post o WHERE o."Tag" = p."Tag"),
    'named', (SELECT min(o.pk_user) FROM tb_user o WHERE lower(o.name) = p."Tag")) AS data
FROM tb_comment c JOIN tb_post p ON p.pk_post = c.fk_post;
CREATE TABLE tv_log AS
SELECT l.pk_log, jsonb_build_object('user', u.name) AS data
FROM tb_log l JOIN tb_user u ON u.pk_user = l.fk_user;

SELECT * FROM pg_tviews_suggest_indexes();
SELECT statement FROM pg_tviews_suggest_indexes('user');
SELECT statement FROM pg_tviews_suggest_indexes('public.tv_log');

-- indexes that look like it and won't do: invalid, partial, of another kind,
-- with the column in second place
CREATE INDEX post_partial ON tb_post (fk_user) WHERE fk_user > 7;
CREATE INDEX post_brin ON tb_post USING brin (fk_user);
CREATE INDEX post_second ON tb_post (n, fk_user);
CREATE INDEX comment_invalid ON tb_comment (fk_post);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'comment_invalid'::regclass;
CREATE INDEX log_invalid ON ONLY tb_log (fk_user);
SELECT statement, status, existing, reason FROM pg_tviews_suggest_indexes() WHERE existing IS NOT NULL;

-- a partial one is worth less than an invalid one
CREATE INDEX comment_partial ON tb_comment (fk_post) WHERE fk_post > 7;
SELECT statement, status, existing FROM pg_tviews_suggest_indexes('comment') WHERE "table" = 'tb_comment'::regclass;

-- one TVIEW that is broken doesn't hide what others lack
ALTER EVENT TRIGGER pg_tviews_ddl_command_start DISABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end DISABLE;
CREATE OR REPLACE VIEW v_user AS
SELECT u.pk_user, jsonb_build_object('posts', p.n) AS data
FROM tb_user u LEFT JOIN (SELECT count(*) AS n FROM tb_post) p ON true;
ALTER EVENT TRIGGER pg_tviews_ddl_command_start ENABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end ENABLE;
SELECT tviews, "table", statement, status, existing, estimated_rows FROM pg_tviews_suggest_indexes();
SELECT status, reason FROM pg_tviews_suggest_indexes('user');
ALTER EVENT TRIGGER pg_tviews_ddl_command_start DISABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end DISABLE;
CREATE OR REPLACE VIEW v_user AS
SELECT u.pk_user, jsonb_build_object('name', u.name,
    'posts', (SELECT count(*) FROM tb_post p WHERE p.fk_user = u.pk_user)) AS data
FROM tb_user u;
ALTER EVENT TRIGGER pg_tviews_ddl_command_start ENABLE;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end ENABLE;

-- run them, and there is nothing left
SELECT statement FROM pg_tviews_suggest_indexes() \gexec
SELECT * FROM pg_tviews_suggest_indexes();
SELECT indexdef FROM pg_indexes
WHERE schemaname = 'public' AND tablename ~ '^tb_' AND indexname !~ 'pkey$|partial|brin|second' ORDER BY 1;
SELECT relname, indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = 'comment_invalid';

-- anybody may ask
CREATE ROLE regress_suggest;
SET ROLE regress_suggest;
SELECT count(*) FROM pg_tviews_suggest_indexes();
RESET ROLE;
DROP ROLE regress_suggest;

\set VERBOSITY sqlstate
SELECT * FROM pg_tviews_suggest_indexes('nothing');
SELECT * FROM pg_tviews_suggest_indexes('a.b.c');

UPDATE tb_post SET fk_user = 1, "Tag" = 'tag 1' WHERE pk_post < 4;
SELECT * FROM test_oracle();
