/*-------------------------------------------------------------------------
 *
 * adopt.h
 *	  Making a TVIEW what its view has become.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_ADOPT_H
#define TVIEW_ADOPT_H

#include "analyze/expand.h"
#include "utils/jsonb.h"

extern void tview_adopt_serialize(Oid tview, const char *entity);
extern void tview_adopt_check_cycle(Oid tview, List *tables);
extern void tview_adopt_lock(List *tviews, List *tables);
extern void tview_adopt_lock_readers(Oid table);
extern void tview_adopt_check_levels(void);
extern void tview_adopt(Oid tview, Jsonb *options);

#endif							/* TVIEW_ADOPT_H */
