# pg_dump and pg_restore: TVIEWs are there afterwards, with their rows, and
# are maintained; and they can be dropped like any other.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('dump');
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', q{
	CREATE SCHEMA ext;
	CREATE EXTENSION pg_tviews SCHEMA ext;});
create_blog($node, 'postgres');
fill_blog($node, 'postgres');
$node->safe_psql('postgres', q{
	CREATE SCHEMA "odd; schema";
	CREATE TABLE "odd; schema"."tv_Odd ""name""" AS
	SELECT pk_user AS "pk_Odd ""name""", to_jsonb(name) AS data FROM tb_user;
	UPDATE tb_user SET name = 'dumped' WHERE pk_user = 1;

	-- altered, renamed, and with a function that reads a table
	CREATE TABLE tb_rate (rate int);
	INSERT INTO tb_rate VALUES (2);
	CREATE FUNCTION "odd; schema".twice(int) RETURNS int IMMUTABLE LANGUAGE sql
		RETURN $1 * (SELECT sum(rate)::int FROM public.tb_rate);
	SELECT ext.pg_tviews_create('"odd; schema".first',
		'SELECT pk_user AS pk_first, id, name, to_jsonb("odd; schema".twice(pk_user)) AS data FROM tb_user',
		'{"on_unmapped": "rebuild", "reads": {"\"odd; schema\".twice(int)": ["tb_rate"]}}');
	SELECT ext.pg_tviews_alter('"odd; schema".first',
		'SELECT pk_user AS pk_first, length(name) AS n, id, to_jsonb("odd; schema".twice(pk_user)) AS data FROM tb_user');
	ALTER TABLE "odd; schema".tv_first RENAME TO tv_second;
	ALTER TABLE tb_rate RENAME TO "tb Rate";});

# pg_upgrade refuses tables of users that have columns of these types
is($node->safe_psql('postgres', q{
		SELECT a.attrelid::regclass, a.attname FROM pg_attribute a
		LEFT JOIN pg_type t ON t.typarray = a.atttypid
		WHERE a.attrelid IN ('ext.pg_tview_meta'::regclass, 'ext.pg_tview_helpers'::regclass)
		AND a.attnum > 0 AND coalesce(t.oid, a.atttypid)::regtype::text ~ '^reg'
		AND coalesce(t.oid, a.atttypid) NOT IN ('regclass'::regtype, 'regtype'::regtype, 'regrole'::regtype)}),
	'', 'metadata can be upgraded');
my $content = q{SELECT md5(string_agg(t::text, ',' ORDER BY pk_comment)) FROM tv_comment t};
my $meta = q{SELECT entity, schema, tview, view, root, key_column, definition,
	dependencies, fk_columns, uuid_columns, options, created_at
	FROM ext.pg_tview_meta ORDER BY tview::text};

sub check_copy
{
	my ($db, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($node->safe_psql($db, $content), $node->safe_psql('postgres', $content),
		"$name: the rows are the same, times of their changes included");
	is($node->safe_psql($db, $meta), $node->safe_psql('postgres', $meta),
		"$name: so is the metadata");
	is_maintained($node, $db, "$name, as restored");
	is(sqlstate($node, $db, 'DELETE FROM tv_post;'), '55000', "$name: guarded");
	$node->safe_psql($db, q{
		UPDATE tb_user SET name = 'restored' WHERE pk_user = 1;
		BEGIN;
		DELETE FROM tb_post WHERE pk_post = 2;
		SELECT count(*) FROM tv_comment;
		UPDATE tb_post SET fk_user = 3 WHERE pk_post = 1;
		COMMIT;});
	is($node->safe_psql($db, q{SELECT data->>'name' FROM tv_user WHERE pk_user = 1}),
		'restored', "$name: maintained");
	is_maintained($node, $db, "$name, after changes");
	$node->safe_psql($db, q{TRUNCATE tb_comment});
	is_maintained($node, $db, "$name, after TRUNCATE");
	$node->safe_psql($db, q{UPDATE "tb Rate" SET rate = 5});
	is_maintained($node, $db, "$name, after a change of what a function reads");
	is(sqlstate($node, $db, 'DROP TABLE "tb Rate"'), '2BP01',
		"$name: what a function reads can't be dropped");
	is($node->safe_psql($db, q{
			SELECT ext.pg_tviews_drop('comment'), ext.pg_tviews_drop('post');
			DROP TABLE tv_user;
			DROP SCHEMA "odd; schema" CASCADE;
			SELECT count(*) FROM ext.pg_tview_meta;
			SELECT count(*) FROM pg_trigger WHERE tgname LIKE '!tview%';
			SELECT count(*) FROM pg_class WHERE relname ~ '^t?v_'}),
		"t|t\n0\n0\n0", "$name: dropped");
	return;
}

$node->command_ok([ 'pg_dump', '-f', "$dir/plain.sql", $node->connstr('postgres') ],
	'pg_dump, plain');
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f',
		"$dir/plain.sql", $node->connstr('plain') ], 'psql restores it');
