-- CTEs: plain ones as if they were written in place; recursive ones from the
-- row that has the key or towards it, up and down a tree and through links,
-- while subtrees move.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set tables :test /include/tables.sql
\i :tables

-- plain, twice, materialized, one in the other
CREATE TABLE tv_plain AS
WITH named AS (SELECT * FROM tb_user WHERE name IS NOT NULL),
counts AS MATERIALIZED (SELECT fk_user, count(*) AS many FROM tb_post GROUP BY fk_user),
both_of AS (SELECT n.*, c.many FROM named n LEFT JOIN counts c ON c.fk_user = n.pk_user)
SELECT u.pk_user AS pk_plain, jsonb_build_array(u.name, u.many, b.name, b.many) AS data
FROM both_of u LEFT JOIN both_of b ON b.pk_user = u.fk_boss;

-- the path to the root, from each row: as a subquery, LATERAL, at the top with
-- the key passed on, at the top from the root with the key of the last step
CREATE TABLE tv_path AS
SELECT c.pk_category AS pk_path, (
	WITH RECURSIVE up AS (
		SELECT a.pk_category, a.fk_parent, a.name, 1 AS depth FROM tb_category a WHERE a.pk_category = c.pk_category
		UNION ALL
		SELECT a.pk_category, a.fk_parent, a.name, up.depth + 1 FROM tb_category a JOIN up ON a.pk_category = up.fk_parent)
	SELECT jsonb_agg(up.name ORDER BY up.depth DESC) FROM up) AS data
FROM tb_category c;
CREATE TABLE tv_lateral AS
SELECT c.pk_category AS pk_lateral, l.path AS data
FROM tb_category c CROSS JOIN LATERAL (
	WITH RECURSIVE up AS (
		SELECT c.pk_category, c.fk_parent, c.name, 1 AS depth
		UNION ALL
		SELECT a.pk_category, a.fk_parent, a.name, up.depth + 1 FROM tb_category a, up WHERE a.pk_category = up.fk_parent)
	SELECT jsonb_agg(up.name ORDER BY up.depth DESC) AS path FROM up) l;
CREATE TABLE tv_passed AS
WITH RECURSIVE up AS (
	SELECT pk_category AS start, fk_parent, jsonb_build_array(name) AS names FROM tb_category
	UNION ALL
	SELECT up.start, a.fk_parent, up.names || to_jsonb(a.name) FROM up JOIN tb_category a ON a.pk_category = up.fk_parent)
SELECT DISTINCT ON (start) start AS pk_passed, names AS data FROM up ORDER BY start, jsonb_array_length(names) DESC;
CREATE TABLE tv_last AS
WITH RECURSIVE down AS (
	SELECT pk_category, jsonb_build_array(name) AS names FROM tb_category WHERE fk_parent IS NULL
	UNION ALL
	SELECT c.pk_category, d.names || to_jsonb(c.name) FROM tb_category c JOIN down d ON c.fk_parent = d.pk_category)
SELECT pk_category AS pk_last, names AS data FROM down;
-- all descendants, in the same ways; with what else belongs to them
CREATE TABLE tv_below AS
SELECT c.pk_category AS pk_below, jsonb_build_object('name', c.name, 'below', (
	WITH RECURSIVE down AS (
		SELECT a.pk_category, a.name FROM tb_category a WHERE a.fk_parent = c.pk_category
		UNION ALL
		SELECT a.pk_category, a.name FROM tb_category a JOIN down ON a.fk_parent = down.pk_category)
	SELECT jsonb_agg(concat(down.name, ' ', s.value) ORDER BY down.pk_category)
	FROM down LEFT JOIN tb_setting s ON s.pk_setting = down.pk_category)) AS data
FROM tb_category c;
CREATE TABLE tv_top AS
WITH RECURSIVE down AS (
	SELECT pk_category AS top, pk_category, name FROM tb_category
	UNION
	SELECT d.top, c.pk_category, c.name FROM tb_category c JOIN down d ON c.fk_parent = d.pk_category)
SELECT top AS pk_top, jsonb_agg(name ORDER BY pk_category) AS data FROM down GROUP BY top;
-- two recursions in one definition
CREATE TABLE tv_two AS
SELECT c.pk_category AS pk_two, (
	WITH RECURSIVE up AS (
		SELECT c.pk_category, c.fk_parent
		UNION SELECT a.pk_category, a.fk_parent FROM tb_category a JOIN up ON a.pk_category = up.fk_parent),
	down AS (
		SELECT c.pk_category
		UNION SELECT a.pk_category FROM tb_category a JOIN down ON a.fk_parent = down.pk_category)
	SELECT jsonb_build_array((SELECT count(*) FROM up), (SELECT count(*) FROM down))) AS data
FROM tb_category c;
-- through a link table; UNION and CYCLE end what goes round
CREATE TABLE tv_reach AS
SELECT c.pk_category AS pk_reach, (
	WITH RECURSIVE reach AS (
		SELECT l.fk_to FROM tb_category_link l WHERE l.fk_from = c.pk_category
		UNION SELECT l.fk_to FROM tb_category_link l JOIN reach r ON l.fk_from = r.fk_to)
	SELECT jsonb_build_array(jsonb_agg(n.name ORDER BY n.pk_category))
	FROM reach JOIN tb_category n ON n.pk_category = reach.fk_to) AS data
