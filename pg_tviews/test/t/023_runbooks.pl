# The runbooks, played through: for each one the fault is made, its page's
# commands are run as they stand there, with the output that is shown there,
# and afterwards everything is in order.

use strict;
use warnings;

use File::Temp qw(tempdir);

# Filling up a disk takes one of our own: a user namespace in which we may
# mount it, and inside of it another one in which we are an ordinary user, for
# the server doesn't start otherwise.  This comes first, for PostgreSQL::Test
# takes our output away when the program begins.
BEGIN
{
	if (!defined $ENV{RUNBOOKS_DISK})
	{
		my $mount = 'mount -t tmpfs -o size=80M tmpfs "$RUNBOOKS_DISK"';
		my @inside = ('unshare', '--user', '--map-root-user', '--mount', 'sh', '-ec');

		$ENV{RUNBOOKS_DISK} = tempdir(DIR => $ENV{TESTDATADIR});
		if (system(@inside, "$mount 2>/dev/null") == 0)
		{
			exec @inside, "$mount; exec unshare --user --map-user=1000 --map-group=1000 \"\$\@\"",
			  'sh', $^X, map({ "-I$_" } @INC), $0;
		}
		$ENV{RUNBOOKS_DISK} = '';
	}
}

use PageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('runbooks', 'jit = off');
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = '" . library($node) . "'");
$node->restart;

my $page = PageTest->new('runbooks', $node);
my $dir = $page->{dir};

# A database with TVIEWs for a runbook, which is named by its number
sub blog
{
	my $runbook = shift;
	my $db = "runbook_$runbook";

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
	create_blog($node, $db);
	fill_blog($node, $db);
	is_in_order($db, "$runbook: before");
	return $db;
}

