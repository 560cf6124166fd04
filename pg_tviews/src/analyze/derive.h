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

/* A step of a path: rows of a table found by values of these columns */
typedef struct TviewHop
{
	Oid			relid;
	List	   *columns;		/* attribute numbers */
} TviewHop;

typedef struct TviewSource
{
	TviewSourceKind kind;
	Oid			relid;
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
	List	   *path;			/* of int: occurrences on the way, for users */
	List	   *hops;			/* of TviewHop: look-ups that want an index */
} TviewSource;

typedef struct TviewDerivation
{
	TviewSources *graph;
	int			root;			/* occurrence */
	AttrNumber	root_attno;		/* its key column */
	int			root_rtindex;	/* item of FROM that has it */
	TviewSource *sources;		/* one for each occurrence */
	int			count;
	List	   *parts;			/* of TviewPart */
	bool		unique;			/* the definition can't return a key twice */
	bool		nullable;		/* it may return a null key */
} TviewDerivation;

extern TviewDerivation *tview_derive(Query *query, const char *key_column,
									 const char *name,
									 const TviewOptions *options);
extern bool tview_is_unique(const TviewDerivation *derivation, Query *query);
extern AttrNumber tview_equated_column(const TviewCondition *condition,
									   int occurrence, Node **other);

#endif							/* TVIEW_DERIVE_H */
