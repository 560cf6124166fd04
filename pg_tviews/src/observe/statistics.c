/*-------------------------------------------------------------------------
 *
 * statistics.c
 *	  What the views of statistics read, and their reset.
 *
 * Without shared memory (see area.c) they say what this session knows, and
 * that it is only that, in their column "scope".
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "stats/activity.h"
#include "stats/refreshes.h"

PG_FUNCTION_INFO_V1(pg_tviews_statistics);
PG_FUNCTION_INFO_V1(pg_tviews_cache_statistics);
PG_FUNCTION_INFO_V1(pg_tviews_activity);
PG_FUNCTION_INFO_V1(pg_tviews_stats_reset);

#define MAX_COLUMNS		24

/* A row of a result, filled column by column */
typedef struct Row
{
	Datum		values[MAX_COLUMNS];
	bool		nulls[MAX_COLUMNS];
	int			count;
} Row;

static void
add(Row *row, Datum value, bool isnull)
{
	row->values[row->count] = value;
	row->nulls[row->count++] = isnull;
}

static void
add_count(Row *row, uint64 value)
{
	add(row, Int64GetDatum((int64) value), false);
}

static void
add_ms(Row *row, double microseconds, bool isnull)
{
	add(row, Float8GetDatum(microseconds / 1000), isnull);
}

static void
add_time(Row *row, TimestampTz value)
{
	add(row, TimestampTzGetDatum(value), value == 0);
}

static void
add_text(Row *row, const char *value)
{
	add(row, value == NULL ? (Datum) 0 : CStringGetTextDatum(value),
		value == NULL);
}

static void
put(FunctionCallInfo fcinfo, Row *row)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	Assert(row->count == result->setDesc->natts);
	tuplestore_putvalues(result->setResult, result->setDesc, row->values,
						 row->nulls);
}

static void
add_scope(Row *row)
{
	add_text(row, tview_area_is_shared() ? "all sessions" : "this session");
}

/* ----------
 * TVIEWs
 * ----------
 */

/* Messages of errors may have values of rows in them. */
static bool
may_see_messages(Oid tview)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) ||
		tview_owner_is_member(tview);
}

static void
put_refreshes(FunctionCallInfo fcinfo, const TviewStats *entry)
{
	const TviewRefreshCounters *counters = &entry->of.refreshes;
	uint64		n = counters->refreshes;
	Row			row = {.count = 0};

	add(&row, ObjectIdGetDatum(entry->key.tview), false);
	add_count(&row, n);
	add_count(&row, counters->rebuilds);
	add_count(&row, counters->keys);
	add_count(&row, counters->patches);
	add_count(&row, counters->inserted);
	add_count(&row, counters->updated);
	add_count(&row, counters->deleted);
	add_count(&row, counters->unchanged);
	add_ms(&row, counters->time, false);
	add_ms(&row, tview_stats_percentile(counters, 0.5), n == 0);
	add_ms(&row, tview_stats_percentile(counters, 0.95), n == 0);
	add_ms(&row, tview_stats_percentile(counters, 0.99), n == 0);
	add_ms(&row, counters->longest, n == 0);
	add_ms(&row, counters->lock_wait, false);
	add_time(&row, counters->last_refresh);
	add_count(&row, counters->errors);
	add_time(&row, counters->last_error_at);
	add_text(&row, counters->errors == 0 ? NULL :
			 unpack_sql_state(counters->last_error_code));
	add_text(&row, counters->errors == 0 ||
			 !may_see_messages(entry->key.tview) ? NULL :
			 counters->last_error);
	add_time(&row, entry->since);
	put(fcinfo, &row);
}

/*
 * pg_tviews_statistics - a row for each TVIEW that was refreshed
 */
Datum
pg_tviews_statistics(PG_FUNCTION_ARGS)
{
	TviewStats *entries;
	int			count;

	InitMaterializedSRF(fcinfo, 0);
	entries = tview_area_copy(&count);
	for (int i = 0; i < count; i++)
		if (tview_graph_find(entries[i].key.tview) != NULL)
			put_refreshes(fcinfo, &entries[i]);
	return (Datum) 0;
}

/* ----------
 * Caches
 * ----------
 */

/* Counters of the database; those of this session that it lacks are added. */
static TviewStats
database_counters(void)
{
	TviewStats	result = {.since = 0};
	TviewStats *entry = tview_area_find(InvalidOid, false);

	if (entry != NULL)
	{
		result = *entry;
		tview_area_release(entry);
	}
	for (int i = 0; i < TVIEW_CACHES; i++)
	{
		result.of.caches[i].hits += tview_cache_counters[i].hits;
		result.of.caches[i].misses += tview_cache_counters[i].misses;
		result.of.caches[i].invalidations +=
			tview_cache_counters[i].invalidations;
	}
	return result;
}

