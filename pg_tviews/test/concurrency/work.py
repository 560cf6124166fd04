"""Random statements and transactions.

Each statement is a function below; its weight says how often it comes up.
Which children it changes is uniform; which parents, is not: all clients want
the first few.
"""

from dataclasses import dataclass, field

from tables import BUCKETS, BULK, COUNTRIES, KEYS, SCORES
from tviews import TVIEWS

READ_COMMITTED = "READ COMMITTED"
LEVELS = [READ_COMMITTED, "REPEATABLE READ", "SERIALIZABLE"]
TIMEOUTS = ["lock_timeout = '3ms'", "lock_timeout = '30ms'",
            "statement_timeout = '10ms'", "statement_timeout = '100ms'"]
STATEMENTS = []                 # (weight, function)


@dataclass
class Statement:
    text: str


@dataclass
class Read:
    """Reads a TVIEW, which flushes what waits for it; bare, the view."""
    text: str


@dataclass
class Own:
    """An update of one row, and what the transaction must then read."""
    update: str
    read: Read
    expected: str


@dataclass
class Savepoint:
    items: list
    undone: bool
    catches: bool               # an error inside is rolled back to it


@dataclass
class Refresh:
    entity: str


@dataclass
class Extra:
    """A TVIEW of the client's own is created or dropped."""


@dataclass
class Transaction:
    level: str = READ_COMMITTED
    mode: str = "block"         # or "auto", "multi"
    kind: str = "short"         # or "bulk", "rare"
    items: list = field(default_factory=list)
    timeout: str = ""           # a setting
    end: str = "COMMIT"         # or "ROLLBACK", "PREPARE"


# ---------------------------------------------------------------------------
# Values

def any_key(rng, entity):
    return rng.randint(1, KEYS[entity])


def hot_key(rng, entity):
    """The first of five has more than half, the last a fourteenth."""
    return 1 + int(KEYS[entity] * rng.random() ** 3)


def word(rng):
    return f"'w{rng.randrange(10 ** 6)}'"


def score(rng):
    return rng.randrange(SCORES)


def country(rng):
    code = rng.choice(COUNTRIES)
    return "'" + rng.choice([code, code.upper(), code.title()]) + "'"


def bucket(rng):
    return int(BUCKETS * rng.random() ** 2)


def one(rng, entity, hot=False):
    """A condition on the key."""
    key = hot_key(rng, entity) if hot else any_key(rng, entity)
    return f"pk_{entity} = {key}"


# ---------------------------------------------------------------------------
# Statements

def statement(weight):
    def register(function):
        STATEMENTS.append((weight, function))
        return function
    return register


@statement(8)
def insert_post(rng):
    conflict = rng.choice([
        "DO NOTHING", "DO NOTHING", "(pk_post) DO UPDATE SET fk_user ="
        " EXCLUDED.fk_user, title = EXCLUDED.title"])
    return (f"INSERT INTO tb_post SELECT {any_key(rng, 'post')}, pk_user,"
            f" {word(rng)}, {score(rng)} FROM tb_user"
            f" WHERE {one(rng, 'user', True)} ON CONFLICT {conflict}")


@statement(4)
def move_post(rng):
    return (f"UPDATE tb_post SET fk_user = u.pk_user FROM tb_user u"
            f" WHERE u.{one(rng, 'user', True)} AND {one(rng, 'post')}")


@statement(3)
def edit_post(rng):
    change = rng.choice([f"title = {word(rng)}", f"score = {score(rng)}"])
    return f"UPDATE tb_post SET {change} WHERE {one(rng, 'post')}"


@statement(5)
def delete_post(rng):
    return f"DELETE FROM tb_post WHERE {one(rng, 'post')}"


@statement(4)
def insert_user(rng):
    return (f"INSERT INTO tb_user SELECT {any_key(rng, 'user')}, pk_company,"
            f" {country(rng)}, {word(rng)} FROM tb_company"
            f" WHERE {one(rng, 'company', True)} ON CONFLICT DO NOTHING")


@statement(4)
def rename_user(rng):
    return (f"UPDATE tb_user SET name = {word(rng)}"
            f" WHERE {one(rng, 'user', True)}")


