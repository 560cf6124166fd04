/*-------------------------------------------------------------------------
 *
 * conditions.c
 *	  The graph of a definition: sources and the conditions between them.
 *
 * Its nodes are occurrences, its edges the conjuncts of WHERE and ON of all
 * levels, over occurrences.  A correlated condition of a subquery is an edge
 * like any other.  Further edges join the two looks at a level that has
 * siblings (see scope.c), by what their rows share, and the steps of a
 * recursive CTE.
 *
 * There is one graph for each combination of branches of set operations: a
 * row of A UNION B is one of A, or one of B.
 *
 * A condition leads to an occurrence only if it can't be true for one that is
 * null-extended, since then it would say nothing about rows that are there
 * (WHERE b.pk IS NULL).  Leaving a condition out is always safe: fewer find
 * more keys, or no way to the key at all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parse_agg.h"
#include "parser/parse_oper.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "analyze/scope.h"
#include "base/compat.h"
#include "base/inherits.h"

static void walk_scope(TviewGraph *graph, TviewScope *scope);

/*
 * tview_nonnullable - occurrences that are present where the expression, a
 * condition, is true or, another one, is not null
 */
Bitmapset *
tview_nonnullable(Node *expr)
{
	Relids		varnos = find_nonnullable_rels(expr);
	Bitmapset  *result = NULL;
	int			varno = -1;

	while ((varno = bms_next_member(varnos, varno)) >= 0)
		result = bms_add_member(result, varno - 1);
	return result;
}

/*
 * tview_condition_holds_with - does the condition hold in every combination
 * in which these two are present?
 */
bool
tview_condition_holds_with(const TviewCondition *condition, int occurrence,
						   int root)
{
	ListCell   *lc;

	foreach(lc, condition->regions)
	{
		Bitmapset  *region = lfirst(lc);

		if (!bms_is_member(occurrence, region) &&
			!bms_is_member(root, region))
			return false;
	}
	return true;
}

/*
 * tview_is_end - does it stand for rows at an end of the steps of a recursion?
 */
bool
tview_is_end(const TviewSources *sources, int occurrence)
{
	return !OidIsValid(sources->occurrences[occurrence].relid) &&
		sources->occurrences[occurrence].item == NULL;
}

/* ----------
 * Functions and VALUES in FROM
 * ----------
 */

typedef struct ItemContext
{
	TviewGraph *graph;
	TviewScope *scope;
	bool		failed;
} ItemContext;

static Node *
item_expr_mutator(Node *node, ItemContext *context)
{
	Expr	   *result;
	bool		nullable;

	if (node == NULL || context->failed)
		return node;
	if (IsA(node, List))
		return expression_tree_mutator(node, item_expr_mutator, context);
	if (IsA(node, RangeTblFunction))
	{
		RangeTblFunction *function = copyObject((RangeTblFunction *) node);
		FuncExpr   *call = (FuncExpr *) function->funcexpr;

		/* the call itself returns a set; its arguments don't */
		if (!IsA(call, FuncExpr))
		{
			context->failed = true;
			return node;
		}
		call->args = (List *) item_expr_mutator((Node *) call->args, context);
		return (Node *) function;
	}
	result = tview_resolve_nullable(context->graph, context->scope, node,
									&nullable);
	context->failed |= result == NULL || nullable;
	return result == NULL ? node : (Node *) result;
}

/* Rewrite an item over occurrences, and note those that it mentions. */
static void
resolve_item(TviewGraph *graph, TviewScope *scope, int occurrence,
			 RangeTblEntry *rte)
{
	ItemContext context = {graph, scope, false};
	RangeTblEntry *item = copyObject(rte);
	Bitmapset  *args;

	item->functions = (List *) item_expr_mutator((Node *) item->functions,
												 &context);
	item->values_lists = (List *) item_expr_mutator((Node *) item->values_lists,
													&context);
	if (context.failed || item->tablefunc != NULL)
		return;
	args = bms_union(tview_sources_of((Node *) item->functions),
					 tview_sources_of((Node *) item->values_lists));
	item->lateral = !bms_is_empty(args);
	graph->items[occurrence] = item;
	graph->item_args[occurrence] = args;
}

