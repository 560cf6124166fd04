/*-------------------------------------------------------------------------
 *
 * functions.c
 *	  Functions that a definition may not call.
 *
 * A TVIEW is refreshed when a table changes that its definition names.  So
 * what the definition returns must depend on nothing else:
 *	 - volatile functions are refused, always;
 *	 - functions of the server that depend on the clock, the session, or the
 *	   system catalogs are refused unless option "time_dependent" is set;
 *	 - functions of users that aren't immutable are refused unless option
 *	   "reads" says which tables they read.
 * What is declared IMMUTABLE is taken at its word.
 *
 * Many of a definition's functions aren't written in it: those of operators,
 * casts, sorting and grouping, those that an aggregate is made of, CHECK
 * constraints of domains, and the input and output functions of types.  The
 * latter hide one in another: an array's output function calls that of its
 * elements, jsonb_build_object() that of each argument.  So types are looked
 * at, down to their elements and columns, wherever a value becomes text or
 * text becomes a value.
 *
 * The settings that a refresh fixes (see owner.c) don't count as the session.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "analyze/builtin.h"
#include "analyze/check.h"
#include "analyze/functions.h"
#include "base/compat.h"
#include "base/names.h"
#include "catalog/reads.h"

#define HINT_STORE	"Store the value in a column of a base table, or compute it when the TVIEW is read."
#define HINT_TIME	HINT_STORE " Or set option \"time_dependent\" to true, and run pg_tviews_refresh() whenever the TVIEW is to catch up."

typedef struct Judgement
{
	const char *name;			/* of the TVIEW */
	bool		time_dependent;
	List	   *declared;		/* of TviewReadsOids */
	List	   *used;			/* OIDs of functions that were met */
	List	   *compared;		/* nodes that are operands of comparisons */
	bool		renders_record; /* a record of unnamed type becomes text */
} Judgement;

static bool judge_walker(Node *node, Judgement *judgement);
static void judge_elements(Judgement *judgement, Oid type);

/* ----------
 * Refusing
 * ----------
 */

static void
refuse_session(Judgement *judgement, const char *what, const char *hint)
{
	if (judgement->time_dependent)
		return;
	tview_refuse(judgement->name,
				 psprintf("%s depends on the clock, the session, or the system catalogs.", what),
				 psprintf("%s%s" HINT_TIME, hint, *hint == '\0' ? "" : " "));
}

/* Signature of a function, as it may be written in option "reads". */
static char *
signature(Oid funcid)
{
	StringInfoData buf;
	Oid		   *types;
	int			n;

	(void) get_func_signature(funcid, &types, &n);
	initStringInfo(&buf);
	appendStringInfo(&buf, "%s(",
					 quote_qualified_identifier(get_namespace_name(get_func_namespace(funcid)),
												get_func_name(funcid)));
	for (int i = 0; i < n; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "",
						 format_type_be(types[i]));
	appendStringInfoChar(&buf, ')');
	return buf.data;
}

static char *
function_label(Oid funcid)
{
	return psprintf("Function %s", signature(funcid));
}

static void
refuse_volatile(Judgement *judgement, Oid funcid)
{
	tview_refuse(judgement->name,
				 psprintf("%s is volatile: it may return something else each time.",
						  function_label(funcid)),
				 funcid < FirstUnpinnedObjectId ? HINT_STORE :
				 HINT_STORE " Or declare it IMMUTABLE, if it always returns the same for the same arguments.");
}

static void
refuse_unknown(Judgement *judgement, Oid funcid)
{
	tview_refuse(judgement->name,
				 psprintf("%s is not immutable, so it may read tables that the definition doesn't name.",
						  function_label(funcid)),
				 psprintf("Say which tables it reads, with option \"reads\": {\"%s\": [\"schema.table\"]}; [] if none. Or declare it IMMUTABLE, if it always returns the same for the same arguments.",
						  signature(funcid)));
}

/* ----------
 * Functions
 * ----------
 */

