/*-------------------------------------------------------------------------
 *
 * builder.c
 *	  Putting together a query over the occurrences of a definition.
 *
 * Its FROM clause has the changed rows, "d", given as arrays of their link
 * columns, or the rows of a walk along a recursion, "w"; and some occurrences.
 * Its conditions are those among them that lead towards the key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "analyze/builder.h"
#include "analyze/filters.h"
#include "base/compat.h"
#include "base/types.h"

/*
 * tview_builder_start - an empty query
 */
void
tview_builder_start(TviewBuilder *builder, const TviewSearch *search,
					TviewSource *source, int changed, int walk, List *columns)
{
	memset(builder, 0, sizeof(TviewBuilder));
	builder->search = search;
	builder->source = source;
	builder->changed = changed;
	builder->walk = walk;
	builder->columns = columns;
}

/* The one that a condition leads away from: reached last. */
static int
farthest(const TviewSearch *search, const TviewCondition *condition)
{
	int			result = -1;
	int			member = -1;

	while ((member = bms_next_member(condition->occurrences, member)) >= 0)
		if (result < 0 ||
			search->reached[member].rank > search->reached[result].rank)
			result = member;
	return result;
}

/*
 * tview_builder_add_conditions - from the occurrences in FROM to WHERE
 *
 * Add the conditions among the query's occurrences, each as it leads from the
 * farthest of them towards the key; and those that keep what may fail from
 * failing.
 */
void
tview_builder_add_conditions(TviewBuilder *builder)
{
	const TviewSearch *search = builder->search;
	Bitmapset  *here = NULL;
	List	   *exprs;
	ListCell   *lc;

	foreach(lc, builder->nodes)
		here = bms_add_member(here, lfirst_int(lc));
	if (builder->changed >= 0)
		here = bms_add_member(here, builder->changed);
	if (builder->walk >= 0)
		here = bms_add_member(here, builder->walk);

	foreach(lc, search->graph->conditions)
	{
		TviewCondition *condition = lfirst(lc);

		if (bms_num_members(condition->occurrences) < 2 ||
			!bms_is_subset(condition->occurrences, here) ||
			!tview_condition_usable(search, condition,
									farthest(search, condition)))
			continue;
		builder->quals = lappend(builder->quals, condition->expr);
		builder->items = bms_add_members(builder->items, condition->items);
	}
	exprs = list_concat_copy(builder->quals, builder->targets);
	if (!bms_is_empty(builder->items) || tview_may_fail((Node *) exprs))
		builder->quals = list_concat(builder->quals,
									 tview_filters_find(search->graph, here));
}

/* ----------
 * FROM
 * ----------
 */

static void
add_link(TviewSource *source, AttrNumber attno)
{
	for (int i = 0; i < source->nlinks; i++)
		if (source->links[i] == attno)
			return;
	source->links[source->nlinks] = attno;
	source->link_types[source->nlinks++] = get_atttype(source->relid, attno);
}

/*
 * tview_builder_columns - columns of an occurrence that the query's expressions
 * mention, each as a distance from FirstLowInvalidHeapAttributeNumber
 */
Bitmapset *
tview_builder_columns(const TviewBuilder *builder, int occurrence)
{
	TviewGraph *graph = builder->search->graph;
	Bitmapset  *attnos = NULL;
	int			member = -1;

	pull_varattnos((Node *) builder->quals, occurrence + 1, &attnos);
	pull_varattnos((Node *) builder->targets, occurrence + 1, &attnos);
	while ((member = bms_next_member(builder->items, member)) >= 0)
	{
		pull_varattnos((Node *) graph->items[member]->functions,
					   occurrence + 1, &attnos);
		pull_varattnos((Node *) graph->items[member]->values_lists,
					   occurrence + 1, &attnos);
	}
	return attnos;
}

/*
 * tview_builder_set_links - have the source note the columns of changed rows
 * that the query's expressions mention
 */
void
tview_builder_set_links(TviewBuilder *builder)
{
	TviewSource *source = builder->source;
	Bitmapset  *attnos = tview_builder_columns(builder, builder->changed);
	int			attno = -1;

	source->nlinks = 0;
	source->links = palloc(sizeof(AttrNumber) * (bms_num_members(attnos) + 1));
	source->link_types = palloc(sizeof(Oid) * (bms_num_members(attnos) + 1));
	while ((attno = bms_next_member(attnos, attno)) >= 0)
		add_link(source, attno + FirstLowInvalidHeapAttributeNumber);
}

