/*-------------------------------------------------------------------------
 *
 * derive.c
 *	  From changes to the keys of a TVIEW, and the values looked up on the way.
 *
 * The changes of one TVIEW are sorted by source first.  All results are in the
 * memory context that is current.  SPI must be connected for what runs
 * statements.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/types.h"
#include "capture/queue.h"
#include "refresh/derive.h"
#include "refresh/keys.h"
#include "refresh/statement.h"

/* ----------
 * Sorting
 * ----------
 */

/* The values of one link column of some changes, as an array. */
static Datum
link_array(Oid type, Datum *values, bool *nulls, int count)
{
	Oid			element = tview_type_of_elements(type);
	int16		len;
	bool		byval;
	char		align;
	int			dims = count;
	int			lower = 1;
	Datum	   *elements = values;

	if (element != type)
	{
		elements = palloc0(sizeof(Datum) * count);
		for (int i = 0; i < count; i++)
			if (!nulls[i])
				elements[i] = CStringGetTextDatum(tview_value_text(values[i],
																   type));
	}
	get_typlenbyvalalign(element, &len, &byval, &align);
	return PointerGetDatum(construct_md_array(elements, nulls, 1, &dims,
											  &lower, element, len, byval,
											  align));
}

/* The changes of a source, its link values in columns. */
static TviewSourceChanges *
sort_source(TviewPlan *plan, int number, List *changes)
{
	TviewSourceChanges *result = palloc0(sizeof(TviewSourceChanges));
	TviewSource *source = &plan->sources[number];
	int			nlinks = source->nlinks;
	int			count = list_length(changes);
	TviewValueType *types = palloc0(sizeof(TviewValueType) * nlinks);
	ListCell   *lc;

	result->number = number;
	result->source = source;
	result->values = palloc(sizeof(Datum *) * nlinks);
	result->nulls = palloc(sizeof(bool *) * nlinks);
	for (int i = 0; i < nlinks; i++)
	{
		get_typlenbyval(source->link_types[i], &types[i].len, &types[i].byval);
		result->values[i] = palloc(sizeof(Datum) * count);
		result->nulls[i] = palloc(sizeof(bool) * count);
	}
	foreach(lc, changes)
	{
		Datum		one[INDEX_MAX_KEYS];
		bool		one_null[INDEX_MAX_KEYS];

		tview_queue_decode(lfirst(lc), nlinks, types, one, one_null);
		result->parts |= ((TviewChange *) lfirst(lc))->parts;
		for (int i = 0; i < nlinks; i++)
		{
			result->values[i][result->count] = one[i];
			result->nulls[i][result->count] = one_null[i];
		}
		result->count++;
	}

	result->arrays = palloc(sizeof(Datum) * nlinks);
	result->array_types = palloc(sizeof(Oid) * nlinks);
	for (int i = 0; i < nlinks; i++)
	{
		result->array_types[i] =
			get_array_type(tview_type_of_elements(source->link_types[i]));
		result->arrays[i] = link_array(source->link_types[i],
									   result->values[i], result->nulls[i],
									   count);
	}
	return result;
}

/*
 * tview_changes_sort - sort the changes of a TVIEW
 *
 * None is TVIEW_CHANGED_ALL, and all have been noted for this plan.
 */
TviewChanges *
tview_changes_sort(TviewPlan *plan, List *changes)
{
	TviewChanges *result = palloc0(sizeof(TviewChanges));
	List	  **by_source = palloc0(sizeof(List *) * (plan->nsources + 1));
	ListCell   *lc;

	result->plan = plan;
	foreach(lc, changes)
	{
		TviewChange *change = lfirst(lc);

		if (change->source == TVIEW_CHANGED_KEY ||
			change->source == TVIEW_KEPT_KEY)
			result->keys = lappend(result->keys, change);
		else if (TVIEW_IS_APPEARED(change->source))
			result->appeared = lappend(result->appeared, change);
		else
			by_source[change->source] = lappend(by_source[change->source],
												change);
	}
	for (int i = 0; i < plan->nsources; i++)
		if (by_source[i] != NIL)
			result->sources = lappend(result->sources,
									  sort_source(plan, i, by_source[i]));
	return result;
}

/* ----------
 * Deriving
 * ----------
 */

/* Run a statement over the changes; *kept is where it is kept prepared. */
static void
execute(const TviewSourceChanges *changes, const char *sql, SPIPlanPtr *kept,
		Snapshot snapshot)
{
	SPIPlanPtr	statement;

	if (changes->count > TVIEW_MANY_KEYS)
		statement = tview_statement_prepare_once(sql, changes->source->nlinks,
												 changes->array_types);
	else
	{
		if (*kept == NULL)
			*kept = tview_statement_prepare(sql, changes->source->nlinks,
											changes->array_types);
		statement = *kept;
	}
	tview_statement_execute(statement, changes->arrays, snapshot, false);
}

