# The audit log: it says where a client was, it is dumped and restored without
# rows of its own, and roles without rights are recorded but can't write to it.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('audit', q{listen_addresses = '127.0.0.1'});
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_tviews;
	CREATE ROLE alice LOGIN;
	CREATE ROLE team;
	CREATE ROLE auditor LOGIN;
	CREATE ROLE cleaner LOGIN;
	GRANT team TO alice;
	GRANT USAGE, CREATE ON SCHEMA public TO alice, team;
	GRANT pg_monitor TO auditor;
	GRANT EXECUTE ON FUNCTION pg_tviews_audit_purge TO cleaner;});
create_blog($node, 'postgres');
fill_blog($node, 'postgres');
$node->safe_psql('postgres', q{GRANT SELECT, TRIGGER ON tb_user TO alice, team});

# Run a script as a role, over TCP unless there is another host; returns the
# SQLSTATE of an error, or the output.
sub as_role
{
	my ($role, $sql, $host) = @_;
	my ($out, $err);

	$host //= '127.0.0.1';
	IPC::Run::run([ 'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d',
			"host=$host port=" . $node->port . " user=$role dbname=postgres application_name=tap" ],
		'<', \$sql, '>', \$out, '2>', \$err);
	chomp $out;
	return $err =~ /ERROR:\s+(\w{5})/ ? $1 : $err . $out;
}

# Who and where from
is(as_role('alice', q{
		SELECT pg_tviews_create('mine', 'SELECT pk_user AS pk_mine, to_jsonb(name) AS data FROM tb_user');
		SET ROLE team;
		CREATE TABLE tv_team AS SELECT pk_user AS pk_team, to_jsonb(name) AS data FROM tb_user;
		SELECT entity, owner, performed_by, performed_as, client_addr, client_port = inet_client_port(),
			client_addr = inet_client_addr(), application_name FROM pg_tviews_audit();
		RESET ROLE;
		SELECT count(*) FROM pg_tviews_audit();}),
	"tv_mine\nteam|team|alice|team|127.0.0.1|t|t|tap\n2", 'over TCP, and SET ROLE');
is(as_role('alice', q{
		SELECT pg_tviews_refresh('mine');
		SELECT operation, client_addr, client_port, application_name FROM pg_tviews_audit('mine') LIMIT 1;},
		$node->host),
	"(0,0,0)\nREFRESH|||tap", 'over a Unix socket');

# What an ordinary role can't
foreach my $sql ('SELECT count(*) FROM pg_tview_audit_log',
	q{INSERT INTO pg_tview_audit_log DEFAULT VALUES},
	q{UPDATE pg_tview_audit_log SET operation = 'CREATE'},
	q{DELETE FROM pg_tview_audit_log}, q{TRUNCATE pg_tview_audit_log},
	q{COPY pg_tview_audit_log FROM STDIN}, q{DROP TABLE pg_tview_audit_log},
	q{ALTER TABLE pg_tview_audit_log ENABLE ROW LEVEL SECURITY},
	q{SELECT setval('pg_tview_audit_log_log_id_seq', 1)},
	q{SELECT pg_tviews_audit_purge(now())})
{
	is(as_role('alice', $sql), '42501', "refused: $sql");
}
is(as_role('auditor', q{
		SELECT count(*) FROM pg_tview_audit_log;
		SELECT count(*) FROM pg_tviews_audit();}), "6\n6", 'members of pg_monitor see all');
is(as_role('auditor', q{DELETE FROM pg_tview_audit_log}), '42501', 'but can only read');
is(as_role('auditor', q{SELECT pg_tviews_audit_purge(now())}), '42501', 'nor purge');
is(as_role('cleaner', q{
		SELECT count(*) FROM pg_tviews_audit();
		SELECT pg_tviews_audit_purge('2020-01-01');}), "0\n0", 'who may purge sees nothing by that');
is(as_role('cleaner', q{DELETE FROM pg_tview_audit_log}), '42501', 'nor writes by other ways');

# Two transactions at once, one of them prepared and one of them rolled back
$node->safe_psql('postgres', q{
	BEGIN;
	CREATE TABLE tv_prepared AS SELECT pk_user AS pk_prepared, to_jsonb(name) AS data FROM tb_user;
	PREPARE TRANSACTION 'one';
	SELECT pg_tviews_refresh('post');});
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_tviews_audit('prepared')}),
	'0', 'not yet');
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', q{
		COMMIT PREPARED 'one';
		SELECT operation FROM pg_tviews_audit('prepared')}), 'CREATE', 'a prepared transaction, and a crash');

