/*-------------------------------------------------------------------------
 *
 * suspension.h
 *	  Which TVIEWs are suspended, and may not be read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_SUSPENSION_H
#define TVIEW_SUSPENSION_H

#include "nodes/pg_list.h"
#include "utils/snapshot.h"

#define TVIEW_TRIPWIRE_FUNCTION	"pg_tviews_tripwire"

extern Oid	tview_suspension_cause(Oid tview);
extern void tview_suspension_check(Oid tview);
extern void tview_suspension_check_read(List *rtable, Snapshot snapshot);

#endif							/* TVIEW_SUSPENSION_H */
