-- Fills a database with all that one with TVIEWs can hold.  Its owner runs it;
-- variable ext is the extension's schema, without quotes; version, if there is
-- one, that of the extension that it is first made in, to be updated then; only,
-- if there is one, the version that it stays in, 0.1.0.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SELECT current_database() AS db, :'ext' <> 'public' AS has_schema \gset
\if :has_schema
CREATE SCHEMA :"ext";
\endif
\if :{?only}
CREATE EXTENSION pg_tviews SCHEMA :"ext" VERSION :'only';
\elif :{?version}
-- there, back, and there again, so that columns of metadata have gaps
CREATE EXTENSION pg_tviews SCHEMA :"ext" VERSION :'version';
ALTER EXTENSION pg_tviews UPDATE;
ALTER EXTENSION pg_tviews UPDATE TO :'version';
ALTER EXTENSION pg_tviews UPDATE;
\else
CREATE EXTENSION pg_tviews SCHEMA :"ext";
\endif
CREATE SCHEMA "the ""App""";
ALTER DATABASE :"db" SET search_path = "the ""App""", :"ext";
ALTER DATABASE :"db" SET pg_tviews.queue_limit = 5000;
SET search_path = "the ""App""", :"ext";

-- a blog: TVIEWs that cascade, types of its own, columns that are gone
CREATE TYPE state AS ENUM ('draft', 'public');
CREATE DOMAIN title AS text CHECK (VALUE <> '');
CREATE TYPE place AS (x int, y int);
CREATE TABLE tb_user (
	pk_user int PRIMARY KEY,
	gone    int,
	id      uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
	name    text NOT NULL,
	home    place);
ALTER TABLE tb_user DROP gone;
CREATE TABLE tb_post (
	pk_post int PRIMARY KEY,
	fk_user int NOT NULL REFERENCES tb_user ON DELETE CASCADE,
	title   title NOT NULL,
	state   state NOT NULL DEFAULT 'draft',
	tags    text[] NOT NULL DEFAULT '{}',
	words   int GENERATED ALWAYS AS (length(title)) STORED);
CREATE INDEX ON tb_post (fk_user);
CREATE TABLE tb_comment (
	pk_comment int PRIMARY KEY,
	fk_post    int NOT NULL REFERENCES tb_post ON DELETE CASCADE,
	content    text NOT NULL);
CREATE INDEX ON tb_comment (fk_post);
CREATE VIEW named AS SELECT u.pk_user, u.name, u.home FROM tb_user u WHERE u.name <> '';
CREATE TABLE tv_user AS
SELECT u.pk_user, u.id, jsonb_build_object('name', u.name, 'home', u.home) AS data FROM tb_user u;
CREATE TABLE tv_post AS
SELECT p.pk_post, p.fk_user, u.id AS user_id, p.state,
	   jsonb_build_object('title', p.title, 'tags', p.tags, 'words', p.words, 'author', u.data, 'comments',
		   (SELECT jsonb_agg(c.content ORDER BY c.pk_comment) FROM tb_comment c
			WHERE c.fk_post = p.pk_post)) AS data
FROM tb_post p JOIN v_user u ON u.pk_user = p.fk_user;
CREATE TABLE tv_comment AS
SELECT c.pk_comment, c.fk_post, jsonb_build_object('content', c.content, 'post', p.data) AS data
FROM tb_comment c JOIN v_post p ON p.pk_post = c.fk_post;
CREATE TABLE tv_named AS
SELECT n.pk_user AS pk_named, to_jsonb(n) AS data FROM named n;
CREATE TABLE tv_rank AS
SELECT p.pk_post AS pk_rank, p.fk_user,
	   to_jsonb(rank() OVER (PARTITION BY p.fk_user ORDER BY p.title, p.pk_post)) AS data
FROM tb_post p;
CREATE TABLE tv_latest AS
SELECT DISTINCT ON (p.fk_user) p.fk_user AS pk_latest, to_jsonb(p.title) AS data
FROM tb_post p ORDER BY p.fk_user, p.pk_post DESC;
SELECT pg_tviews_create('total', 'SELECT u.pk_user AS pk_total, to_jsonb((SELECT count(*) FROM tb_post)) AS data FROM tb_user u',
	'{"on_unmapped": "rebuild"}');
-- altered: its columns have gaps, too
CREATE TABLE tv_short AS SELECT u.pk_user AS pk_short, u.name AS old, u.id, to_jsonb(u.name) AS data FROM tb_user u;
SELECT pg_tviews_alter('short', 'SELECT u.pk_user AS pk_short, u.id, to_jsonb(u.name) AS data, u.name AS new FROM tb_user u');
\if :{?only}
\else
-- converted: was a table of somebody's own
CREATE TABLE tv_own (pk_own int, data jsonb);
INSERT INTO tv_own VALUES (1, '"wrong"');
SELECT pg_tviews_convert_table('tv_own', 'own', 'SELECT u.pk_user AS pk_own, to_jsonb(u.name) AS data FROM tb_user u');
\endif

-- partitions and children
CREATE TABLE tb_event (
	pk_event int,
	kind     text NOT NULL,
	PRIMARY KEY (pk_event, kind)) PARTITION BY LIST (kind);
