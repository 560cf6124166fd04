"""Random definitions, put together from small named shapes.

A definition is a frame (what its rows are and what makes their key) plus any
number of parts: joins, values for the document, conditions.  To add a shape,
write a function with one of the decorators:

  @frame(name, weight)      sets up b.d (a Definition) and b.scope; returns
                            True, or None if the schema has nothing to make it
                            from. `closed` frames take no further parts.
  @join(name, weight)       adds a FROM part with b.join(); returns likewise
  @value(name, weight)      returns an SQL expression for the document
  @predicate(name, weight)  returns a boolean SQL expression, used in WHERE or
                            in the document

The name is the feature that the table at the end of a run counts; a shape that
wants to note more of what it used calls b.use(name).

Definitions must be deterministic: aggregates that depend on order are fully
ordered, LIMIT follows a total order, and what compares values (DISTINCT,
UNION, min) gets only types whose equal values are the same (EXACT).
"""

from dataclasses import dataclass, field

from schema import EXACT, KEYS, Column, Rel, key_literal, quote

FRAMES, JOINS, VALUES, PREDICATES = [], [], [], []
DEPTH = 10                      # cascade levels the extension promises
WEIGHT = 40                     # most a definition may cost to read live
CHAIN_WEIGHT = 80


def register(shapes):
    def named(name, weight=1, **options):
        def add(function):
            shapes.append((name, weight, function, options))
            return function
        return add
    return named


frame, join, value, predicate = map(
    register, (FRAMES, JOINS, VALUES, PREDICATES))


@dataclass
class Part:
    """A piece of a definition that the shrinker can try to leave out."""
    join: str = ""              # a FROM item; @ is what is joined so far
    where: str = ""
    pair: str = ""              # 'key', expression for jsonb_build_object
    column: str = ""            # expression AS name
    cte: str = ""
    having: str = ""


@dataclass
class Definition:
    entity: str
    key: str = ""
    root: str = ""
    parts: list = field(default_factory=list)
    group: str = ""
    distinct: str = ""
    suffix: str = ""
    wrap: str = "@"             # around the whole SELECT, which is @
    features: set = field(default_factory=set)
    needs: set = field(default_factory=set)
    may_repeat: bool = False    # keys may come out twice, or NULL
    by: str = ""                # how it was created, see replay.py
    options: str = ""
    check_volatility: str = "VOLATILE"
    rel: Rel = None             # v_x, for other definitions

    @property
    def key_name(self):
        return quote("pk_" + self.entity)

    @property
    def view(self):
        return quote("v_" + self.entity)

    @property
    def tview(self):
        return quote("tv_" + self.entity)

    def column_names(self):
        names = [p.column.rsplit(" AS ", 1)[1] for p in self.parts
                 if p.column]
        return [self.key_name] + names + ["data"]

    def sql(self, indent="\n  "):
        def have(what):
            return [getattr(p, what) for p in self.parts if getattr(p, what)]
        source = self.root
        for text in have("join"):
            source = text.replace("@", source)
        out = ["SELECT " + self.distinct + ", ".join(
            [f"{self.key} AS {self.key_name}"] + have("column")
            + [f"jsonb_build_object({', '.join(have('pair'))}) AS data"])]
        if have("cte"):
            out.insert(0, "WITH " + ", ".join(have("cte")))
        out.append("FROM " + source)
        if have("where"):
            out.append("WHERE " + " AND ".join(have("where")))
        if self.group:
            out.append("GROUP BY " + self.group)
        if have("having"):
            out.append("HAVING " + " AND ".join(have("having")))
        if self.suffix:
            out.append(self.suffix)
        return self.wrap.replace("@", indent.join(out))


@dataclass
class Alias:
    name: str
    rel: Rel

    def __getitem__(self, column):
        return f"{self.name}.{column.name}"


