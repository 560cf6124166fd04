-- Whatever a definition names may get another name or schema: the TVIEW goes on
-- working, and the stored definition and options make the same TVIEW again.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE VIEW wrong AS SELECT * FROM test_oracle() WHERE differences > 0;
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('sad', 'ok');
CREATE TYPE app.pair AS (x int, y int);
CREATE DOMAIN app.word AS text;
CREATE TABLE app.addr (street text);
CREATE TABLE app.tb_user (pk_user int PRIMARY KEY, name app.word, spare int, m app.mood, p app.pair, a app.addr);
CREATE TABLE app.tb_post (pk_post int PRIMARY KEY, fk_user int, title text COLLATE "C");
CREATE TABLE app.tb_rate (n int);
INSERT INTO app.tb_user VALUES (1, 'ann', 0, 'sad', '(1,2)', '(here)'), (2, 'bob', 0, 'ok', '(3,4)', '(there)');
INSERT INTO app.tb_post VALUES (1, 1, 'one'), (2, 2, 'two');
INSERT INTO app.tb_rate VALUES (10);
CREATE FUNCTION app.f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 + 1; END';
CREATE FUNCTION app.rate(app.word, int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $2; END';
CREATE OPERATOR app.#|# (FUNCTION = int4mul, LEFTARG = int, RIGHTARG = int);
CREATE COLLATION app.coll (provider = libc, locale = 'C');
CREATE VIEW app.helper AS SELECT pk_user AS k, upper(name) AS up FROM app.tb_user;
SET search_path = app, public;
SELECT pg_tviews_create('user', $$
	SELECT pk_user, name, jsonb_build_object('n', name COLLATE app.coll, 'm', m, 'sad', m = 'sad', 'px', (p).x, 'up', h.up,
		'f', f(pk_user), 'op', pk_user #|# 3, 'street', (a).street, 'pair', (1, 2)::pair,
		'rate', rate(name, pk_user)) AS data
	FROM tb_user JOIN helper h ON h.k = pk_user$$, '{"on_unmapped": "rebuild", "reads": {"rate(word, integer)": ["tb_rate", "app.tb_rate"]}}');
SELECT pg_tviews_create('public.post', $$
	SELECT pk_post, title, jsonb_build_object('t', title, 'u', u.data, 'w', whole.w) AS data
	FROM tb_post JOIN v_user u ON u.pk_user = fk_user
	JOIN (SELECT t AS w, t.pk_post AS k FROM tb_post t) whole ON whole.k = pk_post$$);
RESET search_path;
SELECT options FROM pg_tview_meta WHERE options <> '{}';

-- Make the TVIEWs again from what is stored: is the result the same?
CREATE FUNCTION same() RETURNS SETOF text LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	one public.pg_tview_meta;
	made public.pg_tview_meta;
	metas public.pg_tview_meta[];
	docs text[];
	again text[];
BEGIN
	SELECT array_agg(m ORDER BY cardinality(dependencies), tview) INTO metas FROM public.pg_tview_meta m;
	SELECT array_agg(public.content(m.tview)) INTO docs FROM unnest(metas) m;
	BEGIN
		EXECUTE (SELECT 'DROP TABLE ' || string_agg(m.tview::text, ', ') FROM unnest(metas) m);
		FOREACH one IN ARRAY metas LOOP
			PERFORM public.pg_tviews_create(quote_ident(one.schema) || '.' || quote_ident(one.entity), one.definition, one.options);
			SELECT * INTO made FROM public.pg_tview_meta m WHERE m.schema = one.schema AND m.entity = one.entity;
			IF made.definition <> one.definition OR made.options <> one.options OR made.root <> one.root THEN
				RETURN NEXT concat('differs: ', one.definition, ' ', made.definition, ' ', one.options, ' ', made.options);
			END IF;
			again := again || public.content(made.tview);
		END LOOP;
		IF docs <> again THEN
			RETURN NEXT concat(docs, again);
		END IF;
		RAISE EXCEPTION 'undo';
	EXCEPTION WHEN raise_exception THEN
		NULL;
	END;
END $$;
CREATE FUNCTION content(relation regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT string_agg((to_jsonb(t) - ''updated_at'')::text, '' '' ORDER BY t::text) FROM %s t', relation) INTO result;
	RETURN result;
END $$;
SELECT same();

-- columns, tables, helper view and its columns
ALTER TABLE app.tb_user RENAME COLUMN name TO "Na me";
SELECT same();
ALTER TABLE app.tb_user RENAME TO "tb User";
SELECT same();
ALTER VIEW app.helper RENAME COLUMN up TO shout;
ALTER VIEW app.helper RENAME TO help;
SELECT same();
-- functions, operators' schema, collations, types
ALTER FUNCTION app.f(int) RENAME TO "G";
ALTER FUNCTION app."G"(int) SET SCHEMA public;
SELECT same();
CREATE SCHEMA other;
ALTER OPERATOR app.#|# (int, int) SET SCHEMA other;
ALTER COLLATION app.coll RENAME TO "coll 2";
SELECT same();
ALTER TYPE app.mood RENAME VALUE 'sad' TO 'blue';
SELECT same();
ALTER TYPE app.mood RENAME TO feeling;
ALTER TYPE app.pair RENAME ATTRIBUTE x TO z;
ALTER TYPE app.pair RENAME TO couple;
ALTER TYPE app.couple SET SCHEMA other;
ALTER TABLE app.addr RENAME COLUMN street TO road;
SELECT same();
-- names in options
ALTER DOMAIN app.word RENAME TO "the word";
ALTER FUNCTION app.rate(app."the word", int) RENAME TO price;
ALTER TABLE app.tb_rate RENAME TO tb_price;
ALTER TABLE app.tb_price SET SCHEMA other;
SELECT options FROM pg_tview_meta WHERE options <> '{}';
SELECT same();
-- schemas
ALTER SCHEMA app RENAME TO "app 2";
ALTER SCHEMA other RENAME TO other2;
SELECT options FROM pg_tview_meta WHERE options <> '{}';
SELECT schema, entity, tview, view FROM pg_tview_meta ORDER BY 1;
SELECT same();
SELECT schema, entity, definition FROM pg_tview_meta ORDER BY 1;
-- in a transaction that is rolled back in part, changes waiting
BEGIN;
UPDATE "app 2"."tb User" SET "Na me" = 'cid' WHERE pk_user = 1;
SAVEPOINT s;
ALTER TABLE "app 2"."tb User" RENAME TO tb_lost;
ALTER TABLE other2.tb_price RENAME TO tb_lost;
SELECT same();
ROLLBACK TO s;
UPDATE "app 2"."tb User" SET "Na me" = 'dan' WHERE pk_user = 2;
SELECT data ->> 'u' FROM tv_post ORDER BY pk_post;
COMMIT;
SELECT same();
SELECT options FROM pg_tview_meta WHERE options <> '{}';
TABLE wrong;
-- a declared table's changes rebuild
SELECT source, alias, kind, used_columns FROM pg_tviews_explain('"app 2".user') WHERE kind = 'all';
-- what has another name now is dropped
SELECT test_error('DROP TABLE other2.tb_price');
SELECT test_error('DROP FUNCTION "app 2".price("app 2"."the word", int)');

-- columns that come and go where a definition gives them names by position
CREATE TABLE tb_l (pk_l int PRIMARY KEY, x int, k int, gone int);
CREATE TABLE tb_r (x int PRIMARY KEY, word text);
CREATE TABLE tb_k (k int PRIMARY KEY, label text);
INSERT INTO tb_l VALUES (1, 1, 1);
INSERT INTO tb_r VALUES (1, 'r');
INSERT INTO tb_k VALUES (1, 'k');
SELECT pg_tviews_create('l', 'SELECT pk_l, a, jsonb_build_object(''word'', word, ''label'', label) AS data
	FROM tb_l AS l (pk_l, x, k) JOIN tb_r USING (x) JOIN tb_k AS q (k, label) USING (k), LATERAL (SELECT l.x AS a) s');
SELECT same();
ALTER TABLE tb_r ADD COLUMN k int;
SELECT same();
ALTER TABLE tb_l DROP COLUMN gone;
ALTER TABLE tb_l ADD COLUMN word text;
ALTER TABLE tb_l RENAME COLUMN x TO y;
SELECT same();
SELECT definition FROM pg_tview_meta WHERE entity = 'l';
UPDATE tb_r SET word = 'changed';
UPDATE tb_l SET y = 2;
UPDATE tb_r SET x = 2;
SELECT pk_l, a, data FROM tv_l;
\pset tuples_only off
\pset format aligned
SELECT * FROM test_oracle();
SET client_min_messages = warning;
DROP SCHEMA "app 2" CASCADE;
DROP SCHEMA other2 CASCADE;
