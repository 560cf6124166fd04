# scripts/backup_tviews.sh: what it writes can be restored, it says so truly,
# and whatever goes wrong is seen in its exit code and leaves nothing behind.
# scripts/drill_tviews.sh: plays the recovery, and notices what is wrong then.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $scripts = abs_path(dirname(__FILE__) . '/../../../scripts');
my $dir = PostgreSQL::Test::Utils::tempdir() . q{/it's a "folder"};
my $node = new_node('backup', 'fsync = off');
our $db = q{it's a "db" 100%};

mkdir $dir or die;
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
$node->safe_psql('postgres', q{
	CREATE ROLE "o'w ner" LOGIN;
	CREATE ROLE stranger LOGIN;
	CREATE DATABASE "it's a ""db"" 100%";});

# A connection string, as the script takes it, for the database of the test
# and a role
sub connection
{
	my ($role) = @_;

	(my $name = $db) =~ s/(['\\])/\\$1/g;
	return "dbname='$name'" . ($role ? " user=$role" : '');
}

# Run a script; return exit code, output, errors.
sub run_script
{
	return run("$scripts/backup_tviews.sh", @_);
}

sub run
{
	my ($out, $err) = ('', '');

	IPC::Run::run([@_], '>', \$out, '2>', \$err);
	chomp $out;
	return ($? >> 8, $out, $err);
}

# What is in the folder, but the lock
sub found
{
	opendir(my $handle, $dir) or die;
	return join(',', sort grep { !/^(\.|\.\.|\.tviews\.lock)$/ } readdir $handle);
}

sub fails_with
{
	my ($pattern, $name, @arguments) = @_;
	my $before = found();
	my ($status, $out, $err) = run_script(@arguments);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	cmp_ok($status, '>', 0, "$name: fails");
	is($out, '', "$name: no output");
	like($err, $pattern, "$name: says why");
	is(found(), $before, "$name: leaves nothing");
	return;
}

fails_with(qr/no extension pg_tviews/, 'no extension', $dir, connection());

$node->safe_psql($db, q{
	CREATE SCHEMA "odd; schema";
	CREATE EXTENSION pg_tviews SCHEMA "odd; schema";
	GRANT CREATE, USAGE ON SCHEMA public, "odd; schema" TO "o'w ner";});
create_blog($node, $db);
fill_blog($node, $db);
$node->safe_psql($db, q{
	GRANT SELECT, TRIGGER ON tb_user TO "o'w ner";
	SET ROLE "o'w ner";
	CREATE TABLE "odd; schema"."tv_Odd 'name'" AS
	SELECT pk_user AS "pk_Odd 'name'", to_jsonb(name) AS data FROM tb_user;
	RESET ROLE;
	GRANT SELECT ON tv_post TO stranger;
	CREATE SUBSCRIPTION nothing CONNECTION 'dbname=postgres' PUBLICATION nothing WITH (connect = false)});

# A good one
my ($status, $backup, $err) = run_script($dir, connection());
is("$status $err", '0 ', 'a backup is made');
like($backup, qr{^\Q$dir\E/tviews-it%27s%20a%20%22db%22%20100%25-\d{8}T\d{6}\.\d{3}Z$}, 'its name');
is(sprintf('%o', (stat $backup)[2] & 0777), '700', 'only for its owner');
is(join(' ', run_script('--verify', $backup, 'postgres')), '0  ', 'it can be verified');
is( $node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE datname ~ 'verify'}),
	'0', 'no scratch database is left');

# It restores what is missing, leaves what is there, and the log goes on.
my $meta = q{SELECT m::text FROM "odd; schema".pg_tview_meta m ORDER BY m.tview::text};
my $before = $node->safe_psql($db, $meta);
$node->safe_psql($db, q{
	CREATE TABLE tv_new AS SELECT pk_user AS pk_new, to_jsonb(name) AS data FROM tb_user;
	DELETE FROM "odd; schema".pg_tview_meta WHERE entity IN ('post', 'user');
	DELETE FROM "odd; schema".pg_tview_audit_log WHERE log_id < 3;});
my $restore = q{gunzip -c "$0"/metadata.sql.gz | psql -X -q -d "$1"};
$node->command_like([ 'bash', '-o', 'pipefail', '-c', $restore, $backup, connection() ],
	qr/^$/, 'the metadata restored') foreach 1, 2;
is( $node->safe_psql($db, q{
		SELECT count(*), count(*) FILTER (WHERE entity = 'new') FROM "odd; schema".pg_tview_meta;
		SELECT count(*), min(log_id), max(log_id) FROM "odd; schema".pg_tview_audit_log}),
	"5|1\n5|1|5", 'there is all that was, and what came since');
$node->safe_psql($db, 'DROP TABLE tv_new');
is($node->safe_psql($db, $meta), $before, 'as it was');
is($node->safe_psql($db, 'SELECT max(log_id) FROM "odd; schema".pg_tview_audit_log'), '6',
	'the numbers of the audit log go on');
is_maintained($node, $db, 'restored');

# Old ones go, once there is a new one; those of others stay.
my $other = "$dir/tviews-other-20200101T000000.000Z";
mkdir $other;
system_or_bail('touch', '-d', '3 days ago', $backup, $other);
is((run_script('-k', '4', $dir, connection()))[0], 0, 'keep four days');
ok(-d $backup, 'this one stays');
system_or_bail('touch', '-d', '3 days ago', $backup);
fails_with(qr/database "nowhere" does not exist/, 'no such database', '-k', '2', $dir, 'nowhere');
ok(-d $backup, 'after a failure, old ones stay');
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION pg_tviews');
is((run_script('-k', '2', $dir, 'other'))[0], 0, 'a backup of another database');
ok(-d $backup, 'this one stays');
ok(!-d $other, 'but its own old one goes');
is((run_script('-k', '02', $dir, connection()))[0], 0, 'keep two days');
ok(!-d $backup, 'this one goes');
is((run_script($dir, connection()))[0], 0, 'keep all');

($status, $backup, $err) = run_script('-k', '0', $dir, 'other');
is("$status $err", '0 ', 'keep no other');
ok(-d $backup, 'the new one stays');

# A database that belongs to no superuser, and TVIEWs of its owner in schema
# public
$node->safe_psql('postgres', q{
	CREATE ROLE "it\'s the
\! :owner";
	CREATE DATABASE owned OWNER "it\'s the
\! :owner";});
$node->safe_psql('owned', q{
	CREATE EXTENSION pg_tviews;
	SET ROLE "it\'s the
\! :owner";
	CREATE TABLE tb_x (pk_x int PRIMARY KEY, n int);
	INSERT INTO tb_x VALUES (1, 1);
	CREATE TABLE tv_x AS SELECT pk_x, to_jsonb(n) AS data FROM tb_x;});
(undef, $backup) = run_script($dir, 'owned');
is(join(' ', run_script('--verify', $backup, 'postgres')), '0  ', 'a database that belongs to a role: verified');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/.owned", '-d', 'owned' ], 'dumped');
is((run("$scripts/drill_tviews.sh", "$dir/.owned", $backup, 'postgres'))[0], 0, 'and the drill');

# Nobody can have the scripts run their code as a superuser: not by the name of a
# schema, nor by a TVIEW that nobody is said to have owned.
$node->safe_psql('postgres', 'CREATE ROLE mallory; CREATE DATABASE lines OWNER mallory; CREATE DATABASE forged OWNER mallory');
# (servers may refuse to make an extension in such a schema, but not to rename it)
$node->safe_psql('lines', qq{SET ROLE mallory; CREATE SCHEMA s; CREATE EXTENSION pg_tviews SCHEMA s;
	ALTER SCHEMA s RENAME TO "s\nALTER ROLE mallory SUPERUSER;\nx"});
$node->safe_psql('forged', q{
	SET ROLE mallory;
	CREATE EXTENSION pg_tviews;
	CREATE FUNCTION evil() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
	BEGIN
		IF current_user <> 'mallory' THEN
			EXECUTE 'ALTER ROLE mallory SUPERUSER';
		END IF;
		RETURN 1;
	END $$;
	CREATE TABLE tb_x (pk_x int PRIMARY KEY);
	CREATE TABLE tv_x (pk_x int PRIMARY KEY, data jsonb NOT NULL, updated_at timestamptz NOT NULL);
	CREATE VIEW v_x AS SELECT pk_x, to_jsonb(evil()) AS data FROM tb_x;
	INSERT INTO pg_tview_meta VALUES ('x', 'public', 'tv_x', 'v_x', 'tb_x', 'pk_x',
		'SELECT pk_x, to_jsonb(public.evil()) AS data FROM public.tb_x', '{tb_x}', '{}', '{}', '{}', now(), '');});
foreach ([ lines => qr/^$|invalid string in extension "pg_tviews" schema/ ], [ forged => qr/triggers|nobody knows whose/ ])
{
	my ($name, $pattern) = @$_;

	(undef, $backup) = run_script($dir, $name);
	(undef, undef, $err) = run_script('--verify', $backup, 'postgres');
	like($err, $pattern, "$name: verification");
	is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}),
		'f', "$name: does nothing as a superuser");
	$node->safe_psql('postgres', 'ALTER ROLE mallory NOSUPERUSER');
}

# What goes wrong
fails_with(qr/^usage|^backup_tviews/, 'usage', @$_)
  foreach [], ['-k'], [ '-k', 'x', $dir ], [ '-k', '100000', $dir ], [ '-x', $dir ], [ $dir, 'a', 'b' ], ['--verify'],
  [ '--verify', '-k', '1', $dir ];
fails_with(qr/no such folder/, 'no folder', "$dir/none", connection());
fails_with(qr/permission denied/, 'no privileges', $dir, connection('stranger'));
{
	local $ENV{PGHOST} = "$dir/no server";
	fails_with(qr/connection to server/, 'no server', $dir, connection());
}
{
	# a password is asked for, and there is none, or a wrong one
	my $hba = $node->data_dir . '/pg_hba.conf';
	my $rules = slurp_file($hba);
	$node->safe_psql('postgres', q{ALTER ROLE stranger PASSWORD 'right'});
	unlink $hba;
	append_to_file($hba, "local all stranger scram-sha-256\n$rules");
	$node->reload;
	fails_with(qr/no password supplied/, 'no password', $dir, connection('stranger'));
	local $ENV{PGPASSWORD} = 'wrong';
	fails_with(qr/password authentication failed/, 'wrong password', $dir, connection('stranger'));
}
{
	my $holder = IPC::Run::start([ 'flock', "$dir/.tviews.lock", 'sh', '-c', 'echo held; exec cat' ],
		'<pipe', \*TO, '>pipe', \*FROM);
	is(scalar(<FROM>), "held\n", 'somebody holds the lock');
	fails_with(qr/another backup .* is running/, 'two at once', $dir, connection());
	close TO;
	$holder->finish;
}
{
	# no pg_dump; one that fails in the middle; a full disk
	my $bin = PostgreSQL::Test::Utils::tempdir();
	foreach my $program (qw(bash cat cut date find flock gzip mktemp mv od psql pg_restore rm sed sha256sum sync tr))
	{
		chomp(my $path = `which $program`);
		symlink $path, "$bin/$program" or die;
	}
	local $ENV{PATH} = $bin;
	fails_with(qr/pg_dump is not installed/, 'no pg_dump', $dir, connection());
	append_to_file("$bin/pg_dump", "#!/bin/bash\necho '-- begun'\necho broken >&2\nexit 1\n");
	chmod 0755, "$bin/pg_dump";
	fails_with(qr/broken/, 'pg_dump fails', $dir, connection());
	unlink "$bin/gzip", "$bin/pg_dump";
	append_to_file("$bin/pg_dump", "#!/bin/bash\necho data\n");
	append_to_file("$bin/gzip", "#!/bin/bash\nexec cat >/dev/full\n");
	chmod 0755, "$bin/gzip", "$bin/pg_dump";
	fails_with(qr/No space left/, 'disk full', $dir, connection());
}

{
	# a file that grows too large; a signal in the middle of a backup, and of a
	# verification
	my ($out, $err) = ('', '');
	my $before = found();
	IPC::Run::run([ 'bash', '-c', 'ulimit -f 4; trap "" XFSZ; exec "$@"', 'bash', "$scripts/backup_tviews.sh", $dir, connection() ],
		'>', \$out, '2>', \$err);
	cmp_ok($? >> 8, '>', 0, 'file too large: fails');
	like($err, qr/File too large/, 'file too large: says why');
	is(found(), $before, 'file too large: leaves nothing');

	my (undef, $made) = run_script($dir, connection());
	my $bin = PostgreSQL::Test::Utils::tempdir();
	foreach my $program (qw(pg_dump pg_restore))
	{
		append_to_file("$bin/$program", "#!/bin/bash\nkill -TERM \$PPID\n");
		chmod 0755, "$bin/$program";
	}
	local $ENV{PATH} = "$bin:$ENV{PATH}";
	fails_with(qr/^(Terminated\n)?$/, 'SIGTERM', $dir, connection());
	fails_with(qr/^(Terminated\n)?$/, 'SIGTERM, verification', '--verify', $made, 'postgres');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE datname ~ 'verify'}),
		'0', 'SIGTERM: no scratch database is left');
}

