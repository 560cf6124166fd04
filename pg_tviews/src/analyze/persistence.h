/*-------------------------------------------------------------------------
 *
 * persistence.h
 *	  Whether a TVIEW must be lost in a crash, as its tables are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_PERSISTENCE_H
#define TVIEW_PERSISTENCE_H

#include "analyze/plan.h"

extern bool tview_plan_is_unlogged(const TviewPlan *plan, const char *name);

#endif							/* TVIEW_PERSISTENCE_H */
