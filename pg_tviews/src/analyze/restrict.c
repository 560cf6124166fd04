/*-------------------------------------------------------------------------
 *
 * restrict.c
 *	  A definition in a form that is cheap to compute for some keys.
 *
 * Where a row of the definition depends on no other, the planner pushes a
 * condition on the key down to the tables that it comes from.  It can't do so
 * through a window whose partition doesn't have the key, or DISTINCT ON
 * without it.  There, the level's rows are restricted by hand, to the
 * partitions or groups that have one of the keys in parameter $1:
 *
 *	 fk_user IS NULL OR fk_user = ANY (ARRAY(SELECT fk_user FROM ... WHERE pk = ANY ($1)))
 *
 * The rows without a value stay in, because an equality doesn't find them;
 * rows too many do no harm, as the caller takes those with the keys.  CTEs
 * are no obstacle either: none is materialized in this form, which makes no
 * difference to the result, because a definition has no volatile functions.
 * A recursive one whose steps hand the key on starts from the rows with the
 * keys.
 *
 * LIMIT, EXCEPT and other recursion leave only the whole definition to
 * compute, once for all keys.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parse_oper.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "analyze/restrict.h"
#include "base/compat.h"

static bool restrict_output(Query *query, int resno, bool leave_out);

/* ----------
 * The condition
 * ----------
 */

/* expr = ANY (array), by the default equality, or NULL if there is none. */
static Expr *
equals_any(Node *expr, Node *array)
{
	Oid			operator = lookup_type_cache(exprType(expr),
											 TYPECACHE_EQ_OPR)->eq_opr;
	ScalarArrayOpExpr *result;

	if (!OidIsValid(operator))
		return NULL;
	result = makeNode(ScalarArrayOpExpr);
	result->opno = operator;
	result->opfuncid = get_opcode(operator);
	result->useOr = true;
	result->inputcollid = exprCollation(expr);
	result->args = list_make2(expr, array);
	result->location = -1;
	return (Expr *) result;
}

static Node *
keys_parameter(Node *key)
{
	Param	   *param = makeNode(Param);

	param->paramkind = PARAM_EXTERN;
	param->paramid = 1;
	param->paramtype = get_array_type(exprType(key));
	param->paramtypmod = -1;
	param->paramcollid = exprCollation(key);
	param->location = -1;
	return (Node *) param;
}

static void
add_qual(Query *query, Node *qual)
{
	query->jointree->quals =
		(Node *) make_ands_explicit(lappend(make_ands_implicit((Expr *) query->jointree->quals),
											qual));
}

/* ARRAY(SELECT shared FROM and WHERE of the query, for the keys), or NULL. */
static Node *
values_of_keys(Query *query, Node *shared, Node *key)
{
	Query	   *values = copyObject(query);
	SubLink    *sublink = makeNode(SubLink);
	Expr	   *has_key = equals_any(copyObject(key), keys_parameter(key));

	if (has_key == NULL || !OidIsValid(get_array_type(exprType(key))))
		return NULL;
	values->targetList = list_make1(makeTargetEntry((Expr *) copyObject(shared),
													1, "shared", false));
	values->hasWindowFuncs = false;
	values->windowClause = NIL;
	values->distinctClause = NIL;
	values->hasDistinctOn = false;
	values->sortClause = NIL;
	add_qual(values, (Node *) has_key);
	values->hasSubLinks = true;
	IncrementVarSublevelsUp((Node *) values, 1, 1);

	sublink->subLinkType = ARRAY_SUBLINK;
	sublink->subselect = (Node *) values;
	sublink->location = -1;
	return (Node *) sublink;
}

/* The rows that share a value with one of the keys, or share none, or NULL. */
static Node *
shares_with_key(Query *query, SortGroupClause *clause, Node *key)
{
	Node	   *shared = get_sortgroupclause_expr(clause, query->targetList);
	NullTest   *test = makeNode(NullTest);
	Node	   *values;
	Expr	   *found;

	if (!OidIsValid(get_array_type(exprType(shared))) ||
		checkExprHasSubLink(shared))
		return NULL;
	values = values_of_keys(query, shared, key);
	if (values == NULL)
		return NULL;
	found = equals_any(copyObject(shared), values);
	if (found == NULL)
		return NULL;
	test->arg = copyObject((Expr *) shared);
	test->nulltesttype = IS_NULL;
	test->location = -1;
	return (Node *) makeBoolExpr(OR_EXPR, list_make2(test, found), -1);
}

/*
 * Restrict a level to the rows that share a partition or group with a key.
 * Only a plain level: with GROUP BY, what is shared may be an aggregate.
 */
