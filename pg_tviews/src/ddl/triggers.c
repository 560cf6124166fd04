/*-------------------------------------------------------------------------
 *
 * triggers.c
 *	  The triggers of pg_tviews on the tables of others and on TVIEWs.
 *
 * Triggers fire in the order of their names, and these are to come before
 * those of users, so that a user's trigger which reads a TVIEW sees the change
 * that has fired it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/empty.h"
#include "base/extension.h"
#include "base/inherits.h"
#include "base/names.h"
#include "base/owner.h"
#include "capture/queue.h"
#include "catalog/graph.h"
#include "catalog/triggers.h"
#include "ddl/create.h"
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
	"AFTER INSERT OR UPDATE OR DELETE", "FOR EACH ROW",
	TRIGGER_FIRES_ON_ORIGIN
};
static const TviewTrigger truncate_trigger = {
	"!tview_truncate", TVIEW_CAPTURE_FUNCTION,
	TRIGGER_TYPE_AFTER | TRIGGER_TYPE_STATEMENT | TRIGGER_TYPE_TRUNCATE,
	"AFTER TRUNCATE", "FOR EACH STATEMENT", TRIGGER_FIRES_ON_ORIGIN
};
static const TviewTrigger guard_trigger = {
	"!tview_guard", TVIEW_GUARD_FUNCTION,
	TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_STATEMENT | TRIGGER_TYPE_INSERT |
	TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE | TRIGGER_TYPE_TRUNCATE,
	"BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE", "FOR EACH STATEMENT",
	TRIGGER_FIRES_ON_ORIGIN
};

/* Each event has other transition tables. */
static const TviewTrigger statement_triggers[] = {
	{"!tview_insert", TVIEW_CAPTURE_FUNCTION,
		TRIGGER_TYPE_AFTER | TRIGGER_TYPE_STATEMENT | TRIGGER_TYPE_INSERT,
		"AFTER INSERT",
		"REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
	TRIGGER_FIRES_ON_ORIGIN},
	{"!tview_update", TVIEW_CAPTURE_FUNCTION,
		TRIGGER_TYPE_AFTER | TRIGGER_TYPE_STATEMENT | TRIGGER_TYPE_UPDATE,
		"AFTER UPDATE",
		"REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT",
	TRIGGER_FIRES_ON_ORIGIN},
	{"!tview_delete", TVIEW_CAPTURE_FUNCTION,
		TRIGGER_TYPE_AFTER | TRIGGER_TYPE_STATEMENT | TRIGGER_TYPE_DELETE,
		"AFTER DELETE",
		"REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT",
	TRIGGER_FIRES_ON_ORIGIN}
};

static TviewTrigger *
in_mode(const TviewTrigger *trigger, char enabled)
{
	TviewTrigger *result = palloc(sizeof(TviewTrigger));

	*result = *trigger;
	result->enabled = enabled;
	return result;
}

/*
 * By statement, the row trigger is for replica mode only, where statements
 * are not known; and so nothing goes by in either mode.
 */
static List *
wanted_by_statement(void)
{
	List	   *result = list_make2(in_mode(&row_trigger, TRIGGER_FIRES_ON_REPLICA),
									in_mode(&truncate_trigger, TRIGGER_FIRES_ALWAYS));

	for (int i = 0; i < lengthof(statement_triggers); i++)
		result = lappend(result, unconstify(TviewTrigger *,
											&statement_triggers[i]));
	return result;
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
	if (tview_triggers_by_statement(relid))
		return wanted_by_statement();
	return list_make2(unconstify(TviewTrigger *, &row_trigger),
					  unconstify(TviewTrigger *, &truncate_trigger));
}

/*
 * tview_triggers_enable - have a trigger fire in these modes, see pg_trigger.h
 *
 * If it was disabled, what has gone by meanwhile is the caller's concern.
 */
void
tview_triggers_enable(Oid relid, const char *name, char enabled)
{
	bool		outer = tview_create_set_running(true);

	PG_TRY();
	{
		tview_execute("ALTER TABLE %s ENABLE %s %s", tview_name_qualified(relid),
					  enabled == TRIGGER_FIRES_ALWAYS ? "ALWAYS TRIGGER" :
					  enabled == TRIGGER_FIRES_ON_REPLICA ? "REPLICA TRIGGER" :
					  "TRIGGER", quote_identifier(name));
	}
	PG_FINALLY();
	{
		(void) tview_create_set_running(outer);
	}
	PG_END_TRY();
}

/*
 * Make one of them, to fire in these modes.  Who may make triggers may not be
 * the owner, who alone may choose the modes of what was made.
 */
