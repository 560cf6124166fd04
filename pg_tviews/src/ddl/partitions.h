/*-------------------------------------------------------------------------
 *
 * partitions.h
 *	  Partitions and child tables that come and go under TVIEWs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_PARTITIONS_H
#define TVIEW_PARTITIONS_H

#include "nodes/parsenodes.h"

extern void tview_partitions_start(Node *stmt);
extern void tview_partitions_end(Node *stmt);
extern void tview_partitions_at_xact_end(void);

#endif							/* TVIEW_PARTITIONS_H */
