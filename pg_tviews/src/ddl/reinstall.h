/*-------------------------------------------------------------------------
 *
 * reinstall.h
 *	  Finding and mending triggers that are not as they should be.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_REINSTALL_H
#define TVIEW_REINSTALL_H

extern void tview_reinstall_check(Oid tview);

#endif							/* TVIEW_REINSTALL_H */
