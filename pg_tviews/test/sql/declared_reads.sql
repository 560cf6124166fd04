-- The option "reads": tables that functions of a definition read.  A change of
-- those rebuilds the TVIEW.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE VIEW wrong AS SELECT * FROM test_oracle() WHERE differences > 0;
CREATE TABLE tb_item (pk_item int PRIMARY KEY, n int);
CREATE TABLE tb_rate (id int PRIMARY KEY, rate int, note text);
CREATE TABLE tb_other (x int);
INSERT INTO tb_item VALUES (1, 10), (2, 20);
INSERT INTO tb_rate VALUES (1, 3);
-- declared immutable, so that the definition may call it
CREATE FUNCTION price(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
	'BEGIN RETURN $1 * (SELECT sum(rate) FROM public.tb_rate); END';
SELECT pg_tviews_create('item', 'SELECT pk_item, jsonb_build_object(''price'', price(n)) AS data FROM tb_item',
	'{"on_unmapped": "rebuild", "reads": {"price(integer)": ["tb_rate"], "public.price(int)": ["tb_other", "public.tb_rate"]}}');
SELECT pg_tviews_create('cart', 'SELECT pk_item AS pk_cart, data FROM v_item');
SELECT options, dependencies FROM pg_tview_meta WHERE entity = 'item';
SELECT source_no, alias, kind, key_columns, used_columns, derivation, missing_index FROM pg_tviews_explain('item');
SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = '!tview_capture' ORDER BY 1;
UPDATE tb_rate SET rate = 4;
SELECT data FROM tv_cart ORDER BY pk_cart;
BEGIN;
INSERT INTO tb_rate VALUES (2, 1);
SELECT data FROM tv_cart ORDER BY pk_cart;
SAVEPOINT s;
DELETE FROM tb_rate WHERE id = 1;
SELECT data FROM tv_cart ORDER BY pk_cart;
ROLLBACK TO s;
UPDATE tb_item SET n = 30 WHERE pk_item = 1;
SELECT data FROM tv_cart ORDER BY pk_cart;
COMMIT;
TRUNCATE tb_rate;
INSERT INTO tb_rate VALUES (1, 1), (2, 2);
SELECT data FROM tv_cart ORDER BY pk_cart;
TABLE wrong;
-- names that mean nothing, tables that can't be captured
SELECT test_error($$SELECT pg_tviews_create('x', 'SELECT pk_item AS pk_x, ''{}''::jsonb AS data FROM tb_item', '{"on_unmapped": "rebuild", "reads": {"none(int)": ["tb_rate"]}}')$$);
SELECT test_error($$SELECT pg_tviews_create('x', 'SELECT pk_item AS pk_x, ''{}''::jsonb AS data FROM tb_item', '{"on_unmapped": "rebuild", "reads": {"price(int)": ["none"]}}')$$);
SELECT test_error($$SELECT pg_tviews_create('x', 'SELECT pk_item AS pk_x, ''{}''::jsonb AS data FROM tb_item', '{"on_unmapped": "rebuild", "reads": {"price": ["tb_rate"]}}')$$);
SELECT test_error($$SELECT pg_tviews_create('x', 'SELECT pk_item AS pk_x, to_jsonb(price(n)) AS data FROM tb_item', '{"on_unmapped": "rebuild", "reads": {"price(int)": ["v_item"]}}')$$);
SELECT test_error($$SELECT pg_tviews_create('x', 'SELECT pk_item AS pk_x, to_jsonb(price(n)) AS data FROM tb_item', '{"on_unmapped": "rebuild", "reads": {"price(int)": ["pg_class"]}}')$$);
SELECT test_error($$SELECT pg_tviews_create('x', 'SELECT pk_item AS pk_x, ''{}''::jsonb AS data FROM tb_item', '{"on_unmapped": "rebuild", "reads": {"price(int)": ["a b; drop"]}}')$$);
-- what is declared can't be dropped, with CASCADE the TVIEW goes too
SELECT test_error('DROP TABLE tb_other');
SELECT test_error('DROP FUNCTION price(int)');
-- other options, the same definition
SELECT pg_tviews_alter('item', definition) FROM pg_tview_meta WHERE entity = 'item';
SELECT pg_tviews_alter('item', definition, '{"on_unmapped": "rebuild", "reads": {"price(int)": ["tb_rate"]}}') FROM pg_tview_meta WHERE entity = 'item';
SELECT options, dependencies FROM pg_tview_meta WHERE entity = 'item';
SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = '!tview_capture' ORDER BY 1;
DROP TABLE tb_other;
UPDATE tb_rate SET rate = 10;
SELECT data FROM tv_cart ORDER BY pk_cart;
-- a TVIEW that is read, which makes it the higher one; and no cycle
SELECT pg_tviews_create('late', 'SELECT pk_item AS pk_late, to_jsonb(price(n)) AS data FROM tb_item', '{"on_unmapped": "rebuild", "reads": {"price(int)": ["tv_item", "tb_rate"]}}');
SELECT cascade_level FROM pg_tviews_explain('late') LIMIT 1;
SELECT test_error($$SELECT pg_tviews_alter('item', definition, '{"on_unmapped": "rebuild", "reads": {"price(int)": ["tv_late"]}}') FROM pg_tview_meta WHERE entity = 'item'$$);
-- as after a restore: the server's dependencies are missing, and come back
DELETE FROM pg_depend WHERE objid = 'tv_item'::regclass AND refobjid IN ('tb_rate'::regclass, 'price(int)'::regprocedure);
SELECT test_error('DROP TABLE tb_rate');
\pset tuples_only off
\pset format aligned
SELECT * FROM test_oracle();
SET client_min_messages = warning;
DROP TABLE tb_rate CASCADE;
SELECT * FROM test_objects();
