# The reference has what the extension has, with the same signatures, columns,
# defaults and errors, and tools/reference notices where it doesn't: each way
# in which page or extension can go wrong is tried.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('reference');
my $page = slurp_file('../docs/reference.md');
my $dir  = PostgreSQL::Test::Utils::tempdir;

$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;

is(complaints($page), '', 'the reference is complete');

# What is changed on the page, into what, and what is to be said of it
my @mutations = (
	[ qr/^### pg_tviews_version\(.*\n/m, '', 'no entry "### pg_tviews_version\(\) → text"' ],
	[ qr/^### pg_tviews_version\(.*\K → text/m, ' → name', 'no entry "### pg_tviews_version' ],
	[ qr/^### pg_tviews_verify\K\(entity text\)/m, '(name text)', 'no entry "### pg_tviews_verify' ],
	[ qr/if_exists boolean DEFAULT \Kfalse/, 'true', 'no entry "### pg_tviews_drop' ],
	[ qr/^### pg_tviews_refresh.*\Kdeleted/m, 'removed', 'no entry "### pg_tviews_refresh' ],
	[ qr/^(?=### pg_tviews_version)/m, "### pg_tviews_undo() → void\n\n", 'entry of a function that there isn\'t: pg_tviews_undo' ],
	[ qr/^### pg_tviews_progress\n/m, '', 'no entry "### pg_tviews_progress"' ],
	[ qr/^(?=### pg_tviews_version)/m, "### pg_tviews_history\n\n", 'entry of a relation that there isn\'t: pg_tviews_history' ],
	[ qr/^\| `mode`, `granted`, \K`waitstart`/m, '', "entry of pg_tviews_locks doesn't name column waitstart" ],
	[ qr/^(?=\| `hash` \|)/m, "| `colour` | |\n", 'entry of pg_tviews_locks names column colour' ],
	[ qr/^\| `cascade_level` .*\n/m, '', "entry of pg_tviews_explain doesn't name column cascade_level" ],
	[ qr/^\| `pg_tviews.queue_limit` .*\n/m, '', 'no row for setting pg_tviews.queue_limit' ],
	[ qr/^\| `pg_tviews.queue_limit` \| 100000\K0/m, '1', 'default of pg_tviews.queue_limit is 1000000' ],
	[ qr/^(?=\| `pg_tviews.queue_limit` )/m, "| `pg_tviews.speed` | 1 | |\n", 'row for a setting that there isn\'t: pg_tviews.speed' ],
	[ qr/^\| 42P16 .*\n/m, '', 'no row for error 42P16, raised in replace.c' ],
	[ qr/^\| 42P16 \| `invalid_table_\K/m, 'or_view_', 'the condition of error 42P16 is invalid_table_definition' ],
	[ qr/^(?=\| 42P16 )/m, "| 42P15 | `invalid_schema_definition` | never | |\n", 'error 42P15 is not raised' ],
	[ qr/^(?=### pg_tviews_version)/m, "Errors: 42P15.\n\n", 'error 42P15 is not in the table' ],
	[ qr/\n\z/, "\nSee pg_tviews_histogram().\n", 'names pg_tviews_histogram, which there isn\'t' ]);

foreach my $mutation (@mutations)
{
	my ($what, $into, $expected) = @$mutation;
	my $mutant = $page;

	ok($mutant =~ s/$what/$into/, "the reference has $what");
	like(complaints($mutant), qr/$expected/, $expected);
}

# An extension that has more than the reference says, and a comment less
$node->safe_psql('template1', q{
	CREATE FUNCTION undocument() RETURNS event_trigger LANGUAGE plpgsql AS $$
	BEGIN
		COMMENT ON FUNCTION pg_tviews_version() IS NULL;
		COMMENT ON COLUMN pg_tviews_locks.pid IS 'number.';
		CREATE FUNCTION pg_tviews_undo(how text) RETURNS void LANGUAGE sql AS '';
		ALTER EXTENSION pg_tviews ADD FUNCTION pg_tviews_undo(text);
	END
	$$;
	CREATE EVENT TRIGGER undocument ON ddl_command_end
		WHEN TAG IN ('CREATE EXTENSION') EXECUTE FUNCTION undocument();});
my $found = complaints($page);
like($found, qr/^function pg_tviews_version\(\): has no comment/m,
	'function without a comment');
like($found, qr/^pg_tviews_locks.pid: its comment ends with a full stop/m,
	'comment of a column');
like($found, qr/no entry "### pg_tviews_undo\(how text\) → void"/,
	'function without an entry');

$node->stop;
done_testing();


# What the check says of a page
sub complaints
{
	my $text = shift;
	my ($out, $err);

	mkdir "$dir/docs";
	unlink "$dir/docs/reference.md";
	append_to_file("$dir/docs/reference.md", $text);
	my $result = run_log(
		[ '../tools/reference', "$dir/docs/reference.md" ],
		'>', \$out, '2>', \$err);
	is($err, '', 'the check can be done');
	is($result ? 0 : 1, $out eq '' ? 0 : 1, 'its exit code');
	return $out;
}
