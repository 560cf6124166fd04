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
 * constraints of domains, defaults of arguments, and the input and output
 * functions of types (judge_types.c).
 *
 * The settings that a refresh fixes (see owner.c) don't count as the session.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/transam.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "analyze/builtin.h"
#include "analyze/check.h"
#include "analyze/functions.h"
#include "analyze/judge.h"
#include "base/compat.h"
#include "base/names.h"
#include "catalog/reads.h"

#define HINT_STORE	"Store the value in a column of a base table, or compute it when the TVIEW is read."
#define HINT_TIME	HINT_STORE " Or set option \"time_dependent\" to true, and run pg_tviews_refresh() whenever the TVIEW is to catch up."

/* ----------
 * Refusing
 * ----------
 */

/*
 * tview_judge_session - refuse what depends on the session, if it is to be
 *
 * hint, if not empty, says how else to write it.
 */
void
tview_judge_session(TviewJudgement *judgement, const char *what, const char *hint)
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
refuse_volatile(TviewJudgement *judgement, Oid funcid)
{
	tview_refuse(judgement->name,
				 psprintf("%s is volatile: it may return something else each time.",
						  function_label(funcid)),
				 funcid < FirstUnpinnedObjectId ? HINT_STORE :
				 HINT_STORE " Or declare it IMMUTABLE, if it always returns the same for the same arguments.");
}

static void
refuse_unknown(TviewJudgement *judgement, Oid funcid)
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
find_declaration(const TviewJudgement *judgement, Oid funcid)
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
 * tview_judge_simple - refuse a function if it is to be
 *
 * declared: as part of one whose tables are declared.  Returns whether it may
 * look at the text form of an argument.
 */
bool
tview_judge_simple(TviewJudgement *judgement, Oid funcid, bool declared)
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
			tview_judge_session(judgement, function_label(funcid), "");
		return true;
	}
	if (!declared && find_declaration(judgement, funcid) == NULL)
		refuse_unknown(judgement, funcid);
	return false;
}

/*
 * tview_judge_operator - the same, for the function of an operator
 */
bool
tview_judge_operator(TviewJudgement *judgement, Oid opno, bool declared)
{
	return OidIsValid(opno) &&
		tview_judge_simple(judgement, get_opcode(opno), declared);
}

/* The functions that an aggregate is made of count, not what it says. */
static bool
judge_aggregate(TviewJudgement *judgement, Oid aggregate)
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
			renders |= tview_judge_simple(judgement, parts[i], declared);
	return tview_judge_operator(judgement, form.aggsortop, declared) || renders;
}

static bool
judge_function(TviewJudgement *judgement, Oid funcid)
{
	if (funcid >= FirstUnpinnedObjectId &&
		get_func_prokind(funcid) == PROKIND_AGGREGATE)
		return judge_aggregate(judgement, funcid);
	return tview_judge_simple(judgement, funcid, false);
}

/* An operator that sorts or groups, with what sorting and hashing call. */
static void
judge_ordering(TviewJudgement *judgement, Oid opno)
{
	Oid			opfamily;
	Oid			type;
	TviewOrdering ordering;
	RegProcedure left;
	RegProcedure right;

	(void) tview_judge_operator(judgement, opno, false);
	if (!OidIsValid(opno))
		return;
	if (get_ordering_op_properties(opno, &opfamily, &type, &ordering))
		(void) tview_judge_simple(judgement,
								  get_opfamily_proc(opfamily, type, type,
													BTORDER_PROC), false);
	if (get_op_hash_functions(opno, &left, &right))
		(void) tview_judge_simple(judgement, left, false);
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
 * Nodes
 * ----------
 */

/* to_char() and its relatives: lc_monetary, lc_numeric, lc_time */
static void
judge_format(TviewJudgement *judgement, FuncExpr *call)
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
		tview_judge_session(judgement,
							psprintf("%s with a format that %s", function_label(call->funcid),
									 pattern == NULL ? "is not constant" :
									 numeric ? "has L, D or G in it" : "has TM in it"),
							pattern == NULL ? "Write the format as a constant." :
							numeric ? "Use . and , in the format." : "Leave TM out.");
}

