/* pg_tviews: what is between versions 0.2.0 and 0.1.0. */
\echo Use "ALTER EXTENSION pg_tviews UPDATE TO '0.1.0'" to load this file. \quit

-- what version 0.1.0 would not keep right
DO $$
BEGIN
    IF EXISTS (SELECT FROM @extschema@.pg_tview_meta AS m
               WHERE m.suspended IS NOT NULL) THEN
        RAISE EXCEPTION 'TVIEWs are suspended, which version 0.1.0 does not know'
            USING ERRCODE = '55000', HINT = 'Call pg_tviews_resume() for them first.';
    END IF;
    IF EXISTS (SELECT FROM @extschema@.pg_tview_meta AS m
               WHERE m.tview OPERATOR(pg_catalog.=) 0::pg_catalog.oid
               OR m.view OPERATOR(pg_catalog.=) 0::pg_catalog.oid) THEN
        RAISE EXCEPTION 'TVIEWs are missing, which version 0.1.0 does not know'
            USING ERRCODE = '55000', HINT = 'Call pg_tviews_recreate() first, or delete their rows.';
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
               WHERE t.tgfoid OPERATOR(pg_catalog.=) '@extschema@.pg_tviews_capture()'::pg_catalog.regprocedure
               AND (t.tgoldtable IS NOT NULL OR t.tgnewtable IS NOT NULL)) THEN
        RAISE EXCEPTION 'tables are captured by statement, which version 0.1.0 does not know'
            USING ERRCODE = '55000', HINT = 'Call pg_tviews_install_row_triggers() for them first.';
    END IF;
END
$$;
DELETE FROM @extschema@.pg_tview_helpers AS h
WHERE h.helper OPERATOR(pg_catalog.=) 0::pg_catalog.oid
OR h.tview OPERATOR(pg_catalog.=) 0::pg_catalog.oid;

-- what resumed TVIEWs have kept
DO $$
DECLARE
    s text;
BEGIN
    FOR s IN SELECT pg_catalog.format('%I.%I', n.nspname, x.stxname)
             FROM pg_catalog.pg_depend AS d
             JOIN pg_catalog.pg_statistic_ext AS x ON x.oid OPERATOR(pg_catalog.=) d.objid
             JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) x.stxnamespace
             WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass
             AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
             AND d.refobjid OPERATOR(pg_catalog.=) '@extschema@.pg_tviews_tripwire()'::pg_catalog.regprocedure
    LOOP
        EXECUTE 'DROP STATISTICS ' OPERATOR(pg_catalog.||) s;
    END LOOP;
END
$$;

-- new functions, and those that returned something else
DROP VIEW @extschema@.pg_tviews_suspended;
DROP FUNCTION @extschema@.pg_tviews_convert_table(regclass, text, text, jsonb);
DROP FUNCTION @extschema@.pg_tviews_repair(text);
DROP FUNCTION @extschema@.pg_tviews_suspend(text);
DROP FUNCTION @extschema@.pg_tviews_resume(text);
DROP FUNCTION @extschema@.pg_tviews_reinstall_triggers(text);
DROP FUNCTION @extschema@.pg_tviews_recreate(text);
DROP FUNCTION @extschema@.pg_tviews_install_stmt_triggers(regclass);
DROP FUNCTION @extschema@.pg_tviews_install_row_triggers(regclass);
DROP FUNCTION @extschema@.pg_tviews_capture_replicated(text, boolean);
DROP FUNCTION @extschema@.pg_tviews_suggest_indexes(text);
DROP FUNCTION @extschema@.pg_tviews_graph(text);
DROP FUNCTION @extschema@.pg_tviews_health_check(integer);
DROP FUNCTION @extschema@.pg_tviews_tripwire();
DROP FUNCTION @extschema@.pg_tviews_explain(text);
CREATE FUNCTION @extschema@.pg_tviews_explain(entity text)
    RETURNS TABLE (source_no integer, source regclass, alias text, kind text,
                   key_columns text[], used_columns text[], derivation text,
                   path text, index text, missing_index text,
                   cascade_level integer)
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_explain(text) IS
    'how changes of each source of a TVIEW reach its keys, one row for each way';
CREATE FUNCTION @extschema@.pg_tviews_health_check()
    RETURNS TABLE (status text, component text, message text, severity text)
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_health_check() IS
    'whether everything is in place that keeps TVIEWs right: status ok, warning or error, severity info, warning or critical; one row for each component in order, and for each finding in the others';
COMMENT ON FUNCTION @extschema@.pg_tviews_capture() IS
    'internal: notes a changed row of a table that TVIEWs read';

-- restoring metadata
DROP TRIGGER pg_tviews_metadata_restored ON @extschema@.pg_tview_meta;
DROP TRIGGER pg_tviews_metadata_restored ON @extschema@.pg_tview_helpers;
DROP TRIGGER pg_tviews_metadata_restored ON @extschema@.pg_tview_audit_log;
DROP FUNCTION @extschema@.pg_tviews_metadata_restored();
DO $$
BEGIN
    IF (SELECT c.relowner FROM pg_catalog.pg_class AS c
        WHERE c.oid OPERATOR(pg_catalog.=) '@extschema@.pg_tview_meta'::pg_catalog.regclass)
       OPERATOR(pg_catalog.<>)
       (SELECT x.extowner FROM pg_catalog.pg_extension AS x
        WHERE x.extname OPERATOR(pg_catalog.=) 'pg_tviews') THEN
        REVOKE INSERT ON @extschema@.pg_tview_meta, @extschema@.pg_tview_helpers FROM @extowner@;
        REVOKE SELECT, INSERT ON @extschema@.pg_tview_audit_log FROM @extowner@;
        REVOKE SELECT, UPDATE ON @extschema@.pg_tview_audit_log_log_id_seq FROM @extowner@;
    END IF;
