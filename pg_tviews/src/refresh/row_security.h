/*-------------------------------------------------------------------------
 *
 * row_security.h
 *	  Refreshing under the policies that apply to a TVIEW's owner.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_ROW_SECURITY_H
#define TVIEW_ROW_SECURITY_H

#include "analyze/plan.h"

extern void tview_row_security_check(const TviewPlan *plan);
extern void tview_row_security_enter(const TviewPlan *plan);
extern bool tview_row_security_judge(Oid tview);

#endif							/* TVIEW_ROW_SECURITY_H */
