/*-------------------------------------------------------------------------
 *
 * columns.c
 *	  Changing the columns of a TVIEW's view and table.
 *
 * The server adds columns to a view, at its end, but doesn't remove any.  To
 * make the view anew would take along what depends on it, and its privileges
 * and comments.  So columns are removed in place, in the catalogs: those after
 * them get lower numbers, in all catalogs that number a relation's columns.
 * The columns that stay keep their order, and new ones come last.
 *
 *	1. tview_columns_begin(): refuse if anything needs what goes away; take
 *	   the definitions of the views that read this one as text
 *	2. tview_columns_change()
 *	3. the caller stores the new query of the view
 *	4. tview_columns_end(): store the definitions of the views that read it,
 *	   parsed anew, so that they count its columns as they are now
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_description.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_seclabel.h"
#include "catalog/pg_shdepend.h"
#include "commands/tablecmds.h"
#include "commands/view.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteSupport.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "analyze/select.h"
#include "analyze/expand.h"
#include "base/names.h"
#include "base/owner.h"
#include "ddl/columns.h"
#include "ddl/create.h"
#include "ddl/definition.h"
#include "ddl/execute.h"
#include "ddl/row_type.h"

/* A view that reads the one whose columns change */
typedef struct DependentView
{
	Oid			view;
	char	   *sql;			/* its query */
	Bitmapset  *used;			/* numbers of the columns it uses, as they
								 * will be */
} DependentView;

/* ----------
 * What changes
 * ----------
 */

/*
 * tview_columns_count - how many columns a relation has, dropped ones included
 */
int
tview_columns_count(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	int			result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	result = ((Form_pg_class) GETSTRUCT(tuple))->relnatts;
	ReleaseSysCache(tuple);
	return result;
}

static TargetEntry *
find_output(Query *query, const char *name)
{
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst(lc);

		if (!tle->resjunk && strcmp(tle->resname, name) == 0)
			return tle;
	}
	return NULL;
}

static bool
has_type_of(Oid relid, AttrNumber attno, Node *expr)
{
	Oid			type;
	int32		typmod;
	Oid			collation;

	get_atttypetypmodcoll(relid, attno, &type, &typmod, &collation);
	return type == exprType(expr) && typmod == exprTypmod(expr) &&
		collation == exprCollation(expr);
}

/*
 * tview_columns_compare - how the columns of a view differ from a query's
 *
 * One that is to have another type is removed and added.
 */
TviewColumnChange *
tview_columns_compare(Oid view, Query *query)
{
	TviewColumnChange *change = palloc0(sizeof(TviewColumnChange));
	int			natts = tview_columns_count(view);
	ListCell   *lc;

	for (AttrNumber attno = 1; attno <= natts; attno++)
	{
		char	   *name = get_attname(view, attno, false);
		TargetEntry *tle = find_output(query, name);

		if (tle == NULL || !has_type_of(view, attno, (Node *) tle->expr))
			change->removed = lappend(change->removed, name);
	}
	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst(lc);
		Node	   *expr = (Node *) tle->expr;
		AttrNumber	attno;

		if (tle->resjunk)
			continue;
		attno = get_attnum(view, tle->resname);
		if (attno == InvalidAttrNumber || !has_type_of(view, attno, expr))
			change->added = lappend(change->added,
									makeColumnDef(tle->resname,
												  exprType(expr),
												  exprTypmod(expr),
												  exprCollation(expr)));
	}
	return change;
}

static bool
is_removed(const TviewColumnChange *change, const char *name)
{
	ListCell   *lc;

	foreach(lc, change->removed)
		if (strcmp(lfirst(lc), name) == 0)
		return true;
	return false;
}

/* Names of the view's columns as they will be. */
static List *
new_order(Oid view, const TviewColumnChange *change)
{
	List	   *result = NIL;
	int			natts = tview_columns_count(view);
	ListCell   *lc;

	for (AttrNumber attno = 1; attno <= natts; attno++)
	{
		char	   *name = get_attname(view, attno, false);

		if (!is_removed(change, name))
			result = lappend(result, name);
	}
	foreach(lc, change->added)
		result = lappend(result, ((ColumnDef *) lfirst(lc))->colname);
	return result;
}

