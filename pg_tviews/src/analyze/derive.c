/*-------------------------------------------------------------------------
 *
 * derive.c
 *	  How a changed row of a source reaches the keys of a TVIEW.
 *
 * The root is the occurrence that the key column of the definition comes
 * from.  An occurrence that has a column equated with the key is local: the
 * keys that a change affects are read off the row's old and new image.  From
 * every other one a path of conditions leads to a local one or the root,
 * found by a breadth-first search from the root, and a query joins the
 * changed rows along that path to the key (see mapping.c).  An occurrence
 * without a path makes the definition one that can't be maintained by key.
 *
 * Nothing but the path is joined.  The queries run when the transaction's
 * changes are all there, so with every condition of the definition kept, two
 * changes could hide each other.  With the path alone they can't: on the path
 * of a combination of rows that was there before, take the changed row nearest
 * to the root.  What is between it and the root did not change, and since the
 * path of every occurrence is a part of the paths that lead through it, the
 * query of that row's own occurrence finds the key.
 *
 * A condition may be used as an edge from an occurrence towards the root if
 * it holds wherever that occurrence, or the root, is present; the rows that it
 * leads to are then present as well.
 *
 * There may be several graphs (see conditions.c), and a key that is
 * COALESCE(a.pk, b.pk) has a root for each argument; a change leads to the
 * keys that any of them finds, so each must have a path.  The graphs agree on
 * the path to an occurrence as far as they have its occurrences in common,
 * because the search takes edges in the same order in each.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

#include "analyze/check.h"
#include "analyze/derive.h"
#include "analyze/scope.h"
#include "base/names.h"

#define TVIEW_MAX_GRAPHS	1000

/* ----------
 * Keys
 * ----------
 */

/*
 * The expressions that may be the key's value: the arguments of COALESCE.
 */
static List *
key_exprs(Node *expr, List *exprs)
{
	ListCell   *lc;

	if (!IsA(tview_strip_relabel(expr), CoalesceExpr) ||
		bms_membership(tview_sources_of(expr)) != BMS_MULTIPLE)
		return lappend(exprs, expr);
	foreach(lc, ((CoalesceExpr *) tview_strip_relabel(expr))->args)
		exprs = key_exprs(lfirst(lc), exprs);
	return exprs;
}

static bool has_one_of(const TviewGraph *graph, TviewScope *scope, Node *node,
					   Bitmapset *wanted);

/* Does every row of this query level have one of these? */
static bool
level_has_one_of(const TviewGraph *graph, TviewScope *scope,
				 Bitmapset *wanted)
{
	TviewRecursion *recursion = scope->recursion;

	if (recursion != NULL && graph->choices[recursion->choice] == 1 &&
		level_has_one_of(graph, recursion->step, wanted))
		return true;
	if (scope->branches != NIL)
		return level_has_one_of(graph,
								list_nth(scope->branches,
										 graph->choices[scope->choice]),
								wanted);
	return scope->query->groupingSets == NIL &&
		has_one_of(graph, scope, (Node *) scope->query->jointree, wanted);
}

/* Does every row of this item of FROM? */
static bool
has_one_of(const TviewGraph *graph, TviewScope *scope, Node *node,
		   Bitmapset *wanted)
{
	JoinExpr   *join = (JoinExpr *) node;
	ListCell   *lc;

	if (IsA(node, RangeTblRef))
	{
		TviewBinding *binding =
		&scope->bindings[((RangeTblRef *) node)->rtindex];

		if (binding->self != NULL)
			return false;
		if (binding->scope != NULL)
			return level_has_one_of(graph, binding->scope, wanted);
		return binding->occurrence >= 0 &&
			bms_is_member(binding->occurrence, wanted);
	}
	if (IsA(node, FromExpr))
	{
		foreach(lc, ((FromExpr *) node)->fromlist)
			if (has_one_of(graph, scope, lfirst(lc), wanted))
			return true;
		return false;
	}
	if (join->jointype == JOIN_LEFT)
		return has_one_of(graph, scope, join->larg, wanted);
	if (join->jointype == JOIN_RIGHT)
		return has_one_of(graph, scope, join->rarg, wanted);
	if (join->jointype == JOIN_FULL)
		return has_one_of(graph, scope, join->larg, wanted) &&
			has_one_of(graph, scope, join->rarg, wanted);
	return has_one_of(graph, scope, join->larg, wanted) ||
		has_one_of(graph, scope, join->rarg, wanted);
}

