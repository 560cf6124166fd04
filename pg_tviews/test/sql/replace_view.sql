-- CREATE OR REPLACE VIEW of the view of a TVIEW has the effect of
-- pg_tviews_alter(); of a plain view, TVIEWs that read it are judged anew.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE VIEW wrong AS SELECT * FROM test_oracle() WHERE differences > 0;
CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text, rank int);
CREATE TABLE tb_post (pk_post int PRIMARY KEY, fk_user int, title text);
CREATE TABLE tb_note (pk_note int PRIMARY KEY, fk_post int, word text);
INSERT INTO tb_user VALUES (1, 'ann', 1), (2, 'bob', 2);
INSERT INTO tb_post VALUES (1, 1, 'one'), (2, 2, 'two');
INSERT INTO tb_note VALUES (1, 1, 'n1'), (2, 1, 'n2');
SELECT pg_tviews_create('user', 'SELECT pk_user, name, jsonb_build_object(''name'', name) AS data FROM tb_user');
CREATE VIEW words AS SELECT fk_post, count(*) AS n FROM tb_note GROUP BY fk_post;
CREATE VIEW more AS SELECT fk_post AS post, n, 'x' AS more FROM words;
SELECT pg_tviews_create('post', $$SELECT pk_post, jsonb_build_object('title', title, 'n', n, 'user', to_jsonb(u)) AS data
	FROM tb_post JOIN v_user u ON pk_user = fk_user LEFT JOIN more ON post = pk_post$$);

-- the view of a TVIEW
SELECT test_remember('tv_user', 'tv_post');
CREATE OR REPLACE VIEW v_user AS SELECT pk_user, name, jsonb_build_object('name', name || CASE rank WHEN 1 THEN '!' ELSE '' END) AS data FROM tb_user;
SELECT * FROM test_written();
UPDATE tb_user SET rank = 1;
SELECT data FROM tv_post ORDER BY pk_post;
SELECT definition FROM pg_tview_meta WHERE entity = 'user';
CREATE OR REPLACE VIEW v_user (pk_user, name, data, rank) AS
SELECT u.pk_user, u.name, jsonb_build_object('notes', (SELECT count(*) FROM tb_note n JOIN tb_post p ON p.pk_post = n.fk_post WHERE p.fk_user = u.pk_user)), rank
FROM tb_user u;
SELECT data FROM tv_post ORDER BY pk_post;
INSERT INTO tb_note VALUES (3, 2, 'n3');
SELECT pk_user, name, data, rank FROM tv_user ORDER BY pk_user;
SELECT entity, dependencies FROM pg_tview_meta ORDER BY 1;
TABLE wrong;
-- what it can't, or what can't be maintained
SELECT test_error($$CREATE OR REPLACE VIEW v_user AS SELECT pk_user, data FROM (SELECT *, '{}'::jsonb AS data FROM tb_user) u$$);
SELECT test_error($$CREATE OR REPLACE VIEW v_user AS SELECT pk_user, name, rank, data FROM (SELECT *, '{}'::jsonb AS data FROM tb_user) u$$);
SELECT test_error($$CREATE OR REPLACE VIEW v_user AS SELECT pk_user, name, to_jsonb(now()) AS data, rank FROM tb_user$$);
SELECT test_error($$CREATE OR REPLACE VIEW v_user AS SELECT 1 AS pk_user, name, to_jsonb(name) AS data, rank FROM tb_user$$);
SELECT test_error($$CREATE OR REPLACE VIEW v_user AS SELECT rank AS pk_user, name, to_jsonb(name) AS data, rank FROM tb_user$$);
SELECT test_error($$CREATE OR REPLACE VIEW v_user AS SELECT pk_user, name, to_jsonb(name) AS data, rank, 1 AS updated_at FROM tb_user$$);
SELECT test_error($$CREATE OR REPLACE VIEW v_user AS SELECT pk_post AS pk_user, '' COLLATE "default" AS name, data, 1 AS rank FROM v_post$$);
SELECT test_error($$CREATE OR REPLACE VIEW v_user AS SELECT pk_user, name, data, rank FROM v_user$$);
SELECT test_error($$CREATE OR REPLACE VIEW v_user AS SELECT pk_user, name, data, rank FROM missing$$);
SELECT test_error($$CREATE OR REPLACE VIEW v_user AS SELECT pk_user, name, to_jsonb(name) AS data, rank FROM tb_user LIMIT 1$$);
SELECT pk_user, name, data, rank FROM tv_user ORDER BY pk_user;
TABLE wrong;

