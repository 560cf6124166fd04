/*-------------------------------------------------------------------------
 *
 * walk.c
 *	  How the steps of a recursive CTE are gone along.
 *
 * A recursive CTE makes rows from a start; each step goes on from a row made
 * before.  What ties a step to that row are equalities, such as
 * c.pk = up.fk_parent.  The values of such columns are all that needs to be
 * known of a row to find the steps before it, or after it: a walk is a
 * recursive query over these values.
 *
 * In the graph, "in" stands for the row that the last step went on from and
 * "out" for one that the start or an earlier step has made.  They are the same
 * row if there was one step; else a walk leads from one to the other:
 * backward, from in to out, if the start leads to the key; forward, from out to
 * in, if what the last step has made does (see derive.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_oper.h"
#include "utils/lsyscache.h"

#include "analyze/scope.h"

/* What a condition equates this column of an end with, or NULL. */
static Node *
equated_with(const TviewCondition *condition, int end, AttrNumber attno)
{
	OpExpr	   *op = (OpExpr *) condition->expr;

	if (!IsA(op, OpExpr) || list_length(op->args) != 2 ||
		!bms_is_empty(condition->items) ||
		!bms_is_empty(condition->maybe_null) ||
		!op_mergejoinable(op->opno, exprType(linitial(op->args))))
		return NULL;
	for (int side = 0; side < 2; side++)
	{
		Var		   *var = (Var *) tview_strip_relabel(list_nth(op->args, side));
		Node	   *other = list_nth(op->args, 1 - side);

		if (IsA(var, Var) && var->varno == end + 1 && var->varattno == attno &&
			!bms_is_member(end, tview_sources_of(other)) &&
			exprType(tview_strip_relabel(other)) == var->vartype &&
			exprCollation(other) == var->varcollid)
			return tview_strip_relabel(other);
	}
	return NULL;
}

static Node *
find_equated(TviewGraph *graph, int end, AttrNumber attno)
{
	ListCell   *lc;

	foreach(lc, graph->conditions)
	{
		Node	   *result = equated_with(lfirst(lc), end, attno);

		if (result != NULL)
			return result;
	}
	return NULL;
}

static Node *
output_of(TviewGraph *graph, TviewScope *scope, AttrNumber attno)
{
	return (Node *) tview_resolve_column(graph, scope, attno, NULL);
}

/* Is it over one occurrence, the same as those before it in the list? */
static bool
fits(Node *expr, List *before, Bitmapset *nulled)
{
	Bitmapset  *occurrences;

	if (expr == NULL)
		return false;
	occurrences = tview_sources_of(expr);
	return bms_membership(occurrences) == BMS_SINGLETON &&
		!bms_overlap(occurrences, nulled) &&
		(before == NIL ||
		 bms_equal(occurrences, tview_sources_of(linitial(before))));
}

static void
add_column(TviewGraph *graph, TviewWalk *walk, TviewScope *start,
		   AttrNumber attno)
{
	TviewRecursion *recursion = walk->recursion;
	Node	   *step_in = find_equated(graph, recursion->in, attno);
	Node	   *earlier_in = find_equated(graph, recursion->earlier_in, attno);
	Node	   *step_out = output_of(graph, recursion->step, attno);
	Node	   *earlier_out = output_of(graph, recursion->earlier, attno);
	Node	   *start_out = output_of(graph, start, attno);

	if (!fits(step_in, walk->step_in, recursion->step->nulled) ||
		!fits(earlier_in, walk->earlier_in, recursion->earlier->nulled) ||
		!fits(step_out, walk->step_out, recursion->step->nulled) ||
		!fits(earlier_out, walk->earlier_out, recursion->earlier->nulled) ||
		!fits(start_out, walk->start_out, start->nulled))
		return;
	walk->columns = lappend_int(walk->columns, attno);
	walk->step_in = lappend(walk->step_in, step_in);
	walk->step_out = lappend(walk->step_out, step_out);
	walk->earlier_in = lappend(walk->earlier_in, earlier_in);
	walk->earlier_out = lappend(walk->earlier_out, earlier_out);
	walk->start_out = lappend(walk->start_out, start_out);
}

/* Conditions with an end of the steps in them are none but those of the walk. */
static void
remove_conditions(TviewGraph *graph, const TviewRecursion *recursion)
{
	ListCell   *lc;

	foreach(lc, graph->conditions)
	{
		TviewCondition *condition = lfirst(lc);

		if (bms_is_member(recursion->in, condition->occurrences) ||
			bms_is_member(recursion->earlier_in, condition->occurrences))
			graph->conditions = foreach_delete_current(graph->conditions, lc);
	}
}

static void
add_equalities(TviewGraph *graph, int end, List *columns, List *exprs)
{
	ListCell   *column;
	ListCell   *expr;

	forboth(column, columns, expr, exprs)
	{
		Node	   *value = lfirst(expr);
		Var		   *var = makeVar(end + 1, lfirst_int(column), exprType(value),
								  -1, exprCollation(value), 0);
		Expr	   *equality = tview_make_equality(value, (Node *) var);

		if (equality != NULL)
			tview_add_condition(graph, equality, NIL, NULL);
	}
}

/*
 * tview_walk_add - add the walk of a recursive CTE with steps, if there is
 * one, and its conditions
 */
void
tview_walk_add(TviewGraph *graph, TviewRecursion *recursion)
{
	TviewScope *start = list_nth(recursion->scope->branches,
								 graph->choices[recursion->scope->choice]);
	TviewWalk  *walk = palloc0(sizeof(TviewWalk));
	ListCell   *lc;

	walk->recursion = recursion;
	if (recursion->references == 2)
		foreach(lc, recursion->step->query->targetList)
	{
		TargetEntry *tle = lfirst(lc);

		if (!tle->resjunk && !tview_scope_passes_on(recursion, tle->resno))
			add_column(graph, walk, start, tle->resno);
	}
	remove_conditions(graph, recursion);
	if (walk->columns == NIL)
		return;
	add_equalities(graph, recursion->in, walk->columns, walk->step_in);
	add_equalities(graph, recursion->earlier_in, walk->columns,
				   walk->earlier_in);
	add_equalities(graph, recursion->out, walk->columns, walk->start_out);
	add_equalities(graph, recursion->out, walk->columns, walk->earlier_out);
	graph->walks = lappend(graph->walks, walk);
}
