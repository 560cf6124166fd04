/*-------------------------------------------------------------------------
 *
 * needs.c
 *	  Which parts of a TVIEW's row depend on which columns of its sources.
 *
 * The parts of a row are its columns, and where the document is a call of
 * jsonb_build_object() with constant keys, the pairs of that.  A change that
 * reaches only some of the parts need not recompute the others: a new title
 * of a post doesn't touch the array of its comments.
 *
 * What decides whether a row is there, and which rows of other sources it is
 * made of, matters for all parts: FROM, WHERE, GROUP BY of the top level.
 * What is inside a subquery of one part's expression matters for that part
 * only.  So the walk goes down from each part with the part's bit, and from
 * FROM and WHERE with the bit of the row as a whole.  An output column of a
 * subquery that nobody asks for needs nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

#include "analyze/needs.h"
#include "analyze/scope.h"
#include "base/compat.h"
#include "base/names.h"

typedef struct NeedContext
{
	TviewSources *sources;
	TviewScope *scope;
	uint64		parts;
} NeedContext;

static void need_scope(TviewSources *sources, TviewScope *scope, uint64 parts);
static void need_all_outputs(TviewSources *sources, TviewScope *scope,
							 uint64 parts);
static bool need_walker(Node *node, NeedContext *context);

static void
need(TviewSources *sources, TviewScope *scope, Node *expr, uint64 parts)
{
	NeedContext context = {sources, scope, parts};

	(void) need_walker(expr, &context);
}

static void
need_output(TviewSources *sources, TviewScope *scope, int resno, uint64 parts)
{
	TargetEntry *tle = get_tle_by_resno(scope->query->targetList, resno);
	ListCell   *lc;

	/* SEARCH and CYCLE add columns to a CTE that stand for all others */
	if (tle == NULL)
	{
		need_all_outputs(sources, scope, parts);
		return;
	}
	if (scope->output_parts == NULL)
		scope->output_parts =
			palloc0(sizeof(uint64) *
					(list_length(scope->query->targetList) + 1));
	if ((scope->output_parts[resno] & parts) == parts)
		return;
	scope->output_parts[resno] |= parts;
	foreach(lc, scope->branches)
		need_output(sources, lfirst(lc), resno, parts);
	if (scope->recursion != NULL)
		need_output(sources, scope->recursion->step, resno, parts);
	if (scope->branches == NIL)
		need(sources, scope, (Node *) tle->expr, parts);
}

static void
need_all_outputs(TviewSources *sources, TviewScope *scope, uint64 parts)
{
	ListCell   *lc;

	foreach(lc, scope->query->targetList)
	{
		TargetEntry *tle = lfirst(lc);

		if (!tle->resjunk)
			need_output(sources, scope, tle->resno, parts);
	}
}

/*
 * A virtual generated column is not in the row that a trigger sees, so it
 * stands for all columns.
 */
static void
need_column(TviewOccurrence *occurrence, AttrNumber attno, uint64 parts)
{
	if (attno > 0)
		occurrence->used = bms_add_member(occurrence->used, attno);
	else if (attno < 0)
		return;
	if (attno == 0 || bms_is_member(attno, occurrence->computed))
	{
		occurrence->whole_row = true;
		occurrence->parts[0] |= parts;
	}
	occurrence->parts[attno] |= parts;
}

static void
need_var(Var *var, NeedContext *context)
{
	TviewSources *sources = context->sources;
	TviewScope *scope = tview_scope_up(context->scope, var->varlevelsup);
	RangeTblEntry *rte = rt_fetch(var->varno, scope->query->rtable);
	TviewBinding *binding = &scope->bindings[var->varno];

	if (binding->occurrence >= 0 && binding->self == NULL)
	{
		if (OidIsValid(sources->occurrences[binding->occurrence].relid))
			need_column(&sources->occurrences[binding->occurrence],
						var->varattno, context->parts);
	}
	else if (binding->scope != NULL)
	{
		if (var->varattno > 0)
			need_output(sources, binding->scope, var->varattno,
						context->parts);
		else
			need_all_outputs(sources, binding->scope, context->parts);
	}
	else if (rte->rtekind == RTE_JOIN)
	{
		if (var->varattno > 0)
			need(sources, scope, list_nth(rte->joinaliasvars,
										  var->varattno - 1), context->parts);
		else
			need(sources, scope, (Node *) rte->joinaliasvars, context->parts);
	}
	else if (tview_group_exprs(rte) != NIL)
		need(sources, scope, list_nth(tview_group_exprs(rte),
									  var->varattno - 1), context->parts);
}

