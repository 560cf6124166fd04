/*-------------------------------------------------------------------------
 *
 * locks.c
 *	  pg_tviews_lookup(): whose values the locks of look-ups are about.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "analyze/plan.h"
#include "catalog/graph.h"

PG_FUNCTION_INFO_V1(pg_tviews_lookup);

/*
 * The TVIEW's plan, if nobody's DDL is in the way: who looks at locks wants to
 * see what others wait for, not to wait.
 */
static TviewPlan *
get_plan(Oid tview)
{
	Tview	   *entry = tview_graph_find(tview);
	List	   *locked = NIL;
	TviewPlan  *plan = NULL;
	bool		free = true;
	ListCell   *lc;

	if (entry == NULL)
		return NULL;
	foreach(lc, lcons_oid(tview, lcons_oid(entry->view,
										   list_copy(entry->dependencies))))
	{
		free = ConditionalLockRelationOid(lfirst_oid(lc), AccessShareLock);
		if (!free)
			break;
		locked = lappend_oid(locked, lfirst_oid(lc));
	}
	if (free)
		plan = tview_plan_get(tview);
	foreach(lc, locked)
		UnlockRelationOid(lfirst_oid(lc), AccessShareLock);
	return plan;
}

static ArrayType *
column_names(const TviewLookup *lookup)
{
	Datum	   *names = palloc(sizeof(Datum) * (lookup->ncolumns + 1));

	for (int i = 0; i < lookup->ncolumns; i++)
		names[i] = CStringGetTextDatum(get_attname(lookup->relid,
												   lookup->columns[i], false));
	return construct_array(names, lookup->ncolumns, TEXTOID, -1, false,
						   TYPALIGN_INT);
}

/*
 * pg_tviews_lookup - the table and columns that a tag of a TVIEW's locks stands
 * for
 */
Datum
pg_tviews_lookup(PG_FUNCTION_ARGS)
{
	TviewPlan  *plan = get_plan(PG_GETARG_OID(0));
	int			tag = PG_GETARG_INT32(1);
	TupleDesc	desc;
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};
	ListCell   *lc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	foreach(lc, plan != NULL ? plan->lookups : NIL)
	{
		TviewLookup *lookup = lfirst(lc);

		if (lookup->tag != tag)
			continue;
		values[0] = ObjectIdGetDatum(lookup->relid);
		values[1] = PointerGetDatum(column_names(lookup));
		nulls[0] = nulls[1] = false;
		break;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}
