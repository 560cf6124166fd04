/*-------------------------------------------------------------------------
 *
 * area.h
 *	  Memory of statistics: shared by all sessions where the server has a way.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_AREA_H
#define TVIEW_AREA_H

#include "datatype/timestamp.h"
#include "storage/spin.h"

#define TVIEW_ACTIVITY_TVIEWS	32	/* so many are shown of a queue */
#define TVIEW_ACTIVITY_NAME		256 /* bytes of a qualified name */
#define TVIEW_HISTOGRAM			264 /* buckets, see refreshes.c */
#define TVIEW_ERROR_LENGTH		256 /* bytes of a message */

/* Caches of a backend */
typedef enum TviewCache
{
	TVIEW_CACHE_GRAPH,			/* the TVIEWs of the database */
	TVIEW_CACHE_PLAN,			/* how each is kept up to date */
	TVIEW_CACHE_TABLE,			/* what to capture of each table */
	TVIEW_CACHES
} TviewCache;

typedef struct TviewCacheCounters
{
	uint64		hits;
	uint64		misses;
	uint64		invalidations;
} TviewCacheCounters;

typedef struct TviewCacheSize
{
	uint64		entries;
	uint64		bytes;
} TviewCacheSize;

/* What is known of the refreshes of one TVIEW; times in microseconds */
typedef struct TviewRefreshCounters
{
	uint64		refreshes;
	uint64		rebuilds;		/* of these, by differences */
	uint64		errors;			/* refreshes that raised one */
	uint64		keys;			/* derived and recomputed */
	uint64		patches;		/* of these, of which only parts were */
	uint64		inserted;
	uint64		updated;
	uint64		deleted;
	uint64		unchanged;		/* keys whose row was not written */
	uint64		time;
	uint64		longest;
	uint64		lock_wait;
	TimestampTz last_refresh;	/* 0: none */
	TimestampTz last_error_at;	/* 0: none */
	int			last_error_code;
	char		last_error[TVIEW_ERROR_LENGTH];
	uint64		histogram[TVIEW_HISTOGRAM];
} TviewRefreshCounters;

/* One entry of the statistics; that of a database has no TVIEW */
typedef struct TviewStatsKey
{
	Oid			database;
	Oid			tview;
} TviewStatsKey;

typedef struct TviewStats
{
	TviewStatsKey key;
	TimestampTz since;			/* when it was made, or last reset */
	union
	{
		TviewRefreshCounters refreshes;
		TviewCacheCounters caches[TVIEW_CACHES];
	}			of;
} TviewStats;

/*
 * What one backend is doing.  The backend itself writes, anybody reads; both
 * under the spinlock.
 */
typedef struct TviewActivity
{
	slock_t		mutex;
	int			pid;			/* 0: nothing to show */
	Oid			database;

	/* its queue */
	uint64		queue_size;
	uint64		queue_bytes;
	TimestampTz oldest;
	TimestampTz newest;
	int			ntviews;
	Oid			tviews[TVIEW_ACTIVITY_TVIEWS];
	bool		flushing;

	/* the build or rebuild that is under way */
	int			phase;			/* see activity.h; 0: none */
	char		name[TVIEW_ACTIVITY_NAME];
	uint64		rows;
	uint64		rows_expected;
	TimestampTz started;

	TviewCacheSize caches[TVIEW_CACHES];
} TviewActivity;

extern void tview_area_install(void);
extern bool tview_area_is_shared(void);
extern TviewStats *tview_area_find(Oid tview, bool create);
extern void tview_area_release(TviewStats *entry);
extern void tview_area_delete(Oid tview);
extern TviewStats *tview_area_copy(int *count);
extern TviewActivity *tview_area_activity(void);
extern TviewActivity *tview_area_activities(int *count);

#endif							/* TVIEW_AREA_H */
