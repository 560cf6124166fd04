"""Running cases against a server, and judging every answer.

A Case is everything that happened in one schema.  Runner.replay() runs a whole
one from nothing; the main loop runs one piece by piece as it is generated.
Whatever is sent is kept as a psql script in runner.trace.

The oracle compares the columns of tv_x with v_x, EXCEPT ALL both ways.  It
uses no function of the extension that could repair or hide anything.

Errors that the random statements cause themselves (class 23 on a base table)
are part of the game.  An error about a TVIEW's key is right only if the view
really has such a key twice, or NULL: the transaction is run again with the
views examined in place of every read, and rolled back.
"""

import io
import os
import re
import select
import time
from collections import Counter
from dataclasses import dataclass, field

import psycopg2

import work
from schema import OTHER

SCHEMA = "tviews_property"
SESSION = ["SET search_path = " + SCHEMA + ", public",
           "SET TimeZone = 'UTC'", "SET DateStyle = 'ISO'",
           "SET IntervalStyle = 'postgres'", "SET extra_float_digits = 1",
           "SET bytea_output = 'hex'", "SET client_min_messages = 'warning'",
           "SET synchronous_commit = off", "SET jit = off",
           "SET statement_timeout = '30s'", "SET lock_timeout = '10s'"]
KEY_ERRORS = ("23505", "21000", "23502")
UNDO = "TVUND"                  # SQLSTATEs of our own RAISEs
DIFFERS = "TVDIF"
KEYS = "TVKEY"


class Failure(Exception):
    """What the test is looking for."""

    def __init__(self, kind, detail):
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail = kind, detail


class Undone(Exception):
    """An error that random statements may have: ends the (sub)transaction."""

    def __init__(self, error, about_key=False):
        super().__init__(str(error))
        self.about_key = about_key
        self.node = None        # the statement, if it was one by itself


class Refused(Exception):
    """The extension said that it cannot maintain a definition."""

    def __init__(self, error):
        super().__init__(error.diag.message_detail
                         or error.diag.message_primary)
        self.can_rebuild = "on_unmapped" in (error.diag.message_hint or "")


@dataclass
class View:
    sql: str
    entity: str                 # its name
    needs: set
    may_repeat: bool = False


@dataclass
class Case:
    schema: object
    settings: list              # of all its sessions
    objects: list = field(default_factory=list)     # Views and Definitions
    transactions: list = field(default_factory=list)
    by_statement: list = field(default_factory=list)    # names of tables

    def tviews(self):
        return [o for o in self.objects if not isinstance(o, View)]


