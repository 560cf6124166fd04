/*-------------------------------------------------------------------------
 *
 * owner.h
 *	  Running statements as a TVIEW's owner, with fixed settings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_OWNER_H
#define TVIEW_OWNER_H

typedef struct TviewOwnerContext
{
	Oid			userid;			/* who was current before */
	int			sec_context;
	int			nest_level;		/* of configuration parameters */
} TviewOwnerContext;

extern void tview_owner_enter(TviewOwnerContext *saved, Oid owner,
							  bool restricted);
extern void tview_owner_allow_policies(void);
extern void tview_owner_leave(const TviewOwnerContext *saved);
extern Oid	tview_owner_of(Oid relid);
extern Oid	tview_owner_of_dropped(Oid relid);
extern bool tview_owner_is_member(Oid relid);
extern int	tview_fix_search_path(void);
extern int	tview_fix_settings(void);

#endif							/* TVIEW_OWNER_H */
