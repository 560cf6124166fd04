/*-------------------------------------------------------------------------
 *
 * explain.h
 *	  How changes of each source reach the keys.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_EXPLAIN_H
#define TVIEW_EXPLAIN_H

#include "analyze/derive.h"
#include "utils/relcache.h"

typedef struct TviewExplanation
{
	const char *kind;
	List	   *key_columns;	/* names that the way to the key starts from */
	List	   *used_columns;	/* names */
	char	   *path;			/* aliases on the way, or NULL */
	List	   *indexes;		/* names of those that the look-ups use */
	List	   *missing;		/* statements that create those they lack */
	List	   *missing_on;		/* OIDs of the tables that lack them */
	List	   *scanned;		/* OIDs of tables looked up by no equality */
} TviewExplanation;

extern const char *tview_explain_kind(TviewSourceKind kind);
extern bool tview_explain_index_is_partial(Relation index);
extern bool tview_explain_index_serves(Relation index, const TviewHop *hop);
extern bool tview_explain_lacks_index(const TviewHop *hop);
extern char *tview_explain_create_index(const TviewHop *hop);
extern TviewExplanation *tview_explain_source(const TviewSource *source);

#endif							/* TVIEW_EXPLAIN_H */
