-- The shapes a definition can have: what is written to any of the tables
-- reaches the rows that show it.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE TABLE tb_a (pk_a int PRIMARY KEY, fk_b int, n int NOT NULL, word text);
CREATE TABLE tb_b (pk_b int PRIMARY KEY, fk_a int, n int NOT NULL, word text);
CREATE TABLE tb_c (a int, b int, PRIMARY KEY (a, b));
CREATE INDEX ON tb_a (fk_b);
CREATE INDEX ON tb_b (fk_a);
CREATE INDEX ON tb_c (b);
INSERT INTO tb_a SELECT i, i * 5 % 9, i % 3, 'a' || i FROM generate_series(1, 12) i;
INSERT INTO tb_b SELECT i, 1 + i % 5, i % 2, 'b' || i FROM generate_series(1, 9) i;
INSERT INTO tb_c SELECT i, 1 + (i * j) % 9 FROM generate_series(1, 6) i, generate_series(1, 3) j
ON CONFLICT DO NOTHING;

-- joins
CREATE TABLE tv_inner AS
SELECT a.pk_a AS pk_inner, jsonb_build_object(1, a.word, 2, b.word) AS data
FROM tb_a a JOIN tb_b b ON b.pk_b = a.fk_b;
CREATE TABLE tv_left AS
SELECT a.pk_a AS pk_left, jsonb_build_object(1, a.word, 2, b.word) AS data
FROM tb_a a LEFT JOIN tb_b b ON b.pk_b = a.fk_b AND b.n = 1;
CREATE TABLE tv_right AS
SELECT a.pk_a AS pk_right, jsonb_build_object(1, a.word, 2, b.word) AS data
FROM tb_b b RIGHT JOIN tb_a a ON b.pk_b = a.fk_b AND a.n > 0;
CREATE TABLE tv_full AS
SELECT a.pk_a AS pk_full, jsonb_build_object(1, a.word, 2, b.word) AS data
FROM tb_a a FULL JOIN tb_b b ON b.pk_b = a.fk_b
WHERE a.pk_a IS NOT NULL;
CREATE TABLE tv_self AS
SELECT a.pk_a AS pk_self, jsonb_build_object(1, a.word, 2, p.word, 3, pp.word) AS data
FROM tb_a a
LEFT JOIN tb_a p ON p.pk_a = a.fk_b
LEFT JOIN tb_a pp ON pp.pk_a = p.fk_b;

-- conditions
CREATE TABLE tv_where AS
SELECT a.pk_a AS pk_where, to_jsonb(a.word) AS data
FROM tb_a a JOIN tb_b b ON b.pk_b = a.fk_b
WHERE a.n <> 2 AND b.n = 1;

-- correlated subqueries
CREATE TABLE tv_agg AS
SELECT a.pk_a AS pk_agg, jsonb_build_object(
	'words', (SELECT jsonb_agg(b.word ORDER BY b.n, b.pk_b) FROM tb_b b WHERE b.fk_a = a.pk_a),
	'many', (SELECT count(*) FROM tb_b b WHERE b.fk_a = a.pk_a AND b.n = 1),
	'sum', (SELECT sum(b.n) FROM tb_c c JOIN tb_b b ON b.pk_b = c.b WHERE c.a = a.pk_a),
	'max', (SELECT b.word FROM tb_b b WHERE b.fk_a = a.pk_a ORDER BY b.word DESC LIMIT 1)) AS data
FROM tb_a a;
CREATE TABLE tv_exists AS
SELECT a.pk_a AS pk_exists, to_jsonb(a.word) AS data
FROM tb_a a WHERE EXISTS (SELECT FROM tb_c c JOIN tb_b b ON b.pk_b = c.b WHERE c.a = a.pk_a AND b.n = 1);
CREATE TABLE tv_absent AS
SELECT a.pk_a AS pk_absent, to_jsonb(a.word) AS data
FROM tb_a a WHERE NOT EXISTS (SELECT FROM tb_b b WHERE b.fk_a = a.pk_a)
AND a.n NOT IN (SELECT c.b FROM tb_c c WHERE c.a = a.pk_a);
CREATE TABLE tv_in AS
SELECT a.pk_a AS pk_in, to_jsonb(a.word) AS data
FROM tb_a a WHERE a.fk_b IN (SELECT b.pk_b FROM tb_b b WHERE b.n = 1)
AND (a.pk_a, 2) NOT IN (SELECT c.a, c.b FROM tb_c c WHERE c.a = a.pk_a);
CREATE TABLE tv_lateral AS
SELECT a.pk_a AS pk_lateral, jsonb_build_object('last', l.word) AS data
FROM tb_a a
LEFT JOIN LATERAL (SELECT b.word FROM tb_b b WHERE b.fk_a = a.pk_a ORDER BY b.pk_b DESC LIMIT 1) l ON true;

