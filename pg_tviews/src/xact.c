/*-------------------------------------------------------------------------
 *
 * xact.c
 *	  Transaction callbacks: what happens at which event, in which order.
 *
 *	before commit and	flush; fire the deferred triggers that this queued;
 *	before PREPARE		again, as long as anything is waiting; lock what is
 *						suspended against readers; add to the statistics
 *	commit, abort,		forget queue and state; free replaced plans
 *	PREPARE
 *	subcommit			the queue's changes become the parent's
 *	subabort			the queue is as it was
 *
 * The server calls transaction callbacks in the reverse order of their
 * registration.  Some of others make things final before the commit: a
 * foreign data wrapper commits on the remote server then.  A flush that fails
 * must come before that, so the callback is registered anew in each
 * transaction that has something to flush, which moves it to the front.
 *
 * Sources: CommitTransaction() and PrepareTransaction() in the server's
 * xact.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "storage/proc.h"
#include "utils/portal.h"
#include "utils/timeout.h"

#include "analyze/plan.h"
#include "capture/queue.h"
#include "ddl/partitions.h"
#include "ddl/suspend.h"
#include "refresh/flush.h"
#include "stats/activity.h"
#include "stats/refreshes.h"
#include "xact.h"

static bool in_callback = false;	/* a flush before commit is running */

/*
 * The loop of CommitTransaction() over deferred triggers and holdable cursors
 * is behind us, and what comes next forgets queued triggers without a word.
 * So do the same for what the flush has queued.
 */
static void
flush_before_commit(bool is_prepare)
{
	do
	{
		tview_flush(true);
		do
		{
			AfterTriggerFireDeferred();
		} while (PreCommit_Portals(is_prepare));
	} while (tview_queue_pending());
}

/*
 * The server has stopped the statement's timer by now, but for the user the
 * flush is a part of the statement that commits.
 */
static void
flush_with_timeout(bool is_prepare)
{
	bool		timed = StatementTimeout > 0 &&
	!get_timeout_active(STATEMENT_TIMEOUT);

	if (timed)
		enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
	in_callback = true;
	PG_TRY();
	{
		flush_before_commit(is_prepare);
	}
	PG_FINALLY();
	{
		in_callback = false;
		if (timed)
			disable_timeout(STATEMENT_TIMEOUT, false);
	}
	PG_END_TRY();
}

static void
xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (tview_queue_pending() || tview_flush_must_repeat())
				flush_with_timeout(event == XACT_EVENT_PRE_PREPARE);
			tview_suspend_at_pre_commit();
			tview_stats_at_pre_commit();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			tview_queue_at_xact_end();
			tview_flush_at_xact_end();
			tview_plan_at_xact_end();
			tview_partitions_at_xact_end();
			tview_suspend_at_xact_end();
			tview_activity_at_xact_end();
			tview_stats_at_xact_end();
			break;
		default:
			break;				/* parallel workers have no queue */
	}
}

static void
subxact_callback(SubXactEvent event, SubTransactionId subid,
				 SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		tview_queue_at_subcommit(GetCurrentTransactionNestLevel());
	else if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		tview_queue_at_subabort(GetCurrentTransactionNestLevel());
		tview_activity_at_subabort(GetCurrentTransactionNestLevel());
	}
}

/*
 * A transaction has got something to flush.  If that comes up in the callback
 * itself, the server is just walking through the list.
 */
static void
move_to_front(void)
{
	if (in_callback)
		return;
	UnregisterXactCallback(xact_callback, NULL);
	RegisterXactCallback(xact_callback, NULL);
}

/*
 * tview_xact_install - called once, when the library is loaded
 */
void
tview_xact_install(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
	tview_queue_started = move_to_front;
}
