-- Row-level security of base tables: a TVIEW holds the rows that its owner may
-- see, as its view does. Policies are judged like conditions, and what changes
-- them is followed.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
SET client_min_messages = warning;
CREATE ROLE regress_reader;
CREATE ROLE regress_other;
CREATE ROLE regress_group;
GRANT regress_group TO regress_reader;
GRANT CREATE ON SCHEMA public TO regress_reader, regress_other;
RESET client_min_messages;
CREATE TABLE tb_doc (pk_doc int PRIMARY KEY, fk_team int, title text, secret boolean NOT NULL, note text);
CREATE TABLE tb_team (pk_team int PRIMARY KEY, name text, open boolean NOT NULL);
CREATE INDEX ON tb_doc (fk_team);
GRANT SELECT, TRIGGER ON tb_doc, tb_team TO PUBLIC;
INSERT INTO tb_team VALUES (1, 'one', true), (2, 'two', false);
INSERT INTO tb_doc SELECT i, 1 + i % 2, 'doc ' || i, i % 3 = 0 FROM generate_series(1, 6) i;
ALTER TABLE tb_doc ENABLE ROW LEVEL SECURITY;
CREATE POLICY public_ones ON tb_doc FOR SELECT TO regress_group USING (NOT secret);
CREATE POLICY writing ON tb_doc FOR UPDATE TO regress_group USING (note = 'mine');
CREATE POLICY of_others ON tb_doc TO regress_other USING (pk_doc > (SELECT count(*) FROM tb_team));

SET ROLE regress_reader;
CREATE TABLE tv_doc AS
SELECT d.pk_doc, d.fk_team, jsonb_build_object('title', d.title, 'team', t.name) AS data
FROM tb_doc d LEFT JOIN tb_team t ON t.pk_team = d.fk_team;
CREATE TABLE tv_team AS
SELECT t.pk_team, jsonb_build_object('name', t.name, 'docs',
	(SELECT jsonb_agg(d.title ORDER BY d.pk_doc) FROM tb_doc d WHERE d.fk_team = t.pk_team)) AS data
FROM tb_team t;
RESET ROLE;
CREATE TABLE tv_all AS SELECT pk_doc AS pk_all, to_jsonb(title) AS data FROM tb_doc;
SELECT entity, policies FROM pg_tview_meta ORDER BY 1;
SELECT source, used_columns FROM pg_tviews_explain('doc') ORDER BY 1;
SELECT count(*) FROM tv_all;
SELECT pk_doc FROM tv_doc ORDER BY 1;
SELECT * FROM test_oracle();

-- changes that show and hide rows, by whoever
UPDATE tb_doc SET secret = NOT secret WHERE pk_doc IN (1, 3);
SELECT pk_doc FROM tv_doc ORDER BY 1;
SELECT pk_team, data FROM tv_team ORDER BY 1;
UPDATE tb_doc SET fk_team = 3 - fk_team, secret = NOT secret;
SELECT * FROM test_oracle();
-- several changes in one transaction, that would hide one another
BEGIN;
UPDATE tb_doc SET fk_team = 2, title = title || '!' WHERE NOT secret;
UPDATE tb_doc SET secret = true;
UPDATE tb_team SET name = upper(name);
UPDATE tb_doc SET secret = false, fk_team = 1 WHERE pk_doc > 4;
DELETE FROM tb_doc WHERE pk_doc = 6;
COMMIT;
SELECT pk_team, data FROM tv_team ORDER BY 1;
SELECT * FROM test_oracle();
SELECT test_remember('tv_doc', 'tv_team', 'tv_all');
UPDATE tb_doc SET note = 'mine';
SELECT * FROM test_written();
SET row_security = off;
UPDATE tb_doc SET secret = NOT secret;
RESET row_security;
SELECT * FROM pg_tviews_verify('doc');
SELECT pk_doc FROM tv_doc ORDER BY 1;
SELECT * FROM test_oracle();

-- on a table on the way to the key
ALTER TABLE tb_team ENABLE ROW LEVEL SECURITY;
SELECT count(*) FROM tv_team;
CREATE POLICY open_ones ON tb_team FOR SELECT USING (open);
SELECT pk_doc, data FROM tv_doc ORDER BY 1;
BEGIN;
UPDATE tb_team SET open = NOT open, name = lower(name);
UPDATE tb_doc SET title = 'new ' || pk_doc, fk_team = 3 - fk_team;
COMMIT;
SELECT pk_doc, data FROM tv_doc ORDER BY 1;
SELECT * FROM test_oracle();

