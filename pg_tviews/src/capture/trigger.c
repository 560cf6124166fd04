/*-------------------------------------------------------------------------
 *
 * trigger.c
 *	  Capture: the triggers that note changed rows.
 *
 * One trigger for rows or three for statements, and one for TRUNCATE, on each
 * table that TVIEWs read, whatever the number of TVIEWs; the tables of TVIEWs
 * that others read have them too (see ddl/triggers.c).  So has each partition and child of such a table: its rows are
 * those of all tables above it, whose columns are found in it by their names,
 * as the numbers differ.  For each source that the table is, the old and the
 * new image are cut down to the columns that the source's derivation starts
 * from, and queued.  A row in which no column has changed that a source uses
 * is of no interest to it.
 *
 * A row that comes to be on the way of other sources to their keys, or changes
 * where it leads, is noted once more, for each look-up that may find it: with
 * the hash of its values, which locks are named after (see
 * refresh/frontier.c).
 *
 * A trigger for statements is given all rows at once, in two transition tables
 * where there is an old and a new image.  The server adds both images of a row
 * at the same time, unless a row moves between partitions, which have no such
 * triggers; so the n-th row of one belongs to the n-th of the other.
 *
 * What to do for a table is kept by backend, and made anew whenever a plan or
 * the set of TVIEWs may have changed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "analyze/expand.h"
#include "analyze/plan.h"
#include "base/compat.h"
#include "base/inherits.h"
#include "base/names.h"
#include "base/types.h"
#include "capture/queue.h"
#include "catalog/graph.h"
#include "catalog/suspension.h"
#include "stats/activity.h"
#include "stats/refreshes.h"

PG_FUNCTION_INFO_V1(pg_tviews_capture);

/* What to note for one source; attribute numbers are the captured table's */
typedef struct CaptureSource
{
	Oid			tview;
	uint32		plan;			/* fingerprint */
	int			source;			/* number, or TVIEW_CHANGED_... */
	bool		nullable;		/* a null key is to be looked into */
	uint64		row_parts;		/* parts of the TVIEW's row that a row's
								 * coming or going may reach */
	int			nused;
	AttrNumber *used;			/* columns to compare */
	uint64	   *used_parts;		/* what their change may reach */
	int			nlinks;
	AttrNumber *links;			/* columns to note */
	TviewValueType *types;
} CaptureSource;

/* What to note for one look-up */
typedef struct CaptureLookup
{
	Oid			tview;
	uint32		plan;			/* as above */
	int			tag;
	int			nwatched;
	AttrNumber *watched;		/* columns to compare */
	int			ncolumns;
	AttrNumber *columns;		/* columns to hash */
	FmgrInfo   *hash_functions;
	Oid		   *collations;
} CaptureLookup;

/* What to note for one table */
typedef struct CaptureTable
{
	Oid			relid;
	List	   *tviews;			/* OIDs of those that read its rows */
	int			nused;
	AttrNumber *used;			/* columns that any source uses */
	int			nsources;
	CaptureSource *sources;
	int			nlookups;
	CaptureLookup *lookups;
} CaptureTable;

static MemoryContext capture_context = NULL;	/* child of CacheMemoryContext */
static List *capture_tables = NIL;	/* of CaptureTable */
static uint64 capture_generation = 0;

static int
list_columns(Bitmapset *columns, AttrNumber **result)
{
	int			n = 0;
	int			attno = -1;

	*result = palloc(sizeof(AttrNumber) * (bms_num_members(columns) + 1));
	while ((attno = bms_next_member(columns, attno)) >= 0)
		(*result)[n++] = attno;
	return n;
}

/* Number of a source's column in a partition or child of its table. */
static AttrNumber
map_column(Oid source, AttrNumber attno, Oid relid)
{
	AttrNumber	result = attno;

	if (relid != source)
		result = get_attnum(relid, get_attname(source, attno, false));
	if (result == InvalidAttrNumber)
		elog(ERROR, "table %s has no column for column %d of table %s",
			 tview_name_qualified(relid), attno,
			 tview_name_qualified(source));
	return result;
}

/* All columns of a table. */
static Bitmapset *
all_columns(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Bitmapset  *result = NULL;

	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
		if (!TupleDescAttr(RelationGetDescr(rel), i)->attisdropped)
			result = bms_add_member(result, i + 1);
	table_close(rel, AccessShareLock);
	return result;
}

