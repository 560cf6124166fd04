/*-------------------------------------------------------------------------
 *
 * persistence.c
 *	  Keeping TVIEWs logged or unlogged as their tables are.
 *
 * The rule is in analyze/persistence.c.  When a table becomes logged or
 * unlogged, the TVIEWs that it gives the keys become the same.  That is
 * ALTER TABLE on a TVIEW, which other TVIEWs that read it follow in turn.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "utils/lsyscache.h"

#include "analyze/persistence.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "ddl/execute.h"
#include "ddl/persistence.h"
#include "ddl/record.h"

static bool
is_unlogged(Oid relid)
{
	return get_rel_persistence(relid) == RELPERSISTENCE_UNLOGGED;
}

static void
refuse(const TviewPlan *plan, bool unlogged)
{
	List	   *roots = tview_plan_roots(plan);
	char	   *root = roots == NIL || !OidIsValid(linitial_oid(roots)) ?
	"that is read" : tview_name_qualified(linitial_oid(roots));

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("TVIEW %s cannot be %s", plan->name,
					unlogged ? "unlogged" : "logged"),
			 unlogged ?
			 errdetail("It would be empty after a crash, and table %s, which its keys come from, would not.", root) :
			 errdetail("Table %s, which its keys come from, would be empty after a crash.", root),
			 errhint("Use ALTER TABLE ... SET %s on the table; the TVIEW follows.",
					 unlogged ? "UNLOGGED" : "LOGGED")));
}

/*
 * tview_persistence_set - make a new TVIEW unlogged if it has to be
 *
 * One that has been made unlogged without need is refused.
 */
void
tview_persistence_set(const TviewPlan *plan, const char *entity)
{
	bool		unlogged = tview_plan_is_unlogged(plan, entity);

	if (unlogged && !is_unlogged(plan->tview))
	{
		tview_execute("ALTER TABLE %s SET UNLOGGED", plan->name);
		CommandCounterIncrement();
	}
	else if (!unlogged && is_unlogged(plan->tview))
		refuse(plan, true);
}

/*
 * tview_persistence_follow - tables that these TVIEWs read have changed
 */
void
tview_persistence_follow(List *tviews)
{
	ListCell   *lc;

	foreach(lc, tviews)
	{
		Oid			relid = lfirst_oid(lc);
		TviewPlan  *plan = tview_plan_get(relid);
		TviewOwnerContext saved;
		bool		unlogged;

		if (plan == NULL)
			continue;
		unlogged = tview_plan_is_unlogged(plan, get_rel_name(relid) +
										  strlen(TVIEW_TABLE_PREFIX));
		if (unlogged == is_unlogged(relid))
			continue;
		tview_owner_enter(&saved, plan->owner, true);
		tview_execute("ALTER TABLE %s SET %s", plan->name,
					  unlogged ? "UNLOGGED" : "LOGGED");
		tview_owner_leave(&saved);
		tview_record_persistence(relid, unlogged);
	}
}

/*
 * tview_persistence_altered - ALTER TABLE has been done
 */
void
tview_persistence_altered(AlterTableStmt *stmt)
{
	Oid			relid = RangeVarGetRelid(stmt->relation, NoLock, true);
	bool		changed = false;
	TviewPlan  *plan;
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		AlterTableType type = ((AlterTableCmd *) lfirst(lc))->subtype;

		changed |= type == AT_SetLogged || type == AT_SetUnLogged;
	}
	if (!changed || !OidIsValid(relid))
		return;
	plan = tview_plan_get(relid);
	if (plan != NULL &&
		tview_plan_is_unlogged(plan, tview_graph_find(relid)->entity) != is_unlogged(relid))
		refuse(plan, is_unlogged(relid));
	tview_persistence_follow(tview_graph_row_readers(relid));
}
