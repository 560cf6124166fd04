-- on_unmapped => 'rebuild': what has no way to the keys rebuilds the TVIEW by
-- differences; only the rows that differ are written.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set tables :test /include/tables.sql
\i :tables

-- refused, with both ways out; then not
SELECT test_error($$ CREATE TABLE tv_x AS
SELECT p.pk_post AS pk_x, to_jsonb(s.value) AS data FROM tb_post p CROSS JOIN tb_setting s WHERE s.pk_setting = 1 $$);
SELECT test_error($$ SELECT pg_tviews_create('x', 'SELECT pk_post AS pk_x, to_jsonb(title) AS data FROM tb_post', '{"on_unmapped": "ignore"}') $$);
CREATE PROCEDURE make(entity text, definition text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_tviews_create(entity, definition, '{"on_unmapped": "rebuild"}');
END $$;
CALL make('setting', $$
	SELECT p.pk_post AS pk_setting, p.fk_user, jsonb_build_object('title', p.title, 'author', u.name,
		'look', CASE WHEN p.n > 1 THEN (SELECT s.value FROM tb_setting s WHERE s.pk_setting = 1) END) AS data
	FROM tb_post p LEFT JOIN tb_user u ON u.pk_user = p.fk_user $$);
CALL make('cross', $$ SELECT t.pk_team AS pk_cross, jsonb_agg(s.value ORDER BY s.pk_setting) AS data
	FROM tb_team t CROSS JOIN tb_setting s GROUP BY t.pk_team $$);
CALL make('rank', $$ SELECT p.pk_post AS pk_rank, to_jsonb(rank() OVER (ORDER BY p.n, p.pk_post)) AS data FROM tb_post p $$);
CALL make('limit', $$ SELECT p.pk_post AS pk_limit, to_jsonb(p.title) AS data FROM tb_post p ORDER BY p.n DESC, p.pk_post LIMIT 3 OFFSET 1 $$);
CALL make('total', $$ SELECT 1 AS pk_total, jsonb_build_array(count(*), sum(n)) AS data FROM tb_post $$);
CALL make('pairs', $$ SELECT t.pk_team * 100 + s.pk_setting AS pk_pairs, to_jsonb(t.name || s.value) AS data FROM tb_team t, tb_setting s WHERE t.name IS NOT NULL $$);
CALL make('not_in', $$ SELECT u.pk_user AS pk_not_in, to_jsonb(u.n) AS data FROM tb_user u WHERE u.pk_user NOT IN (SELECT p.fk_user FROM tb_post p WHERE p.fk_user IS NOT NULL AND p.n > 1) $$);
CALL make('after', $$ SELECT c.pk_category AS pk_after, (
	WITH RECURSIVE r AS (SELECT a.pk_category FROM tb_category a WHERE a.pk_category = c.pk_category
		UNION SELECT a.pk_category FROM tb_category a JOIN r ON a.fk_parent > r.pk_category)
	SELECT to_jsonb(count(*)) FROM r) AS data FROM tb_category c $$);
-- a recursion that starts from what another one has made
CALL make('tree', $$ SELECT c.pk_category AS pk_tree, (
	WITH RECURSIVE up AS (
		SELECT c.pk_category, c.fk_parent
		UNION SELECT a.pk_category, a.fk_parent FROM tb_category a JOIN up ON a.pk_category = up.fk_parent),
	down AS (
		SELECT up.pk_category FROM up WHERE up.fk_parent IS NULL
		UNION SELECT a.pk_category FROM tb_category a JOIN down ON a.fk_parent = down.pk_category)
	SELECT jsonb_build_array((SELECT count(*) FROM down))) AS data FROM tb_category c $$);
-- one that reads such a TVIEW
CREATE TABLE tv_user AS
SELECT u.pk_user, jsonb_build_object('n', u.n, 'posts', (
	SELECT jsonb_agg(v.data ORDER BY v.pk_setting) FROM v_setting v WHERE v.fk_user = u.pk_user)) AS data
FROM tb_user u;
SELECT alias, kind FROM pg_tviews_explain('setting') ORDER BY 1;
SELECT * FROM test_oracle();

-- only rows that show the setting are written, and what shows them
SELECT test_remember('tv_setting', 'tv_user', 'tv_cross');
UPDATE tb_setting SET value = 'dark' WHERE pk_setting = 1;
SELECT * FROM test_written();
:check
-- nothing differs: nothing is written
SELECT test_remember('tv_setting', 'tv_user', 'tv_cross', 'tv_rank', 'tv_limit');
BEGIN;
UPDATE tb_setting SET value = 'x';
UPDATE tb_setting SET value = CASE pk_setting WHEN 1 THEN 'dark' ELSE 'en' END;
COMMIT;
SELECT * FROM test_written();
-- sources with a way are followed along it
UPDATE tb_user SET name = 'anna' WHERE pk_user = 1;
SELECT * FROM test_written();
-- one changes, those after it move
SELECT test_remember('tv_rank', 'tv_limit', 'tv_total');
UPDATE tb_post SET n = 2 WHERE pk_post = 2;
SELECT * FROM test_written();
:check
INSERT INTO tb_post VALUES (9, 2, 'nine', 5);
DELETE FROM tb_post WHERE pk_post = 1;
:check
UPDATE tb_post SET pk_post = 20, fk_user = 4 WHERE pk_post = 3;
INSERT INTO tb_team VALUES (4, 'four');
UPDATE tb_setting SET pk_setting = 3 WHERE pk_setting = 2;
:check
UPDATE tb_category SET fk_parent = 3 WHERE pk_category = 4;
DELETE FROM tb_category WHERE pk_category = 7;
:check

-- mapped and unmapped changes in one transaction; reads in between
BEGIN;
UPDATE tb_post SET n = 3 - n, fk_user = 1 WHERE pk_post IN (4, 20);
UPDATE tb_setting SET value = value || '!';
UPDATE tb_user SET name = 'x' WHERE pk_user = 1;
SELECT data FROM tv_setting WHERE pk_setting = 4;
SAVEPOINT s;
DELETE FROM tb_setting;
UPDATE tb_post SET n = 0;
SELECT data FROM tv_setting WHERE pk_setting = 4;
SELECT count(*) FROM tv_pairs;
ROLLBACK TO s;
SELECT data FROM tv_setting WHERE pk_setting = 4;
INSERT INTO tb_setting VALUES (7, 'seven');
COMMIT;
:check
-- an undone change is no reason
SELECT test_remember('tv_setting', 'tv_cross');
BEGIN;
SAVEPOINT s;
UPDATE tb_setting SET value = 'red';
ROLLBACK TO s;
COMMIT;
SELECT * FROM test_written();
-- rows that are there twice, or have no key, are errors
CALL make('value', $$ SELECT s.value AS pk_value, to_jsonb((SELECT count(*) FROM tb_team)) AS data FROM tb_setting s $$);
\set VERBOSITY terse
INSERT INTO tb_setting VALUES (101, 'x');
INSERT INTO tb_setting VALUES (8, 'eight'), (9, 'eight');
INSERT INTO tb_setting VALUES (8, NULL);
:check
TRUNCATE tb_setting;
DELETE FROM tb_post;
SELECT * FROM test_oracle();
