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
set_fault(TviewOptions *options, char *fault, const char *hint)
{
	options->fault = fault;
	options->hint = hint;
}

static void
invalid_value(TviewOptions *options, const char *option, const char *hint)
{
	set_fault(options,
			  psprintf("invalid value for option \"%s\" of a TVIEW", option),
			  hint);
}

static char *
value_string(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* One that is no list of strings is not valid. */
static bool
parse_tables(JsonbIterator **iterator, List **tables)
{
	JsonbValue	value;
	JsonbIteratorToken token;

	if (JsonbIteratorNext(iterator, &value, false) != WJB_BEGIN_ARRAY ||
		value.val.array.rawScalar)
		return false;
	while ((token = JsonbIteratorNext(iterator, &value, false)) == WJB_ELEM)
	{
		if (value.type != jbvString)
			return false;
		*tables = lappend(*tables, value_string(&value));
	}
	return token == WJB_END_ARRAY;
}

/* {"function": ["table", ...], ...} */
static bool
parse_reads(JsonbIterator **iterator, List **all)
{
	JsonbValue	value;
	JsonbIteratorToken token = JsonbIteratorNext(iterator, &value, false);

	if (token != WJB_BEGIN_OBJECT)
		return false;
	while ((token = JsonbIteratorNext(iterator, &value, false)) == WJB_KEY)
	{
		TviewReads *reads = palloc0(sizeof(TviewReads));

		reads->function = value_string(&value);
		if (!parse_tables(iterator, &reads->tables))
			return false;
		*all = lappend(*all, reads);
	}
	return token == WJB_END_OBJECT;
}

static void
parse_unmapped(TviewOptions *options, const char *name,
			   JsonbIterator **iterator)
{
	JsonbValue	value;
	JsonbIteratorToken token = JsonbIteratorNext(iterator, &value, false);
	char	   *string = token == WJB_VALUE && value.type == jbvString ?
	value_string(&value) : "";

	options->rebuild_unmapped = strcmp(string, "rebuild") == 0;
	if (!options->rebuild_unmapped && strcmp(string, "error") != 0)
		invalid_value(options, name, "Write \"error\" or \"rebuild\".");
}

static void
parse_option(TviewOptions *options, const char *name, JsonbIterator **iterator)
{
	JsonbValue	value;

	if (strcmp(name, "on_unmapped") == 0)
		parse_unmapped(options, name, iterator);
	else if (strcmp(name, "time_dependent") == 0)
	{
		if (JsonbIteratorNext(iterator, &value, false) != WJB_VALUE ||
			value.type != jbvBool)
			invalid_value(options, name, "Write true or false.");
		else
			options->time_dependent = value.val.boolean;
	}
	else if (strcmp(name, "reads") == 0)
	{
		if (!parse_reads(iterator, &options->reads))
			invalid_value(options, name,
						  "Write it like {\"app.f(integer)\": [\"app.tb_x\"]}.");
	}
	else
		set_fault(options,
				  psprintf("unrecognized option \"%s\" of a TVIEW", name),
				  "There are the options on_unmapped, time_dependent, and reads.");
}

/*
 * tview_options_read - options from their JSON object, in the current context
 *
 * Names in them are not looked up.  If they are not valid, the result says why,
 * and of the rest nothing is to be used.
 */
TviewOptions *
tview_options_read(Jsonb *options)
{
	TviewOptions *result = palloc0(sizeof(TviewOptions));
	JsonbIterator *iterator = JsonbIteratorInit(&options->root);
	JsonbValue	value;
	JsonbIteratorToken token;

	if (!JB_ROOT_IS_OBJECT(options))
		set_fault(result, "options of a TVIEW must be a JSON object",
				  "Write them like {\"on_unmapped\": \"error\"}.");
	while (result->fault == NULL &&
		   (token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
		if (token == WJB_KEY)
			parse_option(result, value_string(&value), &iterator);
	return result;
}

/*
 * tview_options_parse - the same, but it is an error if they are not valid
 */
TviewOptions *
tview_options_parse(Jsonb *options)
{
	TviewOptions *result = tview_options_read(options);

	if (result->fault != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s", result->fault),
				 errhint("%s", result->hint)));
	return result;
}

/*
 * tview_options_copy - a copy in the current context, of such as are valid
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
