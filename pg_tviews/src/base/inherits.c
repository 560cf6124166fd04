/*-------------------------------------------------------------------------
 *
 * inherits.c
 *	  Partitions and child tables.
 *
 * The rows of a table are also those of its partitions, or of the tables that
 * inherit from it.  The server keeps both in pg_inherits.  Nothing is locked
 * here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/inherits.h"

static List *
add_ancestors(List *ancestors, Relation inherits, Oid relid)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true, NULL,
							  1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			parent = ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent;

		if (list_member_oid(ancestors, parent))
			continue;
		ancestors = lappend_oid(ancestors, parent);
		ancestors = add_ancestors(ancestors, inherits, parent);
	}
	systable_endscan(scan);
	return ancestors;
}

/*
 * tview_inherits_ancestors - tables whose rows are also those of this one:
 * it is a partition or a child of theirs, at any depth
 */
List *
tview_inherits_ancestors(Oid relid)
{
	Relation	inherits = table_open(InheritsRelationId, AccessShareLock);
	List	   *result = add_ancestors(NIL, inherits, relid);

	table_close(inherits, AccessShareLock);
	return result;
}

/*
 * tview_inherits_trees - these tables and all below them, each once, in the
 * order of OIDs
 *
 * Those that have been dropped are left out.
 */
List *
tview_inherits_trees(List *relids)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, relids)
		if (get_rel_relkind(lfirst_oid(lc)) != '\0')
		result = list_concat(result,
							 find_all_inheritors(lfirst_oid(lc), NoLock, NULL));
	list_sort(result, list_oid_cmp);
	list_deduplicate_oid(result);
	return result;
}

/*
 * tview_inherits_has_children - are there tables that inherit from this one?
 * Partitions don't count: what a constraint or index of a partitioned table
 * says holds for all of its rows.
 */
bool
tview_inherits_has_children(Oid relid)
{
	return get_rel_relkind(relid) == RELKIND_RELATION && has_subclass(relid);
}

/*
 * tview_inherits_rows - so many rows a table and all below it have, as far as
 * the server knows; -1 if it doesn't
 */
double
tview_inherits_rows(Oid relid)
{
	double		result = 0;
	ListCell   *lc;

	foreach(lc, find_all_inheritors(relid, NoLock, NULL))
	{
		HeapTuple	tuple = SearchSysCache1(RELOID,
											ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_class form;

		if (!HeapTupleIsValid(tuple))
			continue;
		form = (Form_pg_class) GETSTRUCT(tuple);
		if (form->relkind != RELKIND_PARTITIONED_TABLE && result >= 0)
			result = form->reltuples < 0 ? -1 : result + form->reltuples;
		ReleaseSysCache(tuple);
	}
	return result;
}
