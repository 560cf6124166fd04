"""What the errors of a transaction mean.

Everything is a failure of the test but: serialization failures, deadlocks,
errors of the base tables' own constraints, time-outs that the transaction has
set itself, and the end of a session that was terminated on purpose.
"""

import re

OWN_TIMEOUT = "own timeout"
TERMINATED = "terminated"
FAILED = "FAILED"
CONSTRAINT = "23505, 23503 of base tables"
SERIALIZATION = "40001"
OF_ROWS = "40P01, rows of base tables"
OF_TABLES = "40P01, locks on tables"
OF_TVIEW_ROWS = "40P01, rows of TVIEWs"
OF_LOCKS = "40P01, pg_tviews' locks"
OURS = (OF_LOCKS, OF_TVIEW_ROWS)        # bare tables would not have them

# The fourth field of what users lock is 1 or 2.
ADVISORY = re.compile(r"advisory lock \[\d+,\d+,\d+,(\d+)\]")


def judge(error, has_timeout):
    """The name of an error's kind; None if it must not happen."""
    code = error.pgcode
    if code == "40001":
        return SERIALIZATION
    if code == "40P01":
        return deadlock(error.diag)
    if code in ("23505", "23503"):
        table = error.diag.table_name or ""
        return CONSTRAINT if table.startswith("tb_") else None
    if code in ("55P03", "57014") and has_timeout:
        return OWN_TIMEOUT
    return None


def deadlock(diag):
    """Whose locks were in it?"""
    detail = diag.message_detail or ""
    if any(int(field) > 2 for field in ADVISORY.findall(detail)):
        return OF_LOCKS
    if re.search(r"\btv_", diag.context or ""):
        return OF_TVIEW_ROWS
    if re.search(r" on (relation|extension|object) ", detail):
        return OF_TABLES
    return OF_ROWS


def describe(error):
    diag = error.diag
    parts = [f"{error.pgcode}: {diag.message_primary or str(error).strip()}"]
    for name in ("detail", "hint"):
        text = getattr(diag, "message_" + name)
        if text:
            parts.append(f"{name.upper()}: {text}")
    if diag.context:
        parts.append(f"CONTEXT: {diag.context}")
    return "\n".join(parts)
