/*-------------------------------------------------------------------------
 *
 * meta.h
 *	  Rows of pg_tview_meta and pg_tview_helpers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_META_H
#define TVIEW_META_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/snapshot.h"

struct HeapTupleData;
struct TupleDescData;

/* One row of pg_tview_meta, with the TVIEW's rows of pg_tview_helpers */
typedef struct TviewMeta
{
	char	   *entity;
	char	   *schema;
	Oid			tview;
	Oid			view;
	Oid			root;
	char	   *key_column;
	char	   *definition;
	Jsonb	   *options;
	char	   *policies;		/* that apply to the owner; empty: none */
	List	   *dependencies;	/* OIDs of tables */
	List	   *helpers;		/* OIDs of plain views */
	List	   *fk_columns;		/* names */
	List	   *uuid_columns;	/* names */
	bool		suspended;		/* only read */
	TransactionId changed_by;	/* only read: who has written the row */
} TviewMeta;

extern void tview_meta_insert(const TviewMeta *meta);
extern void tview_meta_update(const TviewMeta *meta);
extern void tview_meta_set_names(const TviewMeta *meta);
extern void tview_meta_set_policies(Oid tview, const char *policies);
extern void tview_meta_set_suspended(Oid tview, bool suspended);
extern bool tview_meta_was_suspended(Oid tview, Snapshot snapshot);
extern void tview_meta_delete(Oid tview);
extern List *tview_meta_read(void);
extern List *tview_meta_missing(void);
extern void tview_meta_delete_missing(const TviewMeta *meta);
extern TviewMeta *tview_meta_form(struct HeapTupleData *tuple,
								  struct TupleDescData *desc);
extern bool tview_meta_finding(void);
extern List *tview_meta_find(const char *sql);

#endif							/* TVIEW_META_H */
