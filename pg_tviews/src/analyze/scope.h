/*-------------------------------------------------------------------------
 *
 * scope.h
 *	  Query levels of a definition: internals of the folder.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_SCOPE_H
#define TVIEW_SCOPE_H

#include "analyze/sources.h"
#include "nodes/primnodes.h"

/* Why a change may lead to no key, for messages */
typedef struct TviewObstacle
{
	const char *construct;
	const char *rewrite;		/* a sentence that says how to write it
								 * differently */
} TviewObstacle;

/* What a range table entry stands for */
typedef struct TviewBinding
{
	int			occurrence;		/* or -1 */
	struct TviewScope *scope;	/* of a subquery or CTE, or NULL */
	TviewRecursion *self;		/* of a recursive term's reference to itself;
								 * then scope is the CTE's */
} TviewBinding;

/* Condition of one join or WHERE, kept until all of FROM is known */
typedef struct TviewQuals
{
	Node	   *expr;
	List	   *regions;
	bool		required;		/* it is true of every row of the level */
	Bitmapset  *nulled;			/* null-extended below this place */
} TviewQuals;

/*
 * A second look at a level: the rows that share a window's partition, a
 * DISTINCT ON, or a LIMIT with the rows of the first
 */
typedef struct TviewSibling
{
	struct TviewScope *scope;
	List	   *shared;			/* SortGroupClauses that are equal in both */
} TviewSibling;

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
	List	   *quals;			/* of TviewQuals */
	List	   *sublinks;		/* pairs of SubLink and its scope */
	bool		is_sublink;
	List	   *implied;		/* where one of its rows must be there:
								 * regions of the condition that it is
								 * (EXISTS, IN) */
	List	   *merged;			/* pairs of COALESCE made by FULL JOIN USING
								 * and the number of the choice, as an Integer */
	const TviewObstacle *cause; /* of a second look */
	List	   *siblings;		/* of TviewSibling */
	List	   *branches;		/* of a set operation: scopes; of a recursion:
								 * those of the start */
	bool		merges;			/* equal rows of branches become one */
	int			choice;			/* which of them; its number */
	TviewRecursion *recursion;

	/* needs.c */
	uint64		parts;			/* that this level has been walked for */
	uint64	   *output_parts;	/* the same of its outputs, by number */
} TviewScope;

extern TviewScope *tview_scope_of_sublink(TviewScope *scope,
										  const SubLink *sublink);
extern TviewScope *tview_scope_up(TviewScope *scope, Index levelsup);
extern bool tview_scope_passes_on(const TviewRecursion *recursion,
								  AttrNumber attno);

extern Expr *tview_resolve_test(TviewGraph *graph, TviewScope *scope,
								const SubLink *sublink, bool *nullable);
extern Bitmapset *tview_nonnullable(Node *expr);
extern Expr *tview_make_equality(Node *left, Node *right);
extern void tview_add_condition(TviewGraph *graph, Expr *expr, List *regions,
								Bitmapset *nulled);
extern void tview_walk_add(TviewGraph *graph, TviewRecursion *recursion);

#endif							/* TVIEW_SCOPE_H */
