/*-------------------------------------------------------------------------
 *
 * queue.h
 *	  Transaction-local queue of changes waiting to be refreshed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_QUEUE_H
#define TVIEW_QUEUE_H

#include "nodes/pg_list.h"

/* Instead of the number of a source */
#define TVIEW_CHANGED_KEY	(-1)	/* the value is a key of the TVIEW */
#define TVIEW_CHANGED_ALL	(-2)	/* rebuild the TVIEW by differences */
#define TVIEW_KEPT_KEY		(-3)	/* the value is a key that a flush which
									 * is to be repeated has refreshed */

/* ... or a row has come to be that a lookup may find; the value is a hash */
#define TVIEW_APPEARED(tag)		(-4 - (tag))
#define TVIEW_IS_APPEARED(source)	((source) <= -4)
#define TVIEW_APPEARED_TAG(source)	(-4 - (source))

/* How values of one column are stored */
typedef struct TviewValueType
{
	int16		len;
	bool		byval;
} TviewValueType;

/*
 * A change, cut down to the columns that its derivation starts from.  The
 * values stand one after the other in a form in which equal bytes mean equal
 * values, see encode().
 */
typedef struct TviewChange
{
	Oid			tview;
	int			source;			/* number in the plan, or one of the above */
	uint32		plan;			/* fingerprint of the plan that it was noted
								 * for */
	uint32		hash;
	uint64		parts;			/* of the TVIEW's row that it may reach */
	int			len;			/* of the data */
	char		data[FLEXIBLE_ARRAY_MEMBER];
} TviewChange;

/* Called when a transaction's queue gets its first change */
extern void (*tview_queue_started) (void);

extern void tview_queue_add(Oid tview, int source, uint32 plan, uint64 parts,
							int nvalues, const Datum *values, const bool *nulls,
							const TviewValueType *types);
extern void tview_queue_add_all(Oid tview);
extern bool tview_queue_pending(void);
extern bool tview_queue_has(Oid tview);
extern void tview_queue_begin_flush(void);
extern List *tview_queue_take(void);
extern void tview_queue_end_flush(bool keep);
extern void tview_queue_rearm(void);
extern void tview_queue_decode(const TviewChange *change, int nvalues,
							   const TviewValueType *types,
							   Datum *values, bool *nulls);
extern void tview_queue_at_subcommit(int level);
extern void tview_queue_at_subabort(int level);
extern void tview_queue_at_xact_end(void);

#endif							/* TVIEW_QUEUE_H */
