-- pg_tviews_alter(): the smallest change that gets there, and what is kept.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text, mail text, rank int);
CREATE TABLE tb_post (pk_post int PRIMARY KEY, fk_user int, title text, body text);
CREATE TABLE tb_tag (pk_tag int PRIMARY KEY, fk_post int, word text);
INSERT INTO tb_user VALUES (1, 'ann', 'a@x', 1), (2, 'bob', 'b@x', 2);
INSERT INTO tb_post VALUES (1, 1, 'one', 'x'), (2, 1, 'two', 'y'), (3, 2, 'three', 'z');
INSERT INTO tb_tag VALUES (1, 1, 'red'), (2, 1, 'blue'), (3, 3, 'red');
SELECT pg_tviews_create('user', 'SELECT pk_user, name, rank, jsonb_build_object(''name'', name) AS data FROM tb_user');
SELECT pg_tviews_create('post', $$
	SELECT p.pk_post, p.fk_user, p.title, u.name AS author,
	jsonb_build_object('title', p.title, 'author', u.data) AS data
	FROM tb_post p JOIN v_user u ON u.pk_user = p.fk_user$$);
CREATE VIEW wrong AS SELECT * FROM test_oracle() WHERE differences > 0;

-- what belongs to table and view, by OID
CREATE ROLE regress_tviews_reader;
GRANT SELECT ON tv_user, v_user TO regress_tviews_reader;
GRANT SELECT (data) ON v_user TO regress_tviews_reader;
COMMENT ON TABLE tv_user IS 'table';
COMMENT ON VIEW v_user IS 'view';
COMMENT ON COLUMN v_user.name IS 'column name';
COMMENT ON COLUMN v_user.data IS 'column data';
COMMENT ON COLUMN tv_user.data IS 'column data';
CREATE INDEX tv_user_by_name ON tv_user (lower(name));
CREATE STATISTICS tv_user_stat ON name, rank FROM tv_user;
ALTER TABLE tv_user ALTER COLUMN data SET STATISTICS 77;
ALTER TABLE tv_user SET (autovacuum_enabled = off);
ALTER VIEW v_user SET (security_barrier = true);
CREATE POLICY everybody ON tv_user USING (pk_user > 0);
CREATE TABLE log (pk int, name text);
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO public.log VALUES (new.pk_user, new.data ->> ''name''); RETURN NULL; END';
CREATE TRIGGER log AFTER UPDATE ON tv_user FOR EACH ROW EXECUTE FUNCTION log();
CREATE FUNCTION belongings() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', relname, reloptions::text, relacl::text) FROM pg_class WHERE relname IN ('v_user', 'tv_user')
	UNION ALL
	SELECT concat_ws(' ', attrelid::regclass, attname, attacl::text, nullif(to_jsonb(a) ->> 'attstattarget', '-1'),
		(SELECT description FROM pg_description WHERE objoid = attrelid AND objsubid = attnum))
	FROM pg_attribute a WHERE attrelid IN ('v_user'::regclass, 'tv_user'::regclass) AND attnum > 0 AND NOT attisdropped
	UNION ALL SELECT concat(objoid::regclass, ' ', description) FROM pg_description
	WHERE objoid IN ('v_user'::regclass, 'tv_user'::regclass) AND objsubid = 0
	UNION ALL SELECT stxname FROM pg_statistic_ext WHERE stxrelid = 'tv_user'::regclass
	UNION ALL SELECT polname FROM pg_policy WHERE polrelid = 'tv_user'::regclass
	UNION ALL SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'tv_user'::regclass
	UNION ALL SELECT tgname FROM pg_trigger WHERE tgrelid = 'tv_user'::regclass AND NOT tgisinternal
$$;
SELECT 'v_user'::regclass::oid AS view, 'tv_user'::regclass::oid AS tview \gset
CREATE TABLE before AS SELECT belongings() AS line;

