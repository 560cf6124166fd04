/*-------------------------------------------------------------------------
 *
 * health.c
 *	  pg_tviews_health_check(): is everything in place that keeps TVIEWs right?
 *
 * Each component is a function in the table below, and may not rely on any
 * other: it runs in a subtransaction, and an error that it raises becomes a row
 * of status ERROR, as a check that can't be made must not pass for one that
 * has found nothing.  So does an error about one TVIEW, without keeping the others
 * from being looked at.  Only what ends the whole call, such as a cancel, is
 * raised.
 *
 * Nothing is written and no strong lock is taken, so it works in a read-only
 * transaction, and on a standby.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "base/extension.h"
#include "base/names.h"
#include "base/owner.h"
#include "base/version.h"
#include "catalog/graph.h"
#include "observe/attempt.h"
#include "observe/health.h"

PG_FUNCTION_INFO_V1(pg_tviews_health_check);

#define COULD_NOT_CHECK		"could not be checked"

typedef struct Component
{
	const char *name;
	void		(*check) (TviewHealth *health);
	const char *summary;		/* if nothing is found; NULL: something is
								 * always */
} Component;

static const Component components[] = {
	{"extension", tview_health_extension, NULL},
	{"jsonb_ivm", tview_health_jsonb_ivm, NULL},
	{"event triggers", tview_health_event_triggers, "all are enabled"},
	{"metadata", tview_health_metadata, NULL},
	{"definitions", tview_health_definitions, "all can be read"},
	{"triggers", tview_health_triggers, "all are in place and enabled"},
	{"replication", tview_health_replication, "no subscription goes by triggers"},
	{"dependencies", tview_health_dependencies, NULL},
	{"plans", tview_health_plans, "all definitions can be maintained"},
	{"indexes", tview_health_indexes, "all look-ups have an index"},
	{"privileges", tview_health_privileges, "owners have what a refresh needs"},
	{"persistence", tview_health_persistence, "in a crash TVIEWs are lost with their tables, or not at all"},
	{"drift", tview_health_drift, NULL},
	{"session", tview_health_session, "changes of this session are captured"},
	{"queue", tview_health_queue, NULL},
	{"cache", tview_health_cache, NULL},
	{"statistics", tview_health_statistics, NULL},
};

typedef struct Finding
{
	TviewHealthStatus status;
	char	   *message;
} Finding;

/* One component, or one TVIEW in it, under way */
typedef struct Attempt
{
	TviewHealth *health;
	const Component *component;
	void		(*check) (TviewHealth *health, Oid tview);
	Oid			tview;
} Attempt;

/* ----------
 * Finding something
 * ----------
 */

/*
 * tview_health_add - say what is found
 */
void
tview_health_add(TviewHealth *health, TviewHealthStatus status,
				 const char *message)
{
	MemoryContext old = MemoryContextSwitchTo(health->context);
	Finding    *finding = palloc(sizeof(Finding));

	finding->status = status;
	finding->message = pstrdup(message);
	health->findings = lappend(health->findings, finding);
	MemoryContextSwitchTo(old);
}

/*
 * tview_health_add_once - the same, unless it has been said of another TVIEW
 */
void
tview_health_add_once(TviewHealth *health, TviewHealthStatus status,
					  const char *message)
{
	ListCell   *lc;

	foreach(lc, health->findings)
		if (strcmp(((Finding *) lfirst(lc))->message, message) == 0)
		return;
	tview_health_add(health, status, message);
}

/*
 * tview_health_add_rows - each row of a query, of one column, is a finding
 *
 * $ before a dot stands for our schema.
 */
