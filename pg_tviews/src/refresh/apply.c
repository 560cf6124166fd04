/*-------------------------------------------------------------------------
 *
 * apply.c
 *	  Deriving keys, and making rows what they should be.
 *
 * Everything here runs prepared statements through SPI, as the TVIEW's owner
 * (who calls sees to that), with the snapshot it is given.
 *
 * The statements are prepared with a generic plan.  A custom plan for an
 * array parameter always looks cheaper, because the planner then knows how
 * long the array is, and so each flush would pay for planning.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/types.h"
#include "capture/queue.h"
#include "refresh/apply.h"
#include "refresh/keys.h"
#include "refresh/sql.h"

PG_FUNCTION_INFO_V1(pg_tviews_trace_key);

#define MAX_PARTS_STATEMENTS	16

/*
 * With more keys or changes than that, planning costs little, and a plan that
 * was made for other numbers, or when tables were empty, a lot.
 */
#define MANY_KEYS	1000

/*
 * The key that is being refreshed, for the context of an error.  One passed by
 * reference is a copy in trace_context, which is reset for each key.
 */
static bool tracing = false;
static MemoryContext trace_context = NULL;	/* child of TopMemoryContext */
static Datum traced_key;
static Oid	traced_type = InvalidOid;

static void
trace_key(Datum key, Oid type)
{
	int16		len;
	bool		byval;

	get_typlenbyval(type, &len, &byval);
	traced_type = InvalidOid;
	traced_key = key;
	if (!byval)
	{
		MemoryContext old;

		if (trace_context == NULL)
			trace_context = AllocSetContextCreate(TopMemoryContext,
												  "pg_tviews key",
												  ALLOCSET_SMALL_SIZES);
		MemoryContextReset(trace_context);
		old = MemoryContextSwitchTo(trace_context);
		traced_key = datumCopy(key, byval, len);
		MemoryContextSwitchTo(old);
	}
	traced_type = type;
}

/*
 * pg_tviews_trace_key - note the key that a generated statement has come to
 */
Datum
pg_tviews_trace_key(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (tracing)
		trace_key(PG_GETARG_DATUM(0), get_fn_expr_argtype(fcinfo->flinfo, 0));
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

static char *
value_text(Datum value, Oid type)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

/* What is being done, for the context of an error */
typedef struct ApplyContext
{
	const TviewPlan *plan;
	const TviewSource *source;	/* being derived from, or NULL */
	int			count;			/* of keys; 0: all */
	int			trigger_depth;	/* of the statement */
} ApplyContext;

/*
 * tview_trigger_depth - how deep in triggers is the current statement?
 */
int
tview_trigger_depth(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

/*
 * AFTER triggers fire when all rows are written, so which row it was is for
 * the error to say.
 */
static void
apply_error_context(void *arg)
{
	ApplyContext *context = arg;

	if (context->source != NULL)
		errcontext("while deriving keys of TVIEW %s from changes of \"%s\"",
				   context->plan->name, context->source->alias);
	else if (context->count > 1 && tview_trigger_depth() > context->trigger_depth)
		errcontext("while refreshing %d keys of TVIEW %s", context->count,
				   context->plan->name);
	else if (OidIsValid(traced_type))
		errcontext("while refreshing key %s of TVIEW %s",
				   value_text(traced_key, traced_type), context->plan->name);
	else
		errcontext("while refreshing TVIEW %s", context->plan->name);
}

static void
push_context(ErrorContextCallback *callback, ApplyContext *context,
			 const TviewPlan *plan, const TviewSource *source)
{
	context->plan = plan;
	context->source = source;
	context->count = 0;
	context->trigger_depth = tview_trigger_depth();
	tracing = false;
	traced_type = InvalidOid;
	callback->callback = apply_error_context;
	callback->arg = context;
	callback->previous = error_context_stack;
	error_context_stack = callback;
}

static void
pop_context(ErrorContextCallback *callback)
{
	error_context_stack = callback->previous;
	traced_type = InvalidOid;
}

static SPIPlanPtr
prepare(const char *sql, int nargs, Oid *types, int options)
{
	SPIPlanPtr	result = SPI_prepare_cursor(sql, nargs, types, options);

	if (result == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql,
			 SPI_result_code_string(SPI_result));
	return result;
}

static SPIPlanPtr
prepare_to_keep(const char *sql, int nargs, Oid *types)
{
	SPIPlanPtr	result = prepare(sql, nargs, types, CURSOR_OPT_GENERIC_PLAN);

	SPI_keepplan(result);
	return result;
}

/* To be executed once, and planned for just these arguments. */
static SPIPlanPtr
prepare_for_many(const char *sql, int nargs, Oid *types)
{
	return prepare(sql, nargs, types, CURSOR_OPT_CUSTOM_PLAN);
}

static void
execute(SPIPlanPtr plan, Datum *values, Snapshot snapshot, bool read_only)
{
	int			result = SPI_execute_snapshot(plan, values, NULL, snapshot,
											  InvalidSnapshot, read_only,
											  true, 0);

	if (result < 0)
		elog(ERROR, "could not execute a statement of a refresh: %s",
			 SPI_result_code_string(result));
}

/* ----------
 * Duplicate and null keys
 * ----------
 */

static void
report_duplicate(const TviewPlan *plan)
{
	bool		isnull;
	Datum		key;

	if (SPI_processed == 0)
		return;
	key = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
						&isnull);
	ereport(ERROR,
			(errcode(ERRCODE_CARDINALITY_VIOLATION),
			 errmsg("definition of TVIEW %s returns key %s more than once",
					plan->name, value_text(key, plan->key_type)),
			 errhint("Join other tables by unique columns, or aggregate their rows in a subquery.")));
}

static void
report_null(const TviewPlan *plan)
{
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("definition of TVIEW %s returns a row without a key",
						plan->name),
				 errdetail("Column \"%s\" is null.", plan->key_column),
				 errhint("Leave such rows out with a condition, such as WHERE %s IS NOT NULL on the column that the key comes from.",
						 plan->key_column)));
}

