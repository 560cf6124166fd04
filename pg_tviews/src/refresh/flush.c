/*-------------------------------------------------------------------------
 *
 * flush.c
 *	  Draining the queue: refreshing what the transaction has changed.
 *
 * A flush happens before commit, before PREPARE TRANSACTION, before a query
 * of the same transaction that reads a TVIEW which the queue may affect, and
 * before DDL.  It takes the TVIEWs one by one in the order of their levels,
 * so that each is refreshed once, after all it reads.  What it writes to a
 * TVIEW is captured like any other change of a table, which is how the TVIEWs
 * that read it get their turn; a row that comes out unchanged is not written,
 * and so the cascade ends there.
 *
 * For each TVIEW: lock what it depends on and derive the keys (frontier.c, which
 * argues that this is enough); take a snapshot; write the rows that differ.
 * The snapshot is the latest one, at every isolation level, as in the server's
 * foreign key triggers: the state at commit has to reflect all that has been
 * committed.  The exception is a flush in the middle of a
 * REPEATABLE READ or SERIALIZABLE transaction.  With a later snapshot than
 * the transaction's, a reader there could see two versions of one row.  So it
 * uses the transaction's own, which raises a serialization failure where
 * others have written the same rows, and keeps its changes: before commit
 * they are flushed all over with the latest snapshot.  So are the keys that it
 * has refreshed, as the changes may not lead to them any more by then.
 *
 * A suspended TVIEW is not refreshed.  Changes of what it reads are noted all
 * the same, as one mark to rebuild it: who has the mark waiting when the TVIEW is
 * resumed rebuilds it in the end.  Whoever drops the mark before that holds a
 * lock on the TVIEW, which the rebuild that resumes it waits for, so it sees what
 * they have changed.
 *
 * An error in a flush aborts the (sub)transaction, and that undoes what the
 * flush had drained from the queue.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "analyze/plan.h"
#include "base/names.h"
#include "base/owner.h"
#include "capture/queue.h"
#include "catalog/graph.h"
#include "catalog/suspension.h"
#include "refresh/apply.h"
#include "refresh/flush.h"
#include "refresh/frontier.h"
#include "refresh/keys.h"
#include "refresh/lock.h"
#include "refresh/measure.h"
#include "refresh/row_security.h"
#include "refresh/statement.h"
#include "stats/activity.h"

PG_FUNCTION_INFO_V1(pg_tviews_guard);

/* A TVIEW that a running flush has yet to refresh */
typedef struct Pending
{
	Oid			tview;
	int			level;
	bool		all;			/* rebuild it by differences */
	List	   *changes;		/* of TviewChange */
} Pending;

/* The running flush */
static bool flush_running = false;
static List *flush_pending = NIL;	/* of Pending, in the flush's context */
static Oid	flush_target = InvalidOid;	/* table being written */
static int	flush_trigger_depth = 0;	/* of the statement that writes it */
static bool flush_notes = false;	/* what becomes of TVIEWs that are rebuilt */
static List *flush_rebuilt = NIL;	/* of TviewRebuilt */

/* What flushes have done to this transaction */
static bool flush_done = false;
static CommandId flush_command = FirstCommandId;	/* sees what they wrote */
static bool flush_again = false;	/* at commit, with the latest snapshot */
static bool flush_deferred = false; /* wrote a TVIEW with deferred triggers */

/*
 * tview_flush_running - is this backend inside a flush?
 */
bool
tview_flush_running(void)
{
	return flush_running;
}

/*
 * tview_flush_in_trigger - is this a trigger that a running flush has fired?
 */
bool
tview_flush_in_trigger(void)
{
	return OidIsValid(flush_target) && tview_trigger_depth() > flush_trigger_depth;
}

/*
 * tview_flush_done - has this transaction flushed? From which command on is
 * that visible?
 */
bool
tview_flush_done(CommandId *command)
{
	*command = flush_command;
	return flush_done;
}

/* ----------
 * Which TVIEWs the queue may affect
 * ----------
 */

static bool
is_pending(Oid tview)
{
	ListCell   *lc;

	foreach(lc, flush_pending)
		if (((Pending *) lfirst(lc))->tview == tview)
		return true;
	return tview_queue_has(tview);
}

