/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  How one TVIEW is kept up to date, and the backend's cache of that.
 *
 * A plan is not stored anywhere: each backend builds it from the rule of the
 * view when it first needs it, and again after a table or view that it was
 * made from has changed.  Each lives in a memory context of its own, a child
 * of CacheMemoryContext.  One that has become invalid may still be in use, so
 * it is freed at the end of the transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_operator.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "analyze/expand.h"
#include "analyze/mentions.h"
#include "analyze/plan.h"
#include "analyze/restrict.h"
#include "analyze/policies.h"
#include "base/inherits.h"
#include "base/names.h"
#include "base/owner.h"
#include "base/types.h"
#include "catalog/graph.h"
#include "catalog/reads.h"
#include "stats/activity.h"
#include "stats/refreshes.h"

static List *plans = NIL;		/* of TviewPlan, in CacheMemoryContext */
static List *dead_plans = NIL;	/* to be freed at the end of the transaction */
static uint64 plan_generation = 0;
static uint64 invalidations = 0;

/* OPERATOR(schema.name), for SQL that doesn't depend on search_path. */
static char *
qualified_operator(Oid opno)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(opno));
	Form_pg_operator form;
	char	   *result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", opno);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	result = psprintf("OPERATOR(%s.%s)",
					  quote_identifier(get_namespace_name(form->oprnamespace)),
					  NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return result;
}

/*
 * tview_plan_check_key - can a column of this type be a key?
 */
void
tview_plan_check_key(Oid type, const char *column, const char *name)
{
	TypeCacheEntry *entry = lookup_type_cache(type,
											  TYPECACHE_EQ_OPR | TYPECACHE_BTREE_OPFAMILY);

	if (!OidIsValid(entry->btree_opf) || !OidIsValid(entry->eq_opr) ||
		!OidIsValid(get_array_type(type)) || type_is_rowtype(type))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("type %s of key \"%s\" of TVIEW %s can't be a key",
						format_type_be(type), column, name),
				 errhint("Use a key of a scalar type that has a default btree operator class.")));
}

static void
set_key(TviewPlan *plan)
{
	AttrNumber	attno = get_attnum(plan->tview, plan->key_column);
	int32		typmod;
	TypeCacheEntry *type;
	Oid			functions[2];

	get_atttypetypmodcoll(plan->tview, attno, &plan->key_type, &typmod,
						  &plan->key_collation);
	tview_plan_check_key(plan->key_type, plan->key_column, plan->name);
	type = lookup_type_cache(plan->key_type, TYPECACHE_EQ_OPR);
	plan->key_array_type = get_array_type(plan->key_type);
	get_typlenbyvalalign(plan->key_type, &plan->key_len, &plan->key_byval,
						 &plan->key_align);
	plan->key_image_equal = tview_type_is_image_equal(plan->key_type,
													  plan->key_collation);
	plan->key_collate = !OidIsValid(plan->key_collation) ? "" :
		psprintf(" COLLATE %s", generate_collation_name(plan->key_collation));
	plan->key_operator = qualified_operator(type->eq_opr);
	if (tview_type_hash_functions(type->eq_opr, plan->key_type, plan->key_type,
								  functions))
		plan->key_hash_function = functions[0];
}

static List *
view_columns(Oid view)
{
	Relation	rel = table_open(view, AccessShareLock);
	List	   *result = NIL;

	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
		result = lappend(result,
						 pstrdup(NameStr(TupleDescAttr(RelationGetDescr(rel), i)->attname)));
	table_close(rel, AccessShareLock);
	return result;
}

static bool
has_deferred_trigger(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	if (triggers != NULL)
		for (int i = 0; i < triggers->numtriggers; i++)
			if (triggers->triggers[i].tgdeferrable)
				return true;
	return false;
}

static void
set_sources(TviewPlan *plan, List *sources)
{
	ListCell   *lc;

	plan->sources = palloc0(sizeof(TviewSource) * (list_length(sources) + 1));
	foreach(lc, sources)
		plan->sources[plan->nsources++] = *(TviewSource *) lfirst(lc);
}

/* The plan's lookup that has locks of the same names, or a new one. */
static TviewLookup *
merge_lookup(TviewPlan *plan, TviewLookup *lookup)
{
	ListCell   *lc;

	foreach(lc, plan->lookups)
	{
		TviewLookup *known = lfirst(lc);

		if (!tview_lookup_equal(known, lookup))
			continue;
		known->watched = bms_add_members(known->watched, lookup->watched);
		return known;
	}
	lookup->watched =
		bms_add_members(lookup->watched,
						tview_policies_columns(lookup->relid, plan->owner));
	plan->lookups = lappend(plan->lookups, lookup);
	return lookup;
}

