/*-------------------------------------------------------------------------
 *
 * scope.c
 *	  The query levels of a definition, and the sources in them.
 *
 * All levels of a definition are laid out as scopes: the top, subqueries and
 * CTEs in FROM (each reference on its own), sublinks wherever they stand.  An
 * occurrence of a table, function or VALUES in a FROM clause gets a number,
 * by which all else in this folder knows it.
 *
 * A level may be there twice.  A row that a window function, DISTINCT ON or
 * LIMIT works on changes what is returned for other rows: those it shares a
 * partition, a group, the whole result with.  So such a level has siblings:
 * second looks at the same rows, whose occurrences are joined to those of the
 * first by what they share.  A change of a table leads to keys as an
 * occurrence of the first look and as one of each sibling.
 *
 * Of a set operation, each branch is a scope; conditions are found for one
 * branch at a time (see conditions.c), so its scope only has the number of
 * the choice.  So does a recursive CTE: with and without steps.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "parser/parsetree.h"
#include "utils/rel.h"

#include "analyze/scope.h"
#include "base/compat.h"

#define TVIEW_MAX_OCCURRENCES	2000

/* What of a level's effects on other rows is looked at */
typedef enum Layer
{
	LAYER_ROWS,					/* none: the rows of FROM and WHERE */
	LAYER_WINDOWS,
	LAYER_DISTINCT,
	LAYER_LIMIT					/* all */
} Layer;

static const TviewObstacle window_obstacle = {
	"a window whose partition does not lead to the key",
	"Partition by the key, or by a column that conditions tie to it."
};
static const TviewObstacle distinct_obstacle = {
	"DISTINCT ON expressions that do not lead to the key",
	"Use the key in DISTINCT ON, or columns that conditions tie to it."
};
static const TviewObstacle limit_obstacle = {
	"LIMIT or OFFSET",
	"Limit rows in a subquery that is correlated with the row that has the key, or in the query that reads the TVIEW."
};

static TviewScope *build_scope(TviewSources *sources, Query *query,
							   TviewScope *parent, Layer layer);

/* ----------
 * Occurrences
 * ----------
 */

static int
add_occurrence(TviewSources *sources, TviewScope *scope, const char *alias)
{
	TviewOccurrence *occurrence;

	if (sources->count >= TVIEW_MAX_OCCURRENCES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("definition of a TVIEW reads tables in more than %d places",
						TVIEW_MAX_OCCURRENCES),
				 errhint("Make TVIEWs of parts of it, and read those.")));
	if (sources->count == sources->allocated)
	{
		sources->allocated = Max(8, sources->allocated * 2);
		sources->occurrences = sources->occurrences == NULL ?
			palloc(sizeof(TviewOccurrence) * sources->allocated) :
			repalloc(sources->occurrences,
					 sizeof(TviewOccurrence) * sources->allocated);
	}
	occurrence = &sources->occurrences[sources->count];
	memset(occurrence, 0, sizeof(TviewOccurrence));
	occurrence->alias = pstrdup(alias);
	occurrence->scope = scope;
	occurrence->original = sources->shift == 0 ? sources->count :
		sources->occurrences[sources->count - sources->shift].original;
	return sources->count++;
}

static int
add_table(TviewSources *sources, TviewScope *scope, RangeTblEntry *rte)
{
	int			number = add_occurrence(sources, scope, rte->eref->aliasname);
	TviewOccurrence *occurrence = &sources->occurrences[number];
	Relation	rel = table_open(rte->relid, AccessShareLock);

	occurrence->relid = rte->relid;
	occurrence->inh = rte->inh;
	occurrence->natts = RelationGetNumberOfAttributes(rel);
	for (int i = 0; i < occurrence->natts; i++)
		if (tview_is_virtual(TupleDescAttr(RelationGetDescr(rel), i)))
			occurrence->computed = bms_add_member(occurrence->computed, i + 1);
	occurrence->parts = palloc0(sizeof(uint64) * (occurrence->natts + 1));
	table_close(rel, NoLock);
	return number;
}

static int
add_item(TviewSources *sources, TviewScope *scope, RangeTblEntry *rte)
{
	int			number = add_occurrence(sources, scope, rte->eref->aliasname);

	sources->occurrences[number].item = rte;
	return number;
}

