/*-------------------------------------------------------------------------
 *
 * record.c
 *	  What DDL does to TVIEWs, for the audit log.
 *
 * What a statement has changed is told from pg_tview_meta before and after it,
 * so that nothing escapes that is kept there: names, definition, and options,
 * of the TVIEW that the statement is about and of those that follow.  Policies
 * are left out: they are the tables', and a restore, which must not add to the
 * log, makes them one after the other.
 * Each row has definition and options as they are afterwards, or were before
 * the TVIEW was dropped, so that it can be made again from any row; "old" has
 * what differed before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/lsyscache.h"

#include "base/names.h"
#include "base/owner.h"
#include "catalog/audit.h"
#include "catalog/graph.h"
#include "ddl/record.h"

static TviewMeta *
find_meta(List *metas, Oid tview)
{
	ListCell   *lc;

	foreach(lc, metas)
	{
		TviewMeta  *meta = lfirst(lc);

		if (meta->tview == tview)
			return meta;
	}
	return NULL;
}

static void
add_definition(TviewDetails *details, const TviewMeta *meta)
{
	tview_details_text(details, "definition", meta->definition);
	tview_details_text(details, "key_column", meta->key_column);
	tview_details_jsonb(details, "options", meta->options);
}

static bool
same_names(const TviewMeta *a, const TviewMeta *b)
{
	return strcmp(a->schema, b->schema) == 0 &&
		strcmp(a->entity, b->entity) == 0;
}

static bool
same_definition(const TviewMeta *a, const TviewMeta *b)
{
	return strcmp(a->definition, b->definition) == 0;
}

static bool
same_options(const TviewMeta *a, const TviewMeta *b)
{
	return compareJsonbContainers(&a->options->root, &b->options->root) == 0;
}

/* What was different before. */
static void
add_old(TviewDetails *details, const TviewRecord *record,
		const TviewMeta *before, const TviewMeta *after, bool rebuilt)
{
	tview_details_open(details, "old");
	if (!same_names(before, after))
	{
		tview_details_text(details, "schema", before->schema);
		tview_details_text(details, "entity", before->entity);
	}
	if (!same_definition(before, after))
		tview_details_text(details, "definition", before->definition);
	if (!same_options(before, after))
		tview_details_jsonb(details, "options", before->options);
	if (rebuilt && record->helper_before != NULL)
		tview_details_text(details, "view_definition", record->helper_before);
	tview_details_close(details);
}

static void
record_change(const TviewRecord *record, const TviewMeta *before,
			  const TviewMeta *after, bool rebuilt)
{
	TviewDetails details;

	tview_details_begin(&details, record->command);
	if (rebuilt && record->result != NULL)
		tview_details_text(&details, "result", record->result);
	if (rebuilt && record->helper != NULL)
	{
		tview_details_text(&details, "view", record->helper);
		tview_details_text(&details, "view_definition", record->helper_after);
	}
	add_definition(&details, after);
	add_old(&details, record, before, after, rebuilt);
	tview_audit(TVIEW_AUDIT_ALTER, after->schema, after->entity,
				tview_owner_of(after->tview), tview_details_end(&details));
}

/*
 * tview_record_begin - a statement is about to change TVIEWs
 *
 * Without a command, nothing will be recorded.
 */
void
tview_record_begin(TviewRecord *record, const char *command)
{
	memset(record, 0, sizeof(TviewRecord));
	record->command = command;
	if (command != NULL && tview_graph_all() != NIL)
		record->before = tview_meta_read();
}

/*
 * tview_record_end - it has done so; a row for each TVIEW that has changed
 *
 * In the order of their refresh.
 */
void
tview_record_end(const TviewRecord *record)
{
	List	   *after = record->before != NIL ? tview_meta_read() : NIL;
	List	   *tviews = NIL;
	ListCell   *lc;

	if (after == NIL)
		return;
	foreach(lc, tview_graph_all())
		tviews = lappend_oid(tviews, ((Tview *) lfirst(lc))->tview);
	foreach(lc, tviews)
	{
		TviewMeta  *old = find_meta(record->before, lfirst_oid(lc));
		TviewMeta  *new = find_meta(after, lfirst_oid(lc));
		bool		rebuilt = list_member_oid(record->rebuilt, lfirst_oid(lc));

		if (old == NULL || new == NULL)
			continue;
		if (rebuilt || !same_names(old, new) || !same_definition(old, new) ||
			!same_options(old, new))
			record_change(record, old, new, rebuilt);
	}
}

/*
 * tview_record_create - a TVIEW has been made
 */
void
tview_record_create(const TviewMeta *meta, const char *command)
{
	TviewDetails details;

	tview_details_begin(&details, command);
	add_definition(&details, meta);
	tview_audit(TVIEW_AUDIT_CREATE, meta->schema, meta->entity,
				tview_owner_of(meta->tview), tview_details_end(&details));
}

