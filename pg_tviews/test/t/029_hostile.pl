# Who may call which function; and what somebody can bring about who may do
# little: with functions, operators, types and relations that stand before the
# server's in a search_path, with what a TVIEW of theirs runs when others write
# or operate it, and with names.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('hostile', 'jit = off');
my $db = 'app';
my $page = slurp_file(abs_path(dirname(__FILE__) . '/../../../docs/security.md'));

sub as
{
	my ($role, $sql) = @_;

	return $node->safe_psql($db, $sql, extra_params => [ '-U', $role ]);
}

# SQLSTATE of the first error, '' if there was none
sub state_as
{
	my ($role, $sql) = @_;
	my ($status, $out, $err) = $node->psql($db, "\\set VERBOSITY verbose\n$sql",
		extra_params => [ '-U', $role ], on_error_stop => 1);

	return '' if $status == 0;
	return $err =~ /(?:ERROR|FATAL):\s+([0-9A-Z]{5}): (.*)/ ? $1 : $err;
}

# ----------
# Made by the owner of a database, who is no superuser
# ----------

$node->safe_psql('postgres', q{
	CREATE ROLE maker LOGIN;
	CREATE ROLE mallory LOGIN;
	CREATE ROLE writer LOGIN;
	CREATE DATABASE app OWNER maker;
	CREATE DATABASE squatted OWNER maker;});

# What is in the way of the extension's objects is not taken for them.
foreach ('FUNCTION public.pg_tviews_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
	'TABLE public.pg_tview_meta (x int)', 'VIEW public.pg_tviews_locks AS SELECT 1 AS x')
{
	my ($kind, $name) = /^(\w+) ([\w.]+(?:\(\))?)/;

	$node->safe_psql('squatted', "CREATE $_");
	like(sqlstate($node, 'squatted', 'SET ROLE maker; CREATE EXTENSION pg_tviews'),
		qr/^42(723|P07)$/, "the extension does not take over a $kind of somebody else");
	$node->safe_psql('squatted', "DROP $kind $name");
}

as('maker', q{
	CREATE EXTENSION pg_tviews;
	CREATE TABLE tb_user (pk_user int PRIMARY KEY, name text);
	CREATE TABLE tb_post (pk_post int PRIMARY KEY, fk_user int, title text);
	CREATE INDEX ON tb_post (fk_user);
	CREATE TABLE tv_user AS
	SELECT u.pk_user, jsonb_build_object('name', u.name) AS data FROM tb_user u;
	CREATE TABLE tv_post AS
	SELECT p.pk_post, jsonb_build_object('title', p.title, 'author', u.data) AS data
	FROM tb_post p JOIN v_user u ON u.pk_user = p.fk_user;
	INSERT INTO tb_user SELECT i, 'user ' || i FROM generate_series(1, 5) i;
	INSERT INTO tb_post SELECT i, i % 5 + 1, 'post ' || i FROM generate_series(1, 20) i;
	CREATE TABLE tv_hand (pk_hand int, data jsonb);
	GRANT SELECT, INSERT, UPDATE, DELETE ON tb_user, tb_post TO writer;
	GRANT SELECT ON tv_user TO writer;});
is($node->safe_psql($db, q{SELECT string_agg(rolname, ',') FROM pg_roles
		WHERE rolname IN ('maker', 'mallory', 'writer') AND rolsuper}), '', 'nobody here is a superuser');
as('writer', q{UPDATE tb_user SET name = 'by the writer' WHERE pk_user = 1});
is_maintained($node, $db, 'made without a superuser');
is(state_as('mallory', 'CREATE EXTENSION pg_tviews SCHEMA public'), '42710', 'it is there');
is(state_as('mallory', 'DROP EXTENSION pg_tviews'), '42501', 'only its owner drops it');

# ----------
# Who may call what.  A function that is not in this list fails the test: say
# here, and in docs/security.md, who may call it.
# ----------

