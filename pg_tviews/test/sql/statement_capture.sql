-- Changes captured by statement: every way to change a row reaches the TVIEWs,
-- what changes nothing costs nothing, and what would let changes go by is refused.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\set blog :test /include/blog.sql
\i :start
\i :blog
\pset format unaligned
\pset tuples_only on
CREATE VIEW captured AS
SELECT tgrelid::regclass AS relation, string_agg(tgname || ' ' || tgenabled::text, ', ' ORDER BY tgname COLLATE "C") AS triggers
FROM pg_trigger WHERE tgname LIKE '!tview%' AND tgname <> '!tview_guard' GROUP BY 1 ORDER BY 1;
CREATE VIEW queued AS
SELECT coalesce(sum(queue_size), 0) FROM pg_tviews_queue_realtime WHERE backend_pid = pg_backend_pid();
-- rows in which TVIEWs differ, one look for each step
\set oracle 'SELECT sum(differences) FROM test_oracle()'

SELECT pg_tviews_install_stmt_triggers(c) FROM unnest('{tb_user,tb_post,tb_comment,tv_user,tv_comment}'::regclass[]) c;
TABLE captured;
SELECT source, capture FROM pg_tviews_explain('post');
SELECT status, message FROM pg_tviews_health_check() WHERE component = 'triggers';

-- INSERT, UPDATE, DELETE; the key itself; rows that swap keys
INSERT INTO tb_comment (pk_comment, fk_post, fk_user, content) VALUES (10, 2, 1, 'first'), (11, 2, 2, 'second'), (12, 2, NULL, 'third');
:oracle;
UPDATE tb_comment SET content = upper(content);
:oracle;
UPDATE tb_comment SET fk_post = 3 WHERE pk_comment IN (10, 12);
:oracle;
DELETE FROM tb_comment WHERE fk_post IN (2, 3);
:oracle;
UPDATE tb_post SET pk_post = pk_post + 10;
:oracle;
UPDATE tb_post SET pk_post = CASE pk_post WHEN 11 THEN 1 WHEN 12 THEN 3 ELSE 2 END;
:oracle;
TABLE posts ORDER BY 1;

-- COPY, MERGE, ON CONFLICT, WITH, a cursor
COPY tb_comment (pk_comment, fk_post, fk_user, content) FROM stdin;
20	1	1	copied
21	2	2	copied
\.
:oracle;
MERGE INTO tb_comment c
USING (VALUES (20, 1, 'merged'), (21, 2, NULL), (22, 3, 'new')) AS n (pk, post, content)
ON c.pk_comment = n.pk
WHEN MATCHED AND n.content IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET content = n.content
WHEN NOT MATCHED THEN INSERT (pk_comment, fk_post, fk_user, content) VALUES (n.pk, n.post, 1, n.content);
:oracle;
INSERT INTO tb_comment (pk_comment, fk_post, content) VALUES (22, 3, 'ignored')
ON CONFLICT DO NOTHING;
INSERT INTO tb_comment (pk_comment, fk_post, content) VALUES (22, 2, 'upserted'), (23, 3, 'inserted'), (20, 3, 'upserted')
ON CONFLICT (pk_comment) DO UPDATE SET fk_post = excluded.fk_post, content = excluded.content;
:oracle;
WITH gone AS (DELETE FROM tb_comment WHERE pk_comment = 22 RETURNING *),
	 named AS (UPDATE tb_user SET name = name || '!' WHERE pk_user = 2 RETURNING *),
	 more AS (INSERT INTO tb_comment (pk_comment, fk_post, content) VALUES (30, 1, 'more'))
INSERT INTO tb_comment (pk_comment, fk_post, fk_user, content)
SELECT 24, 2, named.pk_user, 'was: ' || gone.content FROM gone, named;
:oracle;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM tb_post ORDER BY pk_post FOR UPDATE;
FETCH 2 FROM c \g /dev/null
UPDATE tb_post SET title = 'second' WHERE CURRENT OF c;
FETCH 1 FROM c \g /dev/null
DELETE FROM tb_post WHERE CURRENT OF c;
TABLE posts ORDER BY 1;
ROLLBACK;
:oracle;
TABLE posts ORDER BY 1;

