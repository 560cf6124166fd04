/*-------------------------------------------------------------------------
 *
 * xact.h
 *	  Transaction callbacks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_XACT_H
#define TVIEW_XACT_H

extern void tview_xact_install(void);

#endif							/* TVIEW_XACT_H */
