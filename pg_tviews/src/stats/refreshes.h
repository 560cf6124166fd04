/*-------------------------------------------------------------------------
 *
 * refreshes.h
 *	  Cumulative statistics of refreshes, and of caches.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_REFRESHES_H
#define TVIEW_REFRESHES_H

#include "stats/area.h"

/* One refresh of a TVIEW; times in microseconds */
typedef struct TviewRefresh
{
	bool		rebuild;
	uint64		keys;
	uint64		patches;
	uint64		inserted;
	uint64		updated;
	uint64		deleted;
	uint64		time;
	uint64		lock_wait;
} TviewRefresh;

/* Counted here, and added to the statistics before commit */
extern TviewCacheCounters tview_cache_counters[TVIEW_CACHES];

extern bool tview_stats_enabled(void);
extern void tview_stats_prepare(Oid tview);
extern void tview_stats_refresh(Oid tview, const TviewRefresh *refresh);
extern void tview_stats_error(Oid tview, int code, const char *message);
extern void tview_stats_reset(Oid tview);
extern void tview_stats_dropped(Oid tview);
extern uint64 tview_stats_percentile(const TviewRefreshCounters *counters,
									 double fraction);
extern void tview_stats_at_pre_commit(void);
extern void tview_stats_at_xact_end(void);

#endif							/* TVIEW_REFRESHES_H */
