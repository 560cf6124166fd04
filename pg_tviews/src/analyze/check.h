/*-------------------------------------------------------------------------
 *
 * check.h
 *	  What a definition may not contain.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_CHECK_H
#define TVIEW_CHECK_H

#include "analyze/expand.h"
#include "base/compat.h"
#include "catalog/options.h"

extern void tview_check_statement(Query *query, const char *name);
extern void tview_check_definition(const TviewExpansion *expansion,
								   const char *name,
								   const TviewOptions *options);
extern void tview_check_expression(Node *expr, const char *name,
								   const TviewOptions *options);
pg_noreturn extern void tview_refuse(const char *name, const char *reason,
									 const char *hint);
pg_noreturn extern void tview_refuse_unmapped(const char *name,
											  const char *table,
											  const char *construct,
											  const char *rewrite);

#endif							/* TVIEW_CHECK_H */
