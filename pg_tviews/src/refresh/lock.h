/*-------------------------------------------------------------------------
 *
 * lock.h
 *	  The locks of refreshes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_LOCK_H
#define TVIEW_LOCK_H

/* What locks have in their names, besides those of look-ups (steps.h) */
#define TVIEW_TAG_WHOLE		0	/* the TVIEW as a whole */
#define TVIEW_TAG_KEY		1	/* one of its keys */

/* Why a value is locked */
typedef enum TviewLockReason
{
	TVIEW_REFRESHES = 1,		/* its key is refreshed */
	TVIEW_FOLLOWS = 2,			/* rows that have it are looked up */
	TVIEW_APPEARS = 4			/* a row that has it has come to be */
} TviewLockReason;

struct TviewLocks;

/* How long this session has waited for locks, in microseconds */
extern uint64 tview_lock_wait;

extern void tview_lock(Oid tview);
extern void tview_lock_skip(Oid tview);
extern void tview_unlock_skip(Oid tview);
extern struct TviewLocks *tview_locks_begin(Oid tview, int expected);
extern void tview_locks_add(struct TviewLocks *locks, int tag, uint32 hash,
							TviewLockReason reason);
extern void tview_locks_become_whole(struct TviewLocks *locks);
extern bool tview_locks_acquire(struct TviewLocks *locks);
extern bool tview_locks_are_whole(const struct TviewLocks *locks);

#endif							/* TVIEW_LOCK_H */