/* All Vars but those of one column become ones that say nothing. */
static Node *
hide_others_mutator(Node *node, Var *column)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = copyObject((Var *) node);

		if (var->varno != column->varno || var->varattno != column->varattno)
			var->varlevelsup = 1;
		return (Node *) var;
	}
	return expression_tree_mutator(node, hide_others_mutator, column);
}

static bool
is_column_not_null(const TviewSearch *search, Var *column)
{
	ListCell   *lc;

	if (tview_column_is_not_null(&search->graph->sources->occurrences[column->varno - 1],
								 column->varattno))
		return true;
	foreach(lc, search->graph->conditions)
	{
		TviewCondition *condition = lfirst(lc);

		if (tview_condition_holds_with(condition, column->varno - 1,
									   column->varno - 1) &&
			!bms_is_empty(tview_nonnullable(hide_others_mutator((Node *) condition->expr,
																column))))
			return true;
	}
	return false;
}

/* Does the function return null only for nulls, as arithmetic and casts do? */
static bool
keeps_not_null(Node *expr)
{
	if (IsA(expr, OpExpr))
	{
		Oid			opno = ((OpExpr *) expr)->opno;

		return opno < FirstGenbkiObjectId && op_strict(opno) &&
			strlen(get_opname(opno)) <= 2 &&
			strspn(get_opname(opno), "+-*/%|") == strlen(get_opname(opno));
	}
	if (IsA(expr, FuncExpr))
		return ((FuncExpr *) expr)->funcid < FirstGenbkiObjectId &&
			((FuncExpr *) expr)->funcformat != COERCE_EXPLICIT_CALL &&
			exprType(linitial(((FuncExpr *) expr)->args)) != JSONBOID &&
			func_strict(((FuncExpr *) expr)->funcid);
	return IsA(expr, RelabelType) || IsA(expr, CoerceViaIO) ||
		IsA(expr, CollateExpr);
}

/* Walker: may this be null? */
static bool
may_be_null(Node *node, TviewSearch *search)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
		return !is_column_not_null(search, (Var *) node);
	if (IsA(node, Const))
		return ((Const *) node)->constisnull;
	if (!IsA(node, List) && !keeps_not_null(node))
		return true;
	return expression_tree_walker(node, may_be_null, search);
}

/* ----------
 * Sources
 * ----------
 */

/* What a way to the key would have to lead through, for messages. */
static TviewObstacle
describe_obstacle(const TviewSources *sources, int occurrence)
{
	TviewScope *scope = sources->occurrences[occurrence].scope;
	TviewObstacle result = {"a join that no condition ties to the key",
	"Join it by a condition that leads, directly or through other tables, to the row that has the key."};
	bool		sublink = false;

	for (; scope != NULL; scope = scope->parent)
	{
		if (scope->cause != NULL)
			return *scope->cause;
		if (scope->recursion != NULL)
		{
			result.construct = "a recursive query (WITH RECURSIVE) whose steps do not lead to the key";
			result.rewrite = "Let each step follow one reference between rows, starting from the row that has the key or passing the key on.";
			return result;
		}
		if (scope->is_sublink && !sublink)
		{
			result.construct = "a subquery that no condition ties to the key";
			result.rewrite = "Correlate it by a condition that leads, directly or through other tables, to the row that has the key.";
		}
		sublink |= scope->is_sublink;
	}
	return result;
}

static bool
is_same_way(const TviewSource *a, const TviewSource *b)
{
	if (a->number != b->number || a->kind != b->kind || a->nlinks != b->nlinks)
		return false;
	for (int i = 0; i < a->nlinks; i++)
		if (a->links[i] != b->links[i])
			return false;
	return a->sql == NULL || strcmp(a->sql, b->sql) == 0;
}

static TviewSource *
new_source(const TviewSources *sources, int original)
{
	TviewOccurrence *from = &sources->occurrences[original];
	TviewSource *source = palloc0(sizeof(TviewSource));

	source->number = original;
	source->relid = from->relid;
	source->inh = from->inh;
	source->alias = from->alias;
	source->used = from->used;
	source->whole_row = from->whole_row;
	source->row_parts = from->row_parts;
	source->parts = from->parts;
	return source;
}

