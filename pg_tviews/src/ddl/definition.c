/*-------------------------------------------------------------------------
 *
 * definition.c
 *	  Definitions as text, with the names that objects have now.
 *
 * The definition of a TVIEW is the rule of its view, which names objects by
 * OID.  The text in pg_tview_meta is for users, and must make the same TVIEW
 * again; so it is written anew when anything that it names, or whose columns it
 * counts, has been changed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#include "analyze/expand.h"
#include "analyze/operators.h"
#include "analyze/select.h"
#include "base/extension.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "ddl/definition.h"

/*
 * tview_definition_text - a query as text, with qualified names
 */
char *
tview_definition_text(Query *query)
{
	int			nest_level = tview_fix_settings();
	char	   *result = pg_get_querydef(tview_operators_spell(query), false);

	AtEOXact_GUC(false, nest_level);
	return result;
}

/*
 * The query of a view.
 *
 * Entries of the range table for the view itself, which servers before 16 put
 * there, are removed: the text is not to depend on whether they are there.
 */
static Query *
view_query(Oid view)
{
	Query	   *query = tview_view_query(view);

	while (query->rtable != NIL)
	{
		RangeTblEntry *rte = linitial(query->rtable);

		if (rte->rtekind != RTE_RELATION || rte->inFromCl || rte->relid != view)
			break;
		query->rtable = list_delete_first(query->rtable);
		OffsetVarNodes((Node *) query, -1, 0);
	}
	return query;
}

/*
 * tview_definition_of_view - the query of a view as text
 */
char *
tview_definition_of_view(Oid view)
{
	return tview_definition_text(view_query(view));
}

/*
 * Name the columns of all branches of a set operation like its own, as dumps
 * do; only the first branch's names mean anything.
 */
static Query *
name_branches(Query *query)
{
	ListCell   *lc;

	if (query->setOperations == NULL)
		return query;
	foreach(lc, query->rtable)
	{
		Query	   *branch = ((RangeTblEntry *) lfirst(lc))->subquery;
		ListCell   *own;
		ListCell   *other;

		if (branch == NULL)
			continue;
		forboth(own, query->targetList, other, branch->targetList)
			((TargetEntry *) lfirst(other))->resname =
			((TargetEntry *) lfirst(own))->resname;
		(void) name_branches(branch);
	}
	return query;
}

/*
 * tview_definition_is_of_view - is this text, with qualified names, the query
 * of the view?
 *
 * Text that was written by another server, or before a restore, may only look
 * different.
 */
bool
tview_definition_is_of_view(const char *definition, const char *entity,
							Oid view)
{
	Query	   *query;

	if (strcmp(definition, tview_definition_of_view(view)) == 0)
		return true;
	query = tview_select_parse(definition, entity);
	return strcmp(tview_definition_text(name_branches(query)),
				  tview_definition_text(name_branches(view_query(view)))) == 0;
}

/* TVIEWs with a view that depends on any of these objects */
static List *
find_concerned(const char *objects)
{
	return tview_meta_find(psprintf("WITH RECURSIVE d AS ("
									"SELECT o.classid, o.objid FROM (%s) AS o (classid, objid) "
									"UNION SELECT p.classid, p.objid FROM d JOIN pg_catalog.pg_depend AS p "
									"ON p.refclassid OPERATOR(pg_catalog.=) d.classid AND p.refobjid OPERATOR(pg_catalog.=) d.objid "
									"WHERE d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_rewrite'::pg_catalog.regclass) "
									"SELECT DISTINCT m.tview::pg_catalog.oid FROM d "
									"JOIN pg_catalog.pg_rewrite AS r ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) r.oid "
									"JOIN %s AS m ON r.ev_class OPERATOR(pg_catalog.=) m.view",
									objects, tview_extension_qualify("pg_tview_meta")));
}

/*
 * tview_definition_refresh - write the text of definitions anew that depend on
 * these objects, given by a query that returns classid and objid
 *
 * Others' tables and views are not touched, so that their locks aren't
 * waited for.
 */
void
tview_definition_refresh(const char *objects)
{
	List	   *concerned;
	ListCell   *lc;

	if (tview_graph_all() == NIL)
		return;
	concerned = find_concerned(objects);
	foreach(lc, tview_meta_read())
	{
		TviewMeta  *meta = lfirst(lc);
		char	   *text;

		if (!list_member_oid(concerned, meta->tview))
			continue;
		text = tview_definition_of_view(meta->view);

		if (strcmp(text, meta->definition) == 0)
			continue;
		meta->definition = text;

		tview_meta_set_names(meta);
	}
	CommandCounterIncrement();
}