static void
set_source(CaptureSource *capture, const TviewPlan *plan, int number,
		   Oid relid)
{
	const TviewSource *source = &plan->sources[number];

	capture->tview = plan->tview;
	capture->plan = plan->fingerprint;
	capture->source = source->kind == TVIEW_LOCAL ? TVIEW_CHANGED_KEY :
		source->kind == TVIEW_ALL ? TVIEW_CHANGED_ALL : number;
	capture->nullable = plan->nullable;
	capture->row_parts = source->row_parts;
	capture->nused = list_columns(source->whole_row ?
								  all_columns(source->relid) : source->used,
								  &capture->used);
	capture->used_parts = palloc(sizeof(uint64) * (capture->nused + 1));
	for (int i = 0; i < capture->nused; i++)
	{
		capture->used_parts[i] = source->kind == TVIEW_ALL ? TVIEW_PART_ROW :
			source->parts[capture->used[i]] | source->parts[0];
		capture->used[i] = map_column(source->relid, capture->used[i], relid);
	}
	capture->nlinks = source->nlinks;
	capture->links = palloc(sizeof(AttrNumber) * source->nlinks);
	capture->types = palloc0(sizeof(TviewValueType) * source->nlinks);
	for (int i = 0; i < source->nlinks; i++)
	{
		capture->links[i] = map_column(source->relid, source->links[i], relid);
		get_typlenbyval(source->link_types[i], &capture->types[i].len,
						&capture->types[i].byval);
	}
}

static void
set_lookup(CaptureLookup *capture, const TviewPlan *plan,
		   const TviewLookup *lookup, Oid relid)
{
	int			count = lookup->ncolumns;

	capture->tview = plan->tview;
	capture->plan = plan->fingerprint;
	capture->tag = lookup->tag;
	capture->nwatched = list_columns(bms_is_member(0, lookup->watched) ?
									 all_columns(lookup->relid) :
									 lookup->watched, &capture->watched);
	for (int i = 0; i < capture->nwatched; i++)
		capture->watched[i] = map_column(lookup->relid, capture->watched[i],
										 relid);
	capture->ncolumns = count;
	capture->columns = palloc(sizeof(AttrNumber) * (count + 1));
	capture->hash_functions = palloc0(sizeof(FmgrInfo) * (count + 1));
	capture->collations = palloc(sizeof(Oid) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		capture->columns[i] = map_column(lookup->relid, lookup->columns[i],
										 relid);
		capture->collations[i] = lookup->collations[i];
		fmgr_info_cxt(lookup->hash_functions[i], &capture->hash_functions[i],
					  capture_context);
	}
}

static CaptureSource *
new_source(CaptureTable *table)
{
	table->sources = table->sources == NULL ? palloc(sizeof(CaptureSource)) :
		repalloc(table->sources,
				 sizeof(CaptureSource) * (table->nsources + 1));
	return &table->sources[table->nsources++];
}

/*
 * Any change is one of a suspended TVIEW, which is rebuilt in the end, however
 * many there are.
 */
static void
add_suspended(CaptureTable *table, Oid tview)
{
	CaptureSource *source = new_source(table);

	table->tviews = list_append_unique_oid(table->tviews, tview);
	memset(source, 0, sizeof(CaptureSource));
	source->tview = tview;
	source->source = TVIEW_CHANGED_ALL;
	source->nused = list_columns(all_columns(table->relid), &source->used);
	source->used_parts = palloc(sizeof(uint64) * (source->nused + 1));
	for (int i = 0; i < source->nused; i++)
		source->used_parts[i] = TVIEW_PART_ROW;
}

/* Is a table's row one of those of an item of FROM? */
static bool
has_rows(const CaptureTable *table, List *ancestors, Oid relid, bool inh)
{
	return relid == table->relid ||
		(inh && list_member_oid(ancestors, relid));
}

static void
add_lookups(CaptureTable *table, const TviewPlan *plan, List *ancestors)
{
	ListCell   *lc;

	table->lookups = table->lookups == NULL ?
		palloc(sizeof(CaptureLookup) * (list_length(plan->lookups) + 1)) :
		repalloc(table->lookups, sizeof(CaptureLookup) *
				 (table->nlookups + list_length(plan->lookups) + 1));
	foreach(lc, plan->lookups)
	{
		TviewLookup *lookup = lfirst(lc);

		if (has_rows(table, ancestors, lookup->relid, lookup->inh))
			set_lookup(&table->lookups[table->nlookups++], plan, lookup,
					   table->relid);
	}
}

