/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  How changes of each source reach the keys: pg_tviews_explain().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/amapi.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/ruleutils.h"
#include "utils/tuplestore.h"

#include "analyze/plan.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "catalog/triggers.h"
#include "observe/explain.h"

PG_FUNCTION_INFO_V1(pg_tviews_explain);

/* Columns of the result */
enum
{
	EXPLAIN_NUMBER,
	EXPLAIN_SOURCE,
	EXPLAIN_ALIAS,
	EXPLAIN_KIND,
	EXPLAIN_KEY_COLUMNS,
	EXPLAIN_USED_COLUMNS,
	EXPLAIN_DERIVATION,
	EXPLAIN_PATH,
	EXPLAIN_INDEX,
	EXPLAIN_MISSING_INDEX,
	EXPLAIN_LEVEL,
	EXPLAIN_CAPTURE,
	EXPLAIN_COLUMNS
};

static Datum
text_array(List *strings)
{
	Datum	   *values = palloc(sizeof(Datum) * (list_length(strings) + 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, strings)
		values[n++] = CStringGetTextDatum(lfirst(lc));
	return PointerGetDatum(construct_array(values, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

static List *
used_names(const TviewSource *source)
{
	Relation	rel = table_open(source->relid, AccessShareLock);
	List	   *result = NIL;

	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);

		if (!att->attisdropped &&
			(source->whole_row || bms_is_member(i + 1, source->used)))
			result = lappend(result, pstrdup(NameStr(att->attname)));
	}
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * tview_explain_index_is_partial - has an index a predicate?
 *
 * The relcache would compute constants in it, as whoever asks.
 */
bool
tview_explain_index_is_partial(Relation index)
{
	return !heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL);
}

/*
 * tview_explain_index_serves - does an index find rows by what is looked up, if
 * it is valid and has them all?
 *
 * It begins with a column or expression of it, and finds single rows, which
 * BRIN and GIN don't.  Constants in expressions are computed by functions of
 * the table's owner.
 */
bool
tview_explain_index_serves(Relation index, const TviewHop *hop)
{
	TviewOwnerContext saved;
	bool		result;

	if (index->rd_indam->amgettuple == NULL)
		return false;
	if (index->rd_index->indkey.values[0] != 0)
		return list_member_int(hop->columns,
							   index->rd_index->indkey.values[0]);
	tview_owner_enter(&saved, index->rd_rel->relowner, true);
	result = list_member(hop->exprs, linitial(RelationGetIndexExpressions(index)));
	tview_owner_leave(&saved);
	return result;
}

/* An index that finds rows by one of the columns, or InvalidOid. */
static Oid
find_index(const TviewHop *hop)
{
	Relation	rel = table_open(hop->relid, AccessShareLock);
	Oid			result = InvalidOid;
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (!OidIsValid(result) && index->rd_index->indisvalid &&
			!tview_explain_index_is_partial(index) &&
			tview_explain_index_serves(index, hop))
			result = RelationGetRelid(index);
		index_close(index, AccessShareLock);
	}
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * tview_explain_lacks_index - is there no index for a look-up that wants one?
 */
bool
tview_explain_lacks_index(const TviewHop *hop)
{
	return (hop->columns != NIL || hop->exprs != NIL) &&
		!OidIsValid(find_index(hop));
}

/*
 * tview_explain_create_index - the statement that makes one
 */
char *
tview_explain_create_index(const TviewHop *hop)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	appendStringInfo(&buf, "CREATE INDEX ON %s (",
					 tview_name_qualified(hop->relid));
	foreach(lc, hop->columns)
		appendStringInfo(&buf, "%s%s",
						 foreach_current_index(lc) > 0 ? ", " : "",
						 quote_identifier(get_attname(hop->relid,
													  lfirst_int(lc), false)));
	foreach(lc, hop->exprs)
		appendStringInfo(&buf, "%s(%s)",
						 hop->columns != NIL || foreach_current_index(lc) > 0 ? ", " : "",
						 deparse_expression(lfirst(lc),
											deparse_context_for(get_rel_name(hop->relid),
																hop->relid),
											false, false));
	appendStringInfoChar(&buf, ')');
	return buf.data;
}

static List *
append_unique_string(List *strings, char *string)
{
	ListCell   *lc;

	foreach(lc, strings)
		if (strcmp(lfirst(lc), string) == 0)
		return strings;
	return lappend(strings, string);
}

static char *
join_strings(List *strings, const char *separator)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	foreach(lc, strings)
		appendStringInfo(&buf, "%s%s",
						 foreach_current_index(lc) > 0 ? separator : "",
						 (char *) lfirst(lc));
	return buf.data;
}

