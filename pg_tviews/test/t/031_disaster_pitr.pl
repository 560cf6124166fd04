# A server goes back to a point in time, as the page on disasters says: one in
# the middle of a load, from a base backup that was made during it.

use strict;
use warnings;

use PageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('pitr', 'fsync = off', 'restart_after_crash = on');
my $db = 'postgres';
my $page = PageTest->new('disaster-recovery', $node,
	BACKUPS => PostgreSQL::Test::Utils::tempdir() . '/the backups',
	PGDATA => $node->data_dir,
	LOGFILE => $node->logfile);

mkdir $page->{env}{BACKUPS} or die;
$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
create_blog($node, $db);
fill_blog($node, $db);

# the first block is before the load, for it restarts the server
my @before = @{ $page->{blocks}{4}{Before} };
my ($prepare, $backup) = $before[1][2] =~ /^(.*)^(pg_basebackup.*)$/ms;
$page->run_block($db, $before[0], '4 Before');
$page->run_block($db, [ 'sh', undef, $prepare ], '4 Before');
$node->_update_pid(1);
my $load = start_load($node, $db);
$page->run_block($db, [ 'sh', undef, $backup ], '4 Before');
$page->mark_played(4, 'Before');

# what is committed by then has to be there, and nothing that begins later
$node->safe_psql($db, q{
	UPDATE tb_post SET title = 'before' WHERE pk_post = 3;
	CREATE TABLE tv_late AS SELECT pk_user AS pk_late, to_jsonb(name) AS data FROM tb_user});
my $committed = $node->safe_psql($db, 'SELECT count(*) FROM tb_comment');
$page->{env}{TARGET} = $node->safe_psql($db, 'SELECT clock_timestamp()');
$node->safe_psql($db, q{UPDATE tb_post SET title = 'after' WHERE pk_post = 3});
$node->poll_query_until($db, "SELECT count(*) > $committed + 50 FROM tb_comment") or die 'no load';
$load->kill_kill;
$node->safe_psql($db, 'DELETE FROM tb_post');
is($node->safe_psql($db, 'SELECT count(*) FROM tv_comment'), '0', 'all is lost');

$page->run_part($db, 4, 'Recovery');
$node->_update_pid(1);
is($node->safe_psql($db, q{
		SELECT data ->> 'title' FROM tv_post WHERE pk_post = 3}), 'before', 'at that time');
cmp_ok($node->safe_psql($db, 'SELECT count(*) FROM tv_comment'), '>=', $committed,
	'what was committed is there');
is($node->safe_psql($db, 'SELECT count(*) FROM tv_late'), '10', 'so are TVIEWs that the base backup lacks');
is_maintained($node, $db, 'recovered');
$page->run_part($db, 4, 'Afterwards');
$node->safe_psql($db, q{
	UPDATE tb_user SET name = 'on the new timeline';
	DELETE FROM tb_post WHERE pk_post = 1;});
is($node->safe_psql($db, q{SELECT DISTINCT data #>> '{post,author,name}' FROM tv_comment}),
	'on the new timeline', 'maintained');
is_maintained($node, $db, 'after changes');

is($page->not_played(4), '', 'every command of the chapter was run');
stop_and_check_log($node);
done_testing();
