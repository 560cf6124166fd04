/*-------------------------------------------------------------------------
 *
 * derive.c
 *	  How a changed row of a source reaches the keys of a TVIEW.
 *
 * The root is the occurrence that the key column of the definition comes
 * from.  An occurrence that has a column equated with the key is local: the
 * keys that a change affects are read off the row's old and new image.  From
 * every other one a path of conditions leads to a local one, found by a
 * breadth-first search from the root, and a query joins the changed rows
 * along that path to the key.  An occurrence without a path makes the
 * definition one that can't be maintained by key.
 *
 * Nothing but the path is joined, and no condition on a single source of it
 * is applied.  The queries run when the transaction's changes are all there,
 * so with every condition of the definition kept, two changes could hide each
 * other.  With the path alone they can't: on the path of a combination of
 * rows that was there before, take the changed row nearest to the root.  What
 * is between it and the root did not change, and since the path of every
 * occurrence is a part of the paths that lead through it, the query of that
 * row's own occurrence finds the key.
 *
 * A condition may be used as an edge from an occurrence towards the root if
 * it holds wherever that occurrence, or the root, is present; the row that it
 * leads to is then present as well.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "access/table.h"
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
#include "utils/typcache.h"

#include "analyze/check.h"
#include "analyze/derive.h"
#include "base/compat.h"
#include "base/names.h"

/* An occurrence during the search */
typedef struct Reached
{
	int			next;			/* one step nearer to the root; -1: not
								 * reached */
	AttrNumber	key;			/* column that equals the key, or 0 */
} Reached;

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
 * Does the condition make this column equal to the key for every value, so
 * that one can stand for the other?
 */
static AttrNumber
find_key_column(const TviewDerivation *derivation, const Reached *reached,
				const TviewCondition *condition, int occurrence, int from)
{
	Node	   *other;
	AttrNumber	attno = tview_equated_column(condition, occurrence, &other);
	Oid			relid = derivation->graph->occurrences[occurrence].relid;
	Oid			root_relid = derivation->graph->occurrences[derivation->root].relid;
	Oid			key_type;
	int32		typmod;
	Oid			collation;
	TypeCacheEntry *type;

	if (attno == InvalidAttrNumber || reached[from].key == InvalidAttrNumber)
		return InvalidAttrNumber;
	other = tview_strip_relabel(other);
	if (!IsA(other, Var) || ((Var *) other)->varno != from + 1 ||
		((Var *) other)->varattno != reached[from].key)
		return InvalidAttrNumber;

	get_atttypetypmodcoll(root_relid, derivation->root_attno,
						  &key_type, &typmod, &collation);
	type = lookup_type_cache(key_type, TYPECACHE_BTREE_OPFAMILY);
	if (get_atttype(relid, attno) != key_type ||
		((OpExpr *) condition->expr)->inputcollid != collation ||
		get_op_opfamily_strategy(((OpExpr *) condition->expr)->opno,
								 type->btree_opf) != BTEqualStrategyNumber)
		return InvalidAttrNumber;
	return attno;
}

/*
 * The occurrence at the other end of a condition between two, if it has been
 * reached and the condition can be used to go there from this one; or -1.
 */
static int
edge_end(const TviewDerivation *derivation, const Reached *reached,
		 const TviewCondition *condition, int occurrence)
{
	Bitmapset  *others;
	int			end = -1;

	if (!bms_is_member(occurrence, condition->occurrences))
		return -1;
	others = bms_del_member(bms_copy(condition->occurrences), occurrence);
	if (bms_get_singleton_member(others, &end) && reached[end].next >= 0 &&
		tview_condition_holds_with(condition, occurrence, derivation->root))
		return end;
	return -1;
}

/*
 * One more step away from the root.  Returns whether anything new has been
 * reached.
 */
