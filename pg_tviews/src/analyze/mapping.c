/*-------------------------------------------------------------------------
 *
 * mapping.c
 *	  The query that leads from changed rows of a source to keys.
 *
 * Its FROM clause has the changed rows, "d", given as arrays of their link
 * columns, and the occurrences on the way that the search has found; its
 * conditions are those that lead from one to the next.
 *
 * A way through a recursive CTE becomes three queries: from the changed rows
 * to the values at one end of the steps, along the steps, and from the other
 * end on to the key (see walk.c).
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
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "analyze/derive.h"
#include "analyze/filters.h"
#include "analyze/scope.h"
#include "base/compat.h"
#include "base/types.h"

/* A query being put together; its expressions are over occurrences first */
typedef struct Builder
{
	const TviewSearch *search;
	TviewSource *source;
	int			changed;		/* occurrence whose changed rows are in FROM,
								 * or -1 */
	int			walk;			/* end of the steps that the walk's rows stand
								 * for, or -1 */
	List	   *columns;		/* of the walk */
	List	   *nodes;			/* of int: occurrences in FROM */
	List	   *quals;
	List	   *targets;
	Bitmapset  *items;

	ParseState *pstate;
	List	   *from;
	int		   *rtindexes;		/* by occurrence */
} Builder;

static void
start_builder(Builder *builder, const TviewSearch *search,
			  TviewSource *source, int changed, int walk, List *columns)
{
	memset(builder, 0, sizeof(Builder));
	builder->search = search;
	builder->source = source;
	builder->changed = changed;
	builder->walk = walk;
	builder->columns = columns;
}

/* ----------
 * Which occurrences and conditions
 * ----------
 */

/*
 * The occurrences from one (not included) on towards the key, or up to an end
 * of the steps of a recursion, which *end is set to.
 */
