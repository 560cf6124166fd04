-- The same read models as materialized views, with the same indexes.

CREATE MATERIALIZED VIEW mv_company AS SELECT * FROM v_company;
CREATE UNIQUE INDEX ON mv_company (pk_company);
CREATE INDEX ON mv_company (id);

CREATE MATERIALIZED VIEW mv_user AS SELECT * FROM v_user;
CREATE UNIQUE INDEX ON mv_user (pk_user);
CREATE INDEX ON mv_user (id);
CREATE INDEX ON mv_user (fk_company);
CREATE INDEX ON mv_user (company_id);

CREATE MATERIALIZED VIEW mv_post AS SELECT * FROM v_post;
CREATE UNIQUE INDEX ON mv_post (pk_post);
CREATE INDEX ON mv_post (id);
CREATE INDEX ON mv_post (fk_user);
CREATE INDEX ON mv_post (user_id);