static bool
reach_further(const TviewDerivation *derivation, Reached *reached,
			  bool local_only, bool equality_only)
{
	Reached    *before = palloc(sizeof(Reached) * derivation->count);
	bool		progress = false;

	memcpy(before, reached, sizeof(Reached) * derivation->count);
	for (int to = 0; to < derivation->count; to++)
	{
		ListCell   *lc;

		foreach(lc, derivation->graph->conditions)
		{
			TviewCondition *condition = lfirst(lc);
			int			from = edge_end(derivation, before, condition, to);
			AttrNumber	key;

			if (reached[to].next >= 0 || from < 0)
				continue;
			key = find_key_column(derivation, before, condition, to, from);
			if (local_only && key == InvalidAttrNumber)
				continue;
			if (equality_only && !is_equality(condition->expr))
				continue;
			reached[to].next = from;
			reached[to].key = key;
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
reach_all(const TviewDerivation *derivation, Reached *reached)
{
	while (reach_further(derivation, reached, true, true))
		;
	do
	{
		while (reach_further(derivation, reached, false, true))
			;
	} while (reach_further(derivation, reached, false, false));
}

/* ----------
 * The query of a mapped source
 * ----------
 */

typedef struct Mapping
{
	TviewDerivation *derivation;
	TviewSource *source;
	int			occurrence;		/* the source's */
	int		   *rtindexes;		/* by occurrence, 0 if not on the path */
} Mapping;

/* Vars of the source become columns of the function, others of tables. */
static Node *
mapping_mutator(Node *node, Mapping *mapping)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) copyObject(node);
		int			occurrence = var->varno - 1;

		var->varnosyn = 0;
		var->varattnosyn = 0;
		if (occurrence != mapping->occurrence)
		{
			var->varno = mapping->rtindexes[occurrence];
			return (Node *) var;
		}
		for (int i = 0; i < mapping->source->nlinks; i++)
			if (mapping->source->links[i] == var->varattno)
			{
				Oid			collation = var->varcollid;

				var->varno = 1;
				var->varattno = i + 1;
				var->varcollid = get_typcollation(var->vartype);
				if (var->varcollid != collation)
				{
					CollateExpr *collate = makeNode(CollateExpr);

					collate->arg = (Expr *) var;
					collate->collOid = collation;
					collate->location = -1;
					return (Node *) collate;
				}
				return (Node *) var;
			}
		elog(ERROR, "column %d is not a link column", var->varattno);
	}
	return expression_tree_mutator(node, mapping_mutator, mapping);
}

/* Conditions between two neighbours of a path, the first farther away. */
static List *
edge_conditions(const TviewDerivation *derivation, int occurrence, int next)
{
	Bitmapset  *both = bms_add_member(bms_make_singleton(occurrence), next);
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, derivation->graph->conditions)
	{
		TviewCondition *condition = lfirst(lc);

		if (bms_equal(condition->occurrences, both) &&
			tview_condition_holds_with(condition, occurrence,
									   derivation->root))
			result = lappend(result, condition);
	}
	return result;
}

/* Columns of an occurrence that resolved conditions mention. */
static List *
columns_of(List *conditions, int occurrence)
{
	Bitmapset  *attnos = NULL;
	List	   *result = NIL;
	ListCell   *lc;
	int			attno = -1;

	foreach(lc, conditions)
	{
		TviewCondition *condition = lfirst(lc);

		pull_varattnos((Node *) condition->expr, occurrence + 1, &attnos);
	}
	while ((attno = bms_next_member(attnos, attno)) >= 0)
		result = lappend_int(result,
							 attno + FirstLowInvalidHeapAttributeNumber);
	return result;
}

/* Note that the query looks up rows of next by columns equated with others. */
static void
add_hop(TviewDerivation *derivation, TviewSource *source, List *conditions,
		int occurrence)
{
	TviewHop   *hop = palloc0(sizeof(TviewHop));
	ListCell   *lc;

	hop->relid = derivation->graph->occurrences[occurrence].relid;
	foreach(lc, conditions)
	{
		AttrNumber	attno = tview_equated_column(lfirst(lc), occurrence, NULL);

		if (attno != InvalidAttrNumber)
			hop->columns = list_append_unique_int(hop->columns, attno);
	}
	source->hops = lappend(source->hops, hop);
}

