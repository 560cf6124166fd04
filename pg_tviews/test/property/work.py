"""Random transactions over a schema: data, not yet SQL sent to anyone.

A transaction is a tree: statements, savepoint blocks, DO blocks.  The runner
walks it, the shrinker cuts it.  To add a kind of statement, write a function
with @statement(weight) that takes (rng, schema) and returns a node or None.
"""

import re
from dataclasses import dataclass, field, replace

import partitions
from schema import KEYS, NUMBERS, POOLS, key_literal, value

STATEMENTS = []


@dataclass
class Sql:
    text: str
    feature: str = ""           # counted, if it is about a table that is read
    table: str = ""

    def sql(self):
        return self.text


@dataclass
class Rows:
    """An INSERT or the like whose rows can be left out one by one."""
    head: str
    children: list
    tail: str = ""
    feature: str = ""
    table: str = ""

    def sql(self):
        return f"{self.head} {', '.join(self.children)}{self.tail}"


@dataclass
class Copy:
    table: str
    columns: str
    children: list              # lines

    def sql(self):
        return f"COPY {self.table} ({self.columns}) FROM STDIN"


@dataclass
class Read:
    """The oracle, in the middle of a transaction."""
    tview: str                  # entity, or '' for all
    style: str                  # plain, function, cursor, copy, dml, prepared


@dataclass
class Block:
    """A savepoint, or in a DO block a sub-block with an EXCEPTION clause."""
    children: list
    undo: bool


@dataclass
class Held:
    """A cursor over the oracle, opened before and read after the children:
    it must not notice them."""
    children: list
    tview: str


@dataclass
class Do:
    children: list


@dataclass
class Transaction:
    children: list
    mode: str                   # block, auto, multi, procedure
    begin: str = "BEGIN"
    end: str = "COMMIT"         # or ROLLBACK, CHAIN, PREPARE, PREPARE ROLLBACK
    settings: list = field(default_factory=list)
    ends: list = field(default_factory=list)    # of a procedure's parts
    reconnect: bool = False


def statement(weight):
    def add(function):
        STATEMENTS.append((weight, function))
        return function
    return add


# ---------------------------------------------------------------------------
# Pieces of statements

def pick_table(rng, schema, keyed=True):
    tables = [t for t in schema.tables if t.key or not keyed]
    return rng.choice(tables)


def some_key(rng, table):
    return key_literal(table.key.type, rng.randint(1, KEYS))


def key_of(rng, parent):
    """A key that is there, if any is at or below a random one."""
    key = parent.key.name
    return (f"(SELECT k.{key} FROM {parent.name} k WHERE k.{key} <="
            f" {some_key(rng, parent)} ORDER BY k.{key} DESC LIMIT 1)")


def new_value(rng, table, column, literal=False):
    if column is table.key:
        return some_key(rng, table)
    for c, parent in table.links:
        if c is column:
            if not c.notnull and rng.random() < 0.15:
                return "NULL"
            if c.enforced and not literal and rng.random() < 0.9:
                return key_of(rng, parent)
            return some_key(rng, parent)
    return value(rng, column)


def condition(rng, table):
    column = rng.choice(table.columns)
    name = f"{table.name}.{column.name}"
    if column.domain and rng.random() < 0.8:
        keys = [key_literal(column.type, rng.randint(1, KEYS))
                for _ in range(rng.choice([1, 1, 2, 3, 6]))]
        return (f"{name} = {keys[0]}" if len(keys) == 1
                else f"{name} IN ({', '.join(keys)})")
    if table.key and rng.random() < 0.6:
        return (f"{table.name}.{table.key.name} {rng.choice('=<>')}"
                f" {some_key(rng, table)}")
    if column.type == "int" and not column.domain:
        return f"{name} {rng.choice(['=', '<', '>'])} {rng.randint(0, 3)}"
    if column.type == "bool":
        return name
    return f"{name} IS " + rng.choice(["NULL", "NOT NULL"])


def where(rng, table, all_=0.06):
    if rng.random() < all_:
        return ""
    text = condition(rng, table)
    if rng.random() < 0.25:
        text += rng.choice([" AND ", " OR "]) + condition(rng, table)
    return " WHERE " + text


