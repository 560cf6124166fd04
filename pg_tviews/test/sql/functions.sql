-- Functions that make a definition depend on more than the tables it names:
-- volatile ones, those of the clock and the session, and those that may read
-- tables; wherever they hide, and what the options allow.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE TABLE tb_x (
	pk_x int PRIMARY KEY, n int, word text, at timestamptz, r regclass,
	rs regclass[], m money, tt timetz, j jsonb, x xml
);
CREATE TABLE tb_o (pk_o int PRIMARY KEY, n int);
INSERT INTO tb_o VALUES (1, 10);
-- the error of a TVIEW with this expression in its document
CREATE FUNCTION try(expression text, options jsonb DEFAULT '{}') RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT test_error(format('SELECT pg_tviews_create(''x'', %L, %L); SELECT pg_tviews_drop(''x'')',
		'SELECT pk_x, jsonb_build_object(''v'', ' || expression || ') AS data FROM tb_x', options)) $$;
-- the same as one line for each of several expressions
CREATE FUNCTION try_all(VARIADIC expressions text[]) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT e || ' -> ' || (SELECT string_agg(t, ' | ') FROM try(e) t WHERE t NOT LIKE 'hint%' AND t NOT LIKE '0A000%')
		FROM unnest(expressions) WITH ORDINALITY u(e, i) ORDER BY i $$;

-- volatile: never
SELECT try('random()');
SELECT try('random()', '{"time_dependent": true}');
SELECT try_all('clock_timestamp()', 'gen_random_uuid()', 'pg_sleep(0)::text', 'nextval(''pg_class'')');

-- clock, session, catalogs
SELECT try('now()');
SELECT try_all('current_date', 'localtime', 'current_timestamp(3)', 'current_user', 'session_user', 'current_schema',
	'current_catalog', 'current_setting(''work_mem'')', 'age(at)', 'at > now()', 'statement_timestamp()',
	'pg_get_viewdef(r)', 'tt AT TIME ZONE ''Europe/Berlin''', 'to_tsvector(word)::text', 'n::money', 'm::numeric');
SELECT try_all('at', 'at::date', 'at::time', 'at::text', 'tt AT TIME ZONE interval ''1 hour''', 'at AT TIME ZONE word', 'date_trunc(''day'', at)',
	'extract(epoch FROM at)', 'to_tsvector(''simple'', word)::text', 'at - interval ''1 day''', 'age(at, at)');

-- text that becomes a date or time, directly and inside of other types
CREATE TYPE pair AS (n int, d date);
CREATE DOMAIN day AS date;
CREATE DOMAIN days AS date[] CHECK (cardinality(value) < 10);
CREATE TYPE span AS RANGE (SUBTYPE = date);
CREATE TYPE nested AS (p pair[], t text);
CREATE TYPE harmless AS (n int, t text, i interval, a int[], e xml);
SELECT try('word::date');
SELECT try_all('word::timestamp', 'word::timestamptz', 'word::time', 'word::timetz', 'word::interval',
	'word::date[]', '(word::text[])::date[]', 'word::pair', 'word::nested', 'word::day', 'word::days', 'word::daterange', 'word::datemultirange', 'word::span',
	'word::regclass', 'word::regrole', 'word::money', 'word::xml', 'word::harmless',
	'jsonb_populate_record(null::pair, j)', 'jsonb_populate_record(null::nested, j)', 'jsonb_populate_record(null::harmless, j)',
	'(SELECT q FROM jsonb_to_record(j) AS q (d date))', '(SELECT q FROM jsonb_to_record(j) AS q (d text))',
	'(SELECT d FROM jsonb_to_recordset(j) AS q (d date[]))', '(SELECT d FROM json_to_record(j::json) AS q (d day))',
	'(SELECT d FROM ROWS FROM (jsonb_to_record(j) AS (d date), generate_series(1, 2)) AS q)',
	'(SELECT count(*) FROM json_populate_recordset(null::pair, j::json))',
	'(SELECT d FROM xmltable(''/r'' PASSING x COLUMNS d date))', '(SELECT d FROM xmltable(''/r'' PASSING x COLUMNS d text))',
	'(xpath(''/r/d/text()'', x))[1]::text::date', 'to_date(word, ''YYYY-MM-DD'')', 'to_timestamp(word, ''YYYY-MM-DD'')');

