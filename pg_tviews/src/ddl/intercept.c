/*-------------------------------------------------------------------------
 *
 * intercept.c
 *	  Statements of others that make, change, or break a TVIEW.
 *
 * CREATE TABLE tv_x AS SELECT ... makes a TVIEW.  The query is taken when the
 * command starts, since the planner leaves its tree in a state that can't be
 * turned into SQL any more.  The statement then goes on with LIMIT 0, and when
 * it has made the table, the TVIEW is made of that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "analyze/check.h"
#include "analyze/expand.h"
#include "analyze/plan.h"
#include "base/extension.h"
#include "base/inherits.h"
#include "base/names.h"
#include "base/settings.h"
#include "capture/queue.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "catalog/triggers.h"
#include "ddl/create.h"
#include "ddl/intercept.h"
#include "ddl/triggers.h"

/* CREATE TABLE AS that has started and not ended, if any */
static CreateTableAsStmt *started_statement = NULL;
static Oid	started_schema = InvalidOid;
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
	Query	   *query = castNode(Query, stmt->query);
	TviewOptions no_options = {0};
	MemoryContext old;

	started_statement = NULL;
	if (!tview_ctas_interception || tview_create_running() ||
		stmt->objtype != OBJECT_TABLE ||
		!tview_name_has_prefix(rel->relname, TVIEW_TABLE_PREFIX))
		return;

	check_form(stmt);

	/* the server says what it says of a name that is taken */
	started_schema = RangeVarGetCreationNamespace(rel);
	if (OidIsValid(get_relname_relid(rel->relname, started_schema)))
		return;

	old = MemoryContextSwitchTo(TopTransactionContext);
	started_sql = tview_create_check(query,
									 rel->relname + strlen(TVIEW_TABLE_PREFIX),
									 &no_options);

	/* event triggers run in a context of their own */
	MemoryContextSwitchTo(GetMemoryChunkContext(query));
	query->limitCount = (Node *) makeConst(INT8OID, -1, InvalidOid,
										   sizeof(int64), Int64GetDatum(0),
										   false, FLOAT8PASSBYVAL);
	MemoryContextSwitchTo(old);
	started_statement = stmt;
}

/*
 * tview_intercept_create_end - CREATE TABLE AS has made its table
 */
void
tview_intercept_create_end(CreateTableAsStmt *stmt)
{
	char	   *name = stmt->into->rel->relname;
	Jsonb	   *options;

	if (stmt != started_statement || tview_create_running())
		return;
	started_statement = NULL;
	options = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
												 CStringGetDatum("{}")));
	tview_create_adopt(get_relname_relid(name, started_schema),
					   tview_name_join(TVIEW_KEY_PREFIX,
									   name + strlen(TVIEW_TABLE_PREFIX)),
					   started_sql, options,
					   stmt->is_select_into ? "SELECT INTO" : "CREATE TABLE AS");
}

/*
 * tview_intercept_helper_user - name of a TVIEW whose definition reads this
 * plain view, or NULL
 */
char *
tview_intercept_helper_user(Oid helper)
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

/* A view that TVIEWs are maintained by can't get another definition. */
static void
refuse_other_definition(Oid view)
{
	Tview	   *tview = tview_graph_find_view(view);
	char	   *user = tview != NULL ? tview_name_qualified(tview->tview) :
	tview_intercept_helper_user(view);

	if (user != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot replace view %s", tview_name_qualified(view)),
				 errdetail("TVIEW %s is maintained by its definition.", user),
				 errhint("Use CREATE OR REPLACE VIEW, or pg_tviews_alter().")));
}

/*
 * tview_intercept_rule - CREATE RULE starts
 */
void
tview_intercept_rule(RuleStmt *stmt)
{
	Oid			relid = RangeVarGetRelid(stmt->relation, NoLock, true);

	if (!OidIsValid(relid))
		return;
	if (stmt->event == CMD_SELECT)
		refuse_other_definition(relid);
	if (tview_graph_find(relid) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot make a rule on TVIEW %s",
						tview_name_qualified(relid)),
				 errdetail("The rows of a TVIEW are what its view returns."),
				 errhint("Use a trigger, AFTER the change.")));
}

/* CREATE OR REPLACE TRIGGER must not put another one in the place of ours. */
static void
refuse_replaced_trigger(Oid relid, const char *name)
{
	Oid			trigger = get_trigger_oid(relid, name, true);

	if (OidIsValid(trigger) &&
		(list_member_oid(tview_triggers_find(relid, TVIEW_CAPTURE_FUNCTION),
						 trigger) ||
		 list_member_oid(tview_triggers_find(relid, TVIEW_GUARD_FUNCTION),
						 trigger)))
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot replace trigger \"%s\" of table %s", name,
						tview_name_qualified(relid)),
				 errdetail("A TVIEW needs it."),
				 errhint("Give your trigger another name.")));
}

/*
 * tview_intercept_trigger - CREATE TRIGGER starts
 *
 * What a trigger writes instead of the row, or leaves out, would not be what
 * the view returns.
 */
