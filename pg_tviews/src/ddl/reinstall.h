/*-------------------------------------------------------------------------
 *
 * reinstall.h
 *	  Finding and mending triggers that are not as they should be.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_REINSTALL_H
#define TVIEW_REINSTALL_H

typedef void (*TviewReportTrigger) (void *arg, Oid relid, const char *trigger,
									const char *problem,
									const char *function);

extern void tview_reinstall_report(TviewReportTrigger report, void *arg);
extern void tview_reinstall_check(Oid tview);

#endif							/* TVIEW_REINSTALL_H */
