# One changed row costs what it reaches, not what the tables hold: derivations
# start from the changed rows and go by indexes, and so does what a refresh
# reads and writes.  Judged by plans and counts on 100,000 rows, not by time.

use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TviewTest;

my $node = new_node('plans', 'autovacuum = off', 'statement_timeout = 60s',
	'session_preload_libraries = auto_explain',
	'auto_explain.log_nested_statements = on',
	'auto_explain.log_analyze = on', 'auto_explain.log_timing = off',
	'auto_explain.log_format = json');
my $db = 'postgres';

# A table with more rows than this is not to be scanned.  The tree of categories
# is smaller: the planner takes it that steps of a recursion find a hundred rows,
# and prefers to scan such a table.
my $large = 2500;

$node->safe_psql($db, 'CREATE EXTENSION pg_tviews');
create_tables();
create_tviews();

# One changed row of each table, and of each kind
my @changes = (
	q{UPDATE tb_company SET name = name || '!' WHERE pk_company = 7},
	q{UPDATE tb_user SET name = name || '!' WHERE pk_user = 7},
	q{UPDATE tb_user SET fk_company = 8 WHERE pk_user = 7},
	q{UPDATE tb_post SET title = title || '!' WHERE pk_post = 7},
	q{UPDATE tb_post SET score = score + 1 WHERE pk_post = 7},
	q{UPDATE tb_post SET fk_user = 8 WHERE pk_post = 7},
	q{UPDATE tb_comment SET content = content || '!' WHERE pk_comment = 7},
	q{UPDATE tb_comment SET fk_user = 8 WHERE pk_comment = 7},
	q{DELETE FROM tb_comment WHERE pk_comment = 7},
	q{INSERT INTO tb_comment VALUES (7, 7, 8, 'new')},
	q{UPDATE tb_tag SET slug = slug || '!' WHERE pk_tag = 7},
	q{UPDATE tb_post_tag SET fk_tag = 8 WHERE fk_post = 7 AND fk_tag = 7},
	q{UPDATE tb_alias SET slug = slug || '!' WHERE pk_alias = 7},
	q{UPDATE tb_category SET name = name || '!' WHERE pk_category = 700},
	q{UPDATE tb_category SET fk_parent = 8 WHERE pk_category = 700},
	q{UPDATE tb_sku SET name = name || '!' WHERE pk_sku = 7},
	q{UPDATE tb_order SET note = note || '!' WHERE pk_order = 7},
	q{UPDATE tb_line SET fk_sku = 8 WHERE fk_order = 7 AND line = 7},
	q{UPDATE tb_parcel SET place = place || '!' WHERE pk_parcel = 7},
	q{UPDATE tb_stock SET pieces = pieces + 1 WHERE fk_sku = 7},
	q{UPDATE tb_price SET cents = cents + 1 WHERE fk_sku = 7});

# A session that has made all its plans while there was next to nothing
my $early = $node->background_psql($db);
$early->query_safe($_) foreach insert_rows('BETWEEN 7 AND 8', '= 700');
$early->query_safe($_) foreach @changes;
$early->query_safe(delete_rows());
$node->safe_psql($db, join(';', 'SET session_replication_role = replica',
		insert_rows('IS NOT NULL', 'IS NOT NULL'), 'ANALYZE'));
$node->safe_psql($db, qq{
	SET session_replication_role = replica;
	SELECT pg_tviews_refresh('$_'); ANALYZE tv_$_}) foreach split /\n/,
  $node->safe_psql($db, q{SELECT entity FROM pg_tview_meta ORDER BY entity = 'batch'});
$node->safe_psql($db, 'VACUUM ANALYZE');

my %rows = map { split /\|/ } split /\n/, $node->safe_psql($db, q{
	SELECT relname, reltuples FROM pg_class WHERE relname ~ '^t[bv]_'});
cmp_ok($rows{tb_comment}, '>=', 100000, 'enough rows');