class Builder:
    def __init__(self, rng, rels, entity, chain=False):
        self.rng, self.rels, self.chain = rng, rels, chain
        self.d = Definition(entity)
        self.scope = []
        self.aliases = 0
        self.weight = self.depth = 0
        self.closed = False

    def use(self, feature):
        self.d.features.add(feature)

    def maybe(self, p):
        return self.rng.random() < p

    # -- relations and columns ---------------------------------------------

    def alias(self, rel, times=1):
        self.aliases += 1
        self.weight += rel.weight * times
        self.depth = max(self.depth, rel.depth)
        self.d.needs |= rel.needs
        if rel.kind in ("v_", "tv_"):
            self.use("reads " + rel.kind)
            if rel.depth >= 3:
                self.use(f"cascade level {rel.depth + 1}")
        elif rel.kind == "view":
            self.use("reads a plain view")
            return Alias(f"w{self.aliases}", rel)
        elif rel.kind == "link":
            self.use("link table " + ("with a key" if rel.partition
                                      else "without key"))
        elif rel.partition:
            self.use("partitioned table")
        if rel.key and rel.key.type != "int":
            self.use(f"{rel.key.type} key")
        entity = rel.name.strip('"').split("_", 1)[1]
        return Alias(f"{entity[0].lower()}{self.aliases}", rel)

    def fits(self, rel, times=1):
        return (rel.depth < DEPTH
                and self.weight + rel.weight * times
                <= (CHAIN_WEIGHT if self.chain else WEIGHT))

    def pick(self, candidates):
        """One of [(…, Rel, …)], liking those that make cascades."""
        if not candidates:
            return None

        def liking(c):
            rel = next(x for x in c if isinstance(x, Rel))
            if self.chain:
                return 4 ** rel.depth * (2 if rel.kind == "tv_" else 1)
            return {"v_": 2.5, "tv_": 1, "view": 1}.get(rel.kind, 2)
        return self.rng.choices(candidates, [liking(c) for c in candidates])[0]

    def to_one(self, keyed_only=False):
        """(alias, column, relation) such that at most one row matches."""
        return self.pick([
            (a, c, r) for a in self.scope for c in a.rel.columns if c.domain
            for r in self.rels if r.key and r.key.domain == c.domain
            and r.key.type == c.type and self.fits(r)
            and not (c is a.rel.key and r is a.rel and not keyed_only)])

    def to_many(self, keyed=False, kinds=None):
        """(alias, column, relation, its column) where any number may."""
        return self.pick([
            (a, c, r, rc) for a in self.scope for c in a.rel.columns
            if c.domain for r in self.rels for rc in r.domains(c.domain)
            if rc is not r.key and rc.type == c.type and self.fits(r, 3)
            and (r.key or not keyed) and (not kinds or r.kind in kinds)])

    def column(self, alias, types):
        columns = alias.rel.typed(types)
        return alias[self.rng.choice(columns)] if columns else None

    def filter(self, alias):
        """A condition on one relation alone."""
        rng = self.rng
        n, name, flag = (self.column(alias, {t})
                         for t in ("int", "text", "bool"))
        some = []
        if n:
            k = rng.randint(0, 4)
            some += [f"{n} > {k}", f"{n} <= {k}", f"{n} IN (1, 2, 4)",
                     f"{n} IS DISTINCT FROM {k}", f"coalesce({n}, 0) < {k}",
                     f"{n} BETWEEN 1 AND 3", f"{n} IS NOT NULL",
                     f"CASE WHEN {n} = 1 THEN {n} > 0 ELSE {n} % 2 = 0 END"]
        if name:
            some += [f"{name} <> 'a'", f"{name} LIKE '%a%'",
                     f"lower({name}) = 'a'", f"{name} IS NULL"]
        if flag:
            some += [flag, f"NOT {flag}", f"{flag} IS NOT TRUE"]
        if n and name:
            some += [f"({n} = 1 OR {name} = 'a')",
                     f"({n}, {name}) <> (1, 'a')"]
        if alias.rel.key and not some:
            key = alias.rel.key
            some = [f"{alias[key]} <> {key_literal(key.type, 3)}"]
        return rng.choice(some) if some else f"{alias.name} IS NOT NULL"

    def element(self, alias, exact=False):
        """A value made from one row."""
        rng, name = self.rng, alias.name
        simple = [c for c in alias.rel.columns if c.used
                  and (c.type in EXACT or c.domain or not exact)]
        some = []
        if simple:
            some += [alias[rng.choice(simple)]] * 3
            chosen = rng.sample(simple, min(len(simple), rng.randint(1, 3)))
            some += ["jsonb_build_object(" + ", ".join(
                f"'{c.name.strip(chr(34))}', {alias[c]}" for c in chosen)
                + ")"] * 4
        if exact:
            return rng.choice(some) if some else "1"
        if any(c.name == "data" for c in alias.rel.columns):
            some += [f"{name}.data"] * 8
            for k in alias.rel.json_keys[:3]:
                some += [f"{name}.data -> '{k}'", f"{name}.data ->> '{k}'"] * 2
        text = (self.column(alias, {"numeric"})
                or self.column(alias, {"text", "int"}))
        if self.column(alias, {"numeric"}) and alias.rel.kind != "table":
            some += [f"{text}::text"] * 3       # shows equal values apart
        if text:
            some += [f"{text}::text", f"coalesce({text}::text, '-')"]
        if alias.rel.kind in ("table", "link") and self.maybe(0.2):
            self.use("whole row")
            some += [f"to_jsonb({name})", f"to_jsonb({name}.*)"] * 2
        elif alias.rel.kind in ("v_", "tv_", "view") and self.maybe(0.1):
            self.use("whole row of " + alias.rel.kind)
            some += [f"to_jsonb({name})"] * 3
        return rng.choice(some)

    def element_here(self):
        return self.element(self.rng.choice(self.scope))

    # -- parts ---------------------------------------------------------------

    def pair(self, expression):
        key = f"k{sum(1 for p in self.d.parts if p.pair) + 1}"
        self.d.parts.append(Part(pair=f"'{key}', {expression}"))

    def where(self, expression):
        self.d.parts.append(Part(where=expression))

    def join(self, text, alias=None, where=""):
        """Join with the value it is there for, so they shrink together."""
        self.d.parts.append(Part(join=text, where=where))
        if alias:
            self.scope.append(alias)
            self.pair(self.element(alias))
        return True

    def coalesced(self, alias, column, p=0.12):
        """A column, at times with a key in place of NULL."""
        if not self.maybe(p) or column.domain is None:
            return alias[column]
        self.use("coalesce in a join condition")
        key = key_literal(column.type, self.rng.randint(1, KEYS))
        return f"coalesce({alias[column]}, {key})"

    def on(self, a, ac, b, bc, plain=0.75, others=()):
        """How two relations meet: mostly an equality, at times with more.
        others are relations that the condition may mention besides."""
        left, right = self.coalesced(a, ac), b[bc]
        basic = f"{left} = {right}" if self.maybe(0.5) else f"{right} = {left}"
        ints = [x for x in map(lambda o: self.column(o, {"int"}), others) if x]
        if len(ints) > 1 and self.maybe(0.12):
            self.use("condition on others in ON")
            x, y = self.rng.sample(ints, 2)
            return f"{basic} AND {x} {self.rng.choice(['=', '<>', '<'])} {y}"
        if self.maybe(plain):
            return basic
        n, m = self.column(a, {"int"}), self.column(b, {"int"})
        some = [("condition on one side in ON",
                 f"{basic} AND {self.filter(b)}"),
                ("cast in a join condition", f"{left}::text = {right}::text")]
        if n and m:
            some += [("composite join condition", f"{basic} AND {n} = {m}"),
                     ("row comparison", f"({left}, {n}) = ({right}, {m})"),
                     ("inequality besides equality", f"{basic} AND {n} < {m}"),
                     ("OR in a join condition",
                      f"({basic} AND ({n} > 1 OR {m} < 2))"),
                     ("IS NOT DISTINCT FROM", f"{basic} AND "
                      f"{n} IS NOT DISTINCT FROM {m}")]
        feature, text = self.rng.choice(some)
        self.use(feature)
        return text


@dataclass
class Sub:
    """What comes after SELECT in a subquery about related rows."""
    source: str
    where: str
    alias: Alias
    element: str
    order: str                  # total, or as good as
    link: str                   # the column that relates it, unqualified rows
    outer: str

    def __str__(self):
        return f"FROM {self.source} WHERE {self.where}"


def sub(b, exact=False, keyed=False, plain=False, level=0):
    """FROM and WHERE of a correlated subquery."""
    found = b.to_many(keyed)
    if not found:
        return None
    src, sc, rel, rc = found
    a = b.alias(rel, 3)
    source, inner = f"{rel.name} {a.name}", [a]
    where = b.on(src, sc, a, rc, 1 if plain else 0.75, b.scope)
    others = [(c, r) for c in rel.columns if c.domain and c is not rc
              for r in b.rels if r.key and r.key.domain == c.domain
              and r.key.type == c.type and b.fits(r, 3)]
    if others and b.maybe(0.7 if rel.kind == "link" else 0.25):
        c, r = b.pick(others)
        other = b.alias(r, 3)
        kind = b.rng.choice(["JOIN", "JOIN", "LEFT JOIN"])
        source += (f" {kind} {r.name} {other.name}"
                   f" ON {b.on(a, c, other, r.key)}")
        b.use("m:n through a link table" if rel.kind == "link"
              else "join in a subquery")
        inner.append(other)
    if b.maybe(0.25):
        where += f" AND {b.filter(b.rng.choice(inner))}"
    exact = exact or not rel.key
    element = b.element(b.rng.choice(inner), exact)
    if not exact and level < 2 and b.maybe(0.15):
        nested = Builder.__new__(Builder)
        nested.__dict__.update(b.__dict__, scope=inner)
        deeper = sub(nested, exact=True, level=level + 1)
        b.__dict__.update({k: nested.__dict__[k]
                           for k in ("aliases", "weight", "depth")})
        if deeper:
            b.use("subquery in a subquery")
            element = ("jsonb_build_object('e', " + element + ", 'n', (SELECT "
                       f"count(*) {deeper}))")
    order = a[rel.key] if rel.key else element
    if rel.key and b.maybe(0.5):
        extra = b.column(a, EXACT)
        if extra:
            order = f"{extra}{b.rng.choice(['', ' DESC'])}, {order}"
    return Sub(source, where, a, element, order, rc.name,
               b.coalesced(src, sc))