/* A call of any form, of a function that may look at its arguments' text. */
static void
judge_arguments(TviewJudgement *judgement, Node *node)
{
	if (IsA(node, FuncExpr))
	{
		FuncExpr   *call = (FuncExpr *) node;

		tview_judge_outputs(judgement, call->args);
		judge_format(judgement, call);

		/* the columns of a record are in the range table entry */
		if (strstr(get_func_name(call->funcid), "_populate_record") != NULL)
			tview_judge_type(judgement, call->funcresulttype, true);
	}
	else if (IsA(node, OpExpr) || IsA(node, DistinctExpr) ||
			 IsA(node, NullIfExpr))
		tview_judge_outputs(judgement, ((OpExpr *) node)->args);
	else if (IsA(node, Aggref))
	{
		tview_judge_outputs(judgement, ((Aggref *) node)->args);
		tview_judge_outputs(judgement, ((Aggref *) node)->aggdirectargs);
	}
	else if (IsA(node, WindowFunc))
		tview_judge_outputs(judgement, ((WindowFunc *) node)->args);
}

/* Is the argument of this number in the call? */
static bool
has_argument(const FuncExpr *call, int number)
{
	ListCell   *lc;

	foreach(lc, call->args)
	{
		Node	   *arg = lfirst(lc);

		if (number == (IsA(arg, NamedArgExpr) ?
					   ((NamedArgExpr *) arg)->argnumber :
					   foreach_current_index(lc)))
			return true;
	}
	return false;
}

/* The planner adds what a call leaves to the defaults of its arguments. */
static void
judge_defaults(TviewJudgement *judgement, const FuncExpr *call)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID,
										ObjectIdGetDatum(call->funcid));
	Form_pg_proc form;
	List	   *defaults = NIL;
	int			first;
	Datum		value;
	bool		isnull;
	ListCell   *lc;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", call->funcid);
	form = (Form_pg_proc) GETSTRUCT(tuple);
	first = form->pronargs - form->pronargdefaults;
	value = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proargdefaults,
							&isnull);
	if (!isnull && list_length(call->args) < form->pronargs)
		defaults = castNode(List, stringToNode(TextDatumGetCString(value)));
	ReleaseSysCache(tuple);
	foreach(lc, defaults)
		if (!has_argument(call, first + foreach_current_index(lc)))
		(void) tview_judge_walker(lfirst(lc), judgement);
}

