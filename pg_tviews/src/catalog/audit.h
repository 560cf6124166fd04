/*-------------------------------------------------------------------------
 *
 * audit.h
 *	  Writing the audit log.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_AUDIT_H
#define TVIEW_AUDIT_H

#include "utils/jsonb.h"

#define TVIEW_AUDIT_LOG		"pg_tview_audit_log"

/* Operations, as the table's constraint lists them */
#define TVIEW_AUDIT_CREATE	"CREATE"
#define TVIEW_AUDIT_DROP	"DROP"
#define TVIEW_AUDIT_ALTER	"ALTER"
#define TVIEW_AUDIT_REFRESH	"REFRESH"
#define TVIEW_AUDIT_REPAIR	"REPAIR"
#define TVIEW_AUDIT_CONVERT	"CONVERT"
#define TVIEW_AUDIT_PURGE	"PURGE"

/* In "details" of rows that were not written by us, nor by a superuser */
#define TVIEW_AUDIT_RESTORED_BY	"restored_by"

/* The column "details" while it is put together */
typedef struct TviewDetails
{
	JsonbParseState *state;
} TviewDetails;

extern void tview_details_begin(TviewDetails *details, const char *command);
extern void tview_details_text(TviewDetails *details, const char *key,
							   const char *value);
extern void tview_details_number(TviewDetails *details, const char *key,
								 int64 value);
extern void tview_details_bool(TviewDetails *details, const char *key,
							   bool value);
extern void tview_details_jsonb(TviewDetails *details, const char *key,
								Jsonb *value);
extern void tview_details_open(TviewDetails *details, const char *key);
extern void tview_details_close(TviewDetails *details);
extern Jsonb *tview_details_end(TviewDetails *details);

extern Oid	tview_audit_log(void);
extern char *tview_audit_last_owner(const char *schema, const char *entity);
extern void tview_audit_continue(void);
extern void tview_audit(const char *operation, const char *schema,
						const char *entity, Oid owner, Jsonb *details);
extern void tview_audit_tview(const char *operation, Oid tview,
							  Jsonb *details);

#endif							/* TVIEW_AUDIT_H */
