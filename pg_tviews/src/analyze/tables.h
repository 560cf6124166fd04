/*-------------------------------------------------------------------------
 *
 * tables.h
 *	  What the tables that a definition reads must be.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_TABLES_H
#define TVIEW_TABLES_H

#include "analyze/expand.h"
#include "catalog/options.h"

extern void tview_tables_check(const TviewExpansion *expansion, Oid owner,
							   const char *name, const TviewOptions *options);
extern void tview_tables_check_kinds(List *relids, const char *name);
extern void tview_tables_check_again(Oid tview);

#endif							/* TVIEW_TABLES_H */
