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

-- recursion that starts from the rows with the keys, or from those that their
-- rows are joined to, however it is joined
CREATE TABLE tb_area (pk_area int PRIMARY KEY, fk_area int, name text);
CREATE TABLE tb_shop (pk_shop int PRIMARY KEY, other int, fk_area int, note text);
INSERT INTO tb_area SELECT i, nullif(i / 2, 0), 'a' || i FROM generate_series(1, 12) i;
INSERT INTO tb_shop SELECT i, 100 - i, 1 + i * 5 % 14, 's' || i FROM generate_series(1, 9) i;
CREATE TABLE tv_path AS
WITH RECURSIVE up AS (
	SELECT pk_area AS start, fk_area AS next, name AS path FROM tb_area WHERE name <> 'a3'
	UNION ALL
	SELECT up.start, a.fk_area, a.name || '/' || up.path FROM up JOIN tb_area a ON a.pk_area = up.next)
SELECT up.start AS pk_path, to_jsonb(up.path) AS data FROM up WHERE up.next IS NULL;
CREATE TABLE tv_joined AS
WITH RECURSIVE up AS (
	SELECT pk_area AS start, fk_area AS next, name AS path FROM tb_area
	UNION
	SELECT up.start, a.fk_area, a.name || '/' || up.path FROM up JOIN tb_area a ON a.pk_area = up.next)
SELECT a.pk_area AS pk_joined, jsonb_build_object('name', a.name, 'path', up.path) AS data
FROM tb_area a LEFT JOIN up ON up.start = a.pk_area AND up.next IS NULL AND a.name <> 'a9';
CREATE TABLE tv_shop AS
WITH RECURSIVE up (next, path, start) AS (
	SELECT fk_area, name, pk_area FROM tb_area
	UNION ALL
	SELECT a.fk_area, a.name || '/' || up.path, up.start FROM up JOIN tb_area a ON a.pk_area = up.next)
SELECT s.pk_shop, jsonb_build_object('note', s.note, 'path', up.path) AS data
FROM (SELECT * FROM tb_shop WHERE note <> 's2') s LEFT JOIN up ON s.fk_area = up.start AND up.next IS NULL;
CREATE TABLE tv_place AS
WITH RECURSIVE up (next, path, start) AS (
	SELECT fk_area, name, pk_area FROM tb_area
	UNION ALL
	SELECT a.fk_area, a.name || '/' || up.path, up.start FROM up JOIN tb_area a ON a.pk_area = up.next)
SELECT s.pk_shop AS pk_place, jsonb_build_object('note', s.note, 'paths', jsonb_agg(up.path ORDER BY up.path)) AS data
FROM up JOIN tb_shop s ON up.start = s.fk_area
GROUP BY s.pk_shop;
CREATE TABLE tv_outer AS
WITH RECURSIVE up (next, path, start) AS (
	SELECT fk_area, name, pk_area FROM tb_area
	UNION ALL
	SELECT a.fk_area, a.name || '/' || up.path, up.start FROM up JOIN tb_area a ON a.pk_area = up.next)
SELECT s.pk_shop AS pk_outer, jsonb_build_object('note', s.note, 'paths', jsonb_agg(up.path ORDER BY up.path)) AS data
FROM up RIGHT JOIN tb_shop s ON up.start = s.fk_area
GROUP BY s.pk_shop;
SELECT pk_shop, data FROM tv_shop ORDER BY 1;
UPDATE tb_area SET name = 'b' || pk_area WHERE pk_area IN (2, 5);
UPDATE tb_area SET fk_area = 4 WHERE pk_area = 3;
UPDATE tb_area SET fk_area = 8, name = 'moved' WHERE pk_area = 12;
SELECT * FROM test_oracle();
DELETE FROM tb_area WHERE pk_area = 6;
INSERT INTO tb_area VALUES (13, 12, 'a13'), (14, NULL, 'a14');
UPDATE tb_shop SET fk_area = 14 WHERE pk_shop < 4;
UPDATE tb_shop SET pk_shop = 20, note = 'new' WHERE pk_shop = 1;
DELETE FROM tb_shop WHERE pk_shop = 8;
INSERT INTO tb_shop VALUES (30, 1, 13, 's30'), (31, 2, NULL, 's31');
SELECT * FROM test_oracle();
SELECT pk_shop, data FROM tv_shop ORDER BY 1;
BEGIN;
UPDATE tb_area SET pk_area = 40 WHERE pk_area = 4;
UPDATE tb_area SET fk_area = 40 WHERE fk_area = 4;
SELECT pk_path, data FROM tv_path ORDER BY 1;
ROLLBACK;
SELECT * FROM test_oracle();

-- two windows: rows that share either partition with a changed one, and of these
-- the rows that they share either with
CREATE TABLE tb_w (pk_w int PRIMARY KEY, a int NOT NULL, b int NOT NULL, n int);
INSERT INTO tb_w VALUES (1, 1, 1, 0), (3, 1, 2, 0), (4, 9, 2, 0), (5, 9, 3, 0), (6, 8, 3, 0);
CREATE TABLE tv_w AS
SELECT pk_w, jsonb_build_object(
	'a', sum(n) OVER (PARTITION BY a), 'b', count(*) OVER (PARTITION BY b)) AS data
FROM tb_w;
UPDATE tb_w SET n = 5 WHERE pk_w = 1;
SELECT pk_w, data FROM tv_w ORDER BY 1;
UPDATE tb_w SET b = 3 WHERE pk_w = 4;
SELECT pk_w, data FROM tv_w ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE tv_w;

-- a recursion whose start looks at rows together starts from all of them
CREATE TABLE tb_node (pk_node int PRIMARY KEY, fk_node int, kind text NOT NULL, name text);
INSERT INTO tb_node VALUES (1, NULL, 'a', 'one'), (2, 1, 'b', 'two'), (3, 4, 'b', 'three'), (4, NULL, 'a', 'four');
CREATE TABLE tv_node AS
WITH RECURSIVE up AS (
	SELECT pk_node AS start, fk_node AS next, name AS path, count(*) OVER (PARTITION BY kind) AS n FROM tb_node
	UNION ALL
	SELECT up.start, a.fk_node, a.name || '/' || up.path, up.n FROM up JOIN tb_node a ON a.pk_node = up.next)
SELECT up.start AS pk_node, jsonb_build_object('path', up.path, 'n', up.n) AS data FROM up WHERE up.next IS NULL;
UPDATE tb_node SET name = 'x' WHERE pk_node = 1;
SELECT pk_node, data FROM tv_node ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE tv_node;