# owner: of the TVIEW or table; reader: who may read TVIEW and view; granted:
# whom it is granted to; anyone: it changes nothing, or nothing of others;
# server: the server calls it, and nobody else can
my %functions = (
	pg_tview_relation_in           => [ anyone => q{'tb_user'} ],
	pg_tview_relation_out          => [ anyone => q{'tb_user'::pg_tview_relation} ],
	pg_tview_relation_recv         => [ 'server' ],
	pg_tview_relation_send         => [ anyone => q{'tb_user'::pg_tview_relation} ],
	pg_tviews_activity             => [ anyone => '' ],
	pg_tviews_alter                => [ owner => q{'user', 'SELECT pk_user, to_jsonb(name) AS data FROM tb_user'} ],
	pg_tviews_analyze_select       => [ anyone => q{'SELECT 1 AS pk_x, to_jsonb(1) AS data', 'x'} ],
	pg_tviews_audit                => [ anyone => q{} ],
	pg_tviews_audit_purge          => [ granted => q{now()} ],
	pg_tviews_cache_statistics     => [ anyone => '' ],
	pg_tviews_capture              => [ 'server' ],
	pg_tviews_capture_replicated   => [ owner => q{'user'} ],
	pg_tviews_convert_table        => [ owner => q{'tv_hand', 'hand', 'SELECT pk_user AS pk_hand, to_jsonb(name) AS data FROM tb_user'} ],
	pg_tviews_count_row            => [ anyone => '1' ],
	pg_tviews_create               => [ owner => q{'more', 'SELECT pk_user AS pk_more, to_jsonb(name) AS data FROM tb_user'} ],
	pg_tviews_ddl_command_end      => [ 'server' ],
	pg_tviews_ddl_command_start    => [ 'server' ],
	pg_tviews_drop                 => [ owner => q{'post'} ],
	pg_tviews_explain              => [ anyone => q{'post'} ],
	pg_tviews_graph                => [ anyone => q{} ],
	pg_tviews_guard                => [ 'server' ],
	pg_tviews_health_check         => [ granted => q{} ],
	pg_tviews_install_row_triggers => [ owner => q{'tb_user'} ],
	pg_tviews_install_stmt_triggers => [ owner => q{'tb_user'} ],
	pg_tviews_lookup               => [ anyone => q{'tv_post', 0} ],
	pg_tviews_metadata_changed     => [ 'server' ],
	pg_tviews_metadata_restored    => [ 'server' ],
	pg_tviews_recreate             => [ anyone => q{'user'} ],
	pg_tviews_refresh              => [ owner => q{'user'} ],
	pg_tviews_reinstall_triggers   => [ owner => q{'user'} ],
	pg_tviews_repair               => [ owner => q{'user'} ],
	pg_tviews_resume               => [ owner => q{'user'} ],
	pg_tviews_sql_drop             => [ 'server' ],
	pg_tviews_statistics           => [ anyone => '' ],
	pg_tviews_stats_reset          => [ owner => q{'user'} ],
	pg_tviews_suggest_indexes      => [ anyone => q{} ],
	pg_tviews_support_report       => [ anyone => q{} ],
	pg_tviews_suspend              => [ owner => q{'user'} ],
	pg_tviews_trace_key            => [ anyone => '1' ],
	pg_tviews_tripwire             => [ anyone => '' ],
	pg_tviews_verify               => [ reader => q{'user'} ],
	pg_tviews_version              => [ anyone => '' ]);

my $state = q{SELECT md5(concat_ws('|',
	(SELECT string_agg(m::text, ';' ORDER BY m.tview) FROM pg_tview_meta m),
	(SELECT string_agg(h::text, ';' ORDER BY h::text) FROM pg_tview_helpers h),
	(SELECT count(*) FROM pg_tview_audit_log),
	(SELECT string_agg(t::text, ';' ORDER BY t.oid) FROM pg_trigger t),
	(SELECT string_agg(c.oid || c.relname::text || c.relkind::text || coalesce(c.relacl::text, ''), ';' ORDER BY c.oid)
	 FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace),
	(SELECT string_agg(t::text || t.xmin::text, ';' ORDER BY t.pk_user) FROM tv_user t),
	(SELECT string_agg(t::text || t.xmin::text, ';' ORDER BY t.pk_post) FROM tv_post t)))};
my @names = split /\n/, $node->safe_psql($db, q{
	SELECT p.proname FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
	JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE d.deptype = 'e' AND e.extname = 'pg_tviews' ORDER BY p.proname COLLATE "C"});

is(join("\n", @names), join("\n", sort keys %functions), 'it is decided for each function who may call it');
is($node->safe_psql($db, q{
	SELECT string_agg(p.proname, ', ') FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
	JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE d.deptype = 'e' AND e.extname = 'pg_tviews' AND (p.prosecdef OR p.prolang <> ALL (SELECT oid FROM pg_language WHERE lanname IN ('c', 'internal')))}),
	'', 'none runs with the rights of somebody else, or has a body that looks names up');

my $before = $node->safe_psql($db, $state);

