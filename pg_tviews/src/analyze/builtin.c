/*-------------------------------------------------------------------------
 *
 * builtin.c
 *	  What is known of the server's own functions.
 *
 * Most of its stable functions are stable because of settings that a refresh
 * fixes (see owner.c); these may be used like immutable ones.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "analyze/builtin.h"

/*
 * Stable functions of the server whose result depends only on their
 * arguments and on settings that a refresh fixes.  Sorted.  The output
 * functions of types (xxx_out) count as listed; whether the text form of the
 * argument's type is fixed is looked at for all of them.
 */
static const char *const allowed_stable[] = {
	"anytextcat", "array_to_json", "array_to_string", "concat", "concat_ws",
	"convert", "convert_from", "convert_to", "date", "date_add",
	"date_cmp_timestamptz", "date_eq_timestamptz", "date_ge_timestamptz",
	"date_gt_timestamptz", "date_le_timestamptz", "date_lt_timestamptz",
	"date_ne_timestamptz", "date_part", "date_subtract", "date_trunc",
	"extract", "format", "generate_series", "interval",
	"interval_pl_timestamptz", "json_agg", "json_agg_strict",
	"json_build_array", "json_build_object", "json_object_agg",
	"json_object_agg_strict", "json_object_agg_unique",
	"json_object_agg_unique_strict", "json_populate_record",
	"json_populate_recordset", "json_to_record", "json_to_recordset",
	"jsonb_agg", "jsonb_agg_strict", "jsonb_build_array",
	"jsonb_build_object", "jsonb_object_agg", "jsonb_path_exists_tz",
	"jsonb_path_match_tz", "jsonb_path_query_array_tz",
	"jsonb_path_query_first_tz", "jsonb_path_query_tz",
	"jsonb_populate_record", "jsonb_populate_recordset", "jsonb_to_record",
	"jsonb_to_recordset", "length", "make_timestamptz", "overlaps",
	"quote_literal", "quote_nullable", "row_to_json", "string_agg",
	"textanycat", "time", "timestamp", "timestamp_cmp_timestamptz",
	"timestamp_eq_timestamptz", "timestamp_ge_timestamptz",
	"timestamp_gt_timestamptz", "timestamp_le_timestamptz",
	"timestamp_lt_timestamptz", "timestamp_mi_interval",
	"timestamp_ne_timestamptz", "timestamp_pl_interval", "timestamptz",
	"timestamptz_cmp_date", "timestamptz_cmp_timestamp",
	"timestamptz_eq_date", "timestamptz_eq_timestamp", "timestamptz_ge_date",
	"timestamptz_ge_timestamp", "timestamptz_gt_date",
	"timestamptz_gt_timestamp", "timestamptz_le_date",
	"timestamptz_le_timestamp", "timestamptz_lt_date",
	"timestamptz_lt_timestamp", "timestamptz_mi_interval",
	"timestamptz_ne_date", "timestamptz_ne_timestamp",
	"timestamptz_pl_interval", "timetz", "timezone", "to_char", "to_date",
	"to_json", "to_jsonb", "to_number", "to_timestamp", "xml"
};

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/*
 * tview_builtin_is_fixed - does a stable function of the server depend on its
 * arguments and fixed settings only?
 */
bool
tview_builtin_is_fixed(Oid funcid)
{
	char	   *name = get_func_name(funcid);
	size_t		len = strlen(name);

	/* what this zone's offset is depends on the day */
	if (funcid == F_TIMEZONE_TEXT_TIMETZ)
		return false;
	return (len > 4 && strcmp(name + len - 4, "_out") == 0) ||
		bsearch(&name, allowed_stable, lengthof(allowed_stable),
				sizeof(char *), compare_names) != NULL;
}

/*
 * tview_builtin_format_uses_locale - does a format of to_char() and the like
 * have letters that stand for something of the locale?
 */
bool
tview_builtin_format_uses_locale(const char *format, bool numeric)
{
	bool		quoted = false;

	for (const char *p = format; *p != '\0'; p++)
	{
		char		c = pg_toupper((unsigned char) *p);
		char		next = pg_toupper((unsigned char) p[1]);

		if (c == '\\' && next != '\0')
			p++;
		else if (c == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (numeric && ((c == 'S' && next == 'G') ||
							 (c == 'P' && next == 'L')))
			p++;
		else if (numeric ? strchr("LDG", c) != NULL :
				 c == 'T' && next == 'M')
			return true;
	}
	return false;
}

/*
 * tview_builtin_value_name - CURRENT_DATE and the like, as they are written
 */
const char *
tview_builtin_value_name(SQLValueFunctionOp op)
{
	switch (op)
	{
		case SVFOP_CURRENT_DATE:
			return "CURRENT_DATE";
		case SVFOP_CURRENT_TIME:
		case SVFOP_CURRENT_TIME_N:
			return "CURRENT_TIME";
		case SVFOP_CURRENT_TIMESTAMP:
		case SVFOP_CURRENT_TIMESTAMP_N:
			return "CURRENT_TIMESTAMP";
		case SVFOP_LOCALTIME:
		case SVFOP_LOCALTIME_N:
			return "LOCALTIME";
		case SVFOP_LOCALTIMESTAMP:
		case SVFOP_LOCALTIMESTAMP_N:
			return "LOCALTIMESTAMP";
		case SVFOP_CURRENT_ROLE:
			return "CURRENT_ROLE";
		case SVFOP_CURRENT_USER:
			return "CURRENT_USER";
		case SVFOP_USER:
			return "USER";
		case SVFOP_SESSION_USER:
			return "SESSION_USER";
		case SVFOP_CURRENT_CATALOG:
			return "CURRENT_CATALOG";
		case SVFOP_CURRENT_SCHEMA:
			return "CURRENT_SCHEMA";
	}
	return "an SQL value function";
}