def correlated(function):
    """Decorate a shape that only needs a Sub."""
    def shape(b):
        s = sub(b)
        return s and function(b, s)
    return shape


def correlated_exact(function):
    def shape(b):
        s = sub(b, exact=True)
        return s and function(b, s)
    return shape


# ---------------------------------------------------------------------------
# Joins

@join("inner join", 8)
def inner_join(b):
    found = b.to_one()
    if found:
        src, sc, rel = found
        a = b.alias(rel)
        return b.join(f"@ JOIN {rel.name} {a.name}"
                      f" ON {b.on(src, sc, a, rel.key, others=b.scope)}", a)


@join("left join", 10)
def left_join(b):
    found = b.to_one()
    if found:
        src, sc, rel = found
        a = b.alias(rel)
        return b.join(f"@ LEFT JOIN {rel.name} {a.name}"
                      f" ON {b.on(src, sc, a, rel.key, others=b.scope)}", a)


@join("right join", 3)
def right_join(b):
    found = b.to_one()
    if found:
        src, sc, rel = found
        a = b.alias(rel)
        inside = "(@)" if any(p.join for p in b.d.parts) else "@"
        return b.join(f"{rel.name} {a.name} RIGHT JOIN {inside}"
                      f" ON {b.on(src, sc, a, rel.key, others=b.scope)}", a)


@join("comma join with its condition in WHERE", 2)
def comma_join(b):
    found = b.to_one()
    if found:
        src, sc, rel = found
        a = b.alias(rel)
        return b.join(f"@ CROSS JOIN {rel.name} {a.name}", a,
                      b.on(src, sc, a, rel.key))


@join("full join", 2)
def full_join(b):
    """The root's rows kept by a condition, or the key NULL now and then."""
    found = b.to_one()
    if found:
        src, sc, rel = found
        a = b.alias(rel)
        where = ""
        if b.maybe(0.8):
            where = f"{b.d.key} IS NOT NULL"
        else:
            b.d.may_repeat = True
        return b.join(f"@ FULL JOIN {rel.name} {a.name}"
                      f" ON {src[sc]} = {a[rel.key]}", a, where)


@join("self join", 3)
def self_join(b):
    a = b.scope[0]
    if not a.rel.key or not a.rel.key.domain or not b.fits(a.rel):
        return None
    c = b.rng.choice(a.rel.domains(a.rel.key.domain))
    other = b.alias(a.rel)
    kind = b.rng.choice(["JOIN", "LEFT JOIN"])
    return b.join(f"@ {kind} {a.rel.name} {other.name}"
                  f" ON {b.on(a, c, other, a.rel.key)}", other)


@join("USING", 1)
def using_join(b):
    return named_join(b, lambda column: f"USING ({column})")


@join("NATURAL", 1)
def natural_join(b):
    return named_join(b, lambda column: "")


def named_join(b, on):
    found = b.to_one()
    if not found or any(p.join for p in b.d.parts):
        return None
    _, sc, rel = found
    a = b.alias(rel)
    value_ = b.element(a)
    kind = b.rng.choice(["JOIN", "LEFT JOIN"])
    text = on(sc.name)
    b.join(f"@ {'' if text else 'NATURAL '}{kind} (SELECT {a[rel.key]} AS"
           f" {sc.name}, {value_} AS {a.name}_x FROM {rel.name} {a.name})"
           f" {a.name}s {text}")
    b.pair(f"{a.name}s.{a.name}_x")
    return True


@join("nested join tree", 2)
def join_tree(b):
    found = b.to_one()
    if not found:
        return None
    src, sc, rel = found
    a = b.alias(rel)
    inner = Builder.__new__(Builder)
    inner.__dict__.update(b.__dict__, scope=[a])
    second = inner.to_one()
    if not second:
        return None
    _, c, r = second
    other = b.alias(r)
    kind = b.rng.choice(["JOIN", "LEFT JOIN"])
    inner_kind = b.rng.choice(["JOIN", "LEFT JOIN"])
    b.join(f"@ {kind} ({rel.name} {a.name} {inner_kind} {r.name} {other.name}"
           f" ON {b.on(a, c, other, r.key)})"
           f" ON {b.on(src, sc, a, rel.key)}", a)
    b.scope.append(other)
    b.pair(b.element(other))
    return True


@join("anti join", 2)
def anti_join(b):
    found = b.to_many()
    if found:
        src, sc, rel, rc = found
        a = b.alias(rel, 3)
        return b.join(f"@ LEFT JOIN {rel.name} {a.name}"
                      f" ON {b.on(src, sc, a, rc, 0.6)}",
                      where=f"{a[rc]} IS NULL")


@join("grouped subquery in FROM", 5)
def grouped_subquery(b):
    found = grouped_select(b)
    if found:
        text, outer, alias, kind = found
        b.join(f"@ {kind} ({text}) {alias} ON {alias}.k = {outer}")
        return grouped_values(b, alias)


def grouped_select(b):
    found = b.to_many()
    if not found:
        return None
    src, sc, rel, rc = found
    a = b.alias(rel, 4)
    element = b.element(a, exact=not rel.key)
    order = a[rel.key] if rel.key else element
    text = (f"SELECT {a[rc]} AS k, count(*) AS c, jsonb_agg({element}"
            f" ORDER BY {order}) AS j FROM {rel.name} {a.name}")
    if b.maybe(0.3):
        text += f" WHERE {b.filter(a)}"
    text += f" GROUP BY {a[rc]}"
    if b.maybe(0.25):
        b.use("HAVING in a subquery")
        text += f" HAVING {having(b, a)}"
    kind = b.rng.choice(["LEFT JOIN", "LEFT JOIN", "JOIN"])
    return text, src[sc], f"g{b.aliases}", kind


def having(b, alias):
    n, flag = b.column(alias, {"int"}), b.column(alias, {"bool"})
    some = ["count(*) > 1", "count(*) < 3", f"count({alias.name}) = 1"]
    some += [f"sum({n}) > 2", f"max({n}) IS DISTINCT FROM 2"] if n else []
    some += [f"bool_or({flag})", f"(NOT bool_and({flag}))"] if flag else []
    return b.rng.choice(some)


def grouped_values(b, alias):
    b.pair(f"{alias}.j")
    if b.maybe(0.5):
        b.pair(f"coalesce({alias}.c, 0)")
    return True


@join("CTE", 2)
def cte(b):
    found = grouped_select(b)
    if found:
        text, outer, alias, kind = found
        how = b.rng.choice(["", "", "MATERIALIZED ", "NOT MATERIALIZED "])
        if how.startswith("MAT"):
            b.use("CTE MATERIALIZED")
        b.d.parts.append(Part(cte=f"{alias}_c AS {how}({text})"))
        b.join(f"@ {kind} {alias}_c {alias} ON {alias}.k = {outer}")
        if b.maybe(0.3):
            b.use("CTE used twice")
            b.pair(f"EXISTS (SELECT FROM {alias}_c WHERE {alias}_c.k = {outer}"
                   f" AND {alias}_c.c > 1)")
        return grouped_values(b, alias)