static void
check_nulls(TviewPlan *plan, Snapshot snapshot)
{
	if (!plan->nullable)
		return;
	if (plan->nulls == NULL)
		plan->nulls = prepare_to_keep(tview_sql_null_key(plan), 0, NULL);
	execute(plan->nulls, NULL, snapshot, false);
	report_null(plan);
}

static void
check_duplicate_keys(TviewPlan *plan, Datum keys, int count,
					 Snapshot snapshot)
{
	SPIPlanPtr	statement = plan->duplicates;

	if (plan->unique)
		return;
	if (count > MANY_KEYS)
		statement = prepare_for_many(tview_sql_duplicate_keys(plan), 1,
									 &plan->key_array_type);
	else if (plan->duplicates == NULL)
		statement = plan->duplicates =
			prepare_to_keep(tview_sql_duplicate_keys(plan), 1,
							&plan->key_array_type);
	execute(statement, &keys, snapshot, false);
	report_duplicate(plan);
}

/* ----------
 * Deriving
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

	if (element != type)
		for (int i = 0; i < count; i++)
			if (!nulls[i])
				values[i] = CStringGetTextDatum(value_text(values[i], type));
	get_typlenbyvalalign(element, &len, &byval, &align);
	return PointerGetDatum(construct_md_array(values, nulls, 1, &dims, &lower,
											  element, len, byval, align));
}

static void
add_derived(TviewPlan *plan, int number, List *changes, Snapshot snapshot,
			struct TviewKeys *keys)
{
	const TviewSource *source = &plan->sources[number];
	int			count = list_length(changes);
	int			nlinks = source->nlinks;
	TviewValueType *types = palloc0(sizeof(TviewValueType) * nlinks);
	Oid		   *array_types = palloc(sizeof(Oid) * nlinks);
	Datum	   *arrays = palloc(sizeof(Datum) * nlinks);
	Datum	  **values = palloc(sizeof(Datum *) * nlinks);
	bool	  **nulls = palloc(sizeof(bool *) * nlinks);
	ApplyContext context;
	ErrorContextCallback callback;
	uint64		parts = 0;
	int			row = 0;
	ListCell   *lc;

	for (int i = 0; i < nlinks; i++)
	{
		get_typlenbyval(source->link_types[i], &types[i].len, &types[i].byval);
		array_types[i] = get_array_type(tview_type_of_elements(source->link_types[i]));
		values[i] = palloc(sizeof(Datum) * count);
		nulls[i] = palloc(sizeof(bool) * count);
	}
	foreach(lc, changes)
	{
		Datum		one[INDEX_MAX_KEYS];
		bool		one_null[INDEX_MAX_KEYS];

		tview_queue_decode(lfirst(lc), nlinks, types, one, one_null);
		parts |= ((TviewChange *) lfirst(lc))->parts;
		for (int i = 0; i < nlinks; i++)
		{
			values[i][row] = one[i];
			nulls[i][row] = one_null[i];
		}
		row++;
	}
	for (int i = 0; i < nlinks; i++)
		arrays[i] = link_array(source->link_types[i], values[i], nulls[i],
							   count);

	push_context(&callback, &context, plan, source);
	if (count <= MANY_KEYS && plan->derive[number] == NULL)
		plan->derive[number] = prepare_to_keep(source->sql, nlinks,
											   array_types);
	execute(count > MANY_KEYS ?
			prepare_for_many(source->sql, nlinks, array_types) :
			plan->derive[number],
			arrays, snapshot, false);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		key = SPI_getbinval(SPI_tuptable->vals[i],
										SPI_tuptable->tupdesc, 1, &isnull);

		if (!isnull)
			tview_keys_add(keys, plan->key_len == -1 ?
						   PointerGetDatum(PG_DETOAST_DATUM(key)) : key,
						   parts);
	}
	SPI_freetuptable(SPI_tuptable);
	pop_context(&callback);
}

/*
 * tview_derive_keys - keys of the TVIEW that these changes may affect
 *
 * The changes are of this TVIEW; none is TVIEW_CHANGED_ALL.  The result is in
 * the current memory context; SPI must be connected.
 */
