/*-------------------------------------------------------------------------
 *
 * relation.c
 *	  Type pg_tview_relation: a relation in the metadata.
 *
 * It is stored and printed like regclass, but a relation that is not there is no
 * error: on input it becomes 0, and it is printed as "-".  So the metadata can be
 * restored where only the base tables are, or less than what it is about; what
 * TVIEWs are called, and how they are defined, is in columns of their own.
 * And a relation that was dropped is not dumped as a number, which may be that of
 * another relation where it is restored.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(pg_tview_relation_in);
PG_FUNCTION_INFO_V1(pg_tview_relation_out);

/*
 * pg_tview_relation_in - name or number of a relation
 */
Datum
pg_tview_relation_in(PG_FUNCTION_ARGS)
{
	char	   *input = PG_GETARG_CSTRING(0);

	LOCAL_FCINFO(call, 1);
	Datum		result;

	if (strspn(input, "-0123456789") == strlen(input))
	{
		result = DirectFunctionCall1(regclassin, CStringGetDatum(input));
		PG_RETURN_OID(get_rel_relkind(DatumGetObjectId(result)) == '\0' ?
					  InvalidOid : DatumGetObjectId(result));
	}

	/* DirectFunctionCall1() takes no null for an answer */
	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0].value = CStringGetTextDatum(input);
	call->args[0].isnull = false;
	result = to_regclass(call);
	PG_RETURN_OID(call->isnull ? InvalidOid : DatumGetObjectId(result));
}

/*
 * pg_tview_relation_out - name of a relation, as far as there is need qualified
 */
Datum
pg_tview_relation_out(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);

	if (get_rel_relkind(relid) == '\0')
		PG_RETURN_CSTRING(pstrdup("-"));
	PG_RETURN_DATUM(DirectFunctionCall1(regclassout, ObjectIdGetDatum(relid)));
}
