"""Frames: what the rows of a definition are, and what makes their key.

Those of set operations are in setops.py, of recursion in recursion.py.
"""

from grammar import Alias, Part, frame
from joins import having
from schema import KEYS, NUMBERS, Column, Rel, key_literal


def root(b, rel, alias=None):
    a = alias or b.alias(rel)
    b.scope.append(a)
    b.d.root = f"{rel.name} {a.name}"
    b.d.key = a[rel.key]
    return a


def out_column(b, expression, name, column):
    """A column beside key and data; later definitions can use it."""
    if b.bare:
        return
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


@frame("GROUP BY over a join on OR or inequality", 1)
def group_or_frame(b):
    """Rows that relate by either of two columns, or by order, counted."""
    found = b.pick([(r,) for r in b.rels if r.key and r.kind in
                    ("table", "tv_") and b.fits(r)])
    if not found:
        return None
    rel = found[0]
    start(b, rel.key.type, rel.key.domain)
    a = root(b, rel)
    b.pair(b.element(a))
    b.d.group = a[rel.key]
    many = b.to_many(keyed=True)
    if not many:
        return None
    src, sc, other, rc = many
    c = b.alias(other, 4)
    n, m = b.column(a, {"int"}), b.column(c, {"int"})
    twice = [x for x in other.columns if x.domain == sc.domain
             and x is not rc and x.type == sc.type]
    some = [("OR of links in a join condition",
             f"{c[rc]} = {src[sc]} OR {c[x]} = {src[sc]}") for x in twice]
    if n and m:
        some += [("OR of links in a join condition",
                  f"{c[rc]} = {src[sc]} OR {m} = {n}"),
                 ("non-equality join condition", f"{m} > {n}"),
                 ("non-equality join condition",
                  f"{c[rc]} <> {src[sc]} AND {m} = {n}")]
    if not some:
        return None
    b.join(f"@ LEFT JOIN {other.name} {c.name} ON {b.option(some)}")
    b.pair(f"jsonb_agg({b.element(c)} ORDER BY {c[other.key]})")
    b.pair(f"count({c[rc]})")
    b.closed = True
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
    if b.chance("HAVING", 0.3) or b.want == "subquery in HAVING":
        b.d.parts.append(Part(having=having(b, c, a, rel.key)))
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
    if b.chance("HAVING", 0.3) or b.want == "subquery in HAVING":
        b.d.parts.append(Part(having=having(b, a, a, c)))
    key_only = Rel(rel.name, [c], None, "group", features=rel.features)
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
    """The first or last of each group; the group is the key, or the row."""
    found = b.pick([(r, c) for r in b.rels for c in r.columns
                    if c.domain and c is not r.key and r.key and b.fits(r)])
    if not found:
        return None
    rel, c = found
    by_row = b.option([("DISTINCT ON the key", False),
                       ("DISTINCT ON what determines the key", True)])
    start(b, rel.key.type if by_row else c.type,
          rel.key.domain if by_row else c.domain)
    a = root(b, rel)
    if not by_row:
        b.d.key = a[c]
    extra = b.column(a, {"int", "text", "bool"}) if by_row else None
    group = a[c] + (f", {extra}" if extra and b.maybe(0.3) else "")
    b.d.distinct = f"DISTINCT ON ({group}) "
    more = b.column(a, {"int", "timestamptz"})
    b.d.suffix = (f"ORDER BY {group}, "
                  + (f"{more} DESC NULLS LAST, " if more and b.maybe(0.5)
                     else "")
                  + a[rel.key] + b.rng.choice(["", " DESC"]))
    b.pair(b.element(a))
    if not by_row or b.maybe(0.5):
        b.where(f"{a[c]} IS NOT NULL")
    b.closed = True
    return True


@frame("filter on a rank", 1, closed=True)
def rank_frame(b):
    """The first few of each group, from a subquery that carries the key."""
    found = b.pick([(r, c) for r in b.rels for c in r.columns
                    if c.domain and c is not r.key and r.key and b.fits(r)])
    if not found:
        return None
    rel, c = found
    start(b, rel.key.type, rel.key.domain)
    a = root(b, rel)
    order = b.column(a, {"int", "text"}) or a[rel.key]
    number = b.rng.choice(["row_number", "rank", "dense_rank"])
    rank = (f"{number}() OVER (PARTITION BY {a[c]} ORDER BY {order},"
            f" {a[rel.key]} DESC)::int")
    out_column(b, rank, "n", Column("n", "int"))
    b.pair(b.element(a))
    b.d.wrap = "SELECT s.* FROM (@) s WHERE s.n <= 2"
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


@frame("FULL JOIN, each side with keys of its own", 1.5, closed=True)
def full_join_apart_frame(b):
    """The join doesn't equate what makes the key: it is the one side's key,
    or the other's in another range."""
    rels = [(r,) for r in b.rels if r.key and r.key.type in NUMBERS
            and r.key.domain and r.kind in ("table", "tv_") and b.fits(r)]
    left = b.pick(rels)
    right = left and b.pick([r for r in rels
                             if r[0].key.type == left[0].key.type])
    if not right:
        return None
    rel, other = left[0], right[0]
    start(b, rel.key.type, None)
    a, z = root(b, rel), b.alias(other)
    n, m = b.column(a, {"int"}), b.column(z, {"int"})
    also = f" AND {n} = {m}" if n and m else ""
    b.join(f"@ FULL JOIN {other.name} {z.name} ON {z[other.key]} ="
           f" {a[rel.key]}{also}")
    b.d.key = f"coalesce({a[rel.key]}, {z[other.key]} + 100000)"
    b.pair(b.element(a))
    b.pair(b.element(z))
    return True


