"""Random base tables: columns, keys, references, triggers, first rows.

A column that holds keys carries the name of the entity whose keys they are,
its domain: definitions join columns of one domain, so what is generated makes
sense and meets rows.  A column that holds several keys, in an array or in
jsonb, carries it as `many`.  Everything here is plain data; nothing is
executed.
"""

import re
from dataclasses import dataclass, field, replace

import partitions

ENTITIES = ["company", "user", "post", "comment", "tag", "place", "order",
            "item", "Käse 1"]
KEYS = 14                       # keys of a table are drawn from 1..KEYS
OTHER = "tviews_other"          # a second schema

# How a key of each type is written
KEY_LITERALS = {
    "int": "{}", "bigint": "{}",
    "smallint": "{}",
    "natural_number": "{}",
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
              "'null'", "'{\"a\": 2, \"b\": {\"c\": \"x\"}}'"],
    "mood": ["'sad'", "'ok'", "'ok'", "'happy'"],
    "score": ["-1", "0", "1", "2", "2", "3"],
    "pair": ["'(1,a)'", "'(1,b)'", "'(2,a)'", "'(,zz)'"],
    "int[]": ["'{}'", "'{1}'", "'{1,2,2}'", "'{3,NULL}'"],
    "text COLLATE nocase": ["'a'", "'A'", "'b'", "'B'", "'zz'"],
    "citext": ["'a'", "'A'", "'b'", "'B'", "'zz'"],
}
# What makes the types that are not the server's; only those used are made.
TYPES = {
    "mood": "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')",
    "score": "CREATE DOMAIN score AS int CHECK (VALUE > -100)",
    "natural_number": "CREATE DOMAIN natural_number AS int",
    "pair": "CREATE TYPE pair AS (x int, t text)",
    "text COLLATE nocase":
        "CREATE COLLATION nocase (provider = icu,"
        " locale = 'und-u-ks-level2', deterministic = false)",
}
NUMBERS = ("int", "bigint", "smallint", "numeric", "natural_number")
# Types whose equal values are also the same value: only these are safe in
# DISTINCT, UNION, min(), and as their own sort order.
EXACT = {"int", "bigint", "smallint", "natural_number", "text", "bool",
         "timestamptz", "uuid", "mood", "score"}


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
    many: str = None            # the entity whose keys it holds several of
    many_type: str = None       # and their type


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
    features: set = field(default_factory=set)  # that reading it shows
    entity: str = ""
    lineage: set = field(default_factory=set)   # TVIEWs that it comes from
    embeds_array: bool = False  # of a TVIEW's documents
    reads: set = field(default_factory=set)     # tables, if it is a view

    def typed(self, types):
        return [c for c in self.columns if c.used and c.type in types
                and c.domain is None]

    def domains(self, domain):
        return [c for c in self.columns if c.domain == domain]


@dataclass
class Table(Rel):
    layout: object = None       # partitions.Layout
    unlogged: bool = False
    inherits: str = ""          # name of the parent
    child: bool = False         # has one
    keyed: bool = False         # link table: has a primary key
    rows: list = field(default_factory=list)    # of lists of literals
    links: list = field(default_factory=list)   # (column, parent Table)

    def column_ddl(self):
        """Of each column; the key says PRIMARY KEY."""
        lines = []
        for c in self.columns:
            key = " PRIMARY KEY" if c is self.key else ""
            null = " NOT NULL" if c.notnull and not key else ""
            lines.append(f"{c.name} {c.type}{c.default}{null}{key}")
        if self.keyed:
            lines.append("PRIMARY KEY ("
                         + ", ".join(c.name for c in self.columns[:2]) + ")")
        return lines

    def ddl(self):
        if self.inherits:
            return [f"CREATE TABLE {self.name} (PRIMARY KEY"
                    f" ({self.key.name})) INHERITS ({self.inherits})"]
        create = "CREATE UNLOGGED TABLE" if self.unlogged else "CREATE TABLE"
        out = [f"{create} {self.name} (" + ", ".join(self.column_ddl()) + ")"]
        if self.layout:
            out[0] += self.layout.clause()
            out += self.layout.ddl(self)
        return out

    def writable(self):
        return [c for c in self.columns if c.writable]

    def rels(self):
        """As what a definition can read it."""
        if not self.child:
            return [self]
        both = replace(self, key=None, kind="many",
                       features=self.features | {"inheritance children"})
        only = replace(self, name="ONLY " + self.name,
                       features=self.features | {"ONLY"})
        return [both, only]


