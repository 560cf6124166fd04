/*-------------------------------------------------------------------------
 *
 * install.c
 *	  Choosing how the changes of a table are captured.
 *
 * Both ways note the same changes, so nothing needs to be refreshed when one
 * follows the other.  Writers of the table are waited for: what they have
 * changed has been captured in the way of before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/inherits.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "catalog/triggers.h"
#include "ddl/locks.h"
#include "ddl/triggers.h"
#include "refresh/flush.h"

PG_FUNCTION_INFO_V1(pg_tviews_install_stmt_triggers);
PG_FUNCTION_INFO_V1(pg_tviews_install_row_triggers);
PG_FUNCTION_INFO_V1(pg_tviews_capture_replicated);

/* Wait for writers, and see whether it is a table of interest. */
static void
lock_table(Oid relid)
{
	if (get_rel_relkind(relid) == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no table with OID %u", relid)));
	if (!tview_owner_is_member(relid))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE,
					   tview_name_qualified(relid));
	tview_flush_for_ddl();
	LockRelationOid(relid, ShareRowExclusiveLock);
	if (tview_graph_row_readers(relid) == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no TVIEW reads %s", tview_name_qualified(relid)),
				 errhint("Create the TVIEW first.")));
}

/*
 * pg_tviews_install_stmt_triggers - capture changes of a table by statement
 */
Datum
pg_tviews_install_stmt_triggers(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *obstacle;

	lock_table(relid);
	obstacle = tview_triggers_obstacle(relid);
	if (obstacle != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot capture changes of table %s by statement",
						tview_name_qualified(relid)),
				 errdetail("%s", obstacle),
				 errhint("Its changes go on being captured by row.")));
	tview_triggers_replace(relid, true);
	PG_RETURN_VOID();
}

/*
 * pg_tviews_install_row_triggers - capture changes of a table by row
 */
Datum
pg_tviews_install_row_triggers(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);

	lock_table(relid);
	tview_triggers_replace(relid, false);
	PG_RETURN_VOID();
}

/* ----------
 * What replication brings
 * ----------
 */

/* All tables whose changes reach these TVIEWs, through others, too. */
static List *
read_tables(List *tviews)
{
	List	   *tables = NIL;
	ListCell   *lc;

	/* the list grows meanwhile */
	foreach(lc, tviews)
	{
		ListCell   *cell;

		foreach(cell, tview_graph_find(lfirst_oid(lc))->dependencies)
		{
			tables = list_append_unique_oid(tables, lfirst_oid(cell));
			if (tview_graph_find(lfirst_oid(cell)) != NULL)
				tviews = list_append_unique_oid(tviews, lfirst_oid(cell));
		}
	}
	return tview_inherits_trees(tables);
}

/* And the TVIEWs that go with them, in which their changes go on to others */
static List *
with_cascades(List *tables)
{
	ListCell   *lc;

	foreach(lc, tables)
	{
		ListCell   *cell;

		foreach(cell, tview_graph_row_readers(lfirst_oid(lc)))
			tables = list_append_unique_oid(tables, lfirst_oid(cell));
	}
	return tables;
}

static void
check_owners(List *tables)
{
	ListCell   *lc;

	foreach(lc, tables)
		if (!tview_owner_is_member(lfirst_oid(lc)))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE,
					   tview_name_qualified(lfirst_oid(lc)));
}

/*
 * pg_tviews_capture_replicated - whether changes that replication makes are
 * captured, too; returns the tables for which that is another answer now
 */
Datum
pg_tviews_capture_replicated(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Tview	   *tview = tview_graph_find_name(text_to_cstring(PG_GETARG_TEXT_PP(0)),
											  false);
	bool		always = PG_GETARG_BOOL(1);
	List	   *tables = with_cascades(read_tables(list_make1_oid(tview->tview)));
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	check_owners(tables);
	tview_flush_for_ddl();
	tview_locks_take(tables, NIL);
	foreach(lc, tables)
	{
		Datum		relid = ObjectIdGetDatum(lfirst_oid(lc));
		bool		isnull = false;

		if (tview_triggers_set_replicated(lfirst_oid(lc), always))
			tuplestore_putvalues(result->setResult, result->setDesc, &relid,
								 &isnull);
	}
	return (Datum) 0;
}