static bool
may_be_affected(Tview *tview)
{
	ListCell   *lc;

	if (tview == NULL)
		return false;
	if (is_pending(tview->tview))
		return true;
	foreach(lc, tview->dependencies)
		if (may_be_affected(tview_graph_find(lfirst_oid(lc))))
		return true;
	return false;
}

/*
 * tview_flush_affects - is one of these tables a TVIEW with changes waiting,
 * for itself or for a TVIEW it reads?
 */
bool
tview_flush_affects(List *relids)
{
	ListCell   *lc;

	foreach(lc, relids)
		if (may_be_affected(tview_graph_find(lfirst_oid(lc))))
		return true;
	return false;
}

/* ----------
 * Refreshing one TVIEW
 * ----------
 */

/* Would code of the owner gain anything by running as who writes here? */
static bool
is_trusted(Oid owner)
{
	return superuser_arg(owner) ||
		(owner == GetUserId() && owner == GetSessionUserId() &&
		 owner == GetOuterUserId());
}

/*
 * tview_flush_set_constraints - SET CONSTRAINTS for a table's deferrable triggers
 *
 * IMMEDIATE, or DEFERRED for those that are initially.
 */
void
tview_flush_set_constraints(Oid relid, bool deferred)
{
	ConstraintsSetStmt *stmt = makeNode(ConstraintsSetStmt);
	Relation	rel = table_open(relid, AccessShareLock);
	int			count = rel->trigdesc == NULL ? 0 : rel->trigdesc->numtriggers;

	stmt->deferred = deferred;
	for (int i = 0; i < count; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];
		HeapTuple	tuple;
		Form_pg_constraint form;

		if (!trigger->tgdeferrable || (deferred && !trigger->tginitdeferred))
			continue;
		tuple = SearchSysCache1(CONSTROID,
								ObjectIdGetDatum(trigger->tgconstraint));
		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for constraint %u",
				 trigger->tgconstraint);
		form = (Form_pg_constraint) GETSTRUCT(tuple);
		stmt->constraints =
			lappend(stmt->constraints,
					makeRangeVar(get_namespace_name(form->connamespace),
								 pstrdup(NameStr(form->conname)), -1));
		ReleaseSysCache(tuple);
	}
	table_close(rel, AccessShareLock);

	/* without a name, it would be about all constraints */
	if (stmt->constraints != NIL)
		AfterTriggerSetState(stmt);
}

/*
 * Code of the owner that a refresh runs must not leave anything behind that
 * would run later as who writes here, so it runs in a security-restricted
 * context, unless the owner could gain nothing.  The server does not let
 * triggers be deferred in that, so the table's deferrable triggers become
 * immediate for this transaction, and fire at the end of each statement of the
 * refresh.
 */
static void
begin_write(const TviewPlan *plan, TviewOwnerContext *owner)
{
	bool		restricted = !is_trusted(plan->owner);

	if (plan->has_deferred && restricted)
		tview_flush_set_constraints(plan->tview, false);
	flush_deferred |= plan->has_deferred && !restricted;
	tview_owner_enter(owner, plan->owner, restricted);
	tview_row_security_enter(plan);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	flush_target = plan->tview;
	flush_trigger_depth = tview_trigger_depth();
}

static void
end_write(const TviewOwnerContext *owner)
{
	flush_target = InvalidOid;
	SPI_finish();
	tview_owner_leave(owner);
}

/*
 * The plan, with its tables locked against DDL: what waits for somebody's DDL
 * later would find that the plan is out of date.  NULL for a TVIEW that has
 * been dropped.
 */
static TviewPlan *
lock_plan(Oid tview)
{
	List	   *locked = NIL;

	for (;;)
	{
		TviewPlan  *plan = tview_plan_get(tview);
		List	   *missing;
		ListCell   *lc;

		if (plan == NULL)
			return NULL;
		missing = list_difference_oid(plan->relids, locked);
		if (missing == NIL)
			return plan;
		foreach(lc, missing)
			LockRelationOid(lfirst_oid(lc), AccessShareLock);
		locked = list_concat(locked, missing);
	}
}

/*
 * A key that is there already, though the transaction's snapshot doesn't see
 * it: the server calls that a unique violation, but it can be tried again.
 */