static List *
nodes_from(const TviewSearch *search, int occurrence, int *end)
{
	List	   *result = NIL;

	*end = -1;
	while (search->reached[occurrence].key == InvalidAttrNumber &&
		   search->reached[occurrence].next >= 0)
	{
		const TviewReached *here = &search->reached[occurrence];
		int			member = -1;

		if (tview_is_end(search->graph->sources, here->next))
		{
			*end = here->next;
			break;
		}
		result = list_append_unique_int(result, here->next);
		while ((member = bms_next_member(here->via, member)) >= 0)
			result = list_append_unique_int(result, member);
		occurrence = here->next;
	}
	return result;
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
 * Is the query at this occurrence before it comes to the other one?  The
 * changed rows are looked up, too, from the other end, in a refresh.
 */
static bool
comes_after(const Builder *builder, int occurrence, Node *other)
{
	Bitmapset  *sources = tview_sources_of(other);
	int			member = -1;

	if (occurrence == builder->changed)
		return true;
	while ((member = bms_next_member(sources, member)) >= 0)
		if (member != builder->walk &&
			builder->search->reached[member].rank <
			builder->search->reached[occurrence].rank)
			return false;
	return true;
}

/* An expression of this occurrence that is equated with earlier ones, or NULL. */
static Node *
equated_expr(const Builder *builder, int occurrence, OpExpr *op)
{
	if (!IsA(op, OpExpr) || list_length(op->args) != 2 ||
		!op_mergejoinable(op->opno, exprType(linitial(op->args))))
		return NULL;
	for (int side = 0; side < 2; side++)
	{
		Node	   *here = list_nth(op->args, side);
		Node	   *there = list_nth(op->args, 1 - side);

		if (IsA(tview_strip_relabel(here), Var) ||
			!bms_equal(tview_sources_of(here), bms_make_singleton(occurrence)) ||
			bms_is_member(occurrence, tview_sources_of(there)) ||
			!comes_after(builder, occurrence, there) ||
			contain_mutable_functions(here))
			continue;
		here = eval_const_expressions(NULL, copyObject(here));
		ChangeVarNodes(here, occurrence + 1, 1, 0);
		return here;
	}
	return NULL;
}

/* Note that the query looks up rows by what is equated with earlier ones. */
static void
add_hop(Builder *builder, int occurrence)
{
	TviewOccurrence *entry =
	&builder->search->graph->sources->occurrences[occurrence];
	TviewHop   *hop = palloc0(sizeof(TviewHop));
	ListCell   *lc;

	if (!OidIsValid(entry->relid))
		return;
	hop->relid = entry->relid;
	foreach(lc, builder->quals)
	{
		TviewCondition condition = {lfirst(lc), NULL, NULL, NULL, NIL};
		Node	   *other;
		AttrNumber	attno = tview_equated_column(&condition, occurrence,
												 &other);
		Node	   *expr = equated_expr(builder, occurrence, lfirst(lc));

		if (attno > 0 && comes_after(builder, occurrence, other))
			hop->columns = list_append_unique_int(hop->columns, attno);
		if (expr != NULL)
			hop->exprs = list_append_unique(hop->exprs, expr);
	}
	builder->source->hops = lappend(builder->source->hops, hop);
}

/*
 * Add the conditions among the query's occurrences, each as it leads from the
 * farthest of them towards the key; and those that keep what may fail from
 * failing.
 */
static void
add_conditions(Builder *builder)
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

/* Columns of the changed rows that the query's expressions mention. */
static void
set_links(Builder *builder)
{
	TviewSource *source = builder->source;
	TviewGraph *graph = builder->search->graph;
	Bitmapset  *attnos = NULL;
	int			member = -1;
	int			attno = -1;

	pull_varattnos((Node *) builder->quals, builder->changed + 1, &attnos);
	pull_varattnos((Node *) builder->targets, builder->changed + 1, &attnos);
	while ((member = bms_next_member(builder->items, member)) >= 0)
	{
		pull_varattnos((Node *) graph->items[member]->functions,
					   builder->changed + 1, &attnos);
		pull_varattnos((Node *) graph->items[member]->values_lists,
					   builder->changed + 1, &attnos);
	}
	source->nlinks = 0;
	source->links = palloc(sizeof(AttrNumber) * (bms_num_members(attnos) + 1));
	source->link_types = palloc(sizeof(Oid) * (bms_num_members(attnos) + 1));
	while ((attno = bms_next_member(attnos, attno)) >= 0)
		add_link(source, attno + FirstLowInvalidHeapAttributeNumber);
}

static void
add_to_from(Builder *builder, int rtindex)
{
	RangeTblRef *rtr = makeNode(RangeTblRef);

	rtr->rtindex = rtindex;
	builder->from = lappend(builder->from, rtr);
}

/* FROM ROWS FROM (unnest($1), ...) AS d (link columns) */
static void
add_changes(Builder *builder)
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

static char *
walk_columns(int count)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < count; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "", walk_column(i));
	return buf.data;
}

/* FROM w, which only its name and its columns' are needed of. */
static void
add_walk(Builder *builder)
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
add_table(Builder *builder, int occurrence)
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
add_item(Builder *builder, int occurrence)
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
changed_column(const Builder *builder, Var *var)
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
builder_mutator(Node *node, Builder *builder)
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

