/*-------------------------------------------------------------------------
 *
 * support.c
 *	  pg_tviews_support_report(): all that somebody needs who is to help.
 *
 * Names, definitions, settings and figures, but nothing of what is in rows:
 * messages of errors are left out, as they may quote values.  A part that
 * can't be had says why instead.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/extension.h"
#include "base/owner.h"
#include "observe/attempt.h"

PG_FUNCTION_INFO_V1(pg_tviews_support_report);

/* A part of the report; the query, in which $ is our schema, returns one value */
typedef struct Part
{
	const char *name;
	const char *sql;
} Part;

/* A query's rows as an array, in the order of its columns */
#define ROWS(query) \
	"SELECT COALESCE(jsonb_agg(to_jsonb(r) ORDER BY r), '[]') FROM (" query ") AS r"

static const Part parts[] = {
	{"reported_at", "SELECT to_jsonb(now())"},
	{"versions",
		"SELECT jsonb_build_object('server', version(), 'library', $.pg_tviews_version(), "
		"'extensions', (SELECT jsonb_object_agg(e.extname, e.extversion) FROM pg_extension AS e), "
	"'in_recovery', pg_is_in_recovery(), 'started', pg_postmaster_start_time())"},
	{"settings",
		"SELECT jsonb_object_agg(s.name, s.setting) FROM pg_settings AS s "
		"WHERE s.name LIKE 'pg\\_tviews.%' OR s.source NOT IN ('default', 'client', 'override') AND s.vartype <> 'string' "
		"OR s.name IN ('shared_preload_libraries', 'session_preload_libraries', 'default_transaction_isolation', "
		"'session_replication_role', 'server_encoding', 'max_locks_per_transaction', 'max_prepared_transactions', "
	"'max_connections', 'work_mem', 'maintenance_work_mem', 'track_counts', 'jit', 'wal_level', 'synchronous_commit')"},
	{"tviews",
		ROWS("SELECT m.schema, m.entity, to_jsonb(m) - '{schema,entity}'::text[] AS metadata, "
			 "pg_get_userbyid(c.relowner) AS owner, c.reltuples AS estimated_rows, "
			 "pg_total_relation_size(m.tview) AS bytes, pg_get_viewdef(m.view) AS view_definition, "
			 "(SELECT jsonb_agg(to_jsonb(a) ORDER BY a) FROM (SELECT t.attname, format_type(t.atttypid, t.atttypmod) AS type "
			 "FROM pg_attribute AS t WHERE t.attrelid = m.tview AND t.attnum > 0 AND NOT t.attisdropped) AS a) AS columns "
			 "FROM $.pg_tview_meta AS m LEFT JOIN pg_class AS c ON c.oid = m.tview")},
	{"helpers", ROWS("SELECT h.* FROM $.pg_tview_helpers AS h")},
	{"derivations",
		ROWS("SELECT m.schema, m.entity, to_jsonb(e) AS way FROM $.pg_tview_meta AS m "
			 "CROSS JOIN LATERAL $.pg_tviews_explain(format('%I.%I', m.schema, m.entity)) AS e")},
	{"health", ROWS("SELECT h.* FROM $.pg_tviews_health_check() AS h")},
	{"statistics",
		"SELECT COALESCE(jsonb_agg(to_jsonb(s) - 'last_error' ORDER BY s.schema, s.entity), '[]') "
	"FROM $.pg_tviews_performance_summary AS s"},
	{"caches", ROWS("SELECT c.* FROM $.pg_tviews_cache_stats AS c")},
	{"queues",
		"SELECT COALESCE(jsonb_agg(to_jsonb(q) - 'session' ORDER BY q.backend_pid), '[]') "
	"FROM $.pg_tviews_queue_realtime AS q"},
	{"progress", ROWS("SELECT p.* FROM $.pg_tviews_progress AS p")},
	{"locks",
		ROWS("SELECT l.tview, l.target, l.\"table\", l.columns, l.mode, l.granted, count(*) AS locks, "
			 "count(DISTINCT l.pid) AS sessions, min(l.waitstart) AS waiting_since "
			 "FROM $.pg_tviews_locks AS l GROUP BY 1, 2, 3, 4, 5, 6")},
	{"tables",
		ROWS("SELECT n.nspname, c.relname, c.relkind, c.relpersistence, c.reltuples AS estimated_rows, c.reloptions, "
			 "pg_relation_size(c.oid) AS bytes, c.relrowsecurity, s.n_live_tup, s.n_dead_tup, s.n_tup_upd, s.n_tup_hot_upd, "
			 "s.last_vacuum, s.last_autovacuum, s.last_analyze, s.last_autoanalyze, "
			 "(SELECT jsonb_agg(pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' -- invalid' END ORDER BY i.indexrelid) "
			 "FROM pg_index AS i WHERE i.indrelid = c.oid) AS indexes, "
			 "(SELECT jsonb_object_agg(t.tgname, t.tgenabled) FROM pg_trigger AS t "
			 "WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) AS triggers "
			 "FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
			 "LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid "
			 "WHERE c.oid IN (SELECT m.tview FROM $.pg_tview_meta AS m UNION SELECT unnest(m.dependencies) FROM $.pg_tview_meta AS m)")},
	{"event_triggers",
	"SELECT jsonb_object_agg(t.evtname, t.evtenabled) FROM pg_event_trigger AS t"},
};

/* One part under way */
typedef struct Attempt
{
	const char *sql;
	MemoryContext context;
	char	   *value;			/* JSON, in that context */
} Attempt;

static void
run(void *arg)
{
	Attempt    *attempt = arg;
	char	   *value;

	SPI_connect();
	if (SPI_execute(attempt->sql, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not look at the server: %s", attempt->sql);
	value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	attempt->value = MemoryContextStrdup(attempt->context,
										 value == NULL ? "null" : value);
	SPI_finish();
}

static void
append_error(StringInfo report, const ErrorData *error)
{
	appendStringInfo(report, "{\"sqlstate\": \"%s\", \"error\": ",
					 unpack_sql_state(error->sqlerrcode));
	escape_json(report, error->message);
	appendStringInfoChar(report, '}');
}

/*
 * pg_tviews_support_report - everything but rows, as one document
 */
Datum
pg_tviews_support_report(PG_FUNCTION_ARGS)
{
	int			nest_level = tview_fix_search_path();
	StringInfoData report;

	initStringInfo(&report);
	for (int i = 0; i < lengthof(parts); i++)
	{
		Attempt		attempt = {tview_extension_sql(parts[i].sql),
		CurrentMemoryContext, NULL};
		ErrorData  *error = tview_attempt(run, &attempt);

		appendStringInfoString(&report, i == 0 ? "{" : ", ");
		escape_json(&report, parts[i].name);
		appendStringInfoString(&report, ": ");
		if (error != NULL)
			append_error(&report, error);
		else
			appendStringInfoString(&report, attempt.value);
	}
	appendStringInfoChar(&report, '}');
	AtEOXact_GUC(false, nest_level);
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in,
										CStringGetDatum(report.data)));
}
