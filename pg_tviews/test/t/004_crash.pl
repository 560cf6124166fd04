# The server dies in the middle of load: after recovery every TVIEW equals its
# view, with what was committed.

use strict;
use warnings;

use IPC::Run;
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
$node->safe_psql($db, 'CREATE SEQUENCE numbers START 1000');

my $script = PostgreSQL::Test::Utils::tempdir() . '/load.sql';
append_to_file($script, q{
\set u random(1, 10)
\set p random(1, 50)
BEGIN;
UPDATE tb_user SET name = 'user ' || random() WHERE pk_user = :u;
UPDATE tb_post SET fk_user = :u WHERE pk_post = :p;
INSERT INTO tb_comment VALUES (nextval('numbers'), :p, 'new');
SELECT count(*) FROM tv_comment WHERE fk_post = :p;
END;
});

# Run the load, and kill something while it is running.
sub kill_during_load
{
	my ($name, $kill) = @_;
	my $done = 'SELECT count(*) FROM tb_comment WHERE pk_comment >= 1000';
	my $before = $node->safe_psql($db, $done);
	my ($out, $err) = ('', '');
	my $load = IPC::Run::start(
		[ 'pgbench', '-n', '-c', '4', '-T', '60', '--max-tries', '100', '-f',
			$script, $node->connstr($db) ], '>', \$out, '2>', \$err);

	$node->poll_query_until($db, "SELECT ($done) >= $before + 50")
	  or die 'no load';
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
