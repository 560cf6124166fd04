/*-------------------------------------------------------------------------
 *
 * frontier.h
 *	  Locking what a refresh depends on, and finding its keys.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_FRONTIER_H
#define TVIEW_FRONTIER_H

#include "analyze/plan.h"
#include "utils/snapshot.h"

struct TviewKeys;
struct TviewLocks;

extern Snapshot tview_frontier_snapshot(bool at_commit);
extern struct TviewKeys *tview_frontier_lock(TviewPlan *plan, List *changes,
											 struct TviewLocks *locks,
											 bool at_commit);

#endif							/* TVIEW_FRONTIER_H */
