/*-------------------------------------------------------------------------
 *
 * filters.h
 *	  Conditions that keep what may fail from failing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_FILTERS_H
#define TVIEW_FILTERS_H

#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"

struct TviewGraph;

extern bool tview_may_fail(Node *expr);
extern List *tview_filters_find(const struct TviewGraph *graph,
								Bitmapset *present);

#endif							/* TVIEW_FILTERS_H */
