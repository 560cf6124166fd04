/*-------------------------------------------------------------------------
 *
 * unique.c
 *	  Proof that a definition can't return a key twice.
 *
 * It is enough that the root is unique by its key, and that every other item
 * of FROM has at most one row for given rows of the items before it: because
 * it has a unique index on columns that are all equated with theirs, or is
 * grouped by such columns.  Where there is no proof, a flush looks for
 * duplicates.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "analyze/derive.h"
#include "base/compat.h"

/* Has the table an enforced unique index on some of these columns? */
static bool
has_unique_index(Oid relid, Bitmapset *columns)
{
	Relation	rel = table_open(relid, AccessShareLock);
	List	   *indexes = RelationGetIndexList(rel);
	bool		result = false;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;
		bool		covered = form->indisunique && form->indimmediate &&
			form->indisvalid && RelationGetIndexPredicate(index) == NIL;

		for (int i = 0; i < form->indnkeyatts; i++)
			covered = covered && form->indkey.values[i] > 0 &&
				bms_is_member(form->indkey.values[i], columns);
		result = result || covered;
		index_close(index, AccessShareLock);
	}
	table_close(rel, AccessShareLock);
	return result;
}

/* Columns of an occurrence that rows of others, or constants, determine. */
static Bitmapset *
determined_columns(const TviewDerivation *derivation, int occurrence,
				   Bitmapset *determined)
{
	Bitmapset  *columns = NULL;
	ListCell   *lc;

	foreach(lc, derivation->graph->conditions)
	{
		TviewCondition *condition = lfirst(lc);
		Node	   *other;
		AttrNumber	attno = tview_equated_column(condition, occurrence, &other);

		if (attno != InvalidAttrNumber &&
			bms_is_subset(tview_sources_of(other), determined) &&
			tview_condition_holds_with(condition, occurrence,
									   derivation->root))
			columns = bms_add_member(columns, attno);
	}
	return columns;
}

/* Is the expression equated with something that is determined? */
static bool
is_determined(const TviewDerivation *derivation, Expr *expr,
			  const TviewFromItem *item, Bitmapset *determined)
{
	ListCell   *lc;

	foreach(lc, derivation->graph->conditions)
	{
		TviewCondition *condition = lfirst(lc);
		OpExpr	   *op = (OpExpr *) condition->expr;
		int			member = bms_next_member(item->occurrences, -1);

		if (!IsA(op, OpExpr) || list_length(op->args) != 2 ||
			!op_mergejoinable(op->opno, exprType(linitial(op->args))) ||
			!tview_condition_holds_with(condition, member, derivation->root))
			continue;
		for (int side = 0; side < 2; side++)
			if (equal(list_nth(op->args, side), expr) &&
				bms_is_subset(tview_sources_of(list_nth(op->args, 1 - side)),
							  determined))
				return true;
	}
	return false;
}

static bool
has_one_row(const TviewDerivation *derivation, const TviewFromItem *item,
			Bitmapset *determined)
{
	ListCell   *lc;

	if (item->occurrence >= 0)
		return has_unique_index(derivation->graph->occurrences[item->occurrence].relid,
								determined_columns(derivation,
												   item->occurrence,
												   determined));
	if (item->group == NIL || bms_is_empty(item->occurrences))
		return false;
	foreach(lc, item->group)
		if (lfirst(lc) == NULL ||
			!is_determined(derivation, lfirst(lc), item, determined))
			return false;
	return true;
}

/* Top-level GROUP BY: one row for each row of the root, or for each key. */
static bool
is_unique_by_group(const TviewDerivation *derivation, Query *query,
				   bool root_unique)
{
	Bitmapset  *root = bms_make_singleton(derivation->root);
	ListCell   *lc;

	foreach(lc, query->groupClause)
	{
		Expr	   *expr = tview_sources_resolve_top(derivation->graph,
													 get_sortgroupclause_expr(lfirst(lc),
																			  query->targetList));
		Var		   *var = (Var *) expr;
		bool		is_key = expr != NULL && IsA(expr, Var) &&
			var->varno == derivation->root + 1 &&
			var->varattno == derivation->root_attno;

		if (expr == NULL)
			return false;
		if (!is_key &&
			!(root_unique &&
			  bms_is_subset(tview_sources_of((Node *) expr), root)))
			return false;
	}
	return true;
}

/*
 * tview_is_unique - can the definition not return a key twice?
 */
bool
tview_is_unique(const TviewDerivation *derivation, Query *query)
{
	Oid			root_relid = derivation->graph->occurrences[derivation->root].relid;
	bool		root_unique = has_unique_index(root_relid,
											   bms_make_singleton(derivation->root_attno));
	Bitmapset  *determined = bms_make_singleton(derivation->root);
	List	   *items;
	bool		root_found = false;
	bool		progress = true;
	ListCell   *lc;

	if (query->hasTargetSRFs)
		return false;
	if (query->groupClause != NIL)
		return is_unique_by_group(derivation, query, root_unique);
	if (!root_unique)
		return false;

	items = tview_sources_from_items(derivation->graph);
	foreach(lc, items)
		root_found |= ((TviewFromItem *) lfirst(lc))->occurrence == derivation->root;
	if (!root_found)
		return false;

	while (progress)
	{
		progress = false;
		foreach(lc, items)
		{
			TviewFromItem *item = lfirst(lc);

			if (item->occurrence == derivation->root)
				items = foreach_delete_current(items, lc);
			else if (has_one_row(derivation, item, determined))
			{
				determined = bms_add_members(determined, item->occurrences);
				items = foreach_delete_current(items, lc);
				progress = true;
			}
		}
	}
	return items == NIL;
}
