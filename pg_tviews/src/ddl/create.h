/*-------------------------------------------------------------------------
 *
 * create.h
 *	  Making TVIEWs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_CREATE_H
#define TVIEW_CREATE_H

#include "catalog/options.h"
#include "nodes/parsenodes.h"
#include "utils/jsonb.h"

struct TviewExpansion;
struct TviewMeta;
struct TviewPlan;

extern void tview_create_adopt(Oid table, const char *key_column,
							   const char *sql, Jsonb *options,
							   const char *command);
extern Oid	tview_create_table(Oid schema, const char *name, const char *sql);
extern Oid	tview_create(const char *schema, const char *entity,
						 const char *key_column, const char *definition,
						 Jsonb *options, const char *command);
extern char *tview_create_check(Query *query, const char *name,
								const TviewOptions *options);
extern void tview_create_check_privileges(List *tables);
extern bool tview_create_running(void);
extern bool tview_create_set_running(bool running);
extern List *tview_create_tables(const struct TviewExpansion *expansion,
								 const TviewOptions *options,
								 const char *name);
extern List *tview_create_lock(List *tables);
extern void tview_create_check_name(const char *name, Oid schema);
extern void tview_create_set_storage(const struct TviewPlan *plan);
extern void tview_create_index(const struct TviewPlan *plan,
							   const char *column);
extern struct TviewMeta *tview_create_metadata(const struct TviewPlan *plan,
											   const char *entity,
											   const struct TviewExpansion *expansion,
											   List *tables, Jsonb *options);

#endif							/* TVIEW_CREATE_H */
