"""The base tables, with few keys in each, so that everybody wants the same.

Keys come from small ranges, and are inserted where they are free: so tables
stay small however long a run is.  Keys above BULK belong to transactions that
write many rows at once.

Some references have foreign keys and some don't; children of the latter come
before their parents.
"""

KEYS = {"company": 5, "user": 14, "post": 40, "comment": 80, "tag": 6,
        "category": 16, "band": 4, "sale": 60, "ban": 14}
BUCKETS = 8
COUNTRIES = ["at", "de", "es", "fr", "it"]
SCORES = 100
BULK = 1000

TABLES = """
CREATE TABLE tb_company (
    pk_company  int PRIMARY KEY,
    name        text NOT NULL);
CREATE TABLE tb_country (
    pk_country  text PRIMARY KEY,
    name        text NOT NULL);
CREATE TABLE tb_user (
    pk_user     int PRIMARY KEY,
    fk_company  int REFERENCES tb_company
                    ON UPDATE CASCADE ON DELETE SET NULL,
    country     text,       -- in upper or lower case
    name        text NOT NULL);
CREATE TABLE tb_ban (
    pk_ban      int PRIMARY KEY,
    fk_user     int NOT NULL);
CREATE TABLE tb_post (
    pk_post     int PRIMARY KEY,
    fk_user     int NOT NULL REFERENCES tb_user
                    ON UPDATE CASCADE ON DELETE CASCADE,
    title       text NOT NULL,
    score       int NOT NULL);
CREATE TABLE tb_comment (
    pk_comment  int PRIMARY KEY,
    fk_post     int NOT NULL,
    fk_author   int REFERENCES tb_user
                    ON UPDATE CASCADE ON DELETE SET NULL,
    content     text NOT NULL);
CREATE TABLE tb_tag (
    pk_tag      int PRIMARY KEY,
    label       text NOT NULL);
CREATE TABLE tb_post_tag (
    fk_post     int REFERENCES tb_post ON UPDATE CASCADE ON DELETE CASCADE,
    fk_tag      int,
    PRIMARY KEY (fk_post, fk_tag));
CREATE TABLE tb_category (
    pk_category int PRIMARY KEY,
    fk_parent   int,
    name        text NOT NULL);
CREATE TABLE tb_band (
    pk_band     int PRIMARY KEY,
    low         int NOT NULL,
    high        int NOT NULL,
    label       text NOT NULL);
CREATE TABLE tb_sale (
    pk_sale     int PRIMARY KEY,
    bucket      int NOT NULL,
    amount      int NOT NULL);
CREATE INDEX ON tb_user (fk_company);
CREATE INDEX ON tb_user (lower(country));
CREATE INDEX ON tb_ban (fk_user);
CREATE INDEX ON tb_post (fk_user);
CREATE INDEX ON tb_post (score);
CREATE INDEX ON tb_comment (fk_post);
CREATE INDEX ON tb_comment (fk_author);
CREATE INDEX ON tb_post_tag (fk_tag);
CREATE INDEX ON tb_category (fk_parent);
CREATE INDEX ON tb_sale (bucket);
"""

# Half of the keys, so that insertions find some free and some taken.
ROWS = f"""
INSERT INTO tb_company
SELECT i, 'company ' || i FROM generate_series(1, {KEYS["company"]}) i;
INSERT INTO tb_country
SELECT i, initcap(i) FROM unnest('{{{",".join(COUNTRIES[:3])}}}'::text[]) i;
INSERT INTO tb_user
SELECT i, i % 3 + 1, CASE i % 3 WHEN 0 THEN 'DE' WHEN 1 THEN 'fr' END,
       'user ' || i
FROM generate_series(1, {KEYS["user"]}, 2) i;
INSERT INTO tb_ban VALUES (1, 5), (2, 9);
INSERT INTO tb_post
SELECT i, i % 3 * 2 + 1, 'post ' || i, i * 7 % {SCORES}
FROM generate_series(1, {KEYS["post"]}, 2) i;
INSERT INTO tb_comment
SELECT i, i * i % 12, NULL, 'comment ' || i
FROM generate_series(1, {KEYS["comment"]}, 2) i;
INSERT INTO tb_tag
SELECT i, 'tag ' || i FROM generate_series(1, {KEYS["tag"]}, 2) i;
INSERT INTO tb_post_tag
SELECT pk_post, pk_post % 3 + i FROM tb_post, generate_series(1, 2) i;
INSERT INTO tb_category
SELECT i, i / 2, 'category ' || i
FROM generate_series(1, {KEYS["category"]}) i WHERE i % 5 > 0;
INSERT INTO tb_band VALUES (1, 0, 30, 'low'), (2, 20, 80, 'middle');
INSERT INTO tb_sale
SELECT i, i % {BUCKETS}, i FROM generate_series(1, {KEYS["sale"]}, 2) i;
"""

NAMES = ["tb_company", "tb_country", "tb_user", "tb_ban", "tb_post",
         "tb_comment", "tb_tag", "tb_post_tag", "tb_category", "tb_band",
         "tb_sale"]