derivations();
flushes('a new session', $node->background_psql($db));
flushes('a session from before the load', $early);
two_hops();
missing_indexes();
is_maintained($node, $db, 'in the end');

stop_and_check_log($node);
done_testing();

# ----------
# Tables
# ----------

sub create_tables
{
	$node->safe_psql($db, q{
		CREATE TABLE tb_company (pk_company int PRIMARY KEY, name text NOT NULL);
		CREATE TABLE tb_user (
			pk_user int PRIMARY KEY,
			fk_company int NOT NULL REFERENCES tb_company,
			name text NOT NULL);
		CREATE INDEX ON tb_user (fk_company);
		CREATE TABLE tb_post (
			pk_post int PRIMARY KEY,
			fk_user int NOT NULL REFERENCES tb_user,
			title text NOT NULL,
			score int NOT NULL);
		CREATE INDEX ON tb_post (fk_user);
		CREATE TABLE tb_comment (
			pk_comment int PRIMARY KEY,
			fk_post int NOT NULL REFERENCES tb_post,
			fk_user int NOT NULL REFERENCES tb_user,
			content text NOT NULL);
		CREATE INDEX ON tb_comment (fk_post);
		CREATE INDEX ON tb_comment (fk_user);
		CREATE TABLE tb_tag (pk_tag int PRIMARY KEY, slug text NOT NULL UNIQUE);
		CREATE TABLE tb_post_tag (
			fk_post int REFERENCES tb_post,
			fk_tag int REFERENCES tb_tag,
			PRIMARY KEY (fk_post, fk_tag));
		CREATE INDEX ON tb_post_tag (fk_tag);
		CREATE TABLE tb_alias (pk_alias int PRIMARY KEY, slug text NOT NULL);
		CREATE INDEX ON tb_alias (lower(slug));
		CREATE TABLE tb_category (
			pk_category int PRIMARY KEY,
			fk_parent int,
			name text NOT NULL);
		CREATE INDEX ON tb_category (fk_parent);
		CREATE TABLE tb_sku (pk_sku int PRIMARY KEY, name text NOT NULL);
		CREATE TABLE tb_order (pk_order int PRIMARY KEY, note text NOT NULL);
		CREATE TABLE tb_line (
			fk_order int REFERENCES tb_order,
			line int,
			fk_sku int NOT NULL REFERENCES tb_sku,
			PRIMARY KEY (fk_order, line));
		CREATE INDEX ON tb_line (fk_sku);
		CREATE TABLE tb_parcel (
			pk_parcel int PRIMARY KEY,
			fk_order int NOT NULL,
			line int NOT NULL,
			place text NOT NULL);
		CREATE INDEX ON tb_parcel (fk_order, line);
		CREATE TABLE tb_stock (fk_sku int PRIMARY KEY, pieces int NOT NULL);
		CREATE TABLE tb_price (fk_sku int PRIMARY KEY, cents int NOT NULL);});
	return;
}

