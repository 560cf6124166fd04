# The graph of tables and TVIEWs: Graphviz's dot draws it, Mermaid's syntax is
# kept to, and both say what pg_tviews_explain() says, whatever the names.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $dot = (grep { -x } map { "$_/dot" } split /:/, $ENV{PATH})[0]
  or die 'no dot: run tools/setup test';
my $node = new_node('graph');
my $db = 'postgres';

$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
is_deeply(
	[ mermaid(graph('mermaid')) ], [ {}, {} ],
	'nothing to see in Mermaid');
is_deeply([ svg(graph('dot')) ], [ {}, {} ], 'nothing to see in DOT');

create_blog($node, $db);
fill_blog($node, $db);
$node->safe_psql($db, 'ANALYZE');

# partitions, a table that was never analyzed, one whose changes rebuild, and
# what would be markup, an escape, a directive, or the end of a string
my $hostile = qq{style:"x#35;<b>&lt;\\N\\%%{init: 1}%%`_m_` \x{e9}\n|]};
utf8::encode($hostile);
my $quoted = '"' . $hostile =~ s/"/""/gr . '"';
$node->safe_psql($db, qq{
	CREATE SCHEMA $quoted;
	CREATE TABLE $quoted.tb_part (pk_part int, k int) PARTITION BY LIST (k);
	CREATE TABLE $quoted.p1 PARTITION OF $quoted.tb_part FOR VALUES IN (1);
	CREATE TABLE $quoted.p2 PARTITION OF $quoted.tb_part FOR VALUES IN (2);
	INSERT INTO $quoted.tb_part VALUES (1, 1), (2, 2), (3, 2);
	ANALYZE $quoted.p1;
	ANALYZE $quoted.p2;
	CREATE TABLE $quoted.$quoted (pk_setting int PRIMARY KEY, value text);});
$node->safe_psql($db, qq{
	SELECT pg_tviews_create('$quoted.part', \$\$
		SELECT p.pk_part, jsonb_build_object('value', s.value) AS data
		FROM $quoted.tb_part p
		LEFT JOIN (SELECT max(value) AS value FROM $quoted.$quoted) s ON true
		\$\$, '{"on_unmapped": "rebuild"}');});

sub graph
{
	return $node->safe_psql($db, "SELECT pg_tviews_graph('$_[0]')") . "\n";
}

# A graph as two hashes: labels by node, and labels by "from -> to", with
# numbers of nodes replaced by the first lines of their labels.
sub named
{
	my ($nodes, $edges) = @_;
	my %name = map { $_ => $nodes->{$_}[0] } keys %$nodes;

	return ({ map { $name{$_} => $nodes->{$_} } keys %$nodes },
		{ map { my ($from, $to) = split / /; "$name{$from} -> $name{$to}" =>
			  $edges->{$_} } keys %$edges });
}

# Mermaid, by what its grammar and its handling of quoted text allow
sub mermaid
{
	my ($head, @lines) = split /\n/, shift;
	my (%nodes, %edges);

	die "not a flowchart: $head" if $head ne 'flowchart LR';
	for (@lines)
	{
		if (/^    (n\d+)(?:\["(.*)"\]|\(\["(.*)"\]\))$/)
		{
			$nodes{$1} = [ map { plain($_) } split m{<br/>}, $2 // $3 ];
		}
		elsif (/^    (n\d+) (?:-->\|"([a-z, ]+)"\||-\.->) (n\d+)$/)
		{
			$edges{"$1 $3"} = $2 // '';
		}
		else
		{
			die "not Mermaid: $_";
		}
	}
	return named(\%nodes, \%edges);
}

# Quoted text: numbers of characters stand for what has a meaning.
sub plain
{
	my $text = shift;

	die "not plain: $text"
	  if $text !~ /^(?:[A-Za-z0-9 \x80-\xff]|#\d+;|(?<=[a-z\d])[_.](?=[a-z\d]))*$/i;
	return $text =~ s/#(\d+);/chr $1/ger;
}

# What dot makes of DOT: the text of its drawing
sub svg
{
	my ($text) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/graph';
	my (%nodes, %edges, %number);

	append_to_file("$file.dot", $text);
	my ($out, $err) = run_command([ $dot, '-Tsvg', "$file.dot" ]);
	unlink "$file.dot";
	is($err, '', 'dot has nothing to say');
	while ($out =~ m{<g id="[^"]+" class="(node|edge)">(.*?)</g>}gs)
	{
		my ($class, $group) = ($1, $2);
		my ($title) = map { unescape($_) } $group =~ m{<title>(.*?)</title>}s;
		my @lines = map { unescape($_) } $group =~ m{<text[^>]*>(.*?)</text>}gs;

		if ($class eq 'node')
		{
			$nodes{$title} = \@lines;
		}
		else
		{
			$edges{ $title =~ s/->/ /r } = $lines[0] // '';
		}
	}
	return named(\%nodes, \%edges);
}

sub unescape
{
	my %char = (amp => '&', lt => '<', gt => '>', quot => '"');

	return $_[0] =~ s/&#(\d+);/my $c = chr $1; utf8::encode($c); $c/ger
	  =~ s/&#45;/-/gr =~ s/&(amp|lt|gt|quot);/$char{$1}/gr;
}

my ($nodes, $edges) = mermaid(graph('mermaid'));
my $shown = $quoted =~ s/\n/\\x0A/r;
is_deeply($nodes->{'public.tb_post'}, [ 'public.tb_post', 'about 50 rows' ],
	'rows of a table');
is_deeply(
	$nodes->{"$shown.tb_part"},
	[ "$shown.tb_part", 'about 3 rows' ],
	'rows of a partitioned table');
is_deeply(
	$nodes->{"$shown.$shown"},
	[ "$shown.$shown", 'rows not counted yet' ],
	'rows of a table that was not analyzed');
is($edges->{"$shown.$shown -> $shown.tv_part"}, 'all', 'rebuilds');
is($edges->{'public.tb_comment -> public.tv_post'}, 'local', 'local');
is($edges->{'public.tv_user -> public.tv_post'}, 'mapped', 'mapped');

# each edge is what pg_tviews_explain() says
my $explained = $node->safe_psql($db, q{
	SELECT count(DISTINCT (m.tview, e.source)) FROM pg_tview_meta m,
	pg_tviews_explain(format('%I.%I', m.schema, m.entity)) e});
is(scalar(keys %$edges), $explained, 'all edges');

# DOT has the same, as drawn
my ($drawn, $arrows) = svg(graph('dot'));
is_deeply($drawn, $nodes, 'the same nodes in DOT');
is_deeply($arrows, $edges, 'the same edges in DOT');
is( $node->safe_psql($db, 'SELECT pg_tviews_graph()'),
	$node->safe_psql($db, q{SELECT pg_tviews_graph('mermaid')}),
	'Mermaid is the default');

# times are those of the statistics
my $times = $node->safe_psql($db, q{
	UPDATE tb_user SET name = 'x' WHERE pk_user = 1;
	SELECT pg_tviews_graph();
	SELECT avg_refresh_ms FROM pg_tviews_performance_summary
	WHERE entity = 'user'});
my ($shown_ms) = $times =~
  m{"public\.tv_user<br/>about 10 rows<br/>([\d.]+) ms a refresh(?: in this session)?"};
my ($ms) = $times =~ /\n(.+)$/;
cmp_ok(abs($shown_ms - $ms), '<=', $ms < 10 ? 0.0051 : 0.51, 'average time');

# one TVIEW that is broken behind our backs
$node->safe_psql($db, q{
	ALTER EVENT TRIGGER pg_tviews_ddl_command_start DISABLE;
	ALTER EVENT TRIGGER pg_tviews_ddl_command_end DISABLE;
	CREATE OR REPLACE VIEW v_user AS
		SELECT u.pk_user, u.id, jsonb_build_object('t', p.title) AS data
		FROM tb_user u LEFT JOIN LATERAL
		(SELECT max(title) AS title FROM tb_post) p ON true;
	ALTER EVENT TRIGGER pg_tviews_ddl_command_start ENABLE;
	ALTER EVENT TRIGGER pg_tviews_ddl_command_end ENABLE;});
my ($broken, $ways) = svg(graph('dot'));
# where statistics are those of all sessions, the time stands there, too
is_deeply([ grep { !/ ms a refresh/ } @{ $broken->{'public.tv_user'} } ],
	[ 'public.tv_user', 'about 10 rows', 'cannot be maintained' ],
	'a broken TVIEW is said to be');
is($ways->{'public.tb_user -> public.tv_user'},
	'', 'and shown with what it read');
is($ways->{'public.tb_post -> public.tv_post'}, 'local', 'others as before');

is(sqlstate($node, $db, q{SELECT pg_tviews_graph('svg')}),
	'22023', 'an unknown format');

stop_and_check_log($node);
done_testing();
