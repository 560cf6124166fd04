# Disasters that a running server survives, and the recovery that the page
# leads to: contents, metadata, and the extension itself are lost.

use strict;
use warnings;

use File::Basename qw(dirname);
use PageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('disaster', 'fsync = off');
my $page = PageTest->new('disaster-recovery', $node,
	BACKUPS => PostgreSQL::Test::Utils::tempdir() . '/the backups');

mkdir $page->{env}{BACKUPS} or die;

# A database with TVIEWs, and a backup of it as the page has it made
sub blog
{
	my $db = shift;

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
	create_blog($node, $db);
	fill_blog($node, $db);
	$node->safe_psql($db, q{
		CREATE INDEX tv_post_title ON tv_post ((data ->> 'title'));
		CREATE VIEW titles AS SELECT data ->> 'title' AS title FROM tv_post;
		GRANT SELECT ON tv_post, titles TO pg_monitor;
		COMMENT ON TABLE tv_post IS 'posts';});
	$page->run_block($db, $page->{blocks}{''}{''}[0], "$db: backup");
	return $db;
}

# All that the TVIEWs are, but for their rows
sub objects
{
	my $db = shift;

	return $node->safe_psql($db, q{
		SELECT m.entity, m.tview, m.view, m.root, m.key_column, m.definition, m.dependencies, m.options,
			c.relowner::regrole, c.relacl, obj_description(c.oid),
			(SELECT string_agg(pg_get_indexdef(i.indexrelid), ';' ORDER BY i.indexrelid::regclass::text) FROM pg_index i
			 WHERE i.indrelid = c.oid)
		FROM pg_tview_meta m JOIN pg_class c ON c.oid = m.tview ORDER BY m.tview::text;
		SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE tgname LIKE '!tview%' ORDER BY 1, 2;
		SELECT pg_get_viewdef('titles'), relacl FROM pg_class WHERE relname = 'titles'});
}

