# Tables whose changes are captured by statement: on a subscriber, where they
# come by row; and in dumps, which keep how they are captured.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $db = 'postgres';
my $publisher = new_node('publisher', 'wal_receiver_status_interval = 1');
my $subscriber = new_node('subscriber', 'wal_retrieve_retry_interval = 100ms');
my $dir = PostgreSQL::Test::Utils::tempdir();
my $triggers = q{SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger
	WHERE tgname LIKE '!%' ORDER BY tgrelid::regclass::text, tgname COLLATE "C"};
my $replication = q{SELECT status || ' ' || message FROM pg_tviews_health_check()
	WHERE component = 'replication' ORDER BY message COLLATE "C"};
my @captured = qw(tb_user tb_post tb_comment tv_user tv_post);

sub install
{
	my ($how, @tables) = @_;

	$subscriber->safe_psql($db, "SELECT pg_tviews_install_${how}_triggers('$_')")
	  foreach @tables;
	return;
}

# Changes of every kind, large and small, and a cascade
my $round = 0;

sub change_and_compare
{
	my ($name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$round++;
	$publisher->safe_psql($db, qq{
		UPDATE tb_user SET name = 'round $round of ' || pk_user;
		UPDATE tb_post SET fk_user = fk_user % 9 + 1 WHERE pk_post % 3 = 0;
		DELETE FROM tb_comment WHERE pk_comment % 5 = $round % 5;
		BEGIN;
		INSERT INTO tb_comment SELECT 1000 * $round + i, i, 'new $round' FROM generate_series(1, 50) AS i;
		UPDATE tb_comment SET content = 'newer $round' WHERE pk_comment = 1000 * $round + 7;
		COMMIT;});
	$publisher->wait_for_catchup('blog');
	is($subscriber->safe_psql($db, 'SELECT count(*), md5(string_agg(t::text, NULL ORDER BY t::text)) FROM tb_comment t'),
		$publisher->safe_psql($db, 'SELECT count(*), md5(string_agg(t::text, NULL ORDER BY t::text)) FROM tb_comment t'),
		"$name: the changes have come");
	is_maintained($subscriber, $db, $name);
	$subscriber->safe_psql($db, qq{
		UPDATE tb_user SET name = name || ' here';
		INSERT INTO tb_post (pk_post, fk_user, title) SELECT 1000 * $round + i, 1, 'here' FROM generate_series(1, 20) AS i;
		DELETE FROM tb_post WHERE pk_post > 1000 * $round + 10;});
	is_maintained($subscriber, $db, "$name, changes made on the subscriber");
	return;
}

publish_blog($publisher, $db);
$subscriber->safe_psql($db, 'CREATE EXTENSION pg_tviews');
create_blog($subscriber, $db);

# Captured by statement before there is a subscription
install('stmt', @captured);
subscribe($subscriber, $db, 'blog', $publisher, $db);
$subscriber->wait_for_subscription_sync($publisher, 'blog');
is($subscriber->safe_psql($db, 'SELECT count(*) FROM tv_comment'), '100', 'initial copy: all rows');
is_maintained($subscriber, $db, 'initial copy');
change_and_compare('by statement');
is($subscriber->safe_psql($db, $replication), 'OK no subscription goes by triggers',
	'by statement: nothing else is needed');

# By row again, the changes of a subscription still are captured
install('row', @captured);
change_and_compare('by row after that');
is($subscriber->safe_psql($db, $replication), 'OK no subscription goes by triggers',
	'by row after that: nothing else is needed');

# By row as at first, they go by, and the health check says so; by statement,
# no more
$subscriber->safe_psql($db, q{ALTER TABLE tb_user ENABLE TRIGGER "!tview_capture"});
like($subscriber->safe_psql($db, $replication), qr/^ERROR trigger "!tview_capture" of table public.tb_user .*: run ALTER TABLE public.tb_user ENABLE ALWAYS TRIGGER "!tview_capture"$/,
	'by row as at first: the health check finds it');
install('stmt', 'tb_user');
is($subscriber->safe_psql($db, $replication), 'OK no subscription goes by triggers',
	'by statement again: it has nothing to say');
change_and_compare('some by row, some by statement');
$publisher->safe_psql($db, 'TRUNCATE tb_comment, tb_post');
$publisher->wait_for_catchup('blog');
is($subscriber->safe_psql($db, 'SELECT count(*) FROM tv_comment'), '0', 'TRUNCATE');
is_maintained($subscriber, $db, 'TRUNCATE');

# Dumps
$subscriber->safe_psql($db, 'DROP SUBSCRIPTION blog');
install('stmt', 'tb_post', 'tv_user');
$subscriber->safe_psql($db, "ALTER TABLE $_ ENABLE TRIGGER ALL") foreach 'tb_comment', 'tv_post';
my $before = $subscriber->safe_psql($db, $triggers);
my @connection = ('-h', $subscriber->host, '-p', $subscriber->port);

sub check_copy
{
	my ($copy, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($subscriber->safe_psql($copy, $triggers), $before, "$name: the same triggers");
	is($subscriber->safe_psql($copy, q{SELECT message FROM pg_tviews_health_check() WHERE component = 'triggers'}),
		'all are in place and enabled', "$name: healthy");
	$subscriber->safe_psql($copy, q{
		UPDATE tb_user SET name = 'restored';
		INSERT INTO tb_post (pk_post, fk_user, title) SELECT i, 1, 'restored' FROM generate_series(1, 5) AS i;
		INSERT INTO tb_comment SELECT i, i, 'restored' FROM generate_series(1, 5) AS i;
		DELETE FROM tb_post WHERE pk_post = 3;});
	is($subscriber->safe_psql($copy, 'SELECT count(*) FROM tv_comment'), '4', "$name: there are comments");
	is_maintained($subscriber, $copy, $name);
	return;
}

foreach my $format ('plain', 'custom')
{
	$subscriber->safe_psql($db, "CREATE DATABASE copy_$format");
	command_ok([ 'pg_dump', @connection, '-F', $format, '-f', "$dir/$format", $db ], "dump, $format");
	command_ok($format eq 'plain' ?
		  [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', @connection, '-d', "copy_$format", '-f', "$dir/$format" ] :
		  [ 'pg_restore', '--exit-on-error', '-j', '2', @connection, '-d', "copy_$format", "$dir/$format" ],
		"restore, $format");
	check_copy("copy_$format", "restored from $format");
}

# Data alone, into tables that are there: triggers are disabled meanwhile, and
# afterwards all enabled alike
$subscriber->safe_psql($db, 'CREATE DATABASE copy_data TEMPLATE copy_plain');
$subscriber->safe_psql('copy_data', 'TRUNCATE tb_user, tb_post, tb_comment');
command_ok([ 'pg_restore', '--exit-on-error', '--data-only', '--disable-triggers', @connection, '-d', 'copy_data', '-n', 'public',
		(map { ('-t', $_) } qw(tb_user tb_post tb_comment)), "$dir/custom" ], 'restore, data alone');
$subscriber->safe_psql('copy_data', q{UPDATE tb_user SET name = 'twice'});
is_maintained($subscriber, 'copy_data', 'data alone');
is($subscriber->safe_psql('copy_data', q{SELECT string_agg("table" || ' ' || trigger || ': ' || problem, ', ' ORDER BY 1)
		FROM pg_tviews_reinstall_triggers() AS r ("table", trigger, problem) WHERE "table" = 'tb_user'::regclass}),
	'tb_user !tview_capture: not in replica mode, tb_user !tview_truncate: not in replica mode',
	'data alone: triggers are mended');
check_copy('copy_data', 'data alone, mended');

stop_and_check_log($subscriber);
stop_and_check_log($publisher);
done_testing();
