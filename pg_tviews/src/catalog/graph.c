/*-------------------------------------------------------------------------
 *
 * graph.c
 *	  The TVIEWs of this database and what they read.
 *
 * A backend reads pg_tview_meta as a whole when it first needs to know, and
 * again after any backend has changed it.  What the functions return belongs
 * to the cache.  It stays to the end of the transaction, since anything that
 * opens a table may process invalidations; but it may be out of date, so a
 * caller that runs statements keeps OIDs, not pointers.
 *
 * TVIEWs are ordered by level: one that reads no other TVIEW has level 1, and
 * every other one more than the highest it reads.  A flush that goes through
 * the levels upwards refreshes each TVIEW once, after all it reads.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/extension.h"
#include "base/inherits.h"
#include "base/names.h"
#include "base/version.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "stats/activity.h"
#include "stats/refreshes.h"

static MemoryContext graph_context = NULL;	/* child of CacheMemoryContext */
static List *graph = NIL;		/* of Tview, by level and OID */
static bool graph_valid = false;
static uint64 graph_generation = 0;
static Oid	meta_relid = InvalidOid;

static Tview *
find_in(List *tviews, Oid tview)
{
	ListCell   *lc;

	foreach(lc, tviews)
	{
		Tview	   *candidate = lfirst(lc);

		if (candidate->tview == tview)
			return candidate;
	}
	return NULL;
}

/* The order in which TVIEWs are refreshed. */
static int
compare_levels(const ListCell *a, const ListCell *b)
{
	const Tview *left = lfirst(a);
	const Tview *right = lfirst(b);

	if (left->level != right->level)
		return left->level < right->level ? -1 : 1;
	return left->tview < right->tview ? -1 : left->tview > right->tview;
}

/* Find a TVIEW's level, if those of all that it reads are known. */
static bool
find_level(List *tviews, Tview *tview)
{
	int			level = 0;
	ListCell   *lc;

	foreach(lc, tview->dependencies)
	{
		Tview	   *read = find_in(tviews, lfirst_oid(lc));

		if (read == NULL)
			continue;
		if (read->level == 0)
			return false;
		level = Max(level, read->level);
	}
	tview->level = level + 1;
	return true;
}

/*
 * Find all levels.  What is left reads itself, or one that does.  None of these is
 * maintained, but others are; so that it is safe to go from one to another,
 * they are taken to read none of each other.
 */
static void
find_levels(List *tviews)
{
	List	   *left = list_copy(tviews);
	List	   *oids = NIL;
	int			before;
	ListCell   *lc;

	do
	{
		before = list_length(left);
		foreach(lc, left)
			if (find_level(tviews, lfirst(lc)))
			left = foreach_delete_current(left, lc);
	} while (left != NIL && list_length(left) < before);
	foreach(lc, left)
		oids = lappend_oid(oids, ((Tview *) lfirst(lc))->tview);
	foreach(lc, left)
	{
		Tview	   *tview = lfirst(lc);

		tview->dependencies = list_difference_oid(tview->dependencies, oids);
		tview->fault = "It reads itself through other TVIEWs, or one that does.";
	}
	foreach(lc, left)
		(void) find_level(tviews, lfirst(lc));
}

/* What can be seen of a row alone to be wrong with it. */
static const char *
find_fault(const Tview *tview)
{
	if (tview->options->fault != NULL)
		return psprintf("Its options are not valid: %s.",
						tview->options->fault);
	if (list_member_oid(tview->dependencies, InvalidOid))
		return "A table that it reads was not there when the metadata were restored.";
	if (!tview_graph_is_table(tview->tview) && get_rel_name(tview->tview) != NULL)
		return psprintf("%s is no table of a TVIEW.",
						tview_name_qualified(tview->tview));
	if (get_rel_name(tview->view) != NULL &&
		get_rel_relkind(tview->view) != RELKIND_VIEW)
		return psprintf("%s is no view.", tview_name_qualified(tview->view));
	return NULL;
}

/*
 * What is suspended, and what reads it, which can't be right then either; and
 * what goes by policies, itself or by what it reads.  Each TVIEW comes after those
 * that it reads.
 */
