# Many clients insert, move, rename, and delete a few rows that all of them
# want, at different isolation levels, and read in the middle.  What they see
# of it is nothing but what a retry mends; and at every moment, in whatever
# snapshot, every TVIEW equals its view.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('race', 'deadlock_timeout = 20ms', 'log_statement = none',
	'max_pred_locks_per_transaction = 256');
my $db = 'postgres';

$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
create_blog($node, $db);
fill_blog($node, $db);
$node->safe_psql($db, q{
	CREATE SEQUENCE numbers START 1000;
	CREATE TABLE tv_wall AS
	SELECT u.pk_user AS pk_wall,
		   jsonb_build_object('name', u.name, 'posts',
			   (SELECT jsonb_agg(p.data ORDER BY p.pk_post)
				FROM v_post p WHERE p.fk_user = u.pk_user)) AS data
	FROM tb_user u;});

my $hot = q{
\set u random(1, 4)
\set v random(1, 4)
\set p random(1, 20)
};
my %work = (
	rename => q{UPDATE tb_user SET name = 'user ' || random() WHERE pk_user = :u;},
	move => q{UPDATE tb_post SET fk_user = :u WHERE pk_post = :p;},
	insert => q{
INSERT INTO tb_post (pk_post, fk_user, title)
SELECT nextval('numbers'), :u, 'new' WHERE (SELECT count(*) FROM tb_post) < 100;
INSERT INTO tb_comment
SELECT nextval('numbers'), pk_post, 'new' FROM tb_post WHERE fk_user = :u
ORDER BY random() LIMIT 1 FOR KEY SHARE;},
	remove => q{
DELETE FROM tb_post WHERE pk_post = (SELECT max(pk_post) FROM tb_post
	WHERE fk_user = :v AND pk_post > 50);
DELETE FROM tb_comment WHERE pk_comment = (SELECT max(pk_comment) FROM tb_comment
	WHERE fk_post = :p);},
	edit => q{UPDATE tb_comment SET content = 'c ' || random() WHERE fk_post = :p;},
	read => q{
UPDATE tb_post SET title = 't ' || random() WHERE pk_post = :p;
SELECT count(*) FROM tv_wall WHERE data::text LIKE '%t 0.1%';
UPDATE tb_user SET name = 'read ' || random() WHERE pk_user = :u;},
	undo => q{
SAVEPOINT s;
UPDATE tb_user SET name = 'undone' WHERE pk_user = :v;
SELECT count(*) FROM tv_post WHERE fk_user = :v;
ROLLBACK TO s;
UPDATE tb_post SET fk_user = :u WHERE pk_post = :p;});

# An error of a division tells that a snapshot sees something wrong.
my $oracle = q{SELECT 1 / (count(*) = 0)::int FROM (} . join(' UNION ALL ',
	map { qq{(SELECT to_jsonb(t) - 'updated_at' FROM tv_$_ t EXCEPT ALL SELECT to_jsonb(v) FROM v_$_ v)
		UNION ALL
		(SELECT to_jsonb(v) FROM v_$_ v EXCEPT ALL SELECT to_jsonb(t) - 'updated_at' FROM tv_$_ t)} =~ s/\s+/ /gr }
	  qw(user post comment wall)) . ") AS differing;\n";

sub race
{
	my ($seconds, @levels) = @_;
	my $run = join('_', @levels);
	my %files = ("race_${run}_oracle" => $oracle);

	foreach my $level (@levels)
	{
		foreach my $name (keys %work)
		{
			$files{"race_${run}_in_${level}_$name"} =
			  "${hot}BEGIN ISOLATION LEVEL " . ($level =~ s/_/ /r)
			  . ";\n$work{$name}\nEND;\n";
		}
	}
	$node->pgbench(
		"-n -c 8 -j 2 -T $seconds -M prepared --max-tries=1000",
		0, [qr{transaction type: multiple scripts}], [qr{^$}],
		"race at @levels", \%files);
	is_maintained($node, $db, "after the race at @levels");
	return;
}

race(10, 'READ_COMMITTED');
race(10, 'READ_COMMITTED', 'REPEATABLE_READ');
race(6, 'SERIALIZABLE', 'REPEATABLE_READ');

stop_and_check_log($node);
done_testing();
