/*-------------------------------------------------------------------------
 *
 * sources.c
 *	  The sources of a definition and the conditions that join them.
 *
 * All query levels of a definition are laid out in one graph.  Its nodes are
 * the occurrences of tables, wherever they stand: in FROM, in a subquery of
 * it, in a CTE (each reference on its own), in a sublink of the target list.
 * Its edges are the conjuncts of WHERE and ON of all levels, with every Var
 * traced back to the occurrence it comes from.  A correlated condition of a
 * subquery is an edge like any other.
 *
 * A condition is left out where it might not hold for a row that matters:
 *	 - if it can be true for a null-extended row, since then it says nothing
 *	   about rows that are there (WHERE b.pk IS NULL);
 *	 - if an output of a subquery with LIMIT, a window function, or the like
 *	   is in it, since its other rows count too.
 * Leaving one out is always safe: fewer conditions find more keys, or no way
 * to the key at all, and then the definition is refused.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "analyze/scope.h"
#include "base/compat.h"
#include "base/types.h"

typedef struct WalkContext
{
	TviewSources *sources;
	TviewScope *scope;
	bool		failed;			/* it has no such form */
	bool		grouped;		/* a value stands for others that its type
								 * holds equal, but which look different */
} WalkContext;

static TviewScope *build_scope(TviewSources *sources, Query *query,
							   TviewScope *parent);
static void walk_scope(TviewSources *sources, TviewScope *scope);
static Node *resolve_mutator(Node *node, WalkContext *context);
static bool respects_equality(Node *expr);

/* ----------
 * Building: which occurrences are there, and what can null-extend them
 * ----------
 */

static int
add_occurrence(TviewSources *sources, RangeTblEntry *rte)
{
	Relation	rel = table_open(rte->relid, AccessShareLock);
	TviewOccurrence *occurrence;

	if (sources->count == sources->allocated)
	{
		sources->allocated = Max(8, sources->allocated * 2);
		sources->occurrences = sources->occurrences == NULL ?
			palloc(sizeof(TviewOccurrence) * sources->allocated) :
			repalloc(sources->occurrences,
					 sizeof(TviewOccurrence) * sources->allocated);
	}
	occurrence = &sources->occurrences[sources->count];
	occurrence->relid = rte->relid;
	occurrence->alias = rte->eref->aliasname;
	occurrence->natts = RelationGetNumberOfAttributes(rel);
	occurrence->used = NULL;
	occurrence->whole_row = false;
	occurrence->computed = NULL;
	for (int i = 0; i < occurrence->natts; i++)
		if (tview_is_virtual(TupleDescAttr(RelationGetDescr(rel), i)))
			occurrence->computed = bms_add_member(occurrence->computed, i + 1);
	occurrence->row_parts = 0;
	occurrence->parts = palloc0(sizeof(uint64) * (occurrence->natts + 1));
	table_close(rel, NoLock);
	return sources->count++;
}

/* The scope of one reference to a CTE. */
static TviewScope *
build_cte_scope(TviewSources *sources, RangeTblEntry *rte, TviewScope *scope)
{
	ListCell   *lc;

	for (Index level = 0; level < rte->ctelevelsup; level++)
		scope = scope->parent;
	foreach(lc, scope->query->cteList)
	{
		CommonTableExpr *cte = lfirst(lc);

		if (strcmp(cte->ctename, rte->ctename) == 0)
			return build_scope(sources, castNode(Query, cte->ctequery), scope);
	}
	elog(ERROR, "could not find CTE \"%s\"", rte->ctename);
	return NULL;
}

