/*-------------------------------------------------------------------------
 *
 * reads.h
 *	  Functions of definitions, and the tables they are declared to read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_READS_H
#define TVIEW_READS_H

#include "catalog/options.h"

/* TviewReads with its names looked up */
typedef struct TviewReadsOids
{
	Oid			function;
	List	   *tables;			/* OIDs */
} TviewReadsOids;

extern List *tview_reads_resolve(const TviewOptions *options, bool missing_ok);
extern Jsonb *tview_reads_name(Jsonb *options, List *reads);
extern List *tview_reads_tables(const TviewOptions *options);

#endif							/* TVIEW_READS_H */