/*
 * tview_record_convert - a table has been made a TVIEW, with these differences
 */
void
tview_record_convert(const TviewMeta *meta, const TviewConverted *converted,
					 const char *command)
{
	TviewDetails details;

	tview_details_begin(&details, command);
	add_definition(&details, meta);
	tview_details_number(&details, "missing", (int64) converted->missing);
	tview_details_number(&details, "different",
						 (int64) converted->different);
	tview_details_number(&details, "extra", (int64) converted->extra);
	tview_details_number(&details, "duplicate",
						 (int64) converted->duplicate);
	tview_audit(TVIEW_AUDIT_CONVERT, meta->schema, meta->entity,
				tview_owner_of(meta->tview), tview_details_end(&details));
}

/* The owner that a TVIEW has, or had before this transaction dropped it. */
static Oid
last_owner(const TviewMeta *meta)
{
	Oid			owner = tview_owner_of(meta->tview);

	if (!OidIsValid(owner))
		owner = tview_owner_of(meta->view);
	if (!OidIsValid(owner))
		owner = tview_owner_of_dropped(meta->tview);
	return owner;
}

/*
 * tview_record_was_gone - has an earlier transaction dropped it?
 */
bool
tview_record_was_gone(Oid relid)
{
	return !OidIsValid(tview_owner_of(relid)) &&
		!OidIsValid(tview_owner_of_dropped(relid));
}

/*
 * tview_record_drop - a TVIEW is gone, or in part, and its metadata is still
 * there
 *
 * If it was dropped while event triggers were disabled, the command that finds
 * that out is another one, and may be somebody else's.
 */
void
tview_record_drop(Oid tview, const char *command)
{
	TviewMeta  *meta = find_meta(tview_meta_read(), tview);
	TviewDetails details;

	tview_details_begin(&details, command);
	add_definition(&details, meta);
	if (tview_record_was_gone(meta->tview) || tview_record_was_gone(meta->view))
		tview_details_bool(&details, "found_later", true);
	tview_audit(TVIEW_AUDIT_DROP, meta->schema, meta->entity,
				last_owner(meta), tview_details_end(&details));
}

/* Begin what is said of a change that pg_tview_meta doesn't show. */
static void
begin_unnoted(TviewDetails *details, Oid tview, const char *command)
{
	tview_details_begin(details, command);
	add_definition(details, find_meta(tview_meta_read(), tview));
}

/*
 * tview_record_owner - a TVIEW has got another owner
 */
void
tview_record_owner(Oid tview, Oid before, const char *command)
{
	TviewDetails details;

	begin_unnoted(&details, tview, command);
	tview_details_open(&details, "old");
	tview_details_text(&details, "owner", GetUserNameFromId(before, false));
	tview_details_close(&details);
	tview_audit_tview(TVIEW_AUDIT_ALTER, tview, tview_details_end(&details));
}

/*
 * tview_record_persistence - a TVIEW has become logged or unlogged
 */
void
tview_record_persistence(Oid tview, bool unlogged)
{
	TviewDetails details;

	begin_unnoted(&details, tview, "ALTER TABLE");
	tview_details_bool(&details, "unlogged", unlogged);
	tview_audit_tview(TVIEW_AUDIT_ALTER, tview, tview_details_end(&details));
}

static void
begin_suspension(TviewDetails *details, Oid tview, Oid cause,
				 const char *command, bool suspended)
{
	begin_unnoted(details, tview, command);
	tview_details_bool(details, "suspended", suspended);
	if (tview != cause)
		tview_details_text(details, "with", tview_name_qualified(cause));
}

/*
 * tview_record_suspended - a TVIEW has been suspended, by itself or with one that
 * it reads
 */
void
tview_record_suspended(Oid tview, Oid cause)
{
	TviewDetails details;

	begin_suspension(&details, tview, cause, "pg_tviews_suspend", true);
	tview_audit_tview(TVIEW_AUDIT_ALTER, tview, tview_details_end(&details));
}

/*
 * tview_record_resumed - a TVIEW has been resumed, by itself or with one that it
 * reads, and so rebuilt
 */
void
tview_record_resumed(Oid tview, Oid cause, const TviewWritten *written)
{
	TviewDetails details;

	begin_suspension(&details, tview, cause, "pg_tviews_resume", false);
	tview_details_number(&details, "inserted", (int64) written->inserted);
	tview_details_number(&details, "updated", (int64) written->updated);
	tview_details_number(&details, "deleted", (int64) written->deleted);
	tview_audit_tview(TVIEW_AUDIT_ALTER, tview, tview_details_end(&details));
}