# Rows whose number is as the condition says; a SKU with number 1 is on ten
# orders.
sub insert_rows
{
	my ($condition, $category) = @_;
	my $series = sub {
		my ($count, $columns, $which) = @_;
		$which //= $condition;
		return "SELECT $columns FROM generate_series(1, $count) AS i WHERE i $which";
	};

	return (
		'INSERT INTO tb_company ' . $series->(2000, q{i, 'company ' || i}),
		'INSERT INTO tb_user '
		  . $series->(10000, q{i, (i - 1) % 2000 + 1, 'user ' || i}),
		'INSERT INTO tb_post '
		  . $series->(20000, q{i, (i - 1) % 10000 + 1, 'post ' || i, i % 17}),
		'INSERT INTO tb_comment '
		  . $series->(100000, q{i, (i - 1) % 20000 + 1, (i - 1) % 9999 + 1, 'comment ' || i}),
		'INSERT INTO tb_tag ' . $series->(2000, q{i, 'tag ' || i}),
		'INSERT INTO tb_post_tag '
		  . $series->(20000, '(i - 1) % 20000 + 1, (i - 1) % 2000 + 1'),
		'INSERT INTO tb_alias ' . $series->(5000, q{i, 'Tag ' || i}),
		'INSERT INTO tb_category '
		  . $series->(2400, q{i, nullif(i / 3, 0), 'category ' || i}, $category),
		'INSERT INTO tb_sku ' . $series->(2000, q{i, 'sku ' || i}),
		'INSERT INTO tb_order ' . $series->(20000, q{i, 'order ' || i}),
		'INSERT INTO tb_line SELECT i, j, CASE WHEN j = 1 AND i % 2000 = 0 THEN 1 ELSE 2 + (i * 10 + j + 1920) % 1999 END'
		  . " FROM generate_series(1, 20000) AS i, generate_series(1, 10) AS j WHERE i $condition AND 2 + (i * 10 + j + 1920) % 1999 $condition",
		'INSERT INTO tb_parcel '
		  . $series->(20000, q{i, i % 20000 + 1, i % 10 + 1, 'place ' || i}),
		'INSERT INTO tb_stock ' . $series->(4000, 'i, i % 100'),
		'INSERT INTO tb_price ' . $series->(4000, 'i, i * 100'));
}

sub delete_rows
{
	return join(';', map { "DELETE FROM tb_$_" }
		  qw(price stock parcel line order sku category alias post_tag tag
		  comment post user company));
}

