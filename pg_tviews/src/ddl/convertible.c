/*-------------------------------------------------------------------------
 *
 * convertible.c
 *	  Whether a table that there is can become a TVIEW.
 *
 * What is asked of it: that a TVIEW could be like that, or be made so without
 * a loss.  Each thing that is in the way is an error of its own, which says what
 * to do about it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/ruleutils.h"

#include "analyze/policies.h"
#include "analyze/select.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "ddl/convertible.h"
#include "ddl/definition.h"
#include "ddl/intercept.h"

static void
refuse(Oid table, const char *reason, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot make a TVIEW of table %s",
					tview_name_qualified(table)),
			 errdetail("%s", reason),
			 errhint("%s", hint)));
}

static void
check_new(Oid table)
{
	if (tview_graph_find(table) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("table %s is a TVIEW already",
						tview_name_qualified(table)),
				 errhint("Use pg_tviews_alter() to give it another definition.")));
}

/*
 * tview_convertible_check_name - is the table called as the TVIEW would be?
 */
void
tview_convertible_check_name(Oid table, const char *schema,
							 const char *entity)
{
	char	   *name = tview_name_join(TVIEW_TABLE_PREFIX, entity);

	check_new(table);
	if (strcmp(get_rel_name(table), name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("cannot make a TVIEW \"%s\" of table %s", entity,
						tview_name_qualified(table)),
				 errdetail("The table of a TVIEW has the name of the entity, with the prefix %s.",
						   TVIEW_TABLE_PREFIX),
				 errhint("Use ALTER TABLE %s RENAME TO %s, or another entity.",
						 tview_name_qualified(table), quote_identifier(name))));
	if (schema != NULL &&
		strcmp(get_namespace_name(get_rel_namespace(table)), schema) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("table %s is not in schema \"%s\"",
						tview_name_qualified(table), schema),
				 errhint("Leave the schema of the entity out.")));
}

/* ----------
 * The table
 * ----------
 */

static void
check_kind(Relation rel)
{
	Oid			table = RelationGetRelid(rel);

	check_new(table);
	if (rel->rd_rel->relkind != RELKIND_RELATION)
		refuse(table,
			   rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ?
			   "It is partitioned." :
			   rel->rd_rel->relkind == RELKIND_FOREIGN_TABLE ?
			   "It is a foreign table." :
			   rel->rd_rel->relkind == RELKIND_MATVIEW ?
			   "It is a materialized view." :
			   rel->rd_rel->relkind == RELKIND_VIEW ?
			   "It is a view." : "It is not a table.",
			   "Drop or rename it, and use pg_tviews_create().");
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		refuse(table, "It is temporary.",
			   "Make it a table that all sessions see.");
	if (OidIsValid(rel->rd_rel->reloftype))
		refuse(table, "It is of a composite type.",
			   "Use ALTER TABLE ... NOT OF.");
	if (rel->rd_rel->relispartition)
		refuse(table, "It is a partition.",
			   "Use ALTER TABLE ... DETACH PARTITION.");
	if (has_superclass(table))
		refuse(table, "It inherits from another table.",
			   "Use ALTER TABLE ... NO INHERIT.");
	if (find_inheritance_children(table, NoLock) != NIL)
		refuse(table, "It has child tables.",
			   "Have them inherit no longer, with ALTER TABLE ... NO INHERIT.");
}

/* What would write something else than the view returns, or hide it. */
static void
check_behavior(Relation rel)
{
	Oid			table = RelationGetRelid(rel);
	TriggerDesc *triggers = rel->trigdesc;

	if (rel->rd_rules != NULL)
		refuse(table, "It has rules.", "Drop them; pg_rules lists them.");
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		if (TRIGGER_FOR_ROW(triggers->triggers[i].tgtype) &&
			TRIGGER_FOR_BEFORE(triggers->triggers[i].tgtype))
			refuse(table,
				   psprintf("Its trigger \"%s\" fires before rows are written, and may change them.",
							triggers->triggers[i].tgname),
				   "Drop the trigger, or make it one that fires AFTER.");
	if (tview_policies_apply(table, rel->rd_rel->relowner))
		refuse(table, "Its row-level security applies to its owner.",
			   "Use ALTER TABLE ... NO FORCE ROW LEVEL SECURITY.");
}

