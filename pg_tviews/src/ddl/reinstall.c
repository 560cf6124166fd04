/*-------------------------------------------------------------------------
 *
 * reinstall.c
 *	  pg_tviews_reinstall_triggers(): mending triggers that are not as they
 *	  should be.
 *
 * Which triggers there should be is said in triggers.c.  What is there is
 * looked up in the catalog by the function that it calls.  A trigger that is
 * disabled is enabled, and one that is missing or leaves changes out is made
 * anew.  One that fires in replica mode only is made to fire always, which is
 * what whoever has set that wanted, and what the TVIEW needs besides; one that
 * fires always stays like that.  Triggers on tables that no TVIEW has to do
 * with any more are dropped.
 *
 * All is done as the caller, who needs the rights that the statements need.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "analyze/expand.h"
#include "base/compat.h"
#include "base/extension.h"
#include "base/inherits.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/audit.h"
#include "catalog/graph.h"
#include "catalog/triggers.h"
#include "ddl/drop.h"
#include "ddl/locks.h"
#include "ddl/reinstall.h"
#include "ddl/triggers.h"
#include "refresh/rebuild.h"

PG_FUNCTION_INFO_V1(pg_tviews_reinstall_triggers);

#define ALL_EVENTS \
	(TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE | \
	 TRIGGER_TYPE_TRUNCATE)

/* A trigger that is there */
typedef struct Present
{
	Oid			oid;
	char	   *name;
	Oid			function;
	int16		type;
	char		enabled;
	bool		partial;		/* leaves changes out */
} Present;

/* What is wrong with a trigger that there should be, or that there is */
typedef struct Fault
{
	Oid			relid;
	const TviewTrigger *wanted; /* NULL: an orphan */
	char	   *name;
	const char *problem;
	List	   *enable;			/* of Present: would do if they were enabled */
} Fault;

static List *
present_triggers(Oid relid)
{
	Relation	rel = table_open(TriggerRelationId, AccessShareLock);
	List	   *result = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, TriggerRelidNameIndexId, true, NULL, 1,
							  &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);
		Present    *present = palloc(sizeof(Present));

		present->oid = form->oid;
		present->name = pstrdup(NameStr(form->tgname));
		present->function = form->tgfoid;
		present->type = form->tgtype;
		present->enabled = form->tgenabled;
		present->partial = tview_triggers_is_partial(tuple, rel);
		result = lappend(result, present);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/* ----------
 * What is wrong
 * ----------
 */

/* Does it fire for all of some of the events, as it should? */
static bool
serves(const Present *present, const TviewTrigger *wanted, Oid function)
{
	return present->function == function && !present->partial &&
		(present->type & ~ALL_EVENTS) == (wanted->type & ~ALL_EVENTS) &&
		(present->type & wanted->type & ALL_EVENTS) != 0;
}

static bool
fires_on_origin(char enabled)
{
	return enabled == TRIGGER_FIRES_ON_ORIGIN || enabled == TRIGGER_FIRES_ALWAYS;
}

static bool
fires_on_replica(char enabled)
{
	return enabled == TRIGGER_FIRES_ON_REPLICA || enabled == TRIGGER_FIRES_ALWAYS;
}

/* Does it fire in the modes in which it should? */
static bool
is_enabled(const Present *present, const TviewTrigger *wanted)
{
	return (fires_on_origin(present->enabled) ||
			!fires_on_origin(wanted->enabled)) &&
		(fires_on_replica(present->enabled) ||
		 !fires_on_replica(wanted->enabled));
}

static const char *
disabled_problem(const Present *present)
{
	return present->enabled == TRIGGER_DISABLED ? "disabled" :
		present->enabled == TRIGGER_FIRES_ON_REPLICA ? "replica mode only" :
		"not in replica mode";
}

/*
 * In which modes a trigger is to fire that doesn't fire in all in which it
 * should.
 */
static char
mode_to_enable(Oid relid, const Present *present, const TviewTrigger *wanted)
{
	return present->enabled == TRIGGER_FIRES_ON_REPLICA ?
		TRIGGER_FIRES_ALWAYS : tview_triggers_mode(relid, wanted);
}

static const Present *
find_name(List *triggers, const char *name)
{
	ListCell   *lc;

	foreach(lc, triggers)
		if (strcmp(((Present *) lfirst(lc))->name, name) == 0)
		return lfirst(lc);
	return NULL;
}

