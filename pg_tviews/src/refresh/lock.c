/*-------------------------------------------------------------------------
 *
 * lock.c
 *	  The locks of refreshes: names, modes, and how many there may be.
 *
 * What is locked when, and why that is enough, is said in frontier.c.  Here
 * is how.
 *
 * They are advisory locks that the functions for users can't reach, since
 * those set the last field to 1 or 2.  So pg_locks shows them, PREPARE
 * TRANSACTION keeps them, and the deadlock detector knows them.  The fields
 * are: the database, the TVIEW's OID, the hash of a value, and a tag that
 * tells whose value it is, added to TVIEW_LOCK_CLASS.  All are held to the end
 * of the transaction, or of the subtransaction if that aborts.
 *
 * The modes, and what conflicts:
 *
 *	the TVIEW as a whole	RowExclusive by whoever locks some of its values,
 *							Exclusive instead of locking any
 *	a key					Exclusive
 *	a value looked up		RowExclusive by who follows it, Share by who has
 *							made a row that has it appear, ShareRowExclusive by
 *							who has done both.  Sessions that do the same don't
 *							wait for one another
 *
 * The server's lock table is of a fixed size, shared by all, and a transaction
 * that finds it full fails.  So one that would need many locks takes a single
 * one, on the TVIEW as a whole.  How many are many?  Each transaction may have
 * half of the locks that max_locks_per_transaction gives it on average, and
 * more only with permits, each good for PERMIT_LOCKS.  There are as many
 * permits as fit into a quarter of the table, so that all backends together
 * can't take more than three quarters.  A permit is a lock, too, taken only if
 * that needs no waiting, which makes it known to all databases and given back
 * at the end of the transaction, however that comes.
 *
 * TVIEW_LOCKING is for measurements and for tests of tests: 0 compiles out the
 * locks, which makes refreshes wrong, 1 always locks TVIEWs as a whole.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/twophase.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/lock.h"
#include "utils/memutils.h"

#include "refresh/lock.h"

#define TVIEW_LOCK_CLASS	0x7000
#define PERMIT_LOCKS		64
#define MAX_PERMITS			16	/* of one transaction */

#ifndef TVIEW_LOCKING
#define TVIEW_LOCKING		2
#endif

typedef struct Request
{
	int			tag;
	uint32		hash;
	int			reasons;		/* TviewLockReason, or-ed */
} Request;

typedef struct Acquired
{
	LOCKTAG		tag;
	LOCKMODE	mode;
	bool		counted;
} Acquired;

/*
 * What a (sub)transaction has got in one refresh.  It lives in
 * CurTransactionContext: when that goes, so have the locks, and they are no
 * longer counted.
 */
typedef struct Holding
{
	int			locks;
	int			permits;
	MemoryContextCallback callback;
} Holding;

/* The locks of one refresh, in the memory context in which it was begun */
typedef struct TviewLocks
{
	Oid			tview;
	bool		whole;
	Holding    *holding;
	Request    *requests;		/* not acquired yet */
	int			nrequests;
	int			requests_allocated;
	Acquired   *acquired;		/* in this refresh */
	int			nacquired;
	int			acquired_allocated;
} TviewLocks;

/* Of this transaction */
static int	held_locks = 0;
static int	held_permits = 0;

uint64		tview_lock_wait = 0;

static void
set_tag(LOCKTAG *tag, Oid tview, uint32 hash, int kind)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, tview, hash,
						 TVIEW_LOCK_CLASS + kind);
}

/* Acquire a lock, and count the time if it has to be waited for. */
static LockAcquireResult
acquire_timed(const LOCKTAG *tag, LOCKMODE mode)
{
	LockAcquireResult result = LockAcquire(tag, mode, false, true);
	instr_time	start;
	instr_time	end;

	if (result != LOCKACQUIRE_NOT_AVAIL)
		return result;
	INSTR_TIME_SET_CURRENT(start);
	result = LockAcquire(tag, mode, false, false);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	tview_lock_wait += INSTR_TIME_GET_MICROSEC(end);
	return result;
}

/*
 * tview_lock - lock a TVIEW as a whole, against all other refreshes
 */
