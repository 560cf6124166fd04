# CREATE EXTENSION is enough, in any schema; and it does no harm to preload
# the library by any of the three settings.

use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('load');

# A new database with TVIEWs, written and read by new sessions.
sub use_extension
{
	my ($db, $name) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, q{
		CREATE SCHEMA other;
		CREATE EXTENSION pg_tviews SCHEMA other;});
	create_blog($node, $db);
	fill_blog($node, $db);
	$node->safe_psql($db, q{
		UPDATE tb_user SET name = 'renamed' WHERE pk_user = 1;
		DELETE FROM tb_comment WHERE fk_post = 3;});
	is_maintained($node, $db, $name);
	is($node->safe_psql($db, q{
			BEGIN;
			UPDATE tb_user SET name = 'seen' WHERE pk_user = 1;
			SELECT data #>> '{post,author,name}' FROM tv_comment
			WHERE pk_comment = 1;
			ROLLBACK;}), 'seen', "$name: a transaction sees its own changes");
	is($node->safe_psql($db, q{
			UPDATE tb_user SET name = 'first statement' WHERE pk_user = 2}) .
		$node->safe_psql($db, q{SELECT data->>'name' FROM tv_user
			WHERE pk_user = 2}), 'first statement', "$name: first statement");
	is(sqlstate($node, $db, 'DELETE FROM tv_user;'), '55000',
		"$name: direct writes are refused");
	is($node->safe_psql($db, q{
			DROP EXTENSION pg_tviews CASCADE;
			SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal}), '0',
		"$name: no trigger is left");
	$node->safe_psql($db, q{
		UPDATE tb_user SET name = 'unmaintained';
		CREATE TABLE tv_plain AS SELECT 1 AS a;});
	return;
}

# Are the library's own settings known from the start?
sub is_preloaded
{
	my ($name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($node->safe_psql('postgres', 'SHOW pg_tviews.ctas_interception'), 'on',
		"$name: the library is loaded");
	return;
}

use_extension('plain', 'not preloaded');
isnt($node->psql('postgres', 'SHOW pg_tviews.ctas_interception'), 0,
	'not preloaded: the library is not loaded before it is needed');

foreach my $setting (qw(session_preload_libraries shared_preload_libraries))
{
	$node->append_conf('postgresql.conf', "$setting = '" . library($node) . "'");
	$node->restart;
	is_preloaded($setting);
	use_extension($setting =~ s/_.*//r, $setting);
	is($node->safe_psql('postgres', 'CREATE TABLE tv_x AS SELECT 1 AS a;
			SELECT a FROM tv_x; DROP TABLE tv_x;'), '1',
		"$setting: a database without the extension");
	$node->append_conf('postgresql.conf', "$setting = ''");
}
$node->restart;

# local_preload_libraries takes libraries from $libdir/plugins, where whoever
# wants that links the library to.  Here this is done in a copy of the place
# that the server is told to look in.
SKIP:
{
	my $dest = $node->safe_psql('postgres',
		q{SELECT setting FROM pg_settings WHERE name = 'extension_destdir'});
	skip 'the server finds libraries only in its own folder', 1 if $dest eq '';

	my $copy = PostgreSQL::Test::Utils::tempdir();
	my $libdir = $copy . $node->config_data('--pkglibdir');
	system_or_bail('cp', '-R', "$dest/.", $copy);
	mkdir "$libdir/plugins";
	symlink('../pg_tviews.so', "$libdir/plugins/pg_tviews.so")
	  or die "symlink: $!";
	$node->append_conf('postgresql.conf', "extension_destdir = '$copy'");
	$node->restart;

	local $ENV{PGOPTIONS} = '-c local_preload_libraries=pg_tviews';
	is_preloaded('local_preload_libraries');
	use_extension('local', 'local_preload_libraries');
}

stop_and_check_log($node);
done_testing();
