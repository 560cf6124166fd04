"""The oracle: in whatever snapshot, every tv_ equals its v_.

All tables are locked before the snapshot is taken: TRUNCATE, and the creation
of a TVIEW, would show through an older one.
"""

import psycopg2

from member import Member
from tables import NAMES

SHOWN = 5                       # rows of a difference that are shown
WIDTH = 600                     # and so much of each

# TVIEWs with the columns of their views, as this snapshot sees them
LIST = """
SELECT t.relname, v.relname,
       string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
FROM pg_tview_meta m
JOIN pg_class t ON t.oid = m.tview
JOIN pg_class v ON v.oid = m.view
JOIN pg_attribute a ON a.attrelid = m.view AND a.attnum > 0
                   AND NOT a.attisdropped
GROUP BY t.relname, v.relname ORDER BY t.relname"""


def differences(tview, view, columns):
    stored = f"SELECT {columns} FROM {tview}"
    right = f"SELECT {columns} FROM {view}"
    return ("SELECT 'is stored' AS which, d.*"
            f" FROM ({stored} EXCEPT ALL {right}) d UNION ALL "
            "SELECT 'should be', d.*"
            f" FROM ({right} EXCEPT ALL {stored}) d LIMIT {SHOWN}")


class Oracle(Member):
    looks = 0

    def work(self):
        self.connect()
        while not self.stop.is_set():
            self.look()
        self.connection.close()

    def tell(self):
        self.reports.put(("looks", self.looks))

    def connect(self):
        self.connection = self.setup.connect()
        self.cursor = self.connection.cursor()
        # of a deadlock about locks on tables, this is the victim
        self.cursor.execute("SET deadlock_timeout = '20ms'")

    def look(self):
        """Compare all, if DDL lets us."""
        try:
            found = self.compare()
        except psycopg2.Error as error:
            if error.pgcode not in ("40P01", "42P01"):
                raise
            self.cursor.execute("ROLLBACK")
            return
        self.looks += 1
        for tview, rows in found:
            self.fail(f"{tview} differs from its view\n"
                      + "\n".join(str(row)[:WIDTH] for row in rows))

    def compare(self):
        """TVIEWs that differ, with rows."""
        execute = self.cursor.execute
        execute(LIST)
        tviews = self.cursor.fetchall()
        names = NAMES + [tview for tview, _, _ in tviews]
        execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        execute(f"LOCK TABLE {', '.join(names)} IN ACCESS SHARE MODE")
        found = []
        for tview in tviews:
            execute(differences(*tview))
            rows = self.cursor.fetchall()
            if rows:
                found.append((tview[0], rows))
        execute("COMMIT")
        return found
