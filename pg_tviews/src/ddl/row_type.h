/*-------------------------------------------------------------------------
 *
 * row_type.h
 *	  What is made of the row type of a view.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_ROW_TYPE_H
#define TVIEW_ROW_TYPE_H

#include "nodes/pg_list.h"

extern List *tview_row_type_users(Oid view);

#endif							/* TVIEW_ROW_TYPE_H */