struct TviewKeys *
tview_derive_keys(TviewPlan *plan, List *changes, Snapshot snapshot)
{
	struct TviewKeys *keys = tview_keys_create(plan);
	TviewValueType key_type = {plan->key_len, plan->key_byval};
	List	  **by_source = palloc0(sizeof(List *) * plan->nsources);
	ListCell   *lc;

	foreach(lc, changes)
	{
		TviewChange *change = lfirst(lc);
		Datum		key;
		bool		isnull;

		if (change->source == TVIEW_CHANGED_KEY)
		{
			tview_queue_decode(change, 1, &key_type, &key, &isnull);
			if (!isnull)
				tview_keys_add(keys, key, change->parts);
		}
		else if (change->source < plan->nsources &&
				 plan->sources[change->source].relid == change->relid)
			by_source[change->source] = lappend(by_source[change->source],
												change);
		else
			elog(ERROR, "queued change does not fit TVIEW %s", plan->name);
	}
	for (int i = 0; i < plan->nsources; i++)
		if (by_source[i] != NIL)
			add_derived(plan, i, by_source[i], snapshot, keys);
	return keys;
}

/* ----------
 * Writing
 * ----------
 */

/*
 * The statement that refreshes these parts of rows.  One that only some parts
 * have to do with is kept like that for whole rows, if they are not too many.
 */
static SPIPlanPtr
apply_statement(TviewPlan *plan, uint64 parts)
{
	TviewPartsStatement *kept;
	SPIPlanPtr	statement;
	MemoryContext old;
	ListCell   *lc;

	foreach(lc, plan->apply_parts)
	{
		kept = lfirst(lc);
		if (kept->parts == parts)
			return kept->statement;
	}
	if (parts == TVIEW_PART_ROW ||
		list_length(plan->apply_parts) >= MAX_PARTS_STATEMENTS)
	{
		if (plan->apply == NULL)
			plan->apply = prepare_to_keep(tview_sql_apply_keys(plan), 1,
										  &plan->key_array_type);
		return plan->apply;
	}

	statement = prepare_to_keep(tview_sql_apply_parts(plan, parts), 1,
								&plan->key_array_type);
	old = MemoryContextSwitchTo(plan->context);
	kept = palloc(sizeof(TviewPartsStatement));
	kept->parts = parts;
	kept->statement = statement;
	plan->apply_parts = lappend(plan->apply_parts, kept);
	MemoryContextSwitchTo(old);
	return kept->statement;
}

/*
 * tview_apply_keys - recompute these keys and write the rows that differ
 */
void
tview_apply_keys(TviewPlan *plan, const struct TviewKeys *keys,
				 Snapshot snapshot)
{
	ApplyContext context;
	ErrorContextCallback callback;
	ListCell   *lc;

	push_context(&callback, &context, plan, NULL);
	check_nulls(plan, snapshot);
	foreach(lc, tview_keys_groups(keys))
	{
		TviewKeyGroup *group = lfirst(lc);
		Datum		array = tview_keys_array(plan, group);

		context.count = group->count;
		trace_key(group->keys[0], plan->key_type);
		check_duplicate_keys(plan, array, group->count, snapshot);
		tracing = true;
		execute(group->count > MANY_KEYS ?
				prepare_for_many(group->parts == TVIEW_PART_ROW ?
								 tview_sql_apply_keys(plan) :
								 tview_sql_apply_parts(plan, group->parts),
								 1, &plan->key_array_type) :
				apply_statement(plan, group->parts),
				&array, snapshot, false);
		tracing = false;
	}
	pop_context(&callback);
}

static uint64
execute_once(const char *sql, Snapshot snapshot)
{
	SPIPlanPtr	plan = prepare(sql, 0, NULL, 0);
	uint64		processed;

	execute(plan, NULL, snapshot, false);
	processed = SPI_processed;
	SPI_freeplan(plan);
	return processed;
}

/*
 * tview_apply_all - rebuild by differences: write the rows that differ
 *
 * source is what to take the rows from: a name or a query in parentheses.
 * Nothing is kept in memory but what the server's joins need, within
 * work_mem.
 */
TviewWritten
tview_apply_all(TviewPlan *plan, const char *source, Snapshot snapshot)
{
	TviewWritten written;
	ApplyContext context;
	ErrorContextCallback callback;

	push_context(&callback, &context, plan, NULL);
	check_nulls(plan, snapshot);
	if (!plan->unique)
	{
		(void) execute_once(tview_sql_duplicate(plan, source), snapshot);
		report_duplicate(plan);
	}
	written.deleted = execute_once(tview_sql_delete(plan, source), snapshot);
	written.updated = execute_once(tview_sql_update(plan, source), snapshot);
	written.inserted = execute_once(tview_sql_insert(plan, source), snapshot);
	pop_context(&callback);
	return written;
}
