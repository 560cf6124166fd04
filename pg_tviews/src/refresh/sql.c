/*-------------------------------------------------------------------------
 *
 * sql.c
 *	  Text of the statements that compare and write a TVIEW.
 *
 * In all of them "t" is the table, "s" the rows as they should be, with
 * columns c1, c2, ... in the order of the definition, and "k" the keys to
 * refresh.  Names are qualified, so that the text means the same whatever
 * search_path is.
 *
 * Rows are compared as images, byte for byte: it works for every type, and tells
 * apart values that are equal and yet look different, such as 1.0 and 1.00.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "catalog/pg_namespace.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/extension.h"
#include "base/names.h"
#include "refresh/sql.h"

/*
 * A list with an item for each column but one, if that is given; %c is its
 * name, %l the same as a literal, %n its number.
 */
static char *
column_list_without(const TviewPlan *plan, const char *item,
					const char *without)
{
	StringInfoData buf;
	ListCell   *lc;
	int			n = 0;

	initStringInfo(&buf);
	foreach(lc, plan->columns)
	{
		n++;
		if (without != NULL && strcmp(lfirst(lc), without) == 0)
			continue;
		if (buf.len > 0)
			appendStringInfoString(&buf, ", ");
		for (const char *p = item; *p != '\0'; p++)
		{
			if (p[0] == '%' && p[1] == 'c')
				appendStringInfoString(&buf, quote_identifier(lfirst(lc)));
			else if (p[0] == '%' && p[1] == 'l')
				appendStringInfoString(&buf, quote_literal_cstr(lfirst(lc)));
			else if (p[0] == '%' && p[1] == 'n')
				appendStringInfo(&buf, "%d", n);
			else
			{
				appendStringInfoChar(&buf, *p);
				continue;
			}
			p++;
		}
	}
	return buf.data;
}

static char *
column_list(const TviewPlan *plan, const char *item)
{
	return column_list_without(plan, item, NULL);
}

static int
key_number(const TviewPlan *plan)
{
	ListCell   *lc;
	int			n = 0;

	foreach(lc, plan->columns)
	{
		n++;
		if (strcmp(lfirst(lc), plan->key_column) == 0)
			return n;
	}
	elog(ERROR, "TVIEW %s has no column \"%s\"", plan->name, plan->key_column);
	return 0;
}

/* The key column of s. */
static char *
source_key(const TviewPlan *plan)
{
	return psprintf("s.c%d", key_number(plan));
}

static char *
table_key(const TviewPlan *plan)
{
	return psprintf("t.%s", quote_identifier(plan->key_column));
}

/* The keys of $1, each once. */
static char *
keys_from_parameter(const TviewPlan *plan)
{
	const char *keys = "pg_catalog.unnest($1) AS u(pk)";

	/* the array has no two with the same bytes; others may still be equal */
	if (!plan->key_image_equal)
		keys = psprintf("(SELECT DISTINCT d.pk%s AS pk FROM pg_catalog.unnest($1) AS d(pk)) AS u",
						plan->key_collate);
	return psprintf("(SELECT %s(u.pk) AS pk FROM %s) AS k",
					tview_extension_qualify("pg_tviews_trace_key"), keys);
}

/*
 * Rows of the definition for each key, to be joined to k on true.  As a
 * LATERAL subquery, which OFFSET 0 keeps from being flattened, the key is a
 * parameter that the planner pushes down into grouped subqueries too; it would
 * not do that with = ANY($1).
 */
static char *
rows_of_key(const TviewPlan *plan, const char *definition, const char *columns)
{
	return psprintf("LATERAL (SELECT %s FROM (%s) AS v WHERE v.%s %s k.pk OFFSET 0) AS s",
					columns, definition,
					quote_identifier(plan->key_column), plan->key_operator);
}

/*
 * JOIN ... ON ... of the rows of the whole definition, with columns c1, c2,
 * ..., to k.
 */
static char *
join_rows(const TviewPlan *plan)
{
	if (plan->pushes_keys)
		return psprintf("JOIN %s(%s) ON true",
						rows_of_key(plan, plan->keys_sql, "*"),
						column_list(plan, "c%n"));
	return psprintf("JOIN (%s) AS s(%s) ON %s %s k.pk", plan->keys_sql,
					column_list(plan, "c%n"), source_key(plan),
					plan->key_operator);
}

/*
 * The key is set only if an equal one may look different: an UPDATE that sets
 * a key column takes a stronger row lock.
 */
static char *
set_list(const TviewPlan *plan)
{
	return psprintf("%s, %s = pg_catalog.now()",
					column_list_without(plan, "%c = s.c%n",
										plan->key_image_equal ? plan->key_column : NULL),
					quote_identifier(TVIEW_UPDATED_COLUMN));
}

static char *
differs(const TviewPlan *plan)
{
	return psprintf("pg_catalog.record_image_ne(ROW(%s), ROW(%s))",
					column_list(plan, "t.%c"), column_list(plan, "s.c%n"));
}

