/*-------------------------------------------------------------------------
 *
 * queue.c
 *	  Transaction-local queue of changes waiting to be refreshed.
 *
 * The capture trigger adds to it; the flush drains it, at commit or when a
 * query of the same transaction reads a TVIEW.  Nothing is recomputed here.
 *
 * The changes are in a vector to which is only ever appended; those before
 * "flushed" have been refreshed, a hash table over the others keeps out
 * duplicates.  When a subtransaction first changes the vector's length or
 * "flushed", it leaves a mark with the values from before.  When it commits,
 * the mark is handed to its parent; when it aborts, the values come back from
 * the mark: what it added is gone, and what a flush inside it had drained of
 * outer levels is waiting again.  Abort must not raise, so it allocates
 * nothing: the hash table is made anew by the next one who needs it.
 *
 * Memory is given back when a flush outside all subtransactions has drained
 * the queue, and at the end of the transaction.  The number of changes is
 * bounded: past pg_tviews.queue_limit, those of one source are replaced by
 * the mark that the TVIEW is to be rebuilt by differences.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/settings.h"
#include "capture/queue.h"
#include "stats/activity.h"

static bool
same_change(const TviewChange *a, const TviewChange *b)
{
	return a->hash == b->hash && a->tview == b->tview &&
		a->source == b->source && a->plan == b->plan && a->len == b->len &&
		memcmp(a->data, b->data, a->len) == 0;
}

typedef struct ChangeEntry
{
	TviewChange *change;
	char		status;
} ChangeEntry;

#define SH_PREFIX changes
#define SH_ELEMENT_TYPE ChangeEntry
#define SH_KEY_TYPE TviewChange *
#define SH_KEY change
#define SH_HASH_KEY(tb, key) (key)->hash
#define SH_EQUAL(tb, a, b) same_change(a, b)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* What is waiting for one source */
typedef struct Waiting
{
	Oid			tview;
	int			source;
	int			count;
	bool		all;			/* the TVIEW is to be rebuilt anyway */
} Waiting;

/* Values from before a subtransaction's first change */
typedef struct Mark
{
	int			level;
	int			length;
	int			flushed;
} Mark;

static MemoryContext queue_context = NULL;	/* child of TopTransactionContext */
static TviewChange **queue = NULL;
static int	queue_length = 0;
static int	queue_allocated = 0;
static int	queue_flushed = 0;

static changes_hash * waiting_hash = NULL;	/* over the changes not flushed */
static bool waiting_stale = false;	/* hash and counts are to be made anew */
static Waiting *waiting = NULL;
static int	nwaiting = 0;
static int	waiting_allocated = 0;

static Mark *marks = NULL;
static int	nmarks = 0;
static int	marks_allocated = 0;

static StringInfoData scratch;	/* a change being put together */

void		(*tview_queue_started) (void) = NULL;

