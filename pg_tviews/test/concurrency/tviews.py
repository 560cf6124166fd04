"""The TVIEWs, each of which has another way from its tables to its keys."""

TVIEWS = {
    "company": """
SELECT c.pk_company, jsonb_build_object('name', c.name) AS data
FROM tb_company c""",

    # a chain of TVIEWs that read the one before: company, user, post, comment
    "user": """
SELECT u.pk_user, u.fk_company,
       jsonb_build_object('name', u.name, 'company', c.data) AS data
FROM tb_user u LEFT JOIN v_company c ON c.pk_company = u.fk_company""",

    "post": """
SELECT p.pk_post, p.fk_user,
       jsonb_build_object('title', p.title, 'author', u.data, 'tags',
           (SELECT jsonb_agg(t.label ORDER BY t.pk_tag)
            FROM tb_post_tag l JOIN tb_tag t ON t.pk_tag = l.fk_tag
            WHERE l.fk_post = p.pk_post)) AS data
FROM tb_post p JOIN v_user u ON u.pk_user = p.fk_user""",

    # no foreign key: comments come before their post
    "comment": """
SELECT c.pk_comment, c.fk_post,
       jsonb_build_object('content', c.content, 'post', p.data) AS data
FROM tb_comment c LEFT JOIN v_post p ON p.pk_post = c.fk_post""",

    # the other way round, as arrays
    "feed": """
SELECT u.pk_user AS pk_feed,
       jsonb_build_object('name', u.name, 'posts',
           (SELECT jsonb_agg(p.data ORDER BY p.pk_post)
            FROM v_post p WHERE p.fk_user = u.pk_user)) AS data
FROM tb_user u""",

    # from an author through comments to posts
    "thread": """
SELECT p.pk_post AS pk_thread,
       jsonb_build_object('title', p.title, 'comments',
           (SELECT jsonb_agg(jsonb_build_object('by', a.name, 'content',
                                                c.content)
                             ORDER BY c.pk_comment)
            FROM tb_comment c LEFT JOIN tb_user a ON a.pk_user = c.fk_author
            WHERE c.fk_post = p.pk_post)) AS data
FROM tb_post p""",

    # two steps between base tables: company, user, post, and back
    "byline": """
SELECT p.pk_post AS pk_byline,
       jsonb_build_object('title', p.title, 'by', u.name,
                          'of', c.name) AS data
FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user
LEFT JOIN tb_company c ON c.pk_company = u.fk_company""",

    "wall": """
SELECT c.pk_company AS pk_wall,
       jsonb_build_object('name', c.name, 'titles',
           (SELECT jsonb_agg(u.name || ': ' || p.title ORDER BY p.pk_post)
            FROM tb_user u JOIN tb_post p ON p.fk_user = u.pk_user
            WHERE u.fk_company = c.pk_company)) AS data
FROM tb_company c""",

    # m:n
    "tag": """
SELECT t.pk_tag,
       jsonb_build_object('label', t.label, 'posts',
           (SELECT jsonb_agg(p.title ORDER BY p.pk_post)
            FROM tb_post_tag l JOIN tb_post p ON p.pk_post = l.fk_post
            WHERE l.fk_tag = t.pk_tag)) AS data
FROM tb_tag t""",

    # groups come and go
    "tally": """
SELECT s.bucket AS pk_tally,
       jsonb_build_object('sales', count(*), 'sum', sum(s.amount)) AS data
FROM tb_sale s GROUP BY s.bucket""",

    # UNION ends it where transactions have made a circle
    "category": """
SELECT c.pk_category, jsonb_build_object('name', c.name, 'above',
           (WITH RECURSIVE up AS (
                SELECT a.pk_category, a.fk_parent, a.name
                FROM tb_category a WHERE a.pk_category = c.fk_parent
                UNION
                SELECT a.pk_category, a.fk_parent, a.name
                FROM up JOIN tb_category a ON a.pk_category = up.fk_parent)
            SELECT jsonb_agg(up.name ORDER BY up.pk_category) FROM up))
       AS data
FROM tb_category c""",

    "rank": """
SELECT c.pk_comment AS pk_rank, jsonb_build_object('content', c.content,
           'rank', rank() OVER (PARTITION BY c.fk_post
                                ORDER BY c.content, c.pk_comment),
           'of', count(*) OVER (PARTITION BY c.fk_post)) AS data
FROM tb_comment c""",

    "writer": """
SELECT u.pk_user AS pk_writer, jsonb_build_object('name', u.name) AS data
FROM tb_user u
WHERE EXISTS (SELECT FROM tb_post p WHERE p.fk_user = u.pk_user)
  AND NOT EXISTS (SELECT FROM tb_ban b WHERE b.fk_user = u.pk_user)""",

    # a key of type text, joined by an expression, in both directions
    "country": """
SELECT c.pk_country, jsonb_build_object('name', c.name, 'users',
           (SELECT count(*) FROM tb_user u
            WHERE lower(u.country) = c.pk_country)) AS data
FROM tb_country c""",

    "member": """
SELECT u.pk_user AS pk_member,
       jsonb_build_object('name', u.name, 'country', c.name) AS data
FROM tb_user u LEFT JOIN tb_country c ON c.pk_country = lower(u.country)""",

    # ranges, in both directions
    "grade": """
SELECT p.pk_post AS pk_grade, jsonb_build_object('score', p.score, 'bands',
           (SELECT jsonb_agg(b.label ORDER BY b.pk_band)
            FROM tb_band b WHERE p.score BETWEEN b.low AND b.high)) AS data
FROM tb_post p""",

    "band": """
SELECT b.pk_band, jsonb_build_object('label', b.label, 'posts',
           (SELECT jsonb_agg(p.pk_post ORDER BY p.pk_post) FROM tb_post p
            WHERE p.score BETWEEN b.low AND b.high)) AS data
FROM tb_band b""",
}

# What clients make and drop during the run; %s is the client's number.
EXTRAS = [
    """
SELECT u.pk_user AS pk_extra_%s, jsonb_build_object('user', u.data,
           'posts', (SELECT count(*) FROM tb_post p
                     WHERE p.fk_user = u.pk_user)) AS data
FROM v_user u""",
    """
SELECT c.pk_company AS pk_extra_%s, jsonb_build_object('names',
           (SELECT jsonb_agg(u.name ORDER BY u.pk_user) FROM tb_user u
            WHERE u.fk_company = c.pk_company)) AS data
FROM tb_company c""",
    """
SELECT c.pk_comment AS pk_extra_%s, jsonb_build_object('by', u.data,
           'on', p.title) AS data
FROM tb_comment c JOIN v_user u ON u.pk_user = c.fk_author
JOIN tb_post p ON p.pk_post = c.fk_post"""]


def extra(rng, number):
    return rng.choice(EXTRAS) % number


def create(entity, bare):
    """Without the extension it is a plain view."""
    kind = f"VIEW v_{entity}" if bare else f"TABLE tv_{entity}"
    return f"CREATE {kind} AS {TVIEWS[entity]}"
