/*-------------------------------------------------------------------------
 *
 * check.c
 *	  What a definition may not contain.
 *
 * A definition that can't be kept up to date exactly is refused when the
 * TVIEW is created, with the construct and the way out; it is never accepted
 * and then wrong.  Whether every source has a way to the key is for derive.c
 * to say.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "access/htup_details.h"
#include "catalog/catalog.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "analyze/check.h"
#include "base/compat.h"
#include "base/names.h"
#include "catalog/graph.h"

/*
 * Stable functions of the server whose result depends only on their
 * arguments and on settings that a refresh fixes.  Sorted.  The output
 * functions of types (xxx_out) count as listed.  The input functions of dates
 * and times are not: they take words such as "today".
 */
static const char *const allowed_stable[] = {
	"anytextcat", "array_in", "array_to_json", "array_to_string", "concat",
	"concat_ws", "convert", "convert_from", "convert_to", "date", "date_add",
	"date_cmp_timestamptz", "date_eq_timestamptz", "date_ge_timestamptz",
	"date_gt_timestamptz", "date_le_timestamptz", "date_lt_timestamptz",
	"date_ne_timestamptz", "date_part", "date_subtract", "date_trunc",
	"domain_in", "enum_in", "extract", "format", "generate_series",
	"interval", "interval_in", "interval_pl_timestamptz", "json_agg",
	"json_agg_strict", "json_build_array", "json_build_object",
	"json_object_agg", "json_object_agg_strict", "json_object_agg_unique",
	"json_object_agg_unique_strict", "json_populate_record",
	"json_populate_recordset", "json_to_record", "json_to_recordset",
	"jsonb_agg", "jsonb_agg_strict", "jsonb_build_array",
	"jsonb_build_object", "jsonb_object_agg", "jsonb_path_exists_tz",
	"jsonb_path_match_tz", "jsonb_path_query_array_tz",
	"jsonb_path_query_first_tz", "jsonb_path_query_tz",
	"jsonb_populate_record", "jsonb_populate_recordset", "jsonb_to_record",
	"jsonb_to_recordset", "length", "make_timestamptz", "multirange_in",
	"numeric", "overlaps", "quote_literal", "quote_nullable", "range_in",
	"record_in", "row_to_json", "string_agg", "textanycat", "time",
	"timestamp", "timestamp_cmp_timestamptz", "timestamp_eq_timestamptz",
	"timestamp_ge_timestamptz", "timestamp_gt_timestamptz",
	"timestamp_le_timestamptz", "timestamp_lt_timestamptz",
	"timestamp_mi_interval", "timestamp_ne_timestamptz",
	"timestamp_pl_interval", "timestamptz", "timestamptz_cmp_date",
	"timestamptz_cmp_timestamp", "timestamptz_eq_date",
	"timestamptz_eq_timestamp", "timestamptz_ge_date",
	"timestamptz_ge_timestamp", "timestamptz_gt_date",
	"timestamptz_gt_timestamp", "timestamptz_le_date",
	"timestamptz_le_timestamp", "timestamptz_lt_date",
	"timestamptz_lt_timestamp", "timestamptz_mi_interval",
	"timestamptz_ne_date", "timestamptz_ne_timestamp",
	"timestamptz_pl_interval", "timetz", "timezone", "to_char", "to_date",
	"to_json", "to_jsonb", "to_number", "to_timestamp", "xml"
};

/*
 * tview_refuse - the definition is good SQL, but can't be maintained
 */
void
tview_refuse(const char *name, const char *reason, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot maintain TVIEW \"%s\"", name),
			 errdetail("%s", reason),
			 errhint("%s", hint)));
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static bool
is_type_output(const char *name)
{
	size_t		len = strlen(name);

	return strncmp(name, "reg", 3) != 0 &&
		len > 4 && strcmp(name + len - 4, "_out") == 0;
}

static bool is_refused_function(Oid funcid, void *context);