static char *
join_names(List *names)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	foreach(lc, names)
		appendStringInfo(&buf, "%s%s", foreach_current_index(lc) > 0 ? ", " : "",
						 quote_identifier(lfirst(lc)));
	return buf.data;
}

/*
 * tview_columns_sort - put the outputs of a query into the order that the
 * view's columns will have
 *
 * Call it before tview_columns_change().
 */
void
tview_columns_sort(Oid view, const TviewColumnChange *change, Query *query,
				   const char *name)
{
	List	   *names = new_order(view, change);
	List	   *sorted = NIL;
	bool		moved = false;
	ListCell   *lc;

	foreach(lc, names)
	{
		TargetEntry *tle = find_output(query, lfirst(lc));

		moved |= tle->resno != foreach_current_index(lc) + 1;
		sorted = lappend(sorted, tle);
	}
	if (moved && query->setOperations != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("definition of TVIEW \"%s\" has its columns in another order",
						name),
				 errdetail("Those of a set operation can't be put into the order that the columns of the view have."),
				 errhint("Select them in this order: %s.", join_names(names))));
	foreach(lc, query->targetList)
		if (((TargetEntry *) lfirst(lc))->resjunk)
		sorted = lappend(sorted, lfirst(lc));
	foreach(lc, sorted)
		((TargetEntry *) lfirst(lc))->resno = foreach_current_index(lc) + 1;
	query->targetList = sorted;
}

/* ----------
 * What depends on the columns
 * ----------
 */

static void
find_rule(Oid rule, Oid *relid, bool *is_view)
{
	Relation	rel = table_open(RewriteRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Form_pg_rewrite form;

	ScanKeyInit(&key, Anum_pg_rewrite_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(rule));
	scan = systable_beginscan(rel, RewriteOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "could not find rule %u", rule);
	form = (Form_pg_rewrite) GETSTRUCT(tuple);
	*relid = form->ev_class;
	*is_view = strcmp(NameStr(form->rulename), ViewSelectRuleName) == 0 &&
		get_rel_relkind(*relid) == RELKIND_VIEW;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/* Does a query give the columns of this view other names, by position? */
static bool
counts_columns_walker(Node *node, Oid *view)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, counts_columns_walker, view,
								 QTW_EXAMINE_RTES_BEFORE);
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;

		return rte->rtekind == RTE_RELATION && rte->relid == *view &&
			rte->alias != NULL && rte->alias->colnames != NIL;
	}
	return expression_tree_walker(node, counts_columns_walker, view);
}

static bool
counts_columns(Oid dependent, Oid view)
{
	return counts_columns_walker((Node *) tview_view_query(dependent), &view);
}

/* Columns of a relation that each of its dependents uses */
typedef struct Use
{
	ObjectAddress object;
	Bitmapset  *columns;
} Use;

static Use *
find_use(List *uses, Oid classid, Oid objid)
{
	ListCell   *lc;

	foreach(lc, uses)
	{
		Use		   *use = lfirst(lc);

		if (use->object.classId == classid && use->object.objectId == objid)
			return use;
	}
	return NULL;
}

