# Two versions of the extension: an upgraded database is like one in which the
# version was made, and so is one that went back; TVIEWs in use stay right, and
# library and objects of different versions don't work together.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $old = '0.1.0';
my $new = '0.2.0';
my $node = new_node('versions', 'fsync = off');
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', q{
	CREATE ROLE owner LOGIN;
	CREATE EXTENSION pg_tviews;});
is($node->safe_psql('postgres', 'SELECT extversion, pg_tviews_version() FROM pg_extension WHERE extname = \'pg_tviews\''),
	"$new|$new", 'the current version');

# ----------
# The catalogs
# ----------

# All that belongs to the extension, with definitions, comments and privileges
my $catalog = q{
	WITH member AS (
		SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS name,
			   obj_description(d.objid, d.classid::regclass::text) AS comment
		FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
		WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'pg_tviews'
	), relation AS (
		SELECT c.*, m.name, m.comment FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
	), line (line) AS (
		SELECT concat_ws(' | ', name, comment) FROM member
		UNION ALL
		SELECT concat_ws(' | ', m.name, pg_get_functiondef(p.oid), p.proacl::text, p.proowner::regrole)
		FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
		UNION ALL
		SELECT concat_ws(' | ', r.name, r.relkind, (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(COALESCE(r.relacl, acldefault(CASE WHEN r.relkind = 'S' THEN 's' ELSE 'r' END::"char", r.relowner))) a), r.relowner::regrole, r.reloptions,
			CASE WHEN r.relkind = 'v' THEN pg_get_viewdef(r.oid) END) FROM relation r
		UNION ALL
		SELECT concat_ws(' | ', r.name, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attstattarget,
			pg_get_expr(d.adbin, d.adrelid), col_description(r.oid, a.attnum), a.attacl::text,
			row_number() OVER (PARTITION BY r.oid ORDER BY a.attnum))
		FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
		UNION ALL
		SELECT concat_ws(' | ', r.name, t.conname, pg_get_constraintdef(t.oid), obj_description(t.oid, 'pg_constraint'))
		FROM relation r JOIN pg_constraint t ON t.conrelid = r.oid
		UNION ALL
		SELECT concat_ws(' | ', r.name, pg_get_indexdef(i.indexrelid), i.indisprimary)
		FROM relation r JOIN pg_index i ON i.indrelid = r.oid
		UNION ALL
		SELECT concat_ws(' | ', r.name, pg_get_triggerdef(t.oid), t.tgenabled, obj_description(t.oid, 'pg_trigger'))
		FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid
		UNION ALL
		SELECT concat_ws(' | ', m.name, t.typinput, t.typoutput, t.typreceive, t.typsend, t.typlen, t.typbyval, t.typalign,
			t.typstorage, t.typcategory, t.typispreferred, t.typacl::text)
		FROM pg_type t JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
		UNION ALL
		SELECT concat_ws(' | ', m.name, t.castcontext, t.castmethod)
		FROM pg_cast t JOIN member m ON m.classid = 'pg_cast'::regclass AND m.objid = t.oid
		UNION ALL
		SELECT concat_ws(' | ', m.name, t.evtevent, t.evtfoid::regprocedure, t.evtenabled, t.evttags)
		FROM pg_event_trigger t JOIN member m ON m.classid = 'pg_event_trigger'::regclass AND m.objid = t.oid
		UNION ALL
		SELECT concat_ws(' | ', 'initial privileges', pg_describe_object(i.classoid, i.objoid, i.objsubid), i.privtype,
			(SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(i.initprivs) a))
		FROM pg_init_privs i JOIN member m ON m.classid = i.classoid AND m.objid = i.objoid
		WHERE i.initprivs::text NOT IN (SELECT acldefault('s', relowner)::text FROM relation WHERE relkind = 'S')
		UNION ALL
		SELECT concat_ws(' | ', 'dumped', t.oid::regclass, e.extcondition[t.n], e.extrelocatable, e.extversion)
		FROM pg_extension e, unnest(e.extconfig) WITH ORDINALITY t(oid, n) WHERE e.extname = 'pg_tviews')
	SELECT regexp_replace(line, '\s+', ' ', 'g') AS l FROM line ORDER BY (line COLLATE "C")};

sub create_database
{
	my ($db, $user, @versions) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $db OWNER $user");
	$node->safe_psql($db, "CREATE SCHEMA \"an Ext\"; CREATE EXTENSION pg_tviews SCHEMA \"an Ext\" VERSION '" . shift(@versions) . "'",
		extra_params => [ '-U', $user ]);
	$node->safe_psql($db, "ALTER EXTENSION pg_tviews UPDATE TO '$_'", extra_params => [ '-U', $user ]) foreach @versions;
	return $node->safe_psql($db, $catalog);
}

