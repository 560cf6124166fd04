/*-------------------------------------------------------------------------
 *
 * intercept.c
 *	  Statements of others that make, change, or break a TVIEW.
 *
 * CREATE TABLE tv_x AS SELECT ... makes a TVIEW.  The query is taken when the
 * command starts, since the planner leaves its tree in a state that can't be
 * turned into SQL any more.  The statement then goes on WITH NO DATA, and
 * when it has made the table, the TVIEW is made of that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "analyze/check.h"
#include "base/extension.h"
#include "base/names.h"
#include "base/settings.h"
#include "catalog/graph.h"
#include "ddl/create.h"
#include "ddl/intercept.h"

/* CREATE TABLE AS that has started and not ended, if any */
static CreateTableAsStmt *started_statement = NULL;
static char *started_sql = NULL;	/* in TopTransactionContext */

static void
refuse_form(const char *name, const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot make a TVIEW of table \"%s\"", name),
			 errdetail("%s", what),
			 errhint("%s Or turn pg_tviews.ctas_interception off, for an ordinary table.",
					 hint)));
}

static void
check_form(CreateTableAsStmt *stmt)
{
	IntoClause *into = stmt->into;
	const char *name = into->rel->relname;

	if (into->rel->relpersistence == RELPERSISTENCE_TEMP)
		refuse_form(name, "It is temporary.",
					"A TVIEW is a permanent table; leave TEMPORARY out.");
	if (into->rel->relpersistence == RELPERSISTENCE_UNLOGGED)
		refuse_form(name, "It is unlogged, and would be empty after a crash.",
					"Leave UNLOGGED out.");
	if (into->colNames != NIL)
		refuse_form(name, "It has a list of column names.",
					"Name the columns in the query, with AS.");
	if (into->skipData)
		refuse_form(name, "It is to have no data.",
					"A TVIEW always holds its data; leave WITH NO DATA out.");
	if (castNode(Query, stmt->query)->commandType == CMD_UTILITY)
		refuse_form(name, "Its data come from EXECUTE.",
					"Write the query itself.");
}

/*
 * tview_intercept_create_start - CREATE TABLE AS starts
 *
 * The tree is the server's own copy, and may be changed.
 */
void
tview_intercept_create_start(CreateTableAsStmt *stmt)
{
	RangeVar   *rel = stmt->into->rel;
	MemoryContext old;

	started_statement = NULL;
	if (!tview_ctas_interception || tview_create_running() ||
		stmt->objtype != OBJECT_TABLE ||
		!tview_name_has_prefix(rel->relname, TVIEW_TABLE_PREFIX))
		return;

	/* the server says what it says of a name that is taken */
	if (OidIsValid(RangeVarGetRelid(rel, NoLock, true)) &&
		OidIsValid(get_relname_relid(rel->relname,
									 RangeVarGetCreationNamespace(rel))))
		return;

	check_form(stmt);
	old = MemoryContextSwitchTo(TopTransactionContext);
	started_sql = tview_create_check(castNode(Query, stmt->query),
									 rel->relname + strlen(TVIEW_TABLE_PREFIX));
	MemoryContextSwitchTo(old);
	stmt->into->skipData = true;
	started_statement = stmt;
}

/*
 * tview_intercept_create_end - CREATE TABLE AS has made its table
 */
void
tview_intercept_create_end(CreateTableAsStmt *stmt)
{
	Jsonb	   *options;

	if (stmt != started_statement || tview_create_running())
		return;
	started_statement = NULL;
	options = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
												 CStringGetDatum("{}")));
	tview_create_adopt(RangeVarGetRelid(stmt->into->rel, NoLock, false),
					   started_sql, options);
}

/* Does a TVIEW's definition read this plain view? Returns its name. */
static char *
user_of_helper(Oid helper)
{
	Oid			relid = tview_extension_table("pg_tview_helpers", true);
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *result = NULL;

	if (!OidIsValid(relid))
		return NULL;
	rel = table_open(relid, AccessShareLock);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (result == NULL &&
		   HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;

		if (DatumGetObjectId(heap_getattr(tuple, 1, RelationGetDescr(rel),
										  &isnull)) == helper)
			result = tview_name_qualified(DatumGetObjectId(heap_getattr(tuple, 2,
																		RelationGetDescr(rel),
																		&isnull)));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * tview_intercept_view - CREATE OR REPLACE VIEW starts
 *
 * A definition that changed under a TVIEW would leave it out of date; one
 * that came to read the TVIEW itself would make a cycle.
 */
void
tview_intercept_view(ViewStmt *stmt)
{
	Oid			view;
	Tview	   *tview;
	char	   *user;

	if (!stmt->replace || tview_create_running())
		return;
	view = RangeVarGetRelid(stmt->view, NoLock, true);
	if (!OidIsValid(view))
		return;
	tview = tview_graph_find_view(view);
	user = tview != NULL ? tview_name_qualified(tview->tview) :
		user_of_helper(view);
	if (user != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot replace view %s", tview_name_qualified(view)),
				 errdetail("TVIEW %s is maintained by its definition.", user),
				 errhint("Drop the TVIEW, replace the view, and create the TVIEW again.")));
}

/* Are the columns of a TVIEW's view still those of its table? */
static void
check_columns(const Tview *tview)
{
	Relation	view = table_open(tview->view, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(view);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		AttrNumber	attno = get_attnum(tview->tview, NameStr(att->attname));

		if (attno == InvalidAttrNumber ||
			get_atttype(tview->tview, attno) != att->atttypid)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot change column \"%s\" of TVIEW %s",
							NameStr(att->attname),
							tview_name_qualified(tview->tview)),
					 errdetail("View %s defines it.",
							   tview_name_qualified(tview->view)),
					 errhint("Drop the TVIEW and create it with another definition.")));
	}
	if (get_attnum(tview->tview, TVIEW_UPDATED_COLUMN) == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot change column \"%s\" of TVIEW %s",
						TVIEW_UPDATED_COLUMN,
						tview_name_qualified(tview->tview)),
				 errhint("Every TVIEW has a column of this name.")));
	table_close(view, AccessShareLock);
}

/*
 * tview_intercept_shapes - a table has been altered or made
 *
 * All TVIEWs must still be such as could be created.
 */
void
tview_intercept_shapes(void)
{
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *tview = lfirst(lc);
		HeapTuple	tuple = SearchSysCache1(RELOID,
											ObjectIdGetDatum(tview->tview));
		Oid			owner;
		ListCell   *table;

		if (!HeapTupleIsValid(tuple))
			continue;
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
		check_columns(tview);
		foreach(table, tview->dependencies)
			tview_check_table(lfirst_oid(table), owner, tview->entity);
	}
}
