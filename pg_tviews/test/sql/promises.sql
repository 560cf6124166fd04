-- The promises of the design, each by its name, as far as one session can
-- show them.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\set blog :test /include/blog.sql
\i :start
\i :blog

-- P1: after every COMMIT, at every isolation level, tv_ = v_
BEGIN ISOLATION LEVEL READ COMMITTED;
UPDATE tb_user SET name = 'ann 1' WHERE pk_user = 1;
COMMIT;
SELECT * FROM test_oracle();
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE tb_user SET name = 'ann 2' WHERE pk_user = 1;
SELECT * FROM posts ORDER BY 1;
DELETE FROM tb_comment WHERE pk_comment = 1;
COMMIT;
SELECT * FROM test_oracle();
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO tb_post (pk_post, fk_user, title) VALUES (4, 3, 'four');
SELECT * FROM posts ORDER BY 1;
UPDATE tb_user SET name = 'ann' WHERE pk_user = 1;
COMMIT;
SELECT * FROM posts ORDER BY 1;
SELECT * FROM test_oracle();
-- AND CHAIN; COMMIT in a DO block
BEGIN;
UPDATE tb_post SET title = 'chained' WHERE pk_post = 4;
COMMIT AND CHAIN;
SELECT * FROM posts WHERE pk_post = 4;
UPDATE tb_post SET title = 'four' WHERE pk_post = 4;
COMMIT;
DO $$
BEGIN
	FOR i IN 1 .. 3 LOOP
		INSERT INTO tb_comment (fk_post, content, pk_comment) VALUES (4, 'no ' || i, 10 + i);
		IF i = 2 THEN ROLLBACK; ELSE COMMIT; END IF;
	END LOOP;
END $$;
SELECT * FROM posts WHERE pk_post = 4;
SELECT * FROM test_oracle();

-- P2: a transaction sees its own changes
BEGIN;
INSERT INTO tb_post (pk_post, fk_user, title) VALUES (5, 2, 'five');
SELECT * FROM posts WHERE pk_post = 5;
UPDATE tb_post SET title = 'cinq' WHERE pk_post = 5;
SELECT * FROM posts WHERE pk_post = 5;
UPDATE tb_user SET name = 'rob' WHERE pk_user = 2;
SELECT * FROM posts WHERE pk_post = 5;
DELETE FROM tb_post WHERE pk_post = 5;
SELECT * FROM posts WHERE pk_post = 5;
SELECT * FROM test_oracle();
ROLLBACK;

-- P3: what is undone has never been
BEGIN;
UPDATE tb_user SET name = 'zoe' WHERE pk_user = 1;
SELECT count(*) FROM posts WHERE post LIKE '%zoe%';
ROLLBACK;
SELECT count(*) FROM posts WHERE post LIKE '%zoe%';
BEGIN;
SAVEPOINT a;
UPDATE tb_user SET name = 'zoe' WHERE pk_user = 1;
ROLLBACK TO a;
COMMIT;
SELECT count(*) FROM posts WHERE post LIKE '%zoe%';
SELECT * FROM test_oracle();

-- P4: what can't be refreshed fails the transaction
CREATE TABLE tv_ratio AS
SELECT pk_post AS pk_ratio, to_jsonb(100 / length(title)) AS data FROM tb_post;
UPDATE tb_post SET title = '' WHERE pk_post = 1;
\echo :LAST_ERROR_SQLSTATE
SELECT title FROM tb_post WHERE pk_post = 1;
SELECT * FROM test_oracle();
DROP TABLE tv_ratio;

-- P5: a transaction pays for the rows that it affects, not for statements
SELECT pg_tviews_stats_reset();
DO $$
BEGIN
	FOR i IN 1..1000 LOOP
		UPDATE tb_user SET name = 'ann ' || i WHERE pk_user = 1;
	END LOOP;
END
$$;
SELECT entity, total_refreshes, keys_derived, rows_updated
FROM pg_tviews_performance_summary ORDER BY entity;
SELECT count(*) FROM tb_post WHERE fk_user = 1;