static const TviewReadsOids *
find_declaration(const Judgement *judgement, Oid funcid)
{
	ListCell   *lc;

	foreach(lc, judgement->declared)
	{
		const TviewReadsOids *reads = lfirst(lc);

		if (reads->function == funcid)
			return reads;
	}
	return NULL;
}

/*
 * Refuse a function if it is to be.  declared: as part of one whose tables
 * are declared.  Returns whether it may look at the text form of an argument.
 */
static bool
judge_simple(Judgement *judgement, Oid funcid, bool declared)
{
	char		volatility = func_volatile(funcid);

	judgement->used = list_append_unique_oid(judgement->used, funcid);
	if (volatility == PROVOLATILE_VOLATILE)
		refuse_volatile(judgement, funcid);
	if (volatility == PROVOLATILE_IMMUTABLE)
		return false;
	if (funcid < FirstUnpinnedObjectId)
	{
		if (!tview_builtin_is_fixed(funcid))
			refuse_session(judgement, function_label(funcid), "");
		return true;
	}
	if (!declared && find_declaration(judgement, funcid) == NULL)
		refuse_unknown(judgement, funcid);
	return false;
}

static bool
judge_operator(Judgement *judgement, Oid opno, bool declared)
{
	return OidIsValid(opno) &&
		judge_simple(judgement, get_opcode(opno), declared);
}

/* The functions that an aggregate is made of count, not what it says. */
static bool
judge_aggregate(Judgement *judgement, Oid aggregate)
{
	HeapTuple	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggregate));
	bool		declared = find_declaration(judgement, aggregate) != NULL;
	bool		renders = false;
	FormData_pg_aggregate form;
	Oid			parts[8];

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for aggregate %u", aggregate);
	form = *(Form_pg_aggregate) GETSTRUCT(tuple);
	ReleaseSysCache(tuple);
	judgement->used = list_append_unique_oid(judgement->used, aggregate);
	parts[0] = form.aggtransfn;
	parts[1] = form.aggfinalfn;
	parts[2] = form.aggcombinefn;
	parts[3] = form.aggserialfn;
	parts[4] = form.aggdeserialfn;
	parts[5] = form.aggmtransfn;
	parts[6] = form.aggminvtransfn;
	parts[7] = form.aggmfinalfn;
	for (int i = 0; i < lengthof(parts); i++)
		if (OidIsValid(parts[i]))
			renders |= judge_simple(judgement, parts[i], declared);
	return judge_operator(judgement, form.aggsortop, declared) || renders;
}

static bool
judge_function(Judgement *judgement, Oid funcid)
{
	if (funcid >= FirstUnpinnedObjectId &&
		get_func_prokind(funcid) == PROKIND_AGGREGATE)
		return judge_aggregate(judgement, funcid);
	return judge_simple(judgement, funcid, false);
}

/* What comparing values of a type calls by default. */
static void
judge_comparison(Judgement *judgement, Oid type)
{
	TypeCacheEntry *entry;

	type = getBaseType(type);
	judge_elements(judgement, type);
	if (type < FirstUnpinnedObjectId)
		return;
	entry = lookup_type_cache(type, TYPECACHE_EQ_OPR | TYPECACHE_CMP_PROC);
	(void) judge_operator(judgement, entry->eq_opr, false);
	if (OidIsValid(entry->cmp_proc))
		(void) judge_simple(judgement, entry->cmp_proc, false);
}

/*
 * Comparing arrays and rows compares their elements and columns, by the
 * operators that the types of these have.
 */
static void
judge_elements(Judgement *judgement, Oid type)
{
	Oid			element = get_element_type(type);

	check_stack_depth();
	if (OidIsValid(element))
		judge_comparison(judgement, element);
	else if (type_is_rowtype(type) && type != RECORDOID)
	{
		TupleDesc	desc = lookup_rowtype_tupdesc_domain(type, -1, false);

		for (int i = 0; i < desc->natts; i++)
			if (!TupleDescAttr(desc, i)->attisdropped)
				judge_comparison(judgement, TupleDescAttr(desc, i)->atttypid);
		ReleaseTupleDesc(desc);
	}
}

