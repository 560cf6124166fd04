/*-------------------------------------------------------------------------
 *
 * resolve.c
 *	  Where a value comes from: expressions over occurrences.
 *
 * A Var is traced back, through joins, subqueries, CTEs, and the branch of a
 * set operation that is looked at, to columns of occurrences.  What an
 * aggregate, a window function, a sublink or a function that returns a set
 * computes has no such form.
 *
 * Outputs of a level with LIMIT, DISTINCT ON or windows are traced like any
 * others: that its other rows count too is what its siblings are for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "parser/parse_coerce.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "analyze/scope.h"
#include "base/compat.h"
#include "base/types.h"

typedef struct ResolveContext
{
	TviewGraph *graph;
	TviewScope *scope;
	bool		failed;			/* it has no such form */
	bool		grouped;		/* a value stands for others that its type
								 * holds equal, but which look different */
	bool		nullable;		/* a grouping set may make it null */
	bool		whole;			/* leave columns that FULL JOIN merges as they
								 * are */
} ResolveContext;

static Node *resolve_mutator(Node *node, ResolveContext *context);

/*
 * Does the level have one row for values of this output that are equal, but
 * don't look the same?
 */
static bool
merges_equals(const TviewScope *scope, Node *output)
{
	return (scope->merges || scope->query->groupClause != NIL ||
			scope->query->distinctClause != NIL) &&
		!tview_type_is_image_equal(exprType(output), exprCollation(output));
}

/* As a column of this type, which a set operation may have made of it. */
static Node *
coerce(Node *expr, const Var *var)
{
	if (exprType(expr) != var->vartype)
		expr = coerce_to_target_type(NULL, expr, exprType(expr), var->vartype,
									 -1, COERCION_IMPLICIT,
									 COERCE_IMPLICIT_CAST, -1);
	if (expr != NULL && exprCollation(expr) != var->varcollid &&
		OidIsValid(var->varcollid))
		expr = (Node *) makeRelabelType((Expr *) expr, exprType(expr), -1,
										var->varcollid, COERCE_IMPLICIT_CAST);
	return expr;
}

/* The level below that an output of this one comes from. */
static TviewScope *
choose_branch(const TviewGraph *graph, TviewScope *scope, AttrNumber attno)
{
	TviewRecursion *recursion = scope->recursion;

	if (recursion != NULL && graph->choices[recursion->choice] == 1 &&
		!tview_scope_passes_on(recursion, attno))
		return recursion->step;
	return list_nth(scope->branches, graph->choices[scope->choice]);
}

/* An output of a subquery or CTE, or NULL. */
static Node *
resolve_output(const Var *var, TviewScope *scope, ResolveContext *context)
{
	ResolveContext inner = *context;
	TargetEntry *tle;
	Node	   *result;

	while (scope->branches != NIL)
	{
		inner.grouped |= scope->merges &&
			!tview_type_is_image_equal(var->vartype, var->varcollid);
		scope = choose_branch(context->graph, scope, var->varattno);
	}

	/* SEARCH and CYCLE add columns that no query has */
	tle = get_tle_by_resno(scope->query->targetList, var->varattno);
	if (tle == NULL)
		return NULL;
	inner.scope = scope;
	result = resolve_mutator((Node *) tle->expr, &inner);
	if (inner.failed)
		return NULL;
	context->grouped |= inner.grouped || merges_equals(scope, result);
	context->nullable |= inner.nullable || scope->query->groupingSets != NIL;
	return coerce(result, var);
}

/* A column of the row that a recursive term goes on from. */
static Node *
resolve_self(Var *var, TviewRecursion *recursion, ResolveContext *context)
{
	if (!tview_scope_passes_on(recursion, var->varattno))
		return NULL;
	return resolve_output(var, list_nth(recursion->scope->branches,
										context->graph->choices[recursion->scope->choice]),
						  context);
}

static Node *
occurrence_var(const Var *var, int occurrence)
{
	Var		   *result = copyObject(unconstify(Var *, var));

	result->varno = occurrence + 1;
	result->varlevelsup = 0;
	result->varnosyn = 0;
	result->varattnosyn = 0;
	tview_clear_nullingrels(result);
	return (Node *) result;
}

/* Of a column that FULL JOIN ... USING merges, the side that is looked at. */
static Node *
choose_side(const TviewGraph *graph, const TviewScope *scope, Node *expr)
{
	ListCell   *lc;

	foreach(lc, scope->merged)
		if (linitial(lfirst(lc)) == expr)
		return list_nth(((CoalesceExpr *) expr)->args,
						graph->choices[intVal(lsecond(lfirst(lc)))]);
	return expr;
}

/* What a column is, in terms of its own level, or NULL. */
static Node *
resolve_here(Var *var, TviewScope *scope, ResolveContext *context)
{
	RangeTblEntry *rte = rt_fetch(var->varno, scope->query->rtable);
	TviewBinding *binding = &scope->bindings[var->varno];
	ResolveContext inner = *context;
	Node	   *source;

	if (var->varattno <= 0)
		return NULL;
	if (binding->self != NULL)
	{
		source = resolve_self(var, binding->self, context);
		return source != NULL ? source :
			occurrence_var(var, binding->occurrence);
	}
	if (binding->occurrence >= 0)
		return occurrence_var(var, binding->occurrence);
	if (binding->scope != NULL)
		return resolve_output(var, binding->scope, context);

	if (rte->rtekind == RTE_JOIN)
		source = context->whole ?
			list_nth(rte->joinaliasvars, var->varattno - 1) :
			choose_side(context->graph, scope,
						list_nth(rte->joinaliasvars, var->varattno - 1));
	else if (tview_group_exprs(rte) != NIL)
		source = list_nth(tview_group_exprs(rte), var->varattno - 1);
	else
		return NULL;
	inner.scope = scope;
	source = resolve_mutator(source, &inner);
	context->grouped |= inner.grouped;
	context->nullable |= inner.nullable;
	return inner.failed ? NULL : source;
}