static void
bind_rte(TviewSources *sources, TviewScope *scope, int rtindex,
		 Bitmapset **occurrences, Bitmapset **nulled)
{
	RangeTblEntry *rte = rt_fetch(rtindex, scope->query->rtable);
	TviewBinding *binding = &scope->bindings[rtindex];

	switch (rte->rtekind)
	{
		case RTE_RELATION:
			binding->occurrence = add_occurrence(sources, rte);
			*occurrences = bms_add_member(*occurrences, binding->occurrence);
			break;
		case RTE_SUBQUERY:
			binding->scope = build_scope(sources, rte->subquery, scope);
			break;
		case RTE_CTE:
			binding->scope = build_cte_scope(sources, rte, scope);
			break;
		default:
			break;				/* functions, VALUES: no rows of a table */
	}
	if (binding->scope != NULL)
	{
		*occurrences = bms_add_members(*occurrences,
									   binding->scope->occurrences);
		*nulled = bms_add_members(*nulled, binding->scope->nulled);
	}
}

static void
add_quals(TviewScope *scope, Node *expr, List *regions, Bitmapset *nulled,
		  bool where)
{
	TviewQuals *quals = palloc(sizeof(TviewQuals));

	quals->expr = expr;
	quals->regions = regions;
	quals->nulled = bms_copy(nulled);
	quals->where = where;
	scope->quals = lappend(scope->quals, quals);
}

/*
 * One item of FROM, with all below it.  Adds its occurrences to the sets.
 */
static void
build_from(TviewSources *sources, TviewScope *scope, Node *node,
		   Bitmapset **occurrences, Bitmapset **nulled, Bitmapset **rtes)
{
	if (IsA(node, RangeTblRef))
	{
		*rtes = bms_add_member(*rtes, ((RangeTblRef *) node)->rtindex);
		bind_rte(sources, scope, ((RangeTblRef *) node)->rtindex,
				 occurrences, nulled);
	}
	else if (IsA(node, FromExpr))
	{
		FromExpr   *from = (FromExpr *) node;
		ListCell   *lc;

		foreach(lc, from->fromlist)
			build_from(sources, scope, lfirst(lc), occurrences, nulled, rtes);
		add_quals(scope, from->quals, list_make1(bms_copy(*occurrences)),
				  *nulled, true);
	}
	else
	{
		JoinExpr   *join = castNode(JoinExpr, node);
		Bitmapset  *left = NULL;
		Bitmapset  *right = NULL;
		Bitmapset  *below = NULL;
		Bitmapset  *left_rtes = NULL;
		Bitmapset  *right_rtes = NULL;
		List	   *regions = NIL;

		build_from(sources, scope, join->larg, &left, &below, &left_rtes);
		build_from(sources, scope, join->rarg, &right, &below, &right_rtes);

		if (join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL)
		{
			regions = lappend(regions, bms_copy(right));
			scope->nulled_rtes = bms_add_members(scope->nulled_rtes,
												 right_rtes);
		}
		if (join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL)
		{
			regions = lappend(regions, bms_copy(left));
			scope->nulled_rtes = bms_add_members(scope->nulled_rtes,
												 left_rtes);
		}
		if (join->jointype == JOIN_INNER)
			regions = list_make1(bms_union(left, right));
		add_quals(scope, join->quals, regions, below, false);

		*nulled = bms_add_members(*nulled, below);
		if (join->jointype != JOIN_INNER)
		{
			ListCell   *lc;

			foreach(lc, regions)
				* nulled = bms_add_members(*nulled, lfirst(lc));
		}
		*occurrences = bms_add_members(*occurrences, left);
		*occurrences = bms_add_members(*occurrences, right);
		*rtes = bms_add_members(*rtes, bms_union(left_rtes, right_rtes));
	}
}

/*
 * Do rows of this query's FROM other than those that a condition on its
 * outputs selects take part in the outputs selected?
 */
static bool
is_barrier(Query *query)
{
	return query->limitCount != NULL || query->limitOffset != NULL ||
		query->hasDistinctOn || query->hasWindowFuncs ||
		query->groupingSets != NIL || query->setOperations != NULL;
}

