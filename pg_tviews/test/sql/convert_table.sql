-- pg_tviews_convert_table(): a table that was maintained by hand becomes a
-- TVIEW in place, with all that belongs to it, and what was wrong in it is
-- counted; what can't become one is refused with the way out.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
-- documents show times in UTC
SET TimeZone = 'UTC';
\pset format unaligned
\pset tuples_only on

CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post (pk_post int PRIMARY KEY, fk_user int NOT NULL REFERENCES tb_user, title text);
CREATE INDEX ON tb_post (fk_user);
INSERT INTO tb_user VALUES (1, 'ann'), (2, 'bob');
INSERT INTO tb_post SELECT i, 1 + i % 2, 'post ' || i FROM generate_series(1, 10) i;

-- maintained by hand, in the usual way: a view, a table, triggers
CREATE ROLE regress_convert_owner;
CREATE ROLE regress_convert_reader;
GRANT CREATE ON SCHEMA public TO regress_convert_owner;
GRANT SELECT, TRIGGER ON tb_user, tb_post TO regress_convert_owner;
CREATE TABLE tv_post (
	data jsonb, title varchar(40) DEFAULT 'none', fk_user int, gone int,
	pk_post int PRIMARY KEY, CHECK (pk_post > 0), UNIQUE (title) DEFERRABLE INITIALLY DEFERRED
);
ALTER TABLE tv_post DROP COLUMN gone;
CREATE INDEX post_data ON tv_post USING gin (data);
CREATE TABLE post_note (fk_post int REFERENCES tv_post ON DELETE CASCADE, note text);
CREATE VIEW titles AS SELECT pk_post, title FROM tv_post;
COMMENT ON TABLE tv_post IS 'posts';
COMMENT ON COLUMN tv_post.title IS 'title';
GRANT SELECT ON tv_post TO regress_convert_reader;
SET client_min_messages = error;
CREATE PUBLICATION regress_convert FOR TABLE tv_post;
RESET client_min_messages;
CREATE TABLE fired (op text, pk int);
GRANT INSERT ON fired TO regress_convert_owner;
CREATE FUNCTION written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.fired VALUES (tg_op, coalesce(new.pk_post, old.pk_post));
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER written AFTER INSERT OR UPDATE OR DELETE ON tv_post
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION written();
CREATE FUNCTION post_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM Tv_Post WHERE pk_post = old.pk_post;
	INSERT INTO tv_post (pk_post, fk_user, title, data)
	SELECT pk_post, fk_user, title, to_jsonb(title) FROM tb_post WHERE pk_post = new.pk_post;
	RETURN NULL;
END $$;
CREATE FUNCTION unrelated() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 'tv_posters'; RETURN NULL; END $$;
CREATE FUNCTION atomic_by_hand() RETURNS void BEGIN ATOMIC DELETE FROM tv_post WHERE pk_post < 0; END;
INSERT INTO tv_post (pk_post, fk_user, title, data)
SELECT pk_post, fk_user, title, jsonb_build_object('title', title, 'user', name)
FROM tb_post JOIN tb_user ON pk_user = fk_user;
INSERT INTO post_note VALUES (1, 'stays'), (8, 'stays');

-- wrong in all ways
INSERT INTO tv_post (pk_post, title) VALUES (99, 'extra');
INSERT INTO post_note VALUES (99, 'goes');
DELETE FROM tv_post WHERE pk_post = 2;
UPDATE tv_post SET title = 'stale' WHERE pk_post = 3;
UPDATE tv_post SET data = NULL WHERE pk_post = 4;
CREATE TRIGGER "by hand" AFTER INSERT OR UPDATE OR DELETE ON tb_post FOR EACH ROW EXECUTE FUNCTION post_by_hand();
CREATE TRIGGER unrelated AFTER UPDATE ON tb_user FOR EACH ROW EXECUTE FUNCTION unrelated();
ALTER TABLE tv_post OWNER TO regress_convert_owner;
GRANT SELECT ON post_note TO regress_convert_owner;
GRANT DELETE ON post_note TO regress_convert_owner;

\set definition 'SELECT p.pk_post, p.fk_user, p.title::varchar(40) AS title, jsonb_build_object(''title'', p.title, ''user'', u.name) AS data FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user'
CREATE TABLE before AS
SELECT 'tv_post'::regclass::oid AS oid, relacl, relfilenode FROM pg_class WHERE oid = 'tv_post'::regclass;