/* Returns the number of the choice. */
static int
add_choice(TviewSources *sources, int size)
{
	sources->choices = lappend_int(sources->choices, size);
	if (sources->sublink_depth == 0)
		sources->from_choices++;
	return list_length(sources->choices) - 1;
}

/* ----------
 * FROM
 * ----------
 */

/*
 * A level once more.  It is built in the same order as the first time, so an
 * occurrence is as far from its original as the first one is.
 */
static TviewScope *
build_again(TviewSources *sources, Query *query, TviewScope *parent,
			int first, Layer layer)
{
	int			shift = sources->shift;
	TviewScope *result;

	sources->shift = sources->count - first;
	result = build_scope(sources, query, parent, layer);
	sources->shift = shift;
	return result;
}

/* The leaves of a set operation's tree, from left to right. */
static List *
branches_of(Node *node, List *rtindexes)
{
	SetOperationStmt *op = (SetOperationStmt *) node;

	if (IsA(node, RangeTblRef))
		return lappend_int(rtindexes, ((RangeTblRef *) node)->rtindex);
	rtindexes = branches_of(op->larg, rtindexes);
	return branches_of(op->rarg, rtindexes);
}

static bool
merges_rows(Node *node)
{
	SetOperationStmt *op = (SetOperationStmt *) node;

	return IsA(node, SetOperationStmt) &&
		(op->op != SETOP_UNION || !op->all || merges_rows(op->larg) ||
		 merges_rows(op->rarg));
}

static TviewScope *
build_branch(TviewSources *sources, TviewScope *scope, int rtindex)
{
	TviewScope *branch = build_scope(sources,
									 rt_fetch(rtindex, scope->query->rtable)->subquery,
									 scope, LAYER_LIMIT);

	scope->bindings[rtindex].scope = branch;
	scope->occurrences = bms_add_members(scope->occurrences,
										 branch->occurrences);
	scope->nulled = bms_add_members(scope->nulled, branch->nulled);
	return branch;
}

/*
 * A column that FULL JOIN ... USING merges is of either side: conditions on it
 * are looked at for one side at a time.
 */
static void
add_merged_columns(TviewSources *sources, TviewScope *scope)
{
	ListCell   *lc;
	ListCell   *column;

	foreach(lc, scope->query->rtable)
	{
		RangeTblEntry *rte = lfirst(lc);

		if (rte->rtekind == RTE_JOIN && rte->jointype == JOIN_FULL)
			foreach(column, rte->joinaliasvars)
				if (lfirst(column) != NULL && IsA(lfirst(column), CoalesceExpr))
				scope->merged =
					lappend(scope->merged,
							list_make2(lfirst(column),
									   makeInteger(add_choice(sources, 2))));
	}
}

/* The scopes of a recursive CTE: start, step, and the step once more. */
static void
build_recursion(TviewSources *sources, TviewScope *scope, List *rtindexes)
{
	TviewRecursion *recursion = palloc0(sizeof(TviewRecursion));
	int			step = llast_int(rtindexes);
	int			first;
	ListCell   *lc;

	recursion->scope = scope;
	scope->recursion = recursion;
	sources->recursions = lappend(sources->recursions, recursion);
	foreach(lc, rtindexes)
		if (lfirst_int(lc) != step)
		scope->branches = lappend(scope->branches,
								  build_branch(sources, scope,
											   lfirst_int(lc)));
	scope->choice = add_choice(sources, list_length(scope->branches));
	recursion->choice = add_choice(sources, 2);

	first = sources->count;
	recursion->step = build_branch(sources, scope, step);
	recursion->earlier = build_again(sources, recursion->step->query, scope,
									 first, LAYER_LIMIT);
	recursion->out = add_occurrence(sources, scope, "steps");
	scope->occurrences = bms_add_members(scope->occurrences,
										 recursion->earlier->occurrences);
	scope->occurrences = bms_add_member(scope->occurrences, recursion->out);
}