/* Hash functions of a step's values, ready to be called. */
static FmgrInfo *
hash_functions(const TviewStep *step)
{
	FmgrInfo   *result = palloc0(sizeof(FmgrInfo) * (step->lookup->ncolumns + 1));

	for (int i = 0; i < step->lookup->ncolumns; i++)
		fmgr_info(step->hash_functions[i], &result[i]);
	return result;
}

/* Hash the values that the step looks up for each of the changed rows. */
static void
hash_links(const TviewSourceChanges *changes, const TviewStep *step,
		   void (*add) (void *arg, uint32 hash), void *arg)
{
	FmgrInfo   *functions = hash_functions(step);

	for (int row = 0; row < changes->count; row++)
	{
		uint32		hash = 0;
		bool		any_null = false;

		for (int i = 0; i < step->lookup->ncolumns && !any_null; i++)
		{
			int			link = step->links[i];

			any_null = changes->nulls[link][row];
			if (!any_null)
				hash = tview_hash_value(hash, &functions[i],
										step->lookup->collations[i],
										changes->values[link][row]);
		}
		if (!any_null)
			add(arg, hash);
	}
}

/* The same for values that a query has returned. */
static void
hash_tuples(const TviewStep *step, SPITupleTable *tuples, uint64 count,
			void (*add) (void *arg, uint32 hash), void *arg)
{
	FmgrInfo   *functions = hash_functions(step);

	for (uint64 row = 0; row < count; row++)
	{
		uint32		hash = 0;
		bool		isnull = false;

		for (int i = 0; i < step->lookup->ncolumns && !isnull; i++)
		{
			Datum		value = SPI_getbinval(tuples->vals[row],
											  tuples->tupdesc, i + 1, &isnull);

			if (!isnull)
				hash = tview_hash_value(hash, &functions[i],
										step->lookup->collations[i], value);
		}
		if (!isnull)
			add(arg, hash);
	}
}

/*
 * tview_derive_step - hand over the hashes of the values that a step looks up
 *
 * The hash of a look-up of all rows is 0.  The snapshot is needed for values
 * that the changed rows don't have.
 */
void
tview_derive_step(TviewPlan *plan, TviewSourceChanges *changes,
				  TviewStep *step, Snapshot snapshot,
				  void (*add) (void *arg, uint32 hash), void *arg)
{
	TviewStatementContext context;

	if (step->lookup->ncolumns == 0)
		add(arg, 0);
	else if (step->links != NULL)
		hash_links(changes, step, add, arg);
	else
	{
		tview_context_push(&context, plan, changes->source);
		execute(changes, step->sql, &step->statement, snapshot);
		hash_tuples(step, SPI_tuptable, SPI_processed, add, arg);
		SPI_freetuptable(SPI_tuptable);
		tview_context_pop(&context);
	}
}

static void
derive_source(TviewPlan *plan, TviewSourceChanges *changes, Snapshot snapshot,
			  struct TviewKeys *keys)
{
	TviewStatementContext context;

	tview_context_push(&context, plan, changes->source);
	execute(changes, changes->source->sql, &plan->derive[changes->number],
			snapshot);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		key = SPI_getbinval(SPI_tuptable->vals[i],
										SPI_tuptable->tupdesc, 1, &isnull);

		tview_keys_add(keys, isnull || plan->key_len != -1 ? key :
					   PointerGetDatum(PG_DETOAST_DATUM(key)),
					   isnull, changes->parts);
	}
	SPI_freetuptable(SPI_tuptable);
	tview_context_pop(&context);
}

/*
 * tview_derive_keys - keys of the TVIEW that the changes may affect
 */
struct TviewKeys *
tview_derive_keys(const TviewChanges *changes, Snapshot snapshot)
{
	TviewPlan  *plan = changes->plan;
	struct TviewKeys *keys = tview_keys_create(plan);
	TviewValueType key_type = {plan->key_len, plan->key_byval};
	ListCell   *lc;

	foreach(lc, changes->keys)
	{
		TviewChange *change = lfirst(lc);
		Datum		key;
		bool		isnull;

		tview_queue_decode(change, 1, &key_type, &key, &isnull);
		tview_keys_add(keys, key, isnull, change->parts);
	}
	foreach(lc, changes->sources)
		derive_source(plan, lfirst(lc), snapshot, keys);
	return keys;
}
