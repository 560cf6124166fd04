/*-------------------------------------------------------------------------
 *
 * follow.c
 *	  Names, schemas and owners of TVIEWs and of what they read.
 *
 * Whatever gets another name, definitions go on meaning the same, since views
 * and triggers name objects by OID.  What is kept as text in pg_tview_meta is
 * written anew.
 *
 * A TVIEW is renamed, moved to another schema, or given to another role by
 * altering its table; its view follows.  What was done is told from what
 * there is afterwards, not from the statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "analyze/expand.h"
#include "analyze/tables.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "catalog/reads.h"
#include "ddl/create.h"
#include "ddl/definition.h"
#include "ddl/execute.h"
#include "ddl/follow.h"
#include "ddl/record.h"

#define CHANGED_OBJECTS \
	"SELECT classid, objid FROM pg_catalog.pg_event_trigger_ddl_commands()"

/* What the names in a TVIEW's options meant when a statement started */
typedef struct Remembered
{
	Node	   *statement;
	Oid			tview;
	List	   *reads;			/* of TviewReadsOids */
} Remembered;

/* In TopTransactionContext, whose reset empties it */
static List *remembered = NIL;

static void
forget(void *arg)
{
	remembered = NIL;
}

static void
forget_statement(Node *statement)
{
	ListCell   *lc;

	foreach(lc, remembered)
		if (((Remembered *) lfirst(lc))->statement == statement)
		remembered = foreach_delete_current(remembered, lc);
}

/*
 * tview_follow_names_start - something is about to get another name
 */
void
tview_follow_names_start(Node *statement)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	ListCell   *lc;

	/* one at the same address that has failed may have left something */
	forget_statement(statement);
	foreach(lc, tview_graph_all())
	{
		Tview	   *tview = lfirst(lc);
		Remembered *one;

		if (tview->options->reads == NIL)
			continue;
		if (remembered == NIL)
		{
			MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));

			callback->func = forget;
			MemoryContextRegisterResetCallback(TopTransactionContext,
											   callback);
		}
		one = palloc(sizeof(Remembered));
		one->statement = statement;
		one->tview = tview->tview;
		one->reads = tview_reads_resolve(tview->options, true);
		remembered = lappend(remembered, one);
	}
	MemoryContextSwitchTo(old);
}

/* Write the options of TVIEWs anew that name what has got another name. */
static void
follow_options(Node *statement)
{
	List	   *metas = remembered != NIL ? tview_meta_read() : NIL;
	ListCell   *lc;

	foreach(lc, metas)
	{
		TviewMeta  *meta = lfirst(lc);
		ListCell   *cell;

		foreach(cell, remembered)
		{
			Remembered *one = lfirst(cell);
			Jsonb	   *options;

			if (one->statement != statement || one->tview != meta->tview)
				continue;
			options = tview_reads_name(meta->options, one->reads);
			if (compareJsonbContainers(&options->root,
									   &meta->options->root) == 0)
				continue;
			meta->options = options;
			tview_meta_set_names(meta);
		}
	}
	forget_statement(statement);
	CommandCounterIncrement();
}

/* What is done to the view alone, which has this name. */
static void
refuse_view(Oid tview, const char *view, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot %s view %s by itself", what, view),
			 errdetail("It defines TVIEW %s.", tview_name_qualified(tview)),
			 errhint("Do it to the table %s; the view follows.",
					 tview_name_qualified(tview))));
}

static char *
old_view_name(const TviewMeta *meta)
{
	return quote_qualified_identifier(meta->schema,
									  tview_name_join(TVIEW_VIEW_PREFIX,
													  meta->entity));
}

static void
check_view_name(const char *view, Oid schema, const char *table)
{
	if (OidIsValid(get_relname_relid(view, schema)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"%s\" already exists in schema \"%s\"",
						view, get_namespace_name(schema)),
				 errdetail("The view of TVIEW \"%s\" would get this name.",
						   table),
				 errhint("Drop or rename it, or choose another name or schema.")));
}

/* The entity that a table's new name stands for. */
static char *
new_entity(const TviewMeta *meta, const char *table)
{
	char	   *entity;

	if (!tview_name_has_prefix(table, TVIEW_TABLE_PREFIX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("cannot rename TVIEW %s to \"%s\"",
						quote_qualified_identifier(meta->schema,
												   tview_name_join(TVIEW_TABLE_PREFIX, meta->entity)),
						table),
				 errhint("Give it a name that begins with %s.",
						 TVIEW_TABLE_PREFIX)));
	entity = pstrdup(table + strlen(TVIEW_TABLE_PREFIX));
	check_view_name(tview_name_join(TVIEW_VIEW_PREFIX, entity),
					get_rel_namespace(meta->view), table);
	return entity;
}

/* Have the view follow its table, if that is what was altered. */
static void
follow_table(TviewMeta *meta)
{
	char	   *table = get_rel_name(meta->tview);
	Oid			schema = get_rel_namespace(meta->tview);

	if (get_rel_namespace(meta->view) != schema)
	{
		check_view_name(get_rel_name(meta->view), schema, table);
		tview_execute("ALTER VIEW %s SET SCHEMA %s",
					  tview_name_qualified(meta->view),
					  quote_identifier(get_namespace_name(schema)));
	}
	if (strcmp(table, tview_name_join(TVIEW_TABLE_PREFIX, meta->entity)) != 0)
	{
		meta->entity = new_entity(meta, table);
		tview_execute("ALTER VIEW %s RENAME TO %s",
					  tview_name_qualified(meta->view),
					  quote_identifier(tview_name_join(TVIEW_VIEW_PREFIX,
													   meta->entity)));
	}
}

