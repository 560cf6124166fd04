/*-------------------------------------------------------------------------
 *
 * suggest.c
 *	  Indexes that refreshes lack: pg_tviews_suggest_indexes().
 *
 * A suggestion is for a table, and so for all TVIEWs that look its rows up
 * like that.  One that another one would serve as well, because it begins with
 * the same columns, is left out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/tuplestore.h"

#include "analyze/plan.h"
#include "base/inherits.h"
#include "base/names.h"
#include "catalog/graph.h"
#include "observe/attempt.h"
#include "observe/explain.h"

PG_FUNCTION_INFO_V1(pg_tviews_suggest_indexes);

/* Columns of the result */
enum
{
	SUGGEST_TVIEWS,
	SUGGEST_TABLE,
	SUGGEST_STATEMENT,
	SUGGEST_STATUS,
	SUGGEST_EXISTING,
	SUGGEST_ROWS,
	SUGGEST_REASON,
	SUGGEST_COLUMNS
};

typedef struct Suggestion
{
	const TviewHop *hop;		/* the look-up that lacks it */
	char	   *statement;		/* CREATE INDEX */
	List	   *tviews;			/* OIDs */
	List	   *sources;		/* OIDs of tables after whose changes it is
								 * done */
	double		rows;			/* of the table; -1: unknown */
	Oid			existing;		/* index that would do if it were valid, or
								 * had all rows; or InvalidOid */
	bool		is_partial;
} Suggestion;

/* What is known of the TVIEWs so far */
typedef struct Suggestions
{
	Oid			tview;			/* whose turn it is */
	List	   *list;			/* of Suggestion */
} Suggestions;

/* ----------
 * Collecting
 * ----------
 */

/* Do the columns of one look-up begin with those of the other? */
static bool
begins_with(const TviewHop *longer, const TviewHop *shorter)
{
	ListCell   *a;
	ListCell   *b;

	if (longer->relid != shorter->relid || longer->exprs != NIL ||
		shorter->exprs != NIL ||
		list_length(longer->columns) < list_length(shorter->columns))
		return false;
	forboth(a, longer->columns, b, shorter->columns)
		if (lfirst_int(a) != lfirst_int(b))
		return false;
	return true;
}

/* Is there an index that would do, but for being invalid or partial? */
static void
find_existing(Suggestion *suggestion)
{
	Relation	rel = table_open(suggestion->hop->relid, AccessShareLock);
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (tview_explain_index_serves(index, suggestion->hop) &&
			(!OidIsValid(suggestion->existing) || suggestion->is_partial))
		{
			suggestion->existing = RelationGetRelid(index);
			suggestion->is_partial = tview_explain_index_is_partial(index);
		}
		index_close(index, AccessShareLock);
	}
	table_close(rel, AccessShareLock);
}

static void
merge(Suggestion *into, const Suggestion *from)
{
	into->tviews = list_concat_unique_oid(into->tviews, from->tviews);
	into->sources = list_concat_unique_oid(into->sources, from->sources);
}

static List *
add_suggestion(List *suggestions, Suggestion *new)
{
	ListCell   *lc;

	foreach(lc, suggestions)
	{
		Suggestion *old = lfirst(lc);

		if (strcmp(old->statement, new->statement) == 0 ||
			begins_with(old->hop, new->hop))
		{
			merge(old, new);
			return suggestions;
		}
		if (begins_with(new->hop, old->hop))
		{
			merge(new, old);
			suggestions = foreach_delete_current(suggestions, lc);
		}
	}
	return lappend(suggestions, new);
}

static void
collect(void *arg)
{
	Suggestions *suggestions = arg;
	TviewPlan  *plan = tview_plan_get(suggestions->tview);
	List	   *found = suggestions->list;

	/* somebody has dropped it */
	if (plan == NULL)
		return;
	for (int i = 0; i < plan->nsources; i++)
	{
		ListCell   *lc;

		foreach(lc, plan->sources[i].hops)
		{
			TviewHop   *hop = lfirst(lc);
			Suggestion *new;

			if (!tview_explain_lacks_index(hop))
				continue;
			new = palloc0(sizeof(Suggestion));
			new->hop = hop;
			new->statement = tview_explain_create_index(hop);
			new->tviews = list_make1_oid(suggestions->tview);
			new->sources = list_make1_oid(plan->sources[i].relid);
			new->rows = tview_inherits_rows(hop->relid);
			find_existing(new);
			found = add_suggestion(found, new);
		}
	}
	suggestions->list = found;
}

/* Large tables first, where an index saves most. */
static int
compare_suggestions(const ListCell *a, const ListCell *b)
{
	const Suggestion *left = lfirst(a);
	const Suggestion *right = lfirst(b);

	if (left->rows != right->rows)
		return left->rows > right->rows ? -1 : 1;
	return strcmp(left->statement, right->statement);
}

