/*-------------------------------------------------------------------------
 *
 * activity.c
 *	  What this backend is doing, for others to see.
 *
 * The queue, the flush, and builds say so here as they go on; at the end of the
 * transaction there is nothing to show any more but the sizes of caches.  Nothing
 * is raised here, but for what the first call in a session allocates.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/timestamp.h"

#include "stats/activity.h"

static const char *const phase_names[] = {
	[TVIEW_PHASE_NONE] = NULL,
	[TVIEW_PHASE_BUILD] = "loading rows",
	[TVIEW_PHASE_INDEXES] = "building indexes",
	[TVIEW_PHASE_CHECK] = "checking keys",
	[TVIEW_PHASE_DELETE] = "deleting rows",
	[TVIEW_PHASE_UPDATE] = "updating rows",
	[TVIEW_PHASE_INSERT] = "inserting rows",
};

/* Is there anything to take back at the end of the transaction? */
static bool queue_shown = false;
static bool progress_shown = false;
static int	progress_level = 0; /* nesting level of the (sub)transaction */

/* This backend's activity, locked. */
static TviewActivity *
begin_change(void)
{
	TviewActivity *activity = tview_area_activity();

	SpinLockAcquire(&activity->mutex);
	activity->pid = MyProcPid;
	activity->database = MyDatabaseId;
	return activity;
}

static void
end_change(TviewActivity *activity)
{
	SpinLockRelease(&activity->mutex);
}

static void
add_tview(TviewActivity *activity, Oid tview)
{
	for (int i = activity->ntviews; i-- > 0;)
		if (activity->tviews[i] == tview)
			return;
	if (activity->ntviews < TVIEW_ACTIVITY_TVIEWS)
		activity->tviews[activity->ntviews++] = tview;
}

/*
 * tview_activity_queued - a change of this TVIEW has come into the queue
 */
void
tview_activity_queued(Oid tview, uint64 size, uint64 bytes)
{
	TviewActivity *activity;
	TimestampTz now = GetCurrentTimestamp();

	activity = begin_change();
	if (!queue_shown)
		activity->oldest = now;
	activity->newest = now;
	activity->queue_size = size;
	activity->queue_bytes = bytes;
	add_tview(activity, tview);
	end_change(activity);
	queue_shown = true;
}

/*
 * tview_activity_queue - the queue has been drained, or something in it undone
 */
void
tview_activity_queue(uint64 size, uint64 bytes)
{
	TviewActivity *activity;

	if (!queue_shown)
		return;
	activity = begin_change();
	activity->queue_size = size;
	activity->queue_bytes = bytes;
	if (size == 0)
		activity->ntviews = 0;
	end_change(activity);
	queue_shown = size > 0;
}

/*
 * tview_activity_flushing - a flush starts or ends
 */
void
tview_activity_flushing(bool flushing)
{
	TviewActivity *activity = begin_change();

	activity->flushing = flushing;
	end_change(activity);
}

/* ----------
 * Builds and rebuilds
 * ----------
 */

/*
 * tview_activity_begin - a build or rebuild of the TVIEW of this name starts
 *
 * rows_expected is an estimate; 0 says that there is none.
 */
void
tview_activity_begin(const char *name, TviewPhase phase, uint64 rows_expected)
{
	int			length = pg_mbcliplen(name, strlen(name),
									  TVIEW_ACTIVITY_NAME - 1);
	TimestampTz now = GetCurrentTimestamp();
	TviewActivity *activity = begin_change();

	memcpy(activity->name, name, length);
	activity->name[length] = '\0';
	activity->rows = 0;
	activity->rows_expected = rows_expected;
	activity->started = now;
	activity->phase = phase;
	end_change(activity);
	progress_shown = true;
	progress_level = GetCurrentTransactionNestLevel();
}

/*
 * tview_activity_phase - so much is done, and another phase of it starts
 */
void
tview_activity_phase(TviewPhase phase, uint64 rows)
{
	TviewActivity *activity;

	if (!progress_shown)
		return;
	activity = begin_change();
	activity->phase = phase;
	activity->rows = rows;
	end_change(activity);
}

/*
 * tview_activity_rows - so many rows are done in all
 */
void
tview_activity_rows(uint64 rows)
{
	TviewActivity *activity;

	if (!progress_shown)
		return;
	activity = begin_change();
	activity->rows = rows;
	end_change(activity);
}

/*
 * tview_activity_end - the build or rebuild is done
 */
void
tview_activity_end(void)
{
	tview_activity_phase(TVIEW_PHASE_NONE, 0);
	progress_shown = false;
}

const char *
tview_activity_phase_name(int phase)
{
	return phase_names[phase];
}

/* ----------
 * Caches
 * ----------
 */

/*
 * tview_activity_cache - the size of one of this backend's caches
 */
void
tview_activity_cache(TviewCache cache, uint64 entries, uint64 bytes)
{
	TviewActivity *activity = begin_change();

	activity->caches[cache].entries = entries;
	activity->caches[cache].bytes = bytes;
	end_change(activity);
}

/* ----------
 * The end
 * ----------
 */

/*
 * tview_activity_at_subabort - a build inside the subtransaction is over
 */
void
tview_activity_at_subabort(int level)
{
	if (progress_shown && progress_level >= level)
		tview_activity_end();
}

/*
 * tview_activity_at_xact_end - nothing is going on any more
 */
void
tview_activity_at_xact_end(void)
{
	TviewActivity *activity;

	if (!queue_shown && !progress_shown)
		return;
	activity = begin_change();
	activity->queue_size = activity->queue_bytes = 0;
	activity->ntviews = 0;
	activity->flushing = false;
	activity->phase = TVIEW_PHASE_NONE;
	end_change(activity);
	queue_shown = progress_shown = false;
}

/*
 * tview_activity_read - a consistent copy of a backend's activity
 */
void
tview_activity_read(const TviewActivity *activity, TviewActivity *copy)
{
	TviewActivity *locked = unconstify(TviewActivity *, activity);

	SpinLockAcquire(&locked->mutex);
	memcpy(copy, activity, sizeof(*copy));
	SpinLockRelease(&locked->mutex);
}
