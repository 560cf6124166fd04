# All ways to dump a database and restore it: TVIEWs are complete afterwards,
# and are maintained.  See 009_dump.pl for the usual ones.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('dump_matrix', 'fsync = off');
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', q{
	CREATE ROLE alice LOGIN;
	CREATE ROLE owner LOGIN CREATEDB;
	CREATE SCHEMA ext;
	CREATE EXTENSION pg_tviews SCHEMA ext;
	GRANT USAGE ON SCHEMA ext TO alice;
	CREATE SCHEMA "the App" AUTHORIZATION alice;});
create_blog($node, 'postgres');
fill_blog($node, 'postgres');
$node->safe_psql('postgres', q{
	SET ROLE alice;
	SET search_path = "the App";
	CREATE TABLE tb_item (pk_item int PRIMARY KEY, name text);
	INSERT INTO tb_item SELECT i, 'item ' || i FROM generate_series(1, 20) i;
	CREATE TABLE tv_item AS SELECT pk_item, to_jsonb(name) AS data FROM tb_item;
	CREATE TABLE tv_first AS SELECT pk_item AS pk_first, data FROM v_item WHERE pk_item < 10;
	CREATE VIEW report AS SELECT count(*) FROM tv_item;
	SELECT ext.pg_tviews_capture_replicated('first');});

# Of databases with any of the two schemas, and after any of these restores
sub content
{
	my $db = shift;
	my $tviews = $node->safe_psql($db, q{SELECT string_agg(format('SELECT %L, md5(string_agg(t::text, %L ORDER BY t::text)) FROM %s t', oid::regclass, ',', oid::regclass),
		' UNION ALL ' ORDER BY oid::regclass::text COLLATE "C") FROM pg_class WHERE relname ~ '^tv_' AND relkind = 'r'});

	return $node->safe_psql($db, $tviews);
}

# How the changes of a schema are captured
sub modes
{
	my $db = shift;

	return $node->safe_psql($db, q{SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
		WHERE tgname ~ '^!' AND relnamespace = '"the App"'::regnamespace ORDER BY tgrelid::regclass::text COLLATE "C", tgname COLLATE "C"});
}

sub check_copy
{
	my ($db, $name, %except) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $source = $except{source} // 'postgres';
	is(content($db), content($source), "$name: complete") unless $except{times};
	is(modes($db), modes($source), "$name: captured as before");
	is_maintained($node, $db, "$name, restored");
	$node->safe_psql($db, q{
		UPDATE tb_user SET name = 'restored' WHERE pk_user = 1;
		DELETE FROM tb_post WHERE pk_post = 2;
		INSERT INTO tb_comment VALUES (1000, 1, 'new');}) unless $except{blog};
	$node->safe_psql($db, q{
		UPDATE "the App".tb_item SET name = name || '!' WHERE pk_item IN (5, 15);
		INSERT INTO "the App".tb_item VALUES (0, 'new');
		TRUNCATE "the App".tb_item;
		INSERT INTO "the App".tb_item VALUES (1, 'again');}) unless $except{app};
	is($node->safe_psql($db, q{SELECT data FROM "the App".tv_first}), '"again"', "$name: maintained") unless $except{app};
	is($node->safe_psql($db, q{SELECT data->>'name' FROM tv_user WHERE pk_user = 1}), 'restored', "$name: maintained")
	  unless $except{blog};
	is_maintained($node, $db, "$name, after changes");
	is($node->safe_psql($db, q{SELECT component, message FROM pg_extension e, LATERAL (SELECT nspname FROM pg_namespace WHERE oid = extnamespace) n,
			LATERAL xmltable('/table/row' PASSING query_to_xml(format('SELECT * FROM %I.pg_tviews_health_check()', nspname), false, false, '')
			COLUMNS component text PATH 'component', message text PATH 'message', status text PATH 'status') h
			WHERE extname = 'pg_tviews' AND status = 'ERROR'}), '', "$name: healthy");
	return;
}

sub dump_it
{
	my ($name, @options) = @_;

	return $node->command_ok([ 'pg_dump', '-f', "$dir/$name", @options, $node->connstr('postgres') ], "pg_dump @options");
}

sub create_database
{
	my ($db, $role) = @_;

	return $node->safe_psql('postgres', qq{CREATE DATABASE "$db" TEMPLATE template0 } . ($role ? "OWNER $role" : ''));
}

sub restore
{
	my ($db, $name, @options) = @_;

	return $node->command_ok([ 'pg_restore', '-e', @options, '-d', $node->connstr($db), "$dir/$name" ], "pg_restore @options $name");
}