/* Finish the query; returns it as text. */
static char *
finish_query(Builder *builder)
{
	Query	   *query = makeNode(Query);
	int			n = 0;
	int			member = -1;
	ListCell   *lc;

	builder->pstate = make_parsestate(NULL);
	builder->rtindexes =
		palloc0(sizeof(int) * builder->search->graph->sources->count);
	if (builder->changed >= 0)
	{
		set_links(builder);
		add_changes(builder);
	}
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

/* ----------
 * Ways
 * ----------
 */

static const TviewWalk *
find_walk(const TviewSearch *search, int end)
{
	ListCell   *lc;

	foreach(lc, search->graph->walks)
	{
		const TviewWalk *walk = lfirst(lc);

		if (walk->recursion->in == end || walk->recursion->out == end)
			return walk;
	}
	return NULL;
}

/* Select the key, over the last occurrence of the way from this one. */
static void
set_key(Builder *builder, int occurrence)
{
	const TviewSearch *search = builder->search;
	int			last = occurrence;
	ListCell   *lc;

	foreach(lc, builder->nodes)
		if (search->reached[lfirst_int(lc)].key != InvalidAttrNumber ||
			lfirst_int(lc) == search->root)
		last = lfirst_int(lc);
	if (search->reached[last].key != InvalidAttrNumber)
	{
		Oid			relid = search->graph->sources->occurrences[last].relid;
		Oid			type;
		int32		typmod;
		Oid			collation;

		get_atttypetypmodcoll(relid, search->reached[last].key, &type, &typmod,
							  &collation);
		builder->targets = list_make1(makeVar(last + 1,
											  search->reached[last].key, type,
											  -1, collation, 0));
		return;
	}
	builder->targets = list_make1(search->key);
	builder->items = bms_add_members(builder->items, search->key_items);
}

/* Which side of a walk's equality with the end is at this occurrence? */
static List *
exprs_at(const TviewWalk *walk, int end, int occurrence)
{
	Bitmapset  *here = bms_make_singleton(occurrence);
	List	   *candidates[3] = {walk->step_in, NIL, NIL};

	if (end == walk->recursion->out)
	{
		candidates[0] = walk->start_out;
		candidates[1] = walk->earlier_out;
	}
	for (int i = 0; i < lengthof(candidates); i++)
		if (candidates[i] != NIL &&
			bms_equal(tview_sources_of(linitial(candidates[i])), here))
			return candidates[i];
	return NIL;
}

static int
occurrence_of(List *exprs)
{
	return bms_singleton_member(tview_sources_of(linitial(exprs)));
}

/* One step, from the values at one end to those at the other, or NULL. */
static char *
step_sql(const TviewSearch *search, const TviewWalk *walk, bool forward,
		 TviewSource *source)
{
	List	   *from = forward ? walk->earlier_in : walk->step_out;
	List	   *to = forward ? walk->earlier_out : walk->step_in;
	int			walk_end = forward ? walk->recursion->earlier_in : walk->recursion->out;
	int			enter = forward ? walk->recursion->out : walk->recursion->in;
	int			first = occurrence_of(from);
	int			last = occurrence_of(to);
	int			end = enter;
	Builder		builder;
	ListCell   *expr;
	ListCell   *column;

	start_builder(&builder, search, source, -1, walk_end, walk->columns);
	if (search->reached[first].rank == 0)
		return NULL;
	builder.nodes = lcons_int(first, nodes_from(search, first, &end));
	if (end != enter || !list_member_int(builder.nodes, last))
		return NULL;
	builder.targets = to;

	/* conditions among the tables, then what ties them to the walk */
	builder.walk = -1;
	add_conditions(&builder);
	builder.walk = walk_end;
	forboth(expr, from, column, walk->columns)
	{
		Node	   *value = lfirst(expr);

		builder.quals =
			lappend(builder.quals,
					tview_make_equality(value,
										(Node *) makeVar(walk_end + 1,
														 lfirst_int(column),
														 exprType(value), -1,
														 exprCollation(value), 0)));
	}
	add_hop(&builder, first);
	return finish_query(&builder);
}

/* Why values of a link column can't be handed over in an array, or NULL. */
static const char *
bad_link(const TviewSource *source)
{
	Relation	rel = table_open(source->relid, AccessShareLock);
	const char *reason = NULL;

	if (source->nlinks > INDEX_MAX_KEYS)
		reason = psprintf("conditions on more than %d of its columns",
						  INDEX_MAX_KEYS);
	for (int i = 0; i < source->nlinks && reason == NULL; i++)
	{
		Form_pg_attribute att;

		if (source->links[i] <= 0)
		{
			reason = "its row as a whole";
			continue;
		}
		att = TupleDescAttr(RelationGetDescr(rel), source->links[i] - 1);
		if (tview_is_virtual(att))
			reason = psprintf("virtual generated column \"%s\"",
							  NameStr(att->attname));
	}
	table_close(rel, NoLock);
	return reason;
}

/* A way through the steps of a recursion: three queries, or NULL. */
static char *
walk_sql(const TviewSearch *search, int occurrence, List *nodes, int end,
		 TviewSource *source)
{
	const TviewWalk *walk = find_walk(search, end);
	bool		forward;
	int			leave;
	int			other_end;
	int			last = occurrence;
	Builder		init;
	Builder		rest;
	char	   *init_text;
	char	   *step_text;
	ListCell   *lc;

	if (walk == NULL)
		return NULL;
	forward = end == walk->recursion->out;
	leave = forward ? walk->recursion->in : walk->recursion->out;

	start_builder(&init, search, source, occurrence, -1, NIL);
	init.nodes = nodes;
	foreach(lc, nodes)
		if (search->reached[lfirst_int(lc)].next == end)
		last = lfirst_int(lc);
	init.targets = exprs_at(walk, end, last);
	if (init.targets == NIL)
		return NULL;
	add_conditions(&init);
	add_hop(&init, occurrence);
	foreach(lc, nodes)
		add_hop(&init, lfirst_int(lc));

	start_builder(&rest, search, source, -1, leave, walk->columns);
	rest.nodes = nodes_from(search, leave, &other_end);
	if (other_end >= 0)
		return NULL;			/* one walk is enough */
	set_key(&rest, leave);
	add_conditions(&rest);
	foreach(lc, rest.nodes)
		add_hop(&rest, lfirst_int(lc));

	step_text = step_sql(search, walk, forward, source);
	if (step_text == NULL)
		return NULL;
	set_links(&init);
	if (bad_link(source) != NULL)
		return NULL;
	init_text = finish_query(&init);
	return psprintf("WITH RECURSIVE w(%s) AS (%s UNION %s) SELECT DISTINCT k.key FROM (%s) AS k",
					walk_columns(list_length(walk->columns)),
					init_text, step_text, finish_query(&rest));
}

static void
set_path(const TviewSearch *search, int occurrence, TviewSource *source)
{
	while (search->reached[occurrence].key == InvalidAttrNumber &&
		   search->reached[occurrence].next >= 0)
	{
		occurrence = search->reached[occurrence].next;
		source->path = lappend(source->path,
							   search->graph->sources->occurrences[occurrence].alias);
	}
}

/*
 * tview_map - fill in the way from an occurrence that has been reached
 *
 * Returns NULL, or what stands in the way.
 */
const char *
tview_map(const TviewSearch *search, int occurrence, TviewSource *source)
{
	int			end;
	List	   *nodes = nodes_from(search, occurrence, &end);
	Builder		builder;
	ListCell   *lc;

	start_builder(&builder, search, source, occurrence, -1, NIL);
	if (search->reached[occurrence].key != InvalidAttrNumber)
	{
		source->kind = TVIEW_LOCAL;
		set_key(&builder, occurrence);
		set_links(&builder);
		builder.quals = list_make1(tview_make_equality(linitial(builder.targets),
													   (Node *) makeNullConst(exprType(linitial(builder.targets)), -1,
																			  exprCollation(linitial(builder.targets)))));
		add_hop(&builder, occurrence);
		return bad_link(source);
	}

	source->kind = TVIEW_MAPPED;
	set_path(search, occurrence, source);
	if (end >= 0)
	{
		source->sql = walk_sql(search, occurrence, nodes, end, source);
		if (source->sql == NULL)
			return "a recursive query (WITH RECURSIVE) whose steps do not follow one reference between rows";
		return bad_link(source);
	}
	builder.nodes = nodes;
	set_key(&builder, occurrence);
	add_conditions(&builder);
	add_hop(&builder, occurrence);
	foreach(lc, nodes)
		add_hop(&builder, lfirst_int(lc));
	set_links(&builder);
	if (bad_link(source) != NULL)
		return bad_link(source);
	source->sql = psprintf("SELECT DISTINCT k.key FROM (%s) AS k",
						   finish_query(&builder));
	return NULL;
}