END
$$;

-- views that use columns which get another type; they get their queries back below
CREATE OR REPLACE VIEW @extschema@.pg_tviews_locks AS
SELECT (NULL::@extschema@.pg_tviews_locks).*;
CREATE OR REPLACE VIEW @extschema@.pg_tviews_performance_summary AS
SELECT (NULL::@extschema@.pg_tviews_performance_summary).*;
CREATE OR REPLACE VIEW @extschema@.pg_tviews_queue_realtime AS
SELECT (NULL::@extschema@.pg_tviews_queue_realtime).*;

-- metadata
DROP INDEX @extschema@.pg_tview_meta_tview_idx, @extschema@.pg_tview_meta_view_idx,
    @extschema@.pg_tview_helpers_idx;
ALTER TABLE @extschema@.pg_tview_meta
    ALTER tview TYPE regclass,
    ALTER view TYPE regclass,
    ALTER root TYPE regclass,
    ALTER dependencies TYPE regclass[],
    DROP suspended,
    ADD PRIMARY KEY (tview),
    ADD UNIQUE (view);
ALTER TABLE @extschema@.pg_tview_helpers
    ALTER helper TYPE regclass,
    ALTER tview TYPE regclass,
    ADD PRIMARY KEY (helper, tview);
COMMENT ON COLUMN @extschema@.pg_tview_meta.tview IS
    'the maintained table, tv_<entity>';
COMMENT ON COLUMN @extschema@.pg_tview_meta.view IS
    'the defining view, v_<entity>';

CREATE OR REPLACE VIEW @extschema@.pg_tviews_locks AS
SELECT l.pid,
       NULLIF(l.classid, 0)::pg_catalog.regclass AS tview,
       CASE WHEN l.database = 0 THEN 'permit'
            WHEN l.objsubid = 28672 THEN 'TVIEW'
            WHEN l.objsubid = 28673 THEN 'key'
            ELSE 'look-up' END AS target,
       CASE WHEN l.objsubid > 28673 THEN w."table" END AS "table",
       CASE WHEN l.objsubid > 28673 THEN w.columns
            WHEN l.objsubid = 28673 THEN ARRAY[m.key_column::pg_catalog.text]
            END AS columns,
       CASE WHEN l.objsubid > 28672 THEN l.objid::pg_catalog.int8 END AS hash,
       l.mode, l.granted, l.waitstart
FROM pg_catalog.pg_locks AS l
LEFT JOIN @extschema@.pg_tview_meta AS m ON m.tview = l.classid
LEFT JOIN LATERAL @extschema@.pg_tviews_lookup(m.tview, l.objsubid - 28672)
    AS w ON true
WHERE l.locktype = 'advisory' AND l.objsubid BETWEEN 28672 AND 32767
AND l.database IN (0, (SELECT d.oid FROM pg_catalog.pg_database AS d
                       WHERE d.datname = pg_catalog.current_database()));
CREATE OR REPLACE VIEW @extschema@.pg_tviews_performance_summary AS
SELECT m.entity, m.schema, m.tview,
       COALESCE(s.refreshes, 0) AS total_refreshes,
       COALESCE(s.rebuilds, 0) AS rebuilds,
       COALESCE(s.keys, 0) AS keys_derived,
       COALESCE(s.patches, 0) AS patches,
       COALESCE(s.inserted, 0) AS rows_inserted,
       COALESCE(s.updated, 0) AS rows_updated,
       COALESCE(s.deleted, 0) AS rows_deleted,
       COALESCE(s.unchanged, 0) AS rows_unchanged,
       COALESCE(s.total_ms, 0) AS total_refresh_ms,
       s.total_ms OPERATOR(pg_catalog./) NULLIF(s.refreshes, 0)
           AS avg_refresh_ms,
       s.p50_ms AS p50_refresh_ms, s.p95_ms AS p95_refresh_ms,
       s.p99_ms AS p99_refresh_ms, s.max_ms AS max_refresh_ms,
       COALESCE(s.lock_wait_ms, 0) AS lock_wait_ms, s.last_refresh,
       COALESCE(s.errors, 0) AS errors, s.last_error_at,
       s.last_error_code, s.last_error, s.since AS stats_since, c.scope
FROM @extschema@.pg_tview_meta AS m
LEFT JOIN @extschema@.pg_tviews_statistics() AS s ON s.tview = m.tview
CROSS JOIN (SELECT min(k.scope) AS scope
            FROM @extschema@.pg_tviews_cache_statistics() AS k) AS c;
CREATE OR REPLACE VIEW @extschema@.pg_tviews_queue_realtime AS
SELECT a.application_name AS session, q.pid AS backend_pid,
       a.backend_xid AS transaction_id, q.queue_size,
       ARRAY(SELECT m.entity FROM @extschema@.pg_tview_meta AS m
             WHERE m.tview = ANY (q.tviews) ORDER BY m.entity) AS entities,
       q.newest AS last_enqueued, q.oldest AS oldest_enqueued,
       q.memory_bytes,
       CASE WHEN NOT q.flushing THEN 'queued'
            WHEN EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                         WHERE l.pid = q.pid AND NOT l.granted)
            THEN 'waiting for a lock'
            ELSE 'flushing' END AS state,
       q.scope
FROM @extschema@.pg_tviews_activity() AS q
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = q.pid
WHERE q.queue_size > 0 OR q.flushing;

DROP CAST (@extschema@.pg_tview_relation AS pg_catalog.regclass);
DROP CAST (@extschema@.pg_tview_relation AS pg_catalog.oid);
DROP CAST (pg_catalog.regclass AS @extschema@.pg_tview_relation);
DROP TYPE @extschema@.pg_tview_relation CASCADE;
