/*-------------------------------------------------------------------------
 *
 * convert.c
 *	  pg_tviews_convert_table(): making a TVIEW of a table that there is.
 *
 * The table was kept up to date by hand, and stays the same object, with all that
 * belongs to it or depends on it.  So nothing is loaded: it gets what a TVIEW
 * has and it hasn't, and is then rebuilt by differences.
 *
 *	1. lock the tables that the definition reads against writers, TVIEWs that
 *	   read this one against refreshes, and the table against everybody, in the
 *	   order of writers: who writes a table then writes this one, with a trigger
 *	2. look again whether the table can be a TVIEW
 *	3. make the view, unless it is there
 *	4. take out rows that no TVIEW can have, with a key that is null or comes up
 *	   more than once; after that no row may be written before the table is
 *	   altered, since that might leave a deferred trigger to be fired, and the
 *	   server does not alter a table that has one
 *	5. make columns, primary key, indexes, triggers, metadata that are missing
 *	6. rebuild by differences, which is a refresh like any other
 *
 * What wrote the table by hand can't any more.  It is looked for, and named.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"

#include "analyze/expand.h"
#include "analyze/plan.h"
#include "analyze/select.h"
#include "analyze/tables.h"
#include "base/compat.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "catalog/reads.h"
#include "ddl/adopt.h"
#include "ddl/convert.h"
#include "ddl/convertible.h"
#include "ddl/create.h"
#include "ddl/definition.h"
#include "ddl/dependencies.h"
#include "ddl/execute.h"
#include "ddl/intercept.h"
#include "ddl/persistence.h"
#include "ddl/record.h"
#include "ddl/triggers.h"
#include "refresh/flush.h"
#include "stats/activity.h"

PG_FUNCTION_INFO_V1(pg_tviews_convert_table);

/* A table on its way to be a TVIEW */
typedef struct Conversion
{
	Oid			table;
	Oid			owner;
	char	   *entity;
	char	   *key_column;
	Jsonb	   *options;
	Query	   *query;			/* the definition */
	TviewMeta  *meta;			/* when it is one */
	uint64		duplicate;		/* rows whose key another one has */
	uint64		null_key;		/* rows without a key */
} Conversion;

/* ----------
 * Before anything is changed
 * ----------
 */

static void
check_owner(Oid table)
{
	if (get_rel_name(table) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no table with OID %u", table)));
	if (!tview_owner_is_member(table))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE,
					   tview_name_qualified(table));
}

static void
check_table(const Conversion *conversion)
{
	TupleDesc	desc = ExecCleanTypeFromTL(conversion->query->targetList);

	tview_select_check_columns(desc, conversion->entity,
							   conversion->key_column);
	tview_convertible_check(conversion->table, desc, conversion->key_column);
}

/*
 * Keep everybody away from the table, and writers from those that it will
 * depend on.  Return the view that there is, if any.
 */
static Oid
lock(const Conversion *conversion, List *tables)
{
	Oid			schema = get_rel_namespace(conversion->table);
	char	   *name = tview_name_join(TVIEW_VIEW_PREFIX, conversion->entity);
	Oid			view;

	(void) tview_create_lock(tables);
	tview_adopt_lock_readers(conversion->table);
	LockRelationOid(conversion->table, AccessExclusiveLock);
	view = get_relname_relid(name, schema);
	if (OidIsValid(view))
		LockRelationOid(view, AccessExclusiveLock);
	return view;
}

/* ----------
 * Rows that no TVIEW can have
 * ----------
 */

static uint64
write_rows(const char *sql)
{
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());

	if (plan == NULL ||
		SPI_execute_snapshot(plan, NULL, NULL, snapshot, InvalidSnapshot,
							 false, true, 0) < 0)
		elog(ERROR, "could not execute \"%s\"", sql);
	UnregisterSnapshot(snapshot);
	return SPI_processed;
}

/*
 * The first row of a key stays.  A document that is null is replaced by
 * JSON's, and computed in the rebuild.
 */
static void
remove_rows(Conversion *conversion, const TviewPlan *plan, bool has_key,
			bool has_values)
{
	const char *key = quote_identifier(conversion->key_column);
	TviewOwnerContext saved;

	tview_flush_set_constraints(conversion->table, false);
	tview_owner_enter(&saved, conversion->owner, true);
	SPI_connect();
	if (!has_key)
	{
		conversion->null_key =
			write_rows(psprintf("DELETE FROM %s WHERE %s IS NULL", plan->name, key));
		conversion->duplicate =
			write_rows(psprintf("DELETE FROM %s WHERE ctid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT d.ctid FROM "
								"(SELECT t.ctid, pg_catalog.row_number() OVER (PARTITION BY t.%s ORDER BY t.ctid) AS n FROM %s AS t) AS d "
								"WHERE d.n OPERATOR(pg_catalog.>) 1))",
								plan->name, key, plan->name));
	}
	if (!has_values)
		(void) write_rows(psprintf("UPDATE %s SET %s = COALESCE(%s, 'null'), %s = COALESCE(%s, pg_catalog.now()) "
								   "WHERE %s IS NULL OR %s IS NULL",
								   plan->name, TVIEW_DATA_COLUMN,
								   TVIEW_DATA_COLUMN, TVIEW_UPDATED_COLUMN,
								   TVIEW_UPDATED_COLUMN, TVIEW_DATA_COLUMN,
								   TVIEW_UPDATED_COLUMN));
	SPI_finish();
	tview_owner_leave(&saved);
	tview_flush_set_constraints(conversion->table, true);
	CommandCounterIncrement();
}

