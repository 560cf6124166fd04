/*-------------------------------------------------------------------------
 *
 * filters.c
 *	  Conditions that keep what may fail from failing.
 *
 * The query from changed rows to keys leaves out conditions on a single source
 * (see derive.c).  But if it computes something that may fail for values that
 * the definition keeps away from it, as in
 *
 *	 FROM a JOIN b ON b.pk = a.value::int WHERE a.kind = 'number'
 *
 * it needs them.  They hide no changes from each other: a row on the way from
 * a changed row to the key that doesn't meet them now has not met them before,
 * or has changed itself, and then finds the key; and of the changed row, each
 * image is looked at by itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"

#include "analyze/filters.h"
#include "analyze/sources.h"

static bool
may_fail_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, OpExpr) || IsA(node, ScalarArrayOpExpr))
	{
		if (exprType(node) != BOOLOID)
			return true;
	}
	else if (!IsA(node, List) && !IsA(node, Var) && !IsA(node, Const) &&
			 !IsA(node, RelabelType) && !IsA(node, BoolExpr) &&
			 !IsA(node, NullTest) && !IsA(node, DistinctExpr))
		return true;
	return expression_tree_walker(node, may_fail_walker, context);
}

/*
 * tview_may_fail - does the expression more than compare columns?
 */
bool
tview_may_fail(Node *expr)
{
	return may_fail_walker(expr, NULL);
}

/* Does the condition hold where all of these are present? */
static bool
holds_among(const TviewCondition *condition, Bitmapset *present)
{
	ListCell   *lc;

	foreach(lc, condition->regions)
		if (!bms_overlap(lfirst(lc), present))
		return false;
	return bms_is_empty(condition->maybe_null);
}

/*
 * tview_filters_find - conditions on a single one of these occurrences, which
 * hold where all of them are present
 */
List *
tview_filters_find(const TviewGraph *graph, Bitmapset *present)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, graph->conditions)
	{
		TviewCondition *condition = lfirst(lc);
		int			occurrence;

		/* virtual generated columns are not in the changed rows */
		if (bms_get_singleton_member(condition->occurrences, &occurrence) &&
			bms_is_member(occurrence, present) &&
			bms_is_empty(condition->items) &&
			bms_is_empty(graph->sources->occurrences[occurrence].computed) &&
			holds_among(condition, present))
			result = lappend(result, condition->expr);
	}
	return result;
}
