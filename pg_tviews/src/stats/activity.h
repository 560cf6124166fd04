/*-------------------------------------------------------------------------
 *
 * activity.h
 *	  What this backend is doing, for others to see.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_ACTIVITY_H
#define TVIEW_ACTIVITY_H

#include "stats/area.h"

/* Phases of a build or rebuild */
typedef enum TviewPhase
{
	TVIEW_PHASE_NONE,
	TVIEW_PHASE_BUILD,
	TVIEW_PHASE_INDEXES,
	TVIEW_PHASE_CHECK,
	TVIEW_PHASE_DELETE,
	TVIEW_PHASE_UPDATE,
	TVIEW_PHASE_INSERT
} TviewPhase;

extern void tview_activity_queued(Oid tview, uint64 size, uint64 bytes);
extern void tview_activity_queue(uint64 size, uint64 bytes);
extern void tview_activity_flushing(bool flushing);
extern void tview_activity_begin(const char *name, TviewPhase phase,
								 uint64 rows_expected);
extern void tview_activity_phase(TviewPhase phase, uint64 rows);
extern void tview_activity_rows(uint64 rows);
extern void tview_activity_end(void);
extern void tview_activity_cache(TviewCache cache, uint64 entries,
								 uint64 bytes);
extern void tview_activity_at_subabort(int level);
extern void tview_activity_at_xact_end(void);
extern void tview_activity_read(const TviewActivity *activity,
								TviewActivity *copy);
extern const char *tview_activity_phase_name(int phase);

#endif							/* TVIEW_ACTIVITY_H */
