/*-------------------------------------------------------------------------
 *
 * audit_log.c
 *	  Reading and purging the audit log.
 *
 * Definitions may have secrets for constants, so not everybody may read the
 * table.  pg_tviews_audit() reads it as its owner, and returns to each caller
 * the rows that concern them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "base/extension.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/audit.h"

PG_FUNCTION_INFO_V1(pg_tviews_audit);
PG_FUNCTION_INFO_V1(pg_tviews_audit_purge);

/*
 * $1 schema, $2 entity, $3 since, $4 the caller, $5 may see everything.  Rows of
 * a TVIEW are for the owner that it had then; the one about a change of owners,
 * for both.
 */
static char *
reading_sql(void)
{
	return psprintf("SELECT l.* FROM %s AS l "
					"WHERE ($2 IS NULL OR (l.entity OPERATOR(pg_catalog.=) $2 AND ($1 IS NULL OR l.schema OPERATOR(pg_catalog.=) $1)) "
					"OR ((l.details OPERATOR(pg_catalog.#>>) '{old,entity}') OPERATOR(pg_catalog.=) $2 "
					"AND ($1 IS NULL OR (l.details OPERATOR(pg_catalog.#>>) '{old,schema}') OPERATOR(pg_catalog.=) $1))) "
					"AND ($3 IS NULL OR l.performed_at OPERATOR(pg_catalog.>=) $3) "
					"AND ($5 OR EXISTS (SELECT FROM pg_catalog.pg_roles AS r "
					"WHERE (r.rolname::pg_catalog.text OPERATOR(pg_catalog.=) l.owner OR r.rolname::pg_catalog.text OPERATOR(pg_catalog.=) (l.details OPERATOR(pg_catalog.#>>) '{old,owner}')) "
					"AND pg_catalog.pg_has_role($4, r.oid, 'USAGE'))) "
					"ORDER BY l.log_id DESC",
					tview_extension_qualify(TVIEW_AUDIT_LOG));
}

/*
 * pg_tviews_audit - rows of the log that the caller may see, newest first
 */
Datum
pg_tviews_audit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Relation	rel = table_open(tview_audit_log(), AccessShareLock);
	Oid			types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID, OIDOID, BOOLOID};
	char		nulls[] = "nnn  ";
	Datum		values[lengthof(types)] = {0};
	TviewOwnerContext saved;

	if (!PG_ARGISNULL(0))
	{
		char	   *schema;
		char	   *entity;

		tview_name_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)), &schema,
						 &entity);
		values[1] = CStringGetTextDatum(entity);
		nulls[1] = ' ';
		if (schema != NULL)
		{
			values[0] = CStringGetTextDatum(schema);
			nulls[0] = ' ';
		}
	}
	if (!PG_ARGISNULL(1))
	{
		values[2] = PG_GETARG_DATUM(1);
		nulls[2] = ' ';
	}
	values[3] = ObjectIdGetDatum(GetUserId());
	values[4] = BoolGetDatum(has_privs_of_role(GetUserId(),
											   ROLE_PG_READ_ALL_STATS));
	InitMaterializedSRF(fcinfo, 0);
	tview_owner_enter(&saved, rel->rd_rel->relowner, true);
	SPI_connect();
	if (SPI_execute_with_args(reading_sql(), lengthof(types), types, values,
							  nulls, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the audit log");
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	tview_owner_leave(&saved);
	table_close(rel, NoLock);
	return (Datum) 0;
}

/* A purge must not go unnoticed. */
static void
record_purge(TimestampTz before, uint64 rows)
{
	TviewDetails details;

	tview_details_begin(&details, "pg_tviews_audit_purge");
	tview_details_text(&details, "before", timestamptz_to_str(before));
	tview_details_number(&details, "rows", (int64) rows);
	tview_audit(TVIEW_AUDIT_PURGE, NULL, NULL, InvalidOid,
				tview_details_end(&details));
}

/*
 * For each TVIEW the last row stays that says whose it is, which
 * pg_tviews_recreate() has to know.
 */
static char *
purging_sql(void)
{
	char	   *log = tview_extension_qualify(TVIEW_AUDIT_LOG);

	return psprintf("DELETE FROM %s AS l WHERE l.performed_at < $1 AND NOT EXISTS "
					"(SELECT FROM %s AS m WHERE m.schema = l.schema AND m.entity = l.entity AND l.log_id = "
					"(SELECT max(o.log_id) FROM %s AS o WHERE o.schema = l.schema AND o.entity = l.entity AND o.owner IS NOT NULL "
					"AND NOT o.details ? '" TVIEW_AUDIT_RESTORED_BY "'))",
					log, tview_extension_qualify("pg_tview_meta"), log);
}

/*
 * pg_tviews_audit_purge - delete rows that are older; returns how many
 *
 * Who may call it is decided by EXECUTE alone.
 */
Datum
pg_tviews_audit_purge(PG_FUNCTION_ARGS)
{
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {PG_GETARG_DATUM(0)};
	TviewOwnerContext saved;
	Relation	rel;
	uint64		rows;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("time before which to purge the audit log must not be null")));
	rel = table_open(tview_audit_log(), RowExclusiveLock);
	tview_owner_enter(&saved, rel->rd_rel->relowner, true);
	SPI_connect();
	if (SPI_execute_with_args(purging_sql(), lengthof(types), types, values, NULL, false,
							  0) != SPI_OK_DELETE)
		elog(ERROR, "could not purge the audit log");
	rows = SPI_processed;
	SPI_finish();
	tview_owner_leave(&saved);
	table_close(rel, NoLock);
	if (rows > 0)
		record_purge(PG_GETARG_TIMESTAMPTZ(0), rows);
	PG_RETURN_INT64((int64) rows);
}
