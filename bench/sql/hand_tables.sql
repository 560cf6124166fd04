-- Read models that hand-written triggers maintain: the tables and indexes
-- that pg_tviews makes, and the comments part of a document for one post.

CREATE TABLE tv_company (
    pk_company  int PRIMARY KEY,
    id          uuid NOT NULL,
    data        jsonb NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);
INSERT INTO tv_company SELECT * FROM v_company;
CREATE INDEX ON tv_company (id);

CREATE TABLE tv_user (
    pk_user     int PRIMARY KEY,
    id          uuid NOT NULL,
    fk_company  int NOT NULL,
    company_id  uuid NOT NULL,
    data        jsonb NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);
INSERT INTO tv_user SELECT * FROM v_user;
CREATE INDEX ON tv_user (id);
CREATE INDEX ON tv_user (fk_company);
CREATE INDEX ON tv_user (company_id);

CREATE TABLE tv_post (
    pk_post     int PRIMARY KEY,
    id          uuid NOT NULL,
    fk_user     int NOT NULL,
    user_id     uuid NOT NULL,
    data        jsonb NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);
INSERT INTO tv_post SELECT * FROM v_post;
CREATE INDEX ON tv_post (id);
CREATE INDEX ON tv_post (fk_user);
CREATE INDEX ON tv_post (user_id);

CREATE VIEW comments_of AS
SELECT tb_post.pk_post,
       (SELECT jsonb_build_object(
                   'comment_count', count(*),
                   'comments', COALESCE(
                       jsonb_agg(jsonb_build_object('id', tb_comment.id,
                                                    'body', tb_comment.body,
                                                    'author', tb_user.name)
                                 ORDER BY tb_comment.pk_comment), '[]'))
        FROM tb_comment
        JOIN tb_user ON tb_user.pk_user = tb_comment.fk_user
        WHERE tb_comment.fk_post = tb_post.pk_post) AS part
FROM tb_post;