-- a read in the middle sees what each statement has done
BEGIN;
UPDATE tb_user SET name = 'one' WHERE pk_user = 1;
SELECT data ->> 'author' FROM tv_post WHERE fk_user = 1 ORDER BY pk_post;
SAVEPOINT s;
UPDATE tb_user SET name = 'two' WHERE pk_user = 1;
SELECT data ->> 'author' FROM tv_post WHERE fk_user = 1 ORDER BY pk_post;
ROLLBACK TO s;
SELECT data ->> 'author' FROM tv_post WHERE fk_user = 1 ORDER BY pk_post;
UPDATE tb_user SET name = 'three' WHERE pk_user = 1;
COMMIT;
:oracle;

-- actions of foreign keys: of several rows, in several steps
UPDATE tb_post SET pk_post = pk_post + 10 WHERE pk_post IN (1, 2);
:oracle;
INSERT INTO tb_user (pk_user, name) VALUES (4, 'dan'), (5, 'eve');
INSERT INTO tb_post (pk_post, fk_user, title) VALUES (40, 4, 'by dan'), (50, 5, 'by eve');
INSERT INTO tb_comment (pk_comment, fk_post, fk_user, content)
VALUES (40, 40, 5, 'of eve'), (41, 50, 4, 'of dan'), (42, 12, 4, 'of dan'), (43, 12, 5, 'of eve');
:oracle;
DELETE FROM tb_user WHERE pk_user IN (4, 5);
:oracle;
TABLE posts ORDER BY 1;

-- columns that no TVIEW uses, and rows that stay as they are, leave nothing
-- to be done; nor does a statement without rows
SELECT test_remember('tv_user', 'tv_post', 'tv_comment');
BEGIN;
UPDATE tb_user SET email = name || '@example.com';
UPDATE tb_user SET name = name;
UPDATE tb_post SET title = 'none' WHERE false;
DELETE FROM tb_comment WHERE false;
INSERT INTO tb_comment (fk_post, content) SELECT 1, 'none' WHERE false;
TABLE queued;
UPDATE tb_user SET name = name || '?' WHERE pk_user = 1;
TABLE queued;
COMMIT;
SELECT * FROM test_written() WHERE tview = 'tv_user';
:oracle;

-- BEFORE triggers that change or drop rows; values stored out of line; columns
-- that have been dropped, added, generated
CREATE FUNCTION before_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.name = 'nobody' THEN RETURN NULL; END IF;
	NEW.name := initcap(NEW.name);
	RETURN NEW;
END $$;
CREATE TRIGGER before_user BEFORE INSERT OR UPDATE ON tb_user FOR EACH ROW EXECUTE FUNCTION before_user();
UPDATE tb_user SET email = NULL, name = CASE pk_user WHEN 2 THEN 'nobody' ELSE name END;
:oracle;
DROP TRIGGER before_user ON tb_user;
ALTER TABLE tb_post ADD gone int, ADD long text, ADD size int GENERATED ALWAYS AS (length(long)) STORED;
ALTER TABLE tb_post DROP gone;
ALTER TABLE tb_post ALTER long SET STORAGE external;
CREATE TABLE tv_long AS
SELECT pk_post AS pk_long, jsonb_build_object('size', size, 'end', right(long, 3), 'whole', (p.*)::text = '') AS data FROM tb_post p;
UPDATE tb_post SET long = repeat('long', 3000);
:oracle;
UPDATE tb_post SET content = 'more';
UPDATE tb_post SET long = long || '.' WHERE pk_post > 10;
:oracle;
TRUNCATE tb_comment;
:oracle;

-- in replica mode, as replication writes
SET session_replication_role = replica;
UPDATE tb_user SET name = 'replicated' WHERE pk_user = 1;
INSERT INTO tb_comment (pk_comment, fk_post, content) VALUES (1, 11, 'replicated'), (2, 11, 'replicated');
DELETE FROM tb_comment WHERE pk_comment = 1;
:oracle;
TRUNCATE tb_comment;
:oracle;
RESET session_replication_role;