sub create_tviews
{
	$node->safe_psql($db, q{
		-- joins, three levels deep
		CREATE TABLE tv_comment AS
		SELECT c.pk_comment, c.fk_post,
			   jsonb_build_object('text', c.content, 'post', p.title,
				   'user', u.name, 'company', co.name) AS data
		FROM tb_comment c
		JOIN tb_post p ON p.pk_post = c.fk_post
		JOIN tb_user u ON u.pk_user = p.fk_user
		JOIN tb_company co ON co.pk_company = u.fk_company;
		-- m:n
		CREATE TABLE tv_tagged AS
		SELECT p.pk_post AS pk_tagged,
			   jsonb_build_object('title', p.title, 'tags',
				   (SELECT jsonb_agg(t.slug ORDER BY t.pk_tag)
					FROM tb_post_tag pt JOIN tb_tag t ON t.pk_tag = pt.fk_tag
					WHERE pt.fk_post = p.pk_post)) AS data
		FROM tb_post p;
		CREATE TABLE tv_talked AS
		SELECT u.pk_user AS pk_talked, jsonb_build_object('name', u.name) AS data
		FROM tb_user u
		WHERE EXISTS (SELECT FROM tb_post p
					  JOIN tb_comment c ON c.fk_post = p.pk_post
					  WHERE p.fk_user = u.pk_user AND c.content <> '');
		-- grouped subquery
		CREATE TABLE tv_counted AS
		SELECT u.pk_user AS pk_counted,
			   jsonb_build_object('name', u.name, 'comments', n.comments) AS data
		FROM tb_user u
		LEFT JOIN (SELECT p.fk_user, count(*) AS comments
				   FROM tb_post p JOIN tb_comment c ON c.fk_post = p.pk_post
				   GROUP BY p.fk_user) n ON n.fk_user = u.pk_user;
		-- the newest five
		CREATE TABLE tv_newest AS
		SELECT u.pk_user AS pk_newest,
			   jsonb_build_object('name', u.name, 'posts',
				   jsonb_agg(l.title ORDER BY l.pk_post)) AS data
		FROM tb_user u
		LEFT JOIN LATERAL (SELECT p.pk_post, p.title FROM tb_post p
						   WHERE p.fk_user = u.pk_user
						   ORDER BY p.pk_post DESC LIMIT 5) l ON true
		GROUP BY u.pk_user;
		-- window, partitioned by a reference
		CREATE TABLE tv_ranked AS
		SELECT p.pk_post AS pk_ranked,
			   jsonb_build_object('title', p.title, 'by', u.name, 'rank',
				   rank() OVER (PARTITION BY p.fk_user ORDER BY p.score, p.pk_post)) AS data
		FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user;
		-- DISTINCT ON a reference, and on the key
		CREATE TABLE tv_first AS
		SELECT DISTINCT ON (p.fk_user) p.pk_post AS pk_first,
			   jsonb_build_object('title', p.title, 'by', u.name) AS data
		FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user
		ORDER BY p.fk_user, p.score, p.pk_post;
		CREATE TABLE tv_best AS
		SELECT DISTINCT ON (p.fk_user) p.fk_user AS pk_best,
			   jsonb_build_object('title', p.title, 'comment', c.content) AS data
		FROM tb_post p LEFT JOIN tb_comment c ON c.fk_post = p.pk_post
		ORDER BY p.fk_user, p.score DESC, p.pk_post, c.pk_comment;
		-- two roots
		CREATE TABLE tv_found AS
		SELECT p.pk_post AS pk_found,
			   jsonb_build_object('post', p.title, 'by', u.name) AS data
		FROM tb_post p JOIN tb_user u ON u.pk_user = p.fk_user
		WHERE p.pk_post <= 10000
		UNION ALL
		SELECT c.pk_comment, jsonb_build_object('comment', c.content, 'by', u.name)
		FROM tb_comment c JOIN tb_user u ON u.pk_user = c.fk_user
		WHERE c.pk_comment > 10000;
		-- recursion: up, joined, and down
		CREATE TABLE tv_path AS
		WITH RECURSIVE up AS (
			SELECT c.pk_category, c.fk_parent, c.name AS path FROM tb_category c
			UNION ALL
			SELECT up.pk_category, p.fk_parent, p.name || '/' || up.path
			FROM up JOIN tb_category p ON p.pk_category = up.fk_parent)
		SELECT up.pk_category AS pk_path, to_jsonb(up.path) AS data
		FROM up WHERE up.fk_parent IS NULL;
		CREATE TABLE tv_place AS
		WITH RECURSIVE up AS (
			SELECT c.pk_category, c.fk_parent, c.name AS path FROM tb_category c
			UNION ALL
			SELECT up.pk_category, p.fk_parent, p.name || '/' || up.path
			FROM up JOIN tb_category p ON p.pk_category = up.fk_parent)
		SELECT c.pk_category AS pk_place,
			   jsonb_build_object('name', c.name, 'path', up.path) AS data
		FROM tb_category c
		LEFT JOIN up ON up.pk_category = c.pk_category AND up.fk_parent IS NULL;
		CREATE TABLE tv_below AS
		SELECT c.pk_category AS pk_below,
			   jsonb_build_object('name', c.name, 'below',
				   (WITH RECURSIVE down AS (
						SELECT d.pk_category, d.name FROM tb_category d
						WHERE d.fk_parent = c.pk_category
						UNION ALL
						SELECT d.pk_category, d.name
						FROM down JOIN tb_category d ON d.fk_parent = down.pk_category)
					SELECT jsonb_agg(down.name ORDER BY down.pk_category) FROM down)) AS data
		FROM tb_category c;
		-- the key from either side
		CREATE TABLE tv_offer AS
		SELECT coalesce(s.fk_sku, p.fk_sku) AS pk_offer,
			   jsonb_build_object('pieces', s.pieces, 'cents', p.cents) AS data
		FROM tb_stock s FULL JOIN tb_price p ON p.fk_sku = s.fk_sku;
		-- a condition on two columns, and one through a function
		CREATE TABLE tv_parcel AS
		SELECT p.pk_parcel, jsonb_build_object('place', p.place, 'sku', s.name) AS data
		FROM tb_parcel p
		LEFT JOIN tb_line l ON (l.fk_order, l.line) = (p.fk_order, p.line)
		LEFT JOIN tb_sku s ON s.pk_sku = l.fk_sku;
		CREATE TABLE tv_alias AS
		SELECT a.pk_alias, jsonb_build_object('slug', a.slug, 'tag', t.pk_tag) AS data
		FROM tb_alias a LEFT JOIN tb_tag t ON t.slug = lower(a.slug);
		-- two hops, and a TVIEW over TVIEWs
		CREATE TABLE tv_order AS
		SELECT o.pk_order,
			   jsonb_build_object('note', o.note, 'skus',
				   (SELECT jsonb_agg(s.name ORDER BY l.line)
					FROM tb_line l JOIN tb_sku s ON s.pk_sku = l.fk_sku
					WHERE l.fk_order = o.pk_order)) AS data
		FROM tb_order o;
		CREATE TABLE tv_batch AS
		SELECT o.pk_order AS pk_batch,
			   jsonb_build_object('order', o.data, 'parcels',
				   (SELECT jsonb_agg(p.data ORDER BY p.pk_parcel)
					FROM tb_parcel b JOIN v_parcel p ON p.pk_parcel = b.pk_parcel
					WHERE b.fk_order = o.pk_order)) AS data
		FROM v_order o;});
	return;
}

