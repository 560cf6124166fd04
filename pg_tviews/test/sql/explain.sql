-- pg_tviews_explain(): how changes of each source reach the keys, which
-- columns matter, and which index is missing.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
CREATE TABLE tb_user (
	pk_user int PRIMARY KEY, id uuid NOT NULL, name text NOT NULL, email text
);
CREATE TABLE tb_post (
	pk_post int PRIMARY KEY, id uuid NOT NULL,
	fk_user int NOT NULL REFERENCES tb_user, title text NOT NULL, content text
);
CREATE TABLE tb_comment (
	pk_comment int PRIMARY KEY, fk_post int NOT NULL REFERENCES tb_post,
	fk_user int REFERENCES tb_user, content text NOT NULL
);
CREATE TABLE tv_user AS
SELECT tb_user.pk_user, tb_user.id,
	   jsonb_build_object('id', tb_user.id, 'name', tb_user.name) AS data
FROM tb_user;
CREATE TABLE tv_post AS
SELECT tb_post.pk_post, tb_post.id, tb_post.fk_user, v_user.id AS user_id,
	   jsonb_build_object('id', tb_post.id, 'title', tb_post.title, 'author', v_user.data,
			'comments', (SELECT jsonb_agg(c.content ORDER BY c.pk_comment)
						 FROM tb_comment c WHERE c.fk_post = tb_post.pk_post)) AS data
FROM tb_post
JOIN v_user ON v_user.pk_user = tb_post.fk_user;
CREATE TABLE tv_commenter AS
SELECT u.pk_user AS pk_commenter,
	   (SELECT jsonb_agg(p.data -> 'title' ORDER BY p.pk_post)
		FROM tb_comment c JOIN tv_post p ON p.pk_post = c.fk_post
		WHERE c.fk_user = u.pk_user) AS titles, '{}'::jsonb AS data
FROM tb_user u;
\pset null -
\set explain 'SELECT source_no AS no, source, alias, kind, key_columns, used_columns, path, index, missing_index, cascade_level AS level FROM pg_tviews_explain'
:explain ('user');
:explain ('post');
:explain ('commenter');

-- what it says is missing
CREATE INDEX ON public.tb_post (fk_user);
CREATE INDEX ON public.tb_comment (fk_post);
SELECT source_no, index, missing_index FROM pg_tviews_explain('post');
SELECT source_no, index, missing_index FROM pg_tviews_explain('commenter');

-- the way from a change needs an index of its own, whatever there is for the
-- way back; none is named twice
CREATE TABLE tv_remark AS
SELECT c.pk_comment AS pk_remark, jsonb_build_object('by', u.name) AS data
FROM tb_comment c JOIN tb_post p ON p.pk_post = c.fk_post JOIN tb_user u ON u.pk_user = p.fk_user;
DROP INDEX tb_post_fk_user_idx;
SELECT alias, index, missing_index FROM pg_tviews_explain('remark');
CREATE TABLE tb_area (pk_area int PRIMARY KEY, fk_area int, name text);
CREATE TABLE tv_area AS
WITH RECURSIVE up AS (
	SELECT pk_area, fk_area, name FROM tb_area
	UNION ALL
	SELECT up.pk_area, a.fk_area, a.name || '/' || up.name FROM up JOIN tb_area a ON a.pk_area = up.fk_area)
SELECT pk_area, to_jsonb(name) AS data FROM up WHERE fk_area IS NULL;
SELECT alias, index, missing_index FROM pg_tviews_explain('area');

-- an expression
CREATE TABLE tb_tag (pk_tag int PRIMARY KEY, slug text UNIQUE);
CREATE TABLE tb_alias (pk_alias int PRIMARY KEY, "Slug" text, n int);
CREATE TABLE tv_alias AS
SELECT a.pk_alias, jsonb_build_object('tag', t.pk_tag) AS data
FROM tb_alias a LEFT JOIN tb_tag t ON t.slug = lower(a."Slug") || '.' AND t.pk_tag = a.n;
SELECT alias, index, missing_index FROM pg_tviews_explain('alias');
CREATE INDEX ON public.tb_alias (n, (lower("Slug") || '.'));
SELECT alias, index, missing_index FROM pg_tviews_explain('alias');
DROP INDEX tb_alias_n_expr_idx;
CREATE INDEX ON public.tb_alias ((lower("Slug") || '.'));
SELECT alias, index, missing_index FROM pg_tviews_explain('alias');

-- a mapped source has a query, a local one needs none
SELECT kind, derivation IS NULL AS without_query, derivation ~ '^(SELECT|WITH)' AS query, count(*)
FROM pg_tview_meta, pg_tviews_explain(entity) GROUP BY 1, 2, 3 ORDER BY 1;
SELECT * FROM test_oracle();
