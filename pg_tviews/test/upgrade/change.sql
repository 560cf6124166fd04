-- Changes of every kind, by the owner; variable n is another number each time.

\set ON_ERROR_STOP on
SET client_min_messages = warning;

INSERT INTO tb_user (pk_user, name, home) VALUES (1000 + :n, 'new ' || :n, row(:n, 0));
INSERT INTO tb_post (pk_post, fk_user, title) SELECT 1000 * :n + i, 1000 + :n, 'new ' || i FROM generate_series(1, 20) i;
INSERT INTO tb_comment SELECT 10000 * :n + i, 1000 * :n + 1 + i % 20, 'new ' || i FROM generate_series(1, 100) i;
UPDATE tb_user SET name = name || ' ' || :n WHERE pk_user IN (:n, 1000 + :n);
UPDATE tb_user SET name = '' WHERE pk_user = 19;
UPDATE tb_post SET fk_user = 1 + (fk_user + :n) % 18, state = 'draft' WHERE pk_post BETWEEN 20 AND 30;
UPDATE tb_post SET pk_post = -pk_post - 1000 * :n WHERE pk_post = 1000 * :n + 20 AND NOT EXISTS (
	SELECT FROM tb_comment c WHERE c.fk_post = 1000 * :n + 20);
UPDATE tb_comment SET content = content || '!', fk_post = 40 WHERE pk_comment % 50 = 0;
DELETE FROM tb_comment WHERE pk_comment % 70 = :n;
DELETE FROM tb_post WHERE pk_post = 100 + :n;
INSERT INTO tb_user (pk_user, name) VALUES (1, 'again') ON CONFLICT (pk_user) DO UPDATE SET name = EXCLUDED.name || :n;
MERGE INTO tb_post p USING (VALUES (50 + :n, 'merged'), (90000 + :n, 'merged')) AS m (pk, title) ON m.pk = p.pk_post
WHEN MATCHED THEN UPDATE SET title = m.title || :n
WHEN NOT MATCHED THEN INSERT (pk_post, fk_user, title) VALUES (m.pk, 3, m.title);
COPY tb_comment FROM stdin;
-1	1	copied
-2	2	copied
\.
BEGIN;
UPDATE tb_user SET name = 'in' WHERE pk_user = 2;
SAVEPOINT s;
UPDATE tb_user SET name = 'undone' WHERE pk_user = 3;
SELECT 1 / (data ->> 'name' = 'undone')::int FROM tv_user WHERE pk_user = 3;
ROLLBACK TO s;
SELECT 1 / (count(*) FILTER (WHERE data #>> '{author,name}' = 'undone') = 0)::int FROM tv_post;
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
DELETE FROM tb_comment WHERE pk_comment < 0;
COMMIT;

INSERT INTO tb_event VALUES (200 + :n, 'a'), (200 + :n, 'b');
UPDATE tb_event SET kind = 'b' WHERE pk_event = 3 * :n;
CREATE TABLE tb_event_c (LIKE tb_event);
INSERT INTO tb_event_c VALUES (1, 'c'), (300, 'c');
ALTER TABLE tb_event ATTACH PARTITION tb_event_c FOR VALUES IN ('c');
INSERT INTO tb_event VALUES (2, 'c');
SELECT 1 / (count(*) = 3)::int FROM tv_event WHERE data ? 'c';
ALTER TABLE tb_event DETACH PARTITION tb_event_c;
DROP TABLE tb_event_c;
INSERT INTO tb_dog VALUES (100 + :n, 'new', 'mix');
UPDATE tb_dog SET name = 'old ' || :n WHERE pk_animal = 12;
UPDATE tb_node SET name = name || :n WHERE pk_node = 2;
UPDATE tb_node SET fk_parent = 3 WHERE pk_node = 20 + :n;
DELETE FROM tb_node WHERE pk_node = 40 + :n;
UPDATE tb_hit SET n = n + :n;
TRUNCATE tb_hit;
INSERT INTO tb_hit SELECT i, :n FROM generate_series(1, 30) i;
UPDATE "tb;'%s""" SET "select" = 'changed ' || :n WHERE "pk ' "" key" = :n;
REFRESH MATERIALIZED VIEW summary;

-- shapes
ALTER TABLE tb_post ADD subtitle text;
UPDATE tb_post SET subtitle = 'sub';
CREATE OR REPLACE VIEW v_latest AS
SELECT DISTINCT ON (p.fk_user) p.fk_user AS pk_latest, to_jsonb(p.title || :'n') AS data
FROM tb_post p ORDER BY p.fk_user, p.pk_post DESC;
SELECT pg_tviews_alter('rank', format('SELECT p.pk_post AS pk_rank, p.fk_user, '
	'to_jsonb(rank() OVER (PARTITION BY p.fk_user ORDER BY p.title, p.pk_post) + %s) AS data, p.subtitle FROM tb_post p', :n));
UPDATE tb_post SET subtitle = 'other' WHERE pk_post < 10;
SELECT pg_tviews_alter('rank', format('SELECT p.pk_post AS pk_rank, p.fk_user, '
	'to_jsonb(rank() OVER (PARTITION BY p.fk_user ORDER BY p.title, p.pk_post) + %s) AS data FROM tb_post p', :n));
ALTER TABLE tb_post DROP subtitle;
ALTER TABLE tb_user RENAME name TO called;
UPDATE tb_user SET called = 'renamed ' || :n WHERE pk_user = 4;
ALTER TABLE tb_user RENAME called TO name;
CREATE TABLE tv_new AS SELECT p.pk_post AS pk_new, p.data FROM v_post p;
UPDATE tb_user SET name = 'seen ' || :n WHERE pk_user = 5;
SELECT 1 / (count(*) > 0)::int FROM tv_new WHERE data #>> '{author,name}' = 'seen ' || :n;
DROP TABLE tv_new;
