# Dumps of databases whose TVIEWs read partitioned, inherited and unlogged
# tables, and tables with row-level security, restore them as they were, and
# maintained.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('dump_tables', 'fsync = off');
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_tviews;
	CREATE ROLE reader;
	CREATE ROLE owner;
	GRANT CREATE ON SCHEMA public TO reader, owner;
	CREATE TABLE tb_post (pk_post int NOT NULL, x int, title text, kind int) PARTITION BY LIST (kind);
	ALTER TABLE tb_post DROP COLUMN x;
	CREATE TABLE post_1 PARTITION OF tb_post FOR VALUES IN (1);
	CREATE TABLE post_2 (kind int, title text, pk_post int NOT NULL) PARTITION BY LIST (title);
	CREATE TABLE post_2_rest PARTITION OF post_2 DEFAULT;
	ALTER TABLE tb_post ATTACH PARTITION post_2 FOR VALUES IN (2);
	CREATE TABLE tb_item (pk_item int, name text);
	CREATE TABLE book (pages int) INHERITS (tb_item);
	CREATE UNLOGGED TABLE tb_session (pk_session int PRIMARY KEY, seen int);
	CREATE TABLE tb_doc (pk_doc int PRIMARY KEY, title text, secret boolean);
	GRANT SELECT, TRIGGER ON tb_doc TO reader;
	CREATE POLICY open ON tb_doc TO reader USING (NOT secret);
	CREATE POLICY later ON tb_doc AS RESTRICTIVE USING (pk_doc < 100);
	ALTER TABLE tb_doc ENABLE ROW LEVEL SECURITY;
	INSERT INTO tb_post (pk_post, title, kind) SELECT i, 'post ' || i, 1 + i % 2 FROM generate_series(1, 6) i;
	INSERT INTO tb_item VALUES (1, 'item');
	INSERT INTO book VALUES (2, 'book', 10);
	INSERT INTO tb_session VALUES (1, 1);
	INSERT INTO tb_doc SELECT i, 'doc ' || i, i % 2 = 0 FROM generate_series(1, 6) i;});
$node->safe_psql('postgres', q{
	CREATE TABLE tv_post AS SELECT pk_post, jsonb_build_object('title', title, 'kind', kind) AS data FROM tb_post;
	CREATE TABLE tv_item AS SELECT pk_item, to_jsonb(name) AS data FROM tb_item;
	CREATE TABLE tv_session AS SELECT pk_session, to_jsonb(seen) AS data FROM tb_session;
	SET ROLE reader;
	CREATE TABLE tv_doc AS SELECT pk_doc, to_jsonb(title) AS data FROM public.tb_doc;
	RESET ROLE;
	SET ROLE owner;
	CREATE TABLE public.tb_own (pk_own int PRIMARY KEY, n int);
	ALTER TABLE public.tb_own ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	CREATE POLICY positive ON public.tb_own USING (n > 0) WITH CHECK (true);
	CREATE TABLE tv_own AS SELECT pk_own, to_jsonb(n) AS data FROM public.tb_own;
	INSERT INTO public.tb_own VALUES (1, 1), (2, -1);});

my $content = q{
	SELECT (SELECT string_agg(t::text, ',' ORDER BY pk_post) FROM tv_post t),
		(SELECT string_agg(t::text, ',' ORDER BY pk_item) FROM tv_item t),
		(SELECT string_agg(t::text, ',' ORDER BY pk_session) FROM tv_session t),
		(SELECT string_agg(t::text, ',' ORDER BY pk_doc) FROM tv_doc t),
		(SELECT string_agg(entity || policies || relpersistence::text, ',' ORDER BY entity)
		 FROM pg_tview_meta JOIN pg_class ON oid = tview)};

sub check_copy
{
	my ($db, $name) = @_;

	is($node->safe_psql($db, $content), $node->safe_psql('postgres', $content),
		"$name: as it was");
	is_maintained($node, $db, $name);
	$node->safe_psql($db, q{
		UPDATE post_1 SET title = 'restored';
		UPDATE tb_post SET kind = 3 - kind WHERE pk_post < 4;
		TRUNCATE post_2_rest;
		UPDATE book SET name = 'restored';
		UPDATE tb_session SET seen = 2;
		UPDATE tb_doc SET secret = NOT secret, title = title || '!';
		UPDATE tb_own SET n = -n;});
	is($node->safe_psql($db, q{SELECT count(*) FROM tv_doc}), '3', "$name: policies apply");
	is_maintained($node, $db, "$name, after changes");
	is($node->safe_psql($db, q{
			SELECT count(pg_tviews_drop(entity)) FROM pg_tview_meta;
			SELECT count(*) FROM pg_trigger WHERE tgname LIKE '!tview%'}),
		"5\n0", "$name: nothing is left over");
	return;
}

$node->command_ok([ 'pg_dump', '-f', "$dir/plain.sql", $node->connstr('postgres') ],
	'pg_dump, plain');
$node->safe_psql('postgres', 'CREATE DATABASE plain TEMPLATE template0');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f',
		"$dir/plain.sql", $node->connstr('plain') ], 'psql restores it');
check_copy('plain', 'plain');

$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/custom", $node->connstr('postgres') ],
	'pg_dump, custom');
foreach my $how ([ '-j', '2' ], ['--single-transaction'])
{
	my $db = 'custom' . @$how;
	$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE template0");
	$node->command_ok([ 'pg_restore', '-e', @$how, '-d', $node->connstr($db),
			"$dir/custom" ], "pg_restore @$how");
	check_copy($db, "custom @$how");
}

stop_and_check_log($node);
done_testing();
