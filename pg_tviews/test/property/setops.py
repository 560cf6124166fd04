"""Set operations: at the top, nested, and in FROM.

What the branches return must not repeat a key.  They are kept apart by
opposite conditions, by another range of keys, or by NOT EXISTS; or all they
return is a function of the key, and the operation removes what is double.
"""

from frames import only_key, root, start
from grammar import Alias, frame, join, sub, value
from schema import NUMBERS, Column, Rel

ADD_TO_KEY = {"text": "'y' || @"} | {name: "@ + 100000" for name in NUMBERS}
WITH_ALL = ["UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT",
            "EXCEPT ALL"]


def keyed_root(b):
    found = b.pick([(r, r.key) for r in b.rels if r.key and r.key.domain
                    and r.kind in ("table", "tv_", "v_") and b.fits(r)])
    if not found:
        return None
    start(b, found[1].type, found[1].domain)
    only_key(b)
    return found


def same_keys(b, key, but=None, times=3):
    """[(relation, column with keys of the same kind)]."""
    return [(r, c) for r in b.rels for c in r.domains(key.domain)
            if c.type == key.type and b.fits(r, times) and r is not but]


def document(a, column, b, mark):
    """A document from one row of a relation and what it refers to."""
    pairs = f"'{mark}', {b.element(a, exact=True)}"
    links = [(c, r) for c in a.rel.columns if c.domain and c is not column
             for r in b.rels if r.key and r.key.domain == c.domain
             and r.key.type == c.type and b.fits(r)]
    if links and b.maybe(0.3):
        b.use("set operation with joins in its branches")
        c, r = b.pick(links)
        o = b.alias(r)
        pairs += f", 'o', {b.element(o, exact=True)}"
        return (f"jsonb_build_object({pairs})",
                f" LEFT JOIN {r.name} {o.name} ON {b.on(a, c, o, r.key)}")
    return f"jsonb_build_object({pairs})", ""


def branch(b, rel, column, mark, key="@", where=""):
    """SELECT key, document: another branch over rel."""
    z = b.alias(rel, 2)
    data, joined = document(z, column, b, mark)
    conditions = [where.replace("@", z.name)] if where else []
    if b.maybe(0.3):
        conditions.append(f"({b.filter(z)})")
    if not column.notnull and column is not rel.key:
        conditions.append(f"{z[column]} IS NOT NULL")
    return (f"SELECT {key.replace('@', z[column])}, {data}"
            f" FROM {rel.name} {z.name}{joined}"
            + (" WHERE " + " AND ".join(conditions) if conditions else ""))


@frame("UNION of a root's rows", 1.5)
def union_frame(b):
    """Two branches that share no key, because of a condition on each."""
    found = b.pick([(r,) for r in b.rels if r.key and b.fits(r)
                    and r.kind in ("table", "tv_")
                    and r.typed({"int", "bool"})])
    if not found:
        return None
    rel = found[0]
    start(b, rel.key.type, rel.key.domain)
    only_key(b)
    a = root(b, rel)
    c = b.rng.choice(rel.typed({"int", "bool"}))
    test = "@" if c.type == "bool" else "@ > 1"
    b.pair(b.element(a, exact=True))
    b.where(test.replace("@", a[c]))
    operation = b.option([("UNION ALL", "UNION ALL"), ("UNION", "UNION")])
    test = test.replace("@", f"@.{c.name}")
    b.d.wrap = f"@ {operation} " + branch(
        b, rel, rel.key, "z", where=f"({test}) IS NOT TRUE")
    return True


@frame("UNION ALL of two roots", 1)
def union_two_frame(b):
    found = keyed_root(b)
    if not found:
        return None
    rel, key = found
    others = [(r,) for r in b.rels if r is not rel and r.key and b.fits(r, 2)
              and r.key.type == key.type and r.kind in ("table", "tv_")]
    if not others:
        return None
    a, other = root(b, rel), b.pick(others)[0]
    b.pair(b.element(a, exact=True))
    apart = ADD_TO_KEY.get(key.type)
    if apart and b.maybe(0.7):
        b.use("set operation of shifted keys")
        b.d.wrap = "@ UNION ALL " + branch(b, other, other.key, "z", apart)
    else:
        # what the other has and this one hasn't, whatever its conditions
        b.use("set operation with NOT EXISTS")
        only = (f"NOT EXISTS (SELECT FROM {rel.name} e WHERE e.{key.name} ="
                f" @.{other.key.name})")
        b.d.wrap = "@ UNION ALL " + branch(b, other, other.key, "z",
                                           where=only)
    b.use("UNION ALL")
    b.d.rel.columns[0].domain = None
    if b.maybe(0.3):
        b.use("VALUES at the top")
        literal = {"text": "'zero'", "uuid": "gen"}.get(key.type, "-10000")
        if literal == "gen":
            literal = "'ffffffff-0000-4000-8000-000000000000'::uuid"
        b.d.wrap += (f" UNION ALL VALUES ({literal}::{key.type},"
                     " '{\"v\": 1}'::jsonb)")
    return True


