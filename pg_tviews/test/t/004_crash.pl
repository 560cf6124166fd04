# The server dies in the middle of load: after recovery every TVIEW equals its
# view, with what was committed.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use TviewTest;

my $node = new_node('crash', 'restart_after_crash = on', 'fsync = off');
my $db = 'postgres';

$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
create_blog($node, $db);
fill_blog($node, $db);

# Run the load, and kill something while it is running.
sub kill_during_load
{
	my ($name, $kill) = @_;
	my $done = 'SELECT count(*) FROM tb_comment WHERE pk_comment >= 1000';
	my $load = start_load($node, $db);
	my $committed = $node->safe_psql($db, $done);
	$kill->();
	$load->finish;
	$node->poll_query_until($db, 'SELECT true') or die 'not up again';
	cmp_ok($node->safe_psql($db, $done), '>=', $committed,
		"$name: what was committed is there");
	is_maintained($node, $db, $name);
	$node->safe_psql($db, q{UPDATE tb_user SET name = 'after ' || pk_user});
	is_maintained($node, $db, "$name, and after it");
	return;
}

kill_during_load('immediate stop', sub {
	$node->stop('immediate');
	$node->start;
});
kill_during_load('a backend is killed', sub {
	my $pid = $node->safe_psql($db, q{SELECT pid FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
		LIMIT 1});
	my $log = -s $node->logfile;
	kill 'KILL', $pid;
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $log);
});
kill_during_load('the server is killed', sub {
	my $tries = 10 * $PostgreSQL::Test::Utils::timeout_default;
	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;

	$node->kill9;
	# It can start again when it is gone, and so is its last backend.
	usleep(100_000) while kill(0, $pid) && --$tries > 0;
	usleep(100_000) until $node->start(fail_ok => 1) || --$tries <= 0;
});

stop_and_check_log($node);
done_testing();
