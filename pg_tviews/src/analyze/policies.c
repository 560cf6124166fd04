/*-------------------------------------------------------------------------
 *
 * policies.c
 *	  Row-level security of the tables that a definition reads.
 *
 * A view shows the rows of its tables that its owner may see, whoever reads
 * the view.  So all that maintains a TVIEW runs as the TVIEW's owner, with the
 * policies that apply to that role.  For an owner of the table without FORCE,
 * a superuser and a role with BYPASSRLS there are none.
 *
 * A policy is like a condition of the definition on a single table, and judged
 * like one.  A change of a column that it looks at may show or hide the row.
 * Policies also apply to the tables that a derivation joins on its way to the
 * key.  That loses no key: a row on the way that has not changed is shown to
 * the derivation if and only if it was shown before, and of the rows that have
 * changed, the one nearest to the key finds it without the others.  A subquery
 * in a policy would break that, and read tables whose changes nobody captures,
 * so there may be none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteManip.h"
#include "rewrite/rowsecurity.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/ruleutils.h"

#include "analyze/check.h"
#include "analyze/policies.h"
#include "base/compat.h"
#include "base/names.h"
#include "base/owner.h"
#include "catalog/graph.h"

/*
 * tview_policies_apply - do policies decide which rows of a table this role
 * sees?
 */
bool
tview_policies_apply(Oid relid, Oid owner)
{
	return relid >= FirstNormalObjectId &&
		check_enable_rls(relid, owner, true) == RLS_ENABLED;
}

/* Does a policy say something of what this role may read? */
static bool
is_for(const RowSecurityPolicy *policy, Oid owner)
{
	Oid		   *roles = (Oid *) ARR_DATA_PTR(policy->roles);

	if (policy->qual == NULL ||
		(policy->polcmd != '*' && policy->polcmd != ACL_SELECT_CHR))
		return false;
	for (int i = 0; i < ARR_DIMS(policy->roles)[0]; i++)
		if (roles[i] == ACL_ID_PUBLIC || has_privs_of_role(owner, roles[i]))
			return true;
	return false;
}

/*
 * The policies of a table that apply to a role when it reads, of
 * RowSecurityPolicy.  They are good while the relation is open.
 */
static List *
policies_for(Relation rel, Oid owner)
{
	List	   *result = NIL;
	ListCell   *lc;

	if (!tview_policies_apply(RelationGetRelid(rel), owner))
		return NIL;
	foreach(lc, rel->rd_rsdesc->policies)
		if (is_for(lfirst(lc), owner))
		result = lappend(result, lfirst(lc));
	return result;
}

static int
compare_policies(const ListCell *a, const ListCell *b)
{
	return strcmp(((RowSecurityPolicy *) lfirst(a))->policy_name,
				  ((RowSecurityPolicy *) lfirst(b))->policy_name);
}

/* The policies of one table, as text. */
static char *
describe_table(Oid relid, Oid owner)
{
	Relation	rel = table_open(relid, AccessShareLock);
	List	   *policies = policies_for(rel, owner);
	List	   *names = deparse_context_for(RelationGetRelationName(rel), relid);
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	appendStringInfo(&text, "%s:", tview_name_qualified(relid));
	list_sort(policies, compare_policies);
	foreach(lc, policies)
	{
		RowSecurityPolicy *policy = lfirst(lc);

		appendStringInfo(&text, " %s %s", policy->permissive ? "OR" : "AND",
						 deparse_expression((Node *) policy->qual, names,
											false, false));
	}
	table_close(rel, AccessShareLock);
	return text.data;
}

static int
compare_texts(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/*
 * tview_policies_describe - the policies that decide which rows of these tables
 * a role sees, as text; an empty string if there are none
 *
 * It says the same in another database, so that it can be dumped.
 */
char *
tview_policies_describe(List *relids, Oid owner)
{
	StringInfoData text;
	List	   *parts = NIL;
	int			nest_level = tview_fix_settings();
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, relids)
		if (tview_policies_apply(lfirst_oid(lc), owner))
		parts = lappend(parts, describe_table(lfirst_oid(lc), owner));
	list_sort(parts, compare_texts);
	foreach(lc, parts)
		appendStringInfo(&text, "%s%s", text.len > 0 ? "; " : "",
						 (char *) lfirst(lc));
	AtEOXact_GUC(false, nest_level);
	return text.data;
}

/*
 * tview_policies_columns - columns that decide which rows a role sees, by
 * attribute number; 0 stands for all of them
 */
Bitmapset *
tview_policies_columns(Oid relid, Oid owner)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Bitmapset  *attnos = NULL;
	Bitmapset  *result = NULL;
	int			i = -1;
	ListCell   *lc;

	foreach(lc, policies_for(rel, owner))
		pull_varattnos((Node *) ((RowSecurityPolicy *) lfirst(lc))->qual, 1,
					   &attnos);
	while ((i = bms_next_member(attnos, i)) >= 0)
	{
		AttrNumber	attno = i + FirstLowInvalidHeapAttributeNumber;

		/* one that is computed may depend on any */
		if (attno > 0 &&
			tview_is_virtual(TupleDescAttr(RelationGetDescr(rel), attno - 1)))
			attno = 0;
		if (attno >= 0)
			result = bms_add_member(result, attno);
	}
	table_close(rel, NoLock);
	return result;
}

