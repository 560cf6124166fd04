# Suspended TVIEWs: dumps keep it, so do standbys and prepared transactions; and
# while TVIEWs are suspended and resumed under load, whoever can read one sees
# what its view returns.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

# sessions must notice without having the library loaded
my $node = new_node('suspend', 'deadlock_timeout = 20ms',
	"shared_preload_libraries = ''");
my $db = 'postgres';
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
create_blog($node, $db);
fill_blog($node, $db);

#
# Dumps
#
my $resume = q{SELECT string_agg(concat_ws(' ', tview, inserted, updated, deleted), ', ')
	FROM pg_tviews_resume('post')};

$node->safe_psql($db, q{
	SELECT pg_tviews_suspend('post');
	UPDATE tb_post SET title = 'changed' WHERE pk_post = 1;});
is(sqlstate($node, $db, 'SELECT FROM tv_comment'), '55000',
	'a new session does not read it');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/dump", $node->connstr($db) ],
	'it can be dumped');
$node->safe_psql($db, 'CREATE DATABASE copy');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d',
		$node->connstr('copy'), "$dir/dump" ], 'and restored');
is(sqlstate($node, 'copy', 'SELECT FROM tv_post'), '55000',
	'it is suspended there, too');
is(sqlstate($node, 'copy', 'SELECT FROM tv_comment'), '55000',
	'and what reads it');
is(sqlstate($node, 'copy', 'SELECT FROM tv_user'), '',
	'but not what it reads');
is($node->safe_psql('copy', $resume), 'tv_post 0 1 0, tv_comment 0 2 0',
	'it is resumed there');
is_maintained($node, 'copy', 'resumed in the copy');

my @inserts = ('pg_dump', '--inserts', '-f', "$dir/inserts", $node->connstr($db));
$node->command_fails_like(\@inserts, qr/is suspended/,
	'it is not read for INSERTs');
{
	local $ENV{PGOPTIONS} = '-c pg_tviews.allow_suspended_reads=on';
	$node->command_ok(\@inserts, 'unless that is allowed');
}

#
# A standby
#
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('suspend_standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is(sqlstate($standby, $db, 'SELECT FROM tv_comment'), '55000',
	'suspended on a standby');
is($node->safe_psql($db, $resume), 'tv_post 0 1 0, tv_comment 0 2 0',
	'resumed');
$node->wait_for_catchup($standby);
is(sqlstate($standby, $db, 'SELECT FROM tv_comment'), '',
	'resumed on a standby');
is(differing($standby, $db), '', 'tables equal their views there');
$standby->stop;
is_maintained($node, $db, 'resumed');

#
# Prepared transactions
#
sub prepare
{
	my ($name, $sql) = @_;

	$node->safe_psql($db, "BEGIN; $sql; PREPARE TRANSACTION '$name'");
	return;
}

# what it has left out is waited for, after a crash, too
$node->safe_psql($db, q{SELECT pg_tviews_suspend('post')});
prepare('writer', q{UPDATE tb_post SET title = 'prepared' WHERE pk_post = 2});
$node->stop('immediate');
$node->start;
is(sqlstate($node, $db, "SET lock_timeout = '100ms'; $resume"), '55P03',
	'a prepared transaction that has left something out is waited for');
is(sqlstate($node, $db, 'SELECT FROM tv_post'), '55000', 'still suspended');
my $resuming = $node->background_psql($db, on_error_stop => 1);
$resuming->query_until(qr/start/, "\\echo start\n$resume;\n");
ok($node->poll_query_until($db,
		q{SELECT count(*) = 1 FROM pg_tviews_locks WHERE NOT granted}),
	'resume waits');
$node->safe_psql($db, q{COMMIT PREPARED 'writer'});
$resuming->quit;
is($node->safe_psql($db, q{SELECT data ->> 'title' FROM tv_post WHERE pk_post = 2}),
	'prepared', 'resume has seen it');
is_maintained($node, $db, 'a prepared writer');

# suspended by one
prepare('suspended', q{SELECT pg_tviews_suspend('post');
	UPDATE tb_post SET title = 'loaded' WHERE pk_post = 3});
is(sqlstate($node, $db, q{SET lock_timeout = '100ms'; SELECT FROM tv_comment}),
	'55P03', 'readers wait for a prepared transaction that has suspended it');
$node->safe_psql($db, q{COMMIT PREPARED 'suspended'});
is(sqlstate($node, $db, 'SELECT FROM tv_comment'), '55000', 'suspended by it');

