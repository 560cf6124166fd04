/*-------------------------------------------------------------------------
 *
 * health.c
 *	  pg_tviews_health_check(): is everything in place that keeps TVIEWs right?
 *
 * Whether their contents are right is for pg_tviews_verify() to say, which
 * computes them.  Here only catalogs are read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "analyze/check.h"
#include "analyze/expand.h"
#include "analyze/plan.h"
#include "base/extension.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "observe/attempt.h"
#include "refresh/row_security.h"

PG_FUNCTION_INFO_V1(pg_tviews_health_check);

/* How urgent a finding is */
#define SEVERITY_INFO		"info"
#define SEVERITY_WARNING	"warning"	/* something to look at */
#define SEVERITY_CRITICAL	"critical"	/* TVIEWs are, or get, out of date */

enum
{
	HEALTH_STATUS,
	HEALTH_COMPONENT,
	HEALTH_MESSAGE,
	HEALTH_SEVERITY,
	HEALTH_COLUMNS
};

typedef struct Health
{
	ReturnSetInfo *result;
	const char *component;		/* the one that is looked at */
	int			findings;		/* in it */
} Health;

static void
put_row(Health *health, const char *status, const char *message,
		const char *severity)
{
	Datum		values[HEALTH_COLUMNS];
	bool		nulls[HEALTH_COLUMNS] = {0};

	values[HEALTH_STATUS] = CStringGetTextDatum(status);
	values[HEALTH_COMPONENT] = CStringGetTextDatum(health->component);
	values[HEALTH_MESSAGE] = CStringGetTextDatum(message);
	values[HEALTH_SEVERITY] = CStringGetTextDatum(severity);
	tuplestore_putvalues(health->result->setResult, health->result->setDesc,
						 values, nulls);
}

static void
begin_component(Health *health, const char *component)
{
	health->component = component;
	health->findings = 0;
}

static void
add_finding(Health *health, const char *severity, const char *message)
{
	health->findings++;
	put_row(health, strcmp(severity, SEVERITY_CRITICAL) == 0 ? "error" : "warning",
			message, severity);
}

/* A component without findings is in order, and says so. */
static void
end_component(Health *health, const char *summary)
{
	if (health->findings == 0)
		put_row(health, "ok", summary, SEVERITY_INFO);
}