/*
 * The key of s, where each row comes by that a rebuild writes or compares.  While
 * a dump is being restored, the owner may not be allowed to use our schema yet.
 */
static char *
counted_key(const TviewPlan *plan)
{
	if (!tview_may_use_schema(tview_extension_schema(), plan->owner))
		return source_key(plan);
	return psprintf("%s(%s)", tview_extension_qualify("pg_tviews_count_row"),
					source_key(plan));
}

static char *
differs_counted(const TviewPlan *plan)
{
	return psprintf("pg_catalog.record_image_ne(ROW(%s, %s), ROW(%s, %s))",
					column_list(plan, "t.%c"), table_key(plan),
					column_list(plan, "s.c%n"), counted_key(plan));
}

/*
 * tview_sql_apply_keys - make the rows of the keys in $1 what they should be
 *
 * Rows that don't differ are neither written nor locked.
 */
char *
tview_sql_apply_keys(const TviewPlan *plan)
{
	char	   *key = source_key(plan);

	return psprintf("MERGE INTO %s AS t USING (SELECT k.pk AS pk, %s FROM %s LEFT %s) AS s "
					"ON %s %s s.pk "
					"WHEN MATCHED AND %s IS NULL THEN DELETE "
					"WHEN MATCHED AND %s THEN UPDATE SET %s "
					"WHEN NOT MATCHED AND %s IS NOT NULL THEN INSERT (%s, %s) VALUES (%s, pg_catalog.now())",
					plan->name, column_list(plan, "s.c%n AS c%n"),
					keys_from_parameter(plan), join_rows(plan),
					table_key(plan), plan->key_operator,
					key,
					differs(plan), set_list(plan),
					key,
					column_list(plan, "%c"),
					quote_identifier(TVIEW_UPDATED_COLUMN),
					column_list(plan, "s.c%n"));
}

/*
 * tview_sql_apply_parts - the same for some parts of rows that are there
 *
 * Pairs of the document are compared one by one, and merged into the stored
 * document, which has the others.
 */
char *
tview_sql_apply_parts(const TviewPlan *plan, uint64 parts)
{
	StringInfoData set;
	StringInfoData stored;
	StringInfoData computed;
	bool		pairs = false;
	int			n = 0;
	ListCell   *lc;

	initStringInfo(&set);
	initStringInfo(&stored);
	initStringInfo(&computed);
	foreach(lc, plan->parts)
	{
		TviewPart  *part = lfirst(lc);
		const char *comma = stored.len > 0 ? ", " : "";
		const char *column;

		if ((parts & (UINT64CONST(1) << n++)) == 0)
			continue;
		if (part->pair >= 0)
		{
			char	   *key = quote_literal_cstr(part->name);

			appendStringInfo(&stored, "%st.data OPERATOR(pg_catalog.->) %s",
							 comma, key);
			appendStringInfo(&computed, "%ss.data OPERATOR(pg_catalog.->) %s",
							 comma, key);
			pairs = true;
			continue;
		}
		column = quote_identifier(part->name);
		appendStringInfo(&stored, "%st.%s", comma, column);
		appendStringInfo(&computed, "%ss.%s", comma, column);
		appendStringInfo(&set, "%s = s.%s, ", column, column);
	}
	if (pairs)
		appendStringInfoString(&set, "data = t.data OPERATOR(pg_catalog.||) s.data, ");

	return psprintf("UPDATE %s AS t SET %s%s = pg_catalog.now() FROM %s, %s "
					"WHERE %s %s k.pk AND pg_catalog.record_image_ne(ROW(%s), ROW(%s))",
					plan->name, set.data, quote_identifier(TVIEW_UPDATED_COLUMN),
					keys_from_parameter(plan),
					rows_of_key(plan, tview_plan_parts_sql(plan, parts), "*"),
					table_key(plan), plan->key_operator,
					stored.data, computed.data);
}

/*
 * tview_sql_duplicate_keys - one of the keys in $1 that has more than one row
 */
char *
tview_sql_duplicate_keys(const TviewPlan *plan)
{
	return psprintf("SELECT k.pk FROM %s %s GROUP BY k.pk HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1",
					keys_from_parameter(plan), join_rows(plan));
}

/*
 * tview_sql_null_key - a row, if the definition returns a null key
 */
char *
tview_sql_null_key(const TviewPlan *plan)
{
	return psprintf("SELECT 1 FROM (%s) AS v WHERE v.%s IS NULL LIMIT 1",
					plan->select_sql, quote_identifier(plan->key_column));
}

/* All rows as they should be; source is a query or a name in FROM. */
static char *
all_rows(const TviewPlan *plan, const char *source)
{
	return psprintf("(SELECT %s FROM %s AS v) AS s", column_list(plan, "v.%c AS c%n"),
					source);
}

/*
 * tview_sql_duplicate - one key of the source that has more than one row
 */
