-- Partitioned tables are maintained from like any others: rows that are
-- written through the parent, straight at a partition, or that move; partitions
-- that come and go.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE FUNCTION captured() RETURNS TABLE (name text) LANGUAGE sql AS $$
	SELECT tgrelid::regclass || ' ' || string_agg(trim(leading '!' FROM tgname), ', ' ORDER BY tgname)
	FROM pg_trigger WHERE tgname LIKE '!tview_c%' OR tgname LIKE '!tview_t%'
	GROUP BY tgrelid ORDER BY tgrelid::regclass::text COLLATE "C"
$$;

-- two levels: range, then list and hash; numbers of columns differ everywhere
CREATE TABLE tb_post (gone int, title text, pk_post int NOT NULL, fk_user int, at date NOT NULL)
	PARTITION BY RANGE (at);
ALTER TABLE tb_post DROP COLUMN gone;
CREATE INDEX ON tb_post (pk_post);
CREATE INDEX ON tb_post (fk_user);
CREATE TABLE post_2020 PARTITION OF tb_post FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE post_2021 (at date NOT NULL, x text, fk_user int, pk_post int NOT NULL, title text)
	PARTITION BY LIST (fk_user);
ALTER TABLE post_2021 DROP COLUMN x;
CREATE TABLE post_2021_1 (title text, y int, z int, at date NOT NULL, pk_post int NOT NULL, fk_user int);
ALTER TABLE post_2021_1 DROP COLUMN y, DROP COLUMN z;
ALTER TABLE post_2021 ATTACH PARTITION post_2021_1 FOR VALUES IN (1);
CREATE TABLE post_2021_rest PARTITION OF post_2021 DEFAULT PARTITION BY HASH (title);
CREATE TABLE post_2021_a PARTITION OF post_2021_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE post_2021_b PARTITION OF post_2021_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
ALTER TABLE tb_post ATTACH PARTITION post_2021 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE tb_user (name text, pk_user int PRIMARY KEY) PARTITION BY LIST (pk_user);
CREATE TABLE user_1 (pk_user int NOT NULL, name text);
ALTER TABLE tb_user ATTACH PARTITION user_1 FOR VALUES IN (1);
CREATE TABLE user_rest PARTITION OF tb_user DEFAULT;
INSERT INTO tb_user (pk_user, name) VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Cyd');
INSERT INTO tb_post (pk_post, title, fk_user, at)
SELECT i, 'post ' || i, 1 + i % 3, '2020-06-01'::date + i % 2 * 365 FROM generate_series(1, 12) i;

CREATE TABLE tv_post AS
SELECT p.pk_post, p.fk_user,
	   jsonb_build_object('title', p.title, 'at', p.at, 'user', u.name) AS data
FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user;
CREATE TABLE tv_user AS
SELECT u.pk_user, jsonb_build_object('row', to_jsonb(u), 'posts',
	(SELECT jsonb_agg(v_post.data ORDER BY pk_post) FROM v_post WHERE fk_user = u.pk_user)) AS data
FROM tb_user u;
-- a partition is a table too: the same rows in two roles
CREATE TABLE tv_single AS
SELECT a.pk_post AS pk_single, jsonb_build_object('title', a.title, 'others',
	(SELECT count(*) FROM tb_post p WHERE p.fk_user = a.fk_user)) AS data
FROM post_2021_a a;
SELECT * FROM captured();
SELECT * FROM test_oracle();

-- through the parent, through an intermediate, and straight at the leaves
INSERT INTO tb_post (pk_post, title, fk_user, at) VALUES (20, 'new', 1, '2020-02-02'), (21, 'new', 2, '2021-02-02');
INSERT INTO post_2021 (pk_post, title, fk_user, at) VALUES (22, 'new', 1, '2021-02-02');
INSERT INTO post_2021_1 (pk_post, title, fk_user, at) VALUES (23, 'new', 1, '2021-02-02');
UPDATE post_2021_1 SET title = 'one' WHERE pk_post = 23;
UPDATE post_2021_rest SET title = 'rest of ' || pk_post;
UPDATE user_1 SET name = 'Ada L.';
SELECT data ->> 'user' AS user, count(*) FROM tv_post GROUP BY 1 ORDER BY 1;
DELETE FROM post_2020 WHERE pk_post = 20;
COPY post_2021_1 (pk_post, title, fk_user, at) FROM stdin;
24	copied	1	2021-03-03
\.
SELECT pk_post, data FROM tv_post WHERE pk_post >= 20 ORDER BY 1;
SELECT * FROM test_oracle();
-- a column that nobody uses costs nothing
ALTER TABLE tb_post ADD COLUMN views int;
SELECT * FROM test_oracle();
SELECT test_remember('tv_post');
UPDATE tb_post SET views = pk_post;
UPDATE post_2021_1 SET views = 2, title = title;
SELECT * FROM test_written();

