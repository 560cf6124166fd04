"""Ways to make the extension wrong, one by one, for mutate.

Each is a rule of the design that is broken: a name, what it breaks, a file
under src/, and text to replace, which must be there exactly once.  A mutation
has to be able to make a TVIEW stale: one that only does more work than needed
can't be caught by any test of results.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    name: str
    breaks: str
    file: str
    old: str
    new: str
    tests: str = ""         # regress tests for what random definitions don't
                            # reach
    specs: str = ""         # isolation tests; then nothing else is run


MUTATIONS = [
    # -- capture -------------------------------------------------------------
    Mutation(
        "only-new-image", "old and new image of every changed row",
        "capture/trigger.c",
        "\t\tnote_image(source, parts, old_slot);\n",
        "\t\tif (!moved)\n\t\t\tnote_image(source, parts, old_slot);\n"),
    Mutation(
        "old-partition-ignored",
        "what a row has left is affected, on ways through other tables",
        "capture/trigger.c",
        "\t\tnote_image(source, parts, old_slot);\n",
        "\t\tif (!moved || source->source < 0)\n"
        "\t\t\tnote_image(source, parts, old_slot);\n"),
    Mutation(
        "only-old-image", "old and new image of every changed row",
        "capture/trigger.c",
        "\t\t\tnote_image(source, parts, new_slot);\n", ""),
    Mutation(
        "skip-a-used-column", "all used columns are compared",
        "capture/trigger.c",
        "\t\tfor (int j = 0; j < source->nused; j++)\n"
        "\t\t\tif (changed[source->used[j]])\n",
        "\t\tfor (int j = 1; j < source->nused; j++)\n"
        "\t\t\tif (changed[source->used[j]])\n"),
    Mutation(
        "null-is-anything", "a column that becomes NULL has changed",
        "capture/trigger.c",
        "\t\treturn old_null && new_null;\n", "\t\treturn true;\n"),
    Mutation(
        "moved-row-keeps-its-parts",
        "a row that comes or goes reaches all that it is in",
        "capture/trigger.c",
        "\t\t\tparts |= source->row_parts;\n", ""),
    Mutation(
        "one-source-a-table", "each occurrence of a table by itself",
        "capture/trigger.c",
        "\tif (!any)\n\t\treturn;\n\n"
        "\tfor (int i = 0; i < table->nsources; i++)\n",
        "\tif (!any)\n\t\treturn;\n\n"
        "\tfor (int i = 0; i < Min(table->nsources, 1); i++)\n"),
    Mutation(
        "whole-row-uses-nothing", "a whole-row reference uses every column",
        "capture/trigger.c",
        "\tcapture->nused = list_columns(source->whole_row ?\n",
        "\tcapture->nused = list_columns(false ?\n"),
    Mutation(
        "partition-columns-by-number",
        "a partition's columns are found by their names",
        "capture/trigger.c",
        "\tif (relid != source)\n", "\tif (false)\n"),
    Mutation(
        "children-not-captured", "rows of partitions and children are the"
        " table's", "capture/trigger.c",
        "\t\t(inh && list_member_oid(ancestors, relid));\n",
        "\t\t(inh && ancestors == (List *) table);\n"),
    Mutation(
        "no-rebuild-on-truncate", "TRUNCATE rebuilds",
        "capture/trigger.c",
        "\t\t\ttview_queue_add_all(lfirst_oid(lc));\n",
        "\t\t\t(void) lfirst_oid(lc);\n"),
    Mutation(
        "statement-first-row-only", "all rows of a statement are noted",
        "capture/trigger.c",
        "\t\tMemoryContextReset(row_context);\n",
        "\t\tMemoryContextReset(row_context);\n\t\tbreak;\n"),
    Mutation(
        "statement-without-old-image",
        "the n-th old and the n-th new image are of one row",
        "capture/trigger.c",
        "\t\t\tnote_update(table, old_slot, new_slot);\n",
        "\t\t\tnote_update(table, new_slot, new_slot);\n"),
    Mutation(
        "statement-inserts-are-nothing",
        "a statement is idle only without any rows",
        "capture/trigger.c",
        "\t\t tuplestore_tuple_count(data->tg_newtable) == 0);\n",
        "\t\t tuplestore_tuple_count(data->tg_newtable) >= 0);\n"),
    Mutation(
        "statement-not-in-replica-mode",
        "what is applied row by row is captured, too", "ddl/triggers.c",
        "\tList\t   *result = list_make2(in_mode(&row_trigger,"
        " TRIGGER_FIRES_ON_REPLICA),\n",
        "\tList\t   *result = list_make2(in_mode(&row_trigger,"
        " TRIGGER_FIRES_ON_ORIGIN),\n",
        "statement_capture"),
    Mutation(
        "statement-in-trees",
        "a statement names one table, its rows may be in others",
        "catalog/triggers.c",
        "\tif (tview_inherits_ancestors(relid) != NIL)\n",
        "\tif (tview_inherits_ancestors(relid) == (List *) &found)\n",
        "statement_capture"),
    Mutation(
        "statement-after-others",
        "changes are noted before others' triggers read TVIEWs",
        "catalog/triggers.c",
        "\tif (found.other != NULL)\n",
        "\tif (found.other == (char *) &found)\n",
        "statement_capture"),
    Mutation(
        "statement-mended-by-row",
        "triggers are made again in the way in which they were",
        "catalog/triggers.c",
        "\t\tif ((found.statement & ROW_CHANGES) != ROW_CHANGES)\n"
        "\t\t\treturn false;\n",
        "",
        "statement_capture"),
    # -- queue ---------------------------------------------------------------
    Mutation(
        "no-marks", "subtransactions leave marks",
        "capture/queue.c",
        "\tif (level <= 1 || (nmarks > 0",
        "\tif (level >= 0 || (nmarks > 0"),
    Mutation(
        "no-undo", "an aborted subtransaction's flush has never been",
        "capture/queue.c",
        "\tqueue_flushed = marks[nmarks].flushed;\n", ""),
    Mutation(
        "mark-lost-at-subcommit", "a mark is handed to the parent",
        "capture/queue.c",
        "\tif (level - 1 == 1 ||\n", "\tif (level > 1 ||\n",
        "subtransactions"),
    Mutation(
        "stale-duplicates", "what was undone doesn't count as waiting",
        "capture/queue.c",
        "\tqueue_flushed = marks[nmarks].flushed;\n"
        "\twaiting_stale = true;\n",
        "\tqueue_flushed = marks[nmarks].flushed;\n"),
    Mutation(
        "duplicate-loses-parts", "a second change adds its parts",
        "capture/queue.c",
        "\t\tentry->change->parts |= change->parts;\n", ""),
    Mutation(
        "limit-drops-changes", "past the limit a TVIEW is rebuilt",
        "capture/queue.c",
        "\t\ttview_queue_add_all(tview);\n\t\treturn;\n", "\t\treturn;\n"),
    # -- refresh -------------------------------------------------------------
    Mutation(
        "no-cascade", "what a flush writes is captured and flushed",
        "refresh/flush.c",
        "\tflush_pending = NIL;\n"
        "\tfor (;;)\n\t{\n\t\tPending    *pending;\n\n"
        "\t\tCHECK_FOR_INTERRUPTS();\n\t\ttake_changes(at_commit);\n",
        "\tflush_pending = NIL;\n\ttake_changes(at_commit);\n"
        "\tfor (;;)\n\t{\n\t\tPending    *pending;\n\n"
        "\t\tCHECK_FOR_INTERRUPTS();\n"),
    Mutation(
        "rebuild-mark-ignored", "a rebuild is one of all rows",
        "refresh/flush.c",
        "\t\t\tpending->all = true;\n", "\t\t\tpending->all = false;\n"),
    Mutation(
        "only-direct-reads", "a read flushes what its TVIEWs read, too",
        "refresh/flush.c",
        "\tforeach(lc, tview->dependencies)\n"
        "\t\tif (may_be_affected(",
        "\tforeach(lc, tview->dependencies)\n"
        "\t\tif (false && may_be_affected("),
    Mutation(
        "first-change-only", "every change is derived from",
        "refresh/derive.c",
        "\t\t\tby_source[change->source] ="
        " lappend(by_source[change->source],\n"
        "\t\t\t\t\t\t\t\t\t\t\t\tchange);\n",
        "\t\t\tby_source[change->source] = list_make1(change);\n"),
    Mutation(
        "last-source-not-derived", "every source is derived from",
        "refresh/derive.c",
        "\tfor (int i = 0; i < plan->nsources; i++)\n"
        "\t\tif (by_source[i] != NIL)\n",
        "\tfor (int i = 0; i < plan->nsources - 1; i++)\n"
        "\t\tif (by_source[i] != NIL)\n"),
    Mutation(
        "first-group-only", "all keys are refreshed",
        "refresh/apply.c",
        "\t\t\t\t\t\t\t\t&array, snapshot, true);\n\t}\n",
        "\t\t\t\t\t\t\t\t&array, snapshot, true);\n\t\tbreak;\n\t}\n"),
    Mutation(
        "rebuild-without-delete", "a rebuild deletes rows that are gone",
        "refresh/apply.c",
        "\twritten.deleted = execute_once(tview_sql_delete(plan, source),"
        " snapshot);\n",
        "\twritten.deleted = 0;\n"),
    Mutation(
        "rebuild-without-update", "a rebuild updates rows that differ",
        "refresh/apply.c",
        "\twritten.updated = execute_once(tview_sql_update(plan, source),"
        " snapshot);\n",
        "\twritten.updated = 0;\n"),
    Mutation(
        "key-loses-parts", "parts of a key add up",
        "refresh/keys.c",
        "\t\tentry->parts |= parts;\n", ""),
    Mutation(
        "no-delete", "a row whose key is gone is deleted",
        "refresh/sql.c",
        "\"WHEN MATCHED AND %s IS NULL THEN DELETE \"",
        "\"WHEN MATCHED AND %s IS NULL THEN DO NOTHING \""),
    Mutation(
        "rows-never-differ", "a row that differs is written",
        "refresh/sql.c",
        "\treturn psprintf("
        "\"pg_catalog.record_image_ne(ROW(%s), ROW(%s))\",\n",
        "\treturn psprintf(\"(false AND"
        " pg_catalog.record_image_ne(ROW(%s), ROW(%s)))\",\n"),
    Mutation(
        "pairs-replace-the-document", "a part is merged into the document",
        "refresh/sql.c",
        "\"data = t.data OPERATOR(pg_catalog.||) s.data, \"",
        "\"data = s.data, \""),
    # -- when ----------------------------------------------------------------
    Mutation(
        "no-flush-before-reads", "a query sees its transaction's changes",
        "read_hook.c",
        "\t\t\t  tview_flush_affects(stmt->relationOids)))\n",
        "\t\t\t  false))\n"),
    Mutation(
        "no-subtransactions", "subtransactions that abort have never been",
        "xact.c",
        "\t\ttview_queue_at_subabort(GetCurrentTransactionNestLevel());\n",
        "\t\t(void) GetCurrentTransactionNestLevel();\n"),
    Mutation(
        "snapshot-not-moved", "a query sees what was flushed for it",
        "read_hook.c",
        "\t\tif (is_behind(desc))\n", "\t\tif (false && is_behind(desc))\n"),
    Mutation(
        "nothing-before-prepare", "PREPARE TRANSACTION flushes",
        "xact.c",
        "\t\tcase XACT_EVENT_PRE_PREPARE:\n"
        "\t\t\tif (tview_queue_pending() || tview_flush_must_repeat())\n",
        "\t\tcase XACT_EVENT_PRE_PREPARE:\n"
        "\t\t\tif (event != XACT_EVENT_PRE_PREPARE &&\n"
        "\t\t\t\t(tview_queue_pending() || tview_flush_must_repeat()))\n"),
    # -- derivation ----------------------------------------------------------
    Mutation(
        "outer-side-usable", "a condition leads to what it can't be true for"
        " when null-extended", "analyze/search.c",
        "\treturn bms_is_empty(condition->maybe_null) &&\n", "\treturn\n"),
    Mutation(
        "outer-condition-always-holds", "ON holds only where its side is",
        "analyze/conditions.c",
        "\t\tif (!bms_is_member(occurrence, region) &&\n"
        "\t\t\t!bms_is_member(root, region))\n"
        "\t\t\treturn false;\n",
        "\t\tif (bms_is_empty(region) && occurrence == root)\n"
        "\t\t\treturn false;\n", "derivation"),
    Mutation(
        "nothing-is-null-extended", "a null-extended row passes IS NULL",
        "analyze/conditions.c",
        "\tcondition->maybe_null =\n"
        "\t\tbms_difference(bms_intersect(condition->occurrences, nulled),\n"
        "\t\t\t\t\t   tview_nonnullable((Node *) expr));\n",
        "\tcondition->maybe_null = NULL;\n"),
    Mutation(
        "no-siblings-of-windows", "a window's whole partition",
        "analyze/scope.c",
        "\tif (layer >= LAYER_WINDOWS && query->hasWindowFuncs)\n",
        "\tif (false && layer >= LAYER_WINDOWS && query->hasWindowFuncs)\n"),
    Mutation(
        "no-siblings-of-distinct-on", "the group of DISTINCT ON",
        "analyze/scope.c",
        "\tif (layer >= LAYER_DISTINCT && query->hasDistinctOn)\n",
        "\tif (false && layer >= LAYER_DISTINCT && query->hasDistinctOn)\n"),
    Mutation(
        "no-siblings-of-limit", "rows that LIMIT leaves out count",
        "analyze/scope.c",
        "\tif (layer >= LAYER_LIMIT &&\n\t\t(query->limitCount",
        "\tif (false && layer >= LAYER_LIMIT &&\n\t\t(query->limitCount"),
    Mutation(
        "one-window-only", "each window by its own partition",
        "analyze/scope.c",
        "\t\t\t\t\t\twindow->partitionClause,\n"
        "\t\t\t\t\t\t&window_obstacle);\n\t}\n",
        "\t\t\t\t\t\twindow->partitionClause,\n"
        "\t\t\t\t\t\t&window_obstacle);\n\t\tbreak;\n\t}\n", "restrict"),
    Mutation(
        "null-partition-ignored", "rows without a value share a partition",
        "analyze/conditions.c",
        "\tif (is_never_null(graph, (Node *) here, nulled, scope) &&\n"
        "\t\tis_never_null(graph, (Node *) there, nulled, sibling))\n",
        "\tif (here != NULL)\n"),
    Mutation(
        "first-branch-only", "the keys of all branches", "analyze/derive.c",
        "\t} while (next_choices(sources, choices));\n",
        "\t} while (false && next_choices(sources, choices));\n"),
    Mutation(
        "first-side-of-coalesce", "the keys of both sides",
        "analyze/derive.c",
        "\t\t\treturn;\n\t\t}\n\t}\n\tderivation->nullable |= nullable ||\n",
        "\t\t\treturn;\n\t\t}\n\t\tbreak;\n\t}\n"
        "\tderivation->nullable |= nullable ||\n"),
    Mutation(
        "recursion-without-earlier", "rows of earlier steps count",
        "analyze/conditions.c",
        "\twalk_scope(graph, recursion->earlier);\n", "", "shape_ctes"),
    Mutation(
        "sublink-tests-usable-when-null", "NOT IN with a null",
        "analyze/conditions.c",
        "\tif (sublink->subLinkType == ALL_SUBLINK || !wanted)\n",
        "\tif (false)\n", "shape_subqueries"),
    Mutation(
        "all-not-negated", "a row matters to ALL if it makes it false",
        "analyze/conditions.c",
        "\t\top->opno = get_negator(op->opno);\n", "", "derivation"),
    Mutation(
        "window-rows-not-restricted-by-null", "restricting keeps nulls",
        "analyze/restrict.c",
        "\treturn (Node *) makeBoolExpr(OR_EXPR, list_make2(test, found),"
        " -1);\n",
        "\treturn (Node *) found;\n"),
    Mutation(
        "second-partition-not-restricted-for", "all windows' partitions",
        "analyze/restrict.c",
        "\tadd_qual(query, list_length(quals) == 1 ? linitial(quals) :\n"
        "\t\t\t (Node *) makeBoolExpr(OR_EXPR, quals, -1));\n",
        "\tadd_qual(query, linitial(quals));\n", "restrict"),
    Mutation(
        "recursion-one-step", "all steps of a recursion",
        "analyze/mapping.c",
        "\"WITH RECURSIVE w(%s) AS (%s UNION %s) \"",
        "\"WITH RECURSIVE w(%s) AS (%s UNION SELECT * FROM (%s) AS z"
        " WHERE false) \""),
    Mutation(
        "not-exists-ignored", "NOT EXISTS is affected by the same rows",
        "analyze/derive.c",
        "\t\tif (!OidIsValid(sources->occurrences[i].relid) ||\n"
        "\t\t\t!bms_is_member(i, search->graph->active) ||\n"
        "\t\t\tsources->occurrences[original].row_parts == 0)\n",
        "\t\tif (!OidIsValid(sources->occurrences[i].relid) ||\n"
        "\t\t\t!bms_is_member(i, search->graph->active) ||\n"
        "\t\t\tsources->occurrences[i].scope->is_sublink ||\n"
        "\t\t\tsources->occurrences[original].row_parts == 0)\n"),
    Mutation(
        "filters-kept", "filters of sources on the way are left out",
        "analyze/builder.c",
        "\t\tif (bms_num_members(condition->occurrences) < 2 ||\n"
        "\t\t\t!bms_is_subset(condition->occurrences, here) ||\n"
        "\t\t\t!tview_condition_usable(search, condition,\n"
        "\t\t\t\t\t\t\t\t\tfarthest(search, condition)))\n",
        "\t\tif (!bms_is_subset(condition->occurrences, here) ||\n"
        "\t\t\t(bms_num_members(condition->occurrences) > 1 &&\n"
        "\t\t\t !tview_condition_usable(search, condition,\n"
        "\t\t\t\t\t\t\t\t\t farthest(search, condition))))\n",
        "derivation"),
    Mutation(
        "joins-kept", "joins that are not on the way are left out",
        "analyze/mapping.c",
        "\tbuilder.nodes = nodes;\n\tset_key(&builder, occurrence);\n",
        "\tfor (int i = 0; i < search->graph->sources->count; i++)\n"
        "\t\tif (i != occurrence && search->reached[i].rank > 0 &&\n"
        "\t\t\tOidIsValid(search->graph->sources->occurrences[i].relid) &&\n"
        "\t\t\tbms_is_member(i, search->graph->sources->top->occurrences))\n"
        "\t\t\tnodes = list_append_unique_int(nodes, i);\n"
        "\tbuilder.nodes = nodes;\n\tset_key(&builder, occurrence);\n"),
    Mutation(
        "aggregates-imply-rows", "EXISTS of an aggregate is always true",
        "analyze/conditions.c",
        "\t\t(query->groupClause != NIL ||\n"
        "\t\t (!query->hasAggs && query->havingQual == NULL)))\n",
        "\t\tscope != NULL)\n", "derivation"),
    Mutation(
        "first-side-of-merged-columns", "a merged column is of either side",
        "analyze/resolve.c",
        "\t\t\t\t\t\tgraph->choices[intVal(lsecond(lfirst(lc)))]);\n",
        "\t\t\t\t\t\tgraph->choices[0] < 0);\n",
        "derivation"),
    Mutation(
        "null-extended-outputs", "a constant of a subquery that is joined in"
        " may be null", "analyze/resolve.c",
        "\tif (result != NULL && binding->scope != NULL"
        " && binding->self == NULL &&\n",
        "\tif (false && binding->scope != NULL && binding->self == NULL &&\n",
        "derivation"),
    Mutation(
        "equal-values-look-the-same",
        "a group's value stands for others that look different",
        "analyze/resolve.c",
        "\treturn (scope->merges || scope->query->groupClause != NIL ||\n"
        "\t\t\tscope->query->distinctClause != NIL) &&\n",
        "\treturn false &&\n",
        "derivation"),
    Mutation(
        "set-operations-keep-values",
        "a set operation's value stands for others that look different",
        "analyze/resolve.c",
        "\t\tinner.grouped |= scope->merges &&\n",
        "\t\tinner.grouped |= false && scope->merges &&\n",
        "derivation"),
    Mutation(
        "grouping-sets-keep-values", "a grouping set may make a value null",
        "analyze/resolve.c",
        "\tcontext->nullable |= inner.nullable ||"
        " scope->query->groupingSets != NIL;\n", "",
        "derivation"),
    Mutation(
        "functions-of-missing-rows",
        "a function of a row that is not there may be null",
        "analyze/conditions.c",
        "\t\tcondition->maybe_null =\n"
        "\t\t\tbms_add_members(condition->maybe_null,\n"
        "\t\t\t\t\t\t\tbms_intersect(args, nulled));\n", "", "derivation"),
    Mutation(
        "keys-of-missing-rows", "a key of rows that are not there is refused",
        "analyze/derive.c",
        "\tif (bms_overlap(occurrences, nulled) &&\n"
        "\t\tbms_is_empty(tview_nonnullable(expr)))\n",
        "\tif (false)\n", "derivation"),
    Mutation(
        "any-function-as-key", "functions that the key comes from are on the"
        " way", "analyze/mapping.c",
        "\tbuilder->items ="
        " bms_add_members(builder->items, search->key_items);\n", ""),
    Mutation(
        "texts-not-cast", "values handed over as text are cast",
        "analyze/builder.c",
        "\tif (var->vartype != type)\n", "\tif (false)\n",
        "derivation"),
    Mutation(
        "collations-forgotten", "changed rows have the columns' collations",
        "analyze/builder.c",
        "\tif (exprCollation(result) != collation)\n", "\tif (false)\n",
        "collations"),
    Mutation(
        "key-by-any-collation", "a column is the key by the key's equality",
        "analyze/search.c",
        "\t\t((OpExpr *) condition->expr)->inputcollid != collation ||\n",
        "\t\t!OidIsValid(key_type) ||\n",
        "collations"),
    Mutation(
        "key-of-any-type", "a column is the key if it has the key's type",
        "analyze/search.c",
        "\tif (get_atttype(occurrences[occurrence].relid, attno)"
        " != key_type ||\n",
        "\tif (!OidIsValid(key_type) ||\n",
        "derivation"),
    Mutation(
        "earlier-steps-not-derived", "every step of a recursion counts",
        "analyze/search.c",
        "\t\tif (!list_member_ptr(search->forward, lfirst(lc)) &&\n",
        "\t\tif (true &&\n", "derivation"),
    Mutation(
        "recursion-from-last-step-only",
        "a recursion is also gone along from its start",
        "analyze/walk.c",
        "\tadd_equalities(graph, recursion->out, walk->columns,"
        " walk->start_out);\n", "", "shape_ctes"),
    Mutation(
        "null-keys-ignored", "a row without a key is an error",
        "analyze/derive.c",
        "\tderivation->nullable |= nullable ||\n",
        "\tderivation->nullable |= false && nullable &&\n",
        "derivation"),
    # -- which columns are used ----------------------------------------------
    Mutation(
        "policies-use-nothing", "what policies look at is used",
        "analyze/policies.c",
        "\t\tsource->parts[attno] |= TVIEW_PART_ROW;\n",
        "\t\tcontinue;\n", "row_security"),
    Mutation(
        "conditions-use-nothing", "what conditions look at is used",
        "analyze/needs.c",
        "\t\tneed(sources, scope, ((TviewQuals *) lfirst(lc))->expr,"
        " parts);\n", "\t\t(void) lfirst(lc);\n"),
    Mutation(
        "having-uses-nothing", "what HAVING looks at is used",
        "analyze/needs.c",
        "\tneed(sources, scope, query->havingQual, parts);\n", "", "derivation"),
    Mutation(
        "groups-use-nothing", "what GROUP BY looks at is used",
        "analyze/needs.c",
        "\tneed_sort_group(sources, scope, query->groupClause, parts);\n",
        "", "derivation"),
    Mutation(
        "order-uses-nothing", "what ORDER BY looks at is used",
        "analyze/needs.c",
        "\tneed_sort_group(sources, scope, query->sortClause, parts);\n",
        "", "derivation"),
    Mutation(
        "distinct-uses-nothing", "what DISTINCT looks at is used",
        "analyze/needs.c",
        "\tneed_sort_group(sources, scope, query->distinctClause, parts);\n",
        "", "derivation"),
    Mutation(
        "windows-use-nothing", "what a window is ordered by is used",
        "analyze/needs.c",
        "\t\tneed_sort_group(sources, scope, window->orderClause, parts);\n",
        ""),
    Mutation(
        "partitions-use-nothing", "what a window is partitioned by is used",
        "analyze/needs.c",
        "\t\tneed_sort_group(sources, scope, window->partitionClause,"
        " parts);\n", ""),
    Mutation(
        "functions-use-nothing", "arguments of functions in FROM are used",
        "analyze/needs.c",
        "\t\tneed(sources, scope, (Node *) rte->functions, parts);\n", ""),
    Mutation(
        "comparisons-use-nothing", "what IN compares is used",
        "analyze/needs.c",
        "\t\t(void) need_walker(sublink->testexpr, context);\n", ""),
    Mutation(
        "set-operations-use-nothing",
        "all columns of a set operation's branches are compared",
        "analyze/needs.c",
        "\t\tif (query->setOperations != NULL)\n", "\t\tif (false)\n",
        "derivation"),
    # -- restricted to keys --------------------------------------------------
    Mutation(
        "coalesced-sides-restricted", "a row of the other side stays, without"
        " which it would be another's key", "analyze/restrict.c",
        "\t\t\tif (!restrict_expr(query, lfirst(lc), false))\n",
        "\t\t\tif (!restrict_expr(query, lfirst(lc), leave_out))\n",
        "restrict"),
    Mutation(
        "aggregating-steps-restricted",
        "a step that looks at rows together needs all of them",
        "analyze/restrict.c",
        "\treturn query->setOperations == NULL && !query->hasAggs &&\n"
        "\t\t!query->hasWindowFuncs && !query->hasDistinctOn &&\n"
        "\t\tquery->groupClause == NIL && query->groupingSets == NIL &&\n"
        "\t\tquery->limitCount == NULL && query->limitOffset == NULL;\n",
        "\treturn query->setOperations == NULL;\n",
        "restrict"),
    Mutation(
        "changed-columns-restricted", "a step may make another value of a"
        " column", "analyze/restrict.c",
        "\t\t!hands_on(step, resno) ||", "\t\t(false && !hands_on(step,"
        " resno)) ||",
        "restrict"),
    # -- keys that repeat ----------------------------------------------------
    Mutation(
        "all-keys-unique", "a key that comes twice is an error",
        "analyze/derive.c",
        "\tderivation->unique = sources->from_choices == 0 &&\n"
        "\t\tderivation->graph != NULL &&\n"
        "\t\ttview_is_unique(derivation, query);\n",
        "\tderivation->unique = graphs > 0 || tview_is_unique(derivation,"
        " query);\n",
        "unique"),
    # -- tables that come and go ---------------------------------------------
    Mutation(
        "no-rebuild-on-attach", "ATTACH, DETACH and DROP of a partition"
        " rebuild", "ddl/partitions.c",
        "\tif (rebuild)\n", "\tif (false && rebuild)\n"),
    Mutation(
        "new-partitions-not-captured", "partitions that come later are"
        " captured", "ddl/partitions.c",
        "\t\tcapture(lfirst_oid(lc));\n",
        "\t\tif (false)\n\t\t\tcapture(lfirst_oid(lc));\n"),
    # -- locks ---------------------------------------------------------------
    Mutation(
        "new-rows-do-not-appear", "values of a new row are locked",
        "capture/trigger.c",
        "\tfor (int i = 0; insert && i < table->nlookups; i++)\n",
        "\tfor (int i = 0; false && i < table->nlookups; i++)\n",
        specs="discovery_race"),
    Mutation(
        "moved-rows-do-not-appear", "values of a moved row are locked",
        "capture/trigger.c",
        "\t\t\tif (changed[lookup->watched[j]])\n", "\t\t\tif (false)\n",
        specs="move_race three_levels"),
    Mutation(
        "only-looked-up-columns-watched",
        "a row appears, too, that leads elsewhere",
        "analyze/steps.c",
        "\twhile ((attno = bms_next_member(mentioned, attno)) >= 0)\n",
        "\tfor (int i = 0; i < lookup->ncolumns; i++)\n"
        "\t\tlookup->watched = bms_add_member(lookup->watched,"
        " lookup->columns[i]);\n"
        "\twhile (lookup->ncolumns == 0 &&"
        " (attno = bms_next_member(mentioned, attno)) >= 0)\n",
        specs="leads_elsewhere"),
    Mutation(
        "appearing-conflicts-with-nothing",
        "who follows waits for who makes appear", "refresh/lock.c",
        "\t\treturn ShareLock;\n", "\t\treturn RowExclusiveLock;\n",
        specs="discovery_race"),
    Mutation(
        "keys-not-locked", "keys are locked", "refresh/frontier.c",
        "\ttview_keys_hash(keys, add_value, frontier);\n", "",
        specs="early_cutoff group_race"),
    Mutation(
        "only-first-step-followed", "all levels are followed",
        "refresh/frontier.c",
        "\t\t\tif (step->lookup->level != level)\n",
        "\t\t\tif (step->lookup->level != level || step->sql != NULL)\n",
        specs="three_levels"),
    Mutation(
        "steps-with-old-snapshot", "a snapshot is taken after the locks",
        "refresh/frontier.c",
        "\tforget_snapshot(frontier);\n\treturn true;\n",
        "\treturn true;\n",
        specs="three_levels tree_race"),
    Mutation(
        "recursion-followed-once", "look-ups of a recursion are repeated",
        "refresh/frontier.c",
        "\t\t} while (acquire(frontier) && repeats);\n",
        "\t\t} while (acquire(frontier) && repeats && level > 1);\n",
        specs="tree_grows"),
    Mutation(
        "whole-excludes-nothing", "a TVIEW can be locked as a whole",
        "refresh/lock.c",
        "\t\t(void) acquire_timed(&tag, ExclusiveLock);\n",
        "\t\t(void) acquire_timed(&tag, RowExclusiveLock);\n",
        specs="truncate_meanwhile many_rows"),
    Mutation(
        "own-snapshot-at-commit", "the latest snapshot at every isolation"
        " level", "refresh/frontier.c",
        "\tif (!at_commit && IsolationUsesXactSnapshot())\n",
        "\tif (IsolationUsesXactSnapshot())\n",
        specs="discovery_race"),
    Mutation(
        "kept-keys-forgotten", "what a read has refreshed is refreshed again",
        "refresh/flush.c",
        "\tif (!all && is_to_be_repeated(at_commit))\n", "\tif (false)\n",
        specs="stale_reads"),
    Mutation(
        "reads-with-old-snapshot", "a read sees what its refresh has seen",
        "read_hook.c",
        "\tif (!IsolationUsesXactSnapshot())\n", "\tif (false)\n",
        specs="own_read"),
    Mutation(
        "plans-taken-for-one", "changes are of the plan they were noted for",
        "refresh/flush.c",
        "->plan != plan->fingerprint)\n",
        "->plan != plan->fingerprint && false)\n",
        specs="plan_lock_names"),
    # -- suspension ------------------------------------------------------------
    Mutation(
        "suspended-changes-forgotten", "changes of a suspended TVIEW are noted",
        "capture/trigger.c",
        "\t\t\tadd_suspended(table, lfirst_oid(lc));\n",
        "\t\t\t(void) add_suspended;\n",
        specs="suspend_race suspend_two"),
    Mutation(
        "skipped-without-lock", "a resume waits for who has passed over a TVIEW",
        "refresh/flush.c",
        "\ttview_lock_skip(tview);\n", "",
        specs="suspend_race suspend_two"),
    Mutation(
        "readers-not-suspended", "what reads a suspended TVIEW is suspended",
        "catalog/graph.c",
        "\t\t\t\ttview->suspended_by = read->suspended_by;\n",
        "\t\t\t\ttview->suspended_by = InvalidOid;\n",
        tests="suspend"),
    Mutation(
        "old-snapshot-reads-resumed",
        "an old snapshot doesn't read what has been resumed since",
        "catalog/suspension.c",
        "\t\ttview_meta_was_suspended(tview->tview, snapshot))\n",
        "\t\ttview_meta_was_suspended(tview->tview, snapshot) && false)\n",
        specs="suspend_race"),
    Mutation(
        "tripwire-ignored", "a suspended TVIEW isn't read by mistake",
        "catalog/suspension.c",
        "\ttripped = true;\n", "",
        tests="suspend"),
    # -- what replication brings -----------------------------------------------
    Mutation(
        "replicated-through-others-forgotten",
        "what a TVIEW reads through others is captured, too",
        "ddl/install.c",
        "\t\t\t\ttviews = list_append_unique_oid(tviews, lfirst_oid(cell));\n",
        "\t\t\t\tcontinue;\n",
        tests="capture_replicated"),
    Mutation(
        "replicated-cascade-forgotten",
        "what replication changes goes on to TVIEWs that read TVIEWs",
        "ddl/install.c",
        "with_cascades(read_tables(list_make1_oid(tview->tview)))",
        "(false ? with_cascades(NIL) :"
        " read_tables(list_make1_oid(tview->tview)))",
        tests="capture_replicated"),
    Mutation(
        "replicated-new-reader-forgotten",
        "a TVIEW that another one comes to read is captured as its tables are",
        "ddl/triggers.c",
        "\t\t(tview != NULL && any_replicated(tview->dependencies));\n",
        "\t\t(tview == NULL && any_replicated(NIL));\n",
        tests="capture_replicated"),
    Mutation(
        "replicated-new-partition-forgotten",
        "a new partition is captured as its parent is",
        "ddl/triggers.c",
        "\t\tany_replicated(tview_inherits_ancestors(relid)) ||\n", "",
        tests="capture_replicated"),
    Mutation(
        "replicated-forgotten-when-mended",
        "a trigger that is enabled again fires as the others do",
        "ddl/reinstall.c",
        "TRIGGER_FIRES_ALWAYS : tview_triggers_mode(relid, wanted);",
        "TRIGGER_FIRES_ALWAYS : wanted->enabled;",
        tests="capture_replicated"),
    Mutation(
        "replicated-forgotten-when-made",
        "a trigger that is made again fires as the others do",
        "ddl/triggers.c",
        "\treturn tview_triggers_replicated(relid) ||\n", "\treturn\n",
        tests="capture_replicated"),
    Mutation(
        "replicated-by-statement-goes-by",
        "by statement, changes in replica mode are captured, and go on",
        "catalog/triggers.c",
        "\treturn found.always != NIL || is_by_statement(&found);\n",
        "\treturn found.always != NIL && !is_by_statement(&found);\n",
        tests="capture_replicated"),
    Mutation(
        "replicated-by-statement-alone",
        "by statement, rows that replication applies are captured",
        "ddl/triggers.c",
        "in_mode(&row_trigger, TRIGGER_FIRES_ON_REPLICA)",
        "in_mode(&row_trigger, TRIGGER_DISABLED)",
        tests="capture_replicated statement_capture"),
    Mutation(
        "enabled-not-rebuilt",
        "what went by while a trigger was disabled is rebuilt",
        "ddl/triggers.c",
        "\t\t\ttview_queue_add_all(reader);\n", "\t\t\treturn;\n",
        tests="enable_triggers"),
    Mutation(
        "enabled-replica-forgotten",
        "what went by while a trigger was for replica mode only is rebuilt",
        "catalog/triggers.c",
        "\treturn found.idle || (found.replica != 0 && !is_by_statement(&found));\n",
        "\treturn found.idle;\n",
        tests="enable_triggers"),
    Mutation(
        "empty-not-verified",
        "the health check finds an empty TVIEW that should not be",
        "observe/health_tviews.c",
        "OidIsValid(tview_suspension_cause(relid)) && tview_table_is_empty(relid))",
        "OidIsValid(tview_suspension_cause(relid)) && false)",
        tests="enable_triggers"),
    Mutation(
        "policies-not-inherited",
        "a TVIEW that reads one with policies is computed under these",
        "catalog/graph.c",
        "\t\t\ttview->by_policies |= read->by_policies;\n", "",
        tests="row_security"),
    Mutation(
        "reassigned-not-judged",
        "a new owner by REASSIGN OWNED sees what their policies show",
        "ddl/policies.c",
        "\t\ttview_record_owner(lfirst_oid(lc), lfirst_oid(owner), \"REASSIGN OWNED\");\n\tjudge(true);\n",
        "\t\ttview_record_owner(lfirst_oid(lc), lfirst_oid(owner), \"REASSIGN OWNED\");\n",
        tests="row_security"),
]