static void
set_lookups(TviewPlan *plan)
{
	ListCell   *lc;

	for (int i = 0; i < plan->nsources; i++)
		foreach(lc, plan->sources[i].steps)
	{
		TviewStep  *step = lfirst(lc);

		step->lookup = merge_lookup(plan, step->lookup);
	}
}

/* Have the plan made anew when anything that its text names is altered. */
static void
set_relids(TviewPlan *plan, const TviewExpansion *expansion)
{
	List	   *views = lcons_oid(plan->view, list_copy(expansion->helpers));
	ListCell   *lc;

	plan->relids = list_concat_unique_oid(list_make2_oid(plan->tview, plan->view),
										  tview_inherits_trees(expansion->tables));
	plan->relids = list_concat_unique_oid(plan->relids, expansion->helpers);
	plan->relids = list_concat_unique_oid(plan->relids, expansion->views);
	plan->relids = list_concat_unique_oid(plan->relids,
										  tview_mentions_relations(views));
	foreach(lc, tview_mentions_types(views))
		plan->types = lappend_int(plan->types,
								  (int) GetSysCacheHashValue1(TYPEOID,
															  ObjectIdGetDatum(lfirst_oid(lc))));
}

/*
 * A table that a function of the definition is declared to read has no way to
 * the key: a change of it rebuilds the TVIEW.
 */
static void
add_reads(TviewPlan *plan, List *tables)
{
	TviewSource *sources = palloc0(sizeof(TviewSource) *
								   (plan->nsources + list_length(tables) + 1));
	int			number = 0;
	ListCell   *lc;

	/* they come after the occurrences in the definition */
	for (int i = 0; i < plan->nsources; i++)
		number = Max(number, plan->sources[i].number + 1);
	memcpy(sources, plan->sources, sizeof(TviewSource) * plan->nsources);
	foreach(lc, tables)
	{
		TviewSource *source = &sources[plan->nsources++];

		source->kind = TVIEW_ALL;
		source->number = number++;
		source->relid = lfirst_oid(lc);
		source->inh = true;
		source->alias = get_rel_name(source->relid);
		source->whole_row = true;
	}
	plan->sources = sources;
	plan->relids = list_concat_unique_oid(plan->relids,
										  tview_inherits_trees(tables));
}

/*
 * What a noted change means depends on the numbers, columns and types of the
 * sources, and on the names of locks.  A plan that was made anew is the same in
 * that, unless what is known of nulls, for instance, has changed.
 */
static uint32
make_fingerprint(const TviewPlan *plan)
{
	uint32		hash = murmurhash32(plan->key_type);
	ListCell   *lc;

	for (int i = 0; i < plan->nsources; i++)
	{
		const TviewSource *source = &plan->sources[i];

		hash = hash_combine(hash, murmurhash32(source->kind));
		hash = hash_combine(hash, murmurhash32(source->relid));
		for (int j = 0; j < source->nlinks; j++)
		{
			hash = hash_combine(hash, murmurhash32(source->links[j]));
			hash = hash_combine(hash, murmurhash32(source->link_types[j]));
		}
		if (source->sql != NULL)
			hash = hash_combine(hash, string_hash(source->sql,
												  strlen(source->sql) + 1));
	}
	foreach(lc, plan->lookups)
		hash = hash_combine(hash,
							murmurhash32(((TviewLookup *) lfirst(lc))->tag));
	return hash;
}

/*
 * Raise an error if metadata that were restored, or written by hand, name
 * another column for the key than the TVIEW has.
 */
static void
check_key_column(const Tview *entry)
{
	Oid			constraint;
	Bitmapset  *key = get_primary_key_attnos(entry->tview, false, &constraint);
	AttrNumber	attno = get_attnum(entry->tview, entry->key_column);

	if (attno > 0 && (key == NULL ||
					  bms_is_member(attno - FirstLowInvalidHeapAttributeNumber, key)))
		return;
	tview_graph_report_damaged(entry, psprintf("Column \"%s\" is not the primary key of %s.",
											   entry->key_column,
											   tview_name_qualified(entry->tview)));
}

/*
 * tview_plan_build - make a plan, in the current memory context
 *
 * Raises an error if a source has no way to the key.  name is the TVIEW's,
 * for messages.  key_column is that of a TVIEW that is being made; NULL: the one
 * that it has.
 *
 * Who first needs it may be any writer, and constants are computed on the way, by
 * functions of the definition and of indexes.  So that is done as the owner.
 */
