/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  How one TVIEW is kept up to date, and the backend's cache of that.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_PLAN_H
#define TVIEW_PLAN_H

#include "analyze/derive.h"
#include "analyze/steps.h"
#include "catalog/options.h"
#include "executor/spi.h"

/* Statement that refreshes some parts of rows */
typedef struct TviewPartsStatement
{
	uint64		parts;
	SPIPlanPtr	statement;
} TviewPartsStatement;

typedef struct TviewPlan
{
	MemoryContext context;
	bool		valid;
	uint32		fingerprint;	/* of what noted changes depend on */
	Oid			tview;
	Oid			view;
	Oid			owner;
	char	   *name;			/* of the table, qualified and quoted */
	bool		has_deferred;	/* the table has deferrable triggers */
	char	   *policies;		/* that apply to the owner; empty: none */
	List	   *relids;			/* a change of one makes the plan invalid */
	List	   *helpers;		/* plain views that were expanded */
	uint64		generation;		/* of a graph in which that was right */
	List	   *types;			/* ... of one of these types, by the hash of
								 * its OID in the syscache, too */

	char	   *key_column;
	Oid			key_constraint; /* the primary key, InvalidOid before there is
								 * one */
	Oid			key_type;
	Oid			key_array_type;
	Oid			key_collation;
	char	   *key_collate;	/* COLLATE clause, empty for a type without */
	int16		key_len;
	bool		key_byval;
	char		key_align;
	bool		key_image_equal;	/* equal keys have equal bytes */
	char	   *key_operator;	/* equality, for SQL */
	Oid			key_hash_function;	/* by that; InvalidOid: there is none */

	bool		unique;			/* no need to look for duplicate keys */
	bool		nullable;		/* need to look for null keys */
	int			nsources;
	TviewSource *sources;
	List	   *lookups;		/* of TviewLookup: all of their steps, once */
	int			root_rtindex;	/* item of FROM that has it */
	List	   *roots;			/* OIDs of the tables that keys are from */
	List	   *columns;		/* names of the definition's, in order */
	List	   *parts;			/* of TviewPart */
	Query	   *query;			/* the definition, reading tables only */
	char	   *select_sql;		/* ... as text */
	char	   *keys_sql;		/* ... to be computed for the keys in $1 */
	bool		pushes_keys;	/* ... cheap with a condition on the key */
	char	   *view_sql;		/* name of the view, qualified and quoted */

	/* prepared by refresh/, NULL until first used */
	SPIPlanPtr	apply;
	List	   *apply_parts;	/* of TviewPartsStatement */
	SPIPlanPtr	duplicates;
	SPIPlanPtr	nulls;
	SPIPlanPtr *derive;			/* by source */
} TviewPlan;

extern TviewPlan *tview_plan_get(Oid tview);
extern TviewPlan *tview_plan_build(Oid tview, Oid view, const char *name,
								   const char *key_column,
								   const TviewOptions *options);
extern void tview_plan_check_key(Oid type, const char *column,
								 const char *name);
extern List *tview_plan_roots(const TviewPlan *plan);
extern char *tview_plan_parts_sql(const TviewPlan *plan, uint64 parts);
extern uint64 tview_plan_generation(void);
extern void tview_plan_invalidate(Oid relid);
extern void tview_plan_invalidate_type(uint32 hash);
extern void tview_plan_at_xact_end(void);

#endif							/* TVIEW_PLAN_H */
