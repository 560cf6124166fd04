-- pg_tviews_analyze_select(): the judgement of a definition, as data, without
-- creating anything and without more rights than reading takes.
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
	pk_comment int PRIMARY KEY, fk_post int NOT NULL REFERENCES tb_post, content text NOT NULL
);
CREATE TABLE tv_user AS
SELECT tb_user.pk_user, tb_user.id, jsonb_build_object('name', tb_user.name) AS data FROM tb_user;
INSERT INTO tb_user VALUES (1, '00000000-0000-0000-0000-000000000001', 'Ada');
INSERT INTO tb_post VALUES (1, '00000000-0000-0000-0000-000000000001', 1, 'One');
SELECT $$
	SELECT p.pk_post, p.id, p.fk_user, u.id AS user_id, p.title::varchar(20) AS title,
		   jsonb_build_object('title', p.title, 'author', u.data,
				'comments', (SELECT jsonb_agg(c.content) FROM tb_comment c WHERE c.fk_post = p.pk_post)) AS data
	FROM tb_post p JOIN v_user u ON u.pk_user = p.fk_user ORDER BY p.title
$$ AS definition \gset
\pset null -
SELECT section, name, kind, detail FROM pg_tviews_analyze_select(:'definition');
SELECT section, name, jsonb_pretty(properties) AS properties, sql FROM pg_tviews_analyze_select(:'definition', 'post')
WHERE section IN ('verdict', 'source', 'index') AND (properties <> '{}' OR sql IS NOT NULL);
SELECT name, kind, properties FROM pg_tviews_analyze_select(:'definition') WHERE section = 'notice';

-- the same as what is created
SELECT pg_tviews_create('post', :'definition');
SELECT a.sql = e.derivation AS same_query, a.kind = e.kind AS same_kind, a.name::regclass = e.source AS same_table,
	   a.properties -> 'used_columns' = to_jsonb(e.used_columns) AS same_columns
FROM pg_tviews_analyze_select(:'definition') a
JOIN pg_tviews_explain('post') e ON (a.properties -> 'source_no')::int = e.source_no
WHERE a.section = 'source';
-- and its name is taken now
SELECT name, kind, detail FROM pg_tviews_analyze_select(:'definition') WHERE kind = 'name';
SELECT name, kind, detail FROM pg_tviews_analyze_select(:'definition', 'pg_temp.post') WHERE kind = 'name';
SELECT pg_tviews_drop('post');

