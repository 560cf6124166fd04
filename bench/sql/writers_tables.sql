-- Read models that hand-written triggers maintain: the tables and indexes
-- that pg_tviews makes.

CREATE TABLE tv_user (
    pk_user     int PRIMARY KEY,
    id          uuid NOT NULL,
    data        jsonb NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);
INSERT INTO tv_user SELECT * FROM v_user;
CREATE INDEX ON tv_user (id);

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
