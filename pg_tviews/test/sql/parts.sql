-- Where a change reaches only a part of a row, only that part is computed
-- anew, and what comes out is the same: with few parts and many, twice in a
-- session, and with a rollback in between.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE TABLE tb_maintainer (pk_maintainer int PRIMARY KEY, name text NOT NULL, email text);
CREATE TABLE tb_package (pk_package int PRIMARY KEY, fk_maintainer int REFERENCES tb_maintainer, name text NOT NULL, size int);
CREATE INDEX ON tb_package (fk_maintainer);
CREATE TABLE tb_tag (pk_tag int PRIMARY KEY, fk_package int NOT NULL REFERENCES tb_package, word text NOT NULL);
CREATE INDEX ON tb_tag (fk_package);
INSERT INTO tb_maintainer VALUES (1, 'ann', 'a@x'), (2, 'bob', 'b@x'), (3, 'cid', NULL);
INSERT INTO tb_package SELECT i, 1 + i % 3, 'p' || i, i * 10 FROM generate_series(1, 6) i;
INSERT INTO tb_package VALUES (7, NULL, 'orphan', 70);
INSERT INTO tb_tag SELECT i, 1 + i % 6, 't' || i FROM generate_series(1, 12) i;
CREATE TABLE tv_maintainer AS
SELECT m.pk_maintainer, jsonb_build_object('name', m.name, 'email', m.email) AS data FROM tb_maintainer m;
CREATE TABLE tv_package AS
SELECT p.pk_package, p.fk_maintainer, m.data ->> 'name' AS maintainer_name,
	   jsonb_build_object('name', p.name, 'size', p.size, 'maintainer', m.data,
		   'tags', (SELECT jsonb_agg(t.word ORDER BY t.pk_tag) FROM tb_tag t WHERE t.fk_package = p.pk_package)) AS data
FROM tb_package p LEFT JOIN v_maintainer m ON m.pk_maintainer = p.fk_maintainer;

-- an embedded object, for one key and for another: what the first refresh has
-- kept serves the second
UPDATE tb_maintainer SET name = 'anna' WHERE pk_maintainer = 1;
SELECT pk_package, maintainer_name, data FROM tv_package WHERE fk_maintainer = 1 ORDER BY 1;
SELECT * FROM test_oracle();
UPDATE tb_maintainer SET name = 'rob' WHERE pk_maintainer = 2;
SELECT pk_package, maintainer_name, data FROM tv_package WHERE fk_maintainer = 2 ORDER BY 1;
SELECT * FROM test_oracle();
BEGIN;
UPDATE tb_maintainer SET email = 'anna@x' WHERE pk_maintainer = 1;
SELECT DISTINCT data -> 'maintainer' AS maintainer FROM tv_package WHERE fk_maintainer = 1;
UPDATE tb_maintainer SET email = 'rob@x' WHERE pk_maintainer = 2;
SELECT DISTINCT data -> 'maintainer' AS maintainer FROM tv_package WHERE fk_maintainer = 2;
COMMIT;
SELECT * FROM test_oracle();
-- to null and back, and an object that goes
UPDATE tb_maintainer SET email = NULL WHERE pk_maintainer = 1;
UPDATE tb_maintainer SET email = 'cid@x' WHERE pk_maintainer = 3;
SELECT * FROM test_oracle();
UPDATE tb_package SET fk_maintainer = NULL WHERE fk_maintainer = 3;
DELETE FROM tb_maintainer WHERE pk_maintainer = 3;
UPDATE tb_tag SET word = upper(word) WHERE pk_tag < 4;
DELETE FROM tb_tag WHERE fk_package = 2;
SELECT pk_package, data FROM tv_package ORDER BY 1;
SELECT * FROM test_oracle();

-- different parts of the same row in one transaction
BEGIN;
UPDATE tb_maintainer SET name = 'ann' WHERE pk_maintainer = 1;
UPDATE tb_tag SET word = lower(word);
UPDATE tb_package SET size = size + 1;
COMMIT;
SELECT * FROM test_oracle();

