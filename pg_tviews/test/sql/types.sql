-- Keys and links of all kinds of types: int8, uuid, text, numeric, a domain,
-- timestamptz, bytea, enum, a range; and types whose equal values may look
-- different.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE DOMAIN code AS text CHECK (VALUE ~ '^[a-z]');
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE PROCEDURE make(name text, type text, VARIADIC keys text[]) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE tb_%1$s (pk_%1$s %2$s PRIMARY KEY, word text NOT NULL)', name, type);
	EXECUTE format('CREATE TABLE tb_%1$s_part (pk_part int PRIMARY KEY, fk %2$s REFERENCES tb_%1$s '
				   'ON UPDATE CASCADE ON DELETE CASCADE, word text)', name, type);
	EXECUTE format('CREATE INDEX ON tb_%1$s_part (fk)', name);
	EXECUTE format('INSERT INTO tb_%1$s SELECT k::%2$s, ''word'' FROM unnest(%3$L::text[]) k', name, type, keys);
	EXECUTE format('INSERT INTO tb_%1$s_part SELECT i, k::%2$s, ''part '' || i '
				   'FROM unnest(%3$L::text[]) WITH ORDINALITY u (k, i)', name, type, keys);
	EXECUTE format('CREATE TABLE tv_%1$s AS SELECT x.pk_%1$s, jsonb_build_object(''word'', x.word, ''parts'', '
				   '(SELECT jsonb_agg(p.word ORDER BY p.pk_part) FROM tb_%1$s_part p '
				   ' WHERE p.fk = x.pk_%1$s)) AS data FROM tb_%1$s x', name);
	EXECUTE format('CREATE TABLE tv_%1$s_part AS SELECT p.pk_part AS pk_%1$s_part, p.fk, '
				   'jsonb_build_array(p.word, v.data -> ''word'') AS data '
				   'FROM tb_%1$s_part p LEFT JOIN v_%1$s v ON v.pk_%1$s = p.fk', name);
