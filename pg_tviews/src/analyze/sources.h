/*-------------------------------------------------------------------------
 *
 * sources.h
 *	  The sources of a definition and the conditions that join them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_SOURCES_H
#define TVIEW_SOURCES_H

#include "nodes/bitmapset.h"
#include "nodes/parsenodes.h"

/* One occurrence of a table in a definition, at any depth */
typedef struct TviewOccurrence
{
	Oid			relid;
	char	   *alias;
	AttrNumber	natts;
	Bitmapset  *used;			/* attribute numbers that the result needs */
	bool		whole_row;		/* all of them */
	Bitmapset  *computed;		/* virtual generated columns */
	uint64		row_parts;		/* parts of the result that depend on which
								 * rows there are */
	uint64	   *parts;			/* ... on a column, by attribute number; [0]:
								 * on all of them */
} TviewOccurrence;

/*
 * A conjunct, its Vars rewritten: varno is 1 + the number of an occurrence,
 * varlevelsup is 0.
 *
 * It does not hold everywhere: one from ON of a left join holds only where
 * the right side is not null-extended.  Each region is a set of occurrences;
 * the condition holds in a row combination if every region has an occurrence
 * that is present in it.
 */
typedef struct TviewCondition
{
	Expr	   *expr;
	Bitmapset  *occurrences;
	List	   *regions;		/* of Bitmapset */
} TviewCondition;

/*
 * An item of FROM, with what is in subqueries that only select, that may
 * multiply the rows of the definition.
 */
typedef struct TviewFromItem
{
	int			occurrence;		/* a table; -1: a subquery */
	Bitmapset  *occurrences;
	List	   *group;			/* resolved expressions that are unique in it;
								 * NIL: unknown */
} TviewFromItem;

struct TviewScope;

typedef struct TviewSources
{
	TviewOccurrence *occurrences;
	int			count;
	int			allocated;
	List	   *conditions;		/* of TviewCondition */
	Bitmapset  *nulled;			/* occurrences that an outer join at the top
								 * may null-extend */
	Bitmapset  *required;		/* ... and a strict WHERE condition forbids to */
	struct TviewScope *top;
	List	   *sublinks;		/* pairs of SubLink and its scope */
} TviewSources;

extern TviewSources *tview_sources_find(Query *query);
extern Expr *tview_sources_resolve_output(TviewSources *sources,
										  TargetEntry *tle);
extern Expr *tview_sources_resolve_top(TviewSources *sources, Node *expr);
extern int	tview_sources_top_rtindex(TviewSources *sources, int occurrence);
extern List *tview_sources_from_items(TviewSources *sources);
extern bool tview_condition_holds_with(const TviewCondition *condition,
									   int occurrence, int root);
extern Bitmapset *tview_sources_of(Node *expr);
extern Node *tview_strip_relabel(Node *node);

#endif							/* TVIEW_SOURCES_H */
