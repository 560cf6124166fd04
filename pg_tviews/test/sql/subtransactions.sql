-- Savepoints and EXCEPTION blocks: what is undone leaves nothing in the queue,
-- and what isn't stays there.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE TABLE tb_x (pk_x int PRIMARY KEY, n int NOT NULL);
INSERT INTO tb_x SELECT i, 0 FROM generate_series(1, 4) i;
CREATE TABLE tv_x AS SELECT pk_x, jsonb_build_object('n', n) AS data FROM tb_x;
CREATE TABLE tv_sum AS
SELECT x.pk_x AS pk_sum, (SELECT jsonb_agg(o.data -> 'n' ORDER BY o.pk_x) FROM v_x o WHERE o.pk_x <= x.pk_x) AS data
FROM tb_x x;
CREATE VIEW now AS SELECT string_agg(data ->> 'n', ' ' ORDER BY pk_x) AS x,
	(SELECT data FROM tv_sum ORDER BY pk_sum DESC LIMIT 1) AS sum FROM tv_x;
CREATE PROCEDURE add(key int, by int DEFAULT 1) LANGUAGE sql AS
	'UPDATE tb_x SET n = n + by WHERE pk_x = key';
\pset tuples_only on
\set VERBOSITY terse

-- keys queued inside what is rolled back
BEGIN;
CALL add(1);
SAVEPOINT a;
CALL add(2);
ROLLBACK TO a;
CALL add(3);
COMMIT;
TABLE now;
SELECT * FROM test_oracle();

-- the same key outside and inside
BEGIN;
CALL add(1);
SAVEPOINT a;
CALL add(1, 10);
ROLLBACK TO a;
COMMIT;
TABLE now;
SELECT * FROM test_oracle();

-- flush inside what is rolled back: what it drained comes back
BEGIN;
CALL add(1);
SAVEPOINT a;
CALL add(2);
TABLE now;
ROLLBACK TO a;
COMMIT;
TABLE now;
SELECT * FROM test_oracle();

-- twice in a row, and read after that
BEGIN;
CALL add(1);
SAVEPOINT a;
TABLE now;
ROLLBACK TO a;
CALL add(4);
TABLE now;
ROLLBACK TO a;
TABLE now;
COMMIT;
SELECT * FROM test_oracle();

-- the same key again after a flush inside
BEGIN;
CALL add(1);
SAVEPOINT a;
TABLE now;
CALL add(1, 10);
ROLLBACK TO a;
CALL add(1);
TABLE now;
COMMIT;
TABLE now;
SELECT * FROM test_oracle();

-- flush before the savepoint
BEGIN;
CALL add(2);
TABLE now;
SAVEPOINT a;
CALL add(2, 10);
TABLE now;
ROLLBACK TO a;
TABLE now;
COMMIT;
TABLE now;
SELECT * FROM test_oracle();

-- released, then the outer one rolled back
BEGIN;
CALL add(1);
SAVEPOINT a;
CALL add(2);
SAVEPOINT b;
CALL add(3);
TABLE now;
RELEASE b;
CALL add(4);
ROLLBACK TO a;
TABLE now;
COMMIT;
SELECT * FROM test_oracle();

-- nested three deep: the middle rolled back, the inner released
BEGIN;
SAVEPOINT a;
CALL add(1);
SAVEPOINT b;
CALL add(2);
SAVEPOINT c;
CALL add(3);
RELEASE c;
ROLLBACK TO b;
CALL add(4);
RELEASE a;
COMMIT;
TABLE now;
SELECT * FROM test_oracle();

-- empty levels between
BEGIN;
CALL add(1);
SAVEPOINT a;
SAVEPOINT b;
SAVEPOINT c;
CALL add(2);
TABLE now;
RELEASE b;
ROLLBACK TO a;
COMMIT;
TABLE now;
SELECT * FROM test_oracle();

-- rows that come and go, and TRUNCATE
BEGIN;
INSERT INTO tb_x VALUES (5, 5);
SAVEPOINT a;
DELETE FROM tb_x WHERE pk_x IN (1, 5);
TABLE now;
ROLLBACK TO a;
SAVEPOINT b;
TRUNCATE tb_x;
TABLE now;
ROLLBACK TO b;
SAVEPOINT c;
TRUNCATE tb_x;
ROLLBACK TO c;
COMMIT;
TABLE now;
SELECT * FROM test_oracle();
BEGIN;
SAVEPOINT a;
TRUNCATE tb_x;
INSERT INTO tb_x VALUES (1, 1), (2, 2);
RELEASE a;
COMMIT;
TABLE now;
SELECT * FROM test_oracle();

-- EXCEPTION blocks
DO $$
DECLARE
	seen text;
BEGIN
	CALL add(1);
	FOR i IN 1 .. 4 LOOP
		BEGIN
			CALL add(2, 100);
			IF i % 2 = 0 THEN
				SELECT x INTO seen FROM now;
				RAISE NOTICE 'inside: %', seen;
			END IF;
			IF i < 4 THEN
				RAISE division_by_zero;
			END IF;
		EXCEPTION WHEN division_by_zero THEN
			SELECT x INTO seen FROM now;
			RAISE NOTICE 'after: %', seen;
		END;
	END LOOP;
END $$;
TABLE now;
SELECT * FROM test_oracle();

-- an error of the flush itself, caught
ALTER TABLE tv_x ADD CONSTRAINT small CHECK ((data ->> 'n')::int < 1000);
DO $$
BEGIN
	CALL add(1);
	BEGIN
		CALL add(2, 1000);
		PERFORM FROM tv_x;
	EXCEPTION WHEN check_violation THEN
		RAISE NOTICE 'caught: %', sqlerrm;
	END;
	BEGIN
		CALL add(2);
		PERFORM FROM tv_x;
	END;
END $$;
TABLE now;
SELECT * FROM test_oracle();
BEGIN;
CALL add(1);
SAVEPOINT a;
CALL add(1, 1000);
TABLE now;
ROLLBACK TO a;
TABLE now;
COMMIT;
SELECT * FROM test_oracle();

-- REPEATABLE READ, where a flush keeps what it has drained for the commit
BEGIN ISOLATION LEVEL REPEATABLE READ;
CALL add(1);
SAVEPOINT a;
CALL add(2);
TABLE now;
ROLLBACK TO a;
TABLE now;
SAVEPOINT b;
CALL add(1, 10);
TABLE now;
RELEASE b;
COMMIT;
TABLE now;
SELECT * FROM test_oracle();

-- all of it rolled back
BEGIN;
CALL add(1);
SAVEPOINT a;
CALL add(2);
TABLE now;
ROLLBACK TO a;
ABORT;
TABLE now;
SELECT * FROM test_oracle();
