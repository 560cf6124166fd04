# The page on upgrading, played through: a new version of the extension and the
# way back, and pg_upgrade, here to a server of the same version.

use strict;
use warnings;

use PageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('old', 'fsync = off');
my $new = PostgreSQL::Test::Cluster->new('new');
my $db = 'postgres';
my $bin = $node->config_data('--bindir');
my $page = PageTest->new('upgrading', $node,
	OLDBIN => $bin, NEWBIN => $bin,
	OLDDATA => $node->data_dir, NEWDATA => $new->data_dir,
	LOGFILE => $new->logfile);

$node->safe_psql($db, q{CREATE EXTENSION pg_tviews; CREATE DATABASE "without 'it'"});
create_blog($node, $db);
fill_blog($node, $db);

# the way back comes first, as there are files of the new version only
$page->run_part($db, 2, 'Before');
$page->run_part($db, 2, 'Objects');
$page->run_part($db, 1, 'Before');
$page->run_part($db, 1, 'Files');
is_maintained($node, $db, 'files and objects differ');
$page->run_part($db, 1, 'Objects');
$page->run_part($db, 1, 'Afterwards');
$node->safe_psql($db, q{UPDATE tb_user SET name = 'updated'; DELETE FROM tb_post WHERE pk_post = 1});
is_maintained($node, $db, 'updated');

# ----------
# pg_upgrade; one database is still in the old version
# ----------

# From 18 on the extension may be elsewhere, where pg_upgrade doesn't look.
if (!-e $node->config_data('--pkglibdir') . '/pg_tviews.so' &&
	$node->safe_psql($db, q{SELECT count(*) FROM pg_settings WHERE name = 'extension_control_path'}))
{
	note('pg_upgrade needs the library in the folder of the server');
	is($page->not_played(1, 2), '', 'every other command of the page was run');
	stop_and_check_log($node);
	done_testing();
	exit;
}

$node->safe_psql($db, q{
	CREATE TABLE tv_early AS SELECT pk_user AS pk_early, to_jsonb(name) AS data FROM tb_user;
	SELECT pg_tviews_suspend('early');
	SELECT pg_tviews_install_stmt_triggers('tb_comment');
	UPDATE tb_user SET name = 'late' WHERE pk_user = 3;});
$node->safe_psql($db, 'CREATE DATABASE older');
$node->safe_psql('older', q{CREATE EXTENSION pg_tviews});
create_blog($node, 'older');
fill_blog($node, 'older');
$node->safe_psql('older', q{ALTER EXTENSION pg_tviews UPDATE TO '0.1.0'});
my $all = q{SELECT m::text, m.tview::oid FROM pg_tview_meta m ORDER BY 2};
my $before = $node->safe_psql($db, $all);
$page->run_part($db, 3, 'Before');
$new->init(allows_streaming => 'logical');
$page->run_part($db, 3, 'Upgrade');
$node->_update_pid(0);
$new->_update_pid(1);
$page->{node} = $new;
is($new->safe_psql($db, $all), $before, 'metadata are the same');
$page->run_part($db, 3, 'Afterwards');
is(sqlstate($new, $db, 'SELECT * FROM tv_early'), '55000', 'suspended as before');
$new->safe_psql($db, q{
	UPDATE tb_user SET name = 'upgraded' WHERE pk_user = 2;
	INSERT INTO tb_comment VALUES (1000, 2, 'new');
	DELETE FROM tb_post WHERE pk_post = 7;
	SELECT pg_tviews_resume('early');});
is_maintained($new, $db, 'upgraded');
is(sqlstate($new, 'older', q{UPDATE tb_user SET name = ''}), '55000', 'the older one is refused');
$new->safe_psql('older', q{ALTER EXTENSION pg_tviews UPDATE; UPDATE tb_user SET name = 'updated' WHERE pk_user = 2});
is_maintained($new, 'older', 'the older one, updated');
is($new->safe_psql('older', q{SELECT * FROM pg_tviews_health_check(100) WHERE status <> 'OK'}), '', 'healthy');

is($page->not_played, '', 'every command of the page was run');
stop_and_check_log($new);
done_testing();
