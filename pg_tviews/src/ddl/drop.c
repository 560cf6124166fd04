/*-------------------------------------------------------------------------
 *
 * drop.c
 *	  Removing TVIEWs.
 *
 * Whatever statement drops the table or the view of a TVIEW, what is left of
 * it goes too: the other of the two, the metadata, and the capture triggers
 * that no TVIEW needs any more.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/inherits.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "ddl/drop.h"
#include "ddl/locks.h"
#include "ddl/record.h"
#include "ddl/triggers.h"
#include "stats/refreshes.h"

PG_FUNCTION_INFO_V1(pg_tviews_drop);

static bool
exists(Oid relid)
{
	return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid));
}

static void
drop_relation(Oid relid, DropBehavior behavior)
{
	ObjectAddress object;

	if (!exists(relid))
		return;
	LockRelationOid(relid, AccessExclusiveLock);
	ObjectAddressSet(object, RelationRelationId, relid);
	performDeletion(&object, behavior, 0);
	CommandCounterIncrement();
}

/*
 * A TVIEW whose table or, if that counts, view is gone, or NULL.  The one of
 * the highest level, so that what reads others goes before them.
 */
static Tview *
find_broken(bool views_count, List *kept)
{
	Tview	   *result = NULL;
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *tview = lfirst(lc);

		if ((!exists(tview->tview) || (views_count && !exists(tview->view))) &&
			!list_member_oid(kept, tview->tview))
			result = tview;
	}
	return result;
}

/*
 * tview_drop_lock - DROP TABLE starts
 *
 * Writers lock a base table first, and the TVIEW when they flush.  A drop that
 * will remove triggers of base tables, and lock them against readers for that,
 * must go the same way, or it would deadlock with them.
 */
void
tview_drop_lock(DropStmt *stmt)
{
	List	   *tables = NIL;
	List	   *tviews = NIL;
	ListCell   *lc;

	if (stmt->removeType != OBJECT_TABLE)
		return;
	foreach(lc, stmt->objects)
	{
		RangeVar   *name = makeRangeVarFromNameList(lfirst(lc));
		Tview	   *tview = tview_graph_find(RangeVarGetRelid(name, NoLock, true));
		ListCell   *table;

		if (tview == NULL || !tview_owner_is_member(tview->tview))
			continue;
		tviews = lappend_oid(tviews, tview->tview);
		foreach(table, tview->dependencies)
			if (list_length(tview_graph_readers(lfirst_oid(table))) == 1)
			tables = list_append_unique_oid(tables, lfirst_oid(table));
	}
	if (tviews == NIL)
		return;
	tables = tview_inherits_trees(tables);
	tview_locks_take(tables, tviews);
	foreach(lc, tables)
		LockRelationOid(lfirst_oid(lc), AccessExclusiveLock);
}

/* Do views read one of them, other than they themselves? */
static bool
are_read(Oid table, Oid view)
{
	return tview_meta_find(psprintf("SELECT r.ev_class FROM pg_catalog.pg_depend AS d "
									"JOIN pg_catalog.pg_rewrite AS r ON r.oid OPERATOR(pg_catalog.=) d.objid "
									"WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass "
									"AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass "
									"AND (d.refobjid OPERATOR(pg_catalog.=) %u OR d.refobjid OPERATOR(pg_catalog.=) %u) "
									"AND r.ev_class OPERATOR(pg_catalog.<>) %u AND r.ev_class OPERATOR(pg_catalog.<>) %u",
									table, view, table, view)) != NIL;
}

/*
 * Drop what is left of broken TVIEWs, and return the tables they read.  What
 * an earlier transaction has broken unnoticed, and others still read, is not for
 * this command to drop, nor a reason for it to fail.
 */
static List *
drop_broken(bool views_count, DropBehavior behavior, const char *command)
{
	List	   *tables = NIL;
	List	   *kept = NIL;
	Tview	   *tview;

	while ((tview = find_broken(views_count, kept)) != NULL)
	{
		Oid			table = tview->tview;
		Oid			view = tview->view;

		if (behavior == DROP_RESTRICT &&
			(tview_record_was_gone(table) || tview_record_was_gone(view)) &&
			are_read(table, view))
		{
			kept = lappend_oid(kept, table);
			continue;
		}
		tview = tview_graph_find(table);
		tables = list_concat_unique_oid(tables, tview->dependencies);
		tview_record_drop(table, command);
		tview_meta_delete(table);
		tview_stats_dropped(table);
		CommandCounterIncrement();

		/* the metadata may be damaged, and name other relations */
		if (tview_graph_is_table(table))
			drop_relation(table, behavior);
		if (get_rel_relkind(view) == RELKIND_VIEW)
			drop_relation(view, behavior);
	}
	return tables;
}

/*
 * tview_drop_rest - drop what is left of TVIEWs that are dropped in part
 *
 * command is the one that has begun it, for the audit log.
 */
void
tview_drop_rest(DropBehavior behavior, const char *command)
{
	tview_triggers_release(tview_inherits_trees(drop_broken(true, behavior,
															command)));
}

/*
 * tview_drop_lost - forget TVIEWs whose tables were dropped unnoticed
 */
void
tview_drop_lost(const char *command)
{
	(void) drop_broken(false, DROP_RESTRICT, command);
}

/*
 * pg_tviews_drop - DROP TABLE tv_<entity>, by the name of the entity
 */
Datum
pg_tviews_drop(PG_FUNCTION_ARGS)
{
	char	   *input = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool		if_exists = PG_GETARG_BOOL(1);
	Tview	   *tview = tview_graph_find_name(input, if_exists);
	char	   *sql;

	if (tview == NULL)
	{
		ereport(NOTICE,
				(errmsg("TVIEW \"%s\" does not exist, skipping", input)));
		PG_RETURN_BOOL(false);
	}
	if (!tview_graph_is_table(tview->tview))
		tview_graph_check(tview);
	sql = psprintf("DROP TABLE %s", tview_name_qualified(tview->tview));
	SPI_connect();
	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not execute \"%s\"", sql);
	SPI_finish();

	/* event triggers have done this, unless they are disabled */
	tview_drop_rest(DROP_RESTRICT, "DROP TABLE");
	PG_RETURN_BOOL(true);
}
