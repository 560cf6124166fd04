-- What a definition may be: makes a TVIEW of each shape, and says how it is
-- maintained.  The table that comes out is the one in docs/reference.md;
-- tools/checks compares them.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set tables :test /include/tables.sql
\i :tables
CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN code AS text CHECK (VALUE <> '');
CREATE TABLE tb_thing (
	pk_thing int PRIMARY KEY, big int8 NOT NULL UNIQUE, small int2 NOT NULL UNIQUE,
	id uuid NOT NULL UNIQUE, word text NOT NULL UNIQUE, number numeric NOT NULL UNIQUE,
	code code NOT NULL UNIQUE, name citext NOT NULL, mood mood, pair pair, pairs pair[],
	twice int GENERATED ALWAYS AS (pk_thing * 2) STORED, fk_thing int, xy text
);
INSERT INTO tb_thing (pk_thing, big, small, id, word, number, code, name, mood, pair, pairs, fk_thing, xy)
SELECT i, i, i, md5(i::text)::uuid, 'w' || i, i / 2.0, 'c' || i, 'N' || i % 3, 'ok',
	   row(i, 'p')::pair, ARRAY[row(i, 'q')::pair], i % 3, i % 3 || '/' || i
FROM generate_series(1, 5) i;

-- TVIEWs and plain views that others read
CREATE TABLE tv_team AS
SELECT pk_team, jsonb_build_object('name', name) AS data FROM tb_team;
CREATE TABLE tv_user AS
SELECT u.pk_user, u.fk_team, jsonb_build_object('name', u.name, 'team', t.data) AS data
FROM tb_user u LEFT JOIN v_team t ON t.pk_team = u.fk_team;
CREATE TABLE tv_post AS
SELECT p.pk_post, p.fk_user, jsonb_build_object('title', p.title, 'author', u.data) AS data
FROM tb_post p LEFT JOIN v_user u ON u.pk_user = p.fk_user;
CREATE TABLE tv_comment AS
SELECT c.pk_comment, c.fk_post, jsonb_build_object('text', c.text, 'by', u.data) AS data
FROM tb_comment c LEFT JOIN v_user u ON u.pk_user = c.fk_user;
CREATE VIEW post_counts AS
SELECT fk_user, count(*) AS posts, sum(n) AS n FROM tb_post GROUP BY fk_user;
CREATE VIEW all_posts AS
SELECT p.*, u.name AS author FROM tb_post p LEFT JOIN tb_user u ON u.pk_user = p.fk_user;

-- A shape's key is pk_x here
CREATE TABLE shapes (
	no int GENERATED ALWAYS AS IDENTITY, topic text, shape text, definition text,
	maintained text
);

-- joins
INSERT INTO shapes (topic, shape, definition) VALUES
('joins', 'inner', $$SELECT p.pk_post AS pk_x, jsonb_build_array(p.title, u.name) AS data
FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user$$),
('joins', 'left', $$SELECT p.pk_post AS pk_x, jsonb_build_array(p.title, u.name) AS data
FROM tb_post p LEFT JOIN tb_user u ON u.pk_user = p.fk_user AND u.n > 0$$),
('joins', 'right', $$SELECT p.pk_post AS pk_x, jsonb_build_array(p.title, u.name) AS data
FROM tb_user u RIGHT JOIN tb_post p ON u.pk_user = p.fk_user$$),
('joins', 'full', $$SELECT p.pk_post AS pk_x, jsonb_build_array(p.title, u.name) AS data
FROM tb_user u FULL JOIN tb_post p ON u.pk_user = p.fk_user
WHERE p.pk_post IS NOT NULL$$),
('joins', 'full, key from either side', $$SELECT coalesce(t.pk_team, c.pk_category) AS pk_x, jsonb_build_array(t.name, c.name) AS data
FROM tb_team t FULL JOIN tb_category c ON c.pk_category = t.pk_team$$),
('joins', 'cross with condition', $$SELECT p.pk_post AS pk_x, jsonb_build_array(p.title, u.name) AS data
FROM tb_post p CROSS JOIN tb_user u WHERE u.pk_user = p.fk_user$$),
('joins', 'self', $$SELECT u.pk_user AS pk_x, jsonb_build_array(u.name, b.name, bb.name) AS data
FROM tb_user u LEFT JOIN tb_user b ON b.pk_user = u.fk_boss LEFT JOIN tb_user bb ON bb.pk_user = b.fk_boss$$),
('joins', 'USING', $$SELECT pk_post AS pk_x, jsonb_build_array(l.tags, string_agg(title, ' ')) AS data
FROM tb_post JOIN (SELECT fk_post AS pk_post, count(*) AS tags FROM tb_post_tag GROUP BY 1) l USING (pk_post)
GROUP BY pk_post, l.tags$$),
('joins', 'NATURAL', $$SELECT pk_post AS pk_x, jsonb_build_array(title, tags) AS data
FROM tb_post NATURAL LEFT JOIN (SELECT fk_post AS pk_post, count(*) AS many FROM tb_post_tag GROUP BY 1) l$$),
('joins', 'non-equality condition', $$SELECT p.pk_post AS pk_x, jsonb_agg(o.title ORDER BY o.pk_post) AS data
FROM tb_post p LEFT JOIN tb_post o ON o.n < p.n GROUP BY p.pk_post$$),
('joins', 'OR of conditions', $$SELECT c.pk_comment AS pk_x, jsonb_agg(u.name ORDER BY u.pk_user) AS data
FROM tb_comment c LEFT JOIN tb_user u ON u.pk_user = c.fk_user OR u.fk_boss = c.fk_user GROUP BY c.pk_comment$$),
('joins', 'tree of 10 relations', $$SELECT c.pk_comment AS pk_x, jsonb_build_array(c.text, p.title, u.name, t.name, b.name, bt.name, a.name, r.name, k.name, q.name) AS data
FROM tb_comment c
LEFT JOIN tb_post p ON p.pk_post = c.fk_post
LEFT JOIN tb_user u ON u.pk_user = p.fk_user
LEFT JOIN tb_team t ON t.pk_team = u.fk_team
LEFT JOIN tb_user b ON b.pk_user = u.fk_boss
LEFT JOIN tb_team bt ON bt.pk_team = b.fk_team
LEFT JOIN tb_user a ON a.pk_user = c.fk_user
LEFT JOIN tb_team r ON r.pk_team = a.fk_team
LEFT JOIN tb_category k ON k.pk_category = r.pk_team
LEFT JOIN tb_category q ON q.pk_category = k.fk_parent$$),
('joins', 'link table without a key (m:n)', $$SELECT p.pk_post AS pk_x, jsonb_agg(t.slug ORDER BY t.pk_tag) AS data
FROM tb_post p LEFT JOIN tb_post_tag l ON l.fk_post = p.pk_post LEFT JOIN tb_tag t ON t.pk_tag = l.fk_tag
GROUP BY p.pk_post$$),
('joins', 'composite condition', $$SELECT p.pk_post AS pk_x, jsonb_agg(c.text ORDER BY c.pk_comment) AS data
FROM tb_post p LEFT JOIN tb_comment c ON (c.fk_user, c.n) = (p.fk_user, p.n) GROUP BY p.pk_post$$),
('joins', 'condition through a cast', $$SELECT t.pk_tag AS pk_x, jsonb_agg(s.value ORDER BY s.pk_setting) AS data
FROM tb_tag t LEFT JOIN tb_setting s ON s.pk_setting::text = t.pk_tag::text GROUP BY t.pk_tag$$),
('joins', 'condition through an expression', $$SELECT p.pk_post AS pk_x, jsonb_agg(t.pk_tag ORDER BY t.pk_tag) AS data
FROM tb_post p LEFT JOIN tb_tag t ON lower(p.title) = t.slug GROUP BY p.pk_post$$),
('joins', 'no condition', $$SELECT p.pk_post AS pk_x, jsonb_build_array(p.title, s.value) AS data
FROM tb_post p CROSS JOIN tb_setting s WHERE s.pk_setting = 1$$);