# One right after the other; names with newlines, which must not become commands
# of whoever restores the backup; and TVIEWs that read views of TVIEWs.
{
	local $db = "an odd\n\"name'";
	my $schema = qq{"a\nCREATE TABLE sprung (); --"};

	(my $quoted = $db) =~ s/"/""/g;
	$node->safe_psql('postgres', qq{CREATE DATABASE "$quoted"});
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', connection(), '-c', qq{
		SET client_min_messages = warning;
		CREATE SCHEMA $schema;
		CREATE SCHEMA "odd; ext";
		CREATE EXTENSION pg_tviews SCHEMA "odd; ext";
		CREATE TABLE "tb_\nuser" (pk_user int PRIMARY KEY, name text);
		INSERT INTO "tb_\nuser" SELECT i, 'user ' || i FROM generate_series(1, 10) AS i;}, '-c', qq{
		CREATE TABLE $schema."tv_x\n'y" AS SELECT pk_user AS "pk_x\n'y", to_jsonb(name) AS data FROM "tb_\nuser";}, '-c', qq{
		CREATE VIEW "helper\n1" AS SELECT "pk_x\n'y" AS pk, data FROM $schema."v_x\n'y";
		CREATE VIEW helper2 AS SELECT pk, jsonb_build_object('data', data) AS data FROM "helper\n1";}, '-c', q{
		CREATE TABLE tv_a AS SELECT pk AS pk_a, data FROM helper2;}, '-c', q{
		GRANT CREATE ON SCHEMA public TO "o'w ner";
		GRANT SELECT, TRIGGER ON tv_a TO "o'w ner";
		SET ROLE "o'w ner";
		CREATE VIEW helper3 AS SELECT pk_a AS pk, data FROM tv_a;
		RESET ROLE;
		GRANT SELECT ON helper3 TO stranger;}, '-c', q{
		CREATE TABLE tv_b AS SELECT pk AS pk_b, data FROM helper3;} ], 'a database with odd names');
	for my $n (1 .. 3)
	{
		($status, $backup, $err) = run_script($dir, connection());
		is("$status $err", '0 ', "backup $n right after another one");
	}
	is(join(' ', run_script('--verify', $backup, 'postgres')), '0  ', 'odd names, verified');
	$node->command_ok([ 'bash', '-o', 'pipefail', '-c', $restore, $backup, connection() ], 'odd names, restored');
	$node->command_like([ 'psql', '-XAtq', '-d', connection(), '-c', q{SELECT to_regclass('sprung') IS NULL} ], qr/^t$/,
		'odd names: no trap is sprung');
}