/* Note what a plan wants to know of a table's rows. */
static void
add_sources(CaptureTable *table, const TviewPlan *plan, List *ancestors)
{
	for (int i = 0; i < plan->nsources; i++)
	{
		const TviewSource *source = &plan->sources[i];

		if (!has_rows(table, ancestors, source->relid, source->inh))
			continue;
		table->tviews = list_append_unique_oid(table->tviews, plan->tview);
		set_source(new_source(table), plan, i, table->relid);
	}
}

/*
 * A TVIEW that is said to read a table that is not there may read this one, under
 * another name.
 */
static void
check_damaged(Oid relid, List *ancestors)
{
	List	   *affected = lcons_oid(relid, list_copy(ancestors));
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *tview = lfirst(lc);
		List	   *tables;

		if (!list_member_oid(tview->dependencies, InvalidOid))
			continue;
		tables = tview_expand(tview_view_query(tview->view))->tables;
		if (list_length(list_difference_oid(tables, affected)) < list_length(tables))
			tview_graph_check(tview);
	}
}

static CaptureTable *
build_table(Oid relid)
{
	CaptureTable *table = palloc0(sizeof(CaptureTable));
	List	   *ancestors = tview_inherits_ancestors(relid);
	List	   *readers = tview_graph_row_readers(relid);
	Bitmapset  *all_used = NULL;
	ListCell   *lc;

	table->relid = relid;
	if (readers == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("changes of table %s are captured, but no TVIEW is known that reads it",
						tview_name_qualified(table->relid)),
				 errdetail("The metadata of TVIEWs may have been lost, and their tables would be out of date."),
				 errhint("Create the TVIEWs again, with pg_tviews_recreate() if pg_tview_meta has them, or call pg_tviews_reinstall_triggers(), which drops triggers that no TVIEW needs.")));

	check_damaged(relid, ancestors);
	foreach(lc, readers)
	{
		TviewPlan  *plan;

		if (OidIsValid(tview_suspension_cause(lfirst_oid(lc))))
		{
			add_suspended(table, lfirst_oid(lc));
			continue;
		}
		plan = tview_plan_get(lfirst_oid(lc));
		if (plan == NULL)
			continue;
		add_sources(table, plan, ancestors);
		add_lookups(table, plan, ancestors);
	}
	for (int i = 0; i < table->nsources; i++)
	{
		const CaptureSource *source = &table->sources[i];

		for (int j = 0; j < source->nused; j++)
			all_used = bms_add_member(all_used, source->used[j]);
		for (int j = 0; j < source->nlinks; j++)
			all_used = bms_add_member(all_used, source->links[j]);
	}
	for (int i = 0; i < table->nlookups; i++)
		for (int j = 0; j < table->lookups[i].nwatched; j++)
			all_used = bms_add_member(all_used, table->lookups[i].watched[j]);
	table->nused = list_columns(all_used, &table->used);
	return table;
}

static uint64
current_generation(void)
{
	return tview_graph_generation() + tview_plan_generation();
}

/* Forget what has been kept, if plans or the set of TVIEWs may have changed. */
static void
check_generation(void)
{
	uint64		generation = current_generation();

	if (generation == capture_generation && capture_context != NULL)
		return;
	if (capture_context != NULL)
		MemoryContextDelete(capture_context);
	tview_cache_counters[TVIEW_CACHE_TABLE].invalidations +=
		list_length(capture_tables);
	capture_tables = NIL;
	capture_context = AllocSetContextCreate(CacheMemoryContext,
											"pg_tviews capture",
											ALLOCSET_SMALL_SIZES);
	capture_generation = generation;
}

/*
 * What to do for a table, from the cache if that is current.
 *
 * Making it anew makes plans, which waits for locks, so that others' changes may
 * become known meanwhile.  They may be of tables that are in the cache, too, so
 * then all of it starts again.
 */
static CaptureTable *
find_table(Relation rel)
{
	for (;;)
	{
		MemoryContext old;
		CaptureTable *table;
		ListCell   *lc;

		check_generation();
		foreach(lc, capture_tables)
		{
			table = lfirst(lc);
			if (table->relid != RelationGetRelid(rel))
				continue;
			tview_cache_counters[TVIEW_CACHE_TABLE].hits++;
			return table;
		}
		old = MemoryContextSwitchTo(capture_context);
		table = build_table(RelationGetRelid(rel));
		if (current_generation() == capture_generation)
			capture_tables = lappend(capture_tables, table);
		MemoryContextSwitchTo(old);
		tview_cache_counters[TVIEW_CACHE_TABLE].misses++;
		tview_activity_cache(TVIEW_CACHE_TABLE, list_length(capture_tables),
							 MemoryContextMemAllocated(capture_context, true));
	}
}