static Fault *
make_fault(Oid relid, const TviewTrigger *wanted, const char *name,
		   const char *problem)
{
	Fault	   *fault = palloc0(sizeof(Fault));

	fault->relid = relid;
	fault->wanted = wanted;
	fault->name = pstrdup(name);
	fault->problem = problem;
	return fault;
}

/* What is wrong with a trigger that the table should have, or NULL. */
static Fault *
find_fault(Oid relid, const TviewTrigger *wanted)
{
	Oid			function = tview_extension_function(wanted->function,
													InvalidOid);
	List	   *triggers = present_triggers(relid);
	int16		lacking = wanted->type & ALL_EVENTS;
	int16		disabled = 0;
	List	   *enable = NIL;
	Fault	   *fault;
	ListCell   *lc;

	foreach(lc, triggers)
	{
		Present    *present = lfirst(lc);

		if (serves(present, wanted, function) &&
			is_enabled(present, wanted))
			lacking &= ~present->type;
	}
	if (lacking == 0)
		return NULL;
	foreach(lc, triggers)
	{
		Present    *present = lfirst(lc);

		if (!serves(present, wanted, function) ||
			is_enabled(present, wanted) ||
			(present->type & lacking) == 0)
			continue;
		disabled |= present->type;
		enable = lappend(enable, present);
	}
	if ((lacking & ~disabled) == 0)
	{
		Present    *first = linitial(enable);

		fault = make_fault(relid, wanted, first->name,
						   disabled_problem(first));
		fault->enable = enable;
		return fault;
	}
	return make_fault(relid, wanted, wanted->name,
					  find_name(triggers, wanted->name) == NULL ?
					  "missing" : "wrong definition");
}

static List *
add_faults(List *faults, Oid relid, const char *function)
{
	ListCell   *lc;

	foreach(lc, tview_triggers_wanted(relid, function))
	{
		Fault	   *fault = find_fault(relid, lfirst(lc));

		if (fault != NULL)
			faults = lappend(faults, fault);
	}
	return faults;
}

/* Tables whose changes reach these TVIEWs. */
static List *
captured_tables(List *tviews)
{
	List	   *tables = NIL;
	ListCell   *lc;

	foreach(lc, tviews)
		tables = list_concat_unique_oid(tables,
										tview_graph_find(lfirst_oid(lc))->dependencies);
	tables = list_copy(tables);
	list_sort(tables, list_oid_cmp);
	return tview_inherits_trees(tables);
}

static List *
find_faults(List *tviews)
{
	List	   *faults = NIL;
	ListCell   *lc;

	foreach(lc, captured_tables(tviews))
		faults = add_faults(faults, lfirst_oid(lc), TVIEW_CAPTURE_FUNCTION);
	foreach(lc, tviews)
		faults = add_faults(faults, lfirst_oid(lc), TVIEW_GUARD_FUNCTION);
	return faults;
}

/* Triggers that call this function on tables which do not need it. */
static List *
find_unneeded(const char *function, List *needed)
{
	Oid			funcid = tview_extension_function(function, InvalidOid);
	List	   *faults = NIL;
	ListCell   *lc;

	foreach(lc, list_difference_oid(tview_triggers_tables(function), needed))
	{
		Oid			relid = lfirst_oid(lc);
		ListCell   *trigger;

		foreach(trigger, present_triggers(relid))
		{
			Present    *present = lfirst(trigger);

			if (present->function == funcid)
				faults = lappend(faults, make_fault(relid, NULL, present->name,
													"orphaned"));
		}
	}
	return faults;
}

static List *
all_tviews(void)
{
	List	   *all = NIL;
	ListCell   *lc;

	foreach(lc, tview_graph_all())
		all = lappend_oid(all, ((Tview *) lfirst(lc))->tview);
	return all;
}

/* Triggers that have nothing to do with any TVIEW. */
static List *
find_orphans(void)
{
	List	   *all = all_tviews();

	return list_concat(find_unneeded(TVIEW_CAPTURE_FUNCTION,
									 captured_tables(all)),
					   find_unneeded(TVIEW_GUARD_FUNCTION, all));
}