static void
add_to_from(TviewBuilder *builder, int rtindex)
{
	RangeTblRef *rtr = makeNode(RangeTblRef);

	rtr->rtindex = rtindex;
	builder->from = lappend(builder->from, rtr);
}

/* FROM ROWS FROM (unnest($1), ...) AS d (link columns) */
static void
add_changes(TviewBuilder *builder)
{
	TviewSource *source = builder->source;
	RangeFunction *function = makeNode(RangeFunction);
	List	   *names = NIL;
	List	   *calls = NIL;
	List	   *columns = NIL;
	List	   *definitions = NIL;

	for (int i = 0; i < source->nlinks; i++)
	{
		Oid			element = tview_type_of_elements(source->link_types[i]);
		Oid			type = get_array_type(element);
		Param	   *param = makeNode(Param);

		param->paramkind = PARAM_EXTERN;
		param->paramid = i + 1;
		param->paramtype = type;
		param->paramtypmod = -1;
		param->paramcollid = get_typcollation(type);
		param->location = -1;
		names = lappend(names, "unnest");
		calls = lappend(calls,
						makeFuncExpr(F_UNNEST_ANYARRAY, element,
									 list_make1(param),
									 get_typcollation(element),
									 get_typcollation(type),
									 COERCE_EXPLICIT_CALL));
		((FuncExpr *) llast(calls))->funcretset = true;
		columns = lappend(columns,
						  makeString(get_attname(source->relid,
												 source->links[i], false)));
		definitions = lappend(definitions, NIL);
	}
	function->is_rowsfrom = true;
	function->alias = makeAlias("d", columns);
	add_to_from(builder,
				addRangeTableEntryForFunction(builder->pstate, names, calls,
											  definitions, function, false,
											  true)->p_rtindex);
	builder->rtindexes[builder->changed] = list_length(builder->pstate->p_rtable);
}

/* The name of a column of a walk. */
static char *
walk_column(int n)
{
	return psprintf("c%d", n + 1);
}

/*
 * tview_builder_walk_columns - the names of so many columns of a walk
 */
char *
tview_builder_walk_columns(int count)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < count; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "", walk_column(i));
	return buf.data;
}

/* FROM w, which only its name and its columns' are needed of. */
static void
add_walk(TviewBuilder *builder)
{
	RangeTblEntry *rte = makeNode(RangeTblEntry);

	rte->rtekind = RTE_CTE;
	rte->ctename = "w";
	rte->eref = makeAlias("w", NIL);
	for (int i = 0; i < list_length(builder->columns); i++)
		rte->eref->colnames = lappend(rte->eref->colnames,
									  makeString(walk_column(i)));
	rte->inFromCl = true;
	builder->pstate->p_rtable = lappend(builder->pstate->p_rtable, rte);
	builder->rtindexes[builder->walk] = list_length(builder->pstate->p_rtable);
	add_to_from(builder, builder->rtindexes[builder->walk]);
}

static void
add_table(TviewBuilder *builder, int occurrence)
{
	TviewOccurrence *entry =
	&builder->search->graph->sources->occurrences[occurrence];
	Relation	rel = table_open(entry->relid, AccessShareLock);

	builder->rtindexes[occurrence] =
		addRangeTableEntryForRelation(builder->pstate, rel, AccessShareLock,
									  makeAlias(psprintf("s%d", occurrence + 1), NIL),
									  entry->inh, true)->p_rtindex;
	table_close(rel, NoLock);
	tview_clear_perminfo((RangeTblEntry *) llast(builder->pstate->p_rtable));
	add_to_from(builder, builder->rtindexes[occurrence]);
}

static void
add_item(TviewBuilder *builder, int occurrence)
{
	RangeTblEntry *rte =
	copyObject(builder->search->graph->items[occurrence]);

	rte->alias = makeAlias(psprintf("s%d", occurrence + 1),
						   rte->eref->colnames);
	rte->eref = copyObject(rte->alias);
	builder->pstate->p_rtable = lappend(builder->pstate->p_rtable, rte);
	builder->rtindexes[occurrence] = list_length(builder->pstate->p_rtable);
	add_to_from(builder, builder->rtindexes[occurrence]);
}

/* ----------
 * From occurrences to the query's own range table
 * ----------
 */