static Node *
resolve_var(Var *var, ResolveContext *context)
{
	TviewScope *scope = tview_scope_up(context->scope, var->varlevelsup);
	TviewBinding *binding = &scope->bindings[var->varno];
	Node	   *result = resolve_here(var, scope, context);

	/* a sublink may stand where the level's grouping sets have been made */
	if (var->varlevelsup > 0 && scope->query->groupingSets != NIL)
		context->nullable = true;

	/*
	 * An output of a null-extended subquery that is not computed from columns
	 * of that is null all the same.
	 */
	if (result != NULL && binding->scope != NULL && binding->self == NULL &&
		bms_is_member(var->varno, scope->nulled_rtes) &&
		!bms_overlap(tview_sources_of(result), binding->scope->occurrences))
		result = NULL;
	if (result != NULL)
		return result;
	context->failed = true;
	return (Node *) var;
}

static Node *
resolve_mutator(Node *node, ResolveContext *context)
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

/*
 * A value that a grouping set may have made null is like one of a row that is
 * null-extended: an expression that would not be null then says nothing.
 */
static bool
is_strict_in_all(Node *expr)
{
	Bitmapset  *occurrences = tview_sources_of(expr);

	return bms_is_subset(occurrences, tview_nonnullable(expr));
}

/*
 * tview_resolve - an expression of a query level over occurrences
 *
 * Returns NULL if it has no such form.
 */
Expr *
tview_resolve(TviewGraph *graph, TviewScope *scope, Node *expr)
{
	bool		nullable;

	return tview_resolve_nullable(graph, scope, expr, &nullable);
}

/*
 * tview_resolve_nullable - the same; nullable is set to whether a grouping set
 * may make a value in it null
 */
Expr *
tview_resolve_nullable(TviewGraph *graph, TviewScope *scope, Node *expr,
					   bool *nullable)
{
	ResolveContext context = {graph, scope, false, false, false, false};
	Node	   *result = resolve_mutator(expr, &context);

	*nullable = context.nullable;

	if (context.failed || (context.grouped && !respects_equality(result)) ||
		(context.nullable && !is_strict_in_all(result)))
		return NULL;
	return (Expr *) result;
}

typedef struct TestContext
{
	ResolveContext inner;		/* resolves the sublink's outputs */
	ResolveContext outer;		/* resolves all else */
	bool		failed;
} TestContext;

static Node *
test_mutator(Node *node, TestContext *context)
{
	ResolveContext *side = &context->outer;
	Node	   *result;

	if (node == NULL || context->failed)
		return node;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_SUBLINK)
	{
		Param	   *param = (Param *) node;
		Var			output;

		/* the query's own output, as if it were a column of a subquery */
		memset(&output, 0, sizeof(Var));
		NodeSetTag(&output, T_Var);
		output.varattno = param->paramid;
		output.vartype = param->paramtype;
		output.varcollid = param->paramcollid;
		side = &context->inner;
		result = resolve_output(&output, context->inner.scope, side);
		context->failed |= result == NULL;
		return result == NULL ? node : result;
	}
	if (IsA(node, Var))
	{
		result = resolve_mutator(node, side);
		context->failed |= side->failed;
		return result;
	}
	if (IsA(node, SubLink) || IsA(node, Aggref) || IsA(node, WindowFunc) ||
		IsA(node, GroupingFunc) || IsA(node, Param))
	{
		context->failed = true;
		return node;
	}
	return expression_tree_mutator(node, test_mutator, context);
}

/*
 * tview_resolve_test - the comparison of x IN (SELECT y ...) and the like, over
 * occurrences, or NULL
 *
 * nullable is set to whether a grouping set may make a value in it null.
 */
Expr *
tview_resolve_test(TviewGraph *graph, TviewScope *scope,
				   const SubLink *sublink, bool *nullable)
{
	TviewScope *inner = tview_scope_of_sublink(scope, sublink);
	TestContext context = {
		{graph, inner, false, false, false, false},
		{graph, scope, false, false, false, false}, false
	};
	Node	   *result = test_mutator(sublink->testexpr, &context);

	*nullable = context.inner.nullable || context.outer.nullable ||
		scope->query->groupingSets != NIL;
	if (context.failed || result == NULL ||
		((context.inner.grouped || context.outer.grouped) &&
		 !respects_equality(result)) ||
		(*nullable && !is_strict_in_all(result)))
		return NULL;
	return (Expr *) result;
}

/*
 * tview_resolve_column - an output of a query level over occurrences, or NULL
 *
 * nullable, if given, is set if a grouping set may make it null.
 */
Expr *
tview_resolve_column(TviewGraph *graph, TviewScope *scope, int resno,
					 bool *nullable)
{
	TargetEntry *tle = get_tle_by_resno(scope->query->targetList, resno);
	ResolveContext context = {graph, scope, false, false, false, true};
	Node	   *result;
	Var			output;

	memset(&output, 0, sizeof(Var));
	NodeSetTag(&output, T_Var);
	output.varattno = resno;
	output.vartype = exprType((Node *) tle->expr);
	output.varcollid = exprCollation((Node *) tle->expr);
	result = resolve_output(&output, scope, &context);
	if (nullable != NULL)
		*nullable = context.nullable;
	if (result == NULL || (context.grouped && !respects_equality(result)) ||
		(context.nullable && !is_strict_in_all(result)))
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
