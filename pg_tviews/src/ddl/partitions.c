/*-------------------------------------------------------------------------
 *
 * partitions.c
 *	  Partitions and child tables that come and go under TVIEWs.
 *
 * No trigger notices rows that come with ATTACH PARTITION or INHERIT, or go
 * with DETACH PARTITION, NO INHERIT or DROP TABLE.  So before a statement that
 * may do such a thing, what there is below each table that TVIEWs read is
 * remembered, and compared when it has been done.  Where that differs, the
 * tables that are new get triggers, those that no TVIEW reads any more lose
 * them, and the TVIEWs are rebuilt by differences; but not for a table that has
 * just been made, and is empty.
 *
 * A new table is locked against writers before the rebuild's snapshot is
 * taken: whoever has written it before, when it was none of the TVIEW's, has
 * committed by then and is seen, and whoever comes later is captured.
 *
 * What is remembered is thrown away at the end of the transaction.  An event
 * trigger of a user may run DDL in between; then what the statement before it
 * has done is looked at first.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "analyze/tables.h"
#include "base/inherits.h"
#include "base/names.h"
#include "base/owner.h"
#include "capture/queue.h"
#include "catalog/graph.h"
#include "catalog/triggers.h"
#include "ddl/partitions.h"
#include "ddl/persistence.h"
#include "ddl/triggers.h"

/* A table that TVIEWs read, and all below it, before a statement */
typedef struct Remembered
{
	Oid			relid;
	List	   *tree;
} Remembered;

static MemoryContext remembered_context = NULL; /* child of
												 * TopTransactionContext */
static List *remembered = NIL;	/* of Remembered */

static bool
moves_tables(AlterTableStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->cmds)
		switch (((AlterTableCmd *) lfirst(lc))->subtype)
	{
		case AT_AddInherit:
		case AT_DropInherit:
		case AT_AttachPartition:
		case AT_DetachPartition:
		case AT_DetachPartitionFinalize:
			return true;
		default:
			break;
	}
	return false;
}

/* Does the statement only make tables, which are empty? */
static bool
makes_tables(Node *stmt)
{
	if (IsA(stmt, CreateForeignTableStmt))
		return ((CreateForeignTableStmt *) stmt)->base.inhRelations != NIL;
	if (IsA(stmt, CreateStmt))
		return ((CreateStmt *) stmt)->inhRelations != NIL;
	return IsA(stmt, CreateSchemaStmt);
}

static bool
is_of_interest(Node *stmt)
{
	return makes_tables(stmt) || IsA(stmt, DropStmt) ||
		IsA(stmt, DropOwnedStmt) ||
		(IsA(stmt, AlterTableStmt) && moves_tables((AlterTableStmt *) stmt));
}

/*
 * DETACH PARTITION CONCURRENTLY commits when queries no longer see the
 * partition, and only later does it come to an end, outside of the reach of a
 * rebuild.
 */
static void
refuse_concurrent_detach(AlterTableStmt *stmt)
{
	Oid			relid = RangeVarGetRelid(stmt->relation, NoLock, true);
	ListCell   *lc;

	if (!OidIsValid(relid) || tview_graph_row_readers(relid) == NIL)
		return;
	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst(lc);

		if (cmd->subtype != AT_DetachPartition ||
			!((PartitionCmd *) cmd->def)->concurrent)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot detach a partition of table %s concurrently",
						tview_name_qualified(relid)),
				 errdetail("TVIEWs read it, and would be out of date between the transactions that the command consists of."),
				 errhint("Use DETACH PARTITION without CONCURRENTLY.")));
	}
}

static List *
read_tables(void)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, tview_graph_all())
		result = list_concat_unique_oid(result,
										((Tview *) lfirst(lc))->dependencies);
	return result;
}

static void
remember(void)
{
	MemoryContext old;
	ListCell   *lc;

	tview_partitions_at_xact_end();
	remembered_context = AllocSetContextCreate(TopTransactionContext,
											   "pg_tviews partitions",
											   ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(remembered_context);
	foreach(lc, read_tables())
	{
		Remembered *entry = palloc(sizeof(Remembered));

		entry->relid = lfirst_oid(lc);
		entry->tree = tview_inherits_trees(list_make1_oid(entry->relid));
		remembered = lappend(remembered, entry);
	}
	MemoryContextSwitchTo(old);
}

/* What there was below a table; NIL if no TVIEW read it. */
static List *
tree_before(Oid relid)
{
	ListCell   *lc;

	foreach(lc, remembered)
		if (((Remembered *) lfirst(lc))->relid == relid)
		return ((Remembered *) lfirst(lc))->tree;
	return NIL;
}

/* The triggers are made as the owner, who may be somebody else. */
static void
capture(Oid relid)
{
	TviewOwnerContext saved;

	LockRelationOid(relid, ShareRowExclusiveLock);
	tview_owner_enter(&saved, tview_owner_of(relid), true);
	tview_triggers_capture(relid);
	tview_owner_leave(&saved);
}

/* OIDs of the TVIEWs that read this table. */
static List *
readers(Oid relid)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, tview_graph_readers(relid))
		result = lappend_oid(result, ((Tview *) lfirst(lc))->tview);
	return result;
}

/*
 * Tables of a tree can't be captured by statement, whichever of them TVIEWs
 * read.
 */
static void
check_captured(void)
{
	ListCell   *lc;

	foreach(lc, tview_triggers_captured())
		tview_triggers_check(lfirst_oid(lc));
}

static void
follow_change(bool rebuild)
{
	List	   *added = NIL;
	List	   *tviews = NIL;
	ListCell   *lc;

	foreach(lc, read_tables())
	{
		Oid			relid = lfirst_oid(lc);
		List	   *before = tree_before(relid);
		List	   *after = tview_inherits_trees(list_make1_oid(relid));
		List	   *fresh = list_difference_oid(after, before);
		List	   *left = list_difference_oid(before, after);

		if (fresh == NIL && left == NIL)
			continue;
		added = list_concat_unique_oid(added, fresh);
		tviews = list_concat_unique_oid(tviews, readers(relid));
	}
	foreach(lc, tviews)
		tview_tables_check_again(lfirst_oid(lc));
	list_sort(added, list_oid_cmp);
	foreach(lc, added)
		capture(lfirst_oid(lc));
	if (tviews != NIL)
		tview_triggers_release(tview_triggers_captured());
	tview_persistence_follow(tviews);
	if (rebuild)
		foreach(lc, tviews)
			tview_queue_add_all(lfirst_oid(lc));
}

/*
 * tview_partitions_start - DDL starts
 */
void
tview_partitions_start(Node *stmt)
{
	if (!is_of_interest(stmt))
		return;
	if (remembered_context != NULL)
		follow_change(true);
	if (IsA(stmt, AlterTableStmt))
		refuse_concurrent_detach((AlterTableStmt *) stmt);
	remember();
}

/*
 * tview_partitions_end - DDL has been done
 */
void
tview_partitions_end(Node *stmt)
{
	if (!is_of_interest(stmt) || remembered_context == NULL)
		return;
	if (makes_tables(stmt) || IsA(stmt, AlterTableStmt))
		check_captured();
	follow_change(!makes_tables(stmt));
	tview_partitions_at_xact_end();
}

/*
 * tview_partitions_at_xact_end - forget what has been remembered
 */
void
tview_partitions_at_xact_end(void)
{
	if (remembered_context != NULL)
		MemoryContextDelete(remembered_context);
	remembered_context = NULL;
	remembered = NIL;
}
