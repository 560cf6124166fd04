"""WITH RECURSIVE: up to the root or down to all descendants of a tree, and
through a link table.

References form cycles now and then.  UNION removes rows that are there
already, which ends the recursion as long as no counter is in them; otherwise
the depth is bounded, or only steps to a greater key are taken.
"""

from dataclasses import dataclass

from frames import only_key, start
from grammar import frame, join, value

DEPTH = 5


@dataclass
class Tree:
    """WITH RECURSIVE r (...) over a table that refers to itself."""
    text: str                   # the query that is called r
    order: str                  # total, of rows of one start
    step: str = "r.k"


def trees(b, times=2):
    """[(relation, its column that refers to itself)]."""
    return [(r, c) for r in b.rels for c in r.columns
            if c.name == "fk_parent" and r.key and r.kind in ("table", "tv_")
            and c.domain == r.key.domain and b.fits(r, times)]


def make_tree(b, rel, parent, start_of=None, carry=False):
    """The rows reached from those that start_of, a function of an alias, has
    as its condition; carry: each with the key it started from, as s."""
    down = b.option([("recursion downward", True),
                     ("recursion upward", False)])
    every = b.option([("recursion by UNION ALL", " ALL"),
                      ("recursion by UNION", "")])
    ending = b.rng.choice(["depth", "order"] if every
                          else ["depth", "order", "none", "none"])
    if b.want == "recursion with a depth counter":
        ending = "depth"
    first, next_ = b.alias(rel, 3), b.alias(rel, 3)
    b.use("recursive CTE")
    columns = ["k", "up", "e"]
    shown = extra(b, rel)
    values = [[a[rel.key], a[parent], a[shown]]
              for a in (first, next_)]
    on = (f"{next_[parent]} = r.k" if down else f"{next_[rel.key]} = r.up")
    joined = second_table(b, rel, parent, first, next_, columns, values)
    if carry:
        columns.append("s")
        values[0].append(first[rel.key])
        values[1].append("r.s")
    where = ""
    if ending == "depth":
        b.use("recursion with a depth counter")
        columns.append("d")
        values[0].append("0")
        values[1].append("r.d + 1")
        where = f" WHERE r.d < {DEPTH}"
    elif ending == "order":
        where = f" WHERE {next_[rel.key]} > r.k"
    begin = start_of(first) if start_of else ""
    text = (f"r ({', '.join(columns)}) AS (SELECT {', '.join(values[0])} FROM"
            f" {rel.name} {first.name}{joined[0]}{begin} UNION{every} SELECT"
            f" {', '.join(values[1])} FROM r JOIN {rel.name} {next_.name} ON"
            f" {on}{joined[1]}{where})")
    return Tree(text, "r.d, r.k" if ending == "depth" else "r.k")


def extra(b, rel):
    """A column to show, of a type that UNION can compare."""
    columns = rel.typed({"int", "text", "bool"})
    return b.rng.choice(columns) if columns else rel.key


def second_table(b, rel, parent, first, next_, columns, values):
    """Perhaps join another table in both terms."""
    links = [(c, r) for c in rel.columns if c.domain and c is not parent
             and c is not rel.key for r in b.rels
             if r.key and r.key.domain == c.domain and r.key.type == c.type
             and r.kind == "table" and b.fits(r, 4)]
    if not links or not b.chance("recursion with a second table", 0.3):
        return "", ""
    c, r = b.pick(links)
    one, two = b.alias(r, 2), b.alias(r, 2)
    shown = extra(b, r)
    columns.append("o")
    values[0].append(one[shown])
    values[1].append(two[shown])
    return tuple(f" LEFT JOIN {r.name} {o.name} ON {o[r.key]} = {a[c]}"
                 for a, o in ((first, one), (next_, two)))


def outer_key(b):
    """(alias, column, tree relation, its parent column): keys of the tree."""
    return b.pick([(a, c, r, p) for a in b.scope for c in a.rel.columns
                   for r, p in trees(b, 6) if c.domain
                   and c.domain == r.key.domain and c.type == r.key.type])


def aggregate(tree):
    return (f"jsonb_agg(jsonb_build_array(r.k, r.e) ORDER BY {tree.order})")


@value("recursive CTE in a subquery", 1.5)
def recursive_value(b):
    found = outer_key(b)
    if found:
        a, c, rel, parent = found
        tree = make_tree(b, rel, parent, lambda t: (
            f" WHERE {t[rel.key]} = {a[c]}"))
        return (f"(WITH RECURSIVE {tree.text} SELECT {aggregate(tree)}"
                " FROM r)")


