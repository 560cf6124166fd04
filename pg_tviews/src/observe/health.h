/*-------------------------------------------------------------------------
 *
 * health.h
 *	  What the parts of the health check share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_HEALTH_H
#define TVIEW_HEALTH_H

#include "nodes/pg_list.h"

typedef enum TviewHealthStatus
{
	TVIEW_HEALTH_OK,
	TVIEW_HEALTH_WARNING,		/* something to look at */
	TVIEW_HEALTH_ERROR			/* TVIEWs are, or get, out of date; or it
								 * could not be found out */
} TviewHealthStatus;

typedef struct TviewHealth
{
	MemoryContext context;		/* of what is found */
	List	   *findings;		/* in the component that is looked at */
	int			sample;			/* keys to verify of each TVIEW; 0: none */
} TviewHealth;

extern void tview_health_add(TviewHealth *health, TviewHealthStatus status,
							 const char *message);
extern void tview_health_add_once(TviewHealth *health,
								  TviewHealthStatus status,
								  const char *message);
extern void tview_health_add_rows(TviewHealth *health,
								  TviewHealthStatus status, const char *sql);
extern void tview_health_each(TviewHealth *health, const char *what,
							  void (*check) (TviewHealth *health, Oid tview));

/* of objects that are there or not: health_objects.c */
extern void tview_health_extension(TviewHealth *health);
extern void tview_health_jsonb_ivm(TviewHealth *health);
extern void tview_health_event_triggers(TviewHealth *health);
extern void tview_health_metadata(TviewHealth *health);
extern void tview_health_triggers(TviewHealth *health);
extern void tview_health_replication(TviewHealth *health);

/* of one TVIEW after the other: health_tviews.c */
extern void tview_health_dependencies(TviewHealth *health);
extern void tview_health_definitions(TviewHealth *health);
extern void tview_health_plans(TviewHealth *health);
extern void tview_health_indexes(TviewHealth *health);
extern void tview_health_privileges(TviewHealth *health);
extern void tview_health_persistence(TviewHealth *health);
extern void tview_health_drift(TviewHealth *health);

/* of what sessions do: health_activity.c */
extern void tview_health_session(TviewHealth *health);
extern void tview_health_queue(TviewHealth *health);
extern void tview_health_cache(TviewHealth *health);
extern void tview_health_statistics(TviewHealth *health);

#endif							/* TVIEW_HEALTH_H */