-- subqueries
INSERT INTO shapes (topic, shape, definition) VALUES
('subqueries', 'scalar', $$SELECT p.pk_post AS pk_x, jsonb_build_array(p.title, (SELECT u.name FROM tb_user u WHERE u.pk_user = p.fk_user)) AS data FROM tb_post p$$),
('subqueries', 'EXISTS', $$SELECT p.pk_post AS pk_x, to_jsonb(p.title) AS data FROM tb_post p
WHERE EXISTS (SELECT FROM tb_comment c WHERE c.fk_post = p.pk_post AND c.n > 0)$$),
('subqueries', 'NOT EXISTS', $$SELECT p.pk_post AS pk_x, to_jsonb(p.title) AS data FROM tb_post p
WHERE NOT EXISTS (SELECT FROM tb_comment c WHERE c.fk_post = p.pk_post AND c.n > 0)$$),
('subqueries', 'IN, as a condition', $$SELECT p.pk_post AS pk_x, to_jsonb(p.title) AS data FROM tb_post p
WHERE p.fk_user IN (SELECT u.pk_user FROM tb_user u WHERE u.n > 0)$$),
('subqueries', 'EXISTS, on the way to another table', $$SELECT p.pk_post AS pk_x, jsonb_build_array(
	(SELECT jsonb_agg(t.slug ORDER BY t.pk_tag) FROM tb_tag t
	 WHERE EXISTS (SELECT FROM tb_post_tag l WHERE l.fk_post = p.pk_post AND l.fk_tag = t.pk_tag))) AS data
FROM tb_post p$$),
('subqueries', 'IN, on the way to another table', $$SELECT p.pk_post AS pk_x, jsonb_build_array(
	(SELECT jsonb_agg(t.slug ORDER BY t.pk_tag) FROM tb_tag t
	 WHERE t.pk_tag IN (SELECT l.fk_tag FROM tb_post_tag l WHERE l.fk_post = p.pk_post))) AS data
FROM tb_post p$$),
('subqueries', 'IN, as a value', $$SELECT p.pk_post AS pk_x, jsonb_build_array(p.fk_user IN (SELECT u.pk_user FROM tb_user u WHERE u.n > 0)) AS data FROM tb_post p$$),
('subqueries', 'NOT IN, uncorrelated', $$SELECT p.pk_post AS pk_x, to_jsonb(p.title) AS data FROM tb_post p
WHERE p.fk_user NOT IN (SELECT u.pk_user FROM tb_user u WHERE u.n > 0)$$),
('subqueries', 'NOT IN, correlated', $$SELECT p.pk_post AS pk_x, to_jsonb(p.title) AS data FROM tb_post p
WHERE p.n NOT IN (SELECT c.n FROM tb_comment c WHERE c.fk_post = p.pk_post)$$),
('subqueries', 'ANY', $$SELECT p.pk_post AS pk_x, to_jsonb(p.title) AS data FROM tb_post p
WHERE p.n < ANY (SELECT c.n FROM tb_comment c WHERE c.fk_post = p.pk_post)$$),
('subqueries', 'ALL', $$SELECT p.pk_post AS pk_x, to_jsonb(p.title) AS data FROM tb_post p
WHERE p.n >= ALL (SELECT c.n FROM tb_comment c WHERE c.fk_post = p.pk_post)$$),
('subqueries', 'ARRAY', $$SELECT p.pk_post AS pk_x, to_jsonb(ARRAY(SELECT c.text FROM tb_comment c WHERE c.fk_post = p.pk_post ORDER BY c.pk_comment)) AS data FROM tb_post p$$),
('subqueries', 'LATERAL, inner', $$SELECT p.pk_post AS pk_x, jsonb_build_array(l.text) AS data
FROM tb_post p, LATERAL (SELECT c.text FROM tb_comment c WHERE c.fk_post = p.pk_post ORDER BY c.pk_comment DESC LIMIT 1) l$$),
('subqueries', 'LATERAL, left', $$SELECT p.pk_post AS pk_x, jsonb_build_array(l.text) AS data
FROM tb_post p LEFT JOIN LATERAL (SELECT c.text FROM tb_comment c WHERE c.fk_post = p.pk_post ORDER BY c.pk_comment DESC LIMIT 1) l ON true$$),
('subqueries', 'correlated at several depths', $$SELECT u.pk_user AS pk_x, jsonb_build_object('posts', (
	SELECT jsonb_agg(jsonb_build_array(p.title, (SELECT count(*) FROM tb_comment c WHERE c.fk_post = p.pk_post AND c.fk_user = u.fk_boss)) ORDER BY p.pk_post)
	FROM tb_post p WHERE p.fk_user = u.pk_user)) AS data FROM tb_user u$$),
('subqueries', 'with ORDER BY and LIMIT', $$SELECT p.pk_post AS pk_x, (SELECT jsonb_agg(n.text ORDER BY n.pk_comment) FROM (
	SELECT c.pk_comment, c.text FROM tb_comment c WHERE c.fk_post = p.pk_post ORDER BY c.n DESC, c.pk_comment DESC LIMIT 2) n) AS data
FROM tb_post p WHERE p.n IS NOT NULL AND EXISTS (SELECT FROM tb_comment c WHERE c.fk_post = p.pk_post)$$),
('subqueries', 'in FROM', $$SELECT p.pk_post AS pk_x, jsonb_build_array(p.title, u.up) AS data
FROM tb_post p JOIN (SELECT pk_user, upper(name) AS up FROM tb_user WHERE n > 0) u ON u.pk_user = p.fk_user$$),
('subqueries', 'in HAVING', $$SELECT c.fk_post AS pk_x, to_jsonb(count(*)) AS data FROM tb_comment c WHERE c.fk_post IS NOT NULL GROUP BY c.fk_post
HAVING count(*) > (SELECT p.n FROM tb_post p WHERE p.pk_post = c.fk_post)$$),
('subqueries', 'uncorrelated', $$SELECT p.pk_post AS pk_x, jsonb_build_array(p.title, (SELECT s.value FROM tb_setting s WHERE s.pk_setting = 1)) AS data FROM tb_post p$$);

