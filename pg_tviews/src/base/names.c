/*-------------------------------------------------------------------------
 *
 * names.c
 *	  The naming contract: entity, tv_entity, v_entity, pk_entity.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/namespace.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "base/names.h"

/*
 * tview_name_has_prefix - does it, and does something follow the prefix?
 */
bool
tview_name_has_prefix(const char *name, const char *prefix)
{
	size_t		len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 && name[len] != '\0';
}

/*
 * tview_name_join - a name made of a prefix and an entity
 *
 * A name that would have to be cut short is an error: two entities could
 * otherwise end up with one name.
 */
char *
tview_name_join(const char *prefix, const char *entity)
{
	if (strlen(prefix) + strlen(entity) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("entity name \"%s\" is too long", entity),
				 errdetail("\"%s%s\" is longer than the %d bytes of a name.",
						   prefix, entity, NAMEDATALEN - 1),
				 errhint("Choose a name of at most %d bytes.",
						 NAMEDATALEN - 1 - (int) strlen(TVIEW_TABLE_PREFIX))));
	return psprintf("%s%s", prefix, entity);
}

/* Is there nothing outside double quotes that no identifier has? */
static bool
has_identifier_syntax(const char *input)
{
	bool		quoted = false;

	for (const char *p = input; *p != '\0'; p++)
	{
		if (*p == '"')
			quoted = !quoted;
		else if (!quoted && !IS_HIGHBIT_SET(*p) && !isalnum((unsigned char) *p) &&
				 !isspace((unsigned char) *p) && strchr("_$.", *p) == NULL)
			return false;
		else if (!quoted && *p != '.' && p > input && p[-1] == '"')
			return false;
		if (*p == '"' && quoted && p > input && p[-1] != '.' && p[-1] != '"' &&
			!isspace((unsigned char) p[-1]))
			return false;
	}
	return !quoted;
}

/*
 * tview_name_parse - schema (or NULL) and entity out of what a user wrote
 *
 * Takes post, tv_post, app.tv_post, "My Post", by the rules of identifiers.
 */
void
tview_name_parse(const char *input, char **schema, char **entity)
{
	List	   *names;
	char	   *name;

	if (!has_identifier_syntax(input) ||
		!SplitIdentifierString(pstrdup(input), '.', &names) ||
		list_length(names) < 1 || list_length(names) > 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid entity name: \"%s\"", input),
				 errhint("Write it as an identifier, schema-qualified if needed; quote it if it has special characters: \"my entity\".")));

	*schema = list_length(names) == 2 ? linitial(names) : NULL;
	name = llast(names);
	if (tview_name_has_prefix(name, TVIEW_TABLE_PREFIX))
		name += strlen(TVIEW_TABLE_PREFIX);
	(void) tview_name_join(TVIEW_TABLE_PREFIX, name);
	*entity = name;
}

/*
 * tview_name_qualified - quoted and schema-qualified name of a relation
 *
 * Falls back to the OID for one that is gone, so that messages can use it.
 */
char *
tview_name_qualified(Oid relid)
{
	char	   *name = get_rel_name(relid);

	if (name == NULL)
		return psprintf("%u", relid);
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  name);
}
