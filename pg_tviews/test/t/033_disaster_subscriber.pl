# A subscriber that maintains TVIEWs is lost, and built again on another server,
# as the page on disasters says.

use strict;
use warnings;

use PageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $db = 'blog';
my $publisher = new_node('publisher', 'fsync = off', 'wal_sender_timeout = 10s');
my $lost = new_node('lost', 'fsync = off');
my $new = new_node('new', 'fsync = off');
my $page = PageTest->new('disaster-recovery', $lost,
	BACKUPS => PostgreSQL::Test::Utils::tempdir() . '/the backups',
	PUBLISHER => $publisher->connstr($db));

mkdir $page->{env}{BACKUPS} or die;
$publisher->safe_psql('postgres', "CREATE DATABASE $db");
publish_blog($publisher, $db);
$lost->safe_psql('postgres', "CREATE DATABASE $db");
subscribe_blog($lost, $db, $publisher);
is_maintained($lost, $db, 'the subscriber');

# Changes go on all the time.
my $script = PostgreSQL::Test::Utils::tempdir() . '/load.sql';
append_to_file($script, q{
	\set u random(1, 10)
	\set p random(1, 50)
	\set c random(1, 100)
	BEGIN;
	UPDATE tb_user SET name = 'user ' || random() WHERE pk_user = :u;
	UPDATE tb_post SET fk_user = :u WHERE pk_post = :p;
	UPDATE tb_comment SET fk_post = :p WHERE pk_comment = :c;
	END;
});
my ($out, $err) = ('', '');
my $load = IPC::Run::start(
	[ 'pgbench', '-n', '-c', '2', '-R', '200', '-T', '120', '--max-tries', '100', '-f', $script,
		$publisher->connstr($db) ], '>', \$out, '2>', \$err);

# It is backed up as the page says, and lost.
my @keep = @{ $page->{blocks}{''}{''} };
$page->run_block($db, $keep[0], 'the backup');
$page->run_block($db, $keep[1], 'the backup');
$lost->stop('immediate');
$publisher->poll_query_until($db, q{SELECT NOT active FROM pg_replication_slots WHERE slot_name = 'blog'})
  or die 'slot in use';

$page->{node} = $publisher;
$page->run_part($db, 7, 'On the publisher');
is($publisher->safe_psql($db, 'SELECT count(*) FROM pg_replication_slots'), '0', 'the slot is gone');
$page->{node} = $new;
$page->run_part($db, 7, 'On the subscriber');
$load->kill_kill;
$publisher->safe_psql($db, q{INSERT INTO tb_comment VALUES (1000, 1, 'new')});
$publisher->wait_for_catchup('blog');
$page->run_part($db, 7, 'Afterwards');
foreach my $table (qw(tb_user tb_post tb_comment))
{
	my $content = "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM $table t";

	is($new->safe_psql($db, $content), $publisher->safe_psql($db, $content), "$table is the publisher's");
}
is($new->safe_psql($db, q{SELECT data ->> 'content' FROM tv_comment WHERE pk_comment = 1000}), 'new', 'maintained');
is_maintained($new, $db, 'the new subscriber');
is($page->not_played(7), '', 'every command of the chapter was run');

stop_and_check_log($new);
stop_and_check_log($publisher);
done_testing();
