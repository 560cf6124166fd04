#!/usr/bin/python3
"""Render what writers.py has measured as tables for a terminal of 110 columns."""

import json
import statistics
import sys
from pathlib import Path

import writers_workload as what

# pairs of contenders whose rates are compared
RATIOS = (("tviews", "unlocked"), ("tviews", "locked"), ("tviews", "triggers"),
          ("tviews", "none"), ("onelock", "unlocked"))
RATE_NAMES = {"tps": "transactions/s", "inserts": "inserts/s", "renames": "renames/s"}

# (workload, clients or None for all, rate, compared with, at least how many times as much)
TARGETS = [
    ("single", None, "tps", "unlocked", 0.95),
    ("hot_parent", 16, "inserts", "locked", 1.0),
    ("hot_parent", 16, "renames", "locked", 4.0),
]


def select(result, **wanted):
    return [run for run in result["runs"]
            if all(run[key] == value for key, value in wanted.items())]


def distinct(runs, key):
    return list(dict.fromkeys(run[key] for run in runs))


def by_round(runs, contender, rate):
    return {run["round"]: run["rates"][rate] for run in runs if run["contender"] == contender}


def ratio(runs, rate, one, other):
    """The median of the ratios of each round; None where the other one got nothing done."""
    ones, others = by_round(runs, one, rate), by_round(runs, other, rate)
    ratios = [ones[number] / others[number] for number in ones if others.get(number)]
    return statistics.median(ratios) if ratios else None


def in_digits(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def table(result, workload, sync, rate):
    """Rates by number of clients, then ratios, and what the oracle found."""
    runs = select(result, workload=workload, sync=sync)
    names = result["contenders"]
    pairs = [(one, other) for one, other in RATIOS if one in names and other in names]
    head = f"{RATE_NAMES[rate]:16}" + "".join(f"{name:>10}" for name in names)
    lines = [head, "-" * len(head)]
    for clients in distinct(runs, "clients"):
        some = [run for run in runs if run["clients"] == clients]
        lines.append(f"{plural(clients, 'client'):16}" + "".join(
            f"{in_digits(statistics.median(by_round(some, name, rate).values())):>10}"
            for name in names))
    if pairs:
        lines += ["", f"{'ratio':16}" + "".join(f"{one + '/' + other:>18}" for one, other in pairs)]
    for clients in distinct(runs, "clients") if pairs else []:
        some = [run for run in runs if run["clients"] == clients]
        values = [ratio(some, rate, one, other) for one, other in pairs]
        lines.append(f"{plural(clients, 'client'):16}" + "".join(
            f"{'' if value is None else f'{value:.2f}':>18}" for value in values))
    return lines


def plural(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def last_lines(result, workload, sync):
    """What all rates of a workload have in common."""
    runs = select(result, workload=workload, sync=sync)
    lines = []
    if "posts" in runs[0]:
        for clients in distinct(runs, "clients"):
            lines.append(f"{f'posts, {clients} cl.':16}" + each(
                result, [run for run in runs if run["clients"] == clients],
                lambda some: statistics.median(run["posts"] for run in some)))
    lines.append(f"{'stale rows':16}" + each(
        result, runs, lambda some: sum(run["stale"] for run in some)))
    if any(run["retries"] for run in runs):
        lines.append(f"{'deadlocks':16}" + each(
            result, runs, lambda some: sum(run["retries"] for run in some)))
    return lines


def each(result, runs, call):
    return "".join(f"{call([run for run in runs if run['contender'] == name]):>10,.0f}"
                   for name in result["contenders"])


def sections(result):
    labels = {w.name: w.label for w in what.WORKLOADS} | {what.SINGLE: what.SINGLE_LABEL}
    for workload in distinct(result["runs"], "workload"):
        for sync in distinct(select(result, workload=workload), "sync"):
            runs = select(result, workload=workload, sync=sync)
            lines = ["", f"{workload}: {labels[workload]}; synchronous_commit = {sync}"]
            for rate in runs[0]["rates"]:
                lines += ["", *table(result, workload, sync, rate)]
            yield [*lines, "", *last_lines(result, workload, sync)]


def targets(result):
    lines = []
    for workload, clients, rate, other, limit in TARGETS:
        for sync in distinct(select(result, workload=workload), "sync"):
            runs = [run for run in select(result, workload=workload, sync=sync)
                    if clients in (None, run["clients"])]
            value = ratio(runs, rate, "tviews", other)
            if value is None:
                continue
            label = f"{workload}, {sync}: {RATE_NAMES[rate]}, tviews/{other}"
            verdict = "reached" if value >= limit else "MISSED"
            lines.append(f"{label:55} {value:6.2f}, at least {limit:.2f}   {verdict}")
    return lines


def wrong(result):
    """The stale rows of contenders that claim to have none."""
    counts = {}
    for contender in what.CONTENDERS:
        count = sum(run["stale"] for run in select(result, contender=contender.name))
        if contender.right and count:
            counts[contender.name] = count
    return counts


def oracle(result):
    lines = [f"WRONG: {name}: {count} stale rows; its figures do not count"
             for name, count in wrong(result).items()]
    return lines or ["After each run, every read model that claims so was equal to its views."]


def render(result):
    facts = result["facts"]
    lines = [
        f"PostgreSQL {facts['server']}; {facts['cpu']}, {facts['cpus']} CPUs,"
        f" {facts['memory_bytes'] / 2**30:.0f} GiB; {facts['rows']['posts']:,} posts",
        f"Medians of {plural(facts['rounds'], 'round')} of {facts['seconds']} s"
        f" ({what.SINGLE}: {facts['blocks']} blocks); ratios are medians over rounds; stale rows"
        " are the sum over all runs"]
    for section in sections(result):
        lines += section
    lines += ["", *targets(result), *oracle(result)]
    if result["checkpoints"]:
        lines.append(f"{result['checkpoints']} checkpoints ran while measuring, which is noise.")
    return "\n".join(lines)


if __name__ == "__main__":
    print(render(json.loads(Path(sys.argv[1]).read_text())))
