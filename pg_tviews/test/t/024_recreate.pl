# TVIEWs are made again from the metadata: in a database that has lost the
# extension, in one that has only the base tables, and where some are missing.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('recreate', 'fsync = off');
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', q{
	CREATE ROLE alice LOGIN;
	CREATE ROLE bob LOGIN;
	CREATE SCHEMA ext;
	CREATE EXTENSION pg_tviews SCHEMA ext;
	GRANT CREATE ON SCHEMA public TO alice;
	GRANT USAGE ON SCHEMA ext TO alice, bob;});
create_blog($node, 'postgres');
fill_blog($node, 'postgres');
$node->safe_psql('postgres', q{
	GRANT SELECT, TRIGGER ON tb_user TO alice;
	CREATE SCHEMA "odd; schema";
	CREATE TABLE "odd; schema"."tv_Odd ""name""" AS
	SELECT pk_user AS "pk_Odd ""name""", to_jsonb(name) AS data FROM tb_user;

	-- read through a plain view; with a function that reads a table
	CREATE VIEW named AS SELECT pk_user, name FROM tb_user;
	CREATE TABLE tb_rate (rate int);
	INSERT INTO tb_rate VALUES (2);
	CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql
		RETURN $1 * (SELECT sum(rate)::int FROM public.tb_rate);
	SELECT ext.pg_tviews_create('rated',
		'SELECT pk_user AS pk_rated, to_jsonb(twice(pk_user)) AS data FROM named',
		'{"on_unmapped": "rebuild", "reads": {"twice(int)": ["tb_rate"]}}');

	-- somebody else's
	SET ROLE alice;
	CREATE TABLE tv_alice AS SELECT pk_user AS pk_alice, to_jsonb(name) AS data FROM tb_user;
	RESET ROLE;

	-- two have changed places, and have the keys of before
	ALTER TABLE tv_comment RENAME TO tv_remark;
	CREATE TABLE tv_comment AS
	SELECT pk_comment, jsonb_build_object('post', data -> 'post') AS data FROM v_remark;});

my $meta = q{SELECT entity, schema, tview, view, root, key_column, definition,
	(SELECT string_agg(d::text, ',' ORDER BY d::text) FROM unnest(dependencies) d), fk_columns, uuid_columns,
	options, policies, relowner::regrole,
	(SELECT string_agg(regexp_replace(pg_get_indexdef(indexrelid), '^.* ON ', ''), ',' ORDER BY pg_get_indexdef(indexrelid))
	 FROM pg_index WHERE indrelid = tview)
	FROM ext.pg_tview_meta LEFT JOIN pg_class ON oid = tview ORDER BY tview::text};
my $made = $node->safe_psql('postgres', $meta);
my @tables = map { ('-t', "ext.pg_tview_$_") } qw(meta helpers audit_log);
my $fault = q{SELECT component, message FROM ext.pg_tviews_health_check() WHERE status = 'ERROR'};

my ($status, $out, $err);

sub recreate
{
	my ($db, $arg) = @_;

	return $node->safe_psql($db, "SELECT * FROM ext.pg_tviews_recreate($arg)");
}

# Lose the extension of a database that is in use, and restore the metadata.
sub lose
{
	my ($db, @restore) = @_;

	$node->safe_psql($db, 'DROP EXTENSION pg_tviews CASCADE');
	$node->safe_psql($db, q{UPDATE tb_user SET name = 'meanwhile' WHERE pk_user = 3});
	$node->safe_psql($db, 'CREATE EXTENSION pg_tviews SCHEMA ext');
	$node->command_ok([ @restore, $node->connstr($db) ], "$db: metadata restored");
	return;
}

