# The server's lock table never overflows, whatever refreshes need: one
# transaction changes 100,000 documents, while fifty clients change some
# hundred each, and so would need twice as many locks as there are.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $clients = 50;
my $node = new_node('lock_table', 'max_connections = 60',
	'max_locks_per_transaction = 64', 'log_statement = none');
my $db = 'postgres';

$node->safe_psql($db, q{
	CREATE EXTENSION pg_tviews;
	CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text NOT NULL);
	CREATE TABLE tb_post (pk_post int PRIMARY KEY, fk_user int NOT NULL, title text NOT NULL);
	CREATE INDEX ON tb_post (fk_user);
	CREATE SEQUENCE turn;
	INSERT INTO tb_user SELECT i, 'user ' || i FROM generate_series(1, 400) AS i;
	INSERT INTO tb_post SELECT i, 1 + i % 400, 'title' FROM generate_series(1, 100000) AS i;
	CREATE TABLE tv_post AS
	SELECT p.pk_post, jsonb_build_object('title', p.title, 'author', u.name) AS data
	FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user;
	ANALYZE;});

$node->pgbench(
	"-n -c $clients -j 2 -t 4 -M prepared --max-tries=1000",
	0,
	[qr{transaction type: multiple scripts}],
	[qr{^$}],
	'many keys by many clients',
	{
		'lock_table_users@9' => q{
\set user random(1, 400)
BEGIN;
UPDATE tb_user SET name = 'name ' || random() WHERE pk_user = :user;
SELECT count(*) FROM tv_post WHERE pk_post = :user;
SELECT pg_sleep(0.02);
END;
},
		'lock_table_all@1' => q{
SELECT nextval('turn') = 3 AS all \gset
\if :all
UPDATE tb_post SET title = 'title ' || random();
\endif
}
	});
is_maintained($node, $db, 'after that');
stop_and_check_log($node);
done_testing();
