# The many ways in which a transaction can begin and end.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('transactions');
my $db = 'postgres';
my ($status, $out, $err);

$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
create_blog($node, $db);
fill_blog($node, $db);

sub names
{
	return $node->safe_psql($db, q{
		SELECT string_agg(DISTINCT data #>> '{post,author,name}', ',')
		FROM tv_comment WHERE pk_comment <= 10});
}

sub run_ok
{
	my ($name, $sql, $names) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$node->safe_psql($db, $sql);
	is(names(), $names, $name) if defined $names;
	is_maintained($node, $db, $name);
	return;
}

# psql sends what \; separates as one simple query.
run_ok('autocommit', q{UPDATE tb_user SET name = 'a'}, 'a');
run_ok('several statements in one query',
	q{UPDATE tb_user SET name = 'b' \; UPDATE tb_user SET name = 'c' WHERE pk_user = 1}, 'c');
run_ok('BEGIN and COMMIT inside one query',
	q{UPDATE tb_user SET name = 'd' \; BEGIN \; UPDATE tb_user SET name = 'e' \; COMMIT \; UPDATE tb_user SET name = 'f' WHERE pk_user = 1}, 'f');
run_ok('COMMIT AND CHAIN', q{
	BEGIN ISOLATION LEVEL REPEATABLE READ;
	UPDATE tb_user SET name = 'g';
	COMMIT AND CHAIN;
	UPDATE tb_user SET name = 'h';
	SELECT count(*) FROM tv_comment;
	COMMIT AND CHAIN;
	UPDATE tb_user SET name = 'i';
	ROLLBACK AND CHAIN;
	UPDATE tb_post SET title = title || '!';
	COMMIT;}, 'h');
is($node->safe_psql($db, q{SELECT data #>> '{title}' FROM tv_post WHERE pk_post = 1}),
	'post 1!', 'after ROLLBACK AND CHAIN');
run_ok('read only after writing', q{
	BEGIN;
	UPDATE tb_user SET name = 'j';
	SET TRANSACTION READ ONLY;
	COMMIT;}, 'j');
run_ok('nothing left over from a rollback', q{
	BEGIN; UPDATE tb_user SET name = 'k'; ROLLBACK;
	UPDATE tb_post SET title = 'x' WHERE pk_post = 1;}, 'j');

# psql turns these three on.
run_ok('AUTOCOMMIT off', q{
	\set AUTOCOMMIT off
	UPDATE tb_user SET name = 'l';
	SELECT count(*) FROM tv_user;
	COMMIT;}, 'l');
$node->psql($db, q{
	\set AUTOCOMMIT on
	\set ON_ERROR_ROLLBACK on
	BEGIN;
	UPDATE tb_user SET name = 'm';
	SELECT data FROM tv_comment WHERE 1 / (pk_comment - 1) > 0;
	UPDATE tb_user SET name = 'n' WHERE pk_user = 2;
	COMMIT;}, on_error_stop => 0);
is(names(), 'm', 'ON_ERROR_ROLLBACK');
is_maintained($node, $db, 'ON_ERROR_ROLLBACK');
$node->safe_psql($db, q{UPDATE tb_user SET name = 'o'},
	extra_params => ['--single-transaction']);
is(names(), 'o', 'single transaction');

# Procedures
run_ok('COMMIT and ROLLBACK in a procedure', q{
	CREATE PROCEDURE work() LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1..4 LOOP
			UPDATE tb_user SET name = 'p' || i;
			IF i % 2 = 0 THEN ROLLBACK; ELSE COMMIT; END IF;
		END LOOP;
		UPDATE tb_post SET title = 'in the procedure' WHERE pk_post = 1;
		COMMIT AND CHAIN;
		UPDATE tb_post SET title = 'at its end' WHERE pk_post = 2;
	END $$;
	CALL work();}, 'p3');
run_ok('COMMIT in a loop over a query of the base table', q{
	DO $$
	DECLARE r record;
	BEGIN
		FOR r IN SELECT pk_user FROM tb_user ORDER BY pk_user LOOP
			UPDATE tb_user SET name = 'q' WHERE pk_user = r.pk_user;
			COMMIT;
		END LOOP;
	END $$;}, 'q');
run_ok('COMMIT in a loop over a query of the TVIEW', q{
	DO $$
	DECLARE r record;
	BEGIN
		FOR r IN SELECT pk_comment, data FROM tv_comment ORDER BY 1 LOOP
			UPDATE tb_user SET name = 'r' || r.pk_comment WHERE pk_user = 1;
			COMMIT;
			UPDATE tb_comment SET content = 's' WHERE pk_comment = r.pk_comment;
			PERFORM 1 FROM tv_comment;
			IF r.pk_comment % 3 = 0 THEN ROLLBACK; END IF;
		END LOOP;
	END $$;}, 'r100');
run_ok('COMMIT with read only queries in between, at REPEATABLE READ', q{
	DO $$
	BEGIN
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
		UPDATE tb_user SET name = 't';
		PERFORM data FROM tv_comment;
		COMMIT;
		UPDATE tb_user SET name = 'u' WHERE pk_user > 1;
	END $$;}, 't');

# A flush that fails at COMMIT in a procedure
$node->safe_psql($db, q{
	ALTER TABLE tv_user ADD CHECK (data->>'name' <> 'bad');
	CREATE PROCEDURE fail() LANGUAGE plpgsql AS $$
	BEGIN
		UPDATE tb_user SET name = 'good';
		COMMIT;
		UPDATE tb_user SET name = 'bad';
		COMMIT;
		UPDATE tb_user SET name = 'not reached';
	END $$;});
($status, $out, $err) = $node->psql($db, q{
	CALL fail();
	UPDATE tb_post SET title = 'goes on' WHERE pk_post = 7;
	SELECT data->>'title' FROM tv_post WHERE pk_post = 7;},
	on_error_stop => 0);
like($err, qr/violates check constraint.*tv_user.*PL\/pgSQL function fail\(\) line 6 at COMMIT/s,
	'a flush that fails in a procedure: its context');
is($out, 'goes on', 'a flush that fails in a procedure: the session goes on');
is(names(), 'good', 'a flush that fails in a procedure');
is_maintained($node, $db, 'a flush that fails in a procedure');
is(sqlstate($node, $db, q{
		UPDATE tb_user SET name = 'v' \; UPDATE tb_user SET name = 'bad'}),
	'23514', 'a flush that fails at the end of several statements');
is(names(), 'good', 'nothing of them is left');

# An error caught in PL/pgSQL, of a flush and of something else
run_ok('EXCEPTION block around a read whose flush fails', q{
	DO $$
	BEGIN
		UPDATE tb_user SET name = 'w';
		BEGIN
			UPDATE tb_user SET name = 'bad' WHERE pk_user = 1;
			PERFORM count(*) FROM tv_comment;
		EXCEPTION WHEN check_violation THEN
			RAISE NOTICE 'caught';
		END;
	END $$;}, 'w');

# Cursors
run_ok('WITH HOLD cursor that writes when it is materialized', q{
	CREATE FUNCTION touch(i int) RETURNS int LANGUAGE plpgsql AS
	$$BEGIN
		UPDATE tb_user SET name = 'held' WHERE pk_user = i;
		RETURN i;
	END$$;
	BEGIN;
	DECLARE c CURSOR WITH HOLD FOR SELECT touch(pk_user) FROM tb_user;
	COMMIT;}, 'held');
is($node->safe_psql($db, q{
		BEGIN;
		UPDATE tb_user SET name = 'x';
		DECLARE c CURSOR WITH HOLD FOR
			SELECT data #>> '{post,author,name}' FROM tv_comment ORDER BY pk_comment;
		UPDATE tb_user SET name = 'y';
		COMMIT;
		FETCH 1 FROM c;
		CLOSE c;}), 'x', 'WITH HOLD cursor over a TVIEW');
is_maintained($node, $db, 'WITH HOLD cursor over a TVIEW');

# What triggers on a TVIEW do belongs to the transaction.  They run with the
# search_path of the refresh, so they have to qualify names.
$node->safe_psql($db, q{
	CREATE TABLE log (n serial, what text);
	CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN
		PERFORM pg_notify('changes', new.pk_user::text);
		INSERT INTO public.log (what) VALUES (new.data->>'name');
		RETURN NULL;
	END$$;
	CREATE TRIGGER tell AFTER UPDATE ON tv_user
	FOR EACH ROW EXECUTE FUNCTION tell();
	CREATE CONSTRAINT TRIGGER tell_later AFTER UPDATE ON tv_user
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tell();});
my $listener = $node->background_psql($db);
$listener->query_safe('LISTEN changes');
$node->safe_psql($db, q{
	UPDATE tb_user SET name = 'told' WHERE pk_user = 3;
	BEGIN; UPDATE tb_user SET name = 'not told' WHERE pk_user = 4; ROLLBACK;});
is($node->safe_psql($db, 'SELECT string_agg(what, $$,$$) FROM log'), 'told,told',
	'triggers of a TVIEW, immediate and deferred, fire at commit');
like($listener->query('SELECT 1'),
	qr/notification "changes" with payload "3"/, 'NOTIFY in a trigger of a TVIEW');
unlike($listener->query('SELECT 1'), qr/payload "4"/, 'nothing of a rollback');
$listener->quit;
is_maintained($node, $db, 'triggers of a TVIEW');

# A trigger of a TVIEW that writes a base table: another round
$node->safe_psql($db, q{
	CREATE FUNCTION copy_name() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN
		UPDATE public.tb_post SET title = new.data->>'name'
		WHERE fk_user = new.pk_user;
		RETURN NULL;
	END$$;
	CREATE TRIGGER copy_name AFTER UPDATE ON tv_user
	FOR EACH ROW EXECUTE FUNCTION copy_name();
	UPDATE tb_user SET name = 'copied' WHERE pk_user = 3;});
is($node->safe_psql($db, q{SELECT DISTINCT data #>> '{post,title}' FROM tv_comment
		JOIN tb_post ON pk_post = fk_post AND fk_user = 3}), 'copied',
	'a trigger of a TVIEW writes a base table');
is_maintained($node, $db, 'a trigger of a TVIEW writes a base table');
$node->safe_psql($db, q{
	DROP TRIGGER copy_name ON tv_user;
	DROP TRIGGER tell ON tv_user;
	DROP TRIGGER tell_later ON tv_user;});

# Parallel plans over what was just written
# (PostgreSQL 16 has renamed the setting)
my $force_parallel = $node->pg_version >= 16 ?
  'debug_parallel_query' : 'force_parallel_mode';
my $parallel = qq{
	SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0; SET $force_parallel = on;};
$node->safe_psql($db, q{
	ALTER TABLE tv_comment SET (parallel_workers = 2);
	CREATE FUNCTION name_of(i int) RETURNS text STABLE PARALLEL SAFE
	LANGUAGE plpgsql AS
	$$BEGIN
		RETURN (SELECT data->>'name' FROM tv_user WHERE pk_user = i);
	END$$;});
like($node->safe_psql($db, qq{$parallel
		EXPLAIN SELECT count(*) FROM tv_comment WHERE data::text ~ 'par'}),
	qr/Gather/, 'the plan is parallel');
is($node->safe_psql($db, qq{$parallel
		BEGIN;
		UPDATE tb_user SET name = 'par';
		SELECT count(*) FROM tv_comment WHERE data::text ~ 'par';
		UPDATE tb_user SET name = 'parallel' WHERE pk_user = 1;
		SELECT count(*) FROM tv_comment WHERE data::text ~ 'parallel';
		UPDATE tb_user SET name = 'in a function';
		SELECT DISTINCT name_of(pk_user) FROM tb_user;
		SELECT name_of(1);
		COMMIT;}), "100\n10\nin a function\nin a function",
	'parallel queries see what was just written');
is_maintained($node, $db, 'parallel queries');
run_ok('writes in a session with parallel plans',
	"$parallel UPDATE tb_user SET name = 'z'; DELETE FROM tb_comment WHERE pk_comment > 90;", 'z');

# The extended protocol, with and without named statements, and pipelines
my %scripts = (
	'statements' => q{
\set u random(1, 10)
\set p random(1, 50)
UPDATE tb_user SET name = 'name ' || :p WHERE pk_user = :u;
BEGIN;
UPDATE tb_post SET fk_user = :u WHERE pk_post = :p;
SELECT count(*) FROM tv_post WHERE fk_user = :u;
UPDATE tb_comment SET content = 'c' || :u WHERE fk_post = :p;
COMMIT;
},
	'pipelines' => q{
\set u random(1, 10)
\set p random(1, 50)
\startpipeline
UPDATE tb_user SET name = 'name ' || :p WHERE pk_user = :u;
UPDATE tb_post SET fk_user = :u WHERE pk_post = :p;
SELECT count(*) FROM tv_post WHERE fk_user = :u;
UPDATE tb_comment SET content = 'c' || :u WHERE fk_post = :p;
\endpipeline
\startpipeline
BEGIN;
UPDATE tb_user SET name = 'other ' || :p WHERE pk_user = :u;
SELECT count(*) FROM tv_comment WHERE fk_post = :p;
COMMIT;
UPDATE tb_post SET title = 't' || :u WHERE pk_post = :p;
\endpipeline
});
foreach my $name (sort keys %scripts)
{
	foreach my $protocol (qw(simple extended prepared))
	{
		next if $name eq 'pipelines' && $protocol eq 'simple';
		$node->pgbench("-n -t 100 -M $protocol", 0, [qr{processed: 100/100}],
			[qr{^$}], "$name, protocol $protocol",
			{ "tx_${name}_$protocol" => $scripts{$name} });
		is_maintained($node, $db, "$name, protocol $protocol");
	}
}
$node->pgbench('-n -t 1 -M extended', 2, [],
	[qr{violates check constraint}], 'a flush that fails in a pipeline',
	{ 'tx_pipeline_error' => q{
\startpipeline
UPDATE tb_user SET name = 'fine';
UPDATE tb_user SET name = 'bad' WHERE pk_user = 1;
\endpipeline
} });
is($node->safe_psql($db, q{SELECT count(*) FROM tv_user WHERE data->>'name' = 'fine'}),
	'0', 'nothing of it is left');
is_maintained($node, $db, 'a flush that fails in a pipeline');

stop_and_check_log($node);
done_testing();
