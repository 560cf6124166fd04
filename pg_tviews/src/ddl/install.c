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
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "catalog/triggers.h"
#include "ddl/triggers.h"
#include "refresh/flush.h"

PG_FUNCTION_INFO_V1(pg_tviews_install_stmt_triggers);
PG_FUNCTION_INFO_V1(pg_tviews_install_row_triggers);

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
