/*-------------------------------------------------------------------------
 *
 * area.c
 *	  Memory of statistics: shared by all sessions where the server has a way.
 *
 * From PostgreSQL 17 on, the first session that needs it makes a named
 * segment.  Before that, only a library in shared_preload_libraries can have
 * shared memory.  Without, what the functions return is of this session alone:
 * there is an entry for each TVIEW, and one activity.
 *
 * The area has an array with the activity of each backend, by the number of
 * its PGPROC, and a hash table of the server's (dshash.c), in dynamic memory
 * that begins in the area, as in the server's own statistics (pgstat_shmem.c).
 * It has an entry for each TVIEW that was refreshed, and one for each
 * database.  The lock of the hash table's partition protects an entry.
 *
 * All is gone when the server restarts, after a crash, too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/dshash.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/dsa.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "stats/area.h"

/* A library of another version needs another one. */
#define AREA_NAME		"pg_tviews " TVIEW_VERSION
#define AREA_DSA_SIZE	(256 * 1024)

typedef struct Area
{
	int			tranche;		/* of all locks */
	dshash_table_handle table;
	int			nactivities;
	TviewActivity activities[FLEXIBLE_ARRAY_MEMBER];
	/* dynamic memory follows, see area_dsa() */
} Area;

/* Of this backend */
static Area *area = NULL;
static bool attached = false;
static dshash_table *table = NULL;	/* in TopMemoryContext */
static HTAB *own_table = NULL;	/* without an area */
static TviewActivity own_activity;

static Size
activities_size(void)
{
	return MAXALIGN(add_size(offsetof(Area, activities),
							 mul_size(sizeof(TviewActivity), MaxBackends)));
}

static Size
area_size(void)
{
	return add_size(activities_size(), AREA_DSA_SIZE);
}

static void *
area_dsa(Area *shared)
{
	return (char *) shared + activities_size();
}

static dshash_parameters
table_parameters(int tranche)
{
	dshash_parameters result = {
		.key_size = sizeof(TviewStatsKey),
		.entry_size = sizeof(TviewStats),
		.compare_function = dshash_memcmp,
		.hash_function = dshash_memhash,
		TVIEW_DSHASH_COPY
		.tranche_id = tranche,
	};

	return result;
}

/* Called once for an area, by who makes it. */
static void
init_area(void *ptr)
{
	Area	   *shared = ptr;
	dsa_area   *dsa;
	dshash_parameters parameters;
	dshash_table *made;

	memset(shared, 0, activities_size());
	shared->tranche = LWLockNewTrancheId();
	shared->nactivities = MaxBackends;
	for (int i = 0; i < shared->nactivities; i++)
		SpinLockInit(&shared->activities[i].mutex);

	/* all that there is at first must be in this memory, so that it stays */
	dsa = dsa_create_in_place(area_dsa(shared), AREA_DSA_SIZE,
							  shared->tranche, NULL);
	dsa_pin(dsa);
	dsa_set_size_limit(dsa, AREA_DSA_SIZE);
	parameters = table_parameters(shared->tranche);
	made = dshash_create(dsa, &parameters, NULL);
	dsa_set_size_limit(dsa, -1);
	shared->table = dshash_get_hash_table_handle(made);
	dshash_detach(made);
	dsa_detach(dsa);
}

#ifdef TVIEW_NAMED_SEGMENTS

static void
find_area(void)
{
	bool		found;

	area = GetNamedDSMSegment(AREA_NAME, area_size(), init_area, &found);
}

/*
 * tview_area_install - called once, when the library is loaded
 */
void
tview_area_install(void)
{
}

#else

static shmem_request_hook_type previous_request = NULL;
static shmem_startup_hook_type previous_startup = NULL;

static void
request_area(void)
{
	if (previous_request != NULL)
		previous_request();
	RequestAddinShmemSpace(area_size());
}

static void
make_area(void)
{
	bool		found;

	if (previous_startup != NULL)
		previous_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	area = ShmemInitStruct(AREA_NAME, area_size(), &found);
	if (!found)
		init_area(area);
	LWLockRelease(AddinShmemInitLock);
}

/* Backends have inherited it from the postmaster. */
static void
find_area(void)
{
}

/*
 * tview_area_install - called once, when the library is loaded
 */
void
tview_area_install(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	previous_request = shmem_request_hook;
	shmem_request_hook = request_area;
	previous_startup = shmem_startup_hook;
	shmem_startup_hook = make_area;
}

#endif

