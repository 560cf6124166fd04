/*-------------------------------------------------------------------------
 *
 * health_tviews.c
 *	  Health of one TVIEW after the other.
 *
 * Whatever a refresh would do is tried as the TVIEW's owner, as a refresh runs.
 * Errors say what is wrong.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/rel.h"

#include "analyze/check.h"
#include "analyze/expand.h"
#include "analyze/persistence.h"
#include "analyze/plan.h"
#include "base/compat.h"
#include "base/empty.h"
#include "base/extension.h"
#include "base/inherits.h"
#include "base/names.h"
#include "base/owner.h"
#include "base/types.h"
#include "catalog/graph.h"
#include "catalog/meta.h"
#include "catalog/reads.h"
#include "catalog/suspension.h"
#include "ddl/definition.h"
#include "observe/attempt.h"
#include "observe/explain.h"
#include "observe/health.h"
#include "refresh/row_security.h"
#include "refresh/sql.h"

/* The plan of a TVIEW that was there when the check began. */
static TviewPlan *
get_plan(Oid tview)
{
	TviewPlan  *plan = tview_plan_get(tview);

	if (plan == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("TVIEW %u does not exist any more", tview)));
	return plan;
}

/*
 * tview_health_dependencies - which TVIEWs read which others
 *
 * A cycle is looked for first: with one, there are no levels.
 */
void
tview_health_dependencies(TviewHealth *health)
{
	int			levels = 0;
	ListCell   *lc;

	tview_health_add_rows(health, TVIEW_HEALTH_ERROR,
						  "WITH RECURSIVE e (a, b) AS (SELECT m.tview::oid, r.tview::oid FROM $.pg_tview_meta AS m "
						  "JOIN $.pg_tview_meta AS r ON r.tview = ANY (m.dependencies) AND r.tview <> 0::oid), "
						  "c (a, b) AS (SELECT e.a, e.b FROM e UNION SELECT c.a, e.b FROM c JOIN e ON e.a = c.b) "
						  "SELECT format('TVIEW %s reads itself through other TVIEWs: drop one of the cycle', c.a::regclass) FROM c WHERE c.a = c.b ORDER BY 1");
	if (health->findings != NIL)
		return;
	foreach(lc, tview_graph_all())
	{
		Tview	   *tview = lfirst(lc);

		levels = Max(levels, tview->level);
		if (tview->level > TVIEW_NOTICE_LEVEL && get_rel_name(tview->tview) != NULL)
			tview_health_add(health, TVIEW_HEALTH_WARNING,
							 psprintf("TVIEW %s is at level %d of TVIEWs that read TVIEWs: a change goes through all of them",
									  tview_name_qualified(tview->tview), tview->level));
	}
	if (health->findings == NIL)
		tview_health_add(health, TVIEW_HEALTH_OK,
						 psprintf("levels of TVIEWs that read TVIEWs: %d", levels));
}

/* ----------
 * Definitions and plans
 * ----------
 */

static void
prepare(const char *sql, int nargs, Oid *types, SPIPlanPtr *result)
{
	*result = SPI_prepare(sql, nargs, types);
	if (*result == NULL)
		elog(ERROR, "could not prepare a statement: %s",
			 SPI_result_code_string(SPI_result));
}

/* Is the query of the view the one that the TVIEW was made with? */
static void
check_view(TviewHealth *health, const TviewMeta *meta)
{
	if (get_rel_relkind(meta->view) != RELKIND_VIEW ||
		tview_definition_is_of_view(meta->definition, meta->entity,
									meta->view))
		return;
	tview_health_add(health, TVIEW_HEALTH_ERROR,
					 psprintf("view %s has another query than TVIEW %s was made with: run CREATE OR REPLACE VIEW with the right one, which rebuilds the TVIEW",
							  tview_name_qualified(meta->view),
							  tview_name_qualified(meta->tview)));
}

/* Can the text of the definition still be read, with the names that it has? */
static void
check_definition(TviewHealth *health, Oid relid)
{
	TviewOwnerContext saved;
	ListCell   *lc;

	tview_owner_enter(&saved, tview_owner_of(relid), true);
	tview_owner_allow_policies();
	SPI_connect();
	foreach(lc, tview_meta_read())
	{
		TviewMeta  *meta = lfirst(lc);
		SPIPlanPtr	plan;

		if (meta->tview != relid)
			continue;
		prepare(meta->definition, 0, NULL, &plan);
		check_view(health, meta);
	}
	SPI_finish();
	tview_owner_leave(&saved);
}

