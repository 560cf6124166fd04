"""Making a failing case smaller: leave things out while it still fails alike.

"Alike" is the same kind of failure.  Every candidate runs from nothing in an
empty schema.
"""

import copy
import time
from dataclasses import replace

import replay
import work


class Shrinker:
    def __init__(self, runner, case, failure, seconds):
        self.runner, self.kind = runner, failure.kind
        self.until = time.monotonic() + seconds
        self.case, self.failure, self.trace = case, failure, None
        self.tried = 0

    def fails(self, case):
        if time.monotonic() > self.until:
            return False
        self.tried += 1
        failure = self.runner.replay(case)
        if failure is None or failure.kind != self.kind:
            return False
        self.case, self.failure = case, failure
        self.trace = list(self.runner.trace)
        return True

    def run(self):
        """Shrink to a fixed point or until time is up."""
        if not self.fails(self.case):
            return False
        before = None
        while before != self.size() and time.monotonic() < self.until:
            before = self.size()
            self.transactions()
            self.objects()
            self.tables()
            self.nodes()
            self.parts()
            self.extras()
            self.settings()
            self.capture()
            self.rows()
            self.ways()
            self.columns()
            self.kinds()
        return True

    def size(self):
        c = self.case
        return (len(c.objects), len(c.transactions), len(c.schema.tables),
                len(c.schema.extras), len(c.by_statement),
                sum(len(t.rows) for t in
                                          c.schema.tables),
                sum(1 for t in c.transactions
                    for _ in replay.walk(t.children)),
                sum(len(d.parts) for d in c.tviews()))

    def cut(self, get, put):
        """Delta debugging of one list: get it from the case, put a shorter one
        into a copy of the case."""
        size = max(1, len(get(self.case)) // 2)
        while size:
            at = 0
            while at < len(get(self.case)):
                items = get(self.case)
                case = copy.deepcopy(self.case)
                put(case, copy.deepcopy(items[:at] + items[at + size:]))
                if time.monotonic() > self.until:
                    return
                if not self.fails(case):
                    at += size
            size = size // 2 if size > 1 else 0

    def transactions(self):
        self.cut(lambda c: c.transactions,
                 lambda c, items: setattr(c, "transactions", items))

    def objects(self):
        """Views and TVIEWs, the last first, with all that needs them."""
        for o in list(reversed(self.case.objects)):
            gone = {o.entity}
            for other in self.case.objects:
                if other.needs & gone:
                    gone.add(other.entity)
            keep = [x for x in self.case.objects if x.entity not in gone]
            if len(keep) < len(self.case.objects):
                self.fails(replace(self.case, objects=keep))

    def tables(self):
        for table in list(self.case.schema.tables):
            schema = replace(
                self.case.schema,
                tables=[t for t in self.case.schema.tables
                        if t.name != table.name],
                extras=[e for e in self.case.schema.extras
                        if not mentions(e, table.name)])
            self.fails(replace(self.case, schema=schema))

    def nodes(self):
        """What is inside transactions, at every level."""
        paths = [[i] for i in range(len(self.case.transactions))]
        while paths:
            path = paths.pop()
            if not hasattr(at(self.case, path), "children"):
                continue
            self.cut(lambda c: at(c, path).children,
                     lambda c, items: setattr(at(c, path), "children", items))
            self.unwrap(path)
            children = getattr(at(self.case, path), "children", [])
            paths += [path + [i] for i, n in enumerate(children)
                      if hasattr(n, "children")]

    def unwrap(self, path):
        """A block's contents in place of the block."""
        i = 0
        while i < len(at(self.case, path).children):
            node = at(self.case, path).children[i]
            if isinstance(node, (work.Block, work.Do, work.Held)):
                case = copy.deepcopy(self.case)
                at(case, path).children[i:i + 1] = copy.deepcopy(
                    node.children)
                if self.fails(case):
                    continue
            i += 1

    def parts(self):
        for n, o in enumerate(self.case.objects):
            if isinstance(o, replay.View):
                continue
            self.cut(lambda c: c.objects[n].parts,
                     lambda c, items: setattr(c.objects[n], "parts", items))

    def settings(self):
        self.cut(lambda c: c.settings,
                 lambda c, items: setattr(c, "settings", items))

    def capture(self):
        self.cut(lambda c: c.by_statement,
                 lambda c, items: setattr(c, "by_statement", items))

    def extras(self):
        self.cut(lambda c: c.schema.extras,
                 lambda c, items: setattr(c.schema, "extras", items))

    def rows(self):
        for n in range(len(self.case.schema.tables)):
            self.cut(lambda c: c.schema.tables[n].rows,
                     lambda c, items: setattr(c.schema.tables[n], "rows",
                                              items))

    def columns(self):
        for n, table in enumerate(self.case.schema.tables):
            for column in table.columns:
                if column is table.key:
                    continue
                case = copy.deepcopy(self.case)
                t = case.schema.tables[n]
                names = [c.name for c in t.writable()]
                if column.name in names:
                    i = names.index(column.name)
                    t.rows = [row[:i] + row[i + 1:] for row in t.rows]
                t.columns = [c for c in t.columns if c.name != column.name]
                self.fails(case)

    def kinds(self):
        """Ordinary tables in place of partitioned and unlogged ones."""
        for n in range(len(self.case.schema.tables)):
            for change in ({"layout": None}, {"unlogged": False}):
                t = self.case.schema.tables[n]
                if all(getattr(t, k) == v for k, v in change.items()):
                    continue
                case = copy.deepcopy(self.case)
                for k, v in change.items():
                    setattr(case.schema.tables[n], k, v)
                self.fails(case)
        if self.case.schema.owned:
            self.fails(replace(self.case, schema=replace(
                self.case.schema, owned=False)))

    def ways(self):
        """The plainest way of doing each transaction and creating each
        TVIEW."""
        for n in range(len(self.case.transactions)):
            for change in ({"begin": "BEGIN"}, {"end": "COMMIT"},
                           {"settings": []}, {"reconnect": False},
                           {"mode": "auto"}):
                t = self.case.transactions[n]
                if all(getattr(t, k) == v for k, v in change.items()):
                    continue
                case = copy.deepcopy(self.case)
                case.transactions[n] = replace(case.transactions[n], **change)
                self.fails(case)
            nodes = list(replay.walk(self.case.transactions[n].children))
            for i, node in enumerate(nodes):
                if getattr(node, "style", "plain") != "plain":
                    case = copy.deepcopy(self.case)
                    list(replay.walk(case.transactions[n].children))[
                        i].style = "plain"
                    self.fails(case)
        for n, d in enumerate(self.case.objects):
            if isinstance(d, replay.View):
                continue
            for change in ({"wrap": "@"}, {"suffix": ""}, {"distinct": ""},
                           {"by": ""}):
                d = self.case.objects[n]
                if all(getattr(d, k) == v for k, v in change.items()):
                    continue
                case = copy.deepcopy(self.case)
                case.objects[n] = replace(case.objects[n], **change)
                self.fails(case)


def at(case, path):
    node = case.transactions[path[0]]
    for i in path[1:]:
        node = node.children[i]
    return node


def mentions(text, table):
    return f" {table} " in text or text.endswith(" " + table)


def script(trace, failure, seed, round_, setup):
    """A self-contained psql script."""
    lines = [f"-- pg_tviews property test, seed {seed}, round {round_}",
             f"-- {failure.kind}"]
    lines += ["--   " + line for line in failure.detail.splitlines()[:20]]
    lines += ["-- run in an empty database: psql -X -f this-file", ""]
    return "\n".join(lines + [setup, ""] + trace) + "\n"
