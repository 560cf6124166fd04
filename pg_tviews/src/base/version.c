/*-------------------------------------------------------------------------
 *
 * version.c
 *	  Do the library and the objects of the extension go together?
 *
 * A library is replaced in all databases at once, when sessions begin or the
 * server starts, and the objects of each by ALTER EXTENSION.  In between the
 * columns of tables and the arguments of functions may be others than the
 * library takes them for.  So it does nothing for TVIEWs then, and raises an error
 * where it would have to, but for ALTER and DROP EXTENSION.
 *
 * That is looked up when the graph of TVIEWs is loaded, which is before
 * anything else, and again after ALTER EXTENSION.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "base/extension.h"
#include "base/version.h"

/* Version of the objects, or NULL in a database without. */
static char *
installed_version(void)
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *result = NULL;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum(TVIEW_EXTENSION_NAME));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		result = TextDatumGetCString(heap_getattr(tuple,
												  Anum_pg_extension_extversion,
												  RelationGetDescr(rel),
												  &isnull));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/* Is one version, as numbers, later than another? */
static bool
is_later(const char *version, const char *other)
{
	int			a[3] = {0};
	int			b[3] = {0};

	(void) sscanf(version, "%d.%d.%d", &a[0], &a[1], &a[2]);
	(void) sscanf(other, "%d.%d.%d", &b[0], &b[1], &b[2]);
	for (int i = 0; i < 3; i++)
		if (a[i] != b[i])
			return a[i] > b[i];
	return false;
}

/*
 * tview_version_matches - do they?  True in a database without the extension
 */
bool
tview_version_matches(void)
{
	char	   *installed = installed_version();

	return installed == NULL || strcmp(installed, TVIEW_VERSION) == 0;
}

/*
 * tview_version_check - raise an error if they don't
 */
void
tview_version_check(void)
{
	char	   *installed = installed_version();

	if (installed == NULL || strcmp(installed, TVIEW_VERSION) == 0 ||
		tview_version_is_changing())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("extension \"%s\" is of version %s in this database, and its library of version %s",
					TVIEW_EXTENSION_NAME, installed, TVIEW_VERSION),
			 errdetail("TVIEWs can't be maintained like that."),
			 is_later(installed, TVIEW_VERSION) ?
			 errhint("Install the library of version %s, if it is not there yet. Then begin a new session, and restart the server if shared_preload_libraries has the library.",
					 installed) :
			 errhint("Run ALTER EXTENSION %s UPDATE TO '%s'.",
					 TVIEW_EXTENSION_NAME, TVIEW_VERSION)));
}

/*
 * tview_version_is_changing - does a script of the extension run now?
 */
bool
tview_version_is_changing(void)
{
	return creating_extension &&
		CurrentExtensionObject == tview_extension_oid();
}
