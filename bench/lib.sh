# What the scripts in bench/ share; to be sourced by bash after tools/lib.sh.

# Print a quarter of the machine's memory, at most 4 GB, in MB.
buffer_size()
{
	awk '/^MemTotal:/ { mb = int($2 / 4096); print mb < 4096 ? mb : 4096 }' \
		/proc/meminfo
}

# start_server TREE DIR: start a server in DIR that has the extension of TREE.
# Nothing that runs by itself may fall into one contender's time: no
# autovacuum, no checkpoint, no compilation of plans.
start_server()
{
	"$1/tools/server" start "$2" \
		"shared_buffers = $(buffer_size)MB" \
		"max_wal_size = 24GB" \
		"checkpoint_timeout = 1d" \
		"autovacuum = off" \
		"jit = off"
}