static void
find_inherited(List *tviews)
{
	ListCell   *lc;

	foreach(lc, tviews)
	{
		Tview	   *tview = lfirst(lc);
		ListCell   *cell;

		if (tview->suspended)
			tview->suspended_by = tview->tview;
		tview->by_policies = tview->policies[0] != '\0';
		foreach(cell, tview->dependencies)
		{
			Tview	   *read = find_in(tviews, lfirst_oid(cell));

			if (read == NULL)
				continue;
			if (!OidIsValid(tview->suspended_by))
				tview->suspended_by = read->suspended_by;
			tview->by_policies |= read->by_policies;
		}
	}
}

static List *
load_graph(void)
{
	List	   *result = NIL;
	ListCell   *lc;

	tview_version_check();
	foreach(lc, tview_meta_read())
	{
		TviewMeta  *meta = lfirst(lc);
		Tview	   *tview = palloc0(sizeof(Tview));

		tview->tview = meta->tview;
		tview->view = meta->view;
		tview->root = meta->root;
		tview->entity = meta->entity;
		tview->key_column = meta->key_column;
		tview->dependencies = meta->dependencies;
		tview->policies = meta->policies;
		tview->suspended = meta->suspended;
		tview->changed_by = meta->changed_by;
		tview->options = tview_options_read(meta->options);
		tview->fault = find_fault(tview);
		result = lappend(result, tview);
	}
	find_levels(result);
	list_sort(result, compare_levels);
	find_inherited(result);
	return result;
}

/*
 * tview_graph_all - all TVIEWs, in the order of their refresh
 */
List *
tview_graph_all(void)
{
	MemoryContext context;
	MemoryContext old;
	List	   *loaded;

	if (graph_valid)
	{
		tview_cache_counters[TVIEW_CACHE_GRAPH].hits++;
		return graph;
	}
	tview_cache_counters[TVIEW_CACHE_GRAPH].misses++;

	context = AllocSetContextCreate(CurrentMemoryContext,
									"pg_tviews graph", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);

	/*
	 * Set before reading, so that an invalidation that arrives meanwhile
	 * makes the next caller read again.
	 */
	graph_valid = true;
	PG_TRY();
	{
		meta_relid = tview_extension_table("pg_tview_meta", true);
		loaded = load_graph();
	}
	PG_CATCH();
	{
		graph_valid = false;
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);

	MemoryContextSetParent(context, CacheMemoryContext);
	if (graph_context != NULL)
		MemoryContextSetParent(graph_context, TopTransactionContext);
	graph_context = context;
	graph = loaded;
	graph_generation++;
	tview_activity_cache(TVIEW_CACHE_GRAPH, list_length(graph),
						 MemoryContextMemAllocated(context, true));
	return graph;
}

/*
 * tview_graph_generation - changes whenever the graph may have changed
 */
uint64
tview_graph_generation(void)
{
	(void) tview_graph_all();
	return graph_generation;
}

/*
 * tview_graph_is_table - may this be the table of a TVIEW?
 */
bool
tview_graph_is_table(Oid relid)
{
	char	   *name = get_rel_name(relid);

	return name != NULL && tview_name_has_prefix(name, TVIEW_TABLE_PREFIX) &&
		get_rel_relkind(relid) == RELKIND_RELATION;
}

/*
 * tview_graph_report_damaged - raise an error: what the metadata say of a TVIEW
 * can't be
 */
void
tview_graph_report_damaged(const Tview *tview, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("metadata of TVIEW \"%s\" are damaged", tview->entity),
			 errdetail("%s", detail),
			 errhint("Put its row in %s right, which takes a superuser, or drop the TVIEW. If only a table is missing there, pg_tviews_recreate() finds it.",
					 tview_extension_qualify("pg_tview_meta"))));
}

/*
 * tview_graph_check - can a TVIEW be maintained, by what its metadata say?
 */
void
tview_graph_check(const Tview *tview)
{
	if (tview->fault != NULL)
		tview_graph_report_damaged(tview, tview->fault);
}

/*
 * tview_graph_options - options of a TVIEW, if they are good, in the current
 * context; those in the graph go with it, which may be read anew at any time
 */
TviewOptions *
tview_graph_options(const Tview *tview)
{
	tview_graph_check(tview);
	return tview_options_copy(tview->options);
}

