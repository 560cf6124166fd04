-- An error in a flush aborts the transaction with the SQLSTATE of its cause
-- and a context that names TVIEW and key (P4): at a read, at commit, and in
-- the second level of a cascade.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set VERBOSITY terse
CREATE TABLE tb_x (pk_x int PRIMARY KEY, fk_y int, n int NOT NULL);
CREATE TABLE tb_y (pk_y int PRIMARY KEY, n int NOT NULL);
INSERT INTO tb_x SELECT i, 1 + i % 2, i FROM generate_series(1, 4) i;
INSERT INTO tb_y VALUES (1, 1), (2, 2);
CREATE TABLE tv_x AS
SELECT x.pk_x, jsonb_build_object('n', 100 / x.n) AS data FROM tb_x x;
CREATE TABLE tv_xy AS
SELECT x.pk_x AS pk_xy, jsonb_build_object('x', x.data, 'n', 100 / y.n) AS data
FROM v_x x JOIN tb_x ON tb_x.pk_x = x.pk_x JOIN tb_y y ON y.pk_y = tb_x.fk_y;

-- at a read
\pset tuples_only on
\pset format unaligned
SELECT test_error('UPDATE tb_x SET n = n - 3; SELECT FROM tv_x', true);
SELECT test_error('UPDATE tb_y SET n = 0 WHERE pk_y = 1; SELECT FROM tv_xy', true);
SELECT test_error('INSERT INTO tb_x VALUES (5, 1, 0); SELECT FROM tv_xy', true);
SELECT test_error('TRUNCATE tb_y CASCADE; INSERT INTO tb_y VALUES (1, 0); SELECT FROM tv_xy', true);
-- at a read in a function, and by DDL
SELECT test_error($$UPDATE tb_x SET n = 0 WHERE pk_x = 2; DO 'BEGIN PERFORM FROM tv_x; END'$$, true);
SELECT test_error('UPDATE tb_x SET n = 0 WHERE pk_x = 2; CREATE TABLE any_table ()', true);
-- nothing of it is left
\pset format aligned
\pset tuples_only off
SELECT * FROM tb_x ORDER BY 1;
SELECT * FROM test_oracle();

-- at commit: of a single statement, a transaction, a DO block
UPDATE tb_x SET n = 0 WHERE pk_x = 3;
\echo :LAST_ERROR_SQLSTATE
BEGIN;
UPDATE tb_x SET n = 10;
UPDATE tb_y SET n = 0 WHERE pk_y = 2;
COMMIT;
\echo :LAST_ERROR_SQLSTATE
DO $$
BEGIN
	UPDATE tb_x SET n = 50 WHERE pk_x = 1;
	COMMIT;
	UPDATE tb_x SET n = 0 WHERE pk_x = 1;
	COMMIT;
END $$;
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM tb_x ORDER BY 1;
SELECT * FROM test_oracle();

-- a transaction that has failed stays failed until it is rolled back
BEGIN;
UPDATE tb_x SET n = 0 WHERE pk_x = 3;
SELECT FROM tv_x;
SELECT FROM tv_x;
COMMIT;
-- one that corrects its error in time doesn't fail
BEGIN;
UPDATE tb_x SET n = 0 WHERE pk_x = 3;
UPDATE tb_x SET n = 20 WHERE pk_x = 3;
COMMIT;
SELECT pk_xy, data FROM tv_xy ORDER BY 1;

-- constraints that users add to a TVIEW
ALTER TABLE tv_x ADD CONSTRAINT at_most CHECK ((data ->> 'n')::int <= 50);
UPDATE tb_x SET n = 1 WHERE pk_x = 4;
\echo :LAST_ERROR_SQLSTATE
CREATE UNIQUE INDEX one_of_each ON tv_xy ((data -> 'x'));
UPDATE tb_x SET n = 20 WHERE pk_x = 4;
\echo :LAST_ERROR_SQLSTATE
\pset tuples_only on
\pset format unaligned
SELECT test_error('UPDATE tb_x SET n = 20 WHERE pk_x = 4; SELECT FROM tv_xy', true);
\pset format aligned
\pset tuples_only off

-- statement_timeout, also at commit
CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
	'BEGIN IF n = 7 THEN PERFORM pg_sleep(60); END IF; RETURN n; END';
CREATE TABLE tv_slow AS SELECT pk_x AS pk_slow, to_jsonb(slow(n)) AS data FROM tb_x;
SET statement_timeout = '500ms';
UPDATE tb_x SET n = 7 WHERE pk_x = 3;
BEGIN;
UPDATE tb_x SET n = 7 WHERE pk_x = 3;
SELECT FROM tv_slow;
COMMIT;
BEGIN;
UPDATE tb_x SET n = 7 WHERE pk_x = 3;
COMMIT;
RESET statement_timeout;
SELECT * FROM test_oracle();
