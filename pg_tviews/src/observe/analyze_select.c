/*-------------------------------------------------------------------------
 *
 * analyze_select.c
 *	  pg_tviews_analyze_select(): what a definition would make.
 *
 * The definition goes through the checks that creation goes through, and what
 * they raise is returned as data.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "analyze/check.h"
#include "analyze/derive.h"
#include "analyze/notices.h"
#include "analyze/plan.h"
#include "analyze/select.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"
#include "catalog/reads.h"
#include "observe/attempt.h"
#include "observe/explain.h"

PG_FUNCTION_INFO_V1(pg_tviews_analyze_select);

/* A row of the result.  properties is an object under construction. */
typedef struct Finding
{
	const char *section;
	const char *name;
	const char *kind;
	const char *detail;
	JsonbParseState *properties;
	const char *sql;
} Finding;

enum
{
	FINDING_SECTION,
	FINDING_NAME,
	FINDING_KIND,
	FINDING_DETAIL,
	FINDING_PROPERTIES,
	FINDING_SQL,
	FINDING_COLUMNS
};

typedef struct Analysis
{
	const char *definition;
	char	   *schema;			/* NULL: the first of search_path */
	char	   *entity;			/* NULL until found */
	Jsonb	   *options;
	Finding    *verdict;
	List	   *findings;		/* of Finding, without the verdict */
} Analysis;

/* ----------
 * Findings
 * ----------
 */

static Finding *
make_finding(const char *section, const char *name, const char *kind,
			 const char *detail)
{
	Finding    *finding = palloc0(sizeof(Finding));

	finding->section = section;
	finding->name = name;
	finding->kind = kind;
	finding->detail = detail;
	(void) pushJsonbValue(&finding->properties, WJB_BEGIN_OBJECT, NULL);
	return finding;
}

static Finding *
add_finding(Analysis *analysis, const char *section, const char *name,
			const char *kind, const char *detail)
{
	Finding    *finding = make_finding(section, name, kind, detail);

	analysis->findings = lappend(analysis->findings, finding);
	return finding;
}

static void
push_string(Finding *finding, JsonbIteratorToken token, const char *string)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, string);
	value.val.string.len = strlen(string);
	(void) pushJsonbValue(&finding->properties, token, &value);
}

/* NULL is left out */
static void
add_string(Finding *finding, const char *key, const char *string)
{
	if (string == NULL)
		return;
	push_string(finding, WJB_KEY, key);
	push_string(finding, WJB_VALUE, string);
}

static void
add_strings(Finding *finding, const char *key, List *strings)
{
	ListCell   *lc;

	push_string(finding, WJB_KEY, key);
	(void) pushJsonbValue(&finding->properties, WJB_BEGIN_ARRAY, NULL);
	foreach(lc, strings)
		push_string(finding, WJB_ELEM, lfirst(lc));
	(void) pushJsonbValue(&finding->properties, WJB_END_ARRAY, NULL);
}

static void
add_value(Finding *finding, const char *key, JsonbValue *value)
{
	push_string(finding, WJB_KEY, key);
	(void) pushJsonbValue(&finding->properties, WJB_VALUE, value);
}

static void
add_boolean(Finding *finding, const char *key, bool boolean)
{
	JsonbValue	value;

	value.type = jbvBool;
	value.val.boolean = boolean;
	add_value(finding, key, &value);
}

static void
add_integer(Finding *finding, const char *key, int integer)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = DatumGetNumeric(DirectFunctionCall1(int4_numeric,
															Int32GetDatum(integer)));
	add_value(finding, key, &value);
}

static void
put_finding(const Finding *finding, ReturnSetInfo *result)
{
	JsonbParseState *state = finding->properties;
	Datum		values[FINDING_COLUMNS] = {0};
	bool		nulls[FINDING_COLUMNS] = {0};
	const char *texts[FINDING_COLUMNS] = {finding->section, finding->name,
	finding->kind, finding->detail, NULL, finding->sql};

	for (int i = 0; i < FINDING_COLUMNS; i++)
	{
		nulls[i] = texts[i] == NULL;
		if (texts[i] != NULL)
			values[i] = CStringGetTextDatum(texts[i]);
	}
	nulls[FINDING_PROPERTIES] = false;
	values[FINDING_PROPERTIES] =
		JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state,
														WJB_END_OBJECT,
														NULL)));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* ----------
 * Columns
 * ----------
 */

static bool
has_suffix(const char *name, const char *suffix)
{
	size_t		len = strlen(name);

	return len > strlen(suffix) &&
		strcmp(name + len - strlen(suffix), suffix) == 0;
}

static const char *
column_role(const char *name, const char *key_column)
{
	if (strcmp(name, key_column) == 0)
		return "key";
	if (strcmp(name, TVIEW_ID_COLUMN) == 0)
		return "id";
	if (strcmp(name, TVIEW_DATA_COLUMN) == 0)
		return "data";
	if (tview_name_has_prefix(name, TVIEW_FK_PREFIX))
		return "fk";
	if (has_suffix(name, TVIEW_UUID_SUFFIX))
		return "uuid fk";
	return "other";
}