static void
make(Oid relid, const TviewTrigger *trigger, char enabled)
{
	tview_execute("CREATE TRIGGER \"%s\" %s ON %s %s EXECUTE FUNCTION %s()",
				  trigger->name, trigger->events,
				  tview_name_qualified(relid), trigger->level,
				  tview_extension_qualify(trigger->function));
	if (enabled != TRIGGER_FIRES_ON_ORIGIN)
	{
		TviewOwnerContext saved;

		tview_owner_enter(&saved, tview_owner_of(relid), true);
		tview_triggers_enable(relid, trigger->name, enabled);
		tview_owner_leave(&saved);
	}
}

static bool
any_replicated(List *tables)
{
	ListCell   *lc;

	foreach(lc, tables)
		if (tview_triggers_replicated(lfirst_oid(lc)))
		return true;
	return false;
}

/*
 * Are triggers that are made to fire always?  If there are such on the table,
 * or if changes in replica mode are captured of a table that it is a partition
 * or child of, or of one that this TVIEW reads: what refreshes it writes in
 * that mode, too.  By statement, each trigger has a mode of its own.
 */
static bool
is_to_fire_always(Oid relid)
{
	Tview	   *tview = tview_graph_find(relid);

	if (tview_triggers_by_statement(relid))
		return false;
	return tview_triggers_replicated(relid) ||
		any_replicated(tview_inherits_ancestors(relid)) ||
		(tview != NULL && any_replicated(tview->dependencies));
}

static char
mode_to_make(bool always, const TviewTrigger *trigger)
{
	return always && trigger->enabled == TRIGGER_FIRES_ON_ORIGIN ?
		TRIGGER_FIRES_ALWAYS : trigger->enabled;
}

/*
 * tview_triggers_mode - the modes in which one of them is to fire on a table,
 * see pg_trigger.h
 */
char
tview_triggers_mode(Oid relid, const TviewTrigger *trigger)
{
	return mode_to_make(strcmp(trigger->function, TVIEW_CAPTURE_FUNCTION) == 0 &&
						is_to_fire_always(relid), trigger);
}

/*
 * tview_triggers_make - make one of them
 */
void
tview_triggers_make(Oid relid, const TviewTrigger *trigger)
{
	make(relid, trigger, tview_triggers_mode(relid, trigger));
}

static void
make_all(Oid relid, List *triggers, bool always)
{
	ListCell   *lc;

	foreach(lc, triggers)
		make(relid, lfirst(lc), mode_to_make(always, lfirst(lc)));
}

/*
 * tview_triggers_capture - have the changes of a table captured
 */
void
tview_triggers_capture(Oid relid)
{
	if (!tview_triggers_are_complete(relid))
		make_all(relid, tview_triggers_wanted(relid, TVIEW_CAPTURE_FUNCTION),
				 is_to_fire_always(relid));
}

/*
 * tview_triggers_mend - have the changes of a table captured again, in the way
 * in which they were
 */
void
tview_triggers_mend(Oid relid)
{
	List	   *wanted = tview_triggers_wanted(relid, TVIEW_CAPTURE_FUNCTION);
	bool		always = is_to_fire_always(relid);

	tview_triggers_drop_capture(relid);
	make_all(relid, wanted, always);
}

static bool
enables_triggers(AlterTableStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->cmds)
		switch (((AlterTableCmd *) lfirst(lc))->subtype)
	{
		case AT_EnableTrig:
		case AT_EnableAlwaysTrig:
		case AT_EnableTrigAll:
		case AT_EnableTrigUser:
			return true;
		default:
			break;
	}
	return false;
}

/*
 * tview_triggers_table_to_enable - name of the table of which a statement enables
 * triggers, or drops one, so that it is made again, and enabled; NULL if none
 */
RangeVar *
tview_triggers_table_to_enable(Node *stmt)
{
	List	   *name;

	if (IsA(stmt, AlterTableStmt) && enables_triggers((AlterTableStmt *) stmt))
		return ((AlterTableStmt *) stmt)->relation;
	if (!IsA(stmt, DropStmt) ||
		((DropStmt *) stmt)->removeType != OBJECT_TRIGGER)
		return NULL;
	name = linitial(((DropStmt *) stmt)->objects);
	return makeRangeVarFromNameList(list_truncate(list_copy(name),
												  list_length(name) - 1));
}

/*
 * Has a table never had a row?  Vacuum would say so in pg_class, and TRUNCATE
 * takes that back.
 */
