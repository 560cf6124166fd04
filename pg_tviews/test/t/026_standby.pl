# A physical standby: TVIEWs can be read there, and looked at with every function
# that changes nothing; the others say why they can't work; promotion takes no
# step.  What docs/operations/replication.md says of it is played.

use strict;
use warnings;

use IPC::Run ();
use PageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $db = 'postgres';
my $primary = new_node('primary');
my $standby = PostgreSQL::Test::Cluster->new('standby');

$primary->append_conf('postgresql.conf', "shared_preload_libraries = '" . library($primary) . "'");
$primary->restart;
$primary->safe_psql($db, 'CREATE EXTENSION pg_tviews');
create_blog($primary, $db);
fill_blog($primary, $db);
$primary->backup('backup');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->safe_psql($db, q{UPDATE tb_user SET name = 'renamed'; DELETE FROM tb_comment WHERE pk_comment % 3 = 0});
$primary->wait_for_catchup($standby);

is($standby->safe_psql($db, q{SELECT count(*) FROM tv_post WHERE data #>> '{author,name}' = 'renamed'}), '50', 'read');
my $page = PageTest->new('replication', $standby);
$page->run_part($db, 1, 'Reading');
is(differing($standby, $db), '', 'tables equal their views');
is(sqlstate($standby, $db, "SELECT * FROM $_"), '', "works: $_")
  foreach qw(pg_tviews_version() pg_tviews_health_check(10) pg_tviews_graph() pg_tviews_graph('dot') pg_tviews_explain('post')
  pg_tviews_verify('post') pg_tviews_suggest_indexes() pg_tviews_support_report() pg_tviews_audit() pg_tview_meta pg_tview_helpers
  pg_tviews_locks pg_tviews_suspended pg_tviews_performance_summary pg_tviews_queue_realtime pg_tviews_progress pg_tviews_cache_stats);
is($standby->safe_psql($db, q{SELECT string_agg(verdict.kind, ',') FROM pg_tviews_analyze_select(
	'SELECT pk_user AS pk_x, to_jsonb(name) AS data FROM tb_user', 'x') verdict WHERE section = 'verdict'}), 'accepted', 'works: pg_tviews_analyze_select()');
is($standby->safe_psql($db, q{SELECT DISTINCT status FROM pg_tviews_health_check(10)}), 'OK', 'healthy');
is($standby->safe_psql($db, q{SELECT sum(total_refreshes) FROM pg_tviews_performance_summary}), '0', 'nothing is refreshed');
# as read-only transactions, or since the lock that comes first can't be had in recovery
like(sqlstate($standby, $db, "SELECT $_"), qr/^(25006|55000)$/, "refused: $_")
  foreach q{pg_tviews_create('x', 'SELECT pk_user AS pk_x, to_jsonb(name) AS data FROM tb_user')},
  q{pg_tviews_drop('comment')}, q{pg_tviews_refresh('post')}, q{pg_tviews_suspend('post')};
is(sqlstate($standby, $db, q{UPDATE tb_user SET name = 'x'}), '25006', 'and so are writes');

# what is unlogged has no rows there
$primary->safe_psql($db, q{CREATE UNLOGGED TABLE tb_unlogged (pk_unlogged int PRIMARY KEY); INSERT INTO tb_unlogged VALUES (1);
	CREATE TABLE tv_unlogged AS SELECT pk_unlogged, '{}'::jsonb AS data FROM tb_unlogged});
$primary->wait_for_catchup($standby);
is($standby->safe_psql($db, q{SELECT message FROM pg_tviews_health_check(10) WHERE component = 'drift'}),
	'up to 10 keys of each TVIEW are right, but for those of unlogged tables', 'unlogged: not looked at');
$primary->safe_psql($db, 'DROP TABLE tv_unlogged; DROP TABLE tb_unlogged');
$primary->wait_for_catchup($standby);

# what is suspended can't be read by mistake
$primary->safe_psql($db, q{SELECT pg_tviews_suspend('comment')});
$primary->wait_for_catchup($standby);
is(sqlstate($standby, $db, 'SELECT * FROM tv_comment'), '55000', 'suspended: not read');
is(sqlstate($standby, $db, 'SELECT * FROM tv_user'), '', 'suspended: others are');
$primary->safe_psql($db, q{SELECT pg_tviews_resume('comment')});
$primary->wait_for_catchup($standby);
is(sqlstate($standby, $db, 'SELECT * FROM tv_comment'), '', 'resumed: read');

# A query that takes long, and needs what the primary removes: it is ended, or
# the primary keeps that if it is told to.
sub read_twice
{
	my ($feedback) = @_;
	my $content = q{SELECT md5(string_agg(data::text, ',' ORDER BY pk_post)) FROM tv_post;};
	my $holder = hold_lock($standby, $db);
	my ($out, $err) = ('', '');
	my $reader = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=sqlstate', '-d', $standby->connstr($db),
			map { ('-c', $_) } 'BEGIN ISOLATION LEVEL REPEATABLE READ', $content, 'SELECT FROM pg_advisory_lock(1)', $content ],
		'<', \undef, '>', \$out, '2>', \$err);

	wait_for_waiter($standby, $db);
	$primary->poll_query_until($db, 'SELECT backend_xmin IS NOT NULL FROM pg_stat_replication') or die 'no feedback' if $feedback;
	$primary->safe_psql($db, q{UPDATE tb_user SET name = name || '.'});
	$primary->safe_psql($db, 'VACUUM tv_post');
	$primary->wait_for_catchup($standby);
	$holder->quit;
	$reader->finish;
	return $1 if $err =~ /ERROR: +(\w{5})/;
	return $out =~ /^(\w{32})\s+\1\s*$/ ? 'the same' : "$out$err";
}
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = 0\nwal_receiver_status_interval = 1");
$standby->reload;
$standby->poll_query_until($db, 'SHOW max_standby_streaming_delay', '0') or die 'no setting';
is(read_twice(0), '40001', 'a long query is ended');
$page->run_part($db, 1, 'Long queries');
is(read_twice(1), 'the same', 'a long query goes on, with feedback');

$page->run_part($db, 1, 'Promotion');
is($page->not_played(1), '', 'all of the page on standbys was played');
is($standby->safe_psql($db, 'SELECT pg_is_in_recovery()'), 'f', 'promoted');
is_maintained($standby, $db, 'promoted');
$standby->safe_psql($db, q{BEGIN; UPDATE tb_user SET name = 'promoted' WHERE pk_user = 1; SELECT data FROM tv_comment; INSERT INTO tb_comment VALUES (1000, 1, 'new'); COMMIT;
	DELETE FROM tb_post WHERE pk_post = 5; TRUNCATE tb_comment});
is_maintained($standby, $db, 'written after promotion');
is($standby->safe_psql($db, q{SELECT data #>> '{author,name}' FROM tv_post WHERE pk_post = 1}), 'promoted', 'a cascade after promotion');
cmp_ok($standby->safe_psql($db, q{SELECT sum(total_refreshes) FROM pg_tviews_performance_summary}), '>', 0, 'refreshes are counted');
is($standby->safe_psql($db, q{SELECT DISTINCT status FROM pg_tviews_health_check(10)}), 'OK', 'healthy after promotion');

stop_and_check_log($standby);
stop_and_check_log($primary);
done_testing();