static List *
find_uses(Oid relid)
{
	Relation	rel = table_open(DependRelationId, AccessShareLock);
	List	   *result = NIL;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(RelationRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, DependReferenceIndexId, true, NULL,
							  lengthof(keys), keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);
		Use		   *use = find_use(result, form->classid, form->objid);

		if (form->deptype != DEPENDENCY_NORMAL)
			continue;
		if (use == NULL)
		{
			use = palloc0(sizeof(Use));
			ObjectAddressSet(use->object, form->classid, form->objid);
			result = lappend(result, use);
		}
		if (form->refobjsubid > 0)
			use->columns = bms_add_member(use->columns, form->refobjsubid);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/* The new number of each column; 0 for one that goes. */
static AttrNumber *
new_numbers(Oid relid, const TviewColumnChange *change)
{
	int			natts = tview_columns_count(relid);
	AttrNumber *map = palloc0(sizeof(AttrNumber) * (natts + 1));
	AttrNumber	next = 1;

	for (AttrNumber attno = 1; attno <= natts; attno++)
	{
		char	   *name = get_attname(relid, attno, true);

		if (name != NULL && !is_removed(change, name))
			map[attno] = next++;
	}
	return map;
}

static void
note_problem(StringInfo problems, const ObjectAddress *address,
			 const char *what)
{
	Oid			relid;
	bool		is_view;
	char	   *object = getObjectDescription(address, false);

	if (address->classId == RewriteRelationId)
	{
		find_rule(address->objectId, &relid, &is_view);
		if (is_view)
			object = psprintf("view %s", tview_name_qualified(relid));
	}
	if (problems->len > 0)
		appendStringInfoChar(problems, '\n');
	appendStringInfo(problems, "%s %s.", object, what);
}

/* Say of a dependent which columns that go away it needs. */
static void
check_use(const Use *use, Oid relid, const AttrNumber *map,
		  StringInfo problems)
{
	List	   *names = NIL;
	int			attno = -1;

	while ((attno = bms_next_member(use->columns, attno)) >= 0)
		if (map[attno] == 0)
			names = lappend(names, get_attname(relid, attno, false));
	if (names != NIL)
		note_problem(problems, &use->object,
					 psprintf("needs column %s of %s", join_names(names),
							  tview_name_qualified(relid)));
}

static DependentView *
make_dependent(const Use *use, Oid relid, const AttrNumber *map)
{
	DependentView *result = palloc0(sizeof(DependentView));
	int			attno = -1;

	result->view = relid;
	result->sql = tview_definition_of_view(relid);
	while ((attno = bms_next_member(use->columns, attno)) >= 0)
		result->used = bms_add_member(result->used, map[attno]);
	return result;
}

/*
 * tview_columns_begin - can the columns go? What reads the view?
 *
 * Returns the views that tview_columns_end() is to store anew.
 */
List *
tview_columns_begin(Oid tview, Oid view, const TviewColumnChange *change)
{
	AttrNumber *view_map = new_numbers(view, change);
	AttrNumber *table_map = new_numbers(tview, change);
	List	   *result = NIL;
	StringInfoData problems;
	ListCell   *lc;

	if (change->removed == NIL)
		return NIL;
	initStringInfo(&problems);
	foreach(lc, find_uses(tview))
		check_use(lfirst(lc), tview, table_map, &problems);
	foreach(lc, find_uses(view))
	{
		Use		   *use = lfirst(lc);
		int			length = problems.len;
		Oid			relid = InvalidOid;
		bool		is_view = false;

		if (use->object.classId == RelationRelationId &&
			use->object.objectId == tview)
			continue;
		check_use(use, view, view_map, &problems);
		if (problems.len > length)
			continue;
		if (use->object.classId == RewriteRelationId)
			find_rule(use->object.objectId, &relid, &is_view);
		if (!is_view)
			note_problem(&problems, &use->object,
						 "counts columns of the view");
		else if (relid != view && counts_columns(relid, view))
			note_problem(&problems, &use->object,
						 "gives the columns of the view names by their position");
		else if (relid != view)
			result = lappend(result, make_dependent(use, relid, view_map));
	}
	foreach(lc, tview_row_type_users(view))
		note_problem(&problems, lfirst(lc), "counts columns of the view");
	if (problems.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot remove or change columns of TVIEW %s because other objects need them",
						tview_name_qualified(tview)),
				 errdetail("%s", problems.data),
				 errhint("Change or drop those objects first.")));
	return result;
}

/* ----------
 * The change
 * ----------
 */

/*
 * Number the columns of a relation anew in one catalog, where they are in
 * attribute number "number", and delete what belongs to columns that go.
 */