/*
 * tview_policies_add_columns - let a source use what policies look at
 */
void
tview_policies_add_columns(TviewSource *source, Oid owner)
{
	Bitmapset  *columns = tview_policies_columns(source->relid, owner);
	int			attno = -1;

	while ((attno = bms_next_member(columns, attno)) >= 0)
	{
		source->parts[attno] |= TVIEW_PART_ROW;
		if (attno == 0)
			source->whole_row = true;
		else
			source->used = bms_add_member(source->used, attno);
	}
}

/* ----------
 * Checks
 * ----------
 */

/* What an error is about that a policy's expression raises */
typedef struct PolicyContext
{
	const char *policy;
	char	   *table;
	const char *tview;
} PolicyContext;

static void
policy_error_context(void *arg)
{
	PolicyContext *context = arg;

	errcontext("policy \"%s\" of table %s, which applies to the owner of TVIEW \"%s\"",
			   context->policy, context->table, context->tview);
}

static void
check_policy(const RowSecurityPolicy *policy, Oid relid, const char *name,
			 const TviewOptions *options)
{
	PolicyContext context = {policy->policy_name, tview_name_qualified(relid), name};
	ErrorContextCallback callback = {error_context_stack, policy_error_context, &context};

	error_context_stack = &callback;
	if (checkExprHasSubLink((Node *) policy->qual))
		tview_refuse(name,
					 psprintf("Policy \"%s\" of table %s applies to its owner and has a subquery, whose tables can't be captured.",
							  policy->policy_name, context.table),
					 "Let the policy look at columns of the table only, or let a role own the TVIEW that no policy applies to.");
	tview_check_expression((Node *) policy->qual, name, options);
	error_context_stack = callback.previous;
}

static void
check_table(Oid relid, Oid owner, const char *name,
			const TviewOptions *options)
{
	Relation	rel = table_open(relid, AccessShareLock);
	ListCell   *lc;

	/* where the definition reads its view, they would not apply */
	if (tview_policies_apply(relid, owner) && tview_graph_find(relid) != NULL)
		tview_refuse(name,
					 psprintf("Row-level security of TVIEW %s applies to its owner, \"%s\".",
							  tview_name_qualified(relid),
							  GetUserNameFromId(owner, false)),
					 "Let the owner of the other TVIEW own it, or a role that no policy applies to.");
	foreach(lc, policies_for(rel, owner))
		check_policy(lfirst(lc), relid, name, options);
	table_close(rel, NoLock);
}

/* Tables that a query reads, in all its levels, but not through views. */
static bool
tables_walker(Node *node, List **tables)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, tables_walker, tables,
								 QTW_EXAMINE_RTES_BEFORE);
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;

		if (rte->rtekind == RTE_RELATION && rte->relkind != RELKIND_VIEW)
			*tables = list_append_unique_oid(*tables, rte->relid);
		return false;
	}
	return expression_tree_walker(node, tables_walker, tables);
}

/*
 * tview_policies_check_view - raise an error for a view that shows other rows
 * than its query would to the owner of the TVIEW
 *
 * A plain view shows the rows that its own owner may see, or whoever reads it
 * if it is made so.  Its query becomes a part of the definition, and is run as
 * the owner of the TVIEW.
 */
void
tview_policies_check_view(Oid view, Oid owner, const char *name)
{
	Relation	rel = table_open(view, AccessShareLock);
	bool		invoker = RelationHasSecurityInvoker(rel);
	Oid			view_owner = rel->rd_rel->relowner;
	List	   *tables = NIL;
	ListCell   *lc;

	table_close(rel, NoLock);
	if (view_owner == owner && !invoker)
		return;
	(void) tables_walker((Node *) tview_view_query(view), &tables);
	foreach(lc, tables)
		if (tview_policies_apply(lfirst_oid(lc), owner) ||
			tview_policies_apply(lfirst_oid(lc), view_owner))
		tview_refuse(name,
					 psprintf("Policies of table %s, which it reads through view %s, do not apply to the owner of the TVIEW, \"%s\", as they do to that view.",
							  tview_name_qualified(lfirst_oid(lc)),
							  tview_name_qualified(view),
							  GetUserNameFromId(owner, false)),
					 "Let one role own both, and the view not be security_invoker, or read the table itself.");
}

/*
 * tview_policies_check - raise an error for policies that a TVIEW with this
 * owner can't be maintained under
 */
void
tview_policies_check(const TviewExpansion *expansion, Oid owner,
					 const char *name, const TviewOptions *options)
{
	ListCell   *lc;

	foreach(lc, expansion->tables)
		check_table(lfirst_oid(lc), owner, name, options);
	foreach(lc, expansion->helpers)
		tview_policies_check_view(lfirst_oid(lc), owner, name);
}