-- rows that move, at each level
UPDATE tb_post SET at = '2021-12-12' WHERE pk_post IN (2, 4);
UPDATE tb_post SET fk_user = 4 - fk_user WHERE at > '2021-01-01';
UPDATE tb_post SET at = '2020-12-12', fk_user = 1 WHERE pk_post = 2;
UPDATE post_2021 SET fk_user = 1, title = 'moved' WHERE fk_user = 3;
UPDATE tb_user SET pk_user = 5 WHERE pk_user = 1;
SELECT * FROM test_oracle();
UPDATE tb_user SET pk_user = 1 WHERE pk_user = 5;
MERGE INTO tb_post t USING (SELECT 21 AS k) s ON t.pk_post = s.k
WHEN MATCHED THEN UPDATE SET at = '2020-01-01', title = 'merged';
INSERT INTO tb_user (pk_user, name) VALUES (1, 'x') ON CONFLICT (pk_user) DO UPDATE SET name = 'upserted';
SELECT data FROM tv_post WHERE pk_post = 21;
SELECT * FROM test_oracle();
-- rolled back
BEGIN;
UPDATE tb_post SET at = '2021-05-05';
SAVEPOINT s;
DELETE FROM post_2021_1;
SELECT count(*) FROM tv_post;
ROLLBACK TO s;
SELECT count(*) FROM tv_post;
ROLLBACK;
SELECT * FROM test_oracle();

-- partitions made later, attached, detached, dropped, truncated
CREATE TABLE post_2022 PARTITION OF tb_post FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
INSERT INTO post_2022 (pk_post, title, fk_user, at) VALUES (30, 'made later', 1, '2022-01-01');
CREATE TABLE post_2023 (LIKE tb_post INCLUDING ALL) PARTITION BY LIST (fk_user);
CREATE TABLE post_2023_1 PARTITION OF post_2023 FOR VALUES IN (1);
INSERT INTO post_2023 (pk_post, title, fk_user, at) VALUES (31, 'attached', 1, '2023-01-01');
BEGIN;
ALTER TABLE tb_post ATTACH PARTITION post_2023 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
SELECT pk_post, data ->> 'title' FROM tv_post WHERE pk_post >= 30 ORDER BY 1;
INSERT INTO tb_post (pk_post, title, fk_user, at) VALUES (32, 'after', 1, '2023-01-01');
COMMIT;
SELECT pk_post, data ->> 'title' FROM tv_post WHERE pk_post >= 30 ORDER BY 1;
SELECT * FROM captured();
SELECT * FROM test_oracle();
BEGIN;
ALTER TABLE tb_post DETACH PARTITION post_2023;
SELECT count(*) FROM tv_post WHERE pk_post >= 30;
ROLLBACK;
SELECT count(*) FROM tv_post WHERE pk_post >= 30;
DO $$
BEGIN
	ALTER TABLE tb_post DETACH PARTITION post_2023;
	RAISE EXCEPTION 'back';
EXCEPTION WHEN raise_exception THEN
	DROP TABLE post_2023;
