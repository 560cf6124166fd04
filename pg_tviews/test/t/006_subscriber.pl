# TVIEWs on a subscriber of logical replication, maintained by the apply
# worker: the initial copy, changes, and a flush that fails there.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $db = 'postgres';
my $publisher = new_node('publisher', 'wal_receiver_status_interval = 1');
my $subscriber = new_node('subscriber', 'wal_retrieve_retry_interval = 100ms');

publish_blog($publisher, $db);
subscribe_blog($subscriber, $db, $publisher);

sub same_after
{
	my ($name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$publisher->wait_for_catchup('blog');
	is($subscriber->safe_psql($db, 'SELECT count(*) FROM tv_comment'),
		$publisher->safe_psql($db, 'SELECT count(*) FROM tb_comment'),
		"$name: as many rows");
	is_maintained($subscriber, $db, $name);
	return;
}

same_after('initial copy');

$publisher->safe_psql($db, q{
	UPDATE tb_user SET name = 'renamed' WHERE pk_user = 1;
	DELETE FROM tb_comment WHERE fk_post = 2;
	BEGIN;
	UPDATE tb_post SET fk_user = 2 WHERE pk_post = 1;
	INSERT INTO tb_comment VALUES (1000, 1, 'new');
	UPDATE tb_user SET name = 'again' WHERE pk_user = 2;
	COMMIT;
	BEGIN; DELETE FROM tb_comment; ROLLBACK;});
same_after('changes');
is($subscriber->safe_psql($db, q{SELECT data #>> '{post,author,name}'
		FROM tv_comment WHERE pk_comment = 1000}), 'again', 'a cascade');

# Local writes work beside it.
$subscriber->safe_psql($db, q{UPDATE tb_user SET name = 'local' WHERE pk_user = 5});
same_after('a local change');

# A flush that fails is tried again until what is wrong has been repaired.
my $log = -s $subscriber->logfile;
$subscriber->safe_psql($db, q{
	ALTER TABLE tv_post ADD CONSTRAINT no_bad CHECK (data->>'title' <> 'bad')});
$publisher->safe_psql($db, q{UPDATE tb_post SET title = 'bad' WHERE pk_post = 3});
$subscriber->wait_for_log(qr/ERROR:  23514: .*no_bad/, $log);
is($subscriber->safe_psql($db, q{SELECT count(*) FROM tb_post WHERE title = 'bad'}),
	'0', 'a failed flush: nothing is applied');
$subscriber->safe_psql($db, 'ALTER TABLE tv_post DROP CONSTRAINT no_bad');
same_after('a failed flush, repaired');
is($subscriber->safe_psql($db, q{SELECT data->>'title' FROM tv_post WHERE pk_post = 3}),
	'bad', 'a failed flush, repaired: applied');

$publisher->safe_psql($db, 'TRUNCATE tb_comment');
same_after('TRUNCATE');

stop_and_check_log($subscriber);
stop_and_check_log($publisher);
done_testing();
