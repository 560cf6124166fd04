"""A client: random transactions, one after the other, in its own process.

What it did is counted by isolation level and told at the end; what must not
happen is told at once.
"""

import random
from collections import Counter

import psycopg2

import prepared
import tviews
import work
from deadlocks import Deadlocks
from judge import FAILED, OURS, TERMINATED, describe, judge
from member import Member

NAME = "concurrency client"
WITH_EXTRAS = 4                 # so many clients make and drop TVIEWs
WITH_TWO_PHASES = 16            # and so many prepare transactions, one each


class Failure(Exception):
    pass


class Undone(Exception):
    """An error that may happen."""

    def __init__(self, kind):
        super().__init__(kind)
        self.kind = kind


class Lost(Exception):
    """The connection is gone."""


class Client(Member):
    def __init__(self, number, setup, stop, reports):
        super().__init__(setup, stop, reports)
        self.number = number
        # of its own, so that the same seed makes the same transactions
        self.generator = random.Random(f"{setup.seed}/{number}")
        self.rng = random.Random(f"{setup.seed}/{number}/other")
        self.counts = Counter()         # (kind, isolation level)
        self.deadlocks = Deadlocks(setup.board, number)
        self.has_extra = False
        self.gid, self.gids = None, 0
        self.connection = None

    def work(self):
        self.connect()
        while not self.stop.is_set():
            self.one_transaction()
        self.connection.close()

    def tell(self):
        self.reports.put(("counts", self.counts, *self.deadlocks.told()))

    def name(self):
        return f"client {self.number}"

    # -- sending -------------------------------------------------------------

    def connect(self):
        self.connection = self.setup.connect(
            application_name=NAME,
            # nobody waits that long, unless nothing moves any more
            options="-c statement_timeout=60s")
        self.cursor = self.connection.cursor()
        self.pid = self.connection.info.backend_pid
        self.deadlocks.tell_pid(self.pid)

    def send(self, text):
        """Send it; returns the first row.  What may go wrong is Undone."""
        self.sent.append(text)
        try:
            self.cursor.execute(text)
            return self.cursor.fetchone() if self.cursor.description else None
        except psycopg2.Error as error:
            if self.connection.closed or error.pgcode == "57P01":
                raise Lost(describe(error)) from None
            kind = judge(error, bool(self.transaction.timeout))
            if kind is None:
                raise Failure(describe(error)) from None
            if kind in OURS:
                self.deadlocks.note(kind, self.where(), text, error)
            raise Undone(kind) from None

    def where(self):
        """What the transaction was doing, in words."""
        t = self.transaction
        kind = "" if t.kind == "short" else t.kind + " transaction, "
        return (f"{kind}{t.level}, at {self.at}"
                + ", locking early" * self.early)

    def set_early(self, early):
        """May it hold pg_tviews' locks before its end?"""
        self.early = early
        self.deadlocks.tell_early(early)

    # -- transactions --------------------------------------------------------

    def one_transaction(self):
        self.transaction = t = work.make_transaction(self.generator)
        self.sent = []
        self.wrote = False
        self.set_early(t.kind == "rare")
        try:
            kind = self.attempt(t)
        except Lost as lost:
            kind = TERMINATED
            self.come_back(lost)
        self.counts[kind, t.level] += 1

    def attempt(self, t):
        try:
            return self.perform(t)
        except Undone as undone:
            kind = undone.kind
        except Failure as failure:
            kind = FAILED
            self.fail("\n".join([self.where()] + self.sent + [str(failure)]))
        self.send("ROLLBACK")
        return kind

    def perform(self, t):
        """Returns how it ended."""
        if t.mode != "block":
            self.at = {"auto": "a statement by itself",
                       "multi": "statements sent at once"}[t.mode]
            self.send("; ".join(i.text for i in t.items))
            return "COMMIT"
        self.at = "its beginning"
        self.send(f"BEGIN ISOLATION LEVEL {t.level}")
        if t.timeout:
            self.send(f"SET LOCAL {t.timeout}")
        self.perform_items(t.items)
        self.at = "its end"
        if t.end == "PREPARE" and self.may_prepare():
            return self.prepare()
        end = "ROLLBACK" if t.end == "ROLLBACK" else "COMMIT"
        self.send(end)
        return end

    def perform_items(self, items):
        for item in items:
            getattr(self, "do_" + type(item).__name__.lower())(item)

    def do_statement(self, item):
        self.at = "a statement"
        self.send(self.adapted(item.text))
        self.wrote = True

    def do_read(self, item):
        self.at = "a read"
        if self.wrote and not self.setup.bare:
            self.set_early(True)
        return self.send(self.adapted(item.text))

    def adapted(self, text):
        """Bare, there are views only."""
        return text.replace("tv_", "v_") if self.setup.bare else text

    def do_own(self, item):
        """The row is locked: nobody else can have changed it since."""
        self.do_statement(work.Statement(item.update))
        if self.cursor.rowcount == 0:
            return
        row = self.do_read(item.read)
        if row is None or row[0] != item.expected:
            raise Failure(f"read {row} after its own {item.expected}")

    def do_savepoint(self, item):
        self.send("SAVEPOINT s")
        try:
            self.perform_items(item.items)
            self.send(("ROLLBACK TO" if item.undone else "RELEASE") + " s")
        except Undone as undone:
            if not item.catches:
                raise
            self.counts[undone.kind + ", caught", self.transaction.level] += 1
            self.send("ROLLBACK TO s")

    def do_refresh(self, item):
        self.at = "pg_tviews_refresh()"
        if not self.setup.bare:
            self.send(f"SELECT pg_tviews_refresh('{item.entity}')")

    def do_extra(self, _):
        self.at = "CREATE or DROP of a TVIEW"
        if self.setup.bare or self.number >= WITH_EXTRAS:
            return
        name = f"tv_extra_{self.number}"
        if self.has_extra:
            self.send(f"DROP TABLE IF EXISTS {name}")
        else:
            query = tviews.extra(self.rng, self.number)
            self.send(f"CREATE TABLE IF NOT EXISTS {name} AS {query}")
        self.has_extra = not self.has_extra

    # -- two phases ----------------------------------------------------------

    def may_prepare(self):
        """Only if the one before has been finished."""
        return (self.setup.two_phase and self.number < WITH_TWO_PHASES
                and not (self.gid and self.send(
                    "SELECT 1 FROM pg_prepared_xacts"
                    f" WHERE gid = '{self.gid}'")))

    def prepare(self):
        """Finish it here, or leave that to another session."""
        start = self.rng.choice([prepared.OWN, prepared.LEFT])
        self.gids += 1
        self.gid = f"{start}_{self.number}_{self.gids}."
        self.send(f"PREPARE TRANSACTION '{self.gid}'")
        if start == prepared.OWN:
            how = self.rng.choice(["COMMIT", "COMMIT", "ROLLBACK"])
            self.send(f"{how} PREPARED '{self.gid}'")
            self.gid = None
        return "PREPARE"

    # -- terminated sessions -------------------------------------------------

    def come_back(self, lost):
        """Only if the session was terminated on purpose."""
        pid = self.pid
        self.connection.close()
        self.connect()
        try:
            if not self.send(f"SELECT 1 FROM terminated WHERE pid = {pid}"):
                self.fail(f"lost the connection, {self.where()}\n{lost}")
            self.finish_own()
        except (Lost, psycopg2.OperationalError) as again:
            self.come_back(again)

    def finish_own(self):
        """What the session has prepared before it was terminated."""
        while self.gid and self.gid.startswith(prepared.OWN):
            if prepared.finish(self.cursor, self.rng, self.gid):
                self.gid = None
