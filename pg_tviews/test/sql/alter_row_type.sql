-- Columns that a TVIEW's view loses or gets, and who else counts or has them.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text, rank numeric);
INSERT INTO tb_user VALUES (1, 'ann', 1.23), (2, 'bob', 4.56);
CREATE TABLE tv_user AS SELECT pk_user, name, to_jsonb(name) AS data FROM tb_user;

-- the row type in stored expressions
CREATE VIEW constant AS SELECT '(1,ann,"{}")'::v_user AS x;
CREATE VIEW in_array AS SELECT ARRAY[]::v_user[] AS x;
CREATE VIEW made AS SELECT ROW(1, 'ann', '{}')::v_user AS x;
CREATE FUNCTION body() RETURNS v_user LANGUAGE sql BEGIN ATOMIC SELECT ROW(1, 'ann', '{}')::v_user; END;
CREATE FUNCTION users() RETURNS SETOF v_user LANGUAGE sql AS 'SELECT * FROM v_user';
CREATE VIEW counted AS SELECT count(*) FROM users() WITH ORDINALITY;
CREATE FUNCTION argument(u v_user DEFAULT ROW(1, 'ann', '{}')) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE defaults (a text DEFAULT ROW(1, 'ann', '{}')::v_user::text,
	CHECK (a <> '(1,ann,"{}")'::v_user::text));
CREATE POLICY policy ON defaults USING (a <> '(1,ann,"{}")'::v_user::text);
CREATE DOMAIN domain AS v_user;
CREATE VIEW whole AS SELECT u, pk_user FROM v_user u;
SELECT string_agg(line, E'\n' ORDER BY line) FROM regexp_split_to_table((SELECT string_agg(e, E'\n') FROM test_error(
	'SELECT pg_tviews_alter(''user'', ''SELECT pk_user, to_jsonb(name) AS data FROM tb_user'')') e), E'\n') line;
DROP VIEW constant, in_array, made, counted;
DROP FUNCTION body;
DROP FUNCTION argument;
DROP TABLE defaults;
DROP DOMAIN domain;
SELECT pg_tviews_alter('user', 'SELECT pk_user, to_jsonb(name) AS data FROM tb_user');
SELECT * FROM users() ORDER BY 1;
SELECT * FROM whole ORDER BY 2;

-- rows that a query has read
SELECT pg_tviews_alter('user', 'SELECT pk_user, name, to_jsonb(name) AS data FROM tb_user');
CREATE FUNCTION less() RETURNS SETOF text LANGUAGE sql AS $$ SELECT test_error(
	'SELECT pg_tviews_alter(''user'', ''SELECT pk_user, to_jsonb(name) AS data FROM tb_user'')')$$;
BEGIN;
DECLARE a CURSOR FOR SELECT v FROM v_user v;
FETCH a;
SELECT less();
FETCH a;
CLOSE a;
DECLARE a CURSOR WITH HOLD FOR SELECT u FROM whole;
COMMIT;
SELECT less();
FETCH ALL FROM a;
CLOSE a;
SELECT v, less() FROM v_user v WHERE pk_user = 1;
DO $$
DECLARE
	v record;
BEGIN
	FOR v IN SELECT u FROM v_user u ORDER BY 1 LOOP
		RAISE NOTICE '% %', (SELECT string_agg(l, ' / ') FROM less() l), v;
	END LOOP;
	FOR v IN SELECT entity FROM pg_tview_meta LOOP
		RAISE NOTICE '% %', (SELECT string_agg(l, ' / ') FROM less() l), v;
	END LOOP;
END $$;

-- a column that the table has already
ALTER TABLE tv_user ADD COLUMN rank numeric(5, 1) DEFAULT 7;
SELECT test_error('SELECT pg_tviews_alter(''user'', ''SELECT pk_user, to_jsonb(name) AS data, rank FROM tb_user'')');
SELECT test_error('CREATE OR REPLACE VIEW v_user AS SELECT pk_user, to_jsonb(name) AS data, rank FROM tb_user');
SELECT pk_user, rank FROM tv_user ORDER BY 1;
ALTER TABLE tv_user RENAME COLUMN rank TO own;
CREATE OR REPLACE VIEW v_user AS SELECT pk_user, to_jsonb(name) AS data, rank FROM tb_user;
SELECT pg_tviews_alter('user', 'SELECT pk_user, to_jsonb(name) AS data, rank::int AS rank FROM tb_user');
SELECT pk_user, rank, own FROM tv_user ORDER BY 1;
SELECT * FROM test_oracle();