/* The indexes that the look-ups of a source use, and those they lack. */
static void
explain_indexes(const TviewSource *source, TviewExplanation *result)
{
	ListCell   *lc;

	foreach(lc, source->hops)
	{
		TviewHop   *hop = lfirst(lc);
		Oid			index;

		if (hop->columns == NIL && hop->exprs == NIL)
		{
			result->scanned = list_append_unique_oid(result->scanned,
													 hop->relid);
			continue;
		}
		index = find_index(hop);
		if (OidIsValid(index))
			result->indexes = append_unique_string(result->indexes,
												   tview_name_qualified(index));
		else
		{
			int			before = list_length(result->missing);

			result->missing = append_unique_string(result->missing,
												   tview_explain_create_index(hop));
			if (list_length(result->missing) > before)
				result->missing_on = lappend_oid(result->missing_on, hop->relid);
		}
	}
}

/*
 * tview_explain_kind - how a way leads to keys, in a word
 */
const char *
tview_explain_kind(TviewSourceKind kind)
{
	return kind == TVIEW_LOCAL ? "local" :
		kind == TVIEW_MAPPED ? "mapped" : "all";
}

/*
 * tview_explain_source - what there is to say of one of the sources
 */
TviewExplanation *
tview_explain_source(const TviewSource *source)
{
	TviewExplanation *result = palloc0(sizeof(TviewExplanation));
	List	   *path = list_make1(source->alias);
	ListCell   *lc;

	result->kind = tview_explain_kind(source->kind);
	for (int i = 0; i < source->nlinks; i++)
		result->key_columns = lappend(result->key_columns,
									  get_attname(source->relid,
												  source->links[i], false));
	result->used_columns = used_names(source);
	foreach(lc, source->path)
		path = lappend(path, lfirst(lc));
	if (source->sql != NULL)
		result->path = join_strings(path, " -> ");
	explain_indexes(source, result);
	return result;
}

static void
put_source(const TviewPlan *plan, int number, int level,
		   ReturnSetInfo *result)
{
	const TviewSource *source = &plan->sources[number];
	TviewExplanation *explanation = tview_explain_source(source);
	Datum		values[EXPLAIN_COLUMNS] = {0};
	bool		nulls[EXPLAIN_COLUMNS] = {0};

	values[EXPLAIN_NUMBER] = Int32GetDatum(source->number + 1);
	values[EXPLAIN_SOURCE] = ObjectIdGetDatum(source->relid);
	values[EXPLAIN_ALIAS] = CStringGetTextDatum(source->alias);
	values[EXPLAIN_KIND] = CStringGetTextDatum(explanation->kind);
	values[EXPLAIN_KEY_COLUMNS] = text_array(explanation->key_columns);
	values[EXPLAIN_USED_COLUMNS] = text_array(explanation->used_columns);
	values[EXPLAIN_LEVEL] = Int32GetDatum(level);
	values[EXPLAIN_CAPTURE] =
		CStringGetTextDatum(tview_triggers_by_statement(source->relid) ?
							"statement" : "row");
	nulls[EXPLAIN_DERIVATION] = source->sql == NULL;
	nulls[EXPLAIN_PATH] = source->sql == NULL;
	nulls[EXPLAIN_INDEX] = explanation->indexes == NIL;
	nulls[EXPLAIN_MISSING_INDEX] = explanation->missing == NIL;
	if (source->sql != NULL)
	{
		values[EXPLAIN_DERIVATION] = CStringGetTextDatum(source->sql);
		values[EXPLAIN_PATH] = CStringGetTextDatum(explanation->path);
	}
	if (explanation->indexes != NIL)
		values[EXPLAIN_INDEX] =
			CStringGetTextDatum(join_strings(explanation->indexes, ", "));
	if (explanation->missing != NIL)
		values[EXPLAIN_MISSING_INDEX] =
			CStringGetTextDatum(join_strings(explanation->missing, "; "));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * pg_tviews_explain - one row for each way from a source to the key
 */
Datum
pg_tviews_explain(PG_FUNCTION_ARGS)
{
	char	   *input = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Tview	   *tview = tview_graph_find_name(input, false);
	int			level = tview->level;
	TviewPlan  *plan = tview_plan_get(tview->tview);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < plan->nsources; i++)
		put_source(plan, i, level, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}