-- text forms that the session or the catalogs decide
CREATE DOMAIN thing AS regclass;
CREATE TYPE things AS (r regclass, t text);
SELECT try('r');
SELECT try_all('r::text', 'rs', 'rs::text', 'r::oid', 'tb_x.tableoid', 'r::oid::int8', 'nullif(r, ''tb_o''::regclass)::oid', 'tb_x.tableoid = ''tb_x''::regclass', 'CASE tb_x.tableoid WHEN ''tb_x''::regclass THEN 1 END', 'CASE r WHEN ''tb_x''::regclass THEN 1 END', 'tb_x.tableoid IN (''tb_x''::regclass, ''tb_o''::regclass)', 'r::thing', 'ROW(r, n)::things', 'ROW(r, n)', 'to_jsonb(r)', 'to_jsonb(tb_x)', 'tb_x',
	'row_to_json(tb_x)', '''is '' || r', 'concat(n, r)', 'concat_ws(''-'', n, r)', 'format(''%s'', r)', 'format(''%s'', VARIADIC rs)', 'array_to_string(rs, '','')', 'quote_literal(r)',
	'json_build_array(r)', 'jsonb_object(array[word, r::text])', '(SELECT jsonb_agg(i.r ORDER BY i.r) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)',
	'(SELECT json_object_agg(i.word, i.r) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)', '(SELECT string_agg(i.r::text, '','' ORDER BY i.pk_x) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)',
	'(SELECT json_agg(r) OVER ())',
	'textin(regclassout(r))', 'array_out(rs)::text', 'm', 'm::text', 'm > 1::text::money', 'pg_typeof(n)', 'pg_typeof(n)::oid',
	'r = ''tb_x''::regclass', 'daterange(at::date, null)', 'ARRAY[at]', '(SELECT t FROM (SELECT n, word) t)', '(SELECT row_to_json(t) FROM (SELECT n, r) t)',
	'(SELECT row_to_json(t) FROM (SELECT n, at, word) t)', '(SELECT jsonb_agg(t ORDER BY t) FROM (VALUES (1, r)) t)', '(SELECT array_agg(t ORDER BY t) FROM (SELECT r) t)');

-- formats
SELECT try_all('to_char(at, ''YYYY "TM" Month'')', 'to_char(at, ''TMMonth'')', 'to_char(at, ''tmday'')', 'to_char(n, ''FM999.00SGPL'')', 'to_char(n, ''L999'')',
	'to_char(n, ''9G999D00'')', 'to_char(n, ''FM9 "Dollar"'')', 'to_char(n, word)', 'to_number(word, ''9G999'')', 'to_date(word, ''TMMonth'')', 'to_char(at - at, ''HH24'')', 'to_char(n, null)');

-- functions of users: immutable ones are taken at their word, volatile ones
-- are refused, and stable ones need a declaration of what they read
CREATE FUNCTION n_of(k int) RETURNS int STABLE LANGUAGE sql AS 'SELECT n FROM public.tb_o WHERE pk_o = k';
CREATE FUNCTION half(k int) RETURNS int STABLE LANGUAGE sql AS 'SELECT k / 2';
CREATE FUNCTION wild(k int) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT k';
CREATE FUNCTION twice(k int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT public.half(4 * k)';
CREATE FUNCTION half(k text) RETURNS text STABLE LANGUAGE sql AS 'SELECT k';
SELECT try('half(n)');
SELECT try('wild(n)');
SELECT try('twice(n)');
SELECT try('half(n)', '{"reads": {"half(int)": []}}');
SELECT try('half(n)', '{"reads": {"half(text)": []}}');
SELECT try('half(n)', '{"reads": {"half(date)": []}}');
SELECT try('half(n)', '{"reads": {"half(int)": ["tb_nowhere"]}}');
SELECT try('n', '{"reads": {"half(int)": []}}');
SELECT try('wild(n)', '{"reads": {"wild(int)": []}}');
SELECT try('lower(word)', '{"reads": {"lower(text)": []}}');
SELECT try('n_of(n)', '{"reads": {"public.n_of(int)": ["tb_o"]}}');
SELECT try('now()', '{"reads": {"now()": []}}');
SELECT try('half(n)', '{"time_dependent": true}');
-- what is kept has qualified names, whatever search_path was
CREATE SCHEMA "Odd";
CREATE FUNCTION "Odd"."a.b"(k pair[], l int) RETURNS int STABLE LANGUAGE sql AS 'SELECT $2';
SET search_path = "Odd", public;
SELECT pg_tviews_create('public.x', 'SELECT pk_x, to_jsonb("a.b"(null, n)) AS data FROM tb_x',
	'{"time_dependent": false, "reads": {"\"a.b\"(pair[], int)": []}, "on_unmapped": "error"}');
SET search_path = pg_catalog;
INSERT INTO public.tb_x (pk_x, n) VALUES (1, 1);
RESET search_path;
SELECT options FROM pg_tview_meta;
SELECT data FROM tv_x;
SELECT * FROM test_oracle();
DELETE FROM tb_x;
SELECT pg_tviews_drop('x');

-- where functions hide: operators, casts, aggregates, sorting, domains, types
CREATE OPERATOR ~~> (FUNCTION = half, RIGHTARG = int);
CREATE TYPE box1 AS (v int);
CREATE FUNCTION box1(k int) RETURNS box1 STABLE LANGUAGE sql AS 'SELECT ROW(k)::public.box1';
CREATE CAST (int AS box1) WITH FUNCTION box1(int);
CREATE FUNCTION add(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + $2';
CREATE FUNCTION add_wild(int, int) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT $1 + $2';
CREATE AGGREGATE total(int) (SFUNC = add, STYPE = int, FINALFUNC = half);
CREATE FUNCTION half_of(int, int) RETURNS int STABLE LANGUAGE sql AS 'SELECT $1 - $2';
CREATE AGGREGATE moving(int) (SFUNC = add, STYPE = int, MSFUNC = add, MINVFUNC = half_of, MSTYPE = int);
CREATE AGGREGATE combined(int) (SFUNC = add, STYPE = int, COMBINEFUNC = add_wild, INITCOND = '0');
CREATE AGGREGATE cat(anynonarray) (SFUNC = textanycat, STYPE = text, INITCOND = '');
CREATE DOMAIN checked AS int CHECK (half(value) >= 0);
CREATE DOMAIN wrapped AS checked;
CREATE FUNCTION less(box1, box1) RETURNS boolean STABLE LANGUAGE sql AS 'SELECT $1.v < $2.v';
CREATE FUNCTION same(box1, box1) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1.v = $2.v';
CREATE FUNCTION compare(box1, box1) RETURNS int STABLE LANGUAGE sql AS 'SELECT $1.v - $2.v';
CREATE OPERATOR <! (FUNCTION = less, LEFTARG = box1, RIGHTARG = box1);
CREATE OPERATOR =! (FUNCTION = same, LEFTARG = box1, RIGHTARG = box1);
CREATE OPERATOR CLASS box1_ops DEFAULT FOR TYPE box1 USING btree AS
	OPERATOR 1 <!, OPERATOR 3 =!, FUNCTION 1 compare(box1, box1);
ALTER TABLE tb_x ADD b box1;
CREATE TYPE boxes AS (b box1, n int);
SELECT try_all('~~> n', 'n::box1', '(SELECT total(i.n) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)', '(SELECT moving(i.n) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)',
	'(SELECT combined(i.n) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)', '(SELECT cat(i.r) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)', '(SELECT cat(i.n) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)',
	'n::checked', 'n::wrapped', 'word::wrapped', 'jsonb_populate_record(null::things, j)',
	'(SELECT c FROM jsonb_to_record(j) AS q (c wrapped))', '(ARRAY[n]::checked[])[1]',
	'(SELECT array_agg(i.n ORDER BY ROW(i.n)::box1) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)', '(SELECT count(DISTINCT ROW(i.n)::box1) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)',
	'(SELECT i.n FROM tb_x i WHERE i.pk_x = tb_x.pk_x ORDER BY ROW(i.n)::box1)', '(SELECT max(i.n) FROM tb_x i WHERE i.pk_x = tb_x.pk_x GROUP BY ROW(i.n)::box1)',
	'(SELECT rank() OVER (PARTITION BY ROW(i.n)::box1) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)',
	'(SELECT q.v FROM (SELECT ROW(n)::box1 AS v UNION SELECT ROW(1)::box1) q)', '(SELECT DISTINCT ROW(n)::box1)',
	'greatest(ROW(n)::box1, ROW(2)::box1)', 'ROW(n)::box1 <! ROW(1)::box1', 'ROW(n)::box1 <! ANY (ARRAY[ROW(1)::box1])', 'n IN (SELECT half(1))', 'ARRAY[ROW(n)::box1] < ARRAY[ROW(1)::box1]', 'ROW(b, n)::boxes = ROW(b, 1)::boxes', '(SELECT DISTINCT ARRAY[b])', '(SELECT count(*) FROM tb_x i WHERE i.pk_x = tb_x.pk_x GROUP BY ARRAY[b])',
	'(SELECT q.v[1] FROM (SELECT ARRAY[b] AS v UNION SELECT NULL) q)', 'greatest(ARRAY[b], ARRAY[b])', 'b IS DISTINCT FROM b', 'nullif(n, half(n))');
-- in the defaults of arguments, and in records that functions return
CREATE FUNCTION plus(a int, t timestamptz DEFAULT now(), b int DEFAULT 1) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT a + b';
CREATE FUNCTION parts(a int, OUT n int, OUT r regclass) IMMUTABLE LANGUAGE sql AS 'SELECT 1, null::regclass';
CREATE FUNCTION pieces(a int, OUT n int, OUT t text) IMMUTABLE LANGUAGE sql AS 'SELECT 1, null::text';
SELECT try_all('plus(n)', 'plus(n, at)', 'plus(n, at, 2)', 'plus(a => n, b => 1)', 'plus(b => 1, a => n, t => at)', 'to_jsonb(parts(n))', 'to_jsonb(pieces(n))', '(SELECT to_jsonb(p) FROM parts(n) p)',
	'(SELECT to_jsonb(p) FROM parts(n) WITH ORDINALITY p)', '(SELECT to_jsonb(p) FROM pieces(n) p)', '(parts(n)).n', '(parts(n)).r');
SELECT try('(SELECT total(i.n) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)', '{"reads": {"total(int)": []}}');
SELECT try('(SELECT total(i.n) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)', '{"reads": {"half(int)": []}}');
SELECT try('(SELECT combined(i.n) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)', '{"reads": {"combined(int)": []}}');
SELECT try('n::wrapped', '{"reads": {"half(int)": []}}');
DROP OPERATOR CLASS box1_ops USING btree;
ALTER TABLE tb_x DROP b;

-- option time_dependent: what the clock and the session say, as of the last
-- time the row was written
SELECT pg_tviews_create('x', 'SELECT pk_x, jsonb_build_object(''n'', n, ''zone'', current_setting(''TimeZone''), ''r'', r, ''app'', current_setting(''my.app'', true), ''past'', at < now()) AS data FROM tb_x',
	'{"time_dependent": true}');
SET my.app = 'one';
INSERT INTO tb_x (pk_x, n, r, at) VALUES (1, 1, 'tb_x', '2000-01-01'), (2, 2, 'tb_o', '2000-01-01');
SELECT data FROM tv_x ORDER BY pk_x;
SET my.app = 'two';
UPDATE tb_x SET n = 3 WHERE pk_x = 2;
ALTER TABLE tb_o RENAME TO tb_other;
SELECT data FROM tv_x ORDER BY pk_x;
SELECT * FROM pg_tviews_refresh('x');
SELECT data FROM tv_x ORDER BY pk_x;
SELECT * FROM pg_tviews_verify('x');
SELECT pg_tviews_drop('x');
ALTER TABLE tb_other RENAME TO tb_o;

-- abbreviations of time zones mean the same whatever the session's setting
UPDATE tb_x SET at = '2024-05-06 07:08:09+00', word = 'EST';
SELECT pg_tviews_create('x', 'SELECT pk_x, jsonb_build_object(''n'', n, ''at'', at AT TIME ZONE word, ''const'', at AT TIME ZONE ''EST'') AS data FROM tb_x');
SELECT data FROM tv_x ORDER BY pk_x;
SET timezone_abbreviations = 'Australia';
UPDATE tb_x SET n = n + 1;
SELECT data FROM tv_x ORDER BY pk_x;
SHOW timezone_abbreviations;
RESET timezone_abbreviations;
SELECT * FROM test_oracle();
SELECT pg_tviews_drop('x');

-- what changes under a TVIEW: casts to json, replaced functions and
-- aggregates, constraints of domains
CREATE TYPE colour AS ENUM ('red', 'green');
ALTER TABLE tb_x ADD c colour DEFAULT 'red', ADD d checked;
CREATE AGGREGATE sum1(int) (SFUNC = add, STYPE = int);
SELECT pg_tviews_create('x', 'SELECT pk_x, jsonb_build_object(''c'', c, ''sum'', (SELECT sum1(i.n) FROM tb_x i WHERE i.pk_x = tb_x.pk_x)) AS data FROM tb_x');
SELECT pg_tviews_create('z', 'SELECT pk_x AS pk_z, jsonb_build_object(''n'', n::wrapped) AS data FROM tb_x', '{"reads": {"half(int)": []}}');
SELECT data FROM tv_x ORDER BY pk_x;
CREATE FUNCTION as_json(colour) RETURNS json STABLE LANGUAGE sql AS $$ SELECT '{"hex": "f00"}'::json $$;
SELECT test_error('CREATE CAST (colour AS json) WITH FUNCTION as_json(colour)');
ALTER FUNCTION as_json(colour) IMMUTABLE;
CREATE CAST (colour AS json) WITH FUNCTION as_json(colour);
SELECT data FROM tv_x ORDER BY pk_x;
SELECT * FROM test_oracle();
SELECT test_error('ALTER FUNCTION as_json(colour) STABLE');
CREATE OR REPLACE FUNCTION as_json(colour) RETURNS json IMMUTABLE LANGUAGE sql AS $$ SELECT '{"hex": "0f0"}'::json $$;
SELECT data FROM tv_x ORDER BY pk_x;
SELECT * FROM test_oracle();
DROP FUNCTION as_json(colour) CASCADE;
SELECT data FROM tv_x ORDER BY pk_x;
SELECT * FROM test_oracle();
CREATE OR REPLACE AGGREGATE sum1(int) (SFUNC = add, STYPE = int, INITCOND = '100');
SELECT data FROM tv_x ORDER BY pk_x;
SELECT * FROM test_oracle();
SELECT test_error('CREATE OR REPLACE AGGREGATE sum1(int) (SFUNC = add_wild, STYPE = int)');
SELECT test_error('CREATE OR REPLACE FUNCTION add(int, int) RETURNS int STABLE LANGUAGE sql AS ''SELECT $1''');
SELECT test_error('ALTER DOMAIN checked ADD CHECK (wild(value) > 0)');
ALTER DOMAIN checked ADD CHECK (value < 2);
ALTER DOMAIN checked ADD CHECK (value < 1000);
SELECT * FROM test_oracle();
