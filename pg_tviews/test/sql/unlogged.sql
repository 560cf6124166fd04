-- Unlogged tables are empty after a crash. A TVIEW whose keys come from such a
-- table is unlogged too, and follows when that changes; another one may not read
-- them. That a crash leaves both equal is for test/t to show.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE FUNCTION persistence() RETURNS TABLE (name text, unlogged boolean) LANGUAGE sql AS $$
	SELECT relname::text COLLATE "C", relpersistence = 'u' FROM pg_class
	WHERE relname ~ '^(tb|tv)_' AND relkind = 'r' ORDER BY 1
$$;
CREATE UNLOGGED TABLE tb_session (pk_session int PRIMARY KEY, fk_user int, seen int);
CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text);
INSERT INTO tb_user VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO tb_session VALUES (1, 1, 1), (2, 2, 1);
CREATE TABLE tv_session AS
SELECT s.pk_session, s.fk_user, jsonb_build_object('seen', s.seen, 'user', u.name) AS data
FROM tb_session s JOIN tb_user u ON u.pk_user = s.fk_user;
CREATE TABLE tv_shown AS SELECT pk_session AS pk_shown, data FROM v_session;
CREATE UNLOGGED TABLE tv_seen AS SELECT pk_session AS pk_seen, to_jsonb(seen) AS data FROM tb_session;
CREATE TABLE tv_user AS SELECT pk_user, to_jsonb(name) AS data FROM tb_user;
SELECT * FROM persistence();
UPDATE tb_session SET seen = 2 WHERE pk_session = 1;
UPDATE tb_user SET name = upper(name);
SELECT data FROM tv_shown ORDER BY pk_shown;
SELECT * FROM test_oracle();

-- followed, through TVIEWs that read one another, and rolled back
BEGIN;
ALTER TABLE tb_session SET LOGGED;
SELECT * FROM persistence();
UPDATE tb_session SET seen = 3;
ROLLBACK;
SELECT * FROM persistence();
ALTER TABLE tb_session SET LOGGED;
SELECT * FROM persistence();
UPDATE tb_session SET seen = 4 WHERE pk_session = 1;
ALTER TABLE tb_session SET UNLOGGED;
SELECT * FROM persistence();
UPDATE tb_session SET seen = 5 WHERE pk_session = 2;
SELECT data FROM tv_shown ORDER BY pk_shown;
SELECT * FROM test_oracle();

-- what would not be right after a crash
\pset format unaligned
\pset tuples_only on
SELECT test_error('ALTER TABLE tv_session SET LOGGED');
SELECT test_error('ALTER TABLE tv_user SET UNLOGGED');
SELECT test_error('CREATE UNLOGGED TABLE tv_x AS SELECT pk_user AS pk_x, to_jsonb(name) AS data FROM tb_user');
SELECT test_error($$ CREATE TABLE tv_x AS SELECT u.pk_user AS pk_x, jsonb_build_object('n',
	(SELECT count(*) FROM tb_session s WHERE s.fk_user = u.pk_user)) AS data FROM tb_user u $$);
SELECT test_error($$ CREATE TABLE tv_x AS SELECT u.pk_user AS pk_x, jsonb_build_object('n',
	(SELECT count(*) FROM tv_session s WHERE s.fk_user = u.pk_user)) AS data FROM tb_user u $$);
ALTER TABLE tb_session SET LOGGED;
CREATE TABLE tv_x AS SELECT u.pk_user AS pk_x, jsonb_build_object('n',
	(SELECT count(*) FROM tv_session s WHERE s.fk_user = u.pk_user)) AS data FROM tb_user u;
SELECT test_error('ALTER TABLE tb_session SET UNLOGGED');
SELECT test_error('ALTER TABLE tb_user SET UNLOGGED');
SELECT pg_tviews_drop('x');
ALTER TABLE tb_session SET UNLOGGED;
-- neither is left after a crash, so an unlogged one may read what is unlogged
ALTER TABLE tb_user SET UNLOGGED;
\pset tuples_only off
\pset format aligned
SELECT * FROM persistence();
SELECT * FROM test_oracle();

-- partitions: all of them, or none
CREATE TABLE tb_event (pk_event int, kind int) PARTITION BY LIST (kind);
CREATE TABLE tv_event AS SELECT pk_event, to_jsonb(kind) AS data FROM tb_event;
CREATE UNLOGGED TABLE tb_event_1 PARTITION OF tb_event FOR VALUES IN (1);
INSERT INTO tb_event VALUES (1, 1);
SELECT * FROM persistence() WHERE name ~ 'event';
\pset format unaligned
\pset tuples_only on
SELECT test_error('CREATE TABLE tb_event_2 PARTITION OF tb_event FOR VALUES IN (2)');
\pset tuples_only off
\pset format aligned
CREATE UNLOGGED TABLE tb_event_2 PARTITION OF tb_event FOR VALUES IN (2);
INSERT INTO tb_event VALUES (2, 2);
SELECT * FROM test_oracle();
ALTER TABLE tb_event DETACH PARTITION tb_event_2;
ALTER TABLE tb_event_1 SET LOGGED;
SELECT * FROM persistence() WHERE name ~ 'event';
\pset format unaligned
\pset tuples_only on
SELECT test_error('ALTER TABLE tb_event ATTACH PARTITION tb_event_2 FOR VALUES IN (2)');
\pset tuples_only off
\pset format aligned
ALTER TABLE tb_event_2 SET LOGGED;
ALTER TABLE tb_event ATTACH PARTITION tb_event_2 FOR VALUES IN (2);
UPDATE tb_event SET kind = 3 - kind;
SELECT pk_event, data FROM tv_event ORDER BY 1;
SELECT * FROM test_oracle();
