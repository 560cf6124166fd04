/*-------------------------------------------------------------------------
 *
 * read_hook.c
 *	  Queries see what their transaction has changed.
 *
 * Before a query starts that reads a TVIEW which the queue may affect, the
 * queue is flushed.  The query's snapshot was taken before that, so it is
 * replaced by one that sees what the flush has written.  The same goes for a
 * query that starts later with an older snapshot, such as one in a STABLE
 * function.
 *
 * In READ COMMITTED that is a new one.  The flush has computed with the latest
 * snapshot, perhaps after it had waited for somebody, and has written on top of
 * what they committed; the query's own would see the row before theirs, and ours
 * besides.  In REPEATABLE READ and SERIALIZABLE the flush has used the
 * transaction's snapshot, so it is only moved forward as to commands of its own
 * transaction.
 *
 * A snapshot is never changed in place, since it may be an outer query's.
 * The server expects a query's snapshot to be the active one while it starts
 * and runs (it asserts that from 17 on, and parallel workers get the active
 * one), hence the second hook.
 *
 * Not covered: cursors and queries that have started already, a statement's
 * own changes while it is running, and C code that scans a TVIEW without the
 * executor.  COPY tv_x TO is such code, but known.
 *
 * TRUNCATE is no DDL to event triggers, and locks like it, so it is looked at
 * here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "tcop/utility.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "capture/queue.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "catalog/suspension.h"
#include "ddl/locks.h"
#include "ddl/policies.h"
#include "read_hook.h"
#include "refresh/flush.h"

static ExecutorStart_hook_type previous_start = NULL;
static ExecutorRun_hook_type previous_run = NULL;
static ProcessUtility_hook_type previous_utility = NULL;

static bool
reads_tview(List *relids)
{
	ListCell   *lc;

	foreach(lc, relids)
		if (tview_graph_find(lfirst_oid(lc)) != NULL)
		return true;
	return false;
}

/* The running flush can't be waited for by what it has started. */
static void
check_trigger_of_flush(List *relids)
{
	if (tview_flush_in_trigger() && tview_flush_affects(relids))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot read a TVIEW that is still to be refreshed"),
				 errdetail("A trigger of one TVIEW reads another one, which comes later in the same refresh."),
				 errhint("Read it in a deferred constraint trigger.")));
}

/*
 * Flush, if this query could see a difference.  Functions that it calls in
 * parallel workers may read any TVIEW, and can't flush there.
 *
 * To the planner, a query that has a table's OID as a constant depends on it; so
 * do those that look for TVIEWs, where deferred triggers can't be left behind.
 */
static void
flush_before(PlannedStmt *stmt)
{
	if (tview_flush_running())
		check_trigger_of_flush(stmt->relationOids);
	else if (tview_queue_pending() && !tview_meta_finding() &&
			 (stmt->parallelModeNeeded ||
			  tview_flush_affects(stmt->relationOids)))
		tview_flush(false);
}

/* Must the query's snapshot be moved forward? */
static bool
is_behind(QueryDesc *desc)
{
	CommandId	command;

	return tview_flush_done(&command) && desc->snapshot != NULL &&
		desc->snapshot->snapshot_type == SNAPSHOT_MVCC &&
		desc->snapshot->curcid < command && !IsInParallelMode() &&
		(desc->plannedstmt->parallelModeNeeded ||
		 reads_tview(desc->plannedstmt->relationOids));
}

/*
 * Make a snapshot active that sees what flushes have written, in place of this
 * one.
 */
static void
push_moved(Snapshot old)
{
	if (!IsolationUsesXactSnapshot())
	{
		PushActiveSnapshot(GetLatestSnapshot());
		return;
	}
	PushCopiedSnapshot(old);
	UpdateActiveSnapshotCommandId();
}

static void
move_snapshot(QueryDesc *desc)
{
	Snapshot	old = desc->snapshot;

	push_moved(old);
	desc->snapshot = RegisterSnapshot(GetActiveSnapshot());
	PopActiveSnapshot();
	UnregisterSnapshot(old);
}