sub is_in_order
{
	my ($db, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is_maintained($node, $db, $name);
	is( $node->safe_psql($db, q{
			SELECT * FROM pg_tviews_health_check() WHERE severity = 'error'}),
		'', "$name: the health check finds nothing");
	return;
}

# A play: what it is about, and what makes the fault; then come the page's
# commands of the parts named.
sub play
{
	my ($runbook, $fault, @parts) = @_;
	my $db = blog($runbook);

	$fault->($db);
	$page->run_part($db, $runbook, $_) foreach @parts;
	is_in_order($db, "$runbook: afterwards");
	return $db;
}

# What the page begins with
$page->run_part(blog(''), '', '');
ok(-s "$dir/support_report.json", 'there is a report');

# 1. A TVIEW is not updated
play(1, sub {
	$node->safe_psql(shift, q{
		ALTER TABLE tb_user DISABLE TRIGGER USER;
		UPDATE tb_user SET name = 'gone by' WHERE pk_user = 1});
}, 'Diagnosis', 'Resolution');

# 2. A cascade is slow
play(2, sub {
	$node->safe_psql(shift, q{
		DROP INDEX tb_post_fk_user_idx;
		UPDATE tb_user SET name = 'slow'});
}, 'Diagnosis', 'Resolution');

# 3. Out of memory during a cascade: the limit is that of a process
{
	my $db = blog(3);
	my $writer = $node->background_psql($db, on_error_stop => 0);
	my $pid = $writer->query_safe('SELECT pg_backend_pid()');

	$node->safe_psql($db, q{
		INSERT INTO tb_post (pk_post, fk_user, title) SELECT i, 1, 'post ' || i FROM generate_series(1001, 30000) i;
		ANALYZE});
	$writer->query_safe(q{
		SET work_mem = '1GB';
		BEGIN;
		UPDATE tb_post SET title = title || '.'});
	like($page->run_block($db, $page->{blocks}{3}{Diagnosis}[1], '3 Diagnosis'),
		qr/^ +$pid .*\{post\}.*queued/m, '3: what takes the memory is seen');
	$page->run_part($db, 3, 'Diagnosis');
	my ($size) = split / /, slurp_file("/proc/$pid/statm");
	my $limit = $size * 4096 + (4 << 20);
	system_or_bail('prlimit', '--pid', $pid, "--as=$limit");
	$writer->query(q{COMMIT});
	like($writer->{stderr}, qr/ERROR:  out of memory/, '3: memory is used up');
	$writer->{stderr} = '';
	is_in_order($db, '3: after the error');
	like($node->safe_psql($db, 'SELECT title FROM tb_post WHERE pk_post = 1'), qr/[^.]$/, '3: rolled back');

	# the commands of the page, under the same limit
	$writer->query_safe($page->{blocks}{3}{Resolution}[0][2]);
	$page->mark_played(3, 'Resolution');
	is( $node->safe_psql($db, q{SELECT count(*) FROM tv_post WHERE data ->> 'title' LIKE '%(revised)'}),
		29050, '3: in portions it goes through');
	$writer->quit;
	is_in_order($db, '3: afterwards');
}

# 4. An upgrade of the extension failed: a user has a function of a name that
# the new version wants
{
	my $db = blog(4);

	$node->safe_psql($db, q{
		CREATE FUNCTION our_graph(text) RETURNS int LANGUAGE sql RETURN 2;
		ALTER EXTENSION pg_tviews UPDATE TO '0.1.0';
		ALTER FUNCTION our_graph(text) RENAME TO pg_tviews_graph;});
	$page->run_part($db, 4, 'Diagnosis');
	is(sqlstate($node, $db, q{UPDATE tb_user SET name = 'not yet' WHERE pk_user = 1}), '55000',
		'4: the new library refuses to work with the old version');
	$page->run_part($db, 4, 'Resolution');
	is( $node->safe_psql($db, q{SELECT our_graph(''), pg_tviews_graph() <> ''}),
		'2|t', '4: the new version is there, and what was in the way');
	$node->safe_psql($db, q{UPDATE tb_user SET name = 'the new one works' WHERE pk_user = 1});
	is_maintained($node, $db, '4: upgraded');
	is_in_order($db, '4: afterwards');
}

# 5. Orphaned triggers
play(5, sub {
	my $db = shift;

	$node->safe_psql($db, q{
		SET session_replication_role = replica;
		DROP TABLE tv_comment;});
	is(sqlstate($node, $db, q{INSERT INTO tb_comment VALUES (1000, 1, 'new')}),
		'', '5: writes go on where a TVIEW was dropped');
}, 'Diagnosis', 'Resolution');
is( $node->safe_psql('runbook_5', q{
		SELECT tgname FROM pg_trigger WHERE tgrelid = 'tb_comment'::regclass AND NOT tgisinternal AND tgname <> ALL
			(SELECT tgname FROM pg_trigger WHERE tgrelid = 'tb_user'::regclass)}),
	'', '5: what is left is what other TVIEWs need');

# 6. Lock waits and deadlocks
{
	my $db = blog(6);
	my $blocker = $node->background_psql($db, on_error_die => 0);
	my $writer = $node->background_psql($db);

	$blocker->query_safe(q{
		BEGIN;
		UPDATE tb_post SET title = 'open' WHERE pk_post = 1;
		SELECT count(*) FROM tv_post});
	$writer->query_until(qr/started/, q{\echo started
UPDATE tb_user SET name = 'waits' WHERE pk_user = 1;
});
	$node->poll_query_until($db, 'SELECT count(*) > 0 FROM pg_tviews_locks WHERE NOT granted')
	  or die 'nobody waits';
	$page->run_part($db, 6, 'Diagnosis');
	$page->run_part($db, 6, 'Resolution');
	$writer->query_safe('SELECT 1');
	$writer->quit;
	is($node->safe_psql($db, q{SELECT data -> 'author' ->> 'name' FROM tv_post WHERE pk_post = 1}),
		'waits', '6: who has waited goes on');
	is_in_order($db, '6: afterwards');
}

# 7. A bulk load
play(7, sub { }, 'Diagnosis', 'Resolution');
is($node->safe_psql('runbook_7', 'SELECT count(*) FROM tv_comment'), 2100, '7: all is loaded');

# 8. Drift found by verification
play(8, sub {
	$node->safe_psql(shift, q{
		SET session_replication_role = replica;
		UPDATE tb_post SET title = 'by replication' WHERE pk_post IN (1, 3)});
}, 'Diagnosis', 'Resolution');

# 9. The disk is full: that of a tablespace
SKIP:
{
	skip 'no user namespaces: no disk to fill', 1 if $ENV{RUNBOOKS_DISK} eq '';
	my $db = blog(9);
	my $load = q{INSERT INTO tb_user (pk_user, name)
		SELECT i, repeat('long ', 20) FROM generate_series(1001, 40000) i};

	mkdir "$ENV{RUNBOOKS_DISK}/space" or die;
	$node->safe_psql($db, "CREATE TABLESPACE documents LOCATION '$ENV{RUNBOOKS_DISK}/space'");
	$node->safe_psql($db, 'ALTER TABLE tv_user SET TABLESPACE documents');
	system_or_bail('fallocate', '--length', '76M', "$ENV{RUNBOOKS_DISK}/other");
	is(sqlstate($node, $db, $load), '53100', '9: the disk is full');
	is_in_order($db, '9: after the error');
	$page->run_part($db, 9, 'Diagnosis');
	$page->run_part($db, 9, 'Resolution');
	is(sqlstate($node, $db, $load), '', '9: it goes on');
	is($node->safe_psql($db, 'SELECT count(*) FROM tv_user'), 39010, '9: all is loaded');
	is_in_order($db, '9: afterwards');
}

# 10. Restoring one table
play(10, sub {
	my $db = shift;

	$node->run_log([ 'pg_dump', '-Fc', '-f', "$dir/blog.dump", '-d', $node->connstr($db) ]);
	$node->safe_psql($db, q{
		DELETE FROM tb_comment WHERE pk_comment % 3 = 0;
		UPDATE tb_comment SET content = 'newer' WHERE pk_comment = 1});
}, 'Diagnosis', 'Resolution');
is($node->safe_psql('runbook_10', q{SELECT count(*), min(data ->> 'content') FILTER (WHERE pk_comment = 1) FROM tv_comment}),
	'100|newer', '10: what was lost is there, and what is newer still is');

my @chapters = grep { $_ ne '9' || $ENV{RUNBOOKS_DISK} ne '' } keys %{ $page->{blocks} };
is($page->not_played(sort @chapters), '', 'every command of the page was run');
stop_and_check_log($node);
done_testing();