static void
build_set_operation(TviewSources *sources, TviewScope *scope, bool recursive)
{
	List	   *rtindexes = branches_of(scope->query->setOperations, NIL);
	ListCell   *lc;

	scope->merges = merges_rows(scope->query->setOperations);
	if (recursive)
	{
		build_recursion(sources, scope, rtindexes);
		return;
	}
	foreach(lc, rtindexes)
		scope->branches = lappend(scope->branches,
								  build_branch(sources, scope,
											   lfirst_int(lc)));
	scope->choice = add_choice(sources, list_length(scope->branches));
}

/* The recursion that a recursive term's reference to itself belongs to. */
static TviewRecursion *
find_recursion(TviewScope *scope, RangeTblEntry *rte)
{
	TviewScope *with = tview_scope_up(scope, rte->ctelevelsup);

	while (scope->recursion == NULL || scope->parent != with)
		scope = scope->parent;
	return scope->recursion;
}

static void
bind_self(TviewSources *sources, TviewScope *scope, int rtindex)
{
	RangeTblEntry *rte = rt_fetch(rtindex, scope->query->rtable);
	TviewRecursion *recursion = find_recursion(scope, rte);
	TviewBinding *binding = &scope->bindings[rtindex];

	binding->self = recursion;
	binding->scope = recursion->scope;
	binding->occurrence = add_occurrence(sources, scope,
										 rte->eref->aliasname);
	if (recursion->references++ == 0)
		recursion->in = binding->occurrence;
	else
		recursion->earlier_in = binding->occurrence;
}

/* The scope of one reference to a CTE. */
static TviewScope *
build_cte(TviewSources *sources, RangeTblEntry *rte, TviewScope *scope)
{
	ListCell   *lc;

	scope = tview_scope_up(scope, rte->ctelevelsup);
	foreach(lc, scope->query->cteList)
	{
		CommonTableExpr *cte = lfirst(lc);

		if (strcmp(cte->ctename, rte->ctename) == 0)
			return build_scope(sources, castNode(Query, cte->ctequery), scope,
							   LAYER_LIMIT);
	}
	elog(ERROR, "could not find CTE \"%s\"", rte->ctename);
	return NULL;
}

static void
bind_rte(TviewSources *sources, TviewScope *scope, int rtindex,
		 Bitmapset **occurrences, Bitmapset **nulled)
{
	RangeTblEntry *rte = rt_fetch(rtindex, scope->query->rtable);
	TviewBinding *binding = &scope->bindings[rtindex];

	switch (rte->rtekind)
	{
		case RTE_RELATION:
			binding->occurrence = add_table(sources, scope, rte);
			break;
		case RTE_FUNCTION:
		case RTE_VALUES:
		case RTE_TABLEFUNC:
			binding->occurrence = add_item(sources, scope, rte);
			break;
		case RTE_SUBQUERY:
			binding->scope = build_scope(sources, rte->subquery, scope,
										 LAYER_LIMIT);
			break;
		case RTE_CTE:
			if (rte->self_reference)
				bind_self(sources, scope, rtindex);
			else
				binding->scope = build_cte(sources, rte, scope);
			break;
		default:
			break;				/* no rows */
	}
	if (binding->occurrence >= 0)
		*occurrences = bms_add_member(*occurrences, binding->occurrence);
	else if (binding->scope != NULL)
	{
		*occurrences = bms_add_members(*occurrences,
									   binding->scope->occurrences);
		*nulled = bms_add_members(*nulled, binding->scope->nulled);
	}
}

static void
add_quals(TviewScope *scope, Node *expr, List *regions, bool required,
		  Bitmapset *nulled)
{
	TviewQuals *quals = palloc(sizeof(TviewQuals));

	quals->expr = expr;
	quals->regions = regions;
	quals->required = required;
	quals->nulled = bms_copy(nulled);
	scope->quals = lappend(scope->quals, quals);
}

/*
 * One item of FROM, with all below it.  Adds its occurrences to the sets.
 */
