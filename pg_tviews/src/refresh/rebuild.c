/*-------------------------------------------------------------------------
 *
 * rebuild.c
 *	  Rebuilding a TVIEW by differences on request.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "analyze/plan.h"
#include "base/compat.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/audit.h"
#include "catalog/graph.h"
#include "catalog/suspension.h"
#include "refresh/flush.h"
#include "refresh/rebuild.h"
#include "refresh/row_security.h"

PG_FUNCTION_INFO_V1(pg_tviews_refresh);

/*
 * tview_rebuild_candidates - OIDs of the TVIEWs that the caller means, and owns
 *
 * NULL stands for all that the caller owns, in the order of their refresh.
 */
List *
tview_rebuild_candidates(const char *input)
{
	List	   *result = NIL;
	ListCell   *lc;

	if (tview_flush_running())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot rebuild a TVIEW while others are being refreshed")));
	if (input != NULL)
	{
		Oid			relid = tview_graph_find_name(input, false)->tview;

		if (!tview_owner_is_member(relid))
			aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE,
						   tview_name_qualified(relid));
		return list_make1_oid(relid);
	}
	foreach(lc, tview_graph_all())
	{
		Oid			relid = ((Tview *) lfirst(lc))->tview;

		if (tview_owner_is_member(relid))
			result = lappend_oid(result, relid);
	}
	return result;
}

/*
 * tview_rebuild_judge - rows are to be computed by the policies that there are
 * now
 */
void
tview_rebuild_judge(Oid relid)
{
	if (strcmp(tview_plan_get(relid)->policies,
			   tview_graph_find(relid)->policies) != 0)
		(void) tview_row_security_judge(relid);
}

/*
 * tview_rebuild - rebuild by differences, and record it as this operation
 *
 * The queue has been flushed.  Lists in rows, unless that is NULL, what it finds
 * different.
 */
TviewWritten
tview_rebuild(Oid relid, const char *operation, const char *command,
			  Tuplestorestate *rows)
{
	TviewWritten written;
	TviewDetails details;

	tview_suspension_check(relid);
	tview_rebuild_judge(relid);
	written = tview_flush_rebuild(tview_plan_get(relid), rows);
	tview_details_begin(&details, command);
	tview_details_number(&details, "inserted", (int64) written.inserted);
	tview_details_number(&details, "updated", (int64) written.updated);
	tview_details_number(&details, "deleted", (int64) written.deleted);
	tview_audit_tview(operation, relid, tview_details_end(&details));
	return written;
}

/*
 * pg_tviews_refresh - rebuild by differences; returns what was written
 */
Datum
pg_tviews_refresh(PG_FUNCTION_ARGS)
{
	Oid			relid = linitial_oid(tview_rebuild_candidates(text_to_cstring(PG_GETARG_TEXT_PP(0))));
	TviewWritten written;
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	tview_flush(false);
	written = tview_rebuild(relid, TVIEW_AUDIT_REFRESH, "pg_tviews_refresh",
							NULL);
	values[0] = Int64GetDatum((int64) written.inserted);
	values[1] = Int64GetDatum((int64) written.updated);
	values[2] = Int64GetDatum((int64) written.deleted);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}
