#!/usr/bin/env bash
#
# Back up what TVIEWs can be made again from: their metadata and audit log, and
# the schema of the database.  Rows of tables are not in it.
#
#   backup_tviews.sh [-k DAYS] DIR [CONNECTION]
#   backup_tviews.sh --verify BACKUP [CONNECTION]
#
#   -k DAYS      remove backups of this database that are older, once the new
#                one is there; by default all are kept
#   DIR          folder for backups, which must exist
#   BACKUP       a backup: restore it into a scratch database, lose the TVIEWs
#                there, make them again of the metadata, and compare
#   CONNECTION   name of the database, or a connection string as for psql;
#                PGHOST and the like are used, too.  For --verify, any database
#                of a server where the role is a superuser
#
# Prints the path of the backup, a folder DIR/tviews-DATABASE-TIME:
#
#   metadata.sql.gz   makes the extension if it isn't there, and the rows of
#                     metadata and audit log that are not there
#   schema.dump       all objects of the database but subscriptions, for pg_restore
#   SHA256SUMS        checksums of both
#
# It appears whole or not at all.  Whatever goes wrong, the exit code is not 0.
# A verification that is killed by signal 9 leaves a database tviews_verify_...
# Nothing asks for a password: use a password file.

set -euo pipefail
umask 077
export LC_ALL=C

work=
scratch=
connection=

die()
{
	printf 'backup_tviews.sh: %s\n' "$*" >&2
	exit 1
}

usage()
{
	sed -n '/^#   backup_tviews/,/^# Nothing/s/^# \{0,3\}//p' "$0" >&2
	exit 2
}

clean_up()
{
	local status=$?

	trap - EXIT
	if [ -n "$scratch" ]; then
		run_psql -c "DROP DATABASE $scratch WITH (FORCE)" || status=1
	fi
	[ -z "$work" ] || rm -rf -- "$work"
	exit "$status"
}

run_psql()
{
	psql -X -q -A -t -w -v ON_ERROR_STOP=1 -d "$connection" "$@"
}

#
# Backup
#

