# What Prometheus gets to see of TVIEWs is true: both exporters run with the
# files in monitoring/, as a role that may do no more than it has to, and their
# figures are the known ones.  Prometheus itself reads them, so that every
# panel of the dashboard has data, and the alerts do what their tests say.

use strict;
use warnings;

use Cwd qw(abs_path);
use HTTP::Tiny;
use IPC::Run qw(start);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use TviewTest;

my $top = abs_path('..');
my $monitoring = "$top/monitoring";
my $db = 'postgres';
my @running;

# from packages that are installed, or unpacked by tools/setup
$ENV{PATH} .= ":$top/.programs";
for my $program (qw(prometheus promtool prometheus-postgres-exporter
	prometheus-sql-exporter))
{
	grep { -x "$_/$program" } split /:/, $ENV{PATH}
	  or die "$program is missing: run tools/setup monitoring\n";
}

sub free_port { return PostgreSQL::Test::Cluster::get_free_port() }

sub get
{
	my ($port, $path) = @_;
	return HTTP::Tiny->new(no_proxy => ['127.0.0.1'], timeout => 10)
	  ->get("http://127.0.0.1:$port$path");
}

# Repeat until there is a result.
sub poll
{
	my ($what, $attempt) = @_;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my $result = $attempt->();
		return $result if $result;
		usleep(100_000);
	}
	die "timed out: $what\n";
}

# Start a program that listens on a port; its output goes into a log file.
sub run_program
{
	my ($port, @command) = @_;
	my $log = "$PostgreSQL::Test::Utils::log_path/021_exporter_$command[0].log";

	push @running, start(\@command, '<', \undef, '>', $log, '2>&1');
	poll("$command[0] answers", sub { get($port, '/metrics')->{success} });
	return;
}

END
{
	my $status = $?;
	$_->kill_kill for @running;
	$? = $status;
}

