/*-------------------------------------------------------------------------
 *
 * restored.c
 *	  Metadata that somebody else writes than we: a restore.
 *
 * Who restores a dump need not be a superuser, so the role that has made the
 * extension, which with a trusted one is anybody who may create in the database,
 * may insert metadata.  What they say is acted upon with the rights of the
 * TVIEW's owner.  So they may only be about what the role could make a TVIEW of
 * by itself, and be about TVIEWs that are there: others would be made by
 * whoever calls pg_tviews_recreate().  Rows of the audit log may say anything, but
 * will say who has restored them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"

#include "base/extension.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/audit.h"
#include "catalog/meta.h"
#include "ddl/create.h"

PG_FUNCTION_INFO_V1(pg_tviews_metadata_restored);

/* Who may make triggers may have this one on any table. */
static bool
is_ours(Relation rel, const char *table)
{
	return RelationGetRelid(rel) == tview_extension_table(table, true);
}

static void
check_owner(Oid relid, Relation rel)
{
	if (tview_owner_is_member(relid))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to insert into table \"%s\"",
					RelationGetRelationName(rel)),
			 OidIsValid(tview_owner_of(relid)) ?
			 errdetail("The row is about %s, which belongs to another role.",
					   tview_name_qualified(relid)) :
			 errdetail("The row is about a table or view that does not exist."),
			 errhint("Rows of TVIEWs that are missing, or belong to others, can be restored by a superuser.")));
}

/* Will a constraint refuse the row, so that there is nothing to look at? */
static bool
lacks_value(HeapTuple tuple, TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
		if (TupleDescAttr(desc, i)->attnotnull &&
			heap_attisnull(tuple, i + 1, desc))
			return true;
	return false;
}

/* The row of the log with a mark. */
static HeapTuple
mark(HeapTuple tuple, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			column = SPI_fnumber(desc, "details");
	TviewDetails details = {0};
	Datum		value;
	bool		isnull;

	(void) pushJsonbValue(&details.state, WJB_BEGIN_OBJECT, NULL);
	tview_details_text(&details, TVIEW_AUDIT_RESTORED_BY,
					   GetUserNameFromId(GetUserId(), false));
	value = heap_getattr(tuple, column, desc, &isnull);
	if (!JB_ROOT_IS_OBJECT(DatumGetJsonbP(value)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("details of a row of table \"%s\" must be a JSON object",
						RelationGetRelationName(rel))));
	value = DirectFunctionCall2(jsonb_concat, value,
								JsonbPGetDatum(tview_details_end(&details)));
	return heap_modify_tuple_by_cols(tuple, desc, 1, &column, &value, &isnull);
}

/*
 * pg_tviews_metadata_restored - row trigger on pg_tview_meta,
 * pg_tview_helpers and pg_tview_audit_log
 */
Datum
pg_tviews_metadata_restored(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	Relation	rel;
	HeapTuple	tuple;
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by a row trigger",
						"pg_tviews_metadata_restored")));
	rel = data->tg_relation;
	tuple = data->tg_trigtuple;
	if (tview_owner_is_member(RelationGetRelid(rel)) ||
		lacks_value(tuple, RelationGetDescr(rel)))
		return PointerGetDatum(tuple);
	if (is_ours(rel, "pg_tview_meta"))
	{
		TviewMeta  *meta = tview_meta_form(tuple, RelationGetDescr(rel));

		check_owner(meta->tview, rel);
		check_owner(meta->view, rel);
		tview_create_check_privileges(meta->dependencies);
	}
	else if (is_ours(rel, "pg_tview_helpers"))
		check_owner(DatumGetObjectId(heap_getattr(tuple, 2,
												  RelationGetDescr(rel),
												  &isnull)),
					rel);
	else if (is_ours(rel, TVIEW_AUDIT_LOG))
		tuple = mark(tuple, rel);
	return PointerGetDatum(tuple);
}
