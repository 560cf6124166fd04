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
#include "utils/tuplestore.h"

#include "analyze/plan.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "refresh/sql.h"
#include "refresh/row_security.h"

PG_FUNCTION_INFO_V1(pg_tviews_verify);
PG_FUNCTION_INFO_V1(pg_tviews_version);

#define TVIEW_VERIFY_BATCH	1000

static void
check_may_read(Oid relid)
{
	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV,
					   get_relkind_objtype(get_rel_relkind(relid)),
					   get_rel_name(relid));
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
	Portal		portal;
	SPIPlanPtr	query;

	InitMaterializedSRF(fcinfo, 0);
	check_may_read(plan->tview);
	check_may_read(plan->view);
	tview_owner_enter(&owner, plan->owner, true);
	tview_row_security_enter(plan);
	SPI_connect();
	query = SPI_prepare(tview_sql_verify(plan), 0, NULL);
	if (query == NULL)
		elog(ERROR, "could not prepare the comparison: %s",
			 SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, query, NULL, NULL, false);
	do
	{
		SPI_cursor_fetch(portal, true, TVIEW_VERIFY_BATCH);
		for (uint64 i = 0; i < SPI_processed; i++)
			tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
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