void
tview_health_add_rows(TviewHealth *health, TviewHealthStatus status,
					  const char *sql)
{
	SPI_connect();
	if (SPI_execute(tview_extension_sql(sql), true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look into the catalogs: %s", sql);
	for (uint64 i = 0; i < SPI_processed; i++)
		tview_health_add(health, status,
						 SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
									  1));
	SPI_finish();
}

static void
add_error(TviewHealth *health, const char *what, const ErrorData *error)
{
	tview_health_add(health, TVIEW_HEALTH_ERROR,
					 psprintf("%s: %s%s%s (SQLSTATE %s)",
							  what, error->message,
							  error->detail == NULL ? "" : ": ",
							  error->detail == NULL ? "" : error->detail,
							  unpack_sql_state(error->sqlerrcode)));
}

/* ----------
 * Going through components and TVIEWs
 * ----------
 */

static void
check_tview(void *arg)
{
	Attempt    *attempt = arg;

	attempt->check(attempt->health, attempt->tview);
}

/* What is missing is for the component "metadata" to say. */
static bool
is_there(const Tview *tview)
{
	return get_rel_relkind(tview->tview) == RELKIND_RELATION &&
		get_rel_relkind(tview->view) == RELKIND_VIEW;
}

/*
 * tview_health_each - look at each TVIEW; "what" is said of one for which that
 * raises an error
 */
void
tview_health_each(TviewHealth *health, const char *what,
				  void (*check) (TviewHealth *health, Oid tview))
{
	List	   *tviews = NIL;
	ListCell   *lc;

	foreach(lc, tview_graph_all())
		if (is_there(lfirst(lc)))
		tviews = lappend_oid(tviews, ((Tview *) lfirst(lc))->tview);
	foreach(lc, tviews)
	{
		Attempt		attempt = {health, NULL, check, lfirst_oid(lc)};
		ErrorData  *error = tview_attempt_all(check_tview, &attempt);

		if (error == NULL)
			continue;

		/* nothing is wrong with one that was dropped meanwhile */
		AcceptInvalidationMessages();
		if (tview_graph_find(attempt.tview) != NULL &&
			get_rel_name(attempt.tview) != NULL)
			add_error(health,
					  psprintf("TVIEW %s %s",
							   tview_name_qualified(attempt.tview),
							   tview_attempt_is_verdict(error->sqlerrcode) ?
							   what : COULD_NOT_CHECK),
					  error);
	}
}

static void
check_component(void *arg)
{
	Attempt    *attempt = arg;

	attempt->component->check(attempt->health);
}

static void
put_row(ReturnSetInfo *result, const Component *component,
		TviewHealthStatus status, const char *message)
{
	static const char *const names[] = {"OK", "WARNING", "ERROR"};
	static const char *const severities[] = {"info", "warning", "error"};
	Datum		values[] = {
		CStringGetTextDatum(names[status]),
		CStringGetTextDatum(component->name),
		CStringGetTextDatum(message),
		CStringGetTextDatum(severities[status])
	};
	bool		nulls[lengthof(values)] = {0};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
put_component(ReturnSetInfo *result, TviewHealth *health,
			  const Component *component)
{
	Attempt		attempt = {health, component, NULL, InvalidOid};
	ErrorData  *error;
	ListCell   *lc;

	health->findings = NIL;
	error = tview_attempt_all(check_component, &attempt);
	if (error != NULL)
		add_error(health, COULD_NOT_CHECK, error);
	else if (health->findings == NIL)
		tview_health_add(health, TVIEW_HEALTH_OK, component->summary);
	foreach(lc, health->findings)
	{
		Finding    *finding = lfirst(lc);

		put_row(result, component, finding->status, finding->message);
	}
}

static int
sample_argument(FunctionCallInfo fcinfo)
{
	/* version 0.1.0 had no argument */
	if (PG_NARGS() == 0)
		tview_version_check();
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("number of keys to verify of each TVIEW must not be null"),
				 errhint("Use 0 to verify none.")));
	if (PG_GETARG_INT32(0) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of keys to verify of each TVIEW must not be negative: %d",
						PG_GETARG_INT32(0)),
				 errhint("Use 0 to verify none.")));
	return PG_GETARG_INT32(0);
}

/*
 * pg_tviews_health_check - a row for each component that is in order, and for
 * each finding in the others
 */
Datum
pg_tviews_health_check(PG_FUNCTION_ARGS)
{
	TviewHealth health = {CurrentMemoryContext, NIL, sample_argument(fcinfo)};
	int			nest_level;

	InitMaterializedSRF(fcinfo, 0);
	nest_level = tview_fix_search_path();

	/* to compile these queries takes seconds, to run them milliseconds */
	(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	for (int i = 0; i < lengthof(components); i++)
		put_component((ReturnSetInfo *) fcinfo->resultinfo, &health,
					  &components[i]);
	AtEOXact_GUC(false, nest_level);
	return (Datum) 0;
}
