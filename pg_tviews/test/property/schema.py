"""Random base tables: columns, keys, references, triggers, first rows.

A column that holds keys carries the name of the entity whose keys they are,
its domain: definitions join columns of one domain, so what is generated makes
sense and meets rows.  Everything here is plain data; nothing is executed.
"""

import re
from dataclasses import dataclass, field

ENTITIES = ["company", "user", "post", "comment", "tag", "place", "order",
            "item", "Käse 1"]
KEYS = 14                       # keys of a table are drawn from 1..KEYS

# How a key of each type is written
KEY_LITERALS = {
    "int": "{}", "bigint": "{}",
    "uuid": "'00000000-0000-4000-8000-0000000000{:02}'::uuid",
    "text": "'k{:02}'",
    "numeric": "{}.5::numeric",
}
POOLS = {
    "int": ["-1", "0", "1", "1", "2", "2", "3", "4", "7"],
    "text": ["''", "'a'", "'a'", "'b'", "'A'", "'zz'", "'ä'", "'it''s'"],
    "bool": ["true", "false"],
    "numeric": ["1", "1.0", "1.00", "2.5", "2.50", "-3"],
    "timestamptz": ["'2024-02-29 12:00+00'", "'2024-07-01 00:30+02'",
                    "'1999-12-31 23:59:59.999999+00'"],
    "float8": ["'0.30000000000000004'", "'-0'", "'1e20'", "'NaN'", "'3'"],
    "interval": ["'1 month'", "'30 days'", "'01:30:00'", "'P1Y2M'"],
    "bytea": ["'\\x00ff'", "'abc'"],
    "jsonb": ["'[]'", "'[1, 2, 2]'", "'{\"a\": 1}'", "'{\"a\": [1.0]}'",
              "'null'"],
}
# Types whose equal values are also the same value: only these are safe in
# DISTINCT, UNION, min(), and as their own sort order.
EXACT = {"int", "bigint", "text", "bool", "timestamptz", "uuid"}


def quote(name):
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        return name
    return '"' + name.replace('"', '""') + '"'


@dataclass
class Column:
    name: str                   # as written in SQL
    type: str
    domain: str = None          # the entity whose keys it holds
    notnull: bool = False
    used: bool = True           # definitions may name it
    writable: bool = True
    enforced: bool = False      # by a foreign key
    default: str = ""           # for the DDL


@dataclass
class Rel:
    """Something to select from."""
    name: str
    columns: list
    key: Column = None          # unique and not null
    kind: str = "table"         # table, link, view, v_ or tv_
    weight: int = 1             # what reading one row of it costs, roughly
    depth: int = 0              # cascade level
    json_keys: list = field(default_factory=list)
    needs: set = field(default_factory=set)     # the objects it is made from

    def typed(self, types):
        return [c for c in self.columns if c.used and c.type in types
                and c.domain is None]

    def domains(self, domain):
        return [c for c in self.columns if c.domain == domain]


@dataclass
class Table(Rel):
    entity: str = ""
    partition: str = ""
    rows: list = field(default_factory=list)    # of lists of literals
    links: list = field(default_factory=list)   # (column, parent Table)

    def ddl(self):
        lines = []
        for c in self.columns:
            key = " PRIMARY KEY" if c is self.key else ""
            null = " NOT NULL" if c.notnull and not key else ""
            lines.append(f"{c.name} {c.type}{c.default}{null}{key}")
        if self.kind == "link" and self.partition == "key":
            lines.append("PRIMARY KEY ("
                         + ", ".join(c.name for c in self.columns[:2]) + ")")
        out = [f"CREATE TABLE {self.name} (" + ", ".join(lines) + ")"]
        if self.partition == "hash":
            out[0] += f" PARTITION BY HASH ({self.key.name})"
            for i in range(2):
                part = quote(f"tb_{self.entity}_p{i}")
                out.append(f"CREATE TABLE {part} PARTITION OF {self.name}"
                           f" FOR VALUES WITH (MODULUS 2, REMAINDER {i})")
        return out

    def writable(self):
        return [c for c in self.columns if c.writable]


