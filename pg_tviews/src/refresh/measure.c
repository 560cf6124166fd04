/*-------------------------------------------------------------------------
 *
 * measure.c
 *	  What refreshes cost: statistics, and the log of slow flushes.
 *
 * How many rows a refresh has written is what the server counts for the table
 * (pgstat_relation.c), before and after.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "lib/stringinfo.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/names.h"
#include "base/settings.h"
#include "refresh/keys.h"
#include "refresh/lock.h"
#include "refresh/measure.h"

/* The running flush, if a slow one is to be logged */
static instr_time flush_started;
static int	flush_tviews = 0;
static StringInfo flush_detail = NULL;	/* a line for each refresh; in the
										 * memory of who has begun */

static uint64
microseconds(instr_time from, instr_time to)
{
	INSTR_TIME_SUBTRACT(to, from);
	return INSTR_TIME_GET_MICROSEC(to);
}

/*
 * Add the rows that this transaction has written, or take them off.
 */
static void
count_rows(TviewRefresh *refresh, Oid tview, int sign)
{
	Relation	rel = table_open(tview, AccessShareLock);
	PgStat_TableStatus *status = rel->pgstat_info;
	PgStat_TableXactStatus *level = status == NULL ? NULL : status->trans;

	for (; level != NULL; level = level->upper)
	{
		refresh->inserted += sign * level->tuples_inserted;
		refresh->updated += sign * level->tuples_updated;
		refresh->deleted += sign * level->tuples_deleted;
	}
	table_close(rel, AccessShareLock);
}

/* ----------
 * A refresh
 * ----------
 */

/*
 * tview_measure_begin - a refresh starts
 */
void
tview_measure_begin(TviewMeasure *measure, Oid tview)
{
	memset(measure, 0, sizeof(*measure));
	measure->tview = tview;
	measure->lock_wait = tview_lock_wait;
	tview_stats_prepare(tview);
	INSTR_TIME_SET_CURRENT(measure->started);
	measure->derived = measure->started;
}

/*
 * tview_measure_locked - the table is locked against DDL, and not written yet
 */
void
tview_measure_locked(TviewMeasure *measure)
{
	count_rows(&measure->refresh, measure->tview, -1);
}

/*
 * tview_measure_derived - these keys are going to be recomputed, NULL: all
 */
void
tview_measure_derived(TviewMeasure *measure, const struct TviewKeys *keys)
{
	ListCell   *lc;

	INSTR_TIME_SET_CURRENT(measure->derived);
	measure->refresh.rebuild = keys == NULL;
	if (keys == NULL)
		return;
	foreach(lc, tview_keys_groups(keys))
	{
		TviewKeyGroup *group = lfirst(lc);

		measure->refresh.keys += group->count;
		if (group->parts != TVIEW_PART_ROW)
			measure->refresh.patches += group->count;
	}
}

static void
describe(const TviewMeasure *measure, instr_time now)
{
	const TviewRefresh *refresh = &measure->refresh;
	uint64		deriving = microseconds(measure->started, measure->derived);
	uint64		applying = microseconds(measure->derived, now);

	if (flush_tviews++ > 0)
		appendStringInfoChar(flush_detail, '\n');
	appendStringInfo(flush_detail, "TVIEW %s: ",
					 tview_name_qualified(measure->tview));
	if (refresh->rebuild)
		appendStringInfoString(flush_detail, "rebuilt, ");
	else
		appendStringInfo(flush_detail, UINT64_FORMAT " keys, ", refresh->keys);
	appendStringInfo(flush_detail, UINT64_FORMAT " rows inserted, "
					 UINT64_FORMAT " updated, " UINT64_FORMAT " deleted, "
					 "%.3f ms waiting for locks, %.3f ms deriving keys, %.3f ms recomputing and writing rows",
					 refresh->inserted, refresh->updated, refresh->deleted,
					 refresh->lock_wait / 1000.0,
					 (deriving - Min(deriving, refresh->lock_wait)) / 1000.0,
					 applying / 1000.0);
}

/*
 * tview_measure_end - a refresh is done
 */
void
tview_measure_end(TviewMeasure *measure)
{
	TviewRefresh *refresh = &measure->refresh;
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	count_rows(refresh, measure->tview, 1);
	refresh->time = microseconds(measure->started, now);
	refresh->lock_wait = tview_lock_wait - measure->lock_wait;
	tview_stats_refresh(measure->tview, refresh);
	if (flush_detail != NULL)
		describe(measure, now);
}

/*
 * tview_measure_failed - a refresh has raised the error that is being handled
 */
void
tview_measure_failed(const TviewMeasure *measure, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	ErrorData  *error = CopyErrorData();

	tview_stats_error(measure->tview, error->sqlerrcode,
					  error->message == NULL ? "" : error->message);
	FreeErrorData(error);
	MemoryContextSwitchTo(old);
}

/* ----------
 * A flush
 * ----------
 */

/*
 * tview_measure_flush_begin - refreshes from now on are of one flush
 */
void
tview_measure_flush_begin(void)
{
	flush_tviews = 0;
	flush_detail = tview_log_min_duration < 0 ? NULL : makeStringInfo();
	if (flush_detail != NULL)
		INSTR_TIME_SET_CURRENT(flush_started);
}

/*
 * tview_measure_flush_end - the flush is over: log it, if it was slow
 *
 * Unless it was done: its error is in the log, then.
 */
void
tview_measure_flush_end(bool done)
{
	instr_time	now;
	uint64		time;

	if (flush_detail == NULL)
		return;
	INSTR_TIME_SET_CURRENT(now);
	time = microseconds(flush_started, now);
	if (done && time >= (uint64) tview_log_min_duration * 1000)
		ereport(LOG,
				(errmsg("refreshing TVIEWs took %.3f ms", time / 1000.0),
				 errdetail_internal("%s", flush_detail->data)));
	pfree(flush_detail->data);
	pfree(flush_detail);
	flush_detail = NULL;
}