def assignment(rng, table, column):
    same = f"{table.name}.{column.name}"
    if column.type == "int" and not column.domain and rng.random() < 0.4:
        return f"{column.name} = ({same} + 1) % 5"
    if column.type == "text" and not column.domain and rng.random() < 0.2:
        return f"{column.name} = left({same} || 'x', 3)"
    if column.type == "numeric" and not column.domain and rng.random() < 0.4:
        return f"{column.name} = {same} + {rng.choice(['0.00', '0.000'])}"
    if column.type == "bool" and rng.random() < 0.4:
        return f"{column.name} = NOT {same}"
    return f"{column.name} = {new_value(rng, table, column)}"


def plain_columns(table):
    return [c for c in table.writable() if not c.domain]


def references(table):
    return [c for c in table.columns if c.domain and c is not table.key]


# ---------------------------------------------------------------------------
# Statements

@statement(10)
def insert(rng, schema):
    t = pick_table(rng, schema, keyed=False)
    columns = t.writable()
    if rng.random() < 0.2:
        columns = [c for c in columns
                   if c.notnull or c is t.key or rng.random() < 0.6] or columns
    rows = ["(" + ", ".join(new_value(rng, t, c) for c in columns) + ")"
            for _ in range(rng.choice([1, 1, 1, 2, 3, 5]))]
    tail = " ON CONFLICT DO NOTHING" if rng.random() < 0.6 else ""
    names = ", ".join(c.name for c in columns)
    return Rows(f"INSERT INTO {t.name} ({names}) VALUES", rows, tail)


@statement(3)
def upsert(rng, schema):
    t = pick_table(rng, schema)
    columns = t.writable()
    rows = []
    for k in rng.sample(range(1, KEYS + 1), rng.choice([1, 2, 4])):
        rows.append("(" + ", ".join(
            key_literal(c.type, k) if c is t.key else new_value(rng, t, c)
            for c in columns) + ")")
    change = [c for c in columns if c is not t.key]
    if not change:
        return None
    change = rng.sample(change, rng.randint(1, min(3, len(change))))
    names = ", ".join(c.name for c in columns)
    updates = ", ".join(f"{c.name} = excluded.{c.name}" for c in change)
    tail = f" ON CONFLICT ({t.key.name}) DO UPDATE SET {updates}"
    if rng.random() < 0.3:
        c = change[0]
        tail += (f" WHERE {t.name}.{c.name} IS DISTINCT FROM"
                 f" excluded.{c.name}")
    return Rows(f"INSERT INTO {t.name} ({names}) VALUES", rows, tail)


@statement(2)
def insert_select(rng, schema):
    """Copy rows of a table under other keys."""
    t = pick_table(rng, schema, keyed=False)
    if t.key and t.key.type not in NUMBERS:
        return None
    columns = t.writable()
    out = ", ".join(f"{t.name}.{c.name} + {rng.randint(1, 4)}"
                    if c is t.key else f"{t.name}.{c.name}" for c in columns)
    tail = f" LIMIT {rng.randint(1, 4)} ON CONFLICT DO NOTHING"
    order = t.key.name if t.key else ", ".join(c.name for c in columns)
    return Sql(f"INSERT INTO {t.name} ({', '.join(c.name for c in columns)})"
               f" SELECT {out} FROM {t.name}{where(rng, t)}"
               f" ORDER BY {order}{tail}")


@statement(2)
def copy(rng, schema):
    t = pick_table(rng, schema, keyed=False)
    columns = t.writable()
    keys = rng.sample(range(1, KEYS + 1), rng.choice([1, 2, 4]))
    lines = []
    for k in keys:
        row = [key_literal(c.type, k) if c is t.key
               else new_value(rng, t, c, literal=True) for c in columns]
        lines.append("\t".join(copy_text(v) for v in row))
    return Copy(t.name, ", ".join(c.name for c in columns), lines)


def copy_text(literal):
    """An SQL literal of ours as COPY's text format writes it."""
    literal = literal.split("::")[0]
    if literal == "NULL":
        return "\\N"
    return literal.strip("'").replace("''", "'").replace("\\", "\\\\")