/*
 * Replace items computed from other occurrences by those.  False if one can't
 * be.  What an item is computed from may be null-extended where it isn't.
 */
static bool
add_item_args(TviewGraph *graph, TviewCondition *condition, Bitmapset *nulled)
{
	int			member = -1;

	while ((member = bms_next_member(condition->occurrences, member)) >= 0)
	{
		Bitmapset  *args = graph->item_args[member];

		if (graph->sources->occurrences[member].item == NULL ||
			(graph->items[member] != NULL && bms_is_empty(args)))
			continue;
		if (graph->items[member] == NULL ||
			bms_is_member(member, condition->maybe_null))
			return false;
		condition->items = bms_add_member(condition->items, member);
		condition->maybe_null =
			bms_add_members(condition->maybe_null,
							bms_intersect(args, nulled));
		condition->occurrences =
			bms_add_members(bms_del_member(condition->occurrences, member),
							args);
		member = -1;
	}
	return true;
}

/* ----------
 * Conditions
 * ----------
 */

/*
 * tview_add_condition - add a condition over occurrences, if it is of use
 */
void
tview_add_condition(TviewGraph *graph, Expr *expr, List *regions,
					Bitmapset *nulled)
{
	TviewCondition *condition = palloc0(sizeof(TviewCondition));

	condition->expr = expr;
	condition->occurrences = tview_sources_of((Node *) expr);
	condition->regions = regions;
	if (bms_is_empty(condition->occurrences))
		return;
	condition->maybe_null =
		bms_difference(bms_intersect(condition->occurrences, nulled),
					   tview_nonnullable((Node *) expr));
	if (add_item_args(graph, condition, nulled))
		graph->conditions = lappend(graph->conditions, condition);
}

/*
 * tview_column_is_not_null - is the column of this occurrence never null?
 *
 * Child tables may allow nulls where their parent doesn't.
 */
bool
tview_column_is_not_null(const TviewOccurrence *occurrence, AttrNumber attno)
{
	Relation	rel;
	bool		result;

	if (!OidIsValid(occurrence->relid) || attno <= 0 ||
		(occurrence->inh && tview_inherits_has_children(occurrence->relid)))
		return false;
	rel = table_open(occurrence->relid, AccessShareLock);
	result = tview_is_not_null(RelationGetDescr(rel), attno - 1);
	table_close(rel, NoLock);
	return result;
}

/* Is it known that a value is never null where its row is there? */
static bool
is_never_null(TviewGraph *graph, Node *expr, Bitmapset *nulled,
			  TviewScope *scope)
{
	Var		   *var = (Var *) tview_strip_relabel(expr);
	ListCell   *lc;

	if (IsA(var, Const))
		return !((Const *) var)->constisnull;
	if (!IsA(var, Var) || bms_is_member(var->varno - 1, nulled))
		return false;
	foreach(lc, scope->quals)
	{
		NullTest   *test;
		ListCell   *conjunct;

		foreach(conjunct, make_ands_implicit((Expr *) ((TviewQuals *) lfirst(lc))->expr))
		{
			test = lfirst(conjunct);
			if (IsA(test, NullTest) && test->nulltesttype == IS_NOT_NULL &&
				scope->query->jointree->quals ==
				((TviewQuals *) lfirst(lc))->expr &&
				equal(tview_resolve(graph, scope, (Node *) test->arg), var))
				return true;
		}
	}
	return tview_column_is_not_null(&graph->sources->occurrences[var->varno - 1],
									var->varattno);
}

/*
 * Where a condition holds that is true of all rows of a level: where its
 * occurrences are present, or where a row of it must be.
 */
static List *
add_implied(const TviewScope *scope, Bitmapset *present)
{
	List	   *result = NIL;
	ListCell   *lc;

	if (scope->implied == NIL)
		return list_make1(present);
	foreach(lc, scope->implied)
		result = lappend(result, bms_union(present, lfirst(lc)));
	return result;
}