static void
renumber(Oid catalog, Oid index, ScanKeyData *keys, int nkeys,
		 AttrNumber number, const AttrNumber *map)
{
	Relation	rel = table_open(catalog, RowExclusiveLock);
	TupleDesc	desc = RelationGetDescr(rel);
	bool		is_short = TupleDescAttr(desc, number - 1)->attlen == sizeof(int16);
	Datum	   *values = palloc0(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc0(sizeof(bool) * desc->natts);
	bool	   *replaces = palloc0(sizeof(bool) * desc->natts);
	SysScanDesc scan = systable_beginscan(rel, index, true, NULL, nkeys, keys);
	HeapTuple	tuple;

	replaces[number - 1] = true;
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		value = heap_getattr(tuple, number, desc, &isnull);
		int			old = is_short ? DatumGetInt16(value) : DatumGetInt32(value);

		if (old <= 0 || map[old] == old)
			continue;
		if (map[old] == 0)
		{
			CatalogTupleDelete(rel, &tuple->t_self);
			continue;
		}
		values[number - 1] = is_short ? Int16GetDatum(map[old]) :
			Int32GetDatum(map[old]);
		CatalogTupleUpdate(rel, &tuple->t_self,
						   heap_modify_tuple(tuple, desc, values, nulls,
											 replaces));
	}
	systable_endscan(scan);
	table_close(rel, NoLock);
}

static void
init_key(ScanKeyData *key, AttrNumber column, Oid value)
{
	ScanKeyInit(key, column, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(value));
}

/* Number the columns of a view anew, wherever they are numbered. */
static void
renumber_view(Oid view, const AttrNumber *map, int natts)
{
	Relation	rel;
	HeapTuple	tuple;
	ScanKeyData keys[3];

	init_key(&keys[0], Anum_pg_attribute_attrelid, view);
	renumber(AttributeRelationId, AttributeRelidNumIndexId, keys, 1,
			 Anum_pg_attribute_attnum, map);
	init_key(&keys[0], Anum_pg_depend_classid, RelationRelationId);
	init_key(&keys[1], Anum_pg_depend_objid, view);
	renumber(DependRelationId, DependDependerIndexId, keys, 2,
			 Anum_pg_depend_objsubid, map);
	init_key(&keys[0], Anum_pg_description_objoid, view);
	init_key(&keys[1], Anum_pg_description_classoid, RelationRelationId);
	renumber(DescriptionRelationId, DescriptionObjIndexId, keys, 2,
			 Anum_pg_description_objsubid, map);
	init_key(&keys[0], Anum_pg_seclabel_objoid, view);
	init_key(&keys[1], Anum_pg_seclabel_classoid, RelationRelationId);
	renumber(SecLabelRelationId, SecLabelObjectIndexId, keys, 2,
			 Anum_pg_seclabel_objsubid, map);
	init_key(&keys[0], Anum_pg_shdepend_dbid, MyDatabaseId);
	init_key(&keys[1], Anum_pg_shdepend_classid, RelationRelationId);
	init_key(&keys[2], Anum_pg_shdepend_objid, view);
	renumber(SharedDependRelationId, SharedDependDependerIndexId, keys, 3,
			 Anum_pg_shdepend_objsubid, map);

	rel = table_open(RelationRelationId, RowExclusiveLock);
	tuple = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(view));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", view);
	((Form_pg_class) GETSTRUCT(tuple))->relnatts = natts;
	CatalogTupleUpdate(rel, &tuple->t_self, tuple);
	table_close(rel, RowExclusiveLock);
	CommandCounterIncrement();
}

static void
remove_from_view(Oid view, const TviewColumnChange *change)
{
	Relation	rel = table_open(view, AccessExclusiveLock);
	int			natts = RelationGetNumberOfAttributes(rel) -
	list_length(change->removed);

	find_composite_type_dependencies(rel->rd_rel->reltype, rel, NULL);
	table_close(rel, NoLock);
	renumber_view(view, new_numbers(view, change), natts);
}

