/*-------------------------------------------------------------------------
 *
 * policies.h
 *	  Row-level security of the tables that a definition reads.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_POLICIES_H
#define TVIEW_POLICIES_H

#include "analyze/derive.h"
#include "analyze/expand.h"
#include "catalog/options.h"

extern bool tview_policies_apply(Oid relid, Oid owner);
extern char *tview_policies_describe(List *relids, Oid owner);
extern void tview_policies_check(const TviewExpansion *expansion, Oid owner,
								 const char *name,
								 const TviewOptions *options);
extern void tview_policies_check_view(Oid view, Oid owner, const char *name);
extern Bitmapset *tview_policies_columns(Oid relid, Oid owner);
extern void tview_policies_add_columns(TviewSource *source, Oid owner);

#endif							/* TVIEW_POLICIES_H */