@join("recursive CTE in LATERAL", 1)
def recursive_lateral(b):
    found = outer_key(b)
    if found:
        a, c, rel, parent = found
        tree = make_tree(b, rel, parent, lambda t: (
            f" WHERE {t[rel.key]} = {a[c]}"))
        alias = f"l{b.aliases}"
        b.join(f"@ CROSS JOIN LATERAL (WITH RECURSIVE {tree.text} SELECT"
               f" {aggregate(tree)} AS j, count(*) AS c FROM r) {alias}")
        b.pair(f"{alias}.j")
        return True


@join("recursive CTE for all, joined by where it started", 1)
def recursive_joined(b):
    found = outer_key(b)
    if found:
        a, c, rel, parent = found
        tree = make_tree(b, rel, parent, carry=True)
        alias = f"g{b.aliases}"
        b.join(f"@ LEFT JOIN (WITH RECURSIVE {tree.text} SELECT r.s,"
               f" {aggregate(tree)} AS j FROM r GROUP BY r.s) {alias}"
               f" ON {alias}.s = {a[c]}")
        b.pair(f"{alias}.j")
        return True


def tree_frame(b):
    found = b.pick(trees(b, 6))
    if not found:
        return None
    start(b, found[1].type, found[0].key.domain)
    only_key(b)
    return found


@frame("recursive CTE at the top, grouped by its start", 1.5, closed=True)
def recursive_start_frame(b):
    found = tree_frame(b)
    if not found:
        return None
    rel, parent = found
    condition = b.maybe(0.3)
    tree = make_tree(b, rel, parent, carry=True, start_of=lambda t: (
        f" WHERE {b.filter(t)}" if condition else ""))
    b.d.root, b.d.key, b.d.group = "r", "r.s", "r.s"
    b.pair(aggregate(tree))
    b.pair("count(*)")
    b.d.wrap = f"WITH RECURSIVE {tree.text} @"
    return True


@frame("recursive CTE at the top, key of the last step", 1.5, closed=True)
def recursive_last_frame(b):
    """Each row with what comes down from its root: a node has one parent, so
    no key comes twice."""
    found = tree_frame(b)
    if not found:
        return None
    rel, parent = found
    first, next_ = b.alias(rel, 3), b.alias(rel, 3)
    shown = extra(b, rel)
    every = b.option([("recursion by UNION ALL", " ALL"),
                      ("recursion by UNION", "")])
    b.use("recursion with a depth counter")
    b.use("recursive CTE")
    b.d.wrap = (f"WITH RECURSIVE r AS (SELECT {first[rel.key]} AS k,"
                f" jsonb_build_array({first[shown]}) AS p, 0 AS d FROM"
                f" {rel.name} {first.name} WHERE {first[parent]} IS NULL"
                f" UNION{every} SELECT {next_[rel.key]}, r.p ||"
                f" jsonb_build_array({next_[shown]}), r.d + 1 FROM r JOIN"
                f" {rel.name} {next_.name} ON {next_[parent]} = r.k) @")
    b.d.root, b.d.key = "r", "r.k"
    b.pair("r.p")
    b.pair("r.d")
    return True


def link_steps(b):
    """[(table, link, its two columns)] for a step over what two rows are
    linked to."""
    return [(t, link, x, y) for t in b.rels if t.key and t.kind == "table"
            for link in b.rels if link.kind == "link" and b.fits(link, 6)
            for x in link.columns for y in link.columns
            if x.domain and y.domain and x is not y
            and x.domain == t.key.domain and x.type == t.key.type]


@value("recursion through a link table", 1)
def recursive_link(b):
    """From a row to those that share something with it, twice removed."""
    found = b.pick([(a, c, t, link, x, y) for a in b.scope
                    for c in a.rel.columns if c.domain
                    for t, link, x, y in link_steps(b)
                    if c.domain == t.key.domain and c.type == t.key.type])
    if not found:
        return None
    a, c, t, link, x, y = found
    one, two, row = b.alias(link, 3), b.alias(link, 3), b.alias(t, 3)
    n = extra(b, t)
    every, depth = b.rng.choice([(" ALL", 2), ("", 3), ("", 0)])
    counter = [", 0", ", r.d + 1", f" WHERE r.d < {depth}", ", d"] \
        if depth else [""] * 4
    b.use("recursive CTE")
    return (f"(WITH RECURSIVE r (k{counter[3]}) AS (SELECT {a[c]}{counter[0]}"
            f" UNION{every} SELECT {two[x]}{counter[1]} FROM r JOIN"
            f" {link.name} {one.name} ON {one[x]} = r.k JOIN {link.name}"
            f" {two.name} ON {two[y]} = {one[y]}{counter[2]}) SELECT"
            f" jsonb_agg(jsonb_build_array(r.k, {row[n]}) ORDER BY r.k,"
            f" {row[n]}) FROM r JOIN {t.name} {row.name} ON"
            f" {row[t.key]} = r.k)")
