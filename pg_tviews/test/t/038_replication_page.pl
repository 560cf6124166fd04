# Logical replication, set up, watched, mended and changed as
# docs/operations/replication.md says.

use strict;
use warnings;

use PageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $db = 'blog';
my @conf = ('fsync = off', 'wal_receiver_status_interval = 1', 'wal_retrieve_retry_interval = 100ms');
my ($publisher, $subscriber, $reader) = map { new_node($_, @conf) } qw(publisher subscriber reader);
my $page = PageTest->new('replication', $publisher,
	PUBLISHER => $publisher->connstr($db),
	MODEL => $subscriber->connstr($db),
	LOGFILE => $subscriber->logfile);

sub play
{
	my ($node, $chapter, $part) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$page->{node} = $node;
	$page->run_part($db, $chapter, $part);
	return;
}

# Are the subscriber's tables those of the publisher, its TVIEWs right, and those
# of the reader the subscriber's?
sub same_after
{
	my ($name, %except) = @_;
	my @tables = grep { $_ ne '' } split /\n/, $publisher->safe_psql($db, q{SELECT tablename FROM pg_publication_tables WHERE pubname = 'blog' ORDER BY 1});

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$publisher->wait_for_catchup('blog');
	foreach my $table (@tables)
	{
		is(content($subscriber, $table), content($publisher, $table), "$name: $table is the publisher's")
		  unless $except{different};
	}
	is_maintained($subscriber, $db, $name);
	return unless $reader->safe_psql('postgres', "SELECT count(*) FROM pg_database WHERE datname = '$db'");
	$subscriber->wait_for_catchup('model');
	is(content($reader, $_), content($subscriber, $_), "$name: $_ of the reader is the subscriber's")
	  foreach qw(tv_user tv_post tv_comment);
	return;
}

sub content
{
	my ($node, $table) = @_;

	return $node->safe_psql($db, "SELECT count(*), md5(string_agg(to_jsonb(t)::text, ',' ORDER BY to_jsonb(t)::text)) FROM $table t");
}

# ----------
# 2. Setting it up
# ----------

$publisher->safe_psql('postgres', "CREATE DATABASE $db");
publish_blog($publisher, $db);
$publisher->safe_psql($db, 'DROP PUBLICATION blog');
$subscriber->append_conf('postgresql.conf', "shared_preload_libraries = '" . library($subscriber) . "'");
$subscriber->restart;
play($publisher, 2, 'On the publisher');
play($subscriber, 2, 'On the subscriber');
play($subscriber, 2, 'The copy');
play($subscriber, 2, 'Afterwards');
same_after('the copy');

