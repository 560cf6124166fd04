/*-------------------------------------------------------------------------
 *
 * policies.c
 *	  Policies and owners of tables that change under TVIEWs.
 *
 * What the owner of a TVIEW sees may change with them, and with the functions
 * that policies call, and no trigger notices.  The TVIEWs are judged again, and
 * rebuilt by differences.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"

#include "base/owner.h"
#include "base/version.h"
#include "capture/queue.h"
#include "catalog/graph.h"
#include "ddl/policies.h"
#include "ddl/record.h"
#include "refresh/row_security.h"

/* Does the command change who sees which rows? */
static bool
changes_sight(AlterTableStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->cmds)
		switch (((AlterTableCmd *) lfirst(lc))->subtype)
	{
		case AT_EnableRowSecurity:
		case AT_DisableRowSecurity:
		case AT_ForceRowSecurity:
		case AT_NoForceRowSecurity:
		case AT_ChangeOwner:
		case AT_SetRelOptions:
		case AT_ResetRelOptions:
			return true;
		default:
			break;
	}
	return false;
}

/* All TVIEWs, or only those with policies of which something has changed. */
static void
judge(bool all)
{
	List	   *tviews = NIL;
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *tview = lfirst(lc);

		if (all || tview->policies[0] != '\0')
			tviews = lappend_oid(tviews, tview->tview);
	}
	foreach(lc, tviews)
		if (tview_row_security_judge(lfirst_oid(lc)))
		tview_queue_add_all(lfirst_oid(lc));
}

/*
 * tview_policies_owners - the owners of all TVIEWs, in their order; nothing if
 * library and objects are of different versions
 */
List *
tview_policies_owners(void)
{
	List	   *result = NIL;
	ListCell   *lc;

	if (!tview_version_matches())
		return NIL;
	foreach(lc, tview_graph_all())
		result = lappend_oid(result, tview_owner_of(((Tview *) lfirst(lc))->tview));
	return result;
}

/*
 * tview_policies_reassigned - REASSIGN OWNED has been done, for which the server
 * raises no event
 */
void
tview_policies_reassigned(List *owners)
{
	List	   *tviews = NIL;
	ListCell   *lc;
	ListCell   *owner;

	if (owners == NIL)
		return;
	CommandCounterIncrement();
	foreach(lc, tview_graph_all())
		tviews = lappend_oid(tviews, ((Tview *) lfirst(lc))->tview);
	forboth(lc, tviews, owner, owners)
		if (tview_owner_of(lfirst_oid(lc)) != lfirst_oid(owner))
		tview_record_owner(lfirst_oid(lc), lfirst_oid(owner), "REASSIGN OWNED");
	judge(true);
}

/*
 * tview_policies_changed - DDL has been done
 *
 * Views stand between tables and TVIEWs, roles own many tables, and a cascade
 * drops policies, so all TVIEWs are looked at, and it is rare.
 */
void
tview_policies_changed(Node *stmt)
{
	switch (nodeTag(stmt))
	{
		case T_CreatePolicyStmt:
		case T_AlterPolicyStmt:
		case T_DropOwnedStmt:
			judge(true);
			break;
		case T_RenameStmt:
		case T_AlterObjectSchemaStmt:
		case T_CreateFunctionStmt:
		case T_AlterFunctionStmt:
			judge(false);
			break;
		case T_DropStmt:
			if (((DropStmt *) stmt)->removeType == OBJECT_POLICY ||
				((DropStmt *) stmt)->behavior == DROP_CASCADE)
				judge(true);
			break;
		case T_AlterTableStmt:
			if (changes_sight((AlterTableStmt *) stmt))
				judge(true);
			break;
		default:
			break;
	}
}
