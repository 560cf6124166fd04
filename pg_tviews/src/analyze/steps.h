/*-------------------------------------------------------------------------
 *
 * steps.h
 *	  The look-ups of a derivation, which its locks are named after.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_STEPS_H
#define TVIEW_STEPS_H

#include "access/attnum.h"
#include "executor/spi.h"
#include "nodes/bitmapset.h"

struct TviewBuilder;

/* Rows of a table, looked up by their values of some columns, or all of them */
typedef struct TviewLookup
{
	Oid			relid;
	bool		inh;			/* rows of the table's children, too */
	int			ncolumns;		/* 0: all rows */
	AttrNumber *columns;		/* ascending */
	Oid		   *hash_functions; /* of the columns' types, by their equality */
	Oid		   *collations;
	int			tag;			/* what locks of it have in their names;
								 * stands for all of the above */
	int			level;			/* how far from the keys it is, at most; 1:
								 * next to them */
	Bitmapset  *watched;		/* attribute numbers; a row that has changed
								 * in others leads where it did. 0: in any */
} TviewLookup;

/* A look-up on a source's way */
typedef struct TviewStep
{
	TviewLookup *lookup;		/* in the end the plan's */
	Oid		   *hash_functions; /* of the values' types, by the lookup's
								 * columns */
	int		   *links;			/* positions of the values among the source's
								 * links, or NULL */
	char	   *sql;			/* if so: values from arrays $1 ... of link
								 * values; NULL: none are needed */
	bool		repeats;		/* until there are no more values */
	SPIPlanPtr	statement;		/* prepared by refresh/, NULL until used */
} TviewStep;

#define TVIEW_TAG_FIRST_LOOKUP	2
#define TVIEW_TAGS				4096

extern void tview_steps_of_way(struct TviewBuilder *way);
extern void tview_steps_of_walk(struct TviewBuilder *init,
								struct TviewBuilder *step,
								struct TviewBuilder *rest, const char *with);
extern bool tview_lookup_equal(const TviewLookup *a, const TviewLookup *b);

#endif							/* TVIEW_STEPS_H */
