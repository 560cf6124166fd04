/*-------------------------------------------------------------------------
 *
 * graph.c
 *	  The graph of tables and TVIEWs as text: pg_tviews_graph().
 *
 * Nodes have numbers, and names of relations are in labels only, since neither
 * language lets a node have any name.  A TVIEW whose plan can't be made is
 * shown with what it is known to read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "analyze/plan.h"
#include "base/inherits.h"
#include "base/names.h"
#include "catalog/graph.h"
#include "observe/attempt.h"
#include "observe/explain.h"
#include "stats/refreshes.h"

PG_FUNCTION_INFO_V1(pg_tviews_graph);

typedef struct GraphNode
{
	Oid			relid;
	const char *name;			/* qualified and quoted */
	int			level;			/* of a TVIEW; 0: it is none */
	bool		is_broken;
} GraphNode;

/* What there is to see, before it is written down */
typedef struct Picture
{
	List	   *nodes;			/* of GraphNode; tables, then TVIEWs by level */
	List	   *edges;			/* of GraphEdge */
} Picture;

/* All ways from one relation to the keys of a TVIEW */
typedef struct GraphEdge
{
	Oid			from;
	Oid			to;
	bool		kinds[TVIEW_ALL + 1];	/* those that there are */
} GraphEdge;

/* How to write it; append_text escapes, the others don't */
typedef struct GraphFormat
{
	const char *name;
	const char *head;
	const char *foot;
	const char *newline;		/* in a label */
	void		(*append_text) (StringInfo buf, const char *text);
	void		(*append_node) (StringInfo buf, int number, const GraphNode *node,
								const char *label);
	void		(*append_edge) (StringInfo buf, int from, int to,
								const char *label);
} GraphFormat;

/* ----------
 * What is in it
 * ----------
 */

static GraphEdge *
find_edge(Picture *picture, Oid from, Oid to)
{
	GraphEdge  *edge;
	ListCell   *lc;

	foreach(lc, picture->edges)
	{
		edge = lfirst(lc);
		if (edge->from == from && edge->to == to)
			return edge;
	}
	edge = palloc0(sizeof(GraphEdge));
	edge->from = from;
	edge->to = to;
	picture->edges = lappend(picture->edges, edge);
	return edge;
}

/* What add_ways() is called with */
typedef struct Look
{
	Picture    *picture;
	Oid			tview;
} Look;

static void
add_ways(void *arg)
{
	Look	   *look = arg;
	TviewPlan  *plan = tview_plan_get(look->tview);

	/* somebody has dropped it */
	if (plan == NULL)
		return;
	for (int i = 0; i < plan->nsources; i++)
		find_edge(look->picture, plan->sources[i].relid,
				  look->tview)->kinds[plan->sources[i].kind] = true;
}

static GraphNode *
make_node(Oid relid, int level)
{
	GraphNode  *node = palloc0(sizeof(GraphNode));

	node->relid = relid;
	node->name = tview_name_qualified(relid);
	node->level = level;
	return node;
}

/* Tables come before TVIEWs. */
static int
compare_nodes(const ListCell *a, const ListCell *b)
{
	const GraphNode *left = lfirst(a);
	const GraphNode *right = lfirst(b);

	return left->level != right->level ? left->level - right->level :
		strcmp(left->name, right->name);
}

static int
node_number(const Picture *picture, Oid relid)
{
	ListCell   *lc;

	foreach(lc, picture->nodes)
		if (((GraphNode *) lfirst(lc))->relid == relid)
		return foreach_current_index(lc) + 1;
	elog(ERROR, "relation %u is not in the graph", relid);
	return 0;
}

static Picture *
look(void)
{
	Picture    *picture = palloc0(sizeof(Picture));
	List	   *tables = NIL;
	List	   *tviews = NIL;
	ListCell   *lc;

	foreach(lc, tview_graph_all())
	{
		Tview	   *tview = lfirst(lc);
		ListCell   *read;

		tviews = lappend_oid(tviews, tview->tview);
		picture->nodes = lappend(picture->nodes,
								 make_node(tview->tview, tview->level));
		foreach(read, tview->dependencies)
		{
			(void) find_edge(picture, lfirst_oid(read), tview->tview);
			tables = list_append_unique_oid(tables, lfirst_oid(read));
		}
	}
	foreach(lc, list_difference_oid(tables, tviews))
		picture->nodes = lappend(picture->nodes, make_node(lfirst_oid(lc), 0));
	list_sort(picture->nodes, compare_nodes);

	foreach(lc, picture->nodes)
	{
		GraphNode  *node = lfirst(lc);
		Look		arg = {picture, node->relid};

		if (node->level > 0)
			node->is_broken = tview_attempt(add_ways, &arg) != NULL;
	}
	return picture;
}

/* ----------
 * Labels
 * ----------
 */

/* "" if it was not refreshed */
static char *
refresh_time(Oid tview)
{
	TviewStats *entry = tview_area_find(tview, false);
	double		ms;

	if (entry == NULL)
		return "";
	ms = entry->of.refreshes.refreshes == 0 ? -1 :
		(double) entry->of.refreshes.time / entry->of.refreshes.refreshes / 1000;
	tview_area_release(entry);
	return ms < 0 ? "" :
		psprintf("%.*f ms a refresh%s", ms < 10 ? 2 : 0, ms,
				 tview_area_is_shared() ? "" : " in this session");
}