# resumed by one that is rolled back, and one that isn't
prepare('resumed', $resume);
$node->safe_psql($db, q{ROLLBACK PREPARED 'resumed'});
is(sqlstate($node, $db, 'SELECT FROM tv_comment'), '55000',
	'suspended as before');
prepare('resumed', $resume);
is(sqlstate($node, $db, q{SET lock_timeout = '100ms';
		UPDATE tb_post SET title = 'other' WHERE pk_post = 4}), '55P03',
	'writers wait for a prepared transaction that has resumed it');
$node->safe_psql($db, q{COMMIT PREPARED 'resumed'});
is_maintained($node, $db, 'resumed by a prepared transaction');

#
# Under load.  A snapshot either may not read a TVIEW, or sees in it what the
# view returns.
#
$node->safe_psql($db, q{
	CREATE SEQUENCE refused;
	CREATE SEQUENCE checked;
	CREATE SEQUENCE suspended;
	CREATE SEQUENCE resumed;
	CREATE FUNCTION check_one(entity text) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		n bigint;
	BEGIN
		EXECUTE format(
			'SELECT count(*) FROM ('
			'(SELECT to_jsonb(t) - ''updated_at'' FROM %1$s t EXCEPT ALL SELECT to_jsonb(v) FROM %2$s v) UNION ALL '
			'(SELECT to_jsonb(v) FROM %2$s v EXCEPT ALL SELECT to_jsonb(t) - ''updated_at'' FROM %1$s t)) d',
			'tv_' || entity, 'v_' || entity) INTO n;
		IF n > 0 THEN
			RAISE 'tv_% differs from v_% in % rows', entity, entity, n;
		END IF;
		PERFORM nextval('checked');
	EXCEPTION WHEN object_not_in_prerequisite_state THEN
		PERFORM nextval('refused');
	END $$;
	CREATE FUNCTION switch(entity text) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		IF EXISTS (SELECT FROM pg_tview_meta m WHERE m.entity = switch.entity AND m.suspended IS NOT NULL) THEN
			PERFORM pg_tviews_resume(entity);
			PERFORM nextval('resumed');
		ELSE
			PERFORM pg_tviews_suspend(entity);
			PERFORM nextval('suspended');
		END IF;
	EXCEPTION WHEN object_not_in_prerequisite_state THEN
		NULL;
	END $$;});

my $hot = q{
\set u random(1, 4)
\set p random(1, 20)
\set k random(1, 3)
SELECT (ARRAY['user', 'post', 'comment'])[:k] AS entity \gset
};
my %scripts = ('suspend_switch@2' => "${hot}SET client_min_messages = warning;\nSELECT switch(':entity');\n");
foreach my $level ('READ COMMITTED', 'REPEATABLE READ')
{
	my $name = 'suspend_' . ($level =~ s/ /_/r);
	my $begin = "${hot}BEGIN ISOLATION LEVEL $level;\n";

	$scripts{"${name}_write\@4"} = $begin . q{
UPDATE tb_post SET title = 't ' || random(), fk_user = :u WHERE pk_post = :p;
UPDATE tb_user SET name = 'n ' || random() WHERE pk_user = :u;
END;
};
	$scripts{"${name}_undo\@2"} = $begin . q{
UPDATE tb_comment SET content = 'c ' || random() WHERE fk_post = :p;
SAVEPOINT s;
UPDATE tb_user SET name = 'undone' WHERE pk_user = :u;
SELECT check_one('user');
ROLLBACK TO s;
END;
};
	$scripts{"${name}_check\@6"} = $begin . q{
SELECT count(*) FROM tb_user;
SELECT check_one(':entity');
SELECT check_one('comment');
END;
};
}
$node->pgbench('-n -c 8 -j 2 -t 250 --max-tries=1000', 0,
	[qr{transaction type: multiple scripts}], [qr{^$}],
	'suspended and resumed under load', \%scripts);
cmp_ok($node->safe_psql($db, "SELECT last_value FROM $_"), '>', 10, $_)
  foreach qw(refused checked suspended resumed);
$node->safe_psql($db, q{
	DO $$
	DECLARE
		name text;
	BEGIN
		FOR name IN SELECT entity FROM pg_tview_meta WHERE suspended IS NOT NULL LOOP
			PERFORM pg_tviews_resume(name);
		END LOOP;
	END $$});
is_maintained($node, $db, 'after that');

stop_and_check_log($node);
done_testing();
