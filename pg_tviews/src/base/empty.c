/*-------------------------------------------------------------------------
 *
 * empty.c
 *	  Whether a table has rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "executor/tuptable.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/empty.h"

static bool
has_row(Relation rel, Snapshot snapshot)
{
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	bool		result = table_scan_getnextslot(scan, ForwardScanDirection, slot);

	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return result;
}

/*
 * tview_table_is_empty - has nobody committed a row, nor this transaction made
 * one?
 */
bool
tview_table_is_empty(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	bool		result = !has_row(rel, snapshot);

	UnregisterSnapshot(snapshot);
	table_close(rel, NoLock);
	return result;
}

/*
 * tview_table_is_loading - is the first row one that somebody else is making?
 */
bool
tview_table_is_loading(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	SnapshotData snapshot;
	bool		result;

	InitDirtySnapshot(snapshot);
	result = has_row(rel, &snapshot) && TransactionIdIsValid(snapshot.xmin);
	table_close(rel, NoLock);
	return result;
}
