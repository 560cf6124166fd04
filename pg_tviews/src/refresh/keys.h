/*-------------------------------------------------------------------------
 *
 * keys.h
 *	  A set of keys of a TVIEW.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_KEYS_H
#define TVIEW_KEYS_H

#include "analyze/plan.h"

struct TviewKeys;

extern struct TviewKeys *tview_keys_create(const TviewPlan *plan);

/* Keys of which the same parts are to be refreshed */
typedef struct TviewKeyGroup
{
	uint64		parts;
	Datum	   *keys;
	int			count;
} TviewKeyGroup;

extern void tview_keys_add(struct TviewKeys *keys, Datum key, bool isnull,
						   uint64 parts);
extern void tview_keys_hash(const struct TviewKeys *keys,
							void (*add) (void *arg, uint32 hash), void *arg);
extern void tview_keys_keep(const struct TviewKeys *keys);
extern List *tview_keys_groups(const struct TviewKeys *keys);
extern Datum tview_keys_array(const TviewPlan *plan,
							  const TviewKeyGroup *group);

#endif							/* TVIEW_KEYS_H */
