/*-------------------------------------------------------------------------
 *
 * inherits.h
 *	  Partitions and child tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_INHERITS_H
#define TVIEW_INHERITS_H

#include "nodes/pg_list.h"

extern List *tview_inherits_ancestors(Oid relid);
extern List *tview_inherits_trees(List *relids);
extern double tview_inherits_rows(Oid relid);
extern bool tview_inherits_has_children(Oid relid);

#endif							/* TVIEW_INHERITS_H */
