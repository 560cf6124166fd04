# Statistics are those of all sessions where the server can share memory with
# the library, and start anew after a crash; what sessions are doing can be
# seen from others; slow refreshes are in the log.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('statistics', 'restart_after_crash = on');
my $db = 'postgres';
my $version = $node->safe_psql($db, 'SHOW server_version_num');

$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
create_blog($node, $db);
fill_blog($node, $db);

sub value
{
	my ($column, $entity) = @_;
	return $node->safe_psql($db,
		"SELECT $column FROM pg_tviews_performance_summary WHERE entity = '$entity'");
}

# Not preloaded: from 17 on that makes no difference.
my $scope = $version >= 170000 ? 'all sessions' : 'this session';
is( $node->safe_psql($db, q{
		SELECT DISTINCT scope FROM pg_tviews_performance_summary
		UNION SELECT scope FROM pg_tviews_cache_stats}),
	$scope, 'whose statistics these are is said');
is( $node->safe_psql($db, q{
		SELECT pg_tviews_stats_reset();
		UPDATE tb_user SET name = 'x' WHERE pk_user = 1;
		SELECT total_refreshes FROM pg_tviews_performance_summary WHERE entity = 'user'}),
	"\n1", 'this session is counted');
is(value('total_refreshes', 'user'), $version >= 170000 ? 1 : 0,
	'and another one only with shared memory');

# Preloaded
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = '" . library($node) . "'");
$node->restart;
is(value('scope', 'user'), 'all sessions', 'preloaded: all sessions');
is(value('total_refreshes', 'user'), 0, 'counted anew after a restart');
$node->pgbench(
	'-n -c 4 -j 2 -t 50', 0,
	[qr{processed: 200/200}], [qr{^$}],
	'many sessions',
	{
		'statistics_many' => q{
\set user random(1, 10)
UPDATE tb_user SET name = 'name ' || random() WHERE pk_user = :user;
}
	});
is(value('total_refreshes', 'user'), 200, 'each refresh counts once');
is(value('rows_updated', 'user'), 200, 'and each row');
cmp_ok(value('max_refresh_ms', 'post'), '>', 0, 'times are known');

# What a session has in its queue, as another one sees it
my $writer = $node->background_psql($db);
my $reader = $node->background_psql($db);
my $queue = q{SELECT queue_size, entities, state FROM pg_tviews_queue_realtime};
$writer->query_safe(q{
	BEGIN;
	UPDATE tb_user SET name = 'waiting' WHERE pk_user = 1;
	UPDATE tb_post SET title = 'waiting' WHERE pk_post IN (49, 50)});
is($node->safe_psql($db, $queue), '3|{post,user}|queued', 'the queue of another session');
is( $node->safe_psql($db, q{
		SELECT q.transaction_id = a.backend_xid AND q.session = a.application_name
		FROM pg_tviews_queue_realtime q JOIN pg_stat_activity a ON a.pid = q.backend_pid}),
	't', 'and whose it is');
$node->safe_psql($db, 'CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION pg_tviews');
is($node->safe_psql('other', "$queue"), '', 'other databases are not shown');
$reader->query_safe(q{
	BEGIN;
	UPDATE tb_user SET name = 'first' WHERE pk_user = 2;
	UPDATE tb_post SET title = 'first' WHERE pk_post = 48;
	SELECT count(*) FROM tv_post});
# locks the same comments by their posts
$writer->query_safe(q{
	UPDATE tb_comment SET content = 'also' WHERE fk_post = 48});
$writer->query_until(qr/started/, "\\echo started\nCOMMIT;\n");
$node->poll_query_until($db, "SELECT count(*) > 0 FROM ($queue) q WHERE q.state = 'waiting for a lock'")
  or die 'nobody waits';
$reader->query_safe('COMMIT');
$reader->quit;
$writer->quit;
is($node->safe_psql($db, $queue), '', 'nothing is left in queues');
cmp_ok(
	$node->safe_psql($db, 'SELECT max(lock_wait_ms) FROM pg_tviews_performance_summary'),
	'>', 0, 'the wait is counted');