/* ----------
 * What a TVIEW has
 * ----------
 */

static bool
is_not_null(Oid table, const char *column)
{
	Relation	rel = table_open(table, NoLock);
	bool		result = tview_is_not_null(RelationGetDescr(rel),
										   get_attnum(table, column) - 1);

	table_close(rel, NoLock);
	return result;
}

/* Are rows found by this column? */
static bool
has_index(Oid table, const char *column)
{
	Relation	rel = table_open(table, NoLock);
	bool		result = false;
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		result |= index->rd_index->indisvalid &&
			RelationGetIndexPredicate(index) == NIL &&
			index->rd_index->indkey.values[0] == get_attnum(table, column);
		index_close(index, NoLock);
	}
	table_close(rel, NoLock);
	return result;
}

/* The column with the time of the last change, new if need be. */
static void
prepare_updated(const TviewPlan *plan)
{
	if (get_attnum(plan->tview, TVIEW_UPDATED_COLUMN) != InvalidAttrNumber)
		return;
	tview_execute("ALTER TABLE %s ADD COLUMN %s timestamptz NOT NULL DEFAULT pg_catalog.now()",
				  plan->name, TVIEW_UPDATED_COLUMN);
	tview_execute("ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT", plan->name,
				  TVIEW_UPDATED_COLUMN);
	tview_intercept_whole_rows(plan->tview);
}

static void
prepare(Conversion *conversion, const TviewPlan *plan)
{
	bool		has_key = OidIsValid(plan->key_constraint);
	bool		has_values;
	ListCell   *lc;

	tview_activity_begin(plan->name, TVIEW_PHASE_INDEXES, 0);
	tview_create_set_storage(plan);
	prepare_updated(plan);
	has_values = is_not_null(plan->tview, TVIEW_DATA_COLUMN) &&
		is_not_null(plan->tview, TVIEW_UPDATED_COLUMN);
	if (!has_key || !has_values)
		remove_rows(conversion, plan, has_key, has_values);
	if (!has_values)
		tview_execute("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL, ALTER COLUMN %s SET NOT NULL",
					  plan->name, TVIEW_DATA_COLUMN, TVIEW_UPDATED_COLUMN);
	if (!has_key)
		tview_execute("ALTER TABLE %s ADD PRIMARY KEY (%s)", plan->name,
					  quote_identifier(conversion->key_column));
	foreach(lc, plan->columns)
		if (!has_index(plan->tview, lfirst(lc)))
		tview_create_index(plan, lfirst(lc));
	tview_activity_end();
}

static void
make(Conversion *conversion, Oid view)
{
	Oid			table = conversion->table;
	TviewOptions *options = tview_options_parse(conversion->options);
	char	   *definition = tview_definition_text(conversion->query);
	char	   *name = tview_name_join(TVIEW_VIEW_PREFIX, conversion->entity);
	Oid			schema = get_rel_namespace(table);
	TviewExpansion *expansion;
	List	   *tables;
	TviewPlan  *plan;
	ListCell   *lc;

	if (OidIsValid(view))
		tview_convertible_check_view(view, table, definition);
	else
	{
		tview_execute("CREATE VIEW %s AS %s",
					  quote_qualified_identifier(get_namespace_name(schema), name),
					  definition);
		view = get_relname_relid(name, schema);
	}
	expansion = tview_expand(tview_view_query(view));
	tables = tview_create_tables(expansion, options, conversion->entity);
	tview_select_check_level(tables, conversion->entity);
	plan = tview_plan_build(table, view, conversion->entity,
							conversion->key_column, options);
	tview_tables_check(expansion, GetUserId(), conversion->entity, options);
	tview_persistence_set(plan, conversion->entity);
	prepare(conversion, plan);
	foreach(lc, tview_create_lock(tables))
		tview_triggers_capture(lfirst_oid(lc));
	tview_triggers_guard(table);
	conversion->meta = tview_create_metadata(plan, conversion->entity,
											 expansion, tables,
											 conversion->options);
	tview_meta_insert(conversion->meta);
	tview_dependencies_record(table, view, tview_reads_resolve(options, false));
	CommandCounterIncrement();
	tview_adopt_check_levels();
}

