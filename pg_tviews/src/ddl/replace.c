/*-------------------------------------------------------------------------
 *
 * replace.c
 *	  CREATE OR REPLACE VIEW of views that TVIEWs are maintained by.
 *
 * For the view of a TVIEW it has the effect of pg_tviews_alter(), as far as
 * the server replaces the view; for a plain view, the TVIEWs that read it are
 * judged anew and rebuilt.
 *
 * When the command starts, tables are locked in the order that writers follow,
 * before the server locks the view, and what would make a cycle is refused.
 * When it has ended, each TVIEW adopts what its view has become.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "analyze/expand.h"
#include "base/extension.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "ddl/adopt.h"
#include "ddl/columns.h"
#include "ddl/create.h"
#include "ddl/definition.h"
#include "ddl/intercept.h"
#include "ddl/record.h"
#include "ddl/replace.h"
#include "refresh/flush.h"

/* CREATE OR REPLACE VIEW that has started, and the query of its view */
static const ViewStmt *replaced_stmt = NULL;
static char *replaced_query = NULL; /* in TopTransactionContext */

/*
 * TVIEWs whose definition reads this plain view, in the order of their refresh
 */
static List *
users_of_helper(Oid helper)
{
	Oid			relid = tview_extension_table("pg_tview_helpers", true);
	List	   *found = NIL;
	List	   *result = NIL;
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;
	ListCell   *lc;

	if (!OidIsValid(relid))
		return NIL;
	rel = table_open(relid, AccessShareLock);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;

		if (DatumGetObjectId(heap_getattr(tuple, 1, RelationGetDescr(rel),
										  &isnull)) == helper)
			found = lappend_oid(found,
								DatumGetObjectId(heap_getattr(tuple, 2,
															  RelationGetDescr(rel),
															  &isnull)));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	foreach(lc, tview_graph_all())
	{
		Oid			tview = ((Tview *) lfirst(lc))->tview;

		if (list_member_oid(found, tview))
			result = lappend_oid(result, tview);
	}
	return result;
}

/* TVIEWs that are maintained by the definition of this view */
static List *
concerned_tviews(Oid view)
{
	Tview	   *tview = tview_graph_find_view(view);

	if (tview != NULL)
		return list_make1_oid(tview->tview);
	return users_of_helper(view);
}

/*
 * The view that the statement replaces, or InvalidOid.  One of the same name
 * further on in the search path it doesn't.
 */
static Oid
replaced_view(ViewStmt *stmt)
{
	if (!stmt->replace || stmt->view->relpersistence == RELPERSISTENCE_TEMP)
		return InvalidOid;
	return get_relname_relid(stmt->view->relname,
							 RangeVarGetCreationNamespace(stmt->view));
}

/*
 * The query that the view is to have.  The text is for the positions in error
 * messages.
 */
static Query *
analyze(ViewStmt *stmt)
{
	RawStmt    *raw = makeNode(RawStmt);
	Query	   *query;
	ListCell   *name = list_head(stmt->aliases);
	ListCell   *lc;

	raw->stmt = copyObject(stmt->query);
	raw->stmt_location = -1;
	query = parse_analyze_fixedparams(raw,
									  debug_query_string != NULL ? debug_query_string : "",
									  NULL, 0, NULL);
	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst(lc);

		if (tle->resjunk || name == NULL)
			continue;
		tle->resname = strVal(lfirst(name));
		name = lnext(stmt->aliases, name);
	}
	return query;
}

/*
 * The server can add columns at the end of a view.  It says so itself, but
 * not what can do more.
 */
static void
check_columns(const Tview *tview, Query *query)
{
	int			natts = tview_columns_count(tview->view);
	AttrNumber	attno = 1;
	bool		same = true;
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst(lc);
		Oid			type;
		int32		typmod;
		Oid			collation;

		if (tle->resjunk || attno > natts)
			continue;
		get_atttypetypmodcoll(tview->view, attno, &type, &typmod, &collation);
		same &= strcmp(tle->resname, get_attname(tview->view, attno, false)) == 0 &&
			type == exprType((Node *) tle->expr) &&
			typmod == exprTypmod((Node *) tle->expr) &&
			collation == exprCollation((Node *) tle->expr);
		attno++;
	}
	if (!same || attno <= natts)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("cannot replace view %s",
						tview_name_qualified(tview->view)),
				 errdetail("CREATE OR REPLACE VIEW can add columns at the end, but not change or remove any."),
				 errhint("Use pg_tviews_alter(), which can.")));
	foreach(lc, query->targetList)
		if (!((TargetEntry *) lfirst(lc))->resjunk &&
			strcmp(((TargetEntry *) lfirst(lc))->resname,
				   TVIEW_UPDATED_COLUMN) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("cannot add column \"%s\" to view %s",
						TVIEW_UPDATED_COLUMN,
						tview_name_qualified(tview->view)),
				 errdetail("Every TVIEW has a column of this name, with the time of a row's last change."),
				 errhint("Give the column another name.")));
	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst(lc);

		if (!tle->resjunk &&
			get_attnum(tview->view, tle->resname) == InvalidAttrNumber)
			tview_columns_check_new(tview->tview, tle->resname);
	}
}