-- a TVIEW that reads such a one, where all of it is computed; and one of another
-- role
SET ROLE regress_reader;
CREATE TABLE tv_over AS SELECT d.pk_doc AS pk_over, jsonb_build_object('doc', d.data) AS data FROM v_doc d;
GRANT SELECT ON v_doc TO regress_other;
GRANT SELECT, TRIGGER ON tv_doc TO regress_other;
SET ROLE regress_other;
CREATE TABLE tv_above AS SELECT d.pk_over AS pk_above, d.data FROM (SELECT pk_doc AS pk_over, data FROM v_doc) d;
RESET ROLE;
SELECT * FROM pg_tviews_verify('over');
SELECT * FROM pg_tviews_verify('above');
SELECT * FROM pg_tviews_refresh('over');
SELECT * FROM pg_tviews_repair('above');
BEGIN;
TRUNCATE tb_doc;
SELECT count(*) FROM tv_over;
ROLLBACK;
SELECT * FROM test_oracle();
DROP TABLE tv_over, tv_above;

-- what changes policies
BEGIN;
DROP POLICY public_ones ON tb_doc;
SELECT count(*) FROM tv_doc;
ROLLBACK;
SELECT count(*) FROM tv_doc;
ALTER POLICY public_ones ON tb_doc USING (secret);
SELECT pk_doc FROM tv_doc ORDER BY 1;
CREATE POLICY tight ON tb_doc AS RESTRICTIVE USING (pk_doc <> 3);
SELECT pk_doc FROM tv_doc ORDER BY 1;
ALTER TABLE tb_doc DISABLE ROW LEVEL SECURITY;
SELECT count(*) FROM tv_doc;
SELECT * FROM test_oracle();
ALTER TABLE tb_doc ENABLE ROW LEVEL SECURITY;
ALTER TABLE tb_doc OWNER TO regress_reader;
SELECT count(*) FROM tv_doc;
ALTER TABLE tb_doc FORCE ROW LEVEL SECURITY;
SELECT pk_doc FROM tv_doc ORDER BY 1;
SELECT entity, policies FROM pg_tview_meta ORDER BY 1;
SELECT * FROM test_oracle();
ALTER TABLE tb_doc NO FORCE ROW LEVEL SECURITY;
ALTER TABLE tb_doc OWNER TO CURRENT_USER;
ALTER TABLE tb_team DISABLE ROW LEVEL SECURITY;
SELECT * FROM test_oracle();

-- what policies are made of
CREATE FUNCTION shown(boolean) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN NOT $1; END';
ALTER POLICY public_ones ON tb_doc USING (shown(secret));
SELECT pk_doc FROM tv_doc ORDER BY 1;
CREATE OR REPLACE FUNCTION shown(boolean) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
SELECT pk_doc FROM tv_doc ORDER BY 1;
ALTER FUNCTION shown RENAME TO visible;
ALTER TABLE tb_doc RENAME COLUMN secret TO hidden;
ALTER TABLE tb_doc RENAME TO tb_document;
UPDATE tb_document SET hidden = NOT hidden WHERE pk_doc = 1;
SELECT pk_doc FROM tv_doc ORDER BY 1;
SELECT * FROM test_oracle();
ALTER TABLE tb_document RENAME TO tb_doc;

-- roles are not of this database: an error until it is said to rebuild
SET ROLE regress_reader;
CREATE TABLE tv_brief AS SELECT pk_doc AS pk_brief, to_jsonb(title) AS data FROM tb_doc;
RESET ROLE;
ALTER ROLE regress_reader BYPASSRLS;
\pset format unaligned
\pset tuples_only on
SELECT test_error('UPDATE tb_doc SET title = ''x''; SELECT FROM tv_brief');
\pset tuples_only off
\pset format aligned
SELECT inserted > 0 AS rebuilt FROM pg_tviews_refresh('brief');
SELECT inserted > 0 AS rebuilt FROM pg_tviews_refresh('doc');
SELECT inserted, updated > 0 AS rebuilt FROM pg_tviews_refresh('team');
UPDATE tb_doc SET title = 'y';
SELECT * FROM test_oracle();
ALTER ROLE regress_reader NOBYPASSRLS;
\pset format unaligned
\pset tuples_only on
SELECT test_error('UPDATE tb_doc SET title = ''x''; SELECT FROM tv_brief');
\pset tuples_only off
\pset format aligned
SELECT deleted > 0 AS rebuilt FROM pg_tviews_refresh('brief');
SELECT deleted > 0 AS rebuilt FROM pg_tviews_refresh('doc');
SELECT updated > 0 AS rebuilt FROM pg_tviews_refresh('team');
SELECT * FROM test_oracle();