static List *
regions_of(const TviewScope *scope, const TviewQuals *quals)
{
	return quals->required ?
		add_implied(scope, linitial(quals->regions)) : quals->regions;
}

/* The comparison, or a side of it that may be null is. */
static Expr *
or_null(TviewGraph *graph, OpExpr *op, Bitmapset *nulled, TviewScope *scope)
{
	List	   *arms = list_make1(op);
	ListCell   *lc;

	foreach(lc, op->args)
	{
		NullTest   *test;

		if (is_never_null(graph, lfirst(lc), nulled, scope))
			continue;
		test = makeNode(NullTest);
		test->arg = copyObject(lfirst(lc));
		test->nulltesttype = IS_NULL;
		test->location = -1;
		arms = lappend(arms, test);
	}
	return list_length(arms) == 1 ? (Expr *) op :
		makeBoolExpr(OR_EXPR, arms, -1);
}

/*
 * A comparison x op ANY (SELECT y ...), or ALL, anywhere.  A row matters only
 * if it makes the comparison true or null, or for ALL false or null.  As a
 * conjunct, with wanted, ANY need only be true, and then it makes no
 * difference whether it is false or null.
 */
static void
add_test(TviewGraph *graph, TviewScope *scope, SubLink *sublink,
		 Bitmapset *nulled, bool wanted)
{
	TviewScope *inner = tview_scope_of_sublink(scope, sublink);
	bool		nullable;
	Expr	   *expr = tview_resolve_test(graph, scope, sublink, &nullable);
	Bitmapset  *all_nulled = bms_union(nulled, inner->nulled);
	OpExpr	   *op = (OpExpr *) expr;

	if (expr == NULL)
		return;
	if (sublink->subLinkType == ALL_SUBLINK || !wanted)
	{
		if (nullable || !IsA(op, OpExpr) || list_length(op->args) != 2 ||
			get_op_index_interpretation(op->opno) == NIL)
			return;
		if (sublink->subLinkType == ALL_SUBLINK)
		{
			if (!OidIsValid(get_negator(op->opno)))
				return;
			op = copyObject(op);
			op->opno = get_negator(op->opno);
			op->opfuncid = InvalidOid;
		}
		expr = or_null(graph, op, all_nulled, inner);
	}
	tview_add_condition(graph, expr,
						add_implied(inner, inner->occurrences),
						all_nulled);
}

/*
 * Where EXISTS or IN is a condition, a row of the subquery is there wherever
 * the condition holds.
 */
static void
imply_rows(TviewScope *scope, const SubLink *sublink, const TviewQuals *quals)
{
	TviewScope *inner = tview_scope_of_sublink(scope, sublink);
	Query	   *query = inner->query;

	if (query->setOperations == NULL && query->groupingSets == NIL &&
		(query->groupClause != NIL ||
		 (!query->hasAggs && query->havingQual == NULL)))
		inner->implied = regions_of(scope, quals);
}

static void
add_conjuncts(TviewGraph *graph, TviewScope *scope, TviewQuals *quals,
			  Node *expr, Bitmapset *nulled)
{
	if (expr == NULL)
		return;
	if (IsA(expr, SubLink) &&
		(((SubLink *) expr)->subLinkType == EXISTS_SUBLINK ||
		 ((SubLink *) expr)->subLinkType == ANY_SUBLINK))
		imply_rows(scope, (SubLink *) expr, quals);
	if (is_andclause(expr))
	{
		ListCell   *lc;

		foreach(lc, ((BoolExpr *) expr)->args)
			add_conjuncts(graph, scope, quals, lfirst(lc), nulled);
	}
	else if (IsA(expr, SubLink) &&
			 ((SubLink *) expr)->subLinkType == ANY_SUBLINK)
		add_test(graph, scope, (SubLink *) expr, nulled, true);
	else
	{
		Expr	   *resolved = tview_resolve(graph, scope, expr);

		if (resolved != NULL)
			tview_add_condition(graph, resolved, regions_of(scope, quals),
								nulled);
	}
}

