/*-------------------------------------------------------------------------
 *
 * restrict.h
 *	  A definition in a form that is cheap to compute for some keys.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_RESTRICT_H
#define TVIEW_RESTRICT_H

#include "nodes/parsenodes.h"

extern Query *tview_restrict(Query *query, const char *key_column,
							 bool *pushes);

#endif							/* TVIEW_RESTRICT_H */
