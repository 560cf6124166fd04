/*-------------------------------------------------------------------------
 *
 * select.c
 *	  What is asked of the SELECT that defines a TVIEW, apart from how its rows
 *	  depend on those of tables.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "utils/builtins.h"

#include "analyze/select.h"
#include "base/names.h"
#include "catalog/graph.h"

/*
 * tview_select_parse - parse and analyse a definition: one SELECT, nothing else
 */
Query *
tview_select_parse(const char *definition, const char *name)
{
	List	   *statements = raw_parser(definition, RAW_PARSE_DEFAULT);
	RawStmt    *raw;

	if (list_length(statements) != 1 ||
		!IsA(linitial_node(RawStmt, statements)->stmt, SelectStmt) ||
		((SelectStmt *) linitial_node(RawStmt, statements)->stmt)->intoClause != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("definition of TVIEW \"%s\" is not a SELECT", name),
				 errhint("Write it as one SELECT statement.")));
	raw = linitial_node(RawStmt, statements);
	return parse_analyze_fixedparams(raw, definition, NULL, 0, NULL);
}

/*
 * tview_select_find_column - the column of this name, or NULL
 */
Form_pg_attribute
tview_select_find_column(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			return att;
	}
	return NULL;
}

/*
 * tview_select_check_columns - has the definition the columns that the naming
 * contract asks for?
 */
void
tview_select_check_columns(TupleDesc desc, const char *entity,
						   const char *key_column)
{
	Form_pg_attribute data = tview_select_find_column(desc, TVIEW_DATA_COLUMN);

	if (tview_select_find_column(desc, key_column) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("definition of TVIEW \"%s\" has no column \"%s\"",
						entity, key_column),
				 errhint("Select the primary key of the table whose rows the TVIEW has as %s.",
						 quote_identifier(key_column))));
	if (data == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("definition of TVIEW \"%s\" has no column \"%s\"",
						entity, TVIEW_DATA_COLUMN),
				 errhint("Select the document as %s, of type jsonb, with jsonb_build_object() for instance.",
						 TVIEW_DATA_COLUMN)));
	if (data->atttypid != JSONBOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of TVIEW \"%s\" is of type %s, not jsonb",
						TVIEW_DATA_COLUMN, entity,
						format_type_be(data->atttypid)),
				 errhint("Build the document with jsonb functions, or cast it to jsonb.")));
	if (tview_select_find_column(desc, TVIEW_UPDATED_COLUMN) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("definition of TVIEW \"%s\" has a column \"%s\"",
						entity, TVIEW_UPDATED_COLUMN),
				 errdetail("Every TVIEW gets a column of this name, with the time of a row's last change."),
				 errhint("Give the column another name.")));
}

/*
 * tview_select_check_level - how deep may TVIEWs over TVIEWs go?
 */
void
tview_select_check_level(List *tables, const char *entity)
{
	int			level = tview_graph_level(tables);

	if (level > TVIEW_MAX_LEVEL)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("TVIEW \"%s\" would be at level %d of TVIEWs over TVIEWs",
						entity, level),
				 errdetail("At most %d levels are possible.", TVIEW_MAX_LEVEL),
				 errhint("Read the base tables instead of a TVIEW somewhere on the way.")));
}