/* Note one image of a row for one source. */
static void
note_image(const CaptureSource *source, uint64 parts, TupleTableSlot *slot)
{
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];

	if (source->source == TVIEW_CHANGED_ALL)
	{
		tview_queue_add_all(source->tview);
		return;
	}
	for (int i = 0; i < source->nlinks; i++)
		values[i] = slot_getattr(slot, source->links[i], &nulls[i]);

	/* a row without a key is no row of the TVIEW, or an error */
	if (source->source == TVIEW_CHANGED_KEY && nulls[0] && !source->nullable)
		return;
	tview_queue_add(source->tview, source->source, source->plan, parts,
					source->nlinks, values, nulls, source->types);
}

/* Note that there is a row now that a look-up may find. */
static void
note_appearance(CaptureLookup *lookup, TupleTableSlot *slot)
{
	static const TviewValueType type = {sizeof(int32), true};
	uint32		hash = 0;
	Datum		value;
	bool		isnull = false;

	for (int i = 0; i < lookup->ncolumns; i++)
	{
		Datum		column = slot_getattr(slot, lookup->columns[i], &isnull);

		/* equal to nothing */
		if (isnull)
			return;
		hash = tview_hash_value(hash, &lookup->hash_functions[i],
								lookup->collations[i], column);
	}
	value = UInt32GetDatum(hash);
	tview_queue_add(lookup->tview, TVIEW_APPEARED(lookup->tag), lookup->plan,
					0, 1, &value, &isnull, &type);
}

/*
 * Is the column the same in both images?  A value stored out of line that has
 * not moved is, without a look at it.
 */
static bool
is_same(TupleTableSlot *old_slot, TupleTableSlot *new_slot, AttrNumber attno)
{
	Form_pg_attribute att = TupleDescAttr(old_slot->tts_tupleDescriptor,
										  attno - 1);
	bool		old_null;
	bool		new_null;
	Datum		old_value = slot_getattr(old_slot, attno, &old_null);
	Datum		new_value = slot_getattr(new_slot, attno, &new_null);

	if (old_null || new_null)
		return old_null && new_null;
	if (att->attlen == -1 &&
		VARATT_IS_EXTERNAL(DatumGetPointer(old_value)) &&
		VARATT_IS_EXTERNAL(DatumGetPointer(new_value)) &&
		VARSIZE_EXTERNAL(DatumGetPointer(old_value)) ==
		VARSIZE_EXTERNAL(DatumGetPointer(new_value)) &&
		memcmp(DatumGetPointer(old_value), DatumGetPointer(new_value),
			   VARSIZE_EXTERNAL(DatumGetPointer(old_value))) == 0)
		return true;
	return datum_image_eq(old_value, new_value, att->attbyval, att->attlen);
}

static void
note_update(const CaptureTable *table, TupleTableSlot *old_slot,
			TupleTableSlot *new_slot)
{
	bool		changed[MaxHeapAttributeNumber + 1];
	bool		any = false;

	for (int i = 0; i < table->nused; i++)
	{
		AttrNumber	attno = table->used[i];

		changed[attno] = !is_same(old_slot, new_slot, attno);
		any |= changed[attno];
	}
	if (!any)
		return;

	for (int i = 0; i < table->nsources; i++)
	{
		const CaptureSource *source = &table->sources[i];
		uint64		parts = 0;
		bool		moved = false;

		for (int j = 0; j < source->nused; j++)
			if (changed[source->used[j]])
				parts |= source->used_parts[j];
		if (parts == 0)
			continue;
		for (int j = 0; j < source->nlinks; j++)
			moved |= changed[source->links[j]];
		if (moved)
		{
			parts |= source->row_parts;
			note_image(source, parts, new_slot);
		}
		note_image(source, parts, old_slot);
	}
	for (int i = 0; i < table->nlookups; i++)
	{
		CaptureLookup *lookup = &table->lookups[i];

		for (int j = 0; j < lookup->nwatched; j++)
			if (changed[lookup->watched[j]])
			{
				note_appearance(lookup, new_slot);
				break;
			}
	}
}

