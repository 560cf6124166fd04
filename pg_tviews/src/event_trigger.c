/*-------------------------------------------------------------------------
 *
 * event_trigger.c
 *	  Event triggers: which DDL concerns TVIEWs.
 *
 * Nothing may wait in the queue when the shape of anything changes, so any
 * DDL flushes it first.
 *
 * What a script of the extension does is its own business, and so is what
 * pg_upgrade does.  Where library and objects are of different versions,
 * statements go on that put this right, and those that no TVIEW can have to do
 * with; the others are refused before they begin.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/event_trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"

#include "base/compat.h"
#include "base/names.h"
#include "base/version.h"
#include "catalog/graph.h"
#include "ddl/create.h"
#include "ddl/dependencies.h"
#include "ddl/drop.h"
#include "ddl/follow.h"
#include "ddl/intercept.h"
#include "ddl/replace.h"
#include "ddl/locks.h"
#include "ddl/partitions.h"
#include "ddl/persistence.h"
#include "ddl/policies.h"
#include "ddl/record.h"
#include "ddl/suspend.h"
#include "ddl/triggers.h"
#include "refresh/flush.h"

PG_FUNCTION_INFO_V1(pg_tviews_ddl_command_start);
PG_FUNCTION_INFO_V1(pg_tviews_ddl_command_end);
PG_FUNCTION_INFO_V1(pg_tviews_sql_drop);

static Node *
event_parsetree(FunctionCallInfo fcinfo, const char *name)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by an event trigger",
						name)));
	return ((EventTriggerData *) fcinfo->context)->parsetree;
}

static bool
changes_columns(AlterTableStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		AlterTableType type = ((AlterTableCmd *) lfirst(lc))->subtype;

		if (type == AT_AddColumn || type == AT_DropColumn ||
			type == AT_AlterColumnType)
			return true;
	}
	return false;
}

static bool
changes_expressions(AlterTableStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->cmds)
		if (tview_sets_expression((AlterTableCmd *) lfirst(lc)))
		return true;
	return false;
}

/*
 * May it change names, definitions or options of TVIEWs?  Making one, dropping
 * one, and replacing a view are recorded where they are done; what is frequent,
 * such as making a temporary table, is not to cost anything.
 */
static bool
changes_metadata(Node *stmt)
{
	switch (nodeTag(stmt))
	{
		case T_AlterTableStmt:
		case T_RenameStmt:
		case T_AlterObjectSchemaStmt:
		case T_AlterEnumStmt:
			return true;
		default:
			return false;
	}
}

static bool
is_function_or_type(ObjectType type)
{
	return type == OBJECT_FUNCTION || type == OBJECT_PROCEDURE ||
		type == OBJECT_ROUTINE || type == OBJECT_AGGREGATE ||
		type == OBJECT_TYPE || type == OBJECT_DOMAIN;
}

/*
 * Statements that change the version, and those that get something out of the
 * way of that.
 */
static bool
is_about_versions(Node *stmt)
{
	switch (nodeTag(stmt))
	{
		case T_CreateExtensionStmt:
		case T_AlterExtensionStmt:
			return true;
		case T_DropStmt:
			return ((DropStmt *) stmt)->removeType == OBJECT_EXTENSION;
		case T_RenameStmt:
			return is_function_or_type(((RenameStmt *) stmt)->renameType);
		case T_AlterObjectSchemaStmt:
			return is_function_or_type(((AlterObjectSchemaStmt *) stmt)->objectType);
		default:
			return false;
	}
}

/*
 * Statements after which TVIEWs hold what they should in any version.  What is
 * made is new, so nothing reads it; nothing of what is there changes its shape.
 */
static bool
is_harmless(Node *stmt)
{
	switch (nodeTag(stmt))
	{
		case T_CreateStmt:
			return ((CreateStmt *) stmt)->inhRelations == NIL;
		case T_CreateTableAsStmt:
			return !tview_name_has_prefix(((CreateTableAsStmt *) stmt)->into->rel->relname,
										  TVIEW_TABLE_PREFIX);
		case T_CreateSeqStmt:
		case T_AlterSeqStmt:
		case T_IndexStmt:
		case T_RefreshMatViewStmt:
		case T_GrantStmt:
		case T_CommentStmt:
			return true;
		default:
			return false;
	}
}

/* Is the statement none that TVIEWs have to do with? */
static bool
is_none_of_ours(Node *stmt)
{
	return IsBinaryUpgrade || tview_create_running() ||
		tview_version_is_changing() ||
		((is_about_versions(stmt) || is_harmless(stmt)) &&
		 !tview_version_matches());
}

/*
 * pg_tviews_ddl_command_start - before DDL
 */
