/*-------------------------------------------------------------------------
 *
 * keys.c
 *	  A set of keys of a TVIEW.
 *
 * Keys with the same bytes are in it once.  For types in which values with
 * different bytes may be equal, the statement that takes the set removes the
 * other duplicates.
 *
 * A set lives in the memory context that is current when it is made.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/datum.h"

#include "base/types.h"
#include "capture/queue.h"
#include "refresh/keys.h"

typedef struct KeyEntry
{
	Datum		key;
	uint64		parts;
	uint32		hash;
	char		status;
} KeyEntry;

/* With more different sets of parts than that, rows are refreshed whole */
#define TVIEW_MAX_GROUPS	4

typedef struct TviewKeys
{
	const TviewPlan *plan;
	MemoryContext context;
	struct keyset_hash *hash;
	bool		has_null;		/* a row without a key may have come to be */
} TviewKeys;

#define SH_PREFIX keyset
#define SH_ELEMENT_TYPE KeyEntry
#define SH_KEY_TYPE Datum
#define SH_KEY key
#define SET_PLAN(tb) (((const TviewKeys *) (tb)->private_data)->plan)
#define SH_HASH_KEY(tb, k) \
	datum_image_hash(k, SET_PLAN(tb)->key_byval, SET_PLAN(tb)->key_len)
#define SH_EQUAL(tb, a, b) \
	datum_image_eq(a, b, SET_PLAN(tb)->key_byval, SET_PLAN(tb)->key_len)
#define SH_GET_HASH(tb, entry) (entry)->hash
#define SH_STORE_HASH
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * tview_keys_create - an empty set of keys of the plan's TVIEW
 */
TviewKeys *
tview_keys_create(const TviewPlan *plan)
{
	TviewKeys  *keys = palloc0(sizeof(TviewKeys));

	keys->plan = plan;
	keys->context = CurrentMemoryContext;
	keys->hash = keyset_create(CurrentMemoryContext, 16, keys);
	return keys;
}

/*
 * tview_keys_add - add a copy of the key, unless it is there, and the parts
 */
void
tview_keys_add(TviewKeys *keys, Datum key, bool isnull, uint64 parts)
{
	bool		found;
	KeyEntry   *entry;
	MemoryContext old;

	if (isnull)
	{
		keys->has_null = true;
		return;
	}
	entry = keyset_insert(keys->hash, key, &found);
	if (found)
	{
		entry->parts |= parts;
		return;
	}
	entry->parts = parts;
	old = MemoryContextSwitchTo(keys->context);
	entry->key = datumCopy(key, keys->plan->key_byval, keys->plan->key_len);
	MemoryContextSwitchTo(old);
}

/*
 * tview_keys_keep - have the keys refreshed once more before commit
 */
void
tview_keys_keep(const TviewKeys *keys)
{
	const TviewPlan *plan = keys->plan;
	TviewValueType type = {plan->key_len, plan->key_byval};
	keyset_iterator iterator;
	KeyEntry   *entry;
	bool		isnull = false;

	keyset_start_iterate(keys->hash, &iterator);
	while ((entry = keyset_iterate(keys->hash, &iterator)) != NULL)
		tview_queue_add(plan->tview, TVIEW_KEPT_KEY, plan->fingerprint,
						TVIEW_PART_ROW, 1, &entry->key, &isnull, &type);
}

static uint32
hash_key(const TviewPlan *plan, FmgrInfo *function, Datum key)
{
	if (OidIsValid(plan->key_hash_function))
		return tview_hash_value(0, function, plan->key_collation, key);
	return plan->key_image_equal ?
		datum_image_hash(key, plan->key_byval, plan->key_len) : 0;
}

/*
 * tview_keys_hash - hand over a hash of each key, the same for equal keys
 */
void
tview_keys_hash(const TviewKeys *keys, void (*add) (void *arg, uint32 hash),
				void *arg)
{
	keyset_iterator iterator;
	KeyEntry   *entry;
	FmgrInfo	function;

	if (OidIsValid(keys->plan->key_hash_function))
		fmgr_info(keys->plan->key_hash_function, &function);
	if (keys->has_null)
		add(arg, 0);
	keyset_start_iterate(keys->hash, &iterator);
	while ((entry = keyset_iterate(keys->hash, &iterator)) != NULL)
		add(arg, hash_key(keys->plan, &function, entry->key));
}

static TviewKeyGroup *
find_group(List *groups, uint64 parts)
{
	ListCell   *lc;

	foreach(lc, groups)
		if (((TviewKeyGroup *) lfirst(lc))->parts == parts)
		return lfirst(lc);
	return NULL;
}

/*
 * tview_keys_groups - the keys, sorted by what is to be refreshed of them
 *
 * Rows are refreshed whole if a key might have several, or if a constraint is
 * to be checked when all of them are done, which takes a single statement.
 */
List *
tview_keys_groups(const TviewKeys *keys)
{
	List	   *groups = NIL;
	keyset_iterator iterator;
	KeyEntry   *entry;

	keyset_start_iterate(keys->hash, &iterator);
	while ((entry = keyset_iterate(keys->hash, &iterator)) != NULL)
	{
		bool		whole = (entry->parts & TVIEW_PART_ROW) != 0 ||
		!keys->plan->unique || keys->plan->has_deferred;
		uint64		parts = whole ? TVIEW_PART_ROW : entry->parts;
		TviewKeyGroup *group = find_group(groups, parts);

		if (group == NULL && list_length(groups) >= TVIEW_MAX_GROUPS)
		{
			parts = TVIEW_PART_ROW;
			group = find_group(groups, parts);
		}
		if (group == NULL)
		{
			group = palloc(sizeof(TviewKeyGroup));
			group->parts = parts;
			group->count = 0;
			group->keys = MemoryContextAllocHuge(CurrentMemoryContext,
												 sizeof(Datum) * keys->hash->members);
			groups = lappend(groups, group);
		}
		group->keys[group->count++] = entry->key;
	}
	return groups;
}

/*
 * tview_keys_array - the keys of a group as an array of the key's type
 */
Datum
tview_keys_array(const TviewPlan *plan, const TviewKeyGroup *group)
{
	return PointerGetDatum(construct_array(group->keys, group->count,
										   plan->key_type, plan->key_len,
										   plan->key_byval, plan->key_align));
}
