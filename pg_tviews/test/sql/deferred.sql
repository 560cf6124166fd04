-- Deferred constraints and user triggers on TVIEWs work, also those that a
-- flush at commit fires.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\set VERBOSITY terse
CREATE TABLE tb_x (pk_x int PRIMARY KEY, slug text NOT NULL, n int NOT NULL DEFAULT 0);
INSERT INTO tb_x VALUES (1, 'one'), (2, 'two'), (3, 'three');
CREATE TABLE tv_x AS SELECT pk_x, slug, to_jsonb(n) AS data FROM tb_x;
CREATE TABLE tv_y AS SELECT pk_x AS pk_y, jsonb_build_array(data) AS data FROM v_x;

-- a deferred unique constraint
ALTER TABLE tv_x ADD CONSTRAINT unique_slug UNIQUE (slug) DEFERRABLE INITIALLY DEFERRED;
UPDATE tb_x SET slug = 'one' WHERE pk_x = 2;
\echo :LAST_ERROR_SQLSTATE
BEGIN;
UPDATE tb_x SET slug = 'one' WHERE pk_x = 2;
SELECT pk_x, slug FROM tv_x ORDER BY 1;
COMMIT;
\echo :LAST_ERROR_SQLSTATE
BEGIN;
UPDATE tb_x SET slug = 'one' WHERE pk_x = 2;
SELECT count(*) FROM tv_x;
UPDATE tb_x SET slug = 'uno' WHERE pk_x = 1;
COMMIT;
SELECT pk_x, slug FROM tv_x ORDER BY 1;
-- two rows swap their values
BEGIN;
UPDATE tb_x SET slug = CASE pk_x WHEN 1 THEN 'one' ELSE 'uno' END WHERE pk_x < 3;
COMMIT;
SELECT pk_x, slug FROM tv_x ORDER BY 1;
SELECT * FROM test_oracle();
ALTER TABLE tv_x DROP CONSTRAINT unique_slug;

-- a foreign key to a TVIEW
CREATE TABLE link (pk_x int REFERENCES tv_x DEFERRABLE INITIALLY DEFERRED);
INSERT INTO link VALUES (1);
DELETE FROM tb_x WHERE pk_x = 1;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO link VALUES (9);
\echo :LAST_ERROR_SQLSTATE
BEGIN;
INSERT INTO tb_x VALUES (4, 'four');
SELECT count(*) FROM tv_x;
INSERT INTO link VALUES (4);
COMMIT;
BEGIN;
DELETE FROM tb_x WHERE pk_x = 4;
DELETE FROM link WHERE pk_x = 4;
COMMIT;
SELECT * FROM test_oracle();
-- one with an action
DROP TABLE link;
CREATE TABLE link (pk_x int REFERENCES tv_x ON DELETE CASCADE);
INSERT INTO link VALUES (1), (2);
DELETE FROM tb_x WHERE pk_x = 2;
TABLE link;
DROP TABLE link;
SELECT * FROM test_oracle();

-- a foreign key of a TVIEW
CREATE TABLE kind (slug text PRIMARY KEY);
INSERT INTO kind SELECT slug FROM tb_x;
ALTER TABLE tv_x ADD CONSTRAINT kind FOREIGN KEY (slug) REFERENCES kind DEFERRABLE INITIALLY DEFERRED;
UPDATE tb_x SET slug = 'unknown' WHERE pk_x = 1;
\echo :LAST_ERROR_SQLSTATE
BEGIN;
UPDATE tb_x SET slug = 'known' WHERE pk_x = 1;
INSERT INTO kind VALUES ('known');
COMMIT;
SELECT pk_x, slug FROM tv_x ORDER BY 1;
SELECT * FROM test_oracle();
ALTER TABLE tv_x DROP CONSTRAINT kind;

-- a constraint trigger, immediate and deferred, at a read and at commit
CREATE FUNCTION no_negative() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF (SELECT sum((data ->> 0)::int) FROM public.tv_x) < 0 THEN
		RAISE check_violation USING MESSAGE = 'sum is negative';
	END IF;
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER no_negative AFTER INSERT OR UPDATE OR DELETE ON tv_x
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION no_negative();
UPDATE tb_x SET n = -1 WHERE pk_x = 1;
\echo :LAST_ERROR_SQLSTATE
BEGIN;
UPDATE tb_x SET n = -1 WHERE pk_x = 1;
SELECT data FROM tv_x WHERE pk_x = 1;
COMMIT;
BEGIN;
UPDATE tb_x SET n = -1 WHERE pk_x = 1;
SELECT data FROM tv_x WHERE pk_x = 1;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
BEGIN;
UPDATE tb_x SET n = -1 WHERE pk_x = 1;
UPDATE tb_x SET n = 1 WHERE pk_x = 3;
COMMIT;
SELECT pk_x, data FROM tv_x ORDER BY 1;
SELECT * FROM test_oracle();
DROP TRIGGER no_negative ON tv_x;