static void
build_from(TviewSources *sources, TviewScope *scope, Node *node,
		   Bitmapset **occurrences, Bitmapset **nulled, Bitmapset **rtes)
{
	if (IsA(node, RangeTblRef))
	{
		*rtes = bms_add_member(*rtes, ((RangeTblRef *) node)->rtindex);
		bind_rte(sources, scope, ((RangeTblRef *) node)->rtindex,
				 occurrences, nulled);
	}
	else if (IsA(node, FromExpr))
	{
		FromExpr   *from = (FromExpr *) node;
		ListCell   *lc;

		foreach(lc, from->fromlist)
			build_from(sources, scope, lfirst(lc), occurrences, nulled, rtes);
		add_quals(scope, from->quals, list_make1(bms_copy(*occurrences)),
				  node == (Node *) scope->query->jointree, *nulled);
	}
	else
	{
		JoinExpr   *join = castNode(JoinExpr, node);
		Bitmapset  *left = NULL;
		Bitmapset  *right = NULL;
		Bitmapset  *below = NULL;
		Bitmapset  *left_rtes = NULL;
		Bitmapset  *right_rtes = NULL;
		List	   *regions = NIL;

		build_from(sources, scope, join->larg, &left, &below, &left_rtes);
		build_from(sources, scope, join->rarg, &right, &below, &right_rtes);

		if (join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL)
		{
			regions = lappend(regions, bms_copy(right));
			scope->nulled_rtes = bms_add_members(scope->nulled_rtes,
												 right_rtes);
		}
		if (join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL)
		{
			regions = lappend(regions, bms_copy(left));
			scope->nulled_rtes = bms_add_members(scope->nulled_rtes,
												 left_rtes);
		}
		if (join->jointype == JOIN_INNER)
			regions = list_make1(bms_union(left, right));
		add_quals(scope, join->quals, regions, false, below);

		*nulled = bms_add_members(*nulled, below);
		if (join->jointype != JOIN_INNER)
		{
			ListCell   *lc;

			foreach(lc, regions)
				* nulled = bms_add_members(*nulled, lfirst(lc));
		}
		*occurrences = bms_add_members(*occurrences, left);
		*occurrences = bms_add_members(*occurrences, right);
		*rtes = bms_add_members(*rtes, bms_union(left_rtes, right_rtes));
	}
}

/* ----------
 * Levels
 * ----------
 */

typedef struct SublinkContext
{
	TviewSources *sources;
	TviewScope *scope;
} SublinkContext;

static bool
sublink_walker(Node *node, SublinkContext *context)
{
	if (node == NULL || IsA(node, Query))
		return false;
	if (IsA(node, SubLink))
	{
		SubLink    *sublink = (SubLink *) node;
		TviewScope *inner = build_scope(context->sources,
										castNode(Query, sublink->subselect),
										context->scope, LAYER_LIMIT);

		inner->is_sublink = true;
		context->scope->sublinks = lappend(context->scope->sublinks,
										   list_make2(sublink, inner));
		return sublink_walker(sublink->testexpr, context);
	}
	return expression_tree_walker(node, sublink_walker, context);
}

static void
build_sublinks(TviewSources *sources, TviewScope *scope)
{
	SublinkContext context = {sources, scope};

	sources->sublink_depth++;
	(void) query_tree_walker(scope->query, sublink_walker, &context,
							 QTW_IGNORE_RT_SUBQUERIES |
							 QTW_IGNORE_CTE_SUBQUERIES |
							 QTW_IGNORE_JOINALIASES);
	sources->sublink_depth--;
}

static void
add_sibling(TviewSources *sources, TviewScope *scope, int first, Layer layer,
			List *shared, const TviewObstacle *cause)
{
	TviewSibling *sibling = palloc(sizeof(TviewSibling));

	sibling->scope = build_again(sources, scope->query, scope->parent, first,
								 layer);
	sibling->scope->cause = cause;
	sibling->shared = shared;
	scope->siblings = lappend(scope->siblings, sibling);
}

static bool
uses_window(Node *node, Index *winref)
{
	if (node == NULL)
		return false;
	if (IsA(node, WindowFunc) && ((WindowFunc *) node)->winref == *winref)
		return true;
	return expression_tree_walker(node, uses_window, winref);
}

