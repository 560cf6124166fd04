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
#include "access/nbtree.h"
#include "access/table.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/typcache.h"

#include "analyze/derive.h"
#include "analyze/scope.h"
#include "base/compat.h"
#include "base/inherits.h"

/*
 * An item of FROM, with what is in subqueries that only select, that may
 * multiply the rows of the definition.
 */
typedef struct TviewFromItem
{
	int			occurrence;		/* a table; -1: a subquery */
	Bitmapset  *occurrences;
	List	   *group;			/* resolved expressions that are unique in it;
								 * NIL: unknown */
} TviewFromItem;

/* ----------
 * Items of FROM
 * ----------
 */

/* Does the subquery return one row at most? */
static bool
is_single_row(Query *query)
{
	Node	   *limit = query->limitCount;

	/* LIMIT 1 has a constant in it, cast to bigint */
	if (limit != NULL && IsA(limit, FuncExpr) &&
		((FuncExpr *) limit)->funcid == F_INT8_INT4)
		limit = linitial(((FuncExpr *) limit)->args);

	if (query->hasTargetSRFs)
		return false;
	if (query->hasAggs && query->groupClause == NIL &&
		query->groupingSets == NIL && query->setOperations == NULL)
		return true;
	return limit != NULL && IsA(limit, Const) &&
		query->limitOption == LIMIT_OPTION_COUNT &&
		!((Const *) limit)->constisnull &&
		((Const *) limit)->constvalue == 1;
}

static bool
only_selects(Query *query)
{
	return query->setOperations == NULL && !query->hasAggs &&
		!query->hasTargetSRFs && query->groupClause == NIL &&
		query->groupingSets == NIL;
}

static List *
from_items(TviewGraph *graph, TviewScope *scope, Node *node, List *items)
{
	RangeTblEntry *rte;
	TviewBinding *binding;
	TviewFromItem *item;
	ListCell   *lc;

	if (IsA(node, FromExpr))
	{
		foreach(lc, ((FromExpr *) node)->fromlist)
			items = from_items(graph, scope, lfirst(lc), items);
		return items;
	}
	if (IsA(node, JoinExpr))
	{
		items = from_items(graph, scope, ((JoinExpr *) node)->larg, items);
		return from_items(graph, scope, ((JoinExpr *) node)->rarg, items);
	}

	rte = rt_fetch(((RangeTblRef *) node)->rtindex, scope->query->rtable);
	if (rte->rtekind == RTE_RESULT)
		return items;
	binding = &scope->bindings[((RangeTblRef *) node)->rtindex];
	item = palloc0(sizeof(TviewFromItem));
	item->occurrence = -1;
	if (binding->occurrence >= 0 &&
		OidIsValid(graph->sources->occurrences[binding->occurrence].relid))
	{
		item->occurrence = binding->occurrence;
		item->occurrences = bms_make_singleton(item->occurrence);
	}
	if (binding->scope != NULL)
	{
		Query	   *query = binding->scope->query;

		if (is_single_row(query))
			return items;
		if (only_selects(query))
			return from_items(graph, binding->scope,
							  (Node *) query->jointree, items);
		item->occurrences = binding->scope->occurrences;
		if (query->groupingSets == NIL && !query->hasTargetSRFs)
			foreach(lc, query->groupClause)
				item->group =
				lappend(item->group,
						tview_resolve(graph, binding->scope,
									  get_sortgroupclause_expr(lfirst(lc),
															   query->targetList)));
	}
	return lappend(items, item);
}

/* ----------
 * What they are determined by
 * ----------
 */

/*
 * Is the column equated with rows of others, or constants, that are
 * determined?  By an operator and collation for which the index is unique.
 */
static bool
is_column_determined(const TviewDerivation *derivation, int occurrence,
					 AttrNumber attno, Oid opfamily, Oid collation,
					 Bitmapset *determined)
{
	ListCell   *lc;

	foreach(lc, derivation->graph->conditions)
	{
		TviewCondition *condition = lfirst(lc);
		OpExpr	   *op = (OpExpr *) condition->expr;
		Node	   *other;

		if (tview_equated_column(condition, occurrence, &other) == attno &&
			bms_is_subset(tview_sources_of(other), determined) &&
			tview_condition_holds_with(condition, occurrence,
									   derivation->root) &&
			get_op_opfamily_strategy(op->opno, opfamily) == BTEqualStrategyNumber &&
			(!OidIsValid(collation) || op->inputcollid == collation))
			return true;
	}
	return false;
}