@join("grouping sets in a subquery", 1)
def grouping_sets(b):
    found = b.to_many()
    if found:
        src, sc, rel, rc = found
        a = b.alias(rel, 4)
        alias = f"g{b.aliases}"
        b.join(f"@ LEFT JOIN (SELECT {a[rc]} AS k, count(*) AS c"
               f" FROM {rel.name} {a.name} WHERE {a[rc]} IS NOT NULL"
               f" GROUP BY GROUPING SETS (({a[rc]}), ())) {alias}"
               f" ON {alias}.k = {src[sc]}")
        b.pair(f"{alias}.c")
        return True


@join("LATERAL aggregate", 2)
def lateral_aggregate(b):
    s = sub(b)
    if s:
        alias = f"l{b.aliases}"
        b.join(f"@ CROSS JOIN LATERAL (SELECT count(*) AS c, jsonb_agg("
               f"{s.element} ORDER BY {s.order}) AS j {s}) {alias}")
        return grouped_values(b, alias)


@join("LATERAL with ORDER BY and LIMIT", 2)
def lateral_limit(b):
    s = sub(b, keyed=True)
    if s:
        alias = f"l{b.aliases}"
        kind, on = b.rng.choice([("LEFT JOIN", " ON true"),
                                 ("CROSS JOIN", ""), ("JOIN", " ON true")])
        b.join(f"@ {kind} LATERAL (SELECT {s.element} AS e {s}"
               f" ORDER BY {s.order} LIMIT 1) {alias}{on}")
        b.pair(f"{alias}.e")
        return True


@join("window in a subquery", 1)
def window_subquery(b):
    found = b.to_many(keyed=True)
    if found:
        src, sc, rel, rc = found
        a = b.alias(rel, 4)
        alias = f"w{b.aliases}"
        b.join(f"@ LEFT JOIN (SELECT {a[rc]} AS k, {b.element(a)} AS e,"
               f" row_number() OVER (PARTITION BY {a[rc]} ORDER BY"
               f" {a[rel.key]} DESC) AS r FROM {rel.name} {a.name}) {alias}"
               f" ON {alias}.k = {src[sc]} AND {alias}.r = 1")
        b.pair(f"{alias}.e")
        return True


@join("DISTINCT in FROM", 1)
def distinct_in_from(b):
    found = b.to_many()
    if found:
        src, sc, rel, rc = found
        a = b.alias(rel, 4)
        alias = f"g{b.aliases}"
        if rel.key and b.maybe(0.5):
            b.use("DISTINCT ON in FROM")
            text = (f"SELECT DISTINCT ON ({a[rc]}) {a[rc]} AS k,"
                    f" {b.element(a)} AS e FROM {rel.name} {a.name}"
                    f" ORDER BY {a[rc]}, {a[rel.key]} DESC")
        else:
            text = (f"SELECT DISTINCT {a[rc]} AS k, 1 AS e"
                    f" FROM {rel.name} {a.name}")
            if b.maybe(0.5):
                text += f" WHERE {b.filter(a)}"
        kind = b.rng.choice(["LEFT JOIN", "JOIN"])
        b.join(f"@ {kind} ({text}) {alias} ON {alias}.k = {src[sc]}")
        b.pair(f"{alias}.e")
        return True


@join("set operation in FROM", 1)
def set_operation_in_from(b):
    found = b.to_many()
    if not found:
        return None
    src, sc, rel, rc = found
    others = [(r, c) for r in b.rels for c in r.domains(sc.domain)
              if c.type == sc.type and b.fits(r, 4)]
    if not others:
        return None
    r, c = b.pick(others)
    a, z = b.alias(rel, 4), b.alias(r, 4)
    alias = f"g{b.aliases}"
    operation = b.rng.choice(["UNION", "EXCEPT", "INTERSECT"])
    kind = b.rng.choice(["LEFT JOIN", "JOIN"])
    b.join(f"@ {kind} (SELECT {a[rc]} AS k FROM {rel.name} {a.name}"
           f" {operation} SELECT {z[c]} FROM {r.name} {z.name}) {alias}"
           f" ON {alias}.k = {src[sc]}")
    b.pair(f"({alias}.k IS NOT NULL)")
    return True


@join("VALUES in FROM", 1)
def values_join(b):
    n = b.column(b.scope[0], {"int"})
    if n:
        alias = f"v{len(b.d.parts)}"
        b.join(f"@ LEFT JOIN (VALUES (1, 'one'), (2, 'two')) {alias} (n, t)"
               f" ON {alias}.n = {n}")
        b.pair(f"{alias}.t")
        return True


@join("function in FROM", 1)
def function_join(b):
    n = b.column(b.scope[0], {"int"})
    if n:
        alias = f"f{len(b.d.parts)}"
        b.join(f"@ CROSS JOIN LATERAL (SELECT jsonb_agg(i ORDER BY i) AS j"
               f" FROM generate_series(1, {n}) i) {alias}")
        b.pair(f"{alias}.j")
        return True


@join("duplicate keys", 1)
def fan_out(b):
    """A join that may repeat the key: right only as long as it does not."""
    found = b.to_many()
    if found:
        src, sc, rel, rc = found
        a = b.alias(rel, 3)
        b.d.may_repeat = True
        return b.join(f"@ LEFT JOIN {rel.name} {a.name}"
                      f" ON {b.on(src, sc, a, rc)}", a)


# ---------------------------------------------------------------------------
# Values

@value("column", 6)
def plain_value(b):
    return b.element_here()


@value("expression", 3)
def expression(b):
    a = b.rng.choice(b.scope)
    n, name, flag = (b.column(a, {t}) for t in ("int", "text", "bool"))
    some = [f"({a[b.rng.choice(a.rel.columns)]} IS NULL)"]
    if n:
        some += [f"{n} * 2 + 1", f"CASE WHEN {n} > 1 THEN 'many' END",
                 f"nullif({n}, 1)", f"greatest({n}, 2)"]
    if name:
        some += [f"upper({name})", f"{name} || '-' || {name}",
                 f"coalesce({name}, 'none')", f"length({name})"]
    if flag:
        some += [f"CASE WHEN {flag} THEN {b.element(a)}::text END"]
    return b.rng.choice(some)


@value("jsonb_agg", 10)
@correlated
def jsonb_agg(b, s):
    text = f"(SELECT jsonb_agg({s.element} ORDER BY {s.order}) {s})"
    return f"coalesce({text}, '[]')" if b.maybe(0.5) else text


@value("count", 6)
@correlated
def count(b, s):
    what = b.rng.choice(["*", "*", s.alias.name,
                         b.column(s.alias, EXACT) or "*"])
    return f"(SELECT count({what}) {s})"


