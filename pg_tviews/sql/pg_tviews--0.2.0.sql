/* pg_tviews: objects of the extension.  Everything else is in C. */
\echo Use "CREATE EXTENSION pg_tviews" to load this file. \quit

--
-- Names of relations in metadata
--

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

--
-- Metadata
--

CREATE TABLE @extschema@.pg_tview_meta (
    entity        text        NOT NULL,
    schema        name        NOT NULL,
    tview         @extschema@.pg_tview_relation   NOT NULL,
    view          @extschema@.pg_tview_relation   NOT NULL,
    root          @extschema@.pg_tview_relation   NOT NULL,
    key_column    name        NOT NULL,
    definition    text        NOT NULL,
    dependencies  @extschema@.pg_tview_relation[] NOT NULL,
    fk_columns    name[]      NOT NULL,
    uuid_columns  name[]      NOT NULL,
    options       jsonb       NOT NULL,
    created_at    timestamptz NOT NULL,
    policies      text        NOT NULL,
    suspended     timestamptz
);
CREATE UNIQUE INDEX pg_tview_meta_tview_idx ON @extschema@.pg_tview_meta (tview)
    WHERE tview OPERATOR(pg_catalog.<>) 0::pg_catalog.oid;
CREATE UNIQUE INDEX pg_tview_meta_view_idx ON @extschema@.pg_tview_meta (view)
    WHERE view OPERATOR(pg_catalog.<>) 0::pg_catalog.oid;
COMMENT ON TABLE @extschema@.pg_tview_meta IS
    'TVIEWs of this database, one row for each';
COMMENT ON COLUMN @extschema@.pg_tview_meta.entity IS
    'name of the entity, without the prefix tv_';
COMMENT ON COLUMN @extschema@.pg_tview_meta.schema IS
    'schema of the TVIEW';
COMMENT ON COLUMN @extschema@.pg_tview_meta.tview IS
    'the maintained table, tv_<entity>; - if it was not there when the row was restored';
COMMENT ON COLUMN @extschema@.pg_tview_meta.view IS
    'the defining view, v_<entity>; - if it was not there when the row was restored';
COMMENT ON COLUMN @extschema@.pg_tview_meta.root IS
    'table whose rows give the TVIEW its keys';
COMMENT ON COLUMN @extschema@.pg_tview_meta.key_column IS
    'primary key column, pk_<entity>';
COMMENT ON COLUMN @extschema@.pg_tview_meta.definition IS
    'the defining query, with qualified names as they are now';
COMMENT ON COLUMN @extschema@.pg_tview_meta.dependencies IS
    'tables that the definition reads, other TVIEWs included';
COMMENT ON COLUMN @extschema@.pg_tview_meta.fk_columns IS
    'columns fk_<parent> of the TVIEW';
COMMENT ON COLUMN @extschema@.pg_tview_meta.uuid_columns IS
    'columns <parent>_id of the TVIEW';
COMMENT ON COLUMN @extschema@.pg_tview_meta.options IS
    'options given when the TVIEW was created or altered, names in them qualified';
COMMENT ON COLUMN @extschema@.pg_tview_meta.created_at IS
    'when the TVIEW was created';
COMMENT ON COLUMN @extschema@.pg_tview_meta.policies IS
    'row-level security policies of tables, as they apply to the owner of the TVIEW; empty if there are none';
COMMENT ON COLUMN @extschema@.pg_tview_meta.suspended IS
    'since when the TVIEW itself is suspended, and may be out of date; null if it isn''t';

CREATE TABLE @extschema@.pg_tview_helpers (
    helper  @extschema@.pg_tview_relation NOT NULL,
    tview   @extschema@.pg_tview_relation NOT NULL
);
CREATE UNIQUE INDEX pg_tview_helpers_idx
    ON @extschema@.pg_tview_helpers (helper, tview)
    WHERE helper OPERATOR(pg_catalog.<>) 0::pg_catalog.oid AND tview OPERATOR(pg_catalog.<>) 0::pg_catalog.oid;