-- P6: a row whose content doesn't change is not written, and the cascade stops
-- there. Written are the rows whose ctid, xmin, or updated_at has changed.
SELECT test_remember('tv_user', 'tv_comment', 'tv_post');
-- a column that no TVIEW uses
UPDATE tb_post SET content = 'text';
UPDATE tb_user SET email = name || '@example.com';
SELECT * FROM test_written();
-- the same value, there and back again
UPDATE tb_user SET name = name;
BEGIN;
UPDATE tb_user SET name = upper(name);
UPDATE tb_user SET name = lower(name);
COMMIT;
SELECT * FROM test_written();
-- rows that no document shows
INSERT INTO tb_comment (pk_comment, fk_post, content) VALUES (50, 1, 'x');
SELECT test_remember('tv_user', 'tv_comment', 'tv_post');
BEGIN;
DELETE FROM tb_comment WHERE pk_comment = 50;
INSERT INTO tb_comment (pk_comment, fk_post, content) VALUES (50, 1, 'x');
COMMIT;
SELECT * FROM test_written();
-- what does change is written, and nothing else
UPDATE tb_comment SET content = 'y' WHERE pk_comment = 50;
SELECT * FROM test_written();
SELECT test_remember('tv_user', 'tv_comment', 'tv_post');
UPDATE tb_user SET name = 'cyd' WHERE pk_user = 3;
SELECT * FROM test_written();
-- a rebuild by differences, too
SELECT test_remember('tv_user', 'tv_comment', 'tv_post');
BEGIN;
CREATE TEMP TABLE kept AS TABLE tb_comment;
TRUNCATE tb_comment;
INSERT INTO tb_comment SELECT * FROM kept WHERE pk_comment <> 50;
DROP TABLE kept;
COMMIT;
SELECT * FROM test_written();
-- the middle of a cascade comes out the same: the last level is left alone
CREATE TABLE tv_long AS
SELECT pk_post AS pk_long, to_jsonb(length(title) > 3) AS data FROM tb_post;
CREATE TABLE tv_longer AS
SELECT pk_long AS pk_longer, jsonb_build_object('long', data) AS data FROM v_long;
SELECT test_remember('tv_long', 'tv_longer');
UPDATE tb_post SET title = upper(title);
SELECT * FROM test_written();
UPDATE tb_post SET title = title || '!' WHERE pk_post IN (1, 2);
SELECT * FROM test_written();
-- updated_at is the time of the change
SELECT pk_long, updated_at = (SELECT min(updated_at) FROM tv_long) AS old FROM tv_long ORDER BY 1;
SELECT * FROM test_oracle();

-- P7: a refresh takes no lock on a relation that is stronger than ROW EXCLUSIVE
BEGIN;
UPDATE tb_user SET name = 'dan' WHERE pk_user = 1;
DELETE FROM tb_comment WHERE pk_comment = 1;
INSERT INTO tb_post (pk_post, fk_user, title) VALUES (70, 1, 'seventy');
SELECT count(*) FROM posts WHERE pk_post = 70;
SELECT count(*) > 0 AS refreshed FROM pg_locks
WHERE pid = pg_backend_pid() AND relation = 'tv_post'::regclass
AND mode = 'RowExclusiveLock';
SELECT relation::regclass, mode FROM pg_locks
WHERE pid = pg_backend_pid() AND relation IS NOT NULL
AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock');
ROLLBACK;

-- P9: no preload: the library is loaded by whoever comes first, unless this
-- server has it preloaded all the same
\c -
UPDATE tb_user SET name = 'tom' WHERE pk_user = 2;
SELECT * FROM posts WHERE pk_post = 3;
\c -
BEGIN;
INSERT INTO tb_comment (pk_comment, fk_post, fk_user, content) VALUES (60, 3, 3, 'new session');
SELECT * FROM posts WHERE pk_post = 3;
COMMIT;
\c -
CREATE TABLE tv_first AS SELECT pk_user AS pk_first, to_jsonb(name) AS data FROM tb_user;
\c -
DROP TABLE tv_first;
\c -
SET pg_tviews.ctas_interception = off;
CREATE TABLE tv_first AS SELECT 1 AS pk_first;
SELECT * FROM test_objects() WHERE name ~ 'first';
SELECT * FROM test_oracle();