void
tview_intercept_trigger(CreateTrigStmt *stmt)
{
	Oid			relid = RangeVarGetRelid(stmt->relation, NoLock, true);

	if (stmt->replace && OidIsValid(relid))
		refuse_replaced_trigger(relid, stmt->trigname);
	if (!stmt->row || stmt->timing != TRIGGER_TYPE_BEFORE ||
		tview_graph_find(relid) == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot make a BEFORE ROW trigger on TVIEW %s",
					tview_name_qualified(relid)),
			 errdetail("The rows of a TVIEW are what its view returns."),
			 errhint("Use an AFTER trigger.")));
}

/*
 * tview_intercept_trigger_made - CREATE TRIGGER has made one
 */
void
tview_intercept_trigger_made(CreateTrigStmt *stmt)
{
	Oid			relid = RangeVarGetRelid(stmt->relation, NoLock, true);

	if (OidIsValid(relid))
		tview_triggers_check(relid);
}

static void
notice_trigger(Oid relid)
{
	ereport(NOTICE,
			(errmsg("trigger of table %s has been made again",
					tview_name_qualified(relid)),
			 errdetail("A TVIEW needs it."),
			 errhint("It goes when the TVIEW is dropped.")));
}

/*
 * tview_intercept_drop_trigger - triggers have been dropped
 *
 * Those that a TVIEW needs come back.  An error would be plainer, but break
 * pg_restore --clean, which drops triggers before tables.
 */
void
tview_intercept_drop_trigger(void)
{
	List	   *captured = NIL;
	List	   *guarded = NIL;
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *tview = lfirst(lc);

		captured = list_concat_unique_oid(captured, tview->dependencies);
		guarded = lappend_oid(guarded, tview->tview);
	}
	foreach(lc, tview_inherits_trees(captured))
		if (!tview_triggers_are_complete(lfirst_oid(lc)))
	{
		tview_triggers_mend(lfirst_oid(lc));
		notice_trigger(lfirst_oid(lc));
	}
	foreach(lc, guarded)
		if (tview_triggers_find(lfirst_oid(lc), TVIEW_GUARD_FUNCTION) == NIL)
	{
		tview_triggers_guard(lfirst_oid(lc));
		notice_trigger(lfirst_oid(lc));
	}
}

static bool
has_type(Oid relid, AttrNumber attno, Form_pg_attribute att)
{
	Oid			type;
	int32		typmod;
	Oid			collation;

	get_atttypetypmodcoll(relid, attno, &type, &typmod, &collation);
	return type == att->atttypid && typmod == att->atttypmod &&
		collation == att->attcollation;
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
			!has_type(tview->tview, attno, att))
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot change column \"%s\" of TVIEW %s",
							NameStr(att->attname),
							tview_name_qualified(tview->tview)),
					 errdetail("View %s defines it.",
							   tview_name_qualified(tview->view)),
					 errhint("Use pg_tviews_alter().")));
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
 * Run a query that returns OIDs of TVIEWs, and have those rebuilt.  Returns
 * them.
 */
static List *
rebuild_found(const char *sql)
{
	List	   *result = tview_meta_find(sql);
	ListCell   *lc;

	foreach(lc, result)
		tview_queue_add_all(lfirst_oid(lc));
	return result;
}

/*
 * tview_intercept_whole_rows - have the TVIEWs rebuilt whose documents may show
 * a relation's rows as a whole
 *
 * Because they read them so, directly or through a view, or because
 * there are columns of the relation's row type.
 */
void
tview_intercept_whole_rows(Oid relid)
{
	List	   *tviews = NIL;
	ListCell   *lc;

	foreach(lc, tview_graph_readers(relid))
		tviews = lappend_oid(tviews, ((Tview *) lfirst(lc))->tview);
	foreach(lc, tviews)
	{
		TviewPlan  *plan = tview_plan_get(lfirst_oid(lc));

		if (plan == NULL)
			continue;
		for (int i = 0; i < plan->nsources; i++)
			if (plan->sources[i].relid == relid && plan->sources[i].whole_row)
				tview_queue_add_all(plan->tview);
	}
	(void) rebuild_found(psprintf("SELECT h.tview::pg_catalog.oid FROM %s AS h WHERE h.helper OPERATOR(pg_catalog.=) %u "
								  "UNION SELECT m.tview::pg_catalog.oid FROM %s AS m WHERE EXISTS "
								  "(SELECT FROM pg_catalog.pg_attribute AS a, pg_catalog.pg_type AS t "
								  "WHERE t.typrelid OPERATOR(pg_catalog.=) %u AND NOT a.attisdropped "
								  "AND (a.atttypid OPERATOR(pg_catalog.=) t.oid OR a.atttypid OPERATOR(pg_catalog.=) t.typarray))",
								  tview_extension_qualify("pg_tview_helpers"),
								  relid,
								  tview_extension_qualify("pg_tview_meta"),
								  relid));
}

