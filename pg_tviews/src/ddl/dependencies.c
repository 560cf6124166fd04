/*-------------------------------------------------------------------------
 *
 * dependencies.c
 *	  What holds a TVIEW together in the server's catalogs.
 *
 * The table depends on the view, and the view on the extension.  So DROP
 * VIEW, DROP TABLE of a base table and DROP EXTENSION say what depends on
 * what they drop, and with CASCADE take it along.  The table also depends on
 * the functions and tables in its option "reads".
 *
 * pg_dump does not know of these dependencies.  After a restore they are
 * missing, so they are recorded again before the first statement that drops
 * anything.  One that was dropped while event triggers were disabled gets none.
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
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "base/extension.h"
#include "catalog/graph.h"
#include "catalog/reads.h"
#include "ddl/dependencies.h"

static bool
depends_on(Oid relid, Oid class, Oid object)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(RelationRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(depend, DependDependerIndexId, true, NULL,
							  lengthof(keys), keys);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		found = form->refclassid == class && form->refobjid == object;
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return found;
}

static void
record(Oid relid, Oid class, Oid object)
{
	ObjectAddress depender;
	ObjectAddress referenced;

	if (get_rel_relkind(relid) == '\0' || depends_on(relid, class, object))
		return;
	ObjectAddressSet(depender, RelationRelationId, relid);
	ObjectAddressSet(referenced, class, object);
	recordDependencyOn(&depender, &referenced, DEPENDENCY_NORMAL);
}

/*
 * tview_dependencies_record - of one TVIEW, as far as they are missing
 *
 * reads is a list of TviewReadsOids.
 */
void
tview_dependencies_record(Oid table, Oid view, List *reads)
{
	ListCell   *lc;

	record(table, RelationRelationId, view);
	record(view, ExtensionRelationId, tview_extension_oid());
	foreach(lc, reads)
	{
		TviewReadsOids *one = lfirst(lc);
		ListCell   *read;

		record(table, ProcedureRelationId, one->function);
		foreach(read, one->tables)
			record(table, RelationRelationId, lfirst_oid(read));
	}
}

/*
 * tview_dependencies_forget - a TVIEW's option "reads" is replaced
 */
void
tview_dependencies_forget(Oid table, List *reads)
{
	ListCell   *lc;

	foreach(lc, reads)
	{
		TviewReadsOids *one = lfirst(lc);
		ListCell   *read;

		(void) deleteDependencyRecordsForSpecific(RelationRelationId, table,
												  DEPENDENCY_NORMAL,
												  ProcedureRelationId,
												  one->function);
		foreach(read, one->tables)
			(void) deleteDependencyRecordsForSpecific(RelationRelationId, table,
													  DEPENDENCY_NORMAL,
													  RelationRelationId,
													  lfirst_oid(read));
	}
	CommandCounterIncrement();
}

/*
 * tview_dependencies_restore - of all TVIEWs
 */
void
tview_dependencies_restore(void)
{
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *tview = lfirst(lc);

		tview_dependencies_record(tview->tview, tview->view,
								  tview_reads_resolve(tview->options, true));
	}
	CommandCounterIncrement();
}
