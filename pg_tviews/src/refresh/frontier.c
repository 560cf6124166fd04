/*-------------------------------------------------------------------------
 *
 * frontier.c
 *	  Locking what a refresh depends on, and finding its keys.
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

			if (step->level != level)
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