/* ----------
 * Results
 * ----------
 */

static char *
list_names(List *relids, const char *last)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	foreach(lc, relids)
		appendStringInfo(&buf, "%s%s",
						 foreach_current_index(lc) == 0 ? "" :
						 lnext(relids, lc) == NULL ? last : ", ",
						 tview_name_qualified(lfirst_oid(lc)));
	return buf.data;
}

static Datum
regclass_array(List *relids)
{
	Datum	   *values = palloc(sizeof(Datum) * list_length(relids));
	ListCell   *lc;

	foreach(lc, relids)
		values[foreach_current_index(lc)] = ObjectIdGetDatum(lfirst_oid(lc));
	return PointerGetDatum(construct_array(values, list_length(relids),
										   REGCLASSOID, sizeof(Oid), true,
										   TYPALIGN_INT));
}

static void
put_suggestion(ReturnSetInfo *result, const Suggestion *suggestion)
{
	Datum		values[SUGGEST_COLUMNS];
	bool		nulls[SUGGEST_COLUMNS] = {0};
	Oid			existing = suggestion->existing;
	bool		is_partial = suggestion->is_partial;
	bool		reindex = OidIsValid(existing) && !is_partial &&
	get_rel_relkind(existing) == RELKIND_INDEX;
	StringInfoData reason;

	initStringInfo(&reason);
	appendStringInfo(&reason,
					 "When %s changes, TVIEWs look up rows of this table, and have to read all of it.",
					 list_names(suggestion->sources, " or "));
	if (OidIsValid(existing))
		appendStringInfo(&reason, is_partial ?
						 " Index %s does not have all rows." :
						 " Index %s is not valid: making it has failed, or is still going on.",
						 tview_name_qualified(existing));
	values[SUGGEST_TVIEWS] = regclass_array(suggestion->tviews);
	values[SUGGEST_TABLE] = ObjectIdGetDatum(suggestion->hop->relid);
	values[SUGGEST_STATEMENT] =
		CStringGetTextDatum(!reindex ? suggestion->statement :
							psprintf("REINDEX INDEX %s",
									 tview_name_qualified(existing)));
	values[SUGGEST_STATUS] =
		CStringGetTextDatum(!OidIsValid(existing) ? "missing" :
							is_partial ? "partial" : "invalid");
	values[SUGGEST_EXISTING] = ObjectIdGetDatum(existing);
	nulls[SUGGEST_EXISTING] = !OidIsValid(existing);
	values[SUGGEST_ROWS] = Int64GetDatum((int64) suggestion->rows);
	nulls[SUGGEST_ROWS] = suggestion->rows < 0;
	values[SUGGEST_REASON] = CStringGetTextDatum(reason.data);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* One TVIEW that can't be maintained is not to hide what others lack. */
static void
put_broken(ReturnSetInfo *result, Oid tview, const ErrorData *error)
{
	Datum		values[SUGGEST_COLUMNS] = {0};
	bool		nulls[SUGGEST_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	values[SUGGEST_TVIEWS] = regclass_array(list_make1_oid(tview));
	values[SUGGEST_STATUS] = CStringGetTextDatum("unknown");
	values[SUGGEST_REASON] =
		CStringGetTextDatum(psprintf("The TVIEW can't be maintained any more: %s%s%s",
									 error->message,
									 error->detail == NULL ? "" : ": ",
									 error->detail == NULL ? "" : error->detail));
	nulls[SUGGEST_TVIEWS] = nulls[SUGGEST_STATUS] =
		nulls[SUGGEST_REASON] = false;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * pg_tviews_suggest_indexes - a row for each index that refreshes of one
 * TVIEW, or of any, would use if it were there
 */
Datum
pg_tviews_suggest_indexes(PG_FUNCTION_ARGS)
{
	Suggestions suggestions = {0};
	List	   *tviews = NIL;
	ReturnSetInfo *result;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	if (!PG_ARGISNULL(0))
		tviews = list_make1_oid(tview_graph_find_name(text_to_cstring(PG_GETARG_TEXT_PP(0)),
													  false)->tview);
	else
		foreach(lc, tview_graph_all())
			tviews = lappend_oid(tviews, ((Tview *) lfirst(lc))->tview);
	foreach(lc, tviews)
	{
		ErrorData  *error;

		suggestions.tview = lfirst_oid(lc);
		error = tview_attempt(collect, &suggestions);
		if (error != NULL)
			put_broken(result, suggestions.tview, error);
	}
	list_sort(suggestions.list, compare_suggestions);
	foreach(lc, suggestions.list)
		put_suggestion(result, lfirst(lc));
	return (Datum) 0;
}