/* The functions that an aggregate is made of count, not what it says. */
static bool
is_refused_aggregate(Oid aggregate, void *context)
{
	HeapTuple	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggregate));
	Form_pg_aggregate form;
	Oid			parts[5];
	bool		result = false;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for aggregate %u", aggregate);
	form = (Form_pg_aggregate) GETSTRUCT(tuple);
	parts[0] = form->aggtransfn;
	parts[1] = form->aggfinalfn;
	parts[2] = form->aggcombinefn;
	parts[3] = form->aggserialfn;
	parts[4] = form->aggdeserialfn;
	ReleaseSysCache(tuple);
	for (int i = 0; i < lengthof(parts) && !result; i++)
		result = OidIsValid(parts[i]) &&
			is_refused_function(parts[i], context);
	return result;
}

/* Callback of check_functions_in_node(): stop at what can't be maintained. */
static bool
is_refused_function(Oid funcid, void *context)
{
	char		volatility = func_volatile(funcid);
	char	   *name;

	if (funcid >= FirstUnpinnedObjectId &&
		get_func_prokind(funcid) == PROKIND_AGGREGATE)
		return is_refused_aggregate(funcid, context);
	if (volatility == PROVOLATILE_IMMUTABLE)
		return false;
	*(Oid *) context = funcid;
	if (volatility == PROVOLATILE_VOLATILE || funcid >= FirstUnpinnedObjectId)
		return true;
	name = get_func_name(funcid);
	return !is_type_output(name) &&
		bsearch(&name, allowed_stable, lengthof(allowed_stable),
				sizeof(char *), compare_names) == NULL;
}

static void
refuse_function(Oid funcid, const char *name)
{
	const char *kind = "depends on the time or on the session";

	if (func_volatile(funcid) == PROVOLATILE_VOLATILE)
		kind = "is volatile";
	else if (funcid >= FirstUnpinnedObjectId)
		kind = "is not immutable, so it may read tables that the definition doesn't name";
	tview_refuse(name,
				 psprintf("Function %s %s.",
						  quote_qualified_identifier(get_namespace_name(get_func_namespace(funcid)),
													 get_func_name(funcid)),
						  kind),
				 "Store the value in a column of a base table, or compute it when the TVIEW is read; if the function always returns the same for the same arguments, declare it IMMUTABLE.");
}

/*
 * tview_check_table - a table that is read must be one whose changes can be
 * captured, and whose rows the owner of the TVIEW sees
 */
void
tview_check_table(Oid relid, Oid owner, const char *name)
{
	char		relkind = get_rel_relkind(relid);
	const char *reason = NULL;
	const char *hint = "Copy what the TVIEW needs into an ordinary table.";
	char	   *relname = tview_name_qualified(relid);

	if (relid < FirstNormalObjectId || IsToastNamespace(get_rel_namespace(relid)))
		reason = psprintf("Relation %s is a system catalog, whose changes can't be captured.", relname);
	else if (relkind == RELKIND_FOREIGN_TABLE)
		reason = psprintf("Relation %s is a foreign table, whose changes can't be captured.", relname);
	else if (relkind == RELKIND_MATVIEW)
	{
		reason = psprintf("Relation %s is a materialized view, whose changes can't be captured.", relname);
		hint = "Read the tables that it is made of, or make a TVIEW of it.";
	}
	else if (get_rel_persistence(relid) == RELPERSISTENCE_TEMP)
		reason = psprintf("Relation %s is a temporary table, which other sessions can't see.", relname);
	else if (get_rel_persistence(relid) == RELPERSISTENCE_UNLOGGED)
		reason = psprintf("Table %s is unlogged, and would be empty after a crash.", relname);
	else if (relkind == RELKIND_PARTITIONED_TABLE ||
			 find_inheritance_children(relid, NoLock) != NIL)
	{
		reason = psprintf("Table %s has partitions or child tables.", relname);
		hint = "Read an ordinary table instead.";
	}
	else if (relkind != RELKIND_RELATION)
		reason = psprintf("Relation %s is not a table.", relname);
	else if (check_enable_rls(relid, owner, true) == RLS_ENABLED)
	{
		reason = psprintf("Row-level security of table %s applies to the TVIEW's owner, \"%s\".",
						  relname, GetUserNameFromId(owner, false));
		hint = "Let a role own the TVIEW that the policies don't apply to.";
	}

	if (reason != NULL)
		tview_refuse(name, reason, hint);
}