Datum
pg_tviews_ddl_command_start(PG_FUNCTION_ARGS)
{
	Node	   *parsetree = event_parsetree(fcinfo,
											"pg_tviews_ddl_command_start");

	if (is_none_of_ours(parsetree))
		return (Datum) 0;
	tview_version_check();
	tview_flush_for_ddl();
	tview_locks_start(parsetree);
	tview_partitions_start(parsetree);
	tview_triggers_enable_start(parsetree);
	switch (nodeTag(parsetree))
	{
		case T_CreateTableAsStmt:
			tview_intercept_create_start((CreateTableAsStmt *) parsetree);
			break;
		case T_ViewStmt:
			tview_replace_start((ViewStmt *) parsetree);
			break;
		case T_RenameStmt:
		case T_AlterObjectSchemaStmt:
			tview_follow_names_start(parsetree);
			break;
		case T_RuleStmt:
			tview_intercept_rule((RuleStmt *) parsetree);
			break;
		case T_CreateTrigStmt:
			tview_intercept_trigger((CreateTrigStmt *) parsetree);
			break;
		case T_DropStmt:
			tview_drop_lock((DropStmt *) parsetree);
			tview_dependencies_restore();
			break;
		case T_DropOwnedStmt:
			tview_dependencies_restore();
			break;
		default:
			break;
	}
	return (Datum) 0;
}

/*
 * pg_tviews_ddl_command_end - after DDL
 */
Datum
pg_tviews_ddl_command_end(PG_FUNCTION_ARGS)
{
	Node	   *parsetree = event_parsetree(fcinfo,
											"pg_tviews_ddl_command_end");
	TviewRecord record;

	if (IsA(parsetree, AlterExtensionStmt))
		tview_graph_announce();
	if (is_none_of_ours(parsetree))
		return (Datum) 0;
	tview_record_begin(&record,
					   changes_metadata(parsetree) ?
					   GetCommandTagName(((EventTriggerData *) fcinfo->context)->tag) : NULL);
	switch (nodeTag(parsetree))
	{
		case T_CreateTableAsStmt:
			tview_intercept_create_end((CreateTableAsStmt *) parsetree);
			break;
		case T_CreateTrigStmt:
			tview_intercept_trigger_made((CreateTrigStmt *) parsetree);
			break;
		case T_CreateStmt:
		case T_CreateForeignTableStmt:
		case T_CreateSchemaStmt:
			tview_intercept_shapes(NULL, false);
			break;
		case T_AlterTableStmt:
			tview_persistence_altered((AlterTableStmt *) parsetree);
			tview_intercept_shapes(((AlterTableStmt *) parsetree)->relation,
								   changes_columns((AlterTableStmt *) parsetree));
			if (changes_expressions((AlterTableStmt *) parsetree))
				tview_intercept_expressions(((AlterTableStmt *) parsetree)->relation);
			if (((AlterTableStmt *) parsetree)->objtype == OBJECT_TYPE)
				tview_intercept_types();
			tview_follow_table((AlterTableStmt *) parsetree);
			if (changes_columns((AlterTableStmt *) parsetree))
				tview_follow_columns();
			break;
		case T_ViewStmt:
			tview_replace_end((ViewStmt *) parsetree);
			break;
		case T_RenameStmt:
			tview_intercept_shapes(((RenameStmt *) parsetree)->relation,
								   true);
			if (((RenameStmt *) parsetree)->renameType == OBJECT_ATTRIBUTE)
				tview_intercept_types();
			tview_follow_names_end(parsetree);
			break;
		case T_AlterObjectSchemaStmt:
			tview_follow_names_end(parsetree);
			break;
		case T_AlterEnumStmt:
			if (((AlterEnumStmt *) parsetree)->oldVal != NULL)
			{
				tview_intercept_types();
				tview_follow_columns();
			}
			break;
		case T_CreateFunctionStmt:
		case T_AlterFunctionStmt:
		case T_AlterDomainStmt:
		case T_CreateCastStmt:
			tview_intercept_functions();
			break;
		case T_DefineStmt:
			if (((DefineStmt *) parsetree)->replace)
				tview_intercept_functions();
			break;
		default:
			break;
	}
	tview_policies_changed(parsetree);
	tview_partitions_end(parsetree);
	tview_record_end(&record);
	return (Datum) 0;
}

/*
 * pg_tviews_sql_drop - after a statement that has dropped something
 */
Datum
pg_tviews_sql_drop(PG_FUNCTION_ARGS)
{
	Node	   *parsetree = event_parsetree(fcinfo, "pg_tviews_sql_drop");
	DropBehavior behavior = DROP_CASCADE;

	if (IsBinaryUpgrade || tview_version_is_changing())
		return (Datum) 0;
	if (IsA(parsetree, DropStmt))
		behavior = ((DropStmt *) parsetree)->behavior;
	else if (IsA(parsetree, DropOwnedStmt))
		behavior = ((DropOwnedStmt *) parsetree)->behavior;
	tview_drop_rest(behavior,
					GetCommandTagName(((EventTriggerData *) fcinfo->context)->tag));
	tview_intercept_drop_casts();
	tview_partitions_end(parsetree);
	if (!IsA(parsetree, DropStmt))
		return (Datum) 0;
	switch (((DropStmt *) parsetree)->removeType)
	{
		case OBJECT_TRIGGER:
		case OBJECT_EXTENSION:	/* ALTER TRIGGER ... DEPENDS ON EXTENSION */
			tview_intercept_drop_trigger();
			break;
		case OBJECT_STATISTIC_EXT:
			tview_suspend_lay_tripwires();
			break;
		default:
			break;
	}
	return (Datum) 0;
}
