/*-------------------------------------------------------------------------
 *
 * suspend.h
 *	  Suspending and resuming TVIEWs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_SUSPEND_H
#define TVIEW_SUSPEND_H

#include "nodes/pg_list.h"

extern List *tview_suspend_all(void);
extern void tview_suspend_follow(List *before);
extern void tview_suspend_lay_tripwires(void);
extern void tview_suspend_at_pre_commit(void);
extern void tview_suspend_at_xact_end(void);

#endif							/* TVIEW_SUSPEND_H */
