/*-------------------------------------------------------------------------
 *
 * check.c
 *	  What a definition may not contain.
 *
 * A definition that can't be kept up to date exactly is refused when the
 * TVIEW is created, with the construct and the way out; it is never accepted
 * and then wrong.  Whether every source has a way to the key is for derive.c
 * to say.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "analyze/check.h"
#include "analyze/functions.h"
#include "analyze/tables.h"
#include "base/compat.h"
#include "base/names.h"
#include "catalog/graph.h"

/*
 * tview_refuse - the definition is good SQL, but can't be maintained
 */
void
tview_refuse(const char *name, const char *reason, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot maintain TVIEW \"%s\"", name),
			 errdetail("%s", reason),
			 errhint("%s", hint)));
}

/*
 * tview_refuse_unmapped - changes of a table don't lead to keys
 *
 * table is its name, construct what it reaches the document through, rewrite
 * a sentence that says how to write the definition.
 */
void
tview_refuse_unmapped(const char *name, const char *table,
					  const char *construct, const char *rewrite)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot maintain TVIEW \"%s\" by key", name),
			 errdetail("Changes to table %s reach it only through %s.",
					   table, construct),
			 errhint("%s Or set option \"on_unmapped\" to \"rebuild\", to have the TVIEW rebuilt by differences when the table changes.",
					 rewrite)));
}

static void
check_rte(RangeTblEntry *rte, const char *name)
{
	if (rte->rtekind == RTE_NAMEDTUPLESTORE)
		tview_refuse(name, "It reads a transition table.",
					 "Read the table itself.");
	if (rte->tablesample != NULL)
		tview_refuse(name, "TABLESAMPLE returns other rows each time.",
					 "Write a condition instead.");
}

static bool
check_walker(Node *node, char *name)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		if (query->hasModifyingCTE || query->commandType != CMD_SELECT)
			tview_refuse(name, "A WITH query of it changes data.",
						 "A definition only reads.");
		if (query->rowMarks != NIL)
			tview_refuse(name, "It locks rows (FOR UPDATE, FOR SHARE).",
						 "Leave the locking clause out.");
		return query_tree_walker(query, check_walker, name,
								 QTW_EXAMINE_RTES_BEFORE);
	}
	if (IsA(node, RangeTblEntry))
	{
		check_rte((RangeTblEntry *) node, name);
		return false;
	}
	if (IsA(node, NextValueExpr))
		tview_refuse(name, "It draws numbers from a sequence.",
					 "Number the rows of the base table.");
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXTERN)
		tview_refuse(name, "It has a parameter or a variable of a procedural language in it.",
					 "Put the value into the text of the definition, with EXECUTE format(...) for instance.");
	if (IsA(node, Var) && ((Var *) node)->varattno < 0 &&
		((Var *) node)->varattno != TableOidAttributeNumber)
		tview_refuse(name, "It uses a system column, such as ctid or xmin.",
					 "Use a column of the table's own.");
	return expression_tree_walker(node, check_walker, name);
}

/*
 * tview_check_expression - the same for an expression that is not a part of
 * the definition, but of how it is evaluated
 */
void
tview_check_expression(Node *expr, const char *name,
					   const TviewOptions *options)
{
	(void) check_walker(expr, unconstify(char *, name));
	tview_functions_check_expression(expr, name, options);
}

/*
 * tview_check_statement - is it one that could define a view at all?
 */
void
tview_check_statement(Query *query, const char *name)
{
	if (query->commandType != CMD_SELECT || query->utilityStmt != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("definition of TVIEW \"%s\" is not a SELECT", name),
				 errhint("Write it as one SELECT statement.")));
}

/*
 * tview_check_definition - raise an error for what can't be maintained
 *
 * Takes the expanded query, so that what a view hides is seen too.
 */
void
tview_check_definition(const TviewExpansion *expansion, const char *name,
					   const TviewOptions *options)
{
	tview_tables_check(expansion, GetUserId(), name, options);
	(void) check_walker((Node *) expansion->query, unconstify(char *, name));
	tview_functions_check(expansion->query, name, options);

}
