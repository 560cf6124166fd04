"""What random definitions are put together from.

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
wants to note more of what it used calls b.use(name).  Where it has a choice,
it asks b.chance() or b.option(), which know what the run still lacks.

Definitions must be deterministic: aggregates that depend on order are fully
ordered, LIMIT follows a total order, and what compares values (DISTINCT,
UNION, min) gets only types whose equal values are the same (EXACT).
"""

from dataclasses import dataclass, field

from schema import EXACT, KEYS, NUMBERS, Rel, key_literal, quote

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
    reads: set = field(default_factory=set)     # names of tables
    may_repeat: bool = False    # keys may come out twice, or NULL
    wanted: bool = False        # made for a feature that was missing
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


# Features that a column of a type is, and the columns that show them
COLUMN_FEATURES = {
    "mood": "enum column", "score": "domain column",
    "pair": "composite column", "int[]": "array column",
    "text COLLATE nocase": "nondeterministic collation", "citext": "citext",
}
SHOWN_BY = {
    "mood": "enum column", "score": "domain column",
    "duo": "composite column", "ints": "array column",
    "slug": "nondeterministic collation", "label": "citext",
    "twice": "generated column",
}


class Builder:
    def __init__(self, rng, rels, entity, chain=False, want=None):
        self.rng, self.rels, self.chain, self.want = rng, rels, chain, want
        self.d = Definition(entity)
        self.scope = []
        self.aliases = 0
        self.weight = self.depth = 0
        self.closed = False
        self.bare = False       # no columns but key and document
        self.read = []          # every alias, also those that came to nothing

    def use(self, feature):
        self.d.features.add(feature)

    def chance(self, feature, p):
        """Shall it have this feature?  Notes it if so."""
        if not self.maybe(0.8 if feature == self.want else p):
            return False
        self.use(feature)
        return True

    def option(self, options):
        """One of [(feature, anything)]; returns the thing."""
        wanted = [o for o in options if o[0] == self.want]
        feature, thing = self.rng.choice(wanted or options)
        self.use(feature)
        return thing

    def inside(self, scope):
        """The same builder for a subquery that sees other relations."""
        nested = Builder.__new__(Builder)
        nested.__dict__.update(self.__dict__, scope=scope)
        return nested

    def back_from(self, nested):
        self.__dict__.update({k: nested.__dict__[k]
                              for k in ("aliases", "weight", "depth")})

    def maybe(self, p):
        return self.rng.random() < p

    # -- relations and columns ---------------------------------------------

    def alias(self, rel, times=1):
        self.aliases += 1
        self.weight += rel.weight * times
        self.depth = max(self.depth, rel.depth)
        self.d.needs |= rel.needs
        letter = "w" if rel.kind == "view" else \
            rel.name.strip('"').split("_", 1)[1][0].lower()
        alias = Alias(f"{letter}{self.aliases}", rel)
        self.read.append(alias)
        return alias

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
            if self.want in rel.features or rel.embeds_array and \
                    self.want == "TVIEW embedded as an array of arrays":
                return 30
            weights = ((10, 8, 6) if self.want in COMPOSITION
                       else (2.5, 1, 1))
            return dict(zip(("v_", "tv_", "view"), weights)).get(rel.kind, 2)
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
        if not columns:
            return None
        return alias[self.rng.choice(columns)]

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
        some += self.special_filter(alias)
        if alias.rel.key and not some:
            key = alias.rel.key
            some = [f"{alias[key]} <> {key_literal(key.type, 3)}"]
        return rng.choice(some) if some else f"{alias.name} IS NOT NULL"

    def special_filter(self, alias):
        """Conditions on columns of the rarer types."""
        some = []
        for type_, conditions in (
                ("mood", ["@ = 'ok'", "@ < 'happy'"]),
                ("score", ["@ > 1", "@ <> 0"]),
                ("pair", ["(@).x > 1", "@ = ROW(1, 'a')::@type"]),
                ("int[]", ["2 = ANY (@)", "cardinality(@) > 1"]),
                ("text COLLATE nocase", ["@ = 'A'", "@ IN ('b', 'ZZ')"]),
                ("citext", ["@ = 'A'", "@ <> 'B'"])):
            columns = alias.rel.typed({type_})
            feature = COLUMN_FEATURES[type_]
            if columns and (feature == self.want or self.maybe(0.3)):
                some.append(self.rng.choice(conditions).replace(
                    "@type", "pair").replace("@", alias[columns[0]]))
                if feature == self.want:
                    return some * 20
        return some

    def rare(self, alias):
        """Expressions of the rarer types: [(feature, text)]."""
        made = []
        for type_, feature, texts in (
                ("mood", "enum column", ["@", "(@ > 'sad')", "@::text"]),
                ("score", "domain column", ["@ + 1", "(@ = 2)"]),
                ("pair", "composite column",
                 ["(@).t", "@", "(@).x + 1", "(@ IS NULL)"]),
                ("int[]", "array column",
                 ["@", "@[1]", "cardinality(@)", "(2 = ANY (@))",
                  "array_to_json(@)"]),
                ("text COLLATE nocase", "nondeterministic collation",
                 ["(@ = 'a')", "@", "@ COLLATE \"C\""]),
                ("citext", "citext", ["(@ = 'a')", "@", "lower(@)"]),
                ("jsonb", "JSON path",
                 ["jsonb_path_query_first(@, '$.a')", "@ #>> '{b,c}'",
                  "@ -> 0", "jsonb_path_exists(@, '$[*]')",
                  "jsonb_path_query_array(@, '$.*')"])):
            for c in alias.rel.typed({type_}):
                if c.name == "doc" or type_ != "jsonb":
                    made.append((feature, self.rng.choice(texts).replace(
                        "@", alias[c])))
        return made

    def element(self, alias, exact=False):
        """A value made from one row."""
        rng, name = self.rng, alias.name
        simple = [c for c in alias.rel.columns if c.used
                  and (c.type in EXACT or c.domain or not exact)]
        some = []
        if simple:
            wanted = [c for c in simple
                      if COLUMN_FEATURES.get(c.type) == self.want
                      or "GENERATED ALWAYS AS (" in c.default
                      and self.want == "generated column"]
            one = rng.choice(wanted or simple)
            some += [alias[one]] * 3
            chosen = rng.sample(simple, min(len(simple), rng.randint(1, 3)))
            some += ["jsonb_build_object(" + ", ".join(
                f"'{c.name.strip(chr(34))}', {alias[c]}" for c in chosen)
                + ")"] * 4
        if exact:
            return rng.choice(some) if some else "1"
        if any(c.name == "data" for c in alias.rel.columns):
            some += [f"{name}.data"] * (60 if self.want in COMPOSITION else 8)
            for k in alias.rel.json_keys[:3]:
                some += [f"{name}.data -> '{k}'", f"{name}.data ->> '{k}'"] * 2
        text = (self.column(alias, {"numeric"})
                or self.column(alias, {"text", "int"}))
        if self.column(alias, {"numeric"}) and alias.rel.kind != "table":
            some += [f"{text}::text"] * 3       # shows equal values apart
        if text:
            some += [f"{text}::text", f"coalesce({text}::text, '-')"]
        if alias.rel.kind in ("table", "link", "many") \
                and self.chance("whole row", 0.2):
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
        special = special_conditions(self, a, b, basic, left, right, ac)
        wanted = [x for x in special if x[0] == self.want]
        if not wanted and self.maybe(plain):
            return basic
        return self.option(wanted or special)


