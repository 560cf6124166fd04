/*-------------------------------------------------------------------------
 *
 * measure.h
 *	  What refreshes cost: statistics, and the log of slow flushes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_MEASURE_H
#define TVIEW_MEASURE_H

#include "portability/instr_time.h"

#include "stats/refreshes.h"

struct TviewKeys;

/* A refresh that is under way */
typedef struct TviewMeasure
{
	Oid			tview;
	instr_time	started;
	instr_time	derived;		/* when the keys were known */
	uint64		lock_wait;		/* of this session, before */
	TviewRefresh refresh;
} TviewMeasure;

extern void tview_measure_flush_begin(void);
extern void tview_measure_flush_end(bool done);
extern void tview_measure_begin(TviewMeasure *measure, Oid tview);
extern void tview_measure_locked(TviewMeasure *measure);
extern void tview_measure_derived(TviewMeasure *measure,
								  const struct TviewKeys *keys);
extern void tview_measure_end(TviewMeasure *measure);
extern void tview_measure_failed(const TviewMeasure *measure,
								 MemoryContext context);

#endif							/* TVIEW_MEASURE_H */
