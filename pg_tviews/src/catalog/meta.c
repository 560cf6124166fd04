/*-------------------------------------------------------------------------
 *
 * meta.c
 *	  Rows of pg_tview_meta and pg_tview_helpers.
 *
 * Ordinary roles may only read these tables, so they are written as their
 * owner.  A statement trigger on pg_tview_meta tells all backends of every
 * change, whoever makes it: ours, and those of pg_restore.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/extension.h"
#include "base/owner.h"
#include "catalog/meta.h"

PG_FUNCTION_INFO_V1(pg_tviews_metadata_changed);

/* Columns of pg_tview_meta that are read from C */
enum
{
	META_ENTITY = 1,
	META_SCHEMA,
	META_TVIEW,
	META_VIEW,
	META_ROOT,
	META_KEY_COLUMN,
	META_DEFINITION,
	META_DEPENDENCIES,
	META_FK_COLUMNS,
	META_UUID_COLUMNS,
	META_OPTIONS,
	META_CREATED_AT,
	META_POLICIES
};

static bool finding = false;	/* tview_meta_find() runs a query */

static Datum
oid_array(List *oids)
{
	Datum	   *values = palloc(sizeof(Datum) * (list_length(oids) + 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, oids)
		values[n++] = ObjectIdGetDatum(lfirst_oid(lc));
	return PointerGetDatum(construct_array(values, n, REGCLASSOID,
										   sizeof(Oid), true, TYPALIGN_INT));
}

static Datum
name_array(List *names)
{
	Datum	   *values = palloc(sizeof(Datum) * (list_length(names) + 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, names)
		values[n++] = DirectFunctionCall1(namein,
										  CStringGetDatum(lfirst(lc)));
	return PointerGetDatum(construct_array(values, n, NAMEOID, NAMEDATALEN,
										   false, TYPALIGN_CHAR));
}

/* Run one statement as the owner of the metadata. */
static void
execute_as_metadata_owner(const char *sql, int nargs, Oid *types,
						  Datum *values)
{
	Relation	rel = table_open(tview_extension_table("pg_tview_meta", false),
								 RowExclusiveLock);
	TviewOwnerContext saved;

	tview_owner_enter(&saved, rel->rd_rel->relowner, true);
	SPI_connect();
	if (SPI_execute_with_args(sql, nargs, types, values, NULL, false, 0) < 0)
		elog(ERROR, "could not change the metadata: %s", sql);
	SPI_finish();
	tview_owner_leave(&saved);
	table_close(rel, NoLock);
}

static void
insert_helpers(const TviewMeta *meta)
{
	Oid			types[] = {REGCLASSARRAYOID, REGCLASSOID};
	Datum		values[] = {oid_array(meta->helpers),
	ObjectIdGetDatum(meta->tview)};

	execute_as_metadata_owner(psprintf("INSERT INTO %s SELECT h, $2 FROM pg_catalog.unnest($1) AS h",
									   tview_extension_qualify("pg_tview_helpers")),
							  lengthof(types), types, values);
}

static void
delete_rows(const char *table, Oid tview)
{
	Oid			types[] = {REGCLASSOID};
	Datum		values[] = {ObjectIdGetDatum(tview)};

	execute_as_metadata_owner(psprintf("DELETE FROM %s WHERE tview = $1",
									   tview_extension_qualify(table)),
							  1, types, values);
}

/* Run a statement whose parameters are the columns, in the table's order. */
static void
execute_with_row(const char *sql, const TviewMeta *meta)
{
	Oid			types[] = {TEXTOID, NAMEOID, REGCLASSOID, REGCLASSOID,
		REGCLASSOID, TEXTOID, TEXTOID, REGCLASSARRAYOID, NAMEARRAYOID,
	NAMEARRAYOID, JSONBOID, TEXTOID};
	Datum		values[] = {
		CStringGetTextDatum(meta->entity),
		DirectFunctionCall1(namein, CStringGetDatum(meta->schema)),
		ObjectIdGetDatum(meta->tview),
		ObjectIdGetDatum(meta->view),
		ObjectIdGetDatum(meta->root),
		CStringGetTextDatum(meta->key_column),
		CStringGetTextDatum(meta->definition),
		oid_array(meta->dependencies),
		name_array(meta->fk_columns),
		name_array(meta->uuid_columns),
		JsonbPGetDatum(meta->options),
		CStringGetTextDatum(meta->policies)
	};

	execute_as_metadata_owner(sql, lengthof(types), types, values);
}

/*
 * tview_meta_insert - add the row of a new TVIEW
 *
 * Of a table that was one before, there may be something left.
 */
void
tview_meta_insert(const TviewMeta *meta)
{
	execute_with_row(psprintf("INSERT INTO %s VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, pg_catalog.now(), $12)",
							  tview_extension_qualify("pg_tview_meta")),
					 meta);
	delete_rows("pg_tview_helpers", meta->tview);
	insert_helpers(meta);
}

/*
 * tview_meta_update - change the row of a TVIEW that has another definition
 */
void
tview_meta_update(const TviewMeta *meta)
{
	execute_with_row(psprintf("UPDATE %s SET entity = $1, schema = $2, view = $4, root = $5, key_column = $6, "
							  "definition = $7, dependencies = $8, fk_columns = $9, uuid_columns = $10, options = $11, policies = $12 "
							  "WHERE tview = $3",
							  tview_extension_qualify("pg_tview_meta")),
					 meta);
	delete_rows("pg_tview_helpers", meta->tview);
	insert_helpers(meta);
}

/*
 * tview_meta_set_names - change what names objects: entity, schema,
 * definition, options
 */
void
tview_meta_set_names(const TviewMeta *meta)
{
	Oid			types[] = {REGCLASSOID, TEXTOID, NAMEOID, TEXTOID, JSONBOID};
	Datum		values[] = {
		ObjectIdGetDatum(meta->tview),
		CStringGetTextDatum(meta->entity),
		DirectFunctionCall1(namein, CStringGetDatum(meta->schema)),
		CStringGetTextDatum(meta->definition),
		JsonbPGetDatum(meta->options)
	};

	execute_as_metadata_owner(psprintf("UPDATE %s SET entity = $2, schema = $3, definition = $4, options = $5 WHERE tview = $1",
									   tview_extension_qualify("pg_tview_meta")),
							  lengthof(types), types, values);
}

/*
 * tview_meta_delete - remove the rows of a TVIEW
 */
void
tview_meta_delete(Oid tview)
{
	delete_rows("pg_tview_meta", tview);
	delete_rows("pg_tview_helpers", tview);
}

/*
 * tview_meta_set_policies - note which policies a TVIEW's rows go by
 */
void
tview_meta_set_policies(Oid tview, const char *policies)
{
	Oid			types[] = {REGCLASSOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(tview), CStringGetTextDatum(policies)};

	execute_as_metadata_owner(psprintf("UPDATE %s SET policies = $2 WHERE tview = $1",
									   tview_extension_qualify("pg_tview_meta")),
							  lengthof(types), types, values);
}

/*
 * tview_meta_set_suspended - note that a TVIEW is suspended, and since when; or
 * that it isn't any more
 */
void
tview_meta_set_suspended(Oid tview, bool suspended)
{
	Oid			types[] = {REGCLASSOID, BOOLOID};
	Datum		values[] = {ObjectIdGetDatum(tview), BoolGetDatum(suspended)};

	execute_as_metadata_owner(psprintf("UPDATE %s SET suspended = CASE WHEN $2 THEN pg_catalog.clock_timestamp() END WHERE tview = $1",
									   tview_extension_qualify("pg_tview_meta")),
							  lengthof(types), types, values);
}

/*
 * A column that a change of versions may have added anew, behind others, or be
 * about to.
 */
static bool
has_suspended(HeapTuple tuple, TupleDesc desc)
{
	int			column = SPI_fnumber(desc, "suspended");

	return column > 0 && !heap_attisnull(tuple, column, desc);
}

static List *
oid_list(Datum array)
{
	ArrayType  *oids = DatumGetArrayTypeP(array);
	Datum	   *values;
	int			n;
	List	   *result = NIL;

	deconstruct_array(oids, ARR_ELEMTYPE(oids), sizeof(Oid), true,
					  TYPALIGN_INT, &values, NULL, &n);
	for (int i = 0; i < n; i++)
		result = lappend_oid(result, DatumGetObjectId(values[i]));
	return result;
}

/*
 * tview_meta_form - what a row of pg_tview_meta says
 *
 * Helpers and the lists of columns are not filled in.
 */
TviewMeta *
tview_meta_form(HeapTuple tuple, TupleDesc desc)
{
	TviewMeta  *meta = palloc0(sizeof(TviewMeta));
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);

	heap_deform_tuple(tuple, desc, values, nulls);
	meta->entity = TextDatumGetCString(values[META_ENTITY - 1]);
	meta->schema = pstrdup(NameStr(*DatumGetName(values[META_SCHEMA - 1])));
	meta->tview = DatumGetObjectId(values[META_TVIEW - 1]);
	meta->view = DatumGetObjectId(values[META_VIEW - 1]);
	meta->root = DatumGetObjectId(values[META_ROOT - 1]);
	meta->key_column = pstrdup(NameStr(*DatumGetName(values[META_KEY_COLUMN - 1])));
	meta->definition = TextDatumGetCString(values[META_DEFINITION - 1]);
	meta->dependencies = oid_list(values[META_DEPENDENCIES - 1]);
	meta->options = DatumGetJsonbPCopy(values[META_OPTIONS - 1]);
	meta->policies = TextDatumGetCString(values[META_POLICIES - 1]);
	meta->suspended = has_suspended(tuple, desc);
	meta->changed_by = HeapTupleHeaderGetXmin(tuple->t_data);
	return meta;
}

/*
 * All rows that a snapshot sees, or the latest ones without.  NIL in a database
 * without the extension.
 */
static List *
read_rows(Snapshot snapshot)
{
	Oid			relid = tview_extension_table("pg_tview_meta", true);
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *result = NIL;

	if (!OidIsValid(relid))
		return NIL;

	rel = table_open(relid, AccessShareLock);
	scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		result = lappend(result, tview_meta_form(tuple, RelationGetDescr(rel)));
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * tview_meta_read - the rows of TVIEWs, in the current memory context
 *
 * Helpers and the lists of columns are not filled in.  Left out are those that
 * were not there when their rows were restored.
 */
List *
tview_meta_read(void)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, read_rows(NULL))
	{
		TviewMeta  *meta = lfirst(lc);

		if (OidIsValid(meta->tview) && OidIsValid(meta->view))
			result = lappend(result, meta);
	}
	return result;
}

