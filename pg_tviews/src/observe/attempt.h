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

extern ErrorData *tview_attempt(void (*work) (void *arg), void *arg);

#endif							/* TVIEW_ATTEMPT_H */