static bool
need_walker(Node *node, NeedContext *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		need_var((Var *) node, context);
		return false;
	}
	if (IsA(node, SubLink))
	{
		SubLink    *sublink = (SubLink *) node;
		TviewScope *inner = tview_scope_of_sublink(context->scope, sublink);

		(void) need_walker(sublink->testexpr, context);
		need_scope(context->sources, inner, context->parts);
		if (sublink->subLinkType != EXISTS_SUBLINK)
			need_all_outputs(context->sources, inner, context->parts);
		return false;
	}
	return expression_tree_walker(node, need_walker, context);
}

static void
need_sort_group(TviewSources *sources, TviewScope *scope, List *clauses,
				uint64 parts)
{
	ListCell   *lc;

	foreach(lc, clauses)
		need(sources, scope,
			 get_sortgroupclause_expr(lfirst(lc), scope->query->targetList),
			 parts);
}

static void
need_clauses(TviewSources *sources, TviewScope *scope, uint64 parts)
{
	Query	   *query = scope->query;
	ListCell   *lc;

	foreach(lc, scope->quals)
		need(sources, scope, ((TviewQuals *) lfirst(lc))->expr, parts);
	need(sources, scope, query->havingQual, parts);
	need(sources, scope, query->limitCount, parts);
	need(sources, scope, query->limitOffset, parts);
	need_sort_group(sources, scope, query->groupClause, parts);
	need_sort_group(sources, scope, query->sortClause, parts);
	need_sort_group(sources, scope, query->distinctClause, parts);

	/* a function that returns a set decides how many rows there are */
	foreach(lc, query->targetList)
		if (query->hasTargetSRFs &&
			expression_returns_set((Node *) ((TargetEntry *) lfirst(lc))->expr))
		need(sources, scope, (Node *) ((TargetEntry *) lfirst(lc))->expr,
			 parts);
	foreach(lc, query->windowClause)
	{
		WindowClause *window = lfirst(lc);

		need_sort_group(sources, scope, window->partitionClause, parts);
		need_sort_group(sources, scope, window->orderClause, parts);
		need(sources, scope, window->startOffset, parts);
		need(sources, scope, window->endOffset, parts);
	}
}

/*
 * What matters whichever outputs are asked for, of this level and of the
 * subqueries in its FROM.
 */
static void
need_scope(TviewSources *sources, TviewScope *scope, uint64 parts)
{
	Query	   *query = scope->query;

	if ((scope->parts & parts) == parts)
		return;
	scope->parts |= parts;
	need_clauses(sources, scope, parts);

	for (int i = 1; i <= list_length(query->rtable); i++)
	{
		RangeTblEntry *rte = rt_fetch(i, query->rtable);
		TviewBinding *binding = &scope->bindings[i];

		need(sources, scope, (Node *) rte->functions, parts);
		need(sources, scope, (Node *) rte->values_lists, parts);
		need(sources, scope, (Node *) rte->tablefunc, parts);
		if (binding->occurrence >= 0)
			sources->occurrences[binding->occurrence].row_parts |= parts;
		if (binding->scope == NULL)
			continue;
		need_scope(sources, binding->scope, parts);
		if (query->setOperations != NULL)
			need_all_outputs(sources, binding->scope, parts);
	}
}

/* ----------
 * Parts
 * ----------
 */

/* The constant key of a pair, or NULL. */
static char *
constant_key(Node *node)
{
	Const	   *key = (Const *) node;

	if (!IsA(node, Const) || key->constisnull)
		return NULL;
	if (key->consttype == TEXTOID)
		return TextDatumGetCString(key->constvalue);
	if (key->consttype == UNKNOWNOID)
		return pstrdup(DatumGetCString(key->constvalue));
	return NULL;
}

/* The pairs of a document, or NIL if it is not made of such. */
static List *
document_pairs(TargetEntry *tle)
{
	FuncExpr   *call = (FuncExpr *) tle->expr;
	List	   *result = NIL;

	if (!IsA(call, FuncExpr) || call->funcid != F_JSONB_BUILD_OBJECT_ANY ||
		call->funcvariadic || list_length(call->args) % 2 != 0)
		return NIL;
	for (int i = 0; i < list_length(call->args); i += 2)
	{
		char	   *key = constant_key(list_nth(call->args, i));
		TviewPart  *part = palloc0(sizeof(TviewPart));
		ListCell   *lc;

		if (key == NULL)
			return NIL;
		foreach(lc, result)
			if (strcmp(((TviewPart *) lfirst(lc))->name, key) == 0)
			return NIL;
		part->resno = tle->resno;
		part->pair = i / 2;
		part->name = key;
		result = lappend(result, part);
	}
	return result;
}

/*
 * tview_parts_find - the parts of a definition's rows
 *
 * NIL if they can't be told apart, or are too many.
 */
