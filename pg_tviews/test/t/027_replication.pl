# Logical replication, of base tables to a server that keeps TVIEWs of them, and
# of these TVIEWs to one that doesn't have the extension: copies, transactions
# of every kind, conflicts, and servers that crash in the middle.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $db = 'postgres';
my @decoding = ('logical_decoding_work_mem = 64kB', 'wal_receiver_status_interval = 1', 'wal_retrieve_retry_interval = 100ms');
my $publisher = new_node('publisher', @decoding);
my $subscriber = new_node('subscriber', @decoding);
my @tviews = qw(tv_user tv_post tv_comment tv_event);
my $version = $subscriber->safe_psql($db, 'SHOW server_version_num');
my $streaming = $version >= 160000 ? 'parallel' : 'on';

publish_blog($publisher, $db, 'FOR TABLE tb_user (pk_user, id, name), tb_post, tb_comment WHERE (pk_comment < 5000)');
$publisher->safe_psql($db, q{
	ALTER TABLE tb_user ADD password text;
	CREATE TABLE tb_event (pk_event int, at int, what text, size int GENERATED ALWAYS AS (length(what)) STORED, PRIMARY KEY (pk_event, at)) PARTITION BY RANGE (at);
	CREATE TABLE tb_event_1 PARTITION OF tb_event FOR VALUES FROM (0) TO (10);
	CREATE TABLE tb_event_2 PARTITION OF tb_event FOR VALUES FROM (10) TO (100);
	CREATE PUBLICATION events FOR TABLE tb_event WITH (publish_via_partition_root} . ($version >= 180000 ? ', publish_generated_columns = stored' : '') . q{);
	INSERT INTO tb_event (pk_event, at, what) SELECT i, i, 'event ' || i FROM generate_series(1, 40) i;});
$publisher->safe_psql($db, q{INSERT INTO tb_comment SELECT i, 1, 'not published' FROM generate_series(5000, 5010) i});

# ----------
# Capturing what replication brings
# ----------

$subscriber->safe_psql($db, 'CREATE EXTENSION pg_tviews; CREATE ROLE other LOGIN');
create_blog($subscriber, $db);
$subscriber->safe_psql($db, q{
	CREATE TABLE tb_event (pk_event int, at int, what text, size int} . ($version >= 180000 ? '' : ' GENERATED ALWAYS AS (length(what)) STORED') . q{, PRIMARY KEY (pk_event, at)) PARTITION BY RANGE (at);
	CREATE TABLE tb_event_low PARTITION OF tb_event FOR VALUES FROM (0) TO (30);
	CREATE TABLE tv_event AS SELECT pk_event, jsonb_build_object('what', what, 'size', size) AS data FROM tb_event;});
my $modes = q{SELECT string_agg(tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text, ', ' ORDER BY tgrelid::regclass::text, tgname)
	FROM pg_trigger WHERE tgname IN ('!tview_capture', '!tview_truncate')};
my $replicated = q{SELECT string_agg(t::text, ', ' ORDER BY t::text) FROM pg_tviews_capture_replicated};

is(sqlstate($subscriber, $db, q{SET ROLE other; SELECT pg_tviews_capture_replicated('post')}), '42501', 'only for owners');
is(sqlstate($subscriber, $db, q{SELECT pg_tviews_capture_replicated('nothing')}), '42704', 'only of TVIEWs');
is($subscriber->safe_psql($db, qq{$replicated('user') t}), 'tb_user, tv_post, tv_user', 'a table, and what it cascades through');
is($subscriber->safe_psql($db, qq{$replicated('comment') t}), 'tb_comment, tb_post', 'what is new');
is($subscriber->safe_psql($db, qq{$replicated('comment') t}), '', 'nothing is');
is($subscriber->safe_psql($db, qq{$replicated('event') t}), 'tb_event, tb_event_low', 'partitions');
is($subscriber->safe_psql($db, qq{$replicated('event', false) t}), 'tb_event, tb_event_low', 'and back');
is($subscriber->safe_psql($db, qq{$replicated('event') t}), 'tb_event, tb_event_low', 'and again');
unlike($subscriber->safe_psql($db, $modes), qr/ [^A](,|$)/, 'all fire always');