/* Changes of an occurrence rebuild the TVIEW, if that is allowed. */
static void
add_unmapped(TviewDerivation *derivation, const TviewSources *sources,
			 int original, const TviewObstacle *obstacle, const char *name,
			 const TviewOptions *options)
{
	TviewSource *source = new_source(sources, original);
	ListCell   *lc;

	if (!options->rebuild_unmapped)
		tview_refuse_unmapped(name,
							  psprintf("%s (\"%s\" in the definition)",
									   tview_name_qualified(source->relid),
									   source->alias),
							  obstacle->construct, obstacle->rewrite);

	foreach(lc, derivation->sources)
		if (((TviewSource *) lfirst(lc))->number == original)
		derivation->sources = foreach_delete_current(derivation->sources, lc);
	source->kind = TVIEW_ALL;
	derivation->sources = lappend(derivation->sources, source);
}

static void
add_way(TviewDerivation *derivation, TviewSource *source)
{
	ListCell   *lc;

	foreach(lc, derivation->sources)
	{
		TviewSource *other = lfirst(lc);

		if (is_same_way(other, source) ||
			(other->number == source->number && other->kind == TVIEW_ALL))
			return;
	}
	derivation->sources = lappend(derivation->sources, source);
}

/* The ways of all occurrences that the search was for. */
static void
add_sources(TviewDerivation *derivation, const TviewSearch *search,
			const char *name, const TviewOptions *options)
{
	TviewSources *sources = search->graph->sources;

	for (int i = 0; i < sources->count; i++)
	{
		int			original = sources->occurrences[i].original;
		TviewObstacle obstacle = {NULL, "Join it by other columns."};
		TviewSource *source;

		if (!OidIsValid(sources->occurrences[i].relid) ||
			!bms_is_member(i, search->graph->active) ||
			sources->occurrences[original].row_parts == 0)
			continue;

		if (tview_is_earlier_step(search, i))
			continue;
		source = new_source(sources, original);
		if (search->reached[i].rank == 0)
			obstacle = describe_obstacle(sources, i);
		else
			obstacle.construct = tview_map(search, i, source);
		if (obstacle.construct == NULL)
			add_way(derivation, source);
		else
			add_unmapped(derivation, sources, original, &obstacle, name,
						 options);
	}
}

/*
 * The occurrence whose rows the key's expression is computed from wherever it
 * is not null, or -1 if there is not one.  The result of a function in FROM
 * comes from the rows that its arguments are of; *items is set to those.
 */
static int
find_origin(const TviewGraph *graph, Node *expr, Bitmapset *nulled,
			Bitmapset **items)
{
	Bitmapset  *occurrences = tview_sources_of(expr);
	int			member = -1;

	*items = NULL;

	/* a value for rows that aren't there would belong to no row */
	if (bms_overlap(occurrences, nulled) &&
		bms_is_empty(tview_nonnullable(expr)))
		return -1;
	while ((member = bms_next_member(occurrences, member)) >= 0)
	{
		Bitmapset  *args = graph->item_args[member];

		if (graph->sources->occurrences[member].item == NULL ||
			(graph->items[member] != NULL && bms_is_empty(args)))
			continue;
		if (graph->items[member] == NULL || bms_overlap(args, nulled))
			return -1;
		*items = bms_add_member(*items, member);
		occurrences = bms_add_members(bms_del_member(occurrences, member),
									  args);
		member = -1;
	}
	if (!bms_get_singleton_member(occurrences, &member) ||
		tview_is_end(graph->sources, member))
		return -1;
	return member;
}

/* One source of keys of one graph; false if there is none. */
static bool
derive_from(TviewDerivation *derivation, TviewGraph *graph, Expr *key,
			Bitmapset *nulled, const char *name, const TviewOptions *options,
			Bitmapset **present)
{
	TviewSearch search = {0};
	Var		   *column = (Var *) tview_strip_relabel((Node *) key);

	search.graph = graph;
	search.key = key;
	search.root = find_origin(graph, (Node *) key, nulled, &search.key_items);
	if (search.root < 0)
		return false;
	if (IsA(column, Var) &&
		OidIsValid(graph->sources->occurrences[column->varno - 1].relid))
		search.root_attno = column->varattno;
	if (bms_membership(tview_sources_of((Node *) key)) == BMS_SINGLETON &&
		!may_be_null((Node *) key, &search))
		*present = bms_add_members(*present, tview_sources_of((Node *) key));
	tview_search(&search);
	add_sources(derivation, &search, name, options);

	derivation->roots =
		list_append_unique_oid(derivation->roots,
							   graph->sources->occurrences[search.root].relid);
	if (derivation->graph == NULL)
	{
		derivation->graph = graph;
		derivation->root = search.root;
		derivation->root_attno = search.root_attno;
	}
	return true;
}

