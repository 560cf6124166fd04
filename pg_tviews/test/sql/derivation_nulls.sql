-- Derivations take into account what outer joins, grouping sets and recursive
-- CTEs make of a column's value.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start

CREATE TABLE tb_a (pk int PRIMARY KEY, x int NOT NULL, y int);
CREATE TABLE tb_b (pk int PRIMARY KEY, x int NOT NULL, fk int NOT NULL);
CREATE TABLE tb_c (pk int PRIMARY KEY, x int);
INSERT INTO tb_a VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3);
INSERT INTO tb_b VALUES (1, 1, 5), (2, 2, 6);

-- A row that comes takes away the null-extended one that a condition was true for.
CREATE TABLE tv_extended AS
SELECT tb_a.pk AS pk_extended,
       jsonb_build_object('n', (SELECT count(*) FROM tb_b LEFT JOIN tb_c ON tb_c.pk = tb_b.fk
                                WHERE tb_b.x = tb_a.x AND (tb_c.x IS NULL OR tb_c.x = tb_a.y))) AS data
FROM tb_a;
INSERT INTO tb_c VALUES (5, 7);
SELECT pk_extended, data FROM tv_extended ORDER BY 1;
SELECT * FROM test_oracle();
DELETE FROM tb_c;
SELECT pk_extended, data FROM tv_extended ORDER BY 1;
SELECT * FROM test_oracle();

-- A grouping set makes columns null that are NOT NULL: then any row matters.
SELECT * FROM test_error($$
    CREATE TABLE tv_missing AS SELECT tb_a.pk AS pk_missing, to_jsonb(tb_a.x) AS data FROM tb_a
    WHERE tb_a.x NOT IN (SELECT tb_b.x FROM tb_b GROUP BY GROUPING SETS ((tb_b.x), (tb_b.fk))) $$);

-- It puts its rows into one partition, or group, ...
SELECT * FROM test_error($$
    CREATE TABLE tv_partition AS SELECT tb_a.pk AS pk_partition, to_jsonb(s.n) AS data FROM tb_a
    LEFT JOIN (SELECT tb_b.fk, count(*) OVER (PARTITION BY tb_b.x) AS n
               FROM tb_b GROUP BY GROUPING SETS ((tb_b.x), (tb_b.fk))) AS s ON s.fk = tb_a.pk $$);
SELECT * FROM test_error($$
    CREATE TABLE tv_first AS SELECT tb_a.pk AS pk_first, jsonb_build_object('n', s.fk) AS data FROM tb_a
    LEFT JOIN (SELECT DISTINCT ON (tb_b.x) tb_b.x, tb_b.fk FROM tb_b
               GROUP BY GROUPING SETS ((tb_b.x), (tb_b.fk)) ORDER BY tb_b.x, tb_b.fk) AS s ON s.fk = tb_a.pk $$);
-- ... but for what is in all of its sets.
CREATE TABLE tv_rollup AS
SELECT tb_a.pk AS pk_rollup,
       coalesce((SELECT jsonb_agg(s.n ORDER BY s.n)
                 FROM (SELECT tb_b.fk, count(*) OVER (PARTITION BY tb_b.fk) AS n
                       FROM tb_b GROUP BY tb_b.fk, ROLLUP (tb_b.x)) AS s
                 WHERE s.fk = tb_a.pk), '[]') AS data
FROM tb_a;
UPDATE tb_b SET fk = 1 WHERE pk = 1;
SELECT pk_rollup, data FROM tv_rollup ORDER BY 1;
SELECT * FROM test_oracle();

-- A subquery of the target list sees the null, too.
SELECT * FROM test_error($$
    CREATE TABLE tv_inner AS SELECT tb_a.pk AS pk_inner, to_jsonb(s.n) AS data FROM tb_a
    LEFT JOIN (SELECT tb_b.fk, (SELECT count(*) FROM tb_c WHERE tb_c.x = coalesce(tb_b.x, 0)) AS n
               FROM tb_b GROUP BY GROUPING SETS ((tb_b.x), (tb_b.fk))) AS s ON s.fk = tb_a.pk $$);

-- A recursive term that hands on a column through a subquery.
SELECT * FROM test_error($$
    CREATE TABLE tv_steps AS
    WITH RECURSIVE t(root, x) AS (
        SELECT tb_a.pk, tb_a.x FROM tb_a
        UNION
        SELECT s.root, tb_b.fk FROM (SELECT t.root, t.x FROM t) AS s JOIN tb_b ON tb_b.x = s.x)
    SELECT t.root AS pk_steps, jsonb_agg(t.x ORDER BY t.x) AS data FROM t GROUP BY t.root $$);
