/* pg_tviews: what is between versions 0.1.0 and 0.2.0. */
\echo Use "ALTER EXTENSION pg_tviews UPDATE TO '0.2.0'" to load this file. \quit

CREATE TYPE @extschema@.pg_tview_relation;
CREATE FUNCTION @extschema@.pg_tview_relation_in(cstring)
    RETURNS @extschema@.pg_tview_relation
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.pg_tview_relation_in(cstring) IS
    'internal: input of type pg_tview_relation';
CREATE FUNCTION @extschema@.pg_tview_relation_out(@extschema@.pg_tview_relation)
    RETURNS cstring
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.pg_tview_relation_out(@extschema@.pg_tview_relation) IS
    'internal: output of type pg_tview_relation';
CREATE FUNCTION @extschema@.pg_tview_relation_recv(internal)
    RETURNS @extschema@.pg_tview_relation
    AS 'oidrecv' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.pg_tview_relation_recv(internal) IS
    'internal: binary input of type pg_tview_relation';
CREATE FUNCTION @extschema@.pg_tview_relation_send(@extschema@.pg_tview_relation)
    RETURNS bytea
    AS 'oidsend' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.pg_tview_relation_send(@extschema@.pg_tview_relation) IS
    'internal: binary output of type pg_tview_relation';
CREATE TYPE @extschema@.pg_tview_relation (
    INPUT = @extschema@.pg_tview_relation_in,
    OUTPUT = @extschema@.pg_tview_relation_out,
    RECEIVE = @extschema@.pg_tview_relation_recv,
    SEND = @extschema@.pg_tview_relation_send,
    LIKE = pg_catalog.regclass,
    CATEGORY = 'N'
);
COMMENT ON TYPE @extschema@.pg_tview_relation IS
    'like regclass, but a relation that is not there is no error: it becomes -, so that metadata can be restored without its relations';
CREATE CAST (@extschema@.pg_tview_relation AS pg_catalog.regclass)
    WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (@extschema@.pg_tview_relation AS pg_catalog.oid)
    WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pg_catalog.regclass AS @extschema@.pg_tview_relation)
    WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (@extschema@.pg_tview_relation AS pg_catalog.regclass) IS
    'for comparisons, and for functions';
COMMENT ON CAST (@extschema@.pg_tview_relation AS pg_catalog.oid) IS
    'for comparisons, and for indexes';
COMMENT ON CAST (pg_catalog.regclass AS @extschema@.pg_tview_relation) IS
    'for writing metadata';

-- views that use columns which get another type; they get their queries back below
CREATE OR REPLACE VIEW @extschema@.pg_tviews_locks AS
SELECT (NULL::@extschema@.pg_tviews_locks).*;
CREATE OR REPLACE VIEW @extschema@.pg_tviews_performance_summary AS
SELECT (NULL::@extschema@.pg_tviews_performance_summary).*;
CREATE OR REPLACE VIEW @extschema@.pg_tviews_queue_realtime AS
SELECT (NULL::@extschema@.pg_tviews_queue_realtime).*;

-- metadata
ALTER TABLE @extschema@.pg_tview_meta
    DROP CONSTRAINT pg_tview_meta_pkey,
    DROP CONSTRAINT pg_tview_meta_view_key,
    ALTER tview TYPE @extschema@.pg_tview_relation,
    ALTER view TYPE @extschema@.pg_tview_relation,
    ALTER root TYPE @extschema@.pg_tview_relation,
    ALTER dependencies TYPE @extschema@.pg_tview_relation[],
    ADD suspended timestamptz;
ALTER TABLE @extschema@.pg_tview_helpers
    DROP CONSTRAINT pg_tview_helpers_pkey,
    ALTER helper TYPE @extschema@.pg_tview_relation,
    ALTER tview TYPE @extschema@.pg_tview_relation;
CREATE UNIQUE INDEX pg_tview_meta_tview_idx ON @extschema@.pg_tview_meta (tview)
    WHERE tview OPERATOR(pg_catalog.<>) 0::pg_catalog.oid;
CREATE UNIQUE INDEX pg_tview_meta_view_idx ON @extschema@.pg_tview_meta (view)
    WHERE view OPERATOR(pg_catalog.<>) 0::pg_catalog.oid;
COMMENT ON COLUMN @extschema@.pg_tview_meta.tview IS
    'the maintained table, tv_<entity>; - if it was not there when the row was restored';
COMMENT ON COLUMN @extschema@.pg_tview_meta.view IS
    'the defining view, v_<entity>; - if it was not there when the row was restored';
