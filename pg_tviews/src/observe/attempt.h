/*-------------------------------------------------------------------------
 *
 * attempt.h
 *	  Doing something to see whether it raises an error.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_ATTEMPT_H
#define TVIEW_ATTEMPT_H

#include "utils/elog.h"

extern bool tview_attempt_is_verdict(int sqlerrcode);
extern ErrorData *tview_attempt(void (*work) (void *arg), void *arg);
extern ErrorData *tview_attempt_all(void (*work) (void *arg), void *arg);

#endif							/* TVIEW_ATTEMPT_H */
