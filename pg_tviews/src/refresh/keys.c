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
#include "utils/array.h"
#include "utils/datum.h"

#include "refresh/keys.h"

typedef struct KeyEntry
{
	Datum		key;
	uint32		hash;
	char		status;
} KeyEntry;

typedef struct TviewKeys
{
	const TviewPlan *plan;
	MemoryContext context;
	struct keyset_hash *hash;
	Datum	   *keys;
	int			count;
	int			allocated;
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
	keys->allocated = 16;
	keys->keys = palloc(sizeof(Datum) * keys->allocated);
	return keys;
}

/*
 * tview_keys_add - add a copy of the key, unless it is there
 */
void
tview_keys_add(TviewKeys *keys, Datum key)
{
	bool		found;
	KeyEntry   *entry = keyset_insert(keys->hash, key, &found);
	MemoryContext old;

	if (found)
		return;
	old = MemoryContextSwitchTo(keys->context);
	entry->key = datumCopy(key, keys->plan->key_byval, keys->plan->key_len);
	MemoryContextSwitchTo(old);
	if (keys->count == keys->allocated)
	{
		keys->allocated *= 2;
		keys->keys = repalloc_huge(keys->keys,
								   sizeof(Datum) * keys->allocated);
	}
	keys->keys[keys->count++] = entry->key;
}

int
tview_keys_count(const TviewKeys *keys)
{
	return keys->count;
}

/*
 * tview_keys_first - one of the keys of a set that has any
 */
Datum
tview_keys_first(const TviewKeys *keys)
{
	return keys->keys[0];
}

/*
 * tview_keys_array - the set as an array of the key's type
 */
Datum
tview_keys_array(const TviewKeys *keys)
{
	const TviewPlan *plan = keys->plan;

	return PointerGetDatum(construct_array(keys->keys, keys->count,
										   plan->key_type, plan->key_len,
										   plan->key_byval, plan->key_align));
}
