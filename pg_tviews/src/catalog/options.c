/*-------------------------------------------------------------------------
 *
 * options.c
 *	  Options of a TVIEW.
 *
 * They are a JSON object, given when the TVIEW is created or altered and kept
 * in pg_tview_meta:
 *
 *	 on_unmapped		"error" or "rebuild": what to do with a source whose
 *						changes don't lead to keys
 *	 time_dependent		whether functions of the clock and of the session are
 *						allowed
 *	 reads				{"schema.function(type, ...)": ["schema.table", ...]}:
 *						the tables that a function reads
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "catalog/options.h"

static void
invalid_value(const char *option, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\" of a TVIEW", option),
			 errhint("%s", hint)));
}

static char *
value_string(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* {"function": ["table", ...], ...}; the iterator is at the object's start. */
static List *
parse_reads(JsonbIterator **iterator)
{
	const char *hint = "Write it like {\"app.f(integer)\": [\"app.tb_x\"]}.";
	List	   *result = NIL;
	JsonbValue	value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(iterator, &value, false)) != WJB_END_OBJECT)
	{
		TviewReads *reads = palloc0(sizeof(TviewReads));

		if (token != WJB_KEY)
			invalid_value("reads", hint);
		reads->function = value_string(&value);
		if (JsonbIteratorNext(iterator, &value, false) != WJB_BEGIN_ARRAY ||
			value.val.array.rawScalar)
			invalid_value("reads", hint);
		while ((token = JsonbIteratorNext(iterator, &value, false)) == WJB_ELEM)
		{
			if (value.type != jbvString)
				invalid_value("reads", hint);
			reads->tables = lappend(reads->tables, value_string(&value));
		}
		if (token != WJB_END_ARRAY)
			invalid_value("reads", hint);
		result = lappend(result, reads);
	}
	return result;
}

static void
parse_option(TviewOptions *options, const char *name, JsonbIterator **iterator)
{
	JsonbValue	value;
	JsonbIteratorToken token = JsonbIteratorNext(iterator, &value, false);

	if (strcmp(name, "on_unmapped") == 0)
	{
		char	   *string = token == WJB_VALUE && value.type == jbvString ?
		value_string(&value) : "";

		options->rebuild_unmapped = strcmp(string, "rebuild") == 0;
		if (!options->rebuild_unmapped && strcmp(string, "error") != 0)
			invalid_value(name, "Write \"error\" or \"rebuild\".");
	}
	else if (strcmp(name, "time_dependent") == 0)
	{
		if (token != WJB_VALUE || value.type != jbvBool)
			invalid_value(name, "Write true or false.");
		options->time_dependent = value.val.boolean;
	}
	else if (strcmp(name, "reads") == 0)
	{
		if (token != WJB_BEGIN_OBJECT)
			invalid_value(name, "Write it like {\"app.f(integer)\": [\"app.tb_x\"]}.");
		options->reads = parse_reads(iterator);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized option \"%s\" of a TVIEW", name),
				 errhint("There are the options on_unmapped, time_dependent, and reads.")));
}

/*
 * tview_options_parse - options from their JSON object, in the current context
 *
 * Names in them are not looked up.
 */
TviewOptions *
tview_options_parse(Jsonb *options)
{
	TviewOptions *result = palloc0(sizeof(TviewOptions));
	JsonbIterator *iterator = JsonbIteratorInit(&options->root);
	JsonbValue	value;
	JsonbIteratorToken token;

	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options of a TVIEW must be a JSON object"),
				 errhint("Write them like {\"on_unmapped\": \"error\"}.")));
	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
		if (token == WJB_KEY)
			parse_option(result, value_string(&value), &iterator);
	return result;
}

/*
 * tview_options_copy - a copy in the current context
 *
 * Those of a Tview go with the graph, which may be read anew at any time.
 */
TviewOptions *
tview_options_copy(const TviewOptions *options)
{
	TviewOptions *result = palloc(sizeof(TviewOptions));
	ListCell   *lc;

	*result = *options;
	result->reads = NIL;
	foreach(lc, options->reads)
	{
		TviewReads *from = lfirst(lc);
		TviewReads *to = palloc0(sizeof(TviewReads));
		ListCell   *table;

		to->function = pstrdup(from->function);
		foreach(table, from->tables)
			to->tables = lappend(to->tables, pstrdup(lfirst(table)));
		result->reads = lappend(result->reads, to);
	}
	return result;
}