-- the same
SELECT test_remember('tv_user', 'tv_post');
SELECT pg_tviews_alter('user', 'SELECT pk_user, name, rank, jsonb_build_object(''name'', name) AS data FROM tb_user');
SELECT pg_tviews_alter('user', definition), pg_tviews_alter('user', definition, '{}') FROM pg_tview_meta WHERE entity = 'user';
SELECT pg_tviews_alter('user', 'SELECT u.pk_user, u.name, u.rank, jsonb_build_object(''name'', u.name) AS data FROM public.tb_user AS u');
SELECT * FROM test_written();
-- the same columns: rebuilt, where rows differ
SELECT test_remember('tv_user', 'tv_post');
SELECT pg_tviews_alter('user', 'SELECT pk_user, name, rank, jsonb_build_object(''name'', CASE rank WHEN 1 THEN upper(name) ELSE name END) AS data FROM tb_user');
SELECT * FROM test_written();
TABLE log;
SELECT data FROM tv_post ORDER BY pk_post;
TABLE wrong;
SELECT belongings() EXCEPT TABLE before;
TABLE before EXCEPT SELECT belongings();
SELECT :view = 'v_user'::regclass, :tview = 'tv_user'::regclass;
UPDATE tb_user SET rank = 3 - rank;
SELECT data FROM tv_post ORDER BY pk_post;

-- another table: captured from now on, and the one that isn't read any more isn't
SELECT pg_tviews_alter('user', $$SELECT pk_user, name, rank, jsonb_build_object('name', name,
	'tags', (SELECT count(*) FROM tb_tag t JOIN tb_post p ON p.pk_post = t.fk_post WHERE p.fk_user = u.pk_user)) AS data FROM tb_user u$$);
INSERT INTO tb_tag VALUES (4, 2, 'green');
SELECT data FROM tv_post ORDER BY pk_post;
SELECT dependencies, root FROM pg_tview_meta WHERE entity = 'user';
SELECT tgname, tgrelid::regclass FROM pg_trigger WHERE tgname = '!tview_capture' ORDER BY tgrelid::regclass::text;
SELECT pg_tviews_alter('user', 'SELECT pk_user, name, rank, jsonb_build_object(''name'', name) AS data FROM tb_user u');
SELECT tgname, tgrelid::regclass FROM pg_trigger WHERE tgname = '!tview_capture' ORDER BY tgrelid::regclass::text;
TABLE wrong;

-- columns that come
SELECT pg_tviews_alter('user', $$SELECT mail AS mail_id, pk_user, name, rank AS fk_rank, rank, '{}'::jsonb AS data FROM tb_user$$);
SELECT attname FROM pg_attribute WHERE attrelid = 'v_user'::regclass AND attnum > 0 ORDER BY attnum;
SELECT pk_user, mail_id, fk_rank, data FROM tv_user ORDER BY pk_user;
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'tv_user'::regclass ORDER BY indexrelid::regclass::text;
SELECT fk_columns, uuid_columns, definition FROM pg_tview_meta WHERE entity = 'user';
UPDATE tb_user SET mail = 'c@x' WHERE pk_user = 1;
SELECT pk_user, mail_id FROM tv_user ORDER BY pk_user;
TABLE wrong;
-- columns that go, with comments and privileges of those that stay; views that
-- read these go on doing so
CREATE VIEW plain AS SELECT data, pk_user FROM v_user WHERE mail_id <> '';
CREATE VIEW row AS SELECT to_jsonb(v) - 'data' AS row FROM v_user v;
CREATE VIEW joined AS SELECT pk_user, a.data FROM v_user a JOIN v_user b USING (pk_user, mail_id) JOIN tb_user u USING (pk_user);
SELECT test_error('SELECT pg_tviews_alter(''user'', ''SELECT pk_user, rank, data, mail_id FROM (SELECT *, null::jsonb AS data, mail AS mail_id FROM tb_user) u'')');
SELECT pg_tviews_alter('user', $$SELECT pk_user, name, mail AS mail_id, jsonb_build_object('n', name) AS data FROM tb_user$$);
SELECT belongings() EXCEPT TABLE before;
TABLE before EXCEPT SELECT belongings();
SELECT :view = 'v_user'::regclass, :tview = 'tv_user'::regclass;
TABLE plain;
TABLE row;
TABLE joined;
SELECT data FROM tv_post ORDER BY pk_post;
SELECT pg_get_viewdef('joined');
UPDATE tb_user SET name = 'cid' WHERE pk_user = 1;
SELECT data FROM tv_post ORDER BY pk_post;
TABLE wrong;
SELECT classid::regclass, objsubid FROM pg_shdepend WHERE objid = 'v_user'::regclass AND deptype = 'a' ORDER BY objsubid;
SELECT has_column_privilege('regress_tviews_reader', 'v_user', 'data', 'SELECT');
-- another type
SELECT pg_tviews_alter('post', $$
	SELECT p.pk_post, p.fk_user, length(p.title) AS title, u.name AS author,
	jsonb_build_object('title', p.title, 'author', u.data) AS data
	FROM tb_post p JOIN v_user u ON u.pk_user = p.fk_user$$);
