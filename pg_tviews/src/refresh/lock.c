/*-------------------------------------------------------------------------
 *
 * lock.c
 *	  Locks that keep refreshes of one TVIEW apart.
 *
 * The state at commit must be computed from all that has been committed, plus
 * the transaction's own changes.  So two transactions that don't see each
 * other must not both refresh a TVIEW: whoever does so holds the TVIEW's lock
 * to the end of the transaction, and takes a snapshot only when it has the
 * lock.  "Lock first, then the snapshot, then derive and compute": what was
 * computed before a wait is out of date after it.
 *
 * Locks are taken in the order of the TVIEWs' levels, so that flushes at
 * commit can't deadlock with one another.  A flush in the middle of a
 * transaction may break that order; then the deadlock detector steps in.
 *
 * They are advisory locks in a class that the functions for users can't
 * reach, since those set the last field to 1 or 2.  So pg_locks shows them,
 * and PREPARE TRANSACTION keeps them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lock.h"

#include "refresh/lock.h"

#define TVIEW_LOCK_CLASS	77

/*
 * tview_lock - wait for other refreshes of this TVIEW to end
 */
void
tview_lock(Oid tview)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, tview, 0, TVIEW_LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}