static bool
restrict_level(Query *query, Node *key)
{
	List	   *clauses = NIL;
	List	   *quals = NIL;
	ListCell   *lc;

	if (query->groupClause != NIL || query->hasAggs ||
		query->groupingSets != NIL || checkExprHasSubLink(key) ||
		(query->hasWindowFuncs && query->distinctClause != NIL))
		return false;
	if (query->hasDistinctOn)
		clauses = list_make1(query->distinctClause);
	foreach(lc, query->windowClause)
		clauses = lappend(clauses, ((WindowClause *) lfirst(lc))->partitionClause);
	foreach(lc, clauses)
	{
		Node	   *qual = lfirst(lc) == NIL ? NULL :
		shares_with_key(query, linitial(lfirst_node(List, lc)), key);

		if (qual == NULL)
			return false;
		quals = lappend(quals, qual);
	}
	add_qual(query, list_length(quals) == 1 ? linitial(quals) :
			 (Node *) makeBoolExpr(OR_EXPR, quals, -1));
	query->hasSubLinks = true;
	return true;
}

/* Does the step of a recursion take this column over as it is? */
static bool
hands_on(Query *step, int resno)
{
	Var		   *var = (Var *) get_tle_by_resno(step->targetList, resno)->expr;
	RangeTblEntry *rte;

	if (!IsA(var, Var) || var->varlevelsup > 0)
		return false;
	rte = rt_fetch(var->varno, step->rtable);
	return rte->rtekind == RTE_CTE && rte->self_reference &&
		var->varattno == resno;
}

/* May rows be left out without changing what becomes of the others? */
static bool
treats_rows_singly(Query *query)
{
	return query->setOperations == NULL && !query->hasAggs &&
		!query->hasWindowFuncs && !query->hasDistinctOn &&
		query->groupClause == NIL && query->groupingSets == NIL &&
		query->limitCount == NULL && query->limitOffset == NULL;
}

/*
 * Start a recursion from the rows that have one of the values in this column,
 * if every step hands it on: what comes of a row then has its value, too.
 */
static bool
restrict_start(Query *query, int resno, Node *values)
{
	SetOperationStmt *op = (SetOperationStmt *) query->setOperations;
	Query	   *start;
	Query	   *step;
	Node	   *column;
	Expr	   *has_value;

	if (op == NULL || !IsA(op->larg, RangeTblRef) ||
		!IsA(op->rarg, RangeTblRef))
		return false;
	start = rt_fetch(((RangeTblRef *) op->larg)->rtindex,
					 query->rtable)->subquery;
	step = rt_fetch(((RangeTblRef *) op->rarg)->rtindex,
					query->rtable)->subquery;
	column = (Node *) get_tle_by_resno(start->targetList, resno)->expr;
	if (!treats_rows_singly(start) || !treats_rows_singly(step) ||
		!hands_on(step, resno) || checkExprHasSubLink(column) ||
		expression_returns_set(column) ||
		exprType(values) != get_array_type(exprType(column)))
		return false;
	has_value = equals_any(copyObject(column), values);
	if (has_value == NULL)
		return false;
	add_qual(start, (Node *) has_value);
	start->hasSubLinks |= IsA(values, SubLink);
	return true;
}

/*
 * Conjuncts that leave out the rows of an item of FROM that don't satisfy
 * them, or leave them alone.
 */
static List *
conjuncts_on(Node *node, int rtindex, List *result)
{
	JoinExpr   *join = (JoinExpr *) node;
	ListCell   *lc;

	if (IsA(node, FromExpr))
	{
		foreach(lc, ((FromExpr *) node)->fromlist)
			result = conjuncts_on(lfirst(lc), rtindex, result);
		return list_concat(result, make_ands_implicit((Expr *) ((FromExpr *) node)->quals));
	}
	if (!IsA(node, JoinExpr))
		return result;
	result = conjuncts_on(join->larg, rtindex, result);
	result = conjuncts_on(join->rarg, rtindex, result);
	if (join->jointype == JOIN_INNER ||
		(join->jointype == JOIN_LEFT && IsA(join->rarg, RangeTblRef) &&
		 ((RangeTblRef *) join->rarg)->rtindex == rtindex))
		result = list_concat(result, make_ands_implicit((Expr *) join->quals));
	return result;
}

/* A copy of a column of a table, for a query with no other. */
static Var *
table_column(const Var *var)
{
	return makeVar(1, var->varattno, var->vartype, var->vartypmod,
				   var->varcollid, 0);
}

/* ARRAY(SELECT column FROM table WHERE key = ANY ($1)), or NULL. */
static Node *
column_of_keys(RangeTblEntry *table, Var *column, Var *key)
{
	Query	   *query = makeNode(Query);
	RangeTblRef *rtr = makeNode(RangeTblRef);

	key = table_column(key);
	column = table_column(column);
	rtr->rtindex = 1;
	query->commandType = CMD_SELECT;
	query->canSetTag = true;
	query->rtable = list_make1(copyObject(table));
	tview_clear_perminfo((RangeTblEntry *) linitial(query->rtable));
	query->targetList = list_make1(makeTargetEntry((Expr *) column, 1, "key",
												   false));
	query->jointree = makeFromExpr(list_make1(rtr), NULL);
	return values_of_keys(query, (Node *) column, (Node *) key);
}

