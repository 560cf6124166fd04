-- Names that need quotes, that are keywords, or that look like something
-- else, of everything that has a name.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE SCHEMA "S""1; DROP";
SET search_path = "S""1; DROP", public;
CREATE TABLE "select" (
	"Primary ""Key""" int PRIMARY KEY, "a b" int, "x;y" text, "'" text, "$1" text, "tv_x" text);
CREATE TABLE "My Table, 'quoted'" (
	"k k" int PRIMARY KEY, "Word" text, "%s" text, "data" text, updated_at timestamptz);
INSERT INTO "select" VALUES (1, 1, 'x', 'quote', 'dollar', 'tv'), (2, 2, 'y', 'q', 'd', 't');
INSERT INTO "My Table, 'quoted'" VALUES (1, 'one', '%', 'd1'), (2, 'two', '%%', 'd2');

SELECT pg_tviews_create('"En""t; ''1"', $$
	SELECT "a b a"."Primary ""Key""" AS "pk_En""t; '1", "a b a"."a b" AS "fk_""", m."Word" AS "_id",
		   jsonb_build_object('x', "a b a"."x;y", 'quote', "a b a"."'", 'dollar', "a b a"."$1",
				'm', m."Word", '%', m."%s", 'all', m.*, 'd', m.data) AS data
	FROM "select" "a b a"
	JOIN "My Table, 'quoted'" m ON m."k k" = "a b a"."a b"
$$);
CREATE TABLE "tv_%I" AS
SELECT e."pk_En""t; '1" AS "pk_%I", e.data AS data, e."fk_""" AS "Ünï" FROM "v_En""t; '1" e;
CREATE TABLE "tv_user" AS
SELECT "user"."k k" AS pk_user, (SELECT jsonb_agg("order"."x;y" ORDER BY "order"."x;y") FROM "select" "order"
	WHERE "order"."a b" = "user"."k k") AS "group", to_jsonb("user"."Word") AS data
FROM "My Table, 'quoted'" "user";
SELECT entity, schema, tview, view, root, key_column, fk_columns, uuid_columns FROM pg_tview_meta
ORDER BY entity COLLATE "C";
RESET search_path;

UPDATE "S""1; DROP"."My Table, 'quoted'" SET "Word" = 'zwei', "%s" = '%d' WHERE "k k" = 2;
INSERT INTO "S""1; DROP"."select" VALUES (3, 2, 'z', '''', '$2', '');
UPDATE "S""1; DROP"."select" SET "a b" = 2 WHERE "Primary ""Key""" = 1;
SELECT "pk_%I", "Ünï", data - 'all' AS data FROM "S""1; DROP"."tv_%I" ORDER BY 1;
SELECT pk_user, "group", data FROM "S""1; DROP".tv_user ORDER BY 1;
SELECT * FROM test_oracle();
\pset null -
SELECT source, alias, kind, key_columns, path, missing_index
FROM pg_tviews_explain('"S""1; DROP"."En""t; ''1"');
SELECT * FROM pg_tviews_verify('"S""1; DROP"."%I"');
SELECT * FROM pg_tviews_refresh('"S""1; DROP"."tv_%I"');
SELECT pg_tviews_drop('"S""1; DROP"."%I"');
SELECT * FROM test_oracle();

-- renamed and moved tables and columns: the TVIEWs go on
ALTER TABLE "S""1; DROP"."select" RENAME COLUMN "x;y" TO "from";
ALTER TABLE "S""1; DROP"."select" RENAME TO "table";
ALTER TABLE "S""1; DROP"."My Table, 'quoted'" SET SCHEMA public;
UPDATE "S""1; DROP"."table" SET "from" = 'new' WHERE "a b" = 2;
UPDATE "My Table, 'quoted'" SET "Word" = 'deux' WHERE "k k" = 2;
SELECT pk_user, "group", data FROM "S""1; DROP".tv_user ORDER BY 1;
ALTER SCHEMA "S""1; DROP" RENAME TO plain;
UPDATE "My Table, 'quoted'" SET "Word" = 'due' WHERE "k k" = 2;
SELECT pk_user, "group", data FROM plain.tv_user ORDER BY 1;
SELECT * FROM test_oracle();

-- the longest names
SELECT pg_tviews_create(repeat('x', 60), format(
	'SELECT "k k" AS pk_%s, to_jsonb("Word") AS data FROM "My Table, ''quoted''"', repeat('x', 60)));
SELECT pg_tviews_create(repeat('ü', 30), format(
	'SELECT "k k" AS pk_%s, to_jsonb("Word") AS data FROM "My Table, ''quoted''"', repeat('ü', 30)));
UPDATE "My Table, 'quoted'" SET "Word" = 'dos' WHERE "k k" = 2;
SELECT * FROM test_oracle();

-- the same entity in two schemas, over tables of a third
CREATE SCHEMA other;
CREATE TABLE other.tv_user AS SELECT "k k" AS pk_user, to_jsonb("Word" || '!') AS data FROM "My Table, 'quoted'";
UPDATE "My Table, 'quoted'" SET "Word" = 'dva' WHERE "k k" = 2;
SELECT p.data, o.data FROM plain.tv_user p JOIN other.tv_user o USING (pk_user) ORDER BY pk_user;
SELECT * FROM test_oracle();
SET client_min_messages = warning;
DROP SCHEMA plain, other CASCADE;