@value("sum, min, max, bool_or", 3)
@correlated
def other_aggregates(b, s):
    n, name, flag, amount = (b.column(s.alias, {t}) for t in
                             ("int", "text", "bool", "numeric"))
    some = [f"sum({n})", f"max({n})", f"min({n}) + count(*)",
            f"round(avg({n}), 2)"] if n else []
    some += [f"max({name})", f"min({name})"] if name else []
    some += [f"bool_or({flag})", f"bool_and({flag})"] if flag else []
    some += [f"sum({amount})"] if amount else []
    return f"(SELECT {b.rng.choice(some)} {s})" if some else None


@value("FILTER", 1)
@correlated
def filtered(b, s):
    return (f"(SELECT jsonb_build_array(count(*), count(*) FILTER (WHERE "
            f"{b.filter(s.alias)})) {s})")


@value("DISTINCT in an aggregate", 1)
@correlated_exact
def distinct_aggregate(b, s):
    return b.rng.choice([
        f"(SELECT jsonb_agg(DISTINCT {s.element}) {s})",
        f"(SELECT count(DISTINCT {s.element}) {s})"])


@value("array_agg", 1)
@correlated
def array_agg(b, s):
    return f"(SELECT to_jsonb(array_agg({s.element} ORDER BY {s.order})) {s})"


@value("string_agg", 1)
@correlated
def string_agg(b, s):
    return (f"(SELECT string_agg(({s.element})::text, ',' ORDER BY {s.order})"
            f" {s})")


@value("jsonb_object_agg", 1)
def jsonb_object_agg(b):
    s = sub(b, keyed=True)
    return s and (f"(SELECT jsonb_object_agg({s.alias[s.alias.rel.key]}::text,"
                  f" {s.element}) {s})")


@value("ordered-set aggregate", 0.7)
@correlated
def ordered_set(b, s):
    n = b.column(s.alias, {"int"})
    return n and (f"(SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY {n})"
                  f" {s})")


@value("ARRAY(subquery)", 1)
@correlated
def array_subquery(b, s):
    return f"to_jsonb(ARRAY(SELECT {s.element} {s} ORDER BY {s.order}))"


@value("scalar subquery", 3)
def scalar_subquery(b):
    found = b.to_one(keyed_only=True)
    if found:
        src, sc, rel = found
        a = b.alias(rel)
        return (f"(SELECT {b.element(a)} FROM {rel.name} {a.name}"
                f" WHERE {b.on(src, sc, a, rel.key)})")


@value("subquery with ORDER BY and LIMIT", 2)
def limited(b):
    s = sub(b, keyed=True)
    if s and b.maybe(0.5):
        return f"(SELECT {s.element} {s} ORDER BY {s.order} LIMIT 1)"
    key = s and s.alias[s.alias.rel.key]
    return s and (f"(SELECT jsonb_agg(t.e ORDER BY t.o) FROM (SELECT "
                  f"{s.element} AS e, {key} AS o {s} ORDER BY {s.order}"
                  f" LIMIT 2) t)")


def below(b, make):
    """A subquery in FROM that relates to the outer query only by a condition
    on its output."""
    found = b.to_many(keyed=True)
    if not found:
        return None
    src, sc, rel, rc = found
    a = b.alias(rel, 4)
    inner = make(a, a[rc], b.element(a), a[rel.key])
    return inner and (f"(SELECT jsonb_agg(s.e ORDER BY s.o) FROM ({inner}) s"
                      f" WHERE s.k = {src[sc]})")


@value("LIMIT below the condition", 0.7)
def limit_below(b):
    return below(b, lambda a, k, e, o: (
        f"SELECT {k} AS k, {e} AS e, {o} AS o FROM {a.rel.name} {a.name}"
        f" ORDER BY {o} LIMIT 4"))


@value("DISTINCT ON below the condition", 0.7)
def distinct_on_below(b):
    def make(a, k, e, o):
        other = b.column(a, {"int", "text", "bool"})
        return other and (
            f"SELECT DISTINCT ON ({other}) {k} AS k, {e} AS e, {o} AS o"
            f" FROM {a.rel.name} {a.name} ORDER BY {other}, {o}")
    return below(b, make)


@value("window below the condition", 0.7)
def window_below(b):
    def make(a, k, e, o):
        partition = b.rng.choice([f"PARTITION BY {k}", ""])
        return (f"SELECT {k} AS k, count(*) OVER ({partition}) AS e, {o} AS o"
                f" FROM {a.rel.name} {a.name}")
    return below(b, make)


@value("aggregate below the condition", 0.7)
def aggregate_below(b):
    """Related through what an aggregate returns."""
    def make(a, k, e, o):
        group = b.column(a, {"int", "text", "bool"})
        return group and (
            f"SELECT (array_agg({k} ORDER BY {o}))[1] AS k, count(*) AS e,"
            f" {group} AS o FROM {a.rel.name} {a.name} GROUP BY {group}")
    return below(b, make)


@value("set operation in a subquery", 1)
def set_operation(b):
    x, y = sub(b, exact=True), sub(b, exact=True)
    operation = b.rng.choice(["UNION ALL", "UNION", "EXCEPT", "INTERSECT"])
    return x and y and (
        f"(SELECT jsonb_agg(t.e ORDER BY t.e) FROM (SELECT {x.element}::text"
        f" AS e {x} {operation} SELECT {y.element}::text {y}) t)")


@value("function in a subquery", 1)
def unnested(b):
    doc = b.column(b.rng.choice(b.scope), {"jsonb"})
    return doc and (f"(SELECT count(*) FROM jsonb_array_elements(CASE WHEN "
                    f"jsonb_typeof({doc}) = 'array' THEN {doc} END) x)")


@value("set-returning function in a subquery's target list", 0.7)
@correlated_exact
def srf_target(b, s):
    return (f"(SELECT jsonb_agg(t.e ORDER BY t.e, t.i) FROM (SELECT"
            f" {s.element}::text AS e, generate_series(1, 2) AS i {s}) t)")


@value("window", 2.5)
def window(b):
    a = b.scope[0]
    others = [c for c in a.rel.columns if c.domain and c is not a.rel.key]
    if b.closed or not a.rel.key or not others:
        return None
    function = b.rng.choice(["row_number()", "count(*)", "rank()"])
    return (f"{function} OVER (PARTITION BY {a[b.rng.choice(others)]}"
            f" ORDER BY {a[a.rel.key]})")


@value("window without partition", 0.5)
def window_whole(b):
    a = b.scope[0]
    if b.closed or not a.rel.key:
        return None
    return f"row_number() OVER (ORDER BY {a[a.rel.key]})"


@value("uncorrelated subquery", 1)
def uncorrelated(b):
    rels = [(r,) for r in b.rels if b.fits(r)]
    found = b.pick(rels)
    if found:
        a = b.alias(found[0])
        n = b.column(a, {"int"})
        return (f"(SELECT {'sum(' + n + ')' if n else 'count(*)'}"
                f" FROM {a.rel.name} {a.name})")


