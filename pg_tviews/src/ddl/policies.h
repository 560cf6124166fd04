/*-------------------------------------------------------------------------
 *
 * policies.h
 *	  Policies and owners of tables that change under TVIEWs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_DDL_POLICIES_H
#define TVIEW_DDL_POLICIES_H

#include "nodes/parsenodes.h"

extern List *tview_policies_owners(void);
extern void tview_policies_reassigned(List *owners);
extern void tview_policies_changed(Node *stmt);

#endif							/* TVIEW_DDL_POLICIES_H */
