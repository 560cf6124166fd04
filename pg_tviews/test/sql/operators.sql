-- Operators that SQL doesn't name are those of the definition as it was
-- written, whatever search_path its text is parsed with again.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE EXTENSION citext;

CREATE TABLE tb_a (pk_a int PRIMARY KEY, v citext);
CREATE TABLE tb_b (pk_b int PRIMARY KEY, v citext);
INSERT INTO tb_a VALUES (1, 'ab'), (2, NULL);
INSERT INTO tb_b VALUES (1, 'AB');
CREATE VIEW first AS SELECT pk_a, CASE v WHEN 'X' THEN 0 WHEN 'AB' THEN 1 ELSE 2 END AS n FROM tb_a;
CREATE VIEW joined AS SELECT tb_a.pk_a, tb_b.pk_b FROM tb_a JOIN tb_b USING (v);
CREATE TABLE tv_a AS
SELECT a.pk_a, jsonb_build_object(
    'distinct', (SELECT count(*) FROM tb_b b WHERE b.v IS NOT DISTINCT FROM a.v),
    'case', CASE a.v WHEN 'AB' THEN true END,
    'nullif', NULLIF(a.v, 'AB'),
    'row', (SELECT ROW(b.v, 1) = ROW(a.v, 1) FROM tb_b b WHERE b.pk_b = a.pk_a),
    'in', a.v IN (SELECT b.v FROM tb_b b WHERE b.pk_b = a.pk_a),
    'view', f.n) AS data
FROM tb_a a JOIN first f USING (pk_a);
SELECT pk_a, data FROM tv_a ORDER BY 1;
UPDATE tb_b SET v = 'aB';
INSERT INTO tb_b VALUES (2, NULL);
UPDATE tb_a SET v = 'x' WHERE pk_a = 1;
SELECT pk_a, data FROM tv_a ORDER BY 1;
SELECT * FROM test_oracle();

-- without a form that names it
SELECT * FROM test_error($$
    CREATE TABLE tv_b AS SELECT tb_b.pk_b, to_jsonb(pk_a) AS data FROM tb_b JOIN tb_a USING (v) $$);
SELECT * FROM test_error($$
    CREATE TABLE tv_b AS SELECT joined.pk_b, to_jsonb(joined.pk_a) AS data FROM joined $$);
SELECT * FROM test_error($$
    CREATE TABLE tv_b AS SELECT b.pk_b, '{}'::jsonb AS data FROM tb_b b
    WHERE (1, b.v) IN (SELECT 1, a.v FROM tb_a a) $$);
SELECT * FROM test_error($$
    CREATE TABLE tv_b AS SELECT b.pk_b, '{}'::jsonb AS data FROM tb_b b
    WHERE EXISTS (SELECT FROM tb_a a WHERE (b.pk_b, b.v) < (a.pk_a, a.v)) $$);

-- values of char(n) may be equal and have different lengths
CREATE TABLE tb_char (pk_char bpchar PRIMARY KEY, n int);
CREATE TABLE tv_char AS SELECT pk_char, to_jsonb(n) AS data FROM tb_char;
INSERT INTO tb_char VALUES ('a', 1);
UPDATE tb_char SET pk_char = 'a ';
SELECT pk_char || '|' AS pk_char, data FROM tv_char;
SELECT * FROM test_oracle();
