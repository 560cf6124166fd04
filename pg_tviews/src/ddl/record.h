/*-------------------------------------------------------------------------
 *
 * record.h
 *	  What DDL does to TVIEWs, for the audit log.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_RECORD_H
#define TVIEW_RECORD_H

#include "catalog/meta.h"
#include "refresh/apply.h"

/* A statement that changes TVIEWs */
typedef struct TviewRecord
{
	const char *command;
	List	   *before;			/* TviewMeta of all, before it */
	List	   *rebuilt;		/* OIDs of those to be recorded in any case */
	const char *result;			/* of pg_tviews_alter(), or NULL */
	char	   *helper;			/* plain view that was replaced, or NULL */
	char	   *helper_before;	/* its query; NULL if it isn't known */
	char	   *helper_after;
} TviewRecord;

/* In how many rows a table that was converted was wrong */
typedef struct TviewConverted
{
	uint64		missing;
	uint64		different;
	uint64		extra;
	uint64		duplicate;
} TviewConverted;

extern void tview_record_create(const TviewMeta *meta, const char *command);
extern void tview_record_convert(const TviewMeta *meta,
								 const TviewConverted *converted,
								 const char *command);
extern bool tview_record_was_gone(Oid relid);
extern void tview_record_drop(Oid tview, const char *command);
extern void tview_record_begin(TviewRecord *record, const char *command);
extern void tview_record_end(const TviewRecord *record);
extern void tview_record_owner(Oid tview, Oid before, const char *command);
extern void tview_record_persistence(Oid tview, bool unlogged);
extern void tview_record_suspended(Oid tview, Oid cause);
extern void tview_record_resumed(Oid tview, Oid cause,
								 const TviewWritten *written);

#endif							/* TVIEW_RECORD_H */
