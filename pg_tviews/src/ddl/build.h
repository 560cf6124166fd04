/*-------------------------------------------------------------------------
 *
 * build.h
 *	  Filling a new TVIEW.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_BUILD_H
#define TVIEW_BUILD_H

#include "analyze/plan.h"

extern uint64 tview_build(const TviewPlan *plan);

#endif							/* TVIEW_BUILD_H */
