/*-------------------------------------------------------------------------
 *
 * apply.c
 *	  Making the rows of a TVIEW what they should be.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "fmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "refresh/apply.h"
#include "refresh/keys.h"
#include "refresh/sql.h"
#include "refresh/statement.h"
#include "stats/activity.h"

PG_FUNCTION_INFO_V1(pg_tviews_count_row);

#define MAX_PARTS_STATEMENTS	16
#define PROGRESS_ROWS			256
#define LIST_BATCH				1000

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
					plan->name, tview_value_text(key, plan->key_type)),
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
		plan->nulls = tview_statement_prepare(tview_sql_null_key(plan), 0, NULL);
	tview_statement_execute(plan->nulls, NULL, snapshot, false);
	report_null(plan);
}

static void
check_duplicate_keys(TviewPlan *plan, Datum keys, int count,
					 Snapshot snapshot)
{
	SPIPlanPtr	statement = plan->duplicates;

	if (plan->unique)
		return;
	if (count > TVIEW_MANY_KEYS)
		statement = tview_statement_prepare_once(tview_sql_duplicate_keys(plan), 1,
												 &plan->key_array_type);
	else if (plan->duplicates == NULL)
		statement = plan->duplicates =
			tview_statement_prepare(tview_sql_duplicate_keys(plan), 1,
									&plan->key_array_type);
	tview_statement_execute(statement, &keys, snapshot, false);
	report_duplicate(plan);
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
			plan->apply = tview_statement_prepare(tview_sql_apply_keys(plan), 1,
												  &plan->key_array_type);
		return plan->apply;
	}

	statement = tview_statement_prepare(tview_sql_apply_parts(plan, parts), 1,
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
	TviewStatementContext context;
	ListCell   *lc;

	tview_context_push(&context, plan, NULL);
	check_nulls(plan, snapshot);
	foreach(lc, tview_keys_groups(keys))
	{
		TviewKeyGroup *group = lfirst(lc);
		Datum		array = tview_keys_array(plan, group);

		context.count = group->count;
		tview_trace_key(group->keys[0], plan->key_type);
		check_duplicate_keys(plan, array, group->count, snapshot);
		tview_statement_execute(group->count > TVIEW_MANY_KEYS ?
								tview_statement_prepare_once(group->parts == TVIEW_PART_ROW ?
															 tview_sql_apply_keys(plan) :
															 tview_sql_apply_parts(plan, group->parts),
															 1, &plan->key_array_type) :
								apply_statement(plan, group->parts),
								&array, snapshot, true);
	}
	tview_context_pop(&context);
}

/* Each row that one of its statements comes to counts as done. */
static uint64 counted_rows = 0;

/*
 * pg_tviews_count_row - note that a rebuild has come to one more row
 */
Datum
pg_tviews_count_row(PG_FUNCTION_ARGS)
{
	if (++counted_rows % PROGRESS_ROWS == 0)
		tview_activity_rows(counted_rows);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

static void
begin_phase(TviewPhase phase)
{
	counted_rows = 0;
	tview_activity_phase(phase, 0);
}

/* How many rows there are to do, by what is known of the table. */
static uint64
expected_rows(const TviewPlan *plan)
{
	Relation	rel = table_open(plan->tview, AccessShareLock);
	double		rows = rel->rd_rel->reltuples;

	table_close(rel, AccessShareLock);
	return rows < 0 ? 0 : (uint64) rows;
}

static uint64
execute_once(const char *sql, Snapshot snapshot)
{
	SPIPlanPtr	plan = tview_statement_prepare_once(sql, 0, NULL);
	uint64		processed;

	tview_statement_execute(plan, NULL, snapshot, false);
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
	TviewStatementContext context;

	tview_context_push(&context, plan, NULL);
	tview_activity_begin(plan->name, TVIEW_PHASE_CHECK, expected_rows(plan));
	check_nulls(plan, snapshot);
	if (!plan->unique)
	{
		(void) execute_once(tview_sql_duplicate(plan, source), snapshot);
		report_duplicate(plan);
	}
	begin_phase(TVIEW_PHASE_DELETE);
	written.deleted = execute_once(tview_sql_delete(plan, source), snapshot);
	begin_phase(TVIEW_PHASE_UPDATE);
	written.updated = execute_once(tview_sql_update(plan, source), snapshot);
	begin_phase(TVIEW_PHASE_INSERT);
	written.inserted = execute_once(tview_sql_insert(plan, source), snapshot);
	tview_activity_end();
	tview_context_pop(&context);
	return written;
}

/*
 * tview_apply_list - list the rows that a rebuild would write, without writing
 * any
 *
 * The caller has become the owner, and connected to SPI.  Without a snapshot,
 * it is a query like any other, and flushes what is waiting.
 */
void
tview_apply_list(const TviewPlan *plan, bool detailed, Snapshot snapshot,
				 Tuplestorestate *rows)
{
	SPIPlanPtr	query = SPI_prepare(tview_sql_verify(plan, detailed), 0, NULL);
	Portal		portal;

	if (query == NULL)
		elog(ERROR, "could not prepare the comparison: %s",
			 SPI_result_code_string(SPI_result));
	if (snapshot != InvalidSnapshot)
		PushActiveSnapshot(snapshot);
	portal = SPI_cursor_open(NULL, query, NULL, NULL,
							 snapshot != InvalidSnapshot);
	do
	{
		SPI_cursor_fetch(portal, true, LIST_BATCH);
		for (uint64 i = 0; i < SPI_processed; i++)
			tuplestore_puttuple(rows, SPI_tuptable->vals[i]);
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
	if (snapshot != InvalidSnapshot)
		PopActiveSnapshot();
}
