/*-------------------------------------------------------------------------
 *
 * notices.c
 *	  What users should know of a definition that is accepted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"

#include "analyze/notices.h"
#include "catalog/graph.h"

typedef struct Found
{
	const char *name;			/* of the TVIEW */
	List	   *notices;
} Found;

static void
add_notice(Found *found, char *message, char *detail, char *hint)
{
	TviewNotice *notice = palloc(sizeof(TviewNotice));

	notice->message = message;
	notice->detail = detail;
	notice->hint = hint;
	found->notices = lappend(found->notices, notice);
}

/* An array whose order is not said may come out in another one each time. */
static void
find_unordered(Aggref *aggregate, Found *found)
{
	char	   *function = get_func_name(aggregate->aggfnoid);

	if (aggregate->aggorder != NIL || aggregate->aggdistinct != NIL ||
		(strcmp(function, "jsonb_agg") != 0 &&
		 strcmp(function, "jsonb_agg_strict") != 0 &&
		 strcmp(function, "json_agg") != 0 &&
		 strcmp(function, "json_agg_strict") != 0 &&
		 strcmp(function, "array_agg") != 0 &&
		 strcmp(function, "string_agg") != 0))
		return;
	add_notice(found,
			   psprintf("definition of TVIEW \"%s\" uses %s() without ORDER BY",
						found->name, function),
			   "The order of the elements is not determined, and may differ between view and TVIEW.",
			   psprintf("Order by a unique column: %s(... ORDER BY ...).",
						function));
}

static bool
notices_walker(Node *node, Found *found)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, notices_walker, found, 0);
	if (IsA(node, Aggref))
		find_unordered((Aggref *) node, found);
	return expression_tree_walker(node, notices_walker, found);
}

/*
 * tview_notices_find - list of TviewNotice
 */
List *
tview_notices_find(const TviewExpansion *expansion, const char *name)
{
	Found		found = {name, NIL};
	int			level = tview_graph_level(expansion->tables);

	(void) notices_walker((Node *) expansion->query, &found);
	if (expansion->query->sortClause != NIL &&
		expansion->query->limitCount == NULL &&
		expansion->query->limitOffset == NULL &&
		!expansion->query->hasDistinctOn)
		add_notice(&found,
				   psprintf("ORDER BY of the definition of TVIEW \"%s\" has no effect",
							name),
				   "The rows of a table have no order.",
				   "Order the query that reads the TVIEW.");
	if (level > TVIEW_NOTICE_LEVEL && level <= TVIEW_MAX_LEVEL)
		add_notice(&found,
				   psprintf("TVIEW \"%s\" is at level %d of TVIEWs over TVIEWs",
							name, level),
				   "A change at the bottom is refreshed level by level.",
				   NULL);
	return found.notices;
}

/*
 * tview_notices_raise - tell the client
 */
void
tview_notices_raise(const TviewExpansion *expansion, const char *name)
{
	ListCell   *lc;

	foreach(lc, tview_notices_find(expansion, name))
	{
		TviewNotice *notice = lfirst(lc);

		ereport(NOTICE,
				(errmsg("%s", notice->message),
				 errdetail("%s", notice->detail),
				 notice->hint == NULL ? 0 : errhint("%s", notice->hint)));
	}
}