# Lines that only one of two catalogs has
sub differences
{
	my ($got, $expected) = @_;
	my (%got, %expected);

	$got{$_}++ foreach split /\n/, $got;
	$expected{$_}++ foreach split /\n/, $expected;
	return join("\n", (map { "+ $_" } grep { ($got{$_} // 0) > ($expected{$_} // 0) } sort keys %got),
		map { "- $_" } grep { ($expected{$_} // 0) > ($got{$_} // 0) } sort keys %expected);
}

foreach my $user ('postgres', 'owner')
{
	my $fresh_old = create_database("old_$user", $user, $old);
	my $fresh_new = create_database("new_$user", $user, $new);

	isnt(differences($fresh_old, $fresh_new), '', "$user: the versions are different");
	is(differences(create_database("upgraded_$user", $user, $old, $new), $fresh_new), '', "$user: upgraded");
	is(differences(create_database("back_$user", $user, $new, $old), $fresh_old), '', "$user: and back");
	is(differences(create_database("again_$user", $user, $new, $old, $new, $old, $new), $fresh_new), '',
		"$user: and there again");
}

# ----------
# TVIEWs in use
# ----------

create_blog($node, 'postgres');
fill_blog($node, 'postgres');
my $meta = q{SELECT * FROM pg_tview_meta ORDER BY entity};
my $audit = q{SELECT * FROM pg_tview_audit_log ORDER BY log_id};
my $before = $node->safe_psql('postgres', $meta) . $node->safe_psql('postgres', $audit);
my $update = 'ALTER EXTENSION pg_tviews UPDATE TO';

$node->safe_psql('postgres', 'CREATE TABLE bystander (n int); CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM tv_post');

# sessions that know the TVIEWs, one in a transaction
my $idle = $node->background_psql('postgres', on_error_stop => 0);
my $open = $node->background_psql('postgres', on_error_stop => 0);
$idle->query_safe(q{UPDATE tb_user SET name = 'before' WHERE pk_user = 1});
$open->query_safe(q{BEGIN; UPDATE tb_user SET name = 'lost' WHERE pk_user = 2});
$node->safe_psql('postgres', "$update '$old'");
foreach my $sql (
	'UPDATE tb_post SET title = upper(title)',
	'TRUNCATE tb_comment',
	q{SELECT pg_tviews_create('x', 'SELECT pk_user AS pk_x, to_jsonb(name) AS data FROM tb_user')},
	'CREATE TABLE tv_x AS SELECT pk_user AS pk_x, to_jsonb(name) AS data FROM tb_user',
	q{SELECT pg_tviews_drop('comment')}, 'DROP TABLE tv_comment', 'ALTER TABLE tb_user RENAME name TO other',
	'ALTER TABLE tb_user ADD more int', 'CREATE TABLE tb_child () INHERITS (tb_user)', 'CREATE TEMP TABLE tb_child () INHERITS (tb_user)',
	'SELECT pk_user AS pk_x, to_jsonb(name) AS data INTO tv_x FROM tb_user', 'CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1',
	'CREATE VIEW x AS SELECT 1 AS n', 'DROP TABLE bystander', 'ALTER TABLE bystander ADD more int',
	q{SELECT * FROM pg_tviews_explain('post')}, 'SELECT * FROM pg_tviews_health_check()',
	q{SELECT * FROM pg_tviews_verify('post')}, q{SELECT pg_tviews_refresh('post')})
{
	is(sqlstate($node, 'postgres', $sql), '55000', "refused: $sql");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM tv_post'), '50', 'TVIEWs can be read');
is(sqlstate($node, 'postgres', $_), '', "goes on: $_")
  foreach 'CREATE TABLE new (n serial PRIMARY KEY, u int REFERENCES tb_comment); INSERT INTO new VALUES (1)', 'CREATE INDEX ON new (n)',
  'CREATE TEMP TABLE t AS SELECT * FROM tv_post; CREATE TEMP TABLE s (n int) ON COMMIT DROP', 'SELECT 1 AS n INTO other',
  'INSERT INTO bystander VALUES (1); UPDATE bystander SET n = 2; TRUNCATE bystander', 'REFRESH MATERIALIZED VIEW summary',
  'CREATE UNIQUE INDEX ON tb_post (title)', q{COMMENT ON TABLE tb_user IS 'x'}, 'GRANT SELECT ON tv_post TO owner';
my ($status, $out, $err) = $node->psql('postgres', 'DELETE FROM tb_post');
like($err, qr/is of version $old in this database, and its library of version $new.*ALTER EXTENSION pg_tviews UPDATE TO '$new'/s,
	'it says what to do');
$idle->query('DELETE FROM tb_post WHERE pk_post = 1');
$open->query('COMMIT');
$_->{stderr} = '' foreach $idle, $open;
is($node->safe_psql('postgres', q{SELECT count(*) FROM tb_post WHERE pk_post = 1
		UNION ALL SELECT count(*) FROM tb_user WHERE name = 'lost'}), "1\n0", 'sessions of before are refused, too');
$node->safe_psql('postgres', "$update '$new'");
$idle->query_safe(q{UPDATE tb_user SET name = 'after' WHERE pk_user = 2});
$open->query_safe(q{UPDATE tb_post SET title = 'after' WHERE pk_post = 2});
$_->quit foreach $idle, $open;
is($node->safe_psql('postgres', q{SELECT data #>> '{author,name}', title FROM tv_post JOIN tb_post USING (pk_post) WHERE pk_post IN (2, 10) ORDER BY 1}),
	"after|post 10\nbefore|after", 'upgraded: maintained') or 1;
is_maintained($node, 'postgres', 'upgraded');
is($node->safe_psql('postgres', $meta) . $node->safe_psql('postgres', $audit), $before, 'metadata and audit log are the same');
is($node->safe_psql('postgres', q{SELECT * FROM pg_tviews_health_check(100) WHERE status <> 'OK'}), '', 'healthy');

# writers that go on meanwhile; what they can't do then is refused
my @writers;
foreach my $n (1 .. 3)
{
	append_to_file("$dir/$n.sql", join('', map { "UPDATE tb_user SET name = 'w$n.$_' WHERE pk_user = " . ($_ % 10 + 1) .
			"; UPDATE tb_post SET title = 'w$n.$_' WHERE pk_post = " . ($_ % 50 + 1) . ";\n" } 1 .. 300));
	my ($out, $err) = ('', '');
	my $writer = { err => \$err };
	$writer->{run} = IPC::Run::start([ 'psql', '-Xq', '-v', 'VERBOSITY=sqlstate', '-f', "$dir/$n.sql",
			$node->connstr('postgres') . " application_name=writer" ], '>', \$out, '2>', \$err);
	push @writers, $writer;
}
$node->poll_query_until('postgres', q{SELECT count(DISTINCT split_part(title, '.', 1)) = 3 FROM tb_post WHERE title ~ '^w'}) or die 'nobody writes';
foreach my $version ($old, $new, $old, $new)
{
	$node->safe_psql('postgres', "$update '$version'");
}
foreach my $writer (@writers)
{
	$writer->{run}->finish;
	is(join("\n", grep { !/ERROR:  55000$/ } split /\n/, ${ $writer->{err} }), '', 'a writer is refused, or goes on');
}
is_maintained($node, 'postgres', 'with writers');

# ----------
# What the old version would not keep right; and a library that is too old
# ----------

$node->safe_psql('postgres', q{SELECT pg_tviews_suspend('post')});
is(sqlstate($node, 'postgres', "$update '$old'"), '55000', 'not back with suspended TVIEWs');
$node->safe_psql('postgres', q{SELECT pg_tviews_resume('post'); SELECT pg_tviews_install_stmt_triggers('tb_user')});
is(sqlstate($node, 'postgres', "$update '$old'"), '55000', 'not with capture by statement');
$node->safe_psql('postgres', q{SELECT pg_tviews_install_row_triggers('tb_user');
	INSERT INTO pg_tview_meta SELECT 'gone', 'public', '-', '-', '-', 'pk_gone', definition, '{}', '{}', '{}', options, now(), '' FROM pg_tview_meta LIMIT 1});
is(sqlstate($node, 'postgres', "$update '$old'"), '55000', 'not with TVIEWs that are missing');
$node->safe_psql('postgres', q{DELETE FROM pg_tview_meta WHERE entity = 'gone'});
is_maintained($node, 'postgres', 'after all that');
is(sqlstate($node, 'postgres', "$update '$old'"), '', 'back when TVIEWs were resumed');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_statistic_ext WHERE stxname ~ 'tripwire'}), '0', 'and nothing of that is left');

# a dump of the old version, restored where only the new one is
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$node->command_ok([ 'pg_dump', '-f', "$dir/old.sql", $node->connstr('postgres') ], 'dumped');
$node->command_ok([ 'psql', '-Xq', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/old.sql", $node->connstr('restored') ], 'restored');
is($node->safe_psql('restored', q{SELECT extversion FROM pg_extension WHERE extname = 'pg_tviews'}), $new, 'in the new version');
is_maintained($node, 'restored', 'restored');
$node->safe_psql('restored', q{UPDATE tb_user SET name = 'restored'; DELETE FROM tb_post WHERE pk_post = 5});
is_maintained($node, 'restored', 'restored, and changed');
is($node->safe_psql('restored', q{SELECT * FROM pg_tviews_health_check(100) WHERE status <> 'OK'}), '', 'healthy');

$node->safe_psql('postgres', "$update '$new'");
is_maintained($node, 'postgres', 'and there again');

$node->safe_psql('postgres', q{UPDATE pg_extension SET extversion = '0.10.0' WHERE extname = 'pg_tviews'});
($status, $out, $err) = $node->psql('postgres', 'DELETE FROM tb_post');
like($err, qr/ERROR:.*of version 0\.10\.0.*HINT:  Install the library of version 0\.10\.0.*restart the server/s, 'a library that is older');
is(sqlstate($node, 'postgres', 'SET client_min_messages = warning; DROP EXTENSION pg_tviews CASCADE'), '', 'dropped even so');
is(sqlstate($node, 'postgres', 'DELETE FROM tb_post; CREATE TABLE x (n int); DROP TABLE x'), '', 'and nothing is in the way then');

stop_and_check_log($node);
done_testing();
