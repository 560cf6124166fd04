# A flush can be stopped by whatever stops a statement: timeouts, cancel,
# terminate.  Afterwards it is as if the transaction had never been, and the
# session goes on.  What slows the flush is a trigger on the TVIEW that waits
# for a lock.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('cancel', 'restart_after_crash = on');
my $db = 'postgres';

$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
create_blog($node, $db);
fill_blog($node, $db);
$node->safe_psql($db, q{
	CREATE FUNCTION wait_for_lock() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN
		PERFORM pg_advisory_xact_lock_shared(1);
		RETURN NULL;
	END$$;
	CREATE TRIGGER wait AFTER UPDATE ON tv_comment
	FOR EACH ROW EXECUTE FUNCTION wait_for_lock();});

my $change = q{UPDATE tb_user SET name = 'lost' WHERE pk_user = 1;};
my %ends = (
	'autocommit' => $change,
	'COMMIT' => "BEGIN; $change\nCOMMIT;",
	'PREPARE TRANSACTION' => "BEGIN; $change\nPREPARE TRANSACTION 'lost';",
	'a read' => "BEGIN; $change\nSELECT count(*) FROM tv_comment;\nCOMMIT;",
	'COMMIT in a procedure' => "DO 'BEGIN UPDATE tb_user SET name = ''lost''
		WHERE pk_user = 1; COMMIT; END';",
	'SET CONSTRAINTS' => "BEGIN; $change\nSET CONSTRAINTS ALL IMMEDIATE;\nCOMMIT;");
my $blocker = hold_lock($node, $db);

sub is_as_before
{
	my ($name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($node->safe_psql($db, q{SELECT count(*) FROM tv_comment
			WHERE data::text ~ 'lost'}), '0', "$name: nothing is left");
	is($node->safe_psql($db, q{SELECT count(*) FROM pg_prepared_xacts}), '0',
		"$name: nothing is prepared");
	is_maintained($node, $db, $name);
	return;
}

foreach my $end (sort keys %ends)
{
	is(sqlstate($node, $db, "SET statement_timeout = '100ms';\n$ends{$end}"),
		'57014', "statement_timeout during $end");
	is(sqlstate($node, $db, "SET lock_timeout = '100ms';\n$ends{$end}"),
		'55P03', "lock_timeout during $end");
	is_as_before("timeouts during $end");
}

# Timers of a statement don't go on running after it, or into the next one.
is($node->safe_psql($db, q{
		SET statement_timeout = '30s';
		INSERT INTO tb_user (pk_user, name) VALUES (1000, 'x');
		BEGIN; DELETE FROM tb_user WHERE pk_user = 1000; COMMIT;
		SET statement_timeout = 0;
		SELECT count(*) FROM tv_user WHERE pk_user = 1000}),
	'0', 'statement_timeout that is not reached');

# A transaction that is idle is not what a flush is.
is(sqlstate($node, $db,
		"SET idle_in_transaction_session_timeout = '1s';
		SET lock_timeout = '1500ms';\n$ends{COMMIT}"),
	'55P03', 'idle_in_transaction_session_timeout does not end a flush');

foreach my $end (sort keys %ends)
{
	foreach my $function (qw(pg_cancel_backend pg_terminate_backend))
	{
		my $session = $node->background_psql($db, on_error_stop => 0);

		$session->query_until(qr/^started$/m, "\\echo started\n$ends{$end}\n");
		my $pid = wait_for_waiter($node, $db);
		$node->safe_psql($db, "SELECT $function($pid)");
		if ($function eq 'pg_cancel_backend')
		{
			my $out = $session->query('ROLLBACK; SELECT 42');
			like($out, qr/42/, "$function during $end: the session lives");
			like($session->{stderr}, qr/canceling statement due to user request/,
				"$function during $end: the error");
			$session->quit;
		}
		else
		{
			$node->poll_query_until($db,
				"SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
			$session->{run}->finish;
			like($session->{stderr}, qr/terminating connection/,
				"$function during $end: the error");
		}
		is_as_before("$function during $end");
	}
}

# The session that was stopped refreshes what it does next.
my $session = $node->background_psql($db, on_error_stop => 0);
$session->query("BEGIN; SAVEPOINT s; UPDATE tb_user SET name = 'kept' WHERE pk_user = 10");
$session->query_until(qr/^started$/m,
	"\\echo started\n$change\nSELECT count(*) FROM tv_comment;\n");
$node->safe_psql($db, 'SELECT pg_cancel_backend(' . wait_for_waiter($node, $db) . ')');
$session->query("ROLLBACK TO s; UPDATE tb_user SET name = 'kept' WHERE pk_user = 9");
$blocker->quit;
$session->query('COMMIT');
$session->quit;
is($node->safe_psql($db, q{SELECT string_agg(data->>'name', ',' ORDER BY pk_user)
		FROM tv_user WHERE pk_user >= 8}), 'user 8,kept,user 10',
	'after ROLLBACK TO SAVEPOINT of a cancelled flush');
is_maintained($node, $db, 'after ROLLBACK TO SAVEPOINT of a cancelled flush');

# The lock of a TVIEW, held by a session that has read in the middle
my $holder = $node->background_psql($db);
$holder->query_safe(q{BEGIN; UPDATE tb_user SET name = 'held' WHERE pk_user = 5;
	SELECT count(*) FROM tv_user});
is(sqlstate($node, $db, q{SET lock_timeout = '100ms';
		UPDATE tb_post SET fk_user = 5 WHERE pk_post = 1;}), '55P03',
	'lock_timeout while waiting for another flush');
$holder->query_safe('COMMIT');
$holder->quit;
is_maintained($node, $db, 'after waiting for another flush');

stop_and_check_log($node);
done_testing();
