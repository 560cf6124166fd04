-- The triggers of pg_tviews stay as long as a TVIEW needs them, nothing takes
-- their place, and triggers of users on TVIEWs leave no traces behind.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE FUNCTION nop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE tb_a (pk_a int PRIMARY KEY, n int);
INSERT INTO tb_a VALUES (1, 1);

-- a trigger that calls the function, but not for all changes, doesn't count
CREATE TRIGGER mine AFTER INSERT OR UPDATE OR DELETE ON tb_a
    FOR EACH ROW WHEN (pg_trigger_depth() > 99) EXECUTE FUNCTION pg_tviews_capture();
CREATE TABLE tv_a AS SELECT pk_a, jsonb_build_object('n', n) AS data FROM tb_a;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'tb_a'::regclass ORDER BY tgname COLLATE "C";
UPDATE tb_a SET n = 2;
SELECT data FROM tv_a;

-- nobody's trigger takes the place of ours
SELECT test_error($$CREATE OR REPLACE TRIGGER "!tview_capture" AFTER INSERT ON tb_a FOR EACH ROW EXECUTE FUNCTION nop()$$);
SELECT test_error($$CREATE OR REPLACE TRIGGER "!tview_guard" BEFORE INSERT ON tv_a FOR EACH STATEMENT EXECUTE FUNCTION nop()$$);

-- one that is dropped comes back
DROP TRIGGER "!tview_capture" ON tb_a;
DROP TRIGGER "!tview_guard" ON tv_a;
-- with an extension that they were made to depend on
CREATE EXTENSION citext;
ALTER TRIGGER "!tview_capture" ON tb_a DEPENDS ON EXTENSION citext;
ALTER TRIGGER "!tview_guard" ON tv_a DEPENDS ON EXTENSION citext;
DROP EXTENSION citext;
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgname LIKE '!%' ORDER BY 1, 2;
UPDATE tb_a SET n = 3;
SELECT data FROM tv_a;
SELECT test_error('DELETE FROM tv_a');

-- what a trigger of the owner sets in a refresh ends with it
CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('search_path', 'elsewhere', false);
    RETURN NULL;
END$$;
CREATE TRIGGER leave AFTER UPDATE ON tv_a FOR EACH ROW EXECUTE FUNCTION leave();
SELECT current_setting('search_path') AS before \gset
UPDATE tb_a SET n = 4;
SELECT current_setting('search_path') = :'before' AS unchanged;

SELECT * FROM test_oracle();