/* FROM ROWS FROM (unnest($1), ...) AS d (link columns) */
static Index
add_changes(ParseState *pstate, Mapping *mapping)
{
	TviewSource *source = mapping->source;
	RangeFunction *function = makeNode(RangeFunction);
	List	   *names = NIL;
	List	   *calls = NIL;
	List	   *columns = NIL;
	List	   *definitions = NIL;

	for (int i = 0; i < source->nlinks; i++)
	{
		Oid			type = get_array_type(source->link_types[i]);
		Param	   *param = makeNode(Param);

		param->paramkind = PARAM_EXTERN;
		param->paramid = i + 1;
		param->paramtype = type;
		param->paramtypmod = -1;
		param->paramcollid = get_typcollation(type);
		param->location = -1;
		names = lappend(names, "unnest");
		calls = lappend(calls,
						makeFuncExpr(F_UNNEST_ANYARRAY, source->link_types[i],
									 list_make1(param),
									 get_typcollation(source->link_types[i]),
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
	return addRangeTableEntryForFunction(pstate, names, calls,
										 definitions, function, false, true)->p_rtindex;
}

/*
 * The query, as text.  The path goes from the source to the first occurrence
 * that has the key.
 */
static char *
mapping_sql(Mapping *mapping, const Reached *reached)
{
	TviewDerivation *derivation = mapping->derivation;
	Query	   *query = makeNode(Query);
	ParseState *pstate = make_parsestate(NULL);
	List	   *from = NIL;
	List	   *quals = NIL;
	int			here;
	Var		   *key;
	RangeTblRef *rtr = makeNode(RangeTblRef);

	rtr->rtindex = add_changes(pstate, mapping);
	from = lappend(from, rtr);
	for (here = mapping->occurrence; reached[here].key == InvalidAttrNumber;)
	{
		int			next = reached[here].next;
		TviewOccurrence *occurrence = &derivation->graph->occurrences[next];
		List	   *conditions = edge_conditions(derivation, here, next);
		Relation	rel = table_open(occurrence->relid, AccessShareLock);
		ListCell   *lc;

		rtr = makeNode(RangeTblRef);
		rtr->rtindex =
			addRangeTableEntryForRelation(pstate, rel, AccessShareLock,
										  makeAlias(psprintf("s%d", next + 1), NIL),
										  true, true)->p_rtindex;
		table_close(rel, NoLock);
		tview_clear_perminfo((RangeTblEntry *) llast(pstate->p_rtable));
		mapping->rtindexes[next] = rtr->rtindex;
		from = lappend(from, rtr);
		foreach(lc, conditions)
			quals = lappend(quals,
							mapping_mutator((Node *) ((TviewCondition *) lfirst(lc))->expr,
											mapping));
		mapping->source->path = lappend_int(mapping->source->path, next);
		add_hop(derivation, mapping->source, conditions, next);
		here = next;
	}

	key = makeVar(mapping->rtindexes[here], reached[here].key,
				  get_atttype(derivation->graph->occurrences[here].relid,
							  reached[here].key), -1, InvalidOid, 0);
	query->commandType = CMD_SELECT;
	query->canSetTag = true;
	query->rtable = pstate->p_rtable;
	query->jointree = makeFromExpr(from, (Node *) make_ands_explicit(quals));
	query->targetList = list_make1(makeTargetEntry((Expr *) key, 1, "key",
												   false));
	free_parsestate(pstate);
	return psprintf("SELECT DISTINCT k.key FROM (%s) AS k",
					pg_get_querydef(query, false));
}

/* ----------
 * Sources
 * ----------
 */

static void
set_links(TviewSource *source, List *attnos)
{
	ListCell   *lc;

	source->links = palloc(sizeof(AttrNumber) * list_length(attnos));
	source->link_types = palloc(sizeof(Oid) * list_length(attnos));
	foreach(lc, attnos)
	{
		source->link_types[source->nlinks] = get_atttype(source->relid,
														 lfirst_int(lc));
		source->links[source->nlinks++] = lfirst_int(lc);
	}
}

/* Why a link column's values can't be handed over in an array, or NULL. */
static const char *
bad_link(const TviewSource *source)
{
	Relation	rel = table_open(source->relid, AccessShareLock);
	const char *reason = NULL;

	if (source->nlinks > INDEX_MAX_KEYS)
		reason = psprintf("conditions on more than %d of its columns",
						  INDEX_MAX_KEYS);
	for (int i = 0; i < source->nlinks; i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
											  source->links[i] - 1);

		if (!OidIsValid(get_array_type(source->link_types[i])) ||
			type_is_rowtype(source->link_types[i]))
			reason = psprintf("column \"%s\" of type %s", NameStr(att->attname),
							  format_type_be(source->link_types[i]));
		else if (tview_is_virtual(att))
			reason = psprintf("virtual generated column \"%s\"",
							  NameStr(att->attname));
	}
	table_close(rel, NoLock);
	return reason;
}

static void
refuse_unmapped(const TviewSource *source, const char *name,
				const char *construct)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot maintain TVIEW \"%s\" by key", name),
			 errdetail("Changes to table %s (\"%s\" in the definition) reach it only through %s.",
					   tview_name_qualified(source->relid), source->alias,
					   construct),
			 errhint("Join the table by a condition that leads, directly or through other tables, to the row that has the key.")));
}

