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
extern void tview_keys_add(struct TviewKeys *keys, Datum key);
extern int	tview_keys_count(const struct TviewKeys *keys);
extern Datum tview_keys_array(const struct TviewKeys *keys);
extern Datum tview_keys_first(const struct TviewKeys *keys);

#endif							/* TVIEW_KEYS_H */
