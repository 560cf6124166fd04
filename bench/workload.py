"""What the benchmark does: the read models, and the operations on them."""

from dataclasses import dataclass

# One query for each entity: the view v_ of every contender, the TVIEW of
# pg_tviews.  In the order in which they refer to one another.
DEFINITIONS = {
    "company": """
SELECT tb_company.pk_company, tb_company.id,
       jsonb_build_object('id', tb_company.id, 'name', tb_company.name,
                          'city', tb_company.city) AS data
FROM tb_company""",
    "user": """
SELECT tb_user.pk_user, tb_user.id, tb_user.fk_company, v_company.id AS company_id,
       jsonb_build_object('id', tb_user.id, 'name', tb_user.name,
                          'company', v_company.data) AS data
FROM tb_user
JOIN v_company ON v_company.pk_company = tb_user.fk_company""",
    "post": """
SELECT tb_post.pk_post, tb_post.id, tb_post.fk_user, v_user.id AS user_id,
       jsonb_build_object(
           'id', tb_post.id, 'title', tb_post.title, 'content', tb_post.content,
           'author', v_user.data,
           'comment_count', (SELECT count(*) FROM tb_comment
                             WHERE tb_comment.fk_post = tb_post.pk_post),
           'comments', COALESCE(
               (SELECT jsonb_agg(jsonb_build_object('id', tb_comment.id,
                                                    'body', tb_comment.body,
                                                    'author', tb_user.name)
                                 ORDER BY tb_comment.pk_comment)
                FROM tb_comment
                JOIN tb_user ON tb_user.pk_user = tb_comment.fk_user
                WHERE tb_comment.fk_post = tb_post.pk_post), '[]')) AS data
FROM tb_post
JOIN v_user ON v_user.pk_user = tb_post.fk_user""",
}


@dataclass(frozen=True)
class Size:
    """Rows to load, and what share of the iterations to run."""
    companies: int
    users: int
    posts: int
    comments: int
    share: float


FULL = Size(500, 10_000, 100_000, 500_000, 1.0)
QUICK = Size(50, 1_000, 10_000, 50_000, 0.2)


@dataclass(frozen=True)
class Operation:
    """A transaction, repeated `times` in each of `rounds` rounds.

    `body` is PL/pgSQL, run and committed once for each i, a number that is
    new each time.  {companies} and so on are the numbers of rows; {any_post}
    and so on are keys that i scatters over the whole table.
    """
    name: str
    label: str
    body: str
    times: int
    rounds: int
    bulk: bool = False      # touches so much that tables are vacuumed after each round


OPERATIONS = [
    Operation(
        "post_update", "update a root row (post)",
        "UPDATE tb_post SET title = 'Title ' || i WHERE pk_post = {any_post};",
        2000, 21),
    Operation(
        "post_unused", "update an unused column",
        "UPDATE tb_post SET hits = hits + 1 WHERE pk_post = {any_post};",
        4000, 31),
    Operation(
        "user_update", "update a user",
        "UPDATE tb_user SET name = 'User ' || i WHERE pk_user = {any_user};",
        50, 11),
    Operation(
        "company_update", "update a company, 3 levels up",
        "UPDATE tb_company SET name = 'Company ' || i WHERE pk_company = {any_company};",
        20, 11),
    Operation(
        "comment_insert", "insert a comment",
        """INSERT INTO tb_comment (fk_post, fk_user, body)
           VALUES ({any_post}, {any_user}, 'Comment ' || i);""",
        1000, 11),
    Operation(
        "comment_delete", "delete a comment",
        "DELETE FROM tb_comment WHERE pk_comment = 2 * {half_comment};",
        1000, 11),
    Operation(
        "comment_move", "move a comment",
        """UPDATE tb_comment SET fk_post = 1 + (fk_post + 12345) % {posts}
           WHERE pk_comment = 2 * {half_comment} - 1;""",
        1000, 11),
    Operation(
        "orm", "transaction of 10 statements",
        """INSERT INTO tb_post (fk_user, title, content)
           VALUES ({any_user}, 'Draft ' || i, 'Text ' || i) RETURNING pk_post INTO p;
           INSERT INTO tb_comment (fk_post, fk_user, body)
           VALUES (p, {any_user}, 'First ' || i);
           INSERT INTO tb_comment (fk_post, fk_user, body)
           VALUES (p, {any_user}, 'Second ' || i) RETURNING pk_comment INTO c;
           UPDATE tb_post SET title = 'Final ' || i WHERE pk_post = p;
           UPDATE tb_post SET content = 'Final text ' || i WHERE pk_post = p;
           UPDATE tb_comment SET body = 'Edited ' || i WHERE pk_comment = c;
           UPDATE tb_user SET logins = logins + 1 WHERE pk_user = {any_user};
           UPDATE tb_post SET hits = hits + 1 WHERE pk_post = {any_post};
           UPDATE tb_post SET title = 'Other ' || i WHERE pk_post = {any_post};
           DELETE FROM tb_comment WHERE pk_comment = c;""",
        300, 11),
    Operation(
        "author_1000", "1,000 updates of one author",
        """FOR j IN 1 .. 1000 LOOP
               UPDATE tb_user SET name = 'User ' || i || '.' || j WHERE pk_user = {any_user};
           END LOOP;""",
        1, 5, bulk=True),
    Operation(
        "bulk_1000", "1,000 posts in one statement",
        """UPDATE tb_post SET title = 'Title ' || i
           WHERE pk_post BETWEEN {any_post} % ({posts} - 1000) + 1
                             AND {any_post} % ({posts} - 1000) + 1000;""",
        3, 11),
    Operation(
        "bulk_all", "{posts:,} posts in one statement",
        "UPDATE tb_post SET title = 'Title ' || i || '.' || pk_post WHERE pk_post <= {posts};",
        1, 5, bulk=True),
    Operation(
        "bulk_unused", "{posts:,} posts, unused column",
        "UPDATE tb_post SET hits = hits + 1 WHERE pk_post <= {posts};",
        1, 7, bulk=True),
]


def scatter(rows):
    """An expression that takes i to a number in 1 .. rows, all equally often."""
    return f"(1 + (i::bigint * 7919) % {rows})::int"


def substitutions(size):
    """What the placeholders of an operation stand for."""
    return {
        "companies": size.companies, "users": size.users, "posts": size.posts,
        "any_company": scatter(size.companies), "any_user": scatter(size.users),
        "any_post": scatter(size.posts), "half_comment": scatter(size.comments // 2),
    }


def procedure(op, size):
    """The procedure that runs an operation and returns microseconds for one."""
    body = op.body.format(**substitutions(size))
    return f"""
CREATE PROCEDURE op_{op.name}(first int, times int, INOUT usec float8 DEFAULT NULL)
    LANGUAGE plpgsql AS $$
DECLARE
    p int;
    c int;
    begun timestamptz := clock_timestamp();
BEGIN
    FOR i IN first .. first + times - 1 LOOP
        {body}
        COMMIT;
    END LOOP;
    usec := extract(epoch FROM clock_timestamp() - begun) * 1e6 / times;
END $$;"""
