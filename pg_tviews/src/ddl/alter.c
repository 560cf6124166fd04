/*-------------------------------------------------------------------------
 *
 * alter.c
 *	  pg_tviews_alter(): giving a TVIEW another definition.
 *
 * Table and view keep their OIDs, and so all that depends on them or belongs
 * to them.  If the definition is the same, nothing is done.  Otherwise the view
 * gets the new query, columns are added and removed in place, and the table
 * is rebuilt by differences.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/tablecmds.h"
#include "commands/view.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "storage/lmgr.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/rel.h"

#include "analyze/select.h"
#include "analyze/expand.h"
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
#include "ddl/intercept.h"
#include "ddl/record.h"
#include "refresh/flush.h"

PG_FUNCTION_INFO_V1(pg_tviews_alter);

/* A TVIEW as it is, and as it is to be */
typedef struct Alteration
{
	Oid			tview;
	Oid			view;
	char	   *entity;
	char	   *key_column;
	Jsonb	   *options;
	Query	   *query;
} Alteration;

/* Options as they are stored. */
static Jsonb *
stored_options(Oid tview)
{
	ListCell   *lc;

	foreach(lc, tview_meta_read())
	{
		TviewMeta  *meta = lfirst(lc);

		if (meta->tview == tview)
			return meta->options;
	}
	elog(ERROR, "no metadata of relation %u", tview);
	return NULL;
}

/*
 * Judge the definition, which is parsed with the caller's search_path, and
 * turn it into what a view with this definition would have for a query.
 */
static Query *
judge(const Alteration *alteration, const char *definition)
{
	Query	   *query = tview_select_parse(definition, alteration->entity);
	TviewOwnerContext saved;
	char	   *sql;

	tview_owner_enter(&saved, tview_owner_of(alteration->tview), true);
	sql = tview_create_check(query, alteration->entity,
							 tview_options_parse(alteration->options));
	query = tview_select_parse(sql, alteration->entity);
	tview_owner_leave(&saved);
	return query;
}

/* The tables that it will depend on; its owner must be allowed to read them. */
static List *
new_tables(const Alteration *alteration)
{
	TviewOwnerContext saved;
	List	   *result;

	tview_owner_enter(&saved, tview_owner_of(alteration->tview), true);
	result = tview_create_tables(tview_expand(alteration->query),
								 tview_options_parse(alteration->options),
								 alteration->entity);
	tview_owner_leave(&saved);
	return result;
}

static Oid
output_type(Query *query, const char *name)
{
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst(lc);

		if (!tle->resjunk && strcmp(tle->resname, name) == 0)
			return exprType((Node *) tle->expr);
	}
	return InvalidOid;
}

static void
check_names_differ(const Alteration *alteration)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, alteration->query->targetList)
	{
		TargetEntry *tle = lfirst(lc);

		if (tle->resjunk)
			continue;
		if (list_member(names, makeString(tle->resname)))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("definition of TVIEW \"%s\" has two columns \"%s\"",
							alteration->entity, tle->resname),
					 errhint("Give one of them another name.")));
		names = lappend(names, makeString(tle->resname));
	}
}

/* The columns that a TVIEW must have, and one that it can't. */
static void
check_columns(const Alteration *alteration)
{
	Oid			new_type = output_type(alteration->query,
									   alteration->key_column);
	Oid			data_type = output_type(alteration->query, TVIEW_DATA_COLUMN);

	if (!OidIsValid(new_type) || !OidIsValid(data_type))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("definition of TVIEW \"%s\" has no column \"%s\"",
						alteration->entity,
						OidIsValid(new_type) ? TVIEW_DATA_COLUMN :
						alteration->key_column),
				 errhint("A TVIEW keeps its key and its document.")));
	if (data_type != JSONBOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of TVIEW \"%s\" is of type %s, not jsonb",
						TVIEW_DATA_COLUMN, alteration->entity,
						format_type_be(data_type)),
				 errhint("Build the document with jsonb functions, or cast it to jsonb.")));
	if (OidIsValid(output_type(alteration->query, TVIEW_UPDATED_COLUMN)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("definition of TVIEW \"%s\" has a column \"%s\"",
						alteration->entity, TVIEW_UPDATED_COLUMN),
				 errdetail("Every TVIEW has a column of this name, with the time of a row's last change."),
				 errhint("Give the column another name.")));
}

static void
check_key_stays(const Alteration *alteration, const TviewColumnChange *change)
{
	ListCell   *lc;

	foreach(lc, change->removed)
		if (strcmp(lfirst(lc), alteration->key_column) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot change type or collation of key \"%s\" of TVIEW \"%s\"",
						alteration->key_column, alteration->entity),
				 errdetail("Its type is %s, that of the new definition's column %s.",
						   format_type_be(get_atttype(alteration->tview,
													  get_attnum(alteration->tview,
																 alteration->key_column))),
						   format_type_be(output_type(alteration->query,
													  alteration->key_column))),
				 errhint("Cast the column, or drop the TVIEW and create it anew.")));
}

/* Those that are to have another type go from the table first. */
static void
check_new_columns(const Alteration *alteration, const TviewColumnChange *change)
{
	ListCell   *lc;

	foreach(lc, change->added)
	{
		char	   *name = ((ColumnDef *) lfirst(lc))->colname;

		if (get_attnum(alteration->view, name) == InvalidAttrNumber)
			tview_columns_check_new(alteration->tview, name);
	}
}

