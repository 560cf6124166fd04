"""Partitioned tables: how they are divided, their DDL, and statements that
change which partitions there are.

A layout has two partitions with bounds and one for the rest (with HASH, two);
one of them may be divided further, or have its columns in another order.  Of
a table that nothing references, one more partition comes and goes.
"""

from dataclasses import dataclass

import schema as schemas

STATEMENTS = {"statement at a partition", "ATTACH, DETACH PARTITION",
              "TRUNCATE of a partition", "partition created or dropped"}
FEATURES = STATEMENTS | {
    "partitioned by range", "partitioned by list", "partitioned by hash",
    "two levels of partitions", "partition with another column order"}


@dataclass
class Layout:
    method: str                 # RANGE, LIST, HASH
    column: object              # schema.Column
    name: str                   # of the table, unquoted, to name partitions
    two_levels: bool
    odd: int                    # which one has another order; None: none

    def features(self):
        result = {"partitioned table",
                  "partitioned by " + self.method.lower()}
        if self.two_levels:
            result.add("two levels of partitions")
        if self.odd is not None:
            result.add("partition with another column order")
        return result

    def clause(self):
        return f" PARTITION BY {self.method} ({self.column.name})"

    def key(self, n):
        return schemas.key_literal(self.column.type, n).split("::")[0]

    def keys(self, first, last):
        return ", ".join(map(self.key, range(first, last + 1)))

    def bounds(self):
        if self.method == "HASH":
            return [f"FOR VALUES WITH (MODULUS 2, REMAINDER {i})"
                    for i in range(2)]
        if self.method == "LIST":
            return [f"FOR VALUES IN ({self.keys(1, 4)})",
                    f"FOR VALUES IN ({self.keys(5, 8)})", "DEFAULT"]
        return [f"FOR VALUES FROM (MINVALUE) TO ({self.key(5)})",
                f"FOR VALUES FROM ({self.key(5)}) TO ({self.key(9)})",
                "DEFAULT"]

    def late_bound(self):
        return {"LIST": f"FOR VALUES IN ({self.keys(9, 10)})",
                "RANGE": f"FOR VALUES FROM ({self.key(9)})"
                         f" TO ({self.key(12)})",
                "HASH": None}[self.method]

    def partition(self, i):
        return schemas.quote(f"{self.name}_p{i}")

    def names(self):
        """Of what rows can be written to directly, inner nodes included."""
        result = [self.partition(i) for i in range(len(self.bounds()))]
        if self.two_levels:
            result += [self.partition(f"0_{i}") for i in range(2)]
        return result

    def ddl(self, table):
        out = []
        for i, bound in enumerate(self.bounds()):
            name = self.partition(i)
            if i == self.odd:
                out += odd_ddl(table, name, bound)
                continue
            divided = i == 0 and self.two_levels
            out.append(f"CREATE TABLE {name} PARTITION OF {table.name} {bound}"
                       + (f" PARTITION BY HASH ({self.column.name})"
                          if divided else ""))
            for j in range(2 if divided else 0):
                out.append(f"CREATE TABLE {self.partition(f'0_{j}')} PARTITION"
                           f" OF {name} FOR VALUES WITH (MODULUS 2,"
                           f" REMAINDER {j})")
        return out


def odd_ddl(table, name, bound):
    """One whose columns are in reverse, after one that is gone."""
    lines = ["gone int"] + list(reversed(table.column_ddl()))
    return [f"CREATE TABLE {name} ({', '.join(lines)})",
            f"ALTER TABLE {name} DROP COLUMN gone",
            f"ALTER TABLE {table.name} ATTACH PARTITION {name} {bound}"]


def make_layout(dice, table, column):
    method = dice.choice(["partitioned by range", "partitioned by list",
                          "partitioned by hash"], [3, 3, 2])
    return Layout(method.rsplit(" ", 1)[1].upper(), column,
                  table.name.strip('"'),
                  dice.likes("two levels of partitions", 0.3),
                  1 if dice.likes("partition with another column order", 0.5)
                  else None)


def is_attached(name):
    return (f"EXISTS (SELECT FROM pg_inherits WHERE inhrelid ="
            f" '{name}'::regclass)")


def toggle(table, i):
    """Detach a partition, or attach it if it is detached."""
    name, bound = table.layout.partition(i), table.layout.bounds()[i]
    return (f"DO $p$BEGIN IF {is_attached(name)} THEN ALTER TABLE {table.name}"
            f" DETACH PARTITION {name}; ELSE ALTER TABLE {table.name} ATTACH"
            f" PARTITION {name} {bound}; END IF; END$p$")


def detour(table, i, change):
    """Detach a partition, change it, attach it again."""
    name, bound = table.layout.partition(i), table.layout.bounds()[i]
    return (f"DO $p$BEGIN IF {is_attached(name)} THEN ALTER TABLE {table.name}"
            f" DETACH PARTITION {name}; {change}; ALTER TABLE {table.name}"
            f" ATTACH PARTITION {name} {bound}; END IF; END$p$")


def come_and_go(table):
    """Create one more partition, or drop it."""
    bound, name = table.layout.late_bound(), table.layout.partition("late")
    return bound and (
        f"DO $p$BEGIN IF to_regclass('{name}') IS NULL THEN CREATE TABLE"
        f" {name} PARTITION OF {table.name} {bound}; ELSE DROP TABLE {name};"
        " END IF; END$p$")
