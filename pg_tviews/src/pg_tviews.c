/*-------------------------------------------------------------------------
 *
 * pg_tviews.c
 *	  Loading the library.
 *
 * Nothing here needs shared_preload_libraries: the library comes in with the
 * first trigger, event trigger or function of the extension that a session
 * calls, and there is nothing to do for it before that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#include "analyze/plan.h"
#include "base/settings.h"
#include "catalog/graph.h"
#include "read_hook.h"
#include "stats/area.h"
#include "xact.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static void
relcache_callback(Datum arg, Oid relid)
{
	tview_graph_invalidate(relid);
	tview_plan_invalidate(relid);
}

/*
 * Something has changed by whose name plans know it, or roles, which policies
 * apply to.
 */
static void
syscache_callback(Datum arg, int cache, uint32 hash)
{
	tview_plan_invalidate(InvalidOid);
}

/* Types come and go with tables, so only those that a plan names count. */
static void
type_callback(Datum arg, int cache, uint32 hash)
{
	tview_plan_invalidate_type(hash);
}

void
_PG_init(void)
{
	tview_settings_define();
	tview_area_install();
	tview_xact_install();
	tview_read_hook_install();
	CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(OPEROID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(COLLOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(ENUMOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(TSCONFIGOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, type_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, syscache_callback,
								  (Datum) 0);
}
