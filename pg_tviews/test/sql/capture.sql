-- Every way to change a row of a base table reaches the TVIEWs.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\set blog :test /include/blog.sql
\i :start
\i :blog
SELECT * FROM posts ORDER BY 1;

-- INSERT, UPDATE, DELETE
INSERT INTO tb_comment (pk_comment, fk_post, fk_user, content) VALUES (10, 2, 1, 'first'), (11, 2, 2, 'second');
SELECT * FROM posts ORDER BY 1;
UPDATE tb_comment SET content = upper(content) WHERE fk_post = 2;
SELECT * FROM posts ORDER BY 1;
UPDATE tb_comment SET fk_post = 3 WHERE pk_comment = 10;
SELECT * FROM posts ORDER BY 1;
DELETE FROM tb_comment WHERE fk_post IN (2, 3);
SELECT * FROM posts ORDER BY 1;
UPDATE tb_post SET fk_user = 3, title = 'moved' WHERE pk_post = 3;
SELECT * FROM posts ORDER BY 1;
-- the key itself
UPDATE tb_post SET pk_post = pk_post + 10;
SELECT * FROM posts ORDER BY 1;
UPDATE tb_post SET pk_post = pk_post - 10;
SELECT * FROM test_oracle();

-- COPY
COPY tb_comment (pk_comment, fk_post, fk_user, content) FROM stdin;
20	1	1	copied
21	2	2	copied
\.
SELECT * FROM posts ORDER BY 1;

-- MERGE
MERGE INTO tb_comment c
USING (VALUES (20, 1, 'merged'), (21, 2, NULL), (22, 3, 'new')) AS n (pk, post, content)
ON c.pk_comment = n.pk
WHEN MATCHED AND n.content IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET content = n.content
WHEN NOT MATCHED THEN INSERT (pk_comment, fk_post, fk_user, content) VALUES (n.pk, n.post, 1, n.content);
SELECT * FROM posts ORDER BY 1;

-- ON CONFLICT
INSERT INTO tb_comment (pk_comment, fk_post, content) VALUES (22, 3, 'ignored')
ON CONFLICT DO NOTHING;
INSERT INTO tb_comment (pk_comment, fk_post, content) VALUES (22, 2, 'upserted'), (23, 3, 'inserted')
ON CONFLICT (pk_comment) DO UPDATE SET fk_post = excluded.fk_post, content = excluded.content;
SELECT * FROM posts ORDER BY 1;

-- WITH queries that change data
WITH gone AS (DELETE FROM tb_comment WHERE pk_comment = 22 RETURNING *),
	 named AS (UPDATE tb_user SET name = name || '!' WHERE pk_user = 2 RETURNING *)
INSERT INTO tb_comment (pk_comment, fk_post, fk_user, content)
SELECT 24, 2, named.pk_user, 'was: ' || gone.content FROM gone, named;
SELECT * FROM posts ORDER BY 1;
SELECT * FROM test_oracle();

-- actions of foreign keys: SET NULL of comments, CASCADE of posts
DELETE FROM tb_user WHERE pk_user = 2;
SELECT * FROM posts ORDER BY 1;
DELETE FROM tb_user WHERE pk_user = 3;
SELECT * FROM posts ORDER BY 1;
SELECT pk_comment FROM tv_comment ORDER BY 1;
-- and ON UPDATE CASCADE
UPDATE tb_post SET pk_post = 4 WHERE pk_post = 1;
SELECT * FROM posts ORDER BY 1;
SELECT * FROM test_oracle();

-- other people's triggers: BEFORE ones that change or drop the row, AFTER
-- ones that write to other tables, on either side of ours by name
CREATE FUNCTION before_comment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.content = 'spam' THEN RETURN NULL; END IF;
	NEW.content := 'checked: ' || NEW.content;
	RETURN NEW;
END $$;
CREATE TRIGGER before_comment BEFORE INSERT OR UPDATE ON tb_comment
	FOR EACH ROW EXECUTE FUNCTION before_comment();
CREATE FUNCTION after_comment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE tb_post SET title = title || '+' WHERE pk_post = NEW.fk_post;
	RETURN NULL;
END $$;
CREATE TRIGGER " early" AFTER INSERT ON tb_comment
	FOR EACH ROW EXECUTE FUNCTION after_comment();
CREATE TRIGGER zlate AFTER INSERT ON tb_comment
	FOR EACH ROW EXECUTE FUNCTION after_comment();
INSERT INTO tb_comment (pk_comment, fk_post, content) VALUES (30, 2, 'ham'), (31, 2, 'spam');
SELECT * FROM posts ORDER BY 1;

-- INSTEAD OF triggers and updatable views
CREATE VIEW comments AS SELECT pk_comment, fk_post, content FROM tb_comment;
UPDATE comments SET content = 'by a view' WHERE pk_comment = 30;
SELECT * FROM posts ORDER BY 1;

-- a rule
CREATE RULE shout AS ON UPDATE TO tb_user WHERE new.name <> old.name
DO ALSO UPDATE tb_post SET title = upper(title) WHERE fk_user = old.pk_user;
UPDATE tb_user SET name = 'Ann' WHERE pk_user = 1;
SELECT * FROM posts ORDER BY 1;
SELECT * FROM test_oracle();

-- TRUNCATE
BEGIN;
TRUNCATE tb_comment;
SELECT * FROM posts ORDER BY 1;
INSERT INTO tb_comment (pk_comment, fk_post, content) VALUES (40, 2, 'after');
SELECT * FROM posts ORDER BY 1;
COMMIT;
SELECT * FROM test_oracle();
TRUNCATE tb_user CASCADE;
SELECT * FROM posts ORDER BY 1;
SELECT * FROM test_oracle();
INSERT INTO tb_user (pk_user, name) VALUES (1, 'new');
INSERT INTO tb_post (pk_post, fk_user, title) VALUES (1, 1, 'start');
TRUNCATE tb_comment, tb_post RESTART IDENTITY;
SELECT count(*) FROM tv_post;
SELECT * FROM test_oracle();