-- many rows: more than is kept in memory, and past the limit of the queue
SET work_mem = '64kB';
INSERT INTO tb_user (pk_user, name) SELECT i, repeat('x', 100) || i FROM generate_series(1000, 3000) i;
:oracle;
UPDATE tb_user SET name = 'y' || name WHERE pk_user >= 1000;
:oracle;
SET pg_tviews.queue_limit = 10;
DELETE FROM tb_user WHERE pk_user >= 1000;
:oracle;
RESET pg_tviews.queue_limit;
RESET work_mem;

-- triggers that write the same table, before it is captured by statement no
-- more than after
CREATE TABLE tb_node (pk_node int PRIMARY KEY, fk_node int REFERENCES tb_node ON DELETE CASCADE, name text);
CREATE INDEX ON tb_node (fk_node);
CREATE TABLE tv_node AS
SELECT n.pk_node, jsonb_build_object('name', n.name, 'children',
	   (SELECT jsonb_agg(c.name ORDER BY c.pk_node) FROM tb_node c WHERE c.fk_node = n.pk_node)) AS data FROM tb_node n;
SELECT pg_tviews_install_stmt_triggers('tb_node');
CREATE FUNCTION before_node() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE tb_node SET name = name || '+' WHERE pk_node = NEW.fk_node;
	RETURN NEW;
END $$;
CREATE TRIGGER before_node BEFORE INSERT ON tb_node FOR EACH ROW EXECUTE FUNCTION before_node();
INSERT INTO tb_node SELECT i, nullif(i / 2, 0), 'node ' || i FROM generate_series(1, 15) i;
:oracle;
DELETE FROM tb_node WHERE pk_node IN (2, 6);
:oracle;
SELECT pk_node, data ->> 'name' FROM tv_node ORDER BY 1;

-- what would let changes go by is refused, in either order
CREATE FUNCTION nop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT test_error('CREATE TRIGGER mine AFTER UPDATE ON tb_user FOR EACH ROW EXECUTE FUNCTION nop()');
SELECT test_error('CREATE TRIGGER mine AFTER INSERT ON tb_user FOR EACH STATEMENT EXECUTE FUNCTION nop()');
SELECT test_error('CREATE CONSTRAINT TRIGGER mine AFTER DELETE ON tb_user DEFERRABLE FOR EACH ROW EXECUTE FUNCTION nop()');
CREATE TRIGGER mine AFTER TRUNCATE ON tb_user FOR EACH STATEMENT EXECUTE FUNCTION nop();
CREATE TABLE bystander (LIKE tb_user) PARTITION BY LIST (pk_user);
SELECT test_error('CREATE TABLE child () INHERITS (tb_user)');
-- (17 would refuse a partition with an identity column)
BEGIN;
ALTER TABLE tb_user ALTER pk_user DROP IDENTITY;
SELECT test_error('ALTER TABLE bystander ATTACH PARTITION tb_user DEFAULT');
ROLLBACK;
CREATE TABLE other (LIKE tb_user);
SELECT test_error('ALTER TABLE tb_user INHERIT other');
SELECT test_error('ALTER TABLE other INHERIT tb_user');
TABLE captured;

SELECT pg_tviews_install_row_triggers('tb_user');
SELECT pg_tviews_install_row_triggers('tb_user');
SELECT triggers FROM captured WHERE relation = 'tb_user'::regclass;
CREATE TRIGGER mine_too AFTER UPDATE ON tb_user FOR EACH ROW EXECUTE FUNCTION nop();
SELECT test_error($$SELECT pg_tviews_install_stmt_triggers('tb_user')$$);
DROP TRIGGER mine_too ON tb_user;
CREATE TABLE child () INHERITS (tb_user);
SELECT test_error($$SELECT pg_tviews_install_stmt_triggers('tb_user')$$);
SELECT test_error($$SELECT pg_tviews_install_stmt_triggers('child')$$);
DROP TABLE child;
SELECT test_error($$SELECT pg_tviews_install_stmt_triggers('other')$$);
SELECT test_error($$SELECT pg_tviews_install_row_triggers('other')$$);
SELECT test_error($$SELECT pg_tviews_install_stmt_triggers('v_user')$$);
SELECT test_error($$SELECT pg_tviews_install_stmt_triggers(0)$$);
SELECT pg_tviews_install_stmt_triggers(NULL) IS NULL;
CREATE ROLE regress_other;
GRANT USAGE ON SCHEMA public TO regress_other;
GRANT ALL ON tb_user TO regress_other;
SET ROLE regress_other;
SELECT test_error($$SELECT pg_tviews_install_stmt_triggers('tb_user')$$);
SELECT test_error($$SELECT pg_tviews_install_row_triggers('tb_user')$$);
RESET ROLE;
DROP OWNED BY regress_other;
DROP ROLE regress_other;