/*
 * tview_graph_find - the TVIEW whose table this is, or NULL
 */
Tview *
tview_graph_find(Oid tview)
{
	return find_in(tview_graph_all(), tview);
}

/*
 * tview_graph_find_view - the TVIEW that this view defines, or NULL
 */
Tview *
tview_graph_find_view(Oid view)
{
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *candidate = lfirst(lc);

		if (candidate->view == view)
			return candidate;
	}
	return NULL;
}

/* The TVIEW of this name in one schema, or NULL. */
static Tview *
find_in_schema(const char *entity, Oid schema)
{
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *candidate = lfirst(lc);

		if (get_rel_namespace(candidate->tview) == schema &&
			strcmp(candidate->entity, entity) == 0)
			return candidate;
	}
	return NULL;
}

/*
 * tview_graph_find_name - the TVIEW that a user means
 *
 * Without a schema, the first in the search path.
 */
Tview *
tview_graph_find_name(const char *input, bool missing_ok)
{
	char	   *schema;
	char	   *entity;
	Tview	   *tview = NULL;

	tview_name_parse(input, &schema, &entity);
	if (schema != NULL)
	{
		Oid			namespace = get_namespace_oid(schema, missing_ok);

		if (OidIsValid(namespace))
			tview = find_in_schema(entity, namespace);
	}
	else
	{
		ListCell   *lc;

		foreach(lc, fetch_search_path(false))
		{
			tview = find_in_schema(entity, lfirst_oid(lc));
			if (tview != NULL)
				break;
		}
	}

	if (tview == NULL && !missing_ok)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("TVIEW \"%s\" does not exist", input),
				 errhint("Query %s for the TVIEWs of this database; name the schema if it is not in search_path.",
						 tview_extension_qualify("pg_tview_meta"))));
	return tview;
}

/*
 * tview_graph_readers - TVIEWs whose definition reads this table, in a list
 * of the caller's
 */
List *
tview_graph_readers(Oid relid)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *candidate = lfirst(lc);

		if (list_member_oid(candidate->dependencies, relid))
			result = lappend(result, candidate);
	}
	return result;
}

/*
 * tview_graph_with_readers - add a TVIEW and those that read it, directly or
 * not, to a list
 */
List *
tview_graph_with_readers(List *tviews, Oid tview)
{
	ListCell   *lc;

	if (list_member_oid(tviews, tview))
		return tviews;
	tviews = lappend_oid(tviews, tview);
	foreach(lc, tview_graph_readers(tview))
		tviews = tview_graph_with_readers(tviews, ((Tview *) lfirst(lc))->tview);
	return tviews;
}

/*
 * tview_graph_row_readers - OIDs of TVIEWs that read this table, or one that
 * it is a partition or a child of
 */
List *
tview_graph_row_readers(Oid relid)
{
	List	   *tables = lcons_oid(relid, tview_inherits_ancestors(relid));
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *candidate = lfirst(lc);
		ListCell   *table;

		foreach(table, tables)
			if (list_member_oid(candidate->dependencies, lfirst_oid(table)))
			result = list_append_unique_oid(result, candidate->tview);
	}
	return result;
}

/*
 * tview_graph_level - level that a TVIEW reading these tables has
 */
int
tview_graph_level(List *dependencies)
{
	int			level = 0;
	ListCell   *lc;

	foreach(lc, dependencies)
	{
		Tview	   *read = tview_graph_find(lfirst_oid(lc));

		if (read != NULL)
			level = Max(level, read->level);
	}
	return level + 1;
}

/*
 * tview_graph_announce - have all backends load the graph anew
 */
void
tview_graph_announce(void)
{
	Oid			relid = tview_extension_table("pg_tview_meta", true);

	if (OidIsValid(relid))
		CacheInvalidateRelcacheByRelid(relid);
}

/*
 * tview_graph_invalidate - part of the relcache callback
 *
 * May be called at any time, so it only takes a note.
 */
void
tview_graph_invalidate(Oid relid)
{
	if (OidIsValid(relid) && relid != meta_relid && OidIsValid(meta_relid))
		return;
	if (graph_valid)
		tview_cache_counters[TVIEW_CACHE_GRAPH].invalidations++;
	graph_valid = false;
}
