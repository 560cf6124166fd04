"""Shapes in the document and in conditions: expressions and subqueries."""

from grammar import (correlated, correlated_exact, predicate, sub, value)
from joins import inner_join, null_extended
from schema import EXACT, KEYS, key_literal


@value("column", 6)
def plain_value(b):
    return b.element_here()


@value("expression", 3)
def expression(b):
    a = b.rng.choice(b.scope)
    n, name, flag = (b.column(a, {t}) for t in ("int", "text", "bool"))
    column = a[b.rng.choice(a.rel.columns)]
    some = [("IS NULL", f"({column} IS NULL)")]
    if n:
        some += [("expression", f"{n} * 2 + 1"), ("cast", f"{n}::text"),
                 ("CASE", f"CASE WHEN {n} > 1 THEN 'many' END"),
                 ("CASE", f"CASE {n} WHEN 1 THEN {b.element(a)}::text END"),
                 ("NULLIF, GREATEST", f"nullif({n}, 1)"),
                 ("NULLIF, GREATEST", f"greatest({n}, 2)"),
                 ("COALESCE", f"coalesce({n}, -1)")]
    if name:
        some += [("expression", f"upper({name})"),
                 ("expression", f"{name} || '-' || {name}"),
                 ("expression", f"length({name})"),
                 ("COALESCE", f"coalesce({name}, 'none')"),
                 ("COLLATE", f"({name} COLLATE \"C\" < 'b')"),
                 ("cast", f"{name}::varchar(2)")]
    if n and name:
        some += [("row reference", f"to_jsonb(ROW({n}, {name}))"),
                 ("array of columns", f"ARRAY[{n}::text, {name}]")]
    if flag:
        some += [("CASE", f"CASE WHEN {flag} THEN {b.element(a)}::text END")]
    return b.option(some)


@value("condition that a null-extended row passes", 2)
def passed_by_null(b):
    src = null_extended(b)
    found = src and b.inside([src]).to_many()
    if not found:
        return None
    _, sc, rel, rc = found
    a = b.alias(rel, 3)
    instead = key_literal(sc.type, b.rng.randint(1, KEYS))
    condition = b.rng.choice([
        f"{a[rc]} = coalesce({src[sc]}, {instead})",
        f"{a[rc]} IS NOT DISTINCT FROM {src[sc]}",
        f"({src[sc]} IS NULL OR {a[rc]} = {src[sc]})"])
    return (f"(SELECT count(*) FROM {rel.name} {a.name}"
            f" WHERE {condition})")


@value("expression of a rare type", 3)
def rare_expression(b):
    made = [x for a in b.scope for x in b.rare(a)]
    return b.option(made) if made else None


@value("jsonb_agg", 10)
@correlated
def jsonb_agg(b, s):
    text = f"(SELECT jsonb_agg({s.element} ORDER BY {s.order}) {s})"
    return f"coalesce({text}, '[]')" if b.maybe(0.5) else text


@value("TVIEW embedded as an array", 1)
def embedded_array(b, of_arrays=False):
    found = b.to_many(keyed=True, kinds=("v_", "tv_"))
    if not found or of_arrays and not found[2].embeds_array:
        return None
    src, sc, rel, rc = found
    a = b.alias(rel, 3)
    return (f"(SELECT jsonb_agg({a.name}.data ORDER BY {a[rel.key]}) FROM"
            f" {rel.name} {a.name} WHERE {b.on(src, sc, a, rc)})")


@value("TVIEW embedded as an array of arrays", 0.5)
def embedded_arrays(b):
    return embedded_array(b, True)


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


@value("ORDER BY a collation in an aggregate", 0.7)
def collated_aggregate(b):
    s = sub(b, keyed=True)
    name = s and b.column(s.alias, {"text"})
    if name:
        b.use("COLLATE")
        return (f"(SELECT jsonb_agg({s.element} ORDER BY {name} COLLATE \"C\","
                f" {s.order}) {s})")


def no_array(b, text):
    """Arrays of arrays can be neither of nulls nor of different sizes."""
    arrays = [a[c] for a in b.read for c in a.rel.typed({"int[]"})]
    return f"to_jsonb({text})" if text in arrays else text


@value("array_agg", 1)
@correlated
def array_agg(b, s):
    element = no_array(b, s.element)
    return f"(SELECT to_jsonb(array_agg({element} ORDER BY {s.order})) {s})"


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
    element = no_array(b, s.element)
    return f"to_jsonb(ARRAY(SELECT {element} {s} ORDER BY {s.order}))"


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
                  f" LIMIT {b.rng.choice([2, 5])}) t)")


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


@value("jsonb_array_elements in a subquery", 1)
def elements(b):
    docs = [a[c] for a in b.scope for c in a.rel.typed({"jsonb"})]
    if docs:
        doc = b.rng.choice(docs)
        return (f"(SELECT count(*) FROM jsonb_array_elements(CASE WHEN"
                f" jsonb_typeof({doc}) = 'array' THEN {doc} END) x)")