/*
 * The key has no source to search from: no change leads to keys.
 */
static void
derive_nothing(TviewDerivation *derivation, TviewGraph *graph,
			   const char *key_column, const char *name,
			   const TviewOptions *options)
{
	TviewSources *sources = graph->sources;

	if (!options->rebuild_unmapped)
		tview_refuse(name,
					 psprintf("Its key \"%s\" is not computed from columns of one table, or of either of several by COALESCE.", key_column),
					 "Take the key from the table whose rows the TVIEW has. Or set option \"on_unmapped\" to \"rebuild\", to have the TVIEW rebuilt by differences when a table changes.");
	for (int i = 0; i < sources->count; i++)
		if (OidIsValid(sources->occurrences[i].relid) &&
			bms_is_member(i, graph->active) &&
			sources->occurrences[sources->occurrences[i].original].row_parts != 0)
			add_unmapped(derivation, sources, sources->occurrences[i].original,
						 NULL, name, options);
	derivation->nullable = true;
}

static void
derive_graph(TviewDerivation *derivation, TviewGraph *graph, TargetEntry *tle,
			 const char *name, const TviewOptions *options)
{
	TviewScope *top = graph->sources->top;
	bool		nullable = false;
	Expr	   *key = tview_resolve_column(graph, top, tle->resno, &nullable);
	List	   *exprs = NIL;
	Bitmapset  *present = NULL;
	Bitmapset  *nulled = NULL;
	ListCell   *lc;

	if (key == NULL)
	{
		derive_nothing(derivation, graph, tle->resname, name, options);
		return;
	}
	exprs = key_exprs((Node *) key, NIL);
	while (top->branches != NIL)
		top = list_nth(top->branches, graph->choices[top->choice]);
	nulled = top->nulled;
	foreach(lc, exprs)
	{
		if (!derive_from(derivation, graph, lfirst(lc), nulled, name, options,
						 &present))
		{
			derive_nothing(derivation, graph, tle->resname, name, options);
			return;
		}
	}
	derivation->nullable |= nullable ||
		!level_has_one_of(graph, graph->sources->top, present);
	if (list_length(exprs) > 1)
		derivation->root_attno = InvalidAttrNumber;
}

static TargetEntry *
find_key(Query *query, const char *key_column, const char *name)
{
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst(lc);

		if (!tle->resjunk && strcmp(tle->resname, key_column) == 0)
			return tle;
	}
	elog(ERROR, "definition of TVIEW \"%s\" has no column \"%s\"", name,
		 key_column);
	return NULL;
}

/* The next combination of branches; false after the last. */
static bool
next_choices(const TviewSources *sources, int *choices)
{
	for (int i = 0; i < list_length(sources->choices); i++)
	{
		if (++choices[i] < list_nth_int(sources->choices, i))
			return true;
		choices[i] = 0;
	}
	return false;
}

/*
 * tview_derive - find how every source of an expanded definition reaches the
 * key
 *
 * Refuses the definition if one doesn't, unless it may be rebuilt then.
 */
TviewDerivation *
tview_derive(Query *query, const char *key_column, const char *name,
			 const TviewOptions *options)
{
	TviewDerivation *derivation = palloc0(sizeof(TviewDerivation));
	TviewSources *sources = tview_sources_find(query);
	TargetEntry *key = find_key(query, key_column, name);
	int			count = list_length(sources->choices);
	int		   *choices = palloc0(sizeof(int) * (count + 1));
	int			graphs = 0;

	derivation->parts = tview_parts_find(query);
	tview_needs_find(sources, query, derivation->parts);
	do
	{
		int		   *copy = palloc(sizeof(int) * (count + 1));

		if (++graphs > TVIEW_MAX_GRAPHS)
			tview_refuse(name,
						 psprintf("Its set operations and recursive queries have more than %d combinations of branches.", TVIEW_MAX_GRAPHS),
						 "Make TVIEWs of parts of it, and read those.");
		memcpy(copy, choices, sizeof(int) * (count + 1));
		derive_graph(derivation, tview_graph_build(sources, copy), key, name,
					 options);
	} while (next_choices(sources, choices));

	if (derivation->graph != NULL)
		derivation->root_rtindex =
			tview_sources_top_rtindex(sources, derivation->root);
	derivation->unique = sources->from_choices == 0 &&
		derivation->graph != NULL &&
		tview_is_unique(derivation, query);
	return derivation;
}
