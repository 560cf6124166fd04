/*-------------------------------------------------------------------------
 *
 * triggers.h
 *	  Which triggers of pg_tviews there are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_CATALOG_TRIGGERS_H
#define TVIEW_CATALOG_TRIGGERS_H

#include "nodes/pg_list.h"

#define TVIEW_CAPTURE_FUNCTION	"pg_tviews_capture"
#define TVIEW_GUARD_FUNCTION	"pg_tviews_guard"

struct HeapTupleData;
struct RelationData;

extern bool tview_triggers_is_partial(struct HeapTupleData *tuple,
									  struct RelationData *rel);
extern List *tview_triggers_find(Oid relid, const char *function);
extern bool tview_triggers_are_complete(Oid relid);
extern bool tview_triggers_by_statement(Oid relid);
extern bool tview_triggers_replicated(Oid relid);
extern bool tview_triggers_let_by(Oid relid);
extern List *tview_triggers_in_other_mode(Oid relid, char mode);
extern char *tview_triggers_obstacle(Oid relid);
extern List *tview_triggers_tables(const char *function);
extern List *tview_triggers_captured(void);

#endif							/* TVIEW_CATALOG_TRIGGERS_H */