/*
 * tview_make_equality - left = right, by the type's default equality, or NULL
 */
Expr *
tview_make_equality(Node *left, Node *right)
{
	Oid			type = exprType(left);
	Oid			operator = lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
	Oid			input;

	if (!OidIsValid(operator))
		return NULL;
	op_input_types(operator, &input, &input);
	if (input != type && !IsPolymorphicType(input))
	{
		left = (Node *) makeRelabelType((Expr *) left, input, -1,
										exprCollation(left),
										COERCE_IMPLICIT_CAST);
		right = (Node *) makeRelabelType((Expr *) right, input, -1,
										 exprCollation(right),
										 COERCE_IMPLICIT_CAST);
	}
	return make_opclause(operator, BOOLOID, false, (Expr *) left,
						 (Expr *) right, InvalidOid, exprCollation(left));
}

/*
 * Is the expression in each of the level's grouping sets, if it has any?  One
 * that isn't is null in the rows of others, whatever the columns are.
 */
static bool
is_in_all_grouping_sets(Query *query, SortGroupClause *clause)
{
	ListCell   *lc;

	if (query->groupingSets == NIL)
		return true;
	foreach(lc, expand_grouping_sets(query->groupingSets,
									 query->groupDistinct, -1))
		if (!list_member_int(lfirst(lc), clause->tleSortGroupRef))
		return false;
	return true;
}

/*
 * Rows share a partition if its expressions are equal, or both null.  Written
 * in a form that the planner finds indexes for.
 */
static void
add_shared(TviewGraph *graph, TviewScope *scope, TviewScope *sibling,
		   SortGroupClause *clause)
{
	Node	   *expr = get_sortgroupclause_expr(clause,
												scope->query->targetList);
	bool		nullable;
	Expr	   *here = tview_resolve_nullable(graph, scope, expr, &nullable);
	Expr	   *there = tview_resolve(graph, sibling, expr);
	Bitmapset  *nulled = bms_union(bms_union(scope->nulled, sibling->nulled),
								   scope->outer_nulled);
	Expr	   *equality;
	NullTest   *tests[2];

	if (here == NULL || there == NULL || nullable ||
		!is_in_all_grouping_sets(scope->query, clause))
		return;
	equality = tview_make_equality((Node *) here, (Node *) there);
	if (equality == NULL)
		return;
	if (is_never_null(graph, (Node *) here, nulled, scope) &&
		is_never_null(graph, (Node *) there, nulled, sibling))
	{
		tview_add_condition(graph, equality, NIL, nulled);
		return;
	}
	for (int i = 0; i < 2; i++)
	{
		tests[i] = makeNode(NullTest);
		tests[i]->arg = copyObject(i == 0 ? here : there);
		tests[i]->nulltesttype = IS_NULL;
		tests[i]->location = -1;
	}
	tview_add_condition(graph,
						makeBoolExpr(OR_EXPR,
									 list_make2(equality,
												makeBoolExpr(AND_EXPR,
															 list_make2(tests[0], tests[1]),
															 -1)),
									 -1),
						NIL, nulled);
}

/* ----------
 * Levels
 * ----------
 */

static void
walk_sublinks(TviewGraph *graph, TviewScope *scope, Bitmapset *nulled)
{
	ListCell   *lc;

	foreach(lc, scope->sublinks)
	{
		SubLink    *sublink = linitial(lfirst(lc));
		TviewScope *inner = lsecond(lfirst(lc));

		inner->outer_nulled = nulled;
		walk_scope(graph, inner);
		if (sublink->subLinkType == ANY_SUBLINK ||
			sublink->subLinkType == ALL_SUBLINK)
			add_test(graph, scope, sublink, nulled, false);
	}
}

