-- Values that become text in XML.  The other expected output is that of a
-- server without libxml.
\getenv test PG_ABS_SRCDIR
\set start :test /include/start.sql
\i :start
\pset format unaligned
\pset tuples_only on
CREATE TABLE tb_x (pk_x int PRIMARY KEY, n int, r regclass, m money, at timestamptz);
CREATE FUNCTION try(expression text) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT test_error(format('SELECT pg_tviews_create(''x'', %L); SELECT pg_tviews_drop(''x'')',
		'SELECT pk_x, jsonb_build_object(''v'', (' || expression || ')::text) AS data FROM tb_x')) $$;
SELECT try('xmlelement(name a, r)');
SELECT try('xmlelement(name a, xmlattributes(m AS b), n)');
SELECT try('xmlforest(r AS a)');
SELECT try('xmlforest(n AS a, at AS b)');
CREATE TABLE tv_x AS SELECT pk_x, jsonb_build_object('n', n) AS data FROM tb_x;
INSERT INTO tb_x VALUES (1, 1, 'tb_x', 1, '2024-05-06 07:08:09+00');
SELECT * FROM test_oracle();
