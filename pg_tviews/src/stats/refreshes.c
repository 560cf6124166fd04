/*-------------------------------------------------------------------------
 *
 * refreshes.c
 *	  Cumulative statistics of refreshes, and of caches.
 *
 * As with the server's own statistics, what a transaction did counts even if
 * it was rolled back, and nothing is counted with track_counts off.
 *
 * The distribution of times is kept in a histogram whose buckets are an eighth
 * of a power of two wide, as in HdrHistogram (Tene): percentiles from it are
 * within 6.25 percent.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "pgstat.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "stats/refreshes.h"

#define SUB_BITS	3			/* eight buckets for each power of two */
#define SUB_BUCKETS	(1 << SUB_BITS)

/* What has not been added to the entry of the database yet */
TviewCacheCounters tview_cache_counters[TVIEW_CACHES];

static List *dropped = NIL;		/* OIDs, in TopTransactionContext */

/* ----------
 * Histogram
 * ----------
 */

static int
bucket_of(uint64 value)
{
	int			msb;

	if (value < SUB_BUCKETS)
		return (int) value;
	msb = pg_leftmost_one_pos64(value);
	return Min(TVIEW_HISTOGRAM - 1,
			   (msb - SUB_BITS + 1) * SUB_BUCKETS +
			   (int) ((value >> (msb - SUB_BITS)) & (SUB_BUCKETS - 1)));
}

/* The value in the middle of a bucket. */
static uint64
bucket_value(int bucket)
{
	int			shift = bucket / SUB_BUCKETS - 1;
	uint64		lower;

	if (shift < 0)
		return bucket;
	lower = (uint64) (SUB_BUCKETS + bucket % SUB_BUCKETS) << shift;
	return lower + (UINT64CONST(1) << shift) / 2;
}

/*
 * tview_stats_percentile - time that this fraction of the refreshes took at most
 */
uint64
tview_stats_percentile(const TviewRefreshCounters *counters, double fraction)
{
	uint64		rank = (uint64) ceil(fraction * counters->refreshes);
	uint64		below = 0;

	for (int i = 0; i < TVIEW_HISTOGRAM; i++)
	{
		below += counters->histogram[i];
		if (below >= rank)
			return Min(bucket_value(i), counters->longest);
	}
	return counters->longest;
}

/* ----------
 * TVIEWs
 * ----------
 */

/*
 * tview_stats_enabled - is anything to be counted?
 */
bool
tview_stats_enabled(void)
{
	return pgstat_track_counts;
}

/*
 * tview_stats_prepare - see to it that a TVIEW has an entry
 *
 * Only this allocates, so that what follows can't fail.
 */
void
tview_stats_prepare(Oid tview)
{
	if (tview_stats_enabled())
		tview_area_release(tview_area_find(tview, true));
}

/*
 * tview_stats_refresh - count a refresh
 */
void
tview_stats_refresh(Oid tview, const TviewRefresh *refresh)
{
	TviewStats *entry;
	TviewRefreshCounters *counters;
	uint64		written = refresh->inserted + refresh->updated +
	refresh->deleted;
	TimestampTz now;

	if (!tview_stats_enabled())
		return;
	now = GetCurrentTimestamp();
	entry = tview_area_find(tview, false);
	if (entry == NULL)
		return;
	counters = &entry->of.refreshes;
	counters->refreshes++;
	counters->rebuilds += refresh->rebuild ? 1 : 0;
	counters->keys += refresh->keys;
	counters->patches += refresh->patches;
	counters->inserted += refresh->inserted;
	counters->updated += refresh->updated;
	counters->deleted += refresh->deleted;
	if (refresh->keys > written)
		counters->unchanged += refresh->keys - written;
	counters->time += refresh->time;
	counters->longest = Max(counters->longest, refresh->time);
	counters->lock_wait += refresh->lock_wait;
	counters->last_refresh = now;
	counters->histogram[bucket_of(refresh->time)]++;
	tview_area_release(entry);
}

/*
 * tview_stats_error - count a refresh that has failed
 *
 * Called while the error is being handled, so it must not raise another one.
 */
void
tview_stats_error(Oid tview, int code, const char *message)
{
	TviewStats *entry;
	int			length = pg_mbcliplen(message, strlen(message),
									  TVIEW_ERROR_LENGTH - 1);

	if (!tview_stats_enabled())
		return;
	entry = tview_area_find(tview, false);
	if (entry == NULL)
		return;
	entry->of.refreshes.errors++;
	entry->of.refreshes.last_error_at = GetCurrentTimestamp();
	entry->of.refreshes.last_error_code = code;
	memcpy(entry->of.refreshes.last_error, message, length);
	entry->of.refreshes.last_error[length] = '\0';
	tview_area_release(entry);
}

/*
 * tview_stats_reset - start anew for a TVIEW, or the database's caches
 */
void
tview_stats_reset(Oid tview)
{
	TviewStats *entry = tview_area_find(tview, true);

	memset(&entry->of, 0, sizeof(entry->of));
	entry->since = GetCurrentTimestamp();
	tview_area_release(entry);
}

/*
 * tview_stats_dropped - forget a TVIEW's statistics if this transaction, which
 * drops it, commits
 */
void
tview_stats_dropped(Oid tview)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	dropped = lappend_oid(dropped, tview);
	MemoryContextSwitchTo(old);
}

/* ----------
 * Transactions
 * ----------
 */

static bool
has_cache_counters(void)
{
	for (int i = 0; i < TVIEW_CACHES; i++)
		if (tview_cache_counters[i].hits + tview_cache_counters[i].misses +
			tview_cache_counters[i].invalidations > 0)
			return true;
	return false;
}

static void
add_cache_counters(void)
{
	TviewStats *entry = tview_area_find(InvalidOid, true);

	for (int i = 0; i < TVIEW_CACHES; i++)
	{
		TviewCacheCounters *to = &entry->of.caches[i];
		TviewCacheCounters *from = &tview_cache_counters[i];

		to->hits += from->hits;
		to->misses += from->misses;
		to->invalidations += from->invalidations;
	}
	tview_area_release(entry);
	memset(tview_cache_counters, 0, sizeof(tview_cache_counters));
}

/* Those that a subtransaction dropped which was rolled back are still there. */
static void
forget_dropped(void)
{
	ListCell   *lc;

	foreach(lc, dropped)
		if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(lfirst_oid(lc))))
		tview_area_delete(lfirst_oid(lc));
	dropped = NIL;
}

/*
 * tview_stats_at_pre_commit - add what the transaction has counted
 *
 * Shared memory may have to be mapped for it, which can fail, so the end of
 * the transaction is too late.  After a rollback it waits for the next commit.
 */
void
tview_stats_at_pre_commit(void)
{
	if (tview_stats_enabled() && has_cache_counters())
		add_cache_counters();
	if (dropped != NIL)
		forget_dropped();
}

/*
 * tview_stats_at_xact_end - the server frees the memory
 */
void
tview_stats_at_xact_end(void)
{
	dropped = NIL;
}
