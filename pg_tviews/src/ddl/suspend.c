/*-------------------------------------------------------------------------
 *
 * suspend.c
 *	  Suspending and resuming TVIEWs.
 *
 * A suspended TVIEW is not refreshed, nor are those that read it; none of them
 * can be read.  When it is resumed, each is rebuilt once, by differences.  See
 * catalog/suspension.c for how reads are noticed, and refresh/flush.c for why no
 * change is left out.
 *
 * Others must not read a TVIEW as fresh at the moment at which it becomes
 * suspended: the commit makes visible what has not been refreshed, and only after
 * that do other sessions learn of the mark.  So a transaction that leaves one
 * suspended locks it against readers for its commit.  They get the lock when the
 * commit is over, and have learned of it then.  Before the commit, and if the
 * TVIEW is resumed in the same transaction, nobody is in anybody's way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_statistic_ext.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/extension.h"
#include "base/names.h"
#include "base/owner.h"
#include "capture/queue.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "catalog/suspension.h"
#include "ddl/adopt.h"
#include "ddl/create.h"
#include "ddl/execute.h"
#include "ddl/record.h"
#include "ddl/reinstall.h"
#include "ddl/suspend.h"
#include "refresh/flush.h"
#include "refresh/rebuild.h"

PG_FUNCTION_INFO_V1(pg_tviews_suspend);
PG_FUNCTION_INFO_V1(pg_tviews_resume);

/*
 * TVIEWs that this transaction has suspended, or made others read; in
 * TopTransactionContext
 */
static List *suspended_here = NIL;

/* ----------
 * Tripwires
 * ----------
 */

static bool
has_tripwire(Oid tview)
{
	bool		result;

	SPI_connect();

	/* as it is now: the statement that runs may have dropped it */
	if (SPI_execute(psprintf("SELECT FROM pg_catalog.pg_depend AS d, pg_catalog.pg_statistic_ext AS s "
							 "WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass "
							 "AND d.objid OPERATOR(pg_catalog.=) s.oid "
							 "AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass "
							 "AND d.refobjid OPERATOR(pg_catalog.=) %u AND s.stxrelid OPERATOR(pg_catalog.=) %u",
							 tview_extension_function(TVIEW_TRIPWIRE_FUNCTION, InvalidOid),
							 tview),
					false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look for statistics");
	result = SPI_processed > 0;
	SPI_finish();
	return result;
}

/* A name for statistics that is free in the TVIEW's schema. */
static char *
tripwire_name(Oid tview)
{
	Oid			schema = get_rel_namespace(tview);
	char	   *relname = get_rel_name(tview);
	char	   *name = makeObjectName("!tview_tripwire", relname, NULL);

	for (int i = 1; SearchSysCacheExists2(STATEXTNAMENSP, CStringGetDatum(name),
										  ObjectIdGetDatum(schema)); i++)
		name = makeObjectName("!tview_tripwire", relname, psprintf("%d", i));
	return quote_qualified_identifier(get_namespace_name(schema), name);
}

static void
lay_tripwire(Oid tview)
{
	TviewOwnerContext saved;
	bool		outer;

	if (has_tripwire(tview))
		return;
	outer = tview_create_set_running(true);
	tview_owner_enter(&saved, tview_owner_of(tview), true);
	PG_TRY();
	{
		tview_execute("CREATE STATISTICS %s ON (%s()) FROM %s",
					  tripwire_name(tview),
					  tview_extension_qualify(TVIEW_TRIPWIRE_FUNCTION),
					  tview_name_qualified(tview));
	}
	PG_FINALLY();
	{
		(void) tview_create_set_running(outer);
	}
	PG_END_TRY();
	tview_owner_leave(&saved);
	CommandCounterIncrement();
}

/* Leave it to the end of the transaction to lock others out. */
static void
remember_suspended(Oid tview)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	suspended_here = list_append_unique_oid(suspended_here, tview);
	MemoryContextSwitchTo(old);
}

/*
 * tview_suspend_all - OIDs of all TVIEWs that are suspended, in the order of
 * their refresh
 */
List *
tview_suspend_all(void)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Oid			tview = ((Tview *) lfirst(lc))->tview;

		if (OidIsValid(tview_suspension_cause(tview)))
			result = lappend_oid(result, tview);
	}
	return result;
}

/*
 * tview_suspend_lay_tripwires - whoever reads what is suspended must notice
 */
void
tview_suspend_lay_tripwires(void)
{
	ListCell   *lc;

	foreach(lc, tview_suspend_all())
		lay_tripwire(lfirst_oid(lc));
}

/*
 * tview_suspend_follow - other TVIEWs may be suspended than before, because one
 * reads other tables now
 *
 * One that is no longer suspended has missed changes of all that it reads, not
 * only of what it was suspended with.
 */
void
tview_suspend_follow(List *before)
{
	List	   *after = tview_suspend_all();
	ListCell   *lc;

	tview_suspend_lay_tripwires();
	foreach(lc, list_difference_oid(after, before))
		remember_suspended(tview_suspension_cause(lfirst_oid(lc)));
	foreach(lc, list_difference_oid(before, after))
		tview_queue_add_all(lfirst_oid(lc));
}

/* ----------
 * The end of the transaction
 * ----------
 */

/*
 * tview_suspend_at_pre_commit - the transaction is about to commit, or to be
 * prepared
 */