-- aggregates
INSERT INTO shapes (topic, shape, definition) VALUES
('aggregates', 'GROUP BY the key', $$SELECT u.pk_user AS pk_x, jsonb_agg(p.title ORDER BY p.pk_post) AS data
FROM tb_user u JOIN tb_post p ON p.fk_user = u.pk_user GROUP BY u.pk_user$$),
('aggregates', 'GROUP BY a foreign key', $$SELECT p.fk_user AS pk_x, jsonb_build_array(count(*), sum(p.n)) AS data
FROM tb_post p WHERE p.fk_user IS NOT NULL GROUP BY p.fk_user$$),
('aggregates', 'HAVING', $$SELECT p.fk_user AS pk_x, jsonb_build_array(count(*)) AS data
FROM tb_post p WHERE p.fk_user IS NOT NULL GROUP BY p.fk_user HAVING count(*) > 1 OR max(p.n) = 2$$),
('aggregates', 'FILTER', $$SELECT p.fk_user AS pk_x, jsonb_build_array(count(*) FILTER (WHERE p.n > 1)) AS data
FROM tb_post p WHERE p.fk_user IS NOT NULL GROUP BY p.fk_user$$),
('aggregates', 'DISTINCT and ORDER BY inside', $$SELECT u.pk_user AS pk_x, (SELECT jsonb_build_array(array_agg(DISTINCT c.n ORDER BY c.n DESC)) FROM tb_comment c WHERE c.fk_user = u.pk_user) AS data FROM tb_user u$$),
('aggregates', 'ordered-set', $$SELECT u.pk_user AS pk_x, (SELECT jsonb_build_array(percentile_disc(0.5) WITHIN GROUP (ORDER BY c.n), mode() WITHIN GROUP (ORDER BY c.n)) FROM tb_comment c WHERE c.fk_user = u.pk_user) AS data FROM tb_user u$$),
('aggregates', 'GROUPING SETS in a subquery', $$SELECT u.pk_user AS pk_x, (SELECT jsonb_agg(jsonb_build_array(g.fk_post, g.n, g.many) ORDER BY g.fk_post, g.n) FROM (
	SELECT c.fk_post, c.n, count(*) AS many FROM tb_comment c WHERE c.fk_user = u.pk_user GROUP BY GROUPING SETS ((c.fk_post), (c.n), ())) g) AS data FROM tb_user u$$),
('aggregates', 'GROUPING SETS with the key in each', $$SELECT DISTINCT g.fk_user AS pk_x, jsonb_build_array(g.many) AS data FROM (
	SELECT fk_user, n, count(*) AS many FROM tb_post WHERE fk_user IS NOT NULL GROUP BY GROUPING SETS ((fk_user, n), (fk_user))) g WHERE g.n IS NULL$$),
('aggregates', 'jsonb_object_agg', $$SELECT u.pk_user AS pk_x, (SELECT jsonb_object_agg(p.title, p.n ORDER BY p.pk_post) FROM tb_post p WHERE p.fk_user = u.pk_user AND p.title IS NOT NULL) AS data FROM tb_user u
WHERE EXISTS (SELECT FROM tb_post p WHERE p.fk_user = u.pk_user AND p.title IS NOT NULL)$$),
('aggregates', 'array_agg, string_agg', $$SELECT u.pk_user AS pk_x, jsonb_build_array(array_agg(p.n ORDER BY p.pk_post), string_agg(p.title, ',' ORDER BY p.pk_post)) AS data
FROM tb_user u LEFT JOIN tb_post p ON p.fk_user = u.pk_user GROUP BY u.pk_user$$),
('aggregates', 'grouped subquery joined in', $$SELECT u.pk_user AS pk_x, jsonb_build_array(u.name, g.many) AS data
FROM tb_user u LEFT JOIN (SELECT fk_user, count(*) AS many FROM tb_post GROUP BY fk_user) g ON g.fk_user = u.pk_user$$),
('aggregates', 'grouped view joined in', $$SELECT u.pk_user AS pk_x, jsonb_build_array(u.name, g.posts) AS data
FROM tb_user u LEFT JOIN post_counts g ON g.fk_user = u.pk_user$$),
('aggregates', 'grouped subquery joined by an aggregate', $$SELECT t.pk_team AS pk_x, jsonb_build_array(g.fk_user) AS data
FROM tb_team t JOIN (SELECT min(fk_user) AS fk_user, count(*) AS many FROM tb_post GROUP BY n) g ON g.many = t.pk_team + 1000$$),
('aggregates', 'of the whole table', $$SELECT p.pk_post AS pk_x, jsonb_build_array((SELECT max(c.n) FROM tb_comment c)) AS data FROM tb_post p$$);

-- set operations
INSERT INTO shapes (topic, shape, definition) VALUES
('set operations', 'UNION ALL', $$SELECT pk_post AS pk_x, to_jsonb(title) AS data FROM tb_post
UNION ALL SELECT pk_comment + 1000, to_jsonb(text) FROM tb_comment$$),
('set operations', 'UNION', $$SELECT pk_team AS pk_x, to_jsonb(1) AS data FROM tb_team
UNION SELECT fk_team, to_jsonb(1) FROM tb_user WHERE fk_team IS NOT NULL$$),
('set operations', 'INTERSECT', $$SELECT pk_team AS pk_x, to_jsonb(1) AS data FROM tb_team
INTERSECT SELECT fk_team, to_jsonb(1) FROM tb_user$$),
('set operations', 'EXCEPT', $$SELECT pk_team AS pk_x, to_jsonb(1) AS data FROM tb_team
EXCEPT SELECT fk_team, to_jsonb(1) FROM tb_user$$),
('set operations', 'nested', $$(SELECT pk_team AS pk_x, to_jsonb(1) AS data FROM tb_team EXCEPT SELECT fk_team, to_jsonb(1) FROM tb_user)
UNION (SELECT pk_tag, to_jsonb(1) FROM tb_tag INTERSECT ALL SELECT fk_tag, to_jsonb(1) FROM tb_post_tag)$$),
('set operations', 'in FROM, joined by its columns', $$SELECT u.pk_user AS pk_x, jsonb_agg(w.word ORDER BY w.word, w.pk) AS data
FROM tb_user u JOIN (SELECT pk_post AS pk, fk_user, title AS word FROM tb_post UNION ALL SELECT pk_comment, fk_user, text FROM tb_comment) w ON w.fk_user = u.pk_user
GROUP BY u.pk_user$$),
('set operations', 'in a correlated subquery', $$SELECT u.pk_user AS pk_x, (SELECT jsonb_agg(w.n ORDER BY w.n) FROM (SELECT n FROM tb_post p WHERE p.fk_user = u.pk_user UNION SELECT n FROM tb_comment c WHERE c.fk_user = u.pk_user) w) AS data
FROM tb_user u WHERE u.pk_user IN (SELECT fk_user FROM tb_post UNION SELECT fk_user FROM tb_comment)$$),
('set operations', 'branch without a path', $$SELECT pk_team AS pk_x, to_jsonb(1) AS data FROM tb_team
UNION SELECT pk_team, to_jsonb(2) FROM tb_team, tb_setting s WHERE s.pk_setting = 99$$);

