/*-------------------------------------------------------------------------
 *
 * empty.h
 *	  Whether a table has rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_EMPTY_H
#define TVIEW_EMPTY_H

extern bool tview_table_is_empty(Oid relid);
extern bool tview_table_is_loading(Oid relid);

#endif							/* TVIEW_EMPTY_H */
