/*-------------------------------------------------------------------------
 *
 * expand.h
 *	  From a definition as written to one that reads only tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_EXPAND_H
#define TVIEW_EXPAND_H

#include "nodes/parsenodes.h"

typedef struct TviewExpansion
{
	Query	   *query;			/* reads tables only */
	List	   *tables;			/* OIDs of those tables, each once, ascending */
	List	   *helpers;		/* OIDs of plain views that were expanded */
	List	   *views;			/* OIDs of TVIEWs' views that were replaced */
} TviewExpansion;

extern TviewExpansion *tview_expand(Query *query);
extern Query *tview_view_query(Oid view);

#endif							/* TVIEW_EXPAND_H */
