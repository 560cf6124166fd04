/*-------------------------------------------------------------------------
 *
 * recreate.c
 *	  pg_tviews_recreate(): making TVIEWs again of which only the metadata is
 *	  left.
 *
 * Rows of pg_tview_meta that were restored into a database without their TVIEWs
 * name relations that are not there, and so do those of TVIEWs that were dropped
 * unnoticed.  Each is made like a new one, after those that it reads, and its row
 * replaced.  A table that is there already, restored after the metadata for
 * instance, is converted: nobody knows what has changed meanwhile.
 *
 * Who owned a TVIEW is in the audit log only.  Its definition runs as that role, so
 * it takes the rights of that role to make it again.  If nobody knows who that was,
 * somebody may have written the row so that a superuser runs the definition: such
 * a TVIEW is made if the caller names it, and then belongs to the caller.
 *
 * All are made, or none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parser.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/audit.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "ddl/convert.h"
#include "ddl/create.h"
#include "ddl/definition.h"
#include "ddl/triggers.h"
#include "refresh/flush.h"

PG_FUNCTION_INFO_V1(pg_tviews_recreate);

#define UNKNOWN_OWNER \
	"The audit log does not say whose it was, or that role does not exist."

/* A TVIEW that is not there */
typedef struct Missing
{
	const TviewMeta *meta;
	char	   *table;			/* qualified names */
	char	   *view;
	Oid			owner;			/* InvalidOid: nobody knows */
	bool		done;
} Missing;

/* ----------
 * What is missing
 * ----------
 */

/* Add the tables and views that a parse tree names. */
static bool
add_names(Node *node, List **names)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeVar) && ((RangeVar *) node)->schemaname != NULL)
		*names = lappend(*names,
						 quote_qualified_identifier(((RangeVar *) node)->schemaname,
													((RangeVar *) node)->relname));
	return raw_expression_tree_walker(node, add_names, names);
}

/* Those in a definition, and those that its functions are declared to read. */
static List *
names_read(const TviewMeta *meta)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, raw_parser(meta->definition, RAW_PARSE_DEFAULT))
	{
		Node	   *stmt = lfirst_node(RawStmt, lc)->stmt;

		/* others are no definitions, and refused when it is made */
		if (IsA(stmt, SelectStmt))
			(void) add_names(stmt, &names);
	}
	foreach(lc, tview_options_parse(meta->options)->reads)
		names = list_concat(names, ((TviewReads *) lfirst(lc))->tables);
	return names;
}

static bool
has_name(const List *names, const char *name)
{
	ListCell   *lc;

	foreach(lc, names)
		if (strcmp(lfirst(lc), name) == 0)
		return true;
	return false;
}

/* The role that a TVIEW belonged to, unless it is gone, too. */
static Oid
last_owner(const TviewMeta *meta)
{
	char	   *name = tview_audit_last_owner(meta->schema, meta->entity);

	return name == NULL ? InvalidOid : get_role_oid(name, true);
}

static List *
find_missing(void)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, tview_meta_missing())
	{
		Missing    *missing = palloc0(sizeof(Missing));
		TviewMeta  *meta = lfirst(lc);

		missing->meta = meta;
		missing->table =
			quote_qualified_identifier(meta->schema,
									   tview_name_join(TVIEW_TABLE_PREFIX, meta->entity));
		missing->view =
			quote_qualified_identifier(meta->schema,
									   tview_name_join(TVIEW_VIEW_PREFIX, meta->entity));
		missing->owner = last_owner(meta);
		result = lappend(result, missing);
	}
	return result;
}

/*
 * May the caller make it?  One that nobody knows the owner of goes to the
 * caller, who has to be somebody that restores databases, and has to name it.
 */
static bool
may_make(const Missing *missing, bool named)
{
	if (OidIsValid(missing->owner))
		return has_privs_of_role(GetUserId(), missing->owner);
	return named && (superuser() || tview_is_database_owner());
}

static void
check_may_make(const Missing *missing, bool named)
{
	if (may_make(missing, named))
		return;
	if (OidIsValid(missing->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to make TVIEW %s again", missing->table),
				 errdetail("It belonged to role \"%s\".",
						   GetUserNameFromId(missing->owner, false)),
				 errhint("Call pg_tviews_recreate() as that role, or as a superuser.")));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to make TVIEW %s again", missing->table),
			 errdetail(UNKNOWN_OWNER),
			 errhint("Become who is to own it, a superuser or the owner of the database, and call pg_tviews_recreate() with its name.")));
}

static void
notice_left_out(const Missing *missing)
{
	ereport(NOTICE,
			(errmsg("TVIEW %s is not made again", missing->table),
			 errdetail(UNKNOWN_OWNER),
			 errhint("Look at its definition in pg_tview_meta, become who is to own it, and call pg_tviews_recreate() with its name.")));
}

static Missing *
find_in_schema(List *all, const char *schema, const char *entity)
{
	ListCell   *lc;

	foreach(lc, all)
	{
		Missing    *missing = lfirst(lc);

		if (strcmp(missing->meta->schema, schema) == 0 &&
			strcmp(missing->meta->entity, entity) == 0)
			return missing;
	}
	return NULL;
}

/* The one that the caller means; NULL if it is there, an error if it never was. */
static Missing *
find_named(List *all, const char *input)
{
	char	   *schema;
	char	   *entity;
	Missing    *result = NULL;

	tview_name_parse(input, &schema, &entity);
	if (schema != NULL)
		result = find_in_schema(all, schema, entity);
	else
	{
		ListCell   *lc;

		foreach(lc, fetch_search_path(false))
			if (result == NULL)
			result = find_in_schema(all, get_namespace_name(lfirst_oid(lc)), entity);
	}
	if (result == NULL)
		(void) tview_graph_find_name(input, false);
	return result;
}