static TviewScope *
build_scope(TviewSources *sources, Query *query, TviewScope *parent)
{
	TviewScope *scope = palloc0(sizeof(TviewScope));
	Bitmapset  *rtes = NULL;

	scope->query = query;
	scope->parent = parent;
	scope->barrier = is_barrier(query);
	scope->bindings = palloc0(sizeof(TviewBinding) *
							  (list_length(query->rtable) + 1));
	for (int i = 0; i <= list_length(query->rtable); i++)
		scope->bindings[i].occurrence = -1;

	build_from(sources, scope, (Node *) query->jointree,
			   &scope->occurrences, &scope->nulled, &rtes);

	/* the branches of a set operation are not in FROM */
	if (query->setOperations != NULL)
		for (int i = 1; i <= list_length(query->rtable); i++)
			if (rt_fetch(i, query->rtable)->rtekind == RTE_SUBQUERY)
				bind_rte(sources, scope, i, &scope->occurrences,
						 &scope->nulled);
	return scope;
}

/*
 * tview_scope_of_sublink - made when the sublink is first met
 */
TviewScope *
tview_scope_of_sublink(TviewSources *sources, SubLink *sublink,
					   TviewScope *scope)
{
	TviewScope *result;
	ListCell   *lc;

	foreach(lc, sources->sublinks)
	{
		List	   *pair = lfirst(lc);

		if (linitial(pair) == sublink)
			return lsecond(pair);
	}
	result = build_scope(sources, castNode(Query, sublink->subselect), scope);
	result->outer_nulled = bms_union(scope->outer_nulled, scope->nulled);
	sources->sublinks = lappend(sources->sublinks,
								list_make2(sublink, result));
	walk_scope(sources, result);
	return result;
}

/* ----------
 * Resolving: where a value comes from
 * ----------
 */

/*
 * tview_scope_up - the level that a Var with this varlevelsup belongs to
 */
TviewScope *
tview_scope_up(TviewScope *scope, Index levelsup)
{
	while (levelsup-- > 0)
		scope = scope->parent;
	return scope;
}

/*
 * Does the query have one row for values of this output that are equal, but
 * don't look the same?
 */
static bool
merges_equals(Query *query, Node *output)
{
	return (query->groupClause != NIL || query->distinctClause != NIL) &&
		!tview_type_is_image_equal(exprType(output), exprCollation(output));
}

static Node *
resolve_var(Var *var, WalkContext *context)
{
	TviewScope *scope = tview_scope_up(context->scope, var->varlevelsup);
	RangeTblEntry *rte = rt_fetch(var->varno, scope->query->rtable);
	TviewBinding *binding = &scope->bindings[var->varno];
	WalkContext inner = {context->sources, scope, false, false};
	Node	   *source = NULL;

	if (var->varattno > 0 && binding->occurrence >= 0)
	{
		Var		   *result = copyObject(var);

		result->varno = binding->occurrence + 1;
		result->varlevelsup = 0;
		tview_clear_nullingrels(result);
		return (Node *) result;
	}
	if (var->varattno > 0 && binding->scope != NULL &&
		!binding->scope->barrier)
	{
		inner.scope = binding->scope;
		source = (Node *) get_tle_by_resno(binding->scope->query->targetList,
										   var->varattno)->expr;
	}
	else if (var->varattno > 0 && rte->rtekind == RTE_JOIN)
		source = list_nth(rte->joinaliasvars, var->varattno - 1);
	else if (var->varattno > 0 && tview_group_exprs(rte) != NIL)
		source = list_nth(tview_group_exprs(rte), var->varattno - 1);

	if (source != NULL)
	{
		source = resolve_mutator(source, &inner);
		context->grouped |= inner.grouped;

		/*
		 * An output of a null-extended subquery that is not computed from
		 * columns of that is null all the same.
		 */
		if (binding->scope != NULL &&
			bms_is_member(var->varno, scope->nulled_rtes) && !inner.failed &&
			!bms_overlap(tview_sources_of(source),
						 binding->scope->occurrences))
			inner.failed = true;
		if (binding->scope != NULL && !inner.failed &&
			merges_equals(binding->scope->query, source))
			context->grouped = true;
		if (!inner.failed)
			return source;
	}
	context->failed = true;
	return (Node *) var;
}

