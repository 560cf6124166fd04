/*-------------------------------------------------------------------------
 *
 * repair.c
 *	  pg_tviews_repair(): finding and mending what is different in TVIEWs.
 *
 * A rebuild by differences that tells what it has found.  It is refused for a
 * TVIEW that would be out of date again at once, because changes go by.
 *
 * TVIEWs are locked in the order of their refresh, as writers do.  They are
 * repaired in the reverse order, each from its view, which doesn't need the
 * TVIEWs that it reads: otherwise their repair would reach it first, and nothing
 * would be found there any more.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/names.h"
#include "catalog/audit.h"
#include "catalog/suspension.h"
#include "ddl/reinstall.h"
#include "refresh/flush.h"
#include "refresh/lock.h"
#include "refresh/rebuild.h"

PG_FUNCTION_INFO_V1(pg_tviews_repair);

/* Leave out those that are not expected to be right. */
static List *
without_suspended(List *tviews)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, tviews)
	{
		if (!OidIsValid(tview_suspension_cause(lfirst_oid(lc))))
			result = lappend_oid(result, lfirst_oid(lc));
		else
			ereport(NOTICE,
					(errmsg("TVIEW %s is suspended, skipping",
							tview_name_qualified(lfirst_oid(lc)))));
	}
	return result;
}

/*
 * pg_tviews_repair - rebuild by differences; returns a row for each that was
 * wrong
 */
Datum
pg_tviews_repair(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *tviews;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	tviews = tview_rebuild_candidates(PG_ARGISNULL(0) ? NULL :
									  text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (PG_ARGISNULL(0))
		tviews = without_suspended(tviews);
	foreach(lc, tviews)
		tview_reinstall_check(lfirst_oid(lc));
	tview_flush(false);
	foreach(lc, tviews)
		tview_lock(lfirst_oid(lc));
	for (int i = list_length(tviews) - 1; i >= 0; i--)
		(void) tview_rebuild(list_nth_oid(tviews, i), TVIEW_AUDIT_REPAIR,
							 "pg_tviews_repair", result->setResult);
	return (Datum) 0;
}
