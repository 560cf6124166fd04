/*-------------------------------------------------------------------------
 *
 * audit.c
 *	  Writing the audit log, pg_tview_audit_log.
 *
 * A row is written in the transaction of what it records, after it has been
 * done: if that is rolled back, so is the row, and if the row can't be written,
 * that fails.  Called by whatever makes, changes, drops or rebuilds a TVIEW on
 * request; not by refreshes of a transaction's own changes.
 *
 * The row is written as the owner of the table, with a fixed search_path, so
 * that it takes no rights of the caller.  Who the caller is must be plain when
 * tview_audit() is called: not while being the owner of a TVIEW.  It is an
 * INSERT, not a heap_insert(): a DBA may have given the table indexes of any
 * kind, triggers that raise an alarm, or publish it.  What keeps a row from being
 * written, a rule or a trigger, is an error.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"

#include "base/extension.h"
#include "base/owner.h"
#include "catalog/audit.h"
#include "catalog/graph.h"

/* ----------
 * Details
 * ----------
 */

static void
push_string(TviewDetails *details, JsonbIteratorToken token,
			const char *string)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = pstrdup(string);
	value.val.string.len = strlen(string);
	(void) pushJsonbValue(&details->state, token, &value);
}

/*
 * tview_details_begin - an object that says which command it is about
 */
void
tview_details_begin(TviewDetails *details, const char *command)
{
	details->state = NULL;
	(void) pushJsonbValue(&details->state, WJB_BEGIN_OBJECT, NULL);
	tview_details_text(details, "command", command);
	tview_details_text(details, "version", TVIEW_VERSION);
}

/*
 * tview_details_text, _number, _bool, _jsonb - add a pair
 */
void
tview_details_text(TviewDetails *details, const char *key, const char *value)
{
	push_string(details, WJB_KEY, key);
	push_string(details, WJB_VALUE, value);
}

void
tview_details_number(TviewDetails *details, const char *key, int64 value)
{
	JsonbValue	number;

	number.type = jbvNumeric;
	number.val.numeric = int64_to_numeric(value);
	push_string(details, WJB_KEY, key);
	(void) pushJsonbValue(&details->state, WJB_VALUE, &number);
}

void
tview_details_bool(TviewDetails *details, const char *key, bool value)
{
	JsonbValue	boolean;

	boolean.type = jbvBool;
	boolean.val.boolean = value;
	push_string(details, WJB_KEY, key);
	(void) pushJsonbValue(&details->state, WJB_VALUE, &boolean);
}

void
tview_details_jsonb(TviewDetails *details, const char *key, Jsonb *value)
{
	JsonbValue	binary;

	binary.type = jbvBinary;
	binary.val.binary.data = &value->root;
	binary.val.binary.len = VARSIZE(value) - VARHDRSZ;
	push_string(details, WJB_KEY, key);
	(void) pushJsonbValue(&details->state, WJB_VALUE, &binary);
}

/*
 * tview_details_open - go on inside an object of its own
 */
void
tview_details_open(TviewDetails *details, const char *key)
{
	push_string(details, WJB_KEY, key);
	(void) pushJsonbValue(&details->state, WJB_BEGIN_OBJECT, NULL);
}

/*
 * tview_details_close - go on outside of it
 */
void
tview_details_close(TviewDetails *details)
{
	(void) pushJsonbValue(&details->state, WJB_END_OBJECT, NULL);
}

/*
 * tview_details_end - the finished object, in the current memory context
 */
Jsonb *
tview_details_end(TviewDetails *details)
{
	return JsonbValueToJsonb(pushJsonbValue(&details->state, WJB_END_OBJECT,
											NULL));
}

/* ----------
 * Rows
 * ----------
 */

/*
 * tview_audit_log - the table; an error if it is missing
 */
Oid
tview_audit_log(void)
{
	Oid			relid = tview_extension_table(TVIEW_AUDIT_LOG, true);

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" of extension \"%s\" does not exist",
						TVIEW_AUDIT_LOG, TVIEW_EXTENSION_NAME),
				 errdetail("What is done to TVIEWs can't be recorded without it."),
				 errhint("Run ALTER EXTENSION %s UPDATE.",
						 TVIEW_EXTENSION_NAME)));
	return relid;
}

