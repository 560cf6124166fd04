# What the TAP tests share: a server, tables with TVIEWs, and the oracle.

package TviewTest;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  new_node create_blog fill_blog publish_blog subscribe subscribe_blog
  differing is_maintained sqlstate
  start_load hold_lock wait_for_waiter library stop_and_check_log
);

# A running server that logs what can be looked for afterwards; the other
# arguments are lines for its configuration.
sub new_node
{
	my ($name, @conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 'logical');
	$node->append_conf('postgresql.conf', join("\n",
			'log_error_verbosity = verbose',
			'max_prepared_transactions = 10', @conf, ''));
	$node->start;
	return $node;
}

# Tables of users, posts and comments, and three TVIEWs, two of which read
# another one.
sub create_blog
{
	my ($node, $db) = @_;

	$node->safe_psql($db, q{
		CREATE TABLE tb_user (
			pk_user     int PRIMARY KEY,
			id          uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
			name        text NOT NULL);
		CREATE TABLE tb_post (
			pk_post     int PRIMARY KEY,
			id          uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
			fk_user     int NOT NULL REFERENCES tb_user ON DELETE CASCADE,
			title       text NOT NULL);
		CREATE INDEX ON tb_post (fk_user);
		CREATE TABLE tb_comment (
			pk_comment  int PRIMARY KEY,
			fk_post     int NOT NULL REFERENCES tb_post ON DELETE CASCADE,
			content     text NOT NULL);
		CREATE INDEX ON tb_comment (fk_post);});
	$node->safe_psql($db, q{
		CREATE TABLE tv_user AS
		SELECT u.pk_user, u.id, jsonb_build_object('name', u.name) AS data
		FROM tb_user u;
		CREATE TABLE tv_post AS
		SELECT p.pk_post, p.id, p.fk_user, u.id AS user_id,
			   jsonb_build_object('title', p.title, 'author', u.data,
				   'comments', (SELECT jsonb_agg(c.content ORDER BY c.pk_comment)
								FROM tb_comment c
								WHERE c.fk_post = p.pk_post)) AS data
		FROM tb_post p JOIN v_user u ON u.pk_user = p.fk_user;
		CREATE TABLE tv_comment AS
		SELECT c.pk_comment, c.fk_post,
			   jsonb_build_object('content', c.content, 'post', p.data) AS data
		FROM tb_comment c JOIN v_post p ON p.pk_post = c.fk_post;});
	return;
}

# 10 users, 5 posts of each, 2 comments on each
sub fill_blog
{
	my ($node, $db) = @_;

	$node->safe_psql($db, q{
		INSERT INTO tb_user (pk_user, name)
		SELECT i, 'user ' || i FROM generate_series(1, 10) i;
		INSERT INTO tb_post (pk_post, fk_user, title)
		SELECT i, (i - 1) / 5 + 1, 'post ' || i FROM generate_series(1, 50) i;
		INSERT INTO tb_comment
		SELECT i, (i - 1) / 2 + 1, 'comment ' || i
		FROM generate_series(1, 100) i;});
	return;
}

# A publisher that has the tables only, without the constraints of create_blog(),
# filled, and a publication of them, or of what is said
sub publish_blog
{
	my ($node, $db, $what) = @_;

	$what //= 'FOR TABLE tb_user, tb_post, tb_comment';
	$node->safe_psql($db, qq{
		CREATE TABLE tb_user (pk_user int PRIMARY KEY, id uuid DEFAULT gen_random_uuid(), name text);
		CREATE TABLE tb_post (pk_post int PRIMARY KEY, id uuid DEFAULT gen_random_uuid(), fk_user int, title text);
		CREATE TABLE tb_comment (pk_comment int PRIMARY KEY, fk_post int, content text);
		CREATE PUBLICATION blog $what;});
	fill_blog($node, $db);
	return;
}

# A subscription to a database of another server: to the publication of the
# same name, or to others, with options
sub subscribe
{
	my ($node, $db, $name, $publisher, $publisher_db, $rest) = @_;
	my $connection = $publisher->connstr($publisher_db) =~ s/'/''/gr;

	$rest //= $name;
	$node->safe_psql($db, "CREATE SUBSCRIPTION $name CONNECTION '$connection' PUBLICATION $rest");
	return;
}

# A subscriber of publish_blog() that keeps TVIEWs; the initial copy is waited
# for.
sub subscribe_blog
{
	my ($node, $db, $publisher) = @_;

	$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
	create_blog($node, $db);
	$node->safe_psql($db, q{SELECT pg_tviews_capture_replicated('comment')});
	subscribe($node, $db, 'blog', $publisher, $db);
	$node->wait_for_subscription_sync($publisher, 'blog', $db);
	return;
}