@statement(2)
def move_user(rng):
    return ("UPDATE tb_user SET fk_company = c.pk_company FROM tb_company c"
            f" WHERE c.{one(rng, 'company', True)}"
            f" AND {one(rng, 'user', True)}")


@statement(2)
def emigrate(rng):
    return (f"UPDATE tb_user SET country = {country(rng)}"
            f" WHERE {one(rng, 'user', True)}")


@statement(1)
def delete_user(rng):
    return f"DELETE FROM tb_user WHERE {one(rng, 'user')}"


@statement(2)
def rename_company(rng):
    return (f"UPDATE tb_company SET name = {word(rng)}"
            f" WHERE {one(rng, 'company', True)}")


@statement(1)
def insert_company(rng):
    return (f"INSERT INTO tb_company VALUES ({any_key(rng, 'company')},"
            f" {word(rng)}) ON CONFLICT (pk_company) DO UPDATE"
            " SET name = EXCLUDED.name")


@statement(0.3)
def delete_company(rng):
    return f"DELETE FROM tb_company WHERE {one(rng, 'company')}"


def user_there(rng):
    """A user, if there is one; in an old snapshot there may be the row that
    somebody else has deleted, and one's own that took its place."""
    return f"(SELECT max(pk_user) FROM tb_user WHERE {one(rng, 'user', True)})"


@statement(8)
def insert_comment(rng):
    author = rng.choice(["NULL", user_there(rng)])
    return (f"INSERT INTO tb_comment VALUES ({any_key(rng, 'comment')},"
            f" {hot_key(rng, 'post')}, {author}, {word(rng)})"
            " ON CONFLICT DO NOTHING")


@statement(4)
def edit_comment(rng):
    change = rng.choice([f"content = {word(rng)}",
                         f"fk_post = {hot_key(rng, 'post')}",
                         f"fk_author = {user_there(rng)}"])
    return f"UPDATE tb_comment SET {change} WHERE {one(rng, 'comment')}"


@statement(1)
def edit_comments(rng):
    return (f"UPDATE tb_comment SET content = {word(rng)}"
            f" WHERE fk_post = {any_key(rng, 'post')}")


@statement(5)
def delete_comment(rng):
    return f"DELETE FROM tb_comment WHERE {one(rng, 'comment')}"


@statement(1)
def delete_comments(rng):
    return f"DELETE FROM tb_comment WHERE fk_post = {hot_key(rng, 'post')}"


@statement(2)
def write_tag(rng):
    return (f"INSERT INTO tb_tag VALUES ({any_key(rng, 'tag')}, {word(rng)})"
            " ON CONFLICT (pk_tag) DO UPDATE SET label = EXCLUDED.label")


@statement(0.5)
def delete_tag(rng):
    return f"DELETE FROM tb_tag WHERE {one(rng, 'tag')}"


@statement(4)
def insert_link(rng):
    return (f"INSERT INTO tb_post_tag SELECT pk_post, {hot_key(rng, 'tag')}"
            f" FROM tb_post WHERE {one(rng, 'post')} ON CONFLICT DO NOTHING")


@statement(3)
def delete_link(rng):
    return (f"DELETE FROM tb_post_tag WHERE fk_post = {any_key(rng, 'post')}"
            + rng.choice(["", f" AND fk_tag = {hot_key(rng, 'tag')}"]))


@statement(2)
def write_category(rng):
    return (f"INSERT INTO tb_category VALUES ({any_key(rng, 'category')},"
            f" {hot_key(rng, 'category')}, {word(rng)})"
            " ON CONFLICT (pk_category) DO UPDATE SET "
            + rng.choice(["name = EXCLUDED.name",
                          "fk_parent = EXCLUDED.fk_parent"]))


@statement(1)
def delete_category(rng):
    return f"DELETE FROM tb_category WHERE {one(rng, 'category')}"


@statement(1)
def write_band(rng):
    low = score(rng)
    return (f"INSERT INTO tb_band VALUES ({any_key(rng, 'band')}, {low},"
            f" {low + rng.choice([5, 20])}, {word(rng)})"
            " ON CONFLICT (pk_band) DO UPDATE SET "
            + rng.choice(["label = EXCLUDED.label", "low = EXCLUDED.low,"
                          " high = EXCLUDED.high"]))