CREATE TABLE tb_event_a PARTITION OF tb_event FOR VALUES IN ('a');
CREATE TABLE tb_event_b (kind text NOT NULL, pk_event int NOT NULL);
ALTER TABLE tb_event ATTACH PARTITION tb_event_b FOR VALUES IN ('b');
CREATE TABLE tv_event AS
SELECT e.pk_event, jsonb_agg(e.kind ORDER BY e.kind) AS data FROM tb_event e GROUP BY e.pk_event;
CREATE TABLE tb_animal (pk_animal int PRIMARY KEY, name text);
CREATE TABLE tb_dog (PRIMARY KEY (pk_animal), breed text) INHERITS (tb_animal);
CREATE TABLE tv_animal AS
SELECT a.pk_animal, to_jsonb(a.name) AS data FROM tb_animal a;

-- a tree
CREATE TABLE tb_node (pk_node int PRIMARY KEY, fk_parent int REFERENCES tb_node ON DELETE CASCADE, name text NOT NULL);
CREATE INDEX ON tb_node (fk_parent);
CREATE TABLE tv_node AS
WITH RECURSIVE up AS (
	SELECT n.pk_node, n.name AS path FROM tb_node n WHERE n.fk_parent IS NULL
	UNION ALL
	SELECT n.pk_node, up.path || '/' || n.name FROM up JOIN tb_node n ON n.fk_parent = up.pk_node)
SELECT up.pk_node, to_jsonb(up.path) AS data FROM up;
CREATE TABLE tv_pair AS
SELECT n.pk_node AS pk_pair, jsonb_build_array(n.name, p.name) AS data
FROM tb_node n LEFT JOIN tb_node p ON p.pk_node = n.fk_parent;

-- unlogged, suspended, hostile names
CREATE UNLOGGED TABLE tb_hit (pk_hit int PRIMARY KEY, n int NOT NULL);
CREATE TABLE tv_hit AS SELECT h.pk_hit, to_jsonb(h.n) AS data FROM tb_hit h;
CREATE TABLE tb_stock (pk_stock int PRIMARY KEY, n int NOT NULL);
CREATE TABLE tv_stock AS SELECT s.pk_stock, to_jsonb(s.n) AS data FROM tb_stock s;
CREATE TABLE tv_shelf AS SELECT s.pk_stock AS pk_shelf, s.data FROM v_stock s;
CREATE TABLE "tb;'%s""" ("pk ' "" key" int PRIMARY KEY, "select" text);
SELECT pg_tviews_create('"a ""b"" %I"', $$
	SELECT t."pk ' "" key" AS "pk_a ""b"" %I", to_jsonb(t."select") AS data FROM "tb;'%s""" t $$);

INSERT INTO tb_user SELECT i, gen_random_uuid(), 'user ' || i, row(i, -i)::place FROM generate_series(1, 20) i;
INSERT INTO tb_post SELECT i, 1 + i % 20, 'post ' || i, 'public', ARRAY['x', i::text] FROM generate_series(1, 200) i;
INSERT INTO tb_comment SELECT i, 1 + i % 200, 'comment ' || i FROM generate_series(1, 1000) i;
INSERT INTO tb_event SELECT i, CASE WHEN i % 3 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 100) i;
INSERT INTO tb_animal SELECT i, 'animal ' || i FROM generate_series(1, 10) i;
INSERT INTO tb_dog SELECT i, 'dog ' || i, 'mix' FROM generate_series(11, 20) i;
INSERT INTO tb_node SELECT i, NULLIF(i / 2, 0), 'node ' || i FROM generate_series(1, 60) i;
INSERT INTO tb_hit SELECT i, i FROM generate_series(1, 50) i;
INSERT INTO tb_stock SELECT i, i FROM generate_series(1, 50) i;
INSERT INTO "tb;'%s""" SELECT i, 'row ' || i FROM generate_series(1, 10) i;

\if :{?only}
\else
-- ways of capturing, and a TVIEW that is out of date
SELECT pg_tviews_install_stmt_triggers('tb_comment');
SELECT pg_tviews_capture_replicated('event');
SELECT pg_tviews_suspend('stock');
UPDATE tb_stock SET n = -n WHERE pk_stock <= 10;
DELETE FROM tb_stock WHERE pk_stock > 40;
\endif

-- what users add
CREATE INDEX own_title ON tv_post ((data ->> 'title'));
CREATE INDEX own_tags ON tv_post USING gin ((data -> 'tags'));
CREATE STATISTICS own_statistics ON fk_user, state FROM tv_post;
ALTER TABLE tv_post SET (fillfactor = 70);
ALTER TABLE tv_comment REPLICA IDENTITY FULL;
COMMENT ON TABLE tv_post IS 'what readers get';
CREATE VIEW report AS SELECT state, count(*) FROM tv_post GROUP BY state;
CREATE MATERIALIZED VIEW summary AS SELECT fk_user, count(*) FROM tv_post GROUP BY fk_user;
CREATE TABLE bookmark (pk_post int REFERENCES tv_post ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO bookmark SELECT generate_series(1, 5);
CREATE FUNCTION noticed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER noticed AFTER INSERT OR UPDATE ON tv_post FOR EACH ROW EXECUTE FUNCTION noticed();
ALTER TABLE tv_user ENABLE ROW LEVEL SECURITY;
CREATE POLICY first_ten ON tv_user FOR SELECT TO reader USING (pk_user <= 10);
GRANT USAGE ON SCHEMA "the ""App""" TO reader;
GRANT SELECT ON tv_user, tv_comment TO reader;
GRANT SELECT (pk_post, data) ON tv_post TO reader;
CREATE PUBLICATION documents FOR TABLE tv_post, tv_comment;
ALTER DEFAULT PRIVILEGES IN SCHEMA "the ""App""" GRANT SELECT ON TABLES TO reader;
