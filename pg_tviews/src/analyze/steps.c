/*-------------------------------------------------------------------------
 *
 * steps.c
 *	  The look-ups of a derivation, which its locks are named after.
 *
 * A derivation goes from a changed row to rows of other tables, one step after
 * the other.  A row that comes to be on the way while somebody is going along
 * it must not be missed, so there is a lock for each value that a step looks
 * up: who goes along takes it, and so does who makes such a row (see
 * refresh/frontier.c).  The value rather than a row names the lock, as there
 * may be no row yet.
 *
 * The columns of a look-up are those that the step's conditions equate with
 * what it comes from, by an operator whose operands can be hashed.  Where there
 * is none, the look-up is of all rows, and there is one lock for it.
 *
 * Locks are taken level by level, each in one go, so the level belongs to a
 * look-up.  One and the same on ways of different length is two, and who makes a
 * row appear locks its values for both.
 *
 * How many steps a recursion has is known when they have been gone.  So its
 * look-ups are repeated until they find no more values.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "common/hashfn.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "analyze/builder.h"
#include "analyze/scope.h"
#include "analyze/steps.h"
#include "base/types.h"

/* A column that is equated with something that has been reached before */
typedef struct Equality
{
	AttrNumber	attno;
	Oid			hash_function;
	Oid			collation;
	Node	   *value;
	Oid			value_hash_function;
} Equality;

/* Columns of an occurrence that are computed when read. */
static Bitmapset *
computed_columns(const TviewBuilder *way, int occurrence)
{
	TviewOccurrence *occurrences = way->search->graph->sources->occurrences;

	return occurrences[occurrences[occurrence].original].computed;
}

/* Does the condition equate a column of the occurrence with earlier ones? */
static Equality *
find_equality(const TviewBuilder *way, OpExpr *op, int occurrence,
			  Bitmapset *earlier)
{
	Oid			functions[2];

	if (!IsA(op, OpExpr) || list_length(op->args) != 2 ||
		!tview_type_hash_functions(op->opno, exprType(linitial(op->args)),
								   exprType(lsecond(op->args)), functions))
		return NULL;
	for (int side = 0; side < 2; side++)
	{
		Var		   *column = (Var *) tview_strip_relabel(list_nth(op->args, side));
		Node	   *value = list_nth(op->args, 1 - side);
		Equality   *result;

		if (!IsA(column, Var) || column->varno != occurrence + 1 ||
			column->varattno <= 0 ||
			bms_is_member(column->varattno, computed_columns(way, occurrence)) ||
			!bms_is_subset(tview_sources_of(value), earlier) ||
			!OidIsValid(lookup_type_cache(exprType(value),
										  TYPECACHE_EQ_OPR)->eq_opr))
			continue;
		result = palloc(sizeof(Equality));
		result->attno = column->varattno;
		result->hash_function = functions[side];
		result->collation = op->inputcollid;
		result->value = value;
		result->value_hash_function = functions[1 - side];
		return result;
	}
	return NULL;
}

static int
compare_columns(const ListCell *a, const ListCell *b)
{
	return ((Equality *) lfirst(a))->attno - ((Equality *) lfirst(b))->attno;
}

/* The columns of an occurrence equated with earlier ones, each once. */
static List *
find_equalities(const TviewBuilder *way, int occurrence, Bitmapset *earlier)
{
	List	   *result = NIL;
	Bitmapset  *found = NULL;
	ListCell   *lc;

	foreach(lc, way->quals)
	{
		Equality   *equality = find_equality(way, lfirst(lc), occurrence,
											 earlier);

		if (equality == NULL || bms_is_member(equality->attno, found))
			continue;
		found = bms_add_member(found, equality->attno);
		result = lappend(result, equality);
	}
	list_sort(result, compare_columns);
	return result;
}

/* Hash all that the lookup is known by into the range of tags. */
static int
make_tag(const TviewLookup *lookup)
{
	uint32		hash = hash_combine(murmurhash32(lookup->relid),
									murmurhash32(lookup->inh ? 1 : 0));

	hash = hash_combine(hash, murmurhash32(lookup->level));
	for (int i = 0; i < lookup->ncolumns; i++)
	{
		hash = hash_combine(hash, murmurhash32(lookup->columns[i]));
		hash = hash_combine(hash, murmurhash32(lookup->hash_functions[i]));
		hash = hash_combine(hash, murmurhash32(lookup->collations[i]));
	}
	return TVIEW_TAG_FIRST_LOOKUP +
		hash % (TVIEW_TAGS - TVIEW_TAG_FIRST_LOOKUP);
}

/*
 * tview_lookup_equal - would their locks have the same names?
 */
bool
tview_lookup_equal(const TviewLookup *a, const TviewLookup *b)
{
	Size		oids = sizeof(Oid) * a->ncolumns;

	return a->relid == b->relid && a->inh == b->inh && a->level == b->level &&
		a->ncolumns == b->ncolumns &&
		memcmp(a->columns, b->columns, sizeof(AttrNumber) * a->ncolumns) == 0 &&
		memcmp(a->hash_functions, b->hash_functions, oids) == 0 &&
		memcmp(a->collations, b->collations, oids) == 0;
}