BEGIN;
TRUNCATE fired;
SELECT * FROM pg_tviews_convert_table('tv_post', 'post', :'definition');
-- the owner is not to leave anything to be fired as somebody else
SELECT op, pk, count(*) FROM fired GROUP BY 1, 2 ORDER BY 2, 1;
DROP TRIGGER "by hand" ON tb_post;
COMMIT;
SELECT * FROM test_oracle();
SELECT * FROM test_objects();
SELECT * FROM pg_tviews_verify('post');
SELECT status, component, message FROM pg_tviews_health_check() WHERE status <> 'OK';
SELECT b.oid = c.oid, b.relacl = c.relacl, b.relfilenode = c.relfilenode, pg_get_userbyid(c.relowner), v.relowner = c.relowner,
	obj_description(c.oid), col_description(c.oid, 2), c.reloptions
FROM before b JOIN pg_class c ON c.relname = 'tv_post' JOIN pg_class v ON v.relname = 'v_post';
SELECT indexdef FROM pg_indexes WHERE tablename = 'tv_post' ORDER BY 1;
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE 'tv_post'::regclass IN (conrelid, confrelid) AND contype <> 'n' ORDER BY 1;
SELECT tablename FROM pg_publication_tables WHERE pubname = 'regress_convert';
SELECT attname, attnotnull, atthasdef FROM pg_attribute WHERE attrelid = 'tv_post'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
SELECT * FROM post_note ORDER BY 1;
SELECT count(*) FROM titles;
SELECT operation, owner, details - 'version' - 'definition' AS details FROM pg_tview_audit_log;
SELECT definition = details ->> 'definition', key_column, dependencies FROM pg_tview_meta, pg_tview_audit_log;

-- maintained from now on, and by nobody else
BEGIN;
INSERT INTO tb_user VALUES (3, 'cid');
UPDATE tb_post SET fk_user = 3, title = 'new ' || title WHERE pk_post < 4;
UPDATE tb_user SET name = 'BOB' WHERE pk_user = 2;
DELETE FROM tb_post WHERE pk_post > 8;
SELECT count(*) FROM titles WHERE title LIKE 'new%';
COMMIT;
SELECT * FROM test_oracle();
SELECT test_error($$DELETE FROM tv_post$$);
SELECT * FROM test_error($$SELECT pg_tviews_convert_table('tv_post', 'post', 'SELECT 1')$$);
DROP PUBLICATION regress_convert;
DROP TABLE post_note CASCADE;
DROP VIEW titles CASCADE;
DROP FUNCTION atomic_by_hand;
SELECT pg_tviews_drop('post');
SELECT * FROM test_objects();

-- no key, no NOT NULL, updated_at with holes: duplicates and nulls, while
-- deferrable triggers want to be fired
CREATE TABLE tv_user (pk_user int, data jsonb, updated_at timestamptz, id int);
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.fired VALUES (tg_op, coalesce(new.pk_user, old.pk_user));
	RETURN NULL;
END $$;
INSERT INTO tv_user VALUES (1, '{"name": "ann"}', '2020-01-01', 1), (1, '{"name": "ann"}', '2020-01-01', 1), (1, '{"name": "xxx"}', NULL, 1),
	(2, NULL, '2020-01-01', 2), (NULL, '{}', NULL, 2), (NULL, '{}', NULL, 3), (7, '{}', NULL, 7), (7, '{}', NULL, 7),
	(3, '{"name": "cid"}', '2020-01-01', 3);
CREATE CONSTRAINT TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON tv_user
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION noted();
\set definition 'SELECT pk_user, pk_user AS id, jsonb_build_object(''name'', name) AS data FROM tb_user'
BEGIN;
TRUNCATE fired;
SELECT * FROM pg_tviews_convert_table('tv_user', 'public."tv_user"', :'definition');
-- of rows taken out before; the rebuild's are deferred
SELECT op, pk, count(*) FROM fired GROUP BY 1, 2 ORDER BY 2, 1;
COMMIT;
SELECT op, pk, count(*) FROM fired WHERE pk IN (1, 2) GROUP BY 1, 2 ORDER BY 2, 1;
SELECT pk_user, id, data FROM tv_user ORDER BY 1;
SELECT attname, attnotnull FROM pg_attribute WHERE attrelid = 'tv_user'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
SELECT indexdef FROM pg_indexes WHERE tablename = 'tv_user' ORDER BY 1;
UPDATE tb_user SET name = 'x' WHERE pk_user = 1;
SELECT * FROM test_oracle();
SELECT pg_tviews_drop('user');

