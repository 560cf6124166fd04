-- What can stand at the top of a definition: DISTINCT, DISTINCT ON, VALUES and
-- functions that return sets, ORDER BY.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set tables :test /include/tables.sql
\i :tables

CREATE TABLE tv_distinct AS
SELECT DISTINCT p.pk_post AS pk_distinct, to_jsonb(p.title) AS data
FROM tb_post p JOIN tb_post_tag l ON l.fk_post = p.pk_post;
-- DISTINCT ON: the key; a foreign key; what other keys share; several columns
CREATE TABLE tv_on AS
SELECT DISTINCT ON (p.pk_post) p.pk_post AS pk_on, jsonb_build_array(p.title, c.text) AS data
FROM tb_post p LEFT JOIN tb_comment c ON c.fk_post = p.pk_post
ORDER BY p.pk_post, c.n DESC, c.pk_comment;
CREATE TABLE tv_fk AS
SELECT DISTINCT ON (p.fk_user) p.fk_user AS pk_fk, jsonb_build_array(p.title, u.name) AS data
FROM tb_post p LEFT JOIN tb_user u ON u.pk_user = p.fk_user
WHERE p.fk_user IS NOT NULL ORDER BY p.fk_user, p.n DESC, p.pk_post;
CREATE TABLE tv_best AS
SELECT DISTINCT ON (p.fk_user) p.pk_post AS pk_best, to_jsonb(p.n) AS data
FROM tb_post p ORDER BY p.fk_user, p.n DESC, p.pk_post;
CREATE TABLE tv_pair AS
SELECT DISTINCT ON (u.fk_team, p.n) p.pk_post AS pk_pair, jsonb_build_array(u.fk_team, p.n) AS data
FROM tb_post p LEFT JOIN tb_user u ON u.pk_user = p.fk_user ORDER BY u.fk_team, p.n, p.pk_post DESC;
-- VALUES, joined and as the root
CREATE TABLE tv_values AS
SELECT p.pk_post AS pk_values, jsonb_build_array(p.title, v.word, t.slug) AS data
FROM tb_post p LEFT JOIN (VALUES (0, 'none', 1), (1, 'one', 2), (2, 'some', NULL)) v (n, word, tag) ON v.n = p.n
LEFT JOIN tb_tag t ON t.pk_tag = v.tag;
CREATE TABLE tv_fixed AS
SELECT v.k AS pk_fixed, jsonb_build_array(v.word, (SELECT u.name FROM tb_user u WHERE u.pk_user = v.k),
	(SELECT count(*) FROM tb_post p WHERE p.fk_user = v.k)) AS data
FROM (VALUES (1, 'one'), (2, 'two'), (7, 'seven')) v (k, word);
-- functions
CREATE TABLE tv_elements AS
SELECT p.pk_post AS pk_elements, jsonb_agg(jsonb_build_array(e.value, t.slug) ORDER BY e.ordinality) AS data
FROM tb_post p CROSS JOIN jsonb_array_elements(p.props -> 'k') WITH ORDINALITY e
LEFT JOIN tb_tag t ON t.pk_tag = e.value::int GROUP BY p.pk_post;
CREATE TABLE tv_unnest AS
SELECT p.pk_post AS pk_unnest, jsonb_agg(t.pk_tag ORDER BY e.ordinality, t.pk_tag) AS data
FROM tb_post p CROSS JOIN unnest(p.tags) WITH ORDINALITY e LEFT JOIN tb_tag t ON t.slug = e.e GROUP BY p.pk_post;
CREATE TABLE tv_series AS
SELECT p.pk_post AS pk_series, jsonb_agg(c.text ORDER BY i, c.pk_comment) AS data
FROM tb_post p CROSS JOIN generate_series(0, p.n) i LEFT JOIN tb_comment c ON c.fk_post = p.pk_post AND c.n = i
GROUP BY p.pk_post;
CREATE TABLE tv_rows AS
SELECT p.pk_post AS pk_rows, jsonb_agg(jsonb_build_array(f.a, f.b) ORDER BY f.ordinality) AS data
FROM tb_post p CROSS JOIN ROWS FROM (unnest(p.tags), generate_series(1, p.n)) WITH ORDINALITY f (a, b) GROUP BY p.pk_post;
CREATE TABLE tv_target AS
SELECT p.pk_post AS pk_target, (SELECT jsonb_agg(s.tag ORDER BY s.tag) FROM (SELECT unnest(p.tags) AS tag) s) AS data
FROM tb_post p WHERE cardinality(p.tags) > 0;
CREATE TABLE tv_ordered AS
SELECT p.pk_post AS pk_ordered, to_jsonb(p.title) AS data FROM tb_post p ORDER BY p.title DESC;
SELECT pk_best, data FROM tv_best ORDER BY 1;
SELECT * FROM test_oracle();

UPDATE tb_post SET n = (n + 1) % 4;
SELECT pk_best, data FROM tv_best ORDER BY 1;
:check
-- the best of a group goes, moves, comes
DELETE FROM tb_post WHERE pk_post = 1;
:check
UPDATE tb_post SET fk_user = 3 WHERE pk_post = 3;
UPDATE tb_post SET fk_user = NULL WHERE pk_post = 4;
:check
INSERT INTO tb_post VALUES (1, 2, 'uno', 3, '{one,two}', '{"k": [2, 9]}'), (7, 3, 'sept', 0, '{}', '{"k": [1]}');
:check
UPDATE tb_user SET fk_team = 3, name = upper(name) WHERE pk_user < 4;
UPDATE tb_user SET pk_user = 7 WHERE pk_user = 2;
:check
UPDATE tb_post SET tags = '{two,red,two}', props = '{"k": [1, 1, 3]}' WHERE pk_post IN (2, 5);
UPDATE tb_post SET tags = NULL, props = '{"k": []}' WHERE pk_post = 3;
:check
UPDATE tb_tag SET slug = 'b' WHERE pk_tag = 4;
UPDATE tb_tag SET pk_tag = 9 WHERE pk_tag = 2;
UPDATE tb_tag SET slug = NULL WHERE pk_tag = 3;
:check
UPDATE tb_comment SET n = 2 - n, fk_post = fk_post % 7 + 1;
DELETE FROM tb_comment WHERE pk_comment = 2;
UPDATE tb_post_tag SET fk_post = 6 WHERE fk_post = 1;
:check

-- both groups of a row that moves change
BEGIN;
UPDATE tb_post SET fk_user = 1, n = 0 WHERE pk_post = 3;
DELETE FROM tb_post WHERE pk_post = 7;
UPDATE tb_post SET n = 9 WHERE fk_user = 1;
UPDATE tb_user SET fk_team = NULL WHERE pk_user IN (1, 3);
SELECT pk_best, data FROM tv_best ORDER BY 1;
SAVEPOINT s;
UPDATE tb_post SET fk_user = 7, tags = '{b}', props = '{"k": [9]}';
SELECT pk_best, data FROM tv_best ORDER BY 1;
ROLLBACK TO s;
UPDATE tb_tag SET pk_tag = 1, slug = 'two' WHERE pk_tag = 9 AND NOT EXISTS (SELECT FROM tb_tag WHERE pk_tag = 1);
UPDATE tb_tag SET slug = 'red' WHERE slug = 'one';
UPDATE tb_post SET tags = tags || 'red'::text;
COMMIT;
:check
UPDATE tb_post SET pk_post = 12 - pk_post WHERE pk_post < 6;
:check
TRUNCATE tb_comment, tb_post_tag;
DELETE FROM tb_tag;
SELECT * FROM test_oracle();
