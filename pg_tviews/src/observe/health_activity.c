/*-------------------------------------------------------------------------
 *
 * health_activity.c
 *	  Health of what sessions do.
 *
 * From the views of statistics.  Messages of errors are left out, as they may
 * quote values.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/trigger.h"

#include "observe/health.h"
#include "stats/area.h"
#include "stats/refreshes.h"

/* Where nothing is shared, other sessions can't be looked into. */
static const char *
scope(void)
{
	return tview_area_is_shared() ? "" :
		"; of this session only, as the library is not preloaded";
}

/* A row of a query as a finding that is none */
static void
summarise(TviewHealth *health, const char *sql)
{
	tview_health_add_rows(health, TVIEW_HEALTH_OK, sql);
}

/*
 * tview_health_session - are the changes of this session captured?
 */
void
tview_health_session(TviewHealth *health)
{
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		tview_health_add(health, TVIEW_HEALTH_ERROR,
						 "session_replication_role is replica: changes of this session are not captured");
	tview_health_add_rows(health, TVIEW_HEALTH_WARNING,
						  "SELECT 'setting event_triggers is off: DDL of this session is not followed' "
						  "WHERE current_setting('event_triggers', true) = 'off'");
}

#define MAX_WAIT	"clock_timestamp() - current_setting('pg_tviews.health_max_wait')::interval"

/*
 * tview_health_queue - does anything wait for long?
 *
 * A prepared transaction has no process; what it holds is found by way of its
 * lock of its own number.
 */
void
tview_health_queue(TviewHealth *health)
{
	tview_health_add_rows(health, TVIEW_HEALTH_WARNING,
						  "SELECT format('process %s (%s) has %s changes of %s, the oldest since %s: its transaction is still open', "
						  "q.backend_pid, q.session, q.queue_size, array_to_string(q.entities, ', '), date_trunc('second', q.oldest_enqueued)) "
						  "FROM $.pg_tviews_queue_realtime AS q "
						  "WHERE q.oldest_enqueued < " MAX_WAIT " AND q.backend_pid <> pg_backend_pid() ORDER BY q.oldest_enqueued");
	tview_health_add_rows(health, TVIEW_HEALTH_WARNING,
						  "SELECT format('%s processes wait for locks of TVIEW %s, the first since %s; held by %s', "
						  "count(DISTINCT l.pid), COALESCE(l.tview::text, '(permits)'), date_trunc('second', min(l.waitstart)), "
						  "COALESCE(string_agg(DISTINCT b.pid::text, ', '), 'nobody any more')) "
						  "FROM $.pg_tviews_locks AS l LEFT JOIN LATERAL unnest(pg_blocking_pids(l.pid)) AS b (pid) ON true "
						  "WHERE NOT l.granted AND l.waitstart < " MAX_WAIT " GROUP BY l.tview ORDER BY min(l.waitstart)");
	tview_health_add_rows(health, TVIEW_HEALTH_WARNING,
						  "SELECT format('prepared transaction %L holds locks of TVIEWs since %s: commit it, or roll it back', x.gid, date_trunc('second', x.prepared)) "
						  "FROM pg_prepared_xacts AS x WHERE x.database = current_database() AND x.prepared < " MAX_WAIT " "
						  "AND EXISTS (SELECT FROM pg_locks AS t JOIN pg_locks AS l ON l.virtualtransaction = t.virtualtransaction "
						  "WHERE t.pid IS NULL AND t.locktype = 'transactionid' AND t.transactionid = x.transaction "
						  "AND l.pid IS NULL AND l.locktype = 'advisory' AND l.objsubid BETWEEN 28672 AND 32767) ORDER BY x.prepared");
	if (health->findings == NIL)
		summarise(health,
				  psprintf("SELECT format('%%s changes of %%s sessions are waiting%%s', COALESCE(sum(q.queue_size), 0), count(*), '%s') "
						   "FROM $.pg_tviews_queue_realtime AS q", scope()));
}

/*
 * tview_health_cache - are plans made for use?
 */
void
tview_health_cache(TviewHealth *health)
{
	tview_health_add_rows(health, TVIEW_HEALTH_WARNING,
						  "SELECT format('sessions have made %s plans for %s refreshes: connections are short, or DDL is frequent', c.misses, r.refreshes) "
						  "FROM $.pg_tviews_cache_stats AS c "
						  "CROSS JOIN (SELECT COALESCE(sum(s.total_refreshes), 0) AS refreshes FROM $.pg_tviews_performance_summary AS s) AS r "
						  "WHERE c.cache_type = 'plan' AND c.misses >= 1000 AND c.misses > r.refreshes / 2");
	if (health->findings == NIL)
		summarise(health,
				  psprintf("SELECT format('%%s; %%s%s', string_agg(format('%%s: %%s entries', c.cache_type, c.entries), ', ' ORDER BY c.cache_type), "
						   "pg_size_pretty(sum(c.estimated_size))) FROM $.pg_tviews_cache_stats AS c", scope()));
}

/*
 * tview_health_statistics - have refreshes failed, and are they counted?
 */
void
tview_health_statistics(TviewHealth *health)
{
	if (!tview_stats_enabled())
		tview_health_add(health, TVIEW_HEALTH_WARNING,
						 "setting track_counts is off: refreshes of this session are not counted");
	tview_health_add_rows(health, TVIEW_HEALTH_WARNING,
						  "SELECT format('the last refresh of TVIEW %s has failed, with SQLSTATE %s at %s, and its transaction with it', "
						  "s.tview, s.last_error_code, date_trunc('second', s.last_error_at)) "
						  "FROM $.pg_tviews_performance_summary AS s "
						  "WHERE s.last_error_at > COALESCE(s.last_refresh, '-infinity') ORDER BY s.last_error_at");
	if (health->findings == NIL)
		summarise(health,
				  psprintf("SELECT format('%%s refreshes, %%s of them failed%s', COALESCE(sum(s.total_refreshes + s.errors), 0), COALESCE(sum(s.errors), 0)) "
						   "FROM $.pg_tviews_performance_summary AS s", scope()));
}