-- rows that are right are not written; a table that TVIEWs read already, as a
-- table and by its rows as a whole; a view that is there
CREATE VIEW v_user AS SELECT pk_user, jsonb_build_object('name', name) AS data FROM tb_user;
COMMENT ON VIEW v_user IS 'users';
SET pg_tviews.ctas_interception = off;
CREATE TABLE tv_user AS SELECT * FROM v_user;
RESET pg_tviews.ctas_interception;
UPDATE tv_user SET data = '{"name": "stale"}' WHERE pk_user = 2;
CREATE TABLE tv_post AS SELECT p.pk_post, jsonb_build_object('user', to_jsonb(u)) AS data FROM tb_post p JOIN tv_user u ON u.pk_user = p.fk_user;
CREATE TABLE places AS SELECT pk_user, ctid AS place FROM tv_user;
SELECT * FROM pg_tviews_convert_table('tv_user', 'user', 'SELECT pk_user, jsonb_build_object(''name'', name) AS data FROM tb_user');
SELECT pk_user, data, tv_user.ctid = place AS unwritten FROM tv_user JOIN places USING (pk_user) ORDER BY 1;
SELECT * FROM test_oracle();
SELECT data #>> '{user,data,name}', data #> '{user,updated_at}' IS NOT NULL, count(*) FROM tv_post GROUP BY 1, 2 ORDER BY 1;
SELECT obj_description('v_user'::regclass);
UPDATE tb_user SET name = 'y' WHERE pk_user = 1;
SELECT * FROM test_oracle();
SELECT count(*) FROM pg_tviews_graph() g WHERE g ~ 'tv.user';

-- rolled back, nothing is left
SELECT pg_tviews_drop('post');
SELECT pg_tviews_drop('user');
SET pg_tviews.ctas_interception = off;
CREATE TABLE tv_user AS SELECT pk_user, jsonb_build_object('name', name) AS data FROM tb_user;
RESET pg_tviews.ctas_interception;
BEGIN;
SELECT * FROM pg_tviews_convert_table('tv_user', 'user', 'SELECT pk_user, jsonb_build_object(''name'', name) AS data FROM tb_user');
ROLLBACK;
SELECT * FROM test_objects();
UPDATE tv_user SET data = '{}';

-- what is refused
CREATE FUNCTION refused(definition text DEFAULT NULL, entity text DEFAULT 'user', relation text DEFAULT 'tv_user')
RETURNS SETOF text LANGUAGE sql AS $$
	SELECT regexp_replace(test_error(format('SELECT pg_tviews_convert_table(%L, %L, %L)', relation, entity,
		coalesce(definition, 'SELECT pk_user, jsonb_build_object(''name'', name) AS data FROM tb_user'))), 'pg_temp_\d+', 'pg_temp')