static void
build_siblings(TviewSources *sources, TviewScope *scope, int first,
			   Layer layer)
{
	Query	   *query = scope->query;
	ListCell   *lc;

	if (layer >= LAYER_WINDOWS && query->hasWindowFuncs)
		foreach(lc, query->windowClause)
	{
		WindowClause *window = lfirst(lc);

		if (uses_window((Node *) query->targetList, &window->winref))
			add_sibling(sources, scope, first, LAYER_ROWS,
						window->partitionClause,
						&window_obstacle);
	}
	if (layer >= LAYER_DISTINCT && query->hasDistinctOn)
		add_sibling(sources, scope, first, LAYER_WINDOWS,
					query->distinctClause,
					&distinct_obstacle);
	if (layer >= LAYER_LIMIT &&
		(query->limitCount != NULL || query->limitOffset != NULL))
		add_sibling(sources, scope, first, LAYER_DISTINCT, NIL,
					&limit_obstacle);
}

static bool
is_recursive(Query *query, TviewScope *parent)
{
	ListCell   *lc;

	if (parent == NULL)
		return false;
	foreach(lc, parent->query->cteList)
	{
		CommonTableExpr *cte = lfirst(lc);

		if (cte->ctequery == (Node *) query)
			return cte->cterecursive;
	}
	return false;
}

static TviewScope *
build_scope(TviewSources *sources, Query *query, TviewScope *parent,
			Layer layer)
{
	TviewScope *scope = palloc0(sizeof(TviewScope));
	int			first = sources->count;
	Bitmapset  *rtes = NULL;

	check_stack_depth();
	scope->query = query;
	scope->parent = parent;
	scope->bindings = palloc0(sizeof(TviewBinding) *
							  (list_length(query->rtable) + 1));
	for (int i = 0; i <= list_length(query->rtable); i++)
		scope->bindings[i].occurrence = -1;

	build_from(sources, scope, (Node *) query->jointree,
			   &scope->occurrences, &scope->nulled, &rtes);
	if (query->setOperations != NULL)
		build_set_operation(sources, scope, is_recursive(query, parent));
	add_merged_columns(sources, scope);
	build_sublinks(sources, scope);
	build_siblings(sources, scope, first, layer);
	return scope;
}

/*
 * tview_scope_of_sublink - the level of a sublink that stands in this one
 */
TviewScope *
tview_scope_of_sublink(TviewScope *scope, const SubLink *sublink)
{
	ListCell   *lc;

	foreach(lc, scope->sublinks)
	{
		List	   *pair = lfirst(lc);

		if (linitial(pair) == sublink)
			return lsecond(pair);
	}
	elog(ERROR, "sublink is not known at its query level");
	return NULL;
}

/*
 * tview_scope_up - the level that a Var with this varlevelsup belongs to
 */
TviewScope *
tview_scope_up(TviewScope *scope, Index levelsup)
{
	while (levelsup-- > 0)
		scope = scope->parent;
	return scope;
}

/*
 * tview_scope_passes_on - does every step hand on this column of the row that
 * it goes on from?
 */
bool
tview_scope_passes_on(const TviewRecursion *recursion, AttrNumber attno)
{
	TargetEntry *tle = get_tle_by_resno(recursion->step->query->targetList,
										attno);
	Var		   *var = tle == NULL ? NULL :
	(Var *) tview_strip_relabel((Node *) tle->expr);

	return var != NULL && IsA(var, Var) && var->varlevelsup == 0 &&
		var->varattno == attno &&
		recursion->step->bindings[var->varno].self == recursion;
}

/*
 * tview_sources_find - lay out an expanded definition
 */
TviewSources *
tview_sources_find(Query *query)
{
	TviewSources *sources = palloc0(sizeof(TviewSources));

	sources->top = build_scope(sources, query, NULL, LAYER_LIMIT);
	return sources;
}

/*
 * tview_sources_top_rtindex - the item of the top level's FROM that has this
 * occurrence, or 0
 */
int
tview_sources_top_rtindex(TviewSources *sources, int occurrence)
{
	TviewScope *top = sources->top;

	for (int i = 1; i <= list_length(top->query->rtable); i++)
	{
		TviewBinding *binding = &top->bindings[i];

		if (binding->occurrence == occurrence ||
			(binding->scope != NULL &&
			 bms_is_member(occurrence, binding->scope->occurrences)))
			return i;
	}
	return 0;
}