-- a plain view: other rows, other tables, more columns
CREATE OR REPLACE VIEW words AS SELECT fk_post, count(*) AS n FROM tb_note WHERE word <> 'n1' GROUP BY fk_post;
SELECT data -> 'n' FROM tv_post ORDER BY pk_post;
UPDATE tb_note SET word = 'n1';
SELECT data -> 'n' FROM tv_post ORDER BY pk_post;
CREATE OR REPLACE VIEW words AS SELECT pk_user AS fk_post, rank::bigint AS n FROM tb_user;
SELECT helper, tview FROM pg_tview_helpers ORDER BY 1, 2;
SELECT entity, dependencies FROM pg_tview_meta ORDER BY 1;
SELECT data -> 'n' FROM tv_post ORDER BY pk_post;
CREATE OR REPLACE VIEW more AS SELECT fk_post AS post, count(*) AS n, 'x' AS more, max(word) AS max FROM tb_note GROUP BY fk_post;
SELECT helper, tview FROM pg_tview_helpers ORDER BY 1, 2;
SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = '!tview_capture' ORDER BY 1;
DROP VIEW words;
INSERT INTO tb_note VALUES (4, 2, 'n4');
SELECT data -> 'n' FROM tv_post ORDER BY pk_post;
TABLE wrong;
SELECT test_error($$CREATE OR REPLACE VIEW more AS SELECT pk_note AS post, random()::bigint AS n, 'x' AS more, 'm' AS max FROM tb_note$$);
SELECT test_error($$CREATE OR REPLACE VIEW more AS SELECT 1 AS post, count(*) AS n, 'x' AS more, 'm' AS max FROM tb_note$$);
SELECT test_error($$CREATE OR REPLACE VIEW more AS SELECT pk_post AS post, 1::bigint AS n, 'x' AS more, 'm' AS max FROM v_post$$);
SELECT test_error($$CREATE OR REPLACE VIEW more AS SELECT * FROM more$$);
SELECT test_error($$CREATE OR REPLACE VIEW more AS SELECT oid::int AS post, 1::bigint AS n, 'x' AS more, 'm' AS max FROM pg_class$$);
TABLE wrong;
-- in a transaction that takes it back
BEGIN;
UPDATE tb_user SET name = 'cid' WHERE pk_user = 1;
SAVEPOINT s;
CREATE OR REPLACE VIEW v_user AS SELECT pk_user, name, to_jsonb(rank) AS data, rank, 'more' AS more FROM tb_user;
CREATE OR REPLACE VIEW more AS SELECT pk_user AS post, 7::bigint AS n, 'x' AS more, 'm' AS max FROM tb_user;
SELECT data FROM tv_post ORDER BY pk_post;
ROLLBACK TO s;
SELECT data FROM tv_post ORDER BY pk_post;
COMMIT;
TABLE wrong;

-- options of views have no effect on rows; defaults, and other names of columns, do
ALTER VIEW v_user SET (security_barrier = true, security_invoker = true);
ALTER VIEW more SET (security_barrier = true);
UPDATE tb_user SET name = 'dan' WHERE pk_user = 1;
TABLE wrong;
SELECT test_error('ALTER VIEW v_user ALTER COLUMN rank SET DEFAULT 5');
SELECT test_error('ALTER TABLE v_user ALTER rank SET DEFAULT 5');
SELECT test_error('ALTER VIEW v_user RENAME COLUMN rank TO other');
ALTER VIEW more ALTER COLUMN n SET DEFAULT 5;
ALTER VIEW more RENAME COLUMN n TO number;
SELECT data -> 'n' FROM tv_post ORDER BY pk_post;
SELECT definition FROM pg_tview_meta WHERE entity = 'post';
-- not those that only have the same name
CREATE SCHEMA front;
SET search_path = front, public;
CREATE OR REPLACE VIEW v_user AS SELECT 1 AS one;
CREATE OR REPLACE TEMP VIEW more AS SELECT 2 AS two;
RESET search_path;
DROP SCHEMA front CASCADE;
DROP VIEW pg_temp.more;
-- in a trigger of a refresh
CREATE FUNCTION replaces() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	CREATE OR REPLACE VIEW public.more AS SELECT 1 AS post, 1::bigint AS number, 'x' AS more, 'm' AS max;
	RETURN NULL;
END $$;
CREATE TRIGGER replaces AFTER UPDATE ON tv_user FOR EACH ROW EXECUTE FUNCTION replaces();
SELECT test_error('UPDATE tb_note SET fk_post = 1 WHERE pk_note = 4; SELECT FROM tv_user');
DROP TRIGGER replaces ON tv_user;
TABLE wrong;
-- another role's TVIEW reads it
CREATE ROLE regress_tviews_helper;
CREATE SCHEMA own AUTHORIZATION regress_tviews_helper;
GRANT USAGE ON SCHEMA public TO regress_tviews_helper;
GRANT SELECT ON tb_user, tb_post TO regress_tviews_helper;
CREATE VIEW own.hv AS SELECT pk_user AS k, rank FROM tb_user;
ALTER VIEW own.hv OWNER TO regress_tviews_helper;
SELECT pg_tviews_create('theirs', 'SELECT pk_user AS pk_theirs, to_jsonb(hv.rank) AS data FROM tb_user JOIN own.hv ON k = pk_user');
SET ROLE regress_tviews_helper;
SELECT test_error('CREATE OR REPLACE VIEW own.hv AS SELECT pk_post AS k, 1 AS rank FROM public.tb_post');
SELECT test_error('CREATE OR REPLACE VIEW public.v_user AS SELECT 1 AS a');
RESET ROLE;
CREATE OR REPLACE VIEW own.hv AS SELECT pk_post AS k, 1 AS rank FROM public.tb_post;
SELECT pk_theirs, data FROM tv_theirs ORDER BY 1;
\pset tuples_only off
\pset format aligned
SELECT * FROM test_oracle();
SET client_min_messages = warning;
DROP SCHEMA own CASCADE;
DROP OWNED BY regress_tviews_helper;
DROP ROLE regress_tviews_helper;
