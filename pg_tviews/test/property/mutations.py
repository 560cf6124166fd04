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


MUTATIONS = [
    # -- capture -------------------------------------------------------------
    Mutation(
        "only-new-image", "old and new image of every changed row",
        "capture/trigger.c",
        "\t\tnote_image(source, table->relid, parts, old_slot);\n",
        "\t\tif (!moved)\n"
        "\t\t\tnote_image(source, table->relid, parts, old_slot);\n"),
    Mutation(
        "only-old-image", "old and new image of every changed row",
        "capture/trigger.c",
        "\t\t\tnote_image(source, table->relid, parts, new_slot);\n", ""),
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
        "\tfor (int i = 0; i < table->nsources; i++)\n"
        "\t{\n"
        "\t\tconst CaptureSource *source = &table->sources[i];\n",
        "\tfor (int i = 0; i < Min(table->nsources, 1); i++)\n"
        "\t{\n"
        "\t\tconst CaptureSource *source = &table->sources[i];\n"),
    Mutation(
        "whole-row-uses-nothing", "a whole-row reference uses every column",
        "capture/trigger.c",
        "\tif (source->whole_row)\n", "\tif (false)\n"),
    Mutation(
        "no-rebuild-on-truncate", "TRUNCATE rebuilds",
        "capture/trigger.c",
        "\t\t\ttview_queue_add_all(lfirst_oid(lc));\n",
        "\t\t\t(void) lfirst_oid(lc);\n"),
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
        "\tif (level - 1 == 1 ||\n", "\tif (level > 1 ||\n"),
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
        "\t\tCHECK_FOR_INTERRUPTS();\n\t\ttake_changes();\n",
        "\tflush_pending = NIL;\n\ttake_changes();\n"
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
        "refresh/apply.c",
        "\t\t\tby_source[change->source] ="
        " lappend(by_source[change->source],\n"
        "\t\t\t\t\t\t\t\t\t\t\t\tchange);\n",
        "\t\t\tby_source[change->source] = list_make1(change);\n"),
    Mutation(
        "last-source-not-derived", "every source is derived from",
        "refresh/apply.c",
        "\tfor (int i = 0; i < plan->nsources; i++)\n"
        "\t\tif (by_source[i] != NIL)\n",
        "\tfor (int i = 0; i < plan->nsources - 1; i++)\n"
        "\t\tif (by_source[i] != NIL)\n"),
    Mutation(
        "first-group-only", "all keys are refreshed",
        "refresh/apply.c",
        "\t\ttracing = false;\n\t}\n",
        "\t\ttracing = false;\n\t\tbreak;\n\t}\n"),
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
]