static void
report_unseen_key(const TviewPlan *plan, MemoryContext context)
{
	ErrorData  *error;

	if (geterrcode() != ERRCODE_UNIQUE_VIOLATION)
		return;
	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (error->table_name == NULL || error->constraint_name == NULL ||
		get_relname_relid(error->table_name,
						  get_rel_namespace(plan->tview)) != plan->tview ||
		get_relation_constraint_oid(plan->tview, error->constraint_name,
									true) != plan->key_constraint)
		return;
	FlushErrorState();
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update"),
			 errdetail("Another transaction has inserted into TVIEW %s since this one's snapshot was taken. %s",
					   plan->name, error->detail)));
}

/*
 * Were the changes noted for this plan?  Others' DDL may have made another one of
 * the TVIEW since.
 */
static bool
changes_fit(const TviewPlan *plan, List *changes)
{
	ListCell   *lc;

	foreach(lc, changes)
		if (((TviewChange *) lfirst(lc))->plan != plan->fingerprint)
		return false;
	return true;
}

/* Does this flush use the transaction's snapshot, so that another one must follow? */
static bool
is_to_be_repeated(bool at_commit)
{
	return !at_commit && IsolationUsesXactSnapshot();
}

/* Note what became of a rebuild, for who has asked for it. */
static void
note_rebuilt(Oid tview, TviewWritten written)
{
	MemoryContext old;
	TviewRebuilt *rebuilt;

	if (!flush_notes)
		return;
	old = MemoryContextSwitchTo(CurTransactionContext);
	rebuilt = palloc(sizeof(TviewRebuilt));
	rebuilt->tview = tview;
	rebuilt->written = written;
	flush_rebuilt = lappend(flush_rebuilt, rebuilt);
	MemoryContextSwitchTo(old);
}

/* Derive and recompute, as the owner. */
static void
refresh_locked(TviewPlan *plan, const Pending *pending,
			   struct TviewLocks *locks, bool at_commit, TviewMeasure *measure)
{
	bool		all = pending->all || !changes_fit(plan, pending->changes);
	struct TviewKeys *keys = NULL;
	Snapshot	snapshot;

	if (!all)
		keys = tview_frontier_lock(plan, pending->changes, locks, at_commit);
	else if (!tview_locks_are_whole(locks))
		tview_locks_become_whole(locks);
	tview_measure_derived(measure, keys);
	snapshot = RegisterSnapshot(tview_frontier_snapshot(at_commit));
	if (all)
		note_rebuilt(plan->tview,
					 tview_apply_all(plan, psprintf("(%s)", plan->select_sql),
									 snapshot));
	else
		tview_apply_keys(plan, keys, snapshot);
	if (!all && is_to_be_repeated(at_commit))
		tview_keys_keep(keys);
	UnregisterSnapshot(snapshot);
}

/* With the TVIEW locked: what others have committed is known. */
static bool
is_suspended(Oid tview)
{
	AcceptInvalidationMessages();
	return OidIsValid(tview_suspension_cause(tview));
}

/*
 * Leave a suspended TVIEW alone?  The lock is the weak one, so that sessions
 * that load many rows don't wait for one another.
 */
static bool
skip(Oid tview)
{
	if (!OidIsValid(tview_suspension_cause(tview)))
		return false;
	tview_lock_skip(tview);
	if (is_suspended(tview))
		return true;
	tview_unlock_skip(tview);
	return false;
}