-- user triggers of rows, and of statements with transition tables
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_LEVEL = 'ROW' THEN
		RAISE NOTICE '% %: % -> %', TG_WHEN, TG_OP, OLD.data, NEW.data;
	ELSE
		RAISE NOTICE '% %: % rows', TG_WHEN, TG_OP, (SELECT count(*) FROM changed);
	END IF;
	RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER tell_row AFTER INSERT OR UPDATE OR DELETE ON tv_x FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER tell_statement AFTER UPDATE ON tv_y REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION tell();
UPDATE tb_x SET n = 5 WHERE pk_x = 1;
DELETE FROM tb_x WHERE pk_x = 3;
INSERT INTO tb_x VALUES (5, 'five');
BEGIN;
UPDATE tb_x SET n = 6 WHERE pk_x = 1;
UPDATE tb_x SET n = 7 WHERE pk_x = 1;
SELECT data FROM tv_y WHERE pk_y = 1;
COMMIT;
SELECT * FROM test_oracle();
DROP TRIGGER tell_row ON tv_x;
DROP TRIGGER tell_statement ON tv_y;

-- a trigger on a TVIEW that writes base tables: another one, and the same
CREATE TABLE tb_log (pk_log int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text NOT NULL);
CREATE TABLE tv_log AS SELECT pk_log, to_jsonb(what) AS data FROM tb_log;
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.tb_log (what) VALUES (format('%s is %s', NEW.pk_x, NEW.data));
	IF NEW.data < '3' THEN
		UPDATE public.tb_x SET n = n + 1 WHERE pk_x = NEW.pk_x;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER log AFTER INSERT OR UPDATE ON tv_x FOR EACH ROW EXECUTE FUNCTION log();
UPDATE tb_x SET n = 1 WHERE pk_x = 1;
SELECT data FROM tv_log ORDER BY pk_log;
SELECT pk_y, data FROM tv_y ORDER BY 1;
SELECT * FROM test_oracle();
-- what a trigger would write is not there before it fires
BEGIN;
INSERT INTO tb_x VALUES (6, 'six');
SELECT data FROM tv_log ORDER BY pk_log DESC LIMIT 1;
SELECT data FROM tv_x WHERE pk_x = 6;
SELECT data FROM tv_log ORDER BY pk_log DESC LIMIT 1;
COMMIT;
SELECT data FROM tv_log ORDER BY pk_log DESC LIMIT 1;
SELECT * FROM test_oracle();
DROP TRIGGER log ON tv_x;

-- one that writes to a TVIEW is refused
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN UPDATE public.tv_y SET data = ''{}''; RETURN NULL; END';
CREATE TRIGGER meddle AFTER UPDATE ON tv_x FOR EACH ROW EXECUTE FUNCTION meddle();
UPDATE tb_x SET n = 20 WHERE pk_x = 1;
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER meddle ON tv_x;
CREATE FUNCTION itself() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN DELETE FROM public.tv_x WHERE pk_x = NEW.pk_x; RETURN NULL; END';
CREATE TRIGGER itself AFTER UPDATE ON tv_x FOR EACH ROW EXECUTE FUNCTION itself();
UPDATE tb_x SET n = 21 WHERE pk_x = 1;
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER itself ON tv_x;

-- deferred triggers on base tables that write other base tables
CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN UPDATE tb_x SET n = n + 100 WHERE pk_x = 5; RETURN NULL; END';
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON tb_log
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();
INSERT INTO tb_log (what) VALUES ('late');
SELECT data FROM tv_y WHERE pk_y = 5;
SELECT * FROM test_oracle();

-- other columns of a TVIEW that has one
CREATE FUNCTION nop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON tv_x
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nop();
SELECT pg_tviews_alter('x', 'SELECT pk_x, n AS number, to_jsonb(n + 1) AS data FROM tb_x');
SELECT pg_tviews_alter('x', 'SELECT pk_x, to_jsonb(n) AS data FROM tb_x');
SELECT * FROM test_oracle();
