/*-------------------------------------------------------------------------
 *
 * frontier.c
 *	  Locking what a refresh depends on, and finding its keys.
 *
 * This is where refreshes of concurrent transactions are kept from missing
 * one another's changes.  What follows is the argument that they can't.
 *
 * Words
 *
 * f(k, S) is what the definition returns for key k in a state S of its tables;
 * the TVIEW has to hold f(k, S) for all k whenever S is what has been
 * committed.  A transaction T flushes before it commits: from its changed rows
 * it derives a set of keys K(T), and writes f(k, P + T) for each of them, where
 * P is what a snapshot of its sees of others.  A way leads from a changed row
 * x0 over rows x1, ..., xm, each found by looking up values in the rows before
 * it, to a key.
 *
 * What derivations give us (analyze/derive.c)
 *
 * (D)	If f(k, S) and f(k, S + T) differ, then a way leads to k from a row that T
 *		has changed, in its old or new image, over rows that T has not changed
 *		and that are there in S.
 *
 * The locks
 *
 * Held to the end of T, of names that all transactions agree on:
 *
 *	FOLLOWS	on each value that T's ways look up, one level after the other,
 *			from the far end to the keys.  The look-up is done with a snapshot
 *			taken when its lock is there, and it decides what is looked up next.
 *	APPEARS	on each value by which look-ups may find the new image of a row
 *			that T has inserted, or of which it has changed a column that a way
 *			goes by.
 *	REFRESHES on each key of K(T).
 *
 * REFRESHES conflicts with itself, FOLLOWS with APPEARS.  When all of them are
 * there, T takes the snapshot P with which it recomputes.  The server releases
 * locks after it has made the transaction visible, so whoever has waited for T
 * sees T in a snapshot taken afterwards.
 *
 * The claim
 *
 * Order the transactions by commit, and let S be what has been committed before
 * T commits.  If the TVIEW was right for S, it is right for S + T.
 *
 * 1. Let k be a key that T does not refresh.  Had f(k, S + T) come to differ from
 *	  f(k, S), then by (D) a way would lead to k over rows x1, ..., xm of S.  T
 *	  has not found it, so it has missed one of them; let xi be the first.  T
 *	  had followed the way up to there, so it held FOLLOWS on the value by which
 *	  xi is looked up, and its snapshot, taken after that, did not see xi.  Some
 *	  U has made xi what it is, and committed between that snapshot and T's
 *	  commit.  Before it committed, U held APPEARS on that value.  If it got it
 *	  before T got FOLLOWS, T has waited for U's commit, and its snapshot sees
 *	  xi.  If not, U has waited for T's.  Neither is so.
 *
 * 2. Let k be a key that T refreshes.  It has written f(k, P + T), and others
 *	  may have committed between P and T's commit.  None of them has refreshed
 *	  k, as they would hold REFRESHES on it before P or after T's commit.  So
 *	  by claim 1, applied to each, f(k) is the same with and without it,
 *	  as long as T's changes are left out.  Suppose that with them it is not:
 *	  f(k, Q + T) and f(k, Q + T + U) differ for a U that committed when Q had
 *	  been.  By (D) a way leads from a row that U has changed to k, over rows of
 *	  Q + T, and since U does not refresh k, it has missed one of them; let xi be
 *	  the first.  If T made xi what it is, T held APPEARS on the value before P,
 *	  and U held FOLLOWS on it, before P or after T's commit as with 1: both
 *	  contradict that U committed between the two without seeing xi.  If
 *	  somebody else did, the same holds of him and U, by 1.
 *
 * The initial load is right: it locks the tables against writers.  So the TVIEW
 * is right after each commit.  A TVIEW that reads others is no exception: the
 * rows that T's flush has written there are T's changes of a table, and it is
 * refreshed after them.
 *
 * What follows from it, and what is not needed
 *
 * - A row whose new image leads where the old one did need not be locked as
 *	 APPEARS: who misses the new one finds the old one.  So renaming a user
 *	 doesn't wait for the renaming of their company.
 * - FOLLOWS needs no conflict with itself, nor has APPEARS: inserting posts of
 *	 one user doesn't wait for others who do.
 * - Values are named by hashes, and REFRESHES by those of keys.  Two values of one
 *	 hash are one to the locks, which costs a wait, and proves as well.
 * - Instead of all three, T may lock the TVIEW as a whole, which conflicts with
 *	 what anyone takes who locks values of it.  A rebuild does, and DDL, and
 *	 a refresh of many keys (lock.c).
 *
 * The order of locks is the same for all flushes: by TVIEW, in the order of
 * their refresh; the TVIEW; look-ups by level; keys; within each by tag and hash.
 * So flushes at commit can't deadlock with each other, but for what a recursion
 * finds only when its look-ups are repeated, because somebody has changed it
 * while the first were waited for.  A flush in the middle of a transaction can, as its locks stay while the transaction goes on to lock
 * rows, or more values.  It refreshes all that is waiting, not only what is
 * about to be read: a transaction that changes nothing more keeps the order
 * that way, and it would not if commit refreshed the others afterwards.
 *
 * REPEATABLE READ and SERIALIZABLE
 *
 * The above holds at every isolation level, since the flush at commit uses the
 * latest snapshot, whatever the transaction's own.  Other than that, it is a
 * part of the transaction.  For SERIALIZABLE it means that what the flush reads
 * and writes counts like the transaction's own reads and writes.  That keeps
 * all that the server promises: tuples read with a later snapshot are locked
 * for predicate locking all the same, and writers of them conflict; and a flush
 * that sees what a concurrent transaction has committed only puts into the
 * TVIEW what any reader of both would see.  But two serializable transactions
 * that refresh the same document, each reading what the other has changed, are
 * a cycle, of which one gets a serialization failure, even if they have read
 * nothing themselves.  The server has no way to read without that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/snapmgr.h"

#include "capture/queue.h"
#include "refresh/derive.h"
#include "refresh/frontier.h"
#include "refresh/keys.h"
#include "refresh/lock.h"
#include "refresh/statement.h"

/* One refresh on its way to the keys */
typedef struct Frontier
{
	TviewPlan  *plan;
	TviewChanges *changes;
	struct TviewLocks *locks;
	bool		at_commit;
	Snapshot	snapshot;		/* registered; NULL: a lock has been taken
								 * since */
	int			tag;			/* of the values being added */
	TviewLockReason reason;
} Frontier;

