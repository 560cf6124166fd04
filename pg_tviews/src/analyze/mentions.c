/*-------------------------------------------------------------------------
 *
 * mentions.c
 *	  What the text of a plan names besides tables.
 *
 * A plan has SQL text, which knows types by name, and attributes of composite
 * types.  When one of them gets another name, the text is out of date.  Which
 * they are is in the dependencies of the views that the plan was made from.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_type.h"
#include "rewrite/rewriteSupport.h"
#include "utils/fmgroids.h"

#include "analyze/mentions.h"

/* Add what the rule of a view depends on, as far as it is of one class. */
static List *
add_mentions(List *result, Oid view, Oid class)
{
	Relation	rel = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(RewriteRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber,
				F_OIDEQ,
				ObjectIdGetDatum(get_rewrite_oid(view, ViewSelectRuleName,
												 false)));
	scan = systable_beginscan(rel, DependDependerIndexId, true, NULL,
							  lengthof(keys), keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		if (form->refclassid == class)
			result = list_append_unique_oid(result, form->refobjid);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * tview_mentions_relations - relations, composite types among them
 */
List *
tview_mentions_relations(List *views)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, views)
		result = add_mentions(result, lfirst_oid(lc), RelationRelationId);
	return result;
}

/*
 * tview_mentions_types - types that are not the server's own
 */
List *
tview_mentions_types(List *views)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, views)
		result = add_mentions(result, lfirst_oid(lc), TypeRelationId);
	return result;
}