@dataclass
class Schema:
    tables: list
    extras: list                # DDL that can be left out, one by one
    features: set
    varied: bool = False        # equal numeric keys come with different scales


def key_literal(type_, n):
    return KEY_LITERALS[type_].format(n)


def value(rng, column):
    """A literal for a column that holds no keys."""
    if not column.notnull and rng.random() < 0.15:
        return "NULL"
    return rng.choice(POOLS[column.type])


def make_schema(rng):
    tables, extras, features = [], [], set()
    count = rng.randint(2, 6)
    names = rng.sample(ENTITIES[:-1], count)
    if rng.random() < 0.06:
        names[0] = ENTITIES[-1]
    for entity in names:
        tables.append(entity_table(rng, entity, tables, features))
    for _ in range(rng.choice([0, 1, 1, 2])):
        link = link_table(rng, tables, features)
        if link and link.name not in [t.name for t in tables]:
            tables.append(link)
    for t in tables:
        references(rng, t, extras, features)
    user_triggers(rng, tables, extras, features)
    for t in tables:
        first_rows(rng, t)
    return Schema(tables, extras, features,
                  "numeric key" in features and rng.random() < 0.5)


def entity_table(rng, entity, earlier, features):
    type_ = rng.choice(["int"] * 6 + ["bigint", "bigint", "uuid", "text",
                                      "numeric"])
    features.add(f"{type_} key")
    key = Column(quote("pk_" + entity), type_, entity, True)
    if type_ in ("int", "bigint") and rng.random() < 0.5:
        key.default = " GENERATED BY DEFAULT AS IDENTITY"
    columns = [key]
    table = Table(quote("tb_" + entity), columns, key, entity=entity)
    partitioned = rng.random() < 0.07
    if rng.random() < 0.7 and not partitioned:
        columns.append(Column("id", "uuid", notnull=True, writable=False,
                              default=" DEFAULT gen_random_uuid() UNIQUE"))
    for parent in rng.sample(earlier, min(len(earlier), rng.choice([0, 1, 1,
                                                                    2]))):
        columns.append(Column(quote("fk_" + parent.entity), parent.key.type,
                              parent.entity, rng.random() < 0.4))
        table.links.append((columns[-1], parent))
        if rng.random() < 0.15:
            columns.append(Column(quote(f"fk_{parent.entity}_2"),
                                  parent.key.type, parent.entity))
            table.links.append((columns[-1], parent))
    if rng.random() < 0.25:
        columns.append(Column("fk_parent", type_, entity))
        table.links.append((columns[-1], table))
    for name, t, p in (("name", "text", .9), ("n", "int", .9),
                       ("flag", "bool", .7), ("amount", "numeric", .45),
                       ("at", "timestamptz", .25), ("f", "float8", .15),
                       ("gap", "interval", .1), ("raw", "bytea", .1),
                       ("doc", "jsonb", .2)):
        if rng.random() < p:
            columns.append(Column(name, t, notnull=rng.random() < 0.2))
    if rng.random() < 0.6:
        columns.append(Column("note", "text", used=False))
    if rng.random() < 0.1 and any(c.name == "n" for c in columns):
        columns.append(Column("twice", "int", writable=False, default=(
            " GENERATED ALWAYS AS (coalesce(n, 0) * 2) STORED")))
        features.add("generated column")
    rng.shuffle(columns)
    if partitioned:
        table.partition = "hash"
        features.add("partitioned table")
    return table


def link_table(rng, tables, features):
    a, b = rng.choice(tables), rng.choice(tables)
    if "link" in (a.kind, b.kind) or a is b:
        return None
    keyed = rng.random() < 0.4
    features.add("link table with key" if keyed else "link table without key")
    columns = [Column(quote("fk_" + t.entity), t.key.type, t.entity,
                      keyed or rng.random() < 0.5) for t in (a, b)]
    if rng.random() < 0.7:
        columns.append(Column("rank", "int"))
    return Table(quote(f"tb_{a.entity}_{b.entity}"), columns, None, "link",
                 partition="key" if keyed else "",
                 links=list(zip(columns, (a, b))),
                 entity=f"{a.entity}_{b.entity}")