check_copy('plain', 'plain');

$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/custom", $node->connstr('postgres') ],
	'pg_dump, custom');
foreach my $how ([], [ '-j', '2' ], [ '--single-transaction' ])
{
	my $db = 'custom' . @$how;
	$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE template0");
	$node->command_ok([ 'pg_restore', '-e', @$how, '-d', $node->connstr($db),
			"$dir/custom" ], "pg_restore @$how");
	check_copy($db, "custom @$how");
}

# Over what is there already
$node->safe_psql('postgres', 'CREATE DATABASE again TEMPLATE postgres');
$node->command_fails_like([ 'pg_restore', '-e', '--clean', '--if-exists', '-d',
		$node->connstr('again'), "$dir/custom" ],
	qr/cannot drop view .* because other objects depend on it/,
	'pg_restore --clean cannot drop a TVIEW before those that read it');

# The rows alone, which come after the triggers then
$node->safe_psql('postgres', 'CREATE DATABASE apart');
$node->command_ok([ 'pg_restore', '-e', '--section=pre-data', '-d',
		$node->connstr('apart'), "$dir/custom" ], 'pg_restore, in sections: pre-data');
$node->command_ok([ 'pg_restore', '-e', '--section=data', '-d',
		$node->connstr('apart'), "$dir/custom" ], 'data');
$node->command_ok([ 'pg_restore', '-e', '--section=post-data', '-d',
		$node->connstr('apart'), "$dir/custom" ], 'post-data');
check_copy('apart', 'in sections');

# The schema alone lacks the metadata; it can't be written to until that is
# there, too, which makes TVIEWs of tables again.
$node->safe_psql('postgres', 'CREATE DATABASE bare');
$node->command_ok([ 'pg_dump', '--schema-only', '-f', "$dir/schema.sql",
		$node->connstr('postgres') ], 'pg_dump, the schema alone');
$node->command_ok([ 'pg_dump', '--data-only', '-t', '*.pg_tview_*',
		'-T', '*.pg_tview_audit_log', '-f', "$dir/metadata.sql",
		$node->connstr('postgres') ], 'pg_dump, the metadata');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f',
		"$dir/schema.sql", $node->connstr('bare') ], 'psql restores the schema');
is(sqlstate($node, 'bare', q{INSERT INTO tb_user (pk_user, name) VALUES (1, 'x')}),
	'55000', 'schema alone: not written to');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f',
		"$dir/metadata.sql", $node->connstr('bare') ], 'psql restores the metadata');
is($node->safe_psql('bare', $meta), $node->safe_psql('postgres', $meta),
	'schema and metadata: the metadata is the same');
$node->safe_psql('bare', 'INSERT INTO "tb Rate" VALUES (2)');
fill_blog($node, 'bare');
is($node->safe_psql('bare', 'SELECT count(*) > 0 FROM tv_post'), 't',
	'schema and metadata: maintained');
is_maintained($node, 'bare', 'schema and metadata');

# A database that is a copy of another one
$node->safe_psql('postgres', 'CREATE DATABASE twin TEMPLATE postgres');
check_copy('twin', 'CREATE DATABASE TEMPLATE');
is_maintained($node, 'postgres', 'the original');

stop_and_check_log($node);
done_testing();
