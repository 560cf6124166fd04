-- What a TVIEW holds does not depend on the settings of the session that
-- writes, nor on those of the one that creates it.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start

-- DateStyle and a constant of the definition
CREATE TABLE tb_a (pk_a int PRIMARY KEY, d date, n int, t text);
CREATE TABLE tv_a AS
SELECT pk_a, jsonb_build_object('n', n, 'new', d >= DATE '2024-02-01', 'at', TIMESTAMP '2024-03-04 05:06') AS data
FROM tb_a;
INSERT INTO tb_a VALUES (1, '2024-01-15', 0, '{NULL}'), (2, '2024-05-05', 0, '{x}');
SELECT pk_a, data FROM tv_a ORDER BY 1;
\c -
SET DateStyle = 'SQL, DMY';
UPDATE tb_a SET n = 1;
SELECT pk_a, data FROM tv_a ORDER BY 1;
SELECT * FROM test_oracle();
\c -
SELECT pk_a, data FROM tv_a ORDER BY 1;
SELECT * FROM test_oracle();

-- settings that functions and casts look at
CREATE TABLE tv_b AS
SELECT pk_a AS pk_b, jsonb_build_object('n', n, 'quoted', format('%I', 'abc'), 'array', t::text[]) AS data FROM tb_a;
SET quote_all_identifiers = on;
SET array_nulls = off;
SET lc_monetary = 'C';
SET xmloption = document;
SET default_text_search_config = 'pg_catalog.english';
SET transform_null_equals = on;
UPDATE tb_a SET n = 2, t = replace(t, '}', ',NULL}');
\c -
SELECT pk_b, data FROM tv_b ORDER BY 1;
SELECT * FROM test_oracle();
-- what they are outside stays as it was
SET quote_all_identifiers = on;
BEGIN;
UPDATE tb_a SET n = 3;
SELECT count(*) FROM tv_b;
SHOW quote_all_identifiers;
SAVEPOINT s;
SELECT 1 / (SELECT 0 FROM tv_b LIMIT 1);
ROLLBACK TO s;
SHOW quote_all_identifiers;
COMMIT;
SHOW quote_all_identifiers;
RESET quote_all_identifiers;

-- strings with backslashes, between the plan and the refresh
CREATE TABLE tv_c AS
SELECT pk_a AS pk_c, jsonb_build_object('n', n, 's', 'a\tb') AS data FROM tb_a;
SET escape_string_warning = off;
\c -
BEGIN;
UPDATE tb_a SET n = 4;
SET LOCAL standard_conforming_strings = off;
SET LOCAL escape_string_warning = off;
COMMIT;
SELECT pk_c, data FROM tv_c ORDER BY 1;
UPDATE tb_a SET n = 5;
SELECT * FROM test_oracle();
SET standard_conforming_strings = off;
SET escape_string_warning = off;
CREATE TABLE tv_d AS
SELECT pk_a AS pk_d, jsonb_build_object('n', n, 's', 'a\tb') AS data FROM tb_a;
UPDATE tb_a SET n = 6;
RESET standard_conforming_strings;
RESET escape_string_warning;
UPDATE tb_a SET n = 7;
SELECT pk_d, data FROM tv_d ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE tv_a, tv_b, tv_c, tv_d;

-- search_path: a function that hides one of the system's, and is volatile
INSERT INTO tb_a VALUES (3, NULL, 0, 'Abc');
CREATE FUNCTION public.lower(text) RETURNS text VOLATILE LANGUAGE sql AS 'SELECT ''mine''::text';
SET search_path = public, pg_catalog;
CREATE TABLE tv_a AS SELECT pk_a, jsonb_build_object('t', pg_catalog.lower(t)) AS data FROM tb_a;
SELECT pk_a, data FROM tv_a ORDER BY 1;
UPDATE tb_a SET t = 'XYZ' WHERE pk_a = 3;
SELECT pk_a, data FROM tv_a ORDER BY 1;
SELECT * FROM test_oracle();
\pset format unaligned
\pset tuples_only on
SELECT test_error('CREATE TABLE tv_b AS SELECT pk_a AS pk_b, jsonb_build_object(''t'', lower(t)) AS data FROM tb_a');
\pset tuples_only off
\pset format aligned
RESET search_path;
-- and one that hides an operator
CREATE FUNCTION nothing(jsonb, jsonb) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR public.= (FUNCTION = nothing, LEFTARG = jsonb, RIGHTARG = jsonb);
CREATE OPERATOR public.<> (FUNCTION = nothing, LEFTARG = jsonb, RIGHTARG = jsonb);
SET search_path = public, pg_catalog;
UPDATE tb_a SET t = 'QRS' WHERE pk_a = 3;
SELECT pk_a, data FROM tv_a ORDER BY 1;
SELECT * FROM pg_tviews_verify('a');
SELECT inserted, updated, deleted FROM pg_tviews_refresh('a');
RESET search_path;
DROP OPERATOR public.= (jsonb, jsonb);
DROP OPERATOR public.<> (jsonb, jsonb);
SELECT * FROM test_oracle();
DROP TABLE tv_a;
DROP FUNCTION public.lower(text);

-- a temporary table of the same name
CREATE TEMP TABLE tv_a (pk_a int, data jsonb);
CREATE TABLE public.tv_a AS SELECT pk_a, to_jsonb(n) AS data FROM tb_a;
SELECT entity, schema FROM pg_tview_meta;
UPDATE tb_a SET n = 8;
SELECT pk_a, data FROM public.tv_a ORDER BY 1;
SELECT * FROM pg_tviews_verify('public.a');
TABLE pg_temp.tv_a;
DROP TABLE public.tv_a;
CREATE TABLE tv_a AS SELECT pk_a, to_jsonb(n) AS data FROM tb_a;
SELECT entity, schema FROM pg_tview_meta;
UPDATE tb_a SET n = 9;
DROP TABLE pg_temp.tv_a;
SELECT pk_a, data FROM tv_a ORDER BY 1;
-- one that hides a base table
CREATE TEMP TABLE tb_a (pk_a int, n int);
INSERT INTO pg_temp.tb_a VALUES (1, 100);
UPDATE public.tb_a SET n = 10;
SELECT pk_a, data FROM tv_a ORDER BY 1;
DROP TABLE pg_temp.tb_a;
SELECT * FROM test_oracle();

-- settings of the planner and of transactions
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL row_security = off;
SET LOCAL plan_cache_mode = force_generic_plan;
SET LOCAL default_transaction_read_only = on;
UPDATE tb_a SET n = pk_a;
SELECT pk_a, data FROM tv_a ORDER BY 1;
COMMIT;
BEGIN;
UPDATE tb_a SET n = n + 1;
SET TRANSACTION READ ONLY;
SELECT pk_a, data FROM tv_a ORDER BY 1;
COMMIT;
BEGIN;
UPDATE tb_a SET n = n + 1;
SET TRANSACTION READ ONLY;
COMMIT;
SELECT * FROM test_oracle();
