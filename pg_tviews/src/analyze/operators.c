/*-------------------------------------------------------------------------
 *
 * operators.c
 *	  Operators that the text of a query doesn't name.
 *
 * A query is written as text, and parsed again with search_path = pg_catalog.
 * IS DISTINCT FROM, NULLIF and CASE x WHEN y have an operator that the text
 * doesn't show: one of another schema would not be found again, or, as for
 * citext, another one in its place.  Such expressions are put in a form that
 * names it.  USING and comparisons of rows have none, and are refused.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "analyze/operators.h"

static bool
is_of_catalog(Oid operator)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);
	result = ((Form_pg_operator) GETSTRUCT(tuple))->oprnamespace == PG_CATALOG_NAMESPACE;
	ReleaseSysCache(tuple);
	return result;
}

static bool
has_other_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, OpExpr) && !is_of_catalog(((OpExpr *) node)->opno))
		return true;
	return expression_tree_walker(node, has_other_walker, context);
}

static void
refuse(const char *construct, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s with an operator that is not built in can't be part of the definition of a TVIEW",
					construct),
			 errhint("%s", hint)));
}

static Node *
null_test(Node *expr, NullTestType type)
{
	NullTest   *result = makeNode(NullTest);

	result->arg = (Expr *) copyObject(expr);
	result->nulltesttype = type;
	result->location = -1;
	return (Node *) result;
}

static CaseWhen *
make_when(Node *condition, Node *value)
{
	CaseWhen   *result = makeNode(CaseWhen);

	result->expr = (Expr *) condition;
	result->result = (Expr *) value;
	result->location = -1;
	return result;
}

static Node *
make_case(const OpExpr *op, Oid type, List *whens, Node *otherwise)
{
	CaseExpr   *result = makeNode(CaseExpr);

	result->casetype = type;
	result->casecollid = op->opcollid;
	result->args = whens;
	result->defresult = (Expr *) otherwise;
	result->location = -1;
	return (Node *) result;
}

static Node *
as_operator(const OpExpr *op)
{
	OpExpr	   *result = copyObject((OpExpr *) op);

	NodeSetTag(result, T_OpExpr);
	result->opresulttype = BOOLOID;
	result->opcollid = InvalidOid;
	return (Node *) result;
}

static Node *
spell_distinct(const OpExpr *op)
{
	Node	   *left = linitial(op->args);
	Node	   *right = lsecond(op->args);

	return make_case(op, BOOLOID,
					 list_make2(make_when(null_test(left, IS_NULL),
										  null_test(right, IS_NOT_NULL)),
								make_when(null_test(right, IS_NULL),
										  makeBoolConst(true, false))),
					 (Node *) makeBoolExpr(NOT_EXPR,
										   list_make1(as_operator(op)), -1));
}

static Node *
spell_nullif(const OpExpr *op)
{
	Node	   *left = linitial(op->args);

	return make_case(op, exprType(left),
					 list_make1(make_when(as_operator(op),
										  (Node *) makeNullConst(exprType(left),
																 exprTypmod(left),
																 exprCollation(left)))),
					 copyObject(left));
}

/* What stands for the value of CASE becomes the value. */
static Node *
value_mutator(Node *node, Node *value)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, CaseTestExpr))
		return copyObject(value);
	if (IsA(node, CaseExpr) || IsA(node, ArrayCoerceExpr) || IsA(node, Query))
		return node;
	return expression_tree_mutator(node, value_mutator, value);
}

static Node *
spell_case(CaseExpr *expr)
{
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		CaseWhen   *when = lfirst(lc);

		when->expr = (Expr *) value_mutator((Node *) when->expr,
											(Node *) expr->arg);
	}
	expr->arg = NULL;
	return (Node *) expr;
}

/* Has a comparison with the value of CASE such an operator? */
static bool
case_has_other(const CaseExpr *expr)
{
	ListCell   *lc;

	if (expr->arg == NULL)
		return false;
	foreach(lc, expr->args)
	{
		OpExpr	   *op = (OpExpr *) ((CaseWhen *) lfirst(lc))->expr;

		if (IsA(op, OpExpr) && !is_of_catalog(op->opno))
			return true;
	}
	return false;
}

static void
check_refused(Node *node)
{
	ListCell   *lc;

	if (IsA(node, JoinExpr) && ((JoinExpr *) node)->usingClause != NIL &&
		has_other_walker(((JoinExpr *) node)->quals, NULL))
		refuse("USING", "Write the join with ON.");
	if (IsA(node, SubLink) && ((SubLink *) node)->testexpr != NULL &&
		IsA(((SubLink *) node)->testexpr, BoolExpr) &&
		has_other_walker(((SubLink *) node)->testexpr, NULL))
		refuse("a comparison of rows", "Write it as EXISTS, with a condition for each column.");
	if (IsA(node, RowCompareExpr))
		foreach(lc, ((RowCompareExpr *) node)->opnos)
			if (!is_of_catalog(lfirst_oid(lc)))
			refuse("a comparison of rows", "Write a condition for each column.");
}

static Node *
operators_mutator(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Query))
		return (Node *) query_tree_mutator((Query *) node, operators_mutator,
										   context, 0);
	check_refused(node);
	node = expression_tree_mutator(node, operators_mutator, context);
	if (IsA(node, DistinctExpr) && !is_of_catalog(((OpExpr *) node)->opno))
		return spell_distinct((OpExpr *) node);
	if (IsA(node, NullIfExpr) && !is_of_catalog(((OpExpr *) node)->opno))
		return spell_nullif((OpExpr *) node);
	if (IsA(node, CaseExpr) && case_has_other((CaseExpr *) node))
		return spell_case((CaseExpr *) node);
	return node;
}

/*
 * tview_operators_spell - a copy of the query in which every operator that is
 * not built in is named
 */
Query *
tview_operators_spell(Query *query)
{
	return (Query *) operators_mutator((Node *) query, NULL);
}
