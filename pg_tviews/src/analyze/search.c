/*-------------------------------------------------------------------------
 *
 * search.c
 *	  The search for ways from the occurrences of a graph to the key.
 *
 * Breadth first, from the root: an occurrence is reached by a condition whose
 * others have all been reached, and which can be used to go there from it.
 * Occurrences that have a column equal to the key come first, then equalities,
 * then other conditions.  The order in which conditions are taken is that of
 * the graph, so that the ways found in different graphs agree as far as these
 * have the same occurrences (see derive.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "analyze/derive.h"
#include "analyze/scope.h"

static bool
is_equality(Expr *expr)
{
	OpExpr	   *op = (OpExpr *) expr;

	return IsA(expr, OpExpr) && list_length(op->args) == 2 &&
		op_mergejoinable(op->opno, exprType(linitial(op->args)));
}

/*
 * tview_equated_column - column of this occurrence that the condition equates
 * with something that doesn't mention it, which *other is set to
 */
AttrNumber
tview_equated_column(const TviewCondition *condition, int occurrence,
					 Node **other)
{
	if (!is_equality(condition->expr))
		return InvalidAttrNumber;
	for (int side = 0; side < 2; side++)
	{
		List	   *args = ((OpExpr *) condition->expr)->args;
		Node	   *here = tview_strip_relabel(list_nth(args, side));
		Node	   *there = list_nth(args, 1 - side);

		if (IsA(here, Var) && ((Var *) here)->varno == occurrence + 1 &&
			!bms_is_member(occurrence, tview_sources_of(there)))
		{
			if (other != NULL)
				*other = there;
			return ((Var *) here)->varattno;
		}
	}
	return InvalidAttrNumber;
}

/* ----------
 * The search
 * ----------
 */

/*
 * tview_condition_usable - may the condition lead from this occurrence to the
 * others that it mentions?
 *
 * Not if it can be true where one of them is null-extended, or this one: a
 * row that comes takes away the null-extended one, for which it was true.
 */
bool
tview_condition_usable(const TviewSearch *search,
					   const TviewCondition *condition, int occurrence)
{
	return bms_is_empty(condition->maybe_null) &&
		tview_condition_holds_with(condition, occurrence, search->root);
}

/*
 * Does the condition make this column equal to the key for every value, so
 * that one can stand for the other?
 */
static AttrNumber
find_key_column(const TviewSearch *search, const TviewReached *reached,
				const TviewCondition *condition, int occurrence, int from)
{
	TviewOccurrence *occurrences = search->graph->sources->occurrences;
	Node	   *other;
	AttrNumber	attno;
	Oid			key_type;
	int32		typmod;
	Oid			collation;
	TypeCacheEntry *type;

	if (!OidIsValid(occurrences[occurrence].relid) ||
		reached[from].key == InvalidAttrNumber ||
		search->root_attno == InvalidAttrNumber)
		return InvalidAttrNumber;
	attno = tview_equated_column(condition, occurrence, &other);
	if (attno == InvalidAttrNumber)
		return InvalidAttrNumber;
	other = tview_strip_relabel(other);
	if (!IsA(other, Var) || ((Var *) other)->varno != from + 1 ||
		((Var *) other)->varattno != reached[from].key)
		return InvalidAttrNumber;

	get_atttypetypmodcoll(occurrences[search->root].relid, search->root_attno,
						  &key_type, &typmod, &collation);
	type = lookup_type_cache(key_type, TYPECACHE_BTREE_OPFAMILY);
	if (get_atttype(occurrences[occurrence].relid, attno) != key_type ||
		((OpExpr *) condition->expr)->inputcollid != collation ||
		get_op_opfamily_strategy(((OpExpr *) condition->expr)->opno,
								 type->btree_opf) != BTEqualStrategyNumber)
		return InvalidAttrNumber;
	return attno;
}

