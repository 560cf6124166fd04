/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  The one place that knows server versions.
 *
 * Everything else is written for the newest supported server; each shim
 * says which version stops needing it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_COMPAT_H
#define TVIEW_COMPAT_H

#include "access/parallel.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "utils/guc.h"

/* PostgreSQL 18 dropped the argument execute_once of ExecutorRun(). */
#if PG_VERSION_NUM >= 180000
#define TVIEW_RUN_ARGS		QueryDesc *desc, ScanDirection direction, \
							uint64 count
#define TVIEW_RUN_PASS		desc, direction, count
#define tview_executor_run(desc)	ExecutorRun((desc), ForwardScanDirection, 0)
#else
#define TVIEW_RUN_ARGS		QueryDesc *desc, ScanDirection direction, \
							uint64 count, bool execute_once
#define TVIEW_RUN_PASS		desc, direction, count, execute_once
#define tview_executor_run(desc) \
	ExecutorRun((desc), ForwardScanDirection, 0, true)
#endif

/* PostgreSQL 18 made grouping expressions range table entries. */
#if PG_VERSION_NUM >= 180000
#define tview_group_exprs(rte) \
	((rte)->rtekind == RTE_GROUP ? (rte)->groupexprs : NIL)
#else
#define tview_group_exprs(rte)		((void) (rte), NIL)
#endif

/* PostgreSQL 18 knows generated columns that are not stored. */
#if PG_VERSION_NUM >= 180000
#define tview_is_virtual(att) \
	((att)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
#else
#define tview_is_virtual(att)		((void) (att), false)
#endif

/* PostgreSQL 18 gave CreateQueryDesc()'s caller no plan cache argument. */
#if PG_VERSION_NUM < 160000
#define tview_clear_perminfo(rte)	((rte)->requiredPerms = 0)
#else
#define tview_clear_perminfo(rte)	((rte)->perminfoindex = 0)
#endif

/* PostgreSQL 16 moved namespace_search_path and friends about. */
#ifndef PG_RETURN_TRIGGER_DONE
#define PG_RETURN_TRIGGER_DONE()	return PointerGetDatum(NULL)
#endif

#endif							/* TVIEW_COMPAT_H */
