#!/usr/bin/env bash
#
# A recovery drill: how long does it take until TVIEWs are right again, and does
# it work?
#
#   drill_tviews.sh DUMP BACKUP [CONNECTION]
#
#   DUMP         a dump of the database by pg_dump, in custom or directory format
#   BACKUP       a backup of the same time by backup_tviews.sh
#   CONNECTION   name of a database, or a connection string as for psql, of the
#                server on which to make a scratch database; PGHOST and the like
#                are used, too.  The role must be a superuser
#
#   JOBS         in the environment: processes of pg_restore, 2 by default
#
# Plays these, one after the other, in the scratch database, and drops it:
#
#   dump         all is lost: the dump is restored
#   metadata     all TVIEWs are lost, with the extension: metadata are restored,
#                and TVIEWs made of them
#   repair       TVIEWs may be wrong: they are repaired, and found to be right
#
# Each ends when every TVIEW has been compared with its view, row by row; that
# time is not in the figures.  Prints a line for each: name, seconds, rows of
# base tables, rows of TVIEWs.  The exit code is 0 if everything was right.

set -euo pipefail

die()
{
	printf 'drill_tviews.sh: %s\n' "$*" >&2
	exit 1
}

clean_up()
{
	local status=$?

	trap - EXIT
	[ -z "$scratch" ] ||
		run_psql -d "$connection" -c "DROP DATABASE $scratch WITH (FORCE)" ||
		status=1
	exit "$status"
}

run_psql()
{
	psql -X -q -A -t -w -v ON_ERROR_STOP=1 "$@"
}

run_sql()
{
	run_psql -d "$target"
}

# Find the schema of the extension, and compare every TVIEW with its view; then print what was measured.
report()
{
	local name=$1 seconds=$2 wrong

	schema=$(run_sql <<<"SELECT pg_catalog.quote_ident(n.nspname)
		FROM pg_catalog.pg_extension AS e
		JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
		WHERE e.extname = 'pg_tviews'")
	[ -n "$schema" ] || die "$name: the extension is not there"
	# a dump restores no statistics of columns, and plans are bad without
	run_sql <<<'ANALYZE'
	wrong=$(run_sql <<-END
		SELECT pg_catalog.format(
		    'SELECT %L FROM ((SELECT %2\$s FROM %3\$s EXCEPT ALL SELECT %2\$s FROM %4\$s)
		                     UNION ALL
		                     (SELECT %2\$s FROM %4\$s EXCEPT ALL SELECT %2\$s FROM %3\$s)) AS d
		     HAVING count(*) > 0',
		    m.tview::pg_catalog.regclass, c.columns, m.tview, m.view)
		FROM $schema.pg_tview_meta AS m
		CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ')
		                    FROM pg_catalog.pg_attribute AS a
		                    WHERE a.attrelid = m.view AND a.attnum > 0) AS c(columns)
		ORDER BY m.tview \\gexec
	END
	)
	[ -z "$wrong" ] || die "$name: not equal to its view: $wrong"
	run_sql <<-SQL
		CREATE FUNCTION pg_temp.rows(regclass) RETURNS bigint LANGUAGE plpgsql AS \$\$
		DECLARE n bigint;
		BEGIN
		    EXECUTE pg_catalog.format('SELECT count(*) FROM %s', \$1) INTO n;
		    RETURN n;
		END \$\$;
		SELECT pg_catalog.concat_ws(E'\t', '$name', '$seconds',
		    (SELECT COALESCE(sum(pg_temp.rows(t.t)), 0)
		     FROM (SELECT DISTINCT pg_catalog.unnest(m.dependencies)::regclass AS t
		           FROM $schema.pg_tview_meta AS m) AS t
		     WHERE NOT EXISTS (SELECT FROM $schema.pg_tview_meta AS m WHERE m.tview = t.t)),
		    (SELECT COALESCE(sum(pg_temp.rows(m.tview)), 0) FROM $schema.pg_tview_meta AS m));
	SQL
}

# Run a step of the drill, and print its line.
play()
{
	local name=$1 start seconds

	start=$(date +%s%N)
	"$2"
	seconds=$(awk -v ns=$(($(date +%s%N) - start)) 'BEGIN { printf "%.1f", ns / 1e9 }')
	report "$name" "$seconds"
}

#
# What is played
#

restore_dump()
{
	pg_restore --exit-on-error --no-subscriptions -w -j "${JOBS:-2}" -d "$target" -- "$dump"
}

# As in backup_tviews.sh
grant_schemas()
{
	{
		gunzip -c -- "$backup/metadata.sql.gz" | grep -a -m 1 '^\\set database_owner ' || true
		cat <<-'END'
			\if :{?database_owner}
			SELECT pg_catalog.format('GRANT ALL ON SCHEMA %I TO %I', n.nspname, :'database_owner')
			FROM pg_catalog.pg_namespace AS n
			WHERE n.nspowner = 'pg_database_owner'::pg_catalog.regrole \gexec
			\endif
		END
	} | run_sql || die "the owner of the database is no role here"
}

restore_metadata()
{
	gunzip -c -- "$backup/metadata.sql.gz" | run_sql
	grant_schemas
	run_sql <<<"SELECT count(*) FROM $schema.pg_tviews_recreate() \\g /dev/null"
}

repair()
{
	local wrong

	wrong=$(run_sql <<<"SELECT count(*) FROM $schema.pg_tviews_repair()")
	[ "$wrong" = 0 ] || die "repair: $wrong rows were wrong"
}

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
	sed -n '/^#   drill_tviews/,/^#   JOBS/s/^# \{0,3\}//p' "$0" >&2
	exit 2
fi
dump=$1
backup=$2
connection=${3:-}
[ -e "$dump" ] || die "no such dump: $dump"
[ -r "$backup/metadata.sql.gz" ] || die "no such backup: $backup"

# the last name of a database is the one that counts
name=tviews_drill_$$_$(date +%s)
case $connection in
	*://*\?*) target="$connection&dbname=$name" ;;
	*://*) target="$connection?dbname=$name" ;;
	*=*) target="$connection dbname=$name" ;;
	*) target=$name ;;
esac
scratch=
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
run_psql -d "$connection" -c "CREATE DATABASE $name TEMPLATE template0"
scratch=$name

printf 'played\tseconds\trows of tables\trows of TVIEWs\n'
play dump restore_dump
run_sql 2>/dev/null <<<'DROP EXTENSION pg_tviews CASCADE' ||
	die 'the extension cannot be dropped'
play metadata restore_metadata
play repair repair