@value("unnest WITH ORDINALITY", 1)
def ordinality(b):
    arrays = [a[c] for a in b.scope for c in a.rel.columns
              if c.used and c.type.endswith("[]")]
    return arrays and (
        f"(SELECT jsonb_object_agg(u.o::text, u.x) FROM"
        f" unnest({b.rng.choice(arrays)}) WITH ORDINALITY u (x, o))")


def several_keys(b, jsonb):
    """(alias, column that holds keys, alias of the table they are of)."""
    found = b.pick([(a, c, r) for a in b.scope for c in a.rel.columns
                    if c.many and (c.type == "jsonb") == jsonb
                    for r in b.rels if r.key and r.key.domain == c.many
                    and r.key.type == c.many_type and b.fits(r, 3)])
    if found:
        a, c, r = found
        return a, c, b.alias(r, 3)


@value("unnest joined further", 1)
def unnest_joined(b):
    found = several_keys(b, False)
    if found:
        a, c, t = found
        return (f"(SELECT jsonb_agg({b.element(t)} ORDER BY u.o) FROM"
                f" unnest({a[c]}) WITH ORDINALITY u (k, o) JOIN {t.rel.name}"
                f" {t.name} ON {t[t.rel.key]} = u.k)")


@value("ANY(array column)", 1)
def any_array_column(b):
    found = several_keys(b, False)
    if found:
        a, c, t = found
        key = t[t.rel.key]
        return (f"(SELECT jsonb_agg({b.element(t)} ORDER BY {key}) FROM"
                f" {t.rel.name} {t.name} WHERE {key} = ANY ({a[c]}))")


@value("rows whose array has the key", 1)
def array_back(b):
    """The other way round: from a key to the rows that list it."""
    found = b.pick([(a, r, c) for a in b.scope if a.rel.key
                    and a.rel.key.domain for r in b.rels
                    for c in r.columns if c.many == a.rel.key.domain
                    and c.many_type == a.rel.key.type
                    and c.type != "jsonb" and b.fits(r, 3)])
    if found:
        a, r, c = found
        z = b.alias(r, 3)
        b.use("ANY(array column)")
        return (f"(SELECT count(*) FROM {r.name} {z.name} WHERE"
                f" {a[a.rel.key]} = ANY ({z[c]}))")


@value("jsonb_array_elements joined further", 1)
def elements_joined(b):
    found = several_keys(b, True)
    if found:
        a, c, t = found
        key = t[t.rel.key]
        on = b.rng.choice([f"{key} = j.v::{t.rel.key.type}",
                           f"{key}::text = j.v"])
        return (f"(SELECT jsonb_agg({b.element(t)} ORDER BY j.o) FROM"
                f" jsonb_array_elements_text({a[c]}) WITH ORDINALITY j (v, o)"
                f" JOIN {t.rel.name} {t.name} ON {on})")


@value("set-returning function in the target list", 0.7)
def srf_top(b):
    """One row, or none."""
    n = b.column(b.scope[0], {"int"})
    if b.closed or not n:
        return None
    return f"generate_series(1, CASE WHEN {n} = 3 THEN 0 ELSE 1 END)"


@value("set-returning function in a subquery's target list", 0.7)
@correlated_exact
def srf_target(b, s):
    return (f"(SELECT jsonb_agg(t.e ORDER BY t.e, t.i) FROM (SELECT"
            f" {s.element}::text AS e, generate_series(1, 2) AS i {s}) t)")


def window_columns(b, root_only=False):
    """Columns that a window can be partitioned by: (alias, column)."""
    return [(a, c) for a in (b.scope[:1] if root_only else b.scope)
            for c in a.rel.columns if c.domain and c is not a.rel.key]


def is_there(b, alias):
    """Is it joined in so that it is not null-extended?"""
    joined = [p.join for p in b.d.parts if p.join]
    return (any(f"@ JOIN {alias.rel.name} {alias.name} " in j for j in joined)
            and not any("RIGHT JOIN" in j or "FULL JOIN" in j
                        for j in joined))


def can_have_window(b):
    return not b.closed and b.scope[0].rel.key and "@" == b.d.wrap


@value("window partitioned by a reference", 2)
def window(b):
    """Rank of a post among its author's."""
    a, others = b.scope[0], window_columns(b, True)
    if not can_have_window(b) or not others:
        return None
    c = b.rng.choice(others)[1]
    order = a[a.rel.key]
    n = b.column(a, {"int"})
    function = b.rng.choice(
        ["row_number()", "count(*)", "rank()", f"lag({order})",
         f"first_value({order})"] + ([f"sum({n})", f"max({n})"] if n else []))
    return f"{function} OVER (PARTITION BY {a[c]} ORDER BY {order})"


@value("window partitioned by the key", 0.7)
def window_of_key(b):
    a = b.scope[0]
    if not can_have_window(b):
        return None
    n = b.column(a, {"int"})
    function = f"sum({n})" if n else "count(*)"
    return f"{function} OVER (PARTITION BY {a[a.rel.key]})"


