"""What the processes of a run have in common."""

from dataclasses import dataclass

import psycopg2

from judge import describe


@dataclass
class Setup:
    """What all of them know."""
    seed: int
    database: str
    bare: bool                  # no extension
    keep_going: bool            # after failures
    two_phase: bool
    board: object               # of deadlocks.py

    def connect(self, **more):
        connection = psycopg2.connect(dbname=self.database, **more)
        connection.autocommit = True
        return connection


class Member:
    """A process that works until the run stops, and tells what it finds."""

    def __init__(self, setup, stop, reports):
        self.setup, self.stop, self.reports = setup, stop, reports

    def run(self):
        try:
            self.work()
        except psycopg2.Error as error:
            self.fail(describe(error))
        self.tell()

    def work(self):
        raise NotImplementedError

    def tell(self):
        """What there is to tell at the end."""

    def name(self):
        return type(self).__name__.lower()

    def fail(self, text):
        self.reports.put(("failure", f"{self.name()}: {text}"))
        if not self.setup.keep_going:
            self.stop.set()
