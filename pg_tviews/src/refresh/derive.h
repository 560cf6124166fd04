/*-------------------------------------------------------------------------
 *
 * derive.h
 *	  From changes to the keys of a TVIEW, and the values looked up on the way.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_REFRESH_DERIVE_H
#define TVIEW_REFRESH_DERIVE_H

#include "analyze/plan.h"
#include "utils/snapshot.h"

struct TviewKeys;

/* The changes of a mapped source, by link column */
typedef struct TviewSourceChanges
{
	int			number;			/* in the plan */
	TviewSource *source;
	uint64		parts;
	int			count;
	Datum	  **values;
	bool	  **nulls;
	Datum	   *arrays;			/* the same, for statements */
	Oid		   *array_types;
} TviewSourceChanges;

/* The changes of one TVIEW, sorted */
typedef struct TviewChanges
{
	TviewPlan  *plan;
	List	   *keys;			/* of TviewChange */
	List	   *appeared;		/* of TviewChange */
	List	   *sources;		/* of TviewSourceChanges */
} TviewChanges;

extern TviewChanges *tview_changes_sort(TviewPlan *plan, List *changes);
extern void tview_derive_step(TviewPlan *plan, TviewSourceChanges *changes,
							  TviewStep *step, Snapshot snapshot,
							  void (*add) (void *arg, uint32 hash), void *arg);
extern struct TviewKeys *tview_derive_keys(const TviewChanges *changes,
										   Snapshot snapshot);

#endif							/* TVIEW_REFRESH_DERIVE_H */