@statement(12)
def update(rng, schema):
    t = pick_table(rng, schema, keyed=False)
    columns = [c for c in t.writable() if c is not t.key]
    if not columns:
        return None
    chosen = rng.sample(columns, min(len(columns), rng.choice([1, 1, 2, 3])))
    return Sql(f"UPDATE {t.name} SET "
               + ", ".join(assignment(rng, t, c) for c in chosen)
               + where(rng, t))


@statement(7)
def move(rng, schema):
    """Give rows another parent."""
    t = pick_table(rng, schema, keyed=False)
    columns = references(t)
    if not columns:
        return None
    return Sql(f"UPDATE {t.name} SET "
               + assignment(rng, t, rng.choice(columns)) + where(rng, t, 0.02))


@statement(3)
def change_key(rng, schema):
    t = pick_table(rng, schema)
    name = t.key.name
    if t.key.type in NUMBERS and rng.random() < 0.3:
        # all at once: out of the way of each other
        return Sql(f"UPDATE {t.name} SET {name} = {name} +"
                   f" {rng.choice([-20, 20])}{where(rng, t, 0.3)}")
    return Sql(f"UPDATE {t.name} SET {name} = {some_key(rng, t)}"
               f" WHERE {name} = {some_key(rng, t)}")


@statement(2)
def update_from(rng, schema):
    t = pick_table(rng, schema, keyed=False)
    links = [(c, p) for c, p in t.links]
    columns = [c for c in plain_columns(t) if c.type in ("int", "text")]
    if not links or not columns:
        return None
    c, parent = rng.choice(links)
    column = rng.choice(columns)
    sources = [x for x in parent.columns if x.type == column.type
               and not x.domain]
    if not sources:
        return None
    source = f"s.{rng.choice(sources).name}"
    if column.notnull:
        source = f"coalesce({source}, {rng.choice(POOLS[column.type])})"
    return Sql(f"UPDATE {t.name} SET {column.name} = {source}"
               f" FROM {parent.name} s WHERE s.{parent.key.name} ="
               f" {t.name}.{c.name} AND {condition(rng, t)}")


@statement(1)
def update_nothing(rng, schema):
    t = pick_table(rng, schema, keyed=False)
    c = rng.choice(t.writable())
    return Sql(f"UPDATE {t.name} SET {c.name} = {c.name}{where(rng, t, 0.3)}")


@statement(1)
def new_id(rng, schema):
    tables = [t for t in schema.tables
              if any(c.name == "id" for c in t.columns)]
    if not tables:
        return None
    t = rng.choice(tables)
    return Sql(f"UPDATE {t.name} SET id = gen_random_uuid(){where(rng, t)}")


@statement(7)
def delete(rng, schema):
    t = pick_table(rng, schema, keyed=False)
    return Sql(f"DELETE FROM {t.name}{where(rng, t, 0.04)}")


@statement(1)
def delete_using(rng, schema):
    t = pick_table(rng, schema, keyed=False)
    if not t.links:
        return None
    c, parent = rng.choice(t.links)
    return Sql(f"DELETE FROM {t.name} USING {parent.name} s WHERE"
               f" s.{parent.key.name} = {t.name}.{c.name}"
               f" AND {condition(rng, t)}")


@statement(1)
def truncate(rng, schema):
    tables = rng.sample(schema.tables, min(len(schema.tables),
                                           rng.choice([1, 1, 2])))
    return Sql("TRUNCATE " + ", ".join(t.name for t in tables) + " CASCADE")


@statement(3)
def merge(rng, schema):
    t = pick_table(rng, schema)
    columns = [c for c in t.writable() if c is not t.key]
    if not columns:
        return None
    keys = rng.sample(range(1, KEYS + 1), rng.choice([2, 3, 5]))
    rows = ", ".join(f"({key_literal(t.key.type, k)}, {rng.randint(0, 3)})"
                     for k in keys)
    insert_columns = [t.key] + [c for c in columns if c.notnull
                                or rng.random() < 0.5]
    values = ["s.k"] + [new_value(rng, t, c) for c in insert_columns[1:]]
    some = rng.sample(columns, min(len(columns), rng.choice([1, 2])))
    updates = ", ".join(f"{c.name} = {new_value(rng, t, c)}" for c in some)
    text = (f"MERGE INTO {t.name} t USING (VALUES {rows}) s (k, v)"
            f" ON t.{t.key.name} = s.k")
    if rng.random() < 0.6:
        text += " WHEN MATCHED AND s.v = 0 THEN DELETE"
    text += f" WHEN MATCHED THEN UPDATE SET {updates}"
    if rng.random() < 0.7:
        text += (" WHEN NOT MATCHED AND s.v > 0 THEN INSERT ("
                 + ", ".join(c.name for c in insert_columns) + ") VALUES ("
                 + ", ".join(values) + ")")
    return Sql(text)


