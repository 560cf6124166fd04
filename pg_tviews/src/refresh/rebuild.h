/*-------------------------------------------------------------------------
 *
 * rebuild.h
 *	  Rebuilding a TVIEW by differences on request.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_REBUILD_H
#define TVIEW_REBUILD_H

#include "refresh/apply.h"

extern List *tview_rebuild_candidates(const char *input);
extern void tview_rebuild_judge(Oid relid);
extern TviewWritten tview_rebuild(Oid relid, const char *operation,
								  const char *command, Tuplestorestate *rows);

#endif							/* TVIEW_REBUILD_H */
