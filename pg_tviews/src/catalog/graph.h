/*-------------------------------------------------------------------------
 *
 * graph.h
 *	  The TVIEWs of this database and what they read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_GRAPH_H
#define TVIEW_GRAPH_H

#include "base/compat.h"
#include "catalog/options.h"
#include "nodes/pg_list.h"

#define TVIEW_MAX_LEVEL		10	/* TVIEWs over TVIEWs over ... */
#define TVIEW_NOTICE_LEVEL	5

typedef struct Tview
{
	Oid			tview;
	Oid			view;
	Oid			root;
	char	   *entity;
	char	   *key_column;
	List	   *dependencies;	/* OIDs of the tables it reads */
	TviewOptions *options;		/* see tview_graph_options() */
	const char *fault;			/* why it can't be maintained, as a sentence;
								 * or NULL */
	char	   *policies;		/* that its rows go by; empty: none */
	int			level;			/* 1 if it reads no other TVIEW */
	bool		suspended;		/* itself */
	Oid			suspended_by;	/* itself, or one that it reads; or InvalidOid */
	bool		by_policies;	/* its rows go by policies, or of one it reads */
	TransactionId changed_by;	/* who has last changed its metadata */
} Tview;

extern List *tview_graph_all(void);
extern bool tview_graph_is_table(Oid relid);
pg_noreturn extern void tview_graph_report_damaged(const Tview *tview,
												   const char *detail);
extern void tview_graph_check(const Tview *tview);
extern TviewOptions *tview_graph_options(const Tview *tview);
extern Tview *tview_graph_find(Oid tview);
extern Tview *tview_graph_find_view(Oid view);
extern Tview *tview_graph_find_name(const char *input, bool missing_ok);
extern List *tview_graph_readers(Oid relid);
extern List *tview_graph_with_readers(List *tviews, Oid tview);
extern List *tview_graph_row_readers(Oid relid);
extern int	tview_graph_level(List *dependencies);
extern uint64 tview_graph_generation(void);
extern void tview_graph_announce(void);
extern void tview_graph_invalidate(Oid relid);

#endif							/* TVIEW_GRAPH_H */
