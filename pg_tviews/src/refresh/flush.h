/*-------------------------------------------------------------------------
 *
 * flush.h
 *	  Draining the queue: refreshing what the transaction has changed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_FLUSH_H
#define TVIEW_FLUSH_H

#include "access/xact.h"
#include "analyze/plan.h"
#include "refresh/apply.h"

/* What became of a TVIEW that was rebuilt */
typedef struct TviewRebuilt
{
	Oid			tview;
	TviewWritten written;
} TviewRebuilt;

extern void tview_flush(bool at_commit);
extern void tview_flush_for_ddl(void);
extern bool tview_flush_must_repeat(void);
extern void tview_flush_before_deferred(void);
extern bool tview_flush_affects(List *relids);
extern bool tview_flush_running(void);
extern bool tview_flush_in_trigger(void);
extern bool tview_flush_done(CommandId *command);
extern void tview_flush_set_constraints(Oid relid, bool deferred);
extern TviewWritten tview_flush_rebuild(TviewPlan *plan,
										Tuplestorestate *rows);
extern List *tview_flush_rebuild_all(List *tviews);
extern void tview_flush_at_xact_end(void);

#endif							/* TVIEW_FLUSH_H */