List *
tview_parts_find(Query *query)
{
	List	   *result = NIL;
	ListCell   *lc;

	/* where a row depends on others, none can be computed in parts */
	if (query->hasTargetSRFs || query->distinctClause != NIL ||
		query->setOperations != NULL || query->hasWindowFuncs ||
		query->groupingSets != NIL || query->limitCount != NULL ||
		query->limitOffset != NULL)
		return NIL;
	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst(lc);
		List	   *pairs = NIL;
		TviewPart  *part;

		if (tle->resjunk)
			continue;
		if (strcmp(tle->resname, TVIEW_DATA_COLUMN) == 0)
			pairs = document_pairs(tle);
		if (pairs != NIL)
		{
			result = list_concat(result, pairs);
			continue;
		}
		part = palloc0(sizeof(TviewPart));
		part->resno = tle->resno;
		part->pair = -1;
		part->name = tle->resname;
		result = lappend(result, part);
	}
	return list_length(result) <= TVIEW_MAX_PARTS ? result : NIL;
}

/* The value of a pair, or the output itself. */
static Node *
part_expr(Query *query, const TviewPart *part)
{
	Node	   *expr = (Node *) get_tle_by_resno(query->targetList,
												 part->resno)->expr;

	if (part->pair < 0)
		return expr;
	return list_nth(((FuncExpr *) expr)->args, part->pair * 2 + 1);
}

/*
 * tview_needs_find - fill in what each occurrence is needed for
 */
void
tview_needs_find(TviewSources *sources, Query *query, List *parts)
{
	int			n = 0;
	ListCell   *lc;

	need_scope(sources, sources->top, TVIEW_PART_ROW);
	if (parts == NIL)
		need_all_outputs(sources, sources->top, TVIEW_PART_ROW);
	foreach(lc, parts)
		need(sources, sources->top, part_expr(query, lfirst(lc)),
			 UINT64CONST(1) << n++);
}

static bool
has_rtindex(Node *node, int rtindex)
{
	if (IsA(node, RangeTblRef))
		return ((RangeTblRef *) node)->rtindex == rtindex;
	return has_rtindex(((JoinExpr *) node)->larg, rtindex) ||
		has_rtindex(((JoinExpr *) node)->rarg, rtindex);
}

/*
 * Turn inner joins between the root and others into left joins.  A row of the
 * definition that is there has found its partners, so nothing changes for it;
 * and the planner leaves out a left join to a unique row that no part needs.
 */
static void
loosen_joins(Node *node, int root_rtindex)
{
	while (IsA(node, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) node;

		if (!has_rtindex(join->larg, root_rtindex) ||
			(join->jointype != JOIN_INNER && join->jointype != JOIN_LEFT))
			break;
		join->jointype = JOIN_LEFT;
		node = join->larg;
	}
}

/*
 * tview_parts_query - the definition cut down to its key and some parts
 *
 * The pairs wanted make up a document of their own, in a column of the
 * document's name.
 */
Query *
tview_parts_query(Query *query, List *parts, uint64 wanted,
				  const char *key_column, int root_rtindex)
{
	Query	   *result = copyObject(query);
	List	   *targets = NIL;
	ListCell   *lc;

	foreach(lc, result->targetList)
	{
		TargetEntry *tle = lfirst(lc);
		List	   *args = NIL;
		bool		keep = !tle->resjunk &&
		strcmp(tle->resname, key_column) == 0;
		int			n = 0;
		ListCell   *part_cell;

		foreach(part_cell, parts)
		{
			TviewPart  *part = lfirst(part_cell);
			bool		is_wanted = (wanted & (UINT64CONST(1) << n++)) != 0;

			if (part->resno != tle->resno || !is_wanted || tle->resjunk)
				continue;
			keep = true;
			if (part->pair >= 0)
				args = lappend(lappend(args, list_nth(((FuncExpr *) tle->expr)->args, part->pair * 2)),
							   list_nth(((FuncExpr *) tle->expr)->args, part->pair * 2 + 1));
		}
		if (args != NIL)
			((FuncExpr *) tle->expr)->args = args;
		if (!keep && tle->ressortgroupref == 0)
			continue;
		tle->resjunk = !keep;
		targets = lappend(targets, tle);
	}
	/* with GROUP BY, a key may have rows of the root without partners */
	if (result->groupClause == NIL && !result->hasAggs)
		foreach(lc, result->jointree->fromlist)
			loosen_joins(lfirst(lc), root_rtindex);

	/* junk goes last */
	result->targetList = NIL;
	for (int junk = 0; junk < 2; junk++)
		foreach(lc, targets)
			if (((TargetEntry *) lfirst(lc))->resjunk == (junk == 1))
			result->targetList = lappend(result->targetList, lfirst(lc));
	foreach(lc, result->targetList)
		((TargetEntry *) lfirst(lc))->resno = foreach_current_index(lc) + 1;
	return result;
}
