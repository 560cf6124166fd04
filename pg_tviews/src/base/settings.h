/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  Configuration parameters of pg_tviews.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_SETTINGS_H
#define TVIEW_SETTINGS_H

extern PGDLLIMPORT bool tview_ctas_interception;
extern PGDLLIMPORT bool tview_allow_suspended_reads;
extern PGDLLIMPORT int tview_queue_limit;
extern PGDLLIMPORT int tview_health_max_wait;	/* ms */
extern PGDLLIMPORT int tview_log_min_duration;	/* ms; -1: no log */

extern void tview_settings_define(void);

#endif							/* TVIEW_SETTINGS_H */
