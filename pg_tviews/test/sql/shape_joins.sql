-- Joins of all kinds: what is written to either side reaches the rows that
-- show it, also when rows move and both ends of the move change.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set tables :test /include/tables.sql
\i :tables

-- outer joins, with a condition of their own
CREATE TABLE tv_left AS
SELECT p.pk_post AS pk_left, jsonb_build_array(p.title, u.name) AS data
FROM tb_post p LEFT JOIN tb_user u ON u.pk_user = p.fk_user AND u.n > 0;
CREATE TABLE tv_right AS
SELECT p.pk_post AS pk_right, jsonb_build_array(p.title, u.name) AS data
FROM tb_user u RIGHT JOIN tb_post p ON u.pk_user = p.fk_user AND p.n > 0;
CREATE TABLE tv_full AS
SELECT coalesce(t.pk_team, c.pk_category) AS pk_full,
	   jsonb_build_array(t.name, c.name) AS data
FROM tb_team t FULL JOIN tb_category c ON c.pk_category = t.pk_team;
-- inner ones, whose rows come and go with either side
CREATE TABLE tv_inner AS
SELECT p.pk_post AS pk_inner, jsonb_build_array(p.title, u.name) AS data
FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user WHERE u.n > 0;
CREATE TABLE tv_cross AS
SELECT p.pk_post AS pk_cross, jsonb_build_array(p.title, u.name, t.name) AS data
FROM tb_post p CROSS JOIN tb_user u CROSS JOIN tb_team t
WHERE u.pk_user = p.fk_user AND t.pk_team = u.fk_team;
CREATE TABLE tv_using AS
SELECT pk_post AS pk_using, jsonb_build_array(title, tags, many) AS data
FROM tb_post NATURAL JOIN (SELECT fk_post AS pk_post, count(*) AS many FROM tb_post_tag GROUP BY 1) l
LEFT JOIN (SELECT fk_post AS pk_post, max(n) AS top FROM tb_comment GROUP BY 1) c USING (pk_post);
-- a table twice, and what it is joined to twice
CREATE TABLE tv_self AS
SELECT u.pk_user AS pk_self, jsonb_build_array(u.name, b.name, bb.name, t.name) AS data
FROM tb_user u LEFT JOIN tb_user b ON b.pk_user = u.fk_boss
LEFT JOIN tb_user bb ON bb.pk_user = b.fk_boss
LEFT JOIN tb_team t ON t.pk_team = bb.fk_team;
-- other conditions than one equality
CREATE TABLE tv_less AS
SELECT p.pk_post AS pk_less, jsonb_agg(o.title ORDER BY o.pk_post) AS data
FROM tb_post p LEFT JOIN tb_post o ON o.n < p.n GROUP BY p.pk_post;
CREATE TABLE tv_or AS
SELECT c.pk_comment AS pk_or, jsonb_agg(u.name ORDER BY u.pk_user) AS data
FROM tb_comment c LEFT JOIN tb_user u ON u.pk_user = c.fk_user OR u.fk_boss = c.fk_user
GROUP BY c.pk_comment;
CREATE TABLE tv_pair AS
SELECT p.pk_post AS pk_pair, jsonb_agg(c.text ORDER BY c.pk_comment) AS data
FROM tb_post p LEFT JOIN tb_comment c ON (c.fk_user, c.n) = (p.fk_user, p.n) GROUP BY p.pk_post;
CREATE TABLE tv_cast AS
SELECT t.pk_tag AS pk_cast, jsonb_agg(s.value ORDER BY s.pk_setting) AS data
FROM tb_tag t LEFT JOIN tb_setting s ON s.pk_setting::text = t.pk_tag::text GROUP BY t.pk_tag;
CREATE TABLE tv_lower AS
SELECT p.pk_post AS pk_lower, jsonb_agg(t.pk_tag ORDER BY t.pk_tag) AS data
FROM tb_post p LEFT JOIN tb_tag t ON lower(p.title) = t.slug GROUP BY p.pk_post;
-- m:n, through a table that has no key and may have a row twice
CREATE TABLE tv_tags AS
SELECT p.pk_post AS pk_tags, jsonb_agg(t.slug ORDER BY t.pk_tag) AS data
FROM tb_post p LEFT JOIN tb_post_tag l ON l.fk_post = p.pk_post
LEFT JOIN tb_tag t ON t.pk_tag = l.fk_tag GROUP BY p.pk_post;
-- ten relations
CREATE TABLE tv_ten AS
SELECT c.pk_comment AS pk_ten, jsonb_build_array(c.text, p.title, u.name, t.name, b.name,
	bt.name, a.name, r.name, k.name, q.name) AS data