/* Each row of the query, which has one column of type text, is a finding. */
static void
add_found(Health *health, const char *severity, const char *sql)
{
	SPI_connect();
	if (SPI_execute(sql, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look into the catalogs: %s", sql);
	for (uint64 i = 0; i < SPI_processed; i++)
		add_finding(health, severity,
					SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
								 1));
	SPI_finish();
}

/* ----------
 * Components
 * ----------
 */

static void
check_version(Health *health)
{
	begin_component(health, "version");
	add_found(health, SEVERITY_CRITICAL,
			  psprintf("SELECT format('the library is of version %%s, the extension of version %%s: run ALTER EXTENSION %%I UPDATE', %s, e.extversion, e.extname) "
					   "FROM pg_extension e WHERE e.extname = '%s' AND e.extversion <> %s",
					   quote_literal_cstr(TVIEW_VERSION),
					   TVIEW_EXTENSION_NAME,
					   quote_literal_cstr(TVIEW_VERSION)));
	add_found(health, SEVERITY_WARNING,
			  psprintf("SELECT format('version %%s is installed, %%s is there: run ALTER EXTENSION %%I UPDATE', e.extversion, a.default_version, e.extname) "
					   "FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname "
					   "WHERE e.extname = '%s' AND e.extversion <> a.default_version",
					   TVIEW_EXTENSION_NAME));
	end_component(health, psprintf("version %s", TVIEW_VERSION));
}

static void
check_event_triggers(Health *health)
{
	begin_component(health, "event triggers");
	add_found(health, SEVERITY_CRITICAL,
			  psprintf("SELECT format('event trigger that calls %%s() %%s', e.name, "
					   "CASE t.evtenabled WHEN 'D' THEN format('is disabled: run ALTER EVENT TRIGGER %%I ENABLE', t.evtname) "
					   "WHEN 'R' THEN format('fires in replica mode only: run ALTER EVENT TRIGGER %%I ENABLE', t.evtname) ELSE 'is missing' END) "
					   "FROM (VALUES ('pg_tviews_ddl_command_start'), ('pg_tviews_ddl_command_end'), ('pg_tviews_sql_drop')) e (name) "
					   "LEFT JOIN (pg_event_trigger t JOIN pg_proc p ON p.oid = t.evtfoid AND p.pronamespace = %u) ON p.proname = e.name "
					   "WHERE t.evtenabled IS NULL OR t.evtenabled NOT IN ('O', 'A') ORDER BY 1",
					   tview_extension_schema()));
	add_found(health, SEVERITY_WARNING,
			  "SELECT 'setting event_triggers is off: DDL of this session is not followed' "
			  "WHERE current_setting('event_triggers', true) = 'off'");
	end_component(health, "all are enabled");
}

static void
check_metadata(Health *health)
{
	const char *meta = tview_extension_qualify("pg_tview_meta");

	begin_component(health, "metadata");
	add_found(health, SEVERITY_CRITICAL,
			  psprintf("SELECT format('%%s of TVIEW \"%%s\" is missing', r.kind, m.entity) FROM %s m "
					   "CROSS JOIN LATERAL (VALUES ('table', m.tview), ('view', m.view), ('root', m.root)) r (kind, relation) "
					   "WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = r.relation) ORDER BY 1", meta));
	add_found(health, SEVERITY_CRITICAL,
			  psprintf("SELECT format('a table that TVIEW %%s reads is missing', m.tview) FROM %s m "
					   "WHERE EXISTS (SELECT FROM unnest(m.dependencies) d WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = d)) ORDER BY 1", meta));
	add_found(health, SEVERITY_CRITICAL,
			  psprintf("SELECT format('column %%I of view %%s is not in table %%s, or of another type there', a.attname, m.view, m.tview) "
					   "FROM %s m JOIN pg_attribute a ON a.attrelid = m.view AND a.attnum > 0 AND NOT a.attisdropped "
					   "WHERE EXISTS (SELECT FROM pg_class c WHERE c.oid = m.tview) AND NOT EXISTS (SELECT FROM pg_attribute b "
					   "WHERE b.attrelid = m.tview AND b.attnum > 0 AND NOT b.attisdropped AND b.attname = a.attname "
					   "AND b.atttypid = a.atttypid AND b.atttypmod = a.atttypmod AND b.attcollation = a.attcollation) ORDER BY 1", meta));
	add_found(health, SEVERITY_CRITICAL,
			  psprintf("SELECT format('TVIEW %%s has no primary key on %%I', m.tview, m.key_column) FROM %s m JOIN pg_class c ON c.oid = m.tview "
					   "WHERE NOT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
					   "WHERE i.indrelid = m.tview AND i.indisprimary AND i.indisvalid AND i.indnkeyatts = 1 AND a.attname = m.key_column) ORDER BY 1", meta));
	end_component(health, psprintf("%d TVIEWs",
								   list_length(tview_graph_all())));
}

/*
 * Tables whose changes have to be captured: those that TVIEWs read, and the
 * partitions and child tables of these
 */
static char *
captured_tables(void)
{
	return psprintf("WITH RECURSIVE d (relid) AS ("
					"SELECT u.relid::oid FROM %s m, unnest(m.dependencies) u (relid) "
					"JOIN pg_class c ON c.oid = u.relid "
					"UNION SELECT i.inhrelid FROM d JOIN pg_inherits i ON i.inhparent = d.relid)",
					tview_extension_qualify("pg_tview_meta"));
}

/*
 * Conditions on a trigger: it is fired by this event, before or after it,
 * for every change
 */
static char *
fires(const char *alias, int timing)
{
	return psprintf("%s.tgtype & e.event <> 0 AND %s.tgtype & %d = e.level AND %s.tgtype & %d = %d "
					"AND %s.tgqual IS NULL AND %s.tgattr::text = ''",
					alias, alias, TRIGGER_TYPE_ROW, alias,
					TRIGGER_TYPE_TIMING_MASK, timing, alias, alias);
}

static void
check_triggers(Health *health)
{
	char	   *state = "CASE WHEN bool_or(t.tgenabled = 'R') THEN 'fires in replica mode only' "
	"WHEN count(t.oid) > 0 THEN 'is disabled' ELSE 'is missing' END";
	char	   *broken = "bool_or(t.tgenabled IN ('O', 'A')) IS NOT TRUE";

	begin_component(health, "triggers");

	/* a partitioned table has no rows of its own */
	add_found(health, SEVERITY_CRITICAL,
			  psprintf("%s, b AS (SELECT d.relid, e.name, %s AS state "
					   "FROM d JOIN pg_class c ON c.oid = d.relid CROSS JOIN (VALUES (1, 'INSERT', %d, %d), (2, 'UPDATE', %d, %d), (3, 'DELETE', %d, %d), (4, 'TRUNCATE', %d, 0)) e (n, name, event, level) "
					   "LEFT JOIN pg_trigger t ON t.tgrelid = d.relid AND t.tgfoid = %u AND %s "
					   "WHERE e.level = 0 OR c.relkind <> 'p' "
					   "GROUP BY d.relid, e.n, e.name HAVING %s ORDER BY e.n) "
					   "SELECT format('capture trigger of table %%s for %%s %%s: changes go by; put it right, and run pg_tviews_refresh() for the TVIEWs that read the table', "
					   "b.relid::regclass, string_agg(b.name, ', '), b.state) FROM b GROUP BY b.relid, b.state ORDER BY 1",
					   captured_tables(), state,
					   TRIGGER_TYPE_INSERT, TRIGGER_TYPE_ROW,
					   TRIGGER_TYPE_UPDATE, TRIGGER_TYPE_ROW,
					   TRIGGER_TYPE_DELETE, TRIGGER_TYPE_ROW,
					   TRIGGER_TYPE_TRUNCATE,
					   tview_extension_function("pg_tviews_capture", InvalidOid),
					   fires("t", TRIGGER_TYPE_AFTER), broken));
	add_found(health, SEVERITY_WARNING,
			  psprintf("SELECT format('guard trigger of TVIEW %%s %%s: it can be written directly', g.tview, min(g.state)) FROM ("
					   "SELECT m.tview, %s AS state FROM %s m JOIN pg_class c ON c.oid = m.tview "
					   "CROSS JOIN (VALUES (%d, 0), (%d, 0), (%d, 0), (%d, 0)) e (event, level) "
					   "LEFT JOIN pg_trigger t ON t.tgrelid = m.tview AND t.tgfoid = %u AND %s "
					   "GROUP BY m.tview, e.event HAVING %s) g GROUP BY g.tview ORDER BY 1",
					   state, tview_extension_qualify("pg_tview_meta"),
					   TRIGGER_TYPE_INSERT, TRIGGER_TYPE_UPDATE,
					   TRIGGER_TYPE_DELETE, TRIGGER_TYPE_TRUNCATE,
					   tview_extension_function("pg_tviews_guard", InvalidOid),
					   fires("t", TRIGGER_TYPE_BEFORE), broken));
	end_component(health, "all are in place and enabled");
}

static void
check_orphans(Health *health)
{
	begin_component(health, "orphans");
	add_found(health, SEVERITY_WARNING,
			  psprintf("%s SELECT format('trigger %%I of table %%s captures changes that no TVIEW reads: drop it', t.tgname, t.tgrelid::regclass) "
					   "FROM pg_trigger t WHERE t.tgfoid = %u AND t.tgrelid NOT IN (SELECT d.relid FROM d) ORDER BY 1",
					   captured_tables(),
					   tview_extension_function("pg_tviews_capture", InvalidOid)));
	add_found(health, SEVERITY_WARNING,
			  psprintf("SELECT format('trigger %%I guards table %%s, which is no TVIEW: drop it', t.tgname, t.tgrelid::regclass) "
					   "FROM pg_trigger t WHERE t.tgfoid = %u AND t.tgrelid NOT IN (SELECT m.tview FROM %s m) ORDER BY 1",
					   tview_extension_function("pg_tviews_guard", InvalidOid),
					   tview_extension_qualify("pg_tview_meta")));
	end_component(health, "none");
}

/* Make the plan of a TVIEW anew, as its owner. */
static void
plan_again(void *arg)
{
	Oid			relid = *(Oid *) arg;
	Tview	   *tview = tview_graph_find(relid);
	Oid			view = tview->view;
	char	   *entity = pstrdup(tview->entity);
	TviewOptions *options = tview_options_copy(tview->options);

	tview_check_definition(tview_expand(tview_view_query(view)), entity,
						   options);
	tview_row_security_check(tview_plan_build(relid, view, entity, options));
}

static void
plan_as_owner(void *arg)
{
	TviewOwnerContext saved;

	tview_owner_enter(&saved, tview_owner_of(*(Oid *) arg), true);
	plan_again(arg);
	tview_owner_leave(&saved);
}

static void
check_plans(Health *health)
{
	List	   *tviews = NIL;
	ListCell   *lc;

	begin_component(health, "plans");
	foreach(lc, tview_graph_all())
		tviews = lappend_oid(tviews, ((Tview *) lfirst(lc))->tview);
	foreach(lc, tviews)
	{
		Oid			tview = lfirst_oid(lc);
		ErrorData  *error;

		/* what is missing has been said */
		if (get_rel_name(tview) == NULL ||
			get_rel_name(tview_graph_find(tview)->view) == NULL)
			continue;
		error = tview_attempt(plan_as_owner, &tview);
		if (error != NULL)
			add_finding(health, SEVERITY_CRITICAL,
						psprintf("TVIEW %s can't be maintained any more: %s%s%s",
								 tview_name_qualified(tview), error->message,
								 error->detail == NULL ? "" : ": ",
								 error->detail == NULL ? "" : error->detail));
	}
	end_component(health, "all definitions can be maintained");
}

static void
check_session(Health *health)
{
	begin_component(health, "session");
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		add_finding(health, SEVERITY_CRITICAL,
					"session_replication_role is replica: changes of this session are not captured");
	end_component(health, "changes of this session are captured");
}

/*
 * pg_tviews_health_check - a row for each component that is in order, and for
 * each finding in the others
 */
Datum
pg_tviews_health_check(PG_FUNCTION_ARGS)
{
	Health		health = {0};
	int			nest_level;

	InitMaterializedSRF(fcinfo, 0);
	health.result = (ReturnSetInfo *) fcinfo->resultinfo;
	nest_level = tview_fix_search_path();
	check_version(&health);
	check_event_triggers(&health);
	check_metadata(&health);
	check_triggers(&health);
	check_orphans(&health);
	check_plans(&health);
	check_session(&health);
	AtEOXact_GUC(false, nest_level);
	return (Datum) 0;
}
