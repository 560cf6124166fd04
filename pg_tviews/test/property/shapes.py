"""Random definitions from all the shapes there are.

Shapes are in joins.py, values.py, frames.py, setops.py and recursion.py; what
they are made from is in grammar.py.
"""

import re
from dataclasses import replace

import joins                                                # noqa: F401
import recursion                                            # noqa: F401
import setops                                               # noqa: F401
import values                                               # noqa: F401
from grammar import (FRAMES, JOINS, PREDICATES, SHOWN_BY, VALUES, Builder,
                     Part)
from frames import out_column
from schema import Column, Rel

ATTEMPTS = 80                   # to get a definition that has what is wanted


def choose(b, shapes):
    """One of them: the wanted one, if it is there."""
    wanted = [s for s in shapes if s[0] == b.want]
    name, _, function, options = b.rng.choices(
        wanted or shapes, [s[1] for s in wanted or shapes])[0]
    return name, function, options


def add_part(b):
    """One more part, of a kind that the frame can take."""
    kinds = [(JOINS, 5), (VALUES, 8), (PREDICATES, 3)]
    if b.closed:
        kinds = kinds[1:]
    if b.closed == "grouped":
        kinds = [(VALUES, 1)]
    wanted = [k for k in kinds if any(s[0] == b.want for s in k[0])
              and b.want not in b.d.features]
    kinds = wanted or kinds
    shapes = b.rng.choices([k for k, _ in kinds], [w for _, w in kinds])[0]
    name, function, _ = choose(b, shapes)
    before = set(b.d.features), set(b.d.needs)
    parts, scope = list(b.d.parts), list(b.scope)
    made = function(b)
    if not made:
        b.d.features, b.d.needs = before
        b.d.parts, b.scope = parts, scope
        return
    b.use(name)
    if shapes is VALUES:
        if b.maybe(0.12) and name in ("count", "uncorrelated subquery") \
                and not any(c.name == "n" for c in b.d.rel.columns) \
                and "UNION" not in b.d.wrap and not b.bare:
            b.use("computed column")
            out_column(b, f"{made}::int", "n", Column("n", "int"))
        else:
            b.pair(made)
    elif shapes is PREDICATES:
        if b.maybe(0.6):
            b.where(f"({made})")
        else:
            b.pair(f"({made})")


def make_definition(rng, rels, entity, chain=False, want=None):
    """A definition over rels, or None when the dice found nothing.  In a chain
    it reads the deepest TVIEW there is, if it can.  With want, one that has
    this feature and little else, if the schema allows it."""
    if not want:
        return attempt(rng, rels, entity, chain, None)
    for _ in range(ATTEMPTS):
        d = attempt(rng, rels, entity, False, want)
        if d and want in d.features and not d.may_repeat:
            return d
    return None


def attempt(rng, rels, entity, chain, want):
    b = Builder(rng, rels, entity, chain, want)
    name, function, options = choose(b, FRAMES[:1] if chain else FRAMES)
    if not function(b):
        return None
    b.use(name)
    if not options.get("closed"):
        for _ in range(rng.choice([0, 1, 1, 2]) if want
                       else rng.randint(0, 2) if chain
                       else rng.choice([0, 1, 2, 2, 3, 3, 4, 6])):
            add_part(b)
    return finish(b)


def finish(b):
    d = b.d
    d.rel.depth = b.depth + 1
    d.rel.weight = max(1, b.weight)
    if any(w in d.wrap + d.distinct for w in (
            "MATERIALIZED", "UNION", "OFFSET", "EXCEPT", "DISTINCT",
            "INTERSECT", "RECURSIVE")):
        d.rel.weight += 10      # conditions on the key stay outside
    d.rel.needs = {d.entity}
    d.rel.columns.append(Column("data", "jsonb", used=False))
    d.rel.json_keys = [p.pair.split("'")[1] for p in d.parts if p.pair]
    note_key(d)
    note_columns(d)
    note_composition(d, note_relations(b))
    return d


def note_key(d):
    type_ = d.rel.key.type
    d.features.add("domain key" if type_ == "natural_number"
                   else type_ + " key")


def note_columns(d):
    text = d.sql()
    d.features |= {feature for name, feature in SHOWN_BY.items()
                   if re.search(rf"\.{name}\b", text)}


def note_relations(b):
    """What the definition reads, and how; returns the aliases in it."""
    d, text = b.d, b.d.sql()
    aliases = [a for a in b.read if re.search(rf"\b{a.name}\b", text)]
    for a in aliases:
        rel, name = a.rel, a.rel.name.removeprefix("ONLY ")
        d.features |= rel.features
        if name in d.reads and rel.kind not in ("v_", "tv_"):
            d.features.add("same table in two roles")
        d.reads |= {name} | rel.reads
        if rel.kind in ("v_", "tv_"):
            d.features.add("reads " + rel.kind)
            if rel.depth >= 3:
                d.features.add(f"cascade level {rel.depth + 1}")
        elif rel.kind == "view":
            d.features.add("reads a plain view")
    return aliases


def note_composition(d, aliases):
    """How the definition reads other TVIEWs, and they one another."""
    rels = [a.rel for a in aliases]
    read = {r.entity: r for r in rels if r.kind in ("v_", "tv_")}
    inner = [r.lineage for r in read.values()]
    views = [r.lineage for r in rels if r.kind == "view"]
    embedded = {a.name for a in aliases if a.rel.kind in ("v_", "tv_")
                and f"{a.name}.data" in d.sql()}
    arrays = {name for name in embedded
              if f"jsonb_agg({name}.data" in d.sql()}
    d.rel.embeds_array = bool(arrays)
    for feature, has in (
            ("same TVIEW embedded twice",
             any(sum(r.entity == e for r in rels) > 1 for e in read)),
            ("TVIEW read through a plain view", any(views)),
            ("diamond of TVIEWs",
             any(x & y for i, x in enumerate(inner) for y in inner[:i])),
            ("mix of v_, tv_ and tb_",
             {"v_", "tv_", "table"} <= {r.kind for r in rels}),
            ("TVIEW embedded as an object", embedded - arrays),
            ("TVIEW embedded as an array", arrays),
            ("TVIEW embedded as an array of arrays",
             arrays and any(r.embeds_array for r in read.values()))):
        if has:
            d.features.add(feature)
    d.rel.entity = d.entity
    d.rel.lineage = {d.entity}.union(*inner, *views)


def stored(d):
    """The relation tv_x of a definition."""
    return replace(d.rel, name=d.tview, kind="tv_", weight=1)


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
        out.features.add("grouped view joined in")
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
    for r in (a.rel for a in b.read):
        out.lineage |= r.lineage
        out.features |= r.features
        out.reads |= {r.name.removeprefix("ONLY ")} | r.reads
    return f"CREATE VIEW {name} AS {sql}", out
