/*-------------------------------------------------------------------------
 *
 * mapping.c
 *	  The query that leads from changed rows of a source to keys.
 *
 * Its FROM clause has the changed rows, given as arrays of their link columns,
 * and the occurrences on the way that the search has found; its conditions are
 * those that lead from one to the next.
 *
 * A way through a recursive CTE becomes three queries: from the changed rows
 * to the values at one end of the steps, along the steps, and from the other
 * end on to the key (see walk.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "analyze/builder.h"
#include "analyze/scope.h"
#include "analyze/steps.h"
#include "base/compat.h"

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

/*
 * Is the query at this occurrence before it comes to the other one?  The
 * changed rows are looked up, too, from the other end, in a refresh.
 */
static bool
comes_after(const TviewBuilder *builder, int occurrence, Node *other)
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
equated_expr(const TviewBuilder *builder, int occurrence, OpExpr *op)
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
add_hop(TviewBuilder *builder, int occurrence)
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
set_key(TviewBuilder *builder, int occurrence)
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

/* One step, from the values at one end to those at the other, or false. */
static bool
build_step(TviewBuilder *builder, const TviewSearch *search,
		   const TviewWalk *walk, bool forward, TviewSource *source)
{
	List	   *from = forward ? walk->earlier_in : walk->step_out;
	List	   *to = forward ? walk->earlier_out : walk->step_in;
	int			walk_end = forward ? walk->recursion->earlier_in : walk->recursion->out;
	int			enter = forward ? walk->recursion->out : walk->recursion->in;
	int			first = occurrence_of(from);
	int			last = occurrence_of(to);
	int			end = enter;
	ListCell   *expr;
	ListCell   *column;

	tview_builder_start(builder, search, source, -1, walk_end, walk->columns);
	if (search->reached[first].rank == 0)
		return false;
	builder->nodes = lcons_int(first, nodes_from(search, first, &end));
	if (end != enter || !list_member_int(builder->nodes, last))
		return false;
	builder->targets = to;

	/* conditions among the tables, then what ties them to the walk */
	builder->walk = -1;
	tview_builder_add_conditions(builder);
	builder->walk = walk_end;
	forboth(expr, from, column, walk->columns)
	{
		Node	   *value = lfirst(expr);

		builder->quals =
			lappend(builder->quals,
					tview_make_equality(value,
										(Node *) makeVar(walk_end + 1,
														 lfirst_int(column),
														 exprType(value), -1,
														 exprCollation(value), 0)));
	}
	add_hop(builder, first);
	return true;
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
	TviewBuilder init;
	TviewBuilder step;
	TviewBuilder rest;
	char	   *init_text;
	char	   *walk_text;
	ListCell   *lc;

	if (walk == NULL)
		return NULL;
	forward = end == walk->recursion->out;
	leave = forward ? walk->recursion->in : walk->recursion->out;

	tview_builder_start(&init, search, source, occurrence, -1, NIL);
	init.nodes = nodes;
	foreach(lc, nodes)
		if (search->reached[lfirst_int(lc)].next == end)
		last = lfirst_int(lc);
	init.targets = exprs_at(walk, end, last);
	if (init.targets == NIL)
		return NULL;
	tview_builder_add_conditions(&init);
	add_hop(&init, occurrence);
	foreach(lc, nodes)
		add_hop(&init, lfirst_int(lc));

	tview_builder_start(&rest, search, source, -1, leave, walk->columns);
	rest.nodes = nodes_from(search, leave, &other_end);
	if (other_end >= 0)
		return NULL;			/* one walk is enough */
	set_key(&rest, leave);
	tview_builder_add_conditions(&rest);
	foreach(lc, rest.nodes)
		add_hop(&rest, lfirst_int(lc));

	if (!build_step(&step, search, walk, forward, source))
		return NULL;
	tview_builder_set_links(&init);
	if (bad_link(source) != NULL)
		return NULL;
	init_text = tview_builder_finish(&init);
	walk_text = psprintf("WITH RECURSIVE w(%s) AS (%s UNION %s) ",
						 tview_builder_walk_columns(list_length(walk->columns)),
						 init_text, tview_builder_finish(&step));
	tview_steps_of_walk(&init, &step, &rest, walk_text);
	return psprintf("%sSELECT DISTINCT k.key FROM (%s) AS k", walk_text,
					tview_builder_finish(&rest));
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
	TviewBuilder builder;
	ListCell   *lc;

	tview_builder_start(&builder, search, source, occurrence, -1, NIL);
	if (search->reached[occurrence].key != InvalidAttrNumber)
	{
		source->kind = TVIEW_LOCAL;
		set_key(&builder, occurrence);
		tview_builder_set_links(&builder);
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
	tview_builder_add_conditions(&builder);
	add_hop(&builder, occurrence);
	foreach(lc, nodes)
		add_hop(&builder, lfirst_int(lc));
	tview_builder_set_links(&builder);
	if (bad_link(source) != NULL)
		return bad_link(source);
	tview_steps_of_way(&builder);
	source->sql = psprintf("SELECT DISTINCT k.key FROM (%s) AS k",
						   tview_builder_finish(&builder));
	return NULL;
}
