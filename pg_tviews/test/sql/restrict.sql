-- A definition that is computed for some keys gives the same rows for them as
-- when it is computed whole, whatever rows the short form leaves out.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start

-- the key is from either side of a full join: a row of b whose partner in a
-- is not looked for does not come up with a key of its own
CREATE TABLE tb_a (pk_a int PRIMARY KEY, fk int, ref int UNIQUE, n int);
CREATE TABLE tb_b (pk_b int PRIMARY KEY, ref int UNIQUE, n int);
INSERT INTO tb_a VALUES (1, 1, 10, 0), (2, 2, 20, 0), (3, 2, 30, 0);
INSERT INTO tb_b VALUES (4, 10, 0), (2, 30, 0), (5, 99, 0);
CREATE TABLE tv_ranked AS
SELECT coalesce(a.pk_a, b.pk_b) AS pk_ranked, jsonb_build_object('rank', a.rank, 'n', b.n) AS data
FROM (SELECT pk_a, ref, rank() OVER (PARTITION BY fk ORDER BY pk_a) AS rank FROM tb_a) a
FULL JOIN tb_b b ON b.ref = a.ref;
CREATE TABLE tv_newest AS
SELECT coalesce(a.pk_a, b.pk_b) AS pk_newest, jsonb_build_object('a', a.n, 'n', b.n) AS data
FROM (SELECT DISTINCT ON (fk) pk_a, ref, n FROM tb_a ORDER BY fk, pk_a DESC) a
FULL JOIN tb_b b ON b.ref = a.ref;
INSERT INTO tb_a VALUES (4, 9, 77, 0);
SELECT pk_ranked, data FROM tv_ranked ORDER BY 1;
SELECT pk_newest, data FROM tv_newest ORDER BY 1;
UPDATE tb_a SET pk_a = 6 WHERE pk_a = 4;
UPDATE tb_a SET pk_a = 4 WHERE pk_a = 6;
UPDATE tb_b SET n = n + 1;
DELETE FROM tb_a WHERE fk = 2;
SELECT pk_ranked, data FROM tv_ranked ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE tv_ranked, tv_newest;