END $$;
SELECT count(*) FROM tv_post WHERE pk_post >= 30;
SELECT * FROM test_oracle();
ALTER TABLE tb_post DETACH PARTITION post_2022;
SELECT count(*) FROM tv_post WHERE pk_post >= 30;
SELECT * FROM captured();
INSERT INTO post_2022 (pk_post, title, fk_user, at) VALUES (33, 'detached', 1, '2022-01-02');
ALTER TABLE tb_post ATTACH PARTITION post_2022 FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
TRUNCATE post_2021_1;
SELECT count(*) FROM tv_post;
TRUNCATE post_2021;
SELECT count(*) FROM tv_post;
SELECT * FROM test_oracle();
-- one that a TVIEW reads by itself, too
ALTER TABLE tb_post DETACH PARTITION post_2021;
SELECT * FROM captured();
ALTER TABLE tb_post ATTACH PARTITION post_2021 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
INSERT INTO tb_post (pk_post, title, fk_user, at) SELECT 50 + i, 'n' || i, 2, '2021-01-01' FROM generate_series(1, 4) i;
SELECT pg_tviews_drop('single');
SELECT * FROM captured();
SELECT * FROM test_oracle();
CREATE SCHEMA other CREATE TABLE post_2024 PARTITION OF public.tb_post FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO other.post_2024 (pk_post, title, fk_user, at) VALUES (60, 'other', 1, '2024-01-01');
SELECT pk_post FROM tv_post WHERE pk_post = 60;
SET client_min_messages = warning;
DROP SCHEMA other CASCADE;
RESET client_min_messages;
SELECT pk_post FROM tv_post WHERE pk_post = 60;
TRUNCATE tb_post;
SELECT count(*) FROM tv_post;
SELECT * FROM test_oracle();
INSERT INTO tb_post (pk_post, title, fk_user, at) SELECT i, 'n' || i, 2, '2021-01-01' FROM generate_series(1, 4) i;

-- what the server does not do in one transaction, and what is no ordinary table
\pset format unaligned
\pset tuples_only on
SELECT test_error('ALTER TABLE tb_post DETACH PARTITION post_2020 CONCURRENTLY');
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE TABLE tb_plain (pk_plain int, k int) PARTITION BY LIST (k);
CREATE TABLE tv_plain AS SELECT pk_plain, '{}'::jsonb AS data FROM tb_plain;
SELECT test_error('CREATE FOREIGN TABLE plain_far PARTITION OF tb_plain FOR VALUES IN (9) SERVER nowhere');
CREATE TABLE tb_sub (pk_plain int, k int) PARTITION BY LIST (pk_plain);
CREATE FOREIGN TABLE sub_far PARTITION OF tb_sub FOR VALUES IN (1) SERVER nowhere;
SELECT test_error('ALTER TABLE tb_plain ATTACH PARTITION tb_sub FOR VALUES IN (1)');
SELECT test_error('CREATE TABLE tv_sub AS SELECT pk_plain AS pk_sub, ''{}''::jsonb AS data FROM tb_sub');
\pset tuples_only off
\pset format aligned
-- duplicate and null keys are errors wherever they are
CREATE TABLE plain_1 PARTITION OF tb_plain FOR VALUES IN (1);
CREATE TABLE plain_2 PARTITION OF tb_plain FOR VALUES IN (2);
INSERT INTO tb_plain VALUES (1, 1);
\set VERBOSITY terse
INSERT INTO plain_2 VALUES (1, 2);
INSERT INTO plain_2 VALUES (NULL, 2);
UPDATE tb_plain SET k = 2;
SELECT * FROM plain_2;
SELECT * FROM test_oracle();
-- the parent's rows alone are none
CREATE TABLE tv_only AS SELECT pk_plain AS pk_only, '{}'::jsonb AS data FROM ONLY tb_plain;
INSERT INTO tb_plain VALUES (2, 1);
SELECT count(*) FROM tv_only;
-- triggers that are dropped come back
SET client_min_messages = notice;
DROP TRIGGER "!tview_truncate" ON tb_plain;
DROP TRIGGER "!tview_capture" ON plain_1;
RESET client_min_messages;
UPDATE plain_1 SET k = 1, pk_plain = 3;
SELECT * FROM test_oracle();
-- event triggers of users may do the same kind of thing in between
CREATE FUNCTION meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	IF to_regclass('plain_1') IS NOT NULL THEN
		DROP TABLE plain_1;
	END IF;
END $$;
CREATE EVENT TRIGGER a_meddle ON sql_drop EXECUTE FUNCTION meddle();
DROP TABLE plain_2;
DROP EVENT TRIGGER a_meddle;
SELECT count(*) FROM tv_plain;
SELECT * FROM test_oracle();
DROP FOREIGN DATA WRAPPER nothing CASCADE;
SELECT pg_tviews_drop('plain'), pg_tviews_drop('only'), pg_tviews_drop('user'), pg_tviews_drop('post');
SELECT * FROM captured();