@value("non-equality correlation", 1)
def inequality(b):
    n = b.column(b.rng.choice(b.scope), {"int"})
    rels = [(r,) for r in b.rels if r.typed({"int"}) and b.fits(r, 3)]
    if n and rels:
        a = b.alias(b.pick(rels)[0], 3)
        return (f"(SELECT count(*) FROM {a.rel.name} {a.name}"
                f" WHERE {b.column(a, {'int'})} > {n})")


@value("join on a value", 1)
def by_value(b):
    """Related through an attribute that is nobody's key."""
    name = b.column(b.rng.choice(b.scope), {"text"})
    rels = [(r,) for r in b.rels if r.typed({"text"}) and b.fits(r, 3)]
    if name and rels:
        a = b.alias(b.pick(rels)[0], 3)
        other = b.column(a, {"text"})
        on = b.rng.choice([f"{other} = {name}"] * 2
                          + [f"lower({other}) = lower({name})"])
        return f"(SELECT count(*) FROM {a.rel.name} {a.name} WHERE {on})"


@value("OR correlation", 1)
def or_correlation(b):
    x = b.to_many()
    if x:
        src, sc, rel, rc = x
        others = [c for c in rel.columns if c.domain == sc.domain
                  and c is not rc]
        a = b.alias(rel, 3)
        if others:
            right = f"{a[b.rng.choice(others)]} = {src[sc]}"
        else:
            n, m = b.column(src, {"int"}), b.column(a, {"int"})
            if not n or not m:
                return None
            right = f"{n} = {m}"
        return (f"(SELECT count(*) FROM {rel.name} {a.name}"
                f" WHERE {a[rc]} = {src[sc]} OR {right})")


@value("recursive CTE", 1)
def recursive(b):
    found = [(a, c) for a in b.scope for c in a.rel.columns
             if c.name == "fk_parent" and a.rel.kind == "table"]
    if found:
        a, c = b.rng.choice(found)
        t = b.alias(a.rel, 2).name
        key = a.rel.key.name
        start, step, back = b.rng.choice([
            (a[c], f"{t}.{c.name}", f"{t}.{key}"),
            (a[a.rel.key], f"{t}.{key}", f"{t}.{c.name}")])
        return (f"(WITH RECURSIVE r (k) AS (SELECT {start} UNION SELECT {step}"
                f" FROM {a.rel.name} {t} JOIN r ON r.k = {back})"
                f" SELECT jsonb_agg(r.k ORDER BY r.k) FROM r)")


# ---------------------------------------------------------------------------
# Predicates

@predicate("WHERE on columns", 6)
def column_condition(b):
    return b.filter(b.rng.choice(b.scope))


@predicate("EXISTS", 4)
@correlated
def exists(b, s):
    return f"EXISTS (SELECT 1 {s})"


@predicate("NOT EXISTS", 4)
@correlated
def not_exists(b, s):
    return f"NOT EXISTS (SELECT 1 {s})"


@predicate("OR with a subquery", 1)
@correlated
def or_exists(b, s):
    return f"({b.filter(b.scope[0])} OR EXISTS (SELECT 1 {s}))"


@predicate("IN", 2)
def in_subquery(b):
    s = sub(b, plain=True)
    return s and (f"{s.outer} IN (SELECT {s.alias.name}.{s.link} FROM"
                  f" {s.source} WHERE {b.filter(s.alias)})")


@predicate("NOT IN", 1)
def not_in_subquery(b):
    s = sub(b, plain=True)
    text = s and f"{s.alias.name}.{s.link}"
    return s and (f"{s.outer} NOT IN (SELECT {text} FROM {s.source}"
                  + (f" WHERE {text} IS NOT NULL)" if b.maybe(0.6) else ")"))


@predicate("NOT IN, correlated", 0.7)
@correlated
def not_in_correlated(b, s):
    n, m = b.column(b.scope[0], {"int"}), b.column(s.alias, {"int"})
    return n and m and f"({n} NOT IN (SELECT {m} {s})) IS NOT FALSE"


@predicate("ANY, ALL", 1)
@correlated
def any_all(b, s):
    n, m = b.column(b.scope[0], {"int"}), b.column(s.alias, {"int"})
    comparison = b.rng.choice(["= ANY", ">= ALL", "<> ALL", "< ANY"])
    return n and m and f"{n} {comparison} (SELECT {m} {s})"


@predicate("ANY(ARRAY(subquery))", 0.7)
@correlated
def any_array(b, s):
    n, m = b.column(b.scope[0], {"int"}), b.column(s.alias, {"int"})
    return n and m and f"{n} = ANY (ARRAY(SELECT {m} {s}))"


@predicate("aggregate in WHERE", 2)
@correlated
def count_condition(b, s):
    return f"(SELECT count(*) {s}) {b.rng.choice(['> 1', '= 0', '< 3'])}"


# ---------------------------------------------------------------------------
# Frames

def root(b, rel, alias=None):
    a = alias or b.alias(rel)
    b.scope.append(a)
    b.d.root = f"{rel.name} {a.name}"
    b.d.key = a[rel.key]
    return a


def out_column(b, expression, name, column):
    """A column beside key and data; later definitions can use it."""
    if name not in b.d.column_names() and name != "data":
        b.d.parts.append(Part(column=f"{expression} AS {name}"))
        b.d.rel.columns.append(Column(
            name, column.type, column.domain, used=column.used))


def start(b, key_type, domain):
    """Call first: the relation that v_x will be."""
    key = Column(b.d.key_name, key_type, domain, True)
    b.d.rel = Rel(b.d.view, [key], key, "v_")


@frame("rows of a root", 30)
def plain_frame(b):
    found = b.pick([(r,) for r in b.rels if r.key and b.fits(r)
                    and (b.chain or r.kind in ("table", "table", "view")
                         or b.maybe(0.25))])
    if not found:
        return None
    rel = found[0]
    start(b, rel.key.type, rel.key.domain)
    a = root(b, rel)
    if rel.kind != "table":
        b.use("root is " + ("a plain view" if rel.kind == "view"
                            else rel.kind))
    for c in rel.columns:
        if c is rel.key or not c.used or c.name == "data":
            continue
        if b.maybe(0.7 if c.domain or c.name == "id" else 0.25):
            out_column(b, a[c], c.name, c)
    b.pair(b.element(a))
    return True


@frame("GROUP BY the key of a root", 4)
def group_frame(b):
    rels = [r for r in b.rels if r.key and r.kind in ("table", "tv_")
            and b.fits(r)]
    found = b.pick([(r,) for r in rels])
    if not found:
        return None
    rel = found[0]
    start(b, rel.key.type, rel.key.domain)
    a = root(b, rel)
    if rel.kind == "tv_":
        b.use("root is tv_")
    b.pair(b.element(a))
    b.d.group = a[rel.key]
    many = b.to_many()
    if not many:
        return None
    src, sc, other, rc = many
    c = b.alias(other, 3)
    kind = b.rng.choice(["LEFT JOIN", "LEFT JOIN", "JOIN"])
    b.join(f"@ {kind} {other.name} {c.name} ON {b.on(src, sc, c, rc)}")
    element = b.element(c, exact=not other.key)
    order = c[other.key] if other.key else element
    b.pair(f"jsonb_agg({element} ORDER BY {order})"
           + (f" FILTER (WHERE {c[rc]} IS NOT NULL)" if b.maybe(0.5) else ""))
    b.pair(f"count({c[rc]})")
    if b.maybe(0.3):
        b.use("HAVING")
        b.d.parts.append(Part(having=having(b, c)))
    if b.maybe(0.5):
        out_column(b, f"count({c[rc]})::int", "n", Column("n", "int"))
    b.closed = True             # nothing that joins or needs a window
    return True