-- why a definition would be refused
CREATE FUNCTION why(definition text, entity text DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', name, kind) || ': ' || coalesce(detail, '') FROM pg_tviews_analyze_select(definition, entity, options) WHERE section = 'verdict'
	UNION ALL SELECT p.key || ': ' || p.value FROM pg_tviews_analyze_select(definition, entity, options), jsonb_each_text(properties) p
	WHERE section = 'verdict' AND p.key IN ('sqlstate', 'detail', 'hint', 'position') $$;
\pset format unaligned
\pset tuples_only on
SELECT why('SELECT pk_post, jsonb_build_object(''t'', now()) AS data FROM tb_post');
SELECT why('SELECT pk_post, jsonb_build_object(''t'', now()) AS data FROM tb_post', options => '{"time_dependent": true}');
SELECT why('SELECT pk_post, jsonb_build_object(''n'', (SELECT count(*) FROM tb_user)) AS data FROM tb_post');
SELECT why('SELECT pk_post FROM tb_post');
SELECT why('SELECT pk_post, title AS data FROM tb_post');
SELECT why('SELECT id, ''{}''::jsonb AS data FROM tb_post');
SELECT why('SELECT pk_post, ''{}''::jsonb AS data FROM tb_post', 'other');
SELECT why('SELECT pk_post, ''{}''::jsonb AS data, id AS updated_at FROM tb_post');
SELECT why('SELECT ROW(pk_post) AS pk_post, ''{}''::jsonb AS data FROM tb_post');
SELECT why('SELECT pk_post, ''{}''::jsonb AS data FROM tb_nowhere');
SELECT why('SELECT pk_post ''{}''::jsonb AS data FROM tb_post');
SELECT why('SELECT 1; SELECT 2');
SELECT why('SELECT 1 AS pk_x INTO tb_y');
SELECT why('');
SELECT why('DELETE FROM tb_post');
SELECT why('WITH d AS (DELETE FROM tb_post RETURNING *) SELECT pk_post, ''{}''::jsonb AS data FROM d');
SELECT why('SELECT pk_post, to_jsonb(1 / 0) AS data FROM tb_post');
SELECT why('SELECT pk_post, to_jsonb($1) AS data FROM tb_post');
SELECT why('SELECT pk_class, ''{}''::jsonb AS data FROM (SELECT oid AS pk_class FROM pg_class) c');
SELECT why('SELECT pk_post, ''{}''::jsonb AS data FROM tb_post', options => '{"on_unmapped": "maybe"}');
SELECT why('SELECT pk_post, ''{}''::jsonb AS data FROM tb_post', options => '[]');
SELECT why(NULL);
SELECT test_error('SELECT pg_tviews_analyze_select(''SELECT 1'', ''a.b.c'')');
-- what is known of it is still said
SELECT section, name, kind, detail FROM pg_tviews_analyze_select('SELECT pk_post, fk_user, title AS data FROM tb_post') WHERE section = 'column';

-- tables that a function is declared to read
CREATE FUNCTION comments(post int) RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM public.tb_comment WHERE fk_post = post';
SELECT why('SELECT pk_post, to_jsonb(comments(pk_post)) AS data FROM tb_post', options => '{"reads": {"comments(int)": ["tb_comment"]}}');
SELECT section, name, kind, detail, properties ->> 'hint'
FROM pg_tviews_analyze_select('SELECT pk_post, to_jsonb(comments(pk_post)) AS data FROM tb_post', options => '{"on_unmapped": "rebuild", "reads": {"comments(int)": ["tb_comment"]}}')
WHERE section IN ('verdict', 'source', 'notice');

-- nothing stays: no object, no lock, no change, in whatever transaction
BEGIN;
SELECT count(*) > 0 FROM pg_tviews_analyze_select(:'definition');
SELECT count(*) > 0 FROM pg_tviews_analyze_select('SELECT pk_post, ''{}''::jsonb AS data FROM tb_post FOR UPDATE');
SELECT relation::regclass, mode FROM pg_locks
WHERE pid = pg_backend_pid() AND relation::regclass::text ~ 'tb_|v_' ORDER BY 1, 2;
UPDATE tb_user SET name = 'Eve';
SELECT why('SELECT pk_post FROM tb_post');
SELECT data FROM tv_user;
SAVEPOINT s;
SELECT why('SELECT');
ROLLBACK TO s;
COMMIT;
BEGIN TRANSACTION READ ONLY;
SELECT why('SELECT pk_post, ''{}''::jsonb AS data FROM tb_post');
COMMIT;
SET statement_timeout = 1;
SELECT why('SELECT pk_post, ''{}''::jsonb AS data FROM tb_post') FROM generate_series(1, 1000000) LIMIT 1 OFFSET 999999;
RESET statement_timeout;
SELECT * FROM test_objects();

-- rights
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA public TO regress_reader;
GRANT SELECT ON tb_post, tb_user TO regress_reader;
SET ROLE regress_reader;
SELECT section, name, kind, detail FROM pg_tviews_analyze_select('SELECT pk_post, to_jsonb(title) AS data FROM tb_post');
SELECT section, name, kind, detail FROM pg_tviews_analyze_select('SELECT pk_comment, to_jsonb(content) AS data FROM tb_comment') WHERE kind = 'privilege';
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
SELECT * FROM test_oracle();