static bool
is_fresh(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	bool		result = RelationGetNumberOfBlocks(rel) == 0 &&
	rel->rd_rel->reltuples < 0;

	table_close(rel, NoLock);
	return result;
}

/*
 * Triggers of a table get enabled.  If one was disabled, changes may have gone by,
 * so TVIEWs that read the table are rebuilt.  One that is fresh gets its rows from
 * pg_restore, maybe, which would find them there already; and so would another job
 * of it that is loading them.  No refresh does: the TVIEW is locked.
 */
static void
rebuild_readers(Oid relid)
{
	ListCell   *lc;

	if (!tview_triggers_let_by(relid))
		return;
	foreach(lc, tview_graph_row_readers(relid))
	{
		Oid			reader = lfirst_oid(lc);

		if (tview_graph_find(reader)->fault != NULL)
			continue;
		if (!is_fresh(reader) && !tview_table_is_loading(reader))
			tview_queue_add_all(reader);
		else
			ereport(NOTICE,
					(errmsg("TVIEW %s is empty, and may be out of date",
							tview_name_qualified(reader)),
					 errdetail("Triggers that it needs were disabled."),
					 errhint("Run pg_tviews_repair(), unless its rows are restored from a dump, too.")));
	}
}

/*
 * tview_triggers_enable_start - a statement that may enable triggers starts
 *
 * Triggers of partitions are their own.
 */
void
tview_triggers_enable_start(Node *stmt)
{
	RangeVar   *name = tview_triggers_table_to_enable(stmt);
	Oid			relid = name == NULL ? InvalidOid :
	RangeVarGetRelid(name, NoLock, true);

	if (OidIsValid(relid))
		rebuild_readers(relid);
}

/*
 * tview_triggers_replace - have the changes of a table captured in this way
 *
 * By statement, those of sessions in replica mode are, too; that stays so.
 */
void
tview_triggers_replace(Oid relid, bool by_statement)
{
	bool		was_by_statement = tview_triggers_by_statement(relid);

	if (tview_triggers_are_complete(relid) && was_by_statement == by_statement)
		return;
	rebuild_readers(relid);
	tview_triggers_drop_capture(relid);
	make_all(relid, by_statement ? wanted_by_statement() :
			 tview_triggers_wanted(relid, TVIEW_CAPTURE_FUNCTION),
			 was_by_statement && !by_statement);
}

/*
 * tview_triggers_set_replicated - have the changes that replication makes
 * captured, or no longer; says whether that wasn't so before
 *
 * By statement, they are anyway.
 */
bool
tview_triggers_set_replicated(Oid relid, bool replicated)
{
	char		mode = replicated ? TRIGGER_FIRES_ALWAYS : TRIGGER_FIRES_ON_ORIGIN;
	bool		changed = false;
	ListCell   *lc;

	if (tview_triggers_by_statement(relid))
		return false;
	foreach(lc, tview_triggers_in_other_mode(relid, mode))
	{
		tview_triggers_enable(relid, lfirst(lc), mode);
		changed = true;
	}
	return changed;
}

/*
 * tview_triggers_check - changes of a table that has been altered must still
 * be captured
 */
void
tview_triggers_check(Oid relid)
{
	char	   *obstacle = tview_triggers_by_statement(relid) ?
	tview_triggers_obstacle(relid) : NULL;

	if (obstacle != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot capture changes of table %s by statement any more",
						tview_name_qualified(relid)),
				 errdetail("%s", obstacle),
				 errhint("Run pg_tviews_install_row_triggers() for the table first.")));
}

static void
drop_triggers(Oid relid, const char *function)
{
	ListCell   *lc;

	foreach(lc, tview_triggers_find(relid, function))
	{
		ObjectAddress object;

		ObjectAddressSet(object, TriggerRelationId, lfirst_oid(lc));
		performDeletion(&object, DROP_RESTRICT, 0);
		CommandCounterIncrement();
	}
}

/*
 * tview_triggers_guard - let nobody but a flush write a TVIEW
 *
 * A table that was a TVIEW may have one, which may be disabled.
 */
void
tview_triggers_guard(Oid relid)
{
	LockRelationOid(relid, AccessExclusiveLock);
	drop_triggers(relid, TVIEW_GUARD_FUNCTION);
	tview_triggers_make(relid, &guard_trigger);
}

/*
 * tview_triggers_drop_capture - no TVIEW reads the table any more
 */
void
tview_triggers_drop_capture(Oid relid)
{
	LockRelationOid(relid, AccessExclusiveLock);
	drop_triggers(relid, TVIEW_CAPTURE_FUNCTION);
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