static void
start_queue(void)
{
	MemoryContext old;

	queue_context = AllocSetContextCreate(TopTransactionContext,
										  "pg_tviews queue",
										  ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(queue_context);
	waiting_hash = changes_create(queue_context, 64, NULL);
	queue_allocated = 64;
	queue = palloc(sizeof(TviewChange *) * queue_allocated);
	waiting_allocated = 8;
	waiting = palloc(sizeof(Waiting) * waiting_allocated);
	initStringInfo(&scratch);
	MemoryContextSwitchTo(old);
	tview_queue_started();
}

/* All state is in the context; forget where it was. */
static void
forget_queue(void)
{
	queue_context = NULL;
	queue = NULL;
	queue_length = queue_allocated = queue_flushed = 0;
	waiting_hash = NULL;
	waiting_stale = false;
	waiting = NULL;
	nwaiting = waiting_allocated = 0;
	marks = NULL;
	nmarks = marks_allocated = 0;
}

/* Leave a mark before this (sub)transaction's first change of the queue. */
static void
leave_mark(void)
{
	int			level = GetCurrentTransactionNestLevel();

	if (level <= 1 || (nmarks > 0 && marks[nmarks - 1].level >= level))
		return;
	if (nmarks == marks_allocated)
	{
		marks_allocated = Max(8, marks_allocated * 2);
		if (marks == NULL)
			marks = MemoryContextAlloc(queue_context,
									   sizeof(Mark) * marks_allocated);
		else
			marks = repalloc(marks, sizeof(Mark) * marks_allocated);
	}
	marks[nmarks].level = level;
	marks[nmarks].length = queue_length;
	marks[nmarks].flushed = queue_flushed;
	nmarks++;
}

static Waiting *
find_waiting(Oid tview, int source)
{
	for (int i = 0; i < nwaiting; i++)
		if (waiting[i].tview == tview && waiting[i].source == source)
			return &waiting[i];

	if (nwaiting == waiting_allocated)
	{
		waiting_allocated *= 2;
		waiting = repalloc(waiting, sizeof(Waiting) * waiting_allocated);
	}
	waiting[nwaiting].tview = tview;
	waiting[nwaiting].source = source;
	waiting[nwaiting].count = 0;
	waiting[nwaiting].all = false;
	for (int i = 0; i < nwaiting; i++)
		if (waiting[i].tview == tview && waiting[i].all)
			waiting[nwaiting].all = true;
	return &waiting[nwaiting++];
}

static void
count_change(const TviewChange *change)
{
	find_waiting(change->tview, change->source)->count++;
	if (change->source == TVIEW_CHANGED_ALL)
		for (int i = 0; i < nwaiting; i++)
			if (waiting[i].tview == change->tview)
				waiting[i].all = true;
}

/* Make hash and counts what the vector says, after a rollback. */
static void
renew_waiting(void)
{
	waiting_stale = false;
	changes_reset(waiting_hash);
	nwaiting = 0;
	for (int i = queue_flushed; i < queue_length; i++)
	{
		bool		found;

		(void) changes_insert(waiting_hash, queue[i], &found);
		count_change(queue[i]);
	}
}

static uint64
queue_bytes(void)
{
	return MemoryContextMemAllocated(queue_context, false);
}

static void
add_change(TviewChange *change)
{
	bool		found;
	ChangeEntry *entry = changes_insert(waiting_hash, change, &found);
	TviewChange *copy;
	Size		size = offsetof(TviewChange, data) + change->len;

	/* parts too many, after a rollback for instance, do no harm */
	if (found)
	{
		entry->change->parts |= change->parts;
		return;
	}
	leave_mark();
	copy = MemoryContextAlloc(queue_context, size);
	memcpy(copy, change, size);
	entry->change = copy;
	if (queue_length == queue_allocated)
	{
		queue_allocated *= 2;
		queue = repalloc_huge(queue, sizeof(TviewChange *) * queue_allocated);
	}
	queue[queue_length++] = copy;
	count_change(copy);
	tview_activity_queued(copy->tview, queue_length - queue_flushed,
						  queue_bytes());
}

/*
 * Append a value in a form that has one representation for each value:
 * detoasted, aligned, padding zeroed.
 */
static void
encode(Datum value, bool isnull, const TviewValueType *type)
{
	static const char zeroes[MAXIMUM_ALIGNOF] = {0};

	appendStringInfoChar(&scratch, isnull ? 1 : 0);
	if (isnull)
		return;
	if (type->len == -1)
	{
		struct varlena *plain = PG_DETOAST_DATUM(value);
		int			pad = MAXALIGN(scratch.len) - scratch.len;

		appendBinaryStringInfo(&scratch, zeroes, pad);
		appendBinaryStringInfo(&scratch, (char *) plain, VARSIZE(plain));
		if ((Pointer) plain != DatumGetPointer(value))
			pfree(plain);
		return;
	}
	appendBinaryStringInfo(&scratch, zeroes,
						   MAXALIGN(scratch.len) - scratch.len);
	if (type->byval)
		appendBinaryStringInfo(&scratch, (char *) &value, sizeof(Datum));
	else
		appendBinaryStringInfo(&scratch, DatumGetPointer(value),
							   type->len > 0 ? type->len :
							   (int) strlen(DatumGetCString(value)) + 1);
}

/*
 * tview_queue_decode - the values of a change
 *
 * Those passed by reference point into the change.
 */
void
tview_queue_decode(const TviewChange *change, int nvalues,
				   const TviewValueType *types, Datum *values, bool *nulls)
{
	/* offsets count from where encode() did */
	const char *base = (const char *) change;
	int			offset = offsetof(TviewChange, data);

	for (int i = 0; i < nvalues; i++)
	{
		nulls[i] = base[offset++] != 0;
		values[i] = (Datum) 0;
		if (nulls[i])
			continue;
		offset = MAXALIGN(offset);
		if (types[i].byval)
		{
			memcpy(&values[i], base + offset, sizeof(Datum));
			offset += sizeof(Datum);
			continue;
		}
		values[i] = PointerGetDatum(base + offset);
		if (types[i].len == -1)
			offset += VARSIZE(base + offset);
		else
			offset += types[i].len > 0 ? types[i].len :
				(int) strlen(base + offset) + 1;
	}
	if (offset != (int) offsetof(TviewChange, data) + change->len)
		elog(ERROR, "queued change of TVIEW %u does not have %d values",
			 change->tview, nvalues);
}

/*
 * tview_queue_add - note a change that is to be refreshed
 *
 * One that is waiting already is not noted again, but for its parts.
 */
void
tview_queue_add(Oid tview, int source, uint32 plan, uint64 parts, int nvalues,
				const Datum *values, const bool *nulls,
				const TviewValueType *types)
{
	TviewChange *change;
	Waiting    *counter;

	if (queue_context == NULL)
		start_queue();
	if (waiting_stale)
		renew_waiting();
	counter = find_waiting(tview, source);
	if (counter->all)
		return;
	if (counter->count >= tview_queue_limit)
	{
		tview_queue_add_all(tview);
		return;
	}

	resetStringInfo(&scratch);
	enlargeStringInfo(&scratch, offsetof(TviewChange, data));
	memset(scratch.data, 0, offsetof(TviewChange, data));
	scratch.len = offsetof(TviewChange, data);
	for (int i = 0; i < nvalues; i++)
		encode(values[i], nulls[i], &types[i]);

	change = (TviewChange *) scratch.data;
	change->tview = tview;
	change->source = source;
	change->plan = plan;
	change->parts = parts;
	change->len = scratch.len - offsetof(TviewChange, data);
	change->hash = hash_combine(hash_bytes((unsigned char *) change->data,
										   change->len),
								murmurhash32(tview + (uint32) source + plan));
	add_change(change);
}

/*
 * tview_queue_add_all - note that the TVIEW is to be rebuilt by differences
 */
void
tview_queue_add_all(Oid tview)
{
	TviewChange change = {0};

	if (queue_context == NULL)
		start_queue();
	if (waiting_stale)
		renew_waiting();
	change.tview = tview;
	change.source = TVIEW_CHANGED_ALL;
	change.hash = murmurhash32(tview);
	add_change(&change);
}

/*
 * tview_queue_pending - is anything waiting?
 */
bool
tview_queue_pending(void)
{
	return queue_length > queue_flushed;
}

/*
 * tview_queue_has - is anything waiting for this TVIEW itself?
 */
bool
tview_queue_has(Oid tview)
{
	if (!tview_queue_pending())
		return false;
	if (waiting_stale)
		renew_waiting();
	for (int i = 0; i < nwaiting; i++)
		if (waiting[i].tview == tview && waiting[i].count > 0 &&
			waiting[i].source != TVIEW_KEPT_KEY)
			return true;
	return false;
}

/*
 * tview_queue_begin_flush - must be called before the first take
 */
void
tview_queue_begin_flush(void)
{
	leave_mark();
}

/*
 * tview_queue_take - all changes waiting, in a list of the caller's
 *
 * They count as flushed: if the flush fails, the transaction or a
 * subtransaction around it aborts, and then they are waiting again.
 */
List *
tview_queue_take(void)
{
	List	   *result = NIL;

	for (int i = queue_flushed; i < queue_length; i++)
		result = lappend(result, queue[i]);
	queue_flushed = queue_length;
	changes_reset(waiting_hash);
	nwaiting = 0;
	waiting_stale = false;
	return result;
}

/*
 * tview_queue_end_flush - give memory back, if nobody can ask for it again
 *
 * With keep, the changes stay for tview_queue_rearm().
 */
void
tview_queue_end_flush(bool keep)
{
	if (keep || nmarks > 0 || GetCurrentTransactionNestLevel() > 1)
	{
		tview_activity_queue(queue_length - queue_flushed, queue_bytes());
		return;
	}
	MemoryContextDelete(queue_context);
	forget_queue();
	tview_activity_queue(0, 0);
}

/*
 * tview_queue_rearm - make all changes of the transaction wait again
 */
void
tview_queue_rearm(void)
{
	queue_flushed = 0;
	waiting_stale = true;
}

/*
 * tview_queue_at_subcommit - a subtransaction's changes become its parent's
 */
void
tview_queue_at_subcommit(int level)
{
	if (nmarks == 0 || marks[nmarks - 1].level != level)
		return;
	if (level - 1 == 1 ||
		(nmarks > 1 && marks[nmarks - 2].level == level - 1))
		nmarks--;
	else
		marks[nmarks - 1].level = level - 1;
}

/*
 * tview_queue_at_subabort - a subtransaction has never been
 */
void
tview_queue_at_subabort(int level)
{
	if (nmarks == 0 || marks[nmarks - 1].level != level)
		return;
	nmarks--;
	queue_length = marks[nmarks].length;
	queue_flushed = marks[nmarks].flushed;
	waiting_stale = true;
	tview_activity_queue(queue_length - queue_flushed, queue_bytes());
}

/*
 * tview_queue_at_xact_end - the server frees the memory
 */
void
tview_queue_at_xact_end(void)
{
	forget_queue();
}
