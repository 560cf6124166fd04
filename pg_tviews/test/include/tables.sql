\set ECHO none
-- Tables without foreign keys, so that rows may come, go and move in any
-- order, and a link table without a key
CREATE TABLE tb_team (pk_team int PRIMARY KEY, name text);
CREATE TABLE tb_user (
	pk_user int PRIMARY KEY, fk_team int, fk_boss int, name text, n int NOT NULL
);
CREATE TABLE tb_post (
	pk_post int PRIMARY KEY, fk_user int, title text, n int NOT NULL,
	tags text[], props jsonb
);
CREATE TABLE tb_comment (
	pk_comment int PRIMARY KEY, fk_post int, fk_user int, text text,
	n int NOT NULL
);
CREATE TABLE tb_tag (pk_tag int PRIMARY KEY, slug text);
CREATE TABLE tb_post_tag (fk_post int, fk_tag int);
CREATE TABLE tb_category (pk_category int PRIMARY KEY, fk_parent int, name text);
CREATE TABLE tb_category_link (fk_from int, fk_to int);
CREATE TABLE tb_setting (pk_setting int PRIMARY KEY, value text);
CREATE INDEX ON tb_user (fk_team);
CREATE INDEX ON tb_user (fk_boss);
CREATE INDEX ON tb_post (fk_user);
CREATE INDEX ON tb_comment (fk_post);
CREATE INDEX ON tb_comment (fk_user);
CREATE INDEX ON tb_post_tag (fk_post);
CREATE INDEX ON tb_post_tag (fk_tag);
CREATE INDEX ON tb_category (fk_parent);
CREATE INDEX ON tb_category_link (fk_from);
CREATE INDEX ON tb_category_link (fk_to);

INSERT INTO tb_team VALUES (1, 'red'), (2, 'green'), (3, 'blue');
INSERT INTO tb_user VALUES
	(1, 1, NULL, 'ann', 1), (2, 1, 1, 'bob', 0), (3, 2, 1, 'cid', 2),
	(4, NULL, 3, 'dan', 1), (5, 2, 9, NULL, 0);
INSERT INTO tb_post VALUES
	(1, 1, 'one', 3, '{a,b}', '{"k": [1, 2], "m": {"x": 1}}'),
	(2, 1, 'two', 1, '{}', '{"k": []}'), (3, 2, 'three', 2, '{c}', NULL),
	(4, 3, 'four', 2, NULL, '{"k": [5], "m": {"x": 2}}'),
	(5, NULL, 'five', 0, '{a}', '{}'), (6, 9, 'six', 1, '{b,b}', '{"k": [7]}');
INSERT INTO tb_comment
SELECT i, 1 + i % 4, 1 + i * 3 % 5, 'c' || i, i % 3 FROM generate_series(1, 9) i;
INSERT INTO tb_comment VALUES (10, NULL, 1, 'c10', 1), (11, 8, NULL, 'c11', 2);
INSERT INTO tb_tag VALUES (1, 'one'), (2, 'two'), (3, 'red'), (4, NULL);
INSERT INTO tb_post_tag VALUES
	(1, 1), (1, 2), (1, 2), (2, 2), (3, 1), (3, 3), (4, 3), (7, 1), (5, 9);
INSERT INTO tb_category VALUES
	(1, NULL, 'all'), (2, 1, 'books'), (3, 1, 'music'), (4, 2, 'maps'),
	(5, 2, 'poems'), (6, 4, 'old'), (7, 99, 'lost');
INSERT INTO tb_category_link VALUES (1, 2), (1, 3), (2, 4), (3, 4), (4, 6), (6, 2);
INSERT INTO tb_setting VALUES (1, 'light'), (2, 'en');
ANALYZE tb_team, tb_user, tb_post, tb_comment, tb_tag, tb_post_tag, tb_category,
	tb_category_link, tb_setting;
-- the oracle, in short
\set check 'SELECT * FROM test_oracle() WHERE differences > 0;'
\set ECHO all
