/*-------------------------------------------------------------------------
 *
 * health_objects.c
 *	  Health of what there is, or should be, in the catalogs.
 *
 * Most of it is found by queries that need no row of pg_tview_meta to be right.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "base/names.h"
#include "catalog/triggers.h"
#include "ddl/reinstall.h"
#include "observe/health.h"

#define COUNT_TVIEWS \
	"SELECT format('%s TVIEWs', count(*)) FROM $.pg_tview_meta AS m"

/*
 * tview_health_extension - does the library go with the objects?
 */
void
tview_health_extension(TviewHealth *health)
{
	tview_health_add_rows(health, TVIEW_HEALTH_ERROR,
						  "SELECT format('the library is of version %s, the extension of version %s: run ALTER EXTENSION %I UPDATE', "
						  "$.pg_tviews_version(), e.extversion, e.extname) "
						  "FROM pg_extension AS e WHERE e.extname = 'pg_tviews' AND e.extversion <> $.pg_tviews_version()");
	tview_health_add_rows(health, TVIEW_HEALTH_WARNING,
						  "SELECT format('version %s is installed, %s is there: run ALTER EXTENSION %I UPDATE', "
						  "e.extversion, a.default_version, e.extname) "
						  "FROM pg_extension AS e JOIN pg_available_extensions AS a ON a.name = e.extname "
						  "WHERE e.extname = 'pg_tviews' AND e.extversion <> a.default_version");
	if (health->findings == NIL)
		tview_health_add_rows(health, TVIEW_HEALTH_OK,
							  "SELECT format('version %s', $.pg_tviews_version())");
}

/*
 * tview_health_jsonb_ivm - is the extension there, and does it matter?
 */
void
tview_health_jsonb_ivm(TviewHealth *health)
{
	tview_health_add_rows(health, TVIEW_HEALTH_OK,
						  "SELECT COALESCE((SELECT format('version %s is installed', e.extversion) FROM pg_extension AS e "
						  "WHERE e.extname = 'jsonb_ivm'), 'not installed') || '; pg_tviews does not need it'");
}

/*
 * tview_health_event_triggers - is DDL followed?
 */
void
tview_health_event_triggers(TviewHealth *health)
{
	tview_health_add_rows(health, TVIEW_HEALTH_ERROR,
						  "SELECT format('event trigger that calls %s() %s', e.name, "
						  "CASE t.evtenabled WHEN 'D' THEN format('is disabled: run ALTER EVENT TRIGGER %I ENABLE', t.evtname) "
						  "WHEN 'R' THEN format('fires in replica mode only: run ALTER EVENT TRIGGER %I ENABLE', t.evtname) ELSE 'is missing' END) "
						  "FROM (VALUES ('pg_tviews_ddl_command_start'), ('pg_tviews_ddl_command_end'), ('pg_tviews_sql_drop')) AS e (name) "
						  "LEFT JOIN (pg_event_trigger AS t JOIN pg_proc AS p ON p.oid = t.evtfoid "
						  "JOIN pg_extension AS x ON x.extname = 'pg_tviews' AND x.extnamespace = p.pronamespace) ON p.proname = e.name "
						  "WHERE t.evtenabled IS NULL OR t.evtenabled NOT IN ('O', 'A') ORDER BY 1");
}

#define OUR_FUNCTION(name) \
	"(SELECT p.oid FROM pg_proc AS p JOIN pg_extension AS x ON x.extnamespace = p.pronamespace " \
	"WHERE x.extname = 'pg_tviews' AND p.proname = '" name "')"

/*
 * Tables that look like TVIEWs, and aren't: those that were, because of their
 * guard, and others that may have been.
 */
