/*-------------------------------------------------------------------------
 *
 * create.c
 *	  Making TVIEWs.
 *
 * Both ways of making one, pg_tviews_create() and CREATE TABLE tv_x AS, end
 * in tview_create_adopt(): there is an empty table with the columns of the
 * definition, and it is made into a TVIEW.
 *
 *	1. make the view; check definition and columns
 *	2. lock the tables it reads against writers, and wait for those there are
 *	3. fill the table, with a snapshot taken after that
 *	4. make primary key, indexes, triggers, metadata
 *
 * Writers that come later find the triggers; those before were waited for,
 * and the snapshot sees what they have written.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/toast_compression.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "analyze/check.h"
#include "analyze/expand.h"
#include "analyze/notices.h"
#include "analyze/operators.h"
#include "analyze/plan.h"
#include "analyze/select.h"
#include "analyze/tables.h"
#include "base/extension.h"
#include "base/inherits.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "catalog/reads.h"
#include "ddl/build.h"
#include "ddl/create.h"
#include "ddl/definition.h"
#include "ddl/dependencies.h"
#include "ddl/execute.h"
#include "ddl/persistence.h"
#include "ddl/record.h"
#include "ddl/suspend.h"
#include "ddl/triggers.h"
#include "refresh/flush.h"
#include "stats/activity.h"

PG_FUNCTION_INFO_V1(pg_tviews_create);

#define TVIEW_FILLFACTOR	80	/* room for HOT updates of documents */

static bool create_running = false;

/*
 * tview_create_running - are the statements that run now our own?
 */
bool
tview_create_running(void)
{
	return create_running;
}

/*
 * tview_create_set_running - say so, or take it back; returns what it was
 */
bool
tview_create_set_running(bool running)
{
	bool		outer = create_running;

	create_running = running;
	return outer;
}

/* ----------
 * Checks
 * ----------
 */

/*
 * tview_create_check - judge a definition by itself; return it as text, with
 * qualified names
 */
char *
tview_create_check(Query *query, const char *name,
				   const TviewOptions *options)
{
	TviewExpansion *expansion;
	int			nest_level;
	char	   *sql;

	tview_check_statement(query, name);
	expansion = tview_expand(query);
	tview_check_definition(expansion, name, options);
	tview_notices_raise(expansion, name);

	nest_level = tview_fix_settings();
	sql = pg_get_querydef(tview_operators_spell(query), false);
	AtEOXact_GUC(false, nest_level);
	return sql;
}

/*
 * tview_create_check_name - is there nothing of this name?
 */
void
tview_create_check_name(const char *name, Oid schema)
{
	if (OidIsValid(get_relname_relid(name, schema)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"%s\" already exists in schema \"%s\"",
						name, get_namespace_name(schema)),
				 errhint("Drop or rename it, or choose another entity name or schema.")));
}

/* ----------
 * Steps of making one
 * ----------
 */

/*
 * tview_create_check_privileges - reading a table and having its changes
 * captured takes two privileges
 */
void
tview_create_check_privileges(List *tables)
{
	ListCell   *lc;

	foreach(lc, tables)
	{
		Oid			relid = lfirst_oid(lc);
		AclMode		wanted = ACL_SELECT | ACL_TRIGGER;

		if (pg_class_aclmask(relid, GetUserId(), wanted,
							 ACLMASK_ALL) != wanted)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied for table %s",
							tview_name_qualified(relid)),
					 errdetail("Role \"%s\" needs SELECT and TRIGGER.",
							   GetUserNameFromId(GetUserId(), false))));
	}
}

/*
 * tview_create_tables - the tables whose changes a TVIEW depends on
 *
 * Those that the definition reads, and those that its functions are declared
 * to read.  The current user must be able to make a TVIEW of them.
 */
