/*-------------------------------------------------------------------------
 *
 * operators.h
 *	  Operators that the text of a query doesn't name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_OPERATORS_H
#define TVIEW_OPERATORS_H

#include "nodes/parsenodes.h"

extern Query *tview_operators_spell(Query *query);

#endif							/* TVIEW_OPERATORS_H */