# A build, seen from outside
my $lock = hold_lock($node, $db);
$node->safe_psql($db, q{
	CREATE FUNCTION wait_once(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
	BEGIN
		IF n = 5 THEN
			PERFORM pg_advisory_xact_lock_shared(1);
		END IF;
		RETURN n;
	END $$;
	CREATE TABLE tb_big (pk_big int PRIMARY KEY, n int);
	INSERT INTO tb_big SELECT i, CASE i WHEN 4000 THEN 5 ELSE 0 END FROM generate_series(1, 5000) AS i;
	ANALYZE tb_big;});
my $builder = $node->background_psql($db);
$builder->query_until(qr/started/, q{\echo started
CREATE TABLE tv_big AS SELECT pk_big, jsonb_build_object('n', wait_once(n)) AS data FROM tb_big;
});
wait_for_waiter($node, $db);
is( $node->safe_psql($db, q{
		SELECT entity, phase, rows_done, estimated_total, started < clock_timestamp()
		FROM pg_tviews_progress}),
	'public.tv_big|loading rows|3072|5000|t', 'a build can be watched');
$lock->quit;
$builder->query_safe('SELECT 1');
is($node->safe_psql($db, 'SELECT count(*) FROM pg_tviews_progress'), 0,
	'and is over when it is done');

# A rebuild that compares row by row
$lock = hold_lock($node, $db);
$builder->query_until(qr/started/, q{\echo started
SELECT * FROM pg_tviews_refresh('big');
});
wait_for_waiter($node, $db);
is( $node->safe_psql($db, q{
		SELECT entity, phase, rows_done <= 5000, estimated_total > 0 FROM pg_tviews_progress}),
	'public.tv_big|updating rows|t|t', 'so can a rebuild');
$lock->quit;
$builder->query_safe('SELECT 1');
$builder->quit;

# The log of slow refreshes
my $offset = -s $node->logfile;
$node->safe_psql($db, q{
	SET pg_tviews.log_min_duration = '1h';
	UPDATE tb_user SET name = 'fast' WHERE pk_user = 1;});
ok(!$node->log_contains(qr/refreshing TVIEWs took/, $offset), 'what is fast is not logged');
$node->safe_psql($db, q{
	SET pg_tviews.log_min_duration = 0;
	UPDATE tb_user SET name = 'slow' WHERE pk_user = 1;});
ok( $node->log_contains(
		qr/LOG:  00000: refreshing TVIEWs took \d+\.\d{3} ms\n.*DETAIL:  TVIEW public\.tv_user: 1 keys, 0 rows inserted, 1 updated, 0 deleted, \d+\.\d{3} ms waiting for locks, \d+\.\d{3} ms deriving keys, \d+\.\d{3} ms recomputing and writing rows\n\s+TVIEW public\.tv_post: 5 keys/,
		$offset),
	'what is slow is, TVIEW by TVIEW');
is( $node->safe_psql($db, 'CREATE ROLE plain'), '', 'role');
is(sqlstate($node, $db, 'SET ROLE plain; SET pg_tviews.log_min_duration = 0'),
	'42501', 'not for everyone to set');

# A crash takes the statistics, and nothing else.
my $victim = $node->background_psql($db, on_error_stop => 0);
my $pid = $victim->query_safe('SELECT pg_backend_pid()');
$victim->query_safe(q{BEGIN; UPDATE tb_user SET name = 'lost' WHERE pk_user = 3});
is($node->safe_psql($db, 'SELECT count(*) FROM pg_tviews_queue_realtime'), 1, 'a queue before the crash');
PostgreSQL::Test::Utils::system_or_bail('pg_ctl', 'kill', 'KILL', $pid);
eval { $victim->quit };
$node->poll_query_until($db, 'SELECT 1', 1);
is($node->safe_psql($db, 'SELECT count(*) FROM pg_tviews_queue_realtime'), 0, 'none after it');
is($node->safe_psql($db, 'SELECT sum(total_refreshes) FROM pg_tviews_performance_summary'),
	0, 'statistics start anew');
$node->safe_psql($db, q{UPDATE tb_user SET name = 'after' WHERE pk_user = 3});
is(value('total_refreshes', 'user'), 1, 'and go on');
is_maintained($node, $db, 'after all that');
stop_and_check_log($node);
done_testing();