# A name as a part of a file's name, a different one for each
file_name()
{
	local name=$1 i

	for ((i = 0; i < ${#name}; i++)); do
		case ${name:i:1} in
			[A-Za-z0-9_]) printf '%s' "${name:i:1}" ;;
			*) printf '%s' "${name:i:1}" | od -An -tx1 | tr ' ' % | tr -d '\n' ;;
		esac
	done
}

# The next value that the session which has the snapshot returns
next_value()
{
	IFS= read -r -d '' "$1" <&"$from"
}

# Metadata, with what has to be there before.  Of rows whose TVIEW is missing
# any number may be in the tables, so only one of each stays; and the audit log
# may have gone on since the backup.
dump_metadata()
{
	cat <<-END
		-- Metadata of TVIEWs, to be restored with psql.  What is missing
		-- afterwards is made by pg_tviews_recreate().
		\\set ON_ERROR_STOP on
		\\set database_owner $owner
		\\o /dev/null
		BEGIN;
		SET client_min_messages = warning;
		CREATE SCHEMA IF NOT EXISTS $schema;
		CREATE EXTENSION IF NOT EXISTS pg_tviews WITH SCHEMA $schema;
	END
	pg_dump -w --snapshot="$snapshot" --data-only -t "$schema.pg_tview_*" \
		--column-inserts --rows-per-insert=100 --on-conflict-do-nothing \
		-d "$connection"
	cat <<-END
		DELETE FROM $schema.pg_tview_meta AS m USING $schema.pg_tview_meta AS o
		WHERE m.schema = o.schema AND m.entity = o.entity AND m.tview = 0::oid
		  AND (o.tview <> 0::oid OR m.ctid > o.ctid);
		SELECT pg_catalog.setval('$schema.pg_tview_audit_log_log_id_seq', pg_catalog.max(l.log_id))
		FROM $schema.pg_tview_audit_log AS l HAVING pg_catalog.count(*) > 0;
		COMMIT;
		\\o
	END
}

backup()
{
	local dir=$1 days=$2 name to from snapshot owner schema target

	[ -d "$dir" ] || die "no such folder: $dir"
	exec 9>"$dir/.tviews.lock"
	flock -n 9 || die "another backup into $dir is running"
	rm -rf -- "$dir"/.tviews.??????
	work=$(mktemp -d -- "$dir/.tviews.XXXXXX")

	# One moment for all that is dumped: this session keeps its snapshot.
	coproc run_psql -0 9>&-
	{ exec {from}<&"${COPROC[0]}" {to}>&"${COPROC[1]}"; } 2>/dev/null ||
		die 'no connection'
	cat >&"$to" <<-'END' || die 'no connection'
		BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
		SELECT pg_catalog.current_database();
		SELECT pg_catalog.pg_export_snapshot();
		SELECT '''' || pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
		    pg_catalog.pg_get_userbyid(d.datdba), '\', '\\'), '''', ''''''), E'\n', '\n') || ''''
		FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database();
		SELECT COALESCE((SELECT pg_catalog.quote_ident(n.nspname)
		                 FROM pg_catalog.pg_extension AS e
		                 JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
		                 WHERE e.extname = 'pg_tviews'), '');
	END
	{ next_value name && next_value snapshot && next_value owner && next_value schema; } ||
		die 'no connection'
	[ -n "$schema" ] || die "no extension pg_tviews in database $name"

	dump_metadata | gzip >"$work/metadata.sql.gz"
	pg_dump -w --snapshot="$snapshot" --schema-only --no-subscriptions \
		-Fc -f "$work/schema.dump" -d "$connection"
	(cd -- "$work" && sha256sum -- metadata.sql.gz schema.dump >SHA256SUMS)

	name=tviews-$(file_name "$name")
	target=$dir/$name-$(date -u +%Y%m%dT%H%M%S.%3NZ)
	sync -- "$work"/* "$work"
	mv -T -- "$work" "$target"
	work=
	sync -- "$dir"
	[ -z "$days" ] ||
		find "$dir" -mindepth 1 -maxdepth 1 -name "$name-*Z" ! -name "${target##*/}" \
			-mmin +$((days * 1440)) -exec rm -rf -- {} +
	printf '%s\n' "$target"
}

#
# Verification
#

# Run SQL, a file of the backup for instance, in the scratch database.
in_scratch()
{
	{ printf '\\connect %s\n' "$scratch" && cat; } | run_psql "$@"
}

restore_schema()
{
	pg_restore -f - -- "$backup/schema.dump" | in_scratch -o /dev/null ||
		die "$backup: schema.dump can't be restored"
}

restore_metadata()
{
	gunzip -c -- "$backup/metadata.sql.gz" | in_scratch ||
		die "$backup: metadata.sql.gz can't be restored"
}

# The owner of a database may use what belongs to pg_database_owner, such as
# schema public; the scratch database is not theirs.
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
	} | in_scratch || die "the owner of the database is no role here"
}

# What the metadata in the scratch database say; all TVIEWs must be there.
described()
{
	local faults

	faults=$(in_scratch <<-END
		SELECT h.component || ': ' || h.message
		FROM $schema.pg_tviews_health_check() AS h WHERE h.severity = 'error';
	END
	)
	[ -z "$faults" ] || die "$backup: $1, not all is in order: $faults"
	in_scratch <<-END
		SELECT m.schema, m.entity, m.tview, m.view, m.key_column, m.definition, m.options
		FROM $schema.pg_tview_meta AS m ORDER BY m.schema, m.entity;
	END
}

# Statements that make the plain views which TVIEWs read.
helper_views()
{
	in_scratch <<-END
		SET search_path = '';
		SELECT pg_catalog.format('CREATE VIEW %1\$s AS %2\$s ALTER VIEW %1\$s OWNER TO %3\$I;', c.oid::pg_catalog.regclass,
		                         pg_catalog.pg_get_viewdef(c.oid), pg_catalog.pg_get_userbyid(c.relowner))
		FROM pg_catalog.pg_class AS c
		WHERE c.oid IN (SELECT h.helper FROM $schema.pg_tview_helpers AS h) ORDER BY c.oid;
	END
}

