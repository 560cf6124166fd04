"""The shapes that must be maintained, and what a run has seen of them.

SHAPES has a line for each shape that the reference promises: the features
that the generator counts for it, each of which must have been accepted at
least once in a run that is long enough.  REBUILT means that the reference
says "rebuild only": it need only be accepted with {"on_unmapped": "rebuild"}.
"""

from collections import Counter
from dataclasses import dataclass

ENOUGH_DEFINITIONS = 600        # a run is judged when it has made so many
REBUILT = True

SHAPES = {
    "joins": [
        ("inner", "inner join"),
        ("left", "left join"),
        ("right", "right join"),
        ("full", "full join"),
        ("cross, with a condition", "comma join with its condition in WHERE"),
        ("of a table with itself", "self join"),
        ("USING", "USING"),
        ("NATURAL", "NATURAL"),
        ("anti join", "anti join"),
        ("non-equality conditions", "non-equality join condition",
         "inequality besides equality", "non-equality correlation"),
        ("OR of conditions", "OR in a join condition", "OR correlation",
         "OR of links in a join condition", "OR across two tables"),
        ("nested join trees", "nested join tree"),
        ("join trees to 10 relations", "join tree of 6 to 10 relations"),
        ("link tables without a key", "link table without key",
         "m:n through a link table"),
        ("composite conditions", "composite join condition",
         "row comparison"),
        ("conditions through casts", "cast in a join condition"),
        ("conditions through immutable expressions",
         "expression in a join condition", "join on a value"),
        ("IS NOT DISTINCT FROM", "IS NOT DISTINCT FROM"),
        ("coalesce in conditions", "coalesce in a join condition"),
    ],
    "subqueries": [
        ("scalar", "scalar subquery"),
        ("EXISTS", "EXISTS"),
        ("NOT EXISTS", "NOT EXISTS"),
        ("IN", "IN"),
        ("NOT IN, correlated", "NOT IN, correlated"),
        ("NOT IN", "NOT IN", REBUILT),
        ("ANY, ALL", "ANY, ALL", "ANY(ARRAY(subquery))"),
        ("ARRAY(…)", "ARRAY(subquery)"),
        ("LATERAL", "LATERAL, inner", "LATERAL, left", "LATERAL aggregate"),
        ("correlated at several depths", "correlated at several depths",
         "correlated at three depths",
         "subquery linked only to the outermost query"),
        ("ORDER BY and LIMIT", "subquery with ORDER BY and LIMIT",
         "LATERAL with ORDER BY and LIMIT"),
        ("in the target list", "jsonb_agg", "count"),
        ("in WHERE", "aggregate in WHERE", "OR with a subquery"),
        ("in FROM", "grouped subquery in FROM"),
        ("in HAVING", "subquery in HAVING"),
        ("uncorrelated", "uncorrelated subquery", REBUILT),
    ],
    "aggregates": [
        ("GROUP BY the key", "GROUP BY the key of a root",
         "GROUP BY a reference"),
        ("HAVING", "HAVING", "HAVING in a subquery"),
        ("FILTER", "FILTER"),
        ("DISTINCT inside", "DISTINCT in an aggregate"),
        ("ORDER BY inside", "jsonb_agg"),
        ("ordered-set aggregates", "ordered-set aggregate"),
        ("GROUPING SETS in subqueries", "grouping sets in a subquery"),
        ("jsonb_object_agg", "jsonb_object_agg"),
        ("array_agg", "array_agg"),
        ("string_agg", "string_agg"),
        ("grouped subqueries joined in", "grouped subquery in FROM"),
        ("grouped views joined in", "grouped view joined in"),
    ],
    "set operations": [
        ("UNION ALL", "UNION ALL", "UNION ALL of two roots",
         "set operation with NOT EXISTS", "set operation of shifted keys"),
        ("UNION", "UNION", "UNION of a root's rows"),
        ("INTERSECT", "INTERSECT", "INTERSECT ALL"),
        ("EXCEPT", "EXCEPT", "EXCEPT ALL"),
        ("nested", "nested set operations"),
        ("of keyed branches with joins",
         "set operation with joins in its branches"),
        ("in FROM, carrying the key",
         "set operation in FROM that carries the key",
         "set operation mixed with joins",
         "set operation in FROM, grouped by the key"),
        ("in FROM, joined to the root", "set operation in FROM"),
        ("in subqueries", "set operation in a subquery",
         "set operation below the condition"),
    ],
    "CTEs": [
        ("plain", "CTE", "CTE around all"),
        ("referenced twice", "CTE used twice"),
        ("MATERIALIZED", "CTE MATERIALIZED", "CTE around all, MATERIALIZED"),
        ("WITH RECURSIVE, to the root", "recursion upward"),
        ("WITH RECURSIVE, all descendants", "recursion downward"),
        ("WITH RECURSIVE in a subquery", "recursive CTE in a subquery"),
        ("WITH RECURSIVE in LATERAL", "recursive CTE in LATERAL"),
        ("WITH RECURSIVE for all, its start passed along",
         "recursive CTE at the top, grouped by its start",
         "recursive CTE for all, joined by where it started"),
        ("WITH RECURSIVE, key of the last step",
         "recursive CTE at the top, key of the last step"),
        ("WITH RECURSIVE by UNION, UNION ALL, with a counter",
         "recursion by UNION", "recursion by UNION ALL",
         "recursion with a depth counter"),
        ("WITH RECURSIVE through a link table",
         "recursion through a link table"),
        ("WITH RECURSIVE with a second table",
         "recursion with a second table"),
    ],
    "windows": [
        ("partitioned by the key", "window partitioned by the key"),
        ("partitioned by a reference", "window partitioned by a reference"),
        ("partitioned by a joined table's column",
         "window partitioned by a joined table's column"),
        ("two partitions at once", "two windows with different partitions"),
        ("in subqueries", "window in a subquery",
         "ranks in a subquery, the first few", "window below the condition"),
        ("filter on a rank", "filter on a rank"),
        ("unpartitioned", "window without partition", REBUILT),
    ],
    "top level": [
        ("DISTINCT", "DISTINCT", "DISTINCT over a join", "DISTINCT in FROM"),
        ("DISTINCT ON the key", "DISTINCT ON the key",
         "DISTINCT ON over a join"),
        ("DISTINCT ON what determines the key",
         "DISTINCT ON what determines the key", "DISTINCT ON in FROM"),
        ("VALUES", "VALUES in FROM", "VALUES as root", "VALUES at the top"),
        ("jsonb_array_elements", "jsonb_array_elements in a subquery",
         "jsonb_array_elements joined further"),
        ("unnest", "unnest WITH ORDINALITY", "unnest joined further"),
        ("generate_series", "generate_series in FROM",
         "generate_series joined further",
         "set-returning function in FROM, key from it"),
        ("set-returning functions in the target list",
         "set-returning function in the target list",
         "set-returning function in a subquery's target list"),
        ("ORDER BY", "ORDER BY at the top"),
        ("LIMIT, OFFSET", "LIMIT at the top", "OFFSET at the top", REBUILT),
    ],
    "expressions": [
        ("CASE", "CASE"),
        ("COALESCE", "COALESCE"),
        ("casts", "cast"),
        ("domains", "domain column"),
        ("enums", "enum column"),
        ("composite columns", "composite column"),
        ("array columns", "array column"),
        ("key = ANY (array column)", "ANY(array column)"),
        ("row references", "row reference", "whole row"),
        ("generated columns", "generated column"),
        ("JSON paths", "JSON path"),
        ("collations", "COLLATE", "nondeterministic collation"),
        ("citext", "citext"),
    ],
    "keys": [
        ("int2, int4, int8", "smallint key", "int key", "bigint key"),
        ("uuid", "uuid key"),
        ("text", "text key"),
        ("numeric", "numeric key"),
        ("domains", "domain key"),
        ("expression of the root's columns", "expression as key"),
        ("root that is a view", "root is a plain view", "root is v_"),
        ("either side of a FULL JOIN", "FULL JOIN with a coalesced key",
         "FULL JOIN USING as key"),
        ("another side's key where the first is missing",
         "FULL JOIN, each side with keys of its own"),
    ],
    "tables": [
        ("partitioned by range", "partitioned by range"),
        ("partitioned by list", "partitioned by list"),
        ("partitioned by hash", "partitioned by hash"),
        ("two levels of partitions", "two levels of partitions"),
        ("partitions of another column order",
         "partition with another column order"),
        ("DML straight at a partition", "statement at a partition"),
        ("ATTACH, DETACH, DROP, TRUNCATE of a partition",
         "ATTACH, DETACH PARTITION", "TRUNCATE of a partition",
         "partition created or dropped"),
        ("inheritance", "inheritance children", "ONLY"),
        ("unlogged", "unlogged table"),
        ("the same in two roles", "same table in two roles"),
        ("in other schemas", "table in another schema"),
        ("row-level security", "row-level security"),
    ],
    "composition": [
        ("as object", "TVIEW embedded as an object"),
        ("as array", "TVIEW embedded as an array"),
        ("as array of arrays", "TVIEW embedded as an array of arrays"),
        ("the same embedded twice", "same TVIEW embedded twice"),
        ("diamond", "diamond of TVIEWs"),
        ("through plain views", "TVIEW read through a plain view"),
        ("mix of v_x, tv_x and tb_x", "mix of v_, tv_ and tb_"),
    ],
}


