/*-------------------------------------------------------------------------
 *
 * apply.h
 *	  Making the rows of a TVIEW what they should be.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_APPLY_H
#define TVIEW_APPLY_H

#include "analyze/plan.h"
#include "utils/snapshot.h"
#include "utils/tuplestore.h"

struct TviewKeys;

/* How many rows were written */
typedef struct TviewWritten
{
	uint64		inserted;
	uint64		updated;
	uint64		deleted;
} TviewWritten;

extern void tview_apply_keys(TviewPlan *plan, const struct TviewKeys *keys,
							 Snapshot snapshot);
extern TviewWritten tview_apply_all(TviewPlan *plan, const char *source,
									Snapshot snapshot);
extern void tview_apply_list(const TviewPlan *plan, bool detailed,
							 Snapshot snapshot, Tuplestorestate *rows);

#endif							/* TVIEW_APPLY_H */