sub is_in_order
{
	my ($db, $objects, $name) = @_;
	my $fault = q{SELECT component, message FROM pg_tviews_health_check() WHERE severity = 'error'};

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(objects($db), $objects, "$name: all objects are as they were");
	is_maintained($node, $db, $name);
	is($node->safe_psql($db, $fault), '', "$name: the health check finds nothing");
	$node->safe_psql($db, q{
		UPDATE tb_user SET name = name || ' after' WHERE pk_user < 4;
		DELETE FROM tb_post WHERE pk_post = 7;
		INSERT INTO tb_comment VALUES (1000, 8, 'new');});
	is( $node->safe_psql($db, q{
			SELECT (SELECT data #>> '{author,name}' FROM tv_post WHERE pk_post = 1) LIKE '% after',
				(SELECT data ->> 'content' FROM tv_comment WHERE pk_comment = 1000)}),
		't|new', "$name: maintained again");
	is_maintained($node, $db, "$name, after changes");
	return;
}

# What it begins with
my $db = blog('begin');
$page->run_part($db, '', '');
like(slurp_file("$page->{dir}/latest"), qr{/tviews-begin-.*Z\n$}, 'the name of the backup');
ok(-s "$page->{env}{BACKUPS}/$_", "$_ is there") foreach 'all.dump', 'globals.sql';

# 1. The contents of a TVIEW: rows that are wrong, and a file that is damaged
$db = blog('contents');
my $objects = objects($db);
$node->safe_psql($db, q{
	SET session_replication_role = replica;
	UPDATE tv_user SET data = '"wrong"' WHERE pk_user = 2;
	DELETE FROM tv_post WHERE pk_post IN (1, 2);
	INSERT INTO tv_comment SELECT 5000, fk_post, data, updated_at FROM tv_comment WHERE pk_comment = 1;});
isnt(differing($node, $db), '', '1: wrong rows');
$page->run_part($db, 1, 'Wrong rows');
is_maintained($node, $db, '1: mended');

my $file = $node->data_dir . '/' . $node->safe_psql($db, q{SELECT pg_relation_filepath('tv_post')});
my $log = -s $node->logfile;
$node->stop;
open(my $handle, '+<', $file) or die "$file: $!";
print $handle 'damaged ' x 8;
close $handle;
$node->start;
is(sqlstate($node, $db, q{SELECT count(data) FROM tv_post}), 'XX001', '1: not readable');
$page->run_part($db, 1, 'Not readable');
$page->run_part($db, 1, 'Afterwards');
is_in_order($db, $objects, '1: not readable');

# what was raised on purpose is no mistake of ours
my $errors = substr(slurp_file($node->logfile), $log);
is(scalar(grep { /XX001/ } split /\n/, $errors), 2, '1: as often as expected');
$node->stop;
rename $node->logfile, $node->logfile . '.damaged' or die;
$node->start;

# 2. Metadata, with a backup: some rows, and all of them, which nobody has
# noticed at first
foreach my $lost ('DELETE FROM pg_tview_meta WHERE entity IN (\'post\', \'comment\')', 'TRUNCATE pg_tview_meta')
{
	my $n = $lost =~ /^D/ ? 'some' : 'all';

	$db = blog("metadata_$n");
	$objects = objects($db);
	$node->safe_psql($db, $lost);
	$page->run_part($db, 2, 'What happens');
	is(sqlstate($node, $db, q{UPDATE tb_post SET title = 'lost'}), '55000', "2, $n: not changed");
	$node->safe_psql($db, q{SET session_replication_role = replica; UPDATE tb_user SET name = 'meanwhile' WHERE pk_user = 5});
	$page->run_part($db, 2, 'With a backup');
	$page->run_part($db, 2, 'Afterwards');
	is_in_order($db, $objects, "2, $n");
}

# and without
$db = blog('metadata_none');
$objects = objects($db);
$node->safe_psql($db, 'TRUNCATE pg_tview_meta');
$page->run_part($db, 2, 'Without a backup');
$page->run_part($db, 2, 'Afterwards');
is_in_order($db, $objects, '2, without a backup');

# 3. The extension's files: the server looks for them in a folder of ours
$db = blog('files');
$objects = objects($db);
my $setting = $node->safe_psql('postgres', q{
	SELECT name FROM pg_settings
	WHERE name IN ('extension_destdir', 'extension_control_path') ORDER BY name LIMIT 1});
my ($root) = split /:/, $node->safe_psql('postgres', "SHOW $setting");
my $copy = PostgreSQL::Test::Utils::tempdir() . '/files';
$root = dirname(dirname(dirname(dirname($root)))) if $setting eq 'extension_control_path';
system_or_bail('cp', '-R', $root, $copy);
foreach my $name (qw(extension_destdir extension_control_path dynamic_library_path))
{
	my $value = $node->safe_psql('postgres', "SELECT current_setting('$name', true)");

	next if $value !~ s/\Q$root\E/$copy/;
	$node->safe_psql('postgres', "ALTER SYSTEM SET $name = '$value'");
}
$node->restart;
chomp(my $library = `find $copy -name pg_tviews.so`);
rename $library, "$library.gone" or die;
ok($node->safe_psql($db, 'SELECT count(*) FROM tv_post') > 0, '3: TVIEWs are read without the library');
$page->run_block($db, $page->{blocks}{3}{'Files are gone'}[0], '3 Files are gone');
rename "$library.gone", $library or die;
$page->run_block($db, $_, '3 Files are gone') foreach $page->{blocks}{3}{'Files are gone'}[1];
$page->mark_played(3, 'Files are gone');
is_in_order($db, $objects, '3: files');

# The extension is dropped in a database that is in use.
$db = blog('dropped');
$objects = objects($db);
$node->safe_psql($db, 'DROP EXTENSION pg_tviews CASCADE');
is($node->safe_psql($db, q{SELECT count(*) FROM pg_class WHERE relname ~ '^t?v_|^titles'}), '0', '3: all is gone');
$node->safe_psql($db, q{
	UPDATE tb_user SET name = 'meanwhile' WHERE pk_user = 3;
	DELETE FROM tb_comment WHERE pk_comment % 9 = 0;});
$page->run_part($db, 3, 'The extension was dropped');
$page->run_part($db, 3, 'Afterwards');
is_in_order($db, $objects, '3: dropped');
like($node->safe_psql($db, q{SELECT string_agg(operation, ',' ORDER BY log_id) FROM pg_tview_audit_log}),
	qr/^CREATE,CREATE,CREATE,CREATE,CREATE,CREATE$/, '3: the audit log is back, and goes on');

is($page->not_played('', 1 .. 3), '', 'every command of these chapters was run');
is(join(',', sort keys %{ $page->{blocks} }), ',1,2,3,4,5,6,7', 'chapters that tests play');
stop_and_check_log($node);
done_testing();