sub run_script
{
	my ($db, $name, @options) = @_;

	return $node->command_ok([ 'psql', '-Xq', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', @options, '-f', "$dir/$name", $node->connstr($db) ],
		"psql restores $name");
}

dump_it('directory', '-Fd', '-j', '2');
create_database('other name');
restore('other name', 'directory', '-j', '2');
check_copy('other name', 'directory, -j');

create_database('noowner');
restore('noowner', 'directory', '--no-owner', '--no-privileges');
is($node->safe_psql('noowner', q{SELECT count(*) FROM pg_class WHERE relname ~ '^t?v_' AND relkind IN ('r', 'v') AND relowner <> 'postgres'::regrole}),
	'0', '--no-owner: all belong to who has restored them');
check_copy('noowner', '--no-owner');

# Schema and data apart
dump_it('schema.sql', '--schema-only');
dump_it('data.sql', '--data-only', '--disable-triggers');
create_database('apart');
run_script('apart', 'schema.sql');
run_script('apart', 'data.sql');
is($node->safe_psql('apart', q{SELECT count(*) FROM ext.pg_tviews_capture_replicated('"the App".first')}), '2',
	'--disable-triggers enables them for the origin only');
check_copy('apart', 'schema only, then data only');

# TVIEWs whose rows come before those of their tables, and are rebuilt in between
create_database('early');
$node->safe_psql('early', q{
	CREATE EXTENSION pg_tviews;
	CREATE SCHEMA api;
	CREATE TABLE tb_a (pk_a int PRIMARY KEY, n int);
	CREATE TABLE tb_b (pk_b int PRIMARY KEY, fk_a int);
	INSERT INTO tb_a SELECT i, i FROM generate_series(1, 20) i;
	INSERT INTO tb_b SELECT i, i FROM generate_series(1, 20) i;
	SELECT pg_tviews_create('api.b', 'SELECT b.pk_b, jsonb_build_object($$n$$, a.n) AS data FROM tb_b b JOIN tb_a a ON a.pk_a = b.fk_a');
	SELECT pg_tviews_create('api.c', 'SELECT pk_b AS pk_c, data FROM api.v_b');});
foreach my $part (qw(schema data))
{
	$node->command_ok([ 'pg_dump', "--$part-only", ($part eq 'data' ? '--disable-triggers' : ()), '-f', "$dir/early-$part.sql",
			$node->connstr('early') ], "early: $part");
}
create_database('early_copy');
run_script('early_copy', "early-$_.sql") foreach qw(schema data);
is($node->safe_psql('early_copy', 'SELECT count(*) FROM api.tv_c'), '20', 'early: rows are there');
is_maintained($node, 'early_copy', 'early: rebuilt to the end');

# TVIEWs that are there, and rows of the tables that they read
dump_it('metadata.sql', '--data-only', '-t', '*.pg_tview_*', '-T', '*.pg_tview_audit_log*');
dump_it('rows.sql', '--data-only', '-T', '*.tv_*', '-T', '*.pg_tview_*');
create_database('rows');
run_script('rows', 'schema.sql');
run_script('rows', 'metadata.sql');
run_script('rows', 'rows.sql');
check_copy('rows', 'rows of base tables', times => 1);

# One schema: the extension comes by hand, and the metadata of all TVIEWs
dump_it('app.sql', '-n', '"the App"');
create_database('app');
$node->safe_psql('app', 'CREATE SCHEMA ext; CREATE EXTENSION pg_tviews SCHEMA ext; GRANT USAGE ON SCHEMA ext TO alice');
run_script('app', 'app.sql');
is(sqlstate($node, 'app', q{UPDATE "the App".tb_item SET name = ''}), '55000', 'one schema: not written to without metadata');
run_script('app', 'metadata.sql');
is($node->safe_psql('app', q{DELETE FROM ext.pg_tview_meta WHERE tview = 0::oid RETURNING entity}), "user\npost\ncomment",
	'one schema: rows of others');
$node->safe_psql('app', q{DELETE FROM ext.pg_tview_helpers WHERE tview = 0::oid});
check_copy('app', 'one schema', blog => 1, times => 1);

# ----------
# The owner of a database who is no superuser
# ----------

my @owner = ('-U', 'owner');

create_database('owned', 'owner');
$node->safe_psql('owned', q{CREATE EXTENSION pg_tviews}, extra_params => \@owner);
$node->safe_psql('owned', q{
	CREATE SCHEMA "the App";
	CREATE TABLE "the App".tb_item (pk_item int PRIMARY KEY, name text);
	CREATE VIEW "the App".named AS SELECT pk_item, name FROM "the App".tb_item;
	INSERT INTO "the App".tb_item SELECT i, 'item ' || i FROM generate_series(1, 20) i;
	CREATE TABLE "the App".tv_item AS SELECT pk_item, to_jsonb(name) AS data FROM "the App".named;
	CREATE TABLE "the App".tv_first AS SELECT pk_item AS pk_first, data FROM "the App".v_item WHERE pk_item < 10;
	SELECT pg_tviews_capture_replicated('"the App".first');},
	extra_params => \@owner);
$node->command_ok([ 'pg_dump', @owner, '-Fd', '-j', '2', '-f', "$dir/owned", $node->connstr('owned') ],
	'an ordinary role dumps its database');
create_database('again', 'owner');
restore('again', 'owned', @owner, '-j', '2');
is($node->safe_psql('again', q{SELECT DISTINCT extowner::regrole, relowner::regrole FROM pg_extension, pg_class
		WHERE extname = 'pg_tviews' AND relname ~ '^tv_'}), 'owner|owner', 'and restores it');
is($node->safe_psql('again', q{SELECT entity, details ->> 'restored_by' FROM pg_tview_audit_log ORDER BY log_id}),
	"item|owner\nfirst|owner", 'the audit log says so');
check_copy('again', 'an ordinary role', blog => 1, source => 'owned');
$node->safe_psql('again', q{CREATE TABLE "the App".tv_new AS SELECT pk_item AS pk_new, data FROM "the App".v_item},
	extra_params => \@owner);
is($node->safe_psql('again', q{SELECT entity, details ? 'restored_by' FROM pg_tview_audit_log ORDER BY log_id DESC LIMIT 1}),
	'new|f', 'and goes on');

# What a superuser has dumped
create_database('given', 'owner');
restore('given', 'directory', @owner, '--no-owner', '--no-privileges');
check_copy('given', 'the dump of a superuser', times => 0);

# It is of no use for anything else
sub as_owner
{
	my ($sql) = @_;
	my ($status, $out, $err) = $node->psql('again', "\\set VERBOSITY sqlstate\n$sql", extra_params => \@owner);

	return $err =~ /ERROR:\s+(\w{5})/ ? $1 : $err;
}
$node->safe_psql('again', q{
	CREATE SCHEMA private;
	CREATE TABLE private.tb_x (pk_x int PRIMARY KEY, n int);
	CREATE TABLE private.tv_x (pk_x int PRIMARY KEY, data jsonb, updated_at timestamptz);
	CREATE VIEW private.v_x AS SELECT pk_x, to_jsonb(n) AS data FROM private.tb_x;
	GRANT USAGE ON SCHEMA private TO owner;});
my $row = q{'x', 'private', '%s', '%s', '-', 'pk_x', 'SELECT 1', '%s', '{}', '{}', '{}', now(), ''};
is(as_owner('INSERT INTO pg_tview_meta VALUES (' . sprintf($row, @$_) . ')'), '42501', "forged: @$_")
  foreach [ 'private.tv_x', 'private.v_x', '{}' ], [ 'private.tv_x', '"the App".named', '{}' ],
  [ '"the App".tb_item', 'private.v_x', '{}' ], [ '-', '-', '{}' ], [ 'private.no', 'private.no', '{}' ],
  [ '"the App".tb_item', '"the App".named', '{private.tb_x}' ];
is(as_owner(q{INSERT INTO pg_tview_helpers VALUES ('"the App".named', 'private.tv_x')}), '42501', 'forged helper');
is(as_owner($_), '42501', $_)
  foreach 'UPDATE pg_tview_meta SET entity = entity', 'DELETE FROM pg_tview_meta', 'TRUNCATE pg_tview_helpers',
  'UPDATE pg_tview_audit_log SET owner = NULL', 'DELETE FROM pg_tview_audit_log',
  'ALTER TABLE pg_tview_meta DISABLE TRIGGER ALL';
is(as_owner(q{CREATE TABLE pg_tview_meta_ (LIKE pg_tview_meta); CREATE SCHEMA mine; ALTER TABLE pg_tview_meta_ SET SCHEMA mine;
		CREATE TABLE mine.pg_tview_meta (entity int); GRANT USAGE ON SCHEMA mine TO alice; GRANT INSERT ON mine.pg_tview_meta TO alice;
		CREATE TRIGGER t BEFORE INSERT ON mine.pg_tview_meta FOR EACH ROW EXECUTE FUNCTION pg_tviews_metadata_restored()}), '',
	'the trigger on another table');
is(sqlstate($node, 'again', q{SET ROLE alice; INSERT INTO mine.pg_tview_meta VALUES (1)}), '', 'does nothing');

stop_and_check_log($node);
done_testing();