static bool
is_reached(const TviewReached *reached, int occurrence)
{
	return reached[occurrence].rank > 0;
}

/*
 * The others of a condition, if they have all been reached and the condition
 * can be used to go there from this one; or NULL.
 */
static Bitmapset *
edge_ends(const TviewSearch *search, const TviewReached *reached,
		  const TviewCondition *condition, int occurrence)
{
	Bitmapset  *others;
	int			member = -1;

	if (!bms_is_member(occurrence, condition->occurrences))
		return NULL;
	others = bms_del_member(bms_copy(condition->occurrences), occurrence);
	while ((member = bms_next_member(others, member)) >= 0)
		if (!is_reached(reached, member))
			return NULL;
	if (!tview_condition_usable(search, condition, occurrence))
		return NULL;
	return others;
}

/* The one of the ends that the way goes on through: an end of steps, if any. */
static int
choose_next(const TviewSearch *search, Bitmapset *ends)
{
	int			member = -1;

	while ((member = bms_next_member(ends, member)) >= 0)
		if (tview_is_end(search->graph->sources, member))
			return member;
	return bms_next_member(ends, -1);
}

static void
reach(TviewSearch *search, int occurrence, Bitmapset *via, AttrNumber key)
{
	TviewReached *entry = &search->reached[occurrence];

	entry->rank = ++search->last_rank;
	entry->via = via;
	entry->next = via == NULL ? -1 : choose_next(search, via);
	entry->key = key;
}

/*
 * One more step away from the root.  Returns whether anything new has been
 * reached.
 */
static bool
reach_further(TviewSearch *search, bool local_only, bool equality_only)
{
	int			count = search->graph->sources->count;
	Size		size = sizeof(TviewReached) * count;
	TviewReached *before = memcpy(palloc(size), search->reached, size);
	bool		progress = false;

	CHECK_FOR_INTERRUPTS();
	for (int to = 0; to < count; to++)
	{
		ListCell   *lc;

		if (!bms_is_member(to, search->graph->active) ||
			bms_is_member(to, search->blocked))
			continue;
		foreach(lc, search->graph->conditions)
		{
			TviewCondition *condition = lfirst(lc);
			Bitmapset  *ends;
			int			from;
			AttrNumber	key = InvalidAttrNumber;

			if (is_reached(search->reached, to))
				break;
			ends = edge_ends(search, before, condition, to);
			if (bms_is_empty(ends))
				continue;
			if (bms_get_singleton_member(ends, &from))
				key = find_key_column(search, before, condition, to, from);
			if (local_only && key == InvalidAttrNumber)
				continue;
			if (equality_only && !is_equality(condition->expr))
				continue;
			reach(search, to, ends, key);
			progress = true;
		}
	}
	pfree(before);
	return progress;
}

/*
 * Search breadth first: all that have the key, then the others, by equality
 * wherever that leads on.
 */
static void
reach_all(TviewSearch *search)
{
	while (reach_further(search, true, true))
		;
	do
	{
		while (reach_further(search, false, true))
			;
	} while (reach_further(search, false, false));
}

/* ----------
 * Recursive CTEs
 *
 * Which way the steps are gone along shows when one of their ends has been
 * reached: out, from the start, or in, from the last step.  The way from the
 * start is looked for first.
 * ----------
 */

static Bitmapset *
scope_occurrences(TviewScope *scope)
{
	Bitmapset  *result = bms_copy(scope->occurrences);
	ListCell   *lc;

	foreach(lc, scope->sublinks)
		result = bms_add_members(result, scope_occurrences(lsecond(lfirst(lc))));
	foreach(lc, scope->siblings)
		result = bms_add_members(result,
								 scope_occurrences(((TviewSibling *) lfirst(lc))->scope));
	return result;
}

static void
unblock(TviewSearch *search, Bitmapset *occurrences)
{
	search->blocked = bms_difference(search->blocked, occurrences);
}

