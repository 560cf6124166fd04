/*-------------------------------------------------------------------------
 *
 * scope.h
 *	  Query levels of a definition: internals of sources.c and needs.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_SCOPE_H
#define TVIEW_SCOPE_H

#include "analyze/sources.h"
#include "nodes/primnodes.h"

/* What a range table entry stands for */
typedef struct TviewBinding
{
	int			occurrence;		/* of a table, or -1 */
	struct TviewScope *scope;	/* of a subquery or CTE, or NULL */
} TviewBinding;

/* Condition of one join or WHERE, kept until all of FROM is known */
typedef struct TviewQuals
{
	Node	   *expr;
	List	   *regions;
	Bitmapset  *nulled;			/* null-extended below this place */
	bool		where;
} TviewQuals;

/* One query level */
typedef struct TviewScope
{
	Query	   *query;
	struct TviewScope *parent;
	TviewBinding *bindings;		/* by range table index */
	Bitmapset  *occurrences;	/* in FROM, nested ones included */
	Bitmapset  *nulled;			/* of them, those that may be null-extended */
	Bitmapset  *nulled_rtes;	/* the same, as range table indexes */
	Bitmapset  *outer_nulled;	/* the same of the levels above */
	uint64		parts;			/* that this level has been walked for */
	uint64	   *output_parts;	/* the same of its outputs, by number */
	List	   *quals;			/* of TviewQuals */
	bool		barrier;		/* conditions on outputs say nothing about the
								 * rows inside */
} TviewScope;

extern TviewScope *tview_scope_of_sublink(TviewSources *sources,
										  SubLink *sublink, TviewScope *scope);
extern TviewScope *tview_scope_up(TviewScope *scope, Index levelsup);

#endif							/* TVIEW_SCOPE_H */
