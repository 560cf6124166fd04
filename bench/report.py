#!/usr/bin/python3
"""Render what bench.py has measured as a table for a terminal of 100 columns."""

import json
import statistics
import sys
from pathlib import Path

import workload

HAND = ("row", "set", "patch")
COLUMNS = ("none", "row", "set", "patch", "tviews", "refresh", "concurrently")
LEFT_OUT = "(wrong)"

# (operation, what it is compared with, at most how many times as long)
TARGETS = [
    ("post_update", HAND, 1.5),
    ("post_unused", ("none",), 1.05),
    ("bulk_unused", ("none",), 1.05),
    ("author_1000", ("none",), 3.0),
    ("bulk_all", ("set", "patch"), 1.5),
]


def duration(usec):
    """Three digits and a unit."""
    for unit, size in (("s ", 1e6), ("ms", 1e3), ("µs", 1)):
        if usec >= size or size == 1:
            value = usec / size
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}"
    raise AssertionError


def ratio(samples, one, others):
    """How many times as long as the best of the others: the median over rounds."""
    others = [name for name in others if samples.get(name)]
    if not samples.get(one) or not others:
        return None
    best = min(others, key=lambda name: statistics.median(samples[name]))
    return statistics.median(a / b for a, b in zip(samples[one], samples[best]))


def counted(result, op):
    """The samples of an operation, without those of contenders that were wrong in the end."""
    wrong = {name for name, faults in result["faults"].items() if faults}
    if "refresh" in wrong:
        wrong.add("concurrently")
    return {name: ([] if name in wrong else values)
            for name, values in result["microseconds"][op].items()}


def label(op, result):
    return op.label.format(**result["facts"]["rows"])


def table(result):
    lines = [f"{'':30}{'none':>9}{'row':>9}{'set':>9}{'patch':>9}{'tviews':>9}"
             f"{'/none':>7}{'/set':>6}{'/hand':>6}",
             "-" * 94]
    for op in workload.OPERATIONS:
        if op.name not in result["microseconds"]:
            continue
        samples = counted(result, op.name)
        line = f"{label(op, result):30}"
        for name in COLUMNS[:5]:
            values = samples.get(name)
            shown = "" if values is None else duration(statistics.median(values)) if values else LEFT_OUT
            line += f"{shown:>9}"
        for others, width in ((("none",), 7), (("set",), 6), (HAND, 6)):
            value = ratio(samples, "tviews", others)
            line += f"{'' if value is None else f'{value:.2f}':>{width}}"
        lines.append(line.rstrip())
    return lines


def refresh_table(result):
    lines = [f"{'one of them, then REFRESH':30}{'plain':>18}{'CONCURRENTLY':>18}{'tviews':>18}", "-" * 84]
    for op in workload.OPERATIONS:
        samples = counted(result, op.name) if op.name in result["microseconds"] else {}
        if not samples.get("refresh"):
            continue
        line = f"{label(op, result):30}"
        for name in ("refresh", "concurrently", "tviews"):
            line += f"{duration(statistics.median(samples[name])) if samples.get(name) else '':>18}"
        lines.append(line.rstrip())
    return lines if len(lines) > 2 else []


def targets(result):
    lines = []
    labels = {op.name: label(op, result) for op in workload.OPERATIONS}
    for name, others, limit in TARGETS:
        if name not in result["microseconds"]:
            continue
        value = ratio(counted(result, name), "tviews", others)
        if value is not None:
            than = "no read model" if others == ("none",) else "hand-written"
            verdict = "reached" if value <= limit else "MISSED"
            lines.append(f"{labels[name]:30} {value:7.2f} x {than:14} at most {limit:4.2f}   {verdict}")
    return lines


def oracle(result):
    lines = []
    for name, faults in result["faults"].items():
        lines += [f"WRONG: {name}: {fault}; its figures do not count" for fault in faults]
    return lines or ["Every read model equals its views, and all base tables hold the same rows."]


def render(result):
    facts = result["facts"]
    rows = facts["rows"]
    lines = [
        f"PostgreSQL {facts['server']}, pg_tviews {facts['pg_tviews'] or 'not measured'}",
        f"{facts['cpu']}, {facts['cpus']} CPUs, {facts['memory_bytes'] / 2**30:.0f} GiB;"
        f" {rows['posts']:,} posts, {rows['comments']:,} comments",
        "",
        "Median time of one transaction; ratios of tviews, medians over rounds",
        "none: no read model; hand-written triggers: row (patch, each row), set (recompute, each",
        "statement), patch (patch, each statement); /hand: to the fastest of these three"]
    for part in (table(result), refresh_table(result), targets(result), oracle(result)):
        lines += ["", *part] if part else []
    if result["checkpoints"]:
        lines.append(f"{result['checkpoints']} checkpoints ran while measuring: figures are noisier.")
    return "\n".join(lines)


if __name__ == "__main__":
    print(render(json.loads(Path(sys.argv[1]).read_text())))
