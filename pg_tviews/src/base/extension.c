/*-------------------------------------------------------------------------
 *
 * extension.c
 *	  Where the extension's own objects are.
 *
 * The extension may live in any schema, and that schema may be renamed, so
 * everything is looked up when it is needed.  Nothing here is on the path of
 * a refresh: the callers keep what they find in their own caches.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/extension.h"

/*
 * tview_extension_oid - the extension, or InvalidOid in a database without
 */
Oid
tview_extension_oid(void)
{
	return get_extension_oid(TVIEW_EXTENSION_NAME, true);
}

/*
 * tview_extension_schema - schema of the extension's objects, or InvalidOid
 */
Oid
tview_extension_schema(void)
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			schema = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum(TVIEW_EXTENSION_NAME));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		schema = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return schema;
}

/*
 * tview_extension_table - one of the extension's tables
 */
Oid
tview_extension_table(const char *name, bool missing_ok)
{
	Oid			schema = tview_extension_schema();
	Oid			relid = OidIsValid(schema) ?
	get_relname_relid(name, schema) : InvalidOid;

	if (!OidIsValid(relid) && !missing_ok)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"%s\" is not installed in this database",
						TVIEW_EXTENSION_NAME),
				 errhint("Run CREATE EXTENSION %s.", TVIEW_EXTENSION_NAME)));
	return relid;
}

/*
 * tview_extension_function - one of the extension's functions
 *
 * argtype is that of its only argument, or InvalidOid if it has none.
 */
Oid
tview_extension_function(const char *name, Oid argtype)
{
	char	   *schema = get_namespace_name(tview_extension_schema());
	List	   *qualified = list_make2(makeString(schema),
									   makeString(pstrdup(name)));

	return LookupFuncName(qualified, OidIsValid(argtype) ? 1 : 0, &argtype,
						  false);
}

/*
 * tview_extension_qualify - name of one of the extension's objects, for SQL
 */
char *
tview_extension_qualify(const char *name)
{
	return quote_qualified_identifier(get_namespace_name(tview_extension_schema()),
									  name);
}

/*
 * tview_extension_sql - a statement in which $ before a dot stands for our schema
 */
char *
tview_extension_sql(const char *sql)
{
	const char *schema = quote_identifier(get_namespace_name(tview_extension_schema()));
	StringInfoData buf;

	initStringInfo(&buf);
	for (const char *p = sql; *p != '\0'; p++)
		if (p[0] == '$' && p[1] == '.')
			appendStringInfoString(&buf, schema);
		else
			appendStringInfoChar(&buf, *p);
	return buf.data;
}