/*
 * tview_frontier_snapshot - a snapshot for a refresh
 */
Snapshot
tview_frontier_snapshot(bool at_commit)
{
	if (!at_commit && IsolationUsesXactSnapshot())
		return GetTransactionSnapshot();
	return GetLatestSnapshot();
}

static void
forget_snapshot(Frontier *frontier)
{
	if (frontier->snapshot != NULL)
		UnregisterSnapshot(frontier->snapshot);
	frontier->snapshot = NULL;
}

/* A snapshot that was taken after all of the locks. */
static Snapshot
current_snapshot(Frontier *frontier)
{
	if (frontier->snapshot == NULL)
		frontier->snapshot =
			RegisterSnapshot(tview_frontier_snapshot(frontier->at_commit));
	return frontier->snapshot;
}

/* Returns whether there were any that the transaction didn't have. */
static bool
acquire(Frontier *frontier)
{
	if (!tview_locks_acquire(frontier->locks))
		return false;
	forget_snapshot(frontier);
	return true;
}

static void
add_value(void *arg, uint32 hash)
{
	Frontier   *frontier = arg;

	tview_locks_add(frontier->locks, frontier->tag, hash, frontier->reason);
}

/* How far from the keys look-ups are at most. */
static int
highest_level(const TviewPlan *plan)
{
	int			result = 0;
	ListCell   *lc;

	foreach(lc, plan->lookups)
		result = Max(result, ((TviewLookup *) lfirst(lc))->level);
	return result;
}

