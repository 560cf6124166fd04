/*-------------------------------------------------------------------------
 *
 * functions.h
 *	  Functions that a definition may not call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_FUNCTIONS_H
#define TVIEW_FUNCTIONS_H

#include "catalog/options.h"
#include "nodes/parsenodes.h"

extern void tview_functions_check(Query *query, const char *name,
								  const TviewOptions *options);
extern void tview_functions_check_expression(Node *expr, const char *name,
											 const TviewOptions *options);

#endif							/* TVIEW_FUNCTIONS_H */