# What is made later follows.
$subscriber->safe_psql($db, q{
	CREATE TABLE tb_event_high PARTITION OF tb_event FOR VALUES FROM (30) TO (1000);
	CREATE TABLE tv_thread AS SELECT c.pk_comment AS pk_thread, jsonb_build_object('comment', c.data) AS data FROM v_comment c;
	DROP TRIGGER "!tview_truncate" ON tb_post;
	SELECT pg_tviews_reinstall_triggers();
	DROP TRIGGER "!tview_capture" ON tb_comment;});
my $seen = $subscriber->safe_psql($db, $modes);
like($seen, qr/tb_event_high !tview_capture A/, 'a new partition');
like($seen, qr/tv_comment !tview_capture A, tv_comment !tview_truncate A/, 'a TVIEW that another one has come to read');
like($seen, qr/tb_post !tview_truncate A/, 'a trigger that was made again');
like($seen, qr/tb_comment !tview_capture A/, 'a trigger that comes back when it is dropped');
unlike($seen, qr/ O(,|$)/, 'all fire always still') or diag($seen);

# ----------
# A subscriber that keeps TVIEWs, and one of these
# ----------

$subscriber->safe_psql($db, "SELECT pg_tviews_capture_replicated('thread')");
subscribe($subscriber, $db, 'blog', $publisher, $db, sprintf('blog, events WITH (two_phase = true, streaming = %s)', $streaming));
$subscriber->safe_psql($db, 'CREATE PUBLICATION model FOR TABLE tv_user, tv_post, tv_comment, tv_event');
$publisher->safe_psql($db, 'CREATE DATABASE reader');
$publisher->safe_psql('reader', q{
	CREATE TABLE tv_user (pk_user int PRIMARY KEY, id uuid, data jsonb, updated_at timestamptz);
	CREATE TABLE tv_post (pk_post int PRIMARY KEY, id uuid, fk_user int, user_id uuid, data jsonb, updated_at timestamptz);
	CREATE TABLE tv_comment (pk_comment int PRIMARY KEY, fk_post int, data jsonb, updated_at timestamptz);
	CREATE TABLE tv_event (pk_event int PRIMARY KEY, data jsonb, updated_at timestamptz);});
subscribe($publisher, 'reader', 'model', $subscriber, $db, 'model WITH (streaming = on)');

sub content
{
	my ($node, $database) = @_;

	return $node->safe_psql($database, join(' UNION ALL ',
			map { "SELECT '$_', count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM $_ t" } @tviews));
}