/* ----------
 * Making it
 * ----------
 */

static void
check_owner(Oid relid, ObjectType type)
{
	if (!tview_owner_is_member(relid))
		aclcheck_error(ACLCHECK_NOT_OWNER, type, tview_name_qualified(relid));
}

/* A view that is not the definition */
static void
drop_view(Oid view)
{
	ObjectAddress object;

	check_owner(view, OBJECT_VIEW);
	LockRelationOid(view, AccessExclusiveLock);
	ObjectAddressSet(object, RelationRelationId, view);
	performDeletion(&object, DROP_RESTRICT, 0);
	CommandCounterIncrement();
}

/*
 * The table may have triggers for TVIEWs that read it, and are missing, too.
 * They would be in the way of what is written to it.
 */
static void
convert(const Missing *missing, Oid table)
{
	const TviewMeta *meta = missing->meta;

	check_owner(table, OBJECT_TABLE);
	tview_triggers_release(list_make1_oid(table));
	(void) tview_convert(table, meta->schema, meta->entity, meta->key_column,
						 meta->definition, meta->options,
						 "pg_tviews_recreate");
}

static void
enter_owner(TviewOwnerContext *saved, const Missing *missing)
{
	tview_owner_enter(saved, OidIsValid(missing->owner) ? missing->owner : GetUserId(),
					  true);
}

/* As its owner. */
static Oid
create(const Missing *missing)
{
	const TviewMeta *meta = missing->meta;
	TviewOwnerContext saved;
	Oid			result;

	enter_owner(&saved, missing);
	result = tview_create(meta->schema, meta->entity, meta->key_column,
						  meta->definition, meta->options,
						  "pg_tviews_recreate");
	tview_owner_leave(&saved);
	return result;
}

/*
 * The table alone, as its owner.  Others may read the view, so that it has to
 * stay what it is.
 */
static Oid
create_table(const Missing *missing, Oid schema)
{
	TviewOwnerContext saved;
	Oid			result;

	enter_owner(&saved, missing);
	result = tview_create_table(schema, tview_name_join(TVIEW_TABLE_PREFIX, missing->meta->entity),
								psprintf("SELECT * FROM %s", missing->view));
	tview_owner_leave(&saved);
	return result;
}

static void
put_row(ReturnSetInfo *result, Oid tview, const char *what)
{
	bool		nulls[] = {false, false};
	Datum		values[] = {ObjectIdGetDatum(tview), CStringGetTextDatum(what)};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
make(const Missing *missing, ReturnSetInfo *result)
{
	const TviewMeta *meta = missing->meta;
	Oid			schema = get_namespace_oid(meta->schema, false);
	Oid			table = get_relname_relid(tview_name_join(TVIEW_TABLE_PREFIX, meta->entity),
										  schema);
	Oid			view = get_relname_relid(tview_name_join(TVIEW_VIEW_PREFIX, meta->entity),
										 schema);

	tview_meta_delete_missing(meta);
	CommandCounterIncrement();

	/* of a TVIEW that is there, as is known by another row */
	if (tview_graph_find(table) != NULL)
		return;
	if (meta->suspended)
		ereport(NOTICE,
				(errmsg("TVIEW %s was suspended, and is refreshed again from now on",
						missing->table),
				 errhint("Call pg_tviews_suspend() for it if that is to go on.")));
	if (OidIsValid(table))
	{
		convert(missing, table);
		put_row(result, table, "converted");
		return;
	}
	if (OidIsValid(view) &&
		tview_definition_is_of_view(meta->definition, meta->entity, view))
	{
		table = create_table(missing, schema);
		convert(missing, table);
		put_row(result, table, "created");
		return;
	}
	if (OidIsValid(view))
		drop_view(view);
	put_row(result, create(missing), "created");
}

static void
add_context(void *arg)
{
	errcontext("while making TVIEW %s again", ((const Missing *) arg)->table);
}

/* Make one, after those that it reads. */
static void
make_with_reads(Missing *missing, bool named, List *all, ReturnSetInfo *result)
{
	ErrorContextCallback callback = {error_context_stack, add_context, missing};
	List	   *reads;
	ListCell   *lc;

	check_stack_depth();
	missing->done = true;
	error_context_stack = &callback;
	check_may_make(missing, named);
	reads = names_read(missing->meta);
	foreach(lc, all)
	{
		Missing    *other = lfirst(lc);

		if (!other->done && (has_name(reads, other->table) ||
							 has_name(reads, other->view)))
			make_with_reads(other, false, all, result);
	}
	make(missing, result);
	error_context_stack = callback.previous;
}

/*
 * pg_tviews_recreate - make TVIEWs that the metadata has and the database lacks;
 * returns a row for each that was made
 */
Datum
pg_tviews_recreate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *all = find_missing();
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	tview_audit_continue();
	if (!PG_ARGISNULL(0))
	{
		Missing    *named = find_named(all,
									   text_to_cstring(PG_GETARG_TEXT_PP(0)));

		if (named != NULL)
			make_with_reads(named, true, all, result);
		return (Datum) 0;
	}
	foreach(lc, all)
	{
		Missing    *missing = lfirst(lc);

		if (!missing->done && may_make(missing, false))
			make_with_reads(missing, false, all, result);
		else if (!missing->done && may_make(missing, true))
			notice_left_out(missing);
	}
	return (Datum) 0;
}