foreach my $name (@names)
{
	my ($who, $arguments) = @{ $functions{$name} // next };

	like($page, qr/^\| [^|]*`$name\(\)`[^|]*\| [^|]*\b$who\b/m, "$name: the document says so")
	  if $who ne 'server';
	if ($who eq 'server')
	{
		like(state_as('mallory', "SELECT $name()"), qr/^(39P0[13]|42883)$/, "$name: can't be called");
		next;
	}
	is(state_as('mallory', "SELECT * FROM $name($arguments)"), $who eq 'anyone' ? '' : '42501', "$name: called by anyone");
	is(state_as('maker', "BEGIN; SELECT * FROM $name($arguments); ROLLBACK"),
		$name eq 'pg_tviews_resume' ? '55000' : '', "$name: called by the owner");
}
# of nothing that one owns, with no TVIEW named
is(state_as('mallory', 'SELECT pg_tviews_stats_reset()'), '42501', 'stats_reset: all, by the owner of the database only');
foreach (qw(repair reinstall_triggers))
{
	is(state_as('mallory', "SELECT * FROM pg_tviews_$_()"), '', "$_: nothing of others");
}
is($node->safe_psql($db, $state), $before, 'and nothing has changed');
is(as('mallory', q{SELECT count(*) FROM pg_tviews_audit()}), '0', 'the audit log of others is not shown');
foreach my $table (qw(pg_tview_meta pg_tview_helpers pg_tview_audit_log))
{
	foreach my $role ('mallory', 'writer')
	{
		is(state_as($role, "DELETE FROM $table"), '42501', "$table: not written by the $role");
	}
}
is(state_as('mallory', 'SELECT FROM pg_tview_audit_log'), '42501', 'the audit log is not read');

# What making a TVIEW takes, one after the other
$node->safe_psql($db, 'CREATE SCHEMA own');
my $create = q{SELECT pg_tviews_create('own.copy', 'SELECT pk_post AS pk_copy, to_jsonb(title) AS data FROM public.tb_post')};
foreach ('USAGE, CREATE ON SCHEMA own', 'SELECT ON tb_post', 'TRIGGER ON tb_post')
{
	is(state_as('mallory', $create), '42501', "not without $_");
	$node->safe_psql($db, "GRANT $_ TO mallory");
}
is(state_as('mallory', $create), '', 'no more is needed');
as('writer', q{UPDATE tb_post SET title = 'for both' WHERE pk_post = 1});
is_maintained($node, $db, 'a TVIEW of a table of somebody else');

# ----------
# Traps in the search_path: something stands before each function, operator,
# aggregate, type and relation of the server, and raises an error when it is
# used.
# ----------

$node->safe_psql($db, q{
	SET client_min_messages = error;
	CREATE SCHEMA evil AUTHORIZATION mallory;
	GRANT USAGE ON SCHEMA evil TO PUBLIC;
	SET ROLE mallory;
	CREATE FUNCTION evil.trap() RETURNS bool LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'trapped' USING ERRCODE = 'TRAPX'; END $$;
	CREATE FUNCTION evil.trap_state(int) RETURNS int LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'trapped' USING ERRCODE = 'TRAPX'; END $$;
	CREATE AGGREGATE evil.count(*) (SFUNC = evil.trap_state, STYPE = int);
	CREATE FUNCTION evil.set_traps() RETURNS TABLE (kind text, n bigint) LANGUAGE plpgsql AS $set$
	DECLARE
		r record;
		functions bigint := 0;
		operators bigint := 0;
		relations bigint := 0;
	BEGIN
		FOR r IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments,
						p.proretset, p.prorettype::regtype AS result, p.prokind
				 FROM pg_proc p
				 WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'a') LOOP
			BEGIN
				EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS '
					'$$ BEGIN RAISE EXCEPTION ''trapped by %I'' USING ERRCODE = ''TRAPX''; END $$', r.proname,
					regexp_replace(r.arguments, 'ORDER BY|"any"', CASE WHEN r.arguments ~ '"any"' THEN 'anyelement' ELSE '' END),
					CASE WHEN r.proretset THEN 'SETOF' ELSE '' END, r.result, r.proname);
				functions := functions + 1;
			EXCEPTION WHEN OTHERS THEN
				NULL;				-- internal types and the like
			END;
		END LOOP;
		FOR r IN SELECT o.oprname, o.oprleft::regtype AS l, o.oprright::regtype AS r, o.oprresult::regtype AS result
				 FROM pg_operator o
				 WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprleft <> 0 LOOP
			BEGIN
				EXECUTE format('CREATE FUNCTION evil."trap %s"(%s, %s) RETURNS %s LANGUAGE plpgsql AS '
					'$$ BEGIN RAISE EXCEPTION ''trapped by operator'' USING ERRCODE = ''TRAPX''; END $$', r.oprname, r.l, r.r, r.result);
				EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil."trap %1$s")',
					r.oprname, r.l, r.r);
				operators := operators + 1;
			EXCEPTION WHEN OTHERS THEN
				NULL;
			END;
		END LOOP;
		FOR r IN SELECT c.relname, c.oid::regclass AS rel FROM pg_class c
				 WHERE c.relkind IN ('r', 'v') AND c.relnamespace IN ('pg_catalog'::regnamespace, 'public'::regnamespace) LOOP
			BEGIN
				EXECUTE format('CREATE VIEW evil.%I AS SELECT %s FROM (SELECT) AS s WHERE evil.trap()', r.relname,
					(SELECT string_agg(format('NULL::%s AS %I', a.atttypid::regtype, a.attname), ', ') FROM pg_attribute a
					 WHERE a.attrelid = r.rel AND a.attnum > 0 AND a.atttypid <> 'anyarray'::regtype));
				relations := relations + 1;
			EXCEPTION WHEN OTHERS THEN
				NULL;
			END;
		END LOOP;
		RETURN QUERY VALUES ('functions', functions), ('operators', operators), ('relations', relations);
	END $set$;
	CREATE TABLE evil.traps AS SELECT * FROM evil.set_traps();
	DROP FUNCTION evil.set_traps();
	CREATE DOMAIN evil.text AS pg_catalog.text CHECK (evil.trap());
	CREATE DOMAIN evil.jsonb AS pg_catalog.jsonb CHECK (evil.trap());
	CREATE DOMAIN evil.oid AS pg_catalog.oid CHECK (evil.trap());
	CREATE DOMAIN evil.regclass AS pg_catalog.regclass CHECK (evil.trap());
	CREATE DOMAIN evil.name AS pg_catalog.name CHECK (evil.trap());});
