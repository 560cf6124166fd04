/*-------------------------------------------------------------------------
 *
 * version.h
 *	  Do the library and the objects of the extension go together?
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_VERSION_H
#define TVIEW_VERSION_H

extern bool tview_version_matches(void);
extern void tview_version_check(void);
extern bool tview_version_is_changing(void);

#endif							/* TVIEW_VERSION_H */
