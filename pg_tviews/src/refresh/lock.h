/*-------------------------------------------------------------------------
 *
 * lock.h
 *	  Locks that keep refreshes of one TVIEW apart.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_LOCK_H
#define TVIEW_LOCK_H

extern void tview_lock(Oid tview);

#endif							/* TVIEW_LOCK_H */