FROM tb_category c;
CREATE TABLE tv_cycle AS
SELECT c.pk_category AS pk_cycle, (
	WITH RECURSIVE reach AS (
		SELECT l.fk_to, n.name FROM tb_category_link l JOIN tb_category n ON n.pk_category = l.fk_to WHERE l.fk_from = c.pk_category
		UNION ALL
		SELECT l.fk_to, n.name FROM reach r JOIN tb_category_link l ON l.fk_from = r.fk_to JOIN tb_category n ON n.pk_category = l.fk_to)
	SEARCH DEPTH FIRST BY fk_to SET place CYCLE fk_to SET again USING way
	SELECT jsonb_build_array(jsonb_agg(name || again ORDER BY place, again)) FROM reach) AS data
FROM tb_category c;
-- the boss's boss ..., with the teams of all of them
CREATE TABLE tv_bosses AS
SELECT u.pk_user AS pk_bosses, (
	WITH RECURSIVE up AS (
		SELECT b.pk_user, b.fk_boss, b.fk_team FROM tb_user b WHERE b.pk_user = u.fk_boss
		UNION SELECT b.pk_user, b.fk_boss, b.fk_team FROM tb_user b JOIN up ON up.fk_boss = b.pk_user)
	SELECT jsonb_build_array(string_agg(t.name, ',' ORDER BY up.pk_user))
	FROM up LEFT JOIN tb_team t ON t.pk_team = up.fk_team) AS data
FROM tb_user u;
SELECT pk_path, data FROM tv_path ORDER BY 1;
SELECT pk_top, data FROM tv_top ORDER BY 1;
SELECT * FROM test_oracle();

-- names, at the root, inside, at a leaf
UPDATE tb_category SET name = upper(name) WHERE pk_category IN (1, 4, 6);
UPDATE tb_setting SET value = 'dark';
UPDATE tb_team SET name = upper(name);
:check
-- a subtree moves, becomes a tree of its own, and comes back somewhere else
UPDATE tb_category SET fk_parent = 3 WHERE pk_category = 4;
SELECT data FROM tv_path WHERE pk_path = 6;
:check
UPDATE tb_category SET fk_parent = NULL WHERE pk_category = 4;
:check
UPDATE tb_category SET fk_parent = 7 WHERE pk_category = 4;
SELECT data FROM tv_last WHERE pk_last = 6;
:check
UPDATE tb_category SET fk_parent = 5 WHERE pk_category = 4;
SELECT data FROM tv_last WHERE pk_last = 6;
SELECT data FROM tv_below WHERE pk_below = 2;
:check
-- the middle goes, and comes back
DELETE FROM tb_category WHERE pk_category = 5;
:check
INSERT INTO tb_category VALUES (5, 3, 'odes');
:check
UPDATE tb_category SET pk_category = 99 WHERE pk_category = 1;
:check
-- links: one way round, two ways, back again
DELETE FROM tb_category_link WHERE fk_from = 6;
INSERT INTO tb_category_link VALUES (4, 7), (7, 7), (NULL, 3);
:check
UPDATE tb_category_link SET fk_to = 3 WHERE fk_from IN (4, 1);
SELECT data FROM tv_cycle WHERE pk_cycle = 3;
:check

-- two moves, one inside what the other takes along; both ends change
BEGIN;
UPDATE tb_category SET fk_parent = 3 WHERE pk_category = 2;
UPDATE tb_category SET fk_parent = 99 WHERE pk_category = 4;
UPDATE tb_category SET name = 'n' || pk_category WHERE pk_category IN (2, 3, 5, 99);
DELETE FROM tb_category WHERE pk_category = 5;
COMMIT;
SELECT data FROM tv_path WHERE pk_path = 6;
:check
-- a chain is broken in two places
BEGIN;
UPDATE tb_category SET fk_parent = 2 WHERE pk_category = 4;
SELECT data FROM tv_top WHERE pk_top = 99;
UPDATE tb_category SET fk_parent = NULL WHERE pk_category IN (6, 2);
SAVEPOINT s;
UPDATE tb_category SET fk_parent = 6, name = 'root' WHERE pk_category = 3;
SELECT data FROM tv_passed WHERE pk_passed = 3;
ROLLBACK TO s;
DELETE FROM tb_category_link WHERE fk_from = 3;
INSERT INTO tb_category_link VALUES (2, 3), (3, 2);
COMMIT;
:check
BEGIN;
UPDATE tb_user SET fk_boss = 4 WHERE pk_user = 2;
UPDATE tb_user SET fk_boss = 2, fk_team = 3 WHERE pk_user = 1;
DELETE FROM tb_user WHERE pk_user = 3;
UPDATE tb_team SET pk_team = 8 WHERE pk_team = 1;
COMMIT;
:check
UPDATE tb_user SET name = NULL, fk_boss = pk_user % 5 + 1;
UPDATE tb_post SET fk_user = 4;
:check
BEGIN;
UPDATE tb_category SET pk_category = pk_category + 100, fk_parent = fk_parent + 100;
UPDATE tb_category_link SET fk_to = fk_to + 100, fk_from = fk_from + 100;
COMMIT;
:check
TRUNCATE tb_category_link;
DELETE FROM tb_category WHERE fk_parent IS NULL;
SELECT * FROM test_oracle();