-- a partial refresh in the middle, and back to before it
BEGIN;
UPDATE tb_package SET size = 1 WHERE pk_package = 1;
SAVEPOINT s;
UPDATE tb_maintainer SET name = 'zoe' WHERE pk_maintainer = 2;
SELECT pk_package, data -> 'maintainer' AS maintainer, data -> 'size' AS size
FROM tv_package WHERE pk_package IN (1, 4) ORDER BY 1;
UPDATE tb_tag SET word = 'undone' WHERE fk_package = 1;
SELECT data -> 'tags' AS tags FROM tv_package WHERE pk_package = 1;
ROLLBACK TO s;
SELECT pk_package, data FROM tv_package WHERE pk_package IN (1, 4) ORDER BY 1;
UPDATE tb_tag SET word = 'done' WHERE pk_tag = 6;
COMMIT;
SELECT pk_package, data FROM tv_package WHERE pk_package IN (1, 4) ORDER BY 1;
SELECT * FROM test_oracle();
-- the same with a refresh before and an error in it
BEGIN;
UPDATE tb_maintainer SET name = 'abc' WHERE pk_maintainer = 1;
SELECT count(*) FROM tv_package WHERE maintainer_name = 'abc';
SAVEPOINT s;
UPDATE tb_maintainer SET name = 'def' WHERE pk_maintainer = 1;
SELECT count(*) FROM tv_package WHERE maintainer_name = 'def';
SAVEPOINT t;
UPDATE tb_maintainer SET name = 'ghi' WHERE pk_maintainer = 1;
SELECT 1 / 0 FROM tv_package;
ROLLBACK TO s;
SELECT count(*) FROM tv_package WHERE maintainer_name = 'abc';
ROLLBACK;
SELECT count(*) FROM tv_package WHERE maintainer_name = 'ann';
SELECT * FROM test_oracle();
-- the row goes, or comes, or gets another key, together with a part of it
BEGIN;
UPDATE tb_maintainer SET name = 'bob' WHERE pk_maintainer = 2;
DELETE FROM tb_tag WHERE fk_package = 4;
DELETE FROM tb_package WHERE pk_package = 4;
INSERT INTO tb_package VALUES (8, 2, 'new', 80);
INSERT INTO tb_tag VALUES (20, 8, 'new');
UPDATE tb_package SET pk_package = 9 WHERE pk_package = 7;
COMMIT;
SELECT * FROM test_oracle();
-- only rows that differ are written
SELECT test_remember('tv_maintainer', 'tv_package');
UPDATE tb_maintainer SET name = name;
BEGIN;
UPDATE tb_tag SET word = word || '!';
UPDATE tb_tag SET word = rtrim(word, '!');
COMMIT;
SELECT * FROM test_written();
UPDATE tb_tag SET word = 'other' WHERE pk_tag = 20;
SELECT * FROM test_written();

-- ten parts, of which many sets change
CREATE TABLE tb_wide (pk_wide int PRIMARY KEY, c1 int, c2 int, c3 int, c4 int, c5 int, c6 int, c7 int, c8 int);
CREATE TABLE tb_more (pk_more int PRIMARY KEY, fk_wide int NOT NULL, n int);
CREATE INDEX ON tb_more (fk_wide);
INSERT INTO tb_wide SELECT i, i, i, i, i, i, i, i, i FROM generate_series(1, 40) i;
INSERT INTO tb_more SELECT i, 1 + i % 40, i FROM generate_series(1, 80) i;
CREATE TABLE tv_wide AS
SELECT w.pk_wide, w.c1, w.c2 + w.c3 AS c23,
	   jsonb_build_object('3', w.c3, '4', w.c4, '5', w.c5, '6', w.c6, '7', jsonb_build_array(w.c7, w.c8),
		   'sum', (SELECT sum(m.n) FROM tb_more m WHERE m.fk_wide = w.pk_wide),
		   'max', (SELECT max(m.n) FROM tb_more m WHERE m.fk_wide = w.pk_wide), 'all', w.c1 + w.c8) AS data
FROM tb_wide w;
BEGIN;
UPDATE tb_wide SET c1 = -1 WHERE pk_wide % 2 = 0;
UPDATE tb_wide SET c3 = -3 WHERE pk_wide % 3 = 0;
UPDATE tb_wide SET c5 = -5 WHERE pk_wide % 5 = 0;
UPDATE tb_wide SET c7 = -7 WHERE pk_wide % 7 = 0;
UPDATE tb_wide SET c8 = NULL WHERE pk_wide % 11 = 0;
UPDATE tb_more SET n = -n WHERE fk_wide % 4 = 1;
COMMIT;
SELECT pk_wide, c1, c23, data FROM tv_wide WHERE pk_wide IN (1, 2, 30, 33, 35) ORDER BY 1;
SELECT * FROM test_oracle();
-- each set of columns once, in one transaction and in many
CREATE PROCEDURE change(set_of int, key int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 8 LOOP
		IF set_of & (1 << (i - 1)) <> 0 THEN
			EXECUTE format('UPDATE tb_wide SET c%1$s = c%1$s + 1 WHERE pk_wide = %2$s', i, key);
		END IF;
	END LOOP;
END $$;
DO $$
BEGIN
	FOR i IN 1 .. 40 LOOP
		CALL change(i * 37 % 256, i);
	END LOOP;
END $$;
SELECT * FROM test_oracle();
DO $$
DECLARE
	differing bigint;
BEGIN
	FOR i IN 1 .. 60 LOOP
		CALL change(i * 53 % 256, 1 + i % 40);
		COMMIT;
		SELECT sum(differences) INTO differing FROM test_oracle();
		IF differing > 0 THEN
			RAISE NOTICE 'set %: % differences', i * 53 % 256, differing;
		END IF;
	END LOOP;
END $$;
SELECT * FROM test_oracle();

-- a key with several rows of the root, of which one has no partner: a part
-- refreshed by itself must leave that row out too
CREATE TABLE tb_partner (pk_partner int PRIMARY KEY);
CREATE TABLE tb_share (pk_share int PRIMARY KEY, fk_pool int NOT NULL, fk_partner int, amount int);
INSERT INTO tb_partner VALUES (1);
INSERT INTO tb_share VALUES (1, 1, 1, 5), (2, 1, 9, 7);
CREATE TABLE tv_pool AS
SELECT s.fk_pool AS pk_pool, jsonb_build_object('sum', sum(s.amount), 'number', count(*)) AS data
FROM tb_share s JOIN tb_partner p ON p.pk_partner = s.fk_partner
GROUP BY s.fk_pool;
UPDATE tb_share SET amount = 6 WHERE pk_share = 1;
SELECT data FROM tv_pool;
SELECT * FROM test_oracle();