sub same_after
{
	my ($name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$publisher->wait_for_catchup('blog');
	is($subscriber->safe_psql($db, 'SELECT (SELECT count(*) FROM tv_comment), (SELECT count(*) FROM tv_event)'),
		$publisher->safe_psql($db, 'SELECT (SELECT count(*) FROM tb_comment WHERE pk_comment < 5000), (SELECT count(*) FROM tb_event)'),
		"$name: as many rows");
	is_maintained($subscriber, $db, $name);
	$subscriber->wait_for_catchup('model');
	is(content($publisher, 'reader'), content($subscriber, $db), "$name: the reader has the same");
	return;
}

$subscriber->wait_for_subscription_sync($publisher, 'blog');
like($subscriber->safe_psql($db, q{SELECT status || ' ' || message FROM pg_tviews_health_check() WHERE component IN ('replication', 'triggers') AND status <> 'OK'}),
	qr/^WARNING subscription blog .* without two_phase$/, 'healthy, but for what is done at the end');
$publisher->wait_for_subscription_sync($subscriber, 'model', 'reader');
same_after('initial copies');

$publisher->safe_psql($db, q{
	UPDATE tb_user SET name = 'renamed', password = 'secret' WHERE pk_user = 1;
	UPDATE tb_comment SET pk_comment = 4000 WHERE pk_comment = 5000;
	UPDATE tb_comment SET pk_comment = 6000 WHERE pk_comment = 1;
	UPDATE tb_event SET at = 50, what = 'moved' WHERE pk_event <= 5;
	DELETE FROM tb_event WHERE pk_event = 7;
	BEGIN; DELETE FROM tb_comment; ROLLBACK;
	BEGIN; UPDATE tb_post SET fk_user = 3 WHERE pk_post < 5; SAVEPOINT s; DELETE FROM tb_post; ROLLBACK TO s;
	UPDATE tb_user SET name = 'again' WHERE pk_user = 3; COMMIT;});
same_after('filters, columns, partitions');
is($subscriber->safe_psql($db, q{SELECT data #>> '{post,author,name}' FROM tv_comment WHERE pk_comment = 2}), 'again', 'a cascade');
is($subscriber->safe_psql($db, q{SELECT data ->> 'size' FROM tv_event WHERE pk_event = 1}), '5', 'a generated column');

# large enough to be streamed, committed and not
$publisher->safe_psql($db, q{
	BEGIN; UPDATE tb_user SET name = repeat('x', 300) || pk_user; INSERT INTO tb_post SELECT i, gen_random_uuid(), 1, repeat('y', 300) FROM generate_series(1000, 2000) i; COMMIT;
	BEGIN; INSERT INTO tb_post SELECT i, gen_random_uuid(), 1, repeat('y', 300) FROM generate_series(3000, 4000) i; ROLLBACK;
	BEGIN; SAVEPOINT s; INSERT INTO tb_post SELECT i, gen_random_uuid(), 1, repeat('y', 300) FROM generate_series(3000, 4000) i;
	ROLLBACK TO s; UPDATE tb_post SET title = 'kept' WHERE pk_post >= 1000; COMMIT;});
same_after('streamed');
cmp_ok($publisher->safe_psql($db, q{SELECT stream_txns FROM pg_stat_replication_slots WHERE slot_name = 'blog'}), '>', 0, 'streamed: so they were');
$subscriber->poll_query_until($db, 'SELECT count(*) > 0 FROM pg_stat_subscription WHERE leader_pid IS NOT NULL')
  or die 'no worker beside the first one' if $streaming eq 'parallel';

# a large one that can't be refreshed: nothing of it is applied, until it can
my $log = -s $subscriber->logfile;
$subscriber->safe_psql($db, q{ALTER TABLE tv_post ADD CONSTRAINT no_bad CHECK (data ->> 'title' <> 'bad')});
$publisher->safe_psql($db, q{BEGIN; UPDATE tb_user SET name = repeat('z', 300) || pk_user; UPDATE tb_post SET title = title || repeat('z', 300); UPDATE tb_post SET title = 'bad' WHERE pk_post = 3; COMMIT});
$subscriber->wait_for_log(qr/ERROR:  23514: .*no_bad/, $log);
is($subscriber->safe_psql($db, q{SELECT count(*) FROM tb_post WHERE title LIKE '%z'}), '0', 'a refresh fails: nothing is applied');
is_maintained($subscriber, $db, 'a refresh fails');
$subscriber->safe_psql($db, 'ALTER TABLE tv_post DROP CONSTRAINT no_bad');
same_after('a refresh fails, and is mended');
is($subscriber->safe_psql($db, q{SELECT data ->> 'title' FROM tv_post WHERE pk_post = 3}), 'bad', 'a refresh fails, and is mended: applied');

# transactions that are all streamed, and wait for one another
if ($version >= 170000)
{
	$publisher->append_conf('postgresql.conf', 'debug_logical_replication_streaming = immediate');
	$publisher->reload;
	$publisher->poll_query_until($db, q{SHOW debug_logical_replication_streaming}, 'immediate') or die 'no setting';
	my @sessions = map { $publisher->background_psql($db) } 1 .. 2;
	foreach my $i (1 .. 10)
	{
		$sessions[0]->query_safe("BEGIN; UPDATE tb_user SET name = 'first $i' WHERE pk_user <= 5");
		$sessions[1]->query_safe("BEGIN; UPDATE tb_post SET title = 'second $i' WHERE pk_post <= 30");
		$sessions[0]->query_safe("UPDATE tb_comment SET content = 'first $i' WHERE pk_comment % 3 = 0");
		$sessions[1]->query_safe("UPDATE tb_comment SET content = 'second $i' WHERE pk_comment % 3 = 1");
		$sessions[$i % 2]->query_safe('COMMIT');
		$sessions[1 - $i % 2]->query_safe($i % 5 == 0 ? 'ROLLBACK' : 'COMMIT');
	}
	$_->quit foreach @sessions;
	same_after('all streamed');
	$publisher->append_conf('postgresql.conf', 'debug_logical_replication_streaming = buffered');
	$publisher->reload;
}

# prepared
$publisher->safe_psql($db, q{
	BEGIN; UPDATE tb_user SET name = 'prepared' WHERE pk_user = 2; PREPARE TRANSACTION 'p';
	BEGIN; UPDATE tb_user SET name = 'rolled back' WHERE pk_user = 4; PREPARE TRANSACTION 'r';});
$publisher->wait_for_catchup('blog');
is($subscriber->safe_psql($db, 'SELECT count(*) FROM pg_prepared_xacts'), '2', 'prepared on the subscriber, too');
$subscriber->stop('immediate');
$subscriber->start;
$publisher->safe_psql($db, q{COMMIT PREPARED 'p'; ROLLBACK PREPARED 'r'});
same_after('prepared, and a crash before the commit');
is($subscriber->safe_psql($db, q{SELECT string_agg(data ->> 'name', ',') FROM tv_user WHERE data ->> 'name' IN ('prepared', 'rolled back')}),
	'prepared', 'prepared: the one that was committed');

# crashes in the middle
foreach my $node ($subscriber, $publisher)
{
	foreach my $i (1 .. 20)
	{
		$publisher->safe_psql($db, "UPDATE tb_user SET name = 'crash $i'; UPDATE tb_post SET title = 'crash $i' WHERE pk_post % 20 = $i");
		next if $i != 10;
		$node->stop('immediate');
		$node->start;
	}
	same_after('a crash of the ' . $node->name);
}

# a conflict, which is skipped
$log = -s $subscriber->logfile;
$subscriber->safe_psql($db, q{INSERT INTO tb_user (pk_user, name) VALUES (500, 'local')});
$publisher->safe_psql($db, q{BEGIN; UPDATE tb_user SET name = 'with the conflict'; INSERT INTO tb_user VALUES (500, gen_random_uuid(), 'theirs'); COMMIT});
$subscriber->poll_query_until($db, 'SELECT apply_error_count > 0 FROM pg_stat_subscription_stats') or die 'no conflict';
$subscriber->wait_for_log(qr/finished at [0-9A-F]+\/[0-9A-F]+/, $log);
my ($lsn) = slurp_file($subscriber->logfile, $log) =~ /finished at ([0-9A-F]+\/[0-9A-F]+)/;
is_maintained($subscriber, $db, 'a conflict');
$subscriber->safe_psql($db, "ALTER SUBSCRIPTION blog SKIP (lsn = '$lsn')");
same_after('a conflict, skipped');
is($subscriber->safe_psql($db, q{SELECT count(*) FILTER (WHERE data ->> 'name' = 'with the conflict'), count(*) FILTER (WHERE data ->> 'name' = 'local') FROM tv_user}),
	'0|1', 'a conflict, skipped: nothing of it has been applied');

$publisher->safe_psql($db, 'TRUNCATE tb_comment, tb_event; INSERT INTO tb_comment VALUES (1, 1, $$first$$)');
same_after('TRUNCATE');
is($subscriber->safe_psql($db, q{SELECT count(*) FROM tv_thread}), '1', 'TRUNCATE: two levels up');

# What is committed after another transaction was prepared, and before that is
# committed, may change the same documents: it can't be applied then, which would
# be no matter without two_phase.
$publisher->safe_psql($db, q{
	INSERT INTO tb_user (pk_user, name) VALUES (600, 'for ever'); INSERT INTO tb_post VALUES (600, gen_random_uuid(), 600, 'waits');
	BEGIN; UPDATE tb_user SET name = 'prepared' WHERE pk_user = 600; PREPARE TRANSACTION 'w'; UPDATE tb_post SET title = 'after' WHERE pk_post = 600;
	COMMIT PREPARED 'w'});
$subscriber->poll_query_until($db, q{SELECT count(*) > 0 FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND NOT l.granted
	WHERE a.backend_type LIKE 'logical replication%'}) or die 'it does not wait';
is($subscriber->safe_psql($db, q{SELECT count(*) FROM pg_prepared_xacts}), '1', 'two_phase: waits for what has been prepared before');
$publisher->safe_psql('reader', 'DROP SUBSCRIPTION model');
$subscriber->safe_psql($db, 'ALTER SUBSCRIPTION blog DISABLE');
$subscriber->safe_psql($db, 'ROLLBACK PREPARED ' . $subscriber->safe_psql($db, 'SELECT quote_literal(gid) FROM pg_prepared_xacts'));
is_maintained($subscriber, $db, 'two_phase: given up');
# Servers 15 and 18 do not close partitions that have any trigger, where
# replication writes them through their parent.
stop_and_check_log($subscriber, 'fast', qr/(relcache reference leak|resource was not closed): relation "tb_event_(low|high)"/);
stop_and_check_log($publisher);
done_testing();