/* An operator that sorts or groups, with what sorting and hashing call. */
static void
judge_ordering(Judgement *judgement, Oid opno)
{
	Oid			opfamily;
	Oid			type;
	TviewOrdering ordering;
	RegProcedure left;
	RegProcedure right;

	(void) judge_operator(judgement, opno, false);
	if (!OidIsValid(opno))
		return;
	if (get_ordering_op_properties(opno, &opfamily, &type, &ordering))
		(void) judge_simple(judgement,
							get_opfamily_proc(opfamily, type, type,
											  BTORDER_PROC), false);
	if (get_op_hash_functions(opno, &left, &right))
		(void) judge_simple(judgement, left, false);
}

/*
 * Is it the number of an object that has another one in a restored database?
 */
static bool
is_object_number(Node *node)
{
	if (IsA(node, Var))
		return ((Var *) node)->varattno == TableOidAttributeNumber;
	return IsA(node, RelabelType) &&
		((RelabelType *) node)->resulttype == OIDOID &&
		exprType((Node *) ((RelabelType *) node)->arg) != OIDOID;
}

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

/* CHECK constraints of a domain, and of those below it. */
static void
judge_domain(Judgement *judgement, Oid domain)
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
				(void) judge_walker(stringToNode(TextDatumGetCString(expr)),
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
judge_input(Judgement *judgement, Oid type)
{
	Oid			function;
	Oid			param;

	getTypeInputInfo(type, &function, &param);
	if (function >= FirstUnpinnedObjectId)
		(void) judge_simple(judgement, function, false);
	else if (func_volatile(function) != PROVOLATILE_IMMUTABLE &&
			 type != INTERVALOID && type != XMLOID)
		refuse_session(judgement,
					   psprintf("The conversion of text to type %s",
								format_type_be(type)),
					   type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID ?
					   "Use to_date() or to_timestamp(), which don't take words such as \"today\"." : "");
}

/* A value of this type becomes text, or a JSON value. */
static void
judge_output(Judgement *judgement, Oid type)
{
	Oid			function;
	bool		varlena;

	getTypeOutputInfo(type, &function, &varlena);
	if (function >= FirstUnpinnedObjectId)
		(void) judge_simple(judgement, function, false);
	else if (func_volatile(function) != PROVOLATILE_IMMUTABLE &&
			 get_typtype(type) == TYPTYPE_BASE &&
			 type != DATEOID && type != TIMESTAMPOID &&
			 type != TIMESTAMPTZOID && type != INTERVALOID)
		refuse_session(judgement,
					   psprintf("The text form of type %s",
								format_type_be(type)), "");

	/* JSON functions look for a cast when they run */
	if (type >= FirstNormalObjectId &&
		find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT,
							  &function) == COERCION_PATH_FUNC &&
		OidIsValid(function))
		(void) judge_simple(judgement, function, false);
}

/* Input or output of a type, down to its elements and columns. */
static void
judge_type(Judgement *judgement, Oid type, bool input)
{
	char		typtype = get_typtype(type);

	check_stack_depth();
	if (typtype == TYPTYPE_DOMAIN)
	{
		if (input)
			judge_domain(judgement, type);
		judge_type(judgement, getBaseType(type), input);
	}
	else if (typtype == TYPTYPE_COMPOSITE)
	{
		TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);

		for (int i = 0; i < desc->natts; i++)
			if (!TupleDescAttr(desc, i)->attisdropped)
				judge_type(judgement, TupleDescAttr(desc, i)->atttypid, input);
	}
	else if (OidIsValid(get_element_type(type)))
		judge_type(judgement, get_element_type(type), input);
	else if (type == RECORDOID || type == RECORDARRAYOID)
		judgement->renders_record |= !input;
	else
	{
		if (typtype == TYPTYPE_RANGE)
			judge_type(judgement, get_range_subtype(type), input);
		else if (typtype == TYPTYPE_MULTIRANGE)
			judge_type(judgement, get_multirange_range(type), input);
		else if (input && typtype != TYPTYPE_ENUM)
			judge_input(judgement, type);
		if (!input && typtype != TYPTYPE_PSEUDO)
			judge_output(judgement, type);
	}
}