-- CTEs
INSERT INTO shapes (topic, shape, definition) VALUES
('CTEs', 'plain', $$WITH named AS (SELECT * FROM tb_user WHERE name IS NOT NULL)
SELECT p.pk_post AS pk_x, jsonb_build_array(p.title, u.name) AS data FROM tb_post p LEFT JOIN named u ON u.pk_user = p.fk_user$$),
('CTEs', 'referenced twice', $$WITH named AS (SELECT * FROM tb_user WHERE name IS NOT NULL)
SELECT u.pk_user AS pk_x, jsonb_build_array(u.name, b.name) AS data FROM named u LEFT JOIN named b ON b.pk_user = u.fk_boss$$),
('CTEs', 'MATERIALIZED', $$WITH counts AS MATERIALIZED (SELECT fk_user, count(*) AS many FROM tb_post GROUP BY fk_user)
SELECT u.pk_user AS pk_x, jsonb_build_array(u.name, c.many) AS data FROM tb_user u LEFT JOIN counts c ON c.fk_user = u.pk_user$$),
('CTEs', 'WITH RECURSIVE: path to the root, in a subquery', $$SELECT c.pk_category AS pk_x, (
	WITH RECURSIVE up AS (
		SELECT a.pk_category, a.fk_parent, a.name, 1 AS depth FROM tb_category a WHERE a.pk_category = c.pk_category
		UNION ALL SELECT a.pk_category, a.fk_parent, a.name, up.depth + 1 FROM tb_category a JOIN up ON a.pk_category = up.fk_parent)
	SELECT jsonb_agg(up.name ORDER BY up.depth DESC) FROM up) AS data FROM tb_category c$$),
('CTEs', 'WITH RECURSIVE: all descendants, in a subquery', $$SELECT c.pk_category AS pk_x, jsonb_build_array((
	WITH RECURSIVE down AS (
		SELECT a.pk_category, a.name FROM tb_category a WHERE a.fk_parent = c.pk_category
		UNION ALL SELECT a.pk_category, a.name FROM tb_category a JOIN down ON a.fk_parent = down.pk_category)
	SELECT jsonb_agg(down.name ORDER BY down.pk_category) FROM down)) AS data FROM tb_category c$$),
('CTEs', 'WITH RECURSIVE: LATERAL', $$SELECT c.pk_category AS pk_x, l.path AS data FROM tb_category c CROSS JOIN LATERAL (
	WITH RECURSIVE up AS (
		SELECT c.pk_category, c.fk_parent, c.name, 1 AS depth
		UNION ALL SELECT a.pk_category, a.fk_parent, a.name, up.depth + 1 FROM tb_category a JOIN up ON a.pk_category = up.fk_parent)
	SELECT jsonb_agg(up.name ORDER BY up.depth DESC) AS path FROM up) l$$),
('CTEs', 'WITH RECURSIVE: at the top, from the root of the tree', $$WITH RECURSIVE path AS (
	SELECT pk_category, jsonb_build_array(name) AS names FROM tb_category WHERE fk_parent IS NULL
	UNION ALL SELECT c.pk_category, p.names || to_jsonb(c.name) FROM tb_category c JOIN path p ON c.fk_parent = p.pk_category)
SELECT pk_category AS pk_x, names AS data FROM path$$),
('CTEs', 'WITH RECURSIVE: at the top, from each row, its key passed on', $$WITH RECURSIVE down AS (
	SELECT pk_category AS top, pk_category, name FROM tb_category
	UNION ALL SELECT d.top, c.pk_category, c.name FROM tb_category c JOIN down d ON c.fk_parent = d.pk_category)
SELECT top AS pk_x, jsonb_agg(name ORDER BY pk_category) AS data FROM down GROUP BY top$$),
('CTEs', 'WITH RECURSIVE: through a link table, cycles cut by UNION', $$SELECT c.pk_category AS pk_x, (
	WITH RECURSIVE reach AS (
		SELECT l.fk_to FROM tb_category_link l WHERE l.fk_from = c.pk_category
		UNION SELECT l.fk_to FROM tb_category_link l JOIN reach r ON l.fk_from = r.fk_to)
	SELECT jsonb_build_array(jsonb_agg(n.name ORDER BY n.pk_category)) FROM reach JOIN tb_category n ON n.pk_category = reach.fk_to) AS data FROM tb_category c$$),
('CTEs', 'WITH RECURSIVE: SEARCH and CYCLE', $$SELECT c.pk_category AS pk_x, (
	WITH RECURSIVE reach AS (
		SELECT l.fk_to FROM tb_category_link l WHERE l.fk_from = c.pk_category
		UNION ALL SELECT l.fk_to FROM tb_category_link l JOIN reach r ON l.fk_from = r.fk_to)
	SEARCH BREADTH FIRST BY fk_to SET place CYCLE fk_to SET again USING path
	SELECT jsonb_build_array(jsonb_agg(fk_to ORDER BY place, again) ) FROM reach) AS data FROM tb_category c$$),
('CTEs', 'WITH RECURSIVE: two in one definition', $$SELECT c.pk_category AS pk_x, jsonb_build_array(
	(WITH RECURSIVE up AS (
		SELECT c.pk_category, c.fk_parent
		UNION SELECT a.pk_category, a.fk_parent FROM tb_category a JOIN up ON a.pk_category = up.fk_parent)
	 SELECT count(*) FROM up),
	(WITH RECURSIVE down AS (
		SELECT c.pk_category
		UNION SELECT a.pk_category FROM tb_category a JOIN down ON a.fk_parent = down.pk_category)
	 SELECT count(*) FROM down)) AS data FROM tb_category c$$),