is($node->safe_psql($db, q{SELECT bool_and(n > CASE kind WHEN 'functions' THEN 1500 WHEN 'operators' THEN 600 ELSE 60 END) FROM evil.traps}),
	't', 'many traps are set') or diag($node->safe_psql($db, 'TABLE evil.traps'));
my $path = 'SET client_min_messages = warning; SET search_path = evil, pg_catalog, public;';

foreach ('SELECT 1 = 1', q{SELECT format('%s', 'x'::text)}, 'SELECT count(*) FROM (VALUES (1)) AS v', 'SELECT * FROM pg_class',
	q{SELECT 'a'::text}, q{SELECT 'x' || 'y'})
{
	is(sqlstate($node, $db, "$path $_"), 'TRAPX', "trapped: $_");
}

sub not_trapped
{
	my ($role, $name, $sql, $path_of_session) = @_;
	my ($status, $out, $err) = $node->psql($db, ($path_of_session // $path) . $sql,
		extra_params => [ '-U', $role ], on_error_stop => 1);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($err, '', "not trapped: $name");
}

# Definitions and statements name what they mean; so the rest is ours.
my $definition = q{SELECT p.pk_post AS pk_%s,
	pg_catalog.jsonb_build_object('title'::pg_catalog.text, p.title, 'user'::pg_catalog.text, u.data,
		'n'::pg_catalog.text, (SELECT pg_catalog.count(*) FROM public.tb_post q WHERE q.fk_user OPERATOR(pg_catalog.=) p.fk_user)) AS data
	FROM public.tb_post p JOIN public.v_user u ON u.pk_user OPERATOR(pg_catalog.=) p.fk_user};
my %operations = (
	'create' => sprintf("SELECT public.pg_tviews_create('public.trap', \$\$$definition\$\$)", 'trap'),
	'create by statement' => sprintf("CREATE TABLE public.tv_ctas AS $definition", 'ctas'));
not_trapped('postgres', $_, $operations{$_}) foreach sort keys %operations;
foreach (
	[ 'explain', q{SELECT public.pg_tviews_explain('public.trap')} ],
	[ 'verify', q{SELECT public.pg_tviews_verify('public.trap')} ],
	[ 'refresh', q{SELECT public.pg_tviews_refresh('public.trap')} ],
	[ 'repair', q{SELECT public.pg_tviews_repair()} ],
	[ 'reinstall', q{SELECT public.pg_tviews_reinstall_triggers()} ],
	[ 'by statement', q{SELECT public.pg_tviews_install_stmt_triggers('public.tb_post')} ],
	[ 'write by statement', q{UPDATE public.tb_post SET title = 'by statement'} ],
	[ 'by row', q{SELECT public.pg_tviews_install_row_triggers('public.tb_post')} ],
	[ 'health', q{SELECT public.pg_tviews_health_check(10)} ],
	[ 'graph', q{SELECT public.pg_tviews_graph(), public.pg_tviews_graph('dot')} ],
	[ 'support report', q{SELECT public.pg_tviews_support_report()} ],
	[ 'indexes', q{SELECT public.pg_tviews_suggest_indexes()} ],
	[ 'audit', q{SELECT public.pg_tviews_audit('public.trap')} ],
	[ 'analyze', sprintf("SELECT public.pg_tviews_analyze_select(\$\$$definition\$\$, 'public.x')", 'x') ],
	[ 'suspend', q{SELECT public.pg_tviews_suspend('public.trap')} ],
	[ 'resume', q{SELECT public.pg_tviews_resume('public.trap')} ],
	[ 'views', join(';', map { "SELECT * FROM public.$_" } qw(pg_tviews_suspended pg_tviews_locks pg_tviews_performance_summary
			pg_tviews_cache_stats pg_tviews_queue_realtime pg_tviews_progress)) ],
	[ 'alter', sprintf("SELECT public.pg_tviews_alter('public.trap', \$\$$definition\$\$)", 'trap') ],
	[ 'write', q{BEGIN; UPDATE public.tb_user SET name = 'new'; INSERT INTO public.tb_post VALUES (100, 1, 'x');
		SELECT data FROM public.tv_trap; DELETE FROM public.tb_post WHERE pk_post OPERATOR(pg_catalog.=) 2; COMMIT} ],
	[ 'truncate', q{BEGIN; TRUNCATE public.tb_post; SELECT FROM public.tv_trap; ROLLBACK} ],
	[ 'convert', q{SELECT public.pg_tviews_convert_table('public.tv_hand'::pg_catalog.regclass, 'public.hand',
		'SELECT pk_user AS pk_hand, pg_catalog.to_jsonb(name) AS data FROM public.tb_user')} ],
	[ 'rename a column', q{ALTER TABLE public.tb_post RENAME title TO headline} ],
	[ 'rename a table', q{ALTER TABLE public.tb_post RENAME TO tb_article} ],
	[ 'rename back', q{ALTER TABLE public.tb_article RENAME TO tb_post; ALTER TABLE public.tb_post RENAME headline TO title} ],
	[ 'rename a TVIEW', q{ALTER TABLE public.tv_ctas RENAME TO tv_ctas2; ALTER TABLE public.tv_ctas2 RENAME TO tv_ctas} ],
	[ 'policies', q{CREATE POLICY p ON public.tb_user USING (true); ALTER TABLE public.tb_user ENABLE ROW LEVEL SECURITY;
		ALTER TABLE public.tb_user DISABLE ROW LEVEL SECURITY; DROP POLICY p ON public.tb_user} ],
	[ 'recreate', q{BEGIN; SET LOCAL session_replication_role = replica; DROP TABLE public.tv_ctas; DROP VIEW public.v_ctas;
		SET LOCAL session_replication_role = origin; SELECT public.pg_tviews_recreate(); COMMIT} ],
	[ 'drop', q{SELECT public.pg_tviews_drop('public.trap')} ],
	[ 'drop by statement', q{DROP TABLE public.tv_ctas} ],
	[ 'statistics', q{SELECT public.pg_tviews_stats_reset(NULL)} ])
{
	my ($name, $sql) = @$_;

	not_trapped('postgres', $name, $sql);
}
is($node->safe_psql($db, q{SELECT string_agg(entity, ', ' ORDER BY entity) FROM pg_tview_meta}), 'copy, hand, post, user', 'all of that was done');
is_maintained($node, $db, 'with traps');

# A lost TVIEW is made again by who had it.
$node->safe_psql($db, 'SET session_replication_role = replica; DROP TABLE tv_hand; DROP VIEW v_hand');
is(state_as('mallory', q{SELECT pg_tviews_recreate('hand')}), '42501', 'recreate: not a lost one of others');
is(as('mallory', 'SELECT pg_tviews_recreate()'), '', 'recreate: nor one among all');
is(as('maker', q{SELECT result FROM pg_tviews_recreate('hand')}), 'created', 'recreate: the owner');
is_maintained($node, $db, 'made again');
as('maker', q{SELECT pg_tviews_drop('hand')});

# Temporary relations come even before the server's, and a writer may make them.
my $temp = $node->safe_psql($db, q{
	SELECT string_agg(format('CREATE TEMP VIEW %I AS SELECT %s FROM (SELECT) AS s WHERE evil.trap();', c.relname,
		(SELECT string_agg(format('NULL::%s AS %I', a.atttypid::regtype, a.attname), ', ') FROM pg_attribute a
		 WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid <> 'anyarray'::regtype)), E'\n')
	FROM pg_class c WHERE c.relkind IN ('r', 'v')
	AND (c.relnamespace = 'public'::regnamespace OR c.oid IN ('pg_class'::regclass, 'pg_trigger'::regclass, 'pg_attribute'::regclass,
		'pg_proc'::regclass, 'pg_namespace'::regclass, 'pg_index'::regclass))});
like($temp, qr/TEMP VIEW pg_tview_meta .*TEMP VIEW tb_post /s, 'temporary traps');
not_trapped('writer', 'temporary relations', qq{
	$temp
	SET search_path = pg_temp, evil, pg_catalog, public;
	UPDATE public.tb_user SET name = 'temp';
	INSERT INTO public.tb_post VALUES (101, 1, 'x'), (102, 2, 'y');
	DELETE FROM public.tb_post WHERE pk_post OPERATOR(pg_catalog.=) 3;}, 'SET client_min_messages = warning;');
is_maintained($node, $db, 'with temporary traps');

# The extension itself, made while they are in the path
$node->safe_psql('postgres', 'CREATE DATABASE trapped TEMPLATE app');
$node->safe_psql('trapped', 'SET client_min_messages = warning; DROP EXTENSION pg_tviews CASCADE');
is(sqlstate($node, 'trapped', "$path CREATE EXTENSION pg_tviews SCHEMA public"), '', 'not trapped: CREATE EXTENSION');

# ----------
# What a TVIEW of mallory's runs when others write or operate it
# ----------

$node->safe_psql($db, q{
	CREATE TABLE caught (who name, what text);
	GRANT INSERT ON caught TO PUBLIC;
	CREATE TABLE tb_bait (pk_bait int PRIMARY KEY, n int);
	INSERT INTO tb_bait SELECT i, i FROM generate_series(1, 10) i;
	GRANT SELECT, TRIGGER ON tb_bait TO mallory;
	GRANT SELECT, INSERT, UPDATE, DELETE ON tb_bait TO writer;});
as('mallory', q{
	CREATE FUNCTION own.note(what text) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		IF current_user <> 'mallory' THEN
			INSERT INTO public.caught VALUES (current_user, what);
		END IF;
	END $$;
	CREATE FUNCTION own.spy(i int, what text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM CASE WHEN current_user <> 'mallory' THEN own.note(what) END;
		RETURN i;
	END $$;
	CREATE FUNCTION own.spy_trigger() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM own.note('a trigger'); RETURN NULL; END $$;
	SELECT pg_tviews_create('own.spy', $$
		SELECT pk_bait AS pk_spy, jsonb_build_object('n', own.spy(n, 'a definition')) AS data FROM public.tb_bait
		WHERE own.spy(1, 'a constant') = 1 $$);
	CREATE INDEX ON own.tv_spy (own.spy((data->>'n')::int, 'an index'));
	CREATE INDEX ON own.tv_spy (pk_spy) WHERE own.spy((data->>'n')::int, 'a partial index') > 0;
	ALTER TABLE own.tv_spy ADD CONSTRAINT spy CHECK (own.spy(1, 'a constraint') = 1);
	CREATE TRIGGER spy AFTER INSERT OR UPDATE OR DELETE ON own.tv_spy FOR EACH ROW EXECUTE FUNCTION own.spy_trigger();
	CREATE STATISTICS own.spied ON (own.spy((data->>'n')::int, 'statistics')), pk_spy FROM own.tv_spy;});
# DDL on TVIEWs that is refused is no way in either.
like(state_as('mallory', $_), qr/^(|0A000|42501|42P17|2BP01|55000)$/, "refused or harmless: $_")
  foreach q{ALTER TABLE own.tv_spy ALTER updated_at SET DEFAULT now() + make_interval(days => own.spy(1, 'a default'))},
  q{ALTER TABLE own.tv_spy ADD x int DEFAULT own.spy(1, 'a default')},
  q{ALTER TABLE own.tv_spy ADD y int GENERATED ALWAYS AS (own.spy(1, 'a generated column')) STORED},
  q{CREATE RULE spy AS ON UPDATE TO own.tv_spy DO ALSO SELECT own.spy(1, 'a rule')},
  q{CREATE POLICY spy ON own.tv_spy USING (own.spy(1, 'a policy') = 1) WITH CHECK (own.spy(1, 'a policy') = 1)};

sub nothing_caught
{
	my ($name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($node->safe_psql($db, 'SELECT DISTINCT who, what FROM caught'), '', $name);
}

foreach my $role ('writer', 'postgres')
{
	is(state_as($role, q{UPDATE tb_bait SET n = n + 1; DELETE FROM tb_bait WHERE pk_bait = 1; INSERT INTO tb_bait VALUES (1, 1);
		BEGIN; UPDATE tb_bait SET n = n + 1; SELECT FROM tv_user; UPDATE tb_bait SET n = n + 1; COMMIT;}), '', "written by $role");
	nothing_caught("written by $role: nothing has run with other rights");
}
foreach (q{pg_tviews_verify('own.spy')}, q{pg_tviews_health_check(5)}, q{pg_tviews_explain('own.spy')},
	q{pg_tviews_support_report()}, q{pg_tviews_graph()}, q{pg_tviews_suggest_indexes()}, q{pg_tviews_refresh('own.spy')},
	q{pg_tviews_repair()}, q{pg_tviews_suspend('own.spy')}, q{pg_tviews_resume('own.spy')},
	q{pg_tviews_reinstall_triggers()}, q{pg_tviews_install_stmt_triggers('tb_bait')}, q{pg_tviews_install_row_triggers('tb_bait')})
{
	is(sqlstate($node, $db, "SELECT * FROM $_"), '', "$_ by a superuser");
	nothing_caught("$_ by a superuser: nothing has run with other rights");
}
foreach ('ALTER TABLE tb_bait ADD z int', 'ALTER TABLE tb_bait RENAME n TO m', 'ALTER TABLE tb_bait RENAME m TO n',
	'TRUNCATE tb_bait', 'INSERT INTO tb_bait SELECT i, i FROM generate_series(1, 10) i',
	'CREATE POLICY x ON tb_bait USING (true)', 'ALTER TABLE tb_bait ENABLE ROW LEVEL SECURITY')
{
	is(sqlstate($node, $db, $_), '', "$_ by a superuser");
	nothing_caught("$_ by a superuser: nothing has run with other rights");
}
as('postgres', q{ALTER TABLE tb_bait DISABLE ROW LEVEL SECURITY;
	SELECT pg_tviews_alter('own.spy', 'SELECT pk_bait AS pk_spy, jsonb_build_object(''n'', own.spy(n + 1, ''altered'')) AS data FROM public.tb_bait')});
nothing_caught('altered by a superuser: nothing has run with other rights');
as('postgres', q{UPDATE tb_bait SET n = 0});
is(sqlstate($node, $db, q{BEGIN; SET LOCAL session_replication_role = replica; DROP TABLE own.tv_spy; DROP VIEW own.v_spy;
	SET LOCAL session_replication_role = origin; SELECT pg_tviews_recreate(); COMMIT}), '', 'made again by a superuser');
nothing_caught('made again by a superuser: nothing has run with other rights');
is(as('mallory', q{SELECT count(*) FROM (TABLE own.tv_spy) t WHERE t.data->>'n' = '1'}), '10', 'it was maintained all the time');
nothing_caught('at the end');
is(sqlstate($node, $db, 'SELECT data FROM own.v_spy'), '', 'the view is read by a superuser');
like($node->safe_psql($db, 'SELECT DISTINCT who, what FROM caught'), qr/^postgres\|altered$/, 'which runs its functions as who reads, as any view');
$node->safe_psql($db, 'DELETE FROM caught');
$node->safe_psql($db, 'DROP TABLE own.tv_spy');

# ----------
# Row-level security on a TVIEW is for its readers; nobody reads around it
# ----------

as('maker', q{
	GRANT SELECT ON tv_user, v_user TO mallory;
	ALTER TABLE tv_user ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON tv_user USING (pk_user = 2);});
as('writer', q{UPDATE tb_user SET name = 'seen' WHERE pk_user IN (1, 2)});
is(as('mallory', 'SELECT pk_user, data FROM tv_user'), '2|{"name": "seen"}', 'a reader sees what the policy lets it see');
is(as('maker', 'SELECT count(*) FROM tv_user'), '5', 'the owner sees all');
is(as('writer', q{BEGIN; UPDATE tb_user SET name = 'x'; SELECT data FROM tv_user; ROLLBACK}), '{"name": "x"}',
	'a reader that has changes waiting, too');
is_maintained($node, $db, 'row-level security');
as('maker', q{ALTER TABLE tv_user DISABLE ROW LEVEL SECURITY});

# ----------
# Names
# ----------

my @hostile = ('a"b', "a'b", 'a;DROP TABLE caught', '*/ x /* --', "a\nb", 'a\\b', 'E\'\\\'', '$$', '%s%n%I',
	'pg_temp', "\x{fc}\x{2603}", 'x.y', '" || evil.trap() || "', 'x' x 60);

sub ident
{
	my $name = shift;

	utf8::encode($name) if utf8::is_utf8($name);
	$name =~ s/"/""/g;
	return qq{"$name"};
}

sub literal
{
	my $text = shift;

	$text =~ s/\\/\\\\/g;
	$text =~ s/'/''/g;
	return "E'$text'";
}

foreach my $name (@hostile)
{
	my ($schema, $tb, $tv, $pk, $column, $entity) =
	  (ident("s$name"), ident("b$name"), ident("tv_$name"), ident("pk_$name"), ident("c$name"), ident($name));
	my ($label) = map { s/[^ -~]/?/gr } $name;
	my $full = "$schema.$entity";
	my $definition = "SELECT t.$column AS $pk, jsonb_build_object('v', t.v, 'n', (SELECT count(*) FROM $schema.$tb u WHERE u.v = t.v)) AS data FROM $schema.$tb t";

	is(sqlstate($node, $db, qq{
		SET client_min_messages = warning;
		CREATE SCHEMA $schema;
		CREATE TABLE $schema.$tb ($column int PRIMARY KEY, v int);
		SELECT pg_tviews_create(${\literal($full)}, ${\literal($definition)});
		COMMENT ON TABLE $schema.$tb IS '*/ DROP TABLE public.caught; /*';
		COMMENT ON COLUMN $schema.$tb.$column IS '*/ DROP TABLE public.caught; /*';
		INSERT INTO $schema.$tb SELECT i, i % 3 FROM generate_series(1, 9) i;
		SELECT pg_tviews_install_stmt_triggers(${\literal("$schema.$tb")});
		UPDATE $schema.$tb SET v = v + 1 WHERE v = 2;
		SELECT pg_tviews_install_row_triggers(${\literal("$schema.$tb")});
		UPDATE $schema.$tb SET v = v + 1 WHERE v = 3;
		SELECT pg_tviews_suspend(${\literal($full)});
		DELETE FROM $schema.$tb WHERE v = 4;
		SELECT pg_tviews_resume(${\literal($full)});
		SELECT pg_tviews_alter(${\literal($full)}, ${\literal("$definition WHERE t.v > 0")});
		SELECT pg_tviews_explain(${\literal($full)}), pg_tviews_graph(), pg_tviews_graph('dot'), pg_tviews_support_report();
		SELECT pg_tviews_verify(${\literal($full)}), pg_tviews_repair(), pg_tviews_suggest_indexes();
		DROP TRIGGER "!tview_capture" ON $schema.$tb;
		SELECT pg_tviews_reinstall_triggers(${\literal($full)});
		ALTER TABLE $schema.$tb RENAME COLUMN v TO ${\ident("v$name")};
		UPDATE $schema.$tb SET ${\ident("v$name")} = 1;
		ALTER TABLE $schema.$tv RENAME TO tv_renamed;
		ALTER TABLE $schema.tv_renamed RENAME TO $tv;}), '', "name: $label");
	is($node->safe_psql($db, q{SELECT message FROM pg_tviews_health_check(5) WHERE status = 'ERROR'}), '', "name: $label: healthy");
	is(sqlstate($node, $db, qq{SELECT pg_tviews_stats_reset(${\literal($full)}); SELECT count(*) FROM pg_tviews_audit(${\literal($full)})}),
		'', "name: $label: statistics and audit");
}
is_maintained($node, $db, 'names');
is($node->safe_psql($db, q{SELECT count(*) FROM pg_tview_meta}), 3 + @hostile, 'names: as many TVIEWs');
nothing_caught('names: what they spell has not run');

# pg_temp itself, and temporary tables
like(sqlstate($node, $db, q{SELECT pg_tviews_create('pg_temp.x', 'SELECT pk_user AS pk_x, to_jsonb(name) AS data FROM tb_user')}),
	qr/^(0A000|42602|42P16|3F000)$/, 'no TVIEW in pg_temp');
like(sqlstate($node, $db, q{CREATE TEMP TABLE tb_t (pk_x int PRIMARY KEY); SELECT pg_tviews_create('x', 'SELECT pk_x, to_jsonb(1) AS data FROM tb_t')}),
	qr/^(0A000|42P16)$/, 'none of a temporary table');
$node->safe_psql($db, 'SET client_min_messages = warning; DROP SCHEMA ' . ident("s$_") . ' CASCADE') foreach @hostile;
is($node->safe_psql($db, q{SELECT string_agg(entity, ', ' ORDER BY entity) FROM pg_tview_meta}), 'copy, post, user', 'names: all dropped');
is_maintained($node, $db, 'at the end');

stop_and_check_log($node);
done_testing();