static void
build_source(TviewDerivation *derivation, const Reached *reached,
			 int occurrence, const char *name)
{
	TviewSource *source = &derivation->sources[occurrence];
	TviewOccurrence *from = &derivation->graph->occurrences[occurrence];
	List	   *conditions;

	source->relid = from->relid;
	source->alias = from->alias;
	source->used = from->used;
	source->whole_row = from->whole_row;
	source->row_parts = from->row_parts;
	source->parts = from->parts;

	if (reached[occurrence].next < 0)
		refuse_unmapped(source, name,
						"a part of the definition that no condition ties to the key, such as an uncorrelated subquery, a cross join, or the output of an aggregate, LIMIT or window function");

	if (reached[occurrence].key != InvalidAttrNumber)
	{
		TviewHop   *hop = palloc0(sizeof(TviewHop));

		source->kind = TVIEW_LOCAL;
		set_links(source, list_make1_int(reached[occurrence].key));
		if (bad_link(source) != NULL)
			refuse_unmapped(source, name, bad_link(source));
		hop->relid = source->relid;
		hop->columns = list_make1_int(reached[occurrence].key);
		source->hops = list_make1(hop);
	}
	else
	{
		Mapping		mapping = {derivation, source, occurrence, NULL};

		source->kind = TVIEW_MAPPED;
		conditions = edge_conditions(derivation, occurrence,
									 reached[occurrence].next);
		set_links(source, columns_of(conditions, occurrence));
		if (bad_link(source) != NULL)
			refuse_unmapped(source, name, bad_link(source));
		add_hop(derivation, source, conditions, occurrence);
		mapping.rtindexes = palloc0(sizeof(int) * derivation->count);
		source->sql = mapping_sql(&mapping, reached);
	}
}

/* The root is where the key column of the definition comes from. */
static void
find_root(TviewDerivation *derivation, Query *query, const char *key_column,
		  const char *name)
{
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst(lc);
		Node	   *key;

		if (tle->resjunk || strcmp(tle->resname, key_column) != 0)
			continue;
		key = tview_strip_relabel((Node *) tview_sources_resolve_output(derivation->graph, tle));
		if (key == NULL || !IsA(key, Var))
			tview_refuse(name,
						 psprintf("Its key \"%s\" is not simply a column of a table.", key_column),
						 "Take the key from a column of the table whose rows the TVIEW has.");
		derivation->root = ((Var *) key)->varno - 1;
		derivation->root_attno = ((Var *) key)->varattno;
		derivation->root_rtindex =
			tview_sources_top_rtindex(derivation->graph, derivation->root);
		return;
	}
	elog(ERROR, "definition of TVIEW \"%s\" has no column \"%s\"", name,
		 key_column);
}

static bool
is_not_null(Oid relid, AttrNumber attno)
{
	Relation	rel = table_open(relid, AccessShareLock);
	bool		result = tview_is_not_null(RelationGetDescr(rel), attno - 1);

	table_close(rel, NoLock);
	return result;
}

/*
 * tview_derive - find how every source of an expanded definition reaches the
 * key
 *
 * Refuses the definition if one doesn't.
 */
TviewDerivation *
tview_derive(Query *query, const char *key_column, const char *name,
			 const TviewOptions *options)
{
	TviewDerivation *derivation = palloc0(sizeof(TviewDerivation));
	TviewSources *graph = tview_sources_find(query);
	Reached    *reached;

	derivation->graph = graph;
	derivation->parts = tview_parts_find(query);
	tview_needs_find(graph, query, derivation->parts);
	derivation->count = graph->count;
	find_root(derivation, query, key_column, name);

	reached = palloc(sizeof(Reached) * graph->count);
	for (int i = 0; i < graph->count; i++)
	{
		reached[i].next = -1;
		reached[i].key = InvalidAttrNumber;
	}
	reached[derivation->root].next = derivation->root;
	reached[derivation->root].key = derivation->root_attno;
	reach_all(derivation, reached);

	derivation->sources = palloc0(sizeof(TviewSource) * graph->count);
	for (int i = 0; i < graph->count; i++)
		build_source(derivation, reached, i, name);

	derivation->unique = tview_is_unique(derivation, query);
	derivation->nullable =
		(bms_is_member(derivation->root, graph->nulled) &&
		 !bms_is_member(derivation->root, graph->required)) ||
		!is_not_null(graph->occurrences[derivation->root].relid,
					 derivation->root_attno);
	return derivation;
}
