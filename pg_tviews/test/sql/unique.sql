-- That a definition returns each key once must be proved by its constraints,
-- or else every refresh looks: where the proof would be wrong, a second row of
-- a key is an error.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set VERBOSITY terse
CREATE TABLE tb_a (pk_a int PRIMARY KEY, name char(4));
CREATE TABLE tb_b (pk_b int PRIMARY KEY, fk_a int, fk_c int, name text UNIQUE, prio int);
CREATE TABLE tb_c (pk_c int PRIMARY KEY, x int);
INSERT INTO tb_a VALUES (1, 'x');
INSERT INTO tb_b VALUES (1, 1, 7, 'x', 1);
INSERT INTO tb_c VALUES (7, 1);

-- the condition holds equal what the index tells apart
CREATE TABLE tv_a AS
SELECT a.pk_a, jsonb_build_object('b', b.pk_b) AS data
FROM tb_a a JOIN tb_b b ON b.name::bpchar = a.name;
INSERT INTO tb_b VALUES (2, NULL, NULL, 'x ', 1);
\echo :LAST_ERROR_SQLSTATE
BEGIN;
INSERT INTO tb_b VALUES (2, NULL, NULL, 'x ', 1);
SELECT count(*) FROM tv_a;
COMMIT;
-- equal in one, but not the other way round
INSERT INTO tb_b VALUES (2, NULL, NULL, 'X', 1);
UPDATE tb_b SET name = name || ' ';
SELECT pk_a, data FROM tv_a;
SELECT * FROM test_oracle();
DROP TABLE tv_a;

-- LIMIT 1 is one row, WITH TIES is not
CREATE TABLE tv_ties AS
SELECT a.pk_a AS pk_ties, jsonb_build_object('b', s.pk_b) AS data
FROM tb_a a
LEFT JOIN LATERAL (SELECT pk_b FROM tb_b b WHERE b.fk_a = a.pk_a
				   ORDER BY prio FETCH FIRST 1 ROW WITH TIES) s ON true;
CREATE TABLE tv_first AS
SELECT a.pk_a AS pk_first, jsonb_build_object('b', s.pk_b) AS data
FROM tb_a a
LEFT JOIN LATERAL (SELECT pk_b FROM tb_b b WHERE b.fk_a = a.pk_a
				   ORDER BY prio, pk_b FETCH FIRST 1 ROW ONLY) s ON true;
INSERT INTO tb_b VALUES (3, 1, NULL, 'three', 1);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO tb_b VALUES (3, 1, NULL, 'three', 0);
SELECT pk_ties, t.data AS ties, f.data AS first FROM tv_ties t JOIN tv_first f ON pk_ties = pk_first;
SELECT * FROM test_oracle();
DROP TABLE tv_ties, tv_first;

-- a grouped subquery whose group is determined, but for null-extended rows
DELETE FROM tb_b WHERE pk_b > 1;
CREATE TABLE tv_grouped AS
SELECT a.pk_a AS pk_grouped, jsonb_build_object('x', g.x, 'n', g.n) AS data
FROM tb_a a
JOIN LATERAL (SELECT c.x, count(*) AS n FROM tb_c c
			  RIGHT JOIN tb_b b ON c.pk_c = b.fk_c AND c.x = a.pk_a
			  WHERE b.fk_a = a.pk_a GROUP BY c.x) g ON true;
INSERT INTO tb_b VALUES (2, 1, NULL, 'two', 1);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO tb_b VALUES (2, 1, 7, 'two', 1);
SELECT pk_grouped, data FROM tv_grouped;
UPDATE tb_b SET fk_c = 8;
SELECT pk_grouped, data FROM tv_grouped;
SELECT * FROM test_oracle();
DROP TABLE tv_grouped;

-- a unique constraint that is deferrable, partial, over an expression, or one
-- of nulls is no proof
CREATE TABLE tb_d (pk_d int PRIMARY KEY, a int UNIQUE DEFERRABLE INITIALLY DEFERRED, b int, c int, n int UNIQUE);
CREATE UNIQUE INDEX ON tb_d (b) WHERE c > 0;
CREATE UNIQUE INDEX ON tb_d (abs(c));
INSERT INTO tb_d VALUES (1, 1, 1, 1, 1);
CREATE TABLE tv_deferred AS
SELECT a.pk_a AS pk_deferred, to_jsonb(d.pk_d) AS data FROM tb_a a JOIN tb_d d ON d.a = a.pk_a;
CREATE TABLE tv_partial AS
SELECT a.pk_a AS pk_partial, to_jsonb(d.pk_d) AS data FROM tb_a a JOIN tb_d d ON d.b = a.pk_a;
CREATE TABLE tv_expression AS
SELECT a.pk_a AS pk_expression, to_jsonb(d.pk_d) AS data FROM tb_a a JOIN tb_d d ON d.c = a.pk_a;
CREATE TABLE tv_nulls AS
SELECT a.pk_a AS pk_nulls, to_jsonb(d.pk_d) AS data FROM tb_a a JOIN tb_d d ON d.n IS NOT DISTINCT FROM nullif(a.pk_a, 2);
-- for a moment there are two
BEGIN;
INSERT INTO tb_d VALUES (2, 1, 5, 5, 5);
UPDATE tb_d SET a = 4 WHERE pk_d = 2;
COMMIT;
BEGIN;
INSERT INTO tb_d VALUES (3, 1, 6, 6, 6);
SELECT count(*) FROM tv_deferred;
ROLLBACK;
INSERT INTO tb_d VALUES (3, 3, 1, 0, 3);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO tb_a VALUES (2, 'zwei');
INSERT INTO tb_d VALUES (3, 3, 3, 3, NULL), (4, 7, 7, 7, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM test_oracle();
-- one that is dropped is none any more
DELETE FROM tb_b WHERE pk_b > 1;
ALTER TABLE tb_b ADD UNIQUE (prio, fk_a);
CREATE TABLE tv_dropped AS
SELECT a.pk_a AS pk_dropped, to_jsonb(b.pk_b) AS data
FROM tb_a a JOIN tb_b b ON b.fk_a = a.pk_a AND b.prio = 1;
INSERT INTO tb_b VALUES (2, 1, 1, 'two', 2);
ALTER TABLE tb_b DROP CONSTRAINT tb_b_prio_fk_a_key;
UPDATE tb_b SET prio = 1;
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM test_oracle();