static void
add_to_view(Oid view, const TviewColumnChange *change)
{
	List	   *commands = NIL;
	ListCell   *lc;

	foreach(lc, change->added)
	{
		AlterTableCmd *command = makeNode(AlterTableCmd);

		command->subtype = AT_AddColumnToView;
		command->def = (Node *) lfirst(lc);
		commands = lappend(commands, command);
	}
	AlterTableInternal(view, commands, true);
	CommandCounterIncrement();
}

/*
 * tview_columns_change - remove columns from table and view, and add to the
 * view; the table follows in tview_columns_add()
 */
void
tview_columns_change(Oid tview, Oid view, const TviewColumnChange *change)
{
	ListCell   *lc;

	foreach(lc, change->removed)
		tview_execute("ALTER TABLE %s DROP COLUMN %s",
					  tview_name_qualified(tview),
					  quote_identifier(lfirst(lc)));
	if (change->removed != NIL)
		remove_from_view(view, change);
	if (change->added != NIL)
		add_to_view(view, change);
}

/*
 * tview_columns_end - store the queries of the views that read this one anew
 *
 * That they use the same columns as before is checked, not taken for granted.
 */
void
tview_columns_end(Oid view, List *dependents)
{
	ListCell   *lc;

	foreach(lc, dependents)
	{
		DependentView *dependent = lfirst(lc);
		TviewOwnerContext saved;

		tview_owner_enter(&saved, tview_owner_of(dependent->view), true);
		StoreViewQuery(dependent->view,
					   tview_select_parse(dependent->sql,
										  get_rel_name(dependent->view)),
					   true);
		CommandCounterIncrement();
		tview_owner_leave(&saved);
	}
	foreach(lc, dependents)
	{
		DependentView *dependent = lfirst(lc);
		bool		same = false;
		ListCell   *use;

		foreach(use, find_uses(view))
		{
			Use		   *candidate = lfirst(use);
			Oid			relid = InvalidOid;
			bool		is_view;

			if (candidate->object.classId == RewriteRelationId)
				find_rule(candidate->object.objectId, &relid, &is_view);
			if (relid == dependent->view)
				same = bms_equal(candidate->columns, dependent->used);
		}
		if (!same)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot remove columns of view %s",
							tview_name_qualified(view)),
					 errdetail("View %s would read other columns than before.",
							   tview_name_qualified(dependent->view)),
					 errhint("Drop that view first.")));
	}
}

/*
 * tview_columns_check_new - a column that a view gets may not be one that a
 * user has added to the table
 */
void
tview_columns_check_new(Oid tview, const char *column)
{
	if (get_attnum(tview, column) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("column \"%s\" of table %s already exists", column,
						tview_name_qualified(tview)),
				 errdetail("It was added to the table, and is no column of the view."),
				 errhint("Drop or rename it, or give the new column of the definition another name.")));
}

/*
 * tview_columns_missing - names of columns that the view has and the table
 * hasn't
 */
List *
tview_columns_missing(Oid tview, Oid view)
{
	List	   *result = NIL;
	int			natts = tview_columns_count(view);

	for (AttrNumber attno = 1; attno <= natts; attno++)
	{
		char	   *name = get_attname(view, attno, false);

		if (get_attnum(tview, name) == InvalidAttrNumber)
			result = lappend(result, name);
	}
	return result;
}

/*
 * tview_columns_add - add a column of the view to the table
 */
void
tview_columns_add(Oid tview, Oid view, const char *column)
{
	Oid			type;
	int32		typmod;
	Oid			collation;
	int			nest_level = tview_fix_settings();

	get_atttypetypmodcoll(view, get_attnum(view, column), &type, &typmod,
						  &collation);
	tview_execute("ALTER TABLE %s ADD COLUMN %s %s%s%s",
				  tview_name_qualified(tview), quote_identifier(column),
				  format_type_with_typemod(type, typmod),
				  OidIsValid(collation) ? " COLLATE " : "",
				  OidIsValid(collation) ? generate_collation_name(collation) : "");
	AtEOXact_GUC(false, nest_level);
}