-- undone with its transaction
BEGIN;
UPDATE tb_user SET name = 'before' WHERE pk_user = 1;
SELECT pg_tviews_install_stmt_triggers('tb_user');
UPDATE tb_user SET name = 'after' WHERE pk_user = 2;
SELECT pg_tviews_install_row_triggers('tb_user');
UPDATE tb_user SET name = 'after' WHERE pk_user = 3;
:oracle;
ROLLBACK;
SELECT triggers FROM captured WHERE relation = 'tb_user'::regclass;
:oracle;

-- not while the table is being written
CREATE FUNCTION install() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_tviews_install_row_triggers('tb_post');
	RETURN NULL;
END $$;
CREATE TRIGGER install BEFORE UPDATE ON tb_post FOR EACH STATEMENT EXECUTE FUNCTION install();
SELECT test_error($$UPDATE tb_post SET title = ''$$);
DROP TRIGGER install ON tb_post;

-- the choice stays when TVIEWs come, change and go; and when triggers are
-- dropped, under other names too
ALTER TRIGGER "!tview_capture" ON tb_post RENAME TO mine_now;
DROP TRIGGER "!tview_update" ON tb_post;
DROP TRIGGER "!tview_capture" ON tb_post;
CREATE TABLE tv_title AS SELECT pk_post AS pk_title, to_jsonb(title) AS data FROM tb_post;
SELECT pg_tviews_alter('title', 'SELECT pk_post AS pk_title, to_jsonb(content) AS data FROM tb_post');
ALTER TABLE tb_post RENAME title TO headline;
DROP TABLE tv_long;
SELECT triggers FROM captured WHERE relation = 'tb_post'::regclass;
UPDATE tb_post SET content = 'again', headline = 'other';
:oracle;
DROP VIEW posts;
SELECT pg_tviews_drop('title'), pg_tviews_drop('post');
TABLE captured;

-- what has been changed behind the event triggers' back is found
CREATE VIEW findings AS SELECT status, message FROM pg_tviews_health_check() WHERE component = 'triggers';
TABLE findings;
ALTER TABLE tb_node DISABLE TRIGGER "!tview_update";
TABLE findings;
ALTER TABLE tb_node ENABLE TRIGGER ALL;
TABLE findings;
UPDATE tb_node SET name = 'twice';
:oracle;
SELECT * FROM pg_tviews_reinstall_triggers();
TABLE findings;
SET session_replication_role = replica;
DROP TRIGGER "!tview_insert" ON tb_node;
DROP TRIGGER "!tview_capture" ON tb_node;
DROP TRIGGER "!tview_update" ON tb_node;
CREATE TRIGGER "!tview_update" AFTER UPDATE ON tb_node REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION pg_tviews_capture();
RESET session_replication_role;
TABLE findings;
SELECT * FROM pg_tviews_reinstall_triggers();
SELECT triggers FROM captured WHERE relation = 'tb_node'::regclass;
TABLE findings;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end DISABLE;
CREATE TRIGGER mine AFTER UPDATE ON tb_node FOR EACH ROW EXECUTE FUNCTION nop();
TABLE findings;
DROP TRIGGER mine ON tb_node;
CREATE TABLE tb_leaf () INHERITS (tb_node);
TABLE findings;
DROP TABLE tb_leaf;
ALTER EVENT TRIGGER pg_tviews_ddl_command_end ENABLE;
TABLE findings;
