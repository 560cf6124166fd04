-- The way to the key computes nothing from rows that the definition keeps away
-- from it by a condition: a cast of what is not a number, for instance.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start

CREATE TABLE tb_item (pk_item int PRIMARY KEY, kind text NOT NULL, value text NOT NULL, more jsonb);
CREATE TABLE tb_part (pk_part int PRIMARY KEY, n int);
INSERT INTO tb_item VALUES (1, 'number', '5', '{"n": 1}'), (2, 'text', 'abc', '[1]');

-- from another table to the row with the key
CREATE TABLE tv_item AS
SELECT i.pk_item, jsonb_build_object('n', p.n) AS data
FROM tb_item i JOIN tb_part p ON p.pk_part = i.value::int WHERE i.kind = 'number';
-- from the row itself
CREATE TABLE tv_part AS
SELECT p.pk_part, jsonb_build_object('n', (
    SELECT count(*) FROM tb_item i WHERE i.kind = 'number' AND i.value::int = p.pk_part)) AS data
FROM tb_part p;
-- to a key that is computed
CREATE TABLE tv_number AS
SELECT i.value::int AS pk_number, jsonb_build_object('more', (
    SELECT count(*) FROM tb_part p WHERE p.pk_part > i.value::int)) AS data
FROM tb_item i WHERE i.kind = 'number';
-- through a function
CREATE TABLE tv_more AS
SELECT i.pk_item AS pk_more, jsonb_build_object('parts', (
    SELECT jsonb_agg(p.pk_part ORDER BY p.pk_part)
    FROM jsonb_to_record(i.more) AS r(n int) JOIN tb_part p ON p.n = r.n)) AS data
FROM tb_item i WHERE jsonb_typeof(i.more) = 'object';

INSERT INTO tb_part VALUES (5, 1), (7, 2);
INSERT INTO tb_item VALUES (3, 'text', 'def', '[2]'), (4, 'number', '7', '{"n": 2}');
SELECT pk_item, data FROM tv_item ORDER BY 1;
SELECT pk_more, data FROM tv_more ORDER BY 1;
SELECT * FROM test_oracle();

-- what comes, what goes, and changes of both ends at once
UPDATE tb_item SET kind = 'number', value = '8' WHERE pk_item = 3;
UPDATE tb_item SET kind = 'text', value = 'ghi', more = '[]' WHERE pk_item = 4;
SELECT * FROM test_oracle();
BEGIN;
UPDATE tb_item SET kind = 'text', value = 'jkl' WHERE pk_item = 1;
DELETE FROM tb_part WHERE pk_part = 5;
UPDATE tb_item SET kind = 'number', value = '7' WHERE pk_item = 2;
UPDATE tb_part SET n = 3 WHERE pk_part = 7;
COMMIT;
SELECT pk_part, data FROM tv_part ORDER BY 1;
SELECT * FROM test_oracle();
