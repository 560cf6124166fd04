/*-------------------------------------------------------------------------
 *
 * dependencies.h
 *	  What holds a TVIEW together in the server's catalogs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_DEPENDENCIES_H
#define TVIEW_DEPENDENCIES_H

#include "nodes/pg_list.h"

extern void tview_dependencies_record(Oid table, Oid view, List *reads);
extern void tview_dependencies_forget(Oid table, List *reads);
extern void tview_dependencies_restore(void);

#endif							/* TVIEW_DEPENDENCIES_H */
