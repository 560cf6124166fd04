-- Expressions of all kinds, in documents and in conditions: which columns they
-- read, and that a change of any of them is noticed.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set tables :test /include/tables.sql
\i :tables
SET client_min_messages = warning;
CREATE EXTENSION citext;
RESET client_min_messages;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN code AS text CHECK (VALUE <> '');
CREATE TABLE tb_thing (
	pk_thing int PRIMARY KEY, fk_thing int, word text, big int8, number numeric, code code,
	name citext, mood mood, pair pair, pairs pair[], numbers int[][], at timestamptz, doc jsonb,
	twice int GENERATED ALWAYS AS (pk_thing * 2) STORED, unused text
);
INSERT INTO tb_thing VALUES
	(1, 2, 'b', 1, 1.50, 'x', 'Ann', 'ok', '(1,a)', ARRAY[row(1, 'a')::pair], '{{1,2},{3,4}}', '2020-01-01 UTC', '{"k": [1, {"x": "y"}]}'),
	(2, 1, 'B', 2, 2, 'y', 'ANN', 'sad', '(2,)', '{}', NULL, '2021-01-01 UTC', '{"k": []}'),
	(3, NULL, 'a', 3, NULL, NULL, 'bob', NULL, NULL, NULL, '{}', NULL, NULL);

CREATE TABLE tv_case AS
SELECT t.pk_thing AS pk_case, jsonb_build_array(
	CASE WHEN t.big > 1 THEN t.word ELSE o.word END, CASE t.mood WHEN 'ok' THEN o.mood ELSE t.mood END,
	coalesce(t.code, o.code, 'none'), nullif(t.big, o.big), greatest(t.number, o.number), t.word IS DISTINCT FROM o.word) AS data
FROM tb_thing t LEFT JOIN tb_thing o ON o.pk_thing = t.fk_thing;
CREATE TABLE tv_casts AS
SELECT t.pk_thing AS pk_casts, jsonb_build_array(t.number::int, t.big::text, t.word::code, t.mood::text, (t.at AT TIME ZONE 'UTC')::date,
	t.mood > 'sad', t.word < 'a' COLLATE "C", t.name = 'ann', t.name::text || '!') AS data
