# Unlogged tables are empty after a crash. TVIEWs of them are too, and logged
# TVIEWs have nothing to do with them, so each equals its view.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('unlogged', 'restart_after_crash = on', 'fsync = off');
my $db = 'postgres';

$node->safe_psql($db, q{
	CREATE EXTENSION pg_tviews;
	CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text NOT NULL);
	CREATE UNLOGGED TABLE tb_session (pk_session int PRIMARY KEY, fk_user int, seen int);
	CREATE TABLE tb_event (pk_event int NOT NULL, kind int) PARTITION BY LIST (kind);
	CREATE UNLOGGED TABLE tb_event_1 PARTITION OF tb_event FOR VALUES IN (1);
	CREATE UNLOGGED TABLE tb_event_2 PARTITION OF tb_event FOR VALUES IN (2);
	CREATE UNLOGGED TABLE tb_kept (pk_kept int PRIMARY KEY, n int);
	CREATE TABLE tb_lost (pk_lost int PRIMARY KEY, n int);});
$node->safe_psql($db, q{
	CREATE TABLE tv_user AS SELECT pk_user, to_jsonb(name) AS data FROM tb_user;
	CREATE TABLE tv_session AS
	SELECT s.pk_session, s.fk_user, jsonb_build_object('seen', s.seen, 'user', u.name) AS data
	FROM tb_session s JOIN tb_user u ON u.pk_user = s.fk_user;
	CREATE TABLE tv_shown AS SELECT pk_session AS pk_shown, data FROM v_session;
	CREATE TABLE tv_event AS SELECT pk_event, to_jsonb(kind) AS data FROM tb_event;
	CREATE TABLE tv_kept AS SELECT pk_kept, to_jsonb(n) AS data FROM tb_kept;
	CREATE TABLE tv_lost AS SELECT pk_lost, to_jsonb(n) AS data FROM tb_lost;
	ALTER TABLE tb_kept SET LOGGED;
	ALTER TABLE tb_lost SET UNLOGGED;});

sub fill
{
	$node->safe_psql($db, q{
		INSERT INTO tb_user SELECT i, 'user ' || i FROM generate_series(1, 3) i ON CONFLICT DO NOTHING;
		INSERT INTO tb_session SELECT i, 1 + i % 3, i FROM generate_series(1, 10) i;
		INSERT INTO tb_event SELECT i, 1 + i % 2 FROM generate_series(1, 10) i;
		INSERT INTO tb_kept SELECT i, i FROM generate_series(1, 5) i ON CONFLICT DO NOTHING;
		INSERT INTO tb_lost SELECT i, i FROM generate_series(1, 5) i;
		CHECKPOINT;});
	return;
}

sub crash
{
	my ($name, $crash) = @_;
	my $count = q{SELECT (SELECT count(*) FROM tv_user), (SELECT count(*) FROM tv_session),
		(SELECT count(*) FROM tv_shown), (SELECT count(*) FROM tv_event),
		(SELECT count(*) FROM tv_kept), (SELECT count(*) FROM tv_lost)};

	fill();
	is($node->safe_psql($db, $count), '3|10|10|10|5|5', "$name: all is there");
	$crash->();
	$node->poll_query_until($db, 'SELECT true') or die 'not up again';
	is($node->safe_psql($db, $count), '3|0|0|0|5|0', "$name: what is logged is left");
	is_maintained($node, $db, $name);
	fill();
	$node->safe_psql($db, q{UPDATE tb_user SET name = name || '!'; UPDATE tb_event SET kind = 3 - kind;});
	is($node->safe_psql($db, $count), '3|10|10|10|5|5', "$name: all is there again");
	is_maintained($node, $db, "$name, and after it");
	$node->safe_psql($db, 'TRUNCATE tb_session, tb_event, tb_lost');
	return;
}

crash('immediate stop', sub {
	$node->stop('immediate');
	$node->start;
});
crash('a backend is killed', sub {
	my $session = $node->background_psql($db, on_error_stop => 0);
	my $pid = $session->query('SELECT pg_backend_pid()');
	my $log = -s $node->logfile;

	kill 'KILL', $pid;
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $log);
	eval { $session->quit };
});

stop_and_check_log($node);
done_testing();