static void
refresh(const Pending *pending, bool at_commit, TviewMeasure *measure)
{
	MemoryContext old_context = CurrentMemoryContext;
	TviewPlan  *plan;
	TviewOwnerContext owner;
	struct TviewLocks *locks;

	locks = tview_locks_begin(pending->tview, pending->all ? PG_INT32_MAX :
							  list_length(pending->changes));
	if (is_suspended(pending->tview))
		return;
	plan = lock_plan(pending->tview);
	if (plan == NULL)
		return;
	tview_measure_locked(measure);
	begin_write(plan, &owner);
	PG_TRY();
	{
		refresh_locked(plan, pending, locks, at_commit, measure);
	}
	PG_CATCH();
	{
		if (is_to_be_repeated(at_commit))
			report_unseen_key(plan, old_context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	end_write(&owner);
	tview_measure_end(measure);
}

/* The same, with its errors counted. */
static void
refresh_measured(const Pending *pending, bool at_commit)
{
	MemoryContext context = CurrentMemoryContext;
	TviewMeasure measure;

	tview_measure_begin(&measure, pending->tview);
	PG_TRY();
	{
		refresh(pending, at_commit, &measure);
	}
	PG_CATCH();
	{
		tview_measure_failed(&measure, context);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/*
 * tview_flush_rebuild - rebuild one TVIEW by differences, from its view
 *
 * The view, not the definition over maintained tables, so that the result is
 * right even if a TVIEW that it reads is not.  Lists in rows, unless that is
 * NULL, what it finds different.
 */
TviewWritten
tview_flush_rebuild(TviewPlan *plan, Tuplestorestate *rows)
{
	MemoryContext old_context = CurrentMemoryContext;
	TviewOwnerContext owner;
	Snapshot	snapshot;
	TviewWritten written;
	TviewMeasure measure;

	tview_measure_flush_begin();
	tview_measure_begin(&measure, plan->tview);
	tview_lock(plan->tview);
	AcceptInvalidationMessages();
	tview_suspension_check(plan->tview);
	tview_measure_locked(&measure);
	tview_measure_derived(&measure, NULL);
	snapshot = RegisterSnapshot(tview_frontier_snapshot(false));
	flush_running = true;
	PG_TRY();
	{
		begin_write(plan, &owner);
		if (rows != NULL)
			tview_apply_list(plan, true, snapshot, rows);
		written = tview_apply_all(plan, plan->view_sql, snapshot);
		end_write(&owner);
		tview_measure_end(&measure);
		tview_measure_flush_end(true);
	}
	PG_CATCH();
	{
		flush_running = false;
		flush_target = InvalidOid;
		tview_measure_failed(&measure, old_context);
		tview_measure_flush_end(false);
		if (is_to_be_repeated(false))
			report_unseen_key(plan, old_context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	flush_running = false;
	flush_target = InvalidOid;
	UnregisterSnapshot(snapshot);
	flush_done = true;
	CommandCounterIncrement();
	flush_command = GetCurrentCommandId(false);

	/* the transaction's snapshot may be out of date; see above */
	if (is_to_be_repeated(false))
		tview_queue_add_all(plan->tview);
	return written;
}

/* ----------
 * The flush
 * ----------
 */

static Pending *
find_pending(Oid tview)
{
	ListCell   *lc;
	Tview	   *entry;
	Pending    *pending;

	foreach(lc, flush_pending)
	{
		pending = lfirst(lc);
		if (pending->tview == tview)
			return pending;
	}
	entry = tview_graph_find(tview);
	pending = palloc0(sizeof(Pending));
	pending->tview = tview;
	pending->level = entry != NULL ? entry->level : 0;
	flush_pending = lappend(flush_pending, pending);
	return pending;
}

/*
 * Sort what has been captured since the last time by TVIEW.  Keys that this
 * flush has left for the next one stay in the queue.
 */
static void
take_changes(bool at_commit)
{
	ListCell   *lc;

	foreach(lc, tview_queue_take())
	{
		TviewChange *change = lfirst(lc);
		Pending    *pending;

		if (change->source == TVIEW_KEPT_KEY && is_to_be_repeated(at_commit))
			continue;
		pending = find_pending(change->tview);
		if (change->source == TVIEW_CHANGED_ALL)
			pending->all = true;
		else
			pending->changes = lappend(pending->changes, change);
	}
}

/* Remove and return the TVIEW that is next by level and OID. */
static Pending *
next_pending(void)
{
	Pending    *next = NULL;
	ListCell   *lc;

	foreach(lc, flush_pending)
	{
		Pending    *pending = lfirst(lc);

		if (next == NULL || pending->level < next->level ||
			(pending->level == next->level && pending->tview < next->tview))
			next = pending;
	}
	flush_pending = list_delete_ptr(flush_pending, next);
	return next;
}

static void
flush_all(bool at_commit)
{
	MemoryContext flush_context = AllocSetContextCreate(CurrentMemoryContext,
														"pg_tviews flush",
														ALLOCSET_DEFAULT_SIZES);
	MemoryContext work_context = AllocSetContextCreate(flush_context,
													   "pg_tviews refresh",
													   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(flush_context);

	flush_pending = NIL;
	for (;;)
	{
		Pending    *pending;

		CHECK_FOR_INTERRUPTS();
		take_changes(at_commit);
		pending = next_pending();
		if (pending == NULL)
			break;
		MemoryContextSwitchTo(work_context);
		if (!skip(pending->tview))
			refresh_measured(pending, at_commit);
		MemoryContextSwitchTo(flush_context);
		MemoryContextReset(work_context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(flush_context);
}

/*
 * tview_flush - refresh all that is waiting
 *
 * There may be no snapshot at all yet, or one that doesn't see the last
 * statement's changes: at commit the server hasn't counted that one up.
 */
void
tview_flush(bool at_commit)
{
	bool		read_only = XactReadOnly;
	bool		keep;
	volatile bool done = false;

	if (at_commit && flush_again)
	{
		tview_queue_rearm();
		flush_again = false;
	}
	if (!tview_queue_pending() || flush_running)
		return;
	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("cannot refresh TVIEWs during a parallel operation"),
				 errhint("Read the TVIEW in a query of its own, or set max_parallel_workers_per_gather to 0.")));

	keep = is_to_be_repeated(at_commit);
	tview_queue_begin_flush();
	tview_measure_flush_begin();
	tview_activity_flushing(true);
	flush_running = true;
	XactReadOnly = false;
	CommandCounterIncrement();
	PushActiveSnapshot(tview_frontier_snapshot(at_commit));
	PG_TRY();
	{
		flush_all(at_commit);
		done = true;
	}
	PG_FINALLY();
	{
		tview_activity_flushing(false);
		tview_measure_flush_end(done);
		flush_running = false;
		flush_pending = NIL;
		flush_target = InvalidOid;
		XactReadOnly = read_only;
	}
	PG_END_TRY();
	PopActiveSnapshot();
	CommandCounterIncrement();

	tview_queue_end_flush(keep);
	flush_again |= keep;
	flush_done = true;
	flush_command = GetCurrentCommandId(false);
}

/*
 * tview_flush_rebuild_all - rebuild these TVIEWs by differences, and whatever
 * is waiting; returns a list of TviewRebuilt
 */
List *
tview_flush_rebuild_all(List *tviews)
{
	ListCell   *lc;

	foreach(lc, tviews)
		tview_queue_add_all(lfirst_oid(lc));
	flush_rebuilt = NIL;
	flush_notes = true;
	PG_TRY();
	{
		tview_flush(false);
	}
	PG_FINALLY();
	{
		flush_notes = false;
	}
	PG_END_TRY();
	return flush_rebuilt;
}

/*
 * tview_flush_must_repeat - is there more to do at commit than what waits?
 */
bool
tview_flush_must_repeat(void)
{
	return flush_again;
}

/*
 * tview_flush_before_deferred - COMMIT or PREPARE TRANSACTION starts
 *
 * Deferred triggers fire before the flush at commit.  If an earlier flush has
 * queued some, what they are about may not be true until the rest is flushed.
 */
void
tview_flush_before_deferred(void)
{
	if (flush_deferred && tview_queue_pending() && !flush_running)
		tview_flush(false);
}

/*
 * tview_flush_for_ddl - nothing may be waiting when a shape changes
 */
void
tview_flush_for_ddl(void)
{
	if (tview_queue_pending() && !flush_running)
		tview_flush(false);
}

/*
 * tview_flush_at_xact_end - forget about the transaction
 */
void
tview_flush_at_xact_end(void)
{
	flush_running = false;
	flush_pending = NIL;
	flush_target = InvalidOid;
	flush_done = false;
	flush_again = false;
	flush_deferred = false;
	flush_command = FirstCommandId;
}

/* ----------
 * The guard
 * ----------
 */

/*
 * pg_tviews_guard - statement trigger on tv_ tables: only a flush writes them
 *
 * A user's trigger that a flush fires runs deeper than the statement of the
 * flush, so it may not either.
 */
Datum
pg_tviews_guard(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	Oid			relid;
	Tview	   *tview;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by a BEFORE trigger",
						"pg_tviews_guard")));
	relid = RelationGetRelid(data->tg_relation);
	if (flush_target == relid && tview_trigger_depth() == flush_trigger_depth + 1)
		return PointerGetDatum(NULL);

	tview = tview_graph_find(relid);
	if (tview == NULL)
		return PointerGetDatum(NULL);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot change TVIEW %s directly",
					tview_name_qualified(relid)),
			 errdetail("Its rows are what view %s returns.",
					   tview_name_qualified(tview->view)),
			 errhint("Write to the tables that the view reads, such as %s.",
					 tview_name_qualified(tview->root))));
}