static void
judge_outputs(Judgement *judgement, List *exprs)
{
	ListCell   *lc;

	foreach(lc, exprs)
	{
		Node	   *expr = lfirst(lc);

		if (expr != NULL && IsA(expr, TargetEntry))
			expr = (Node *) ((TargetEntry *) expr)->expr;
		if (expr != NULL)
			judge_type(judgement, exprType(expr), false);
	}
}

static void
judge_types(Judgement *judgement, List *types, bool input)
{
	ListCell   *lc;

	foreach(lc, types)
		if (OidIsValid(lfirst_oid(lc)))
		judge_type(judgement, lfirst_oid(lc), input);
}

/*
 * What may be in a record of unnamed type that becomes text?  That is not
 * followed: whatever makes such records counts.
 */
static bool
record_walker(Node *node, Judgement *judgement)
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

		judge_types(judgement, rte->coltypes, false);
		foreach(lc, rte->functions)
			judge_types(judgement,
						((RangeTblFunction *) lfirst(lc))->funccoltypes, false);
		if (rte->rtekind == RTE_JOIN)
			judge_outputs(judgement, rte->joinaliasvars);
		return false;
	}
	if (IsA(node, TargetEntry))
		judge_outputs(judgement, list_make1(node));
	if (IsA(node, RowExpr))
		judge_outputs(judgement, ((RowExpr *) node)->args);
	return expression_tree_walker(node, record_walker, judgement);
}

/* ----------
 * Nodes
 * ----------
 */

/* to_char() and its relatives: lc_monetary, lc_numeric, lc_time */
static void
judge_format(Judgement *judgement, FuncExpr *call)
{
	char	   *name = get_func_name(call->funcid);
	bool		numeric = false;
	Node	   *format;
	char	   *pattern = NULL;

	if (list_length(call->args) != 2 ||
		(strcmp(name, "to_char") != 0 && strcmp(name, "to_number") != 0 &&
		 strcmp(name, "to_date") != 0 && strcmp(name, "to_timestamp") != 0))
		return;
	if (strcmp(name, "to_number") == 0)
		numeric = true;
	else if (strcmp(name, "to_char") == 0)
	{
		Oid			type = exprType(linitial(call->args));

		numeric = type != TIMESTAMPOID && type != TIMESTAMPTZOID &&
			type != INTERVALOID;
	}
	format = lsecond(call->args);
	if (IsA(format, Const) && ((Const *) format)->constisnull)
		return;
	if (IsA(format, Const))
		pattern = TextDatumGetCString(((Const *) format)->constvalue);

	if (pattern == NULL || tview_builtin_format_uses_locale(pattern, numeric))
		refuse_session(judgement,
					   psprintf("%s with a format that %s", function_label(call->funcid),
								pattern == NULL ? "is not constant" :
								numeric ? "has L, D or G in it" : "has TM in it"),
					   pattern == NULL ? "Write the format as a constant." :
					   numeric ? "Use . and , in the format." : "Leave TM out.");
}

/* A call of any form, of a function that may look at its arguments' text. */
static void
judge_arguments(Judgement *judgement, Node *node)
{
	if (IsA(node, FuncExpr))
	{
		FuncExpr   *call = (FuncExpr *) node;

		judge_outputs(judgement, call->args);
		judge_format(judgement, call);

		/* the columns of a record are in the range table entry */
		if (strstr(get_func_name(call->funcid), "_populate_record") != NULL)
			judge_type(judgement, call->funcresulttype, true);
	}
	else if (IsA(node, OpExpr) || IsA(node, DistinctExpr) ||
			 IsA(node, NullIfExpr))
		judge_outputs(judgement, ((OpExpr *) node)->args);
	else if (IsA(node, Aggref))
	{
		judge_outputs(judgement, ((Aggref *) node)->args);
		judge_outputs(judgement, ((Aggref *) node)->aggdirectargs);
	}
	else if (IsA(node, WindowFunc))
		judge_outputs(judgement, ((WindowFunc *) node)->args);
}

