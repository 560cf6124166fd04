/*-------------------------------------------------------------------------
 *
 * needs.h
 *	  Which parts of a TVIEW's row depend on which columns of its sources.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_NEEDS_H
#define TVIEW_NEEDS_H

#include "analyze/sources.h"

/*
 * Sets of parts are bit masks.  The last bit stands for the row as a whole:
 * whether it is there, and everything in it.
 */
#define TVIEW_PART_ROW		(UINT64CONST(1) << 63)
#define TVIEW_MAX_PARTS		62

/* One part of a row: a column, or a pair of the document */
typedef struct TviewPart
{
	int			resno;			/* output of the definition */
	int			pair;			/* number of the pair in the call of
								 * jsonb_build_object(), or -1 */
	char	   *name;			/* of the column, or the pair's key */
} TviewPart;

extern List *tview_parts_find(Query *query);
extern void tview_needs_find(TviewSources *sources, Query *query, List *parts);
extern Query *tview_parts_query(Query *query, List *parts, uint64 wanted,
								const char *key_column, int root_rtindex);

#endif							/* TVIEW_NEEDS_H */