def special_conditions(b, x, y, basic, left, right, column):
    """Conditions that are more than an equality: [(feature, text)]."""
    n, m = b.column(x, {"int"}), b.column(y, {"int"})
    some = [("condition on one side in ON", f"{basic} AND {b.filter(y)}"),
            ("cast in a join condition", f"{left}::text = {right}::text")]
    expression = {"text": f"lower({left}) = {right}",
                  "uuid": f"{left}::text::uuid = {right}",
                  "numeric": f"round({left}, 1) = {right}"}
    if column.type in NUMBERS or column.type in expression:
        some.append(("expression in a join condition", expression.get(
            column.type, f"abs({left}) = {right}")))
    if n and m:
        some += [("composite join condition", f"{basic} AND {n} = {m}"),
                 ("row comparison", f"({left}, {n}) = ({right}, {m})"),
                 ("inequality besides equality", f"{basic} AND {n} < {m}"),
                 ("OR in a join condition",
                  f"({basic} AND ({n} > 1 OR {m} < 2))"),
                 ("IS NOT DISTINCT FROM", f"{basic} AND "
                  f"{n} IS NOT DISTINCT FROM {m}")]
    for feature, types in (("nondeterministic collation",
                            {"text COLLATE nocase"}),
                           ("citext", {"citext"})):
        if x.rel.typed(types) and y.rel.typed(types):
            some.append((feature, f"{basic} AND {b.column(x, types)} ="
                         f" {b.column(y, types)}"))
    return some


# Features that come of definitions reading one another
COMPOSITION = {
    "TVIEW embedded as an object", "TVIEW embedded as an array",
    "TVIEW embedded as an array of arrays", "same TVIEW embedded twice",
    "diamond of TVIEWs", "TVIEW read through a plain view",
    "mix of v_, tv_ and tb_",
}


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
        nested = b.inside(inner)
        deeper = sub(nested, exact=True, level=level + 1)
        b.back_from(nested)
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