@statement(0.3)
def delete_band(rng):
    return f"DELETE FROM tb_band WHERE {one(rng, 'band')}"


@statement(5)
def insert_sale(rng):
    return (f"INSERT INTO tb_sale VALUES ({any_key(rng, 'sale')},"
            f" {bucket(rng)}, {score(rng)}) ON CONFLICT (pk_sale) DO UPDATE"
            " SET bucket = EXCLUDED.bucket, amount = tb_sale.amount + 1")


@statement(1.5)
def delete_sale(rng):
    return f"DELETE FROM tb_sale WHERE {one(rng, 'sale')}"


@statement(0.5)
def empty_bucket(rng):
    return f"DELETE FROM tb_sale WHERE bucket = {bucket(rng)}"


@statement(1)
def pour_bucket(rng):
    return (f"UPDATE tb_sale SET bucket = {bucket(rng)}"
            f" WHERE bucket = {bucket(rng)}")


@statement(1)
def insert_ban(rng):
    return (f"INSERT INTO tb_ban VALUES ({any_key(rng, 'ban')},"
            f" {hot_key(rng, 'user')}) ON CONFLICT DO NOTHING")


@statement(1.5)
def delete_ban(rng):
    return f"DELETE FROM tb_ban WHERE {one(rng, 'ban')}"


@statement(1)
def write_country(rng):
    return (f"INSERT INTO tb_country VALUES ('{rng.choice(COUNTRIES)}',"
            f" {word(rng)}) ON CONFLICT (pk_country) DO UPDATE"
            " SET name = EXCLUDED.name")


@statement(0.3)
def delete_country(rng):
    return ("DELETE FROM tb_country WHERE pk_country ="
            f" '{rng.choice(COUNTRIES)}'")


@statement(2)
def change_key(rng):
    """To one that is free, as far as this transaction can see."""
    entity = rng.choice(["user", "post", "post", "comment", "tag",
                         "category", "company"])
    table, key = f"tb_{entity}", any_key(rng, entity)
    return (f"UPDATE {table} SET pk_{entity} = {key}"
            f" WHERE {one(rng, entity, True)} AND NOT EXISTS"
            f" (SELECT FROM {table} x WHERE x.pk_{entity} = {key})")


@statement(1)
def change_country_key(rng):
    old, new = rng.sample(COUNTRIES, 2)
    return (f"UPDATE tb_country SET pk_country = '{new}'"
            f" WHERE pk_country = '{old}' AND NOT EXISTS"
            f" (SELECT FROM tb_country WHERE pk_country = '{new}')")


@statement(1)
def hand_over(rng):
    """Two tables in one statement."""
    return (f"WITH moved AS (UPDATE tb_post SET title = {word(rng)}"
            f" WHERE {one(rng, 'post')} RETURNING fk_user)"
            f" UPDATE tb_user SET name = {word(rng)}"
            " WHERE pk_user IN (SELECT fk_user FROM moved)")


# ---------------------------------------------------------------------------
# Transactions

def make_statement(rng):
    function = rng.choices([f for _, f in STATEMENTS],
                           [w for w, _ in STATEMENTS])[0]
    return Statement(function(rng))


def make_read(rng):
    tview = "tv_" + rng.choice(list(TVIEWS))
    return Read(rng.choice([
        f"SELECT count(*) FROM {tview} WHERE data::text LIKE '%w1%'",
        f"SELECT data FROM {tview} ORDER BY 1 LIMIT 3",
        "SELECT count(*) FROM tv_post p JOIN tv_user u"
        " ON u.pk_user = p.fk_user"]))


def make_own(rng):
    table, entity, column = rng.choice(
        [("user", "user", "name"), ("post", "post", "title"),
         ("post", "thread", "title"), ("post", "byline", "title"),
         ("comment", "comment", "content"), ("tag", "tag", "label"),
         ("category", "category", "name"), ("user", "feed", "name")])
    key, new = hot_key(rng, table), word(rng)
    return Own(f"UPDATE tb_{table} SET {column} = {new}"
               f" WHERE pk_{table} = {key}",
               Read(f"SELECT data ->> '{column}' FROM tv_{entity}"
                    f" WHERE pk_{entity} = {key}"), new.strip("'"))


