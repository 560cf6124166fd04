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
extern char *tview_intercept_helper_user(Oid helper);
extern void tview_intercept_rule(RuleStmt *stmt);
extern void tview_intercept_trigger(CreateTrigStmt *stmt);
extern void tview_intercept_trigger_made(CreateTrigStmt *stmt);
extern void tview_intercept_shapes(RangeVar *altered, bool columns);
extern void tview_intercept_whole_rows(Oid relid);
extern void tview_intercept_expressions(RangeVar *altered);
extern void tview_intercept_types(void);
extern void tview_intercept_functions(void);
extern void tview_intercept_drop_casts(void);
extern void tview_intercept_drop_trigger(void);

#endif							/* TVIEW_INTERCEPT_H */
