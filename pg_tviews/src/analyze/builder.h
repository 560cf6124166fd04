/*-------------------------------------------------------------------------
 *
 * builder.h
 *	  Putting together a query over the occurrences of a definition.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_BUILDER_H
#define TVIEW_BUILDER_H

#include "analyze/derive.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"

struct ParseState;

/* A query being put together; its expressions are over occurrences first */
typedef struct TviewBuilder
{
	const TviewSearch *search;
	TviewSource *source;
	int			changed;		/* occurrence whose changed rows are in FROM,
								 * or -1 */
	int			walk;			/* end of the steps that the walk's rows stand
								 * for, or -1 */
	List	   *columns;		/* of the walk */
	List	   *nodes;			/* of int: occurrences in FROM */
	List	   *quals;
	List	   *targets;
	Bitmapset  *items;

	struct ParseState *pstate;
	List	   *from;
	int		   *rtindexes;		/* by occurrence */
} TviewBuilder;

extern void tview_builder_start(TviewBuilder *builder,
								const TviewSearch *search,
								TviewSource *source, int changed, int walk,
								List *columns);
extern void tview_builder_add_conditions(TviewBuilder *builder);
extern Bitmapset *tview_builder_columns(const TviewBuilder *builder,
										int occurrence);
extern void tview_builder_set_links(TviewBuilder *builder);
extern char *tview_builder_walk_columns(int count);
extern char *tview_builder_finish(TviewBuilder *builder);

#endif							/* TVIEW_BUILDER_H */