@frame("FULL JOIN USING as key", 1.5, closed=True)
def full_join_using_frame(b):
    """The key merged from both sides, each a table or a grouped one."""
    found = b.pick([(r, r.key) for r in b.rels if r.key and r.key.domain
                    and r.kind in ("table", "v_", "tv_") and b.fits(r)])
    if not found:
        return None
    rel, key = found
    start(b, key.type, key.domain)
    others = [(r, c) for r in b.rels for c in r.domains(key.domain)
              if r is not rel and b.fits(r, 3) and c.type == key.type]
    found = b.pick(others)
    if not found:
        return None
    a, (r, c) = b.alias(rel), found
    z = b.alias(r, 3)
    if c is r.key:
        right = (f"SELECT {z[c]} AS k, {b.element(z)} AS y"
                 f" FROM {r.name} {z.name}")
    else:
        right = (f"SELECT {z[c]} AS k, count(*) AS y FROM {r.name} {z.name}"
                 f" WHERE {z[c]} IS NOT NULL GROUP BY {z[c]}")
    b.d.root = (f"(SELECT {a[key]} AS k, {b.element(a)} AS x"
                f" FROM {rel.name} {a.name}) l FULL JOIN ({right}) r"
                + b.rng.choice([" USING (k)"] * 2 + [" ON l.k = r.k"]))
    b.d.key = "k" if "USING" in b.d.root else "coalesce(l.k, r.k)"
    b.pair("l.x")
    b.pair("r.y")
    return True


@frame("VALUES as root", 1, closed=True)
def values_frame(b):
    """Keys that are written down, with what a table has for them."""
    found = b.pick([(r, r.key) for r in b.rels if r.key
                    and r.kind in ("table", "tv_") and b.fits(r)])
    if not found:
        return None
    rel, key = found
    start(b, key.type, key.domain)
    rows = ", ".join(f"({key_literal(key.type, k)}, '{k}')"
                     for k in sorted(b.rng.sample(range(1, KEYS + 1), 5)))
    a = b.alias(rel)
    b.d.root = f"(VALUES {rows}) v (k, t)"
    b.d.key = f"v.k::{key.type}"
    b.pair("v.t")
    kind = b.rng.choice(["JOIN", "LEFT JOIN"])
    b.join(f"@ {kind} {rel.name} {a.name} ON {a[key]} = v.k", a)
    return True


@frame("set-returning function in FROM, key from it", 1, closed=True)
def series_frame(b):
    """Several rows for each of a table's, numbered by a function."""
    found = b.pick([(r, r.key) for r in b.rels if r.key
                    and r.key.type in ("int", "bigint", "smallint",
                                       "natural_number")
                    and r.kind in ("table", "tv_") and b.fits(r)])
    if not found:
        return None
    rel, key = found
    start(b, "bigint" if key.type == "bigint" else "int", None)
    a = root(b, rel)
    n = b.column(a, {"int"})
    b.d.key = f"{a[key]} * 10 + f.i"
    b.join(f"@ CROSS JOIN LATERAL generate_series(0, least("
           f"{n or '1'}, 3)) f (i)")
    b.pair("f.i")
    b.pair(b.element(a))
    return True


@frame("set-returning function in the target list, key from it", 0.7,
       closed=True)
def series_target_frame(b):
    found = b.pick([(r, r.key) for r in b.rels if r.key
                    and r.key.type in ("int", "smallint", "natural_number")
                    and r.kind in ("table", "tv_") and b.fits(r)])
    if not found:
        return None
    rel, key = found
    start(b, "int", None)
    a = root(b, rel)
    b.d.key = f"{a[key]} * 10 + generate_series(1, 2)"
    b.pair(b.element(a))
    return True


@frame("expression as key", 1.5)
def expression_key_frame(b):
    if not plain_frame(b):
        return None
    key = b.d.rel.key
    key.domain = None
    expressions = {
        "int": "@ + 1000", "bigint": "-@", "text": "@ || 'x'",
        "uuid": "@::text", "numeric": "@ * 2", "smallint": "@ + 1",
        "natural_number": "1000 - @"}
    b.d.key = expressions[key.type].replace("@", b.d.key)
    key.type = {"uuid": "text", "smallint": "int",
                "natural_number": "int"}.get(key.type, key.type)
    return True


@frame("CTE around all", 1.5)
def cte_frame(b):
    how = "MATERIALIZED " if b.chance("CTE around all, MATERIALIZED", 0.4) \
        else ""
    b.d.wrap = f"WITH q AS {how}(@) SELECT q.* FROM q"
    return plain_frame(b)


@frame("CTE around all, used twice", 0.7)
def cte_twice_frame(b):
    """Its rows, and how many have the key of each."""
    if not plain_frame(b):
        return None
    key = b.d.key_name
    b.use("CTE used twice")
    b.d.wrap = (f"WITH q AS (@) SELECT q.{key}, jsonb_build_object('q',"
                f" q.data, 'same', (SELECT count(*) FROM q z WHERE z.{key} ="
                f" q.{key})) AS data FROM q")
    return only_key(b)


def only_key(b):
    """What is around the SELECT passes key and document on, nothing else."""
    b.d.parts = [p for p in b.d.parts if not p.column]
    del b.d.rel.columns[1:]
    b.bare = True
    return True


@frame("subquery around all", 2)
def subquery_frame(b):
    b.d.wrap = "SELECT s.* FROM (@) s"
    if b.chance("OFFSET 0", 0.3):
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


@frame("OFFSET at the top", 0.5)
def offset_frame(b):
    b.d.suffix = f"ORDER BY {b.d.key_name} OFFSET 2"
    return plain_frame(b)