static void
attach_table(void)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	dshash_parameters parameters = table_parameters(area->tranche);
	dsa_area   *dsa;

	LWLockRegisterTranche(area->tranche, "pg_tviews statistics");
	dsa = dsa_attach_in_place(area_dsa(area), NULL);
	dsa_pin_mapping(dsa);
	before_shmem_exit(dsa_on_shmem_exit_release_in_place,
					  PointerGetDatum(area_dsa(area)));
	table = dshash_attach(dsa, &parameters, area->table, NULL);
	MemoryContextSwitchTo(old);
}

static void
make_own_table(void)
{
	HASHCTL		control = {
		.keysize = sizeof(TviewStatsKey),
		.entrysize = sizeof(TviewStats),
		.hcxt = TopMemoryContext,
	};

	own_table = hash_create("pg_tviews statistics", 64, &control,
							HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	SpinLockInit(&own_activity.mutex);
}

static void
attach(void)
{
	if (attached)
		return;
	if (area == NULL)
		find_area();
	if (area != NULL)
		attach_table();
	else
		make_own_table();
	attached = true;
}

/*
 * tview_area_is_shared - are the statistics those of all sessions?
 */
bool
tview_area_is_shared(void)
{
	attach();
	return area != NULL;
}

/* ----------
 * Entries
 * ----------
 */

static TviewStats *
find_entry(const TviewStatsKey *key, bool create, bool *found)
{
	*found = true;
	if (table != NULL)
		return create ? dshash_find_or_insert(table, key, found) :
			dshash_find(table, key, true);
	return hash_search(own_table, key, create ? HASH_ENTER : HASH_FIND, found);
}

/*
 * tview_area_find - the entry of a TVIEW of this database, or NULL
 *
 * InvalidOid stands for the database itself.  Must be released, and nothing
 * may raise before that.
 */
TviewStats *
tview_area_find(Oid tview, bool create)
{
	TviewStatsKey key = {MyDatabaseId, tview};
	TviewStats *entry;
	bool		found;

	attach();
	entry = find_entry(&key, create, &found);
	if (!found && entry != NULL)
	{
		memset((char *) entry + sizeof(key), 0, sizeof(*entry) - sizeof(key));
		entry->since = GetCurrentTimestamp();
	}
	return entry;
}

void
tview_area_release(TviewStats *entry)
{
	if (table != NULL)
		dshash_release_lock(table, entry);
}

/*
 * tview_area_delete - forget the entry of a TVIEW of this database
 */
void
tview_area_delete(Oid tview)
{
	TviewStatsKey key = {MyDatabaseId, tview};

	attach();
	if (table != NULL)
		(void) dshash_delete_key(table, &key);
	else
		(void) hash_search(own_table, &key, HASH_REMOVE, NULL);
}

/*
 * Copy entries of this database into an array that has room for so many;
 * return how many there are.  Allocates nothing, as locks are held.
 */
static int
copy_entries(TviewStats *result, int room)
{
	TviewStats *entry;
	int			count = 0;

	if (table != NULL)
	{
		dshash_seq_status status;

		dshash_seq_init(&status, table, false);
		while ((entry = dshash_seq_next(&status)) != NULL)
			if (entry->key.database == MyDatabaseId && count++ < room)
				result[count - 1] = *entry;
		dshash_seq_term(&status);
	}
	else
	{
		HASH_SEQ_STATUS status;

		hash_seq_init(&status, own_table);
		while ((entry = hash_seq_search(&status)) != NULL)
			if (count++ < room)
				result[count - 1] = *entry;
	}
	return count;
}

/*
 * tview_area_copy - all entries of this database, in memory of the caller's
 */
TviewStats *
tview_area_copy(int *count)
{
	TviewStats *result = NULL;
	int			room = 0;

	attach();
	for (;;)
	{
		*count = copy_entries(result, room);
		if (*count <= room)
			return result;
		room = *count + 8;
		if (result != NULL)
			pfree(result);
		result = MemoryContextAllocHuge(CurrentMemoryContext,
										sizeof(TviewStats) * room);
	}
}

/* ----------
 * Activities
 * ----------
 */

/*
 * tview_area_activity - where this backend says what it is doing
 */
TviewActivity *
tview_area_activity(void)
{
	attach();
	return area == NULL ? &own_activity :
		&area->activities[tview_my_proc_number()];
}

/*
 * tview_area_activities - those of all backends, of other databases, too
 */
TviewActivity *
tview_area_activities(int *count)
{
	attach();
	*count = area == NULL ? 1 : area->nactivities;
	return area == NULL ? &own_activity : area->activities;
}