COMMENT ON COLUMN @extschema@.pg_tview_meta.suspended IS
    'since when the TVIEW itself is suspended, and may be out of date; null if it isn''t';
CREATE UNIQUE INDEX pg_tview_helpers_idx
    ON @extschema@.pg_tview_helpers (helper, tview)
    WHERE helper OPERATOR(pg_catalog.<>) 0::pg_catalog.oid AND tview OPERATOR(pg_catalog.<>) 0::pg_catalog.oid;

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
SELECT m.entity, m.schema, m.tview::pg_catalog.regclass,
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

-- functions that return something else, and new ones
DROP FUNCTION @extschema@.pg_tviews_explain(text);
DROP FUNCTION @extschema@.pg_tviews_health_check();
GRANT INSERT ON @extschema@.pg_tview_meta, @extschema@.pg_tview_helpers TO @extowner@;
CREATE FUNCTION @extschema@.pg_tviews_metadata_restored() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.pg_tviews_metadata_restored() IS
    'internal: lets a role restore metadata of TVIEWs that it could make';
CREATE TRIGGER pg_tviews_metadata_restored
    BEFORE INSERT ON @extschema@.pg_tview_meta
    FOR EACH ROW EXECUTE FUNCTION @extschema@.pg_tviews_metadata_restored();
COMMENT ON TRIGGER pg_tviews_metadata_restored ON @extschema@.pg_tview_meta IS
    'lets a role restore metadata of TVIEWs that it could make';
CREATE TRIGGER pg_tviews_metadata_restored
    BEFORE INSERT ON @extschema@.pg_tview_helpers
    FOR EACH ROW EXECUTE FUNCTION @extschema@.pg_tviews_metadata_restored();
COMMENT ON TRIGGER pg_tviews_metadata_restored ON @extschema@.pg_tview_helpers IS
    'lets a role restore metadata of TVIEWs that it could make';
CREATE TRIGGER pg_tviews_metadata_restored
    BEFORE INSERT ON @extschema@.pg_tview_audit_log
    FOR EACH ROW EXECUTE FUNCTION @extschema@.pg_tviews_metadata_restored();
COMMENT ON TRIGGER pg_tviews_metadata_restored ON @extschema@.pg_tview_audit_log IS
    'marks rows that a role has restored which is no superuser';
GRANT SELECT, INSERT ON @extschema@.pg_tview_audit_log TO @extowner@;
GRANT SELECT, UPDATE ON @extschema@.pg_tview_audit_log_log_id_seq TO @extowner@;
CREATE FUNCTION @extschema@.pg_tviews_convert_table("table" regclass,
                                                    entity text,
                                                    definition text,
                                                    options jsonb DEFAULT '{}',
                                                    OUT missing bigint,
                                                    OUT different bigint,
                                                    OUT extra bigint,
                                                    OUT duplicate bigint)
    RETURNS record
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_convert_table(regclass, text, text, jsonb) IS
    'make a TVIEW of a table tv_<entity> that was maintained by hand, and maintain it from now on; returns how many rows were missing, different, extra (null keys included), and duplicates by key';
CREATE FUNCTION @extschema@.pg_tviews_repair(entity text DEFAULT NULL)
    RETURNS TABLE (tview regclass, key text, difference text, columns text[])
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_repair(text) IS
    'recompute all rows of a TVIEW, or of all that the caller owns, and write those that differ; returns these as they were found: missing, extra, or different in these columns';
CREATE FUNCTION @extschema@.pg_tviews_suspend(entity text)
    RETURNS SETOF regclass
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_suspend(text) IS
    'stop refreshing a TVIEW and those that read it, which can''t be read until it is resumed; returns them';
CREATE FUNCTION @extschema@.pg_tviews_resume(entity text)
    RETURNS TABLE (tview regclass, inserted bigint, updated bigint,
                   deleted bigint)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_resume(text) IS
    'rebuild a suspended TVIEW and those suspended with it by differences, and refresh them again from now on; returns how many rows were written';
CREATE VIEW @extschema@.pg_tviews_suspended AS
WITH RECURSIVE s AS (
    SELECT m.entity, m.schema, m.tview::pg_catalog.regclass,
           m.tview::pg_catalog.regclass AS cause, m.suspended AS since
    FROM @extschema@.pg_tview_meta AS m
    WHERE m.suspended IS NOT NULL
    UNION
    SELECT m.entity, m.schema, m.tview::pg_catalog.regclass, s.cause, s.since
    FROM s
    JOIN @extschema@.pg_tview_meta AS m ON s.tview = ANY (m.dependencies))