static bool
writes(char action)
{
	return action != FKCONSTR_ACTION_NOACTION &&
		action != FKCONSTR_ACTION_RESTRICT;
}

/* A foreign key of the table's must not have the server write it. */
static void
check_foreign_keys(Oid table)
{
	Relation	rel = relation_open(ConstraintRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_constraint_conrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(table));
	scan = systable_beginscan(rel, ConstraintRelidTypidNameIndexId, true, NULL,
							  1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);

		if (form->contype == CONSTRAINT_FOREIGN &&
			(writes(form->confdeltype) || writes(form->confupdtype)))
			refuse(table,
				   psprintf("Its foreign key \"%s\" has it written when rows of table %s are deleted or updated.",
							NameStr(form->conname),
							tview_name_qualified(form->confrelid)),
				   "Drop the foreign key; the TVIEW follows the tables that it reads.");
	}
	systable_endscan(scan);
	relation_close(rel, AccessShareLock);
}

/*
 * A primary key must be on the key, and refreshes must be able to go by it.  If
 * there is none, one is made.
 */
static void
check_primary_key(Relation rel, const char *key_column)
{
	Oid			table = RelationGetRelid(rel);
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;

		if (form->indisprimary &&
			(form->indnkeyatts != 1 ||
			 strcmp(get_attname(table, form->indkey.values[0], false),
					key_column) != 0))
			refuse(table,
				   psprintf("Its primary key \"%s\" is not on column \"%s\", as that of a TVIEW is.",
							RelationGetRelationName(index), key_column),
				   "Make it a UNIQUE constraint instead.");
		if (form->indisprimary && !form->indimmediate)
			refuse(table,
				   psprintf("Its primary key \"%s\" is deferrable.",
							RelationGetRelationName(index)),
				   "Make one that is not.");
		index_close(index, AccessShareLock);
	}
}

/* ----------
 * Columns
 * ----------
 */

static char *
column_type(Form_pg_attribute att)
{
	char	   *type = format_type_with_typemod(att->atttypid, att->atttypmod);

	if (!OidIsValid(att->attcollation))
		return type;
	return psprintf("%s COLLATE %s", type,
					generate_collation_name(att->attcollation));
}

static void
check_written(Oid table, Form_pg_attribute att)
{
	if (att->attgenerated == '\0' && att->attidentity == '\0')
		return;
	refuse(table,
		   psprintf("Column \"%s\" %s.", NameStr(att->attname),
					att->attgenerated != '\0' ?
					"is generated from others" : "is an identity column"),
		   psprintf("Use ALTER TABLE ... ALTER COLUMN %s DROP %s.",
					quote_identifier(NameStr(att->attname)),
					att->attgenerated != '\0' ? "EXPRESSION" : "IDENTITY"));
}

/* A column of the definition must be one of the table. */
static void
check_column(Relation rel, Form_pg_attribute wanted)
{
	Form_pg_attribute att = tview_select_find_column(RelationGetDescr(rel),
													 NameStr(wanted->attname));
	const char *table = tview_name_qualified(RelationGetRelid(rel));
	const char *name = quote_identifier(NameStr(wanted->attname));

	if (att == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table %s has no column \"%s\"", table,
						NameStr(wanted->attname)),
				 errdetail("The definition returns one, of type %s.",
						   column_type(wanted)),
				 errhint("Use ALTER TABLE ... ADD COLUMN %s %s, or leave it out of the definition.",
						 name, column_type(wanted))));
	if (att->atttypid != wanted->atttypid ||
		att->atttypmod != wanted->atttypmod ||
		att->attcollation != wanted->attcollation)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table %s is of another type than in the definition",
						NameStr(wanted->attname), table),
				 errdetail("It is of type %s, and the definition returns %s.",
						   column_type(att), column_type(wanted)),
				 errhint("Cast it in the definition, or use ALTER TABLE ... ALTER COLUMN %s TYPE %s.",
						 name, column_type(wanted))));
	check_written(RelationGetRelid(rel), att);
}

