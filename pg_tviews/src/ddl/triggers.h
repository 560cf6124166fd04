/*-------------------------------------------------------------------------
 *
 * triggers.h
 *	  The triggers of pg_tviews on the tables of others and on TVIEWs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_TRIGGERS_H
#define TVIEW_TRIGGERS_H

#include "nodes/pg_list.h"

#define TVIEW_CAPTURE_FUNCTION	"pg_tviews_capture"
#define TVIEW_GUARD_FUNCTION	"pg_tviews_guard"

/* A trigger that a table should have */
typedef struct TviewTrigger
{
	const char *name;
	const char *function;
	int16		type;			/* see pg_trigger.h */
	const char *events;			/* of CREATE TRIGGER */
	const char *level;
} TviewTrigger;

extern List *tview_triggers_wanted(Oid relid, const char *function);
extern void tview_triggers_make(Oid relid, const TviewTrigger *trigger);
extern List *tview_triggers_find(Oid relid, const char *function);
extern bool tview_triggers_are_complete(Oid relid);
extern void tview_triggers_capture(Oid relid);
extern void tview_triggers_guard(Oid relid);
extern void tview_triggers_drop_capture(Oid relid);
extern void tview_triggers_release(List *tables);
extern List *tview_triggers_tables(const char *function);
extern List *tview_triggers_captured(void);

#endif							/* TVIEW_TRIGGERS_H */
