# Servers that crash, and one that is lost, under load, as the page on disasters
# says.

use strict;
use warnings;

use PageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use TviewTest;

my $node = new_node('primary', 'fsync = off', 'restart_after_crash = on');
my $db = 'postgres';
my $page = PageTest->new('disaster-recovery', $node,
	PGDATA => $node->data_dir, LOGFILE => $node->logfile);
my $done = 'SELECT count(*) FROM tb_comment WHERE pk_comment >= 1000';

$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
create_blog($node, $db);
fill_blog($node, $db);

sub is_right
{
	my ($server, $committed, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	cmp_ok($server->safe_psql($db, $done), '>=', $committed, "$name: what was committed is there");
	is_maintained($server, $db, $name);
	$server->safe_psql($db, qq{UPDATE tb_user SET name = 'after: $name, ' || pk_user});
	is($server->safe_psql($db, q{SELECT count(*) FROM tv_comment WHERE data #>> '{post,author,name}' NOT LIKE 'after: %'}),
		'0', "$name: maintained");
	is_maintained($server, $db, "$name, after changes");
	return;
}

# Kill something during a load, and recover.
sub crash
{
	my ($name, $kill) = @_;
	my $load = start_load($node, $db);
	my $committed = $node->safe_psql($db, $done);

	$kill->();
	$load->finish;
	$page->run_part($db, 5, 'Recovery');
	$node->_update_pid(1);
	$page->run_part($db, 5, 'Afterwards');
	is_right($node, $committed, $name);
	return;
}

# 5. A backend; then the postmaster, with a transaction that is prepared
crash('a backend is killed', sub {
	my $pid = $node->safe_psql($db, q{SELECT pid FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1});
	my $log = -s $node->logfile;

	kill 'KILL', $pid;
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $log);
});
$node->safe_psql($db, q{
	BEGIN;
	INSERT INTO tb_user (pk_user, name) VALUES (20, 'prepared');
	PREPARE TRANSACTION 'two';});
crash('the server is killed', sub {
	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	my $tries = 10 * $PostgreSQL::Test::Utils::timeout_default;

	$node->kill9;
	usleep(100_000) while kill(0, $pid) && --$tries > 0;
});
is($node->safe_psql($db, q{
		COMMIT PREPARED 'two';
		SELECT data ->> 'name' FROM tv_user WHERE pk_user = 20}), 'prepared', 'prepared before, committed after');
is_maintained($node, $db, 'the prepared transaction');
is($page->not_played(5), '', 'every command of the chapter was run');

# 6. A standby, which is read until its primary is lost
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
my $load = start_load($node, $db);
my $committed = $node->safe_psql($db, $done);
$standby->poll_query_until($db, "SELECT ($done) >= $committed") or die 'standby lags';
is_maintained($standby, $db, 'on the standby, under load');
is(sqlstate($standby, $db, q{UPDATE tb_user SET name = 'x'}), '25006', 'which takes no changes');
$node->stop('immediate');
$load->finish;
$page->{node} = $standby;
$page->run_part($db, 6, 'Recovery');
$page->run_part($db, 6, 'Afterwards');
is_right($standby, $committed, 'promoted');
is($page->not_played(6), '', 'every command of the chapter was run');

$node->start;
stop_and_check_log($node);
stop_and_check_log($standby);
done_testing();