static char *
node_label(const GraphFormat *format, const GraphNode *node)
{
	double		rows = tview_inherits_rows(node->relid);
	char	   *time = node->level > 0 ? refresh_time(node->relid) : "";
	StringInfoData buf;

	initStringInfo(&buf);
	format->append_text(&buf, node->name);
	appendStringInfoString(&buf, format->newline);
	if (rows < 0)
		appendStringInfoString(&buf, "rows not counted yet");
	else
		appendStringInfo(&buf, "about %.0f rows", rows);
	if (time[0] != '\0')
		appendStringInfo(&buf, "%s%s", format->newline, time);
	if (node->is_broken)
		appendStringInfo(&buf, "%scannot be maintained", format->newline);
	return buf.data;
}

static char *
edge_label(const GraphEdge *edge)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (TviewSourceKind kind = TVIEW_LOCAL; kind <= TVIEW_ALL; kind++)
		if (edge->kinds[kind])
			appendStringInfo(&buf, "%s%s", buf.len > 0 ? ", " : "",
							 tview_explain_kind(kind));
	return buf.data;
}

/* ----------
 * DOT
 * ----------
 */

/* A backslash escapes, and "&lt;" and the like are characters. */
static void
append_dot_text(StringInfo buf, const char *text)
{
	for (const unsigned char *p = (const unsigned char *) text; *p != '\0'; p++)
	{
		if (*p == '"' || *p == '\\')
			appendStringInfo(buf, "\\%c", *p);
		else if (*p == '&')
			appendStringInfoString(buf, "&amp;");
		else if (iscntrl(*p) && *p < 0x80)
			appendStringInfo(buf, "\\\\x%02X", *p);
		else
			appendStringInfoChar(buf, *p);
	}
}

static void
append_dot_node(StringInfo buf, int number, const GraphNode *node,
				const char *label)
{
	appendStringInfo(buf, "\tn%d [label=\"%s\"%s];\n", number, label,
					 node->level > 0 ? ", style=\"rounded,filled\"" : "");
}

static void
append_dot_edge(StringInfo buf, int from, int to, const char *label)
{
	if (label[0] == '\0')
		appendStringInfo(buf, "\tn%d -> n%d [style=dashed];\n", from, to);
	else
		appendStringInfo(buf, "\tn%d -> n%d [label=\"%s\"];\n", from, to, label);
}

/* ----------
 * Mermaid
 * ----------
 */

/*
 * Much has a meaning even inside quotes: markup, Markdown, directives.  So all
 * but letters, digits, and what is harmless, is written as its number.
 */
static void
append_mermaid_text(StringInfo buf, const char *text)
{
	const unsigned char *start = (const unsigned char *) text;

	for (const unsigned char *p = start; *p != '\0'; p++)
	{
		bool		inside = p > start && isalnum(p[-1]) && isalnum(p[1]);

		if (iscntrl(*p) && *p < 0x80)
			appendStringInfo(buf, "#92;x%02X", *p);
		else if (*p >= 0x80 || isalnum(*p) || *p == ' ' ||
				 ((*p == '_' || *p == '.') && inside))
			appendStringInfoChar(buf, *p);
		else
			appendStringInfo(buf, "#%d;", *p);
	}
}

static void
append_mermaid_node(StringInfo buf, int number, const GraphNode *node,
					const char *label)
{
	appendStringInfo(buf, node->level > 0 ? "    n%d([\"%s\"])\n" :
					 "    n%d[\"%s\"]\n", number, label);
}

static void
append_mermaid_edge(StringInfo buf, int from, int to, const char *label)
{
	if (label[0] == '\0')
		appendStringInfo(buf, "    n%d -.-> n%d\n", from, to);
	else
		appendStringInfo(buf, "    n%d -->|\"%s\"| n%d\n", from, label, to);
}

static const GraphFormat formats[] = {
	{
		.name = "mermaid",
		.head = "flowchart LR\n",
		.foot = "",
		.newline = "<br/>",
		.append_text = append_mermaid_text,
		.append_node = append_mermaid_node,
		.append_edge = append_mermaid_edge,
	},
	{
		.name = "dot",
		.head = "digraph tviews {\n"
		"\trankdir=LR;\n"
		"\tnode [shape=box, fontname=\"sans-serif\", fillcolor=\"#dce9f5\"];\n"
		"\tedge [fontname=\"sans-serif\", fontsize=11];\n",
		.foot = "}\n",
		.newline = "\\n",
		.append_text = append_dot_text,
		.append_node = append_dot_node,
		.append_edge = append_dot_edge,
	},
};

static const GraphFormat *
find_format(const char *name)
{
	for (int i = 0; i < lengthof(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no format \"%s\" of the graph of TVIEWs", name),
			 errhint("Formats are mermaid and dot.")));
	return NULL;
}

/*
 * pg_tviews_graph - which tables and TVIEWs lead to which TVIEWs, and how
 */
Datum
pg_tviews_graph(PG_FUNCTION_ARGS)
{
	const GraphFormat *format = find_format(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Picture    *picture = look();
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	appendStringInfoString(&buf, format->head);
	foreach(lc, picture->nodes)
		format->append_node(&buf, foreach_current_index(lc) + 1, lfirst(lc),
							node_label(format, lfirst(lc)));
	foreach(lc, picture->edges)
	{
		GraphEdge  *edge = lfirst(lc);

		format->append_edge(&buf, node_number(picture, edge->from),
							node_number(picture, edge->to), edge_label(edge));
	}
	appendStringInfoString(&buf, format->foot);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}
