# Who needs which privileges: a TVIEW's maker, who is no superuser; writers,
# who have rights on base tables only; readers, who have them on the TVIEW
# only.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('roles');
my $db = 'app';

$node->safe_psql('postgres', q{
	CREATE ROLE maker LOGIN;
	CREATE ROLE writer LOGIN;
	CREATE ROLE reader LOGIN;
	CREATE ROLE stranger LOGIN;
	CREATE DATABASE app OWNER maker;});

sub as
{
	my ($role, $sql) = @_;

	return $node->safe_psql($db, $sql, extra_params => [ '-U', $role ]);
}

sub as_fails
{
	my ($role, $sql, $code, $name) = @_;
	my ($status, $out, $err) = $node->psql($db, "\\set VERBOSITY verbose\n$sql",
		extra_params => [ '-U', $role ], on_error_stop => 1);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	like($err, qr/ERROR:  $code: /, $name);
	return $err;
}

# Base tables and TVIEWs are in schemas of their own.
as('maker', q{
	CREATE EXTENSION pg_tviews;
	CREATE SCHEMA base;
	CREATE SCHEMA model;
	GRANT USAGE ON SCHEMA base TO writer;
	GRANT USAGE ON SCHEMA model TO reader;
	CREATE TABLE base.tb_user (pk_user int PRIMARY KEY, name text, born timestamptz);
	CREATE TABLE base.tb_post (pk_post int PRIMARY KEY, fk_user int, title text);
	GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE
		ON base.tb_user, base.tb_post TO writer;});
as('maker', q{
	CREATE TABLE model.tv_user AS
	SELECT pk_user, jsonb_build_object('name', name, 'born', born::text) AS data
	FROM base.tb_user;
	CREATE TABLE model.tv_post AS
	SELECT p.pk_post, jsonb_build_object('title', p.title, 'author', u.data) AS data
	FROM base.tb_post p JOIN model.v_user u ON u.pk_user = p.fk_user;
	GRANT SELECT ON model.tv_post TO reader;});
is($node->safe_psql($db, q{SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ',')
		FROM pg_class WHERE relname ~ '^t?v_' AND relkind IN ('r', 'v')}),
	'maker', 'TVIEWs belong to who makes them');

as('writer', q{
	SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German';
	INSERT INTO base.tb_user VALUES (1, 'ann', '2000-01-01 00:00+00'), (2, 'bob', now());
	COPY base.tb_post FROM STDIN;
1	1	first
2	2	second
\.
	BEGIN;
	UPDATE base.tb_user SET name = 'eve' WHERE pk_user = 1;
	SAVEPOINT s;
	DELETE FROM base.tb_post;
	ROLLBACK TO s;
	COMMIT;});
is(as('reader', q{SELECT data FROM model.tv_post WHERE pk_post = 1}),
	'{"title": "first", "author": {"born": "2000-01-01 00:00:00+00", "name": "eve"}}',
	'a writer without any right on TVIEWs maintains them');
is(as('writer', 'SELECT current_user, session_user'), 'writer|writer', 'and stays who it is');
is_maintained($node, $db, 'written by a writer');

as_fails('writer', 'SELECT * FROM model.tv_post;', '42501', 'a writer does not read');
as_fails('writer', q{BEGIN; UPDATE base.tb_user SET name = 'x';
	SELECT * FROM model.tv_post;}, '42501', 'not even after writing');
as_fails('reader', 'SELECT * FROM base.tb_post;', '42501', 'a reader reads TVIEWs only');
as_fails('reader', 'SELECT * FROM model.tv_user;', '42501', 'and only those it may read');
as_fails('reader', 'DELETE FROM model.tv_post;', '42501', 'and does not write');
is_maintained($node, $db, 'after what was refused');

# Functions that run as somebody else
as('maker', q{
	CREATE FUNCTION base.rename(i int, n text) RETURNS text LANGUAGE sql
	SECURITY DEFINER AS
	'UPDATE base.tb_user SET name = n WHERE pk_user = i;
	 SELECT data #>> $${author,name}$$ FROM model.tv_post WHERE pk_post = i';});
$node->safe_psql($db, 'GRANT USAGE ON SCHEMA base TO reader');
is(as('reader', q{SELECT base.rename(1, 'defined')}), 'defined', 'SECURITY DEFINER');
is_maintained($node, $db, 'SECURITY DEFINER');
as('postgres', q{SET ROLE writer; BEGIN; UPDATE base.tb_user SET name = 'role' WHERE pk_user = 2;
	RESET ROLE; UPDATE base.tb_user SET name = 'other role' WHERE pk_user = 1; SET ROLE stranger; COMMIT;});
is_maintained($node, $db, 'SET ROLE in the middle');

# Who may make, change, and drop TVIEWs
$node->safe_psql($db, 'GRANT USAGE ON SCHEMA base TO stranger; CREATE SCHEMA strange AUTHORIZATION stranger;');
my $create = q{CREATE TABLE strange.tv_copy AS
	SELECT pk_post AS pk_copy, to_jsonb(title) AS data FROM base.tb_post;};
as_fails('stranger', $create, '42501', 'no TVIEW of a table that one may not read');
$node->safe_psql($db, 'GRANT SELECT ON base.tb_post TO stranger');
as_fails('stranger', $create, '42501', 'no TVIEW of a table that one may only read');
as_fails('stranger', q{SELECT pg_tviews_drop('model.tv_post');}, '42501', 'a stranger does not drop');
as_fails('stranger', q{SELECT pg_tviews_refresh('model.tv_post');}, '42501', 'a stranger does not refresh');
is($node->safe_psql($db, q{SELECT count(*) FROM pg_class WHERE relname ~ 'v_copy'}),
	'0', 'nothing is left of what was refused');
$node->safe_psql($db, 'GRANT TRIGGER ON base.tb_post TO stranger');
as('stranger', $create);
as('writer', q{UPDATE base.tb_post SET title = 'both' WHERE pk_post = 1});
is_maintained($node, $db, 'a TVIEW of a table of somebody else');

# A maker that has lost the right to read: the writer's transaction fails
$node->safe_psql($db, 'REVOKE SELECT ON base.tb_post FROM stranger');
like(as_fails('writer', q{UPDATE base.tb_post SET title = 'lost' WHERE pk_post = 1;},
		'42501', 'the owner of a TVIEW may not read any more'),
	qr/CONTEXT:.*tv_copy/s, 'its context names the TVIEW');
as('stranger', q{SELECT pg_tviews_drop('strange.tv_copy')});
as('writer', q{UPDATE base.tb_post SET title = 'goes on' WHERE pk_post = 1});
is_maintained($node, $db, 'after it was dropped');

stop_and_check_log($node);
done_testing();