List *
tview_create_tables(const TviewExpansion *expansion,
					const TviewOptions *options, const char *name)
{
	List	   *reads = tview_reads_tables(options);
	List	   *result = list_concat_unique_oid(list_copy(expansion->tables),
												reads);

	tview_tables_check_kinds(reads, name);
	tview_create_check_privileges(result);
	list_sort(result, list_oid_cmp);
	return result;
}

/*
 * tview_create_lock - keep writers away from tables that are read, and from
 * all below them, to the end of the transaction
 *
 * In the order of OIDs, so that two builds can't deadlock.  A table that has
 * come to be below one meanwhile is found when that one is locked.  Returns
 * all that are locked.
 */
List *
tview_create_lock(List *tables)
{
	List	   *locked = NIL;

	for (;;)
	{
		List	   *trees = tview_inherits_trees(tables);
		List	   *missing = list_difference_oid(trees, locked);
		ListCell   *lc;

		if (missing == NIL)
			return trees;
		foreach(lc, missing)
			LockRelationOid(lfirst_oid(lc), ShareRowExclusiveLock);
		locked = list_concat(locked, missing);
	}
}

/*
 * tview_create_set_storage - room for HOT updates, and quick compression, unless
 * the table has settings of its own
 */
void
tview_create_set_storage(const TviewPlan *plan)
{
	Relation	rel = table_open(plan->tview, NoLock);
	bool		is_full = RelationGetFillFactor(rel, HEAP_DEFAULT_FILLFACTOR) ==
	HEAP_DEFAULT_FILLFACTOR;
#ifdef USE_LZ4
	AttrNumber	attno = get_attnum(plan->tview, TVIEW_DATA_COLUMN);
	bool		is_default = !CompressionMethodIsValid(TupleDescAttr(RelationGetDescr(rel),
																	 attno - 1)->attcompression);
#endif

	table_close(rel, NoLock);
	if (is_full)
		tview_execute("ALTER TABLE %s SET (fillfactor = %d)", plan->name,
					  TVIEW_FILLFACTOR);
#ifdef USE_LZ4
	if (is_default)
		tview_execute("ALTER TABLE %s ALTER COLUMN %s SET COMPRESSION lz4",
					  plan->name, TVIEW_DATA_COLUMN);
#endif
}

static void
prepare_table(const TviewPlan *plan)
{
	tview_create_set_storage(plan);
	tview_execute("ALTER TABLE %s ADD COLUMN %s timestamptz NOT NULL, "
				  "ALTER COLUMN %s SET NOT NULL, ALTER COLUMN %s SET NOT NULL",
				  plan->name, TVIEW_UPDATED_COLUMN,
				  quote_identifier(plan->key_column), TVIEW_DATA_COLUMN);
}

static bool
is_foreign_key_column(const char *name)
{
	return tview_name_has_prefix(name, TVIEW_FK_PREFIX);
}

static bool
is_uuid_column(const char *name)
{
	size_t		len = strlen(name);
	size_t		suffix = strlen(TVIEW_UUID_SUFFIX);

	return len > suffix &&
		strcmp(name + len - suffix, TVIEW_UUID_SUFFIX) == 0;
}

/*
 * tview_create_index - the index that a column of this name gets, if any
 */
void
tview_create_index(const TviewPlan *plan, const char *column)
{
	Oid			type = get_atttype(plan->tview,
								   get_attnum(plan->tview, column));

	if (strcmp(column, plan->key_column) != 0 &&
		OidIsValid(lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY)->btree_opf) &&
		(strcmp(column, TVIEW_ID_COLUMN) == 0 ||
		 is_foreign_key_column(column) || is_uuid_column(column)))
		tview_execute("CREATE INDEX ON %s (%s)", plan->name,
					  quote_identifier(column));
}

static void
hint_duplicate_key(void *arg)
{
	if (geterrcode() == ERRCODE_UNIQUE_VIOLATION)
		errhint("The definition returns a key more than once: join other tables by unique columns, or aggregate their rows in a subquery.");
	errcontext("while building TVIEW %s", ((const TviewPlan *) arg)->name);
}