$$;
SELECT refused(entity => 'person');
SELECT refused(entity => 'other.user');
SELECT refused(entity => 'a.b.c');
SELECT refused('SELECT 1 AS a; SELECT 2');
SELECT refused('SELECT name AS pk_user, jsonb_build_object() AS data FROM tb_user');
SELECT refused('SELECT pk_user, name FROM tb_user');
SELECT refused('SELECT pk_user, name AS data FROM tb_user');
SELECT refused('SELECT pk_user, name, jsonb_build_object() AS data FROM tb_user');
SELECT refused('SELECT pk_user, jsonb_build_object(''n'', now()) AS data FROM tb_user');
SELECT refused('SELECT pk_user, data FROM tv_user');
CREATE FUNCTION refused_after(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		EXECUTE statement;
		RETURN QUERY SELECT refused();
		RAISE 'undo' USING ERRCODE = 'ZZ000';
	EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
	END;
END $$;
SELECT refused_after('ALTER TABLE tv_user ADD COLUMN more int');
SELECT refused_after('ALTER TABLE tv_user ADD COLUMN updated_at date');
SELECT refused_after('ALTER TABLE tv_user ADD COLUMN updated_at timestamptz GENERATED ALWAYS AS (''2020-01-01 00:00Z'') STORED');
SELECT refused_after('ALTER TABLE tv_user DROP COLUMN data, ADD COLUMN data jsonb GENERATED ALWAYS AS (''{}'') STORED');
SELECT refused_after('ALTER TABLE tv_user ALTER COLUMN pk_user SET NOT NULL, ALTER COLUMN pk_user ADD GENERATED ALWAYS AS IDENTITY');
SELECT refused_after('ALTER TABLE tv_user ADD PRIMARY KEY (pk_user, data)');
SELECT refused_after('ALTER TABLE tv_user ADD PRIMARY KEY (pk_user) DEFERRABLE');
SELECT refused_after('ALTER TABLE tv_user ADD FOREIGN KEY (pk_user) REFERENCES tb_user ON DELETE CASCADE');
SELECT refused_after('ALTER TABLE tv_user ADD FOREIGN KEY (pk_user) REFERENCES tb_user ON UPDATE SET NULL');
SELECT refused_after('CREATE TABLE child () INHERITS (tv_user)');
SELECT refused_after('CREATE TABLE parent (pk_user int); ALTER TABLE tv_user INHERIT parent');
SELECT refused_after('CREATE TABLE parent (LIKE tv_user) PARTITION BY LIST (pk_user); ALTER TABLE parent ATTACH PARTITION tv_user FOR VALUES IN (1, 2, 3)');
SELECT refused_after('CREATE TYPE whole AS (pk_user int, data jsonb); ALTER TABLE tv_user OF whole');
SELECT refused_after('CREATE RULE r AS ON DELETE TO tv_user DO NOTHING');
SELECT refused_after('CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$BEGIN RETURN new; END$f$; CREATE TRIGGER early BEFORE INSERT ON tv_user FOR EACH ROW EXECUTE FUNCTION f()');
SELECT refused_after('CREATE VIEW v_user AS SELECT pk_user, name FROM tb_user');
SELECT refused_after('CREATE VIEW v_user AS SELECT pk_user, jsonb_build_object(''name'', name) AS data FROM tb_user; ALTER VIEW v_user SET (security_barrier)');
SELECT refused_after('CREATE VIEW v_user AS SELECT pk_user, jsonb_build_object(''name'', name) AS data FROM tb_user; ALTER VIEW v_user OWNER TO regress_convert_owner');
SELECT refused_after('CREATE VIEW v_user AS SELECT pk_user, jsonb_build_object(''name'', name) AS data FROM tb_user; CREATE TABLE tv_u AS SELECT pk_user AS pk_u, data FROM v_user');
SELECT refused_after('CREATE TABLE v_user (a int)');
SELECT refused_after('ALTER TABLE tv_user SET UNLOGGED');
SELECT refused_after('ALTER TABLE tv_user OWNER TO regress_convert_owner; ALTER TABLE tv_user ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
SELECT refused_after('ALTER TABLE tv_user RENAME TO tv_x; CREATE TABLE tv_user (pk_user int, data jsonb) PARTITION BY LIST (pk_user)');
SELECT refused_after('ALTER TABLE tv_user RENAME TO tv_x; CREATE VIEW tv_user AS SELECT 1 AS pk_user');
SELECT refused_after('ALTER TABLE tv_user RENAME TO tv_x; CREATE MATERIALIZED VIEW tv_user AS SELECT 1 AS pk_user');
SELECT refused_after('ALTER TABLE tv_user RENAME TO tv_x; CREATE TEMP TABLE tv_user (pk_user int, data jsonb)');
-- a cycle through another TVIEW
CREATE TABLE tv_u AS SELECT pk_user AS pk_u, data FROM tv_user;
SELECT refused('SELECT pk_u AS pk_user, data FROM v_u');
-- constraints of the table that the definition doesn't keep
SELECT refused_after('ALTER TABLE tv_user ADD CHECK (data ->> ''name'' IS NULL) NOT VALID');
SELECT pg_tviews_drop('u');
-- not the owner; and an owner who may not read
SET ROLE regress_convert_reader;
SELECT refused();
RESET ROLE;
REVOKE ALL ON tb_user FROM regress_convert_owner;
SELECT refused_after('ALTER TABLE tv_user OWNER TO regress_convert_owner');
-- something is still to be done for rows that were written
SELECT refused_after('CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON tv_user DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION noted(); UPDATE tv_user SET data = NULL');
-- duplicates in what the definition returns
SELECT refused('SELECT fk_user AS pk_user, to_jsonb(title) AS data FROM tb_post');

-- at REPEATABLE READ, too
UPDATE tv_user SET data = '{}' WHERE pk_user = 1;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM pg_tviews_convert_table('tv_user', 'user', 'SELECT pk_user, jsonb_build_object(''name'', name) AS data FROM tb_user');
UPDATE tb_user SET name = 'z' WHERE pk_user = 2;
COMMIT;
SELECT * FROM test_oracle();

SET client_min_messages = warning;
DROP TABLE tb_user, tb_post CASCADE;
DROP TABLE IF EXISTS tv_user, tv_post CASCADE;
DROP OWNED BY regress_convert_owner, regress_convert_reader;
DROP ROLE regress_convert_owner, regress_convert_reader;