static bool
make_active(Snapshot snapshot)
{
	CommandId	command;

	if (!tview_flush_done(&command) || snapshot == NULL || !ActiveSnapshotSet() ||
		snapshot == GetActiveSnapshot())
		return false;
	PushActiveSnapshot(snapshot);
	return true;
}

/*
 * A refresh has found out whether it may go on with the TVIEW locked.  One that
 * is suspended meanwhile is only resumed when that is over.
 */
static void
check_suspended(QueryDesc *desc)
{
	if (!tview_flush_running() || tview_flush_in_trigger())
		tview_suspension_check_read(desc->plannedstmt->rtable, desc->snapshot);
}

static void
executor_start(QueryDesc *desc, int eflags)
{
	bool		pushed = false;

	if (!(eflags & EXEC_FLAG_EXPLAIN_ONLY))
		check_suspended(desc);
	if (!(eflags & EXEC_FLAG_EXPLAIN_ONLY) && !IsParallelWorker())
	{
		flush_before(desc->plannedstmt);
		if (is_behind(desc))
			move_snapshot(desc);
		pushed = make_active(desc->snapshot);
	}
	if (previous_start != NULL)
		previous_start(desc, eflags);
	else
		standard_ExecutorStart(desc, eflags);
	if (pushed)
		PopActiveSnapshot();
}

static void
executor_run(TVIEW_RUN_ARGS)
{
	bool		pushed = !IsParallelWorker() &&
	make_active(desc->estate->es_snapshot);

	if (previous_run != NULL)
		previous_run(TVIEW_RUN_PASS);
	else
		standard_ExecutorRun(TVIEW_RUN_PASS);
	if (pushed)
		PopActiveSnapshot();
}

/* COPY tv_x TO scans the table without the executor. */
static bool
copies_tview(Node *parsetree)
{
	CopyStmt   *copy = (CopyStmt *) parsetree;
	CommandId	command;
	List	   *relids;

	if (!IsA(parsetree, CopyStmt) || copy->is_from || copy->relation == NULL)
		return false;
	if (!tview_queue_pending() && !tview_flush_done(&command))
		return false;
	relids = list_make1_oid(RangeVarGetRelid(copy->relation, NoLock, true));
	if (tview_flush_running())
		check_trigger_of_flush(relids);
	else if (tview_flush_affects(relids))
		tview_flush(false);
	return reads_tview(relids);
}

/* COMMIT and PREPARE TRANSACTION, unless the transaction has failed. */
static bool
ends_transaction(Node *parsetree)
{
	TransactionStmt *stmt = (TransactionStmt *) parsetree;

	return IsA(parsetree, TransactionStmt) && IsTransactionState() &&
		(stmt->kind == TRANS_STMT_COMMIT || stmt->kind == TRANS_STMT_PREPARE);
}

static void
process_utility(PlannedStmt *pstmt, const char *query, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *environment, DestReceiver *dest,
				QueryCompletion *completion)
{
	bool		pushed = false;
	bool		reassigns = IsA(pstmt->utilityStmt, ReassignOwnedStmt);
	List	   *owners = NIL;

	if (ends_transaction(pstmt->utilityStmt))
		tview_flush_before_deferred();
	if (IsA(pstmt->utilityStmt, TruncateStmt))
		tview_locks_start(pstmt->utilityStmt);
	if (reassigns)
	{
		tview_flush_for_ddl();
		owners = tview_policies_owners();
	}
	if (copies_tview(pstmt->utilityStmt) && ActiveSnapshotSet())
	{
		push_moved(GetActiveSnapshot());
		pushed = true;
	}
	if (previous_utility != NULL)
		previous_utility(pstmt, query, read_only_tree, context, params,
						 environment, dest, completion);
	else
		standard_ProcessUtility(pstmt, query, read_only_tree, context, params,
								environment, dest, completion);
	if (pushed)
		PopActiveSnapshot();
	if (reassigns)
		tview_policies_reassigned(owners);
}

/*
 * tview_read_hook_install - called once, when the library is loaded
 */
void
tview_read_hook_install(void)
{
	previous_start = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
	previous_run = ExecutorRun_hook;
	ExecutorRun_hook = executor_run;
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
