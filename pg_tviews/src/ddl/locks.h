/*-------------------------------------------------------------------------
 *
 * locks.h
 *	  Locks that DDL takes before the server does.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_LOCKS_H
#define TVIEW_LOCKS_H

#include "nodes/parsenodes.h"

extern void tview_locks_take(List *tables, List *tviews);
extern void tview_locks_start(Node *stmt);

#endif							/* TVIEW_LOCKS_H */