static bool
has_gone(List *relations)
{
	ListCell   *lc;

	foreach(lc, relations)
		if (get_rel_relkind(lfirst_oid(lc)) == '\0')
		return true;
	return false;
}

/*
 * tview_meta_missing - the rows of TVIEWs whose table or view is not there, or a
 * table that they read
 *
 * Filled in as by tview_meta_read().
 */
List *
tview_meta_missing(void)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, read_rows(NULL))
	{
		TviewMeta  *meta = lfirst(lc);

		if (get_rel_relkind(meta->tview) == '\0' ||
			get_rel_relkind(meta->view) == '\0' ||
			has_gone(meta->dependencies))
			result = lappend(result, meta);
	}
	return result;
}

/*
 * tview_meta_was_suspended - was the TVIEW suspended in what this snapshot sees?
 */
bool
tview_meta_was_suspended(Oid tview, Snapshot snapshot)
{
	ListCell   *lc;

	foreach(lc, read_rows(snapshot))
	{
		TviewMeta  *meta = lfirst(lc);

		if (meta->tview == tview)
			return meta->suspended;
	}
	return false;
}

/*
 * tview_meta_delete_missing - remove the rows of one of these
 */
void
tview_meta_delete_missing(const TviewMeta *meta)
{
	Oid			types[] = {TEXTOID, NAMEOID, REGCLASSOID, REGCLASSOID};
	Datum		values[] = {
		CStringGetTextDatum(meta->entity),
		DirectFunctionCall1(namein, CStringGetDatum(meta->schema)),
		ObjectIdGetDatum(meta->tview),
		ObjectIdGetDatum(meta->view)
	};

	execute_as_metadata_owner(psprintf("DELETE FROM %s WHERE entity = $1 AND schema = $2 AND tview = $3 AND view = $4",
									   tview_extension_qualify("pg_tview_meta")),
							  lengthof(types), types, values);
	delete_rows("pg_tview_helpers", meta->tview);
}

