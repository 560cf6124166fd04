# Behind PgBouncer, clients take turns on the same server connection: in session,
# transaction and statement mode, nothing of one client's transaction gets into
# that of the next.  What docs/operations/replication.md says of it is played.

use strict;
use warnings;

use Cwd qw(abs_path);
use IPC::Run ();
use PageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();
use TviewTest;

$ENV{PATH} .= ':' . abs_path('..') . '/.programs:/usr/sbin';
grep { -x "$_/pgbouncer" } split /:/, $ENV{PATH}
  or die "pgbouncer is missing: run tools/setup pgbouncer\n";

my $db = 'postgres';
my $node = new_node('pooled', 'deadlock_timeout = 20ms');
my $dir = PostgreSQL::Test::Utils::tempdir_short();
my ($port, $pooler);

$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
create_blog($node, $db);
fill_blog($node, $db);
$node->safe_psql($db, 'CREATE TABLE other (n int)');

sub start_pooler
{
	my ($mode, $size, @lines) = @_;

	$port = PostgreSQL::Test::Cluster::get_free_port();
	append_to_file("$dir/ini.$port", join("\n", '[databases]',
			"$db = host=" . $node->host . ' port=' . $node->port . " user=" . getpwuid($<) . " pool_size=$size",
			'[pgbouncer]', 'listen_addr =', "listen_port = $port", "unix_socket_dir = $dir", 'auth_type = any',
			"pool_mode = $mode", 'ignore_startup_parameters = options,extra_float_digits', "logfile = $PostgreSQL::Test::Utils::log_path/028_pgbouncer_$mode.log",
			@lines, ''));
	$pooler = IPC::Run::start([ 'pgbouncer', '-q', "$dir/ini.$port" ], '<', \undef, '>', '/dev/null', '2>', '/dev/null');
	wait_for_pooler();
	return;
}

sub connection { return "host=$dir port=$port dbname=$db" }

sub stop_pooler
{
	$pooler->signal('INT');
	$pooler->finish;
	undef $pooler;
	return;
}

# Output and errors of a client that runs these statements one by one
sub client
{
	my ($sql) = @_;
	my ($out, $err);

	IPC::Run::run([ 'psql', '-XAtq', '-d', connection(), '-f', '-' ], '<', \$sql, '>', \$out, '2>', \$err);
	chomp $out;
	return ($out, $err);
}

sub output
{
	my ($out, $err) = client(@_);

	return $out . $err;
}

sub wait_for_pooler
{
	for (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return if IPC::Run::run([ 'psql', '-XAtq', '-d', connection(), '-c', 'SELECT 1' ], '>', '/dev/null', '2>', '/dev/null');
		Time::HiRes::usleep(10_000);
	}
	die "pgbouncer doesn't answer\n";
}

# How often TVIEWs were refreshed
sub refreshes
{
	return $node->safe_psql($db, 'SELECT sum(total_refreshes) FROM pg_tviews_performance_summary');
}

# The next client gets the same connection, or a new one if the last one was no
# good any more, and nothing else.
sub nothing_leaks
{
	my ($name) = @_;
	my $before = refreshes();

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(output('INSERT INTO other VALUES (1)'), '', "$name: the next client writes something else");
	is(refreshes(), $before, "$name: and refreshes nothing");
	is(output('SELECT count(*) FROM pg_tviews_queue_realtime'), '0', "$name: nothing is queued");
	is(output(q{UPDATE tb_user SET name = name || '.' WHERE pk_user = 3}), '', "$name: and a TVIEW");
	is(refreshes(), $before + 3, "$name: which refreshes it and two others");
	is_maintained($node, $db, $name);
	return;
}