# Make TVIEWs of the metadata, all at once; but a view that reads a TVIEW has gone
# with it, and what reads that view comes after it.  So as long as something is
# missing, make each TVIEW and each view that can be made.  What was granted on
# them has gone, too; there are no rows to be seen here.
make_again()
{
	local errors count=-1 before

	until errors=$(in_scratch -o /dev/null 2>&1 <<<"SELECT * FROM $schema.pg_tviews_recreate()"); do
		before=$count
		{
			cat <<-END
				SELECT pg_catalog.format('SELECT * FROM $schema.pg_tviews_recreate(%L)',
				                         pg_catalog.format('%I.%I', m.schema, m.entity))
				FROM $schema.pg_tview_meta AS m WHERE m.tview = 0::pg_catalog.oid \\gexec
			END
			printf '%s\n' "$views"
			cat <<-END
				SELECT pg_catalog.format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO PUBLIC', n.nspname)
				FROM pg_catalog.pg_namespace AS n
				WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \\gexec
			END
		} | in_scratch -v ON_ERROR_STOP=0 -o /dev/null 2>/dev/null
		count=$(in_scratch <<<"SELECT count(*) FROM pg_catalog.pg_class")
		[ "$count" != "$before" ] ||
			die "$backup: TVIEWs can't be made again: $errors"
	done
}

verify()
{
	local backup=$1 schema views before after

	[ -d "$backup" ] || die "no such backup: $backup"
	if [ "$(cut -c 67- -- "$backup/SHA256SUMS")" != $'metadata.sql.gz\nschema.dump' ] ||
		! (cd -- "$backup" && sha256sum --check --strict --quiet SHA256SUMS >&2); then
		die "$backup is damaged"
	fi

	scratch=tviews_verify_$$_$(date +%s)
	run_psql -c "CREATE DATABASE $scratch TEMPLATE template0" ||
		{ scratch=; die 'no scratch database'; }
	restore_schema
	grant_schemas
	restore_metadata
	schema=$(in_scratch <<<"SELECT pg_catalog.quote_ident(n.nspname)
		FROM pg_catalog.pg_extension AS e
		JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
		WHERE e.extname = 'pg_tviews'")
	before=$(described 'restored')

	# What nobody knows the owner of would be run with the rights of a superuser.
	if [ -n "$(in_scratch <<-END
		SELECT m.entity FROM $schema.pg_tview_meta AS m
		WHERE NOT EXISTS (
		    SELECT FROM $schema.pg_tview_audit_log AS l
		    JOIN pg_catalog.pg_roles AS r ON r.rolname = l.owner
		    WHERE l.schema = m.schema AND l.entity = m.entity AND NOT l.details ? 'restored_by');
	END
	)" ]; then
		echo 'nobody knows whose some TVIEWs were: restored, but not made again' >&2
		return
	fi
	views=$(helper_views)
	in_scratch 2>/dev/null <<<'DROP EXTENSION pg_tviews CASCADE' ||
		die "$backup: the extension can't be dropped"
	restore_metadata
	make_again
	after=$(described 'made again')
	[ "$before" = "$after" ] ||
		die "$backup: made again, TVIEWs are different"
}

mode=backup
days=
if [ "${1:-}" = --verify ]; then
	mode=verify
	shift
fi
while getopts :k: option; do
	case $option:${OPTARG:-} in
		k:*[!0-9]* | k: | k:??????* | '?':* | ::*) usage ;;
		k:*) days=$((10#$OPTARG)) ;;
	esac
done
shift $((OPTIND - 1))
case $#$mode$days in
	[12]backup* | [12]verify) ;;
	*) usage ;;
esac
connection=${2:-}
for program in psql pg_dump pg_restore flock gzip sha256sum; do
	command -v "$program" >/dev/null || die "$program is not installed"
done
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
case $mode in
	backup) backup "$1" "$days" ;;
	verify) verify "$1" ;;
esac
