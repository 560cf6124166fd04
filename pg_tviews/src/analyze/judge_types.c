/*-------------------------------------------------------------------------
 *
 * judge_types.c
 *	  Functions that types bring with them.
 *
 * Input and output functions of a type hide one in another: an array's output
 * function calls that of its elements, jsonb_build_object() that of each
 * argument.  So types are looked at down to their elements and columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "analyze/judge.h"
#include "base/compat.h"

/* ----------
 * Types: values from text, and text from values
 * ----------
 */

/* What a domain is directly made of: a type, or another domain. */
static Oid
domain_base(Oid domain)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(domain));
	Oid			result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", domain);
	result = ((Form_pg_type) GETSTRUCT(tuple))->typbasetype;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * tview_judge_domain - CHECK constraints of a domain, and of those below it
 */
void
tview_judge_domain(TviewJudgement *judgement, Oid domain)
{
	while (get_typtype(domain) == TYPTYPE_DOMAIN)
	{
		Relation	rel = table_open(ConstraintRelationId, AccessShareLock);
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_pg_constraint_contypid, BTEqualStrategyNumber,
					F_OIDEQ, ObjectIdGetDatum(domain));
		scan = systable_beginscan(rel, ConstraintTypidIndexId, true, NULL, 1,
								  &key);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			bool		isnull;
			Datum		expr = heap_getattr(tuple, Anum_pg_constraint_conbin,
											RelationGetDescr(rel), &isnull);

			if (!isnull)
				(void) tview_judge_walker(stringToNode(TextDatumGetCString(expr)),
										  judgement);
		}
		systable_endscan(scan);
		table_close(rel, AccessShareLock);
		domain = domain_base(domain);
	}
}

/*
 * Text becomes a value of this type.  Dates and times take words such as
 * "today", names of objects mean what the catalogs say.
 */
static void
judge_input(TviewJudgement *judgement, Oid type)
{
	Oid			function;
	Oid			param;

	getTypeInputInfo(type, &function, &param);
	if (function >= FirstUnpinnedObjectId)
		(void) tview_judge_simple(judgement, function, false);
	else if (func_volatile(function) != PROVOLATILE_IMMUTABLE &&
			 type != INTERVALOID && type != XMLOID)
		tview_judge_session(judgement,
							psprintf("The conversion of text to type %s",
									 format_type_be(type)),
							type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID ?
							"Use to_date() or to_timestamp(), which don't take words such as \"today\"." : "");
}

/* A value of this type becomes text, or a JSON value. */
static void
judge_output(TviewJudgement *judgement, Oid type)
{
	Oid			function;
	bool		varlena;

	getTypeOutputInfo(type, &function, &varlena);
	if (function >= FirstUnpinnedObjectId)
		(void) tview_judge_simple(judgement, function, false);
	else if (func_volatile(function) != PROVOLATILE_IMMUTABLE &&
			 get_typtype(type) == TYPTYPE_BASE &&
			 type != DATEOID && type != TIMESTAMPOID &&
			 type != TIMESTAMPTZOID && type != INTERVALOID)
		tview_judge_session(judgement,
							psprintf("The text form of type %s",
									 format_type_be(type)), "");

	/* JSON functions look for a cast when they run */
	if (type >= FirstNormalObjectId &&
		find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT,
							  &function) == COERCION_PATH_FUNC &&
		OidIsValid(function))
		(void) tview_judge_simple(judgement, function, false);
}

/*
 * tview_judge_type - input or output of a type, down to its elements and
 * columns
 */
void
tview_judge_type(TviewJudgement *judgement, Oid type, bool input)
{
	char		typtype = get_typtype(type);

	check_stack_depth();
	if (typtype == TYPTYPE_DOMAIN)
	{
		if (input)
			tview_judge_domain(judgement, type);
		tview_judge_type(judgement, getBaseType(type), input);
	}
	else if (typtype == TYPTYPE_COMPOSITE)
	{
		TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);

		for (int i = 0; i < desc->natts; i++)
			if (!TupleDescAttr(desc, i)->attisdropped)
				tview_judge_type(judgement, TupleDescAttr(desc, i)->atttypid, input);
	}
	else if (OidIsValid(get_element_type(type)))
		tview_judge_type(judgement, get_element_type(type), input);
	else if (type == RECORDOID || type == RECORDARRAYOID)
		judgement->renders_record |= !input;
	else
	{
		if (typtype == TYPTYPE_RANGE)
			tview_judge_type(judgement, get_range_subtype(type), input);
		else if (typtype == TYPTYPE_MULTIRANGE)
			tview_judge_type(judgement, get_multirange_range(type), input);
		else if (input && typtype != TYPTYPE_ENUM)
			judge_input(judgement, type);
		if (!input && typtype != TYPTYPE_PSEUDO)
			judge_output(judgement, type);
	}
}