static int
level_of_tag(const TviewPlan *plan, int tag)
{
	ListCell   *lc;

	foreach(lc, plan->lookups)
		if (((TviewLookup *) lfirst(lc))->tag == tag)
		return ((TviewLookup *) lfirst(lc))->level;
	return 1;
}

/* The values of rows that have come to be, for look-ups of this level. */
static void
add_appeared(Frontier *frontier, int level)
{
	static const TviewValueType type = {sizeof(int32), true};
	ListCell   *lc;

	foreach(lc, frontier->changes->appeared)
	{
		TviewChange *change = lfirst(lc);
		int			tag = TVIEW_APPEARED_TAG(change->source);
		Datum		hash;
		bool		isnull;

		if (level_of_tag(frontier->plan, tag) != level)
			continue;
		tview_queue_decode(change, 1, &type, &hash, &isnull);
		tview_locks_add(frontier->locks, tag, DatumGetUInt32(hash),
						TVIEW_APPEARS);
	}
}

/*
 * The values that the ways of the changed rows look up in this level.  Returns
 * whether to look for more when these are locked.
 */
static bool
add_followed(Frontier *frontier, int level)
{
	bool		repeats = false;
	ListCell   *source;
	ListCell   *lc;

	frontier->reason = TVIEW_FOLLOWS;
	foreach(source, frontier->changes->sources)
	{
		TviewSourceChanges *changes = lfirst(source);

		foreach(lc, changes->source->steps)
		{
			TviewStep  *step = lfirst(lc);

			if (step->lookup->level != level)
				continue;
			frontier->tag = step->lookup->tag;
			tview_derive_step(frontier->plan, changes, step,
							  step->sql != NULL ? current_snapshot(frontier) : NULL,
							  add_value, frontier);
			repeats |= step->repeats;
		}
	}
	return repeats;
}

static void
lock_lookups(Frontier *frontier)
{
	for (int level = highest_level(frontier->plan); level > 0; level--)
	{
		bool		repeats;

		add_appeared(frontier, level);
		do
		{
			if (tview_locks_are_whole(frontier->locks))
				return;
			repeats = add_followed(frontier, level);
		} while (acquire(frontier) && repeats);
	}
}

static struct TviewKeys *
derive_keys(Frontier *frontier)
{
	return tview_derive_keys(frontier->changes,
							 frontier->changes->sources == NIL ? NULL :
							 current_snapshot(frontier));
}

static void
lock_keys(Frontier *frontier, const struct TviewKeys *keys)
{
	if (tview_locks_are_whole(frontier->locks))
		return;
	frontier->tag = TVIEW_TAG_KEY;
	frontier->reason = TVIEW_REFRESHES;
	tview_keys_hash(keys, add_value, frontier);
	acquire(frontier);
}

/*
 * tview_frontier_lock - the keys of a refresh, with all locked that it takes to
 * recompute them
 *
 * locks must have been begun, and the plan been fetched after that.  They are
 * to be recomputed with a snapshot that is taken when this has returned.
 */
struct TviewKeys *
tview_frontier_lock(TviewPlan *plan, List *changes, struct TviewLocks *locks,
					bool at_commit)
{
	Frontier	frontier = {0};
	TviewStatementContext context;
	struct TviewKeys *keys;
	bool		whole;

	frontier.plan = plan;
	frontier.locks = locks;
	frontier.at_commit = at_commit;
	tview_context_push(&context, plan, NULL);
	frontier.changes = tview_changes_sort(plan, changes);
	lock_lookups(&frontier);
	whole = tview_locks_are_whole(locks);
	keys = derive_keys(&frontier);
	lock_keys(&frontier, keys);

	/* too many: what they were derived with may be out of date by now */
	if (!whole && tview_locks_are_whole(locks))
		keys = derive_keys(&frontier);
	forget_snapshot(&frontier);
	tview_context_pop(&context);
	return keys;
}