SELECT pk_post, title, author FROM tv_post ORDER BY pk_post;
TABLE wrong;

-- what others need stays
CREATE VIEW titles AS SELECT pk_post, title FROM tv_post;
CREATE MATERIALIZED VIEW kept AS SELECT pk_post FROM v_post;
CREATE FUNCTION posts() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM v_post; END;
CREATE VIEW renamed AS SELECT a, b FROM v_post AS v (a, b);
CREATE POLICY authors ON tb_tag USING (EXISTS (SELECT FROM v_post WHERE author = word));
CREATE FUNCTION same(v_post) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE stored (v v_post);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT pk_post, fk_user, ''{}''::jsonb AS data FROM tb_post')$$);
DROP VIEW titles, renamed;
DROP MATERIALIZED VIEW kept;
DROP POLICY authors ON tb_tag;
DROP FUNCTION posts();
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT pk_post, fk_user, ''{}''::jsonb AS data FROM tb_post')$$);
DROP TABLE stored;
CREATE TABLE stored (v tv_post);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT pk_post, fk_user, ''{}''::jsonb AS data FROM tb_post')$$);
DROP TABLE stored;
SELECT pg_tviews_alter('post', 'SELECT pk_post, fk_user, ''{}''::jsonb AS data FROM tb_post');
SELECT * FROM tv_post NATURAL JOIN (SELECT pk_post FROM tv_post WHERE pk_post = 1) one WHERE updated_at IS NULL;
TABLE wrong;