END $$;
CREATE PROCEDURE work(name text, type text, old text, new text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('UPDATE tb_%1$s SET word = ''changed'' WHERE pk_%1$s = %3$L::%2$s', name, type, old);
	COMMIT;
	EXECUTE format('INSERT INTO tb_%1$s VALUES (%3$L::%2$s, ''new'')', name, type, new);
	EXECUTE format('UPDATE tb_%1$s_part SET fk = %3$L::%2$s WHERE pk_part = 2', name, type, new);
	COMMIT;
	EXECUTE format('DELETE FROM tb_%1$s WHERE pk_%1$s = %3$L::%2$s', name, type, new);
	EXECUTE format('UPDATE tb_%1$s SET pk_%1$s = %3$L::%2$s WHERE pk_%1$s = %4$L::%2$s', name, type, new, old);
	COMMIT;
	EXECUTE format('INSERT INTO tb_%1$s_part VALUES (8, NULL, ''none''), (9, %3$L, ''nine'')', name, type, new);
END $$;
CALL make('int8', 'int8', '1', '9223372036854775807', '-9223372036854775808');
CALL make('int2', 'int2', '1', '2');
CALL make('uuid', 'uuid', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002');
CALL make('text', 'text', '', 'a', 'it''s "quoted", {1} \ %', repeat('long ', 400));
CALL make('numeric', 'numeric', '1.0', '2.50', 'NaN', '1e100');
CALL make('code', 'code', 'a', 'bb');
CALL make('varchar', 'varchar(10)', 'a', 'b ');
CALL make('char', 'char(4)', 'a', 'b ');
CALL make('name', 'name', 'a', 'b');
CALL make('mood', 'mood', 'sad', 'ok');
CALL make('at', 'timestamptz', '2000-01-01 00:00 UTC', 'infinity', '1999-12-31 23:59:59.999999+01');
CALL make('date', 'date', '2000-02-29', '-infinity');
CALL make('bytea', 'bytea', '', '\x00ff');
CALL make('float', 'float8', '1.1', 'NaN', '-0');
CALL make('bool', 'bool', 'true');
CALL make('inet', 'inet', '10.0.0.1', '::1/64');
CALL make('interval', 'interval', '1 day', '-1 month');
CALL make('range', 'int4range', '[1,5)', 'empty');
SELECT * FROM test_oracle() WHERE differences > 0;
CALL work('int8', 'int8', '9223372036854775807', '0');
CALL work('int2', 'int2', '1', '-32768');
CALL work('uuid', 'uuid', '00000000-0000-0000-0000-000000000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff');
CALL work('text', 'text', repeat('long ', 400), 'NULL');
CALL work('numeric', 'numeric', '2.5', '1e-10');
CALL work('code', 'code', 'a', 'ccc');
CALL work('varchar', 'varchar(10)', 'b ', 'b');
CALL work('char', 'char(4)', 'b', 'c');
CALL work('name', 'name', 'b', 'C');
CALL work('mood', 'mood', 'ok', 'happy');
CALL work('at', 'timestamptz', 'infinity', '-infinity');
CALL work('date', 'date', '2000-02-29', '2001-01-01');
CALL work('bytea', 'bytea', '\x00ff', '\xdeadbeef');
CALL work('float', 'float8', '1.1', 'infinity');
CALL work('bool', 'bool', 'true', 'false');
CALL work('inet', 'inet', '10.0.0.1', '10.0.0.0/8');
CALL work('interval', 'interval', '24 hours', '1 year');
CALL work('range', 'int4range', 'empty', '[9,9]');
SELECT * FROM test_oracle();
SELECT pk_code, data FROM tv_code ORDER BY 1;
SELECT pk_numeric, data FROM tv_numeric ORDER BY 1;

-- a key that stays equal and looks different: 1.0 becomes 1.00
UPDATE tb_numeric SET pk_numeric = 1.00 WHERE pk_numeric = 1;
UPDATE tb_char SET pk_char = 'a ' WHERE pk_char = 'a';
UPDATE tb_interval SET pk_interval = '30 days' WHERE pk_interval = '-1 month';
UPDATE tb_float SET pk_float = 0 WHERE pk_float = 0;
SELECT pk_numeric FROM tv_numeric ORDER BY 1 LIMIT 2;
SELECT * FROM test_oracle() WHERE differences > 0;
-- types that can't be keys
CREATE TABLE tb_a (pk_a int[] PRIMARY KEY, pk_p point, pk_j json);
SELECT test_error('CREATE TABLE tv_a AS SELECT pk_a, to_jsonb(pk_a) AS data FROM tb_a');
SELECT test_error('CREATE TABLE tv_p AS SELECT pk_p, to_jsonb(pk_a) AS data FROM tb_a');
SELECT test_error('CREATE TABLE tv_j AS SELECT pk_j, to_jsonb(pk_a) AS data FROM tb_a');

-- in a document, too
CREATE TABLE tb_n (pk_n int PRIMARY KEY, n numeric);
INSERT INTO tb_n VALUES (1, 1.0);
CREATE TABLE tv_n AS SELECT pk_n, n::text AS n, to_jsonb(n) AS data FROM tb_n;
UPDATE tb_n SET n = 1.00;
SELECT pk_n, n, data FROM tv_n;

-- how a value is written in a document does not depend on the session
CREATE TABLE tb_r (pk_r int PRIMARY KEY, at timestamptz, i interval, f float8, b bytea, d date);
CREATE TABLE tv_r AS
SELECT pk_r, jsonb_build_object('at', at, 'text', at::text, 'i', i, 'f', f, 'ft', f::text, 'b', b::text,
	'd', d::text, 'day', date_trunc('day', at)) AS data
FROM tb_r;
SET timezone = 'Asia/Tokyo';
SET datestyle = 'German';
SET intervalstyle = 'iso_8601';
SET extra_float_digits = -3;
SET bytea_output = 'escape';
INSERT INTO tb_r VALUES (1, '2000-01-01 00:00 UTC', '1 day 2 hours', 0.1 + 0.2::float8, '\x00ff', '2000-02-01');
BEGIN;
INSERT INTO tb_r SELECT 2, at, i, f, b, d FROM tb_r;
SELECT count(DISTINCT data) FROM tv_r;
COMMIT;
SELECT * FROM pg_tviews_refresh('r');
SELECT * FROM pg_tviews_verify('r');
SELECT DISTINCT data FROM tv_r;
RESET timezone;
RESET datestyle;
RESET intervalstyle;
RESET extra_float_digits;
RESET bytea_output;
SELECT * FROM pg_tviews_verify('r');
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SELECT * FROM test_oracle() WHERE differences > 0;