static void
note_insert_or_delete(const CaptureTable *table, TupleTableSlot *slot,
					  bool insert)
{
	for (int i = 0; i < table->nsources; i++)
		note_image(&table->sources[i], table->sources[i].row_parts, slot);
	for (int i = 0; insert && i < table->nlookups; i++)
		note_appearance(&table->lookups[i], slot);
}

/* Are there the images that a statement trigger needs? */
static bool
has_images(const TriggerData *data)
{
	return (TRIGGER_FIRED_BY_INSERT(data->tg_event) ||
			data->tg_oldtable != NULL) &&
		(TRIGGER_FIRED_BY_DELETE(data->tg_event) || data->tg_newtable != NULL);
}

/* Go to the start of a transition table, which others may have read. */
static void
rewind_images(Tuplestorestate *images)
{
	if (images == NULL)
		return;
	tuplestore_select_read_pointer(images, 0);
	tuplestore_rescan(images);
}

static bool
next_image(Tuplestorestate *images, TupleTableSlot *slot)
{
	return images != NULL &&
		tuplestore_gettupleslot(images, true, false, slot);
}

/* Note what a statement has done, row by row. */
static void
note_rows(const CaptureTable *table, const TriggerData *data)
{
	TupleDesc	desc = RelationGetDescr(data->tg_relation);
	TupleTableSlot *old_slot = MakeSingleTupleTableSlot(desc,
														&TTSOpsMinimalTuple);
	TupleTableSlot *new_slot = MakeSingleTupleTableSlot(desc,
														&TTSOpsMinimalTuple);
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "pg_tviews captured row",
													  ALLOCSET_DEFAULT_SIZES);

	rewind_images(data->tg_oldtable);
	rewind_images(data->tg_newtable);
	for (;;)
	{
		bool		has_old = next_image(data->tg_oldtable, old_slot);
		bool		has_new = next_image(data->tg_newtable, new_slot);
		MemoryContext outer;

		CHECK_FOR_INTERRUPTS();
		if (!has_old && !has_new)
			break;
		outer = MemoryContextSwitchTo(row_context);
		if (!TRIGGER_FIRED_BY_UPDATE(data->tg_event))
			note_insert_or_delete(table, has_new ? new_slot : old_slot,
								  has_new);
		else if (has_old && has_new)
			note_update(table, old_slot, new_slot);
		else
			elog(ERROR, "transition tables of table %s differ in length",
				 tview_name_qualified(table->relid));
		MemoryContextSwitchTo(outer);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
	ExecDropSingleTupleTableSlot(old_slot);
	ExecDropSingleTupleTableSlot(new_slot);
}

/* Has a statement that is captured as a whole changed no row? */
static bool
is_idle(const TriggerData *data)
{
	return TRIGGER_FIRED_FOR_STATEMENT(data->tg_event) &&
		!TRIGGER_FIRED_BY_TRUNCATE(data->tg_event) &&
		(data->tg_oldtable == NULL ||
		 tuplestore_tuple_count(data->tg_oldtable) == 0) &&
		(data->tg_newtable == NULL ||
		 tuplestore_tuple_count(data->tg_newtable) == 0);
}

/*
 * pg_tviews_capture - AFTER trigger, for each row, for a statement with its
 * transition tables, or for a TRUNCATE
 */
Datum
pg_tviews_capture(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	CaptureTable *table;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(data->tg_event) ||
		(!TRIGGER_FIRED_FOR_ROW(data->tg_event) &&
		 !TRIGGER_FIRED_BY_TRUNCATE(data->tg_event) && !has_images(data)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by an AFTER trigger for rows, for TRUNCATE, or with all transition tables",
						"pg_tviews_capture")));

	if (is_idle(data))
		return PointerGetDatum(NULL);
	table = find_table(data->tg_relation);
	if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
	{
		ListCell   *lc;

		foreach(lc, table->tviews)
			tview_queue_add_all(lfirst_oid(lc));
	}
	else if (TRIGGER_FIRED_FOR_STATEMENT(data->tg_event))
		note_rows(table, data);
	else if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		note_update(table, data->tg_trigslot, data->tg_newslot);
	else
		note_insert_or_delete(table, data->tg_trigslot,
							  TRIGGER_FIRED_BY_INSERT(data->tg_event));
	return PointerGetDatum(NULL);
}