void
tview_suspend_at_pre_commit(void)
{
	ListCell   *lc;

	if (suspended_here == NIL)
		return;
	foreach(lc, tview_suspend_all())
		if (list_member_oid(suspended_here,
							tview_suspension_cause(lfirst_oid(lc))))
		LockRelationOid(lfirst_oid(lc), AccessExclusiveLock);
}

/*
 * tview_suspend_at_xact_end - forget about the transaction
 */
void
tview_suspend_at_xact_end(void)
{
	suspended_here = NIL;
}

/* ----------
 * The functions
 * ----------
 */

/* The first of these TVIEWs in the order of their refresh, or InvalidOid. */
static Oid
first_in_order(List *tviews)
{
	ListCell   *lc;

	foreach(lc, tview_graph_all())
		if (list_member_oid(tviews, ((Tview *) lfirst(lc))->tview))
		return ((Tview *) lfirst(lc))->tview;
	return InvalidOid;
}

/*
 * The TVIEW that the caller means, locked against others who alter, suspend or
 * resume it, and so are those that read it: one that reads two is not resumed
 * with the first, and two sessions that resume one each must not both leave it
 * to the other.
 */
static Oid
begin(FunctionCallInfo fcinfo)
{
	char	   *input = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			tview = linitial_oid(tview_rebuild_candidates(input));
	List	   *locked = list_make1_oid(tview);
	Oid			next;

	tview_adopt_serialize(tview, input);
	while (OidIsValid(next = first_in_order(list_difference_oid(tview_graph_with_readers(NIL, tview),
																locked))))
	{
		LockRelationOid(next, ShareUpdateExclusiveLock);
		locked = lappend_oid(locked, next);
	}
	tview_flush_for_ddl();
	return tview;
}

/* What reads the TVIEW can't be read for as long, so it must be the caller's. */
static void
check_readers(Oid tview)
{
	ListCell   *lc;

	foreach(lc, tview_graph_readers(tview))
	{
		Oid			reader = ((Tview *) lfirst(lc))->tview;

		if (!tview_owner_is_member(reader))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("cannot suspend TVIEW %s",
							tview_name_qualified(tview)),
					 errdetail("TVIEW %s, which reads it, belongs to role \"%s\", and would be suspended, too.",
							   tview_name_qualified(reader),
							   GetUserNameFromId(tview_owner_of(reader), false))));
		check_readers(reader);
	}
}

/*
 * pg_tviews_suspend - stop refreshing a TVIEW; returns all that are suspended by
 * that
 */
Datum
pg_tviews_suspend(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			tview = begin(fcinfo);
	List	   *before;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (tview_graph_find(tview)->suspended)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("TVIEW %s is suspended already",
						tview_name_qualified(tview)),
				 errhint("View %s says since when.",
						 tview_extension_qualify("pg_tviews_suspended"))));
	check_readers(tview);
	before = tview_suspend_all();
	tview_meta_set_suspended(tview, true);
	CommandCounterIncrement();
	remember_suspended(tview);
	tview_suspend_lay_tripwires();
	foreach(lc, list_difference_oid(tview_suspend_all(), before))
	{
		Datum		values[] = {ObjectIdGetDatum(lfirst_oid(lc))};
		bool		nulls[] = {false};

		if (lfirst_oid(lc) != tview)
			ereport(NOTICE,
					(errmsg("TVIEW %s is suspended, too",
							tview_name_qualified(lfirst_oid(lc))),
					 errdetail("It reads TVIEW %s.",
							   tview_name_qualified(tview))));
		tview_record_suspended(lfirst_oid(lc), tview);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static const TviewRebuilt *
find_rebuilt(List *rebuilt, Oid tview)
{
	ListCell   *lc;

	foreach(lc, rebuilt)
		if (((TviewRebuilt *) lfirst(lc))->tview == tview)
		return lfirst(lc);
	elog(ERROR, "relation %u has not been rebuilt", tview);
	return NULL;
}

/*
 * pg_tviews_resume - rebuild a suspended TVIEW, and refresh it again from now on;
 * returns all that were suspended by that, and what was written
 */
Datum
pg_tviews_resume(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			tview = begin(fcinfo);
	List	   *resumed;
	List	   *rebuilt;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	if (!tview_graph_find(tview)->suspended)
	{
		tview_suspension_check(tview);
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("TVIEW %s is not suspended",
						tview_name_qualified(tview))));
	}
	resumed = tview_suspend_all();
	tview_meta_set_suspended(tview, false);
	CommandCounterIncrement();
	resumed = list_difference_oid(resumed, tview_suspend_all());
	foreach(lc, resumed)
	{
		tview_reinstall_check(lfirst_oid(lc));
		tview_rebuild_judge(lfirst_oid(lc));
	}
	rebuilt = tview_flush_rebuild_all(resumed);
	foreach(lc, resumed)
	{
		const TviewWritten *written = &find_rebuilt(rebuilt, lfirst_oid(lc))->written;
		bool		nulls[] = {false, false, false, false};
		Datum		values[] = {
			ObjectIdGetDatum(lfirst_oid(lc)),
			Int64GetDatum((int64) written->inserted),
			Int64GetDatum((int64) written->updated),
			Int64GetDatum((int64) written->deleted)
		};

		tview_record_resumed(lfirst_oid(lc), tview, written);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