static void
block_steps(TviewSearch *search)
{
	TviewSources *sources = search->graph->sources;
	ListCell   *lc;

	for (int i = 0; i < sources->count; i++)
		if (tview_is_end(sources, i))
			search->blocked = bms_add_member(search->blocked, i);
	foreach(lc, search->graph->walks)
	{
		TviewRecursion *recursion = ((TviewWalk *) lfirst(lc))->recursion;

		search->blocked = bms_add_members(search->blocked,
										  scope_occurrences(recursion->step));
		search->blocked = bms_add_members(search->blocked,
										  scope_occurrences(recursion->earlier));
		search->blocked = bms_del_member(search->blocked, recursion->out);
	}
}

/* Go on from one end of the steps to the other. */
static bool
walk_steps(TviewSearch *search)
{
	ListCell   *lc;

	foreach(lc, search->opened)
	{
		TviewWalk  *walk = lfirst(lc);
		TviewRecursion *recursion = walk->recursion;

		if (list_member_ptr(search->forward, walk) &&
			is_reached(search->reached, recursion->in) &&
			!is_reached(search->reached, recursion->out))
		{
			reach(search, recursion->out, bms_make_singleton(recursion->in),
				  InvalidAttrNumber);
			unblock(search, scope_occurrences(recursion->earlier));
			return true;
		}
	}
	foreach(lc, search->graph->walks)
	{
		TviewWalk  *walk = lfirst(lc);
		TviewRecursion *recursion = walk->recursion;

		if (list_member_ptr(search->opened, walk) ||
			!is_reached(search->reached, recursion->out))
			continue;
		search->opened = lappend(search->opened, walk);
		reach(search, recursion->in, bms_make_singleton(recursion->out),
			  InvalidAttrNumber);
		unblock(search, scope_occurrences(recursion->step));
		return true;
	}
	return false;
}

static void
open_forward(TviewSearch *search, TviewWalk *walk)
{
	TviewRecursion *recursion = walk->recursion;

	search->opened = lappend(search->opened, walk);
	search->forward = lappend(search->forward, walk);
	search->blocked = bms_add_member(search->blocked, recursion->out);
	unblock(search, scope_occurrences(recursion->step));
	unblock(search, bms_make_singleton(recursion->in));
}

/* Start from the last step of a recursion that nothing else leads to. */
static bool
open_next(TviewSearch *search)
{
	ListCell   *lc;

	foreach(lc, search->graph->walks)
		if (!list_member_ptr(search->opened, lfirst(lc)))
	{
		open_forward(search, lfirst(lc));
		return true;
	}
	return false;
}

/*
 * tview_search - find the ways of a search whose graph and root are filled in
 */
void
tview_search(TviewSearch *search)
{
	ListCell   *lc;

	search->reached = palloc0(sizeof(TviewReached) *
							  search->graph->sources->count);
	block_steps(search);
	foreach(lc, search->graph->walks)
	{
		TviewWalk  *walk = lfirst(lc);

		if (bms_is_member(search->root,
						  scope_occurrences(walk->recursion->step)))
			open_forward(search, walk);
	}
	unblock(search, bms_make_singleton(search->root));
	reach(search, search->root, NULL, search->root_attno);
	do
	{
		do
			reach_all(search);
		while (walk_steps(search));
	} while (open_next(search));
}

/*
 * tview_is_earlier_step - is it of steps before the last, where the last can
 * stand for all?
 *
 * So it is if the steps are gone along backward: the walk finds all of them
 * from the last one.
 */
bool
tview_is_earlier_step(const TviewSearch *search, int occurrence)
{
	ListCell   *lc;

	foreach(lc, search->opened)
		if (!list_member_ptr(search->forward, lfirst(lc)) &&
			bms_is_member(occurrence,
						  scope_occurrences(((TviewWalk *) lfirst(lc))->recursion->earlier)))
		return true;
	return false;
}
