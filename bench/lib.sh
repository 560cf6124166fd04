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

# make_blog ROWS: tables of a blog with so many rows together, in the database of
# the environment.  A tenth of them are users, three tenths posts, the rest comments.
make_blog()
{
	psql -X -q -v ON_ERROR_STOP=1 -v rows="$1" <<-'END'
		CREATE TABLE tb_user AS
		SELECT i AS pk_user, gen_random_uuid() AS id, 'user ' || i AS name FROM generate_series(1, :rows / 10) AS i;
		CREATE TABLE tb_post AS
		SELECT i AS pk_post, gen_random_uuid() AS id, 1 + i % (:rows / 10) AS fk_user, 'post ' || i AS title,
		       repeat('text ', 40) AS body FROM generate_series(1, :rows / 10 * 3) AS i;
		CREATE TABLE tb_comment AS
		SELECT i AS pk_comment, 1 + i % (:rows / 10 * 3) AS fk_post, 'comment ' || i AS content
		FROM generate_series(1, :rows / 10 * 6) AS i;
		ALTER TABLE tb_user ADD PRIMARY KEY (pk_user);
		ALTER TABLE tb_post ADD PRIMARY KEY (pk_post), ADD FOREIGN KEY (fk_user) REFERENCES tb_user;
		ALTER TABLE tb_comment ADD PRIMARY KEY (pk_comment), ADD FOREIGN KEY (fk_post) REFERENCES tb_post;
		CREATE INDEX ON tb_post (fk_user);
		CREATE INDEX ON tb_comment (fk_post);
		VACUUM ANALYZE;
	END
}

# Make TVIEWs of them: documents of comments have their post's title, those of
# posts their author's document.
make_blog_tviews()
{
	psql -X -q -v ON_ERROR_STOP=1 <<-'END'
		CREATE EXTENSION pg_tviews;
		CREATE TABLE tv_user AS
		SELECT u.pk_user, u.id, jsonb_build_object('id', u.id, 'name', u.name) AS data FROM tb_user AS u;
		CREATE TABLE tv_post AS
		SELECT p.pk_post, p.id, p.fk_user,
		       jsonb_build_object('id', p.id, 'title', p.title, 'body', p.body, 'author', u.data, 'comments',
		           (SELECT jsonb_agg(c.content ORDER BY c.pk_comment) FROM tb_comment AS c
		            WHERE c.fk_post = p.pk_post)) AS data
		FROM tb_post AS p JOIN v_user AS u ON u.pk_user = p.fk_user;
		CREATE TABLE tv_comment AS
		SELECT c.pk_comment, c.fk_post, jsonb_build_object('content', c.content, 'post', p.title) AS data
		FROM tb_comment AS c JOIN tb_post AS p ON p.pk_post = c.fk_post;
	END
}
