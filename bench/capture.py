#!/usr/bin/python3
"""What it costs to capture changes by row and by statement.

Started by bench/capture, which gives it a server of its own.  Three schemas
have the same tables: in one no TVIEW reads them, in the others changes are
captured in one of the two ways.  A block is one or many statements in a
transaction that is rolled back, so that nothing is refreshed.  Time is that
which the session's process has spent on a CPU, so that what else the machine
does counts for little.  In each round every schema has a turn, and who begins rotates.
"""

import argparse
import json
import statistics

import psycopg2

WAYS = ("none", "row", "statement")
KEYS = 100000
COUNTS = (1, 10, 1000, 100000)          # rows of one statement
AT_ONCE = 1000                          # rows of a block, at least
WIDTHS = {"narrow": 0, "wide": 1000}    # bytes of a column that nothing reads

OPERATIONS = {
    "insert": "INSERT INTO {table} SELECT i, i, 'name ' || i, 0, repeat('x', {width})"
              " FROM generate_series({first} + %(keys)s, {last} + %(keys)s) AS i" % {"keys": KEYS},
    "update, used column": "UPDATE {table} SET name = name || '!' WHERE pk_{table} BETWEEN {first} AND {last}",
    "update, unused column": "UPDATE {table} SET unused = unused + 1 WHERE pk_{table} BETWEEN {first} AND {last}",
    "delete": "DELETE FROM {table} WHERE pk_{table} BETWEEN {first} AND {last}",
}

SET_UP = """
CREATE TABLE {table} (pk_{table} int PRIMARY KEY, fk_owner int, name text, unused int, filling text);
ALTER TABLE {table} ALTER filling SET STORAGE plain;
INSERT INTO {table} SELECT i, i, 'name ' || i, 0, repeat('x', {width}) FROM generate_series(1, {keys}) AS i;
"""

# The triggers of a statement fire before EXECUTE ends.
RUN = """
CREATE FUNCTION public.run(statements text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    statement text;
BEGIN
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement;
    END LOOP;
END$$
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="few rounds, no large statements")
    parser.add_argument("--out", help="where to write the figures of every round")
    return parser.parse_args()


def connect(way):
    session = psycopg2.connect("")
    session.autocommit = True
    with session.cursor() as cursor:
        for setting in ("synchronous_commit = off", "work_mem = '64MB'", f"search_path = {way}, public"):
            cursor.execute(f"SET {setting}")
    return session


def set_up():
    session = connect("public")
    with session.cursor() as cursor:
        cursor.execute("CREATE EXTENSION pg_tviews SCHEMA public")
        cursor.execute(RUN)
        for way in WAYS:
            cursor.execute(f"CREATE SCHEMA {way}; SET search_path = {way}, public")
            for table, width in WIDTHS.items():
                cursor.execute(SET_UP.format(table=table, width=width, keys=KEYS))
                if way == "none":
                    continue
                cursor.execute(f"CREATE TABLE tv_{table} AS SELECT pk_{table}, jsonb_build_object("
                               f"'name', name, 'owner', fk_owner) AS data FROM {table}")
                if way == "statement":
                    cursor.execute(f"SELECT pg_tviews_install_stmt_triggers('{table}')")
    session.close()


def block(operation, table, count, turn):
    """The statements of one block, each with other keys."""
    result = []
    for i in range(max(1, AT_ONCE // count)):
        first = (turn * max(AT_ONCE, count) + i * count) % KEYS + 1
        result.append(OPERATIONS[operation].format(
            table=table, width=WIDTHS[table], first=first, last=first + count - 1))
    return result


def time_spent(session):
    """Microseconds that the server's process has run so far."""
    with open(f"/proc/{session.info.backend_pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1000


def measure(session, statements):
    """Microseconds for each of them."""
    with session.cursor() as cursor:
        cursor.execute("BEGIN")
        before = time_spent(session)
        cursor.execute("SELECT run(%s)", (statements,))
        result = (time_spent(session) - before) / len(statements)
        cursor.execute("ROLLBACK")
    return result


def vacuum(sessions, table):
    for session in sessions.values():
        with session.cursor() as cursor:
            cursor.execute(f"VACUUM {table}")


def rounds_of(operation, table, count, rounds):
    """{way: [microseconds of each round]}"""
    sessions = {way: connect(way) for way in WAYS}
    times = {way: [] for way in WAYS}
    for turn in range(rounds + 1):
        for way in WAYS[turn % len(WAYS):] + WAYS[:turn % len(WAYS)]:
            time = measure(sessions[way], block(operation, table, count, turn))
            if turn > 0:                    # the first round warms up
                times[way].append(time)
        vacuum(sessions, table)
    for session in sessions.values():
        session.close()
    return times


def ratio(times, one, other):
    return statistics.median(a / b for a, b in zip(times[one], times[other]))


def show(table, operation, count, times):
    medians = [f"{statistics.median(times[way]):,.0f} µs" for way in WAYS]
    print(f"| {table} | {operation} | {count:,} | " + " | ".join(medians)
          + f" | {ratio(times, 'row', 'none'):.2f} | {ratio(times, 'statement', 'none'):.2f}"
          f" | {ratio(times, 'statement', 'row'):.2f} |", flush=True)


def main():
    args = arguments()
    set_up()
    figures = []
    print("| rows | operation | rows of a statement | none | row | statement"
          " | row/none | statement/none | statement/row |\n" + "|---" * 9 + "|")
    for count in COUNTS[:-1] if args.quick else COUNTS:
        for table in WIDTHS:
            for operation in OPERATIONS:
                times = rounds_of(operation, table, count, 2 if args.quick else args.rounds)
                show(table, operation, count, times)
                figures.append({"table": table, "operation": operation, "rows": count, "times": times})
    if args.out:
        with open(args.out, "w", encoding="utf-8") as out:
            json.dump(figures, out)


if __name__ == "__main__":
    main()
