# Faults that take several sessions or servers: each is made, the health check
# finds it, it is mended, and nothing is found any more.  The plug-in for
# monitoring agents says the same.

use strict;
use warnings;

use Cwd qw(abs_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $plugin = abs_path('../scripts/check_tviews');
my $db = 'postgres';
my $node = new_node('health');
my $shared = $node->safe_psql($db, 'SHOW server_version_num') >= 170000;

# The extension is not in the search path of anybody who asks.
$node->safe_psql($db, q{
	CREATE SCHEMA "Extension 1";
	CREATE EXTENSION pg_tviews SCHEMA "Extension 1";
	CREATE ROLE monitor LOGIN IN ROLE pg_monitor;
	GRANT USAGE ON SCHEMA "Extension 1" TO monitor;
	CREATE ROLE nobody LOGIN;
	GRANT USAGE ON SCHEMA "Extension 1" TO nobody;
	CREATE DATABASE without;
	CREATE DATABASE publisher;});
create_blog($node, $db);
fill_blog($node, $db);

# Findings as the role for monitoring gets them
sub findings
{
	my ($server, $setup) = @_;

	return $server->safe_psql($db, ($setup // '') . q{;
		SELECT status, component FROM "Extension 1".pg_tviews_health_check(5)
		WHERE status <> 'OK' ORDER BY 1, 2}, extra_params => [ '-U', 'monitor' ]);
}

sub message
{
	my ($component, $setup) = @_;

	return $node->safe_psql($db, ($setup // '') . qq{;
		SELECT message FROM "Extension 1".pg_tviews_health_check()
		WHERE component = '$component'}, extra_params => [ '-U', 'monitor' ]);
}

# Exit code and line of the plug-in, without figures that may vary
sub plugin
{
	my (@arguments) = @_;
	my ($out, $err);

	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGUSER} = 'monitor';
	IPC::Run::run([ $plugin, @arguments ], '<', '/dev/null', '>', \$out, '2>', \$err);
	my $code = $? >> 8;
	$out =~ s/time=[\d.]+s/time=(t)s/;
	return "$code $out$err";
}

# ----------
# Nothing wrong
# ----------

my $figures = 'tviews=3;;;0 time=(t)s;;;0';
is(findings($node), '', 'nothing is found');
is(plugin('-s', 5, $db),
	"0 TVIEWS OK: 17 components checked | errors=0;;0;0 warnings=0;0;;0 $figures\n",
	'the plug-in says so');
foreach my $component (qw(queue cache statistics))
{
	($shared ? \&unlike : \&like)->(message($component),
		qr/this session only, as the library is not preloaded/,
		"$component: other sessions, or not");
}

# ----------
# What the plug-in can't find out
# ----------

foreach (
	[ 'no such database', qr/database "nothing" does not exist/, 'nothing' ],
	[ 'no extension', qr/the extension pg_tviews is not in this database/, 'without' ],
	[ 'no right', qr/permission denied for function/, "dbname=$db user=nobody" ],
	[ 'no server', qr/connection to server/, "host=" . $node->host . " port=1 dbname=$db" ],
	[ 'an option that there is not', qr/usage: /, '-x', $db ],
	[ 'an argument too many', qr/usage: /, $db, $db ],
	[ 'not a number', qr/usage: /, '-s', 'x;y', $db ])
{
	my ($name, $pattern, @arguments) = @$_;
	my $result = plugin(@arguments);

	like($result, qr/^3 TVIEWS UNKNOWN: .*$pattern.*\n$/, "unknown: $name");
}
my $locker = $node->background_psql($db);
$locker->query_safe('BEGIN; LOCK TABLE tb_user');
like(plugin('-t', 1, $db), qr/^3 TVIEWS UNKNOWN: .*statement timeout\n$/, 'unknown: too slow');
$locker->query_safe('COMMIT');
is(findings($node), '', 'nothing is left of that');

# ----------
# A warning, an error, both
# ----------

$node->safe_psql($db, 'DROP INDEX tb_comment_fk_post_idx');
is(plugin($db), "1 TVIEWS WARNING: indexes: a look-up of refreshes has no index: "
	. "CREATE INDEX ON public.tb_comment (fk_post) | errors=0;;0;0 warnings=1;0;;0 $figures\n",
	'plug-in: a warning');
$node->safe_psql($db, q{
	ALTER TABLE tb_user DISABLE TRIGGER "!tview_capture";
	UPDATE tb_user SET name = 'unnoticed';});
is(findings($node), "ERROR|drift\nERROR|triggers\nWARNING|indexes", 'an error and a warning');
like(plugin('-s', 100, $db), qr/^2 TVIEWS CRITICAL: drift: TVIEW public.tv_user is not what its view returns for 10 of 10 keys: [^;]*; triggers: [^|]*; indexes: [^|]* \| errors=2;;0;0 warnings=1;0;;0 /,
	'plug-in: errors first');
like(plugin($db), qr/^2 TVIEWS CRITICAL: triggers: [^|]* \| errors=1;;0;0 warnings=1;0;;0 /,
	'plug-in: no drift unless asked for');
$node->safe_psql($db, q{
	SET search_path = public, "Extension 1";
	CREATE INDEX ON tb_comment (fk_post);
	SELECT pg_tviews_reinstall_triggers();
	SELECT pg_tviews_repair();});
is(findings($node), '', 'mended');
$node->safe_psql($db, qq{ALTER TABLE tb_user RENAME TO "a|b\nc";
	ALTER TABLE "a|b\nc" DISABLE TRIGGER "!tview_capture"});
like(plugin($db), qr/^2 TVIEWS CRITICAL: triggers: .*public."a\/b c".* \| errors=1;.*\n$/,
	'plug-in: one line, whatever the names');