('CTEs', 'WITH RECURSIVE: starting from what another one has made', $$SELECT c.pk_category AS pk_x, (
	WITH RECURSIVE up AS (
		SELECT c.pk_category, c.fk_parent
		UNION SELECT a.pk_category, a.fk_parent FROM tb_category a JOIN up ON a.pk_category = up.fk_parent),
	down AS (
		SELECT up.pk_category FROM up WHERE up.fk_parent IS NULL
		UNION SELECT a.pk_category FROM tb_category a JOIN down ON a.fk_parent = down.pk_category)
	SELECT to_jsonb(count(*)) FROM down) AS data FROM tb_category c$$),
('CTEs', 'WITH RECURSIVE: steps by a non-equality', $$SELECT c.pk_category AS pk_x, (
	WITH RECURSIVE r AS (
		SELECT a.pk_category FROM tb_category a WHERE a.pk_category = c.pk_category
		UNION SELECT a.pk_category FROM tb_category a JOIN r ON a.fk_parent > r.pk_category)
	SELECT to_jsonb(count(*)) FROM r) AS data FROM tb_category c$$);

-- windows
INSERT INTO shapes (topic, shape, definition) VALUES
('windows', 'partitioned by the key', $$SELECT DISTINCT p.fk_user AS pk_x, jsonb_build_array(count(*) OVER (PARTITION BY p.fk_user)) AS data FROM tb_post p WHERE p.fk_user IS NOT NULL$$),
('windows', 'partitioned by a column of the root', $$SELECT p.pk_post AS pk_x, jsonb_build_array(rank() OVER (PARTITION BY p.fk_user ORDER BY p.n DESC, p.pk_post)) AS data FROM tb_post p$$),
('windows', 'partitioned by a column of a joined table', $$SELECT p.pk_post AS pk_x, jsonb_build_array(rank() OVER (PARTITION BY u.fk_team ORDER BY p.n, p.pk_post)) AS data
FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user$$),
('windows', 'partitioned by a column that a LEFT JOIN may leave null', $$SELECT p.pk_post AS pk_x, jsonb_build_array(rank() OVER (PARTITION BY u.fk_team ORDER BY p.n, p.pk_post)) AS data
FROM tb_post p LEFT JOIN tb_user u ON u.pk_user = p.fk_user$$),
('windows', 'two windows, one partition', $$SELECT p.pk_post AS pk_x, jsonb_build_array(lag(p.title) OVER w, sum(p.n) OVER (PARTITION BY p.fk_user)) AS data
FROM tb_post p WINDOW w AS (PARTITION BY p.fk_user ORDER BY p.pk_post)$$),
('windows', 'two windows, two partitions', $$SELECT p.pk_post AS pk_x, jsonb_build_array(rank() OVER (PARTITION BY p.fk_user ORDER BY p.pk_post), rank() OVER (PARTITION BY p.n ORDER BY p.pk_post)) AS data FROM tb_post p$$),
('windows', 'over groups', $$SELECT u.pk_user AS pk_x, jsonb_build_array(rank() OVER (PARTITION BY u.fk_team ORDER BY count(p.pk_post), u.pk_user)) AS data
FROM tb_user u LEFT JOIN tb_post p ON p.fk_user = u.pk_user GROUP BY u.pk_user$$),
('windows', 'in a subquery, joined by its partition', $$SELECT u.pk_user AS pk_x, jsonb_agg(r.rank ORDER BY r.pk_post) AS data
FROM tb_user u LEFT JOIN (SELECT pk_post, fk_user, rank() OVER (PARTITION BY fk_user ORDER BY n, pk_post) AS rank FROM tb_post) r ON r.fk_user = u.pk_user GROUP BY u.pk_user$$),
('windows', 'in a correlated subquery, unpartitioned', $$SELECT u.pk_user AS pk_x, (SELECT jsonb_agg(r.rank ORDER BY r.pk_post) FROM (SELECT p.pk_post, row_number() OVER (ORDER BY p.n, p.pk_post) AS rank FROM tb_post p WHERE p.fk_user = u.pk_user) r) AS data
FROM tb_user u WHERE EXISTS (SELECT FROM tb_post p WHERE p.fk_user = u.pk_user)$$),
('windows', 'unpartitioned', $$SELECT p.pk_post AS pk_x, jsonb_build_array(rank() OVER (ORDER BY p.n, p.pk_post)) AS data FROM tb_post p$$);

-- top level
INSERT INTO shapes (topic, shape, definition) VALUES
('top level', 'DISTINCT', $$SELECT DISTINCT p.pk_post AS pk_x, to_jsonb(p.title) AS data FROM tb_post p JOIN tb_post_tag l ON l.fk_post = p.pk_post WHERE p.title IS NOT NULL$$),
('top level', 'DISTINCT ON the key', $$SELECT DISTINCT ON (p.pk_post) p.pk_post AS pk_x, jsonb_build_array(p.title, c.text) AS data
FROM tb_post p LEFT JOIN tb_comment c ON c.fk_post = p.pk_post ORDER BY p.pk_post, c.n DESC, c.pk_comment$$),
('top level', 'DISTINCT ON a foreign key', $$SELECT DISTINCT ON (p.fk_user) p.fk_user AS pk_x, to_jsonb(p.pk_post) AS data
FROM tb_post p WHERE p.fk_user IS NOT NULL ORDER BY p.fk_user, p.n DESC, p.pk_post$$),
('top level', 'DISTINCT ON a column that rows with other keys share', $$SELECT DISTINCT ON (p.fk_user) p.pk_post AS pk_x, to_jsonb(p.n) AS data
FROM tb_post p ORDER BY p.fk_user, p.n DESC, p.pk_post$$),
('top level', 'VALUES in FROM', $$SELECT p.pk_post AS pk_x, jsonb_build_array(p.title, v.word) AS data
FROM tb_post p LEFT JOIN (VALUES (0, 'none'), (1, 'one'), (2, 'some')) v (n, word) ON v.n = p.n$$),
('top level', 'VALUES with the key', $$SELECT v.k AS pk_x, jsonb_build_array(v.word, (SELECT u.name FROM tb_user u WHERE u.pk_user = v.k)) AS data FROM (VALUES (1, 'one'), (2, 'two')) v (k, word)$$),
('top level', 'jsonb_array_elements in FROM', $$SELECT p.pk_post AS pk_x, jsonb_agg(e.value ORDER BY e.ordinality) AS data
FROM tb_post p CROSS JOIN jsonb_array_elements(p.props -> 'k') WITH ORDINALITY e GROUP BY p.pk_post$$),
('top level', 'unnest in FROM, joined on', $$SELECT p.pk_post AS pk_x, jsonb_agg(t.pk_tag ORDER BY e.ordinality, t.pk_tag) AS data
FROM tb_post p CROSS JOIN unnest(p.tags) WITH ORDINALITY e LEFT JOIN tb_tag t ON t.slug = e.e GROUP BY p.pk_post$$),
('top level', 'unnest in FROM, joined to the key', $$SELECT t.pk_tag AS pk_x, jsonb_agg(e.pk_post ORDER BY e.pk_post) AS data
FROM tb_tag t JOIN (SELECT p.pk_post, tag FROM tb_post p, unnest(p.tags) tag) e ON e.tag = t.slug GROUP BY t.pk_tag$$),
('top level', 'generate_series in FROM', $$SELECT p.pk_post AS pk_x, jsonb_agg(i ORDER BY i) AS data FROM tb_post p CROSS JOIN generate_series(0, p.n) i GROUP BY p.pk_post$$),
('top level', 'ROWS FROM', $$SELECT p.pk_post AS pk_x, jsonb_agg(jsonb_build_array(f.a, f.b) ORDER BY f.ordinality) AS data
FROM tb_post p CROSS JOIN ROWS FROM (unnest(p.tags), generate_series(1, p.n)) WITH ORDINALITY f (a, b) GROUP BY p.pk_post$$),
('top level', 'set-returning function in the target list', $$SELECT p.pk_post AS pk_x, (SELECT jsonb_agg(s.tag ORDER BY s.tag) FROM (SELECT unnest(p.tags) AS tag) s) AS data
FROM tb_post p WHERE cardinality(p.tags) > 0$$),
('top level', 'set-returning function that makes the key', $$SELECT p.pk_post * 100 + i AS pk_x, to_jsonb(p.title) AS data FROM tb_post p CROSS JOIN generate_series(1, p.n) i$$),
('top level', 'ORDER BY', $$SELECT p.pk_post AS pk_x, to_jsonb(p.title) AS data FROM tb_post p WHERE p.title IS NOT NULL ORDER BY p.title$$),
('top level', 'LIMIT', $$SELECT p.pk_post AS pk_x, to_jsonb(p.title) AS data FROM tb_post p WHERE p.title IS NOT NULL ORDER BY p.n, p.pk_post LIMIT 3$$),
('top level', 'OFFSET', $$SELECT p.pk_post AS pk_x, to_jsonb(p.title) AS data FROM tb_post p WHERE p.title IS NOT NULL ORDER BY p.n, p.pk_post OFFSET 2$$),
('top level', 'FETCH FIRST WITH TIES', $$SELECT p.pk_post AS pk_x, to_jsonb(p.n) AS data FROM tb_post p ORDER BY p.n FETCH FIRST 2 ROWS WITH TIES$$);

