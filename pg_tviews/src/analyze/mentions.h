/*-------------------------------------------------------------------------
 *
 * mentions.h
 *	  What the text of a plan names besides tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_MENTIONS_H
#define TVIEW_MENTIONS_H

#include "nodes/pg_list.h"

extern List *tview_mentions_relations(List *views);
extern List *tview_mentions_types(List *views);

#endif							/* TVIEW_MENTIONS_H */
