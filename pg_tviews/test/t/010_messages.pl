# What users are told: an error in the flush at commit has the SQLSTATE of its
# cause and names TVIEW and key, and a build that takes long says how far it
# has come.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('messages');
my $db = 'postgres';
my $stderr;

$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
$node->safe_psql($db, q{
	CREATE TABLE tb_item (pk_item int PRIMARY KEY, part int, whole int);
	INSERT INTO tb_item SELECT i, i, 10 FROM generate_series(1, 1200) AS i;
	CREATE TABLE tv_item AS
	SELECT pk_item, jsonb_build_object('share', part / whole) AS data
	FROM tb_item;});

# One key, several keys, and all of them in a rebuild
$node->psql($db, 'UPDATE tb_item SET whole = 0 WHERE pk_item = 2',
	stderr => \$stderr, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($stderr, qr/ERROR:  22012: division by zero/, 'SQLSTATE of the cause');
like($stderr, qr/while refreshing key 2 of TVIEW public\.tv_item/,
	'TVIEW and key');
$node->psql($db, q{
	BEGIN;
	UPDATE tb_item SET part = part + 1, whole = CASE pk_item WHEN 7 THEN 0 ELSE 9 END
	WHERE pk_item < 20;
	COMMIT;}, stderr => \$stderr);
like($stderr, qr/while refreshing key 7 of TVIEW public\.tv_item/,
	'the key among several');
is(differing($node, $db), '', 'tables equal their views');

# Progress
$node->psql($db, q{
	CREATE FUNCTION slowly(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
	$$BEGIN PERFORM pg_sleep(0.006); RETURN i; END$$;
	CREATE TABLE tv_slow AS
	SELECT pk_item AS pk_slow, jsonb_build_object('part', slowly(part)) AS data
	FROM tb_item;}, stderr => \$stderr);
like($stderr,
	qr/NOTICE:  building TVIEW public\.tv_slow: \d+ rows, \d+ rows per second/,
	'a long build shows its progress');

stop_and_check_log($node);
done_testing();