@dataclass
class Schema:
    tables: list
    extras: list                # DDL that can be left out, one by one
    features: set
    varied: bool = False        # equal numeric keys come with different scales
    owned: bool = False         # by a role without rights

    def types(self):
        """DDL of types that its columns have."""
        used = {c.type.removesuffix("[]") for t in self.tables
                for c in t.columns}
        return [text for name, text in TYPES.items() if name in used]

    def other_schema(self):
        return any(t.name.startswith(OTHER) for t in self.tables)

    def rels(self):
        return [r for t in self.tables for r in t.rels()]


def key_literal(type_, n):
    return KEY_LITERALS[type_].format(n)


def value(rng, column):
    """A literal for a column that holds no key."""
    if not column.notnull and rng.random() < 0.15:
        return "NULL"
    if column.many:
        return several_keys(rng, column)
    return rng.choice(POOLS[column.type])


def several_keys(rng, column):
    """A literal array, or JSON array, of keys."""
    of = column.many_type
    keys = [key_literal(of, rng.randint(1, KEYS)).split("::")[0].strip("'")
            for _ in range(rng.choice([0, 1, 2, 2, 3]))]
    if column.type == "jsonb":
        return "'[" + ", ".join(k if of in NUMBERS else f'"{k}"'
                                for k in keys) + "]'"
    return "'{" + ",".join(keys) + "}'"


class Dice:
    """A random generator, what it should like to come up, and what this server
    cannot do."""

    def __init__(self, rng, wanted, impossible):
        self.rng, self.wanted = rng, set(wanted)
        self.impossible = impossible

    def likes(self, feature, p):
        return self.rng.random() < (0.7 if feature in self.wanted else p)

    def choice(self, features, weights):
        return self.rng.choices(features, [
            w * (30 if f in self.wanted else 1)
            for f, w in zip(features, weights)])[0]


def make_schema(rng, wanted=(), impossible=()):
    tables, extras, features = [], [], set()
    dice = Dice(rng, wanted, impossible)
    count = rng.randint(2, 6)
    names = rng.sample(ENTITIES[:-1], count)
    if rng.random() < 0.06:
        names[0] = ENTITIES[-1]
    for entity in names:
        tables.append(entity_table(dice, entity, tables))
    for _ in range(rng.choice([0, 1, 1, 2])):
        link = link_table(dice, tables)
        if link and link.name not in [t.name for t in tables]:
            tables.append(link)
    tables += [child_table(t) for t in tables if t.child]
    for t in tables:
        references(rng, t, extras, features)
    user_triggers(rng, tables, extras, features)
    owned = dice.likes("row-level security", 0.06)
    if owned:
        row_security(rng, tables, extras)
    for t in tables:
        first_rows(rng, t)
    return Schema(tables, extras, features,
                  any("numeric key" in t.features for t in tables)
                  and rng.random() < 0.5, owned)


KEY_TYPES = {"int key": "int", "bigint key": "bigint", "uuid key": "uuid",
             "text key": "text", "numeric key": "numeric",
             "smallint key": "smallint", "domain key": "natural_number"}


