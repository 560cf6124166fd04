/*-------------------------------------------------------------------------
 *
 * tables.c
 *	  What the tables that a definition reads must be.
 *
 * Their changes must be captured, which takes triggers, and so must those of
 * their partitions and children.  Whether rows can be lost in a crash is for
 * persistence.c to say.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "access/htup_details.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "analyze/check.h"
#include "analyze/policies.h"
#include "analyze/tables.h"
#include "base/inherits.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"

/* Why changes of a relation can't be captured, for a sentence; or NULL. */
static const char *
bad_kind(Oid relid)
{
	char		relkind = get_rel_relkind(relid);

	if (relid < FirstNormalObjectId || IsToastNamespace(get_rel_namespace(relid)))
		return "a system catalog, whose changes can't be captured";
	if (relkind == RELKIND_FOREIGN_TABLE)
		return "a foreign table, whose changes can't be captured";
	if (relkind == RELKIND_MATVIEW)
		return "a materialized view, whose changes can't be captured";
	if (get_rel_persistence(relid) == RELPERSISTENCE_TEMP)
		return "a temporary table, which other sessions can't see";
	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		return "not a table";
	return NULL;
}

static void
check_kind(Oid relid, const char *name)
{
	const char *reason = bad_kind(relid);
	ListCell   *lc;

	if (reason != NULL)
		tview_refuse(name,
					 psprintf("Relation %s is %s.", tview_name_qualified(relid),
							  reason),
					 get_rel_relkind(relid) == RELKIND_MATVIEW ?
					 "Read the tables that it is made of, or make a TVIEW of it." :
					 "Copy what the TVIEW needs into an ordinary table.");
	foreach(lc, tview_inherits_trees(list_make1_oid(relid)))
	{
		reason = bad_kind(lfirst_oid(lc));

		/* it is refreshed from others, and maybe from this one */
		if (lfirst_oid(lc) != relid && tview_graph_find(lfirst_oid(lc)) != NULL)
			reason = "a TVIEW";
		if (reason == NULL)
			continue;
		tview_refuse(name,
					 psprintf("%s %s of table %s is %s.",
							  get_rel_relispartition(lfirst_oid(lc)) ? "Partition" : "Child table",
							  tview_name_qualified(lfirst_oid(lc)),
							  tview_name_qualified(relid), reason),
					 "Use an ordinary table in its place, or leave it out and read it where the TVIEW is read.");
	}
}

/*
 * tview_tables_check_kinds - raise an error for tables whose changes can't be
 * captured
 */
void
tview_tables_check_kinds(List *relids, const char *name)
{
	ListCell   *lc;

	foreach(lc, relids)
		check_kind(lfirst_oid(lc), name);
}

static Oid
table_of_constraint(Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID,
										ObjectIdGetDatum(constraint));
	Oid			relid;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	relid = ((Form_pg_constraint) GETSTRUCT(tuple))->conrelid;
	ReleaseSysCache(tuple);
	return relid;
}

/*
 * GROUP BY may name a table's primary key alone, and the server takes it that
 * other columns are then determined.  With child tables they are not.
 */
static bool
check_grouping(Node *node, char *name)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		ListCell   *lc;

		foreach(lc, ((Query *) node)->constraintDeps)
		{
			Oid			relid = table_of_constraint(lfirst_oid(lc));

			if (tview_inherits_has_children(relid))
				tview_refuse(name,
							 psprintf("It groups by the primary key of table %s, which does not hold for the table's children.",
									  tview_name_qualified(relid)),
							 "Group by every column that is selected.");
		}
		return query_tree_walker((Query *) node, check_grouping, name, 0);
	}
	return expression_tree_walker(node, check_grouping, name);
}

/*
 * tview_tables_check - raise an error for tables that can't be maintained from
 */
void
tview_tables_check(const TviewExpansion *expansion, Oid owner,
				   const char *name, const TviewOptions *options)
{
	tview_tables_check_kinds(expansion->tables, name);
	(void) check_grouping((Node *) expansion->query,
						  unconstify(char *, name));
	tview_policies_check(expansion, owner, name, options);
}

/*
 * tview_tables_check_again - the same for a TVIEW that there is
 */
void
tview_tables_check_again(Oid relid)
{
	Tview	   *tview = tview_graph_find(relid);
	Oid			owner = tview_owner_of(relid);
	Oid			view;
	char	   *name;
	TviewOptions *options;
	TviewExpansion *expansion;

	if (tview == NULL || !OidIsValid(tview_owner_of(tview->view)))
		return;
	view = tview->view;
	name = pstrdup(tview->entity);
	options = tview_graph_options(tview);
	expansion = tview_expand(tview_view_query(view));
	tview_tables_check(expansion, owner, name, options);
	tview_policies_check_view(view, owner, name);
}