def references(rng, table, extras, features):
    for column, parent in table.links:
        if rng.random() < 0.5:
            extras.append(f"CREATE INDEX ON {table.name} ({column.name})")
        how = rng.choice(["none", "CASCADE", "SET NULL", "NO ACTION",
                          "CASCADE"])
        if how == "SET NULL" and column.notnull:
            how = "CASCADE"
        features.add("references: " + how.lower())
        if how == "none":
            continue
        column.enforced = True
        update = rng.choice(["CASCADE", "NO ACTION"])
        late = rng.choice(["", "", " DEFERRABLE INITIALLY DEFERRED"])
        extras.append(
            f"ALTER TABLE {table.name} ADD FOREIGN KEY ({column.name})"
            f" REFERENCES {parent.name} ON DELETE {how} ON UPDATE {update}"
            + late)


def user_triggers(rng, tables, extras, features):
    """Other people's triggers, which change what is being written."""
    with_n = [t for t in tables if any(c.name == "n" for c in t.columns)]
    if with_n and rng.random() < 0.15:
        t = rng.choice(with_n)
        features.add("user trigger before")
        extras.append("CREATE FUNCTION user_before() RETURNS trigger"
                      " LANGUAGE plpgsql AS $f$BEGIN NEW.n := abs(NEW.n);"
                      " RETURN NEW; END$f$")
        extras.append("CREATE TRIGGER user_before BEFORE INSERT OR UPDATE ON "
                      f"{t.name} FOR EACH ROW EXECUTE FUNCTION user_before()")
    pairs = [(t, c, p) for t in tables for c, p in t.links
             if p in with_n and p is not t]
    if pairs and rng.random() < 0.2:
        t, c, p = rng.choice(pairs)
        late = rng.random() < 0.5
        features.add("user trigger after"
                     + (" the transaction" if late else ""))
        extras.append(
            "CREATE FUNCTION user_after() RETURNS trigger LANGUAGE plpgsql AS"
            f" $f$BEGIN UPDATE {p.name} SET n = (coalesce(n, 0) + 1) % 10"
            f" WHERE {p.key.name} = NEW.{c.name}; RETURN NULL; END$f$")
        extras.append(
            ("CREATE CONSTRAINT TRIGGER" if late else "CREATE TRIGGER")
            + f" user_after AFTER INSERT OR UPDATE ON {t.name}"
            + (" DEFERRABLE INITIALLY DEFERRED" if late else "")
            + " FOR EACH ROW EXECUTE FUNCTION user_after()")


def first_rows(rng, table):
    """Rows that satisfy the references, parents' rows being there already."""
    parents = dict((id(c), p) for c, p in table.links)
    count = rng.choice([0, 3, 5, 6, 8, 10, 12])
    keys = rng.sample(range(1, KEYS + 1), count)
    seen = set()
    for k in keys:
        row = []
        for c in table.writable():
            if c is table.key:
                row.append(key_literal(c.type, k))
            elif c.domain:
                row.append(reference(rng, c, parents[id(c)]))
            else:
                row.append(value(rng, c))
        if None in row or (table.kind == "link" and table.partition == "key"
                           and tuple(row[:2]) in seen):
            continue
        seen.add(tuple(row[:2]))
        table.rows.append(row)


def reference(rng, column, parent):
    if not column.notnull and rng.random() < 0.2:
        return "NULL"
    if not column.enforced:
        return key_literal(column.type, rng.randint(1, KEYS))
    at = [i for i, c in enumerate(parent.writable()) if c is parent.key][0]
    if not parent.rows:
        return None if column.notnull else "NULL"
    return rng.choice(parent.rows)[at]
