"""What the run says at the end."""

from collections import Counter

from judge import OURS
from work import LEVELS

LINES = 12                      # of a table of deadlocks
DETAILS = 3                     # deadlocks that are shown in full


def per_thousand(counts):
    """A line for each way to end, a column for each isolation level."""
    totals = Counter()
    for (kind, level), n in counts.items():
        if not kind.endswith("caught"):
            totals[level] += n
    total = sum(totals.values()) or 1
    print(f"\n{'of 1,000 transactions':36}"
          + "".join(f"{level.lower():>17}" for level in LEVELS)
          + f"{'all':>9}{'number':>9}")
    for kind in sorted({kind for kind, _ in counts},
                       key=lambda kind: (not kind.isupper(), kind)):
        line = f"{kind:36}"
        for level in LEVELS:
            part = counts[kind, level] / (totals[level] or 1)
            line += f"{1000 * part:17.1f}"
        n = sum(counts[kind, level] for level in LEVELS)
        print(f"{line}{1000 * n / total:9.1f}{n:9}")


def our_deadlocks(victims, cycles, details):
    """What those were doing that deadlocked by pg_tviews' locks."""
    if not victims:
        return
    print(f"\n{sum(victims.values())} deadlocks that bare tables would not"
          " have, by what the members waited for and how many of them were"
          " locking early,\nthat is, had refreshed before their end")
    most_common(cycles)
    print("by what the victim was doing")
    most_common(victims)
    for _, text in sorted(details)[:DETAILS]:
        print("\nfor example: " + text)


def most_common(counter):
    for text, n in counter.most_common(LINES):
        print(f"{n:6}  {text}")
    rest = sum(counter.values()) - sum(
        n for _, n in counter.most_common(LINES))
    if rest:
        print(f"{rest:6}  others")


def summary(test):
    n = sum(count for (kind, _), count in test.counts.items()
            if not kind.endswith("caught"))
    ours = sum(count for (kind, _), count in test.counts.items()
               if kind.startswith(OURS))
    return (f"seed {test.args.seed}: {n} transactions of {test.args.clients}"
            f" clients, {n / test.seconds:.0f} a second;"
            f" {ours} deadlocks by pg_tviews' locks;"
            f" {test.looks} comparisons; {len(test.failures)} failures")