void
tview_lock(Oid tview)
{
	LOCKTAG		tag;

	set_tag(&tag, tview, 0, TVIEW_TAG_WHOLE);
	if (TVIEW_LOCKING > 0)
		(void) acquire_timed(&tag, ExclusiveLock);
}

/*
 * tview_lock_skip - lock a TVIEW as who refreshes some of its keys does, to
 * refresh none
 */
void
tview_lock_skip(Oid tview)
{
	LOCKTAG		tag;

	set_tag(&tag, tview, 0, TVIEW_TAG_WHOLE);
	if (TVIEW_LOCKING > 0)
		(void) acquire_timed(&tag, RowExclusiveLock);
}

/*
 * tview_unlock_skip - take that back
 */
void
tview_unlock_skip(Oid tview)
{
	LOCKTAG		tag;

	set_tag(&tag, tview, 0, TVIEW_TAG_WHOLE);
	if (TVIEW_LOCKING > 0)
		(void) LockRelease(&tag, RowExclusiveLock, false);
}

/* ----------
 * Counting
 * ----------
 */

/* Called when the memory of a (sub)transaction is freed. */
static void
forget_holding(void *arg)
{
	Holding    *holding = arg;

	held_locks -= holding->locks;
	held_permits -= holding->permits;
}

static Holding *
start_holding(void)
{
	Holding    *holding = MemoryContextAllocZero(CurTransactionContext,
												 sizeof(Holding));

	holding->callback.func = forget_holding;
	holding->callback.arg = holding;
	MemoryContextRegisterResetCallback(CurTransactionContext,
									   &holding->callback);
	return holding;
}

/* Take note of a lock, so that it can be given back. */
static void
remember(TviewLocks *locks, const LOCKTAG *tag, LOCKMODE mode, bool counted)
{
	if (locks->nacquired == locks->acquired_allocated)
	{
		locks->acquired_allocated *= 2;
		locks->acquired = repalloc(locks->acquired, sizeof(Acquired) *
								   locks->acquired_allocated);
	}
	locks->acquired[locks->nacquired].tag = *tag;
	locks->acquired[locks->nacquired].mode = mode;
	locks->acquired[locks->nacquired].counted = counted;
	locks->nacquired++;
}

/* Returns whether the transaction didn't have the lock yet. */
static bool
acquire(TviewLocks *locks, const LOCKTAG *tag, LOCKMODE mode)
{
	bool		fresh;

	if (TVIEW_LOCKING == 0)
		return false;
	fresh = acquire_timed(tag, mode) == LOCKACQUIRE_OK;
	remember(locks, tag, mode, fresh);
	if (fresh)
	{
		locks->holding->locks++;
		held_locks++;
	}
	return fresh;
}

static bool
take_permit(TviewLocks *locks)
{
	int			size = max_locks_per_xact * (MaxBackends + max_prepared_xacts);
	int			count = size / 4 / PERMIT_LOCKS;

	if (held_permits >= MAX_PERMITS)
		return false;
	for (int i = 0; i < count; i++)
	{
		LOCKTAG		tag;
		LockAcquireResult result;

		SET_LOCKTAG_ADVISORY(tag, InvalidOid, 0, (MyProcPid + i) % count,
							 TVIEW_LOCK_CLASS + TVIEW_TAG_WHOLE);
		result = LockAcquire(&tag, ExclusiveLock, false, true);
		if (result == LOCKACQUIRE_NOT_AVAIL)
			continue;
		if (result != LOCKACQUIRE_OK)
		{
			(void) LockRelease(&tag, ExclusiveLock, false);
			continue;
		}
		remember(locks, &tag, ExclusiveLock, false);
		locks->holding->permits++;
		held_permits++;
		return true;
	}
	return false;
}

/* May the transaction have so many more locks? */
static bool
have_room(TviewLocks *locks, int more)
{
	if (TVIEW_LOCKING < 2 || more > MAX_PERMITS * PERMIT_LOCKS)
		return TVIEW_LOCKING == 0;
	while (held_locks + more >
		   max_locks_per_xact / 2 + held_permits * PERMIT_LOCKS)
		if (!take_permit(locks))
			return false;
	return true;
}

/* ----------
 * The locks of a refresh
 * ----------
 */

/*
 * tview_locks_become_whole - give back all that this refresh has got, and lock
 * the TVIEW instead
 *
 * Nothing may have been computed yet, as it could be out of date.
 */
