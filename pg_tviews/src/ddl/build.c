/*-------------------------------------------------------------------------
 *
 * build.c
 *	  Filling a new TVIEW.
 *
 * The rows go from the executor straight into the table, in bulk, as CREATE
 * TABLE AS and CREATE MATERIALIZED VIEW do it; the query may run in parallel.
 * Indexes come after that.  A build that takes long says every few seconds
 * how far it has come.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/names.h"
#include "base/owner.h"
#include "ddl/build.h"
#include "refresh/row_security.h"
#include "stats/activity.h"

#define PROGRESS_INTERVAL_MS	5000
#define PROGRESS_CHECK_ROWS		1024

typedef struct BuildReceiver
{
	DestReceiver pub;
	const TviewPlan *plan;
	Relation	rel;
	AttrNumber	key_attno;
	CommandId	command;
	BulkInsertState bulk;
	uint64		rows;
	TimestampTz started;
	TimestampTz reported;
} BuildReceiver;

static void
report_progress(BuildReceiver *receiver)
{
	TimestampTz now = GetCurrentTimestamp();
	long		ms;

	tview_activity_rows(receiver->rows);
	if (!TimestampDifferenceExceeds(receiver->reported, now,
									PROGRESS_INTERVAL_MS))
		return;
	receiver->reported = now;
	ms = TimestampDifferenceMilliseconds(receiver->started, now);
	ereport(NOTICE,
			(errmsg("building TVIEW %s: " UINT64_FORMAT " rows, " UINT64_FORMAT " rows per second",
					receiver->plan->name, receiver->rows,
					receiver->rows * 1000 / Max(ms, 1))));
}

/* The load bypasses the executor's checks of constraints. */
static void
check_not_null(BuildReceiver *receiver, TupleTableSlot *slot)
{
	TupleDesc	desc = RelationGetDescr(receiver->rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attnotnull || !slot_attisnull(slot, i + 1))
			continue;
		if (i + 1 == receiver->key_attno)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("definition of TVIEW %s returns a row without a key",
							receiver->plan->name),
					 errdetail("Column \"%s\" is null.", NameStr(att->attname)),
					 errhint("Leave such rows out with a condition, such as WHERE %s IS NOT NULL on the column that the key comes from.",
							 NameStr(att->attname))));
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("definition of TVIEW %s returns a row in which column \"%s\" is null",
						receiver->plan->name, NameStr(att->attname)),
				 errhint("Give it a value with COALESCE.")));
	}
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	BuildReceiver *receiver = (BuildReceiver *) self;

	check_not_null(receiver, slot);
	table_tuple_insert(receiver->rel, slot, receiver->command,
					   TABLE_INSERT_SKIP_FSM, receiver->bulk);
	if (++receiver->rows % PROGRESS_CHECK_ROWS == 0)
		report_progress(receiver);
	return true;
}

static void
start_rows(DestReceiver *self, int operation, TupleDesc desc)
{
	BuildReceiver *receiver = (BuildReceiver *) self;

	receiver->command = GetCurrentCommandId(true);
	receiver->bulk = GetBulkInsertState();
	receiver->started = receiver->reported = GetCurrentTimestamp();
}

static void
end_rows(DestReceiver *self)
{
	BuildReceiver *receiver = (BuildReceiver *) self;

	FreeBulkInsertState(receiver->bulk);
	table_finish_bulk_insert(receiver->rel, TABLE_INSERT_SKIP_FSM);
}

static void
destroy_receiver(DestReceiver *self)
{
	pfree(self);
}

static PlannedStmt *
plan_statement(const char *sql)
{
	RawStmt    *raw = linitial_node(RawStmt, pg_parse_query(sql));
	List	   *queries = pg_analyze_and_rewrite_fixedparams(raw, sql, NULL, 0,
															 NULL);

	return pg_plan_query(linitial_node(Query, queries), sql,
						 CURSOR_OPT_PARALLEL_OK, NULL);
}

static void
build_error_context(void *arg)
{
	errcontext("while building TVIEW %s", ((const TviewPlan *) arg)->name);
}

/*
 * tview_build - fill the table with what the definition returns
 *
 * The caller has locked the tables that the definition reads against writers.
 * The snapshot is taken here, after that, and is the latest one whatever the
 * isolation level.  Returns the number of rows.  The caller ends what others
 * see of the progress.
 */
uint64
tview_build(const TviewPlan *plan)
{
	BuildReceiver *receiver = palloc0(sizeof(BuildReceiver));
	ErrorContextCallback callback = {error_context_stack, build_error_context,
	unconstify(TviewPlan *, plan)};
	TviewOwnerContext owner;
	char	   *sql = psprintf("SELECT v.*, pg_catalog.now() FROM (%s) AS v",
							   plan->select_sql);
	QueryDesc  *desc;
	uint64		rows;

	error_context_stack = &callback;
	receiver->pub.receiveSlot = receive_row;
	receiver->pub.rStartup = start_rows;
	receiver->pub.rShutdown = end_rows;
	receiver->pub.rDestroy = destroy_receiver;
	receiver->pub.mydest = DestNone;
	receiver->plan = plan;
	receiver->rel = table_open(plan->tview, AccessExclusiveLock);
	receiver->key_attno = get_attnum(plan->tview, plan->key_column);

	tview_owner_enter(&owner, plan->owner, true);
	tview_row_security_enter(plan);
	PushActiveSnapshot(GetLatestSnapshot());
	desc = CreateQueryDesc(plan_statement(sql), sql, GetActiveSnapshot(),
						   InvalidSnapshot, &receiver->pub, NULL, NULL, 0);
	tview_activity_begin(plan->name, TVIEW_PHASE_BUILD,
						 (uint64) desc->plannedstmt->planTree->plan_rows);
	ExecutorStart(desc, 0);
	tview_executor_run(desc);
	ExecutorFinish(desc);
	ExecutorEnd(desc);
	FreeQueryDesc(desc);
	PopActiveSnapshot();
	tview_owner_leave(&owner);

	rows = receiver->rows;
	table_close(receiver->rel, NoLock);
	receiver->pub.rDestroy(&receiver->pub);
	CommandCounterIncrement();
	error_context_stack = callback.previous;
	return rows;
}
