/*-------------------------------------------------------------------------
 *
 * statement.c
 *	  Running the prepared statements of a refresh.
 *
 * They run through SPI, as the TVIEW's owner (who calls sees to that), with the
 * snapshot they are given.
 *
 * Those that are kept are prepared with a generic plan.  A custom plan for an
 * array parameter always looks cheaper, because the planner then knows how
 * long the array is, and so each flush would pay for planning.
 *
 * While they run, an error says what TVIEW and what key it is about.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "refresh/statement.h"

PG_FUNCTION_INFO_V1(pg_tviews_trace_key);

/*
 * The key that is being refreshed, for the context of an error.  One passed by
 * reference is a copy in trace_context, which is reset for each key.
 */
static bool tracing = false;
static MemoryContext trace_context = NULL;	/* child of TopMemoryContext */
static Datum traced_key;
static Oid	traced_type = InvalidOid;

/*
 * tview_trace_key - errors are about this key from now on
 */
void
tview_trace_key(Datum key, Oid type)
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
		tview_trace_key(PG_GETARG_DATUM(0), get_fn_expr_argtype(fcinfo->flinfo, 0));
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/*
 * tview_value_text - a value as its type's output function shows it
 */
char *
tview_value_text(Datum value, Oid type)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

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
add_error_context(void *arg)
{
	TviewStatementContext *context = arg;

	if (context->source != NULL)
		errcontext("while deriving keys of TVIEW %s from changes of \"%s\"",
				   context->plan->name, context->source->alias);
	else if (context->count > 1 && tview_trigger_depth() > context->trigger_depth)
		errcontext("while refreshing %d keys of TVIEW %s", context->count,
				   context->plan->name);
	else if (OidIsValid(traced_type))
		errcontext("while refreshing key %s of TVIEW %s",
				   tview_value_text(traced_key, traced_type), context->plan->name);
	else
		errcontext("while refreshing TVIEW %s", context->plan->name);
}

/*
 * tview_context_push - say in errors what is being done
 *
 * The context must live until tview_context_pop(), or until the error is past.
 */
void
tview_context_push(TviewStatementContext *context, const TviewPlan *plan,
				   const TviewSource *source)
{
	ErrorContextCallback *callback = &context->callback;

	context->plan = plan;
	context->source = source;
	context->count = 0;
	context->trigger_depth = tview_trigger_depth();
	tracing = false;
	traced_type = InvalidOid;
	callback->callback = add_error_context;
	callback->arg = context;
	callback->previous = error_context_stack;
	error_context_stack = callback;
}

void
tview_context_pop(TviewStatementContext *context)
{
	error_context_stack = context->callback.previous;
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

/*
 * tview_statement_prepare - to be executed many times
 */
SPIPlanPtr
tview_statement_prepare(const char *sql, int nargs, Oid *types)
{
	SPIPlanPtr	result = prepare(sql, nargs, types, CURSOR_OPT_GENERIC_PLAN);

	SPI_keepplan(result);
	return result;
}

/*
 * tview_statement_prepare_once - to be executed once, and planned for just its arguments
 */
SPIPlanPtr
tview_statement_prepare_once(const char *sql, int nargs, Oid *types)
{
	return prepare(sql, nargs, types, CURSOR_OPT_CUSTOM_PLAN);
}

/*
 * tview_statement_execute - execute a statement
 *
 * traces_keys says that it notes the keys that it comes to.
 */
void
tview_statement_execute(SPIPlanPtr plan, Datum *values, Snapshot snapshot,
						bool traces_keys)
{
	int			result;

	tracing = traces_keys;
	result = SPI_execute_snapshot(plan, values, NULL, snapshot,
								  InvalidSnapshot, false, true, 0);
	tracing = false;
	if (result < 0)
		elog(ERROR, "could not execute a statement of a refresh: %s",
			 SPI_result_code_string(result));
}
