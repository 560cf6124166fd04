/*-------------------------------------------------------------------------
 *
 * follow.h
 *	  Names, schemas and owners of TVIEWs and of what they read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_FOLLOW_H
#define TVIEW_FOLLOW_H

#include "nodes/parsenodes.h"

extern void tview_follow_names_start(Node *statement);
extern void tview_follow_names_end(Node *statement);
extern void tview_follow_columns(void);
extern void tview_follow_table(AlterTableStmt *stmt);

#endif							/* TVIEW_FOLLOW_H */
