/*-------------------------------------------------------------------------
 *
 * persistence.h
 *	  Keeping TVIEWs logged or unlogged as their tables are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_DDL_PERSISTENCE_H
#define TVIEW_DDL_PERSISTENCE_H

#include "nodes/parsenodes.h"

#include "analyze/plan.h"

extern void tview_persistence_set(const TviewPlan *plan, const char *entity);
extern void tview_persistence_follow(List *tviews);
extern void tview_persistence_altered(AlterTableStmt *stmt);

#endif							/* TVIEW_DDL_PERSISTENCE_H */