# What clients leave behind in transactions that don't commit
sub abort_and_look
{
	my ($mode) = @_;
	my $pid = output('SELECT pg_backend_pid()');

	is(output(q{BEGIN; UPDATE tb_user SET name = 'rolled back'; ROLLBACK}), '', "$mode: rolled back");
	nothing_leaks("$mode: rolled back");
	like(output("BEGIN;\nUPDATE tb_user SET name = 'failed';\nSELECT 1/0;\nCOMMIT;"), qr/division by zero/, "$mode: failed");
	nothing_leaks("$mode: failed");
	like(output("UPDATE tb_user SET name = NULL"), qr/null value/, "$mode: a statement fails");
	nothing_leaks("$mode: a statement fails");
	is(output('SELECT pg_backend_pid()'), $pid, "$mode: all on the same server connection");
	is(output(q{BEGIN; SAVEPOINT s; UPDATE tb_user SET name = 'gone'; ROLLBACK TO s; UPDATE tb_post SET title = 'kept' WHERE pk_post = 1; COMMIT}), '',
		"$mode: savepoints");
	is_maintained($node, $db, "$mode: savepoints");

	# a client that goes in the middle of it, after a read or before
	foreach my $read ('', "SELECT count(*) FROM tv_post WHERE data @> '{\"author\": {\"name\": \"gone\"}}'")
	{
		my ($out, $err) = client("BEGIN;\nUPDATE tb_user SET name = 'gone';\n$read;");
		is($out . $err, $read eq '' ? '' : '50', "$mode: a client goes");
		$node->poll_query_until($db, q{SELECT count(*) = 0 FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'})
		  or die 'its transaction is still there';
		nothing_leaks("$mode: a client goes");
	}
	is($node->safe_psql($db, q{SELECT count(*) FROM tv_post WHERE data::text ~ 'gone|failed|rolled back'}), '0',
		"$mode: nothing of that has remained");
	return;
}

# Refreshes of many clients over four connections
my $round = 0;

sub hammer
{
	my ($mode, $protocol, %scripts) = @_;
	# pgbench waits for one client's PREPARE before it goes on with the next
	my $clients = $protocol eq 'prepared' ? 4 : 12;
	my %files = map { ("028_${_}_$round" => $scripts{$_}) } keys %scripts;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$round++;
	$node->pgbench("-n -h $dir -p $port -M $protocol -c $clients -j 2 -t 40 --max-tries=1000", 0,
		[qr{transaction type: }], [qr{^$}], "$mode, $protocol: many clients", \%files);
	is_maintained($node, $db, "$mode, $protocol: many clients");
	return;
}

my $variables = q{
\set u random(1, 10)
\set p random(1, 50)
};
my %transactions = (
	commit => $variables . q{BEGIN;
UPDATE tb_post SET fk_user = :u WHERE pk_post = :p;
UPDATE tb_user SET name = 'n ' || random() WHERE pk_user = :u;
SELECT data FROM tv_post WHERE pk_post = :p;
COMMIT;
},
	rollback => $variables . q{BEGIN;
UPDATE tb_user SET name = 'rolled back' WHERE pk_user = :u;
SELECT count(*) FROM tv_comment WHERE fk_post = :p;
DELETE FROM tb_comment WHERE fk_post = :p;
ROLLBACK;
});

# The commands of the page, for a client of the pooler
package Pooler
{
	sub host { return $dir }
	sub port { return $port }
}
my $page = PageTest->new('replication', bless {}, 'Pooler');

# ----------
# Session mode: a connection is cleaned by DISCARD ALL between clients
# ----------

$node->append_conf('postgresql.conf', "shared_preload_libraries = '" . library($node) . "'");
$node->restart;
start_pooler('session', 1);
abort_and_look('session');
is(output(q{
	PREPARE rename AS UPDATE tb_user SET name = $1 WHERE pk_user = $2;
	PREPARE read AS SELECT data ->> 'name' FROM tv_user WHERE pk_user = $1;
	BEGIN;
	EXECUTE rename ('prepared', 1);
	EXECUTE read (1);
	COMMIT;
	DISCARD PLANS;
	EXECUTE rename ('again', 1);
	EXECUTE read (1);
	DEALLOCATE ALL;
	DISCARD TEMP;
	UPDATE tb_user SET name = 'deallocated' WHERE pk_user = 1;
	DISCARD ALL;
	UPDATE tb_user SET name = 'discarded' WHERE pk_user = 2;}), "prepared\nagain", 'session: prepared statements');
is_maintained($node, $db, 'session: prepared statements');
like(output('EXECUTE read (1)'), qr/prepared statement "read" does not exist/, 'session: DISCARD ALL in between');
is(output("SET pg_tviews.queue_limit = 1;\nUPDATE tb_user SET name = 'by all';"), '', 'session: a setting');
is(output('SHOW pg_tviews.queue_limit'), '1000000', 'session: is gone for the next client');
is_maintained($node, $db, 'session: a setting');
$page->run_part($db, 7, 'In session mode');
is(output('SHOW pg_tviews.queue_limit'), '1000000', 'session: the setting of the page is gone, too');
stop_pooler();
start_pooler('session', 4);
hammer('session', $_, %transactions) foreach 'simple', 'prepared';
stop_pooler();

# ----------
# Transaction mode: with and without DISCARD ALL after each transaction
# ----------

foreach my $reset ('server_reset_query_always = 0', 'server_reset_query_always = 1')
{
	start_pooler('transaction', 1, $reset);
	abort_and_look("transaction, $reset");

	is(output(q{BEGIN; UPDATE tb_user SET name = 'prepared' WHERE pk_user = 4; PREPARE TRANSACTION 'pooled'}), '',
		"transaction, $reset: prepared by one client");
	is(output('INSERT INTO other VALUES (2)'), '', "transaction, $reset: another one comes in between");
	is(output(q{COMMIT PREPARED 'pooled'}), '', "transaction, $reset: committed by a third one");
	is_maintained($node, $db, "transaction, $reset: a prepared transaction");
	is(output("SET pg_tviews.queue_limit = 1;\nSHOW pg_tviews.queue_limit;"), $reset =~ /1$/ ? '1000000' : '1',
		"transaction, $reset: settings");
	is(output("RESET pg_tviews.queue_limit;\nBEGIN;\nSET LOCAL pg_tviews.queue_limit = 1;\nUPDATE tb_user SET name = 'local';\nCOMMIT;\nSHOW pg_tviews.queue_limit;"),
		'1000000', "transaction, $reset: local ones");
	is_maintained($node, $db, "transaction, $reset: settings");
	$page->run_part($db, 7, 'In transaction mode');
	stop_pooler();
	start_pooler('transaction', 4, $reset);
	hammer("transaction, $reset", $_, %transactions) foreach 'simple', 'extended';
	stop_pooler();
}

# DDL by one client reaches connections that others use.
start_pooler('transaction', 2);
is(output(q{SELECT pg_tviews_drop('comment')}), 't', 'transaction: a TVIEW is dropped');
is(output(q{UPDATE tb_user SET name = 'without comments'}), '', 'transaction: written');
is_maintained($node, $db, 'transaction: a TVIEW was dropped');
is(output(q{CREATE TABLE tv_comment AS SELECT c.pk_comment, jsonb_build_object('content', c.content, 'post', p.data) AS data
	FROM tb_comment c JOIN v_post p ON p.pk_post = c.fk_post}), '', 'transaction: and made');
is(output(q{UPDATE tb_user SET name = 'with comments'}), '', 'transaction: written');
is_maintained($node, $db, 'transaction: a TVIEW was made');
stop_pooler();

# ----------
# Statement mode: no transactions but those of single statements
# ----------

start_pooler('statement', 1);
like(output("BEGIN;"), qr/transaction blocks not allowed/, 'statement: no transactions');
like(output("UPDATE tb_user SET name = NULL"), qr/null value/, 'statement: one fails');
nothing_leaks('statement: one fails');
is(output(q{
	DO $$
	BEGIN
		UPDATE tb_user SET name = 'done' WHERE pk_user = 1;
		BEGIN
			UPDATE tb_user SET name = 'undone' WHERE pk_user = 2;
			RAISE division_by_zero;
		EXCEPTION WHEN division_by_zero THEN
			UPDATE tb_post SET title = 'handled' WHERE pk_post = 1;
		END;
	END $$}), '', 'statement: several changes');
nothing_leaks('statement: several changes');
like(output(q{DO $$ BEGIN UPDATE tb_user SET name = 'lost'; PERFORM count(*) FROM tv_comment; RAISE 'stop'; END $$}), qr/stop/,
	'statement: several changes fail');
nothing_leaks('statement: several changes fail');
is($node->safe_psql($db, q{SELECT count(*) FROM tv_user WHERE data ->> 'name' IN ('undone', 'lost')}), '0', 'statement: nothing of them has remained');
$page->run_part($db, 7, 'In statement mode');
is_maintained($node, $db, 'statement: the page');
is($page->not_played(7), '', 'all of the page on PgBouncer was played');
stop_pooler();
start_pooler('statement', 4);
hammer('statement', $_,
	update => $variables . "UPDATE tb_post SET fk_user = :u, title = 't ' || random() WHERE pk_post = :p;\n",
	read => $variables . "SELECT data FROM tv_post WHERE pk_post = :p;\n",
	rename => $variables . "UPDATE tb_user SET name = 'n ' || random() WHERE pk_user = :u;\n") foreach 'simple', 'extended';
stop_pooler();

is($node->safe_psql($db, 'SELECT count(*) FROM pg_tviews_locks'), '0', 'no lock is left');
stop_and_check_log($node);
done_testing();

END
{
	$pooler->kill_kill if defined $pooler;
}