static void
check_unknown(TviewHealth *health)
{
	tview_health_add_rows(health, TVIEW_HEALTH_ERROR,
						  "SELECT format('table %s was a TVIEW, whose metadata are lost, and nothing keeps it up to date: "
						  "restore them and call pg_tviews_recreate(), or drop the table', t.tgrelid::regclass) "
						  "FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid AND c.relname LIKE 'tv\\_%' "
						  "WHERE t.tgfoid = " OUR_FUNCTION(TVIEW_GUARD_FUNCTION) " AND NOT EXISTS (SELECT FROM $.pg_tview_meta AS m WHERE m.tview = t.tgrelid) GROUP BY t.tgrelid ORDER BY 1");
	tview_health_add_rows(health, TVIEW_HEALTH_WARNING,
						  "SELECT format('table %s has a view %s, but is no TVIEW, and pg_tviews doesn''t keep it up to date: "
						  "pg_tviews_convert_table() makes one of it', c.oid::regclass, v.oid::regclass) "
						  "FROM pg_class AS c JOIN pg_class AS v ON v.relnamespace = c.relnamespace AND v.relname = 'v_' || substr(c.relname, 4) "
						  "WHERE c.relname LIKE 'tv\\_%' AND c.relkind IN ('r', 'p') AND v.relkind = 'v' "
						  "AND NOT EXISTS (SELECT FROM $.pg_tview_meta AS m WHERE m.tview = c.oid) "
						  "AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgfoid = " OUR_FUNCTION(TVIEW_GUARD_FUNCTION) ") ORDER BY 1");
}

/*
 * tview_health_metadata - is there all that the metadata speak of?
 */
void
tview_health_metadata(TviewHealth *health)
{
	tview_health_add_rows(health, TVIEW_HEALTH_ERROR,
						  "SELECT format('%s of TVIEW \"%s\" %s', r.kind, m.entity, CASE WHEN c.oid IS NOT NULL THEN format('is not one: %s', c.oid::regclass) "
						  "WHEN m.tview = 0::oid THEN 'is missing: pg_tviews_recreate() makes it again' ELSE 'is missing' END) "
						  "FROM $.pg_tview_meta AS m "
						  "CROSS JOIN LATERAL (VALUES ('table', m.tview, '{r}'::\"char\"[]), ('view', m.view, '{v}'), ('root', m.root, '{r,p}')) AS r (kind, relation, relkinds) "
						  "LEFT JOIN pg_class AS c ON c.oid = r.relation WHERE (c.oid IS NULL OR c.relkind <> ALL (r.relkinds)) AND (r.kind = 'table' OR m.tview <> 0::oid) ORDER BY 1");
	tview_health_add_rows(health, TVIEW_HEALTH_ERROR,
						  "SELECT format('a table that TVIEW %s reads is missing', m.tview) FROM $.pg_tview_meta AS m "
						  "WHERE m.tview <> 0::oid AND EXISTS (SELECT FROM unnest(m.dependencies) AS d WHERE NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = d)) ORDER BY 1");
	tview_health_add_rows(health, TVIEW_HEALTH_ERROR,
						  "SELECT format('%s %s is %I.%I in the metadata', r.kind, r.relation, m.schema, r.name) FROM $.pg_tview_meta AS m "
						  "CROSS JOIN LATERAL (VALUES ('TVIEW', m.tview, 'tv_' || m.entity), ('view', m.view, 'v_' || m.entity)) AS r (kind, relation, name) "
						  "JOIN pg_class AS c ON c.oid = r.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace "
						  "WHERE (c.relname, n.nspname) <> (r.name, m.schema) ORDER BY 1");
	tview_health_add_rows(health, TVIEW_HEALTH_ERROR,
						  "SELECT format('column %I of view %s is not in table %s, or of another type there', a.attname, m.view, m.tview) "
						  "FROM $.pg_tview_meta AS m JOIN pg_attribute AS a ON a.attrelid = m.view AND a.attnum > 0 AND NOT a.attisdropped "
						  "WHERE EXISTS (SELECT FROM pg_class AS c WHERE c.oid = m.tview) AND EXISTS (SELECT FROM pg_class AS c WHERE c.oid = m.view AND c.relkind = 'v') "
						  "AND NOT EXISTS (SELECT FROM pg_attribute AS b "
						  "WHERE b.attrelid = m.tview AND b.attnum > 0 AND NOT b.attisdropped AND b.attname = a.attname "
						  "AND b.atttypid = a.atttypid AND b.atttypmod = a.atttypmod AND b.attcollation = a.attcollation) ORDER BY 1");
	tview_health_add_rows(health, TVIEW_HEALTH_ERROR,
						  "SELECT format('TVIEW %s has no primary key on %I', m.tview, m.key_column) FROM $.pg_tview_meta AS m JOIN pg_class AS c ON c.oid = m.tview "
						  "WHERE NOT EXISTS (SELECT FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
						  "WHERE i.indrelid = m.tview AND i.indisprimary AND i.indisvalid AND i.indnkeyatts = 1 AND a.attname = m.key_column) ORDER BY 1");
	tview_health_add_rows(health, TVIEW_HEALTH_ERROR,
						  "SELECT format('%s of TVIEW %s changes what refreshes write, or queries read: remove it, and call pg_tviews_repair()', o.name, m.tview) "
						  "FROM $.pg_tview_meta AS m CROSS JOIN LATERAL ("
						  "SELECT format('rule %I', r.rulename) FROM pg_rewrite AS r WHERE r.ev_class = m.tview AND r.rulename <> '_RETURN' "
						  "UNION ALL SELECT format('trigger %I', t.tgname) FROM pg_trigger AS t WHERE t.tgrelid = m.tview AND t.tgtype & 3 = 3 "
						  "UNION ALL SELECT format('parent %s', i.inhparent::regclass) FROM pg_inherits AS i WHERE i.inhrelid = m.tview "
						  "UNION ALL SELECT format('child %s', i.inhrelid::regclass) FROM pg_inherits AS i WHERE i.inhparent = m.tview) AS o (name) ORDER BY 1");
	tview_health_add_rows(health, TVIEW_HEALTH_WARNING,
						  "SELECT format('pg_tview_helpers says that TVIEW %s reads view %s: one of them is missing', h.tview, h.helper) FROM $.pg_tview_helpers AS h "
						  "WHERE NOT EXISTS (SELECT FROM $.pg_tview_meta AS m WHERE m.tview = h.tview) "
						  "OR NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = h.helper AND c.relkind = 'v') ORDER BY 1");
	tview_health_add_rows(health, TVIEW_HEALTH_WARNING,
						  "SELECT format('TVIEW %s can''t be read, because %s is suspended since %s: pg_tviews_resume() rebuilds it', "
						  "s.tview, CASE WHEN s.cause = s.tview THEN 'it' ELSE s.cause::text END, date_trunc('second', s.since)) "
						  "FROM $.pg_tviews_suspended AS s ORDER BY s.since, s.tview::oid");
	check_unknown(health);
	if (health->findings == NIL)
		tview_health_add_rows(health, TVIEW_HEALTH_OK, COUNT_TVIEWS);
}