TviewPlan *
tview_plan_build(Oid tview, Oid view, const char *name,
				 const char *key_column, const TviewOptions *options)
{
	TviewPlan  *plan = palloc0(sizeof(TviewPlan));
	Relation	rel = table_open(tview, AccessShareLock);
	TviewExpansion *expansion;
	char	   *entity = get_rel_name(tview) + strlen(TVIEW_TABLE_PREFIX);
	TviewDerivation *derivation;
	Tview	   *known = tview_graph_find(tview);
	TviewOwnerContext saved;

	plan->tview = tview;
	plan->view = view;
	plan->owner = rel->rd_rel->relowner;
	tview_owner_enter(&saved, plan->owner, true);
	expansion = tview_expand(tview_view_query(view));
	plan->name = tview_name_qualified(tview);
	plan->view_sql = tview_name_qualified(view);
	plan->has_deferred = has_deferred_trigger(rel);
	(void) get_primary_key_attnos(tview, false, &plan->key_constraint);
	plan->columns = view_columns(view);
	if (key_column == NULL && known != NULL)
	{
		check_key_column(known);
		key_column = known->key_column;
	}
	plan->key_column = key_column != NULL ? pstrdup(key_column) :
		tview_name_join(TVIEW_KEY_PREFIX, entity);
	set_key(plan);

	derivation = tview_derive(expansion->query, plan->key_column, name,
							  options);
	plan->unique = derivation->unique;
	plan->nullable = derivation->nullable;
	set_sources(plan, derivation->sources);
	set_lookups(plan);
	plan->roots = derivation->roots;
	plan->root_rtindex = derivation->root_rtindex;
	plan->parts = derivation->parts;
	plan->policies = tview_policies_describe(expansion->tables, plan->owner);
	for (int i = 0; i < plan->nsources; i++)
		tview_policies_add_columns(&plan->sources[i], plan->owner);

	/* rows of a table have no order, but the order may say which there are */
	if (!expansion->query->hasDistinctOn &&
		expansion->query->limitCount == NULL &&
		expansion->query->limitOffset == NULL)
		expansion->query->sortClause = NIL;
	plan->query = expansion->query;
	plan->select_sql = pg_get_querydef(copyObject(plan->query), false);
	plan->keys_sql = pg_get_querydef(tview_restrict(plan->query,
													plan->key_column,
													&plan->pushes_keys),
									 false);

	set_relids(plan, expansion);
	plan->helpers = expansion->helpers;
	plan->generation = tview_graph_generation();
	add_reads(plan, tview_reads_tables(options));
	plan->derive = palloc0(sizeof(SPIPlanPtr) * plan->nsources);
	plan->fingerprint = make_fingerprint(plan);

	/* table first, view second, as ALTER TABLE ... RENAME does it */
	table_close(rel, NoLock);
	tview_owner_leave(&saved);
	return plan;
}

/*
 * tview_plan_roots - tables whose rows give the TVIEW its keys, as OIDs
 */
List *
tview_plan_roots(const TviewPlan *plan)
{
	return plan->roots;
}

/*
 * tview_plan_parts_sql - the definition cut down to its key and some parts
 */
char *
tview_plan_parts_sql(const TviewPlan *plan, uint64 parts)
{
	int			nest_level = tview_fix_settings();
	Query	   *query = tview_parts_query(plan->query, plan->parts, parts,
										  plan->key_column,
										  plan->root_rtindex);
	char	   *result = pg_get_querydef(query, false);

	AtEOXact_GUC(false, nest_level);
	return result;
}

static TviewPlan *
find_plan(Oid tview)
{
	ListCell   *lc;

	foreach(lc, plans)
	{
		TviewPlan  *plan = lfirst(lc);

		if (plan->tview == tview)
			return plan;
	}
	return NULL;
}

/*
 * Make a plan, and keep no lock on what it reads.  A plan from the cache comes
 * without any, too.  With them, a writer would hold a table that DDL is about
 * to lock against readers, and then wait for the TVIEW, which DDL has locked.
 */
static TviewPlan *
build_unlocked(const Tview *entry)
{
	ResourceOwner outer = CurrentResourceOwner;
	ResourceOwner owner = ResourceOwnerCreate(outer, "pg_tviews plan");
	TviewPlan  *plan;

	/* after an error, it goes with its parent */
	CurrentResourceOwner = owner;
	PG_TRY();
	{
		plan = tview_plan_build(entry->tview, entry->view,
								tview_name_qualified(entry->tview), NULL,
								tview_graph_options(entry));
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = outer;
	}
	PG_END_TRY();
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_BEFORE_LOCKS, true, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_LOCKS, false, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_AFTER_LOCKS, true, false);
	ResourceOwnerDelete(owner);
	return plan;
}

/* Prepared statements have memory of their own, which isn't counted. */
static void
report_size(void)
{
	uint64		bytes = 0;
	ListCell   *lc;

	foreach(lc, plans)
		bytes += MemoryContextMemAllocated(((TviewPlan *) lfirst(lc))->context,
										   true);
	tview_activity_cache(TVIEW_CACHE_PLAN, list_length(plans), bytes);
}

