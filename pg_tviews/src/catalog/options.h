/*-------------------------------------------------------------------------
 *
 * options.h
 *	  Options of a TVIEW.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_OPTIONS_H
#define TVIEW_OPTIONS_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* Tables that a function is declared to read */
typedef struct TviewReads
{
	char	   *function;		/* signature as given, for regprocedure */
	List	   *tables;			/* names as given, for regclass */
} TviewReads;

typedef struct TviewOptions
{
	bool		rebuild_unmapped;	/* "on_unmapped": "rebuild" */
	bool		time_dependent; /* functions of clock and session are allowed */
	List	   *reads;			/* of TviewReads */
	char	   *fault;			/* why they are not valid; NULL if they are */
	const char *hint;			/* goes with it */
} TviewOptions;

extern TviewOptions *tview_options_read(Jsonb *options);
extern TviewOptions *tview_options_parse(Jsonb *options);
extern TviewOptions *tview_options_copy(const TviewOptions *options);

#endif							/* TVIEW_OPTIONS_H */
