/*-------------------------------------------------------------------------
 *
 * names.h
 *	  The naming contract: entity, tv_entity, v_entity, pk_entity.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_NAMES_H
#define TVIEW_NAMES_H

#define TVIEW_TABLE_PREFIX		"tv_"
#define TVIEW_VIEW_PREFIX		"v_"
#define TVIEW_KEY_PREFIX		"pk_"
#define TVIEW_FK_PREFIX			"fk_"
#define TVIEW_UUID_SUFFIX		"_id"
#define TVIEW_ID_COLUMN			"id"
#define TVIEW_DATA_COLUMN		"data"
#define TVIEW_UPDATED_COLUMN	"updated_at"

extern bool tview_name_has_prefix(const char *name, const char *prefix);
extern char *tview_name_join(const char *prefix, const char *entity);
extern void tview_name_parse(const char *input, char **schema, char **entity);
extern char *tview_name_qualified(Oid relid);

#endif							/* TVIEW_NAMES_H */