FROM tb_thing t;
CREATE TABLE tv_parts AS
SELECT t.pk_thing AS pk_parts, jsonb_build_array(t.pair, (t.pair).b, t.pairs[1], (t.pairs[1]).a, t.numbers[2][1],
	t.numbers[1:1], t.twice, t.doc #>> '{k,1,x}', t.doc @? '$.k[*].x', jsonb_path_query_array(t.doc, '$.k[*]')) AS data
FROM tb_thing t;
CREATE TABLE tv_rows AS
SELECT u.pk_user AS pk_rows, jsonb_build_array(row(u.n, u.name), t, to_jsonb(u), t IS NULL, t.*::text) AS data
FROM tb_user u LEFT JOIN tb_team t ON t.pk_team = u.fk_team;
CREATE TABLE tv_whole AS
SELECT t.pk_team AS pk_whole, (SELECT jsonb_build_array(jsonb_agg(u ORDER BY u.pk_user)) FROM tb_user u WHERE u.fk_team = t.pk_team) AS data
FROM tb_team t;
-- conditions
CREATE TABLE tv_links AS
SELECT t.pk_thing AS pk_links, jsonb_build_array(
	(SELECT jsonb_agg(o.name ORDER BY o.pk_thing) FROM tb_thing o WHERE o.name = t.name),
	(SELECT jsonb_agg(o.word ORDER BY o.pk_thing) FROM tb_thing o WHERE lower(o.word) = lower(t.word)),
	(SELECT jsonb_agg(o.word ORDER BY o.pk_thing) FROM tb_thing o WHERE o.mood = t.mood),
	(SELECT jsonb_agg(o.word ORDER BY o.pk_thing) FROM tb_thing o WHERE o.number = t.big),
	(SELECT jsonb_agg(o.word ORDER BY o.pk_thing) FROM tb_thing o WHERE o.twice = t.pk_thing),
	(SELECT jsonb_agg(o.word ORDER BY o.pk_thing) FROM tb_thing o WHERE o.pk_thing = (t.doc #>> '{k,0}')::int),
	(SELECT jsonb_agg(o.word ORDER BY o.pk_thing) FROM tb_thing o WHERE coalesce(o.fk_thing, 0) = coalesce(t.fk_thing, 0)),
	(SELECT jsonb_agg(o.word ORDER BY o.pk_thing) FROM tb_thing o WHERE o.fk_thing IS NOT DISTINCT FROM t.fk_thing),
	(SELECT jsonb_agg(o.word ORDER BY o.pk_thing) FROM tb_thing o WHERE o.pk_thing BETWEEN t.pk_thing - 1 AND t.fk_thing),
	(SELECT jsonb_agg(o.word ORDER BY o.pk_thing) FROM tb_thing o WHERE o.word IN (t.word, t.name::text, t.code)),
	(SELECT jsonb_agg(o.word ORDER BY o.pk_thing) FROM tb_thing o WHERE o.word LIKE t.word || '%')) AS data
FROM tb_thing t;
SELECT * FROM test_oracle();

UPDATE tb_thing SET word = word || 'x', big = big + 1 WHERE pk_thing < 3;
:check
UPDATE tb_thing SET number = 3, code = 'z', name = 'BOB', mood = 'happy' WHERE pk_thing = 2;
:check
UPDATE tb_thing SET pair.a = 3, pairs[1].b = 'c', numbers[2][1] = NULL WHERE pk_thing = 1;
:check
UPDATE tb_thing SET numbers = '{{9,9},{8,8}}', doc = '{"k": [2]}', pair = '(1,z)';
:check
UPDATE tb_thing SET at = '2022-02-02 UTC', fk_thing = NULL WHERE pk_thing = 2;
UPDATE tb_thing SET pk_thing = 6 WHERE pk_thing = 3;
:check
-- equal for the type, but not the same
UPDATE tb_thing SET name = upper(name::text), number = number * 1.00;
:check
-- what nothing shows costs nothing
SELECT test_remember('tv_case', 'tv_casts', 'tv_parts', 'tv_links');
UPDATE tb_thing SET unused = 'x';
SELECT * FROM test_written();
-- whole rows show every column, also new ones
UPDATE tb_user SET fk_boss = 5, n = 7 WHERE pk_user < 3;
UPDATE tb_team SET name = NULL WHERE pk_team = 1;
:check
ALTER TABLE tb_user ADD COLUMN more text DEFAULT 'm';
:check
UPDATE tb_user SET more = 'x' WHERE pk_user = 2;
:check
-- several links change at once, one hides the other
BEGIN;
UPDATE tb_thing SET fk_thing = 6, doc = '{"k": [6]}' WHERE pk_thing = 1;
UPDATE tb_thing SET word = 'new', fk_thing = 1, mood = 'sad', number = 2 WHERE pk_thing IN (2, 6);
SELECT data FROM tv_case WHERE pk_case = 1;
SAVEPOINT s;
DELETE FROM tb_thing WHERE pk_thing = 6;
UPDATE tb_thing SET mood = NULL, name = NULL, word = NULL, fk_thing = NULL;
SELECT data FROM tv_case WHERE pk_case = 1;
ROLLBACK TO s;
COMMIT;
:check
-- a label that documents show, and one that a definition has as a constant
ALTER TYPE mood RENAME VALUE 'happy' TO 'glad';
:check
ALTER TYPE mood RENAME VALUE 'sad' TO 'gloomy';
:check
UPDATE tb_thing SET mood = 'gloomy';
:check
DELETE FROM tb_thing WHERE pk_thing = 1;
DELETE FROM tb_team;
SELECT * FROM test_oracle();