static void
refuse_altered_view(const TviewMeta *meta)
{
	if (strcmp(get_rel_name(meta->view),
			   tview_name_join(TVIEW_VIEW_PREFIX, meta->entity)) != 0)
		refuse_view(meta->tview, old_view_name(meta), "rename");
	if (get_rel_namespace(meta->view) != get_rel_namespace(meta->tview))
		refuse_view(meta->tview, old_view_name(meta), "move");
}

/*
 * Only what the statement has altered is looked at: a view that got another
 * name while event triggers were disabled is not to stop others' DDL.
 */
static void
follow_tables(void)
{
	List	   *altered = tview_meta_find("SELECT objid FROM pg_catalog.pg_event_trigger_ddl_commands() "
										  "WHERE classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass");
	bool		outer = tview_create_set_running(true);
	ListCell   *lc;

	PG_TRY();
	{
		foreach(lc, tview_meta_read())
		{
			TviewMeta  *meta = lfirst(lc);
			bool		followed = list_member_oid(altered, meta->tview);
			char	   *schema;

			if (get_rel_relkind(meta->tview) == '\0' ||
				get_rel_relkind(meta->view) == '\0')
				continue;
			if (list_member_oid(altered, meta->view))
				refuse_altered_view(meta);
			if (followed)
				follow_table(meta);
			schema = get_namespace_name(get_rel_namespace(meta->tview));
			if (!followed && strcmp(schema, meta->schema) == 0)
				continue;
			meta->schema = schema;
			tview_meta_set_names(meta);
			CommandCounterIncrement();
			tview_definition_refresh(psprintf("VALUES (%u::pg_catalog.oid, %u::pg_catalog.oid), (%u, %u)",
											  RelationRelationId, meta->tview,
											  RelationRelationId, meta->view));
		}
	}
	PG_FINALLY();
	{
		(void) tview_create_set_running(outer);
	}
	PG_END_TRY();
}

/*
 * tview_follow_names_end - something has got another name or schema
 */
void
tview_follow_names_end(Node *statement)
{
	if (tview_graph_all() == NIL)
		return;
	follow_tables();
	follow_options(statement);
	tview_definition_refresh(CHANGED_OBJECTS);
}

/*
 * tview_follow_columns - columns have come or gone, or an enum's label has got
 * another name
 *
 * Where a definition counts a table's columns, because it gives them names, its
 * text would not mean the same any more.
 */
void
tview_follow_columns(void)
{
	tview_definition_refresh(CHANGED_OBJECTS);
}

/* The new owner must be able to read what the TVIEW is made of. */
static void
check_new_owner(const Tview *tview, Oid owner)
{
	List	   *tables = list_copy(tview->dependencies);
	char	   *entity = pstrdup(tview->entity);
	Oid			relid = tview->tview;
	Oid			view = tview->view;
	TviewOptions *options = tview_graph_options(tview);
	ListCell   *lc;

	foreach(lc, tables)
	{
		if (pg_class_aclmask(lfirst_oid(lc), owner, ACL_SELECT,
							 ACLMASK_ALL) != ACL_SELECT)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("role \"%s\" cannot own TVIEW %s",
							GetUserNameFromId(owner, false),
							tview_name_qualified(relid)),
					 errdetail("It has no permission to read %s, and a refresh runs as the owner.",
							   tview_name_qualified(lfirst_oid(lc))),
					 errhint("Grant it SELECT on what the TVIEW reads.")));
	}
	tview_tables_check(tview_expand(tview_view_query(view)), owner, entity,
					   options);
}

static void
follow_owner(Oid tview, Oid view)
{
	Oid			owner = tview_owner_of(tview);
	bool		outer = tview_create_set_running(true);

	PG_TRY();
	{
		tview_execute("ALTER VIEW %s OWNER TO %s", tview_name_qualified(view),
					  quote_identifier(GetUserNameFromId(owner, false)));
	}
	PG_FINALLY();
	{
		(void) tview_create_set_running(outer);
	}
	PG_END_TRY();
}

static void
refuse_default(Oid view)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot set defaults of columns of view %s",
					tview_name_qualified(view)),
			 errdetail("It defines a TVIEW."),
			 errhint("Set them in the table that it reads.")));
}

/*
 * tview_follow_table - a table or view has been altered
 */
void
tview_follow_table(AlterTableStmt *stmt)
{
	Oid			relid = RangeVarGetRelid(stmt->relation, NoLock, true);
	Tview	   *tview = tview_graph_find(relid);
	Tview	   *of_view = tview_graph_find_view(relid);
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		AlterTableType type = ((AlterTableCmd *) lfirst(lc))->subtype;
		Oid			view;
		Oid			before;

		if (type == AT_ColumnDefault && of_view != NULL)
			refuse_default(relid);
		if (type != AT_ChangeOwner)
			continue;
		if (of_view != NULL &&
			tview_owner_of(of_view->tview) != tview_owner_of(relid))
			refuse_view(of_view->tview, tview_name_qualified(relid),
						"change the owner of");
		if (tview == NULL)
			continue;
		check_new_owner(tview, tview_owner_of(relid));
		view = tview_graph_find(relid)->view;
		before = tview_owner_of(view);
		follow_owner(relid, view);
		if (before != tview_owner_of(relid))
			tview_record_owner(relid, before, "ALTER TABLE");
		tview = tview_graph_find(relid);
	}
}