static void
make_indexes(const TviewPlan *plan, uint64 rows)
{
	ErrorContextCallback callback = {error_context_stack, hint_duplicate_key,
	unconstify(TviewPlan *, plan)};
	ListCell   *lc;

	tview_activity_phase(TVIEW_PHASE_INDEXES, rows);
	error_context_stack = &callback;
	tview_execute("ALTER TABLE %s ADD PRIMARY KEY (%s)", plan->name,
				  quote_identifier(plan->key_column));
	error_context_stack = callback.previous;

	foreach(lc, plan->columns)
		tview_create_index(plan, lfirst(lc));
}

/*
 * tview_create_metadata - what pg_tview_meta is to say of a TVIEW
 */
TviewMeta *
tview_create_metadata(const TviewPlan *plan, const char *entity,
					  const TviewExpansion *expansion, List *tables,
					  Jsonb *options)
{
	TviewMeta  *meta = palloc0(sizeof(TviewMeta));
	ListCell   *lc;

	meta->entity = pstrdup(entity);
	meta->schema = get_namespace_name(get_rel_namespace(plan->tview));
	meta->tview = plan->tview;
	meta->view = plan->view;
	meta->root = plan->roots == NIL ? InvalidOid : linitial_oid(plan->roots);
	meta->key_column = plan->key_column;
	meta->definition = tview_definition_of_view(plan->view);
	meta->options = options;
	meta->policies = plan->policies;
	meta->dependencies = tables;
	meta->helpers = expansion->helpers;
	foreach(lc, plan->columns)
	{
		if (is_foreign_key_column(lfirst(lc)))
			meta->fk_columns = lappend(meta->fk_columns, lfirst(lc));
		else if (is_uuid_column(lfirst(lc)))
			meta->uuid_columns = lappend(meta->uuid_columns, lfirst(lc));
	}
	return meta;
}

/* What a role must be allowed is not plain from what it was refused. */
static void
hint_privileges(void *arg)
{
	if (geterrcode() == ERRCODE_INSUFFICIENT_PRIVILEGE)
		errhint("To make a TVIEW takes CREATE on its schema, and SELECT and TRIGGER on the tables that it reads.");
}

/*
 * tview_create_adopt - make a TVIEW of an empty table
 *
 * sql is the definition, with qualified names; the table has its columns.
 * command is how it is made, for the audit log.
 */
void
tview_create_adopt(Oid table, const char *key_column, const char *sql,
				   Jsonb *options, const char *command)
{
	char	   *entity = get_rel_name(table) + strlen(TVIEW_TABLE_PREFIX);
	Oid			schema = get_rel_namespace(table);
	char	   *view_name = tview_name_join(TVIEW_VIEW_PREFIX, entity);
	Relation	rel = table_open(table, AccessExclusiveLock);
	Oid			view;
	TviewExpansion *expansion;
	List	   *tables;
	TviewPlan  *plan;
	TviewOptions *parsed = tview_options_parse(options);
	List	   *trees;
	TviewMeta  *meta;
	ListCell   *lc;
	bool		outer = create_running;
	int			nest_level = tview_fix_settings();
	ErrorContextCallback callback = {error_context_stack, hint_privileges, NULL};

	error_context_stack = &callback;
	tview_select_check_columns(RelationGetDescr(rel), entity, key_column);
	tview_create_check_name(view_name, schema);
	table_close(rel, NoLock);

	create_running = true;
	PG_TRY();
	{
		tview_execute("CREATE VIEW %s AS %s",
					  quote_qualified_identifier(get_namespace_name(schema), view_name),
					  sql);
		view = get_relname_relid(view_name, schema);
		expansion = tview_expand(tview_view_query(view));
		tables = tview_create_tables(expansion, parsed, entity);
		tview_select_check_level(tables, entity);
		plan = tview_plan_build(table, view, entity, key_column, parsed);
		trees = tview_create_lock(tables);
		tview_tables_check(expansion, GetUserId(), entity, parsed);
		tview_persistence_set(plan, entity);
		prepare_table(plan);
		make_indexes(plan, tview_build(plan));
		tview_activity_end();
		foreach(lc, trees)
			tview_triggers_capture(lfirst_oid(lc));
		tview_triggers_guard(table);
		meta = tview_create_metadata(plan, entity, expansion, tables, options);
		tview_meta_insert(meta);
		tview_dependencies_record(table, view,
								  tview_reads_resolve(parsed, false));
		CommandCounterIncrement();
		tview_record_create(meta, command);
		tview_suspend_lay_tripwires();
	}
	PG_FINALLY();
	{
		create_running = outer;
	}
	PG_END_TRY();
	AtEOXact_GUC(false, nest_level);
	error_context_stack = callback.previous;
}