typedef struct Calls
{
	Judgement  *judgement;
	bool		renders;
} Calls;

/* Callback of check_functions_in_node(): goes through all of them. */
static bool
judge_call(Oid funcid, void *context)
{
	Calls	   *call = context;

	call->renders |= judge_function(call->judgement, funcid);
	return false;
}

static void
judge_rte(Judgement *judgement, RangeTblEntry *rte)
{
	ListCell   *lc;

	/* columns of XMLTABLE and JSON_TABLE are made of text */
	if (rte->rtekind == RTE_TABLEFUNC)
		judge_types(judgement, rte->coltypes, true);

	/* so are those of jsonb_to_record() and the like */
	foreach(lc, rte->functions)
	{
		RangeTblFunction *function = lfirst(lc);
		FuncExpr   *call = (FuncExpr *) function->funcexpr;

		if (IsA(call, FuncExpr) && call->funcid < FirstUnpinnedObjectId)
			judge_types(judgement, function->funccoltypes, true);
	}
}

/* Nodes that call functions which check_functions_in_node() doesn't know */
static void
judge_node(Judgement *judgement, Node *node)
{
	ListCell   *lc;

	switch (nodeTag(node))
	{
		case T_CoerceToDomain:
			judge_domain(judgement, ((CoerceToDomain *) node)->resulttype);
			break;
		case T_MinMaxExpr:
			judge_comparison(judgement, ((MinMaxExpr *) node)->minmaxtype);
			break;
		case T_TargetEntry:
			if (((TargetEntry *) node)->ressortgroupref != 0)
				judge_elements(judgement,
							   exprType((Node *) ((TargetEntry *) node)->expr));
			break;
		case T_SQLValueFunction:
			refuse_session(judgement,
						   tview_builtin_value_name(((SQLValueFunction *) node)->op),
						   "");
			break;
		case T_XmlExpr:
			judge_outputs(judgement, ((XmlExpr *) node)->named_args);
			judge_outputs(judgement, ((XmlExpr *) node)->args);
			break;
		case T_SortGroupClause:
			judge_ordering(judgement, ((SortGroupClause *) node)->eqop);
			judge_ordering(judgement, ((SortGroupClause *) node)->sortop);
			break;
		case T_SetOperationStmt:
			foreach(lc, ((SetOperationStmt *) node)->groupClauses)
				judge_node(judgement, lfirst(lc));
			foreach(lc, ((SetOperationStmt *) node)->colTypes)
				judge_elements(judgement, lfirst_oid(lc));
			break;
		case T_WindowClause:
			if (OidIsValid(((WindowClause *) node)->startInRangeFunc))
				(void) judge_simple(judgement, ((WindowClause *) node)->startInRangeFunc, false);
			if (OidIsValid(((WindowClause *) node)->endInRangeFunc))
				(void) judge_simple(judgement, ((WindowClause *) node)->endInRangeFunc, false);
			break;
		case T_CTECycleClause:
			(void) judge_operator(judgement, ((CTECycleClause *) node)->cycle_mark_neop, false);
			break;
		case T_Var:
		case T_RelabelType:
			if (is_object_number(node) &&
				!list_member_ptr(judgement->compared, node))
				refuse_session(judgement, "The number of a database object", "");
			break;
		default:
			judge_outputs(judgement, tview_json_args(node));
			if (OidIsValid(tview_json_returning(node)))
				judge_type(judgement, tview_json_returning(node), true);
			break;
	}
}

