/*-------------------------------------------------------------------------
 *
 * dependencies.h
 *	  What holds a TVIEW together in the server's catalogs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_DEPENDENCIES_H
#define TVIEW_DEPENDENCIES_H

extern void tview_dependencies_record(Oid table, Oid view);
extern void tview_dependencies_restore(void);

#endif							/* TVIEW_DEPENDENCIES_H */
