/*-------------------------------------------------------------------------
 *
 * statement.h
 *	  Running the prepared statements of a refresh.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_STATEMENT_H
#define TVIEW_STATEMENT_H

#include "analyze/plan.h"
#include "executor/spi.h"
#include "utils/snapshot.h"

/*
 * With more keys or changes than that, planning costs little, and a plan that
 * was made for other numbers, or when tables were empty, a lot.
 */
#define TVIEW_MANY_KEYS		1000

/* What is being done, for the context of an error */
typedef struct TviewStatementContext
{
	const TviewPlan *plan;
	const TviewSource *source;	/* being derived from, or NULL */
	int			count;			/* of keys; 0: all */
	int			trigger_depth;	/* of the statement */
	ErrorContextCallback callback;
} TviewStatementContext;

extern int	tview_trigger_depth(void);
extern void tview_trace_key(Datum key, Oid type);
extern char *tview_value_text(Datum value, Oid type);
extern void tview_context_push(TviewStatementContext *context,
							   const TviewPlan *plan,
							   const TviewSource *source);
extern void tview_context_pop(TviewStatementContext *context);
extern SPIPlanPtr tview_statement_prepare(const char *sql, int nargs, Oid *types);
extern SPIPlanPtr tview_statement_prepare_once(const char *sql, int nargs, Oid *types);
extern void tview_statement_execute(SPIPlanPtr plan, Datum *values, Snapshot snapshot,
									bool traces_keys);

#endif							/* TVIEW_STATEMENT_H */