-- expressions
INSERT INTO shapes (topic, shape, definition) VALUES
('expressions', 'CASE', $$SELECT p.pk_post AS pk_x, jsonb_build_array(CASE WHEN p.n > 1 THEN p.title ELSE u.name END) AS data FROM tb_post p LEFT JOIN tb_user u ON u.pk_user = p.fk_user$$),
('expressions', 'COALESCE', $$SELECT u.pk_user AS pk_x, jsonb_build_array(coalesce(u.name, t.name, 'nobody')) AS data FROM tb_user u LEFT JOIN tb_team t ON t.pk_team = coalesce(u.fk_team, 1)$$),
('expressions', 'casts', $$SELECT t.pk_thing AS pk_x, jsonb_build_array(t.big::text, t.number::int) AS data FROM tb_thing t$$),
('expressions', 'domains', $$SELECT t.pk_thing AS pk_x, jsonb_build_array(t.code, 'x'::code) AS data FROM tb_thing t$$),
('expressions', 'enums', $$SELECT t.pk_thing AS pk_x, jsonb_build_array(t.mood, t.mood > 'sad') AS data FROM tb_thing t$$),
('expressions', 'composite columns', $$SELECT t.pk_thing AS pk_x, jsonb_build_array(t.pair, (t.pair).b) AS data FROM tb_thing t$$),
('expressions', 'array columns', $$SELECT t.pk_thing AS pk_x, jsonb_build_array(t.pairs, t.pairs[1], (t.pairs[1]).a) AS data FROM tb_thing t$$),
('expressions', 'row and whole-row references', $$SELECT u.pk_user AS pk_x, jsonb_build_array(row(u.n, u.name), t, to_jsonb(u)) AS data FROM tb_user u LEFT JOIN tb_team t ON t.pk_team = u.fk_team$$),
('expressions', 'generated columns', $$SELECT t.pk_thing AS pk_x, jsonb_build_array(t.twice) AS data FROM tb_thing t$$),
('expressions', 'JSON paths', $$SELECT p.pk_post AS pk_x, jsonb_build_array(p.props #> '{m,x}', p.props @? '$.k[*] ? (@ > 4)') AS data FROM tb_post p$$),
('expressions', 'JSON value as a link', $$SELECT p.pk_post AS pk_x, jsonb_build_array(t.slug) AS data FROM tb_post p LEFT JOIN tb_tag t ON t.pk_tag = (p.props #>> '{m,x}')::int$$),
('expressions', 'collations', $$SELECT t.pk_thing AS pk_x, jsonb_build_array(t.word < 'w3' COLLATE "C") AS data FROM tb_thing t$$),
('expressions', 'citext', $$SELECT t.pk_thing AS pk_x, jsonb_agg(o.name ORDER BY o.pk_thing) AS data FROM tb_thing t LEFT JOIN tb_thing o ON o.name = lower(t.name::text)::citext GROUP BY t.pk_thing$$),
('expressions', 'volatile functions', $$SELECT p.pk_post AS pk_x, jsonb_build_array(random()) AS data FROM tb_post p$$),
('expressions', 'clock and session', $$SELECT p.pk_post AS pk_x, jsonb_build_array(now()) AS data FROM tb_post p$$);

-- keys
INSERT INTO shapes (topic, shape, definition) VALUES
('keys', 'int4', $$SELECT t.pk_thing AS pk_x, jsonb_build_array(t.mood, (SELECT count(*) FROM tb_thing o WHERE o.fk_thing = t.pk_thing)) AS data FROM tb_thing t$$),
('keys', 'int8', $$SELECT t.big AS pk_x, jsonb_build_array(t.mood, (SELECT count(*) FROM tb_thing o WHERE o.fk_thing = t.pk_thing)) AS data FROM tb_thing t$$),
('keys', 'int2', $$SELECT t.small AS pk_x, jsonb_build_array(t.mood, (SELECT count(*) FROM tb_thing o WHERE o.fk_thing = t.pk_thing)) AS data FROM tb_thing t$$),
('keys', 'uuid', $$SELECT t.id AS pk_x, jsonb_build_array(t.mood, (SELECT count(*) FROM tb_thing o WHERE o.fk_thing = t.pk_thing)) AS data FROM tb_thing t$$),
('keys', 'text', $$SELECT t.word AS pk_x, jsonb_build_array(t.mood, (SELECT count(*) FROM tb_thing o WHERE o.fk_thing = t.pk_thing)) AS data FROM tb_thing t$$),
('keys', 'numeric', $$SELECT t.number AS pk_x, jsonb_build_array(t.mood, (SELECT count(*) FROM tb_thing o WHERE o.fk_thing = t.pk_thing)) AS data FROM tb_thing t$$),
('keys', 'domain', $$SELECT t.code AS pk_x, jsonb_build_array(t.mood, (SELECT count(*) FROM tb_thing o WHERE o.fk_thing = t.pk_thing)) AS data FROM tb_thing t$$),
('keys', 'expression of the root''s columns', $$SELECT t.pk_thing * 10 + 1 AS pk_x, jsonb_build_array(t.word, o.word) AS data FROM tb_thing t LEFT JOIN tb_thing o ON o.pk_thing = t.fk_thing$$),
('keys', 'expression of several columns', $$SELECT t.fk_thing || '/' || t.word AS pk_x, jsonb_build_array(t.mood) AS data FROM tb_thing t WHERE t.fk_thing IS NOT NULL$$),
('keys', 'root that is a view', $$SELECT a.pk_post AS pk_x, jsonb_build_array(a.title, a.author) AS data FROM all_posts a$$),
('keys', 'root that is a grouped view', $$SELECT g.fk_user AS pk_x, jsonb_build_array(g.posts, u.name) AS data FROM post_counts g LEFT JOIN tb_user u ON u.pk_user = g.fk_user WHERE g.fk_user IS NOT NULL$$),
('keys', 'from either side of a FULL JOIN', $$SELECT coalesce(a.pk_team, b.fk_user) AS pk_x, jsonb_build_array(a.name, b.posts) AS data
FROM tb_team a FULL JOIN (SELECT * FROM post_counts WHERE fk_user IS NOT NULL) b ON b.fk_user = a.pk_team$$),
('keys', 'merged by USING of a FULL JOIN', $$SELECT k AS pk_x, jsonb_build_array(a.name, b.slug) AS data
FROM (SELECT pk_team AS k, name FROM tb_team) a FULL JOIN (SELECT pk_tag AS k, slug FROM tb_tag) b USING (k)$$),
('keys', 'merged by USING, and a third table joined by it', $$SELECT k AS pk_x, jsonb_build_array(a.name, b.slug, c.value) AS data
FROM (SELECT pk_team AS k, name FROM tb_team) a FULL JOIN (SELECT pk_tag AS k, slug FROM tb_tag) b USING (k)
LEFT JOIN (SELECT pk_setting AS k, value FROM tb_setting) c USING (k)$$),
('keys', 'expression of two tables', $$SELECT p.pk_post * 100 + u.pk_user AS pk_x, jsonb_build_array(p.title, u.name) AS data FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user$$),
('keys', 'constant, of an aggregate', $$SELECT 1 AS pk_x, jsonb_build_array(count(*)) AS data FROM tb_post$$);

-- tables
CREATE TABLE tb_range (n int, pk_range int NOT NULL, t text) PARTITION BY RANGE (n);
CREATE TABLE tb_range_1 PARTITION OF tb_range FOR VALUES FROM (0) TO (10);
CREATE TABLE tb_range_2 (t text, x int, pk_range int NOT NULL, n int);
ALTER TABLE tb_range_2 DROP COLUMN x;
ALTER TABLE tb_range ATTACH PARTITION tb_range_2 FOR VALUES FROM (10) TO (20);
CREATE TABLE tb_list (pk_list int PRIMARY KEY, t text) PARTITION BY LIST (pk_list);
CREATE TABLE tb_list_1 PARTITION OF tb_list FOR VALUES IN (1, 2);
CREATE TABLE tb_list_2 PARTITION OF tb_list DEFAULT;
CREATE TABLE tb_hash (pk_hash int PRIMARY KEY, t text) PARTITION BY HASH (pk_hash);
CREATE TABLE tb_hash_0 PARTITION OF tb_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE tb_hash_1 PARTITION OF tb_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY LIST (pk_hash);
CREATE TABLE tb_hash_1_all PARTITION OF tb_hash_1 DEFAULT;
CREATE TABLE tb_parent (pk_parent int PRIMARY KEY, t text);
CREATE TABLE tb_child (u text) INHERITS (tb_parent);
CREATE UNLOGGED TABLE tb_unlogged (pk_unlogged int PRIMARY KEY, t text);
CREATE SCHEMA other;
CREATE TABLE other.tb_else (pk_else int PRIMARY KEY, t text);
CREATE TABLE tb_secret (pk_secret int PRIMARY KEY, t text);
ALTER TABLE tb_secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON tb_secret USING (t <> 'hidden');
INSERT INTO tb_range VALUES (1, 1, 'a'), (2, 2, 'b'), (11, 3, 'c');
INSERT INTO tb_list SELECT i, 'x' FROM generate_series(1, 5) i;
INSERT INTO tb_hash SELECT i, 'x' FROM generate_series(1, 5) i;
INSERT INTO tb_parent VALUES (1, 'a');
INSERT INTO tb_child VALUES (2, 'b', 'u');
INSERT INTO tb_unlogged VALUES (1, 'a');
INSERT INTO other.tb_else VALUES (1, 'a');
INSERT INTO tb_secret VALUES (1, 'a');
INSERT INTO shapes (topic, shape, definition) VALUES
('tables', 'partitioned by range', $$SELECT pk_range AS pk_x, jsonb_build_array(n, t) AS data FROM tb_range$$),
('tables', 'partitioned by list', $$SELECT pk_list AS pk_x, jsonb_build_array(t) AS data FROM tb_list$$),
('tables', 'partitioned by hash, two levels', $$SELECT pk_hash AS pk_x, jsonb_build_array(t) AS data FROM tb_hash$$),
('tables', 'a partition by itself', $$SELECT pk_list AS pk_x, jsonb_build_array(t) AS data FROM tb_list_1$$),
('tables', 'with child tables', $$SELECT pk_parent AS pk_x, jsonb_build_array(t) AS data FROM tb_parent$$),
('tables', 'ONLY', $$SELECT pk_parent AS pk_x, jsonb_build_array(t) AS data FROM ONLY tb_parent$$),
('tables', 'unlogged', $$SELECT pk_unlogged AS pk_x, jsonb_build_array(t) AS data FROM tb_unlogged$$),
('tables', 'unlogged, joined to a logged one', $$SELECT pk_list AS pk_x, jsonb_build_array(u.t) AS data FROM tb_list JOIN tb_unlogged u ON pk_unlogged = pk_list$$),
('tables', 'the same in two roles', $$SELECT p.pk_parent AS pk_x, jsonb_build_array(p.t, q.t) AS data
FROM tb_parent p LEFT JOIN tb_parent q ON q.pk_parent = p.pk_parent + 1$$),
('tables', 'in another schema', $$SELECT pk_else AS pk_x, jsonb_build_array(t) AS data FROM other.tb_else$$),
('tables', 'with row-level security', $$SELECT pk_secret AS pk_x, jsonb_build_array(t) AS data FROM tb_secret$$);

-- composition
INSERT INTO shapes (topic, shape, definition) VALUES
('composition', 'TVIEW as object', $$SELECT p.pk_post AS pk_x, jsonb_build_object('by', u.data) AS data FROM tb_post p LEFT JOIN v_user u ON u.pk_user = p.fk_user$$),
('composition', 'TVIEW as array', $$SELECT u.pk_user AS pk_x, jsonb_build_object('posts', (SELECT jsonb_agg(p.data ORDER BY p.pk_post) FROM v_post p WHERE p.fk_user = u.pk_user)) AS data FROM tb_user u$$),
('composition', 'array of arrays', $$SELECT u.pk_user AS pk_x, jsonb_build_object('posts', (
	SELECT jsonb_agg(p.data || jsonb_build_object('comments', (SELECT jsonb_agg(c.data ORDER BY c.pk_comment) FROM v_comment c WHERE c.fk_post = p.pk_post)) ORDER BY p.pk_post)
	FROM v_post p WHERE p.fk_user = u.pk_user)) AS data FROM tb_user u$$),
('composition', 'the same TVIEW twice', $$SELECT u.pk_user AS pk_x, jsonb_build_object('self', a.data, 'boss', b.data) AS data FROM tb_user u JOIN v_user a ON a.pk_user = u.pk_user LEFT JOIN v_user b ON b.pk_user = u.fk_boss$$),
('composition', 'diamond', $$SELECT c.pk_comment AS pk_x, jsonb_build_object('comment', c.data, 'post', p.data) AS data FROM v_comment c LEFT JOIN v_post p ON p.pk_post = c.fk_post$$),
('composition', 'through a plain view', $$SELECT a.pk_post AS pk_x, jsonb_build_object('post', a.title, 'posts', g.posts) AS data FROM all_posts a LEFT JOIN post_counts g ON g.fk_user = a.fk_user$$),
('composition', 'v_, tv_ and tb_ mixed', $$SELECT p.pk_post AS pk_x, jsonb_build_object('post', p.data, 'user', u.data, 'title', b.title) AS data
FROM tv_post p JOIN tb_post b ON b.pk_post = p.pk_post LEFT JOIN v_user u ON u.pk_user = p.fk_user$$),
('composition', 'TVIEW as root', $$SELECT p.pk_post AS pk_x, p.data || '{"more": 1}' AS data FROM v_post p$$);

-- Makes them, and says how
CREATE FUNCTION make(entity text, definition text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_tviews_create(entity, definition);
	RETURN CASE WHEN bool_and(kind IN ('local', 'mapped')) THEN 'by key' ELSE 'wrong' END
	FROM pg_tviews_explain(entity);
EXCEPTION WHEN feature_not_supported THEN
	BEGIN
		PERFORM pg_tviews_create(entity, definition, '{"on_unmapped": "rebuild"}');
		RETURN CASE WHEN bool_or(kind = 'all') THEN 'rebuild only' ELSE 'wrong' END
		FROM pg_tviews_explain(entity);
	EXCEPTION WHEN feature_not_supported THEN
		RETURN 'refused';
	END;
END $$;
SET client_min_messages = warning;
UPDATE shapes SET maintained = make('s' || no, replace(definition, 'pk_x', 'pk_s' || no));
RESET client_min_messages;
ANALYZE;

-- All of them are right, whatever is written
PREPARE wrong AS
SELECT coalesce(s.topic, o.tview) AS topic, s.shape, o.differences
FROM test_oracle() o LEFT JOIN shapes s ON o.tview = 'tv_s' || s.no
WHERE o.differences > 0;
EXECUTE wrong;
UPDATE tb_team SET name = upper(name);
UPDATE tb_user SET n = 2 - n, fk_boss = 3 WHERE pk_user < 4;
UPDATE tb_post SET n = 3 - n, tags = tags || '{one}', props = '{"k": [2], "m": {"x": 3}}';
UPDATE tb_comment SET n = (n + 1) % 3, text = upper(text);
UPDATE tb_tag SET slug = 'five' WHERE pk_tag = 2;
UPDATE tb_category SET name = upper(name) WHERE pk_category IN (1, 4);
UPDATE tb_setting SET value = upper(value);
UPDATE tb_thing SET word = word || '!', mood = 'sad', pair.a = 7, name = 'n1';
UPDATE tb_range SET n = 20 - n, t = upper(t) WHERE n > 1;
UPDATE tb_list_1 SET t = 'y';
UPDATE tb_list SET pk_list = pk_list + 10 WHERE pk_list < 3;
UPDATE tb_hash SET pk_hash = pk_hash + 7, t = 'z';
UPDATE tb_child SET t = 'c';
UPDATE tb_parent SET pk_parent = pk_parent + 1;
TRUNCATE tb_list_2;
UPDATE tb_unlogged SET t = 'b';
UPDATE other.tb_else SET t = 'b';
UPDATE tb_secret SET t = 'hidden';
EXECUTE wrong;
UPDATE tb_user SET fk_team = 3 WHERE pk_user IN (1, 5);
UPDATE tb_post SET fk_user = 3 WHERE pk_post IN (1, 5);
UPDATE tb_comment SET fk_post = fk_post % 5 + 1, fk_user = 2 WHERE pk_comment % 2 = 0;
UPDATE tb_post_tag SET fk_tag = 3 WHERE fk_tag = 1;
UPDATE tb_category SET fk_parent = 3 WHERE pk_category = 4;
UPDATE tb_category_link SET fk_to = 7 WHERE fk_from = 4;
UPDATE tb_thing SET fk_thing = 4 - fk_thing;
EXECUTE wrong;
BEGIN;
UPDATE tb_post SET fk_user = 1 WHERE pk_post = 4;
UPDATE tb_user SET name = 'eve', fk_team = 1 WHERE pk_user IN (1, 3);
UPDATE tb_user SET pk_user = 9 WHERE pk_user = 2;
UPDATE tb_category SET fk_parent = NULL WHERE pk_category IN (2, 4);
DELETE FROM tb_team WHERE pk_team = 2;
DELETE FROM tb_comment WHERE pk_comment < 4;
DELETE FROM tb_post WHERE pk_post = 2;
DELETE FROM tb_thing WHERE pk_thing = 1;
COMMIT;
EXECUTE wrong;

-- "rebuild only" needs the option {"on_unmapped": "rebuild"}
\pset format unaligned
\pset tuples_only on
\echo '| group | shape | maintained |'
\echo '|---|---|---|'
SELECT format('| %s | %s | %s |', topic, shape, maintained) FROM shapes ORDER BY no;
\pset tuples_only off
DROP SCHEMA other CASCADE;