static Node *
resolve_mutator(Node *node, WalkContext *context)
{
	if (node == NULL || context->failed)
		return node;
	if (IsA(node, Var))
		return resolve_var((Var *) node, context);
	if (IsA(node, Aggref) || IsA(node, WindowFunc) || IsA(node, SubLink) ||
		IsA(node, GroupingFunc) || IsA(node, Param) || IsA(node, Query) ||
		(IsA(node, FuncExpr) && ((FuncExpr *) node)->funcretset) ||
		(IsA(node, OpExpr) && ((OpExpr *) node)->opretset))
	{
		context->failed = true;
		return node;
	}
	return expression_tree_mutator(node, resolve_mutator, context);
}

/*
 * tview_strip_relabel - the expression without casts that change nothing
 */
Node *
tview_strip_relabel(Node *node)
{
	while (node != NULL && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
}

/*
 * Is the result the same for all values that a column's type holds equal?  A
 * column is, by itself, and a comparison by the type's own equality.
 */
static bool
respects_equality(Node *expr)
{
	OpExpr	   *op = (OpExpr *) expr;

	if (IsA(tview_strip_relabel(expr), Var))
		return true;
	if (!IsA(expr, OpExpr) || list_length(op->args) != 2)
		return false;
	for (int side = 0; side < 2; side++)
	{
		Var		   *var = (Var *) tview_strip_relabel(list_nth(op->args, side));
		TypeCacheEntry *type;

		if (!IsA(var, Var) || op->inputcollid != var->varcollid)
			return false;
		type = lookup_type_cache(var->vartype, TYPECACHE_BTREE_OPFAMILY);
		if (get_op_opfamily_strategy(op->opno, type->btree_opf) !=
			BTEqualStrategyNumber)
			return false;
	}
	return true;
}

/* The expression over occurrences, or NULL if it has no such form. */
static Expr *
resolve(TviewSources *sources, TviewScope *scope, Node *expr)
{
	WalkContext context = {sources, scope, false, false};
	Node	   *result = resolve_mutator(expr, &context);

	if (context.failed || (context.grouped && !respects_equality(result)))
		return NULL;
	return (Expr *) result;
}

static bool
sources_of_walker(Node *node, Bitmapset **result)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		*result = bms_add_member(*result, ((Var *) node)->varno - 1);
		return false;
	}
	return expression_tree_walker(node, sources_of_walker, result);
}

/*
 * tview_sources_of - occurrences that a resolved expression mentions
 */
Bitmapset *
tview_sources_of(Node *expr)
{
	Bitmapset  *result = NULL;

	(void) sources_of_walker(expr, &result);
	return result;
}

/*
 * tview_sources_resolve_output - an output of the definition over occurrences
 */
Expr *
tview_sources_resolve_output(TviewSources *sources, TargetEntry *tle)
{
	return resolve(sources, sources->top, (Node *) tle->expr);
}

/*
 * tview_sources_resolve_top - an expression of the definition's top level
 */
Expr *
tview_sources_resolve_top(TviewSources *sources, Node *expr)
{
	return resolve(sources, sources->top, expr);
}

/* ----------
 * Conditions
 * ----------
 */

static void
add_condition(TviewSources *sources, Expr *expr, List *regions,
			  Bitmapset *nulled)
{
	TviewCondition *condition;
	Bitmapset  *occurrences = tview_sources_of((Node *) expr);

	if (bms_is_empty(occurrences))
		return;

	/* one that null-extended rows may pass says nothing about the others */
	if (bms_overlap(occurrences, nulled) &&
		contain_nonstrict_functions((Node *) expr))
		return;

	condition = palloc0(sizeof(TviewCondition));
	condition->expr = expr;
	condition->occurrences = occurrences;
	condition->regions = regions;
	sources->conditions = lappend(sources->conditions, condition);
}