def entity_table(dice, entity, earlier):
    rng = dice.rng
    key_feature = dice.choice(list(KEY_TYPES), [6, 2, 1, 1, 1, .7, .7])
    type_ = KEY_TYPES[key_feature]
    key = Column(quote("pk_" + entity), type_, entity, True)
    columns = [key]
    table = Table(quote("tb_" + entity), columns, key, entity=entity,
                  features={key_feature})
    special = make_special(dice, table)
    if type_ in ("int", "bigint") and not special and rng.random() < 0.5:
        key.default = " GENERATED BY DEFAULT AS IDENTITY"
    if rng.random() < 0.7 and not table.layout:
        columns.append(Column("id", "uuid", notnull=True, writable=False,
                              default=" DEFAULT gen_random_uuid()"
                              + (" UNIQUE" if not table.child else "")))
    for parent in rng.sample(earlier, min(len(earlier), rng.choice([0, 1, 1,
                                                                    2]))):
        columns.append(Column(quote("fk_" + parent.entity), parent.key.type,
                              parent.entity, rng.random() < 0.4))
        table.links.append((columns[-1], parent))
        if dice.likes("same table in two roles", 0.15):
            columns.append(Column(quote(f"fk_{parent.entity}_2"),
                                  parent.key.type, parent.entity))
            table.links.append((columns[-1], parent))
    if rng.random() < (0.6 if any("recursi" in w for w in dice.wanted)
                       else 0.25):
        columns.append(Column("fk_parent", type_, entity))
        table.links.append((columns[-1], table))
    columns += plain_columns(dice)
    if earlier:
        columns += several_columns(dice, rng.choice(earlier))
    if rng.random() < 0.6:
        columns.append(Column("note", "text", used=False))
    if any(c.name == "n" for c in columns) \
            and dice.likes("generated column", 0.1):
        columns.append(Column("twice", "int", writable=False, default=(
            " GENERATED ALWAYS AS (coalesce(n, 0) * 2) STORED")))
    rng.shuffle(columns)
    return table


def make_special(dice, table):
    """What kind of table it is; '' for most."""
    special = dice.choice(
        ["", "partitioned table", "inheritance children", "unlogged table"],
        [40, 5, 2.5, 2.5])
    if dice.wanted & partitions.FEATURES and dice.rng.random() < 0.4:
        special = "partitioned table"
    if special == "partitioned table":
        table.layout = partitions.make_layout(dice, table, table.key)
        table.features |= table.layout.features()
    table.child = special == "inheritance children"
    table.unlogged = special == "unlogged table"
    if table.unlogged:
        table.features.add(special)
    elif not special and dice.likes("table in another schema", 0.06):
        table.name = f"{OTHER}.{table.name}"
        table.features.add("table in another schema")
    return special


def several_columns(dice, parent):
    columns = []
    of = parent.key.type
    if dice.likes("ANY(array column)", 0.12):
        columns.append(Column("keys", of + "[]", many=parent.entity,
                              many_type=of))
    if dice.likes("jsonb_array_elements joined further", 0.12):
        columns.append(Column("doc_keys", "jsonb", many=parent.entity,
                              many_type=of))
    return columns


def plain_columns(dice):
    columns = []
    for name, t, p, feature in (
            ("name", "text", .9, ""), ("n", "int", .9, ""),
            ("flag", "bool", .7, ""), ("amount", "numeric", .45, ""),
            ("at", "timestamptz", .25, ""), ("f", "float8", .15, ""),
            ("gap", "interval", .1, ""), ("raw", "bytea", .1, ""),
            ("doc", "jsonb", .25, "JSON path"),
            ("mood", "mood", .15, "enum column"),
            ("score", "score", .15, "domain column"),
            ("duo", "pair", .12, "composite column"),
            ("ints", "int[]", .15, "array column"),
            ("slug", "text COLLATE nocase", .1, "nondeterministic collation"),
            ("label", "citext", .1, "citext")):
        if dice.likes(feature, p) and feature not in dice.impossible:
            columns.append(Column(name, t, notnull=dice.rng.random() < 0.2))
    return columns


def child_table(parent):
    """One that inherits from it, with a key of its own."""
    name = quote(f"tb_{parent.entity}_child")
    columns = [replace(c, enforced=False) for c in parent.columns]
    new = dict(zip(map(id, parent.columns), columns))
    return Table(name, columns, new[id(parent.key)],
                 entity=f"{parent.entity}_child", inherits=parent.name,
                 links=[(new[id(c)], p) for c, p in parent.links],
                 features=set(parent.features))