@statement(3)
def data_modifying_cte(rng, schema):
    t = pick_table(rng, schema, keyed=False)
    links = [(c, p) for c, p in t.links if p is not t and
             any(x.type in ("int", "bool") and not x.domain
                 for x in p.columns)]
    if not links:
        return None
    c, parent = rng.choice(links)
    first = rng.choice([f"DELETE FROM {t.name}",
                        f"UPDATE {t.name} SET {c.name} = "
                        + new_value(rng, t, c)])
    column = rng.choice([x for x in parent.writable() or parent.columns
                         if x.type in ("int", "bool") and not x.domain
                         and x.writable] or [None])
    if column is None:
        return None
    return Sql(f"WITH w AS ({first}{where(rng, t)} RETURNING {t.name}."
               f"{c.name} AS k) UPDATE {parent.name} SET "
               f"{assignment(rng, parent, column)} WHERE"
               f" {parent.name}.{parent.key.name} IN (SELECT k FROM w)")


# Partitions

def partitioned(rng, schema):
    tables = [t for t in schema.tables if t.layout]
    return rng.choice(tables) if tables else None


@statement(4)
def at_partition(rng, schema):
    """A statement for one partition, which may be detached."""
    t = partitioned(rng, schema)
    if not t:
        return None
    part = replace(t, name=rng.choice(t.layout.names()))
    alone = replace(schema, tables=[part])
    made = rng.choice([insert, update, update, delete, upsert])(rng, alone) \
        if part.key else rng.choice([insert, update, delete])(rng, alone)
    if isinstance(made, Rows):
        return replace(made, feature="statement at a partition", table=t.name)
    return made and Sql(made.text, "statement at a partition", t.name)


@statement(2)
def toggle_partition(rng, schema):
    t = partitioned(rng, schema)
    if not t:
        return None
    i = rng.randrange(len(t.layout.bounds()))
    if rng.random() < 0.5:
        part = replace(t, name=t.layout.partition(i))
        change = rng.choice([update, delete])(rng, replace(schema,
                                                           tables=[part]))
        text = change and partitions.detour(t, i, change.sql())
    else:
        text = partitions.toggle(t, i)
    return text and Sql(text, "ATTACH, DETACH PARTITION", t.name)


@statement(0.7)
def truncate_partition(rng, schema):
    t = partitioned(rng, schema)
    return t and Sql(f"TRUNCATE {rng.choice(t.layout.names())} CASCADE",
                     "TRUNCATE of a partition", t.name)


@statement(1)
def late_partition(rng, schema):
    """Not of a table that others reference: it could not be dropped."""
    t = partitioned(rng, schema)
    if not t or any(p is t and c.enforced for x in schema.tables
                    for c, p in x.links):
        return None
    text = partitions.come_and_go(t)
    return text and Sql(text, "partition created or dropped", t.name)


def capture(name, how):
    """Have changes of a table captured by row or by statement, if they are
    captured, and can be."""
    name = name.replace("'", "''")
    return (f"DO $c$BEGIN IF EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid ="
            f" to_regclass('{name}') AND t.tgname = '!tview_capture')"
            + (f" AND NOT EXISTS (SELECT FROM pg_inherits i WHERE"
               f" to_regclass('{name}') IN (i.inhrelid, i.inhparent)) AND NOT"
               f" EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid ="
               f" to_regclass('{name}') AND t.tgname LIKE 'user_after%')"
               if how == "stmt" else "")
            + f" THEN PERFORM pg_tviews_install_{how}_triggers('{name}');"
            " END IF; END$c$")


@statement(0.7)
def change_capture(rng, schema):
    t = pick_table(rng, schema, keyed=False)
    return Sql(capture(t.name, rng.choice(["stmt", "row"])))


# ---------------------------------------------------------------------------
# Transactions