-- what is refused
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION mine(text) RETURNS boolean STABLE LANGUAGE sql AS 'SELECT true';
SELECT test_error('CREATE POLICY p ON tb_doc TO regress_reader USING (note = current_user)', true);
SELECT test_error('CREATE POLICY p ON tb_doc USING (note = current_setting(''app.user''))', true);
SELECT test_error('CREATE POLICY p ON tb_doc USING (mine(note))');
SELECT test_error('ALTER POLICY public_ones ON tb_doc USING (fk_team IN (SELECT pk_team FROM tb_team WHERE open))', true);
CREATE POLICY p ON tb_doc FOR UPDATE USING (note = current_user);
CREATE POLICY q ON tb_doc TO regress_other USING (note = current_user);
SET ROLE regress_other;
SELECT test_error($$ CREATE TABLE tv_x AS SELECT pk_doc AS pk_x, '{}'::jsonb AS data FROM public.tb_doc $$);
RESET ROLE;
-- a view of somebody else's stands for other rows
CREATE VIEW docs AS SELECT pk_doc, title FROM tb_doc;
CREATE VIEW my_docs WITH (security_invoker) AS SELECT pk_doc, title FROM tb_doc;
GRANT SELECT ON docs, my_docs TO regress_reader;
SET ROLE regress_reader;
SELECT test_error($$ CREATE TABLE tv_x AS SELECT pk_doc AS pk_x, to_jsonb(title) AS data FROM public.docs $$);
SELECT test_error($$ CREATE TABLE tv_x AS SELECT pk_doc AS pk_x, to_jsonb(title) AS data FROM public.my_docs $$);
RESET ROLE;
CREATE TABLE tv_h AS SELECT pk_doc AS pk_h, to_jsonb(title) AS data FROM docs;
SELECT test_error('ALTER VIEW docs OWNER TO regress_reader');
-- policies on TVIEWs are for who reads them
ALTER TABLE tv_all ENABLE ROW LEVEL SECURITY;
GRANT SELECT, TRIGGER ON tv_all TO regress_reader;
GRANT SELECT ON v_all TO regress_reader;
SET ROLE regress_reader;
SELECT test_error($$ CREATE TABLE tv_x AS SELECT pk_all AS pk_x, data FROM public.v_all $$);
SELECT count(*) FROM tv_all;
ALTER TABLE tv_doc ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
RESET ROLE;
SELECT test_error('UPDATE tb_doc SET title = ''hidden''; SELECT FROM tv_doc');
ALTER TABLE tv_doc DISABLE ROW LEVEL SECURITY;
\pset tuples_only off
\pset format aligned
UPDATE tb_doc SET title = 'z';
SELECT * FROM test_oracle();

-- REASSIGN OWNED, for which the server raises no event
SET client_min_messages = warning;
CREATE ROLE regress_leaving;
RESET client_min_messages;
GRANT CREATE ON SCHEMA public TO regress_leaving;
CREATE TABLE tb_owned (pk_owned int PRIMARY KEY, n int);
INSERT INTO tb_owned SELECT i, i FROM generate_series(1, 5) i;
ALTER TABLE tb_owned ENABLE ROW LEVEL SECURITY;
CREATE POLICY low ON tb_owned TO regress_leaving USING (pk_owned < 3);
CREATE POLICY high ON tb_owned TO regress_other USING (pk_owned > 2);
GRANT SELECT, TRIGGER ON tb_owned TO regress_leaving, regress_other;
SET ROLE regress_leaving;
CREATE TABLE tv_owned AS SELECT pk_owned, to_jsonb(n) AS data FROM tb_owned;
RESET ROLE;
SELECT pk_owned, data FROM tv_owned ORDER BY 1;
BEGIN;
UPDATE tb_owned SET n = 10 * n;
REASSIGN OWNED BY regress_leaving TO regress_other;
SELECT pk_owned, data FROM tv_owned ORDER BY 1;
COMMIT;
SELECT operation, owner, details ->> 'command' AS command, details -> 'old' ->> 'owner' AS old FROM pg_tviews_audit('owned');
UPDATE tb_owned SET n = n + 1;
SELECT * FROM test_oracle() WHERE tview = 'tv_owned';
DROP TABLE tv_owned;
DROP TABLE tb_owned;
DROP OWNED BY regress_leaving;
DROP ROLE regress_leaving;

-- only the policies of the table that is read, not of its children
SET ROLE regress_reader;
CREATE TABLE public.tb_part (pk_part int, k int) PARTITION BY LIST (k);
CREATE TABLE public.part_1 PARTITION OF public.tb_part FOR VALUES IN (1);
CREATE TABLE public.part_2 (k int, pk_part int);
ALTER TABLE public.tb_part ATTACH PARTITION public.part_2 FOR VALUES IN (2);
INSERT INTO public.tb_part VALUES (1, 1), (2, 2), (10, 2);
ALTER TABLE public.tb_part ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY small ON public.tb_part USING (pk_part < 10 AND k > 0);
CREATE POLICY small ON public.part_2 USING (false);
ALTER TABLE public.part_2 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE TABLE public.tv_part AS SELECT pk_part, to_jsonb(k) AS data FROM public.tb_part;
RESET ROLE;
UPDATE part_2 SET pk_part = 9 WHERE pk_part = 10;
UPDATE part_2 SET pk_part = 12 WHERE pk_part = 2;
SELECT pk_part, data FROM tv_part ORDER BY 1;
SELECT * FROM test_oracle();
SET client_min_messages = warning;
DROP OWNED BY regress_group, regress_other CASCADE;
SELECT * FROM test_oracle();
DROP OWNED BY regress_reader CASCADE;
DROP ROLE regress_reader, regress_other, regress_group;
RESET client_min_messages;
SELECT * FROM test_oracle();