/* ----------
 * Triggers
 * ----------
 */

static void
add_trigger(void *health, Oid relid, const char *trigger, const char *problem,
			const char *function)
{
	TviewHealthStatus status = TVIEW_HEALTH_WARNING;
	const char *consequence = "no TVIEW needs it";

	if (function != NULL && strcmp(function, TVIEW_CAPTURE_FUNCTION) == 0)
	{
		status = TVIEW_HEALTH_ERROR;
		consequence = "changes go by";
	}
	else if (function != NULL)
		consequence = "the TVIEW can be written directly";
	tview_health_add(health, status,
					 psprintf("trigger %s of table %s: %s, %s; call pg_tviews_reinstall_triggers()%s",
							  quote_identifier(trigger),
							  tview_name_qualified(relid), problem, consequence,
							  function != NULL ? " and pg_tviews_repair()" : ""));
}

/* By statement not all changes are captured, or all of them twice. */
static void
check_by_statement(TviewHealth *health)
{
	ListCell   *lc;

	foreach(lc, tview_triggers_captured())
	{
		Oid			relid = lfirst_oid(lc);
		char	   *obstacle = tview_triggers_by_statement(relid) ?
		tview_triggers_obstacle(relid) : NULL;

		if (obstacle != NULL)
			tview_health_add(health, TVIEW_HEALTH_ERROR,
							 psprintf("changes of table %s can't be captured by statement: call pg_tviews_install_row_triggers() and pg_tviews_repair(). %s",
									  tview_name_qualified(relid), obstacle));
	}
	tview_health_add_rows(health, TVIEW_HEALTH_WARNING,
						  "SELECT format('changes of table %s are captured twice, by row and by statement: run ALTER TABLE %s ENABLE REPLICA TRIGGER %I', "
						  "t.tgrelid::regclass, t.tgrelid::regclass, t.tgname) FROM pg_trigger AS t WHERE t.tgfoid = " OUR_FUNCTION(TVIEW_CAPTURE_FUNCTION) " "
						  "AND t.tgtype & 1 = 1 AND t.tgenabled = 'A' "
						  "AND EXISTS (SELECT FROM pg_trigger AS o WHERE o.tgrelid = t.tgrelid AND o.tgfoid = t.tgfoid AND o.tgenabled IN ('O', 'A') "
						  "AND (o.tgoldtable IS NOT NULL OR o.tgnewtable IS NOT NULL)) ORDER BY 1");
}

