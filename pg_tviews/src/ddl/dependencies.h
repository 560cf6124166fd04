/*-------------------------------------------------------------------------
 *
 * dependencies.h
 *	  What holds a TVIEW together in the server's catalogs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_DEPENDENCIES_H
#define TVIEW_DEPENDENCIES_H

/*
 * Names of triggers.  Triggers fire in the order of their names, and these
 * are to come before those of users, so that a user's trigger which reads a
 * TVIEW sees the change that fired it.
 */
#define TVIEW_CAPTURE_TRIGGER	"!tview_capture"
#define TVIEW_TRUNCATE_TRIGGER	"!tview_truncate"
#define TVIEW_GUARD_TRIGGER		"!tview_guard"

extern void tview_dependencies_record(Oid table, Oid view);
extern void tview_dependencies_restore(void);

#endif							/* TVIEW_DEPENDENCIES_H */
