/*-------------------------------------------------------------------------
 *
 * triggers.h
 *	  The triggers of pg_tviews on the tables of others and on TVIEWs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_TRIGGERS_H
#define TVIEW_TRIGGERS_H

#include "nodes/parsenodes.h"

/* A trigger that a table should have */
typedef struct TviewTrigger
{
	const char *name;
	const char *function;
	int16		type;			/* see pg_trigger.h */
	const char *events;			/* of CREATE TRIGGER */
	const char *level;
	char		enabled;		/* see commands/trigger.h */
} TviewTrigger;

extern List *tview_triggers_wanted(Oid relid, const char *function);
extern char tview_triggers_mode(Oid relid, const TviewTrigger *trigger);
extern void tview_triggers_make(Oid relid, const TviewTrigger *trigger);
extern void tview_triggers_enable(Oid relid, const char *name, char enabled);
extern void tview_triggers_capture(Oid relid);
extern void tview_triggers_mend(Oid relid);
extern void tview_triggers_replace(Oid relid, bool by_statement);
extern bool tview_triggers_set_replicated(Oid relid, bool replicated);
extern RangeVar *tview_triggers_table_to_enable(Node *stmt);
extern void tview_triggers_enable_start(Node *stmt);
extern void tview_triggers_check(Oid relid);
extern void tview_triggers_guard(Oid relid);
extern void tview_triggers_drop_capture(Oid relid);
extern void tview_triggers_release(List *tables);

#endif							/* TVIEW_TRIGGERS_H */
