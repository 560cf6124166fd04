/*-------------------------------------------------------------------------
 *
 * row_type.c
 *	  What is made of the row type of a view.
 *
 * Expressions that are stored as trees, in rules, defaults, policies and so
 * on, count the columns of a row type: constants and ROW() of that type, and
 * the results of functions.  None of these depends on a column in the
 * server's catalogs, only on the type, its array type, or such a function.
 *
 * Columns of tables are another matter: find_composite_type_dependencies().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "ddl/row_type.h"

/* Has a function a body or defaults that are stored as trees? */
static bool
has_trees(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = !heap_attisnull(tuple, Anum_pg_proc_prosqlbody, NULL) ||
		!heap_attisnull(tuple, Anum_pg_proc_proargdefaults, NULL);
	ReleaseSysCache(tuple);
	return result;
}

/* Is this an object with a tree that may count columns? */
static bool
counts_columns(const ObjectAddress *object)
{
	switch (object->classId)
	{
		case RewriteRelationId:
		case AttrDefaultRelationId:
		case ConstraintRelationId:
		case PolicyRelationId:
		case TriggerRelationId:
		case StatisticExtRelationId:
			return true;
		case ProcedureRelationId:
			return has_trees(object->objectId);
		case TypeRelationId:
			return get_typtype(object->objectId) == TYPTYPE_DOMAIN;
		case RelationRelationId:

			/* of expressions, or partitioned by some */
			return get_rel_relkind(object->objectId) != RELKIND_VIEW &&
				get_rel_relkind(object->objectId) != RELKIND_COMPOSITE_TYPE;
		default:
			return false;
	}
}

/* Add what depends on an object, and on types and functions among that. */
static List *
add_users(List *users, Relation depend, Oid class, Oid object)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(class));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(object));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL,
							  lengthof(keys), keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);
		ObjectAddress *user = palloc(sizeof(ObjectAddress));
		bool		known = form->classid == RelationRelationId &&
		form->objsubid != 0;	/* a column */
		ListCell   *lc;

		ObjectAddressSet(*user, form->classid, form->objid);
		foreach(lc, users)
			known |= ((ObjectAddress *) lfirst(lc))->classId == user->classId &&
			((ObjectAddress *) lfirst(lc))->objectId == user->objectId;
		if (known)
			continue;
		users = lappend(users, user);
		if (user->classId == TypeRelationId ||
			user->classId == ProcedureRelationId)
			users = add_users(users, depend, user->classId, user->objectId);
	}
	systable_endscan(scan);
	return users;
}

/*
 * tview_row_type_users - objects that may count the columns of a view's row
 * type, as a list of ObjectAddresses
 */
List *
tview_row_type_users(Oid view)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	List	   *users = add_users(NIL, depend, TypeRelationId,
								  get_rel_type_id(view));
	List	   *result = NIL;
	ListCell   *lc;

	table_close(depend, AccessShareLock);
	foreach(lc, users)
		if (counts_columns(lfirst(lc)))
		result = lappend(result, lfirst(lc));
	return result;
}
