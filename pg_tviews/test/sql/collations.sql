-- Keys and conditions of nondeterministic collations, where different texts
-- are equal. Such collations need ICU.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set VERBOSITY terse
SELECT getdatabaseencoding() <> 'UTF8' OR
	NOT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') AS skip
\gset
\if :skip
	\echo no such collations here
	\quit
\endif
CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- two spellings of a key in one refresh
CREATE TABLE tb_a (pk_a text COLLATE ci PRIMARY KEY, n int);
CREATE TABLE tv_a AS SELECT pk_a, jsonb_build_object('n', n) AS data FROM tb_a;
INSERT INTO tb_a VALUES ('a', 1), ('b', 1);
UPDATE tb_a SET pk_a = 'A', n = 2 WHERE pk_a = 'a';
SELECT pk_a, data FROM tv_a ORDER BY 1;
SELECT * FROM test_oracle();
BEGIN;
DELETE FROM tb_a WHERE pk_a = 'A';
INSERT INTO tb_a VALUES ('a', 3);
COMMIT;
SELECT pk_a, data FROM tv_a ORDER BY 1;
BEGIN;
UPDATE tb_a SET pk_a = upper(pk_a);
SELECT pk_a, data FROM tv_a ORDER BY 1;
UPDATE tb_a SET pk_a = lower(pk_a);
COMMIT;
SELECT pk_a, data FROM tv_a ORDER BY 1;
SELECT * FROM test_oracle();

-- groups by such a key
CREATE TABLE tb_b (pk_b int PRIMARY KEY, k text COLLATE ci, v int);
CREATE TABLE tv_b AS
SELECT b.k AS pk_b, jsonb_build_object('n', count(*)) AS data
FROM tb_b b WHERE k IS NOT NULL GROUP BY b.k;
INSERT INTO tb_b VALUES (1, 'x', 1);
INSERT INTO tb_b VALUES (2, 'X', 1);
SELECT lower(pk_b) AS pk_b, data FROM tv_b;
DELETE FROM tb_b WHERE pk_b = 1;
SELECT pk_b, data FROM tv_b;
UPDATE tb_b SET k = 'x';
SELECT pk_b, data FROM tv_b;
SELECT * FROM test_oracle();

-- a condition that is coarser than the unique index
CREATE TABLE tb_c (pk_c int PRIMARY KEY, name text);
CREATE TABLE tb_d (pk_d int PRIMARY KEY, name text UNIQUE);
INSERT INTO tb_c VALUES (1, 'x');
INSERT INTO tb_d VALUES (1, 'x');
CREATE TABLE tv_c AS
SELECT c.pk_c, jsonb_build_object('d', d.pk_d) AS data
FROM tb_c c JOIN tb_d d ON d.name = c.name COLLATE ci;
INSERT INTO tb_d VALUES (2, 'X');
\echo :LAST_ERROR_SQLSTATE
UPDATE tb_d SET name = 'X';
SELECT pk_c, data FROM tv_c;
SELECT * FROM test_oracle();

-- links: what is found for one spelling is found for the other
CREATE TABLE tv_d AS
SELECT d.pk_d, jsonb_build_object('n', (SELECT jsonb_agg(c.pk_c ORDER BY c.pk_c) FROM tb_c c WHERE c.name COLLATE ci = d.name)) AS data
FROM tb_d d;
INSERT INTO tb_c VALUES (2, 'y');
UPDATE tb_c SET name = 'X' WHERE pk_c = 2;
SELECT pk_d, data FROM tv_d;
DELETE FROM tb_c WHERE pk_c = 1;
SELECT pk_d, data FROM tv_d;
SELECT * FROM test_oracle();

-- the same column as the key for one collation only
CREATE TABLE tb_word (pk_word text PRIMARY KEY);
CREATE TABLE tb_use (pk_use int PRIMARY KEY, word text COLLATE ci);
INSERT INTO tb_word VALUES ('One'), ('Two');
CREATE TABLE tv_word AS
SELECT w.pk_word, jsonb_build_object('n', (
	SELECT count(*) FROM tb_use u WHERE u.word = w.pk_word)) AS data
FROM tb_word w;
INSERT INTO tb_use VALUES (1, 'one'), (2, 'ONE'), (3, 'Two');
SELECT pk_word, data FROM tv_word ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE tv_word;
-- nor do changed rows lose the collation of a column
CREATE TABLE tv_c2 AS
SELECT c.pk_c AS pk_c2, jsonb_build_object('n', (
	SELECT count(*) FROM tb_use u WHERE u.word = c.name)) AS data
FROM tb_c c;
INSERT INTO tb_use SELECT 9 + pk_c, upper(name) FROM tb_c;
UPDATE tb_use SET word = lower(word) WHERE pk_use > 9;
SELECT pk_c2, data FROM tv_c2 ORDER BY 1;
SELECT * FROM test_oracle();
