/*-------------------------------------------------------------------------
 *
 * create.h
 *	  Making TVIEWs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_CREATE_H
#define TVIEW_CREATE_H

#include "catalog/options.h"
#include "nodes/parsenodes.h"
#include "utils/jsonb.h"

extern void tview_create_adopt(Oid table, const char *sql, Jsonb *options);
extern char *tview_create_check(Query *query, const char *name,
								const TviewOptions *options);
extern bool tview_create_running(void);

#endif							/* TVIEW_CREATE_H */