@frame("set operation of keys", 2.5, closed=True)
def keys_frame(b):
    """The document says only what the key is."""
    found = keyed_root(b)
    others = found and same_keys(b, found[1])
    if not others:
        return None
    rel, key = found
    a = root(b, rel)
    b.d.parts.clear()
    b.pair(a[key])
    if b.maybe(0.3):
        b.where(f"({b.filter(a)})")

    def other():
        r, c = b.pick(others)
        z = b.alias(r, 3)
        where = "" if c.notnull or c is r.key else f" WHERE {z[c]} IS NOT NULL"
        return (f"SELECT {z[c]}, jsonb_build_object('k1', {z[c]})"
                f" FROM {r.name} {z.name}{where}")
    operation = b.option([(o, o) for o in WITH_ALL if o != "UNION ALL"])
    b.d.wrap = f"@ {operation} {other()}"
    if b.chance("nested set operations", 0.4):
        second = b.rng.choice(["EXCEPT", "INTERSECT", "UNION", "UNION ALL"])
        b.d.wrap = f"@ {operation} ({other()} {second} {other()})"
        if b.maybe(0.3):
            b.d.wrap = f"(@ {operation} {other()}) EXCEPT {other()}"
    return True


@frame("set operation in FROM that carries the key", 2)
def carried_frame(b):
    """SELECT s.k, ... FROM (a UNION b) s, perhaps with more joined to it."""
    found = keyed_root(b)
    others = found and same_keys(b, found[1])
    if not others:
        return None
    rel, key = found
    texts = []
    for r, c in [(rel, key), b.pick(others)]:
        z = b.alias(r, 2)
        where = [] if c.notnull or c is r.key else [f"{z[c]} IS NOT NULL"]
        if b.maybe(0.4):
            where.append(f"({b.filter(z)})")
        texts.append(f"SELECT {z[c]} AS k FROM {r.name} {z.name}"
                     + (" WHERE " + " AND ".join(where) if where else ""))
    operation = b.option([(o, o) for o in WITH_ALL if o != "UNION ALL"])
    keys = Column("k", key.type, key.domain, True)
    s = Alias("s", Rel("s", [keys], keys, "set"))
    b.d.root = f"({texts[0]} {operation} {texts[1]}) s"
    b.d.key = "s.k"
    b.scope.append(s)
    b.bare = False
    b.d.parts.clear()
    b.pair("s.k")
    if b.maybe(0.6):
        a = b.alias(rel)
        b.use("set operation mixed with joins")
        b.join(f"@ LEFT JOIN {rel.name} {a.name} ON {a[key]} = s.k", a)
    return True


@frame("set operation in FROM, grouped by the key", 1, closed=True)
def grouped_union_frame(b):
    """SELECT s.k, count(*) FROM (a UNION ALL b) s GROUP BY s.k."""
    found = keyed_root(b)
    others = found and same_keys(b, found[1])
    if not others:
        return None
    texts = []
    for r, c in [found, b.pick(others)]:
        z = b.alias(r, 2)
        n = b.column(z, {"int"})
        texts.append(f"SELECT {z[c]} AS k, {n or '1'} AS n FROM {r.name}"
                     f" {z.name} WHERE {z[c]} IS NOT NULL")
    b.use("UNION ALL")
    b.d.root = f"({texts[0]} UNION ALL {texts[1]}) s"
    b.d.key = b.d.group = "s.k"
    b.d.parts.clear()
    b.pair("count(*)")
    b.pair("sum(s.n)")
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


@value("set operation in a subquery", 1)
def set_operation(b):
    x, y = sub(b, exact=True), sub(b, exact=True)
    operation = b.rng.choice(WITH_ALL)
    return x and y and (
        f"(SELECT jsonb_agg(t.e ORDER BY t.e) FROM (SELECT {x.element}::text"
        f" AS e {x} {operation} SELECT {y.element}::text {y}) t)")


@value("set operation below the condition", 0.7)
def below_condition(b):
    """Both branches carry the column that relates them."""
    found = b.pick([(a, c, r, rc) for a in b.scope for c in a.rel.columns
                    if c.domain for r in b.rels for rc in r.domains(c.domain)
                    if rc.type == c.type and b.fits(r, 6)])
    if not found:
        return None
    src, sc, r1, c1 = found
    r2, c2 = b.pick([(r, c) for r in b.rels for c in r.domains(sc.domain)
                     if c.type == sc.type])
    x, z = b.alias(r1, 3), b.alias(r2, 3)
    operation = b.rng.choice(["UNION ALL", "UNION", "EXCEPT"])
    return (f"(SELECT count(*) FROM (SELECT {x[c1]} AS k FROM {r1.name}"
            f" {x.name} {operation} SELECT {z[c2]} FROM {r2.name} {z.name}) t"
            f" WHERE t.k = {src[sc]})")