-- groups
CREATE TABLE tv_sub AS
SELECT a.pk_a AS pk_sub, jsonb_build_object('n', coalesce(g.n, 0), 'words', g.words) AS data
FROM tb_a a
LEFT JOIN (SELECT b.fk_a, count(*) AS n, jsonb_agg(b.word ORDER BY b.pk_b) AS words
		   FROM tb_b b GROUP BY b.fk_a HAVING count(*) > 1) g ON g.fk_a = a.pk_a;
CREATE TABLE tv_group AS
SELECT b.fk_a AS pk_group, jsonb_agg(b.word ORDER BY b.pk_b) AS data
FROM tb_b b WHERE b.fk_a IS NOT NULL GROUP BY b.fk_a;
CREATE TABLE tv_joined AS
SELECT a.pk_a AS pk_joined, jsonb_agg(b.word ORDER BY b.pk_b) AS data
FROM tb_a a JOIN tb_c c ON c.a = a.pk_a JOIN tb_b b ON b.pk_b = c.b
GROUP BY a.pk_a;
CREATE TABLE tv_distinct AS
SELECT DISTINCT a.pk_a AS pk_distinct, to_jsonb(a.word) AS data
FROM tb_a a JOIN tb_c c ON c.a = a.pk_a;

-- WITH; plain views over plain views
CREATE TABLE tv_with AS
WITH big AS (SELECT * FROM tb_b WHERE n > 0)
SELECT a.pk_a AS pk_with, jsonb_build_object('word', big.word) AS data
FROM tb_a a JOIN big ON big.pk_b = a.fk_b;
CREATE VIEW inner_view AS SELECT pk_b, word FROM tb_b WHERE n = 1;
CREATE VIEW outer_view AS
SELECT a.pk_a, a.word AS a, i.word AS b FROM tb_a a LEFT JOIN inner_view i ON i.pk_b = a.fk_b;
CREATE TABLE tv_view AS
SELECT pk_a AS pk_view, jsonb_build_object(1, a, 2, b) AS data FROM outer_view;
SELECT helper, tview FROM pg_tview_helpers ORDER BY helper::text COLLATE "C";

SELECT * FROM test_oracle() WHERE differences > 0;
SELECT pk_self, data FROM tv_self WHERE pk_self < 4 ORDER BY 1;
SELECT pk_agg, data FROM tv_agg WHERE pk_agg < 4 ORDER BY 1;

-- each statement by itself
INSERT INTO tb_a VALUES (13, 9, 1, 'a13'), (14, NULL, 0, 'a14'), (15, 99, 0, 'a15');
SELECT * FROM test_oracle() WHERE differences > 0;
INSERT INTO tb_b VALUES (10, 13, 1, 'b10'), (99, NULL, 1, 'b99');
SELECT * FROM test_oracle() WHERE differences > 0;
UPDATE tb_b SET n = 1 - n;
SELECT * FROM test_oracle() WHERE differences > 0;
UPDATE tb_b SET fk_a = fk_a % 5 + 1 WHERE pk_b < 6;
SELECT * FROM test_oracle() WHERE differences > 0;
UPDATE tb_b SET pk_b = 20, word = 'b20' WHERE pk_b = 3;
SELECT * FROM test_oracle() WHERE differences > 0;
UPDATE tb_a SET fk_b = 20, word = upper(word) WHERE pk_a IN (1, 2, 14);
SELECT * FROM test_oracle() WHERE differences > 0;
UPDATE tb_a SET n = (n + 1) % 3;
SELECT * FROM test_oracle() WHERE differences > 0;
UPDATE tb_a SET pk_a = 40 WHERE pk_a = 4;
SELECT * FROM test_oracle() WHERE differences > 0;
INSERT INTO tb_c VALUES (40, 1), (40, 2), (13, 10);
SELECT * FROM test_oracle() WHERE differences > 0;
UPDATE tb_c SET a = 12 WHERE a = 40;
SELECT * FROM test_oracle() WHERE differences > 0;
DELETE FROM tb_c WHERE b % 2 = 0;
SELECT * FROM test_oracle() WHERE differences > 0;
DELETE FROM tb_b WHERE pk_b IN (1, 20);
SELECT * FROM test_oracle() WHERE differences > 0;
DELETE FROM tb_a WHERE pk_a IN (1, 40, 14);
SELECT * FROM test_oracle() WHERE differences > 0;

-- changes that hide each other: p moves, and both its partners go
BEGIN;
UPDATE tb_a SET fk_b = 4 WHERE pk_a = 5;
DELETE FROM tb_b WHERE pk_b IN (4, (SELECT fk_b FROM tb_a WHERE pk_a = 6));
UPDATE tb_b SET n = 0;
COMMIT;
SELECT * FROM test_oracle() WHERE differences > 0;
BEGIN;
TRUNCATE tb_c;
INSERT INTO tb_c SELECT pk_a, pk_b FROM tb_a, tb_b WHERE (pk_a + pk_b) % 3 = 0;
DELETE FROM tb_a WHERE pk_a = 6;
COMMIT;
SELECT * FROM test_oracle();
SELECT count(*) > 0 AS rows FROM tv_joined;
