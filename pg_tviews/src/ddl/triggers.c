/*-------------------------------------------------------------------------
 *
 * triggers.c
 *	  The triggers of pg_tviews on the tables of others and on TVIEWs.
 *
 * They are known by the function they call, not by their names, which users
 * may change.  Triggers fire in the order of their names, and these are to
 * come before those of users, so that a user's trigger which reads a TVIEW
 * sees the change that has fired it.
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
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/extension.h"
#include "base/names.h"
#include "catalog/graph.h"
#include "ddl/execute.h"
#include "ddl/triggers.h"

/*
 * Of a table's own rows only, so partitions and children need triggers of
 * theirs.  The server would clone the row trigger of a partitioned table, but
 * not if a partition has one already, as a table that a TVIEW reads by itself;
 * and not the one for TRUNCATE.
 */
static const TviewTrigger row_trigger = {
	"!tview_capture", TVIEW_CAPTURE_FUNCTION,
	TRIGGER_TYPE_AFTER | TRIGGER_TYPE_ROW | TRIGGER_TYPE_INSERT |
	TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE,
	"AFTER INSERT OR UPDATE OR DELETE", "FOR EACH ROW"
};
static const TviewTrigger truncate_trigger = {
	"!tview_truncate", TVIEW_CAPTURE_FUNCTION,
	TRIGGER_TYPE_AFTER | TRIGGER_TYPE_STATEMENT | TRIGGER_TYPE_TRUNCATE,
	"AFTER TRUNCATE", "FOR EACH STATEMENT"
};
static const TviewTrigger guard_trigger = {
	"!tview_guard", TVIEW_GUARD_FUNCTION,
	TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_STATEMENT | TRIGGER_TYPE_INSERT |
	TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE | TRIGGER_TYPE_TRUNCATE,
	"BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE", "FOR EACH STATEMENT"
};

/* What there is of triggers that call one function */
typedef struct Found
{
	List	   *triggers;		/* OIDs */
	int16		row;			/* what row triggers fire after, see
								 * pg_trigger.h */
	int16		statement;
} Found;

/*
 * Look into the catalog, not the relation, which would have to be locked: the
 * callers ask about tables that they have nothing else to do with.
 */
static Found
find_triggers(Oid relid, const char *function)
{
	Oid			funcid = tview_extension_function(function, InvalidOid);
	Relation	rel = table_open(TriggerRelationId, AccessShareLock);
	Found		found = {NIL, 0, 0};
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

		if (form->tgfoid != funcid)
			continue;
		found.triggers = lappend_oid(found.triggers, form->oid);

		/* one that leaves changes out doesn't count */
		if (!TRIGGER_FOR_AFTER(form->tgtype) || form->tgattr.dim1 > 0 ||
			!heap_attisnull(tuple, Anum_pg_trigger_tgqual,
							RelationGetDescr(rel)))
			continue;
		if (TRIGGER_FOR_ROW(form->tgtype))
			found.row |= form->tgtype;
		else
			found.statement |= form->tgtype;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * tview_triggers_find - OIDs of a table's triggers that call this function
 */
List *
tview_triggers_find(Oid relid, const char *function)
{
	return find_triggers(relid, function).triggers;
}

/*
 * tview_triggers_are_complete - are all changes of the table captured?
 */
bool
tview_triggers_are_complete(Oid relid)
{
	Found		found = find_triggers(relid, TVIEW_CAPTURE_FUNCTION);

	/* a partitioned table has no rows of its own */
	if (get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
		return TRIGGER_FOR_TRUNCATE(found.statement);
	return TRIGGER_FOR_INSERT(found.row) && TRIGGER_FOR_UPDATE(found.row) &&
		TRIGGER_FOR_DELETE(found.row) && TRIGGER_FOR_TRUNCATE(found.statement);
}

/*
 * tview_triggers_wanted - the triggers that call this function which a table
 * must have, if that function is needed at all
 */
List *
tview_triggers_wanted(Oid relid, const char *function)
{
	if (strcmp(function, TVIEW_GUARD_FUNCTION) == 0)
		return list_make1(unconstify(TviewTrigger *, &guard_trigger));

	/* a partitioned table has no rows of its own */
	if (get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
		return list_make1(unconstify(TviewTrigger *, &truncate_trigger));
	return list_make2(unconstify(TviewTrigger *, &row_trigger),
					  unconstify(TviewTrigger *, &truncate_trigger));
}

/*
 * tview_triggers_make - make one of them
 */
void
tview_triggers_make(Oid relid, const TviewTrigger *trigger)
{
	tview_execute("CREATE TRIGGER \"%s\" %s ON %s %s EXECUTE FUNCTION %s()",
				  trigger->name, trigger->events,
				  tview_name_qualified(relid), trigger->level,
				  tview_extension_qualify(trigger->function));
}

/*
 * tview_triggers_capture - have the changes of a table captured
 */
void
tview_triggers_capture(Oid relid)
{
	ListCell   *lc;

	if (tview_triggers_are_complete(relid))
		return;
	foreach(lc, tview_triggers_wanted(relid, TVIEW_CAPTURE_FUNCTION))
		tview_triggers_make(relid, lfirst(lc));
}

/*
 * tview_triggers_guard - let nobody but a flush write a TVIEW
 */
void
tview_triggers_guard(Oid relid)
{
	tview_triggers_make(relid, &guard_trigger);
}

/*
 * tview_triggers_drop_capture - no TVIEW reads the table any more
 */
void
tview_triggers_drop_capture(Oid relid)
{
	ListCell   *lc;

	LockRelationOid(relid, AccessExclusiveLock);
	foreach(lc, tview_triggers_find(relid, TVIEW_CAPTURE_FUNCTION))
	{
		ObjectAddress object;

		ObjectAddressSet(object, TriggerRelationId, lfirst_oid(lc));
		performDeletion(&object, DROP_RESTRICT, 0);
		CommandCounterIncrement();
	}
}

/*
 * tview_triggers_release - have changes of these tables no longer captured,
 * if no TVIEW reads their rows any more
 */
void
tview_triggers_release(List *tables)
{
	ListCell   *lc;

	foreach(lc, tables)
	{
		Oid			relid = lfirst_oid(lc);

		if (tview_triggers_find(relid, TVIEW_CAPTURE_FUNCTION) != NIL &&
			tview_graph_row_readers(relid) == NIL)
			tview_triggers_drop_capture(relid);
	}
}

/*
 * tview_triggers_tables - all tables that have triggers which call this function
 */
List *
tview_triggers_tables(const char *function)
{
	Oid			funcid = tview_extension_function(function, InvalidOid);
	Relation	rel = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0,
										  NULL);
	List	   *result = NIL;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

		if (form->tgfoid == funcid)
			result = list_append_unique_oid(result, form->tgrelid);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * tview_triggers_captured - all tables whose changes are captured
 */
List *
tview_triggers_captured(void)
{
	return tview_triggers_tables(TVIEW_CAPTURE_FUNCTION);
}