/* An array whose order is not said may come out in another one each time. */
static void
notice_unordered(Aggref *aggregate, const char *name)
{
	char	   *function = get_func_name(aggregate->aggfnoid);

	if (aggregate->aggorder != NIL || aggregate->aggdistinct != NIL ||
		(strcmp(function, "jsonb_agg") != 0 &&
		 strcmp(function, "jsonb_agg_strict") != 0 &&
		 strcmp(function, "json_agg") != 0 &&
		 strcmp(function, "json_agg_strict") != 0 &&
		 strcmp(function, "array_agg") != 0 &&
		 strcmp(function, "string_agg") != 0))
		return;
	ereport(NOTICE,
			(errmsg("definition of TVIEW \"%s\" uses %s() without ORDER BY",
					name, function),
			 errdetail("The order of the elements is not determined, and may differ between view and TVIEW."),
			 errhint("Order by a unique column: %s(... ORDER BY ...).",
					 function)));
}

static void
check_rte(RangeTblEntry *rte, const char *name)
{
	if (rte->rtekind == RTE_NAMEDTUPLESTORE)
		tview_refuse(name, "It reads a transition table.",
					 "Read the table itself.");
	if (rte->tablesample != NULL)
		tview_refuse(name, "TABLESAMPLE returns other rows each time.",
					 "Write a condition instead.");
}

static bool
check_walker(Node *node, char *name)
{
	Oid			funcid = InvalidOid;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		if (query->hasModifyingCTE || query->commandType != CMD_SELECT)
			tview_refuse(name, "A WITH query of it changes data.",
						 "A definition only reads.");
		if (query->rowMarks != NIL)
			tview_refuse(name, "It locks rows (FOR UPDATE, FOR SHARE).",
						 "Leave the locking clause out.");
		return query_tree_walker(query, check_walker, name,
								 QTW_EXAMINE_RTES_BEFORE);
	}
	if (IsA(node, RangeTblEntry))
	{
		check_rte((RangeTblEntry *) node, name);
		return false;
	}
	if (check_functions_in_node(node, is_refused_function, &funcid))
		refuse_function(funcid, name);
	if (IsA(node, Aggref))
		notice_unordered((Aggref *) node, name);
	if (IsA(node, SQLValueFunction))
		tview_refuse(name,
					 "It uses CURRENT_DATE, CURRENT_TIMESTAMP, CURRENT_USER or the like, which depend on the time or on the session.",
					 "Store the value in a column of a base table, or compute it when the TVIEW is read.");
	if (IsA(node, NextValueExpr))
		tview_refuse(name, "It draws numbers from a sequence.",
					 "Number the rows of the base table.");
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXTERN)
		tview_refuse(name, "It has a parameter or a variable of a procedural language in it.",
					 "Put the value into the text of the definition, with EXECUTE format(...) for instance.");
	if (IsA(node, Var) && ((Var *) node)->varattno < 0 &&
		((Var *) node)->varattno != TableOidAttributeNumber)
		tview_refuse(name, "It uses a system column, such as ctid or xmin.",
					 "Use a column of the table's own.");
	return expression_tree_walker(node, check_walker, name);
}

/*
 * tview_check_statement - is it one that could define a view at all?
 */
void
tview_check_statement(Query *query, const char *name)
{
	if (query->commandType != CMD_SELECT || query->utilityStmt != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("definition of TVIEW \"%s\" is not a SELECT", name),
				 errhint("Write it as one SELECT statement.")));
}

/*
 * tview_check_definition - raise an error for what can't be maintained
 *
 * Takes the expanded query, so that what a view hides is seen too.
 */
void
tview_check_definition(const TviewExpansion *expansion, const char *name,
					   const TviewOptions *options)
{
	ListCell   *lc;

	foreach(lc, expansion->tables)
		tview_check_table(lfirst_oid(lc), GetUserId(), name);

	(void) check_walker((Node *) expansion->query, unconstify(char *, name));

}
