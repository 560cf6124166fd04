/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  Configuration parameters of pg_tviews.
 *
 * None of them needs shared_preload_libraries: a parameter that only the
 * postmaster may set could not be defined by a library loaded later.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "base/settings.h"

bool		tview_ctas_interception = true;
bool		tview_allow_suspended_reads = false;
int			tview_queue_limit = 1000000;
int			tview_log_min_duration = -1;
int			tview_health_max_wait = 60000;

/*
 * tview_settings_define - called once, when the library is loaded
 */
void
tview_settings_define(void)
{
	DefineCustomBoolVariable("pg_tviews.ctas_interception",
							 "Makes a TVIEW of every table that CREATE TABLE tv_<entity> AS creates.",
							 NULL,
							 &tview_ctas_interception,
							 true,
							 PGC_USERSET, 0,
							 NULL, NULL, NULL);

	DefineCustomBoolVariable("pg_tviews.allow_suspended_reads",
							 "Lets queries read suspended TVIEWs, which may be out of date.",
							 NULL,
							 &tview_allow_suspended_reads,
							 false,
							 PGC_USERSET, 0,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("pg_tviews.queue_limit",
							"Sets how many changes of one source a transaction keeps before it rebuilds the TVIEW by differences instead.",
							NULL,
							&tview_queue_limit,
							1000000, 1, INT_MAX,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("pg_tviews.log_min_duration",
							"Sets from which duration on refreshing TVIEWs is logged.",
							"-1 logs nothing, 0 all.",
							&tview_log_min_duration,
							-1, -1, INT_MAX,
							PGC_SUSET, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomIntVariable("pg_tviews.health_max_wait",
							"Sets from when on the health check warns of changes and locks that wait.",
							NULL,
							&tview_health_max_wait,
							60000, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS,
							NULL, NULL, NULL);

	MarkGUCPrefixReserved("pg_tviews");
}
