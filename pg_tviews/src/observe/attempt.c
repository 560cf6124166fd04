/*-------------------------------------------------------------------------
 *
 * attempt.c
 *	  Doing something to see whether it raises an error.
 *
 * It happens in a subtransaction that is always rolled back: nothing of it
 * stays, not even a lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "observe/attempt.h"

/*
 * tview_attempt_is_verdict - does an error say something of what was tried, not
 * of the server's state?
 */
bool
tview_attempt_is_verdict(int sqlerrcode)
{
	if (sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		return false;
	switch (ERRCODE_TO_CATEGORY(sqlerrcode))
	{
		case ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK):
		case ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES):
		case ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION):
		case ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR):
		case ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR):
			return false;
		default:
			return true;
	}
}

/* Is the caller to stop, or the whole transaction to be tried again? */
static bool
is_end(int sqlerrcode)
{
	switch (ERRCODE_TO_CATEGORY(sqlerrcode))
	{
		case ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK):
		case ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION):
			return true;
		default:
			return false;
	}
}

/* Do it, and return the error or NULL; never raises one. */
static ErrorData *
attempt(void (*work) (void *arg), void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

/*
 * tview_attempt - returns the error, or NULL if there was none
 *
 * work runs in the caller's memory context, and what it allocates stays.
 * Raises errors that have nothing to do with what was tried.
 */
ErrorData *
tview_attempt(void (*work) (void *arg), void *arg)
{
	ErrorData  *error = attempt(work, arg);

	if (error != NULL && !tview_attempt_is_verdict(error->sqlerrcode))
		ReThrowError(error);
	return error;
}

/*
 * tview_attempt_all - the same for who wants to know of every error
 *
 * Raises only what must end the caller, too.
 */
ErrorData *
tview_attempt_all(void (*work) (void *arg), void *arg)
{
	ErrorData  *error = attempt(work, arg);

	if (error != NULL && is_end(error->sqlerrcode))
		ReThrowError(error);
	return error;
}