/* Every TVIEW has it; the definition has not. */
static void
check_updated_column(Relation rel, Form_pg_attribute att)
{
	if (att->atttypid != TIMESTAMPTZOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table %s is of type %s",
						TVIEW_UPDATED_COLUMN,
						tview_name_qualified(RelationGetRelid(rel)),
						format_type_be(att->atttypid)),
				 errdetail("A TVIEW has in it when a row has last changed, as timestamp with time zone."),
				 errhint("Use ALTER TABLE ... ALTER COLUMN %s TYPE timestamptz, or drop or rename the column.",
						 TVIEW_UPDATED_COLUMN)));
	check_written(RelationGetRelid(rel), att);
}

static void
check_columns(Relation rel, TupleDesc definition)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < definition->natts; i++)
		check_column(rel, TupleDescAttr(definition, i));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		const char *name = NameStr(att->attname);

		if (att->attisdropped || tview_select_find_column(definition, name) != NULL)
			continue;
		if (strcmp(name, TVIEW_UPDATED_COLUMN) == 0)
		{
			check_updated_column(rel, att);
			continue;
		}
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("definition returns no column \"%s\", which table %s has",
						name, tview_name_qualified(RelationGetRelid(rel))),
				 errhint("Select it in the definition, or use ALTER TABLE ... DROP COLUMN %s.",
						 quote_identifier(name))));
	}
}

/*
 * tview_convertible_check - raise an error for what is in the way
 *
 * Keeps no lock.
 */
void
tview_convertible_check(Oid table, TupleDesc definition,
						const char *key_column)
{
	Relation	rel = try_relation_open(table, AccessShareLock);
	int			nest_level = tview_fix_settings();

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the table to make a TVIEW of does not exist any more")));
	check_kind(rel);
	check_behavior(rel);
	check_foreign_keys(table);
	check_columns(rel, definition);
	check_primary_key(rel, key_column);
	AtEOXact_GUC(false, nest_level);
	relation_close(rel, AccessShareLock);
}

/* ----------
 * The view
 * ----------
 */

static bool
has_default(Relation rel)
{
	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
		if (TupleDescAttr(RelationGetDescr(rel), i)->atthasdef)
			return true;
	return false;
}

/*
 * tview_convertible_check_view - can the view that there is be the TVIEW's?
 *
 * If it returns the same, and is like one that would be made.  The caller has
 * locked it.
 */
void
tview_convertible_check_view(Oid view, Oid table, const char *definition)
{
	Relation	rel = relation_open(view, NoLock);
	const char *reason = NULL;
	char	   *user;

	if (rel->rd_rel->relkind != RELKIND_VIEW)
		reason = "It is not a view.";
	else if (strcmp(tview_definition_of_view(view), definition) != 0)
		reason = "It has another query than the definition.";
	else if (rel->rd_rel->relowner != tview_owner_of(table))
		reason = "Another role owns it.";
	else if (rel->rd_options != NULL || rel->rd_rules->numLocks > 1 ||
			 rel->trigdesc != NULL || has_default(rel))
		reason = "It has options, rules, triggers or defaults.";
	else if ((user = tview_intercept_helper_user(view)) != NULL)
		reason = psprintf("TVIEW %s reads it as a plain view.", user);
	relation_close(rel, NoLock);
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation %s, which would define the TVIEW, already exists",
						tview_name_qualified(view)),
				 errdetail("%s", reason),
				 errhint("Drop or rename it. If the table was computed from it, give its query as the definition.")));
}
