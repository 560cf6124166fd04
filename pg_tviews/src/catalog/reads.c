/*-------------------------------------------------------------------------
 *
 * reads.c
 *	  Functions of definitions, and the tables they are declared to read.
 *
 * The option "reads" of a TVIEW has names in it.  They are stored qualified,
 * so that they mean the same under any search_path, and written anew when an
 * object that they name gets another name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/regproc.h"
#include "utils/varlena.h"

#include "base/names.h"
#include "catalog/reads.h"

static Oid
find_function(const char *signature, bool missing_ok)
{
	LOCAL_FCINFO(fcinfo, 1);
	Datum		result;

	if (!missing_ok)
		return DatumGetObjectId(DirectFunctionCall1(regprocedurein,
													CStringGetDatum(signature)));
	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = CStringGetTextDatum(signature);
	fcinfo->args[0].isnull = false;
	result = to_regprocedure(fcinfo);
	return fcinfo->isnull ? InvalidOid : DatumGetObjectId(result);
}

static Oid
find_table(const char *name, bool missing_ok)
{
	return RangeVarGetRelid(makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name))),
							NoLock, missing_ok);
}

static TviewReadsOids *
find_reads(List *list, Oid function)
{
	ListCell   *lc;

	foreach(lc, list)
		if (((TviewReadsOids *) lfirst(lc))->function == function)
		return lfirst(lc);
	return NULL;
}

/*
 * tview_reads_resolve - look up the names in the option "reads"
 *
 * Returns a list of TviewReadsOids, each function once.  Without missing_ok
 * a name that is unknown is an error; with it, it is left out.
 */
List *
tview_reads_resolve(const TviewOptions *options, bool missing_ok)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, options->reads)
	{
		TviewReads *names = lfirst(lc);
		Oid			function = find_function(names->function, missing_ok);
		TviewReadsOids *reads = find_reads(result, function);
		ListCell   *table;

		if (!OidIsValid(function))
			continue;
		if (reads == NULL)
		{
			reads = palloc0(sizeof(TviewReadsOids));
			reads->function = function;
			result = lappend(result, reads);
		}
		foreach(table, names->tables)
		{
			Oid			relid = find_table(lfirst(table), missing_ok);

			if (OidIsValid(relid))
				reads->tables = list_append_unique_oid(reads->tables, relid);
		}
	}
	return result;
}

static void
push_string(JsonbParseState **state, JsonbIteratorToken token, char *string)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = string;
	value.val.string.len = strlen(string);
	(void) pushJsonbValue(state, token, &value);
}

/*
 * tview_reads_name - options with the names that these objects have now
 */
Jsonb *
tview_reads_name(Jsonb *options, List *reads)
{
	JsonbParseState *state = NULL;
	JsonbValue *value;
	ListCell   *lc;

	if (reads == NIL)
		return options;
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_string(&state, WJB_KEY, pstrdup("reads"));
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(lc, reads)
	{
		TviewReadsOids *one = lfirst(lc);
		ListCell   *table;

		push_string(&state, WJB_KEY, format_procedure_qualified(one->function));
		(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		foreach(table, one->tables)
			push_string(&state, WJB_ELEM,
						tview_name_qualified(lfirst_oid(table)));
		(void) pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	}
	(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	value = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat,
											  JsonbPGetDatum(options),
											  JsonbPGetDatum(JsonbValueToJsonb(value))));
}

/*
 * tview_reads_tables - all tables in the option "reads", each once, ascending
 */
List *
tview_reads_tables(const TviewOptions *options)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, tview_reads_resolve(options, false))
		result = list_concat_unique_oid(result,
										((TviewReadsOids *) lfirst(lc))->tables);
	list_sort(result, list_oid_cmp);
	return result;
}