class Runner:
    def __init__(self, database, setup):
        self.database, self.setup = database, setup
        self.role = database + "_owner"     # of the tables of some rounds
        self.connection = None
        self.timeouts = []      # other ones than in SESSION
        self.trace = []
        self.tviews = []
        self.seen = Counter()   # features of statements

    # -- sending -------------------------------------------------------------

    def connect(self, patience=0):
        """Connect; after a crash, try until the server is there again."""
        until = time.monotonic() + patience
        while True:
            try:
                self.connection = psycopg2.connect(dbname=self.database)
                self.connection.autocommit = True
                self.cursor = self.connection.cursor()
                for text in SESSION + self.timeouts:
                    self.cursor.execute(text)
                # a server that is about to notice a crash ends us as well
                if not patience or not select.select(
                        [self.connection], [], [], 1)[0]:
                    return
            except psycopg2.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def last(self):
        return self.trace[-1] if self.trace else ""

    def reconnect(self):
        self.connection.close()
        self.connect()
        self.trace += ["\\connect"] + [s + ";" for s in
                                       SESSION + self.timeouts]
        self.set(self.settings)
        self.prepare_oracle()

    def send(self, text, data=None):
        """Send one string; returns the rows.  Errors are psycopg2's."""
        if data is None:
            self.trace.append(text + ";")
        elif "FROM STDIN" in text:
            self.trace.append(f"{text};\n{data}\\.")
        try:
            if data is None:
                self.cursor.execute(text)
            else:
                self.cursor.copy_expert(text, io.StringIO(data))
        except psycopg2.Error as error:
            if self.connection.closed or error.pgcode in ("57P01", "57P02"):
                raise Failure("crash", f"{text}\n{error}") from None
            raise
        return self.cursor.fetchall() if self.cursor.description else []

    def attempt(self, text, data=None):
        """Send something that may fail in ways that are right."""
        try:
            return self.send(text, data)
        except psycopg2.Error as error:
            self.judge(error, text)

    def judge(self, error, text):
        code, table = error.pgcode, error.diag.table_name or ""
        if code == DIFFERS or code == "22012":
            raise Failure("difference", f"{text}\n{error}") from None
        if code and code.startswith("23") and table.startswith("tb_"):
            raise Undone(error) from None
        if code == "0A000" and "moving row to another partition" in str(error):
            raise Undone(error) from None       # other one's, user_before
        if code == "55006" and (self.late or self.held):
            raise Undone(error) from None       # TRUNCATE of what is in use
        if code == KEYS or code in KEY_ERRORS:
            raise Undone(error, True) from None
        raise Failure(f"error {code}", f"{text}\n{error}") from None

    # -- objects -------------------------------------------------------------

    def set(self, settings):
        self.settings = settings
        for s in settings:
            self.send("SET " + s)

    def clean(self, settings):
        """An empty schema, and no metadata of what was in the old one."""
        self.trace = []
        if self.connection is None or self.connection.closed:
            self.connect(30)
        self.send("ROLLBACK")
        self.send("RESET ROLE")
        for (gid,) in self.send("SELECT gid FROM pg_prepared_xacts"
                                " WHERE database = current_database()"):
            self.send(f"ROLLBACK PREPARED '{gid}'")
        self.send("DEALLOCATE ALL")
        self.send("RESET ALL")
        for s in SESSION + self.timeouts:
            self.send(s)
        self.send("SET client_min_messages = error")
        self.send(f"DROP SCHEMA IF EXISTS {SCHEMA}, {OTHER} CASCADE")
        self.check_left_over()
        self.tviews = []
        self.trace = [s + ";" for s in SESSION + self.timeouts]
        self.set(settings)
        self.send(f"CREATE SCHEMA {SCHEMA}")
        self.send(SESSION[0])

    def check_left_over(self):
        if self.send("SELECT count(*) FROM pg_tview_meta")[0][0]:
            raise Failure("left over", "pg_tview_meta has rows after DROP"
                          " SCHEMA … CASCADE")

    def become_owner(self, schemas):
        """Go on as a role without rights but to these schemas."""
        if self.send("SELECT 1 FROM pg_roles WHERE rolname ="
                     f" '{self.role}'"):
            self.trace.insert(0, f"CREATE ROLE {self.role};")
        else:
            self.send(f"CREATE ROLE {self.role}")
        for name in schemas:
            self.send(f"ALTER SCHEMA {name} OWNER TO {self.role}")
        self.send(f"SET ROLE {self.role}")

    def create_tables(self, schema):
        schemas = [SCHEMA]
        if schema.other_schema():
            schemas.append(OTHER)
            self.send(f"CREATE SCHEMA {OTHER}")
        if schema.owned:
            self.become_owner(schemas)
        for text in schema.types():
            self.send(text)
        for table in schema.tables:
            for text in table.ddl():
                self.send(text)
            if table.rows:
                names = ", ".join(c.name for c in table.writable())
                rows = ", ".join(f"({', '.join(r)})" for r in table.rows)
                self.send(f"INSERT INTO {table.name} ({names}) VALUES {rows}")
        for text in schema.extras:
            self.send(text)
        self.some_table = schema.tables[0].name if schema.tables else "none"
        self.late = any("DEFERRED" in text for text in schema.extras)

    def capture(self, names):
        """Have changes of these tables captured by statement."""
        for name in names:
            self.send(work.capture(name, "stmt"))

    def objects_made(self, schema):
        """All TVIEWs are there: what else transactions and the oracle need."""
        if schema.owned:
            self.send("RESET ROLE")
        self.create_key_check()
        self.prepare_oracle()
        self.compare()

    def create(self, d, check=True):
        """Create a TVIEW; Refused if the extension does not take it."""
        text = d.sql()
        try:
            if d.by == "CREATE TABLE":
                self.send(f"CREATE TABLE {d.tview} AS {text}")
            else:
                name = (d.tview if d.by == "tv_" else d.key_name.replace(
                    "pk_", "", 1))
                options = f", '{d.options}'" if d.options else ""
                self.send(f"SELECT pg_tviews_create('{name}',"
                          f" $d${text}$d${options})")
        except psycopg2.Error as error:
            code = error.pgcode
            if code == "0A000":
                self.check_valid(text)
                raise Refused(error) from None
            if code in KEY_ERRORS and self.repeats(f"({text}) d", d):
                raise Undone(error) from None
            raise Failure(f"creation error {code}",
                          f"{self.last()}\n{error}") from None
        self.tviews.append(d)
        if check:
            self.create_check(d)

    def check_valid(self, text):
        """What is refused must be good SQL for the server, or the generator
        is wrong."""
        try:
            self.send(f"EXPLAIN {text}")
        except psycopg2.Error as error:
            raise Failure(f"creation error {error.pgcode}",
                          f"{text}\n{error}") from None
        self.trace.pop()

    def create_check(self, d):
        """The oracle as a function, for SELECT and for DO blocks."""
        tview = d.tview.replace("'", "")
        self.send(f"""CREATE FUNCTION {self.check_name(d.entity)}()
RETURNS void LANGUAGE plpgsql {d.check_volatility} AS $f$BEGIN
  IF current_setting('property.keys', true) = 'on' THEN
    PERFORM check_keys();
  ELSIF {oracle(d)} > 0 THEN
    RAISE '{tview}' USING ERRCODE = '{DIFFERS}';
  END IF;
END$f$""")

    def create_key_check(self):
        """What a check is instead while finds_keys() looks for a cause."""
        repeated = " UNION ALL ".join(
            f"SELECT FROM {d.view} GROUP BY {d.key_name}"
            f" HAVING count(*) > 1 OR {d.key_name} IS NULL"
            for d in self.tviews if d.may_repeat)
        self.send(f"""CREATE FUNCTION check_keys()
RETURNS void LANGUAGE plpgsql AS $f$BEGIN
  IF EXISTS ({repeated or 'SELECT WHERE false'}) THEN
    RAISE 'repeated key' USING ERRCODE = '{KEYS}';
  END IF;
END$f$""")

    def check_name(self, entity):
        return '"check_' + entity + '"'

    def repeats(self, source, d):
        return self.send(f"SELECT {d.key_name} FROM {source} GROUP BY"
                         f" {d.key_name} HAVING count(*) > 1"
                         f" OR {d.key_name} IS NULL")

    def views_repeat(self):
        """Has a view a key twice, or NULL?"""
        try:
            return any(self.repeats(d.view, d) for d in self.tviews
                       if d.may_repeat)
        except psycopg2.Error as error:
            # one that reads a tv_ meets the same refresh
            return error.pgcode in KEY_ERRORS

    def prepare_oracle(self):
        if self.tviews:
            self.send("PREPARE oracle AS " + " UNION ALL ".join(
                f"SELECT '{d.tview}' AS tview, {oracle(d)} AS differences"
                for d in self.tviews))

    # -- the oracle ----------------------------------------------------------

    def compare(self):
        """Every TVIEW against its view."""
        if not self.tviews:
            return
        for tview, count in self.send("EXECUTE oracle"):
            if count:
                self.differs(tview, count)

    def differs(self, tview, count, d=None):
        d = d or next(d for d in self.tviews if d.tview == tview)
        names = ", ".join(d.column_names())
        rows = self.send(
            f"SELECT 'only in {d.tview}' AS side, t.* FROM (SELECT {names}"
            f" FROM {d.tview} EXCEPT ALL SELECT {names} FROM {d.view}) t"
            f" UNION ALL SELECT 'only in {d.view}', t.* FROM (SELECT {names}"
            f" FROM {d.view} EXCEPT ALL SELECT {names} FROM {d.tview}) t")
        raise Failure("difference", f"{tview} has {count} differences:\n"
                      + "\n".join("  " + " | ".join(map(str, r))
                                  for r in rows[:6]))

    def read(self, node):
        if not self.tviews:
            return
        if self.keys_only:
            if self.views_repeat():
                raise Undone("keys repeat", True)
            return
        d = next((d for d in self.tviews if d.entity == node.tview), None)
        style = node.style
        if d is None or style == "prepared":
            for tview, count in self.attempt("EXECUTE oracle"):
                if count:
                    self.differs(tview, count)
            return
        if style == "function":
            self.attempt(f"SELECT {self.check_name(d.entity)}()")
            return
        query = f"SELECT {oracle(d)} AS differences"
        if style == "dml":
            # reads in a statement that writes; divides by 0 if rows differ
            self.attempt(f"DELETE FROM {self.some_table} WHERE"
                         f" 1 / (1 - least({oracle(d)}, 1)) = 0")
            return
        if style == "cursor":
            self.attempt(f"DECLARE c CURSOR FOR {query}")
            count = self.attempt("FETCH ALL c")[0][0]
            self.send("CLOSE c")
        elif style == "copy":
            out = io.StringIO()
            self.trace.append(f"COPY ({query}) TO STDOUT;")
            try:
                self.cursor.copy_expert(f"COPY ({query}) TO STDOUT", out)
            except psycopg2.Error as error:
                if self.connection.closed:
                    raise Failure("crash", f"{query}\n{error}") from None
                self.judge(error, query)
            count = int(out.getvalue())
        else:
            count = self.attempt(query)[0][0]
        if count:
            self.differs(d.tview, count)

    def guarded_read(self, node):
        """Where keys may repeat, the transaction goes on after a right error:
        the state is the one that the refresh failed in."""
        if self.keys_only or not any(d.may_repeat for d in self.tviews):
            return self.read(node)
        self.send("SAVEPOINT r")
        try:
            self.read(node)
            self.send("RELEASE r")
        except Undone as undone:
            self.send("ROLLBACK TO r")
            self.send("SAVEPOINT r")
            right = self.views_repeat()
            self.send("ROLLBACK TO r")
            if not right:
                raise Failure("key error without cause",
                              str(undone)) from None

    # -- transactions --------------------------------------------------------

    keys_only = False
    held = 0                    # cursors of Held nodes

    def transaction(self, t, number):
        """Run one, with the oracle after it."""
        if t.reconnect:
            self.reconnect()
        try:
            getattr(self, "run_" + t.mode)(t, number)
        except Undone as undone:
            self.send("ROLLBACK")
            if undone.about_key:
                self.verify_keys(t, undone)
        self.compare()

    def verify_keys(self, t, undone):
        """Was an error about a key right?  Run again what it may have undone,
        reading views only."""
        mark = len(self.trace)
        right = any(self.finds_keys(nodes) for nodes in parts(t, undone.node))
        del self.trace[mark:]
        if not right:
            raise Failure("key error without cause", str(undone))

    def finds_keys(self, nodes):
        self.keys_only = True
        try:
            self.send("BEGIN")
            self.send("SET LOCAL property.keys = 'on'")
            self.items(nodes)
            self.send("SET CONSTRAINTS ALL IMMEDIATE")
            return self.views_repeat()
        except Undone as found:
            return found.about_key
        except psycopg2.Error:
            return False
        finally:
            self.keys_only = False
            self.send("ROLLBACK")

    def run_block(self, t, number):
        self.send(t.begin)
        for s in t.settings:
            self.send("SET LOCAL " + s)
        self.items(t.children)
        if t.end == "COMMIT":
            self.attempt("COMMIT")
        elif t.end == "ROLLBACK":
            self.send("ROLLBACK")
        elif t.end == "CHAIN":
            self.attempt("COMMIT AND CHAIN")
            self.compare()
            self.send("COMMIT")
        else:
            name = f"property_{os.getpid()}_{number}"
            self.attempt(f"PREPARE TRANSACTION '{name}'")
            # the others lock tables against readers
            if not any(re.search("TRUNCATE|PARTITION|install_", n.text)
                       for n in walk(t.children)
                       if isinstance(n, work.Sql)):
                self.compare()
            if t.end == "PREPARE":
                self.send(f"COMMIT PREPARED '{name}'")
            else:
                self.send(f"ROLLBACK PREPARED '{name}'")

    def run_auto(self, t, number):
        for node in t.children:
            try:
                self.items([node])
            except Undone as undone:
                if undone.about_key:
                    undone.node = node
                    raise
            self.compare()

    def run_multi(self, t, number):
        if t.children:
            self.attempt(" ".join(inline(n, self, "SELECT")
                                  for n in t.children))

    def run_procedure(self, t, number):
        text = "".join(f"{inline(n, self)} {end and end + '; '}"
                       for n, end in zip(t.children, t.ends))
        self.attempt(f"DO $$BEGIN {text}NULL; END$$")

    def items(self, nodes, level=1):
        for node in nodes:
            if isinstance(node, work.Read):
                self.guarded_read(node)
            elif isinstance(node, work.Block):
                self.block(node, level)
            elif isinstance(node, work.Held):
                self.hold(node, level)
            elif isinstance(node, work.Do):
                self.attempt(do_text(node, self))
            elif isinstance(node, work.Copy):
                if node.children:
                    self.attempt(node.sql(), "\n".join(node.children) + "\n")
            elif not isinstance(node, work.Rows) or node.children:
                self.attempt(node.sql())
                self.note(node)

    def note(self, node):
        """Count what a statement did to tables that TVIEWs read."""
        feature = getattr(node, "feature", "")
        if feature and any(node.table in d.reads for d in self.tviews):
            self.seen[feature] += 1

    def block(self, node, level):
        self.send(f"SAVEPOINT s{level}")
        try:
            self.items(node.children, level + 1)
        except Undone as undone:
            if undone.about_key:
                raise
            self.send(f"ROLLBACK TO s{level}")
            return
        if node.undo:
            self.send(f"ROLLBACK TO s{level}")
        else:
            self.send(f"RELEASE s{level}")

    def hold(self, node, level):
        d = next((d for d in self.tviews if d.entity == node.tview), None)
        if d is None or self.keys_only:
            return self.items([work.Read("", "plain")] + node.children, level)
        self.attempt(f"DECLARE h{level} CURSOR FOR SELECT {oracle(d)}")
        self.held += 1
        try:
            self.items(node.children, level + 1)
        finally:
            self.held -= 1
        count = self.attempt(f"FETCH ALL h{level}")[0][0]
        self.send(f"CLOSE h{level}")
        if count:
            raise Failure("difference", f"a cursor opened before finds {count}"
                          f" differences of {d.tview}")

    # -- a whole case --------------------------------------------------------

    def replay(self, case):
        """Run a case from nothing; returns its Failure, or None."""
        try:
            self.clean(case.settings)
            self.create_tables(case.schema)
            check = any(isinstance(n, work.Do) or getattr(n, "style", "")
                        == "function" for t in case.transactions
                        for n in walk(t.children))
            for o in case.objects:
                if isinstance(o, View):
                    self.send(o.sql)
                else:
                    self.create(o, check)
            self.capture(case.by_statement)
            self.objects_made(case.schema)
            for number, t in enumerate(case.transactions):
                self.transaction(t, number)
        except Failure as failure:
            return failure
        except (Undone, Refused) as other:
            return Failure("other", str(other))
        except psycopg2.Error as error:
            return Failure(f"statement error {error.pgcode}",
                           f"{self.last()}\n{error}")
        return None


