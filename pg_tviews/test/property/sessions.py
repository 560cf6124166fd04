"""Several sessions at once: random transactions that overlap.

The main session makes a schema and its TVIEWs as ever.  Then groups of
transactions run in threads, each in a session of its own; they wait for one
another before they commit, so that their refreshes overlap.  When all have
ended, every tv_ must equal its v_.  A read in the middle must find so, too: it
has one snapshot, and what others have committed is right in each.

How the sessions meet is chance, so a failure comes with the state before it
and with what each session did when.
"""

import random
import re
import threading
import time

import psycopg2

import replay
import work
from replay import Failure, Undone

RETRY = ("40001", "40P01")
PATIENCE = 0.05                 # for the others to come to their commits
STUCK = 60
DDL = re.compile("TRUNCATE|PARTITION|ATTACH|DETACH|CREATE|DROP|install_")


class Group:
    """What the sessions of one group share."""

    def __init__(self, transactions):
        self.log, self.failures = [], []
        self.started = time.monotonic()
        self.running, self.committing = len(transactions), 0
        self.changed = threading.Condition()
        nodes = [n for t in transactions for n in replay.walk(t.children)]
        self.reads = any(isinstance(n, (work.Read, work.Held)) for n in nodes)
        self.ddl = any(isinstance(n, work.Sql) and DDL.search(n.text)
                       for n in nodes)

    def note(self, session, text):
        self.log.append((time.monotonic() - self.started, session, text))

    def before_commit(self):
        with self.changed:
            self.committing += 1
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.committing >= self.running,
                                  PATIENCE)

    def after_commit(self):
        with self.changed:
            self.committing -= 1

    def ended(self):
        with self.changed:
            self.running -= 1
            self.changed.notify_all()


class Session(replay.Runner):
    group = None

    def __init__(self, database, name, rng):
        super().__init__(database, "")
        self.name, self.rng = name, rng

    def take_over(self, main, settings):
        """Join the main session in its schema."""
        self.tviews, self.late = main.tviews, main.late
        self.some_table, self.trace = main.some_table, []
        self.group = Group([])
        if self.connection is None or self.connection.closed:
            self.connect(30)
        self.cursor.execute("ROLLBACK")
        self.cursor.execute("DEALLOCATE ALL")
        self.cursor.execute("RESET ALL")
        for text in replay.SESSION + self.timeouts:
            self.cursor.execute(text)
        self.set(settings)
        self.prepare_oracle()

    def send(self, text, data=None):
        if self.rng.random() < 0.1:
            time.sleep(self.rng.choice([0, 0.001, 0.003]))
        if not text.startswith("PREPARE oracle"):
            self.group.note(self.name, text + (f" {data!r}" if data else ""))
        commits = re.match("COMMIT|PREPARE TRANSACTION", text)
        if commits:
            self.group.before_commit()
            if self.rng.random() < 0.4:
                time.sleep(self.rng.choice([0.0003, 0.001, 0.002]))
            self.group.note(self.name, "... now")
        try:
            result = super().send(text, data)
            self.group.note(self.name, "ok")
            return result
        except psycopg2.Error as error:
            self.group.note(self.name, f"{error.pgcode} {error}")
            raise
        finally:
            if commits:
                self.group.after_commit()

    def judge(self, error, text):
        code, detail = error.pgcode, error.diag.message_detail or ""
        if (code == "40P01" and "advisory lock" in detail
                and not self.group.reads and not self.group.ddl):
            raise Failure("deadlock", f"{text}\n{error}") from None
        if code in RETRY:
            raise Undone(error) from None
        if code in ("42P01", "42P07", "55000", "42P17") and self.group.ddl:
            raise Undone(error) from None       # partitions come and go
        try:
            super().judge(error, text)
        except Undone as undone:
            if undone.about_key:
                raise Failure(f"key error {code}", f"{text}\n{error}") \
                    from None
            raise

    def compare(self):
        """The others may be in the middle of something."""

    def verify_keys(self, t, undone):
        raise Failure("key error", str(undone))

    def run_one(self, t, number):
        try:
            self.transaction(t, number)
        except Failure as failure:
            # who has an older snapshot sees a truncated table empty, and may
            # have it at READ COMMITTED too, having waited for the TRUNCATE
            if not (failure.kind == "difference" and self.group.ddl):
                self.group.failures.append(failure)
        except psycopg2.Error as error:
            try:
                self.judge(error, self.last())
            except Undone:
                pass
            except Failure as failure:
                self.group.failures.append(failure)
        finally:
            try:
                if not self.connection.closed:
                    self.cursor.execute("ROLLBACK")
            except psycopg2.Error:
                pass
            self.group.ended()


class Sessions:
    """Runs groups of transactions; the main session judges the outcome."""

    def __init__(self, main, count, seed):
        self.main = main
        self.sessions = [Session(main.database, chr(ord("A") + i),
                                 random.Random(f"{seed}/{i}"))
                         for i in range(count)]

    def start(self, settings):
        for s in self.sessions:
            s.take_over(self.main, settings)

    def state(self, tables):
        """The rows of the base tables, to make sense of what follows."""
        out = []
        for t in tables:
            try:
                rows = self.main.send(f"SELECT t::text FROM {t.name} t")
            except psycopg2.Error:
                continue
            self.main.trace.pop()
            out.append(f"{t.name} ({', '.join(c.name for c in t.columns)}): "
                       + " ".join(r[0] for r in rows))
        return out

    def run(self, transactions, tables, number):
        before = self.state(tables)
        group = Group(transactions)
        threads = []
        for s, t in zip(self.sessions, transactions):
            s.group = group
            s.trace = s.trace[-5:]
            threads.append(threading.Thread(
                target=s.run_one, args=(t, f"{number}_{s.name}"),
                daemon=True))
        for t in threads:
            t.start()
        until = time.monotonic() + STUCK
        for t in threads:
            t.join(max(0, until - time.monotonic()))
        failure = None
        if any(t.is_alive() for t in threads):
            failure = Failure("stuck", str(self.main.send(
                "SELECT pid, wait_event, pg_blocking_pids(pid), query FROM"
                " pg_stat_activity WHERE datname = current_database()")))
        elif group.failures:
            failure = group.failures[0]
        try:
            self.main.compare()
        except Failure as difference:
            failure = failure or difference
        if failure:
            log = "\n".join(f"{at * 1000:8.1f} {name}: {text}"
                            for at, name, text in group.log)
            failure.detail += ("\nstate before:\n" + "\n".join(before)
                               + "\nwhat happened:\n" + log)
            raise failure

    def close(self):
        for s in self.sessions:
            if s.connection:
                s.connection.close()
