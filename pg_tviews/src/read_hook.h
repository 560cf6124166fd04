/*-------------------------------------------------------------------------
 *
 * read_hook.h
 *	  Queries see what their transaction has changed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_READ_HOOK_H
#define TVIEW_READ_HOOK_H

extern void tview_read_hook_install(void);

#endif							/* TVIEW_READ_HOOK_H */