static void
walk_from(TviewGraph *graph, TviewScope *scope, Bitmapset *nulled)
{
	for (int i = 1; i <= list_length(scope->query->rtable); i++)
	{
		TviewBinding *binding = &scope->bindings[i];

		if (binding->occurrence >= 0)
		{
			RangeTblEntry *item = graph->sources->occurrences[binding->occurrence].item;

			graph->active = bms_add_member(graph->active, binding->occurrence);
			if (item != NULL)
				resolve_item(graph, scope, binding->occurrence, item);
		}
		else if (binding->scope != NULL &&
				 !list_member_ptr(scope->branches, binding->scope) &&
				 (scope->recursion == NULL ||
				  binding->scope != scope->recursion->step))
		{
			/* inside, its own rows are there */
			binding->scope->outer_nulled =
				bms_difference(nulled, binding->scope->occurrences);
			walk_scope(graph, binding->scope);
		}
	}
}

static void
walk_branches(TviewGraph *graph, TviewScope *scope, Bitmapset *nulled)
{
	TviewScope *branch = list_nth(scope->branches,
								  graph->choices[scope->choice]);
	TviewRecursion *recursion = scope->recursion;

	branch->outer_nulled = nulled;
	walk_scope(graph, branch);
	if (recursion == NULL || graph->choices[recursion->choice] == 0)
		return;
	recursion->step->outer_nulled = recursion->earlier->outer_nulled = nulled;
	walk_scope(graph, recursion->step);
	walk_scope(graph, recursion->earlier);
	graph->active = bms_add_member(graph->active, recursion->out);
	tview_walk_add(graph, recursion);
}

/*
 * The conditions of a level, its siblings, and all levels below.
 */
static void
walk_scope(TviewGraph *graph, TviewScope *scope)
{
	Bitmapset  *nulled = bms_union(scope->outer_nulled, scope->nulled);
	ListCell   *lc;

	walk_from(graph, scope, nulled);
	if (scope->branches != NIL)
		walk_branches(graph, scope, nulled);
	foreach(lc, scope->quals)
	{
		TviewQuals *quals = lfirst(lc);

		add_conjuncts(graph, scope, quals, quals->expr,
					  bms_union(quals->nulled, scope->outer_nulled));
	}
	walk_sublinks(graph, scope, nulled);
	foreach(lc, scope->siblings)
	{
		TviewSibling *sibling = lfirst(lc);
		ListCell   *clause;

		sibling->scope->outer_nulled = scope->outer_nulled;
		walk_scope(graph, sibling->scope);
		foreach(clause, sibling->shared)
			add_shared(graph, scope, sibling->scope, lfirst(clause));
	}
}

/* Do steps go along this column of their rows? */
static bool
is_known_at_end(const TviewGraph *graph, const Var *var)
{
	ListCell   *lc;

	foreach(lc, graph->walks)
	{
		const TviewWalk *walk = lfirst(lc);

		if (walk->recursion->in == var->varno - 1 ||
			walk->recursion->out == var->varno - 1)
			return list_member_int(walk->columns, var->varattno);
	}
	return false;
}

/* Does it mention columns of a recursion's rows that its walk doesn't have? */
static bool
has_unknown_end(Node *node, const TviewGraph *graph)
{
	Var		   *var = (Var *) node;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
		return tview_is_end(graph->sources, var->varno - 1) &&
			!is_known_at_end(graph, var);
	return expression_tree_walker(node, has_unknown_end, (void *) graph);
}

static void
remove_unknown_ends(TviewGraph *graph)
{
	ListCell   *lc;

	foreach(lc, graph->conditions)
		if (has_unknown_end((Node *) ((TviewCondition *) lfirst(lc))->expr,
							graph))
		graph->conditions = foreach_delete_current(graph->conditions, lc);
}

/*
 * tview_graph_build - the graph for one combination of branches
 */
TviewGraph *
tview_graph_build(TviewSources *sources, int *choices)
{
	TviewGraph *graph = palloc0(sizeof(TviewGraph));

	graph->sources = sources;
	graph->choices = choices;
	graph->items = palloc0(sizeof(RangeTblEntry *) * (sources->count + 1));
	graph->item_args = palloc0(sizeof(Bitmapset *) * (sources->count + 1));
	walk_scope(graph, sources->top);
	remove_unknown_ends(graph);
	return graph;
}
