-- TVIEWs that read TVIEWs: as object, array, array of arrays, twice, in a
-- diamond, through plain views, mixed with their tables.  Each is refreshed
-- once a flush, after all that it reads; a row that comes out unchanged stops
-- the cascade.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set tables :test /include/tables.sql
\i :tables

CREATE TABLE tv_team AS
SELECT pk_team, jsonb_build_object('name', upper(name)) AS data FROM tb_team;
CREATE TABLE tv_user AS
SELECT u.pk_user, u.fk_team, jsonb_build_object('name', u.name, 'team', t.data) AS data
FROM tb_user u LEFT JOIN v_team t ON t.pk_team = u.fk_team;
CREATE TABLE tv_comment AS
SELECT c.pk_comment, c.fk_post, c.fk_user, jsonb_build_object('text', c.text, 'by', u.data) AS data
FROM tb_comment c LEFT JOIN tv_user u ON u.pk_user = c.fk_user;
CREATE TABLE tv_post AS
SELECT p.pk_post, p.fk_user, jsonb_build_object('title', p.title, 'author', u.data,
	'comments', (SELECT jsonb_agg(c.data ORDER BY c.pk_comment) FROM v_comment c WHERE c.fk_post = p.pk_post)) AS data
FROM tb_post p LEFT JOIN v_user u ON u.pk_user = p.fk_user;
-- array of arrays
CREATE TABLE tv_author AS
SELECT u.pk_user AS pk_author, jsonb_build_object('user', u.data,
	'posts', (SELECT jsonb_agg(p.data ORDER BY p.pk_post) FROM v_post p WHERE p.fk_user = u.pk_user)) AS data
FROM v_user u;
-- twice
CREATE TABLE tv_pair AS
SELECT u.pk_user AS pk_pair, jsonb_build_object('self', a.data, 'boss', b.data) AS data
FROM tb_user u JOIN v_user a ON a.pk_user = u.pk_user LEFT JOIN tv_user b ON b.pk_user = u.fk_boss;
-- a diamond over teams: through users and through comments and posts
CREATE TABLE tv_board AS
SELECT t.pk_team AS pk_board, jsonb_build_object('team', t.data,
	'users', (SELECT jsonb_agg(u.data ORDER BY u.pk_user) FROM v_user u WHERE u.fk_team = t.pk_team),
	'posts', (SELECT jsonb_agg(p.data ORDER BY p.pk_post) FROM tv_user u JOIN v_post p ON p.fk_user = u.pk_user
			  WHERE u.fk_team = t.pk_team)) AS data
FROM v_team t;
-- plain views of TVIEWs and of tables, and a mix of everything
CREATE VIEW counted AS
SELECT fk_user, count(*) AS many, min(data ->> 'title') AS first FROM v_post GROUP BY fk_user;
CREATE VIEW named AS SELECT c.*, u.name FROM counted c LEFT JOIN tb_user u ON u.pk_user = c.fk_user;
CREATE TABLE tv_mix AS
SELECT p.pk_post AS pk_mix, jsonb_build_object('post', v.data -> 'title', 'user', u.data ->> 'name', 'tb', p.n, 'view', n.many, 'first', n.first, 'by', n.name) AS data
FROM tb_post p JOIN tv_post v ON v.pk_post = p.pk_post LEFT JOIN v_user u ON u.pk_user = p.fk_user
LEFT JOIN named n ON n.fk_user = p.fk_user;
SELECT entity, dependencies FROM pg_tview_meta ORDER BY entity;
SELECT * FROM test_oracle();

-- one name, everything above it, each row once
CREATE TABLE log (at int GENERATED ALWAYS AS IDENTITY, tview text, key text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
	INSERT INTO log (tview, key) VALUES (tg_table_name, to_jsonb(coalesce(new, old)) ->> tg_argv[0]);
	RETURN NULL;
END $$;
SELECT format('CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION note(%L)', tview, key_column)
FROM pg_tview_meta \gexec
BEGIN;
UPDATE tb_team SET name = 'rot' WHERE pk_team = 1;
UPDATE tb_user SET name = 'anna' WHERE pk_user = 1;
UPDATE tb_post SET title = 'eins' WHERE pk_post = 1;
UPDATE tb_team SET name = 'rouge' WHERE pk_team = 1;
COMMIT;
SELECT tview, string_agg(key, ' ' ORDER BY key) AS keys, count(*) > count(DISTINCT key) AS twice
FROM log GROUP BY tview ORDER BY min(at);
:check
-- what comes out the same stops here: upper('rouge'), upper('ROUGE')
TRUNCATE log;
UPDATE tb_team SET name = 'ROUGE' WHERE pk_team = 1;
UPDATE tb_user SET n = n + 1;
SELECT tview, key FROM log;
-- a change, and the same back
BEGIN;
UPDATE tb_team SET name = 'jaune' WHERE pk_team = 1;
UPDATE tb_team SET name = 'ROUGE' WHERE pk_team = 1;
COMMIT;
SELECT tview, key FROM log;
-- a row that changes stops where it isn't shown
UPDATE tb_post SET n = n + 1 WHERE pk_post = 1;
SELECT tview, key FROM log;
:check

-- rows move between parents, on each level, and all above change
UPDATE tb_comment SET fk_post = 2, fk_user = 3 WHERE pk_comment IN (1, 4);
:check
UPDATE tb_post SET fk_user = 3 WHERE pk_post IN (1, 5);
:check
UPDATE tb_user SET fk_team = 2, fk_boss = 2 WHERE pk_user = 1;
:check
UPDATE tb_user SET pk_user = 9 WHERE pk_user = 3;
UPDATE tb_team SET pk_team = 4 WHERE pk_team = 2;
UPDATE tb_post SET pk_post = 7 WHERE pk_post = 3;
:check
BEGIN;
UPDATE tb_comment SET fk_post = 7, text = 'moved' WHERE pk_comment = 5;
UPDATE tb_post SET fk_user = 2 WHERE pk_post IN (2, 7);
UPDATE tb_user SET fk_team = 3 WHERE pk_user IN (1, 2, 9);
DELETE FROM tb_team WHERE pk_team = 4;
UPDATE tb_team SET name = 'x';
COMMIT;
:check
-- read between the levels, undo in between
BEGIN;
UPDATE tb_user SET name = 'u' || pk_user;
SELECT data ->> 'by' AS by FROM tv_mix WHERE pk_mix = 2;
SAVEPOINT s;
DELETE FROM tb_post WHERE fk_user = 2;
UPDATE tb_team SET name = 'gone';
SELECT count(*) FROM tv_mix;
SELECT data -> 'team' AS team FROM tv_board WHERE pk_board = 3;
ROLLBACK TO s;
SELECT count(*) FROM tv_mix;
UPDATE tb_comment SET fk_post = 2 WHERE fk_post = 7;
SELECT count(*) FROM tv_author;
DELETE FROM tb_user WHERE pk_user = 2;
COMMIT;
:check
-- the same table as root, and embedded: old and new place
BEGIN;
UPDATE tb_user SET fk_boss = 1, pk_user = 6 WHERE pk_user = 4;
UPDATE tb_user SET pk_user = 4 WHERE pk_user = 1;
INSERT INTO tb_user VALUES (1, 3, 4, 'neu', 0);
COMMIT;
:check
TRUNCATE tb_comment;
:check
DELETE FROM tb_user;
DELETE FROM tb_team;
SELECT * FROM test_oracle();
