"""Who was in the deadlocks that bare tables would not have.

Each client tells on a board what process its session is, and whether its
transaction may hold pg_tviews' locks early, before its end, because it has
refreshed for a read.  So the victim can tell of all members of a cycle, unless
one has gone on meanwhile.
"""

import multiprocessing
import re
from collections import Counter

from judge import describe

DETAILS = 2                     # that a client tells in full
WAIT = re.compile(r"Process (\d+) waits for (\w+) on (\w+)")


def make_board(clients):
    """A process id and a flag for each client, in shared memory."""
    return multiprocessing.Array("i", 2 * clients, lock=False)


class Deadlocks:
    def __init__(self, board, number):
        self.board, self.number = board, number
        self.victims, self.cycles = Counter(), Counter()
        self.details = []

    def tell_pid(self, pid):
        self.board[2 * self.number] = pid

    def tell_early(self, early):
        self.board[2 * self.number + 1] = early

    def note(self, kind, where, text, error):
        self.victims[where] += 1
        members = WAIT.findall(error.diag.message_detail or "")
        kinds = sorted({f"{mode} on {what}" for _, mode, what in members})
        early = min(2, sum(self.is_early(int(pid)) for pid, _, _ in members))
        self.cycles[f"{kind}; {', '.join(kinds)}; {early}"
                    f"{' or more' * (early == 2)} locking early"] += 1
        self.details.append((early, f"{where}\n{text}\n{describe(error)}"))
        self.details = sorted(self.details)[:DETAILS]

    def is_early(self, pid):
        pids = self.board[0::2]
        return pid in pids and bool(self.board[2 * pids.index(pid) + 1])

    def told(self):
        return self.victims, self.cycles, self.details