typedef struct Calls
{
	TviewJudgement *judgement;
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
judge_rte(TviewJudgement *judgement, RangeTblEntry *rte)
{
	ListCell   *lc;

	/* columns of XMLTABLE and JSON_TABLE are made of text */
	if (rte->rtekind == RTE_TABLEFUNC)
		tview_judge_types(judgement, rte->coltypes, true);

	/* so are those of jsonb_to_record() and the like */
	foreach(lc, rte->functions)
	{
		RangeTblFunction *function = lfirst(lc);
		FuncExpr   *call = (FuncExpr *) function->funcexpr;

		if (IsA(call, FuncExpr) && call->funcid < FirstUnpinnedObjectId)
			tview_judge_types(judgement, function->funccoltypes, true);
	}
}

/* Nodes that call functions which check_functions_in_node() doesn't know */
static void
judge_node(TviewJudgement *judgement, Node *node)
{
	ListCell   *lc;

	switch (nodeTag(node))
	{
		case T_CoerceToDomain:
			tview_judge_domain(judgement, ((CoerceToDomain *) node)->resulttype);
			break;
		case T_MinMaxExpr:
			tview_judge_comparison(judgement, ((MinMaxExpr *) node)->minmaxtype);
			break;
		case T_TargetEntry:
			if (((TargetEntry *) node)->ressortgroupref != 0)
				tview_judge_elements(judgement,
									 exprType((Node *) ((TargetEntry *) node)->expr));
			break;
		case T_SQLValueFunction:
			tview_judge_session(judgement,
								tview_builtin_value_name(((SQLValueFunction *) node)->op),
								"");
			break;
		case T_XmlExpr:
			tview_judge_outputs(judgement, ((XmlExpr *) node)->named_args);
			tview_judge_outputs(judgement, ((XmlExpr *) node)->args);
			break;
		case T_SortGroupClause:
			judge_ordering(judgement, ((SortGroupClause *) node)->eqop);
			judge_ordering(judgement, ((SortGroupClause *) node)->sortop);
			break;
		case T_SetOperationStmt:
			foreach(lc, ((SetOperationStmt *) node)->groupClauses)
				judge_node(judgement, lfirst(lc));
			foreach(lc, ((SetOperationStmt *) node)->colTypes)
				tview_judge_elements(judgement, lfirst_oid(lc));
			break;
		case T_WindowClause:
			if (OidIsValid(((WindowClause *) node)->startInRangeFunc))
				(void) tview_judge_simple(judgement, ((WindowClause *) node)->startInRangeFunc, false);
			if (OidIsValid(((WindowClause *) node)->endInRangeFunc))
				(void) tview_judge_simple(judgement, ((WindowClause *) node)->endInRangeFunc, false);
			break;
		case T_CTECycleClause:
			(void) tview_judge_operator(judgement, ((CTECycleClause *) node)->cycle_mark_neop, false);
			break;
		case T_Var:
		case T_RelabelType:
			if (is_object_number(node) &&
				!list_member_ptr(judgement->compared, node))
				tview_judge_session(judgement, "The number of a database object", "");
			break;
		default:
			tview_judge_outputs(judgement, tview_json_args(node));
			if (OidIsValid(tview_json_returning(node)))
				tview_judge_type(judgement, tview_json_returning(node), true);
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
allow_numbers(TviewJudgement *judgement, Node *node)
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

/*
 * tview_judge_walker - judge a query or an expression
 */
bool
tview_judge_walker(Node *node, TviewJudgement *judgement)
{
	Calls		call = {judgement, false};
	ListCell   *lc;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, tview_judge_walker, judgement,
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

		tview_judge_type(judgement, exprType((Node *) cast->arg), false);
		tview_judge_type(judgement, cast->resulttype, true);
	}
	else
	{
		(void) check_functions_in_node(node, judge_call, &call);
		if (call.renders)
			judge_arguments(judgement, node);
		judge_node(judgement, node);
		if (IsA(node, FuncExpr))
			judge_defaults(judgement, (FuncExpr *) node);
	}
	allow_numbers(judgement, node);
	foreach(lc, operands(node))
		tview_judge_elements(judgement, exprType(lfirst(lc)));
	return expression_tree_walker(node, tview_judge_walker, judgement);
}

/* ----------
 * Declarations
 * ----------
 */

static void
check_declarations(TviewJudgement *judgement, const TviewOptions *options)
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
	TviewJudgement judgement = {0};

	judgement.name = name;
	judgement.time_dependent = options->time_dependent;
	judgement.declared = tview_reads_resolve(options, false);
	(void) tview_judge_walker((Node *) query, &judgement);
	if (judgement.renders_record)
		tview_judge_records(&judgement, query);
	check_declarations(&judgement, options);
}

/*
 * tview_functions_check_expression - the same for an expression that is not a
 * part of the definition, such as a policy's
 */
void
tview_functions_check_expression(Node *expr, const char *name,
								 const TviewOptions *options)
{
	TviewJudgement judgement = {0};

	judgement.name = name;
	judgement.time_dependent = options->time_dependent;
	judgement.declared = tview_reads_resolve(options, false);
	(void) tview_judge_walker(expr, &judgement);
}