/*
 * Where the key's table is joined to a recursion: start that from the values
 * that the rows with the keys are joined on.
 */
static bool
restrict_joined(Query *query, RangeTblEntry *rte, int rtindex, Var *key)
{
	CommonTableExpr *cte = NULL;
	ListCell   *lc;

	if (rte->rtekind != RTE_CTE || rte->self_reference || rte->ctelevelsup > 0)
		return false;
	foreach(lc, query->cteList)
		if (strcmp(((CommonTableExpr *) lfirst(lc))->ctename, rte->ctename) == 0)
		cte = lfirst(lc);
	if (!cte->cterecursive || cte->cterefcount != 1)
		return false;
	foreach(lc, conjuncts_on((Node *) query->jointree, rtindex, NIL))
	{
		OpExpr	   *op = lfirst(lc);

		if (!IsA(op, OpExpr) || list_length(op->args) != 2)
			continue;
		for (int side = 0; side < 2; side++)
		{
			Var		   *inner = list_nth(op->args, side);
			Var		   *outer = list_nth(op->args, 1 - side);
			Node	   *values;

			if (!IsA(inner, Var) || inner->varno != rtindex ||
				!IsA(outer, Var) || outer->varno != key->varno ||
				outer->varattno <= 0 || outer->varlevelsup > 0 ||
				inner->vartype != outer->vartype ||
				inner->varcollid != op->inputcollid ||
				op->opno != lookup_type_cache(inner->vartype,
											  TYPECACHE_EQ_OPR)->eq_opr)
				continue;
			values = column_of_keys(rt_fetch(key->varno, query->rtable), outer,
									key);
			if (values != NULL &&
				restrict_start(castNode(Query, cte->ctequery), inner->varattno,
							   values))
				return true;
		}
	}
	return false;
}

/*
 * Restrict the recursions that the key's table is joined to, and the level to
 * the keys.  It is then to be computed once for all of them: a recursion is
 * not looked through for each.
 */
static bool
restrict_recursions(Query *query, Var *key)
{
	bool		result = false;
	int			rtindex = 0;
	ListCell   *lc;

	foreach(lc, query->rtable)
		result |= restrict_joined(query, lfirst(lc), ++rtindex, key);
	if (result)
		add_qual(query, (Node *) equals_any((Node *) copyObject(key),
											keys_parameter((Node *) key)));
	return result;
}

/* ----------
 * The way down to where the key comes from
 * ----------
 */

static bool
has_clause(List *clauses, const TargetEntry *tle)
{
	ListCell   *lc;

	foreach(lc, clauses)
		if (((SortGroupClause *) lfirst(lc))->tleSortGroupRef == tle->ressortgroupref)
		return true;
	return false;
}

/* Do rows with other keys take part in what the level returns for a key? */
static bool
needs_others(Query *query, const TargetEntry *tle)
{
	ListCell   *lc;

	if (query->hasDistinctOn && !has_clause(query->distinctClause, tle))
		return true;
	foreach(lc, query->windowClause)
		if (!has_clause(((WindowClause *) lfirst(lc))->partitionClause, tle))
		return true;
	return false;
}

static bool
restrict_branches(Query *query, Node *node, int resno, bool leave_out)
{
	SetOperationStmt *op = (SetOperationStmt *) node;

	if (IsA(node, RangeTblRef))
		return restrict_output(rt_fetch(((RangeTblRef *) node)->rtindex,
										query->rtable)->subquery, resno,
							   leave_out);
	if (op->op == SETOP_EXCEPT)
		return false;
	return restrict_branches(query, op->larg, resno, leave_out) &&
		restrict_branches(query, op->rarg, resno, leave_out);
}

static bool
is_same_column(Node *a, Node *b)
{
	return IsA(a, Var) && IsA(b, Var) &&
		((Var *) a)->varno == ((Var *) b)->varno &&
		((Var *) a)->varattno == ((Var *) b)->varattno;
}

/*
 * A condition on COALESCE(a, b) is pushed to both sides of a full join on
 * a = b, but not on b = a: turn such a one around.  See
 * reconsider_full_join_clause() in the server's equivclass.c.
 */