/*
 * tview_judge_outputs - values of these expressions become text
 */
void
tview_judge_outputs(TviewJudgement *judgement, List *exprs)
{
	ListCell   *lc;

	foreach(lc, exprs)
	{
		Node	   *expr = lfirst(lc);

		if (expr != NULL && IsA(expr, TargetEntry))
			expr = (Node *) ((TargetEntry *) expr)->expr;
		if (expr != NULL)
			tview_judge_type(judgement, exprType(expr), false);
	}
}

/*
 * tview_judge_types - input or output of several types
 */
void
tview_judge_types(TviewJudgement *judgement, List *types, bool input)
{
	ListCell   *lc;

	foreach(lc, types)
		if (OidIsValid(lfirst_oid(lc)))
		tview_judge_type(judgement, lfirst_oid(lc), input);
}

/*
 * What may be in a record of unnamed type that becomes text?  That is not
 * followed: whatever makes such records counts.
 */
static bool
record_walker(Node *node, TviewJudgement *judgement)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, record_walker, judgement,
								 QTW_EXAMINE_RTES_BEFORE);
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;
		ListCell   *lc;

		tview_judge_types(judgement, rte->coltypes, false);
		foreach(lc, rte->functions)
			tview_judge_types(judgement,
							  ((RangeTblFunction *) lfirst(lc))->funccoltypes, false);
		if (rte->rtekind == RTE_JOIN)
			tview_judge_outputs(judgement, rte->joinaliasvars);
		return false;
	}
	if (IsA(node, TargetEntry))
		tview_judge_outputs(judgement, list_make1(node));
	if (IsA(node, RowExpr))
		tview_judge_outputs(judgement, ((RowExpr *) node)->args);
	if (IsA(node, FuncExpr) && exprType(node) == RECORDOID)
	{
		TupleDesc	desc = get_expr_result_tupdesc(node, true);

		for (int i = 0; desc != NULL && i < desc->natts; i++)
			tview_judge_type(judgement, TupleDescAttr(desc, i)->atttypid, false);
	}
	return expression_tree_walker(node, record_walker, judgement);
}

/*
 * tview_judge_records - judge all records of unnamed type in a definition
 */
void
tview_judge_records(TviewJudgement *judgement, Query *query)
{
	(void) record_walker((Node *) query, judgement);
}

/* ----------
 * Comparisons
 * ----------
 */

/*
 * tview_judge_comparison - what comparing values of a type calls by default
 */
void
tview_judge_comparison(TviewJudgement *judgement, Oid type)
{
	TypeCacheEntry *entry;

	type = getBaseType(type);
	tview_judge_elements(judgement, type);
	if (type < FirstUnpinnedObjectId)
		return;
	entry = lookup_type_cache(type, TYPECACHE_EQ_OPR | TYPECACHE_CMP_PROC);
	(void) tview_judge_operator(judgement, entry->eq_opr, false);
	if (OidIsValid(entry->cmp_proc))
		(void) tview_judge_simple(judgement, entry->cmp_proc, false);
}

/*
 * tview_judge_elements - what comparing arrays and rows calls
 *
 * That is, the operators that the types of their elements and columns have.
 */
void
tview_judge_elements(TviewJudgement *judgement, Oid type)
{
	Oid			element = get_element_type(type);

	check_stack_depth();
	if (OidIsValid(element))
		tview_judge_comparison(judgement, element);
	else if (type_is_rowtype(type) && type != RECORDOID)
	{
		TupleDesc	desc = lookup_rowtype_tupdesc_domain(type, -1, false);

		for (int i = 0; i < desc->natts; i++)
			if (!TupleDescAttr(desc, i)->attisdropped)
				tview_judge_comparison(judgement, TupleDescAttr(desc, i)->atttypid);
		ReleaseTupleDesc(desc);
	}
}