static void
add_sizes(TviewCacheSize *sizes)
{
	int			count;
	TviewActivity *all = tview_area_activities(&count);

	for (int i = 0; i < count; i++)
	{
		TviewActivity activity;

		tview_activity_read(&all[i], &activity);
		if (activity.pid == 0 || activity.database != MyDatabaseId)
			continue;
		for (int j = 0; j < TVIEW_CACHES; j++)
		{
			sizes[j].entries += activity.caches[j].entries;
			sizes[j].bytes += activity.caches[j].bytes;
		}
	}
}

/*
 * pg_tviews_cache_statistics - a row for each kind of cache
 */
Datum
pg_tviews_cache_statistics(PG_FUNCTION_ARGS)
{
	static const char *const names[TVIEW_CACHES] = {
		[TVIEW_CACHE_GRAPH] = "graph",
		[TVIEW_CACHE_PLAN] = "plan",
		[TVIEW_CACHE_TABLE] = "table",
	};
	TviewStats	counters;
	TviewCacheSize sizes[TVIEW_CACHES] = {{0}};

	InitMaterializedSRF(fcinfo, 0);
	counters = database_counters();
	add_sizes(sizes);
	for (int i = 0; i < TVIEW_CACHES; i++)
	{
		Row			row = {.count = 0};

		add_text(&row, names[i]);
		add_count(&row, sizes[i].entries);
		add_count(&row, sizes[i].bytes);
		add_count(&row, counters.of.caches[i].hits);
		add_count(&row, counters.of.caches[i].misses);
		add_count(&row, counters.of.caches[i].invalidations);
		add_time(&row, counters.since);
		add_scope(&row);
		put(fcinfo, &row);
	}
	return (Datum) 0;
}

/* ----------
 * Activities
 * ----------
 */

static Datum
oid_array(const Oid *oids, int count)
{
	Datum		elements[TVIEW_ACTIVITY_TVIEWS];

	for (int i = 0; i < count; i++)
		elements[i] = ObjectIdGetDatum(oids[i]);
	return PointerGetDatum(construct_array(elements, count, REGCLASSOID,
										   sizeof(Oid), true, TYPALIGN_INT));
}

static void
put_activity(FunctionCallInfo fcinfo, const TviewActivity *activity)
{
	bool		queue = activity->queue_size > 0;
	bool		progress = activity->phase != TVIEW_PHASE_NONE;
	Row			row = {.count = 0};

	add(&row, Int32GetDatum(activity->pid), false);
	add_count(&row, activity->queue_size);
	add_count(&row, activity->queue_bytes);
	add(&row, oid_array(activity->tviews, activity->ntviews), !queue);
	add_time(&row, queue ? activity->oldest : 0);
	add_time(&row, queue ? activity->newest : 0);
	add(&row, BoolGetDatum(activity->flushing), false);
	add_text(&row, progress ? activity->name : NULL);
	add_text(&row, tview_activity_phase_name(activity->phase));
	add(&row, Int64GetDatum(activity->rows), !progress);
	add(&row, Int64GetDatum(activity->rows_expected),
		!progress || activity->rows_expected == 0);
	add_time(&row, progress ? activity->started : 0);
	add_scope(&row);
	put(fcinfo, &row);
}

/*
 * pg_tviews_activity - a row for each session of this database that has a
 * queue, or builds or rebuilds a TVIEW
 */
Datum
pg_tviews_activity(PG_FUNCTION_ARGS)
{
	TviewActivity *all;
	int			count;

	InitMaterializedSRF(fcinfo, 0);
	all = tview_area_activities(&count);
	for (int i = 0; i < count; i++)
	{
		TviewActivity activity;

		tview_activity_read(&all[i], &activity);
		if (activity.pid != 0 && activity.database == MyDatabaseId &&
			(activity.queue_size > 0 || activity.flushing ||
			 activity.phase != TVIEW_PHASE_NONE))
			put_activity(fcinfo, &activity);
	}
	return (Datum) 0;
}

/* ----------
 * Reset
 * ----------
 */

static void
reset_all(void)
{
	ListCell   *lc;

	if (!tview_is_database_owner())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to reset the statistics of all TVIEWs"),
				 errhint("Only the owner of the database may; owners of TVIEWs may reset those, by name.")));
	foreach(lc, tview_graph_all())
		tview_stats_reset(((Tview *) lfirst(lc))->tview);
	memset(tview_cache_counters, 0, sizeof(tview_cache_counters));
	tview_stats_reset(InvalidOid);
}

/*
 * pg_tviews_stats_reset - count anew, for one TVIEW or all of the database
 */
Datum
pg_tviews_stats_reset(PG_FUNCTION_ARGS)
{
	Oid			tview;

	if (PG_ARGISNULL(0))
	{
		reset_all();
		PG_RETURN_VOID();
	}
	tview = tview_graph_find_name(text_to_cstring(PG_GETARG_TEXT_PP(0)),
								  false)->tview;
	if (!tview_owner_is_member(tview))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE,
					   tview_name_qualified(tview));
	tview_stats_reset(tview);
	PG_RETURN_VOID();
}