# Verification finds what is wrong
sub damaged
{
	my ($name, $pattern, $damage) = @_;
	my (undef, $made) = run_script($dir, connection());

	$damage->($made);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	fails_with($pattern, $name, '--verify', $made, 'postgres');
	is( $node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE datname ~ 'verify'}),
		'0', "$name: no scratch database is left");
	return;
}

sub change_metadata
{
	my ($made, $change) = @_;

	system_or_bail('bash', '-euo', 'pipefail', '-c', qq{cd "\$0"; gunzip -c metadata.sql.gz | $change | gzip >new;
		mv new metadata.sql.gz; sha256sum metadata.sql.gz schema.dump >SHA256SUMS}, $made);
	return;
}

damaged('a byte is different', qr/is damaged/, sub {
	append_to_file("$_[0]/schema.dump", 'x');
});
damaged('a file is missing', qr/is damaged/, sub { unlink "$_[0]/metadata.sql.gz" });
damaged('a checksum is missing', qr/is damaged/, sub {
	system_or_bail('sed', '-i', '2d', "$_[0]/SHA256SUMS");
});
damaged('a definition is wrong', qr/TVIEWs? .*post/, sub {
	change_metadata($_[0], q{sed "s/p\.title/p.subject/"});
});
damaged('a TVIEW is missing', qr/tv_comment was a TVIEW, whose metadata are lost/, sub {
	change_metadata($_[0], q{sed 's/^COMMIT/DELETE FROM "odd; schema".pg_tview_meta WHERE entity = $$comment$$;\n&/'});
});