/* Operands of an operator; NIL if the node is something else */
static List *
operands(Node *node)
{
	if (IsA(node, OpExpr) || IsA(node, DistinctExpr) || IsA(node, NullIfExpr))
		return ((OpExpr *) node)->args;
	if (IsA(node, ScalarArrayOpExpr))
		return list_make1(linitial(((ScalarArrayOpExpr *) node)->args));
	if (IsA(node, CaseExpr) && ((CaseExpr *) node)->arg != NULL)
		return list_make1(((CaseExpr *) node)->arg);
	return NIL;
}

/*
 * Numbers of objects may be compared: what they are compared with changes
 * with them.
 */
static void
allow_numbers(Judgement *judgement, Node *node)
{
	List	   *allowed = operands(node);
	ListCell   *lc;

	if (allowed == NIL || !(IsA(node, CaseExpr) || exprType(node) == BOOLOID))
		return;
	if (IsA(node, ScalarArrayOpExpr))
	{
		Node	   *array = lsecond(((ScalarArrayOpExpr *) node)->args);

		if (IsA(array, ArrayExpr))
			allowed = list_concat(allowed, ((ArrayExpr *) array)->elements);
	}
	foreach(lc, allowed)
		if (is_object_number(lfirst(lc)))
		judgement->compared = lappend(judgement->compared, lfirst(lc));
}

static bool
judge_walker(Node *node, Judgement *judgement)
{
	Calls		call = {judgement, false};
	ListCell   *lc;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, judge_walker, judgement,
								 QTW_EXAMINE_RTES_BEFORE |
								 QTW_EXAMINE_SORTGROUP);
	if (IsA(node, RangeTblEntry))
	{
		judge_rte(judgement, (RangeTblEntry *) node);
		return false;
	}
	if (IsA(node, CoerceViaIO))
	{
		CoerceViaIO *cast = (CoerceViaIO *) node;

		judge_type(judgement, exprType((Node *) cast->arg), false);
		judge_type(judgement, cast->resulttype, true);
	}
	else
	{
		(void) check_functions_in_node(node, judge_call, &call);
		if (call.renders)
			judge_arguments(judgement, node);
		judge_node(judgement, node);
	}
	allow_numbers(judgement, node);
	foreach(lc, operands(node))
		judge_elements(judgement, exprType(lfirst(lc)));
	return expression_tree_walker(node, judge_walker, judgement);
}

/* ----------
 * Declarations
 * ----------
 */

static void
check_declarations(Judgement *judgement, const TviewOptions *options)
{
	ListCell   *lc;

	foreach(lc, judgement->declared)
	{
		TviewReadsOids *reads = lfirst(lc);

		if (!list_member_oid(judgement->used, reads->function))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("definition of TVIEW \"%s\" does not use function %s",
							judgement->name,
							signature(reads->function)),
					 errdetail("Option \"reads\" says which tables it reads."),
					 errhint("Leave it out of the option.")));
		if (reads->function < FirstUnpinnedObjectId)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"reads\" of TVIEW \"%s\" names function %s, which is built in",
							judgement->name,
							signature(reads->function)),
					 errhint("Leave it out of the option.")));
		if (reads->tables != NIL && !options->rebuild_unmapped)
			tview_refuse_unmapped(judgement->name,
								  tview_name_qualified(linitial_oid(reads->tables)),
								  psprintf("function %s", signature(reads->function)),
								  "Read the table in the definition itself, and join it by a condition that leads to the row that has the key.");
	}
}

/*
 * tview_functions_check - raise an error for a function that makes the
 * definition depend on more than the tables that it names
 *
 * Takes the expanded query.
 */
void
tview_functions_check(Query *query, const char *name,
					  const TviewOptions *options)
{
	Judgement	judgement = {0};

	judgement.name = name;
	judgement.time_dependent = options->time_dependent;
	judgement.declared = tview_reads_resolve(options, false);
	(void) judge_walker((Node *) query, &judgement);
	if (judgement.renders_record)
		(void) record_walker((Node *) query, &judgement);
	check_declarations(&judgement, options);
}