/* ----------
 * pg_tviews_create()
 * ----------
 */

/* Where a new relation goes; the checks are those of CREATE TABLE. */
static Oid
creation_schema(const char *schema, const char *name)
{
	RangeVar   *rv = makeRangeVar(schema == NULL ? NULL : pstrdup(schema),
								  pstrdup(name), -1);
	Oid			result = RangeVarGetAndCheckCreationNamespace(rv, NoLock, NULL);

	if (isAnyTempNamespace(result))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("TVIEW \"%s\" cannot be temporary", name),
				 errhint("Name a schema that all sessions see.")));
	return result;
}

/*
 * tview_create_table - make a table that has the columns of a query, and no rows
 */
Oid
tview_create_table(Oid schema, const char *name, const char *sql)
{
	int			nest_level = tview_fix_settings();
	bool		outer = create_running;

	create_running = true;
	PG_TRY();
	{
		tview_execute("CREATE TABLE %s AS %s WITH NO DATA",
					  quote_qualified_identifier(get_namespace_name(schema),
												 name), sql);
	}
	PG_FINALLY();
	{
		create_running = outer;
	}
	PG_END_TRY();
	AtEOXact_GUC(false, nest_level);
	return get_relname_relid(name, schema);
}

/*
 * tview_create - make a TVIEW of a query, in this schema, or where CREATE TABLE
 * would if that is NULL
 */
Oid
tview_create(const char *schema_name, const char *entity,
			 const char *key_column, const char *definition, Jsonb *options,
			 const char *command)
{
	TviewOptions *parsed = tview_options_parse(options);
	Jsonb	   *named = tview_reads_name(options,
										 tview_reads_resolve(parsed, false));
	char	   *table_name = tview_name_join(TVIEW_TABLE_PREFIX, entity);
	Oid			schema;
	Oid			table;
	char	   *sql;
	ErrorContextCallback callback = {error_context_stack, hint_privileges, NULL};

	error_context_stack = &callback;
	tview_flush_for_ddl();
	sql = tview_create_check(tview_select_parse(definition, entity), entity,
							 tview_options_parse(named));
	schema = creation_schema(schema_name, table_name);
	tview_create_check_name(table_name, schema);
	table = tview_create_table(schema, table_name, sql);
	tview_create_adopt(table, key_column, sql, named, command);
	error_context_stack = callback.previous;
	return table;
}

/*
 * pg_tviews_create - make a TVIEW of a query
 */
Datum
pg_tviews_create(PG_FUNCTION_ARGS)
{
	char	   *schema;
	char	   *entity;

	tview_name_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)), &schema, &entity);
	PG_RETURN_OID(tview_create(schema, entity,
							   tview_name_join(TVIEW_KEY_PREFIX, entity),
							   text_to_cstring(PG_GETARG_TEXT_PP(1)),
							   PG_GETARG_JSONB_P(2), "pg_tviews_create"));
}
