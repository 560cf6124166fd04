# Two-phase commit: PREPARE TRANSACTION flushes; what is prepared survives a
# restart with its refreshed rows and its locks; a flush that fails leaves
# nothing prepared.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('two_phase');
my $db = 'postgres';

$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
create_blog($node, $db);
fill_blog($node, $db);

sub prepared
{
	return $node->safe_psql($db, 'SELECT count(*) FROM pg_prepared_xacts');
}

sub user_of_comment
{
	my ($comment) = @_;

	return $node->safe_psql($db, qq{
		SELECT data #>> '{post,author,name}' FROM tv_comment
		WHERE pk_comment = $comment});
}

foreach my $restart (undef, 'fast', 'immediate')
{
	my $when = defined $restart ? "after a restart ($restart)" : 'at once';

	$node->safe_psql($db, q{
		BEGIN;
		UPDATE tb_user SET name = 'kept' WHERE pk_user = 1;
		DELETE FROM tb_comment WHERE pk_comment % 10 = 3;
		PREPARE TRANSACTION 'kept';});
	is(prepared(), 1, 'prepared');
	$node->restart if ($restart // '') eq 'fast';
	if (($restart // '') eq 'immediate')
	{
		$node->stop('immediate');
		$node->start;
	}
	is_maintained($node, $db, "prepared, $when");
	isnt(user_of_comment(1), 'kept', "not visible yet, $when");

	# it holds what it has written against others
	is(sqlstate($node, $db, q{
			SET lock_timeout = '100ms';
			UPDATE tb_user SET name = 'other' WHERE pk_user = 1;}), '55P03',
		"its rows are locked, $when");

	$node->safe_psql($db, "COMMIT PREPARED 'kept'");
	is(user_of_comment(1), 'kept', "visible after COMMIT PREPARED, $when");
	is_maintained($node, $db, "COMMIT PREPARED, $when");

	$node->safe_psql($db, q{
		BEGIN;
		UPDATE tb_user SET name = 'undone';
		TRUNCATE tb_comment;
		PREPARE TRANSACTION 'undone';});
	if (defined $restart)
	{
		$node->stop($restart);
		$node->start;
	}
	$node->safe_psql($db, "ROLLBACK PREPARED 'undone'");
	is(user_of_comment(1), 'kept', "unchanged after ROLLBACK PREPARED, $when");
	is_maintained($node, $db, "ROLLBACK PREPARED, $when");

	$node->safe_psql($db, "UPDATE tb_user SET name = 'reset'");
	is_maintained($node, $db, "the session after it, $when");
}

# A transaction that is prepared after a savepoint and a read
$node->safe_psql($db, q{
	BEGIN ISOLATION LEVEL REPEATABLE READ;
	UPDATE tb_user SET name = 'one' WHERE pk_user = 1;
	SAVEPOINT s;
	UPDATE tb_user SET name = 'two' WHERE pk_user = 2;
	SELECT count(*) FROM tv_comment;
	ROLLBACK TO s;
	UPDATE tb_user SET name = 'three' WHERE pk_user = 3;
	PREPARE TRANSACTION 's';
	COMMIT PREPARED 's';});
is_maintained($node, $db, 'savepoint, read, PREPARE');

# A flush that fails, in PREPARE and in COMMIT; the same session goes on.
$node->safe_psql($db, q{
	ALTER TABLE tv_comment ADD CONSTRAINT no_bad
		CHECK (data->>'content' <> 'bad')});
foreach my $end ("PREPARE TRANSACTION 'bad'", 'COMMIT')
{
	my ($status, $out, $err) = $node->psql($db, qq{
		\\set VERBOSITY verbose
		BEGIN;
		UPDATE tb_comment SET content = 'bad' WHERE pk_comment = 5;
		UPDATE tb_user SET name = 'bad';
		$end;
		SELECT count(*) FROM pg_prepared_xacts;
		UPDATE tb_user SET name = 'good';
		SELECT data #>> '{post,author,name}' FROM tv_comment
		WHERE pk_comment = 5;}, on_error_stop => 0);
	like($err, qr/ERROR:  23514: .*no_bad/, "$end: the error of the flush");
	like($err, qr/CONTEXT:.*tv_comment/s, "$end: its context names the TVIEW");
	is($out, "0\ngood", "$end: nothing is prepared, the session goes on");
	is_maintained($node, $db, "$end failed");
}

# Everything in DDL can be prepared too, and undone.
$node->safe_psql($db, q{
	BEGIN;
	CREATE TABLE tv_extra AS
	SELECT u.pk_user AS pk_extra, jsonb_build_object('n', u.name) AS data
	FROM tb_user u;
	PREPARE TRANSACTION 'ddl';});
$node->restart;
$node->safe_psql($db, q{
	COMMIT PREPARED 'ddl';
	UPDATE tb_user SET name = 'after DDL' WHERE pk_user = 1;});
is($node->safe_psql($db, q{SELECT data->>'n' FROM tv_extra WHERE pk_extra = 1}),
	'after DDL', 'a TVIEW made by a prepared transaction is maintained');
is_maintained($node, $db, 'prepared DDL');

stop_and_check_log($node);
done_testing();
