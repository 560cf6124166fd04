/*-------------------------------------------------------------------------
 *
 * triggers.c
 *	  Which triggers of pg_tviews there are.
 *
 * They are known by the function they call, not by their names, which users
 * may change.  Read here is the catalog, not the relation, which would have to
 * be locked: the callers ask about tables that they have nothing else to do
 * with.
 *
 * Changes of a table are captured in one of two ways.
 *
 *	by row: one trigger for each row; what every table begins with.
 *
 *	by statement: a trigger for each of INSERT, UPDATE and DELETE that is
 *	given all rows of the statement at once.  The worker that applies what a
 *	subscription brings knows no statements, so the row trigger stays, for
 *	sessions in replica mode only: there is no mode in which changes go by.
 *
 * Which way it is can be seen from the triggers alone, so dumps keep it, and
 * whatever is missing is made again in the same way.
 *
 * Triggers for statements fire after all row triggers, and for the table that
 * a statement names, whatever others the rows are in.  So a table with
 * triggers of others that fire before them, or one with parents, children or
 * partitions, isn't captured by statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/extension.h"
#include "base/inherits.h"
#include "catalog/triggers.h"

#define ROW_CHANGES \
	(TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE)

/* What there is of triggers that call one function */
typedef struct Found
{
	List	   *triggers;		/* OIDs */
	int16		row;			/* what row triggers fire after, see
								 * pg_trigger.h */
	int16		replica;		/* and those that fire in replica mode only */
	int16		statement;
	List	   *always;			/* names of those that fire in all modes */
	List	   *origin;			/* and that don't in replica mode */
	bool		idle;			/* fires in no mode, or a wrong one */
	char	   *other;			/* an AFTER trigger of somebody else */
} Found;

static bool
has_value(HeapTuple tuple, AttrNumber attno, Relation rel)
{
	return !heap_attisnull(tuple, attno, RelationGetDescr(rel));
}

/* Is the trigger given all images of the rows that its statement changes? */
static bool
has_images(HeapTuple tuple, Relation rel)
{
	int16		type = ((Form_pg_trigger) GETSTRUCT(tuple))->tgtype;

	return ((type & (TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE)) == 0 ||
			has_value(tuple, Anum_pg_trigger_tgoldtable, rel)) &&
		((type & (TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE)) == 0 ||
		 has_value(tuple, Anum_pg_trigger_tgnewtable, rel));
}

/*
 * tview_triggers_is_partial - does a trigger leave out changes of the events
 * that it fires for?
 */
bool
tview_triggers_is_partial(HeapTuple tuple, Relation rel)
{
	Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

	return form->tgattr.dim1 > 0 ||
		has_value(tuple, Anum_pg_trigger_tgqual, rel) ||
		(TRIGGER_FOR_AFTER(form->tgtype) && !TRIGGER_FOR_ROW(form->tgtype) &&
		 !has_images(tuple, rel));
}

/* Add what one trigger fires after. */
static void
add_events(Found *found, HeapTuple tuple, Relation rel)
{
	Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

	if (!TRIGGER_FOR_AFTER(form->tgtype) ||
		tview_triggers_is_partial(tuple, rel))
		return;
	if (!TRIGGER_FOR_ROW(form->tgtype))
		found->statement |= form->tgtype;
	else if (form->tgenabled == TRIGGER_FIRES_ON_REPLICA)
		found->replica |= form->tgtype;
	else
		found->row |= form->tgtype;
}

/* Capture triggers by mode.  None but the row trigger is for replica mode. */
static void
add_mode(Found *found, Form_pg_trigger form)
{
	char	   *name = pstrdup(NameStr(form->tgname));

	if (form->tgenabled == TRIGGER_FIRES_ALWAYS)
		found->always = lappend(found->always, name);
	else if (form->tgenabled == TRIGGER_FIRES_ON_ORIGIN)
		found->origin = lappend(found->origin, name);
	else if (form->tgenabled == TRIGGER_DISABLED ||
			 !TRIGGER_FOR_ROW(form->tgtype))
		found->idle = true;
}

static Found
find_triggers(Oid relid, const char *function)
{
	Oid			funcid = tview_extension_function(function, InvalidOid);
	Relation	rel = table_open(TriggerRelationId, AccessShareLock);
	Found		found = {0};
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

		if (form->tgfoid == funcid)
		{
			found.triggers = lappend_oid(found.triggers, form->oid);
			add_mode(&found, form);
			add_events(&found, tuple, rel);
		}
		else if (!form->tgisinternal && TRIGGER_FOR_AFTER(form->tgtype) &&
				 (form->tgtype & ROW_CHANGES) != 0)
			found.other = pstrdup(NameStr(form->tgname));
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

static bool
is_by_statement(const Found *found)
{
	return (found->statement & ROW_CHANGES) != 0;
}

/*
 * tview_triggers_by_statement - are changes of the table captured by statement?
 */
bool
tview_triggers_by_statement(Oid relid)
{
	Found		found = find_triggers(relid, TVIEW_CAPTURE_FUNCTION);

	return is_by_statement(&found);
}

/*
 * tview_triggers_replicated - are changes of the table captured in replica
 * mode, too?  By statement, they always are.
 */
bool
tview_triggers_replicated(Oid relid)
{
	Found		found = find_triggers(relid, TVIEW_CAPTURE_FUNCTION);

	return found.always != NIL || is_by_statement(&found);
}

/*
 * tview_triggers_let_by - do changes go by that a session makes, because a
 * trigger is disabled, or was enabled for replica mode only?
 */
bool
tview_triggers_let_by(Oid relid)
{
	Found		found = find_triggers(relid, TVIEW_CAPTURE_FUNCTION);

	return found.idle || (found.replica != 0 && !is_by_statement(&found));
}

/*
 * tview_triggers_in_other_mode - names of capture triggers that fire always but
 * should do so on origin only, or the other way round
 */
List *
tview_triggers_in_other_mode(Oid relid, char mode)
{
	Found		found = find_triggers(relid, TVIEW_CAPTURE_FUNCTION);

	return mode == TRIGGER_FIRES_ALWAYS ? found.origin : found.always;
}

/*
 * tview_triggers_are_complete - are all changes of the table captured?
 */
bool
tview_triggers_are_complete(Oid relid)
{
	Found		found = find_triggers(relid, TVIEW_CAPTURE_FUNCTION);
	int16		row = found.row;

	if (!TRIGGER_FOR_TRUNCATE(found.statement))
		return false;

	/* a partitioned table has no rows of its own */
	if (get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
		return true;
	if (is_by_statement(&found))
	{
		row |= found.replica;
		if ((found.statement & ROW_CHANGES) != ROW_CHANGES)
			return false;
	}
	return (row & ROW_CHANGES) == ROW_CHANGES;
}

/*
 * tview_triggers_obstacle - why changes of the table can't be captured by
 * statement, as a sentence; NULL if they can
 */
char *
tview_triggers_obstacle(Oid relid)
{
	Found		found = find_triggers(relid, TVIEW_CAPTURE_FUNCTION);

	if (get_rel_relkind(relid) == RELKIND_FOREIGN_TABLE)
		return "It is a foreign table.";
	if (tview_inherits_ancestors(relid) != NIL)
		return "It is a partition, or a child of another table.";
	if (list_length(tview_inherits_trees(list_make1_oid(relid))) > 1 ||
		get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
		return "It has partitions, or child tables.";
	if (found.other != NULL)
		return psprintf("Its trigger \"%s\" would fire before the changes are noted.",
						found.other);
	return NULL;
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
