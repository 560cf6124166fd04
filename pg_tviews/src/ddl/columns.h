/*-------------------------------------------------------------------------
 *
 * columns.h
 *	  Changing the columns of a TVIEW's view and table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_COLUMNS_H
#define TVIEW_COLUMNS_H

#include "nodes/parsenodes.h"

/* What the columns of a view have to become */
typedef struct TviewColumnChange
{
	List	   *removed;		/* names */
	List	   *added;			/* of ColumnDef, in the order of the query */
} TviewColumnChange;

extern int	tview_columns_count(Oid relid);
extern TviewColumnChange *tview_columns_compare(Oid view, Query *query);
extern void tview_columns_sort(Oid view, const TviewColumnChange *change,
							   Query *query, const char *name);
extern List *tview_columns_begin(Oid tview, Oid view,
								 const TviewColumnChange *change);
extern void tview_columns_change(Oid tview, Oid view,
								 const TviewColumnChange *change);
extern void tview_columns_end(Oid view, List *dependents);
extern void tview_columns_check_new(Oid tview, const char *column);
extern List *tview_columns_missing(Oid tview, Oid view);
extern void tview_columns_add(Oid tview, Oid view, const char *column);

#endif							/* TVIEW_COLUMNS_H */
