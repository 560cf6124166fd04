/*-------------------------------------------------------------------------
 *
 * extension.h
 *	  Where the extension's own objects are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_EXTENSION_H
#define TVIEW_EXTENSION_H

#define TVIEW_EXTENSION_NAME	"pg_tviews"

extern Oid	tview_extension_oid(void);
extern Oid	tview_extension_schema(void);
extern Oid	tview_extension_table(const char *name, bool missing_ok);
extern Oid	tview_extension_function(const char *name, Oid argtype);
extern char *tview_extension_qualify(const char *name);
extern char *tview_extension_sql(const char *sql);

#endif							/* TVIEW_EXTENSION_H */
