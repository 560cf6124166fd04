-- Child tables: their rows are those of all tables above them. Several levels,
-- several parents, children that come and go, and reads of a parent alone.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE FUNCTION captured() RETURNS TABLE (name text) LANGUAGE sql AS $$
	SELECT tgrelid::regclass::text
	FROM pg_trigger WHERE tgname = '!tview_capture' ORDER BY 1
$$;
CREATE TABLE tb_item (pk_item int PRIMARY KEY, gone int, name text NOT NULL, fk_user int);
ALTER TABLE tb_item DROP COLUMN gone;
CREATE TABLE tb_tagged (tag text, pk_item int NOT NULL);
CREATE TABLE book (pages int) INHERITS (tb_item);
CREATE TABLE "Odd one" (extra text, CHECK (pk_item > 0)) INHERITS (tb_tagged, tb_item);
CREATE TABLE comic (heroes text[]) INHERITS (book);
CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text);
INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO tb_item (pk_item, name, fk_user) VALUES (1, 'item', 1);
INSERT INTO book (pk_item, name, fk_user, pages) VALUES (2, 'book', 2, 10);
INSERT INTO comic (pk_item, name, fk_user, pages) VALUES (3, 'comic', 1, 20);
INSERT INTO "Odd one" (pk_item, name, fk_user, tag) VALUES (4, 'odd', 2, 'x');
CREATE TABLE tv_item AS
SELECT i.pk_item, jsonb_build_object('item', to_jsonb(i), 'user', u.name) AS data
FROM tb_item i LEFT JOIN tb_user u ON u.pk_user = i.fk_user;
CREATE TABLE tv_user AS
SELECT u.pk_user, jsonb_build_object('name', u.name,
	'items', (SELECT jsonb_agg(i.name ORDER BY i.pk_item) FROM tb_item i WHERE i.fk_user = u.pk_user),
	'only', (SELECT jsonb_agg(i.name ORDER BY i.pk_item) FROM ONLY tb_item i WHERE i.fk_user = u.pk_user)) AS data
FROM tb_user u;
CREATE TABLE tv_tag AS
SELECT pk_item AS pk_tag, jsonb_build_object('tag', tag) AS data FROM tb_tagged;
CREATE TABLE tv_book AS
SELECT b.pk_item AS pk_book, jsonb_build_object('name', b.name, 'pages', b.pages) AS data FROM ONLY book b;
SELECT * FROM captured();
SELECT pk_user, data FROM tv_user ORDER BY 1;
SELECT * FROM test_oracle();

-- through each table
UPDATE tb_item SET name = name || '!';
UPDATE book SET name = 'a ' || name, fk_user = 3 - fk_user;
UPDATE comic SET pk_item = 30;
UPDATE "Odd one" SET tag = 'y', fk_user = 1;
UPDATE ONLY tb_item SET name = 'one';
INSERT INTO comic (name, pk_item, fk_user) VALUES ('new', 5, 2);
DELETE FROM tb_tagged WHERE tag = 'y';
SELECT pk_user, data FROM tv_user ORDER BY 1;
SELECT pk_item, data FROM tv_item ORDER BY 1;
SELECT * FROM test_oracle();
-- columns that only the child has
SELECT test_remember('tv_item', 'tv_user', 'tv_book');
UPDATE comic SET heroes = '{a}', pages = 1;
UPDATE book SET pages = 11;
SELECT * FROM test_written();
TRUNCATE comic;
TRUNCATE ONLY book;
SELECT count(*) FROM tv_item;
INSERT INTO book (pk_item, name, fk_user) VALUES (6, 'six', 1);
INSERT INTO comic (pk_item, name, fk_user) VALUES (7, 'seven', 1);
SELECT * FROM test_oracle();

-- made later, of two parents and of a child
CREATE TABLE late (more int) INHERITS (tb_tagged, comic);
INSERT INTO late (pk_item, name, fk_user, tag) VALUES (8, 'late', 2, 'late');
SELECT data FROM tv_item WHERE pk_item = 8;
SELECT data FROM tv_tag WHERE pk_tag = 8;
SELECT * FROM test_oracle();
-- columns that come and go
ALTER TABLE tb_item ADD COLUMN price numeric DEFAULT 1;
SELECT data FROM tv_item WHERE pk_item = 8;
UPDATE late SET price = 2;
ALTER TABLE tb_item RENAME COLUMN name TO label;
UPDATE comic SET label = label || '?';
SELECT data FROM tv_item WHERE pk_item = 8;
SELECT * FROM test_oracle();