# Four clients that change the tables and read their own changes, until they
# are stopped or the server is: returns what to call finish() of.  What they have
# committed are comments from number 1000 on; it returns when there are some new.
sub start_load
{
	my ($node, $db) = @_;
	my $script = PostgreSQL::Test::Utils::tempdir() . '/load.sql';
	my $done = 'SELECT count(*) FROM tb_comment WHERE pk_comment >= 1000';
	my ($out, $err) = ('', '');

	append_to_file($script, q{
		\set u random(1, 10)
		\set p random(1, 50)
		BEGIN;
		UPDATE tb_user SET name = 'user ' || random() WHERE pk_user = :u;
		UPDATE tb_post SET fk_user = :u WHERE pk_post = :p;
		INSERT INTO tb_comment VALUES (nextval('numbers'), :p, 'new');
		SELECT count(*) FROM tv_comment WHERE fk_post = :p;
		END;
	});
	$node->safe_psql($db, 'CREATE SEQUENCE IF NOT EXISTS numbers START 1000');
	my $before = $node->safe_psql($db, $done);
	my $load = IPC::Run::start(
		[ 'pgbench', '-n', '-c', '4', '-T', '60', '--max-tries', '100', '-f',
			$script, $node->connstr($db) ], '>', \$out, '2>', \$err);
	$node->poll_query_until($db, "SELECT ($done) >= $before + 50")
	  or die "no load: $err";
	return $load;
}

# Rows in which any TVIEW differs from its view, in either direction; a few
# are enough
sub differing
{
	my ($node, $db) = @_;
	my $schema = $node->safe_psql($db, q{
		SELECT extnamespace::regnamespace FROM pg_extension
		WHERE extname = 'pg_tviews'});
	my $sql = $node->safe_psql($db, qq{
		SELECT string_agg(format(
			\$\$(SELECT %1\$L, to_jsonb(t) - 'updated_at' FROM %1\$s t
				EXCEPT ALL SELECT %1\$L, to_jsonb(v) FROM %2\$s v)
			UNION ALL
			(SELECT %2\$L, to_jsonb(v) FROM %2\$s v
				EXCEPT ALL SELECT %2\$L, to_jsonb(t) - 'updated_at' FROM %1\$s t)\$\$,
			tview, view), ' UNION ALL ')
		FROM $schema.pg_tview_meta});

	return $sql eq '' ? 'no TVIEW at all' : $node->safe_psql($db, "$sql LIMIT 5");
}

sub is_maintained
{
	my ($node, $db, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(differing($node, $db), '', "$name: tables equal their views");
}

# SQLSTATE of the first error of a script, '' if there was none
sub sqlstate
{
	my ($node, $db, $sql) = @_;
	my ($status, $out, $err) =
	  $node->psql($db, "\\set VERBOSITY sqlstate\n$sql", on_error_stop => 1);

	return $err =~ /(?:ERROR|FATAL):\s+([0-9A-Z]{5})/ ? $1 : $err;
}

# A session that holds advisory lock 1 until it quits
sub hold_lock
{
	my ($node, $db) = @_;
	my $session = $node->background_psql($db);

	$session->query_safe('SELECT pg_advisory_lock(1)');
	return $session;
}

# Wait until some session waits for advisory lock 1; return its process id.
sub wait_for_waiter
{
	my ($node, $db) = @_;
	my $waiting = q{FROM pg_locks
		WHERE locktype = 'advisory' AND objid = 1 AND NOT granted};

	$node->poll_query_until($db, "SELECT count(*) > 0 $waiting")
	  or die 'nobody waits';
	return $node->safe_psql($db, "SELECT pid $waiting LIMIT 1");
}

# What preloads the library, wherever the extension is: up to 17 Debian's
# extension_destdir is looked through for $libdir, from 18 on the server's
# dynamic_library_path for what has no folder.
sub library
{
	my $node = shift;

	return $node->safe_psql('postgres', 'SHOW server_version_num') >= 180000
	  ? 'pg_tviews'
	  : '$libdir/pg_tviews';
}

# Nothing in the server's log may speak of a mistake of ours; of one of the
# server's, if it matches the pattern.
sub stop_and_check_log
{
	my ($node, $mode, $known) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$node->stop($mode // 'fast');
	my @bad = grep
	  { /TRAP:|PANIC:|: +XX[0-9A-Z]{3}:|reference leak|refcount leak|was not closed|you don't own a lock|terminated by signal (4|6|7|8|11)\b/ }
	  grep { !defined $known || !/$known/ } split /\n/, slurp_file($node->logfile);
	return is(join("\n", @bad), '', 'nothing bad in the server log');
}

1;