static void
report_all(List *faults, TviewReportTrigger report, void *arg)
{
	ListCell   *lc;

	foreach(lc, faults)
	{
		Fault	   *fault = lfirst(lc);

		/* a table that is gone has no triggers either */
		if (get_rel_name(fault->relid) != NULL)
			report(arg, fault->relid, fault->name, fault->problem,
				   fault->wanted == NULL ? NULL : fault->wanted->function);
	}
}

/*
 * tview_reinstall_report - hand over all that is wrong with triggers; the
 * function is the one that is not called as it should be, NULL for an orphan
 */
void
tview_reinstall_report(TviewReportTrigger report, void *arg)
{
	report_all(find_faults(all_tviews()), report, arg);
	report_all(find_orphans(), report, arg);
}

/*
 * tview_reinstall_check - raise an error if changes may go by a TVIEW, or if it
 * can be written directly
 */
void
tview_reinstall_check(Oid tview)
{
	List	   *faults = find_faults(list_make1_oid(tview));
	Fault	   *fault;

	if (faults == NIL)
		return;
	fault = linitial(faults);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("TVIEW %s would not stay right",
					tview_name_qualified(tview)),
			 errdetail("Trigger \"%s\" of table %s: %s.", fault->name,
					   tview_name_qualified(fault->relid), fault->problem),
			 errhint("Call pg_tviews_reinstall_triggers() first.")));
}

/* ----------
 * Mending it
 * ----------
 */

static void
drop_trigger(Oid relid, const char *name)
{
	ObjectAddress object;

	if (!tview_owner_is_member(relid))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE,
					   tview_name_qualified(relid));
	LockRelationOid(relid, AccessExclusiveLock);
	ObjectAddressSet(object, TriggerRelationId,
					 get_trigger_oid(relid, name, false));
	performDeletion(&object, DROP_RESTRICT, 0);
	CommandCounterIncrement();
}

static void
mend(const Fault *fault)
{
	ListCell   *lc;

	foreach(lc, fault->enable)
	{
		Present    *present = lfirst(lc);

		tview_triggers_enable(fault->relid, present->name,
							  mode_to_enable(fault->relid, present, fault->wanted));
	}
	if (fault->enable != NIL)
		return;
	if (find_name(present_triggers(fault->relid), fault->name) != NULL)
		drop_trigger(fault->relid, fault->name);
	if (fault->wanted != NULL)
		tview_triggers_make(fault->relid, fault->wanted);
}

/*
 * Wait for those who write the tables, since what they write now goes by.  Who
 * may neither have the triggers made nor altered is not to make others wait.
 */
static void
lock_tables(List *faults)
{
	List	   *tables = NIL;
	ListCell   *lc;

	foreach(lc, faults)
	{
		Oid			relid = ((Fault *) lfirst(lc))->relid;

		if (!tview_owner_is_member(relid) &&
			pg_class_aclcheck(relid, GetUserId(), ACL_TRIGGER) != ACLCHECK_OK)
			aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE,
						   tview_name_qualified(relid));
		tables = list_append_unique_oid(tables, relid);
	}
	tview_locks_take(tables, NIL);
}

/* Are changes of this table, or of the TVIEW that it is, such as may go by? */
static bool
concerns(const Fault *fault, Oid tview)
{
	if (fault->wanted == NULL)
		return false;
	return fault->relid == tview ||
		list_member_oid(tview_graph_row_readers(fault->relid), tview);
}

/*
 * Record for each TVIEW what was mended, and return the names of those that
 * may be out of date.
 */
static char *
record(List *faults)
{
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, all_tviews())
	{
		StringInfoData triggers;
		TviewDetails details;
		ListCell   *cell;

		initStringInfo(&triggers);
		foreach(cell, faults)
		{
			Fault	   *fault = lfirst(cell);

			if (concerns(fault, lfirst_oid(lc)))
				appendStringInfo(&triggers, "%s%s of %s: %s",
								 triggers.len > 0 ? ", " : "", fault->name,
								 tview_name_qualified(fault->relid),
								 fault->problem);
		}
		if (triggers.len == 0)
			continue;
		tview_details_begin(&details, "pg_tviews_reinstall_triggers");
		tview_details_text(&details, "triggers", triggers.data);
		tview_audit_tview(TVIEW_AUDIT_REPAIR, lfirst_oid(lc),
						  tview_details_end(&details));
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 tview_name_qualified(lfirst_oid(lc)));
	}
	return names.len > 0 ? names.data : NULL;
}