/*
 * A column of the changed rows.  The function that brings them has the
 * collations of the types, not of the columns; and some values come as text.
 */
static Node *
changed_column(const TviewBuilder *builder, Var *var)
{
	Oid			type = var->vartype;
	Oid			collation = var->varcollid;
	Node	   *result = (Node *) var;

	for (int i = 0; i < builder->source->nlinks; i++)
		if (builder->source->links[i] == var->varattno)
		{
			var->varattno = i + 1;
			break;
		}
	var->varno = builder->rtindexes[builder->changed];
	var->vartype = tview_type_of_elements(type);
	var->varcollid = get_typcollation(var->vartype);
	if (var->vartype != type)
	{
		CoerceViaIO *coerce = makeNode(CoerceViaIO);

		coerce->arg = (Expr *) var;
		coerce->resulttype = type;
		coerce->resultcollid = get_typcollation(type);
		coerce->coerceformat = COERCE_EXPLICIT_CAST;
		coerce->location = -1;
		result = (Node *) coerce;
	}
	if (exprCollation(result) != collation)
	{
		CollateExpr *collate = makeNode(CollateExpr);

		collate->arg = (Expr *) result;
		collate->collOid = collation;
		collate->location = -1;
		result = (Node *) collate;
	}
	return result;
}

static Node *
builder_mutator(Node *node, TviewBuilder *builder)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, RangeTblFunction))
	{
		RangeTblFunction *function = copyObject((RangeTblFunction *) node);

		function->funcexpr = builder_mutator(function->funcexpr, builder);
		return (Node *) function;
	}
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) copyObject(node);
		int			occurrence = var->varno - 1;
		int			n = 1;
		ListCell   *lc;

		var->varnosyn = 0;
		var->varattnosyn = 0;
		if (occurrence == builder->changed)
			return changed_column(builder, var);
		var->varno = builder->rtindexes[occurrence];
		if (occurrence != builder->walk)
			return (Node *) var;
		foreach(lc, builder->columns)
		{
			if (lfirst_int(lc) == var->varattno)
				break;
			n++;
		}
		var->varattno = n;
		return (Node *) var;
	}
	return expression_tree_mutator(node, builder_mutator, builder);
}

/*
 * tview_builder_finish - the query as text
 *
 * The source's links must have all columns of changed rows that it mentions.
 */
char *
tview_builder_finish(TviewBuilder *builder)
{
	Query	   *query = makeNode(Query);
	int			n = 0;
	int			member = -1;
	ListCell   *lc;

	builder->pstate = make_parsestate(NULL);
	builder->rtindexes =
		palloc0(sizeof(int) * builder->search->graph->sources->count);
	if (builder->changed >= 0)
		add_changes(builder);
	if (builder->walk >= 0)
		add_walk(builder);
	foreach(lc, builder->nodes)
		if (OidIsValid(builder->search->graph->sources->occurrences[lfirst_int(lc)].relid))
		add_table(builder, lfirst_int(lc));
	foreach(lc, builder->nodes)
		if (!OidIsValid(builder->search->graph->sources->occurrences[lfirst_int(lc)].relid))
		add_item(builder, lfirst_int(lc));

	/* a function comes after what its arguments are from */
	while ((member = bms_next_member(builder->items, member)) >= 0)
		add_item(builder, member);
	foreach(lc, builder->pstate->p_rtable)
	{
		RangeTblEntry *rte = lfirst(lc);

		if (foreach_current_index(lc) == 0 && builder->changed >= 0)
			continue;
		rte->functions = (List *) builder_mutator((Node *) rte->functions,
												  builder);
		rte->values_lists = (List *) builder_mutator((Node *) rte->values_lists,
													 builder);
	}

	query->commandType = CMD_SELECT;
	query->canSetTag = true;
	foreach(lc, builder->targets)
		query->targetList =
		lappend(query->targetList,
				makeTargetEntry((Expr *) builder_mutator(lfirst(lc), builder),
								n + 1,
								list_length(builder->targets) == 1 ? "key" :
								walk_column(n), false)),
		n++;
	query->rtable = builder->pstate->p_rtable;
	query->jointree =
		makeFromExpr(builder->from,
					 (Node *) make_ands_explicit((List *) builder_mutator((Node *) builder->quals, builder)));
	free_parsestate(builder->pstate);
	return pg_get_querydef(query, false);
}
