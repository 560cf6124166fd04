#!/usr/bin/python3
"""Let many clients write at once, against several ways to keep a read model.

Started by bench/concurrency, which gives it a server and builds of pg_tviews.
Each contender has a database with the same rows, and one at a time is under
load, from pgbench.  Contenders take turns in rounds, in an order that rotates.
After every run the contender's read model is compared with its views.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psycopg2

import workload
import writers_report
import writers_workload as what
from bench import SQL, checkpoints, execute, machine, names_of, say, server, vacuum

WARM_UP = 1             # seconds; pgbench's clients plan, and make plans, when they begin
PATIENCE = 120          # seconds that pgbench may take longer than it was told
SYNC = ("on", "off")


class Bench:
    def __init__(self, args):
        self.args = args
        self.plan = what.QUICK if args.quick else what.FULL
        self.clients = args.clients or self.plan.clients
        self.rounds = args.rounds or self.plan.rounds
        self.seconds = args.seconds or self.plan.seconds
        self.contenders = [c for c in what.CONTENDERS if c.name in args.contenders]
        self.sessions = {}      # for each contender, to set up, check and clean up
        self.runs = []
        self.checkpoints = 0    # that nobody has asked for, while measuring

    # Setting up

    def set_up(self):
        self.load_template()
        for contender in self.contenders:
            started = time.monotonic()
            self.sessions[contender] = self.set_up_contender(contender)
            say(f"loaded {contender.name} in {time.monotonic() - started:.1f} s")

    def load_template(self):
        size = self.plan.size
        settings = {"companies": size.companies, "users": size.users, "posts": size.posts,
                    "comments": size.comments, "seed": self.args.seed}
        run_sql("postgres", "CREATE DATABASE bench_template")
        session = connect("bench_template")
        for name, value in settings.items():
            execute(session, "SELECT set_config(%s, %s, false)", f"bench.{name}", str(value))
        # The rows are right by construction: no need to check foreign keys.
        execute(session, "SET session_replication_role = replica")
        for script in ("common", "tables", "load"):
            execute(session, read_sql(script))
        session.close()

    def set_up_contender(self, contender):
        name = database(contender)
        run_sql("postgres", f"CREATE DATABASE {name} TEMPLATE bench_template")
        if contender.build:
            settings = self.args.builds / f"{contender.build}.conf"
            for line in settings.read_text().splitlines():
                run_sql("postgres", f"ALTER DATABASE {name} SET {line}")
        session = connect(name)
        if contender.build:
            self.create_tviews(session, contender)
        else:
            for entity, query in what.DEFINITIONS.items():
                execute(session, f"CREATE VIEW v_{entity} AS {query}")
        for script in contender.scripts:
            execute(session, read_sql(script))
        execute(session, workload.procedure(what.OPERATION, self.plan.size))
        execute(session, "VACUUM ANALYZE")
        return session

    def create_tviews(self, session, contender):
        execute(session, "CREATE EXTENSION pg_tviews")
        for entity, query in what.DEFINITIONS.items():
            execute(session, f"CREATE TABLE tv_{entity} AS {query}")
        loaded = execute(session, "SELECT pg_read_file('/proc/self/maps')")[0][0]
        if f"{self.args.builds}/{contender.build}/dest/" not in loaded:
            sys.exit(f"the server does not use the build for {contender.name}")

    # Measuring

    def measure(self):
        for workload_ in what.WORKLOADS:
            if workload_.name in self.args.workloads:
                for sync in self.args.sync:
                    self.measure_workload(workload_, sync)
        if what.SINGLE in self.args.workloads:
            self.measure_single()

    def measure_workload(self, workload_, sync):
        """All numbers of clients; what the first look at a page costs falls into no run."""
        numbers_of_clients = self.clients or workload_.clients
        started = time.monotonic()
        run_sql("postgres", "CHECKPOINT")
        before = self.count_checkpoints()
        if not self.args.quick:
            for contender in self.contenders:
                self.run(workload_, sync, contender, max(numbers_of_clients), 0)
        for clients in numbers_of_clients:
            for number in range(1, self.rounds + 1):
                for contender in rotated(self.contenders, number):
                    run = self.run(workload_, sync, contender, clients, number)
                    self.runs.append(run)
        self.checkpoints += self.count_checkpoints() - before
        say(f"{workload_.name}, synchronous_commit = {sync}: {time.monotonic() - started:.0f} s")

    def run(self, workload_, sync, contender, clients, number):
        """Let pgbench's clients loose on one contender; what came of it."""
        session = self.sessions[contender]
        loads = [self.start(load, sync, contender, clients, number) for load in workload_.loads]
        results = [finish(process, self.seconds) for process in loads]
        rates = {load.rate: rate for load, (rate, _) in zip(workload_.loads, results)}
        run = {"workload": workload_.name, "sync": sync, "clients": clients, "round": number,
               "contender": contender.name, "rates": rates,
               "retries": sum(retries for _, retries in results),
               "stale": self.check(contender)}
        if workload_.adds:
            run["posts"] = execute(session, "SELECT count(*) FROM tb_post WHERE fk_user = 1")[0][0]
            execute(session, f"DELETE FROM tb_post WHERE pk_post > {self.plan.size.posts}")
        vacuum(session)
        return run

    def start(self, load, sync, contender, clients, number):
        size = self.plan.size
        command = ["pgbench", "-n", "-M", "prepared", "-j", "2",
                   "-c", str(load.clients or clients), "-T", str(WARM_UP + self.seconds),
                   "-P", str(WARM_UP), "--max-tries=100", f"--random-seed={number}",
                   "-D", f"posts={size.posts}", "-D", f"users={size.users}", "-D", "previous=0"]
        for script in load.scripts:
            name, weight = script.split("@")
            command += ["-f", f"{SQL / name}.pgbench@{weight}"]
        return subprocess.Popen(
            [*command, database(contender)], text=True,
            env={**os.environ, "PGOPTIONS": f"-c synchronous_commit={sync}"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def measure_single(self):
        """Blocks of transactions by a procedure; a first round warms up and isn't counted."""
        started = time.monotonic()
        sessions = {c: connect(database(c), synchronous_commit="off") for c in self.contenders}
        times = self.plan.times
        for number in range(self.plan.blocks + 1):
            for contender in rotated(self.contenders, number):
                usec = execute(sessions[contender], f"CALL op_{what.OPERATION.name}(%s, %s)",
                               number * times + 1, times)[0][0]
                if number > 0:
                    self.runs.append({
                        "workload": what.SINGLE, "sync": "off", "clients": 1, "round": number,
                        "contender": contender.name, "rates": {"tps": 1e6 / usec},
                        "retries": 0, "stale": 0})
        for contender in self.contenders:
            sessions[contender].close()
            last = next(run for run in reversed(self.runs) if run["contender"] == contender.name)
            last["stale"] = self.check(contender)
            vacuum(self.sessions[contender])
        say(f"{what.SINGLE}: {time.monotonic() - started:.0f} s")

    # The oracle

    def check(self, contender):
        """How many rows differ.  Those of who never claimed to be right are put right."""
        if contender.name == "none":
            return 0
        stale = sum(self.differences(contender, entity) for entity in what.DEFINITIONS)
        if stale and not contender.right:
            self.repair(contender)
        return stale

    def differences(self, contender, entity):
        session = self.sessions[contender]
        columns = ", ".join(row[0] for row in execute(session, """
            SELECT quote_ident(attname) FROM pg_attribute
            WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum""", f"v_{entity}"))
        stored, right = f"SELECT {columns} FROM tv_{entity}", f"SELECT {columns} FROM v_{entity}"
        return execute(session, f"""
            SELECT count(DISTINCT pk_{entity})
            FROM (({stored} EXCEPT ALL {right}) UNION ALL ({right} EXCEPT ALL {stored})) d
            """)[0][0]

    def repair(self, contender):
        session = self.sessions[contender]
        if contender.build:
            for entity in what.DEFINITIONS:
                execute(session, "SELECT pg_tviews_refresh(%s)", entity)
        else:
            execute(session, "CALL repair()")

    # Facts of the run

    def count_checkpoints(self):
        session = connect("postgres")
        count = checkpoints(session)
        session.close()
        return count

    def facts(self):
        size = self.plan.size
        session = connect("postgres")
        facts = {**machine(), **server(session), "quick": self.args.quick,
                 "seed": self.args.seed, "rounds": self.rounds, "seconds": self.seconds,
                 "blocks": self.plan.blocks, "rows": {"users": size.users, "posts": size.posts}}
        session.close()
        return facts


def finish(process, seconds):
    """Wait for pgbench; transactions per second after the warm-up, and repeated tries."""
    try:
        output, errors = process.communicate(timeout=WARM_UP + seconds + PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    failed = int(found(r"number of failed transactions: (\d+)", output))
    if process.returncode or failed:
        sys.exit(f"pgbench failed:\n{output}{errors}")
    retries = int(found(r"total number of retries: (\d+)", output) or 0)
    count = int(found(r"transactions actually processed: (\d+)", output))
    if count == 0:
        return 0.0, retries
    took = count / float(found(r"^tps = ([\d.]+)", output))
    until = float(found(r"^progress: ([\d.]+) s", errors))
    before = until * float(found(r"^progress: [\d.]+ s, ([\d.]+) tps", errors))
    return max(0.0, (count - before) / (took - until)), retries


def found(pattern, text):
    match = re.search(pattern, text, re.MULTILINE)
    return match and match[1]


def rotated(contenders, number):
    shift = number % len(contenders)
    return contenders[shift:] + contenders[:shift]


def database(contender):
    return f"bench_{contender.name}"


def connect(name, **settings):
    session = psycopg2.connect(dbname=name)
    session.autocommit = True
    for setting, value in {"work_mem": "256MB", **settings}.items():
        execute(session, "SELECT set_config(%s, %s, false)", setting, value)
    return session


def run_sql(name, sql):
    session = connect(name)
    execute(session, sql)
    session.close()


def read_sql(script):
    return (SQL / f"{script}.sql").read_text()


def numbers(text):
    return [int(number) for number in text.split(",")]


def parse():
    names = [contender.name for contender in what.CONTENDERS]
    workloads = [workload_.name for workload_ in what.WORKLOADS] + [what.SINGLE]
    parser = argparse.ArgumentParser(prog="bench/concurrency",
                                     description="many writers at once, contenders side by side")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, one round")
    parser.add_argument("--contenders", type=names_of(names), default=names,
                        metavar="NAMES", help="of " + ",".join(names))
    parser.add_argument("--workloads", type=names_of(workloads), default=workloads,
                        metavar="NAMES", help="of " + ",".join(workloads))
    parser.add_argument("--clients", type=numbers, metavar="NUMBERS",
                        help="how many at once, such as 1,8 (1,2,8,16,32; hot parent: 4,16)")
    parser.add_argument("--sync", type=names_of(SYNC), default=list(SYNC), metavar="VALUES",
                        help="of synchronous_commit (on,off)")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"({what.FULL.rounds})")
    parser.add_argument("--seconds", type=int, metavar="N",
                        help=f"of a run, after a first that is not counted ({what.FULL.seconds})")
    parser.add_argument("--out", default=str(SQL.parent / "results-concurrency.json"),
                        metavar="FILE", help="where to write all figures")
    parser.add_argument("--seed", type=int, default=1, help="of the pseudo-random rows (1)")
    parser.add_argument("--builds", type=Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    args = parse()
    started = time.monotonic()
    bench = Bench(args)
    bench.set_up()
    bench.measure()
    result = {"facts": bench.facts(), "contenders": [c.name for c in bench.contenders],
              "checkpoints": bench.checkpoints, "runs": bench.runs,
              "seconds": round(time.monotonic() - started)}
    Path(args.out).write_text(json.dumps(result, indent=1) + "\n")
    print(writers_report.render(result))
    say(f"all figures are in {args.out}")
    return 1 if writers_report.wrong(result) else 0


if __name__ == "__main__":
    sys.exit(main())