/* Is the view one that this user may replace without a say of others? */
static void
check_owner(Oid view, List *tviews)
{
	ListCell   *lc;

	foreach(lc, tviews)
		if (!tview_owner_is_member(lfirst_oid(lc)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot replace view %s", tview_name_qualified(view)),
				 errdetail("TVIEW %s, which another role owns, is maintained by its definition.",
						   tview_name_qualified(lfirst_oid(lc))),
				 errhint("Have a member of both roles replace it.")));
}

static void
remember_query(ViewStmt *stmt, Oid view)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	replaced_stmt = stmt;
	replaced_query = tview_definition_of_view(view);
	MemoryContextSwitchTo(old);
}

/*
 * tview_replace_start - CREATE OR REPLACE VIEW starts
 */
void
tview_replace_start(ViewStmt *stmt)
{
	Oid			view = replaced_view(stmt);
	List	   *tviews;
	Tview	   *tview;
	Query	   *query;
	TviewExpansion *expansion;
	ListCell   *lc;

	if (!OidIsValid(view))
		return;
	tviews = concerned_tviews(view);

	/* the server says that only its owner can replace a view */
	if (tviews == NIL || !tview_owner_is_member(view))
		return;
	check_owner(view, tviews);
	if (tview_flush_running())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot alter a TVIEW while others are being refreshed")));
	foreach(lc, tviews)
		tview_adopt_serialize(lfirst_oid(lc), get_rel_name(lfirst_oid(lc)));
	query = analyze(stmt);
	tview = tview_graph_find_view(view);
	if (tview != NULL)
		check_columns(tview, query);
	expansion = tview_expand(query);
	if (list_member_oid(expansion->helpers, view))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("view %s would read itself",
						tview_name_qualified(view)),
				 errhint("Read the tables that it is made of.")));
	foreach(lc, tviews)
	{
		TviewOwnerContext saved;

		tview_adopt_check_cycle(lfirst_oid(lc), expansion->tables);
		tview_owner_enter(&saved, tview_owner_of(lfirst_oid(lc)), true);
		(void) tview_create_tables(expansion,
								   tview_graph_find(lfirst_oid(lc))->options,
								   get_rel_name(lfirst_oid(lc)));
		tview_owner_leave(&saved);
	}
	tview_adopt_lock(tviews, expansion->tables);
	remember_query(stmt, view);
}

/* The plain view, and its query before and after the statement. */
static void
add_helper(TviewRecord *record, const ViewStmt *stmt, Oid view)
{
	record->helper = tview_name_qualified(view);
	record->helper_before = stmt == replaced_stmt ? replaced_query : NULL;
	record->helper_after = tview_definition_of_view(view);
}

/*
 * tview_replace_end - CREATE OR REPLACE VIEW has replaced the view
 */
void
tview_replace_end(ViewStmt *stmt)
{
	Oid			view = replaced_view(stmt);
	List	   *tviews = OidIsValid(view) ? concerned_tviews(view) : NIL;
	TviewRecord record;
	ListCell   *lc;

	if (tviews == NIL)
		return;
	tview_record_begin(&record, "CREATE VIEW");
	record.rebuilt = tviews;
	foreach(lc, tview_meta_read())
	{
		TviewMeta  *meta = lfirst(lc);

		if (list_member_oid(tviews, meta->tview))
			tview_adopt(meta->tview, meta->options);
	}
	tview_intercept_whole_rows(view);
	lc = list_head(tviews);
	if (tview_graph_find(lfirst_oid(lc))->view == view)
		tview_intercept_whole_rows(lfirst_oid(lc));
	tview_definition_refresh("SELECT classid, objid FROM pg_catalog.pg_event_trigger_ddl_commands()");
	tview_flush(false);
	if (tview_graph_find_view(view) == NULL)
		add_helper(&record, stmt, view);
	tview_record_end(&record);
}