/* Is the column the key, and the index unique for the key's own equality? */
static bool
is_column_key(const TviewDerivation *derivation, Oid relid, AttrNumber attno,
			  Oid opfamily, Oid collation)
{
	Oid			type;
	int32		typmod;
	Oid			key_collation;

	if (attno != derivation->root_attno)
		return false;
	get_atttypetypmodcoll(relid, attno, &type, &typmod, &key_collation);
	return lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY)->btree_opf == opfamily &&
		collation == key_collation;
}

/*
 * Has the table an enforced unique index by which it has one row at most?
 * For the root, for a value of the key; for another occurrence, for given
 * rows of those determined.
 */
static bool
has_unique_index(const TviewDerivation *derivation, int occurrence,
				 Bitmapset *determined)
{
	Oid			relid = derivation->graph->sources->occurrences[occurrence].relid;
	bool		is_root = occurrence == derivation->root;
	Relation	rel = table_open(relid, AccessShareLock);
	List	   *indexes = RelationGetIndexList(rel);
	bool		result = false;
	ListCell   *lc;

	/* an index of a table says nothing of its child tables */
	if (derivation->graph->sources->occurrences[occurrence].inh &&
		tview_inherits_has_children(relid))
		indexes = NIL;
	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;
		bool		covered = form->indisunique && form->indimmediate &&
		form->indisvalid && RelationGetIndexPredicate(index) == NIL;

		for (int i = 0; covered && i < form->indnkeyatts; i++)
		{
			AttrNumber	attno = form->indkey.values[i];
			Oid			opfamily = index->rd_opfamily[i];
			Oid			collation = index->rd_indcollation[i];

			covered = attno > 0 &&
				(is_root ?
				 is_column_key(derivation, relid, attno, opfamily, collation) :
				 is_column_determined(derivation, occurrence, attno, opfamily,
									  collation, determined));
		}
		result = result || covered;
		index_close(index, AccessShareLock);
	}
	table_close(rel, AccessShareLock);
	return result;
}

/* Does the condition hold in all rows of the item? */
static bool
holds_for_item(const TviewCondition *condition, const TviewFromItem *item,
			   int root)
{
	ListCell   *lc;

	foreach(lc, condition->regions)
		if (!bms_is_member(root, lfirst(lc)) &&
			!bms_is_subset(item->occurrences, lfirst(lc)))
		return false;
	return true;
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

		if (!IsA(op, OpExpr) || list_length(op->args) != 2 ||
			!holds_for_item(condition, item, derivation->root) ||
			op->inputcollid != exprCollation((Node *) expr) ||
			get_op_opfamily_strategy(op->opno,
									 lookup_type_cache(exprType((Node *) expr),
													   TYPECACHE_BTREE_OPFAMILY)->btree_opf) != BTEqualStrategyNumber)
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
		return has_unique_index(derivation, item->occurrence, determined);
	if (item->group == NIL || bms_is_empty(item->occurrences))
		return false;
	foreach(lc, item->group)
		if (lfirst(lc) == NULL ||
			!is_determined(derivation, lfirst(lc), item, determined))
		return false;
	return true;
}

/*
 * Top-level GROUP BY or DISTINCT ON: one row for each row of the root, or for
 * each key.
 */
static bool
is_unique_by_group(const TviewDerivation *derivation, Query *query,
				   List *clauses, bool root_unique)
{
	Bitmapset  *root = bms_make_singleton(derivation->root);
	ListCell   *lc;

	foreach(lc, clauses)
	{
		Expr	   *expr = tview_resolve(derivation->graph,
										 derivation->graph->sources->top,
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
	bool		root_unique;
	Bitmapset  *determined = bms_make_singleton(derivation->root);
	List	   *items;
	bool		root_found = false;
	bool		progress = true;
	ListCell   *lc;

	if (query->hasTargetSRFs || query->groupingSets != NIL ||
		query->setOperations != NULL ||
		derivation->root_attno == InvalidAttrNumber)
		return false;
	root_unique = has_unique_index(derivation, derivation->root, NULL);
	if (query->hasDistinctOn &&
		is_unique_by_group(derivation, query, query->distinctClause,
						   root_unique))
		return true;
	if (query->groupClause != NIL)
		return is_unique_by_group(derivation, query, query->groupClause,
								  root_unique);
	if (!root_unique)
		return false;

	items = from_items(derivation->graph, derivation->graph->sources->top,
					   (Node *) query->jointree, NIL);
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
