/*-------------------------------------------------------------------------
 *
 * suspension.c
 *	  Which TVIEWs are suspended, and may not be read.
 *
 * A TVIEW is suspended by a mark in its metadata.  With it, all that read it are:
 * they can't be right if it isn't.  What becomes of changes meanwhile is said in
 * refresh/flush.c, and how it begins and ends in ddl/suspend.c.
 *
 * Nobody may read one by mistake, not even in a session that has never loaded
 * this library, whose hooks tell what a query reads.  So a tripwire is laid:
 * extended statistics of the table, on an expression that is nothing but a call
 * of pg_tviews_tripwire().  Whoever plans a query of the table has that folded,
 * which loads the library; then the query starts, and is looked at.  Sessions
 * in which no tripwire has been touched needn't look at anything.
 *
 * A query that sees the state of before the TVIEW was resumed must not read it
 * either, since the rows that were missing are not visible to it.  That is
 * told from the metadata as the query's own snapshot sees it.  And for the sake
 * of such queries the tripwire stays when the TVIEW is resumed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "base/names.h"
#include "base/settings.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "catalog/suspension.h"

PG_FUNCTION_INFO_V1(pg_tviews_tripwire);

static bool tripped = false;	/* in this session */

/*
 * pg_tviews_tripwire - a query is planned that reads what is, or was, suspended
 */
Datum
pg_tviews_tripwire(PG_FUNCTION_ARGS)
{
	tripped = true;
	PG_RETURN_BOOL(true);
}

/*
 * tview_suspension_cause - the suspended TVIEW that this one is, or reads; or
 * InvalidOid
 */
Oid
tview_suspension_cause(Oid tview)
{
	Tview	   *found = tview_graph_find(tview);

	return found == NULL ? InvalidOid : found->suspended_by;
}

static void
refuse(Oid tview, Oid cause)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("TVIEW %s is suspended", tview_name_qualified(tview)),
			 tview == cause ? 0 :
			 errdetail("It reads TVIEW %s, which is suspended.",
					   tview_name_qualified(cause)),
			 errhint("Call pg_tviews_resume() for %s.",
					 tview_name_qualified(cause))));
}

/*
 * tview_suspension_check - raise an error for a TVIEW that is suspended
 */
void
tview_suspension_check(Oid tview)
{
	Oid			cause = tview_suspension_cause(tview);

	if (OidIsValid(cause))
		refuse(tview, cause);
}

/* Does the snapshot see this TVIEW, or one that it reads, suspended? */
static bool
was_suspended(Tview *tview, Snapshot snapshot)
{
	ListCell   *lc;

	if (tview == NULL)
		return false;
	if (!TransactionIdIsCurrentTransactionId(tview->changed_by) &&
		XidInMVCCSnapshot(tview->changed_by, snapshot) &&
		tview_meta_was_suspended(tview->tview, snapshot))
		return true;
	foreach(lc, tview->dependencies)
		if (was_suspended(tview_graph_find(lfirst_oid(lc)), snapshot))
		return true;
	return false;
}

/*
 * tview_suspension_check_read - may a query over these tables, with this
 * snapshot, be run?
 *
 * Not the list of what its plan depends on, which has tables that are just
 * named, in constants of type regclass.
 */
void
tview_suspension_check_read(List *rtable, Snapshot snapshot)
{
	ListCell   *lc;

	if (!tripped || tview_allow_suspended_reads)
		return;
	foreach(lc, rtable)
	{
		RangeTblEntry *rte = lfirst(lc);
		Oid			relid = rte->relid;

		if (rte->rtekind != RTE_RELATION || relid < FirstNormalObjectId || tview_graph_find(relid) == NULL)
			continue;
		tview_suspension_check(relid);
		if (snapshot != InvalidSnapshot &&
			snapshot->snapshot_type == SNAPSHOT_MVCC &&
			was_suspended(tview_graph_find(relid), snapshot))
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not read TVIEW %s, which was suspended",
							tview_name_qualified(relid)),
					 errdetail("It has been resumed since the snapshot was taken that the query uses."),
					 errhint("Try the transaction again.")));
	}
}