-- refused, and nothing has changed
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT fk_user AS pk_other, ''{}''::jsonb AS data FROM tb_post')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT pk_post FROM tb_post')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT pk_post, fk_user, fk_user, ''{}''::jsonb AS data FROM tb_post')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT pk_post, row(fk_user) AS r, ''{}''::jsonb AS data FROM tb_post')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT pk_post, 1 AS data FROM tb_post')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT pk_post, now() AS updated_at, ''{}''::jsonb AS data FROM tb_post')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT pk_post::bigint, ''{}''::jsonb AS data FROM tb_post')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT pk_post, to_jsonb(now()) AS data FROM tb_post')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT 1 AS pk_post, to_jsonb(word) AS data FROM tb_tag')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT fk_post AS pk_post, to_jsonb(word) AS data FROM tb_tag')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT fk_post AS pk_post, null::jsonb AS data FROM tb_tag WHERE pk_tag = 1')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT pk_post, data FROM v_post')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'DELETE FROM tb_post RETURNING *')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT pk_post, data FROM missing')$$);
SELECT test_error($$SELECT pg_tviews_alter('missing', 'SELECT 1')$$);
SELECT test_error($$SELECT pg_tviews_alter(null, 'SELECT 1')$$);
SELECT test_error($$SELECT pg_tviews_alter('post', 'SELECT pk_post, ''{}''::jsonb AS data FROM tb_post', '{"no": 1}')$$);
SELECT pg_tviews_create('top', 'SELECT pk_user AS pk_top, data FROM v_user');
SELECT test_error($$SELECT pg_tviews_alter('user', 'SELECT pk_top AS pk_user, ''a'' COLLATE "default" AS name, '''' AS mail_id, data FROM tv_top')$$);
SET ROLE regress_tviews_reader;
SELECT test_error($$SELECT public.pg_tviews_alter('public.post', 'SELECT 1')$$);
RESET ROLE;
TABLE wrong;
SELECT dependencies, definition FROM pg_tview_meta WHERE entity = 'post';

-- levels of what reads it are looked at too
SELECT pg_tviews_create('l1', 'SELECT pk_tag AS pk_l1, to_jsonb(word) AS data FROM tb_tag');
SET client_min_messages = warning;
SELECT count(pg_tviews_create('l' || i, format('SELECT pk_l%s AS pk_l%s, data FROM v_l%1$s', i - 1, i)))
FROM generate_series(2, 9) i;
SELECT test_error($$SELECT pg_tviews_alter('l1', 'SELECT pk_top AS pk_l1, data FROM v_top')$$);
RESET client_min_messages;
SELECT pg_tviews_alter('l1', 'SELECT pk_user AS pk_l1, data FROM v_user');
SELECT data FROM tv_l9 ORDER BY pk_l9;
TABLE wrong;

-- in subtransactions, with changes before and after
BEGIN;
UPDATE tb_user SET name = 'before' WHERE pk_user = 2;
SAVEPOINT s;
UPDATE tb_user SET name = 'inside' WHERE pk_user = 2;
SELECT test_error($$SELECT pg_tviews_alter('user', 'SELECT pk_user, name, ''{}''::jsonb AS data FROM tb_user')$$);
ROLLBACK TO s;
DROP VIEW plain, row, joined;
SAVEPOINT t;
SELECT pg_tviews_alter('user', $$SELECT pk_user, name, length(mail) AS mail_id, rank, jsonb_build_object('N', name) AS data FROM tb_user$$);
SELECT pk_user, name, mail_id, data FROM tv_user ORDER BY pk_user;
ROLLBACK TO t;
SELECT pk_user, name, mail_id, data FROM tv_user ORDER BY pk_user;
SELECT test_error($$SELECT pg_tviews_alter('user', 'SELECT pk_user, name, 1 AS mail_id, data FROM (SELECT *, ''{}''::jsonb AS data FROM tb_user) u');
	UPDATE tb_user SET name = 'lost'; SELECT 1 / 0$$);
SELECT pk_user, name, mail_id, data FROM tv_user ORDER BY pk_user;
SELECT pg_tviews_alter('user', $$SELECT pk_user, name, length(mail) AS mail_id, rank, jsonb_build_object('N', name) AS data FROM tb_user$$);
UPDATE tb_user SET rank = 7 WHERE pk_user = 1;
SELECT pk_user, name, mail_id, rank, data FROM tv_user ORDER BY pk_user;
COMMIT;
SELECT data FROM tv_l9 ORDER BY pk_l9;
TABLE wrong;
-- at REPEATABLE READ the rebuild is done again at commit
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM tb_user;
SELECT pg_tviews_alter('user', $$SELECT pk_user, name, rank, jsonb_build_object('RR', name) AS data FROM tb_user$$);
UPDATE tb_user SET name = 'rr' WHERE pk_user = 1;
SELECT data FROM tv_top ORDER BY pk_top;
COMMIT;
-- not while something reads it
BEGIN;
DECLARE c CURSOR FOR SELECT name FROM tv_user ORDER BY pk_user;
FETCH c;
SELECT test_error($$SELECT pg_tviews_alter('user', 'SELECT pk_user, name, ''{}''::jsonb AS data FROM tb_user')$$);
COMMIT;
-- nor in a refresh
CREATE OR REPLACE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN PERFORM public.pg_tviews_alter(''public.user'', ''SELECT pk_user, name, rank, to_jsonb(name) AS data FROM public.tb_user''); RETURN NULL; END';
SELECT test_error($$UPDATE tb_user SET name = 'x' WHERE pk_user = 1; SELECT count(*) FROM tv_user$$);
DROP TRIGGER log ON tv_user;
-- by a member of the owner's role, as the owner
CREATE ROLE regress_tviews_owner;
CREATE ROLE regress_tviews_member ROLE regress_tviews_owner;
CREATE ROLE regress_tviews_other;
GRANT regress_tviews_owner TO regress_tviews_other;
CREATE SCHEMA own AUTHORIZATION regress_tviews_owner;
CREATE TABLE own.tb_a (pk_a int PRIMARY KEY, n int);
ALTER TABLE own.tb_a OWNER TO regress_tviews_owner;
GRANT SELECT ON tb_tag TO regress_tviews_other;
SET ROLE regress_tviews_owner;
SELECT public.pg_tviews_create('own.a', 'SELECT pk_a, to_jsonb(n) AS data FROM own.tb_a');
SET ROLE regress_tviews_other;
SELECT public.pg_tviews_alter('own.a', 'SELECT pk_a, n, to_jsonb(n) AS data FROM own.tb_a');
SELECT test_error($$SELECT public.pg_tviews_alter('own.a', 'SELECT pk_tag AS pk_a, to_jsonb(word) AS data FROM public.tb_tag')$$);
RESET ROLE;
SELECT relname, relowner::regrole FROM pg_class WHERE relname IN ('v_a', 'tv_a') ORDER BY 1;
SELECT test_error($$SELECT public.pg_tviews_alter('own.a', 'SELECT pk_tag AS pk_a, to_jsonb(word) AS data FROM public.tb_tag')$$);
INSERT INTO own.tb_a VALUES (1, 2);
\pset tuples_only off
\pset format aligned
SELECT * FROM test_oracle();
SET client_min_messages = warning;
DROP SCHEMA own CASCADE;
DROP FUNCTION same(v_post);
DROP OWNED BY regress_tviews_reader, regress_tviews_owner, regress_tviews_other;
DROP ROLE regress_tviews_reader, regress_tviews_owner, regress_tviews_member, regress_tviews_other;