class PlainRunner(Runner):
    """Makes no TVIEWs, but views and tables of their rows: what is examined
    is the generator.  A definition must be good SQL, return each key once, and
    return the same rows whatever the plan."""

    OTHER_PLAN = ["enable_hashagg", "enable_hashjoin", "enable_seqscan",
                  "enable_nestloop"]

    def __init__(self, database, setup):
        super().__init__(database, setup)
        self.made = []

    def clean(self, settings):
        self.made = []
        super().clean(settings)

    def check_left_over(self):
        """There is no extension."""

    def capture(self, names):
        """There are no triggers."""

    def create(self, d, check=True):
        text = d.sql()
        try:
            self.send(f"CREATE VIEW {d.view} AS {text}")
            self.send(f"CREATE TABLE {d.tview} AS TABLE {d.view}")
        except psycopg2.Error as error:
            raise Failure(f"creation error {error.pgcode}",
                          f"{text}\n{error}") from None
        self.made.append(d)
        self.examine(d)
        if not d.may_repeat:
            # others may group by it and show its other columns
            self.send(f"ALTER TABLE {d.tview} ADD PRIMARY KEY ({d.key_name})")

    def transaction(self, t, number):
        super().transaction(t, number)
        if number % 10 == 9:
            for d in self.made:
                self.send(f"TRUNCATE {d.tview}")
                self.send(f"INSERT INTO {d.tview} TABLE {d.view}")
                self.examine(d)

    def examine(self, d):
        if not d.may_repeat and self.repeats(d.view, d):
            raise Failure("key repeats", d.sql())
        for name in self.OTHER_PLAN:
            self.send(f"SET {name} = off")
        count = self.send(f"SELECT {oracle(d)}")[0][0]
        if count and not d.may_repeat:
            self.differs(d.tview, count, d)
        for name in self.OTHER_PLAN:
            self.send(f"RESET {name}")