def row_security(rng, tables, extras):
    """Policies on some tables, by columns that definitions need not use."""
    for number, t in enumerate(tables):
        test = [f"{c.name} IS DISTINCT FROM 2" for c in t.columns
                if c.type == "int" and not c.domain]
        test += [f"{c.name} IS NOT FALSE" for c in t.columns
                 if c.type == "bool"]
        if not test or t.inherits or rng.random() < 0.4:
            continue
        t.features.add("row-level security")
        extras += [f"ALTER TABLE {t.name} ENABLE ROW LEVEL SECURITY",
                   f"ALTER TABLE {t.name} FORCE ROW LEVEL SECURITY",
                   f"CREATE POLICY p{number} ON {t.name}"
                   f" USING ({rng.choice(test)})"]


def link_table(dice, tables):
    rng = dice.rng
    a, b = rng.choice(tables), rng.choice(tables)
    if "link" in (a.kind, b.kind) or a is b:
        return None
    keyed = rng.random() < 0.4
    columns = [Column(quote("fk_" + t.entity), t.key.type, t.entity,
                      keyed or rng.random() < 0.5) for t in (a, b)]
    if rng.random() < 0.7:
        columns.append(Column("rank", "int"))
    if rng.random() < 0.4:
        columns.append(Column("note", "text", used=False))
    link = Table(quote(f"tb_{a.entity}_{b.entity}"), columns, None, "link",
                 keyed=keyed, links=list(zip(columns, (a, b))),
                 entity=f"{a.entity}_{b.entity}")
    if not keyed and (rng.random() < 0.12
                      or dice.wanted & partitions.FEATURES):
        link.layout = partitions.make_layout(dice, link, columns[0])
        link.features |= link.layout.features()
    link.features.add("link table with a key" if keyed
                      else "link table without key")
    return link


def references(rng, table, extras, features):
    for column, parent in table.links:
        if rng.random() < 0.5:
            extras.append(f"CREATE INDEX ON {table.name} ({column.name})")
        how = rng.choice(["none", "CASCADE", "SET NULL", "NO ACTION",
                          "CASCADE"])
        if how == "SET NULL" and column.notnull:
            how = "CASCADE"
        if parent.unlogged and not table.unlogged:
            how = "none"        # the server doesn't allow it
        features.add("references: " + how.lower())
        if how == "none":
            continue
        column.enforced = True
        update = rng.choice(["CASCADE", "NO ACTION"])
        late = rng.choice(["", "", " DEFERRABLE INITIALLY DEFERRED"])
        if parent.layout:
            late = ""           # the server fails at COMMIT after a row has
                                # moved and its partition been truncated
        extras.append(
            f"ALTER TABLE {table.name} ADD FOREIGN KEY ({column.name})"
            f" REFERENCES {parent.name} ON DELETE {how} ON UPDATE {update}"
            + late)


def user_triggers(rng, tables, extras, features):
    """Other people's triggers, which change what is being written."""
    with_n = [t for t in tables if any(c.name == "n" for c in t.columns)
              and not t.inherits]
    if with_n and rng.random() < 0.15:
        t = rng.choice(with_n)
        features.add("user trigger before")
        extras.append("CREATE FUNCTION user_before() RETURNS trigger"
                      " LANGUAGE plpgsql AS $f$BEGIN NEW.n := abs(NEW.n);"
                      " RETURN NEW; END$f$")
        extras.append("CREATE TRIGGER user_before BEFORE INSERT OR UPDATE ON "
                      f"{t.name} FOR EACH ROW EXECUTE FUNCTION user_before()")
    pairs = [(t, c, p) for t in tables for c, p in t.links
             if any(p is x for x in with_n) and p is not t
             and not t.inherits]
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
        if None in row or table.keyed and tuple(row[:2]) in seen:
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
