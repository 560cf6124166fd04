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

extern void tview_check_statement(Query *query, const char *name);
extern void tview_check_definition(const TviewExpansion *expansion,
								   const char *name);
extern void tview_check_table(Oid relid, Oid owner, const char *name);
extern void tview_refuse(const char *name, const char *reason,
						 const char *hint) pg_attribute_noreturn();

#endif							/* TVIEW_CHECK_H */