@value("window partitioned by a joined table's column", 0.7)
def window_of_joined(b):
    """By a row that is there: else only a rebuild is of use."""
    a = b.scope[0]
    if not can_have_window(b):
        return None
    if b.want == "window partitioned by a joined table's column":
        inner_join(b)
    others = [(x, c) for x, c in window_columns(b) if x is not a and
              (is_there(b, x) or b.maybe(0.2))]
    if not others:
        return None
    x, c = b.rng.choice(others)
    return f"count(*) OVER (PARTITION BY {x[c]})"


@value("two windows with different partitions", 1.5)
def two_windows(b):
    a, others = b.scope[0], window_columns(b)
    plain = [a[c] for c in a.rel.typed({"int", "text", "bool"})]
    keys = [x[c] for x, c in others] + plain[:1]
    if not can_have_window(b) or len(keys) < 2:
        return None
    first, second = b.rng.sample(keys, 2)
    order = a[a.rel.key]
    return (f"jsonb_build_array(row_number() OVER (PARTITION BY {first} ORDER"
            f" BY {order}), count(*) OVER (PARTITION BY {second}))")


@value("window without partition", 0.5)
def window_whole(b):
    a = b.scope[0]
    if not can_have_window(b):
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


@value("OR across two tables", 1)
def or_of_two(b):
    """Either arm links, each to another relation of the outer query."""
    found = [(x, xc, y, yc, r, c1, c2) for r in b.rels if b.fits(r, 4)
             for c1 in r.columns for x in b.scope for xc in x.rel.columns
             if c1.domain and c1.domain == xc.domain and c1.type == xc.type
             for c2 in r.columns for y in b.scope for yc in y.rel.columns
             if c2.domain and c2.domain == yc.domain and c2.type == yc.type
             and c1 is not c2 and xc is not yc]
    if not found:
        return None
    x, xc, y, yc, r, c1, c2 = b.rng.choice(found)
    a = b.alias(r, 4)
    return (f"(SELECT count(*) FROM {r.name} {a.name} WHERE"
            f" {a[c1]} = {x[xc]} OR {a[c2]} = {y[yc]})")


@value("correlated at several depths", 1.5)
def several_depths(b):
    """A subquery in a subquery that also relates to the outermost query."""
    s = sub(b, plain=True)
    if not s:
        return None
    nested = b.inside([s.alias])
    deep = sub(nested, exact=True, plain=True, level=2)
    b.back_from(nested)
    if not deep:
        return None
    outer = outermost(b, deep.alias)
    if not outer:
        return None
    text = f"(SELECT count(*) {deep} AND {outer})"
    if b.maybe(0.4):
        nested = b.inside([deep.alias])
        deepest = sub(nested, exact=True, plain=True, level=2)
        b.back_from(nested)
        outer = deepest and outermost(b, deepest.alias)
        if outer:
            b.use("correlated at three depths")
            text = (f"(SELECT count(*) {deep} AND EXISTS (SELECT {deepest}"
                    f" AND {outer}))")
    return (f"(SELECT jsonb_agg(jsonb_build_array({s.element}, {text})"
            f" ORDER BY {s.order}) {s})")


def outermost(b, alias):
    """A condition between a relation far inside and the outer query."""
    some = [f"{alias[c]} {o} {x[xc]}" for x in b.scope
            for c in alias.rel.columns for xc in x.rel.columns
            if c.domain and c.domain == xc.domain and c.type == xc.type
            for o in ("=", "=", "<>")]
    n = b.column(b.scope[0], {"int"})
    m = b.column(alias, {"int"})
    some += [f"{m} >= {n}", f"{m} IS DISTINCT FROM {n}"] if n and m else []
    return b.rng.choice(some) if some else None


@value("subquery linked only to the outermost query", 0.7)
def skipping(b):
    """The one in the middle has nothing to do with the innermost but a
    filter."""
    s = sub(b, plain=True)
    deep = s and sub(b, exact=True, plain=True, level=2)
    if not deep:
        return None
    n, m = b.column(s.alias, {"int"}), b.column(deep.alias, {"int"})
    also = f" AND {m} <> {n}" if n and m else ""
    return (f"(SELECT jsonb_agg((SELECT count(*) {deep}{also}) ORDER BY"
            f" {s.order}) {s})")


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


@predicate("WHERE on columns", 6)
def column_condition(b):
    return b.filter(b.rng.choice(b.scope))


@predicate("JSON path", 1)
def json_path(b):
    docs = [a[c] for a in b.scope for c in a.rel.columns
            if c.name == "doc" and c.type == "jsonb"]
    return docs and b.rng.choice(
        ["@c @? '$.a'", "@c @@ '$.a > 1'", "(@c @? '$[*] ? (@ > 1)') IS TRUE",
         "@c ? 'a'"]).replace("@c", b.rng.choice(docs))


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


@predicate("NOT IN", 2)
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
