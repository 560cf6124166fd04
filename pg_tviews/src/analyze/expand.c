/*-------------------------------------------------------------------------
 *
 * expand.c
 *	  From a definition as written to one that reads only tables.
 *
 * A plain view is replaced by its query, as the rewriter would do it.  The
 * view of another TVIEW is replaced by a subquery that reads the maintained
 * table: it returns the same rows, and a column keeps its number, so nothing
 * that refers to it has to change.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteHandler.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "analyze/expand.h"
#include "analyze/operators.h"
#include "base/compat.h"
#include "base/names.h"
#include "catalog/graph.h"

/*
 * Raise an error if the metadata speak of a relation that isn't there, or is of
 * another kind: it was dropped while event triggers did not fire, or they have
 * been changed by hand.
 */
static void
check_is_there(Oid relid, char relkind, const char *kind, const char *entity)
{
	if (get_rel_relkind(relid) == relkind)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 entity == NULL ?
			 errmsg("relation %u is not the %s of a TVIEW", relid, kind) :
			 errmsg("%s of TVIEW \"%s\" does not exist", kind, entity),
			 errdetail("It was dropped while event triggers did not fire, or the metadata were changed by hand."),
			 errhint("Call pg_tviews_health_check(). What is left of the TVIEW, and those that read it, "
					 "can be dropped with CASCADE and made anew.")));
}

/*
 * tview_view_query - a copy of a view's query, its columns named as the
 * view's are now
 */
Query *
tview_view_query(Oid view)
{
	Relation	rel;
	Query	   *query;
	AttrNumber	attno = 1;
	ListCell   *lc;

	check_is_there(view, RELKIND_VIEW, "view", NULL);
	rel = table_open(view, AccessShareLock);
	query = copyObject(get_view_query(rel));
	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst(lc);

		if (!tle->resjunk)
			tle->resname = get_attname(view, attno++, false);
	}
	table_close(rel, NoLock);
	return query;
}

/* SELECT the columns that the view has FROM the TVIEW's table. */
static Query *
tview_table_query(const Tview *tview)
{
	Query	   *query = makeNode(Query);
	ParseState *pstate = make_parsestate(NULL);
	Relation	table;
	Relation	view;
	ParseNamespaceItem *item;
	RangeTblRef *rtr = makeNode(RangeTblRef);

	check_is_there(tview->tview, RELKIND_RELATION, "table", tview->entity);
	table = table_open(tview->tview, AccessShareLock);
	view = table_open(tview->view, AccessShareLock);
	item = addRangeTableEntryForRelation(pstate, table, AccessShareLock,
										 NULL, true, true);
	rtr->rtindex = item->p_rtindex;
	for (int i = 0; i < RelationGetNumberOfAttributes(view); i++)
	{
		char	   *name = NameStr(TupleDescAttr(RelationGetDescr(view), i)->attname);
		AttrNumber	attno = get_attnum(tview->tview, name);
		Var		   *var;

		if (attno == InvalidAttrNumber)
			tview_graph_report_damaged(tview, psprintf("%s has no column \"%s\", and its view has.",
													   tview_name_qualified(tview->tview),
													   name));
		var = makeVar(rtr->rtindex, attno,
					  get_atttype(tview->tview, attno),
					  TupleDescAttr(RelationGetDescr(table), attno - 1)->atttypmod,
					  TupleDescAttr(RelationGetDescr(table), attno - 1)->attcollation,
					  0);
		query->targetList = lappend(query->targetList,
									makeTargetEntry((Expr *) var, i + 1,
													pstrdup(name), false));
	}
	query->commandType = CMD_SELECT;
	query->querySource = QSRC_ORIGINAL;
	query->canSetTag = true;
	query->rtable = pstate->p_rtable;
	query->jointree = makeFromExpr(list_make1(rtr), NULL);
	tview_clear_perminfo((RangeTblEntry *) linitial(query->rtable));
	table_close(table, NoLock);
	table_close(view, NoLock);
	free_parsestate(pstate);
	return query;
}

/*
 * The view may have more columns than when the query was parsed.  The entry
 * goes on having as many, since joins that it is in count them.
 */
static void
replace_by_subquery(RangeTblEntry *rte, Query *subquery)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, subquery->targetList)
	{
		TargetEntry *tle = lfirst(lc);

		if (!tle->resjunk &&
			list_length(names) < list_length(rte->eref->colnames))
			names = lappend(names, makeString(pstrdup(tle->resname)));
	}
	rte->rtekind = RTE_SUBQUERY;
	rte->relid = InvalidOid;
	rte->relkind = 0;
	rte->rellockmode = 0;
	rte->inh = false;
	tview_clear_perminfo(rte);
	rte->subquery = subquery;
	rte->eref->colnames = names;
}

static bool
expand_walker(Node *node, TviewExpansion *expansion)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, expand_walker, expansion,
								 QTW_EXAMINE_RTES_BEFORE);
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;
		Tview	   *tview;

		/* a view's rule has entries for the view itself, outside FROM */
		if (rte->rtekind != RTE_RELATION || !rte->inFromCl)
			return false;

		if (get_rel_relkind(rte->relid) != RELKIND_VIEW)
		{
			expansion->tables = list_append_unique_oid(expansion->tables,
													   rte->relid);
			return false;
		}

		/* the walker goes into the subquery next */
		tview = tview_graph_find_view(rte->relid);
		if (tview != NULL)
		{
			expansion->views = list_append_unique_oid(expansion->views,
													  rte->relid);
			replace_by_subquery(rte, tview_table_query(tview));
		}
		else
		{
			expansion->helpers = list_append_unique_oid(expansion->helpers,
														rte->relid);
			replace_by_subquery(rte, tview_view_query(rte->relid));
		}
		return false;
	}
	return expression_tree_walker(node, expand_walker, expansion);
}

/*
 * tview_expand - expand a definition
 *
 * The argument is left as it is.
 */
TviewExpansion *
tview_expand(Query *query)
{
	TviewExpansion *expansion = palloc0(sizeof(TviewExpansion));

	expansion->query = copyObject(query);
	(void) expand_walker((Node *) expansion->query, expansion);
	expansion->query = tview_operators_spell(expansion->query);
	list_sort(expansion->tables, list_oid_cmp);
	return expansion;
}