FROM tb_comment c
LEFT JOIN (tb_post p JOIN tb_user u ON u.pk_user = p.fk_user) ON p.pk_post = c.fk_post
LEFT JOIN tb_team t ON t.pk_team = u.fk_team
LEFT JOIN (tb_user b LEFT JOIN tb_team bt ON bt.pk_team = b.fk_team) ON b.pk_user = u.fk_boss
LEFT JOIN tb_user a ON a.pk_user = c.fk_user
LEFT JOIN tb_team r ON r.pk_team = a.fk_team
LEFT JOIN tb_category k ON k.pk_category = r.pk_team
LEFT JOIN tb_category q ON q.pk_category = k.fk_parent;
SELECT * FROM test_oracle();

-- each table by itself: names, then links, then keys
UPDATE tb_team SET name = upper(name);
UPDATE tb_user SET name = upper(name);
UPDATE tb_tag SET slug = 'four' WHERE pk_tag = 1;
UPDATE tb_category SET name = upper(name);
:check
UPDATE tb_user SET fk_team = 3 - fk_team, fk_boss = 2 WHERE pk_user IN (1, 3);
UPDATE tb_post SET fk_user = 3, n = n + 1 WHERE pk_post IN (1, 5, 6);
UPDATE tb_comment SET fk_post = fk_post % 3 + 1, n = (n + 1) % 3;
:check
UPDATE tb_user SET n = 2 - n;
UPDATE tb_post_tag SET fk_tag = 3 WHERE fk_tag = 2;
UPDATE tb_post_tag SET fk_post = NULL WHERE fk_post = 4;
:check
UPDATE tb_user SET pk_user = 9 WHERE pk_user = 3;
UPDATE tb_post SET pk_post = 8 WHERE pk_post = 4;
UPDATE tb_team SET pk_team = 7 WHERE pk_team = 1;
UPDATE tb_tag SET pk_tag = 9 WHERE pk_tag = 3;
UPDATE tb_setting SET pk_setting = 4 WHERE pk_setting = 2;
:check
DELETE FROM tb_user WHERE pk_user IN (2, 5);
DELETE FROM tb_tag WHERE pk_tag = 9;
INSERT INTO tb_team VALUES (1, 'new'), (5, NULL);
INSERT INTO tb_user VALUES (2, 5, 1, 'bea', 1);
:check

-- changes that hide each other: a post moves, and both of its users change;
-- the user moves, and both of the teams go
BEGIN;
UPDATE tb_post SET fk_user = 4 WHERE pk_post = 2;
UPDATE tb_user SET n = 0, name = 'gone', fk_team = 2 WHERE pk_user IN (1, 4);
DELETE FROM tb_team WHERE pk_team IN (5, 7);
UPDATE tb_user SET fk_boss = NULL WHERE pk_user = 2;
DELETE FROM tb_user WHERE pk_user = 1;
COMMIT;
:check
-- a row that was there only for a while, and one that went only for a while
BEGIN;
INSERT INTO tb_post_tag VALUES (1, 4);
SELECT data FROM tv_tags WHERE pk_tags = 1;
DELETE FROM tb_post_tag WHERE fk_tag = 4;
SAVEPOINT s;
UPDATE tb_post SET fk_user = 9 WHERE pk_post = 3;
DELETE FROM tb_user WHERE pk_user = 9;
SELECT data FROM tv_left WHERE pk_left = 3;
ROLLBACK TO s;
UPDATE tb_post SET title = 'other' WHERE pk_post = 3;
SELECT data FROM tv_left WHERE pk_left = 3;
COMMIT;
:check
-- all at once
BEGIN;
UPDATE tb_team SET pk_team = pk_team + 10;
UPDATE tb_user SET pk_user = pk_user + 10, fk_team = fk_team + 10;
UPDATE tb_post SET pk_post = pk_post + 10, fk_user = fk_user + 10;
UPDATE tb_comment SET fk_post = fk_post + 10;
COMMIT;
:check
TRUNCATE tb_post_tag;
DELETE FROM tb_post;
SELECT * FROM test_oracle();