/*
 * tview_health_triggers - are all changes captured, and no others?
 */
void
tview_health_triggers(TviewHealth *health)
{
	tview_reinstall_report(add_trigger, health);
	check_by_statement(health);
}

/*
 * A transaction that is prepared keeps the documents of its changes locked.  What
 * applies changes does so in the order of commits, so it may wait, in one that
 * was committed before, for a lock that it would let go of after that.
 */
static void
check_two_phase(TviewHealth *health)
{
	tview_health_add_rows(health, TVIEW_HEALTH_WARNING,
						  "SELECT format('subscription %I applies prepared transactions when they are prepared, which locks documents: what is committed before they are may wait for them for ever; make it without two_phase', s.subname) "
						  "FROM pg_subscription AS s WHERE s.subtwophasestate <> 'd' AND EXISTS "
						  "(SELECT FROM pg_subscription_rel AS r JOIN pg_trigger AS g ON g.tgrelid IN (SELECT t.relid FROM pg_partition_tree(r.srrelid) AS t) "
						  "WHERE r.srsubid = s.oid AND g.tgfoid = " OUR_FUNCTION(TVIEW_CAPTURE_FUNCTION) " AND g.tgenabled IN ('A', 'R')) ORDER BY 1");
}

/*
 * tview_health_replication - are changes captured that come from another server?
 *
 * It applies rows, so that triggers for statements don't matter.
 * What applies them writes in replica mode, and so do the refreshes of that.
 */
void
tview_health_replication(TviewHealth *health)
{
	tview_health_add_rows(health, TVIEW_HEALTH_ERROR,
						  "WITH RECURSIVE s (relid) AS (SELECT r.srrelid FROM pg_subscription_rel AS r "
						  "UNION SELECT i.inhrelid FROM s JOIN pg_inherits AS i ON i.inhparent = s.relid), "
						  "u (relid) AS (SELECT s.relid FROM s "
						  "UNION SELECT i.inhparent FROM u JOIN pg_inherits AS i ON i.inhrelid = u.relid), "
						  "t (relid) AS (SELECT m.tview::oid FROM u JOIN $.pg_tview_meta AS m ON u.relid = ANY (m.dependencies) "
						  "UNION SELECT m.tview::oid FROM t JOIN $.pg_tview_meta AS m ON t.relid = ANY (m.dependencies)) "
						  "SELECT format('trigger %I of table %s does not fire for what a subscription brings: run ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', "
						  "g.tgname, g.tgrelid::regclass, g.tgrelid::regclass, g.tgname) "
						  "FROM pg_trigger AS g WHERE g.tgfoid = " OUR_FUNCTION(TVIEW_CAPTURE_FUNCTION) " AND g.tgenabled = 'O' "
						  "AND g.tgoldtable IS NULL AND g.tgnewtable IS NULL "
						  "AND g.tgrelid IN (SELECT s.relid FROM s UNION ALL SELECT t.relid FROM t) ORDER BY 1");
	check_two_phase(health);
}
