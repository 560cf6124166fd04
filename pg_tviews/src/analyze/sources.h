/*-------------------------------------------------------------------------
 *
 * sources.h
 *	  The sources of a definition, and the graph of conditions between them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_SOURCES_H
#define TVIEW_SOURCES_H

#include "nodes/bitmapset.h"
#include "nodes/parsenodes.h"

struct TviewScope;

/*
 * One occurrence of a table in a definition, at any depth, or of something
 * else in FROM that has rows: a function, VALUES, an end of a recursion.
 */
typedef struct TviewOccurrence
{
	Oid			relid;			/* InvalidOid: not a table */
	bool		inh;			/* not ONLY: partitions and children too */
	char	   *alias;
	AttrNumber	natts;
	int			original;		/* itself, or the occurrence that this is a
								 * second look at; see scope.c */
	struct TviewScope *scope;	/* level whose FROM has it */
	RangeTblEntry *item;		/* of a function or VALUES */

	/* of an original */
	Bitmapset  *used;			/* attribute numbers that the result needs */
	bool		whole_row;		/* all of them */
	Bitmapset  *computed;		/* virtual generated columns */
	uint64		row_parts;		/* parts of the result that depend on which
								 * rows there are; 0: none needs it */
	uint64	   *parts;			/* ... on a column, by attribute number; [0]:
								 * on all of them */
} TviewOccurrence;

/*
 * Ends of the steps of a recursive CTE, as occurrences: "in" is the row that
 * the last step went on from, "out" a row that the start or an earlier step
 * has made.  "earlier" is a second look at the recursive term, for earlier
 * steps.
 */
typedef struct TviewRecursion
{
	struct TviewScope *scope;	/* of the CTE */
	struct TviewScope *step;
	struct TviewScope *earlier;
	int			choice;			/* its second value: with steps */
	int			references;		/* of step and earlier to the CTE; 2, unless
								 * one has siblings */
	int			in;
	int			earlier_in;
	int			out;
} TviewRecursion;

typedef struct TviewSources
{
	TviewOccurrence *occurrences;
	int			count;
	int			allocated;
	int			shift;			/* while a second look is built: how far it is
								 * from the first */
	struct TviewScope *top;
	List	   *choices;		/* of int: how many there are */
	int			from_choices;	/* number of them outside of sublinks */
	int			sublink_depth;	/* while they are built */
	List	   *recursions;		/* of TviewRecursion */
} TviewSources;

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
	Bitmapset  *occurrences;	/* arguments of items included */
	Bitmapset  *maybe_null;		/* of them, those that may be null-extended
								 * where it holds */
	Bitmapset  *items;			/* functions of others' columns that it needs */
	List	   *regions;		/* of Bitmapset */
} TviewCondition;

/*
 * How the steps of a recursive CTE are gone along: by the values of columns
 * on which the next step depends.  The expressions are over one occurrence in
 * each place.
 */
typedef struct TviewWalk
{
	TviewRecursion *recursion;
	List	   *columns;		/* attribute numbers of the CTE */
	List	   *step_in;		/* what the step equates them with */
	List	   *step_out;		/* what it makes of them */
	List	   *earlier_in;		/* the same of the second look */
	List	   *earlier_out;
	List	   *start_out;		/* what the start makes of them */
} TviewWalk;

/* The conditions, for one branch of every set operation */
typedef struct TviewGraph
{
	TviewSources *sources;
	int		   *choices;		/* by number */
	Bitmapset  *active;			/* occurrences */
	List	   *conditions;		/* of TviewCondition */
	RangeTblEntry **items;		/* by occurrence, over occurrences; NULL: not
								 * an item, or not of that form */
	Bitmapset **item_args;		/* occurrences that it mentions */
	List	   *walks;			/* of TviewWalk, of recursions with steps */
} TviewGraph;

extern TviewSources *tview_sources_find(Query *query);
extern int	tview_sources_top_rtindex(TviewSources *sources, int occurrence);
extern bool tview_is_end(const TviewSources *sources, int occurrence);
extern TviewGraph *tview_graph_build(TviewSources *sources, int *choices);
extern Expr *tview_resolve(TviewGraph *graph, struct TviewScope *scope,
						   Node *expr);
extern Expr *tview_resolve_nullable(TviewGraph *graph,
									struct TviewScope *scope, Node *expr,
									bool *nullable);
extern Expr *tview_resolve_column(TviewGraph *graph, struct TviewScope *scope,
								  int resno, bool *nullable);
extern bool tview_column_is_not_null(const TviewOccurrence *occurrence,
									 AttrNumber attno);
extern bool tview_condition_holds_with(const TviewCondition *condition,
									   int occurrence, int root);
extern Bitmapset *tview_sources_of(Node *expr);
extern Node *tview_strip_relabel(Node *node);

#endif							/* TVIEW_SOURCES_H */
