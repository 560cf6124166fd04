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

#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_trigger.h"
#include "storage/lmgr.h"
#include "utils/rel.h"

#include "base/extension.h"
#include "base/names.h"
#include "ddl/execute.h"
#include "ddl/triggers.h"

#define CAPTURE_TRIGGER		"!tview_capture"
#define TRUNCATE_TRIGGER	"!tview_truncate"
#define GUARD_TRIGGER		"!tview_guard"

/*
 * tview_triggers_find - OIDs of a table's triggers that call this function
 */
List *
tview_triggers_find(Oid relid, const char *function)
{
	Oid			funcid = tview_extension_function(function, InvalidOid);
	Relation	rel = table_open(relid, AccessShareLock);
	List	   *result = NIL;

	if (rel->trigdesc != NULL)
		for (int i = 0; i < rel->trigdesc->numtriggers; i++)
			if (rel->trigdesc->triggers[i].tgfoid == funcid)
				result = lappend_oid(result, rel->trigdesc->triggers[i].tgoid);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * tview_triggers_are_complete - are all changes of the table captured?
 */
bool
tview_triggers_are_complete(Oid relid)
{
	Oid			funcid = tview_extension_function(TVIEW_CAPTURE_FUNCTION,
												  InvalidOid);
	Relation	rel = table_open(relid, AccessShareLock);
	int16		row = 0;
	int16		statement = 0;

	if (rel->trigdesc != NULL)
		for (int i = 0; i < rel->trigdesc->numtriggers; i++)
		{
			Trigger    *trigger = &rel->trigdesc->triggers[i];

			if (trigger->tgfoid != funcid || !TRIGGER_FOR_AFTER(trigger->tgtype))
				continue;
			if (TRIGGER_FOR_ROW(trigger->tgtype))
				row |= trigger->tgtype;
			else
				statement |= trigger->tgtype;
		}
	table_close(rel, AccessShareLock);
	return TRIGGER_FOR_INSERT(row) && TRIGGER_FOR_UPDATE(row) &&
		TRIGGER_FOR_DELETE(row) && TRIGGER_FOR_TRUNCATE(statement);
}

/*
 * tview_triggers_capture - have the changes of a table captured
 */
void
tview_triggers_capture(Oid relid)
{
	char	   *function = tview_extension_qualify(TVIEW_CAPTURE_FUNCTION);
	char	   *table = tview_name_qualified(relid);

	if (tview_triggers_find(relid, TVIEW_CAPTURE_FUNCTION) != NIL)
		return;
	tview_execute("CREATE TRIGGER \"%s\" AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION %s()",
				  CAPTURE_TRIGGER, table, function);
	tview_execute("CREATE TRIGGER \"%s\" AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION %s()",
				  TRUNCATE_TRIGGER, table, function);
}

/*
 * tview_triggers_guard - let nobody but a flush write a TVIEW
 */
void
tview_triggers_guard(Oid relid)
{
	tview_execute("CREATE TRIGGER \"%s\" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION %s()",
				  GUARD_TRIGGER, tview_name_qualified(relid),
				  tview_extension_qualify(TVIEW_GUARD_FUNCTION));
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
