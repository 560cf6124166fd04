/*-------------------------------------------------------------------------
 *
 * intercept.h
 *	  Statements of others that make, change, or break a TVIEW.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_INTERCEPT_H
#define TVIEW_INTERCEPT_H

#include "nodes/parsenodes.h"

extern void tview_intercept_create_start(CreateTableAsStmt *stmt);
extern void tview_intercept_create_end(CreateTableAsStmt *stmt);
extern void tview_intercept_view(ViewStmt *stmt);
extern void tview_intercept_shapes(void);

#endif							/* TVIEW_INTERCEPT_H */