char *
tview_sql_duplicate(const TviewPlan *plan, const char *source)
{
	return psprintf("SELECT %s FROM %s WHERE %s IS NOT NULL GROUP BY 1 HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1",
					source_key(plan), all_rows(plan, source),
					source_key(plan));
}

/*
 * tview_sql_delete - delete rows whose key the source doesn't have
 */
char *
tview_sql_delete(const TviewPlan *plan, const char *source)
{
	return psprintf("DELETE FROM %s AS t WHERE NOT EXISTS (SELECT 1 FROM %s WHERE %s %s %s)",
					plan->name, all_rows(plan, source), source_key(plan),
					plan->key_operator, table_key(plan));
}

/*
 * tview_sql_update - update rows that differ from the source's
 */
char *
tview_sql_update(const TviewPlan *plan, const char *source)
{
	return psprintf("UPDATE %s AS t SET %s FROM %s WHERE %s %s %s AND %s",
					plan->name, set_list(plan), all_rows(plan, source),
					source_key(plan), plan->key_operator, table_key(plan),
					differs_counted(plan));
}

/*
 * tview_sql_insert - insert rows of the source whose key the table lacks
 */
char *
tview_sql_insert(const TviewPlan *plan, const char *source)
{
	return psprintf("INSERT INTO %s (%s, %s, %s) SELECT %s, %s, pg_catalog.now() FROM %s "
					"WHERE NOT EXISTS (SELECT 1 FROM %s AS t WHERE %s %s %s)",
					plan->name,
					column_list_without(plan, "%c", plan->key_column),
					quote_identifier(plan->key_column),
					quote_identifier(TVIEW_UPDATED_COLUMN),
					column_list_without(plan, "s.c%n", plan->key_column),
					counted_key(plan), all_rows(plan, source),
					plan->name, source_key(plan), plan->key_operator,
					table_key(plan));
}

/* Names of the columns in which t and s differ. */
static char *
differing_columns(const TviewPlan *plan)
{
	return psprintf("pg_catalog.array_remove(ARRAY[%s], NULL)",
					column_list(plan, "CASE WHEN pg_catalog.record_image_ne(ROW(t.%c), ROW(s.c%n)) THEN %l END::pg_catalog.text"));
}

/*
 * tview_sql_verify - keys whose row is not what the view returns
 *
 * With the TVIEW, and the columns that differ, if that is wanted.
 */
char *
tview_sql_verify(const TviewPlan *plan, bool detailed)
{
	char	   *key = source_key(plan);
	char	   *stored = table_key(plan);
	char	   *rows = all_rows(plan, plan->view_sql);
	char	   *differences;

	differences = psprintf("SELECT CASE WHEN t.ctid IS NULL THEN %s ELSE %s END::pg_catalog.text AS key, "
						   "CASE WHEN t.ctid IS NULL THEN 'missing' WHEN %s IS NULL THEN 'null key' "
						   "WHEN s.there IS NULL THEN 'extra' ELSE 'different' END AS difference, "
						   "CASE WHEN t.ctid IS NOT NULL AND s.there THEN %s END AS columns "
						   "FROM %s AS t FULL JOIN (SELECT s.*, true AS there FROM %s WHERE %s IS NOT NULL) AS s ON %s %s %s "
						   "WHERE t.ctid IS NULL OR s.there IS NULL OR %s "
						   "UNION ALL (SELECT %s::pg_catalog.text, 'duplicate', NULL::pg_catalog.text[] FROM %s WHERE %s IS NOT NULL GROUP BY %s HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 "
						   "UNION SELECT %s::pg_catalog.text, 'duplicate', NULL::pg_catalog.text[] FROM %s AS t WHERE %s IS NOT NULL GROUP BY %s HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1) "
						   "UNION ALL SELECT NULL, 'null key', NULL::pg_catalog.text[] FROM %s WHERE %s IS NULL",
						   key, stored,
						   stored,
						   detailed ? differing_columns(plan) : "NULL::pg_catalog.text[]",
						   plan->name, rows, key, key, plan->key_operator, stored,
						   differs(plan),
						   key, rows, key, key,
						   stored, plan->name, stored, stored,
						   rows, key);
	if (!detailed)
		return psprintf("SELECT d.key, d.difference FROM (%s) AS d", differences);
	return psprintf("SELECT %u::pg_catalog.oid::pg_catalog.regclass, d.key, d.difference, d.columns FROM (%s) AS d",
					plan->tview, differences);
}

/*
 * tview_sql_count_differing - how many keys in $1 have a row that a refresh
 * would write, or delete
 */
char *
tview_sql_count_differing(const TviewPlan *plan)
{
	return psprintf("SELECT pg_catalog.count(DISTINCT k.pk%s) FROM %s LEFT %s LEFT JOIN %s AS t ON %s %s k.pk WHERE %s",
					plan->key_collate, keys_from_parameter(plan),
					join_rows(plan), plan->name, table_key(plan),
					plan->key_operator, differs(plan));
}
