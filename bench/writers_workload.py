"""What bench/concurrency compares and does: contenders, read models, workloads."""

from dataclasses import dataclass

import workload

# One query for each entity, as in workload.py but smaller, so that what a
# transaction waits for weighs more than what it computes.
DEFINITIONS = {
    "user": """
SELECT tb_user.pk_user, tb_user.id,
       jsonb_build_object('id', tb_user.id, 'name', tb_user.name,
                          'email', tb_user.email) AS data
FROM tb_user""",
    "post": """
SELECT tb_post.pk_post, tb_post.id, tb_post.fk_user, v_user.id AS user_id,
       jsonb_build_object('id', tb_post.id, 'title', tb_post.title,
                          'content', tb_post.content, 'author', v_user.data) AS data
FROM tb_post
JOIN v_user ON v_user.pk_user = tb_post.fk_user""",
}


@dataclass(frozen=True)
class Contender:
    """One way to keep the read model.

    `scripts` are files of sql/, for hand-written triggers; `build` is the name
    of a build of pg_tviews.
    """
    name: str
    right: bool = True      # claims that no row is ever stale
    scripts: tuple = ()
    build: str | None = None


TRIGGERS = ("writers_tables", "writers_triggers", "writers_repair")

CONTENDERS = [
    Contender("none"),
    Contender("triggers", right=False, scripts=TRIGGERS),
    Contender("locked", scripts=(*TRIGGERS, "writers_locked")),
    Contender("advisory", scripts=(*TRIGGERS, "writers_advisory")),
    Contender("onelock", build="onelock"),
    Contender("unlocked", right=False, build="unlocked"),
    Contender("tviews", build="tviews"),
]


@dataclass(frozen=True)
class Load:
    """Clients that run pgbench scripts: `clients` of them, or as many as the run says."""
    rate: str               # what its transactions per second are called
    scripts: tuple          # files of sql/, each with its weight
    clients: int | None = None


@dataclass(frozen=True)
class Workload:
    """What runs at the same time, for some seconds."""
    name: str
    label: str
    loads: tuple
    clients: tuple = (1, 2, 8, 16, 32)      # unless an option says otherwise
    adds: bool = False      # adds posts, which are deleted after each run


WORKLOADS = [
    Workload("disjoint", "update the title of a random post",
             (Load("tps", ("writers_update_post@1",)),)),
    Workload("mixed", "the same; one transaction in ten renames a random user",
             (Load("tps", ("writers_update_post@9", "writers_rename_user@1")),)),
    Workload("hot_parent", "insert posts of one user; one more client renames it every 5 ms",
             (Load("inserts", ("writers_insert_hot@1",)),
              Load("renames", ("writers_rename_hot@1",), clients=1)),
             clients=(4, 16), adds=True),
    Workload("hot_bounded", "the same, but each client deletes the post it inserted before",
             (Load("inserts", ("writers_replace_hot@1",)),
              Load("renames", ("writers_rename_hot@1",), clients=1)),
             clients=(4, 16), adds=True),
]

# The workload without clients: time is taken on the server, in many blocks.
SINGLE = "single"
SINGLE_LABEL = "update the title of a post, in a loop on the server"
OPERATION = next(op for op in workload.OPERATIONS if op.name == "post_update")


@dataclass(frozen=True)
class Plan:
    """Rows to load, and how much of everything to run, unless an option says otherwise."""
    size: workload.Size
    rounds: int
    seconds: int            # of a run, after a first second that isn't counted
    blocks: int             # of the workload "single"
    times: int              # transactions of a block
    clients: tuple | None = None


FULL = Plan(workload.Size(500, 10_000, 100_000, 0, 1.0), 5, 2, 61, 2000)
QUICK = Plan(workload.Size(50, 1_000, 10_000, 0, 1.0), 1, 1, 5, 500, clients=(2, 16))
