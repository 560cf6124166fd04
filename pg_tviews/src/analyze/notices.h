/*-------------------------------------------------------------------------
 *
 * notices.h
 *	  What users should know of a definition that is accepted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_NOTICES_H
#define TVIEW_NOTICES_H

#include "analyze/expand.h"

typedef struct TviewNotice
{
	char	   *message;
	char	   *detail;
	char	   *hint;			/* or NULL */
} TviewNotice;

extern List *tview_notices_find(const TviewExpansion *expansion,
								const char *name);
extern void tview_notices_raise(const TviewExpansion *expansion,
								const char *name);

#endif							/* TVIEW_NOTICES_H */
