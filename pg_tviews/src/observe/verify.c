/*-------------------------------------------------------------------------
 *
 * verify.c
 *	  pg_tviews_verify(): is a TVIEW what its view returns?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/objectaddress.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "analyze/plan.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "refresh/apply.h"
#include "refresh/row_security.h"

PG_FUNCTION_INFO_V1(pg_tviews_verify);
PG_FUNCTION_INFO_V1(pg_tviews_version);

static void
check_may_read(Oid relid)
{
	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV,
					   get_relkind_objtype(get_rel_relkind(relid)),
					   get_rel_name(relid));
}

/*
 * Policies of the TVIEW hide rows from its readers.  What the view returns
 * besides has no row yet that they could be applied to, so nothing is shown.
 */
static void
check_sees_all(const TviewPlan *plan)
{
	if (check_enable_rls(plan->tview, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row-level security of TVIEW %s applies to role \"%s\"",
						plan->name, GetUserNameFromId(GetUserId(), false)),
				 errdetail("It may hide keys that are different."),
				 errhint("Call pg_tviews_verify() as the owner of the TVIEW, or as a role with BYPASSRLS.")));
}

/*
 * pg_tviews_verify - keys whose row is not what the view returns
 *
 * Nothing is written.  The comparison runs as a refresh does, as the owner, so
 * that nothing in the view runs as the caller; who needs SELECT on both.
 */
Datum
pg_tviews_verify(PG_FUNCTION_ARGS)
{
	char	   *input = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TviewPlan  *plan = tview_plan_get(tview_graph_find_name(input, false)->tview);
	TviewOwnerContext owner;

	InitMaterializedSRF(fcinfo, 0);
	check_may_read(plan->tview);
	check_may_read(plan->view);
	check_sees_all(plan);
	tview_owner_enter(&owner, plan->owner, true);
	tview_row_security_enter(plan);
	SPI_connect();
	tview_apply_list(plan, false, InvalidSnapshot, result->setResult);
	SPI_finish();
	tview_owner_leave(&owner);
	return (Datum) 0;
}

/*
 * pg_tviews_version - version that the library was built as
 */
Datum
pg_tviews_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(TVIEW_VERSION));
}
