/*-------------------------------------------------------------------------
 *
 * types.c
 *	  What equality means for a type.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "base/types.h"

/*
 * tview_type_is_image_equal - have equal values always the same bytes?
 *
 * What the btree operator class says, which deduplication of indexes asks
 * too.  False for numeric, for instance: 1.0 equals 1.00.  And for char(n), of
 * which it says so as columns have one length: values of several lengths meet
 * in a set operation, and a bpchar has none.
 */
bool
tview_type_is_image_equal(Oid type, Oid collation)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);
	Oid			function;

	if (!OidIsValid(entry->btree_opf) || entry->btree_opintype == BPCHAROID)
		return false;
	function = get_opfamily_proc(entry->btree_opf, entry->btree_opintype,
								 entry->btree_opintype, BTEQUALIMAGE_PROC);
	return OidIsValid(function) &&
		DatumGetBool(OidFunctionCall1Coll(function, collation,
										  ObjectIdGetDatum(entry->btree_opintype)));
}

/*
 * tview_type_of_elements - the type of an array's elements that can hold
 * values of this type
 *
 * There are no arrays of arrays, and unnest() takes rows apart; such values
 * are handed over as text.
 */
Oid
tview_type_of_elements(Oid type)
{
	if (!OidIsValid(get_array_type(type)) || type_is_rowtype(type))
		return TEXTOID;
	return type;
}

/*
 * tview_type_hash_functions - functions that agree with an equality operator
 *
 * They hash its left and its right operand.  Returns false if there are none, or
 * not for these types: those of arrays and rows depend on the elements'.
 */
bool
tview_type_hash_functions(Oid opno, Oid left, Oid right, Oid *functions)
{
	return OidIsValid(lookup_type_cache(left, TYPECACHE_HASH_PROC)->hash_proc) &&
		OidIsValid(lookup_type_cache(right, TYPECACHE_HASH_PROC)->hash_proc) &&
		get_op_hash_functions(opno, &functions[0], &functions[1]);
}

/*
 * tview_hash_value - add the hash of a value to that of those before, 0 for none
 *
 * By a hash function of one family, values that are equal have the same hash,
 * those of different types too.
 */
uint32
tview_hash_value(uint32 hash, FmgrInfo *function, Oid collation, Datum value)
{
	return hash_combine(hash,
						DatumGetUInt32(FunctionCall1Coll(function, collation,
														 value)));
}