@frame("GROUP BY a reference", 4)
def group_reference_frame(b):
    found = b.pick([(r, c) for r in b.rels for c in r.columns
                    if c.domain and c is not r.key and b.fits(r)])
    if not found:
        return None
    rel, c = found
    start(b, c.type, c.domain)
    a = b.alias(rel)
    b.d.root, b.d.key, b.d.group = f"{rel.name} {a.name}", a[c], a[c]
    element = b.element(a, exact=not rel.key)
    b.pair(a[c])
    b.pair("count(*)")
    b.pair(f"jsonb_agg({element} ORDER BY "
           f"{a[rel.key] if rel.key else element})")
    if c.notnull or b.maybe(0.85):
        b.where(f"{a[c]} IS NOT NULL")
    else:
        b.d.may_repeat = True
    if b.maybe(0.3):
        b.use("HAVING")
        b.d.parts.append(Part(having=having(b, a)))
    key_only = Rel(rel.name, [c], None, "group")
    b.scope.append(Alias(a.name, key_only))
    b.closed = "grouped"
    return True


@frame("DISTINCT", 1, closed=True)
def distinct_frame(b):
    found = b.pick([(r, c) for r in b.rels for c in r.columns
                    if c.domain and c is not r.key and b.fits(r)])
    if not found:
        return None
    rel, c = found
    start(b, c.type, c.domain)
    a = b.alias(rel)
    b.d.root, b.d.key, b.d.distinct = f"{rel.name} {a.name}", a[c], "DISTINCT "
    b.pair(a[c])
    b.where(f"{a[c]} IS NOT NULL")
    return True


@frame("DISTINCT over a join", 0.7, closed=True)
def distinct_join_frame(b):
    found = b.pick([(r,) for r in b.rels if r.key and r.kind == "table"])
    if not found:
        return None
    rel = found[0]
    start(b, rel.key.type, rel.key.domain)
    a = root(b, rel)
    b.pair(b.element(a, exact=True))
    many = b.to_many()
    if not many:
        return None
    src, sc, other, rc = many
    c = b.alias(other, 3)
    b.join(f"@ JOIN {other.name} {c.name} ON {b.on(src, sc, c, rc)}")
    b.d.distinct = "DISTINCT "
    return True


@frame("DISTINCT ON over a join", 0.7)
def distinct_on_join_frame(b):
    if not plain_frame(b):
        return None
    many = b.to_many(keyed=True)
    if not many:
        return None
    src, sc, other, rc = many
    c = b.alias(other, 3)
    b.join(f"@ LEFT JOIN {other.name} {c.name} ON {b.on(src, sc, c, rc)}", c)
    b.d.distinct = f"DISTINCT ON ({b.d.key}) "
    b.d.suffix = f"ORDER BY {b.d.key}, {c[other.key]} DESC"
    b.closed = True
    return True


@frame("DISTINCT ON", 1.5)
def distinct_on_frame(b):
    found = b.pick([(r, c) for r in b.rels for c in r.columns
                    if c.domain and c is not r.key and r.key and b.fits(r)])
    if not found:
        return None
    rel, c = found
    start(b, c.type, c.domain)
    a = root(b, rel)
    b.d.key = a[c]
    b.d.distinct = f"DISTINCT ON ({a[c]}) "
    b.d.suffix = (f"ORDER BY {a[c]}, {a[rel.key]}"
                  + b.rng.choice(["", " DESC"]))
    b.pair(b.element(a))
    b.where(f"{a[c]} IS NOT NULL")
    b.closed = True
    return True


@frame("UNION of a root's rows", 2)
def union_frame(b):
    """Two branches that share no key, because of a condition on each."""
    rels = [r for r in b.rels if r.key and r.kind == "table" and b.fits(r)
            and r.typed({"int", "bool"})]
    if not rels:
        return None
    rel = b.rng.choice(rels)
    start(b, rel.key.type, rel.key.domain)
    a = root(b, rel)
    c = b.rng.choice(rel.typed({"int", "bool"}))
    test = a[c] if c.type == "bool" else f"{a[c]} > 1"
    b.pair(b.element(a, exact=True))
    b.where(test)
    other = Alias("z", rel)
    test = other[c] if c.type == "bool" else f"{other[c]} > 1"
    operation = b.rng.choice(["UNION ALL", "UNION"])
    b.use(operation)
    b.d.wrap = (f"@ {operation} SELECT {other[rel.key]}, jsonb_build_object("
                f"'z', {b.element(other, exact=True)}) FROM {rel.name} z"
                f" WHERE ({test}) IS NOT TRUE")
    return True


@frame("UNION ALL of two roots", 1, closed=True)
def union_two_frame(b):
    pairs = [(r, s) for r in b.rels for s in b.rels if r is not s
             and r.key and s.key and r.key.type == s.key.type
             and r.kind == s.kind == "table"]
    if not pairs:
        return None
    x, y = b.rng.choice(pairs)
    start(b, x.key.type, None)
    a, z = root(b, x), Alias("z", y)
    b.pair(b.element(a, exact=True))
    apart = x.key.type == "int" and b.maybe(0.7)
    key = f"{z[y.key]} + 100" if apart else z[y.key]
    b.d.may_repeat = not apart
    b.d.wrap = (f"@ UNION ALL SELECT {key}, jsonb_build_object('z', "
                f"{b.element(z, exact=True)}) FROM {y.name} z")
    return True


@frame("EXCEPT, INTERSECT", 1, closed=True)
def except_frame(b):
    found = b.pick([(r, r.key) for r in b.rels if r.key
                    and r.kind == "table" and b.fits(r)])
    if not found:
        return None
    rel = found[0]
    start(b, rel.key.type, rel.key.domain)
    a = root(b, rel)
    b.pair(a[rel.key])
    many = b.pick([(r, c) for r in b.rels for c in r.domains(rel.key.domain)
                   if c is not r.key and b.fits(r, 3)])
    if not many:
        return None
    other, rc = many
    b.alias(other, 3)
    operation = b.rng.choice(["EXCEPT", "INTERSECT"])
    b.use(operation)
    b.d.wrap = (f"@ {operation} SELECT z.{rc.name}, jsonb_build_object('k1', "
                f"z.{rc.name}) FROM {other.name} z")
    return True


