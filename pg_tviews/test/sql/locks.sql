-- pg_tviews_locks: what a refresh locks, and that it is no more than that.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE TABLE tb_company (pk_company int PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_user (pk_user int PRIMARY KEY, fk_company int, name text, note text);
CREATE TABLE tb_post (pk_post bigint PRIMARY KEY, fk_user int, title text);
CREATE TABLE tb_range (pk_range int PRIMARY KEY, low int, high int);
INSERT INTO tb_company VALUES (1, 'one'), (2, 'two');
INSERT INTO tb_user VALUES (1, 1, 'Ada'), (2, 1, 'Bob'), (3, 2, 'Cy');
INSERT INTO tb_post SELECT i, 1 + i % 3, 'title' FROM generate_series(1, 6) AS i;
INSERT INTO tb_range VALUES (1, 0, 10);
CREATE TABLE tv_post AS
SELECT p.pk_post, jsonb_build_object('title', p.title, 'user', u.name, 'company', c.name) AS data
FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user JOIN tb_company c ON c.pk_company = u.fk_company;

-- one line for each kind of lock: how many there are
CREATE FUNCTION test_locks() RETURNS TABLE (tview regclass, target text, "table" regclass, columns text[], mode text, count bigint)
LANGUAGE sql SET search_path = public AS $$
SELECT l.tview, l.target, l."table", l.columns, l.mode, count(*) FROM pg_tviews_locks l
WHERE l.pid = pg_backend_pid() AND l.granted GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
$$;

-- a row of the root that stays where it is
BEGIN;
UPDATE tb_post SET title = 'new' WHERE pk_post = 1;
SELECT count(*) FROM tv_post;
SELECT * FROM test_locks();
ROLLBACK;

-- one that comes, and one that moves
BEGIN;
INSERT INTO tb_post VALUES (7, 1, 'new');
UPDATE tb_post SET fk_user = 2 WHERE pk_post = 3;
SELECT count(*) FROM tv_post;
SELECT * FROM test_locks();
ROLLBACK;

-- one step, and two
BEGIN;
UPDATE tb_user SET name = 'Eve' WHERE pk_user = 1;
SELECT count(*) FROM tv_post;
SELECT * FROM test_locks();
ROLLBACK;
BEGIN;
UPDATE tb_company SET name = 'new' WHERE pk_company = 1;
SELECT count(*) FROM tv_post;
SELECT * FROM test_locks();
ROLLBACK;

-- a row that is on the way for others, and changed itself
BEGIN;
UPDATE tb_user SET fk_company = 2 WHERE pk_user = 1;
SELECT count(*) FROM tv_post;
SELECT * FROM test_locks();
ROLLBACK;

-- a column that no way and no document uses; a new user of nobody
BEGIN;
UPDATE tb_user SET note = 'x';
INSERT INTO tb_user VALUES (9, NULL, 'Ned');
SELECT count(*) FROM tv_post;
SELECT * FROM test_locks();
ROLLBACK;

-- the locks of a savepoint go with it; those from before stay
BEGIN;
UPDATE tb_post SET title = 'new' WHERE pk_post = 1;
SELECT count(*) FROM tv_post;
SAVEPOINT s;
UPDATE tb_user SET name = 'Eve' WHERE pk_user = 1;
SELECT count(*) FROM tv_post;
SELECT target, mode, count FROM test_locks();
ROLLBACK TO s;
SELECT target, mode, count FROM test_locks();
COMMIT;
SELECT * FROM test_locks();

-- more than a transaction's share: permits; more than those: the TVIEW
BEGIN;
INSERT INTO tb_post SELECT i, 1, 'many' FROM generate_series(101, 180) AS i;
SELECT count(*) FROM tv_post;
SELECT target, mode, count FROM test_locks();
INSERT INTO tb_post SELECT i, 1, 'more' FROM generate_series(1001, 3000) AS i;
SELECT count(*) FROM tv_post;
SELECT target, mode, count FROM test_locks();
COMMIT;
SELECT * FROM test_locks();
-- of which some are found only on the way
BEGIN;
UPDATE tb_company SET name = 'again' WHERE pk_company = 1;
SELECT count(*) FROM tv_post;
SELECT target, mode, count FROM test_locks();
ROLLBACK;

-- a condition that is no equality: all rows are one value
CREATE TABLE tv_range AS
SELECT r.pk_range, jsonb_build_object('users', (SELECT count(*) FROM tb_user u WHERE u.pk_user BETWEEN r.low AND r.high)) AS data
FROM tb_range r;
BEGIN;
UPDATE tb_user SET pk_user = 4 WHERE pk_user = 3;
SELECT count(*) FROM tv_range;
SELECT * FROM test_locks() WHERE tview = 'tv_range'::regclass;
ROLLBACK;
BEGIN;
INSERT INTO tb_range VALUES (2, 0, 1);
SELECT count(*) FROM tv_range;
SELECT * FROM test_locks();
ROLLBACK;

-- columns of several types that are equated
CREATE TABLE tb_note (pk_note int PRIMARY KEY, fk_post int, code varchar(10), body text);
INSERT INTO tb_note VALUES (1, 1, 'a', 'x'), (2, 1, 'A', 'y');
CREATE TABLE tb_code (pk_code int PRIMARY KEY, name text, note text);
INSERT INTO tb_code VALUES (1, 'a', 'first');
CREATE TABLE tv_note AS
SELECT n.pk_note, jsonb_build_object('body', n.body, 'title', p.title, 'code', k.note) AS data
FROM tb_note n LEFT JOIN tb_post p ON p.pk_post = n.fk_post LEFT JOIN tb_code k ON k.name = lower(n.code);
BEGIN;
UPDATE tb_post SET title = 'noted' WHERE pk_post = 1;
UPDATE tb_code SET note = 'second';
SELECT count(*) FROM tv_note;
SELECT * FROM test_locks() WHERE tview = 'tv_note'::regclass;
ROLLBACK;
BEGIN;
INSERT INTO tb_note VALUES (3, 1, 'a', 'z');
SELECT count(*) FROM tv_note;
SELECT * FROM test_locks() WHERE tview = 'tv_note'::regclass;
ROLLBACK;

-- steps of a recursion
CREATE TABLE tb_node (pk_node int PRIMARY KEY, fk_parent int, name text);
INSERT INTO tb_node VALUES (1, NULL, 'a'), (2, 1, 'b'), (3, 2, 'c'), (4, 1, 'd');
CREATE TABLE tv_node AS
WITH RECURSIVE up AS (
	SELECT n.pk_node, n.pk_node AS node, n.fk_parent, n.name, 1 AS depth FROM tb_node n
	UNION ALL
	SELECT up.pk_node, n.pk_node, n.fk_parent, n.name, up.depth + 1 FROM up JOIN tb_node n ON n.pk_node = up.fk_parent)
SELECT n.pk_node, (SELECT jsonb_agg(up.name ORDER BY up.depth) FROM up WHERE up.pk_node = n.pk_node) AS data
FROM tb_node n;
BEGIN;
UPDATE tb_node SET name = 'x' WHERE pk_node = 1;
SELECT count(*) FROM tv_node;
SELECT * FROM test_locks();
ROLLBACK;
BEGIN;
INSERT INTO tb_node VALUES (5, 3, 'e');
SELECT count(*) FROM tv_node;
SELECT * FROM test_locks();
ROLLBACK;

-- values that can't be hashed, as their elements can't: all rows are one value
CREATE TYPE price AS (amount money, note text);
CREATE TABLE tb_a (pk_a int PRIMARY KEY, bits bit(3)[], price price, name text);
CREATE TABLE tb_b (pk_b int PRIMARY KEY, bits bit(3)[], price price, tags text[]);
CREATE TABLE tv_b AS
SELECT b.pk_b, jsonb_build_object('a', (SELECT jsonb_agg(a.name ORDER BY a.pk_a) FROM tb_a a WHERE a.bits = b.bits),
								  'c', (SELECT jsonb_agg(a.name ORDER BY a.pk_a) FROM tb_a a WHERE a.price = b.price),
								  'd', (SELECT jsonb_agg(a.name ORDER BY a.pk_a) FROM tb_a a WHERE ARRAY[a.name] = b.tags)) AS data
FROM tb_b b;
BEGIN;
INSERT INTO tb_b VALUES (1, '{101}', '(1,x)', '{one}'), (2, NULL, NULL, NULL);
INSERT INTO tb_a VALUES (1, '{101}', '(1,x)', 'one'), (2, NULL, '(1,x)', 'two');
SELECT data FROM tv_b ORDER BY pk_b;
SELECT target, "table", columns, mode, count FROM test_locks();
COMMIT;

-- keys that can't be hashed: by their bytes, or all are one
CREATE TABLE tb_fee (pk_fee money PRIMARY KEY, name text);
CREATE TABLE tv_fee AS SELECT pk_fee, to_jsonb(name) AS data FROM tb_fee;
BEGIN;
INSERT INTO tb_fee VALUES (1, 'a'), (2, 'b');
SELECT data FROM tv_fee ORDER BY pk_fee;
SELECT target, "table", columns, mode, count FROM test_locks();
COMMIT;

-- a tag that a TVIEW has no look-up for
SELECT pg_tviews_lookup('tv_node', 0);
SELECT pg_tviews_lookup('tb_node', 2);
SELECT * FROM test_oracle();
