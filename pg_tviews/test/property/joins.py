"""Shapes in FROM: joins of single rows, and of subqueries with many."""

from grammar import Part, join, sub
from schema import KEYS, key_literal


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


def null_extended(b):
    """An alias whose columns may be null because there is no such row."""
    some = [a for a in b.scope if any(
        f"LEFT JOIN {a.rel.name} {a.name} " in p.join for p in b.d.parts)]
    if not some and not b.closed and left_join(b):
        some = b.scope[-1:]
    return b.rng.choice(some) if some else None


@join("left join by what may be null-extended", 2)
def left_join_twice(b):
    """A key stands in for that of a row that isn't there."""
    src = null_extended(b)
    found = src and b.inside([src]).to_one()
    if not found:
        return None
    _, sc, rel = found
    a = b.alias(rel)
    instead = key_literal(sc.type, b.rng.randint(1, KEYS))
    return b.join(f"@ LEFT JOIN {rel.name} {a.name} ON {a[rel.key]} ="
                  f" coalesce({src[sc]}, {instead})", a)


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
    if not a.rel.key or not a.rel.key.domain or not b.fits(a.rel) \
            or a.rel.kind == "set":
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
    second = b.inside([a]).to_one()
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


@join("join tree of 6 to 10 relations", 0.5)
def wide_join(b):
    """One after another, each from anything that is there already."""
    wanted = b.rng.randint(6, 10)
    while len(b.scope) < wanted:
        found = b.to_one()
        if not found:
            return None
        src, sc, rel = found
        if rel.weight > 2:
            return None
        a = b.alias(rel)
        kind = b.rng.choice(["JOIN", "LEFT JOIN", "LEFT JOIN", "LEFT JOIN"])
        b.join(f"@ {kind} {rel.name} {a.name} ON {b.on(src, sc, a, rel.key)}",
               a)
    return True


@join("non-equality join condition", 0.7)
def inequality_join(b):
    """Two grouped or limited sides, related by order alone."""
    n = b.column(b.scope[0], {"int"})
    rels = [(r,) for r in b.rels if r.key and r.typed({"int"})
            and b.fits(r, 4)]
    if not n or not rels:
        return None
    a = b.alias(b.pick(rels)[0], 4)
    m = b.column(a, {"int"})
    alias = f"q{b.aliases}"
    comparison = b.rng.choice(["<", ">=", "<>"])
    kind, on = b.rng.choice([("LEFT JOIN", " ON true"), ("CROSS JOIN", "")])
    b.join(f"@ {kind} LATERAL (SELECT count(*) AS c, max({m}) AS m FROM"
           f" {a.rel.name} {a.name} WHERE {m} {comparison} {n}) {alias}{on}")
    b.pair(f"{alias}.c")
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
    if b.chance("HAVING in a subquery", 0.25):
        text += f" HAVING {having(b, a, a, rc)}"
    kind = b.rng.choice(["LEFT JOIN", "LEFT JOIN", "JOIN"])
    return text, src[sc], f"g{b.aliases}", kind


def having(b, alias, group, column):
    """A condition on groups of alias by group's column."""
    others = [(r, c) for r in b.rels for c in r.domains(column.domain)
              if c.type == column.type and b.fits(r, 3)]
    if others and b.chance("subquery in HAVING", 0.15):
        r, c = b.pick(others)
        z = b.alias(r, 3)
        return b.rng.choice(
            ["(SELECT count(*) @) < 2", "EXISTS (SELECT @)",
             "count(*) > (SELECT count(*) @)"]).replace(
                 "@", f"FROM {r.name} {z.name}"
                 f" WHERE {z[c]} = {group[column]}")
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
        how = "MATERIALIZED " if b.chance("CTE MATERIALIZED", 0.25) \
            else b.rng.choice(["", "NOT MATERIALIZED "])
        b.d.parts.append(Part(cte=f"{alias}_c AS {how}({text})"))
        b.join(f"@ {kind} {alias}_c {alias} ON {alias}.k = {outer}")
        if b.chance("CTE used twice", 0.3):
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
        kind, on = b.option([
            ("LATERAL, left", ("LEFT JOIN", " ON true")),
            ("LATERAL, inner", ("CROSS JOIN", "")),
            ("LATERAL, inner", ("JOIN", " ON true"))])
        b.join(f"@ {kind} LATERAL (SELECT {s.element} AS e {s}"
               f" ORDER BY {s.order} LIMIT 1) {alias}{on}")
        b.pair(f"{alias}.e")
        return True


