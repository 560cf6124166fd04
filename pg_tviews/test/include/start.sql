\set ECHO none
-- Every test starts here: an empty schema public with the extension, and
-- functions to prove things with.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP SCHEMA public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
CREATE EXTENSION pg_tviews;

-- The oracle: rows that one of table and view has and the other hasn't
CREATE FUNCTION test_oracle() RETURNS TABLE (tview text, differences bigint)
LANGUAGE plpgsql SET search_path = public AS $$
DECLARE
	meta pg_tview_meta;
	cols text;
BEGIN
	FOR meta IN SELECT * FROM pg_tview_meta m ORDER BY m.tview::text COLLATE "C" LOOP
		SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
		INTO cols FROM pg_attribute
		WHERE attrelid = meta.view AND attnum > 0;
		tview := meta.tview;
		EXECUTE format('SELECT count(*) FROM ('
					   '(SELECT %1$s FROM %2$s EXCEPT ALL SELECT %1$s FROM %3$s)'
					   ' UNION ALL '
					   '(SELECT %1$s FROM %3$s EXCEPT ALL SELECT %1$s FROM %2$s)) d',
					   cols, meta.tview, meta.view) INTO differences;
		RETURN NEXT;
	END LOOP;
END $$;

-- What happens when these statements are run
CREATE FUNCTION test_error(statements text, with_context boolean DEFAULT false)
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
	detail text;
	hint text;
	context text;
BEGIN
	EXECUTE statements;
	RETURN NEXT 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE,
		message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
		hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	RETURN NEXT format('%s: %s', state, message);
	IF detail <> '' THEN
		-- what differs from run to run is left out
		detail := regexp_replace(detail, 'pg_temp_\d+', 'pg_temp', 'g');
		detail := regexp_replace(detail, '\d{4}-\d\d-\d\d [0-9:.+-]+', '(time)', 'g');
		RETURN NEXT 'detail: ' || detail;
	END IF;
	IF hint <> '' THEN
		RETURN NEXT 'hint: ' || hint;
	END IF;
	IF with_context THEN
		RETURN QUERY SELECT 'context: ' || line
			FROM regexp_split_to_table(context, E'\n') line
			WHERE line LIKE '%TVIEW%' AND line NOT LIKE 'SQL statement%';
	END IF;
END $$;

-- What there is of pg_tviews besides the extension itself
CREATE FUNCTION test_objects() RETURNS TABLE (kind text, name text)
LANGUAGE sql SET search_path = public AS $$
SELECT kind, name COLLATE "C" FROM (
	SELECT 'metadata' AS kind, tview::text AS name FROM pg_tview_meta
	UNION ALL
	SELECT 'helper', helper::text FROM pg_tview_helpers
	UNION ALL
	SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' END,
		   oid::regclass::text
	FROM pg_class WHERE relkind IN ('r', 'v') AND relname ~ '^(tv|v)_'
	UNION ALL
	SELECT 'trigger', tgname || ' on ' || tgrelid::regclass
	FROM pg_trigger WHERE tgname LIKE '!tview%') objects
ORDER BY 1, 2
$$;

-- Row versions of a TVIEW: remembered, and compared with what is there now
CREATE TABLE test_versions (relation regclass, key text, version text);
CREATE FUNCTION test_remember(VARIADIC tviews regclass[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM test_versions;
	FOR i IN 1 .. cardinality(tviews) LOOP
		EXECUTE format('INSERT INTO test_versions SELECT %L, pk, '
					   'concat_ws('' '', ctid, xmin, updated_at) '
					   'FROM (SELECT *, ctid, xmin, %I AS pk FROM %s) t',
					   tviews[i],
					   (SELECT key_column FROM pg_tview_meta
						WHERE tview = tviews[i]),
					   tviews[i]);
	END LOOP;
END $$;
CREATE FUNCTION test_written() RETURNS TABLE (tview text, key text, what text)
LANGUAGE plpgsql AS $$
DECLARE
	relation regclass;
BEGIN
	CREATE TEMP TABLE versions_now (LIKE test_versions) ON COMMIT DROP;
	FOR relation IN SELECT m.tview FROM pg_tview_meta m LOOP
		EXECUTE format('INSERT INTO versions_now SELECT %L, pk, '
					   'concat_ws('' '', ctid, xmin, updated_at) '
					   'FROM (SELECT *, ctid, xmin, %I AS pk FROM %s) t',
					   relation,
					   (SELECT key_column FROM pg_tview_meta m
						WHERE m.tview = relation),
					   relation);
	END LOOP;
	RETURN QUERY
		SELECT coalesce(o.relation, n.relation)::text COLLATE "C",
			   coalesce(o.key, n.key) COLLATE "C",
			   CASE WHEN o.key IS NULL THEN 'inserted'
					WHEN n.key IS NULL THEN 'deleted' ELSE 'updated' END
		FROM test_versions o
		FULL JOIN versions_now n
		ON o.relation = n.relation AND o.key = n.key
		WHERE o.version IS DISTINCT FROM n.version
		AND coalesce(o.relation, n.relation) IN
			(SELECT v.relation FROM test_versions v)
		ORDER BY 1, 2;
	DROP TABLE versions_now;
END $$;
RESET client_min_messages;
\set ECHO all
