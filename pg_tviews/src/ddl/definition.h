/*-------------------------------------------------------------------------
 *
 * definition.h
 *	  Definitions as text, with the names that objects have now.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_DEFINITION_H
#define TVIEW_DEFINITION_H

#include "nodes/parsenodes.h"

extern char *tview_definition_text(Query *query);
extern char *tview_definition_of_view(Oid view);
extern bool tview_definition_is_of_view(const char *definition,
										const char *entity, Oid view);
extern void tview_definition_refresh(const char *objects);

#endif							/* TVIEW_DEFINITION_H */