/* Those on tables of the caller. */
static List *
owned(List *faults)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, faults)
		if (tview_owner_is_member(((Fault *) lfirst(lc))->relid))
		result = lappend(result, lfirst(lc));
	return result;
}

static void
put_row(ReturnSetInfo *result, Oid relid, const char *name,
		const char *problem)
{
	bool		nulls[] = {false, false, false};
	Datum		values[] = {
		ObjectIdGetDatum(relid),
		CStringGetTextDatum(name),
		CStringGetTextDatum(problem)
	};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
return_faults(ReturnSetInfo *result, List *faults)
{
	ListCell   *lc;

	foreach(lc, faults)
	{
		Fault	   *fault = lfirst(lc);
		ListCell   *cell;

		if (fault->enable == NIL)
			put_row(result, fault->relid, fault->name, fault->problem);
		foreach(cell, fault->enable)
		{
			Present    *present = lfirst(cell);

			put_row(result, fault->relid, present->name,
					disabled_problem(present));
		}
	}
}

/*
 * Refuse to drop triggers as orphans when it is the metadata that are missing, or
 * damaged: a table has the guard of a TVIEW.  Changes would go by without an error then.
 */
static void
check_metadata(void)
{
	List	   *unknown = list_difference_oid(tview_triggers_tables(TVIEW_GUARD_FUNCTION),
											  all_tviews());
	ListCell   *lc;

	foreach(lc, tview_graph_all())
		tview_graph_check(lfirst(lc));
	foreach(lc, unknown)
		if (strncmp(get_rel_name(lfirst_oid(lc)), TVIEW_TABLE_PREFIX,
					strlen(TVIEW_TABLE_PREFIX)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s was a TVIEW, whose metadata are lost",
						tview_name_qualified(lfirst_oid(lc))),
				 errdetail("Triggers that look orphaned may be those that it needs."),
				 errhint("Restore the metadata and call pg_tviews_recreate(), or drop the table. The triggers of a TVIEW that is known are reinstalled by its name.")));
}

/* Nor are they orphans if a TVIEW only doesn't say that it reads the table. */
static void
check_dependencies(void)
{
	List	   *tviews = all_tviews();
	ListCell   *lc;

	foreach(lc, tviews)
	{
		Tview	   *tview = tview_graph_find(lfirst_oid(lc));
		List	   *unknown =
		list_difference_oid(tview_expand(tview_view_query(tview->view))->tables,
							tview_graph_find(lfirst_oid(lc))->dependencies);

		if (unknown != NIL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("TVIEW %s reads table %s, which is not in its metadata",
							tview_name_qualified(lfirst_oid(lc)),
							tview_name_qualified(linitial_oid(unknown))),
					 errhint("Restore its row of %s, or call pg_tviews_alter() with its definition.",
							 tview_extension_qualify("pg_tview_meta"))));
	}
}

/*
 * pg_tviews_reinstall_triggers - mend triggers; returns what was wrong
 *
 * TVIEWs that were dropped unnoticed are forgotten, so that triggers which only
 * they had needed are orphans.
 * With the tables locked, it is looked at once more.
 */
Datum
pg_tviews_reinstall_triggers(PG_FUNCTION_ARGS)
{
	List	   *tviews;
	List	   *faults;
	List	   *orphans = NIL;
	char	   *names;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
	{
		check_metadata();
		tview_drop_lost("pg_tviews_reinstall_triggers");
		check_dependencies();
	}
	tviews = tview_rebuild_candidates(PG_ARGISNULL(0) ? NULL :
									  text_to_cstring(PG_GETARG_TEXT_PP(0)));
	lock_tables(find_faults(tviews));
	faults = find_faults(tviews);
	if (PG_ARGISNULL(0))
		orphans = owned(find_orphans());
	foreach(lc, faults)
		mend(lfirst(lc));
	foreach(lc, orphans)
		mend(lfirst(lc));
	names = record(faults);
	if (names != NULL)
		ereport(NOTICE,
				(errmsg("TVIEWs may be out of date: %s", names),
				 errdetail("Changes may have gone by while triggers were not in place."),
				 errhint("Call pg_tviews_repair() for them.")));
	return_faults((ReturnSetInfo *) fcinfo->resultinfo,
				  list_concat(faults, orphans));
	return (Datum) 0;
}