static TviewStep *
make_step(const TviewBuilder *way, int occurrence, List *equalities, int level)
{
	TviewOccurrence *entry =
	&way->search->graph->sources->occurrences[occurrence];
	Bitmapset  *mentioned = tview_builder_columns(way, occurrence);
	TviewLookup *lookup = palloc0(sizeof(TviewLookup));
	TviewStep  *step = palloc0(sizeof(TviewStep));
	Size		count = list_length(equalities) + 1;
	int			attno = -1;
	ListCell   *lc;

	lookup->relid = entry->relid;
	lookup->inh = entry->inh;
	lookup->columns = palloc(sizeof(AttrNumber) * count);
	lookup->hash_functions = palloc(sizeof(Oid) * count);
	lookup->collations = palloc(sizeof(Oid) * count);
	step->hash_functions = palloc(sizeof(Oid) * count);
	foreach(lc, equalities)
	{
		Equality   *equality = lfirst(lc);
		int			n = lookup->ncolumns++;

		lookup->columns[n] = equality->attno;
		lookup->hash_functions[n] = equality->hash_function;
		lookup->collations[n] = equality->collation;
		step->hash_functions[n] = equality->value_hash_function;
	}
	while ((attno = bms_next_member(mentioned, attno)) >= 0)
		lookup->watched = bms_add_member(lookup->watched,
										 Max(attno + FirstLowInvalidHeapAttributeNumber, 0));
	if (bms_overlap(lookup->watched, computed_columns(way, occurrence)))
		lookup->watched = bms_add_member(lookup->watched, 0);
	lookup->level = level;
	lookup->tag = make_tag(lookup);
	step->lookup = lookup;
	return step;
}

/* The position of a value among the source's links, or -1. */
static int
find_link(const TviewBuilder *way, Node *value)
{
	Var		   *var = (Var *) tview_strip_relabel(value);

	if (!IsA(var, Var) || var->varno != way->changed + 1)
		return -1;
	for (int i = 0; i < way->source->nlinks; i++)
		if (way->source->links[i] == var->varattno)
			return i;
	return -1;
}

/*
 * The query for values over what has been reached before.  A condition that is
 * left out makes them more, which does no harm.
 */
static char *
values_sql(const TviewBuilder *way, List *equalities, List *before,
		   Bitmapset *earlier, const char *with)
{
	TviewBuilder builder;
	ListCell   *lc;

	tview_builder_start(&builder, way->search, way->source, way->changed,
						way->walk, way->columns);
	builder.nodes = list_copy(before);
	foreach(lc, equalities)
		builder.targets = lappend(builder.targets,
								  ((Equality *) lfirst(lc))->value);
	foreach(lc, way->quals)
		if (bms_is_subset(tview_sources_of(lfirst(lc)), earlier))
		builder.quals = lappend(builder.quals, lfirst(lc));
	return psprintf("%sSELECT DISTINCT k.* FROM (%s) AS k", with,
					tview_builder_finish(&builder));
}

/* The positions of the values among the source's links, or NULL. */
static int *
find_links(const TviewBuilder *way, List *equalities)
{
	int		   *links = palloc(sizeof(int) * list_length(equalities));
	ListCell   *lc;

	foreach(lc, equalities)
	{
		int			link = find_link(way, ((Equality *) lfirst(lc))->value);

		if (link < 0)
			return NULL;
		links[foreach_current_index(lc)] = link;
	}
	return links;
}

static bool
is_table(const TviewBuilder *way, int occurrence)
{
	return OidIsValid(way->search->graph->sources->occurrences[occurrence].relid);
}

/*
 * The next of the occurrences to be looked up: the first that is equated with
 * those before.  *equalities is set to what it is equated by.
 */
static int
choose_next(const TviewBuilder *way, List *rest, Bitmapset *earlier,
			List **equalities)
{
	ListCell   *lc;

	foreach(lc, rest)
	{
		*equalities = find_equalities(way, lfirst_int(lc), earlier);
		if (*equalities != NIL)
			return lfirst_int(lc);
	}
	return linitial_int(rest);
}

/*
 * Find the look-ups of a query.  with is what its walk comes from; an endless
 * number of steps counts as one.
 */
static void
add_steps(TviewBuilder *way, const char *with, bool repeats)
{
	Bitmapset  *earlier = bms_make_singleton(way->changed >= 0 ?
											 way->changed : way->walk);
	List	   *before = NIL;
	List	   *rest = NIL;
	ListCell   *lc;

	foreach(lc, way->nodes)
		if (is_table(way, lfirst_int(lc)))
		rest = lappend_int(rest, lfirst_int(lc));
	while (rest != NIL)
	{
		List	   *equalities;
		int			next = choose_next(way, rest, earlier, &equalities);
		TviewStep  *step = make_step(way, next, equalities,
									 repeats ? 1 : list_length(rest));

		step->repeats = repeats;
		if (equalities != NIL)
			step->links = find_links(way, equalities);
		if (equalities != NIL && step->links == NULL)
			step->sql = values_sql(way, equalities, before, earlier, with);
		way->source->steps = lappend(way->source->steps, step);
		earlier = bms_add_member(earlier, next);
		before = lappend_int(before, next);
		rest = list_delete_int(rest, next);
	}
}

/*
 * tview_steps_of_way - find the look-ups of a way from the changed rows to the
 * key
 *
 * The links of its source must be set.
 */
void
tview_steps_of_way(TviewBuilder *way)
{
	add_steps(way, "", false);
}

/*
 * tview_steps_of_walk - find the look-ups of a way through a recursion
 *
 * with is the text of the walk.
 */
void
tview_steps_of_walk(TviewBuilder *init, TviewBuilder *step, TviewBuilder *rest,
					const char *with)
{
	add_steps(init, "", true);
	add_steps(step, with, true);
	add_steps(rest, with, true);
}
