-- What can't be maintained by key is refused when the TVIEW is created, with
-- the construct, the reason, and a way out (P8).
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE TABLE tb_x (pk_x int PRIMARY KEY, fk_y int, word text, at timestamptz);
CREATE TABLE tb_y (pk_y int PRIMARY KEY, word text);
CREATE FUNCTION try(definition text) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT test_error(format('SELECT pg_tviews_create(''x'', %L)', definition)) $$;

SELECT try('SELECT pk_x, to_jsonb(word) AS data FROM tb_x ORDER BY word LIMIT 10');
SELECT try('SELECT pk_x, to_jsonb(rank() OVER (ORDER BY word)) AS data FROM tb_x');
SELECT try('SELECT pk_x, to_jsonb(rank() OVER (PARTITION BY word)) || to_jsonb(rank() OVER ()) AS data FROM tb_x');
SELECT try('SELECT DISTINCT ON (length(y.word)) x.pk_x, to_jsonb(y.word) AS data
	FROM tb_x x LEFT JOIN tb_y y ON y.pk_y = x.fk_y ORDER BY length(y.word), x.pk_x');
SELECT try('SELECT pk_x, to_jsonb(word) AS data FROM tb_x UNION ALL
	SELECT pk_x, to_jsonb(y.word) FROM tb_x, tb_y y');
SELECT try('SELECT x.pk_x, (WITH RECURSIVE r AS (
		SELECT pk_x, fk_y FROM tb_x s WHERE s.pk_x = x.pk_x
		UNION SELECT n.pk_x, n.fk_y FROM tb_x n JOIN r ON n.fk_y > r.fk_y)
	SELECT jsonb_agg(fk_y ORDER BY fk_y) FROM r) AS data FROM tb_x x');
SELECT try('SELECT pk_x, to_jsonb(word) AS data FROM tb_x FOR UPDATE');
SELECT try('SELECT pk_x, to_jsonb(word) AS data FROM tb_x TABLESAMPLE system (10)');
SELECT try('SELECT pk_x, to_jsonb(random()) AS data FROM tb_x');
SELECT try('SELECT pk_x, to_jsonb(now()) AS data FROM tb_x');
SELECT try('SELECT pk_x, to_jsonb(at > current_timestamp) AS data FROM tb_x');
SELECT try('SELECT pk_x, to_jsonb(current_user) AS data FROM tb_x');
SELECT try('SELECT pk_x, to_jsonb(current_setting(''work_mem'')) AS data FROM tb_x');
SELECT try('SELECT pk_x, to_jsonb(age(at)) AS data FROM tb_x');
CREATE FUNCTION words() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM tb_y';
SELECT try('SELECT pk_x, to_jsonb(words()) AS data FROM tb_x');
SELECT try('SELECT pk_x, to_jsonb(ctid::text) AS data FROM tb_x');
SELECT try('SELECT pk_x, to_jsonb(xmin::text) AS data FROM tb_x');
CREATE VIEW clock AS SELECT pk_x, now() AS now FROM tb_x;
SELECT try('SELECT pk_x, to_jsonb(now) AS data FROM clock');

-- sources without a way to the key
SELECT try('SELECT x.pk_x, jsonb_build_object(''n'', (SELECT count(*) FROM tb_y)) AS data FROM tb_x x');
SELECT try('SELECT x.pk_x, to_jsonb(y.word) AS data FROM tb_x x CROSS JOIN tb_y y');
SELECT try('SELECT count(*)::int AS pk_x, ''{}''::jsonb AS data FROM tb_x');
SELECT try('SELECT 1 AS pk_x, ''{}''::jsonb AS data');
SELECT try('SELECT x.pk_x + y.pk_y AS pk_x, ''{}''::jsonb AS data FROM tb_x x JOIN tb_y y ON y.pk_y = x.fk_y');
SELECT try('SELECT x.pk_x, to_jsonb(l.word) AS data FROM tb_x x CROSS JOIN (SELECT word FROM tb_y LIMIT 1) l');
SELECT try('SELECT x.pk_x, to_jsonb(l.n) AS data FROM tb_x x JOIN (SELECT count(*) AS n FROM tb_y) l ON l.n = x.pk_x');

-- tables of kinds that aren't supported
CREATE TEMPORARY TABLE brief (pk_x int PRIMARY KEY);
SELECT try('SELECT pk_x, ''{}''::jsonb AS data FROM brief');
CREATE MATERIALIZED VIEW stored AS SELECT pk_x FROM tb_x;
SELECT try('SELECT pk_x, ''{}''::jsonb AS data FROM stored');
SELECT try('SELECT oid AS pk_x, ''{}''::jsonb AS data FROM pg_class');
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE far (pk_x int) SERVER nowhere;
SELECT try('SELECT pk_x, ''{}''::jsonb AS data FROM far');
CREATE TABLE parent (pk_x int);
ALTER FOREIGN TABLE far INHERIT parent;
SELECT try('SELECT pk_x, ''{}''::jsonb AS data FROM parent');
CREATE UNLOGGED TABLE fleeting (pk_y int PRIMARY KEY);
SELECT try('SELECT x.pk_x, ''{}''::jsonb AS data FROM tb_x x JOIN fleeting ON pk_y = fk_y');
DROP FOREIGN DATA WRAPPER nothing CASCADE;

-- a table that becomes such a one under a TVIEW
CREATE TABLE tv_y AS SELECT pk_y, to_jsonb(word) AS data FROM tb_y;
SELECT test_error('CREATE TEMPORARY TABLE child_y () INHERITS (tb_y)');
SELECT test_error('ALTER TABLE tv_y DROP COLUMN data');
SELECT test_error('ALTER TABLE tv_y RENAME COLUMN data TO other');
SELECT test_error('ALTER TABLE tv_y DROP COLUMN updated_at');
SELECT test_error('ALTER TABLE tb_y ALTER COLUMN word TYPE varchar');
INSERT INTO tb_y VALUES (1, 'one');
SELECT pk_y, data FROM tv_y;
SELECT * FROM test_objects();
SELECT * FROM test_oracle();
