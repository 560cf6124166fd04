/*-------------------------------------------------------------------------
 *
 * drop.h
 *	  Removing TVIEWs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_DROP_H
#define TVIEW_DROP_H

#include "nodes/parsenodes.h"

extern void tview_drop_lock(DropStmt *stmt);
extern void tview_drop_rest(DropBehavior behavior, const char *command);
extern void tview_drop_lost(const char *command);

#endif							/* TVIEW_DROP_H */
