/*-------------------------------------------------------------------------
 *
 * replace.h
 *	  CREATE OR REPLACE VIEW of views that TVIEWs are maintained by.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_REPLACE_H
#define TVIEW_REPLACE_H

#include "nodes/parsenodes.h"

extern void tview_replace_start(ViewStmt *stmt);
extern void tview_replace_end(ViewStmt *stmt);

#endif							/* TVIEW_REPLACE_H */