/*
 * tview_health_definitions - do the definitions still parse?
 */
void
tview_health_definitions(TviewHealth *health)
{
	tview_health_each(health, "has a definition that can't be read any more",
					  check_definition);
}

/* Raise an error if the TVIEW reads a table that is not known to be read. */
static void
check_tables_known(const TviewExpansion *expansion, const Tview *tview)
{
	List	   *unknown = list_difference_oid(list_concat_unique_oid(list_copy(expansion->tables),
																	 tview_reads_tables(tview->options)),
											  tview->dependencies);

	if (unknown != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("it reads table %s, which is not in its metadata",
						tview_name_qualified(linitial_oid(unknown))),
				 errdetail("Changes of the table are not captured for it.")));
}

/* Raise an error if it would not be noticed that a view gets another query. */
static void
check_helpers_known(const TviewExpansion *expansion, Oid tview)
{
	List	   *known = tview_meta_find(psprintf("SELECT h.helper FROM %s AS h WHERE h.tview OPERATOR(pg_catalog.=) %u",
												 tview_extension_qualify("pg_tview_helpers"),
												 tview));
	List	   *unknown = list_difference_oid(expansion->helpers, known);

	if (unknown != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("it reads view %s, which is not in its metadata",
						tview_name_qualified(linitial_oid(unknown))),
				 errdetail("It would not be rebuilt if the view were replaced.")));
}

/* Make the plan of a TVIEW anew, as its owner. */
static void
check_plan(TviewHealth *health, Oid relid)
{
	Tview	   *tview = tview_graph_find(relid);
	Oid			view = tview->view;
	char	   *entity = pstrdup(tview->entity);
	TviewOptions *options = tview_graph_options(tview);
	TviewExpansion *expansion;
	TviewOwnerContext saved;

	tview_owner_enter(&saved, tview_owner_of(relid), true);
	expansion = tview_expand(tview_view_query(view));
	tview_check_definition(expansion, entity, options);
	check_tables_known(expansion, tview_graph_find(relid));
	check_helpers_known(expansion, relid);
	tview_row_security_check(tview_plan_build(relid, view, entity, NULL, options));
	tview_owner_leave(&saved);
}

/*
 * tview_health_plans - would the definitions still be accepted?
 */
void
tview_health_plans(TviewHealth *health)
{
	tview_health_each(health, "can't be maintained any more", check_plan);
}

static void
check_indexes(TviewHealth *health, Oid relid)
{
	TviewPlan  *plan = get_plan(relid);

	for (int i = 0; i < plan->nsources; i++)
	{
		ListCell   *lc;

		foreach(lc, tview_explain_source(&plan->sources[i])->missing)
			tview_health_add_once(health, TVIEW_HEALTH_WARNING,
								  psprintf("a look-up of refreshes has no index: %s", (char *) lfirst(lc)));
	}
}

/*
 * tview_health_indexes - have the ways to the keys their indexes?
 */
void
tview_health_indexes(TviewHealth *health)
{
	tview_health_each(health, "has ways to its keys that can't be followed",
					  check_indexes);
}

static void
check_persistence(TviewHealth *health, Oid relid)
{
	TviewPlan  *plan = get_plan(relid);
	bool		unlogged = tview_plan_is_unlogged(plan, plan->name);

	if (unlogged != (get_rel_persistence(relid) == RELPERSISTENCE_UNLOGGED))
		tview_health_add(health, TVIEW_HEALTH_ERROR,
						 psprintf("TVIEW %s is %s, what its keys come from is %s",
								  tview_name_qualified(relid),
								  unlogged ? "logged" : "unlogged",
								  unlogged ? "unlogged" : "logged"));
}

/*
 * tview_health_persistence - is a TVIEW lost in a crash if its tables are?
 */
void
tview_health_persistence(TviewHealth *health)
{
	tview_health_each(health, "would be wrong after a crash",
					  check_persistence);
}

/* ----------
 * Privileges
 * ----------
 */

static bool
check_function(Oid function, void *arg)
{
	if (!DatumGetBool(DirectFunctionCall3(has_function_privilege_id_id,
										  ObjectIdGetDatum(GetUserId()),
										  ObjectIdGetDatum(function),
										  CStringGetTextDatum("EXECUTE"))))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION,
					   get_func_name(function));
	return false;
}