void
tview_locks_become_whole(TviewLocks *locks)
{
	while (locks->nacquired > 0)
	{
		Acquired   *last = &locks->acquired[--locks->nacquired];

		(void) LockRelease(&last->tag, last->mode, false);
		if (last->counted)
		{
			locks->holding->locks--;
			held_locks--;
		}
	}
	held_permits -= locks->holding->permits;
	locks->holding->permits = 0;
	locks->whole = true;
	tview_lock(locks->tview);
}

/*
 * tview_locks_begin - start to lock values of a TVIEW, or lock it as a whole
 *
 * expected is how many values there are to be locked, at least.
 */
TviewLocks *
tview_locks_begin(Oid tview, int expected)
{
	TviewLocks *locks = palloc0(sizeof(TviewLocks));
	LOCKTAG		tag;

	locks->tview = tview;
	locks->holding = start_holding();
	locks->requests_allocated = 8;
	locks->requests = palloc(sizeof(Request) * locks->requests_allocated);
	locks->acquired_allocated = 8;
	locks->acquired = palloc(sizeof(Acquired) * locks->acquired_allocated);
	if (!have_room(locks, expected))
	{
		tview_locks_become_whole(locks);
		return locks;
	}
	set_tag(&tag, tview, 0, TVIEW_TAG_WHOLE);
	(void) acquire(locks, &tag, RowExclusiveLock);
	return locks;
}

/*
 * tview_locks_add - want to lock a value, by its hash
 */
void
tview_locks_add(TviewLocks *locks, int tag, uint32 hash,
				TviewLockReason reason)
{
	Request    *request;

	if (locks->whole)
		return;
	if (locks->nrequests == locks->requests_allocated)
	{
		locks->requests_allocated *= 2;
		locks->requests = repalloc_huge(locks->requests, sizeof(Request) *
										(Size) locks->requests_allocated);
	}
	request = &locks->requests[locks->nrequests++];
	request->tag = tag;
	request->hash = hash;
	request->reasons = reason;
}

static int
compare_requests(const void *a, const void *b)
{
	const Request *x = a;
	const Request *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return 0;
}

/* Sort the requests, and make those of one name one. */
static void
merge_requests(TviewLocks *locks)
{
	int			count = 0;

	if (locks->nrequests < 2)
		return;
	qsort(locks->requests, locks->nrequests, sizeof(Request), compare_requests);
	for (int i = 1; i < locks->nrequests; i++)
	{
		if (compare_requests(&locks->requests[count], &locks->requests[i]) == 0)
			locks->requests[count].reasons |= locks->requests[i].reasons;
		else
			locks->requests[++count] = locks->requests[i];
	}
	locks->nrequests = count + 1;
}

static LOCKMODE
request_mode(const Request *request)
{
	if ((request->reasons & TVIEW_REFRESHES) != 0)
		return ExclusiveLock;
	if (request->reasons == TVIEW_FOLLOWS)
		return RowExclusiveLock;
	if (request->reasons == TVIEW_APPEARS)
		return ShareLock;
	return ShareRowExclusiveLock;
}

/*
 * tview_locks_acquire - lock the values that are wanted, in their order
 *
 * Returns whether there was any that the transaction didn't have yet, so that
 * snapshots from before may be out of date.  If the locks would be too many,
 * that is one on the TVIEW as a whole.
 */
bool
tview_locks_acquire(TviewLocks *locks)
{
	int			count;
	bool		any = false;

	if (locks->nrequests == 0)
		return false;
	merge_requests(locks);
	count = locks->nrequests;
	locks->nrequests = 0;
	if (!have_room(locks, count))
	{
		tview_locks_become_whole(locks);
		return true;
	}
	for (int i = 0; i < count; i++)
	{
		LOCKTAG		tag;

		set_tag(&tag, locks->tview, locks->requests[i].hash,
				locks->requests[i].tag);
		any |= acquire(locks, &tag, request_mode(&locks->requests[i]));
	}
	return any;
}

/*
 * tview_locks_are_whole - is the TVIEW locked as a whole, so that no value need
 * be?
 */
bool
tview_locks_are_whole(const TviewLocks *locks)
{
	return locks->whole;
}