/*
 * tview_meta_finding - does a query look for TVIEWs, and reads none?
 */
bool
tview_meta_finding(void)
{
	return finding;
}

static void
find(const char *sql)
{
	finding = true;
	PG_TRY();
	{
		if (SPI_execute(sql, false, 0) != SPI_OK_SELECT)
			elog(ERROR, "could not look for TVIEWs: %s", sql);
	}
	PG_FINALLY();
	{
		finding = false;
	}
	PG_END_TRY();
}

/*
 * tview_meta_find - run a query that returns OIDs, such as of TVIEWs
 *
 * As the owner of the metadata, since it is run for whoever has altered
 * something, who may not even be allowed to look into the extension's schema.
 */
List *
tview_meta_find(const char *sql)
{
	MemoryContext context = CurrentMemoryContext;
	Relation	rel = table_open(tview_extension_table("pg_tview_meta", false),
								 AccessShareLock);
	TviewOwnerContext saved;
	List	   *result = NIL;

	tview_owner_enter(&saved, rel->rd_rel->relowner, true);
	SPI_connect();
	find(sql);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Oid			oid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
														 SPI_tuptable->tupdesc,
														 1, &isnull));
		MemoryContext old = MemoryContextSwitchTo(context);

		if (OidIsValid(oid))
			result = lappend_oid(result, oid);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	tview_owner_leave(&saved);
	table_close(rel, NoLock);
	return result;
}

/*
 * pg_tviews_metadata_changed - statement trigger on pg_tview_meta
 *
 * An invalidation of the table's relcache entry is what every backend's graph
 * of TVIEWs listens to.
 */
Datum
pg_tviews_metadata_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by a trigger",
						"pg_tviews_metadata_changed")));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	return PointerGetDatum(NULL);
}