@dataclass(frozen=True)
class Shape:
    group: str
    name: str
    features: tuple
    rebuilt: bool


def all_shapes():
    for group, shapes in SHAPES.items():
        for name, *rest in shapes:
            rebuilt = rest[-1] is REBUILT
            yield Shape(group, name,
                        tuple(rest[:-1] if rebuilt else rest), rebuilt)


# in the order that --missing counts
REQUIRED = sorted({f for s in all_shapes() for f in s.features})
NEEDS_NO_KEY = {f for s in all_shapes() if s.rebuilt for f in s.features}
OF_TABLES = {f for s in all_shapes() if s.group == "tables"
             for f in s.features}


class Coverage:
    """What the extension accepted and refused, by feature."""

    def __init__(self, impossible=()):
        self.accepted, self.rebuilt, self.refused = (Counter(), Counter(),
                                                     Counter())
        self.refusals = []      # (features, reason)
        self.impossible = set(impossible)   # on this server

    def count(self, features, counter, reason=None):
        counter.update(features)
        if reason:
            self.refusals.append((set(features), reason.splitlines()[0]))

    def has(self, feature):
        return bool(self.accepted[feature]
                    or feature in NEEDS_NO_KEY and self.rebuilt[feature])

    def possible(self):
        return len(set(REQUIRED) - self.impossible)

    def missing(self):
        return [f for f in REQUIRED
                if not self.has(f) and f not in self.impossible]

    def reason(self, feature, never):
        """Of a feature that is always refused: from the first definition that
        has the fewest such features."""
        found = [r for r in self.refusals if feature in r[0]]
        return min(found, key=lambda r: len(r[0] & never))[1][:95] \
            if found else "it was never generated"

    def print(self, every=True):
        names = sorted(set(self.accepted + self.rebuilt + self.refused)
                       | set(REQUIRED) - self.impossible)
        never = {f for f in names if not self.accepted[f] + self.rebuilt[f]}
        print(f"{'feature':54} accepted  rebuilt  refused")
        for f in names:
            required = "*" if f in REQUIRED else " "
            if every or f in REQUIRED:
                print(f"{required}{f:53} {self.accepted[f]:8}"
                      f" {self.rebuilt[f]:8} {self.refused[f]:8}")
            if f in never:
                print("      " + self.reason(f, never))

    def verdict(self, definitions):
        """(a line that says it, what the run has to be failed for)"""
        missing = self.missing()
        if not missing:
            return "coverage: every feature that is required", []
        if definitions < ENOUGH_DEFINITIONS:
            return (f"coverage: NOT JUDGED, too few definitions"
                    f" ({definitions} of {ENOUGH_DEFINITIONS}); not accepted"
                    f" yet: {', '.join(missing)}"), []
        return f"coverage: {len(missing)} never accepted", self.failures()

    def failures(self):
        """A line for each shape that the run never saw accepted."""
        missing = set(self.missing())
        never = {f for f in self.refused
                 if not self.accepted[f] + self.rebuilt[f]}
        return [f"{s.group}: {s.name}: never accepted: {f}"
                f" ({self.reason(f, never)})"
                for s in all_shapes() for f in s.features if f in missing]

    def markdown(self):
        """The table of the reference."""
        lines = ["| group | shape | maintained |", "|---|---|---|"]
        for s in all_shapes():
            by_key = all(self.accepted[f] for f in s.features
                         if f not in self.impossible)
            some = any(self.accepted[f] for f in s.features)
            how = "by key" if by_key else "partly by key" if some else \
                "with `on_unmapped`" if all(map(self.has, s.features)) else ""
            lines.append(f"| {s.group} | {s.name} | {how} |")
        return "\n".join(lines) + "\n"


def encode(features):
    """What is missing, for a command line that repeats a round."""
    bits = sum(1 << REQUIRED.index(f) for f in features)
    return f"{bits:x}"


def decode(text):
    bits = int(text, 16)
    return [f for i, f in enumerate(REQUIRED) if bits >> i & 1]