COMMENT ON TABLE @extschema@.pg_tview_helpers IS
    'plain views that definitions read, and the TVIEWs that use them';
COMMENT ON COLUMN @extschema@.pg_tview_helpers.helper IS
    'the plain view';
COMMENT ON COLUMN @extschema@.pg_tview_helpers.tview IS
    'a TVIEW whose definition reads it, directly or through other views';

GRANT SELECT ON @extschema@.pg_tview_meta, @extschema@.pg_tview_helpers TO PUBLIC;
GRANT INSERT ON @extschema@.pg_tview_meta, @extschema@.pg_tview_helpers TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('@extschema@.pg_tview_meta', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.pg_tview_helpers', '');

CREATE FUNCTION @extschema@.pg_tviews_metadata_changed() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.pg_tviews_metadata_changed() IS
    'internal: tells every backend that the set of TVIEWs has changed';

CREATE TRIGGER pg_tviews_metadata_changed
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.pg_tview_meta
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.pg_tviews_metadata_changed();
COMMENT ON TRIGGER pg_tviews_metadata_changed ON @extschema@.pg_tview_meta IS
    'tells every backend that the set of TVIEWs has changed';

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

--
-- Audit log
--

CREATE TABLE @extschema@.pg_tview_audit_log (
    log_id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operation         text        NOT NULL,
    schema            text,
    entity            text,
    owner             text,
    performed_by      text        NOT NULL,
    performed_as      text        NOT NULL,
    performed_at      timestamptz NOT NULL,
    transaction_id    xid8        NOT NULL,
    client_addr       inet,
    client_port       integer,
    application_name  text,
    details           jsonb       NOT NULL,
    CHECK (operation IN ('CREATE', 'DROP', 'ALTER', 'REFRESH', 'REPAIR',
                         'CONVERT', 'PURGE')),
    CHECK ((operation = 'PURGE') = (entity IS NULL)),
    CHECK ((entity IS NULL) = (schema IS NULL))
);
CREATE INDEX pg_tview_audit_log_entity_idx
    ON @extschema@.pg_tview_audit_log (entity, schema);
CREATE INDEX pg_tview_audit_log_old_entity_idx
    ON @extschema@.pg_tview_audit_log ((details #>> '{old,entity}'))
    WHERE details #>> '{old,entity}' IS NOT NULL;
CREATE INDEX pg_tview_audit_log_performed_at_idx
    ON @extschema@.pg_tview_audit_log (performed_at);
COMMENT ON TABLE @extschema@.pg_tview_audit_log IS
    'what was done to TVIEWs of this database, one row for each operation on each TVIEW, written in its transaction';
COMMENT ON COLUMN @extschema@.pg_tview_audit_log.log_id IS
    'ascending number, with gaps; not in the order of commits';
COMMENT ON COLUMN @extschema@.pg_tview_audit_log.operation IS
    'CREATE, DROP, ALTER, REFRESH, REPAIR, CONVERT; PURGE: rows of this table were deleted';
COMMENT ON COLUMN @extschema@.pg_tview_audit_log.schema IS
    'schema of the TVIEW afterwards; null for PURGE';
COMMENT ON COLUMN @extschema@.pg_tview_audit_log.entity IS
    'name of the entity afterwards, without the prefix tv_; null for PURGE';
COMMENT ON COLUMN @extschema@.pg_tview_audit_log.owner IS
    'owner of the TVIEW afterwards; of a dropped one, its last; null if that is not known';
COMMENT ON COLUMN @extschema@.pg_tview_audit_log.performed_by IS
    'session_user: the role that logged in';
COMMENT ON COLUMN @extschema@.pg_tview_audit_log.performed_as IS
    'current_user: the role in effect, by SET ROLE or a SECURITY DEFINER function';
COMMENT ON COLUMN @extschema@.pg_tview_audit_log.performed_at IS
    'time at which it was done, by the clock; not the start of the transaction';
COMMENT ON COLUMN @extschema@.pg_tview_audit_log.transaction_id IS
    'transaction in which it was done, as pg_current_xact_id() returns it';
COMMENT ON COLUMN @extschema@.pg_tview_audit_log.client_addr IS
    'address of the client; null: a Unix socket, or no client';
COMMENT ON COLUMN @extschema@.pg_tview_audit_log.client_port IS
    'TCP port of the client; null: a Unix socket, or no client';
COMMENT ON COLUMN @extschema@.pg_tview_audit_log.application_name IS
    'application_name of the session; null if it was empty';
COMMENT ON COLUMN @extschema@.pg_tview_audit_log.details IS
    'command and version; definition and options of the TVIEW afterwards, or before it was dropped; "old" has what was different before; further keys depend on the operation';

CREATE TRIGGER pg_tviews_metadata_restored
    BEFORE INSERT ON @extschema@.pg_tview_audit_log
    FOR EACH ROW EXECUTE FUNCTION @extschema@.pg_tviews_metadata_restored();
COMMENT ON TRIGGER pg_tviews_metadata_restored ON @extschema@.pg_tview_audit_log IS
    'marks rows that a role has restored which is no superuser';

GRANT SELECT ON @extschema@.pg_tview_audit_log TO pg_read_all_stats;
GRANT SELECT, INSERT ON @extschema@.pg_tview_audit_log TO @extowner@;
GRANT SELECT, UPDATE ON @extschema@.pg_tview_audit_log_log_id_seq TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('@extschema@.pg_tview_audit_log', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.pg_tview_audit_log_log_id_seq', '');

CREATE FUNCTION @extschema@.pg_tviews_audit(entity text DEFAULT NULL,
                                            since timestamptz DEFAULT NULL)
    RETURNS SETOF @extschema@.pg_tview_audit_log
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_audit(text, timestamptz) IS
    'rows of the audit log, newest first, of a TVIEW or of all, there or dropped, that the caller owns or owned; all rows for members of pg_read_all_stats';

CREATE FUNCTION @extschema@.pg_tviews_audit_purge(before timestamptz)
    RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_audit_purge(timestamptz) IS
    'delete rows of the audit log that are older, and record that, if there were any; returns how many';
REVOKE EXECUTE ON FUNCTION @extschema@.pg_tviews_audit_purge(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.pg_tviews_audit_purge(timestamptz) TO @extowner@;

--
-- Making and removing TVIEWs
--

CREATE FUNCTION @extschema@.pg_tviews_create(entity text, definition text,
                                             options jsonb DEFAULT '{}')
    RETURNS regclass
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_create(text, text, jsonb) IS
    'make view v_<entity> and table tv_<entity> of a query, and maintain the table from now on';

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

CREATE FUNCTION @extschema@.pg_tviews_alter(entity text, definition text,
                                            options jsonb DEFAULT NULL)
    RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_alter(text, text, jsonb) IS
    'give a TVIEW another definition, and other options unless they are null; returns what that took: unchanged, rebuilt, columns changed';

CREATE FUNCTION @extschema@.pg_tviews_drop(entity text,
                                           if_exists boolean DEFAULT false)
    RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_drop(text, boolean) IS
    'drop a TVIEW: its table, its view, and the triggers that no other TVIEW needs; false if there was none';

CREATE FUNCTION @extschema@.pg_tviews_refresh(entity text,
                                              OUT inserted bigint,
                                              OUT updated bigint,
                                              OUT deleted bigint)
    RETURNS record
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_refresh(text) IS
    'recompute all rows of a TVIEW and write those that differ; returns how many rows were written';

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

--
-- How changes are captured
--

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

--
-- Looking at TVIEWs
--

CREATE FUNCTION @extschema@.pg_tviews_verify(entity text)
    RETURNS TABLE (key text, difference text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_verify(text) IS
    'keys whose stored row is not what the view returns: missing, extra, different, duplicate, null key';

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

CREATE FUNCTION @extschema@.pg_tviews_analyze_select(definition text,
                                                     entity text DEFAULT NULL,
                                                     options jsonb DEFAULT '{}')
    RETURNS TABLE (section text, name text, kind text, detail text,
                   properties jsonb, sql text)
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_analyze_select(text, text, jsonb) IS
    'what pg_tviews_create() would make of a definition, or why it would refuse it, without creating anything; sections are verdict, column, source, index, notice';

CREATE FUNCTION @extschema@.pg_tviews_health_check(sample integer DEFAULT 0)
    RETURNS TABLE (status text, component text, message text, severity text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_health_check(integer) IS
    'whether everything is in place that keeps TVIEWs right, and that many keys of each TVIEW are: status OK, WARNING or ERROR, severity info, warning or error; one row for each component in order, and for each finding in the others';
REVOKE EXECUTE ON FUNCTION @extschema@.pg_tviews_health_check(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.pg_tviews_health_check(integer)
    TO @extowner@, pg_monitor;

CREATE FUNCTION @extschema@.pg_tviews_lookup(tview regclass, tag integer,
                                             OUT "table" regclass,
                                             OUT columns text[])
    RETURNS record
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_lookup(regclass, integer) IS
    'the table and columns whose values locks of a TVIEW with this tag are about; null if it has none, or if its definition is locked by DDL';

CREATE VIEW @extschema@.pg_tviews_locks AS
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
COMMENT ON VIEW @extschema@.pg_tviews_locks IS
    'locks of refreshes in this database, one row for each session and lock, held or waited for';
COMMENT ON COLUMN @extschema@.pg_tviews_locks.pid IS
    'process that holds it or waits for it; null: a prepared transaction';
COMMENT ON COLUMN @extschema@.pg_tviews_locks.tview IS
    'the TVIEW that is refreshed; null for a permit';
COMMENT ON COLUMN @extschema@.pg_tviews_locks.target IS
    'what is locked: TVIEW, the TVIEW as a whole (RowExclusiveLock: values of it); key, one of its keys; look-up, a value that changed rows lead to its keys by; permit, the right to 64 more locks';
COMMENT ON COLUMN @extschema@.pg_tviews_locks."table" IS
    'of a look-up: the table in which rows with the value are looked up';
COMMENT ON COLUMN @extschema@.pg_tviews_locks.columns IS
    'columns that have the value; none: all rows of the table are one value';
COMMENT ON COLUMN @extschema@.pg_tviews_locks.hash IS
    'hash of the value';
COMMENT ON COLUMN @extschema@.pg_tviews_locks.mode IS
    'of a look-up: RowExclusiveLock, its rows are being looked up; ShareLock, a row with the value has come to be; ShareRowExclusiveLock, both';
COMMENT ON COLUMN @extschema@.pg_tviews_locks.granted IS
    'held, or waited for';
COMMENT ON COLUMN @extschema@.pg_tviews_locks.waitstart IS
    'since when it is waited for';
GRANT SELECT ON @extschema@.pg_tviews_locks TO PUBLIC;

--
-- Statistics
--

CREATE FUNCTION @extschema@.pg_tviews_statistics()
    RETURNS TABLE (tview regclass, refreshes bigint, rebuilds bigint,
                   keys bigint, patches bigint,
                   inserted bigint, updated bigint, deleted bigint,
                   unchanged bigint, total_ms double precision,
                   p50_ms double precision, p95_ms double precision,
                   p99_ms double precision, max_ms double precision,
                   lock_wait_ms double precision, last_refresh timestamptz,
                   errors bigint, last_error_at timestamptz,
                   last_error_code text, last_error text, since timestamptz)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.pg_tviews_statistics() IS
    'internal: counters of TVIEWs that were refreshed, for view pg_tviews_performance_summary';

CREATE FUNCTION @extschema@.pg_tviews_cache_statistics()
    RETURNS TABLE (cache_type text, entries bigint, bytes bigint, hits bigint,
                   misses bigint, invalidations bigint, since timestamptz,
                   scope text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.pg_tviews_cache_statistics() IS
    'internal: counters and sizes of caches, for view pg_tviews_cache_stats';

CREATE FUNCTION @extschema@.pg_tviews_activity()
    RETURNS TABLE (pid integer, queue_size bigint, memory_bytes bigint,
                   tviews regclass[], oldest timestamptz, newest timestamptz,
                   flushing boolean, building text, phase text, rows bigint,
                   rows_expected bigint, started timestamptz, scope text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.pg_tviews_activity() IS
    'internal: what sessions have to refresh or build, for views pg_tviews_queue_realtime and pg_tviews_progress';

CREATE FUNCTION @extschema@.pg_tviews_stats_reset(entity text DEFAULT NULL)
    RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.pg_tviews_stats_reset(text) IS
    'start the statistics of a TVIEW anew, or those of all and of caches';

CREATE VIEW @extschema@.pg_tviews_performance_summary AS
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
COMMENT ON VIEW @extschema@.pg_tviews_performance_summary IS
    'refreshes of each TVIEW since the server has started or the statistics were reset, of transactions that were rolled back, too';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.entity IS
    'name of the entity';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.schema IS
    'schema of the TVIEW';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.tview IS
    'the TVIEW';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.total_refreshes IS
    'how often it was refreshed: once for each transaction or read that had changes waiting, or on request';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.rebuilds IS
    'of these, how often all of it was recomputed';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.keys_derived IS
    'keys that changes have led to, and that were recomputed';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.patches IS
    'of these, keys of which only parts were recomputed';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.rows_inserted IS
    'rows inserted';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.rows_updated IS
    'rows updated';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.rows_deleted IS
    'rows deleted';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.rows_unchanged IS
    'keys recomputed without a difference, so that nothing was written';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.total_refresh_ms IS
    'time of all refreshes, in milliseconds';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.avg_refresh_ms IS
    'average time of a refresh, in milliseconds';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.p50_refresh_ms IS
    'median time of a refresh, in milliseconds; as all percentiles from a histogram, within 6.25 percent';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.p95_refresh_ms IS
    'time that 95 percent of the refreshes took at most, in milliseconds';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.p99_refresh_ms IS
    'time that 99 percent of the refreshes took at most, in milliseconds';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.max_refresh_ms IS
    'time of the longest refresh, in milliseconds';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.lock_wait_ms IS
    'part of the time that was spent waiting for locks of other refreshes, in milliseconds';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.last_refresh IS
    'when the last refresh was done';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.errors IS
    'refreshes that raised an error, and so failed their transaction';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.last_error_at IS
    'when the last one did';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.last_error_code IS
    'its SQLSTATE';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.last_error IS
    'its message; only for the owner of the TVIEW and members of pg_read_all_stats';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.stats_since IS
    'since when it is counted; null if the TVIEW was not refreshed yet';
COMMENT ON COLUMN @extschema@.pg_tviews_performance_summary.scope IS
    'whose refreshes are counted: all sessions, or this session';

CREATE VIEW @extschema@.pg_tviews_cache_stats AS
SELECT s.cache_type, s.entries, s.bytes AS estimated_size, s.hits, s.misses,
       s.invalidations, s.since AS stats_since, s.scope
FROM @extschema@.pg_tviews_cache_statistics() AS s;
COMMENT ON VIEW @extschema@.pg_tviews_cache_stats IS
    'what sessions of this database keep in memory between statements';
COMMENT ON COLUMN @extschema@.pg_tviews_cache_stats.cache_type IS
    'graph: the TVIEWs of the database; plan: how each is kept up to date; table: what to capture of each table';
COMMENT ON COLUMN @extschema@.pg_tviews_cache_stats.entries IS
    'entries in all sessions that there are';
COMMENT ON COLUMN @extschema@.pg_tviews_cache_stats.estimated_size IS
    'memory that they take, in bytes, prepared statements not counted';
COMMENT ON COLUMN @extschema@.pg_tviews_cache_stats.hits IS
    'look-ups that found an entry';
COMMENT ON COLUMN @extschema@.pg_tviews_cache_stats.misses IS
    'look-ups that had to make one';
COMMENT ON COLUMN @extschema@.pg_tviews_cache_stats.invalidations IS
    'entries that became out of date, by DDL for instance';
COMMENT ON COLUMN @extschema@.pg_tviews_cache_stats.stats_since IS
    'since when it is counted; null if nothing is yet';
COMMENT ON COLUMN @extschema@.pg_tviews_cache_stats.scope IS
    'whose caches these are: all sessions, or this session';

CREATE VIEW @extschema@.pg_tviews_queue_realtime AS
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
COMMENT ON VIEW @extschema@.pg_tviews_queue_realtime IS
    'changes that sessions of this database have not refreshed yet, one row for each session that has any';
COMMENT ON COLUMN @extschema@.pg_tviews_queue_realtime.session IS
    'application_name of the session';
COMMENT ON COLUMN @extschema@.pg_tviews_queue_realtime.backend_pid IS
    'its process';
COMMENT ON COLUMN @extschema@.pg_tviews_queue_realtime.transaction_id IS
    'its transaction; null for who may not see it in pg_stat_activity';
COMMENT ON COLUMN @extschema@.pg_tviews_queue_realtime.queue_size IS
    'changes waiting, or being flushed';
COMMENT ON COLUMN @extschema@.pg_tviews_queue_realtime.entities IS
    'TVIEWs that they are of, the first 32; those that a rollback to a savepoint has undone may still be there';
COMMENT ON COLUMN @extschema@.pg_tviews_queue_realtime.last_enqueued IS
    'when the last of them came';
COMMENT ON COLUMN @extschema@.pg_tviews_queue_realtime.oldest_enqueued IS
    'when the first of them came';
COMMENT ON COLUMN @extschema@.pg_tviews_queue_realtime.memory_bytes IS
    'memory that they take, in bytes';
COMMENT ON COLUMN @extschema@.pg_tviews_queue_realtime.state IS
    'queued, flushing, or waiting for a lock';
COMMENT ON COLUMN @extschema@.pg_tviews_queue_realtime.scope IS
    'whose queues these are: all sessions, or this session';

CREATE VIEW @extschema@.pg_tviews_progress AS
SELECT q.pid AS backend_pid, q.building AS entity, q.phase,
       q.rows AS rows_done, q.rows_expected AS estimated_total, q.started,
       q.scope
FROM @extschema@.pg_tviews_activity() AS q
WHERE q.phase IS NOT NULL;
COMMENT ON VIEW @extschema@.pg_tviews_progress IS
    'builds and rebuilds of TVIEWs that are under way in this database';
COMMENT ON COLUMN @extschema@.pg_tviews_progress.backend_pid IS
    'process that does it';
COMMENT ON COLUMN @extschema@.pg_tviews_progress.entity IS
    'the TVIEW; one that is being built can''t be seen elsewhere yet';
COMMENT ON COLUMN @extschema@.pg_tviews_progress.phase IS
    'loading rows, building indexes; or checking keys, deleting, updating, inserting rows';
COMMENT ON COLUMN @extschema@.pg_tviews_progress.rows_done IS
    'rows loaded, compared, or inserted in this phase';
COMMENT ON COLUMN @extschema@.pg_tviews_progress.estimated_total IS
    'rows that there are expected to be in all; null if there is no estimate';
COMMENT ON COLUMN @extschema@.pg_tviews_progress.started IS
    'when it started';
COMMENT ON COLUMN @extschema@.pg_tviews_progress.scope IS
    'whose work this is: all sessions, or this session';

GRANT SELECT ON @extschema@.pg_tviews_performance_summary,
    @extschema@.pg_tviews_cache_stats, @extschema@.pg_tviews_queue_realtime,
    @extschema@.pg_tviews_progress TO PUBLIC;

CREATE FUNCTION @extschema@.pg_tviews_support_report() RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_support_report() IS
    'versions, settings, definitions, health, statistics and locks in one document, without anything that is in rows';

CREATE FUNCTION @extschema@.pg_tviews_version() RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_version() IS
    'version of the library of pg_tviews';

--
-- What triggers and generated statements call
--

CREATE FUNCTION @extschema@.pg_tviews_capture() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.pg_tviews_capture() IS
    'internal: notes changed rows of a table that TVIEWs read';

CREATE FUNCTION @extschema@.pg_tviews_guard() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.pg_tviews_guard() IS
    'internal: refuses direct writes to a TVIEW';

CREATE FUNCTION @extschema@.pg_tviews_tripwire() RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.pg_tviews_tripwire() IS
    'internal: called when a query is planned that reads a TVIEW which is, or was, suspended';

CREATE FUNCTION @extschema@.pg_tviews_trace_key(anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE COST 0.01;
COMMENT ON FUNCTION @extschema@.pg_tviews_trace_key(anyelement) IS
    'internal: returns its argument, and keeps it for the context line of an error';

CREATE FUNCTION @extschema@.pg_tviews_count_row(anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE COST 0.01;
COMMENT ON FUNCTION @extschema@.pg_tviews_count_row(anyelement) IS
    'internal: returns its argument, and counts the rows that a rebuild has come to';

CREATE FUNCTION @extschema@.pg_tviews_ddl_command_start() RETURNS event_trigger
    AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.pg_tviews_ddl_command_start() IS
    'internal: before DDL, flushes what is waiting, takes the query of CREATE TABLE tv_<entity> AS, and refuses what would break a TVIEW';

CREATE FUNCTION @extschema@.pg_tviews_ddl_command_end() RETURNS event_trigger
    AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.pg_tviews_ddl_command_end() IS
    'internal: after DDL, makes a TVIEW of a table that CREATE TABLE tv_<entity> AS has made, and follows or refuses changes of shape';

CREATE FUNCTION @extschema@.pg_tviews_sql_drop() RETURNS event_trigger
    AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.pg_tviews_sql_drop() IS
    'internal: removes what belongs to a dropped TVIEW, and makes dropped triggers that others need again';

CREATE EVENT TRIGGER pg_tviews_ddl_command_start ON ddl_command_start
    EXECUTE FUNCTION @extschema@.pg_tviews_ddl_command_start();
COMMENT ON EVENT TRIGGER pg_tviews_ddl_command_start IS
    'before DDL: flushes, takes the query of CREATE TABLE tv_<entity> AS, refuses what would break a TVIEW';
CREATE EVENT TRIGGER pg_tviews_ddl_command_end ON ddl_command_end
    EXECUTE FUNCTION @extschema@.pg_tviews_ddl_command_end();
COMMENT ON EVENT TRIGGER pg_tviews_ddl_command_end IS
    'after DDL: makes TVIEWs of CREATE TABLE tv_<entity> AS, follows or refuses changes of shape';
CREATE EVENT TRIGGER pg_tviews_sql_drop ON sql_drop
    EXECUTE FUNCTION @extschema@.pg_tviews_sql_drop();
COMMENT ON EVENT TRIGGER pg_tviews_sql_drop IS
    'removes what belongs to dropped TVIEWs, and makes triggers that others need again';
