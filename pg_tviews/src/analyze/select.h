/*-------------------------------------------------------------------------
 *
 * select.h
 *	  What is asked of the SELECT that defines a TVIEW.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_SELECT_H
#define TVIEW_SELECT_H

#include "access/tupdesc.h"
#include "nodes/parsenodes.h"

extern Query *tview_select_parse(const char *definition, const char *name);
extern Form_pg_attribute tview_select_find_column(TupleDesc desc,
												  const char *name);
extern void tview_select_check_columns(TupleDesc desc, const char *entity,
									   const char *key_column);
extern void tview_select_check_level(List *tables, const char *entity);

#endif							/* TVIEW_SELECT_H */
