-- Ways from a source to the keys that are easily taken for shorter than they
-- are: null-extended outputs, functions that return sets, groups that are
-- coarser than the condition on them, composite links; and null keys.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start

-- Is it refused?
CREATE FUNCTION try(definition text) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT test_error(format('SELECT pg_tviews_create(''x'', %L)', definition)) $$;

-- an output of a null-extended subquery that is another table's column, or a
-- constant, may be null all the same
CREATE TABLE tb_a (pk_a int PRIMARY KEY, x int, fk_b int);
CREATE TABLE tb_b (pk_b int PRIMARY KEY, fk_a int, arr int[]);
CREATE TABLE tb_c (pk_c int PRIMARY KEY, k int UNIQUE, name text);
INSERT INTO tb_a VALUES (1, 10), (2, 20);
INSERT INTO tb_b VALUES (1, 2, '{1}');
INSERT INTO tb_c VALUES (1, 10, 'ten'), (2, -1, 'none'), (3, 20, 'twenty');
\pset format unaligned
\pset tuples_only on
SELECT try('SELECT a.pk_a AS pk_x, jsonb_build_object(1, c.name) AS data
	FROM tb_a a
	LEFT JOIN LATERAL (SELECT a.x AS ax FROM tb_b b WHERE b.fk_a = a.pk_a) s ON true
	JOIN tb_c c ON c.k = coalesce(s.ax, -1)');
SELECT try('SELECT a.pk_a AS pk_x, jsonb_build_object(1, c.name) AS data
	FROM tb_a a
	LEFT JOIN LATERAL (SELECT 20 AS k FROM tb_b b WHERE b.fk_a = a.pk_a) s ON true
	LEFT JOIN tb_c c ON c.k = coalesce(s.k, -1)');
SELECT try('SELECT s.pk_a AS pk_x, ''{}''::jsonb AS data
	FROM tb_a a LEFT JOIN LATERAL (SELECT a.pk_a FROM tb_b b WHERE b.fk_a = a.pk_a) s ON true');
SELECT try('SELECT coalesce(b.pk_b, 0) AS pk_x, ''{}''::jsonb AS data
	FROM tb_a a LEFT JOIN tb_b b ON b.fk_a = a.pk_a');
-- and what a function makes of a row that is not there may be not null
SELECT try('SELECT a.pk_a AS pk_x, jsonb_build_object(1, c.name) AS data
	FROM tb_a a LEFT JOIN tb_b b ON b.fk_a = a.pk_a
	LEFT JOIN LATERAL unnest(coalesce(b.arr, ''{1}'')) u (k) ON true
	LEFT JOIN tb_c c ON c.pk_c = u.k');
\pset tuples_only off
\pset format aligned
CREATE TABLE tv_outer AS
SELECT a.pk_a AS pk_outer, jsonb_build_object('c', c.name, 's', s.x) AS data
FROM tb_a a
LEFT JOIN LATERAL (SELECT b.pk_b AS k, a.x FROM tb_b b WHERE b.fk_a = a.pk_a) s ON true
LEFT JOIN tb_c c ON c.pk_c = s.k;
UPDATE tb_c SET name = name || '!';
SELECT pk_outer, data FROM tv_outer ORDER BY 1;
DELETE FROM tb_b;
SELECT pk_outer, data FROM tv_outer ORDER BY 1;
INSERT INTO tb_b VALUES (1, 1, '{1}');
UPDATE tb_c SET pk_c = 30 WHERE k = 10;
SELECT pk_outer, data FROM tv_outer ORDER BY 1;
UPDATE tb_a SET x = x + 10;
UPDATE tb_c SET pk_c = 1 WHERE k = 20;
SELECT pk_outer, data FROM tv_outer ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE tv_outer;
UPDATE tb_b SET fk_a = 2;

-- a set-returning function decides how many rows there are, whoever reads it
CREATE TABLE tv_set AS
SELECT pk_a AS pk_set, jsonb_build_object(
	'n', (SELECT count(*) FROM (SELECT unnest(b.arr) FROM tb_b b WHERE b.fk_a = a.pk_a) s),
	'some', EXISTS (SELECT unnest(b.arr) FROM tb_b b WHERE b.fk_a = a.pk_a)) AS data
FROM tb_a a;
SELECT pk_set, data FROM tv_set ORDER BY 1;
UPDATE tb_b SET arr = '{}';
SELECT pk_set, data FROM tv_set ORDER BY 1;
UPDATE tb_b SET arr = '{1,2,3}';
SELECT pk_set, data FROM tv_set ORDER BY 1;
UPDATE tb_b SET arr = NULL;
SELECT * FROM test_oracle();
DROP TABLE tv_set;

-- a condition that tells apart what the grouping holds equal: 1.0 and 1.00
CREATE TABLE tb_t (pk_t int PRIMARY KEY, t text, n numeric);
CREATE TABLE tb_n (pk_n int PRIMARY KEY, n numeric);
INSERT INTO tb_t VALUES (1, '1.0', 3.00), (2, '1.00', 4);
INSERT INTO tb_n VALUES (1, 1.0);
\pset format unaligned
\pset tuples_only on
SELECT try('SELECT t.pk_t AS pk_x, jsonb_build_object(1, g.n) AS data
	FROM tb_t t
	LEFT JOIN (SELECT n AS value, count(*) AS n FROM tb_n GROUP BY n) g ON g.value::text = t.t');
SELECT try('SELECT t.pk_t AS pk_x, jsonb_build_object(1, g.n) AS data
	FROM tb_t t
	LEFT JOIN (SELECT n FROM tb_n UNION SELECT n FROM tb_t) g ON g.n::text = t.t');
-- a value that a grouping set makes null
SELECT try('SELECT t.pk_t AS pk_x, jsonb_build_object(1, g.n) AS data
	FROM tb_t t
	LEFT JOIN (SELECT pk_n, count(*) AS n FROM tb_n GROUP BY GROUPING SETS ((pk_n), ())) g
		ON coalesce(g.pk_n, 2) = t.pk_t');
\pset tuples_only off
\pset format aligned
-- as equal as the grouping has it
CREATE TABLE tv_t AS
SELECT t.pk_t, jsonb_build_object('n', g.n) AS data
FROM tb_t t
LEFT JOIN (SELECT n AS value, count(*) AS n FROM tb_n GROUP BY n) g ON g.value = t.n;
INSERT INTO tb_n VALUES (2, 3.0), (3, 3), (4, 4.00);
SELECT pk_t, data FROM tv_t ORDER BY 1;
UPDATE tb_n SET n = 4 WHERE n = 3;
SELECT pk_t, data FROM tv_t ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE tv_t;

-- links of a composite type, compared as such and as text
CREATE TYPE pair AS (a int, b text);
CREATE TABLE tb_p (pk_p int PRIMARY KEY, p pair);
CREATE TABLE tb_q (pk_q int PRIMARY KEY, p pair);
INSERT INTO tb_p VALUES (1, '(7,x)'), (2, '(8,)'), (3, NULL);
CREATE TABLE tv_same AS
SELECT pk_p AS pk_same, jsonb_build_object('n', (SELECT count(*) FROM tb_q q WHERE q.p = p.p)) AS data
FROM tb_p p;
CREATE TABLE tv_text AS
SELECT pk_p AS pk_text, jsonb_build_object('n', (SELECT count(*) FROM tb_q q WHERE q.p::text = p.p::text)) AS data
FROM tb_p p;
CREATE TABLE tv_p AS
SELECT p.pk_p, jsonb_build_object(
	'q', (SELECT jsonb_agg(q.p ORDER BY q.pk_q) FROM tb_q q WHERE q.pk_q = p.pk_p AND q.p = p.p)) AS data
FROM tb_p p;
INSERT INTO tb_q VALUES (1, '(7,x)'), (2, '(8,)'), (3, '(7,y)');
SELECT pk_p, data FROM tv_p ORDER BY 1;
SELECT * FROM test_oracle();
UPDATE tb_q SET p = '(7,x)' WHERE pk_q = 2;
UPDATE tb_q SET p.a = 8 WHERE pk_q = 3;
SELECT pk_p, data FROM tv_p ORDER BY 1;
DELETE FROM tb_q WHERE pk_q = 1;
SELECT pk_same, data FROM tv_same ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE tv_p, tv_same, tv_text;
-- a key of such a type
CREATE TABLE tb_k (pk_k pair PRIMARY KEY, n int);
\pset format unaligned
\pset tuples_only on
SELECT test_error($$ CREATE TABLE tv_k AS SELECT pk_k, to_jsonb(n) AS data FROM tb_k $$);
\pset tuples_only off
\pset format aligned

-- a row without a key is an error of whoever writes it
CREATE TABLE tb_part (pk_part int PRIMARY KEY, fk_whole int, n int);
INSERT INTO tb_part VALUES (1, 1, 1);
CREATE TABLE tv_whole AS
SELECT fk_whole AS pk_whole, jsonb_build_object('n', count(*)) AS data
FROM tb_part GROUP BY fk_whole;
CREATE TABLE tv_null AS
SELECT b.pk_b AS pk_null, '{}'::jsonb AS data
FROM tb_part p LEFT JOIN tb_b b ON b.pk_b = p.pk_part;
\set VERBOSITY terse
INSERT INTO tb_b VALUES (2, NULL), (3, NULL);
INSERT INTO tb_part VALUES (2, NULL, 2);
\echo :LAST_ERROR_SQLSTATE
UPDATE tb_part SET fk_whole = NULL;
\echo :LAST_ERROR_SQLSTATE
BEGIN;
INSERT INTO tb_part VALUES (2, NULL, 2);
SELECT pk_whole FROM tv_whole;
COMMIT;
-- in time corrected it is none
BEGIN;
INSERT INTO tb_part VALUES (2, NULL, 2);
UPDATE tb_part SET fk_whole = 5 WHERE pk_part = 2;
COMMIT;
DELETE FROM tb_b;
\echo :LAST_ERROR_SQLSTATE
TRUNCATE tb_b;
\echo :LAST_ERROR_SQLSTATE
-- the next one has nothing to do with it
INSERT INTO tb_part VALUES (3, 5, 3);
SELECT pk_whole, data FROM tv_whole ORDER BY 1;
SELECT * FROM test_oracle();

-- arrays whose order is not determined are noted
CREATE TABLE tv_order AS
SELECT pk_a AS pk_order, jsonb_build_object(
	'without', (SELECT jsonb_agg(b.arr) FROM tb_b b WHERE b.fk_a = a.pk_a),
	'with', (SELECT jsonb_agg(b.arr ORDER BY b.pk_b) FROM tb_b b WHERE b.fk_a = a.pk_a),
	'number', (SELECT count(*) FROM tb_b b WHERE b.fk_a = a.pk_a)) AS data
FROM tb_a a;
SELECT * FROM test_oracle();

-- a column that only orders the rows of a subquery matters too
CREATE TABLE tb_o (pk_o int PRIMARY KEY);
CREATE TABLE tb_place (pk_place int PRIMARY KEY, fk_o int, place int, name text);
INSERT INTO tb_o VALUES (1);
INSERT INTO tb_place VALUES (1, 1, 1, 'one'), (2, 1, 2, 'two');
CREATE TABLE tv_o AS
SELECT o.pk_o, jsonb_build_object(
    'first', (SELECT p.name FROM tb_place p WHERE p.fk_o = o.pk_o ORDER BY p.place LIMIT 1)) AS data
FROM tb_o o;
UPDATE tb_place SET place = 0 WHERE pk_place = 2;
SELECT data FROM tv_o;

-- and so do those that only group rows, tell them apart, or choose among groups
CREATE TABLE tb_h (pk_h int PRIMARY KEY, fk_o int, a int, b int, c int, d int);
INSERT INTO tb_h VALUES (1, 1, 1, 1, 1, 1), (2, 1, 1, 1, 1, 1);
CREATE TABLE tv_h AS
SELECT o.pk_o AS pk_h, jsonb_build_object(
	'groups', (SELECT count(*) FROM (SELECT 1 FROM tb_h h WHERE h.fk_o = o.pk_o GROUP BY h.a) s),
	'distinct', (SELECT count(*) FROM (SELECT DISTINCT h.b FROM tb_h h WHERE h.fk_o = o.pk_o) s),
	'having', (SELECT count(*) FROM (
		SELECT 1 FROM tb_h h WHERE h.fk_o = o.pk_o HAVING sum(h.c) > 5) s),
	'union', (SELECT count(*) FROM (
		SELECT h.d FROM tb_h h WHERE h.fk_o = o.pk_o UNION SELECT 1) s)) AS data
FROM tb_o o;
UPDATE tb_h SET a = 2 WHERE pk_h = 2;
SELECT data FROM tv_h;
UPDATE tb_h SET b = 2 WHERE pk_h = 2;
SELECT data FROM tv_h;
UPDATE tb_h SET c = 9 WHERE pk_h = 2;
SELECT data FROM tv_h;
UPDATE tb_h SET d = 9 WHERE pk_h = 2;
SELECT data FROM tv_h;
SELECT * FROM test_oracle();
DROP TABLE tv_h;

-- a value of IN that stands for a row that isn't there leads nowhere
SELECT test_error($$CREATE TABLE tv_q AS
SELECT o.pk_o AS pk_q, jsonb_build_object('p', p.name) AS data
FROM tb_o o LEFT JOIN tb_place p ON p.fk_o = o.pk_o AND p.place = 0
WHERE coalesce(p.name, 'none') IN (SELECT r.name FROM tb_place r)$$);
SELECT * FROM test_oracle();

-- a condition of an outer join does not hold where its side is missing
CREATE TABLE tb_color (pk_color int PRIMARY KEY, k int, name text);
CREATE TABLE tb_m (pk_m int PRIMARY KEY, fk_color int, n int);
CREATE TABLE tb_r (pk_r int PRIMARY KEY, fk_m int, name text);
INSERT INTO tb_color VALUES (1, 10, 'red'), (2, 77, 'green');
INSERT INTO tb_m VALUES (1, 1, 10), (2, 1, 99), (3, 2, 77);
INSERT INTO tb_r VALUES (1, 1, 'one'), (2, 2, 'two'), (3, 3, 'three');
CREATE TABLE tv_m AS
SELECT m.pk_m, jsonb_build_object('c', c.name, 'r', r.name) AS data
FROM tb_m m LEFT JOIN tb_color c ON c.pk_color = m.fk_color
LEFT JOIN tb_r r ON r.fk_m = m.pk_m AND c.k = m.n AND c.k <> 77;
UPDATE tb_color SET name = name || '!';
SELECT pk_m, data FROM tv_m ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE tv_m;

-- ALL: the rows that make a comparison false, not those that make it true
CREATE TABLE tb_low (pk_low int PRIMARY KEY, n int NOT NULL);
CREATE TABLE tb_bar (pk_bar int PRIMARY KEY, n int NOT NULL);
INSERT INTO tb_low VALUES (1, 1), (2, 2), (3, 3);
CREATE TABLE tv_low AS
SELECT l.pk_low, jsonb_build_object('low', l.n <= ALL (SELECT b.n FROM tb_bar b)) AS data
FROM tb_low l;
INSERT INTO tb_bar VALUES (1, 2);
SELECT pk_low, data FROM tv_low ORDER BY 1;
UPDATE tb_bar SET n = 1;
SELECT pk_low, data FROM tv_low ORDER BY 1;
DELETE FROM tb_bar;
SELECT * FROM test_oracle();
DROP TABLE tv_low;

-- EXISTS of an aggregate without GROUP BY is true whatever is inside
CREATE TABLE tv_low AS
SELECT l.pk_low, jsonb_build_object('bars', (
	SELECT count(*) FROM tb_bar b
	WHERE b.n > l.n AND EXISTS (
		SELECT count(*) FROM tb_o o WHERE o.pk_o = l.pk_low AND b.pk_bar = l.pk_low))) AS data
FROM tb_low l;
INSERT INTO tb_bar VALUES (1, 9), (2, 2);
SELECT pk_low, data FROM tv_low ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE tv_low;

-- a column that FULL JOIN merges is of either side
INSERT INTO tb_color VALUES (3, 0, 'grey'), (9, 0, 'pink');
CREATE TABLE tv_both AS
SELECT coalesce(l.pk_low, b.pk_bar + 10) AS pk_both, jsonb_build_object('n', n, 'c', c.name) AS data
FROM tb_low l FULL JOIN tb_bar b USING (n)
LEFT JOIN (SELECT pk_color AS n, name FROM tb_color) c USING (n);
UPDATE tb_color SET name = upper(name);
SELECT pk_both, data FROM tv_both ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE tv_both;

-- steps of another table than the recursion starts from
CREATE TABLE tb_top (pk_top int PRIMARY KEY, name text);
CREATE TABLE tb_under (pk_under int PRIMARY KEY, fk_up int, name text);
INSERT INTO tb_top VALUES (1, 'one'), (2, 'two');
INSERT INTO tb_under VALUES (10, 1, 'a'), (11, 10, 'b'), (12, 11, 'c'), (13, 2, 'd');
CREATE TABLE tv_under AS
WITH RECURSIVE down AS (
	SELECT pk_top AS id, name AS path FROM tb_top
	UNION ALL
	SELECT u.pk_under, d.path || '/' || u.name FROM down d JOIN tb_under u ON u.fk_up = d.id)
SELECT id AS pk_under, jsonb_build_object('path', path) AS data FROM down;
UPDATE tb_under SET name = 'x' WHERE pk_under = 10;
SELECT pk_under, data FROM tv_under ORDER BY 1;
UPDATE tb_under SET fk_up = 13 WHERE pk_under = 11;
UPDATE tb_top SET name = upper(name);
SELECT pk_under, data FROM tv_under ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE tv_under;

-- a column equal to the key, but of another type, is not the key
CREATE TABLE tb_day (pk_day timestamp PRIMARY KEY);
CREATE TABLE tb_event (pk_event int PRIMARY KEY, day date);
INSERT INTO tb_day VALUES ('2024-01-01'), ('2024-02-29');
CREATE TABLE tv_day AS
SELECT d.pk_day, jsonb_build_object('events', (
	SELECT count(*) FROM tb_event e WHERE e.day = d.pk_day)) AS data
FROM tb_day d;
INSERT INTO tb_event VALUES (1, '2024-01-01'), (2, '2024-02-29');
UPDATE tb_event SET day = '2024-02-29';
SELECT data FROM tv_day ORDER BY pk_day;
SELECT * FROM test_oracle();
DROP TABLE tv_day;