@join("window in a subquery", 1)
def window_subquery(b):
    """The last of each, by a condition on the rank."""
    found = b.to_many(keyed=True)
    if found:
        src, sc, rel, rc = found
        a = b.alias(rel, 4)
        alias = f"w{b.aliases}"
        number = b.rng.choice(["row_number", "rank", "dense_rank"])
        b.join(f"@ LEFT JOIN (SELECT {a[rc]} AS k, {b.element(a)} AS e,"
               f" {number}() OVER (PARTITION BY {a[rc]} ORDER BY"
               f" {a[rel.key]} DESC) AS r FROM {rel.name} {a.name}) {alias}"
               f" ON {alias}.k = {src[sc]} AND {alias}.r = 1")
        b.pair(f"{alias}.e")
        return True


@join("ranks in a subquery, the first few", 1)
def ranked_subquery(b):
    found = b.to_many(keyed=True)
    if found:
        src, sc, rel, rc = found
        a = b.alias(rel, 4)
        alias = f"w{b.aliases}"
        order = b.column(a, {"int", "text"}) or a[rel.key]
        b.join(f"@ LEFT JOIN LATERAL (SELECT jsonb_agg(i.e ORDER BY i.r) AS j,"
               f" count(*) AS c FROM (SELECT {a[rc]} AS k, {b.element(a)} AS"
               f" e, row_number() OVER (PARTITION BY {a[rc]} ORDER BY {order},"
               f" {a[rel.key]}) AS r FROM {rel.name} {a.name}) i WHERE i.k ="
               f" {src[sc]} AND i.r <= 2) {alias} ON true")
        return grouped_values(b, alias)


@join("DISTINCT in FROM", 1)
def distinct_in_from(b):
    found = b.to_many()
    if found:
        src, sc, rel, rc = found
        a = b.alias(rel, 4)
        alias = f"g{b.aliases}"
        if rel.key and b.chance("DISTINCT ON in FROM", 0.5):
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


@join("VALUES in FROM", 1)
def values_join(b):
    n = b.column(b.scope[0], {"int"})
    if n:
        alias = f"v{len(b.d.parts)}"
        b.join(f"@ LEFT JOIN (VALUES (1, 'one'), (2, 'two')) {alias} (n, t)"
               f" ON {alias}.n = {n}")
        b.pair(f"{alias}.t")
        return True


@join("generate_series in FROM", 1)
def function_join(b):
    n = b.column(b.scope[0], {"int"})
    if n:
        alias = f"f{len(b.d.parts)}"
        b.join(f"@ CROSS JOIN LATERAL (SELECT jsonb_agg(i ORDER BY i) AS j"
               f" FROM generate_series(1, {n}) i) {alias}")
        b.pair(f"{alias}.j")
        return True


@join("generate_series joined further", 0.7)
def series_joined(b):
    """Rows of another table by the numbers that a function returns."""
    n = b.column(b.scope[0], {"int"})
    rels = [(r,) for r in b.rels if r.key and r.typed({"int"})
            and b.fits(r, 3)]
    if n and rels:
        a = b.alias(b.pick(rels)[0], 3)
        alias = f"f{b.aliases}"
        b.join(f"@ LEFT JOIN LATERAL (SELECT jsonb_agg({b.element(a)} ORDER BY"
               f" {a[a.rel.key]}) AS j, count(*) AS c FROM generate_series(0,"
               f" {n}) i JOIN {a.rel.name} {a.name} ON"
               f" {b.column(a, {'int'})} = i) {alias} ON true")
        return grouped_values(b, alias)


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