def make_items(rng, level=0):
    items = []
    for _ in range(rng.choice([1, 1, 2, 2, 3, 4])):
        dice = rng.random()
        if dice < 0.12 and level < 2:
            items.append(Savepoint(make_items(rng, level + 1),
                                   rng.random() < 0.5, rng.random() < 0.3))
        elif dice < 0.22:
            items.append(make_read(rng))
        elif dice < 0.28:
            items.append(make_own(rng))
        else:
            items.append(make_statement(rng))
    return items


def make_bulk(rng):
    """Hundreds or thousands of rows at once, and away with them soon."""
    what = rng.choice(["sale", "sale", "comment", "post"])
    count = rng.choice([200, 500, 1500, 2500])
    new = f"generate_series({BULK + 1}, {BULK + count}) i"
    gone = Statement(f"DELETE FROM tb_{what} WHERE pk_{what} > {BULK}")
    if what == "sale":
        made = (f"INSERT INTO tb_sale SELECT i, {BUCKETS} + i %"
                f" {rng.choice([3, 3000])}, i FROM {new}"
                " ON CONFLICT DO NOTHING")
        change = (f"UPDATE tb_sale SET amount = amount + {score(rng)}"
                  f" WHERE pk_sale > {BULK}")
    elif what == "comment":
        made = (f"INSERT INTO tb_comment SELECT i, {hot_key(rng, 'post')} +"
                f" i % 5, NULL, {word(rng)} || i FROM {new}"
                " ON CONFLICT DO NOTHING")
        change = (f"UPDATE tb_comment SET content = {word(rng)}"
                  f" WHERE pk_comment > {BULK}")
    else:
        made = f"UPDATE tb_post SET title = {word(rng)} || pk_post"
        change = ("UPDATE tb_post SET fk_user = (SELECT min(pk_user) FROM"
                  f" tb_user) WHERE fk_user = {hot_key(rng, 'user')}")
    items = [gone] if rng.random() < 0.8 else []
    if rng.random() < 0.6:
        items += [Statement(made)]
        if rng.random() < 0.3:
            items += [make_read(rng), Statement(change)]
        if what == "comment" or rng.random() < 0.3:
            items += [gone]
    return Transaction(make_level(rng), kind="bulk",
                       items=items or [Statement(change)],
                       end=rng.choice(["COMMIT"] * 4 + ["ROLLBACK"]))


def make_rare(rng):
    """What shall not happen often: it locks tables, or costs much."""
    item = rng.choice([
        Statement("TRUNCATE " + rng.choice(
            ["tb_sale", "tb_comment", "tb_post_tag", "tb_ban"])),
        Refresh(rng.choice(list(TVIEWS))), Refresh(rng.choice(list(TVIEWS))),
        Statement("ANALYZE " + rng.choice(
            ["tb_post", "tb_comment", "tb_user", "tv_post", "tv_comment"])),
        Extra(), Extra()])
    return Transaction(kind="rare", items=[item] + (
        make_items(rng) if rng.random() < 0.3 else []))


def make_level(rng):
    return rng.choices(LEVELS, [55, 25, 20])[0]


def make_transaction(rng):
    dice = rng.random()
    if dice < 0.004:
        return make_rare(rng)
    if dice < 0.015:
        return make_bulk(rng)
    t = Transaction(make_level(rng), rng.choices(
        ["block", "auto", "multi"], [75, 15, 10])[0])
    if t.mode == "block":
        t.items = make_items(rng)
        t.end = rng.choices(["COMMIT", "ROLLBACK", "PREPARE"], [84, 8, 8])[0]
        t.timeout = rng.choice(TIMEOUTS) if rng.random() < 0.04 else ""
    else:
        t.level = READ_COMMITTED
        t.items = [make_statement(rng) for _ in range(
            1 if t.mode == "auto" else rng.randint(2, 4))]
    return t