typedef struct SublinkParams
{
	WalkContext inner;			/* resolves the sublink's outputs */
	WalkContext outer;			/* resolves all else */
	bool		failed;
} SublinkParams;

/* testexpr of x IN (SELECT y ...) with the Param replaced by y. */
static Node *
testexpr_mutator(Node *node, SublinkParams *params)
{
	if (node == NULL || params->failed)
		return node;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_SUBLINK)
	{
		Query	   *query = params->inner.scope->query;
		TargetEntry *tle = get_tle_by_resno(query->targetList,
											((Param *) node)->paramid);
		Node	   *result = resolve_mutator((Node *) tle->expr,
											 &params->inner);

		params->failed |= params->inner.failed;
		return result;
	}
	if (IsA(node, Var))
	{
		Node	   *result = resolve_mutator(node, &params->outer);

		params->failed |= params->outer.failed;
		return result;
	}
	if (IsA(node, SubLink) || IsA(node, Aggref) || IsA(node, WindowFunc))
	{
		params->failed = true;
		return node;
	}
	return expression_tree_mutator(node, testexpr_mutator, params);
}

/*
 * A conjunct x IN (SELECT y ...).  Only rows with y = x matter: where it is
 * not true, it makes no difference whether it is false or null.
 */
static void
add_in_condition(TviewSources *sources, TviewScope *scope, SubLink *sublink,
				 Bitmapset *nulled)
{
	TviewScope *inner = tview_scope_of_sublink(sources, sublink, scope);
	SublinkParams params = {
		{sources, inner, false, false}, {sources, scope, false, false}, false
	};
	Node	   *expr;

	if (inner->barrier)
		return;
	expr = testexpr_mutator(sublink->testexpr, &params);
	if (!params.failed && (respects_equality(expr) ||
						   (!params.inner.grouped && !params.outer.grouped)))
		add_condition(sources, (Expr *) expr,
					  list_make1(inner->occurrences),
					  bms_union(nulled, inner->nulled));
}

static void
add_conjuncts(TviewSources *sources, TviewScope *scope, TviewQuals *quals,
			  Node *expr, Bitmapset *nulled)
{
	if (expr == NULL)
		return;
	if (is_andclause(expr))
	{
		ListCell   *lc;

		foreach(lc, ((BoolExpr *) expr)->args)
			add_conjuncts(sources, scope, quals, lfirst(lc), nulled);
	}
	else if (IsA(expr, SubLink) &&
			 ((SubLink *) expr)->subLinkType == ANY_SUBLINK)
		add_in_condition(sources, scope, (SubLink *) expr, nulled);
	else
	{
		Expr	   *resolved = resolve(sources, scope, expr);

		if (resolved == NULL)
			return;
		add_condition(sources, resolved, quals->regions, nulled);
		if (quals->where && scope == sources->top &&
			!contain_nonstrict_functions((Node *) resolved))
			sources->required =
				bms_add_members(sources->required,
								tview_sources_of((Node *) resolved));
	}
}

/*
 * The conditions of a level and of the subqueries in its FROM.
 */
static void
walk_scope(TviewSources *sources, TviewScope *scope)
{
	ListCell   *lc;

	foreach(lc, scope->quals)
	{
		TviewQuals *quals = lfirst(lc);

		add_conjuncts(sources, scope, quals, quals->expr,
					  bms_union(quals->nulled, scope->outer_nulled));
	}
	for (int i = 1; i <= list_length(scope->query->rtable); i++)
	{
		TviewScope *inner = scope->bindings[i].scope;

		if (inner == NULL)
			continue;
		inner->outer_nulled = bms_union(scope->outer_nulled, scope->nulled);
		walk_scope(sources, inner);
	}
}

