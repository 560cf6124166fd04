#!/usr/bin/python3
"""Run the same work against several ways to keep a read model, side by side.

Started by bench/run, which gives it a server of its own.  Each contender has a
schema with the same rows in one database and, for each operation, a session.
An operation runs in rounds: one block of transactions for each contender, in
an order that rotates from round to round.  Time is taken on the server.
In the end every contender's read model is compared with its views; figures of
one that differs are not shown.
"""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

import psycopg2

import report
import workload

SQL = Path(__file__).resolve().parent / "sql"
HAND = ("row", "set", "patch")
CONTENDERS = ("none", *HAND, "refresh", "tviews")
SESSION_SETTINGS = {"synchronous_commit": "off", "jit": "off", "work_mem": "64MB"}
PATIENCE = 15           # seconds; a block that takes longer is its contender's last
READ_MODEL = {"none": None, "refresh": "mv_"}       # what starts the names of its relations


class Bench:
    def __init__(self, args):
        self.args = args
        self.size = workload.QUICK if args.quick else workload.FULL
        self.names = args.contenders
        self.samples = {}
        self.last_i = {}
        self.gave_up = set()        # (contender, operation)

    # Connections

    def connect(self, contender=None):
        """A session in which a contender's names come first."""
        session = psycopg2.connect(self.args.dsn)
        session.autocommit = True
        settings = dict(SESSION_SETTINGS)
        if contender:
            settings["search_path"] = f"{contender}, public"
        for name, value in settings.items():
            execute(session, "SELECT set_config(%s, %s, false)", name, value)
        return session

    # Setting up

    def set_up(self):
        session = self.connect()
        execute(session, (SQL / "common.sql").read_text())
        session.close()
        for name in self.names:
            started = time.monotonic()
            self.set_up_contender(name)
            say(f"loaded {name} in {time.monotonic() - started:.1f} s")
        session = self.connect()
        execute(session, "VACUUM ANALYZE")
        execute(session, "CHECKPOINT")
        session.close()

    def set_up_contender(self, name):
        session = self.connect(name)
        execute(session, f"CREATE SCHEMA {name}")
        execute(session, (SQL / "tables.sql").read_text())
        self.load(session)
        if name == "tviews":
            execute(session, "CREATE EXTENSION pg_tviews SCHEMA public")
            for entity, query in workload.DEFINITIONS.items():
                execute(session, f"CREATE TABLE tv_{entity} AS {query}")
        else:
            for entity, query in workload.DEFINITIONS.items():
                execute(session, f"CREATE VIEW v_{entity} AS {query}")
        if name == "refresh":
            execute(session, (SQL / "matviews.sql").read_text())
        if name in HAND:
            execute(session, (SQL / "hand_tables.sql").read_text())
            execute(session, (SQL / f"hand_{name}.sql").read_text())
        for op in workload.OPERATIONS:
            execute(session, workload.procedure(op, self.size))
        session.close()

    def load(self, session):
        sizes = {"companies": self.size.companies, "users": self.size.users,
                 "posts": self.size.posts, "comments": self.size.comments,
                 "seed": self.args.seed}
        for name, value in sizes.items():
            execute(session, "SELECT set_config(%s, %s, false)", f"bench.{name}", str(value))
        # The rows are right by construction: no need to check foreign keys.
        execute(session, "SET session_replication_role = replica")
        execute(session, (SQL / "load.sql").read_text())
        execute(session, "RESET session_replication_role")

    # Measuring

    def measure(self):
        for op in workload.OPERATIONS:
            if self.args.operations and op.name not in self.args.operations:
                continue
            started = time.monotonic()
            self.samples[op.name] = {}
            self.measure_rounds(op)
            if "refresh" in self.names:
                self.measure_refresh(op)
            say(f"{op.name}: {time.monotonic() - started:.1f} s")

    def measure_rounds(self, op):
        """All contenders but refresh, in turn; the first round only warms up."""
        names = [name for name in self.names if name != "refresh"]
        times = max(1, round(op.times * self.size.share))
        rounds = op.rounds if not self.args.quick else max(3, op.rounds // 3)
        sessions = {name: self.connect(name) for name in names}
        results = {name: [] for name in names}
        for number in range(rounds + 1):
            shift = number % len(names)
            for name in names[shift:] + names[:shift]:
                if (name, op.name) in self.gave_up:
                    continue
                usec = execute(sessions[name], f"CALL op_{op.name}(%s, %s)",
                               number * times + 1, times)[0][0]
                if usec * times > PATIENCE * 1e6:
                    self.gave_up.add((name, op.name))
                if number > 0 or (name, op.name) in self.gave_up:
                    results[name].append(usec)
            if op.bulk:
                for name in names:
                    vacuum(sessions[name])
        for name in names:
            vacuum(sessions[name])
            sessions[name].close()
        self.samples[op.name].update(results)

    def measure_refresh(self, op):
        """The operation once, then REFRESH of all that it may have changed."""
        session = self.connect("refresh")
        for kind, option in (("refresh", ""), ("concurrently", "CONCURRENTLY")):
            self.samples[op.name][kind] = []
            for _ in range(1 if self.args.quick else 3):
                first = self.last_i[op.name] = self.last_i.get(op.name, 0) + 1
                started = time.monotonic()
                execute(session, f"CALL op_{op.name}(%s, 1)", first)
                for entity in workload.DEFINITIONS:
                    execute(session, f"REFRESH MATERIALIZED VIEW {option} mv_{entity}")
                self.samples[op.name][kind].append((time.monotonic() - started) * 1e6)
        vacuum(session)
        session.close()

    # The oracle

    def check(self):
        """What is wrong with each contender: a list of sentences, empty if nothing."""
        faults = {name: self.differences(name) for name in self.names}
        behind = {"refresh"} | {name for name, _ in self.gave_up}
        sums = {name: self.base_sums(name) for name in self.names if name not in behind}
        for name, value in sums.items():
            if value != sums[next(iter(sums))]:
                faults[name].append("its base tables do not hold the same rows as the others'")
        return faults

    def differences(self, name):
        prefix = READ_MODEL.get(name, "tv_")
        if prefix is None:
            return []
        session = self.connect(name)
        faults = []
        for entity in workload.DEFINITIONS:
            columns = ", ".join(row[0] for row in execute(session, """
                SELECT quote_ident(attname) FROM pg_attribute
                WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum""",
                f"{name}.v_{entity}"))
            stored, right = f"{prefix}{entity}", f"v_{entity}"
            count = execute(session, f"""
                SELECT count(*) FROM (
                    (SELECT {columns} FROM {stored} EXCEPT ALL SELECT {columns} FROM {right})
                    UNION ALL
                    (SELECT {columns} FROM {right} EXCEPT ALL SELECT {columns} FROM {stored})) d
                """)[0][0]
            if count:
                faults.append(f"{count} differences between {stored} and {right}")
        session.close()
        return faults

    def base_sums(self, name):
        """One number for each base table, over all columns but the random id."""
        session = self.connect(name)
        sums = [execute(session, f"""
                    SELECT sum(hashtextextended((to_jsonb(t) - 'id')::text, 0)) FROM {table} t
                    """)[0][0]
                for table in ("tb_company", "tb_user", "tb_post", "tb_comment")]
        session.close()
        return sums

    # Facts of the run

    def facts(self):
        session = self.connect()
        tviews = None
        if "tviews" in self.names:
            tviews = execute(session, "SELECT public.pg_tviews_version()")[0][0]
        facts = {**machine(), **server(session), "pg_tviews": tviews,
                 "quick": self.args.quick, "seed": self.args.seed,
                 "rows": {"companies": self.size.companies, "users": self.size.users,
                          "posts": self.size.posts, "comments": self.size.comments}}
        session.close()
        return facts

    def checkpoints(self):
        session = self.connect()
        count = checkpoints(session)
        session.close()
        return count


def execute(session, sql, *values):
    """Run a statement; its rows, if it returns any."""
    with session.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []


def vacuum(session):
    """Vacuum the tables of a contender, so that one round's garbage is not the next one's load."""
    tables = execute(session, """
        SELECT oid::regclass::text FROM pg_class
        WHERE relkind IN ('r', 'm') AND relnamespace = current_schema()::regnamespace""")
    for (table,) in tables:
        execute(session, f"VACUUM {table}")


def checkpoints(session):
    if session.server_version >= 170000:
        query = "SELECT num_timed + num_requested FROM pg_stat_checkpointer"
    else:
        query = "SELECT checkpoints_timed + checkpoints_req FROM pg_stat_bgwriter"
    return execute(session, query)[0][0]


def server(session):
    """The server's version, and its settings as far as they say anything about speed."""
    rows = execute(session, """
        SELECT name, current_setting(name) FROM pg_settings
        WHERE source NOT IN ('default', 'client') OR name = ANY (%s) ORDER BY name""",
        list(SESSION_SETTINGS))
    hidden = ("directory", "file", "path", "port", "address", "destdir")
    return {"server": execute(session, "SHOW server_version")[0][0],
            "settings": {name: value for name, value in rows
                         if not any(word in name for word in hidden)}}


def machine():
    return {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "cpu": cpu_model(), "cpus": os.cpu_count(), "kernel": platform.release(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")}


def cpu_model():
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def say(text):
    print(f"# {text}", file=sys.stderr, flush=True)


def names_of(known):
    def split(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(known)}")
        return [name for name in known if name in names]
    return split


def main():
    parser = argparse.ArgumentParser(prog="bench/run", description="measure contenders side by side")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, few rounds")
    parser.add_argument("--contenders", type=names_of(CONTENDERS), default=list(CONTENDERS),
                        metavar="NAMES", help="of " + ",".join(CONTENDERS))
    operations = [op.name for op in workload.OPERATIONS]
    parser.add_argument("--operations", type=names_of(operations), metavar="NAMES",
                        help="of " + ",".join(operations))
    parser.add_argument("--out", default=str(SQL.parent / "results.json"), metavar="FILE",
                        help="where to write all figures (bench/results.json)")
    parser.add_argument("--seed", type=int, default=1, help="of the pseudo-random rows (1)")
    parser.add_argument("--dsn", default="", help="connection (from the environment)")
    args = parser.parse_args()

    started = time.monotonic()
    bench = Bench(args)
    bench.set_up()
    before = bench.checkpoints()
    bench.measure()
    checkpoints = bench.checkpoints() - before
    faults = bench.check()
    result = {"facts": bench.facts(), "checkpoints": checkpoints, "faults": faults,
              "microseconds": bench.samples, "seconds": round(time.monotonic() - started)}
    Path(args.out).write_text(json.dumps(result, indent=1) + "\n")
    print(report.render(result))
    say(f"all figures are in {args.out}")
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
