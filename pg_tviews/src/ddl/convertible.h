/*-------------------------------------------------------------------------
 *
 * convertible.h
 *	  Whether a table that there is can become a TVIEW.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_CONVERTIBLE_H
#define TVIEW_CONVERTIBLE_H

#include "access/tupdesc.h"

extern void tview_convertible_check_name(Oid table, const char *schema,
										 const char *entity);
extern void tview_convertible_check(Oid table, TupleDesc definition,
									const char *key_column);
extern void tview_convertible_check_view(Oid view, Oid table,
										 const char *definition);

#endif							/* TVIEW_CONVERTIBLE_H */
