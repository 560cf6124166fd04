/*-------------------------------------------------------------------------
 *
 * locks.c
 *	  Locks that DDL takes before the server does.
 *
 * DDL that has a TVIEW rebuilt would deadlock with writers: it locks a table
 * against everybody, and then waits for the TVIEW, or for a partition.  A
 * writer holds these, and needs to read the table for its refresh.  So all that
 * write the table, or refresh the TVIEW, are waited for first, with locks that
 * let them go on reading:
 *
 *	1. the tables against writers, those above before those below, as writers
 *	   lock them
 *	2. the TVIEWs, in the order of their refresh
 *
 * and only then does the server lock the tables against readers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/heap.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "catalog/triggers.h"
#include "ddl/locks.h"
#include "ddl/triggers.h"
#include "refresh/lock.h"

/* Add a table, and all below it, if it is the current user's. */
static List *
add_tree(List *tables, RangeVar *name)
{
	Oid			relid = RangeVarGetRelid(name, NoLock, true);

	if (!OidIsValid(relid) || !tview_owner_is_member(relid))
		return tables;
	return list_concat_unique_oid(tables,
								  find_all_inheritors(relid, NoLock, NULL));
}

static List *
add_table(List *tables, RangeVar *name)
{
	Oid			relid = RangeVarGetRelid(name, NoLock, true);

	if (!OidIsValid(relid) || !tview_owner_is_member(relid))
		return tables;
	return list_append_unique_oid(tables, relid);
}

/*
 * Does VALIDATE CONSTRAINT make a column known to have no nulls?  That makes
 * other plans, with locks of other names than those of refreshes under way, and
 * the server lets these go on.
 */
static bool
is_not_null(RangeVar *name, const char *constraint)
{
	Oid			relid = RangeVarGetRelid(name, NoLock, true);
	Oid			oid = OidIsValid(relid) ?
	get_relation_constraint_oid(relid, constraint, true) : InvalidOid;
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(oid));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_constraint) GETSTRUCT(tuple))->contype == CONSTRAINT_NOTNULL;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * The table whose triggers get enabled, if changes of it go by.  Somebody may be
 * about to disable triggers, and the server would wait for them, too.
 */
static List *
enabled_tables(Node *stmt)
{
	RangeVar   *name = tview_triggers_table_to_enable(stmt);
	Oid			relid = name == NULL ? InvalidOid :
	RangeVarGetRelid(name, NoLock, true);

	if (!OidIsValid(relid) || !tview_owner_is_member(relid) ||
		tview_graph_row_readers(relid) == NIL)
		return NIL;
	LockRelationOid(relid, ShareRowExclusiveLock);
	return tview_triggers_let_by(relid) ? list_make1_oid(relid) : NIL;
}

/*
 * Tables that ALTER TABLE locks against readers, and has TVIEWs rebuilt of, or
 * does not lock against them, though plans change.
 */
static List *
altered_tables(AlterTableStmt *stmt)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst(lc);

		switch (cmd->subtype)
		{
			case AT_AttachPartition:
				result = add_tree(result, ((PartitionCmd *) cmd->def)->name);
				break;
			case AT_DetachPartition:
				if (((PartitionCmd *) cmd->def)->concurrent)
					break;
				result = add_tree(result, stmt->relation);
				break;
			case AT_AddInherit:
			case AT_DropInherit:
				result = add_tree(result, stmt->relation);
				break;
			case AT_SetLogged:
			case AT_SetUnLogged:
			case AT_EnableRowSecurity:
			case AT_DisableRowSecurity:
			case AT_ForceRowSecurity:
			case AT_NoForceRowSecurity:
			case AT_ChangeOwner:
				result = add_table(result, stmt->relation);
				break;
			case AT_ValidateConstraint:
				if (is_not_null(stmt->relation, cmd->name))
					result = add_table(result, stmt->relation);
				break;
			default:
				break;
		}
	}
	return result;
}

/*
 * Tables that are dropped by name.  A partition's parent is locked like it, and
 * has other partitions.
 */
static List *
dropped_tables(DropStmt *stmt)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, stmt->objects)
	{
		RangeVar   *name = makeRangeVarFromNameList(lfirst(lc));
		Oid			relid = RangeVarGetRelid(name, NoLock, true);

		if (!OidIsValid(relid) || !tview_owner_is_member(relid))
			continue;
		if (get_rel_relispartition(relid))
			result = list_concat_unique_oid(result,
											find_all_inheritors(get_partition_parent(relid, true),
																NoLock, NULL));
		result = add_tree(result, name);
	}
	return result;
}

/* Tables that are emptied, and with CASCADE those that refer to them. */
static List *
truncated_tables(TruncateStmt *stmt)
{
	List	   *result = NIL;
	List	   *fresh;
	ListCell   *lc;

	foreach(lc, stmt->relations)
	{
		RangeVar   *name = lfirst(lc);
		Oid			relid = RangeVarGetRelid(name, NoLock, true);

		if (!OidIsValid(relid) ||
			pg_class_aclcheck(relid, GetUserId(), ACL_TRUNCATE) != ACLCHECK_OK)
			continue;
		result = list_concat_unique_oid(result,
										name->inh ? find_all_inheritors(relid, NoLock, NULL) :
										list_make1_oid(relid));
	}
	while (stmt->behavior == DROP_CASCADE && result != NIL &&
		   (fresh = heap_truncate_find_FKs(result)) != NIL)
		result = list_concat_unique_oid(result, fresh);
	return result;
}

static List *
locked_tables(Node *stmt)
{
	switch (nodeTag(stmt))
	{
		case T_TruncateStmt:
			return truncated_tables((TruncateStmt *) stmt);
		case T_AlterTableStmt:
			return altered_tables((AlterTableStmt *) stmt);
		case T_DropStmt:
			if (((DropStmt *) stmt)->removeType == OBJECT_TABLE)
				return dropped_tables((DropStmt *) stmt);
			return NIL;
		case T_CreatePolicyStmt:
			return add_table(NIL, ((CreatePolicyStmt *) stmt)->table);
		case T_AlterPolicyStmt:
			return add_table(NIL, ((AlterPolicyStmt *) stmt)->table);
		default:
			return NIL;
	}
}

/* The OIDs of these TVIEWs, in the order of their refresh. */
static List *
tviews_in_order(List *tviews)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Oid			tview = ((Tview *) lfirst(lc))->tview;

		if (list_member_oid(tviews, tview))
			result = lappend_oid(result, tview);
	}
	return result;
}

/*
 * tview_locks_take - wait for writers of these tables, and for refreshes of these
 * TVIEWs, and keep them away
 */
void
tview_locks_take(List *tables, List *tviews)
{
	ListCell   *lc;

	foreach(lc, tables)
		LockRelationOid(lfirst_oid(lc), ShareRowExclusiveLock);
	foreach(lc, tviews_in_order(tviews))
		tview_lock(lfirst_oid(lc));
}

/*
 * tview_locks_start - DDL, or TRUNCATE, starts
 */
void
tview_locks_start(Node *stmt)
{
	List	   *tables = list_concat_unique_oid(locked_tables(stmt),
												enabled_tables(stmt));
	List	   *tviews = NIL;
	ListCell   *lc;

	foreach(lc, tables)
		tviews = list_concat_unique_oid(tviews,
										tview_graph_row_readers(lfirst_oid(lc)));
	if (tviews != NIL)
		tview_locks_take(tables, tviews);
}