/* As ALTER TABLE and CREATE OR REPLACE VIEW do it. */
static void
check_not_in_use(Oid relid)
{
	Relation	rel = table_open(relid, AccessExclusiveLock);

	CheckTableNotInUse(rel, "ALTER TABLE");
	table_close(rel, NoLock);
}

static bool
portal_reads(Portal portal, Oid view)
{
	ListCell   *lc;

	if (!PortalIsValid(portal) || portal->status == PORTAL_FAILED)
		return false;
	foreach(lc, portal->stmts)
		if (list_member_oid(lfirst_node(PlannedStmt, lc)->relationOids, view))
		return true;
	return false;
}

/*
 * Rows of the view that a query of this session has read can't be shown any
 * more when its columns have other numbers.  A query holds no table open for a
 * view, so look for cursors.
 */
static void
check_no_cursor(Oid view)
{
	bool		found = portal_reads(ActivePortal, view);

	SPI_connect();
	if (SPI_execute("SELECT c.name FROM pg_catalog.pg_cursor() AS c", true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for cursors");
	for (uint64 i = 0; i < SPI_processed; i++)
		found |= portal_reads(GetPortalByName(SPI_getvalue(SPI_tuptable->vals[i],
														   SPI_tuptable->tupdesc, 1)),
							  view);
	SPI_finish();
	if (found)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("cannot remove columns of view %s",
						tview_name_qualified(view)),
				 errdetail("A query of this session reads it."),
				 errhint("Close the cursor first.")));
}

/* Give the view its new query and columns; remove columns from the table. */
static void
change_view(const Alteration *alteration, const TviewColumnChange *change)
{
	TviewOwnerContext saved;
	List	   *dependents;

	check_not_in_use(alteration->view);
	if (change->removed != NIL || change->added != NIL)
		check_not_in_use(alteration->tview);
	if (change->removed != NIL)
		check_no_cursor(alteration->view);
	tview_owner_enter(&saved, tview_owner_of(alteration->tview), true);
	tview_columns_sort(alteration->view, change, alteration->query,
					   alteration->entity);
	dependents = tview_columns_begin(alteration->tview, alteration->view,
									 change);
	tview_columns_change(alteration->tview, alteration->view, change);
	StoreViewQuery(alteration->view, alteration->query, true);
	CommandCounterIncrement();
	tview_columns_end(alteration->view, dependents);
	tview_owner_leave(&saved);
}

/* What reads the TVIEW may show its rows as a whole, or count its columns. */
static void
change_readers(const Alteration *alteration)
{
	tview_intercept_whole_rows(alteration->tview);
	tview_intercept_whole_rows(alteration->view);
	tview_definition_refresh(psprintf("VALUES (%u::pg_catalog.oid, %u::pg_catalog.oid), (%u, %u)",
									  RelationRelationId, alteration->tview,
									  RelationRelationId, alteration->view));
}

static const char *
alter(Alteration *alteration, const char *definition)
{
	Jsonb	   *old_options = stored_options(alteration->tview);
	List	   *tables;
	TviewColumnChange *change;

	if (alteration->options == NULL)
		alteration->options = old_options;
	alteration->options =
		tview_reads_name(alteration->options,
						 tview_reads_resolve(tview_options_parse(alteration->options),
											 false));
	alteration->query = judge(alteration, definition);
	if (compareJsonbContainers(&alteration->options->root,
							   &old_options->root) == 0 &&
		strcmp(tview_definition_text(alteration->query),
			   tview_definition_of_view(alteration->view)) == 0)
		return "unchanged";

	check_names_differ(alteration);
	check_columns(alteration);
	tables = new_tables(alteration);
	tview_adopt_check_cycle(alteration->tview, tables);
	tview_adopt_lock(list_make1_oid(alteration->tview), tables);
	LockRelationOid(alteration->view, AccessExclusiveLock);
	change = tview_columns_compare(alteration->view, alteration->query);
	check_key_stays(alteration, change);
	check_new_columns(alteration, change);
	change_view(alteration, change);
	tview_adopt(alteration->tview, alteration->options);
	if (change->removed == NIL && change->added == NIL)
		return "rebuilt";
	change_readers(alteration);
	return "columns changed";
}

/*
 * pg_tviews_alter - give a TVIEW another definition; returns what that took
 */
Datum
pg_tviews_alter(PG_FUNCTION_ARGS)
{
	Alteration	alteration = {0};
	Tview	   *tview;
	TviewRecord record;
	const char *volatile result = NULL;
	bool		outer;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("entity and definition of a TVIEW must not be null")));
	tview = tview_graph_find_name(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);
	alteration.tview = tview->tview;
	alteration.view = tview->view;
	alteration.entity = pstrdup(tview->entity);
	alteration.key_column = pstrdup(tview->key_column);
	alteration.options = PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2);
	if (!tview_owner_is_member(alteration.tview))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE,
					   tview_name_qualified(alteration.tview));
	if (tview_flush_running())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot alter a TVIEW while others are being refreshed")));

	tview_adopt_serialize(alteration.tview, alteration.entity);
	tview_flush_for_ddl();
	tview_record_begin(&record, "pg_tviews_alter");
	outer = tview_create_set_running(true);
	PG_TRY();
	{
		result = alter(&alteration, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	}
	PG_FINALLY();
	{
		(void) tview_create_set_running(outer);
	}
	PG_END_TRY();
	tview_flush(false);
	if (strcmp(result, "unchanged") != 0)
	{
		record.rebuilt = list_make1_oid(alteration.tview);
		record.result = result;
		tview_record_end(&record);
	}
	PG_RETURN_TEXT_P(cstring_to_text(result));
}
