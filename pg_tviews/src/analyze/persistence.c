/*-------------------------------------------------------------------------
 *
 * persistence.c
 *	  Whether a TVIEW must be lost in a crash, as its tables are.
 *
 * After a crash an unlogged table is empty.  If all tables that the keys come
 * from are, the view returns nothing then, and a TVIEW that is unlogged too is
 * what it should be, whatever else it reads.  If none of them is, the TVIEW
 * must be logged and may not read anything that is unlogged: its rows would
 * still be there, and show what is gone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "utils/lsyscache.h"

#include "analyze/check.h"
#include "analyze/persistence.h"
#include "base/inherits.h"
#include "base/names.h"

/* Tables that keep the rows of a source: itself, or all below it. */
static List *
stored_in(const TviewSource *source)
{
	List	   *tree = list_make1_oid(source->relid);
	List	   *result = NIL;
	ListCell   *lc;

	if (source->inh)
		tree = tview_inherits_trees(tree);
	foreach(lc, tree)
		if (get_rel_relkind(lfirst_oid(lc)) != RELKIND_PARTITIONED_TABLE)
		result = lappend_oid(result, lfirst_oid(lc));
	return result;
}

/* One of the tables that is, or is not, unlogged; InvalidOid if none is. */
static Oid
find_table(List *tables, bool unlogged)
{
	ListCell   *lc;

	foreach(lc, tables)
		if ((get_rel_persistence(lfirst_oid(lc)) == RELPERSISTENCE_UNLOGGED) == unlogged)
		return lfirst_oid(lc);
	return InvalidOid;
}

/*
 * tview_plan_is_unlogged - must the TVIEW be unlogged?
 *
 * Raises an error, with this name of the TVIEW, if it could be right neither
 * way.
 */
bool
tview_plan_is_unlogged(const TviewPlan *plan, const char *name)
{
	List	   *roots = tview_plan_roots(plan);
	List	   *keys = NIL;
	List	   *others = NIL;
	Oid			logged;
	Oid			unlogged;

	for (int i = 0; i < plan->nsources; i++)
	{
		const TviewSource *source = &plan->sources[i];

		if (list_member_oid(roots, source->relid))
			keys = list_concat_unique_oid(keys, stored_in(source));
		else
			others = list_concat_unique_oid(others, stored_in(source));
	}

	logged = find_table(keys, false);
	unlogged = find_table(keys, true);
	if (OidIsValid(unlogged) && !OidIsValid(logged) &&
		!list_member_oid(roots, InvalidOid))
		return true;
	if (OidIsValid(unlogged))
		tview_refuse(name,
					 psprintf("Its keys come from table %s, which is unlogged and would be empty after a crash, and from %s, which is not.",
							  tview_name_qualified(unlogged),
							  OidIsValid(logged) ?
							  psprintf("table %s", tview_name_qualified(logged)) :
							  "a list of values"),
					 "Make both logged or both unlogged, with ALTER TABLE ... SET LOGGED or SET UNLOGGED.");
	unlogged = find_table(others, true);
	if (OidIsValid(unlogged))
		tview_refuse(name,
					 psprintf("Table %s is unlogged, and would be empty after a crash; the TVIEW would not, as the table that its keys come from is logged.",
							  tview_name_qualified(unlogged)),
					 "Use ALTER TABLE ... SET LOGGED on the table, or SET UNLOGGED on the one that the keys come from.");
	return false;
}
