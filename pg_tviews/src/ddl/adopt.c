/*-------------------------------------------------------------------------
 *
 * adopt.c
 *	  Making a TVIEW what its view has become.
 *
 * The view of a TVIEW, or a plain view that it reads, has got another query:
 * by pg_tviews_alter(), or by CREATE OR REPLACE VIEW.  Before that, the tables
 * of the old and the new query were locked against writers.  Here the
 * definition is judged like that of a new TVIEW; columns, triggers and metadata
 * follow it; and the TVIEW is queued to be rebuilt by differences, which
 * happens before anybody reads it.
 *
 * All this is done as the owner of the TVIEW.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"

#include "analyze/check.h"
#include "analyze/plan.h"
#include "base/inherits.h"
#include "base/names.h"
#include "base/owner.h"
#include "capture/queue.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "catalog/reads.h"
#include "ddl/adopt.h"
#include "ddl/columns.h"
#include "ddl/create.h"
#include "ddl/definition.h"
#include "ddl/dependencies.h"
#include "ddl/intercept.h"
#include "ddl/persistence.h"
#include "ddl/suspend.h"
#include "ddl/triggers.h"
#include "refresh/lock.h"

/*
 * tview_adopt_serialize - wait for others who alter, rename or drop the TVIEW
 *
 * Readers and refreshes go on.  Comes before all other locks.
 */
void
tview_adopt_serialize(Oid tview, const char *entity)
{
	LockRelationOid(tview, ShareUpdateExclusiveLock);
	if (tview_graph_find(tview) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("TVIEW \"%s\" does not exist any more", entity)));
}

/* Is this table one of the TVIEW's, or made of it? */
static bool
reads(Oid relid, Oid tview)
{
	Tview	   *entry;
	ListCell   *lc;

	if (relid == tview)
		return true;
	entry = tview_graph_find(relid);
	if (entry != NULL)
		foreach(lc, entry->dependencies)
			if (reads(lfirst_oid(lc), tview))
			return true;
	return false;
}

/*
 * tview_adopt_check_cycle - a TVIEW that would read these tables must not come
 * to read itself
 */
void
tview_adopt_check_cycle(Oid tview, List *tables)
{
	ListCell   *lc;

	foreach(lc, tables)
		if (reads(lfirst_oid(lc), tview))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("TVIEW %s would read itself", tview_name_qualified(tview)),
				 errdetail("The new definition reads %s.",
						   tview_name_qualified(lfirst_oid(lc))),
				 errhint("Read the base tables instead.")));
}

/*
 * Lock TVIEWs, in the order of their refresh; those that are tables to be read,
 * against writers, too, when there is no refresh of them any more.
 */
static void
lock_tviews(List *tviews, List *tables)
{
	List	   *ordered = NIL;
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Oid			tview = ((Tview *) lfirst(lc))->tview;

		if (list_member_oid(tviews, tview))
			ordered = lappend_oid(ordered, tview);
	}
	foreach(lc, ordered)
	{
		tview_lock(lfirst_oid(lc));
		if (list_member_oid(tables, lfirst_oid(lc)))
			(void) tview_create_lock(list_make1_oid(lfirst_oid(lc)));
	}
}

/*
 * tview_adopt_lock - keep writers away from these tables, and refreshes from
 * these TVIEWs and those that read them
 *
 * In the order in which writers do it: first the tables, then the TVIEWs by
 * level; and all that before the views are locked.
 *
 * A TVIEW that is read up to now is only locked against refreshes, which are all
 * that write it.  It may lose its triggers, for which the server locks it
 * against readers.  With a weaker lock on it before that, a refresh could come
 * in between and have it open already, when it waits to write it.
 */
void
tview_adopt_lock(List *tviews, List *tables)
{
	List	   *read = list_copy(tables);
	List	   *concerned = NIL;
	List	   *base = NIL;
	ListCell   *lc;

	foreach(lc, tviews)
	{
		read = list_concat_unique_oid(read,
									  tview_graph_find(lfirst_oid(lc))->dependencies);
		concerned = tview_graph_with_readers(concerned, lfirst_oid(lc));
	}
	foreach(lc, read)
	{
		if (tview_graph_find(lfirst_oid(lc)) != NULL)
			concerned = list_append_unique_oid(concerned, lfirst_oid(lc));
		else
			base = lappend_oid(base, lfirst_oid(lc));
	}
	list_sort(base, list_oid_cmp);
	(void) tview_create_lock(base);
	lock_tviews(concerned, tables);
}

/*
 * tview_adopt_lock_readers - keep refreshes from TVIEWs that read this table,
 * directly or not
 */
void
tview_adopt_lock_readers(Oid table)
{
	lock_tviews(tview_graph_with_readers(NIL, table), NIL);
}

/*
 * tview_adopt_check_levels - what reads a TVIEW is at a higher level than it,
 * however high that is
 */
void
tview_adopt_check_levels(void)
{
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *tview = lfirst(lc);

		if (tview->level > TVIEW_MAX_LEVEL)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("TVIEW \"%s\" would be at level %d of TVIEWs over TVIEWs",
							tview->entity, tview->level),
					 errdetail("At most %d levels are possible.", TVIEW_MAX_LEVEL),
					 errhint("Read the base tables instead of a TVIEW somewhere on the way.")));
	}
}

/* The steps that are like those of making a TVIEW. */
static void
adopt(Oid tview, Jsonb *options)
{
	Tview	   *entry = tview_graph_find(tview);
	Oid			view = entry->view;
	char	   *entity = pstrdup(entry->entity);
	List	   *old_tables = list_copy(entry->dependencies);
	List	   *old_reads = tview_reads_resolve(entry->options, true);
	TviewOptions *parsed = tview_options_parse(options);
	TviewExpansion *expansion = tview_expand(tview_view_query(view));
	List	   *missing = tview_columns_missing(tview, view);
	List	   *suspended = tview_suspend_all();
	List	   *tables;
	TviewPlan  *plan;
	ListCell   *lc;

	tview_check_definition(expansion, entity, parsed);
	tables = tview_create_tables(expansion, parsed, entity);
	tview_adopt_check_cycle(tview, tables);
	foreach(lc, missing)
		tview_columns_add(tview, view, lfirst(lc));
	plan = tview_plan_build(tview, view, entity, NULL, parsed);
	foreach(lc, missing)
		tview_create_index(plan, lfirst(lc));
	foreach(lc, tview_inherits_trees(tables))
		tview_triggers_capture(lfirst_oid(lc));
	tview_persistence_set(plan, entity);
	tview_meta_update(tview_create_metadata(plan, entity, expansion, tables,
											options));
	CommandCounterIncrement();
	tview_adopt_check_levels();
	tview_triggers_release(tview_inherits_trees(list_difference_oid(old_tables,
																	tables)));
	tview_dependencies_forget(tview, old_reads);
	tview_dependencies_record(tview, view,
							  tview_reads_resolve(parsed, false));
	CommandCounterIncrement();
	tview_suspend_follow(suspended);
	tview_queue_add_all(tview);
}

/*
 * tview_adopt - make a TVIEW what its view, or a view that it reads, has become
 *
 * Columns that the view hasn't any more are gone from the table already.
 */
void
tview_adopt(Oid tview, Jsonb *options)
{
	TviewOwnerContext saved;
	bool		outer = tview_create_set_running(true);

	tview_owner_enter(&saved, tview_owner_of(tview), true);
	PG_TRY();
	{
		adopt(tview, options);
	}
	PG_FINALLY();
	{
		(void) tview_create_set_running(outer);
	}
	PG_END_TRY();
	tview_owner_leave(&saved);
}