static void
insert_row(int nargs, Oid *types, Datum *values, const char *nulls)
{
	char	   *sql = psprintf("INSERT INTO %s (operation, schema, entity, owner, performed_by, performed_as, "
							   "performed_at, transaction_id, client_addr, client_port, application_name, details) "
							   "VALUES ($1, $2, $3, $4, $5, $6, pg_catalog.clock_timestamp(), pg_catalog.pg_current_xact_id(), "
							   "pg_catalog.inet_client_addr(), pg_catalog.inet_client_port(), "
							   "NULLIF(pg_catalog.current_setting('application_name'), ''), $7)",
							   tview_extension_qualify(TVIEW_AUDIT_LOG));

	SPI_connect();
	if (SPI_execute_with_args(sql, nargs, types, values, nulls, false, 0) != SPI_OK_INSERT ||
		SPI_processed != 1)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg("could not write to table \"%s\"", TVIEW_AUDIT_LOG),
				 errdetail("A rule or a trigger of the table keeps rows from being inserted."),
				 errhint("Drop it.")));
	SPI_finish();
}

static Datum
role_name(Oid role)
{
	return CStringGetTextDatum(GetUserNameFromId(role, false));
}

/*
 * tview_audit - add a row
 *
 * owner is that of the TVIEW, or InvalidOid if it isn't known any more.  schema
 * and entity are null for what concerns no TVIEW.
 */
void
tview_audit(const char *operation, const char *schema, const char *entity,
			Oid owner, Jsonb *details)
{
	Relation	rel = table_open(tview_audit_log(), RowExclusiveLock);
	TviewOwnerContext saved;
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
	JSONBOID};
	char		nulls[] = "       ";
	Datum		values[] = {
		CStringGetTextDatum(operation),
		(Datum) 0,
		(Datum) 0,
		(Datum) 0,
		role_name(GetSessionUserId()),
		role_name(GetUserId()),
		JsonbPGetDatum(details)
	};

	if (schema != NULL)
		values[1] = CStringGetTextDatum(schema);
	else
		nulls[1] = 'n';
	if (entity != NULL)
		values[2] = CStringGetTextDatum(entity);
	else
		nulls[2] = 'n';
	if (OidIsValid(owner))
		values[3] = role_name(owner);
	else
		nulls[3] = 'n';

	tview_owner_enter(&saved, rel->rd_rel->relowner, true);
	insert_row(lengthof(types), types, values, nulls);
	tview_owner_leave(&saved);
	table_close(rel, NoLock);
}

/*
 * tview_audit_tview - add a row about a TVIEW that there is
 */
void
tview_audit_tview(const char *operation, Oid tview, Jsonb *details)
{
	char	   *entity = pstrdup(tview_graph_find(tview)->entity);

	tview_audit(operation, get_namespace_name(get_rel_namespace(tview)),
				entity, tview_owner_of(tview), details);
}

/* ----------
 * A log that was restored
 * ----------
 */

/* The first column of the row that a statement returns, as its owner; or NULL. */
static char *
read_value(const char *sql, int nargs, Oid *types, Datum *values)
{
	MemoryContext context = CurrentMemoryContext;
	Relation	rel = table_open(tview_audit_log(), AccessShareLock);
	TviewOwnerContext saved;
	char	   *result = NULL;

	tview_owner_enter(&saved, rel->rd_rel->relowner, true);
	SPI_connect();
	if (SPI_execute_with_args(sql, nargs, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the audit log: %s", sql);
	if (SPI_processed > 0)
		result = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (result != NULL)
		result = MemoryContextStrdup(context, result);
	SPI_finish();
	tview_owner_leave(&saved);
	table_close(rel, NoLock);
	return result;
}

/*
 * tview_audit_last_owner - who owned a TVIEW, as far as the log knows; or NULL
 */
char *
tview_audit_last_owner(const char *schema, const char *entity)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(schema),
	CStringGetTextDatum(entity)};

	return read_value(psprintf("SELECT l.owner FROM %s AS l WHERE l.schema = $1 AND l.entity = $2 AND l.owner IS NOT NULL "
							   "AND NOT l.details ? '" TVIEW_AUDIT_RESTORED_BY "' "
							   "ORDER BY l.log_id DESC LIMIT 1",
							   tview_extension_qualify(TVIEW_AUDIT_LOG)),
					  lengthof(types), types, values);
}

/*
 * tview_audit_continue - number rows from where those end that there are
 *
 * The table may have been restored without its sequence.
 */
void
tview_audit_continue(void)
{
	char	   *sequence = psprintf("%s_log_id_seq", TVIEW_AUDIT_LOG);

	(void) read_value(psprintf("SELECT pg_catalog.setval(%u, l.last) FROM (SELECT max(a.log_id) AS last FROM %s AS a) AS l "
							   "WHERE l.last >= (SELECT s.last_value FROM %s AS s)",
							   get_relname_relid(sequence, tview_extension_schema()),
							   tview_extension_qualify(TVIEW_AUDIT_LOG),
							   tview_extension_qualify(sequence)),
					  0, NULL, NULL);
}
