/*-------------------------------------------------------------------------
 *
 * row_security.c
 *	  Refreshing under the policies that apply to a TVIEW's owner.
 *
 * Which ones do is written down with the TVIEW.  DDL on tables and policies
 * that changes it is followed.  For ALTER ROLE and GRANT there are no event
 * triggers, but they make all plans invalid.  So each refresh looks whether the
 * policies are those by which the TVIEW's rows were computed, and raises an
 * error rather than take rows that have come to be hidden for ones that aren't
 * there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "analyze/policies.h"
#include "analyze/tables.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "refresh/row_security.h"

/*
 * tview_row_security_check - are the policies those by which the rows were
 * computed?
 */
void
tview_row_security_check(const TviewPlan *plan)
{
	Tview	   *tview = tview_graph_find(plan->tview);

	if (tview != NULL && strcmp(tview->policies, plan->policies) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("row-level security has changed for the owner of TVIEW %s",
						plan->name),
				 plan->policies[0] == '\0' ?
				 errdetail("No policies apply to role \"%s\" any more.",
						   GetUserNameFromId(plan->owner, false)) :
				 errdetail("Other policies than before apply to role \"%s\".",
						   GetUserNameFromId(plan->owner, false)),
				 errhint("Call pg_tviews_refresh() for the TVIEW.")));
}

/*
 * tview_row_security_enter - let policies apply, if they should
 *
 * The caller has become the owner, and with that row_security is off: where no
 * policy should apply, one that does is an error.  The TVIEW's own rows may not
 * be hidden from its owner in either case.  Its view reads the views of other
 * TVIEWs, and their tables, under the policies that these TVIEWs go by.
 */
void
tview_row_security_enter(const TviewPlan *plan)
{
	Tview	   *tview;

	tview_row_security_check(plan);
	tview = tview_graph_find(plan->tview);
	if (plan->policies[0] == '\0' && (tview == NULL || !tview->by_policies))
		return;
	if (tview_policies_apply(plan->tview, plan->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row-level security of TVIEW %s applies to its owner",
						plan->name),
				 errhint("Use ALTER TABLE ... NO FORCE ROW LEVEL SECURITY.")));
	tview_owner_allow_policies();
}

static bool
may_read(List *relids, Oid owner)
{
	ListCell   *lc;

	foreach(lc, relids)
		if (pg_class_aclcheck(lfirst_oid(lc), owner, ACL_SELECT) != ACLCHECK_OK)
		return false;
	return true;
}

/*
 * tview_row_security_judge - policies, or what they are made of, may have
 * changed; write down which apply
 *
 * Raises an error if the TVIEW can't be maintained under them.  Returns whether
 * its rows may be others now.
 *
 * pg_restore makes policies when the rows are there, and grants privileges after
 * that.  A TVIEW that its owner can't compute is left alone: it comes out as it
 * was dumped, or the next refresh raises an error.
 */
bool
tview_row_security_judge(Oid relid)
{
	Tview	   *tview = tview_graph_find(relid);
	Oid			owner = tview_owner_of(relid);
	List	   *tables;
	char	   *before;
	char	   *now;

	if (tview == NULL || !OidIsValid(owner))
		return false;
	tables = list_copy(tview->dependencies);
	before = pstrdup(tview->policies);
	now = tview_policies_describe(tables, owner);
	tview_tables_check_again(relid);
	if (before[0] == '\0' && now[0] == '\0')
		return false;
	if (!may_read(tables, owner))
		return false;
	if (strcmp(before, now) != 0)
	{
		tview_meta_set_policies(relid, now);
		CommandCounterIncrement();
	}
	return true;
}