-- INHERIT and NO INHERIT
CREATE TABLE stray (price numeric, label text NOT NULL, fk_user int, pk_item int NOT NULL, weight int);
CREATE TABLE stray_child (what text) INHERITS (stray);
INSERT INTO stray VALUES (1, 'stray', 1, 9, 1);
INSERT INTO stray_child VALUES (1, 'stray child', 2, 10, 1);
ALTER TABLE stray INHERIT tb_item;
SELECT pk_item, data FROM tv_item WHERE pk_item > 8 ORDER BY 1;
UPDATE stray SET label = 'captured ' || pk_item;
SELECT pk_item, data FROM tv_item WHERE pk_item > 8 ORDER BY 1;
SELECT * FROM captured();
SELECT * FROM test_oracle();
BEGIN;
ALTER TABLE stray NO INHERIT tb_item;
SELECT count(*) FROM tv_item WHERE pk_item > 8;
ROLLBACK;
SELECT count(*) FROM tv_item WHERE pk_item > 8;
ALTER TABLE stray NO INHERIT tb_item;
SELECT count(*) FROM tv_item WHERE pk_item > 8;
SELECT * FROM captured();
-- a child of two captured tables leaves one of them
ALTER TABLE late NO INHERIT tb_tagged;
SELECT count(*) FROM tv_tag;
SELECT * FROM captured();
SELECT * FROM test_oracle();
-- two in one statement, and one that is captured for another TVIEW
CREATE TABLE tv_stray AS SELECT pk_item AS pk_stray, to_jsonb(label) AS data FROM stray;
ALTER TABLE stray INHERIT tb_item, ADD COLUMN tag text, INHERIT tb_tagged;
SELECT pk_item FROM tv_item WHERE pk_item > 8 ORDER BY 1;
UPDATE stray_child SET tag = 'z', label = 'both';
SELECT pk_tag, data FROM tv_tag ORDER BY 1;
SELECT * FROM test_oracle();
DROP TABLE stray_child;
SELECT pk_item FROM tv_item WHERE pk_item > 8 ORDER BY 1;
SELECT * FROM test_oracle();

-- a key is unique in each table, not in all; and children may allow nulls
\pset format unaligned
\pset tuples_only on
SELECT test_error('INSERT INTO comic (pk_item, label) VALUES (1, ''again''); SELECT FROM tv_item');
-- (the server doesn't let them any more from 18 on)
SELECT current_setting('server_version_num')::int >= 180000 OR EXISTS (
	SELECT FROM test_error('ALTER TABLE stray ALTER COLUMN pk_item DROP NOT NULL;
		INSERT INTO stray (label) VALUES (''null''); SELECT FROM tv_item') e WHERE e LIKE '23502%') AS refused;
-- what the server takes a primary key to mean
SELECT test_error($$ CREATE TABLE tv_grouped AS
	SELECT i.pk_item AS pk_grouped, jsonb_build_object('n', count(*), 'label', i.label) AS data
	FROM tb_item i JOIN tb_user u ON u.pk_user = i.fk_user GROUP BY i.pk_item $$);
CREATE TABLE tb_g (pk_g int PRIMARY KEY, n int);
CREATE TABLE tv_g AS SELECT pk_g, jsonb_build_object('n', n, 'c', count(*)) AS data FROM tb_g GROUP BY pk_g;
SELECT test_error('CREATE TABLE child () INHERITS (tb_g)');
SELECT test_error('CREATE TEMPORARY TABLE child () INHERITS (tb_item)');
CREATE TABLE tb_any (data jsonb);
CREATE TABLE tv_any AS SELECT i.pk_item AS pk_any, to_jsonb(a) AS data FROM tb_item i JOIN tb_any a ON a.data = to_jsonb(i.pk_item);
SELECT test_error('ALTER TABLE tv_any INHERIT tb_any');
SELECT pg_tviews_drop('any');
\pset tuples_only off
\pset format aligned

-- DROP, with and without CASCADE; nothing is left over
DROP TABLE late;
SELECT * FROM test_oracle();
SET client_min_messages = warning;
DROP TABLE book CASCADE;
RESET client_min_messages;
SELECT * FROM test_oracle();
SELECT pg_tviews_drop('item'), pg_tviews_drop('user'), pg_tviews_drop('stray');
SELECT * FROM captured();
SELECT pg_tviews_drop('tag'), pg_tviews_drop('g');
SELECT * FROM test_objects();