/* The first column pk_<entity> names the entity. */
static void
find_entity(Analysis *analysis, TupleDesc desc)
{
	for (int i = 0; i < desc->natts && analysis->entity == NULL; i++)
	{
		char	   *name = NameStr(TupleDescAttr(desc, i)->attname);

		if (tview_name_has_prefix(name, TVIEW_KEY_PREFIX))
			analysis->entity = pstrdup(name + strlen(TVIEW_KEY_PREFIX));
	}
	if (analysis->entity == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("definition has no column %s<entity>",
						TVIEW_KEY_PREFIX),
				 errhint("Select the primary key of the table whose rows the TVIEW has under such a name.")));
	analysis->verdict->name = analysis->entity;
}

static void
add_columns(Analysis *analysis, TupleDesc desc, const char *key_column)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		char	   *name = pstrdup(NameStr(att->attname));

		(void) add_finding(analysis, "column", name,
						   column_role(name, key_column),
						   format_type_with_typemod(att->atttypid,
													att->atttypmod));
	}
}

/* ----------
 * Sources and indexes
 * ----------
 */

static void
warn(Analysis *analysis, const char *name, const char *message,
	 const char *hint)
{
	add_string(add_finding(analysis, "notice", name, "cost", message),
			   "hint", hint);
}

static void
add_indexes(Analysis *analysis, const TviewSource *source,
			const TviewExplanation *explanation)
{
	char	   *table = tview_name_qualified(source->relid);
	ListCell   *lc;
	ListCell   *on;

	foreach(lc, explanation->indexes)
		(void) add_finding(analysis, "index", lfirst(lc), "used",
						   psprintf("finds keys for changes of %s (\"%s\")",
									table, source->alias));
	forboth(lc, explanation->missing, on, explanation->missing_on)
		add_finding(analysis, "index",
					tview_name_qualified(lfirst_oid(on)), "missing",
					psprintf("would find keys for changes of %s (\"%s\")",
							 table, source->alias))->sql = lfirst(lc);
	foreach(lc, explanation->scanned)
		warn(analysis, tview_name_qualified(lfirst_oid(lc)),
			 psprintf("changes of %s (\"%s\") look through all rows of it",
					  table, source->alias),
			 "Join by an equality, which an index can serve.");
}

static void
add_sources(Analysis *analysis, const TviewDerivation *derivation)
{
	ListCell   *lc;

	foreach(lc, derivation->sources)
	{
		const TviewSource *source = lfirst(lc);
		TviewExplanation *explanation = tview_explain_source(source);
		char	   *name = tview_name_qualified(source->relid);
		Finding    *finding = add_finding(analysis, "source", name,
										  explanation->kind,
										  explanation->key_columns != NIL && source->sql == NULL ?
										  psprintf("the key is column %s",
												   quote_identifier(linitial(explanation->key_columns))) :
										  explanation->path);

		finding->sql = source->sql;
		add_integer(finding, "source_no", source->number + 1);
		add_string(finding, "alias", source->alias);
		add_strings(finding, "key_columns", explanation->key_columns);
		add_strings(finding, "used_columns", explanation->used_columns);
		if (source->kind == TVIEW_ALL)
			warn(analysis, name,
				 psprintf("every change of %s (\"%s\") rebuilds the TVIEW",
						  name, source->alias),
				 "Join it by a condition that leads to the row that has the key.");
	}
	foreach(lc, derivation->sources)
		add_indexes(analysis, lfirst(lc), tview_explain_source(lfirst(lc)));
	if (!derivation->unique)
		warn(analysis, analysis->entity,
			 "that a key comes up once doesn't follow from the definition: every refresh looks for duplicates",
			 "Join other tables by unique columns, or aggregate their rows in a subquery.");
}

/* Tables that functions are declared to read: there is no way to the key. */
static void
add_reads(Analysis *analysis, const TviewOptions *options)
{
	ListCell   *lc;

	foreach(lc, tview_reads_tables(options))
	{
		char	   *name = tview_name_qualified(lfirst_oid(lc));

		(void) add_finding(analysis, "source", name, "all",
						   "read by a function, says option \"reads\"");
		warn(analysis, name,
			 psprintf("every change of %s rebuilds the TVIEW", name),
			 "Read the table in the definition itself.");
	}
}

/* ----------
 * Notices
 * ----------
 */

static void
add_notices(Analysis *analysis, const TviewExpansion *expansion)
{
	ListCell   *lc;

	foreach(lc, tview_notices_find(expansion, analysis->entity))
	{
		TviewNotice *notice = lfirst(lc);
		Finding    *finding = add_finding(analysis, "notice",
										  analysis->entity, "notice",
										  notice->message);

		add_string(finding, "detail", notice->detail);
		add_string(finding, "hint", notice->hint);
	}
}