# and once more, in the other way
$subscriber->safe_psql($db, 'DROP SUBSCRIPTION blog');
$subscriber->safe_psql($db, 'TRUNCATE tb_user, tb_post, tb_comment');
is($subscriber->safe_psql($db, 'SELECT count(*) FROM tv_comment'), '0', 'nothing is there');
play($subscriber, 2, 'A large copy');
play($subscriber, 2, 'Afterwards');
same_after('a large copy');
$publisher->safe_psql($db, q{UPDATE tb_user SET name = 'new'; DELETE FROM tb_comment WHERE pk_comment % 7 = 0});
same_after('changes');
is($subscriber->safe_psql($db, q{SELECT count(*) FROM tv_comment WHERE data #>> '{post,author,name}' = 'new'}), '86', 'changes: they are in TVIEWs');

# ----------
# 6. A subscriber without the extension
# ----------

play($subscriber, 6, 'On the server with TVIEWs');
play($reader, 6, 'On the other server');
is($reader->safe_psql($db, q{SELECT count(*) FROM pg_extension WHERE extname = 'pg_tviews'}), '0', 'the reader has no extension');
same_after('TVIEWs replicated');
is($reader->safe_psql($db, q{SELECT string_agg(indexname, ', ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'tv_post'}),
	$subscriber->safe_psql($db, q{SELECT string_agg(indexname, ', ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'tv_post'}),
	'the reader has the indexes');
$publisher->safe_psql($db, q{UPDATE tb_user SET name = 'newer ' || pk_user; INSERT INTO tb_comment VALUES (1000, 1, 'new'); DELETE FROM tb_post WHERE pk_post = 50});
same_after('changes go through');
$subscriber->safe_psql($db, q{SELECT pg_tviews_suspend('user')});
$publisher->safe_psql($db, q{UPDATE tb_user SET name = 'while suspended'});
$publisher->wait_for_catchup('blog');
$subscriber->wait_for_catchup('model');
is($reader->safe_psql($db, q{SELECT count(*) FROM tv_user WHERE data ->> 'name' LIKE 'newer%'}), '10', 'suspended: the reader has what was before');
$subscriber->safe_psql($db, q{SELECT pg_tviews_resume('user')});
same_after('suspended, and resumed');

# ----------
# 3. Watching it
# ----------

play($publisher, 3, 'On the publisher');
play($subscriber, 3, 'On the subscriber');

# ----------
# 4. What can't be applied
# ----------

sub wait_for_errors
{
	my $log = shift;

	$subscriber->wait_for_log(qr/finished at [0-9A-F]+\/[0-9A-F]+/, $log);
	$subscriber->poll_query_until($db, 'SELECT apply_error_count > 0 FROM pg_stat_subscription_stats') or die 'no errors';
	return;
}

sub reset_errors
{
	$subscriber->safe_psql($db, 'SELECT pg_stat_reset_subscription_stats(NULL)');
	return -s $subscriber->logfile;
}

my $log = reset_errors();
$subscriber->safe_psql($db, q{ALTER TABLE tv_post ADD CONSTRAINT short CHECK (length(data ->> 'title') < 100)});
$publisher->safe_psql($db, q{UPDATE tb_post SET title = repeat('long', 100) WHERE pk_post = 1});
wait_for_errors($log);
play($subscriber, 4, 'What happens');
is($subscriber->safe_psql($db, 'SELECT title FROM tb_post WHERE pk_post = 1'), 'post 1', 'nothing is applied');
is_maintained($subscriber, $db, 'nothing is applied');
play($subscriber, 4, 'A refresh that fails');
same_after('a refresh that failed');

$log = reset_errors();
$subscriber->safe_psql($db, q{INSERT INTO tb_user (pk_user, id, name) VALUES (500, gen_random_uuid(), 'ours')});
$publisher->safe_psql($db, q{INSERT INTO tb_user (pk_user, name) VALUES (500, 'theirs')});
wait_for_errors($log);
is_maintained($subscriber, $db, 'a row that is there');
play($subscriber, 4, 'A row that is there');
same_after('a row that was there');

$log = reset_errors();
$subscriber->safe_psql($db, q{INSERT INTO tb_user (pk_user, id, name) VALUES (501, gen_random_uuid(), 'ours')});
$publisher->safe_psql($db, q{BEGIN; UPDATE tb_user SET name = 'left out' WHERE pk_user = 1; INSERT INTO tb_user (pk_user, name) VALUES (501, 'theirs'); COMMIT});
wait_for_errors($log);
($page->{env}{LSN}) = slurp_file($subscriber->logfile, $log) =~ /finished at ([0-9A-F]+\/[0-9A-F]+)/;
play($subscriber, 4, 'Skipping it');
same_after('a transaction was skipped', different => 1);
is($subscriber->safe_psql($db, q{SELECT count(*) FILTER (WHERE data ->> 'name' = 'left out'), count(*) FILTER (WHERE data ->> 'name' = 'ours') FROM tv_user}),
	'0|1', 'a transaction was skipped: nothing of it is there');
$publisher->safe_psql($db, q{UPDATE tb_user SET name = 'put right' WHERE pk_user = 1; UPDATE tb_user SET id = gen_random_uuid(), name = 'put right' WHERE pk_user = 501});
same_after('put right');

# ----------
# 5. Changes of tables
# ----------

play($subscriber, 5, 'A new column first on the subscriber');
play($publisher, 5, 'Then on the publisher');
same_after('a new column');
play($subscriber, 5, 'Then the TVIEW');
same_after('a new column in a TVIEW');
$publisher->safe_psql($db, q{UPDATE tb_post SET subtitle = 'none' WHERE pk_post % 2 = 0});
same_after('a new column that changes');
is($subscriber->safe_psql($db, q{SELECT count(*) FROM tv_post WHERE data ->> 'subtitle' = 'none'}), '24', 'a new column that changes: in TVIEWs');

play($subscriber, 5, 'A new table first on the subscriber');
$publisher->safe_psql($db, q{CREATE TABLE tb_tag (pk_tag int PRIMARY KEY, fk_user int, tag text); INSERT INTO tb_tag SELECT i, i % 10 + 1, 'tag ' || i FROM generate_series(1, 50) i});
play($publisher, 5, 'Then its publication');
play($subscriber, 5, 'Then its copy');
same_after('a new table');
$publisher->safe_psql($db, q{UPDATE tb_tag SET fk_user = 1 WHERE pk_tag < 20; DELETE FROM tb_tag WHERE pk_tag > 40});
same_after('a new table that changes');
is($subscriber->safe_psql($db, q{SELECT jsonb_array_length(data #> '{tags}') > 19 FROM tv_user WHERE pk_user = 1}), 't', 'a new table that changes: in TVIEWs');

play($subscriber, 5, 'A column that goes first leaves the TVIEW');
play($publisher, 5, 'Then the publisher');
$publisher->safe_psql($db, q{INSERT INTO tb_post (pk_post, fk_user, title) VALUES (60, 1, 'without')});
$publisher->wait_for_catchup('blog');
play($subscriber, 5, 'Then the subscriber');
same_after('a column less');

# in the wrong order
$log = reset_errors();
$publisher->safe_psql($db, q{ALTER TABLE tb_post ADD COLUMN teaser text; UPDATE tb_post SET teaser = 'soon' WHERE pk_post = 2});
$subscriber->wait_for_log(qr/ERROR:  55000: .*missing replicated column/, $log);
$subscriber->safe_psql($db, 'ALTER TABLE tb_post ADD COLUMN teaser text');
same_after('a new column in the wrong order');

# ----------
# TRUNCATE, and crashes, with a load
# ----------

foreach my $node ($subscriber, $publisher)
{
	foreach my $i (1 .. 10)
	{
		$publisher->safe_psql($db, "UPDATE tb_user SET name = 'crash $i'; UPDATE tb_tag SET tag = 'crash $i'");
		next if $i != 5;
		$node->stop('immediate');
		$node->start;
	}
	same_after('a crash of the ' . $node->name);
}
$publisher->safe_psql($db, 'TRUNCATE tb_comment, tb_tag');
same_after('TRUNCATE');
is($page->not_played(2 .. 6), '', 'all of the page on logical replication was played');
is($subscriber->safe_psql($db, q{SELECT message FROM pg_tviews_health_check(100) WHERE severity <> 'info'}), '', 'healthy');

$reader->safe_psql($db, 'DROP SUBSCRIPTION model');
stop_and_check_log($_) foreach $reader, $subscriber, $publisher;
done_testing();