def make_statement(rng, schema, copy_too=True):
    while True:
        function = rng.choices([f for _, f in STATEMENTS],
                               [w for w, _ in STATEMENTS])[0]
        made = function(rng, schema)
        if made and (copy_too or not isinstance(made, Copy)):
            return vary(rng, made) if schema.varied else made


def vary(rng, made):
    """Write some numeric keys differently: equal, but not the same image."""
    def again(text):
        return re.sub(r"\b(\d+)\.5::numeric", lambda m: m.group(
            1) + rng.choice([".5", ".50", ".500"]) + "::numeric", text)
    if isinstance(made, Sql):
        made.text = again(made.text)
    elif isinstance(made, Rows):
        made.children = [again(c) for c in made.children]
    return made


def make_read(rng, entities):
    if not entities:
        return None
    if rng.random() < 0.25:
        return Read("", "prepared")
    return Read(rng.choice(entities),
                rng.choice(["plain", "plain", "function", "cursor", "copy",
                            "dml"]))


def make_items(rng, schema, entities, level=0, in_do=False):
    items = []
    for _ in range(rng.choice([1, 1, 2, 2, 3, 4] if level
                              else [1, 2, 2, 3, 4, 6])):
        dice = rng.random()
        if dice < 0.17 and level < 3:
            items.append(Block(make_items(rng, schema, entities, level + 1,
                                          in_do), rng.random() < 0.45))
        elif dice < 0.22 and not in_do:
            items.append(Do(make_items(rng, schema, entities, level + 1,
                                       True)))
        elif dice < 0.35 and entities:
            items.append(make_read(rng, entities))
        elif dice < 0.38 and entities and not in_do and level < 3:
            items.append(Held(make_items(rng, schema, entities, level + 1),
                              rng.choice(entities)))
        else:
            made = make_statement(rng, schema, not in_do)
            if level == 0 and not in_do and rng.random() < 0.6:
                made = Block([made], False)     # so that errors cost little
            items.append(made)
    return items


def make_transaction(rng, schema, entities, two_phase):
    mode = rng.choices(["block", "auto", "multi", "procedure"],
                       [75, 13, 6, 6])[0]
    t = Transaction([], mode, reconnect=rng.random() < 0.03)
    if mode == "block":
        t.begin = "BEGIN" + rng.choice(
            [""] * 5 + [" ISOLATION LEVEL REPEATABLE READ",
                        " ISOLATION LEVEL SERIALIZABLE"])
        t.end = rng.choices(
            ["COMMIT", "ROLLBACK", "CHAIN", "PREPARE", "PREPARE ROLLBACK"],
            [70, 12, 4, 9, 5] if two_phase else [80, 14, 6, 0, 0])[0]
        if rng.random() < 0.08:
            # what others set must not show in documents; so no reads here
            t.settings = rng.sample(SETTINGS, rng.choice([1, 2, 3]))
            entities = []
        t.children = make_items(rng, schema, entities)
    elif mode == "auto":
        for _ in range(rng.randint(1, 3)):
            if rng.random() < 0.12:
                t.children.append(Do(make_items(rng, schema, entities, 1,
                                                True)))
            else:
                t.children.append(make_statement(rng, schema))
    else:
        for _ in range(rng.randint(2, 4)):
            t.children.append(make_statement(rng, schema, False))
            if entities and rng.random() < 0.25:
                t.children.append(Read(rng.choice(entities), "function"))
        t.ends = [rng.choice(["COMMIT", "COMMIT", "ROLLBACK", ""])
                  for _ in t.children]
    return t


def make_short(rng, schema):
    """A few statements about rows, nothing that locks tables."""
    children = []
    while len(children) < rng.choice([1, 1, 2]):
        made = make_statement(rng, schema, False)
        if not (isinstance(made, Sql) and LOCKS.search(made.text)):
            children.append(made)
    return Transaction(children, "block")


LOCKS = re.compile("TRUNCATE|PARTITION|install_")
SETTINGS = ["TimeZone = 'Asia/Tokyo'", "DateStyle = 'German'",
            "IntervalStyle = 'iso_8601'", "extra_float_digits = -3",
            "bytea_output = 'escape'", "row_security = off",
            "enable_indexscan = off", "work_mem = '64kB'"]