def oracle(d):
    """An expression: how many rows differ."""
    names = ", ".join(d.column_names())
    return (f"(SELECT count(*) FROM ((SELECT {names} FROM {d.tview} EXCEPT ALL"
            f" SELECT {names} FROM {d.view}) UNION ALL (SELECT {names} FROM"
            f" {d.view} EXCEPT ALL SELECT {names} FROM {d.tview})) o)")


def walk(nodes):
    for node in nodes:
        yield node
        if isinstance(node, (work.Block, work.Do, work.Held)):
            yield from walk(node.children)


def parts(t, node):
    """What of a transaction may have been undone together."""
    if node is not None:
        return [[node]]
    if t.mode != "procedure":
        return [t.children]
    result = [[]]
    for child, end in zip(t.children, t.ends):
        result[-1].append(child)
        if end:
            result.append([])
    return result


def do_text(node, runner):
    body = do_body(node.children, runner)
    return f"DO $$DECLARE t text; BEGIN {body} END$$"


def do_body(nodes, runner):
    out = []
    for node in nodes:
        if isinstance(node, work.Block):
            undo = f"RAISE 'undo' USING ERRCODE = '{UNDO}';" if node.undo \
                else ""
            out.append(
                f"BEGIN {do_body(node.children, runner)} {undo} EXCEPTION WHEN"
                f" SQLSTATE '{UNDO}' OR integrity_constraint_violation THEN"
                " GET STACKED DIAGNOSTICS t = TABLE_NAME;"
                f" IF sqlstate <> '{UNDO}' AND t NOT LIKE 'tb\\_%' THEN RAISE;"
                " END IF; END;")
        else:
            out.append(inline(node, runner))
    return " ".join(out) + " NULL;"


def inline(node, runner, call="PERFORM"):
    """A statement as part of a longer text."""
    if isinstance(node, work.Read):
        return " ".join(
            f"{call} {runner.check_name(d.entity)}();" for d in runner.tviews
            if node.tview in ("", d.entity))
    if isinstance(node, work.Rows) and not node.children:
        return ""
    return node.sql() + ";"