# The drill
sub drill
{
	my $to = shift;
	my ($status, $made, $err) = run_script($dir, connection());

	$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/.all", '-d', connection() ], 'a dump');
	my @result = run("$scripts/drill_tviews.sh", "$dir/.all", $made, $to);
	is( $node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE datname ~ 'drill'}),
		'0', 'no scratch database is left');
	return @result;
}

my $out;
foreach my $to ('postgres', 'dbname=postgres user=' . getpwuid($<), 'postgresql:///postgres')
{
	($status, $out, $err) = drill($to);
	is("$status $err", '0 ', "drill: $to");
	like($out, qr/^played.*\ndump\t[\d.]+\t160\t170\nmetadata\t[\d.]+\t160\t170\nrepair\t[\d.]+\t160\t170$/,
		"drill: $to: all rows are there");
}
$node->safe_psql($db, q{
	SET session_replication_role = replica;
	UPDATE tb_post SET title = 'drift' WHERE pk_post = 1;});
($status, $out, $err) = drill('postgres');
cmp_ok($status, '>', 0, 'drill: a wrong TVIEW');
like($err, qr/dump: not equal to its view: .*tv_post/s, 'drill: says which');
is((run("$scripts/drill_tviews.sh", "$dir/.all"))[0], 2, 'drill: usage');

stop_and_check_log($node);
done_testing();
