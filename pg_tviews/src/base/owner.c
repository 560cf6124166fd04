/*-------------------------------------------------------------------------
 *
 * owner.c
 *	  Running statements as a TVIEW's owner, with fixed settings.
 *
 * A document must not depend on who wrote or on their session.  So whatever
 * computes one runs as the owner of the TVIEW, with a fixed search_path and
 * with fixed settings for the rendering of values as text.
 *
 * No PG_TRY is needed around the work: an error restores the user and the
 * parameters by aborting the (sub)transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "parser/parse_expr.h"
#include "parser/parser.h"
#include "pgtime.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/xml.h"

#include "base/owner.h"

#define TVIEW_SEARCH_PATH	"pg_catalog, pg_temp"

static void
set_parameter(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * tview_fix_search_path - make names in generated SQL and in functions safe
 *
 * Returns the nesting level to hand to AtEOXact_GUC().
 */
int
tview_fix_search_path(void)
{
	int			nest_level = NewGUCNestLevel();

	if (strcmp(namespace_search_path, TVIEW_SEARCH_PATH) != 0)
		set_parameter("search_path", TVIEW_SEARCH_PATH);
	return nest_level;
}

/*
 * tview_fix_settings - search_path, and all that the text form of a value
 * may depend on
 *
 * Setting a parameter costs more than a look at it, so only those that have
 * another value are set.
 */
int
tview_fix_settings(void)
{
	int			nest_level = tview_fix_search_path();

	const char *zone = pg_get_timezone_name(session_timezone);
	const char *abbreviations = GetConfigOption("timezone_abbreviations",
												false, false);

	if (strcmp(zone, "UTC") != 0 && strcmp(zone, "Etc/UTC") != 0)
		set_parameter("TimeZone", "UTC");
	if (strcmp(abbreviations, "Default") != 0)
		set_parameter("timezone_abbreviations", "Default");
	if (DateStyle != USE_ISO_DATES || DateOrder != DATEORDER_MDY)
		set_parameter("DateStyle", "ISO, MDY");
	if (IntervalStyle != INTSTYLE_POSTGRES)
		set_parameter("IntervalStyle", "postgres");
	if (extra_float_digits != 1)
		set_parameter("extra_float_digits", "1");
	if (bytea_output != BYTEA_OUTPUT_HEX)
		set_parameter("bytea_output", "hex");

	if (quote_all_identifiers)
		set_parameter("quote_all_identifiers", "off");
	if (!Array_nulls)
		set_parameter("array_nulls", "on");
	if (xmlbinary != XMLBINARY_BASE64)
		set_parameter("xmlbinary", "base64");
	if (xmloption != XMLOPTION_CONTENT)
		set_parameter("xmloption", "content");

	/* what generated statements mean when they are parsed */
	if (!standard_conforming_strings)
		set_parameter("standard_conforming_strings", "on");
	if (Transform_null_equals)
		set_parameter("transform_null_equals", "off");

	/* where policies are not asked for, rows that one would hide are an error */
	if (row_security)
		set_parameter("row_security", "off");
	return nest_level;
}

/*
 * tview_owner_enter - become the owner
 *
 * With restricted, the owner's code can leave nothing behind that would run
 * as somebody else later.  A deferred trigger is such a thing, so tables that
 * have one can't be written that way.
 */
void
tview_owner_enter(TviewOwnerContext *saved, Oid owner, bool restricted)
{
	int			flags = SECURITY_LOCAL_USERID_CHANGE;

	if (restricted)
		flags |= SECURITY_RESTRICTED_OPERATION;
	GetUserIdAndSecContext(&saved->userid, &saved->sec_context);
	SetUserIdAndSecContext(owner, saved->sec_context | flags);
	saved->nest_level = tview_fix_settings();
}

/*
 * tview_owner_allow_policies - let policies hide rows from the owner
 */
void
tview_owner_allow_policies(void)
{
	set_parameter("row_security", "on");
}

/*
 * tview_owner_leave - become again who one was
 *
 * What the owner's code has set goes with it, even if it was meant to stay.
 */
void
tview_owner_leave(const TviewOwnerContext *saved)
{
	AtEOXact_GUC(false, saved->nest_level);
	SetUserIdAndSecContext(saved->userid, saved->sec_context);
}

/*
 * tview_owner_of - owner of a relation; InvalidOid if there is no such one
 */
Oid
tview_owner_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			result;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	result = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * tview_owner_of_dropped - owner of a relation that this transaction has
 * dropped; InvalidOid if it hasn't
 *
 * The last version of its row in pg_class is still there, deleted by us.
 */
Oid
tview_owner_of_dropped(Oid relid)
{
	Relation	rel = table_open(RelationRelationId, AccessShareLock);
	Oid			result = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, ClassOidIndexId, true, SnapshotAny, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		HeapTupleHeader header = tuple->t_data;

		if (ItemPointerEquals(&header->t_ctid, &tuple->t_self) &&
			TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(header)))
			result = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * tview_owner_is_member - may the current user do what a relation's owner may?
 */
bool
tview_owner_is_member(Oid relid)
{
	Oid			owner = tview_owner_of(relid);

	return OidIsValid(owner) && has_privs_of_role(GetUserId(), owner);
}
