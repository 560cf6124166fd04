# Pages of docs/operations/, played through: the commands of a page are run as
# they stand there, with the output that is shown there.
#
# A block of a page belongs to the chapter that it is in, which is its number
# ('' before the first), and there to the part that stands in bold at the
# beginning of a paragraph.  Blocks of sql and sh are run; "sql fails CODE" is
# one that fails; and text is what the block before it prints, where an ellipsis
# stands for anything.

package PageTest;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/../../..');

# A page to be run on a node, which may be changed by {node}; {dir} is where its
# commands are run, and {env} what they find in the environment.
sub new
{
	my ($class, $name, $node, %env) = @_;

	return bless {
		blocks => read_page("$top/docs/operations/$name.md"),
		node => $node,
		dir => PostgreSQL::Test::Utils::tempdir(),
		env => { PATH => "$top/scripts:$ENV{PATH}", %env },
		played => {},
	}, $class;
}

# The blocks of a page: chapter, part, and then [language, SQLSTATE expected,
# text, output expected]
sub read_page
{
	my ($chapter, $part) = ('', '');
	my (%blocks, $block);

	foreach my $line (split /\n/, slurp_file(shift))
	{
		if ($block)
		{
			if ($line eq '```')
			{
				if ($block->[0] eq 'text')
				{
					$blocks{$chapter}{$part}[-1][3] = $block->[2];
				}
				else
				{
					push @{ $blocks{$chapter}{$part} }, $block;
				}
				undef $block;
				next;
			}
			$block->[2] .= "$line\n";
		}
		elsif ($line =~ /^```(\w+)(?: fails (\w+))?$/)
		{
			$block = [ $1, $2, '' ];
		}
		elsif ($line =~ /^## (?:(\d+)\.)?/)
		{
			($chapter, $part) = ($1 // '', '');
		}
		elsif ($line =~ /^\*\*(\w[\w ]*?)\.?\*\*/)
		{
			$part = $1;
		}
	}
	return \%blocks;
}

# Output as the page shows it: rules and spaces don't count, and an ellipsis
# stands for anything.
sub pattern
{
	my $text = shift;
	my @lines = grep { $_ ne '' && !/^[-+ ]+$/ } split /\n/, $text;
	my $pattern = join('\n',
		map { join('.*', map { quotemeta } split(/…/, squeeze($_), -1)) } @lines);

	# an ellipsis of its own is any number of lines
	$pattern =~ s/\\n\.\*(?=\\n|$)/(?:\\n.*)*/g;
	return qr/^$pattern(?:\n\(\d+ rows?\))?$/;
}

sub squeeze
{
	my $text = shift;

	$text =~ s/\xe2\x80\xa6/…/g;
	$text =~ s/ *\| */|/g;
	$text =~ s/^ +| +$//mg;
	$text =~ s/[ \t]+/ /g;
	return $text;
}

# Run one block; return its output.
sub run_block
{
	my ($self, $db, $block, $name) = @_;
	my ($language, $fails, $text, $expected) = @$block;
	my ($out, $err) = ('', '');
	my $command = $language eq 'sh' ? [ 'bash', '-euo', 'pipefail' ]
	  : [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=sqlstate', '-f', '-' ];
	my ($title) = $text =~ /^(.*)$/m;

	local %ENV = (%ENV, %{ $self->{env} });
	local $ENV{PGHOST} = $self->{node}->host;
	local $ENV{PGPORT} = $self->{node}->port;
	local $ENV{PGDATABASE} = $db;
	my $ok = IPC::Run::run($command, '<', \$text, '>', \$out, '2>', \$err,
		init => sub { chdir $self->{dir} or die "$self->{dir}: $!" });
	if ($fails)
	{
		like($err, qr/ERROR:  $fails/, "$name: fails with $fails: $title");
	}
	else
	{
		ok($ok, "$name: $title") or diag($err);
	}
	if (defined $expected)
	{
		my $got = join("\n", grep { $_ ne '' && !/^[-+ ]+$/ } split(/\n/, squeeze($out)));
		like($got, pattern($expected), "$name: output of it");
	}
	return $out;
}

sub run_part
{
	my ($self, $db, $chapter, $part) = @_;
	my $of = $self->{blocks}{$chapter}{$part} or die "no commands of $part in $chapter";

	$self->mark_played($chapter, $part);
	$self->run_block($db, $_, "$chapter $part") foreach @$of;
	return;
}

# Commands that a test runs in another way count as run, too.
sub mark_played
{
	my ($self, $chapter, $part) = @_;

	$self->{played}{"$chapter $part"} = 1;
	return;
}

# Parts of these chapters, or of all, whose commands were not run
sub not_played
{
	my ($self, @chapters) = @_;

	@chapters = sort keys %{ $self->{blocks} } if !@chapters;
	return join(', ', grep { !$self->{played}{$_} }
		  map { my $chapter = $_; map { "$chapter $_" } sort keys %{ $self->{blocks}{$chapter} } } @chapters);
}

1;
