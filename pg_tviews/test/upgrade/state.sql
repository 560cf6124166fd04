-- What an upgrade of the server must not change, one line for each thing.  Left
-- out is what the server itself changes: who owns an extension, and whether the
-- types of its tables are members of it.

SET client_min_messages = warning;
SET timezone = UTC;
SELECT 'meta', m FROM pg_tview_meta m ORDER BY m.schema, m.entity;
SELECT 'oids', m.tview::oid, m.view::oid, m.root::oid, m.dependencies::oid[] FROM pg_tview_meta m ORDER BY m.schema, m.entity;
SELECT 'helper', h FROM pg_tview_helpers h ORDER BY h::text;
SELECT 'audit', a FROM pg_tview_audit_log a ORDER BY a.log_id;
SELECT 'suspended', s FROM pg_tviews_suspended s ORDER BY s::text;
SELECT 'extension', extversion, extnamespace::regnamespace, extconfig::regclass[], extcondition
FROM pg_extension WHERE extname = 'pg_tviews';
SELECT 'member', pg_describe_object(d.classid, d.objid, d.objsubid), obj_description(d.objid, d.classid::regclass::text)
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'pg_tviews' AND d.deptype = 'e' AND d.classid <> 'pg_type'::regclass ORDER BY 2;
SELECT 'trigger', pg_get_triggerdef(oid), tgenabled, obj_description(oid, 'pg_trigger'), tgisinternal
FROM pg_trigger WHERE NOT tgisinternal ORDER BY 2;
SELECT 'event trigger', evtname, evtevent, evtenabled, evttags FROM pg_event_trigger ORDER BY 2;
SELECT 'table', c.oid::regclass, c.relkind, c.relpersistence, c.relreplident, c.relrowsecurity, c.relowner::regrole,
	c.reloptions, obj_description(c.oid, 'pg_class'),
	(SELECT string_agg(concat_ws(' ', x.grantee, x.privilege_type), ',' ORDER BY x.grantee, x.privilege_type)
	 FROM aclexplode(COALESCE(c.relacl, acldefault('r', c.relowner))) x WHERE x.privilege_type <> 'MAINTAIN')
FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
ORDER BY 2;
SELECT 'column', a.attrelid::regclass, a.attnum, a.attname, a.attisdropped, a.attnotnull AND NOT a.attisdropped, a.attcompression, a.attacl,
	CASE WHEN NOT a.attisdropped THEN a.attstorage END, CASE WHEN NOT a.attisdropped THEN format_type(a.atttypid, a.atttypmod) END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attnum > 0 AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
ORDER BY a.attrelid::regclass::text, a.attnum;
SELECT 'index', pg_get_indexdef(indexrelid), indisvalid, indisprimary FROM pg_index
WHERE indrelid::regclass::text !~ '^(pg_|information_schema)' ORDER BY 2;
SELECT 'statistics', stxname, stxrelid::regclass, pg_get_statisticsobjdef(oid) FROM pg_statistic_ext ORDER BY 4;
SELECT 'policy', polname, polrelid::regclass, pg_get_expr(polqual, polrelid) FROM pg_policy ORDER BY 2;
SELECT 'setting', setdatabase <> 0, setrole, setconfig FROM pg_db_role_setting
WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 4;
SELECT format('SELECT %L, x.source_no, x.source, x.alias, x.kind, x.key_columns, x.used_columns, x.path, x.index, x.missing_index, x.cascade_level, x.capture '
	'FROM pg_tviews_explain(%L) x ORDER BY 2', 'explain ' || entity, format('%I.%I', schema, entity))
FROM pg_tview_meta ORDER BY schema, entity \gexec