sub check_recreated
{
	my $db = shift;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($node->safe_psql($db, $meta), $made, "$db: as they were");
	is_maintained($node, $db, "$db, made again");
	$node->safe_psql($db, q{
		UPDATE tb_user SET name = name || '!' WHERE pk_user < 4;
		UPDATE tb_rate SET rate = rate + 1;
		DELETE FROM tb_post WHERE pk_post % 7 = 0;
		UPDATE tb_comment SET fk_post = 1 WHERE pk_comment % 10 = 0;});
	is($node->safe_psql($db, q{SELECT data #>> '{author,name}' FROM tv_post WHERE pk_post = 1}),
		$node->safe_psql($db, q{SELECT name FROM tb_user WHERE pk_user = 1}), "$db: maintained");
	is_maintained($node, $db, "$db, after changes");
	is($node->safe_psql($db, $fault), '', "$db: healthy");
	return;
}

# ----------
# The extension is lost, in a database that is in use
# ----------

$node->command_ok([ 'pg_dump', @tables, '-f', "$dir/meta.sql", $node->connstr('postgres') ],
	'pg_dump of the metadata, plain');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/all", $node->connstr('postgres') ],
	'pg_dump of all');
$node->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE postgres") foreach qw(live parts fails late);

my @plain = ('psql', '-Xq', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/meta.sql");
lose('live', @plain);
is($node->safe_psql('live', 'SELECT count(*), count(*) FILTER (WHERE tview = 0::oid AND view = 0::oid) FROM ext.pg_tview_meta'),
	'7|7', 'rows of TVIEWs that are not there');
like($node->safe_psql('live', $fault), qr/^metadata\|table of TVIEW "Odd "name"" is missing: pg_tviews_recreate/,
	'the health check says what to do');
is($node->safe_psql('live', 'SELECT count(*), count(tview) FILTER (WHERE tview <> 0) FROM ext.pg_tviews_performance_summary'),
	'7|0', 'and so does the summary show them');

# a dump keeps what is not made yet
$node->command_ok([ 'pg_dump', '-f', "$dir/between.sql", $node->connstr('live') ], 'pg_dump of what is missing');
$node->safe_psql('postgres', 'CREATE DATABASE between TEMPLATE template0');
$node->command_ok([ 'psql', '-Xq', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/between.sql",
		$node->connstr('between') ], 'restored');
foreach my $db (qw(live between))
{
	my $result = recreate($db, '');

	like($result, qr/^(?=.*tv_user\|created\n.*tv_post\|created\n.*tv_remark\|created\n.*tv_comment\|created)/s,
		"$db: in the order of what they read");
	is(scalar(split /\n/, $result), 7, "$db: all of them");
	check_recreated($db);
	is(recreate($db, ''), '', "$db: nothing is missing any more");
	is(recreate($db, q{'post'}), '', "$db: not this one");
	is($node->safe_psql($db, q{SELECT count(*) FROM ext.pg_tview_audit_log WHERE details ->> 'command' = 'pg_tviews_recreate'}),
		'7', "$db: recorded");
	is(sqlstate($node, $db, q{SELECT ext.pg_tviews_recreate('nobody')}), '42704', "$db: not known");
}

# ----------
# Some of them; roles
# ----------

lose('parts', 'pg_restore', '-e', '-a', (map { s/^ext\.//r } @tables), "$dir/all", '-d');
$node->safe_psql('parts', q{UPDATE ext.pg_tview_meta SET suspended = now() WHERE entity = 'post'});
($status, $out, $err) = $node->psql('parts', q{BEGIN; SELECT * FROM ext.pg_tviews_recreate('post'); ROLLBACK});
like($err, qr/^[^\n]*NOTICE: [^\n]*TVIEW public.tv_post was suspended, and is refreshed again/, 'it says that one was suspended');
unlike($err, qr/tv_user was suspended/, 'and only of that one');
is(recreate('parts', q{'remark'}), "tv_user|created\ntv_post|created\ntv_remark|created",
	'one, after those that it reads');
is($node->safe_psql('parts', q{
		SET ROLE bob; SELECT * FROM ext.pg_tviews_recreate()}), '', 'a role makes none of others');
is(sqlstate($node, 'parts', q{SET ROLE bob; SELECT ext.pg_tviews_recreate('alice')}), '42501', 'not if named, either');
is($node->safe_psql('parts', q{SET ROLE alice; SELECT * FROM ext.pg_tviews_recreate()}), 'tv_alice|created',
	'but its own');
is(sqlstate($node, 'parts', q{SET ROLE alice; SELECT ext.pg_tviews_recreate('"odd; schema"."Odd ""name"""')}), '42501',
	'not those of the superuser');
recreate('parts', '');
check_recreated('parts');

# nobody knows whose they were
lose('parts', @plain);
$node->safe_psql('parts', q{TRUNCATE ext.pg_tview_audit_log; SELECT count(*) FROM ext.pg_tviews_audit()});
is($node->safe_psql('parts', q{SET ROLE alice; SELECT * FROM ext.pg_tviews_recreate()}), '', 'an owner that is not known');
is(sqlstate($node, 'parts', q{SET ROLE alice; SELECT ext.pg_tviews_recreate('alice')}), '42501', 'needs the owner of the database');
my ($status_all, $left_out, $notices) = $node->psql('parts', q{SELECT * FROM ext.pg_tviews_recreate()});
is($left_out, '', 'and are not made unless they are named');
like($notices, qr/NOTICE:  TVIEW public\.tv_alice is not made again/, 'which is said');
is(sqlstate($node, 'parts', q{SELECT ext.pg_tviews_recreate('comment')}), '42501', 'nor are those that one reads that is named');
my @named = split /\n/, $node->safe_psql('parts', q{
		SELECT format('%I.%I', schema, entity) FROM ext.pg_tview_meta ORDER BY CASE entity WHEN 'user' THEN 0 WHEN 'post' THEN 1 WHEN 'remark' THEN 2 ELSE 3 END});
foreach my $name (@named)
{
	$node->safe_psql('parts', 'SELECT ext.pg_tviews_recreate($$' . $name . '$$)');
}
is($node->safe_psql('parts', q{SELECT count(*) FROM pg_class WHERE relname = 'tv_alice' AND relowner = 'postgres'::regrole}),
	'1', 'and is that then');
is_maintained($node, 'parts', 'without the log');

# ----------
# A definition does not fit any more
# ----------

lose('fails', @plain);
$node->safe_psql('fails', 'ALTER TABLE tb_comment RENAME content TO words');
($status, $out, $err) = $node->psql('fails', 'SELECT * FROM ext.pg_tviews_recreate()');
like($err, qr/column c\.content does not exist.*while making TVIEW public\.tv_post again/s, 'an error says which');
is($node->safe_psql('fails', q{SELECT count(*) FROM pg_class WHERE relname ~ '^t?v_'}), '0', 'and none is made');
is(recreate('fails', q{'rated'}), 'tv_rated|created', 'but another one by itself');
$node->safe_psql('fails', 'ALTER TABLE tb_comment RENAME words TO content');
recreate('fails', '');
check_recreated('fails');

# ----------
# Only base tables are kept
# ----------

$node->safe_psql('postgres', 'CREATE DATABASE base TEMPLATE template0');
$node->safe_psql('base', q{CREATE SCHEMA ext; CREATE SCHEMA "odd; schema";
	GRANT CREATE ON SCHEMA public TO alice;
	GRANT USAGE ON SCHEMA ext TO alice});
$node->command_ok([ 'pg_dump', '-t', 'public.tb_*', '-t', 'public.named', '-f', "$dir/base.sql", $node->connstr('live') ],
	'pg_dump of base tables');
# without the triggers of an extension that is not there
$node->safe_psql('base', 'CREATE EXTENSION pg_tviews SCHEMA ext');
$node->command_ok([ 'psql', '-Xq', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/base.sql",
		$node->connstr('base') ], 'restored');
$node->safe_psql('base', q{CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql
	RETURN $1 * (SELECT sum(rate)::int FROM public.tb_rate)});
$node->command_ok([ @plain, $node->connstr('base') ], 'metadata restored');
recreate('base', '');
check_recreated('base');

# ----------
# Tables that come after the metadata, and TVIEWs that were dropped unnoticed
# ----------

$node->safe_psql('late', q{
	UPDATE ext.pg_tview_meta SET tview = 0::regclass, view = 0::regclass, root = 0::regclass, dependencies = '{}';
	SET session_replication_role = replica;
	UPDATE tb_user SET name = 'late' WHERE pk_user = 1;
	DELETE FROM tv_post WHERE pk_post = 20;});
is(sqlstate($node, 'late', q{UPDATE tb_user SET name = 'not yet'}), '55000', 'not written to before');
my $result = recreate('late', '');
is(() = $result =~ /\|converted$/mg, 7, 'tables that are there are converted');
check_recreated('late');
$node->safe_psql('late', q{
	ALTER EVENT TRIGGER pg_tviews_sql_drop DISABLE;
	ALTER EVENT TRIGGER pg_tviews_ddl_command_start DISABLE;
	DROP TABLE tv_comment;
	DROP VIEW v_comment;
	DROP TABLE tv_alice;
	ALTER EVENT TRIGGER pg_tviews_sql_drop ENABLE;
	ALTER EVENT TRIGGER pg_tviews_ddl_command_start ENABLE;});
like(recreate('late', ''), qr/^(tv_comment\|created\ntv_alice\|created|tv_alice\|created\ntv_comment\|created)$/,
	'dropped unnoticed');
check_recreated('late');

# one that others read, by its view: they stay
$node->safe_psql('late', q{
	ALTER EVENT TRIGGER pg_tviews_sql_drop DISABLE;
	ALTER EVENT TRIGGER pg_tviews_ddl_command_start DISABLE;
	DROP TABLE tv_user;
	ALTER EVENT TRIGGER pg_tviews_sql_drop ENABLE;
	ALTER EVENT TRIGGER pg_tviews_ddl_command_start ENABLE;});
is(recreate('late', ''), "tv_user|created\ntv_post|converted", 'dropped unnoticed, with a reader');
check_recreated('late');

# A dump without the tables of TVIEWs, which has their views
$node->command_ok([ 'pg_dump', '-T', '*.tv_*', '-f', "$dir/views.sql", $node->connstr('live') ], 'pg_dump without TVIEWs');
$node->safe_psql('postgres', 'CREATE DATABASE views TEMPLATE template0');
$node->command_ok([ 'psql', '-Xq', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/views.sql",
		$node->connstr('views') ], 'restored');
like($node->safe_psql('views', $fault), qr/^metadata\|table of TVIEW .* is missing: pg_tviews_recreate/, 'the health check says what to do');
is(() = recreate('views', '') =~ /\|created$/mg, 7, 'made again, below their views');
check_recreated('views');

# A dump without their rows
$node->command_ok([ 'pg_dump', '--exclude-table-data', '*.tv_*', '-f', "$dir/empty.sql", $node->connstr('live') ], 'pg_dump without rows of TVIEWs');
$node->safe_psql('postgres', 'CREATE DATABASE empty TEMPLATE template0');
$node->command_ok([ 'psql', '-Xq', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/empty.sql",
		$node->connstr('empty') ], 'restored');
like($node->safe_psql('empty', $fault), qr/^drift\|TVIEW .* is not what its view returns .*pg_tviews_repair/m, 'the health check says what to do');
$node->safe_psql('empty', 'SELECT count(*) FROM ext.pg_tviews_repair()');
check_recreated('empty');

stop_and_check_log($node);
done_testing();