/*
 * tview_sources_find - lay out an expanded definition
 */
TviewSources *
tview_sources_find(Query *query)
{
	TviewSources *sources = palloc0(sizeof(TviewSources));

	sources->top = build_scope(sources, query, NULL);
	sources->nulled = sources->top->nulled;
	walk_scope(sources, sources->top);
	return sources;
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

/* ----------
 * Items of FROM, for the proof that keys are unique
 * ----------
 */

/* Does the subquery return one row at most? */
static bool
is_single_row(Query *query)
{
	Node	   *limit = query->limitCount;

	/* LIMIT 1 has a constant in it, cast to bigint */
	if (limit != NULL && IsA(limit, FuncExpr) &&
		((FuncExpr *) limit)->funcid == F_INT8_INT4)
		limit = linitial(((FuncExpr *) limit)->args);

	if (query->hasTargetSRFs)
		return false;
	if (query->hasAggs && query->groupClause == NIL &&
		query->groupingSets == NIL && query->setOperations == NULL)
		return true;
	return limit != NULL && IsA(limit, Const) &&
		query->limitOption == LIMIT_OPTION_COUNT &&
		!((Const *) limit)->constisnull &&
		((Const *) limit)->constvalue == 1;
}

static bool
only_selects(Query *query)
{
	return query->setOperations == NULL && !query->hasAggs &&
		!query->hasTargetSRFs && query->groupClause == NIL &&
		query->groupingSets == NIL;
}

static List *
from_items(TviewSources *sources, TviewScope *scope, Node *node, List *items)
{
	RangeTblEntry *rte;
	TviewBinding *binding;
	TviewFromItem *item;
	ListCell   *lc;

	if (IsA(node, FromExpr))
	{
		foreach(lc, ((FromExpr *) node)->fromlist)
			items = from_items(sources, scope, lfirst(lc), items);
		return items;
	}
	if (IsA(node, JoinExpr))
	{
		items = from_items(sources, scope, ((JoinExpr *) node)->larg, items);
		return from_items(sources, scope, ((JoinExpr *) node)->rarg, items);
	}

	rte = rt_fetch(((RangeTblRef *) node)->rtindex, scope->query->rtable);
	if (rte->rtekind == RTE_RESULT)
		return items;
	binding = &scope->bindings[((RangeTblRef *) node)->rtindex];
	item = palloc0(sizeof(TviewFromItem));
	item->occurrence = binding->occurrence;
	if (item->occurrence >= 0)
		item->occurrences = bms_make_singleton(item->occurrence);
	if (binding->scope != NULL)
	{
		Query	   *query = binding->scope->query;

		if (is_single_row(query))
			return items;
		if (only_selects(query))
			return from_items(sources, binding->scope,
							  (Node *) query->jointree, items);
		item->occurrences = binding->scope->occurrences;
		if (!binding->scope->barrier && !query->hasTargetSRFs)
			foreach(lc, query->groupClause)
				item->group =
				lappend(item->group,
						resolve(sources, binding->scope,
								get_sortgroupclause_expr(lfirst(lc),
														 query->targetList)));
	}
	return lappend(items, item);
}

/*
 * tview_sources_from_items - what may multiply rows at the top level
 */
List *
tview_sources_from_items(TviewSources *sources)
{
	return from_items(sources, sources->top,
					  (Node *) sources->top->query->jointree, NIL);
}

/*
 * tview_sources_top_rtindex - the item of the top level's FROM that has this
 * occurrence, or 0
 */
int
tview_sources_top_rtindex(TviewSources *sources, int occurrence)
{
	TviewScope *top = sources->top;

	for (int i = 1; i <= list_length(top->query->rtable); i++)
	{
		TviewBinding *binding = &top->bindings[i];

		if (binding->occurrence == occurrence ||
			(binding->scope != NULL &&
			 bms_is_member(occurrence, binding->scope->occurrences)))
			return i;
	}
	return 0;
}
