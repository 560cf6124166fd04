/*-------------------------------------------------------------------------
 *
 * judge.h
 *	  Internals of functions.c and judge_types.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_JUDGE_H
#define TVIEW_JUDGE_H

#include "nodes/parsenodes.h"

typedef struct TviewJudgement
{
	const char *name;			/* of the TVIEW */
	bool		time_dependent;
	List	   *declared;		/* of TviewReadsOids */
	List	   *used;			/* OIDs of functions that were met */
	List	   *compared;		/* nodes that are operands of comparisons */
	bool		renders_record; /* a record of unnamed type becomes text */
} TviewJudgement;

extern void tview_judge_session(TviewJudgement *judgement, const char *what,
								const char *hint);
extern bool tview_judge_simple(TviewJudgement *judgement, Oid funcid,
							   bool declared);
extern bool tview_judge_operator(TviewJudgement *judgement, Oid opno,
								 bool declared);
extern bool tview_judge_walker(Node *node, TviewJudgement *judgement);
extern void tview_judge_domain(TviewJudgement *judgement, Oid domain);
extern void tview_judge_type(TviewJudgement *judgement, Oid type, bool input);
extern void tview_judge_types(TviewJudgement *judgement, List *types,
							  bool input);
extern void tview_judge_outputs(TviewJudgement *judgement, List *exprs);
extern void tview_judge_records(TviewJudgement *judgement, Query *query);
extern void tview_judge_comparison(TviewJudgement *judgement, Oid type);
extern void tview_judge_elements(TviewJudgement *judgement, Oid type);

#endif							/* TVIEW_JUDGE_H */
