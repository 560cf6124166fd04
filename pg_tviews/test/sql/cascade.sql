-- TVIEWs that read other TVIEWs, through v_x or tv_x, as objects or arrays; to
-- 10 levels.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\set blog :test /include/blog.sql
\i :start
\i :blog

-- a rename goes through comments and posts
UPDATE tb_user SET name = 'rob' WHERE pk_user = 2;
SELECT * FROM posts ORDER BY 1;
SELECT * FROM test_oracle();

-- a TVIEW over the table of another one, and a definition that mixes both
CREATE TABLE tv_author AS
SELECT u.pk_user AS pk_author, u.id,
	   jsonb_build_object('user', u.data,
		   'posts', (SELECT jsonb_agg(p.data ORDER BY p.pk_post) FROM tv_post p WHERE p.fk_user = u.pk_user),
		   'n', (SELECT count(*) FROM v_comment c JOIN tb_comment b USING (pk_comment)
				 WHERE b.fk_user = u.pk_user)) AS data
FROM tv_user u;
SELECT pk_author, data FROM tv_author ORDER BY 1;
BEGIN;
UPDATE tb_comment SET content = 'changed', fk_user = 2 WHERE pk_comment = 2;
UPDATE tb_user SET name = 'ada' WHERE pk_user = 1;
SELECT pk_author, data FROM tv_author ORDER BY 1;
COMMIT;
SELECT * FROM test_oracle();

-- rows come and go at the bottom
DELETE FROM tb_post WHERE pk_post = 1;
INSERT INTO tb_user (pk_user, name) VALUES (4, 'dan');
INSERT INTO tb_post (pk_post, fk_user, title) VALUES (4, 4, 'four');
SELECT pk_author, data FROM tv_author ORDER BY 1;
SELECT * FROM test_oracle();

-- a diamond: one row is refreshed once, after both of what it reads
CREATE TABLE tb_x (pk_x int PRIMARY KEY, n int NOT NULL);
INSERT INTO tb_x SELECT i, i FROM generate_series(1, 3) i;
CREATE TABLE tv_l AS SELECT pk_x AS pk_l, to_jsonb(n) AS data FROM tb_x;
CREATE TABLE tv_r AS SELECT pk_x AS pk_r, to_jsonb(-n) AS data FROM tb_x;
CREATE TABLE tv_top AS
SELECT l.pk_l AS pk_top, jsonb_build_array(l.data, r.data) AS data
FROM v_l l JOIN v_r r ON r.pk_r = l.pk_l;
CREATE TABLE writes (tview regclass, n int);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.writes VALUES (TG_RELID, 1);
	RETURN NULL;
END $$;
CREATE TRIGGER note AFTER UPDATE ON tv_top FOR EACH ROW EXECUTE FUNCTION note();
UPDATE tb_x SET n = n + 10 WHERE pk_x < 3;
SELECT pk_top, data FROM tv_top ORDER BY 1;
SELECT tview, sum(n) FROM writes GROUP BY tview;

-- ten levels, with a notice from the sixth on
CREATE TABLE tv_l1 AS SELECT pk_x AS pk_l1, to_jsonb(n) AS data FROM tb_x;
DO $$
BEGIN
	FOR i IN 2 .. 10 LOOP
		PERFORM pg_tviews_create('l' || i, format(
			'SELECT pk_l%s AS pk_l%s, jsonb_build_array(data) AS data FROM v_l%1$s',
			i - 1, i));
	END LOOP;
END $$;
CREATE TABLE tv_l11 AS SELECT pk_l10 AS pk_l11, data FROM v_l10;
BEGIN;
UPDATE tb_x SET n = 100 WHERE pk_x = 1;
SELECT pk_l10, data FROM tv_l10 ORDER BY 1;
DELETE FROM tb_x WHERE pk_x = 2;
INSERT INTO tb_x VALUES (4, 4);
COMMIT;
SELECT pk_l10, data FROM tv_l10 ORDER BY 1;
SELECT * FROM test_oracle();