@frame("FULL JOIN with a coalesced key", 1.5, closed=True)
def full_join_frame(b):
    rels = [(r,) for r in b.rels if r.key and r.kind in ("table", "v_")
            and b.fits(r)]
    found = b.pick(rels)
    if not found:
        return None
    rel = found[0]
    start(b, rel.key.type, rel.key.domain)
    a = root(b, rel)
    others = [(r, c) for r in b.rels for c in r.domains(rel.key.domain)
              if r is not rel and b.fits(r, 3) and c.type == rel.key.type]
    found = b.pick(others)
    if not found:
        return None
    r, c = found
    b.alias(r, 3)
    b.d.key = f"coalesce({a[rel.key]}, g.k)"
    null = b.maybe(0.2) and not c.notnull
    b.d.may_repeat = null
    b.join(f"@ FULL JOIN (SELECT z.{c.name} AS k, count(*) AS c"
           f" FROM {r.name} z"
           + ("" if null else f" WHERE z.{c.name} IS NOT NULL")
           + f" GROUP BY z.{c.name}) g ON g.k = {a[rel.key]}")
    b.pair(b.element(a))
    b.pair("g.c")
    return True


@frame("expression as key", 1.5)
def expression_key_frame(b):
    if not plain_frame(b):
        return None
    key = b.d.rel.key
    key.domain = None
    expressions = {
        "int": "@ + 1000", "bigint": "-@", "text": "@ || 'x'",
        "uuid": "@::text", "numeric": "@ * 2"}
    b.d.key = expressions[key.type].replace("@", b.d.key)
    if key.type == "uuid":
        key.type = "text"
    return True


@frame("CTE around all", 1.5)
def cte_frame(b):
    b.d.wrap = (f"WITH q AS {b.rng.choice(['', 'MATERIALIZED '])}(@)"
                " SELECT q.* FROM q")
    return plain_frame(b)


@frame("subquery around all", 2)
def subquery_frame(b):
    b.d.wrap = "SELECT s.* FROM (@) s"
    if b.maybe(0.3):
        b.use("OFFSET 0")
        b.d.wrap = "SELECT s.* FROM (@ OFFSET 0) s"
    return plain_frame(b)


@frame("ORDER BY at the top", 1)
def order_frame(b):
    b.d.suffix = f"ORDER BY {b.d.key_name}"
    return plain_frame(b)


@frame("LIMIT at the top", 0.5)
def limit_frame(b):
    b.d.suffix = f"ORDER BY {b.d.key_name} LIMIT 4"
    return plain_frame(b)


# ---------------------------------------------------------------------------

def choose(b, shapes):
    name, _, function, options = b.rng.choices(
        shapes, [s[1] for s in shapes])[0]
    return name, function, options


def add_part(b):
    """One more part, of a kind that the frame can take."""
    kinds = [(JOINS, 5), (VALUES, 8), (PREDICATES, 3)]
    if b.closed:
        kinds = kinds[1:]
    if b.closed == "grouped":
        kinds = [(VALUES, 1)]
    shapes = b.rng.choices([k for k, _ in kinds], [w for _, w in kinds])[0]
    name, function, _ = choose(b, shapes)
    before = set(b.d.features), set(b.d.needs)
    made = function(b)
    if not made:
        b.d.features, b.d.needs = before
        return
    b.use(name)
    if shapes is VALUES:
        if b.maybe(0.12) and name in ("count", "uncorrelated subquery") \
                and not any(c.name == "n" for c in b.d.rel.columns) \
                and "UNION" not in b.d.wrap:
            b.use("computed column")
            out_column(b, f"{made}::int", "n", Column("n", "int"))
        else:
            b.pair(made)
    elif shapes is PREDICATES:
        if b.maybe(0.6):
            b.where(f"({made})")
        else:
            b.pair(f"({made})")


def make_definition(rng, rels, entity, chain=False):
    """A definition over rels, or None when the dice found nothing.  In a chain
    it reads the deepest TVIEW there is, if it can."""
    b = Builder(rng, rels, entity, chain)
    name, function, options = choose(b, FRAMES[:1] if chain else FRAMES)
    if not function(b):
        return None
    b.use(name)
    if not options.get("closed"):
        for _ in range(rng.randint(0, 2) if chain
                       else rng.choice([0, 1, 2, 2, 3, 3, 4, 6])):
            add_part(b)
    d = b.d
    d.rel.depth = b.depth + 1
    d.rel.weight = max(1, b.weight)
    if any(w in d.wrap + d.distinct for w in ("MATERIALIZED", "UNION",
                                              "OFFSET", "EXCEPT", "DISTINCT")):
        d.rel.weight += 10      # conditions on the key stay outside
    d.rel.needs = {d.entity}
    d.rel.columns.append(Column("data", "jsonb", used=False))
    d.rel.json_keys = [p.pair.split("'")[1] for p in d.parts if p.pair]
    return d


def stored(d):
    """The relation tv_x of a definition."""
    r = d.rel
    return Rel(d.tview, r.columns, r.key, "tv_", 1, r.depth, r.json_keys,
               r.needs)


def make_view(rng, rels, number):
    """A plain view: (SQL, Rel), or None."""
    b = Builder(rng, [r for r in rels if r.kind in ("table", "v_", "tv_")], "")
    name = f"w_{number}"
    if b.maybe(0.35):
        found = b.pick([(r, c) for r in b.rels for c in r.columns
                        if c.domain and c is not r.key])
        if not found:
            return None
        rel, c = found
        a = b.alias(rel)
        element = b.element(a, exact=not rel.key)
        order = a[rel.key] if rel.key else element
        key = Column(c.name, c.type, c.domain, True)
        out = Rel(name, [key, Column("n", "int"),
                         Column("data", "jsonb", used=False)], key)
        sql = (f"SELECT {a[c]}, count(*)::int AS n, jsonb_agg({element}"
               f" ORDER BY {order}) AS data FROM {rel.name} {a.name}"
               f" WHERE {a[c]} IS NOT NULL GROUP BY {a[c]}")
        out.weight = rel.weight * 6
    else:
        found = b.pick([(r,) for r in b.rels if r.key])
        rel = found[0]
        a = b.alias(rel)
        b.scope.append(a)
        keep = [c for c in rel.columns
                if c.used and (c is rel.key or b.maybe(0.7))]
        text = [a[c] for c in keep]
        sql = f"FROM {rel.name} {a.name}"
        columns = [Column(c.name, c.type, c.domain, c.notnull) for c in keep]
        out = Rel(name, columns, columns[keep.index(rel.key)])
        other = b.to_one()
        if other and b.maybe(0.5):
            src, sc, r = other
            o = b.alias(r)
            sql += f" LEFT JOIN {r.name} {o.name} ON {b.on(src, sc, o, r.key)}"
            text.append(f"to_jsonb({b.element(o)}) AS joined_{number}")
            columns.append(Column(f"joined_{number}", "jsonb"))
        if b.maybe(0.4):
            sql += f" WHERE {b.filter(a)}"
        sql = f"SELECT {', '.join(text)} {sql}"
        out.weight = b.weight
    out.kind, out.depth, out.needs = "view", b.depth, b.d.needs | {name}
    return f"CREATE VIEW {name} AS {sql}", out