SELECT s.entity, s.schema, s.tview, s.cause, s.since FROM s;
COMMENT ON VIEW @extschema@.pg_tviews_suspended IS
    'TVIEWs that are suspended, one row for each reason';
COMMENT ON COLUMN @extschema@.pg_tviews_suspended.entity IS
    'name of the entity';
COMMENT ON COLUMN @extschema@.pg_tviews_suspended.schema IS
    'schema of the TVIEW';
COMMENT ON COLUMN @extschema@.pg_tviews_suspended.tview IS
    'the TVIEW';
COMMENT ON COLUMN @extschema@.pg_tviews_suspended.cause IS
    'the TVIEW that was suspended: this one, or one that it reads, directly or not';
COMMENT ON COLUMN @extschema@.pg_tviews_suspended.since IS
    'when that was done';
GRANT SELECT ON @extschema@.pg_tviews_suspended TO PUBLIC;
CREATE FUNCTION @extschema@.pg_tviews_reinstall_triggers(entity text DEFAULT NULL)
    RETURNS TABLE ("table" regclass, trigger text, problem text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_reinstall_triggers(text) IS
    'mend the triggers that a TVIEW needs, or all that the caller owns, and then drop those that no TVIEW needs, too; returns what was wrong: missing, disabled, replica mode only, wrong definition, orphaned';
CREATE FUNCTION @extschema@.pg_tviews_recreate(entity text DEFAULT NULL)
    RETURNS TABLE (tview regclass, result text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_recreate(text) IS
    'make TVIEWs that the metadata has and the database lacks: one with those it reads, or all that the caller may; returns what was made, in order: created, or converted of a table that was there';
CREATE FUNCTION @extschema@.pg_tviews_install_stmt_triggers("table" regclass)
    RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_install_stmt_triggers(regclass) IS
    'capture changes of a table that TVIEWs read by statement, which may be cheaper where many narrow rows are written at once';
CREATE FUNCTION @extschema@.pg_tviews_install_row_triggers("table" regclass)
    RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_install_row_triggers(regclass) IS
    'capture changes of a table that TVIEWs read by row, as at first';
CREATE FUNCTION @extschema@.pg_tviews_capture_replicated(entity text,
                                                         "on" boolean DEFAULT true)
    RETURNS SETOF regclass
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_capture_replicated(text, boolean) IS
    'have the changes captured that logical replication makes in tables that a TVIEW reads, directly or through other TVIEWs, or no longer; returns the tables for which that is new';
CREATE FUNCTION @extschema@.pg_tviews_explain(entity text)
    RETURNS TABLE (source_no integer, source regclass, alias text, kind text,
                   key_columns text[], used_columns text[], derivation text,
                   path text, index text, missing_index text,
                   cascade_level integer, capture text)
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_explain(text) IS
    'how changes of each source of a TVIEW reach its keys, one row for each way';
CREATE FUNCTION @extschema@.pg_tviews_suggest_indexes(entity text DEFAULT NULL)
    RETURNS TABLE (tviews regclass[], "table" regclass, statement text,
                   status text, existing regclass, estimated_rows bigint,
                   reason text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_suggest_indexes(text) IS
    'statements that make the indexes which refreshes of a TVIEW, or of all, lack, those of large tables first; status missing, invalid or partial, or unknown for a TVIEW that can''t be maintained';
CREATE FUNCTION @extschema@.pg_tviews_graph(format text DEFAULT 'mermaid')
    RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_graph(text) IS
    'tables and TVIEWs, and how changes lead from one to the other, as a picture in Mermaid or DOT: estimated rows, average refresh in milliseconds, kinds as pg_tviews_explain() returns them';
CREATE FUNCTION @extschema@.pg_tviews_health_check(sample integer DEFAULT 0)
    RETURNS TABLE (status text, component text, message text, severity text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_health_check(integer) IS
    'whether everything is in place that keeps TVIEWs right, and that many keys of each TVIEW are: status OK, WARNING or ERROR, severity info, warning or error; one row for each component in order, and for each finding in the others';
REVOKE EXECUTE ON FUNCTION @extschema@.pg_tviews_health_check(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.pg_tviews_health_check(integer)
    TO @extowner@, pg_monitor;
COMMENT ON FUNCTION @extschema@.pg_tviews_capture() IS
    'internal: notes changed rows of a table that TVIEWs read';
CREATE FUNCTION @extschema@.pg_tviews_tripwire() RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_tripwire() IS
    'internal: called when a query is planned that reads a TVIEW which is, or was, suspended';
