# What the scripts in tools/, demo/ and bench/ share; to be sourced by bash.
#
# PG_CONFIG or PG_MAJOR choose the server; 15 is the default.  Servers refuse
# to run as root, so root runs them as user postgres.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
pg_major=${PG_MAJOR:-15}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Print the path of pg_config; fail if there is none.
find_pg_config()
{
	local packaged=/usr/lib/postgresql/$pg_major/bin/pg_config

	if [ -n "${PG_CONFIG:-}" ]; then
		command -v "$PG_CONFIG"
	elif [ -x "$packaged" ]; then
		echo "$packaged"
	else
		[ -z "${PG_MAJOR:-}" ] && command -v pg_config
	fi
}

# Print the user that servers and tests run as.
ordinary_user()
{
	if [ "$(id -u)" != 0 ]; then
		id -un
	elif id -u postgres >/dev/null 2>&1; then
		echo postgres
	else
		echo nobody
	fi
}

# Run a command as that user.
as_user()
{
	if [ "$(id -u)" != 0 ]; then
		"$@"
		return
	fi

	local user home
	user=$(ordinary_user)
	home=$(getent passwd "$user" | cut -d: -f6)
	setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups \
		env HOME="$home" USER="$user" LOGNAME="$user" "$@"
}

# Forget which server the caller's environment points at.
forget_libpq_env()
{
	local name

	for name in "${!PG@}"; do
		case $name in
			PG_*) ;;
			*) unset "$name" ;;
		esac
	done
}