/* Everything up to the rebuild, as the owner of the table. */
static void
convert(Conversion *conversion, Query *query)
{
	TviewOptions *options = tview_options_parse(conversion->options);
	TviewExpansion *expansion;
	TviewOwnerContext saved;
	List	   *tables;
	Oid			view;

	tview_owner_enter(&saved, conversion->owner, true);
	conversion->query =
		tview_select_parse(tview_create_check(query, conversion->entity, options),
						   conversion->entity);
	check_table(conversion);
	expansion = tview_expand(conversion->query);
	tables = tview_create_tables(expansion, options, conversion->entity);
	tview_adopt_check_cycle(conversion->table, tables);
	view = lock(conversion, tables);
	check_table(conversion);
	if (tview_owner_of(conversion->table) != conversion->owner)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("table of TVIEW \"%s\" was given to another role meanwhile",
						conversion->entity)));
	make(conversion, view);
	tview_owner_leave(&saved);
}

/* ----------
 * What has maintained it by hand
 * ----------
 */

/*
 * Triggers whose function mentions the table.  The name is looked for as a
 * word; a function that makes it up can't be found.
 */
static char *
writers_sql(Oid table)
{
	return psprintf("SELECT t.tgname, t.tgrelid, p.oid::regprocedure "
					"FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid JOIN pg_class AS c ON c.oid = %u "
					"WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgrelid <> c.oid "
					"AND (p.prosrc ~* ('(^|[^[:alnum:]_$])' || regexp_replace(c.relname, '([^[:alnum:]_])', '\\\\\\1', 'g') || '($|[^[:alnum:]_$])') "
					"OR EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid "
					"AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)) "
					"ORDER BY t.tgrelid::regclass::text, t.tgname", table);
}

static void
report_writers(Oid table)
{
	int			nest_level = tview_fix_settings();

	SPI_connect();
	if (SPI_execute(writers_sql(table), true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for triggers");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		char	   *trigger = SPI_getvalue(tuple, desc, 1);
		bool		isnull;
		char	   *relation =
		tview_name_qualified(DatumGetObjectId(SPI_getbinval(tuple, desc, 2,
															&isnull)));

		ereport(NOTICE,
				(errmsg("trigger \"%s\" of table %s may write TVIEW %s, which is refused from now on",
						trigger, relation, tview_name_qualified(table)),
				 errdetail("Its function %s mentions the table.",
						   SPI_getvalue(tuple, desc, 3)),
				 errhint("If it has maintained the table, use DROP TRIGGER %s ON %s in this transaction.",
						 quote_identifier(trigger), relation)));
	}
	SPI_finish();
	AtEOXact_GUC(false, nest_level);
}

/* ----------
 * pg_tviews_convert_table()
 * ----------
 */

static void
begin(Conversion *conversion, const char *schema, Jsonb *options)
{
	check_owner(conversion->table);
	conversion->owner = tview_owner_of(conversion->table);
	tview_convertible_check_name(conversion->table, schema,
								 conversion->entity);
	conversion->options =
		tview_reads_name(options,
						 tview_reads_resolve(tview_options_parse(options),
											 false));
	if (tview_flush_running())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot make a TVIEW while others are being refreshed")));
	tview_flush_for_ddl();
}

/*
 * tview_convert - make a TVIEW of a table that there is; returns in how many
 * rows it was wrong
 *
 * schema may be NULL.  command is how it is made, for the audit log.
 */
TviewConverted
tview_convert(Oid table, const char *schema, const char *entity,
			  const char *key_column, const char *definition, Jsonb *options,
			  const char *command)
{
	Conversion	conversion = {
		.table = table,
		.entity = pstrdup(entity),
		.key_column = pstrdup(key_column)
	};
	TviewConverted result;
	TviewWritten written;
	bool		outer;

	begin(&conversion, schema, options);
	outer = tview_create_set_running(true);
	PG_TRY();
	{
		convert(&conversion, tview_select_parse(definition, entity));
	}
	PG_FINALLY();
	{
		(void) tview_create_set_running(outer);
	}
	PG_END_TRY();
	written = tview_flush_rebuild(tview_plan_get(table), NULL);
	tview_flush(false);
	result.missing = written.inserted;
	result.different = written.updated;
	result.extra = written.deleted + conversion.null_key;
	result.duplicate = conversion.duplicate;
	tview_record_convert(conversion.meta, &result, command);
	report_writers(table);
	return result;
}

/*
 * pg_tviews_convert_table - make a TVIEW of a table that there is
 */
Datum
pg_tviews_convert_table(PG_FUNCTION_ARGS)
{
	char	   *schema;
	char	   *entity;
	TviewConverted converted;
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {0};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	check_owner(PG_GETARG_OID(0));
	tview_name_parse(text_to_cstring(PG_GETARG_TEXT_PP(1)), &schema, &entity);
	converted = tview_convert(PG_GETARG_OID(0), schema, entity,
							  tview_name_join(TVIEW_KEY_PREFIX, entity),
							  text_to_cstring(PG_GETARG_TEXT_PP(2)),
							  PG_GETARG_JSONB_P(3), "pg_tviews_convert_table");
	values[0] = Int64GetDatum((int64) converted.missing);
	values[1] = Int64GetDatum((int64) converted.different);
	values[2] = Int64GetDatum((int64) converted.extra);
	values[3] = Int64GetDatum((int64) converted.duplicate);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}