/* Raise an error if the current user may not run a query, as that would. */
static bool
check_query(Node *node, void *arg)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		tview_check_permissions((Query *) node);
		return query_tree_walker((Query *) node, check_query, arg, 0);
	}
	(void) check_functions_in_node(node, check_function, arg);
	return expression_tree_walker(node, check_query, arg);
}

static void
check_statement(const char *sql, int nargs, Oid *types)
{
	SPIPlanPtr	plan;
	ListCell   *lc;

	prepare(sql, nargs, types, &plan);
	foreach(lc, SPI_plan_get_plan_sources(plan))
		(void) check_query((Node *) ((CachedPlanSource *) lfirst(lc))->query_list,
						   NULL);
}

/* The statement that leads from changed rows of a source to keys */
static void
check_derivation(const TviewSource *source)
{
	Oid		   *types = palloc(sizeof(Oid) * (source->nlinks + 1));

	if (source->sql == NULL)
		return;
	for (int i = 0; i < source->nlinks; i++)
		types[i] = get_array_type(tview_type_of_elements(source->link_types[i]));
	check_statement(source->sql, source->nlinks, types);
}

static void
check_view_privileges(void *view)
{
	SPI_connect();
	check_statement(psprintf("SELECT * FROM %s", (const char *) view), 0, NULL);
	SPI_finish();
}

/*
 * A refresh reads the tables of other TVIEWs, where the view reads their views;
 * what is compared with it, or made anew from it, is read from the view.
 */
static void
check_privileges(TviewHealth *health, Oid relid)
{
	TviewPlan  *plan = get_plan(relid);
	AclMode		wanted = ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE;
	TviewOwnerContext saved;
	ErrorData  *error;

	tview_owner_enter(&saved, plan->owner, true);
	tview_owner_allow_policies();
	SPI_connect();
	if (!tview_may_use_schema(tview_extension_schema(), plan->owner))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA,
					   get_namespace_name(tview_extension_schema()));
	if (pg_class_aclmask(relid, plan->owner, wanted, ACLMASK_ALL) != wanted)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, plan->name);
	check_statement(plan->keys_sql, 1, &plan->key_array_type);
	for (int i = 0; i < plan->nsources; i++)
		check_derivation(&plan->sources[i]);
	SPI_finish();
	error = tview_attempt_all(check_view_privileges, plan->view_sql);
	if (error != NULL)
		tview_health_add(health, TVIEW_HEALTH_WARNING,
						 psprintf("TVIEW %s is refreshed, but can't be verified, repaired or rebuilt: %s",
								  plan->name, error->message));
	tview_owner_leave(&saved);
}

/*
 * tview_health_privileges - may the owners still do what a refresh does?
 */
void
tview_health_privileges(TviewHealth *health)
{
	tview_health_each(health, "can't be refreshed as its owner",
					  check_privileges);
}

/* ----------
 * Drift
 * ----------
 */

#define EMPTY_SAMPLE	10		/* keys of an empty TVIEW to verify */

static BlockNumber
count_blocks(Oid relid)
{
	BlockNumber result = 0;
	ListCell   *lc;

	foreach(lc, tview_inherits_trees(list_make1_oid(relid)))
	{
		Relation	rel = table_open(lfirst_oid(lc), AccessShareLock);

		if (RELKIND_HAS_STORAGE(rel->rd_rel->relkind))
			result += RelationGetNumberOfBlocks(rel);
		table_close(rel, AccessShareLock);
	}
	return result;
}

/*
 * Some values of a column.  Enough blocks are read at random that each has one
 * row to give, as a rule; of a small table all are.
 */
static char *
sample_column(Oid relid, bool inh, const char *column, int sample)
{
	double		percent = 100.0 * (2.0 * sample + 10) / Max(count_blocks(relid), 1);
	const char *quoted = quote_identifier(column);

	return psprintf("(SELECT x.%s FROM %s%s AS x TABLESAMPLE SYSTEM (%f) WHERE x.%s IS NOT NULL ORDER BY random() LIMIT %d)",
					quoted, inh ? "" : "ONLY ", tview_name_qualified(relid),
					Min(percent, 100), quoted, sample);
}

/*
 * Keys to look at: of rows that there are, and of rows that there should be.
 * Those are taken from the tables that give the keys, as the view may be
 * expensive.
 */