static void
turn_equality(Node *node, CoalesceExpr *key)
{
	JoinExpr   *join = (JoinExpr *) node;
	ListCell   *lc;

	if (IsA(node, FromExpr))
		foreach(lc, ((FromExpr *) node)->fromlist)
			turn_equality(lfirst(lc), key);
	if (!IsA(node, JoinExpr))
		return;
	turn_equality(join->larg, key);
	turn_equality(join->rarg, key);
	foreach(lc, make_ands_implicit((Expr *) join->quals))
	{
		OpExpr	   *op = lfirst(lc);

		if (join->jointype == JOIN_FULL && IsA(op, OpExpr) &&
			list_length(op->args) == 2 &&
			OidIsValid(get_commutator(op->opno)) &&
			is_same_column(linitial(op->args), lsecond(key->args)) &&
			is_same_column(lsecond(op->args), linitial(key->args)))
			CommuteOpExpr(op);
	}
}

/*
 * Does the planner look for the key where this expression comes from?
 *
 * leave_out: rows with other keys may be left out below.  Not below COALESCE:
 * what was joined to such a row would come up with the key of the other side.
 */
static bool
restrict_expr(Query *query, Node *expr, bool leave_out)
{
	Var		   *var = (Var *) expr;
	RangeTblEntry *rte;
	ListCell   *lc;

	while (IsA(expr, RelabelType))
		expr = (Node *) ((RelabelType *) expr)->arg;
	var = (Var *) expr;
	if (IsA(expr, CoalesceExpr))
	{
		if (list_length(((CoalesceExpr *) expr)->args) == 2)
			turn_equality((Node *) query->jointree, (CoalesceExpr *) expr);
		foreach(lc, ((CoalesceExpr *) expr)->args)
			if (!restrict_expr(query, lfirst(lc), false))
			return false;
		return true;
	}
	if (!IsA(expr, Var) || var->varlevelsup > 0 || var->varattno <= 0)
		return false;
	rte = rt_fetch(var->varno, query->rtable);
	switch (rte->rtekind)
	{
		case RTE_JOIN:
			return restrict_expr(query, list_nth(rte->joinaliasvars,
												 var->varattno - 1),
								 leave_out);
		case RTE_SUBQUERY:
			return restrict_output(rte->subquery, var->varattno, leave_out);
		case RTE_CTE:
			foreach(lc, query->cteList)
			{
				CommonTableExpr *cte = lfirst(lc);

				if (rte->ctelevelsup > 0 || cte->cterefcount != 1 ||
					strcmp(cte->ctename, rte->ctename) != 0)
					continue;
				if (!cte->cterecursive)
					return restrict_output(castNode(Query, cte->ctequery),
										   var->varattno, leave_out);
				if (leave_out)
					(void) restrict_start(castNode(Query, cte->ctequery),
										  var->varattno,
										  keys_parameter(expr));
			}
			return false;
		default:
			if (tview_group_exprs(rte) != NIL)
				return restrict_expr(query, list_nth(tview_group_exprs(rte),
													 var->varattno - 1),
									 leave_out);
			return rte->rtekind == RTE_RELATION &&
				!(leave_out && restrict_recursions(query, var));
	}
}

/*
 * Returns whether the planner pushes a condition on this output of a level
 * down to tables.  Where it can't, restricts the level if that is possible.
 */
static bool
restrict_output(Query *query, int resno, bool leave_out)
{
	TargetEntry *tle = get_tle_by_resno(query->targetList, resno);

	if (tle == NULL || query->limitCount != NULL ||
		query->limitOffset != NULL || query->groupingSets != NIL)
		return false;
	if (query->setOperations != NULL)
		return restrict_branches(query, query->setOperations, resno,
								 leave_out);
	if (needs_others(query, tle))
	{
		if (leave_out)
			(void) restrict_level(query, (Node *) tle->expr);
		return false;
	}
	return restrict_expr(query, (Node *) tle->expr, leave_out);
}

static bool
inline_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, CommonTableExpr) && !((CommonTableExpr *) node)->cterecursive)
		((CommonTableExpr *) node)->ctematerialized = CTEMaterializeNever;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, inline_walker, context, 0);
	return expression_tree_walker(node, inline_walker, context);
}

/*
 * tview_restrict - a copy of the definition, to be computed for the keys in $1
 *
 * pushes says whether a condition on the key makes it cheap for one key; if
 * not, it is to be computed once for all.
 */
Query *
tview_restrict(Query *query, const char *key_column, bool *pushes)
{
	Query	   *result = copyObject(query);
	ListCell   *lc;

	(void) inline_walker((Node *) result, NULL);
	foreach(lc, result->targetList)
	{
		TargetEntry *tle = lfirst(lc);

		if (!tle->resjunk && strcmp(tle->resname, key_column) == 0)
		{
			*pushes = restrict_output(result, tle->resno, true);
			return result;
		}
	}
	elog(ERROR, "definition has no column \"%s\"", key_column);
	return NULL;
}