# A log like one of some history, whose names and roles are gone
$node->safe_psql('postgres', q{
	CREATE ROLE gone;
	GRANT CREATE ON SCHEMA public TO gone;
	ALTER TABLE tb_user RENAME COLUMN name TO full_name;
	ALTER TABLE tv_mine RENAME TO "tv_odd ""name""";
	GRANT SELECT ON tb_user TO gone;
	ALTER TABLE tv_team OWNER TO gone;
	DROP OWNED BY gone;
	DROP ROLE gone;

	-- what a restore makes one after the other
	SET ROLE team;
	CREATE TABLE tb_own (pk_own int PRIMARY KEY, n int);
	INSERT INTO tb_own VALUES (1, 1), (2, -1);
	CREATE TABLE tv_own AS SELECT pk_own, to_jsonb(n) AS data FROM tb_own;
	CREATE POLICY positive ON tb_own USING (n > 0);
	CREATE POLICY small ON tb_own AS RESTRICTIVE USING (n < 10);
	ALTER TABLE tb_own ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	RESET ROLE;
	CREATE UNLOGGED TABLE tb_quick (pk_quick int PRIMARY KEY);
	CREATE TABLE tv_quick AS SELECT pk_quick, to_jsonb(pk_quick) AS data FROM tb_quick;});
is($node->safe_psql('postgres', q{
		SELECT operation, owner FROM pg_tviews_audit('team')}),
	"DROP|gone\nALTER|gone\nALTER|team\nCREATE|team", 'a role that is gone');

# Dumps
my $log = q{SELECT * FROM pg_tview_audit_log ORDER BY log_id};
my $next = $node->safe_psql('postgres', 'SELECT max(log_id) FROM pg_tview_audit_log');

sub check_copy
{
	my ($db, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($node->safe_psql($db, $log), $node->safe_psql('postgres', $log),
		"$name: the log is the same");
	is_maintained($node, $db, $name);
	is($node->safe_psql($db, qq{
			DROP TABLE "tv_odd ""name""";
			SELECT operation, log_id > $next, details->>'version' = pg_tviews_version() FROM pg_tviews_audit() LIMIT 1}),
		'DROP|t|t', "$name: it goes on");
	is($node->safe_psql($db, q{
			SELECT pg_tviews_create(quote_ident(schema) || '.mine', details->>'definition', details->'options')
			FROM pg_tviews_audit('"odd ""name"""') WHERE operation = 'DROP' LIMIT 1}),
		'tv_mine', "$name: a TVIEW is made again from it");
	is_maintained($node, $db, "$name, with that");
	is($node->safe_psql($db, q{
			SELECT has_function_privilege('cleaner', 'pg_tviews_audit_purge(timestamptz)', 'EXECUTE'),
				has_function_privilege('auditor', 'pg_tviews_audit_purge(timestamptz)', 'EXECUTE'),
				has_table_privilege('auditor', 'pg_tview_audit_log', 'SELECT'),
				has_table_privilege('alice', 'pg_tview_audit_log', 'SELECT')}),
		't|f|t|f', "$name: so are privileges");
	return;
}

foreach my $how ([], ['--inserts'])
{
	my $db = 'plain' . @$how;
	$node->command_ok([ 'pg_dump', @$how, '-f', "$dir/$db.sql", $node->connstr('postgres') ],
		"pg_dump, plain @$how");
	$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE template0");
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f',
			"$dir/$db.sql", $node->connstr($db) ], 'psql restores it');
	check_copy($db, "plain @$how");
}
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/custom", $node->connstr('postgres') ],
	'pg_dump, custom');
foreach my $how ([ '-j', '2' ], ['--single-transaction'])
{
	my $db = 'custom' . @$how;
	$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE template0");
	$node->command_ok([ 'pg_restore', '-e', @$how, '-d', $node->connstr($db),
			"$dir/custom" ], "pg_restore @$how");
	check_copy($db, "custom @$how");
}

# A database of a role that is no superuser
$node->safe_psql('postgres', 'CREATE DATABASE own OWNER alice');
is($node->safe_psql('own', q{
		SET SESSION AUTHORIZATION alice;
		CREATE EXTENSION pg_tviews;
		CREATE SCHEMA mine;
		CREATE TABLE mine.tb_x (pk_x int PRIMARY KEY, y text);
		CREATE TABLE mine.tv_x AS SELECT pk_x, to_jsonb(y) AS data FROM mine.tb_x;
		DO $$ BEGIN PERFORM pg_tviews_refresh('mine.x'); END $$;
		SELECT count(*) FROM pg_tviews_audit();
		SELECT pg_tviews_audit_purge('infinity');}), "2\n1", 'who made the extension may purge');
is(sqlstate($node, 'own', q{SET SESSION AUTHORIZATION alice; DELETE FROM pg_tview_audit_log;}),
	'42501', 'but not write');
is($node->safe_psql('own', q{SELECT operation, performed_by FROM pg_tviews_audit()}),
	"PURGE|alice\nREFRESH|alice", 'which is recorded, and whose it is stays known');

stop_and_check_log($node);
done_testing();