$node->safe_psql($db, qq{ALTER TABLE "a|b\nc" RENAME TO tb_user;
	ALTER TABLE tb_user ENABLE TRIGGER "!tview_capture"});
is(findings($node), '', 'mended');

# ----------
# What sessions do
# ----------

$node->append_conf('postgresql.conf',
	"shared_preload_libraries = '" . library($node) . "'");
$node->restart;
my $impatient = 'SET pg_tviews.health_max_wait = 0';
foreach my $component (qw(queue cache statistics))
{
	unlike(message($component), qr/this session only/, "$component: of all sessions");
}

# An open transaction that has changed something
my $writer = $node->background_psql($db);
$writer->query_safe(q{BEGIN; UPDATE tb_user SET name = 'waiting' WHERE pk_user = 1});
is(findings($node), '', 'an open transaction is no fault');
is(message('queue'), '1 changes of 1 sessions are waiting', 'but said');
is(findings($node, $impatient), 'WARNING|queue', 'it is one after a while');
like(message('queue', $impatient), qr/^process \d+ \(\S+\) has 1 changes of user, the oldest since/,
	'which says who and what');
$writer->query_safe('COMMIT');
is(findings($node, $impatient), '', 'committed');

# Prepared, and another one that waits for it
$node->safe_psql($db, q{BEGIN; UPDATE tb_user SET name = 'prepared' WHERE pk_user = 1;
	PREPARE TRANSACTION 'left''over'});
is(findings($node, $impatient), 'WARNING|queue', 'a prepared transaction');
like(message('queue', $impatient), qr/^prepared transaction 'left''over' holds locks of TVIEWs since/,
	'which says how it is called');
my $waiter = $node->background_psql($db);
$waiter->query_safe(q{BEGIN; UPDATE tb_post SET title = 'x', fk_user = 2 WHERE pk_post = 1});
$waiter->query_until(qr/commit/, "\\echo commit\nCOMMIT;\n");
$node->poll_query_until($db, q{SELECT count(*) > 0 FROM "Extension 1".pg_tviews_locks
	WHERE NOT granted AND waitstart IS NOT NULL}) or die 'nobody waits';
like(message('queue', $impatient), qr/^1 processes wait for locks of TVIEW public\.tv_\w+, the first since .*; held by 0$/m,
	'a session that waits');
$node->safe_psql($db, q{COMMIT PREPARED 'left''over'});
$waiter->query_safe('SELECT 1');
is(findings($node, $impatient), '', 'committed');
$_->quit for $locker, $writer, $waiter;
is_maintained($node, $db, 'queues');

# Plans that are made for nothing
$node->safe_psql($db, q{
	DO $$
	BEGIN
		FOR i IN 1 .. 1100 LOOP
			UPDATE pg_class SET reltuples = i WHERE oid = 'tb_user'::regclass;
			PERFORM "Extension 1".pg_tviews_explain('public.user');
		END LOOP;
	END $$;});
is(findings($node), 'WARNING|cache', 'many plans');
like(message('cache'), qr/^sessions have made 1\d\d\d plans for \d+ refreshes/, 'which says how many');
$node->safe_psql($db, 'SELECT "Extension 1".pg_tviews_stats_reset()');
is(findings($node), '', 'counted anew');

# A refresh that fails
$node->safe_psql($db, q{ALTER TABLE tv_user ADD CONSTRAINT short CHECK (length(data ->> 'name') < 10)});
is(sqlstate($node, $db, q{UPDATE tb_user SET name = 'far too long' WHERE pk_user = 1}), '23514', 'a refresh fails');
is(findings($node), 'WARNING|statistics', 'which is found');
unlike(message('statistics'), qr/far too long/, 'without values');
$node->safe_psql($db, q{UPDATE tb_user SET name = 'short' WHERE pk_user = 1});
is(findings($node), '', 'the next one has worked');

# ----------
# Other servers
# ----------

# A subscription: what applies changes fires ALWAYS triggers only
$node->safe_psql('publisher', q{
	CREATE TABLE tb_user (pk_user int PRIMARY KEY, id uuid, name text);
	CREATE PUBLICATION blog FOR TABLE tb_user;
	SELECT pg_create_logical_replication_slot('blog', 'pgoutput');});
subscribe($node, $db, 'blog', $node, 'publisher',
	'blog WITH (create_slot = false, enabled = false, copy_data = false)');
is(findings($node), join("\n", ('ERROR|replication') x 6),
	'capture triggers of the table and of the TVIEWs that it cascades to');
my $trigger = q{
	DO $$
	DECLARE r record;
	BEGIN
		FOR r IN SELECT message FROM "Extension 1".pg_tviews_health_check()
				 WHERE component = 'replication' AND status = 'ERROR' LOOP
			EXECUTE substring(r.message FROM 'run (ALTER TABLE .*)$');
		END LOOP;
	END $$};
$node->safe_psql($db, $trigger);
is(findings($node), '', 'the statements in the messages mend it');
$node->safe_psql($db, q{DROP SUBSCRIPTION blog});

# A standby
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
is(findings($standby), '', 'a standby can be asked, samples of rows included');
$node->safe_psql($db, q{ALTER TABLE tb_user DISABLE TRIGGER "!tview_capture"});
$node->wait_for_catchup($standby);
is(findings($standby), 'ERROR|triggers', 'a standby finds what is wrong with the primary');
$node->safe_psql($db, q{ALTER TABLE tb_user ENABLE TRIGGER "!tview_capture"});

is_maintained($node, $db, 'at the end');
stop_and_check_log($standby);
stop_and_check_log($node);
done_testing();