/* What creation would ask of the role and the schema it runs in. */
static void
add_obstacles(Analysis *analysis, List *tables)
{
	List	   *path = fetch_search_path(false);
	Oid			schema = analysis->schema != NULL ?
	get_namespace_oid(analysis->schema, true) :
	path == NIL ? InvalidOid : linitial_oid(path);
	const char *prefixes[] = {TVIEW_TABLE_PREFIX, TVIEW_VIEW_PREFIX};
	ListCell   *lc;

	foreach(lc, tables)
	{
		AclMode		wanted = ACL_SELECT | ACL_TRIGGER;

		if (pg_class_aclmask(lfirst_oid(lc), GetUserId(), wanted,
							 ACLMASK_ALL) != wanted)
			(void) add_finding(analysis, "notice",
							   tview_name_qualified(lfirst_oid(lc)),
							   "privilege",
							   psprintf("role \"%s\" needs SELECT and TRIGGER to create the TVIEW",
										GetUserNameFromId(GetUserId(), false)));
	}
	for (int i = 0; i < lengthof(prefixes); i++)
	{
		Oid			relid = get_relname_relid(tview_name_join(prefixes[i],
															  analysis->entity),
											  schema);

		if (OidIsValid(relid))
			(void) add_finding(analysis, "notice",
							   tview_name_qualified(relid), "name",
							   "a relation of this name is there already");
	}
}

/* ----------
 * The judgement
 * ----------
 */

/* Raises what creation would raise.  What is found before that stays. */
static void
judge(void *arg)
{
	Analysis   *analysis = arg;
	TviewOptions *options = tview_options_parse(analysis->options);
	Query	   *query = tview_select_parse(analysis->definition,
										   analysis->entity == NULL ?
										   "unnamed" : analysis->entity);
	TupleDesc	desc = ExecCleanTypeFromTL(query->targetList);
	char	   *key_column;
	TviewExpansion *expansion;
	TviewDerivation *derivation;
	List	   *tables;
	List	   *roots = NIL;
	ListCell   *lc;
	int			nest_level;

	if (analysis->entity == NULL)
		find_entity(analysis, desc);
	key_column = tview_name_join(TVIEW_KEY_PREFIX, analysis->entity);
	add_columns(analysis, desc, key_column);

	tview_check_statement(query, analysis->entity);
	expansion = tview_expand(query);
	tview_check_definition(expansion, analysis->entity, options);
	add_notices(analysis, expansion);
	tview_select_check_columns(desc, analysis->entity, key_column);
	tables = list_concat_unique_oid(list_copy(expansion->tables),
									tview_reads_tables(options));
	tview_select_check_level(tables, analysis->entity);
	for (int i = 0; i < desc->natts; i++)
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), key_column) == 0)
			tview_plan_check_key(TupleDescAttr(desc, i)->atttypid, key_column,
								 analysis->entity);

	nest_level = tview_fix_settings();
	derivation = tview_derive(expansion->query, key_column, analysis->entity,
							  options);
	AtEOXact_GUC(false, nest_level);
	add_sources(analysis, derivation);
	add_reads(analysis, options);
	add_obstacles(analysis, tables);

	foreach(lc, derivation->roots)
		if (OidIsValid(lfirst_oid(lc)))
		roots = lappend(roots, tview_name_qualified(lfirst_oid(lc)));
	add_strings(analysis->verdict, "roots", roots);
	add_string(analysis->verdict, "key_column", key_column);
	add_integer(analysis->verdict, "cascade_level", tview_graph_level(tables));
	add_boolean(analysis->verdict, "unique", derivation->unique);
}

static void
add_refusal(Analysis *analysis, const ErrorData *error)
{
	Finding    *verdict = analysis->verdict;

	verdict->kind = "refused";
	verdict->detail = error->message;
	add_string(verdict, "sqlstate", unpack_sql_state(error->sqlerrcode));
	add_string(verdict, "detail", error->detail);
	add_string(verdict, "hint", error->hint);
	if (error->cursorpos > 0)
		add_integer(verdict, "position", error->cursorpos);
}

/*
 * pg_tviews_analyze_select - judge a definition, without creating anything
 */
Datum
pg_tviews_analyze_select(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Analysis	analysis = {0};
	ErrorData  *error;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		return (Datum) 0;
	analysis.definition = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (!PG_ARGISNULL(1))
		tview_name_parse(text_to_cstring(PG_GETARG_TEXT_PP(1)),
						 &analysis.schema, &analysis.entity);
	analysis.options = PG_GETARG_JSONB_P(2);
	analysis.verdict = make_finding("verdict", analysis.entity, "accepted",
									NULL);
	error = tview_attempt(judge, &analysis);
	if (error != NULL)
		add_refusal(&analysis, error);

	put_finding(analysis.verdict, result);
	foreach(lc, analysis.findings)
		put_finding(lfirst(lc), result);
	return (Datum) 0;
}