# ----------
# What plans tell
# ----------

sub nodes
{
	my ($plan) = @_;

	return ($plan, map { nodes($_) } @{ $plan->{Plans} // [] });
}

# Large tables that a plan scans from end to end
sub scanned
{
	my ($plan) = @_;

	return grep { ($rows{$_} // 0) > $large }
	  map { $_->{'Relation Name'} }
	  grep { $_->{'Node Type'} eq 'Seq Scan' && ($_->{'Actual Loops'} // 1) > 0 }
	  nodes($plan);
}

sub first_leaf
{
	my ($plan) = @_;

	foreach my $child (@{ $plan->{Plans} // [] })
	{
		return first_leaf($child)
		  if $child->{'Parent Relationship'} eq 'Outer';
	}
	return $plan;
}

# Large tables that joins of a plan start from
sub drivers
{
	my ($plan) = @_;

	return grep { ($rows{$_} // 0) > $large }
	  map { first_leaf($_)->{'Relation Name'} // '' }
	  grep { $_->{'Node Type'} =~ /Join|Nested Loop/ } nodes($plan);
}

# Rows that a plan has read from a table
sub rows_read
{
	my ($table, @plans) = @_;
	my $sum = 0;

	$sum += $_->{'Actual Rows'} * $_->{'Actual Loops'}
	  foreach grep { ($_->{'Relation Name'} // '') eq $table
		  && $_->{'Node Type'} =~ /Scan/ } map { nodes($_->{Plan}) } @plans;
	return $sum;
}

# Plans of the statements that this one has the session run
sub plans_of
{
	my ($session, $sql) = @_;
	my $offset = -s $node->logfile;

	$session->query_safe($sql);
	my $log = slurp_file($node->logfile, $offset);
	my @plans;
	while ($log =~ /duration: [0-9.]+ ms  plan:\s*/g)
	{
		my ($plan) = JSON::PP->new->decode_prefix(substr($log, pos $log));
		push @plans, $plan;
	}
	return @plans;
}

sub derivation_plan
{
	my ($source) = @_;
	my $nulls = join(', ', ('NULL') x @{ $source->{types} });
	my $types = join(', ', @{ $source->{types} });

	return decode_json($node->safe_psql($db, qq{
		SET plan_cache_mode = force_generic_plan;
		PREPARE derive ($types) AS $source->{derivation};
		EXPLAIN (COSTS OFF, FORMAT JSON) EXECUTE derive ($nulls)}))->[0]{Plan};
}

# The ways by query to a TVIEW, or to all
sub mapped_sources
{
	my ($entity) = @_;

	return @{ decode_json($node->safe_psql($db, qq{
		SELECT json_agg(json_build_object('name', entity || ' from ' || alias,
				'derivation', derivation, 'missing', missing_index,
				'types', (SELECT json_agg(format_type(atttypid, NULL) || '[]' ORDER BY n)
						  FROM unnest(key_columns) WITH ORDINALITY AS k (name, n)
						  JOIN pg_attribute ON attrelid = source AND attname = k.name))
			ORDER BY entity, source_no)
		FROM pg_tview_meta, pg_tviews_explain(entity)
		WHERE kind = 'mapped' AND entity ~ '^$entity\$'})) };
}

# ----------
# Proofs
# ----------

sub derivations
{
	foreach my $source (mapped_sources('.*'))
	{
		my $plan = derivation_plan($source);
		my @bad = (scanned($plan), drivers($plan));

		is("@bad", '', "derivation of $source->{name}")
		  or diag("$source->{derivation}\n" . JSON::PP->new->pretty->encode($plan));
		is($source->{missing}, undef, "indexes for $source->{name}");
	}
	return;
}

sub flushes
{
	my ($name, $session) = @_;
	my %seen;

	$session->query_safe('SET auto_explain.log_min_duration = 0');
	foreach my $change (@changes)
	{
		my @scans;

		foreach my $plan (plans_of($session, $change))
		{
			my @bad = scanned($plan->{Plan});

			$seen{$1} = 1 if $plan->{'Query Text'} =~ /^(?:MERGE INTO|UPDATE) public\.(tv_\w+)/;
			push @scans, map { "$_: " . JSON::PP->new->pretty->encode($plan) } @bad;
		}
		is("@scans", '', "$name: $change");
	}
	is(join(' ', sort keys %seen),
		$node->safe_psql($db, q{SELECT string_agg('tv_' || entity, ' ' ORDER BY entity COLLATE "C") FROM pg_tview_meta}),
		"$name: all have been refreshed");
	$session->quit;
	return;
}

# Renaming a SKU that is on ten of 20,000 orders
sub two_hops
{
	my $session = $node->background_psql($db);

	$session->query_safe('SET auto_explain.log_min_duration = 0');
	my @plans = grep { $_->{'Query Text'} =~ /tv_order|tb_line/ }
	  plans_of($session, q{UPDATE tb_sku SET name = 'renamed' WHERE pk_sku = 1});
	$session->quit;
	is($node->safe_psql($db, q{
			SELECT count(*), count(*) FILTER (WHERE data->>'skus' ~ 'renamed')
			FROM tv_order
			WHERE xmin = (SELECT xmin FROM tb_sku WHERE pk_sku = 1)}),
		'10|10', 'two hops: rows written');
	is(rows_read('tb_order', @plans), 10, 'two hops: rows computed');
	# to find what to lock on longer ways, to derive, and to recompute
	cmp_ok(rows_read('tb_line', @plans), '<=', 130, 'two hops: rows read');
	return;
}

# What the function suggests is what helps.
sub missing_indexes
{
	my %dropped = ('order from s' => 'tb_line_fk_sku_idx',
		'comment from u' => 'tb_post_fk_user_idx',
		'alias from t' => 'tb_alias_lower_idx',
		'parcel from l' => 'tb_parcel_fk_order_line_idx');

	foreach my $name (sort keys %dropped)
	{
		my $source = sub {
			my ($found) = grep { $_->{name} eq $name } mapped_sources($name =~ /(\w+)/);
			return $found;
		};

		$node->safe_psql($db, "DROP INDEX $dropped{$name}");
		isnt(join(' ', scanned(derivation_plan($source->()))), '',
			"$name without $dropped{$name}");
		my $missing = $source->()->{missing};
		like($missing, qr/^CREATE INDEX ON [^;]+$/, "$name: suggestion");
		# (one on an expression has statistics of its own)
		$node->safe_psql($db, "$missing; ANALYZE");
		is(join(' ', scanned(derivation_plan($source->()))), '', "$name with it");
		is($source->()->{missing}, undef, "$name: nothing missing any more");
	}
	return;
}
