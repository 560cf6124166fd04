/*-------------------------------------------------------------------------
 *
 * derive.h
 *	  How a changed row of a source reaches the keys of a TVIEW.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_DERIVE_H
#define TVIEW_DERIVE_H

#include "access/attnum.h"
#include "analyze/needs.h"
#include "analyze/sources.h"
#include "catalog/options.h"

typedef enum TviewSourceKind
{
	TVIEW_LOCAL,				/* the key is a column of the source */
	TVIEW_MAPPED,				/* a path of conditions leads to such a source */
	TVIEW_ALL					/* neither: the TVIEW is rebuilt */
} TviewSourceKind;

/* A step of a path: rows of a table found by values of these */
typedef struct TviewHop
{
	Oid			relid;
	List	   *columns;		/* attribute numbers */
	List	   *exprs;			/* over the table as number 1 */
} TviewHop;

/* One way from an occurrence of a table to keys; there may be several */
typedef struct TviewSource
{
	TviewSourceKind kind;
	int			number;			/* of the occurrence */
	Oid			relid;
	bool		inh;			/* rows of the table's children, too */
	char	   *alias;
	Bitmapset  *used;			/* attribute numbers; a change of others is of
								 * no interest */
	bool		whole_row;
	uint64		row_parts;		/* parts of the TVIEW's row that depend on
								 * which rows the source has */
	uint64	   *parts;			/* ... on a column, by attribute number; [0]:
								 * on all of them */
	int			nlinks;			/* columns that the derivation starts from;
								 * for a local source one, the key */
	AttrNumber *links;
	Oid		   *link_types;
	char	   *sql;			/* of a mapped source: keys from arrays $1 ...
								 * of link values */
	List	   *path;			/* of char *: aliases on the way, for users */
	List	   *hops;			/* of TviewHop: look-ups that want an index */
	List	   *steps;			/* of TviewStep: look-ups that want a lock */
} TviewSource;

typedef struct TviewDerivation
{
	TviewGraph *graph;			/* of the first combination of branches */
	int			root;			/* occurrence that the key is from, in it */
	AttrNumber	root_attno;		/* its key column; 0: an expression */
	int			root_rtindex;	/* item of FROM that has it */
	List	   *roots;			/* OIDs of the tables that keys are from;
								 * InvalidOid for VALUES and the like */
	List	   *sources;		/* of TviewSource */
	List	   *parts;			/* of TviewPart */
	bool		unique;			/* the definition can't return a key twice */
	bool		nullable;		/* it may return a null key */
} TviewDerivation;

/* An occurrence during the search */
typedef struct TviewReached
{
	int			rank;			/* in the order of reaching; 0: not reached */
	int			next;			/* one step nearer to the root, or -1 */
	Bitmapset  *via;			/* all that the step joins */
	AttrNumber	key;			/* column that equals the key, or 0 */
} TviewReached;

/* The search of one graph for ways to one source of keys */
typedef struct TviewSearch
{
	TviewGraph *graph;
	int			root;
	Expr	   *key;			/* over the root, or over items computed from
								 * it */
	Bitmapset  *key_items;		/* those items */
	AttrNumber	root_attno;		/* its column, or 0 */
	Bitmapset  *blocked;		/* occurrences that are not to be reached yet */
	List	   *opened;			/* of TviewWalk */
	List	   *forward;		/* of them, those walked forward */
	int			last_rank;
	TviewReached *reached;		/* by occurrence */
} TviewSearch;

extern TviewDerivation *tview_derive(Query *query, const char *key_column,
									 const char *name,
									 const TviewOptions *options);
extern bool tview_is_unique(const TviewDerivation *derivation, Query *query);
extern AttrNumber tview_equated_column(const TviewCondition *condition,
									   int occurrence, Node **other);
extern void tview_search(TviewSearch *search);
extern bool tview_is_earlier_step(const TviewSearch *search, int occurrence);
extern bool tview_condition_usable(const TviewSearch *search,
								   const TviewCondition *condition,
								   int occurrence);
extern const char *tview_map(const TviewSearch *search, int occurrence,
							 TviewSource *source);

#endif							/* TVIEW_DERIVE_H */