static char *
sampling_sql(const TviewPlan *plan, int sample)
{
	StringInfoData buf;
	bool		found = false;

	initStringInfo(&buf);
	appendStringInfoString(&buf, sample_column(plan->tview, false,
											   plan->key_column, sample));
	for (int i = 0; i < plan->nsources; i++)
	{
		const TviewSource *source = &plan->sources[i];

		if (source->kind != TVIEW_LOCAL ||
			source->link_types[0] != plan->key_type ||
			!list_member_oid(plan->roots, source->relid))
			continue;
		found = true;
		appendStringInfo(&buf, " UNION ALL %s",
						 sample_column(source->relid, source->inh,
									   get_attname(source->relid,
												   source->links[0], false),
									   sample));
	}
	if (!found)
		appendStringInfo(&buf, " UNION ALL (SELECT v.%s FROM %s AS v LIMIT %d)",
						 quote_identifier(plan->key_column), plan->view_sql,
						 sample);
	return psprintf("SELECT array_agg(DISTINCT k.pk%s) FROM (%s) AS k (pk)",
					plan->key_collate, buf.data);
}

static Datum
execute_one(const char *sql, int nargs, Oid *types, Datum *values,
			bool *isnull)
{
	if (SPI_execute_with_args(sql, nargs, types, values, NULL, false,
							  1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not verify rows: %s", sql);
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
						 isnull);
}

static void
verify_keys(TviewHealth *health, Oid relid, int sample)
{
	TviewPlan  *plan = get_plan(relid);
	TviewOwnerContext saved;
	Datum		keys;
	bool		isnull;
	int64		differing;

	tview_owner_enter(&saved, plan->owner, true);
	tview_row_security_enter(plan);
	SPI_connect();
	keys = execute_one(sampling_sql(plan, sample), 0, NULL, NULL,
					   &isnull);
	if (!isnull)
	{
		differing = DatumGetInt64(execute_one(tview_sql_count_differing(plan),
											  1, &plan->key_array_type, &keys,
											  &isnull));
		if (differing > 0)
			tview_health_add(health, TVIEW_HEALTH_ERROR,
							 psprintf("TVIEW %s is not what its view returns for " INT64_FORMAT " of %d keys: "
									  "pg_tviews_verify() shows all, pg_tviews_repair() puts them right",
									  tview_name_qualified(relid), differing,
									  ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(keys)),
													 ARR_DIMS(DatumGetArrayTypeP(keys)))));
	}
	SPI_finish();
	tview_owner_leave(&saved);
}

/* Unlogged tables can't be read on a standby.  None but an unlogged TVIEW reads one. */
static bool
is_out_of_reach(Oid relid)
{
	return RecoveryInProgress() &&
		get_rel_persistence(relid) == RELPERSISTENCE_UNLOGGED;
}

static void
check_drift(TviewHealth *health, Oid relid)
{
	if (is_out_of_reach(relid))
		return;
	if (!OidIsValid(tview_suspension_cause(relid)))
		verify_keys(health, relid, health->sample);
	else
		tview_health_add(health, TVIEW_HEALTH_WARNING,
						 psprintf("TVIEW %s is suspended, and not verified",
								  tview_name_qualified(relid)));
}

/* An empty TVIEW may have been forgotten. */
static void
check_empty(TviewHealth *health, Oid relid)
{
	if (!is_out_of_reach(relid) &&
		!OidIsValid(tview_suspension_cause(relid)) && tview_table_is_empty(relid))
		verify_keys(health, relid, EMPTY_SAMPLE);
}

/*
 * tview_health_drift - are rows what they should be?
 */
void
tview_health_drift(TviewHealth *health)
{
	if (health->sample == 0)
	{
		tview_health_each(health, "could not be verified", check_empty);
		if (health->findings == NIL)
			tview_health_add(health, TVIEW_HEALTH_OK,
							 "checked for empty TVIEWs only: pg_tviews_health_check(10) verifies 10 keys of each");
		return;
	}
	tview_health_each(health, "could not be verified", check_drift);
	if (health->findings == NIL)
		tview_health_add(health, TVIEW_HEALTH_OK,
						 psprintf(RecoveryInProgress() ? "up to %d keys of each TVIEW are right, but for those of unlogged tables" :
								  "up to %d keys of each TVIEW are right", health->sample));
}
