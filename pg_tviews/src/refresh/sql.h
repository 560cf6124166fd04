/*-------------------------------------------------------------------------
 *
 * sql.h
 *	  Text of the statements that compare and write a TVIEW.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_SQL_H
#define TVIEW_SQL_H

#include "analyze/plan.h"

extern char *tview_sql_apply_keys(const TviewPlan *plan);
extern char *tview_sql_apply_parts(const TviewPlan *plan, uint64 parts);
extern char *tview_sql_duplicate_keys(const TviewPlan *plan);
extern char *tview_sql_null_key(const TviewPlan *plan);
extern char *tview_sql_duplicate(const TviewPlan *plan, const char *source);
extern char *tview_sql_delete(const TviewPlan *plan, const char *source);
extern char *tview_sql_update(const TviewPlan *plan, const char *source);
extern char *tview_sql_insert(const TviewPlan *plan, const char *source);
extern char *tview_sql_verify(const TviewPlan *plan, bool detailed);
extern char *tview_sql_count_differing(const TviewPlan *plan);

#endif							/* TVIEW_SQL_H */