# Metrics in the text format: name, with sorted labels, to value.  Those of the
# sql exporter are renamed as in prometheus.yaml; labels that only one of the
# exporters has are left out.
sub metrics
{
	my $port = shift;
	my %value;

	for (split /\n/, get($port, '/metrics')->{content})
	{
		my ($name, $labels, $value) = /^(\w+)(?:\{(.*)\})? (\S+)$/ or next;
		my %label = ($labels // '') =~ /(\w+)="((?:[^"\\]|\\.)*)"/g;
		$name =~ s/^sql_(pg_tviews.*)/$1_$label{col}/;
		delete @label{qw(server col driver host database user sql_job)}
		  if $name =~ /^pg_tviews_/;
		$value{ $name . '{' . join(',', map { "$_=$label{$_}" } sort keys %label) . '}' } =
		  $value;
	}
	return \%value;
}

# Names of the metrics that PromQL mentions
sub mentioned
{
	my %name;
	$name{$_} = 1 for map { s/"[^"]*"//gr =~ /\b((?:pg_tviews|sql_exporter)_\w+)/g } @_;
	return sort keys %name;
}

my $node = new_node('exporter', 'max_connections = 50');
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = '" . library($node) . "'");
$node->restart;
$node->safe_psql($db, q{
	CREATE SCHEMA tviews;
	CREATE EXTENSION pg_tviews SCHEMA tviews;
	CREATE ROLE prometheus LOGIN;
	GRANT USAGE ON SCHEMA tviews TO prometheus;
	GRANT pg_monitor TO prometheus;
	ALTER ROLE prometheus SET search_path = tviews;});
create_blog($node, $db);
fill_blog($node, $db);
$node->safe_psql($db, q{
	CREATE TABLE tb_text (pk_text int PRIMARY KEY, content text);
	CREATE TABLE tv_text AS
	SELECT t.pk_text, t.content::varchar(5) AS content, '{}'::jsonb AS data FROM tb_text t;
	ALTER TABLE tv_text ADD CHECK (content <> 'never');
	SELECT tviews.pg_tviews_stats_reset();});

$node->safe_psql($db, 'CREATE DATABASE other');
$node->safe_psql('other', 'CREATE SCHEMA tviews; CREATE EXTENSION pg_tviews SCHEMA tviews;
	GRANT USAGE ON SCHEMA tviews TO prometheus');

# Who needs what
$node->safe_psql($db, 'CREATE ROLE plain; GRANT USAGE ON SCHEMA tviews TO plain');
$node->safe_psql($db, qq{SET ROLE plain; SELECT * FROM tviews.pg_tviews_$_})
  for qw(performance_summary queue_realtime progress cache_stats);
is(sqlstate($node, $db, 'SET ROLE plain; SELECT * FROM tviews.pg_tviews_health_check()'),
	'42501', 'only the health check needs pg_monitor');

# What is known: five refreshes and two failures; ...
$node->safe_psql($db, "INSERT INTO tb_text VALUES ($_, 'some')") for 1 .. 4;
$node->safe_psql($db, 'UPDATE tb_text SET content = NULL WHERE pk_text < 4');
is(sqlstate($node, $db, "INSERT INTO tb_text VALUES (5, 'never')"), '23514', 'a failure')
  for 1 .. 2;

# ... three changes waiting in one session, and one in another; ...
my @writers = map { $node->background_psql($db) } 1 .. 2;
$writers[0]->query_safe(q{
	BEGIN;
	UPDATE tb_user SET name = 'waiting' WHERE pk_user = 1;
	UPDATE tb_post SET title = 'waiting' WHERE pk_post IN (49, 50)});
$writers[1]->query_safe(q{BEGIN; UPDATE tb_user SET name = 'waiting' WHERE pk_user = 2});

# ... and a build that has come to row 4000 of 5000.
my $lock = hold_lock($node, $db);
$node->safe_psql($db, q{
	CREATE FUNCTION wait_once(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
	BEGIN
		IF n = 4000 THEN
			PERFORM pg_advisory_xact_lock_shared(1);
		END IF;
		RETURN n;
	END $$;
	CREATE TABLE tb_big (pk_big int PRIMARY KEY, n int);
	INSERT INTO tb_big SELECT i, i FROM generate_series(1, 5000) AS i;
	ANALYZE tb_big;});
my $builder = $node->background_psql($db);
$builder->query_until(qr/started/, q{SET client_min_messages = warning;
\echo started
CREATE TABLE tv_big AS SELECT pk_big, jsonb_build_object('n', wait_once(n)) AS data FROM tb_big;
});
wait_for_waiter($node, $db);

# The exporters, with the files as they are, but for the interval; one of them
# reads another database, too
my ($postgres_port, $sql_port) = (free_port(), free_port());
my $config = PostgreSQL::Test::Utils::tempdir();
{
	my $yaml = slurp_file("$monitoring/sql_exporter.yaml");
	is($yaml =~ s/^(\s+interval:) .*/$1 1s/mg, 2, 'two jobs of the sql exporter');
	append_to_file("$config/sql_exporter.yaml", $yaml);
}
{
	local $ENV{DATA_SOURCE_NAME} =
	  'user=prometheus dbname=postgres host=' . $node->host . ' port=' . $node->port;
	local $ENV{TVIEWS_DSN} =
	  'postgres://prometheus@/postgres?host=' . $node->host . '&port=' . $node->port;
	local $ENV{LOGLEVEL} = 'WARN';
	run_program($postgres_port, 'prometheus-postgres-exporter',
		"--extend.query-path=$monitoring/postgres_exporter.yaml",
		'--auto-discover-databases', '--include-databases=other',
		"--web.listen-address=127.0.0.1:$postgres_port");
	run_program($sql_port, 'prometheus-sql-exporter',
		'-config.file', "$config/sql_exporter.yaml",
		'-web.listen-address', "127.0.0.1:$sql_port");
}
poll('the sql exporter has read everything', sub {
	my $all = metrics($sql_port);
	return (grep { /^pg_tviews_health_/ } keys %$all)
	  && (grep { /^pg_tviews_cache_/ } keys %$all); });

my %of = (postgres => metrics($postgres_port), sql => metrics($sql_port));
my %known = (
	'pg_tviews_extension_info{datname=postgres,scope=all sessions,version=%v}' => 1,
	'pg_tviews_refreshes_total{datname=postgres,entity=text,schema=public}' => 5,
	'pg_tviews_refreshes_total{datname=postgres,entity=user,schema=public}' => 0,
	'pg_tviews_last_refresh_timestamp_seconds{datname=postgres,entity=user,schema=public}' => 0,
	'pg_tviews_keys_derived_total{datname=postgres,entity=text,schema=public}' => 7,
	'pg_tviews_rows_inserted_total{datname=postgres,entity=text,schema=public}' => 4,
	'pg_tviews_rows_updated_total{datname=postgres,entity=text,schema=public}' => 3,
	'pg_tviews_rows_deleted_total{datname=postgres,entity=text,schema=public}' => 0,
	'pg_tviews_errors_total{datname=postgres,entity=text,schema=public}' => 2,
	'pg_tviews_queue_sessions{datname=postgres,state=queued}' => 2,
	'pg_tviews_queue_sessions{datname=postgres,state=flushing}' => 0,
	'pg_tviews_queue_sessions{datname=postgres,state=waiting for a lock}' => 0,
	'pg_tviews_queue_changes{datname=postgres,state=queued}' => 4,
	'pg_tviews_queue_max_changes{datname=postgres,state=queued}' => 3,
	'pg_tviews_build_sessions{datname=postgres,phase=loading rows,tview=public.tv_big}' => 1,
	'pg_tviews_build_estimated_rows{datname=postgres,phase=loading rows,tview=public.tv_big}' => 5000,
	'pg_tviews_health_findings{component=triggers,datname=postgres,status=error}' => 0);
my $version = $node->safe_psql($db, 'SELECT tviews.pg_tviews_version()');
for my $exporter (sort keys %of)
{
	my $all = $of{$exporter};
	for (sort keys %known)
	{
		my $metric = s/%v/$version/r;
		cmp_ok($all->{$metric} // 'NaN', '==', $known{$_}, "$exporter: $metric");
	}
	my $row = 'datname=postgres,entity=text';
	cmp_ok($all->{"pg_tviews_refresh_duration_seconds{$row,percentile=100,schema=public}"},
		'<=', $all->{"pg_tviews_refresh_seconds_total{$row,schema=public}"},
		"$exporter: seconds, not milliseconds");
	cmp_ok(abs($all->{"pg_tviews_refresh_seconds_total{$row,schema=public}"} * 1000
			- $node->safe_psql($db, q{
				SELECT total_refresh_ms FROM tviews.pg_tviews_performance_summary
				WHERE entity = 'text'})), '<', 0.001, "$exporter: as in the view");
	cmp_ok($all->{'pg_tviews_queue_oldest_seconds{datname=postgres,state=queued}'},
		'>', 0, "$exporter: age of the oldest change");
}
cmp_ok($of{postgres}{'pg_tviews_queue_changes{datname=other,state=queued}'} // 'NaN', '==', 0,
	'the other database has its own figures');
is($of{postgres}{'pg_exporter_last_scrape_error{}'}, 0, 'no query has failed');
is(join("\n", grep { /^sql_exporter_last_scrape_failed/ && $of{sql}{$_} != 0 } keys %{ $of{sql} }),
	'', 'nor one of the sql exporter');

# What doesn't change from scrape to scrape is the same in both.
my @same = map {
	my $all = $of{$_};
	join "\n",
	  map { /(_seconds|_cache_\w+)\{/ ? $_ : "$_ $all->{$_}" }
	  grep { /^pg_tviews_/ && !/datname=other/ } sort keys %$all
} qw(postgres sql);
is($same[1], $same[0], 'the exporters have the same metrics');

# Names, units and help as is the custom
my @lines = grep { /^(# \w+ )?pg_tviews/ } split /\n/, get($postgres_port, '/metrics')->{content};
my ($out, $err) = ('', '');
ok(IPC::Run::run(['promtool', 'check', 'metrics'], '<', \join("\n", @lines, ''), '>', \$out, '2>', \$err),
	'promtool has nothing to say against metrics');
is($out . $err, '', 'really nothing');

# Alerts and dashboard mention no metric that there isn't, and the page
# explains all.
my %exported = map { s/\{.*//r => 1 } keys %{ $of{postgres} }, keys %{ $of{sql} };
my $alerts = slurp_file("$monitoring/alerts.yaml");
my @conditions = $alerts =~ /^ +expr: (?:>-\n)?(.*?)\n +(?:for|labels):/msg;
is(scalar @conditions, scalar(() = $alerts =~ /- alert:/g), 'each alert has an expression');
my $dashboard = decode_json(slurp_file("$monitoring/grafana-dashboard.json"));
my @panels = grep { $_->{type} ne 'row' } @{ $dashboard->{panels} };
my @targets = map { @{ $_->{targets} } } @panels;
my @queries = map { $_->{query}{query} } @{ $dashboard->{templating}{list} };
is(join(' ', grep { !$exported{$_} } mentioned(@conditions)), '',
	'alerts are about metrics that there are');
is(join(' ', grep { !$exported{$_} } mentioned(@queries, map { $_->{expr} } @targets)), '',
	'so is the dashboard');
my $page = slurp_file("$top/docs/MONITORING.md");
my @own = sort grep { /^pg_tviews_/ } keys %exported;
is(join(' ', grep { $page !~ /`$_`/ } @own), '', 'each metric is documented');
is(join(' ', grep { !$exported{$_} } $page =~ /^\| `(pg_tviews_\w+)` \| (?:counter|gauge)/mg),
	'', 'and no other one');
is(join(' ', grep { $page !~ /`$_`/ } $alerts =~ /- alert: (\w+)/g), '', 'each alert is, too');

# The dashboard is one that Grafana can import.
is($dashboard->{__inputs}[0]{name}, 'DS_PROMETHEUS', 'the data source is asked for');
my %id = map { $_->{id} => 1 } @{ $dashboard->{panels} };
is(scalar keys %id, scalar @{ $dashboard->{panels} }, 'panels are told apart');
is( scalar(grep { ($_->{datasource}{uid} // '') ne '${DS_PROMETHEUS}' }
		  @panels, @targets, @{ $dashboard->{templating}{list} }),
	0, 'everything is from that source');

# Alerts do what their tests say.
command_ok([ 'promtool', 'check', 'rules', "$monitoring/alerts.yaml" ], 'rules are rules');
command_ok([ 'promtool', 'test', 'rules', "$monitoring/alerts_test.yaml" ], 'tests of alerts');
my $tests = slurp_file("$monitoring/alerts_test.yaml");
for my $alert ($alerts =~ /- alert: (\w+)/g)
{
	my @expected = $tests =~ /alertname: $alert\n +exp_alerts:(.*)/g;
	ok((grep { /\[\]/ } @expected) && (grep { !/\[\]/ } @expected),
		"$alert is tested to fire, and not to");
}

# Prometheus, with its part of the configuration as it is
my $port = free_port();
{
	my $yaml = slurp_file("$monitoring/prometheus.yaml");
	$yaml =~ s/localhost:9187/127.0.0.1:$postgres_port/ or die;
	$yaml =~ s/localhost:9237/127.0.0.1:$sql_port/ or die;
	$yaml =~ s{- alerts.yaml}{- $monitoring/alerts.yaml} or die;
	append_to_file("$config/prometheus.yaml",
		"global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }\n$yaml");
}
run_program($port, 'prometheus', "--config.file=$config/prometheus.yaml",
	"--storage.tsdb.path=$config/prometheus", "--web.listen-address=127.0.0.1:$port");

# Ask Prometheus; a list of results
sub ask
{
	my $query = shift;
	my $answer = get($port, '/api/v1/query?' . HTTP::Tiny->new->www_form_urlencode({ query => $query }));
	my $content = decode_json($answer->{content});
	die "$query: $content->{error}\n" if $content->{status} ne 'success';
	return @{ $content->{data}{result} };
}

# while it looks, something has to happen to everything
my $happens = q{
	UPDATE tb_user SET name = 'x' || random() WHERE pk_user = 10;
	INSERT INTO tb_text VALUES (0, 'new');
	DELETE FROM tb_text WHERE pk_text = 0;};
for my $job (qw(postgres sql))
{
	poll("Prometheus has read $job", sub {
		$node->safe_psql($db, $happens);
		return scalar grep { $_->{value}[1] > 0 }
		  ask(qq{rate(pg_tviews_refreshes_total{job="$job",entity="comment"}[1m])}); });
	# as renamed by the rules in prometheus.yaml
	my ($result) = ask(qq{pg_tviews_errors_total{job="$job",entity="text"}});
	is($result->{value}[1], 2, "$job: a value in Prometheus");
	ok(!exists $result->{metric}{col}, "$job: without a label of the sql exporter's");
}

for my $panel (@panels)
{
	for my $target (@{ $panel->{targets} })
	{
		my $query = $target->{expr};
		$query =~ s/\$__rate_interval/1m/g;
		$query =~ s/\$(instance|datname|schema|entity)\b/.*/g;
		my @results = eval { ask($query) };
		is($@, '', "panel $panel->{title}: a query");
		ok(scalar @results, "panel $panel->{title}: has data");
		for my $label ($target->{legendFormat} =~ /\{\{(\w+)\}\}/g)
		{
			is(scalar(grep { !exists $_->{metric}{$label} } @results),
				0, "panel $panel->{title}: all with $label");
		}
	}
}
for (@queries)
{
	my ($series, $label) = /^label_values\((.+), (\w+)\)$/;
	ok((grep { exists $_->{metric}{$label} } ask($series =~ s/\$\w+/.*/gr)), "variable: $label");
}
is(eval { ask($_); '' } // $@, '', "alert: $_") for @conditions;

# An exporter that can't read any more doesn't go unnoticed.
my ($missing) = grep { /sql_exporter_last_scrape_failed/ } @conditions;
is(scalar(ask($missing)), 0, 'metrics are there');
$node->safe_psql($db, 'REVOKE USAGE ON SCHEMA tviews FROM prometheus');
for my $job (qw(postgres sql))
{
	ok(poll("$job is missing", sub { scalar grep { $_->{metric}{job} eq $job } ask($missing) }),
		"$job: missing metrics are noticed");
}

$_->kill_kill for @running;
@running = ();
$lock->quit;
$builder->query_safe('SELECT 1');
$builder->quit;
$_->query_safe('COMMIT'), $_->quit for @writers;
is_maintained($node, $db, 'with an audience');
stop_and_check_log($node);
done_testing();