/*
 * tview_intercept_shapes - a table has been altered or made
 *
 * All TVIEWs must still be such as could be created.  Only catalogs are looked
 * at for those that the table has nothing to do with: no lock is taken on
 * tables of theirs.  columns says whether the columns may have changed.  One
 * whose table was dropped while event triggers were disabled is not to stop
 * others' DDL.
 */
void
tview_intercept_shapes(RangeVar *altered, bool columns)
{
	Oid			relid = altered == NULL ? InvalidOid :
	RangeVarGetRelid(altered, NoLock, true);
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *tview = lfirst(lc);

		if (OidIsValid(relid) &&
			(relid == tview->tview || relid == tview->view))
			check_columns(tview);
		if (get_rel_relkind(tview->tview) != '\0' &&
			find_inheritance_children(tview->tview, NoLock) != NIL)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("TVIEW %s cannot have child tables",
							tview_name_qualified(tview->tview)),
					 errhint("Make a table LIKE it instead.")));
	}
	if (columns && OidIsValid(relid))
		foreach(lc, find_all_inheritors(relid, NoLock, NULL))
			tview_intercept_whole_rows(lfirst_oid(lc));
}

/*
 * tview_intercept_expressions - generated columns of a table have got other
 * expressions, and so other values, which no trigger notices
 */
void
tview_intercept_expressions(RangeVar *altered)
{
	Oid			relid = RangeVarGetRelid(altered, NoLock, true);
	List	   *tables = OidIsValid(relid) ?
	find_all_inheritors(relid, NoLock, NULL) : NIL;
	ListCell   *lc;

	foreach(lc, tables)
	{
		ListCell   *reader;

		foreach(reader, tview_graph_row_readers(lfirst_oid(lc)))
			tview_queue_add_all(lfirst_oid(reader));
	}
}

/*
 * tview_intercept_types - a type has changed in how its values look
 */
void
tview_intercept_types(void)
{
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *tview = lfirst(lc);

		/* one that can't be refreshed is nothing to refuse this for */
		if (tview->fault == NULL)
			tview_queue_add_all(tview->tview);
	}
}

/* Is the definition of a TVIEW still one that may be used? */
static void
check_again(Oid relid)
{
	Tview	   *tview = tview_graph_find(relid);
	char	   *entity = pstrdup(tview->entity);
	TviewOptions *options = tview_graph_options(tview);

	tview_check_definition(tview_expand(tview_view_query(tview->view)),
						   entity, options);
}

/*
 * tview_intercept_functions - functions, casts or constraints of domains have
 * been made or altered
 *
 * A definition may use one that has been replaced, as such or as a part of an
 * operator or an aggregate.  It must still be one that may be used.  A cast
 * to json changes how JSON functions render a type, without being named.
 */
void
tview_intercept_functions(void)
{
	List	   *tviews;
	ListCell   *lc;

	tviews = rebuild_found(psprintf("WITH RECURSIVE d AS ("
									"SELECT c.classid, c.objid FROM pg_catalog.pg_event_trigger_ddl_commands() AS c "
									"UNION SELECT p.classid, p.objid FROM d CROSS JOIN LATERAL ("
									"SELECT p.classid, p.objid FROM pg_catalog.pg_depend AS p "
									"WHERE p.refclassid OPERATOR(pg_catalog.=) d.classid AND p.refobjid OPERATOR(pg_catalog.=) d.objid "
									"UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, c.castsource FROM pg_catalog.pg_cast AS c "
									"WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_cast'::pg_catalog.regclass AND c.oid OPERATOR(pg_catalog.=) d.objid) AS p "
									"WHERE d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_rewrite'::pg_catalog.regclass) "
									"SELECT DISTINCT m.tview::pg_catalog.oid FROM d "
									"JOIN pg_catalog.pg_rewrite AS r ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) r.oid "
									"JOIN %s AS m ON r.ev_class OPERATOR(pg_catalog.=) m.view OR EXISTS "
									"(SELECT FROM %s AS h WHERE h.tview OPERATOR(pg_catalog.=) m.tview AND h.helper OPERATOR(pg_catalog.=) r.ev_class)",
									tview_extension_qualify("pg_tview_meta"),
									tview_extension_qualify("pg_tview_helpers")));
	foreach(lc, tviews)
		check_again(lfirst_oid(lc));
}

/*
 * tview_intercept_drop_casts - has what was dropped taken a cast to json?
 */
void
tview_intercept_drop_casts(void)
{
	uint64		found;

	SPI_connect();
	if (SPI_execute("SELECT FROM pg_catalog.pg_event_trigger_dropped_objects() AS o "
					"WHERE o.object_type OPERATOR(pg_catalog.=) 'cast' "
					"AND o.object_identity OPERATOR(pg_catalog.~) ' AS (pg_catalog[.])?json[)]$'",
					true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look for dropped casts");
	found = SPI_processed;
	SPI_finish();
	if (found > 0)
		tview_intercept_types();
}