/*
 * Are the plain views that it reads still such?  One is the view of a TVIEW again
 * after metadata that were lost have been restored.
 */
static bool
is_read_as_before(TviewPlan *plan)
{
	ListCell   *lc;

	if (plan->generation == tview_graph_generation())
		return true;
	foreach(lc, plan->helpers)
		if (tview_graph_find_view(lfirst_oid(lc)) != NULL)
		return false;
	plan->generation = tview_graph_generation();
	return true;
}

/*
 * tview_plan_get - the plan of a TVIEW, good to the end of the transaction
 *
 * Returns NULL if there is no such TVIEW (any more), which may be so although
 * the metadata has it: event triggers don't fire in replica mode.
 */
TviewPlan *
tview_plan_get(Oid tview)
{
	TviewPlan  *plan = find_plan(tview);
	Tview	   *entry;
	MemoryContext context;
	MemoryContext old;
	uint64		seen = invalidations;
	ListCell   *lc;

	if (plan != NULL && plan->valid && is_read_as_before(plan))
	{
		tview_cache_counters[TVIEW_CACHE_PLAN].hits++;
		return plan;
	}

	/* somebody may be dropping it: wait, and look after that */
	if (tview_graph_find(tview) == NULL)
		return NULL;
	LockRelationOid(tview, AccessShareLock);
	entry = tview_graph_find(tview);
	if (entry == NULL || !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(tview)))
	{
		UnlockRelationOid(tview, AccessShareLock);
		return NULL;
	}
	tview_graph_check(entry);
	context = AllocSetContextCreate(CurrentMemoryContext, "pg_tviews plan",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	plan = build_unlocked(entry);
	UnlockRelationOid(tview, AccessShareLock);
	plan->context = context;
	plan->valid = seen == invalidations;
	MemoryContextSetParent(context, CacheMemoryContext);

	MemoryContextSwitchTo(CacheMemoryContext);
	foreach(lc, plans)
	{
		TviewPlan  *other = lfirst(lc);

		if (other->tview != tview && tview_graph_find(other->tview) != NULL)
			continue;
		dead_plans = lappend(dead_plans, other);
		plans = foreach_delete_current(plans, lc);
	}
	plans = lappend(plans, plan);
	MemoryContextSwitchTo(old);
	plan_generation++;
	tview_cache_counters[TVIEW_CACHE_PLAN].misses++;
	report_size();
	return plan;
}

/*
 * tview_plan_generation - changes whenever a plan may have
 */
uint64
tview_plan_generation(void)
{
	return plan_generation + invalidations;
}

static void
invalidate(TviewPlan *plan)
{
	if (plan->valid)
		tview_cache_counters[TVIEW_CACHE_PLAN].invalidations++;
	plan->valid = false;
}

/*
 * tview_plan_invalidate - part of the relcache callback
 *
 * May be called at any time, so it only takes a note.
 */
void
tview_plan_invalidate(Oid relid)
{
	ListCell   *lc;

	invalidations++;
	foreach(lc, plans)
	{
		TviewPlan  *plan = lfirst(lc);

		if (!OidIsValid(relid) || list_member_oid(plan->relids, relid))
			invalidate(plan);
	}
}

/*
 * tview_plan_invalidate_type - part of the syscache callback for types
 *
 * hash 0 stands for all.
 */
void
tview_plan_invalidate_type(uint32 hash)
{
	ListCell   *lc;

	invalidations++;
	foreach(lc, plans)
	{
		TviewPlan  *plan = lfirst(lc);

		if (hash == 0 || list_member_int(plan->types, (int) hash))
			invalidate(plan);
	}
}

static void
free_plan(TviewPlan *plan)
{
	ListCell   *lc;

	if (plan->apply != NULL)
		SPI_freeplan(plan->apply);
	foreach(lc, plan->apply_parts)
		SPI_freeplan(((TviewPartsStatement *) lfirst(lc))->statement);
	if (plan->duplicates != NULL)
		SPI_freeplan(plan->duplicates);
	if (plan->nulls != NULL)
		SPI_freeplan(plan->nulls);
	for (int i = 0; i < plan->nsources; i++)
	{
		if (plan->derive[i] != NULL)
			SPI_freeplan(plan->derive[i]);
		foreach(lc, plan->sources[i].steps)
			if (((TviewStep *) lfirst(lc))->statement != NULL)
			SPI_freeplan(((TviewStep *) lfirst(lc))->statement);
	}
	MemoryContextDelete(plan->context);
}

/*
 * tview_plan_at_xact_end - free the plans that have been replaced
 */
void
tview_plan_at_xact_end(void)
{
	ListCell   *lc;

	if (dead_plans == NIL)
		return;
	foreach(lc, dead_plans)
		free_plan(lfirst(lc));
	list_free(dead_plans);
	dead_plans = NIL;
}
