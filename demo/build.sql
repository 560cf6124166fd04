-- The TVIEWs, and the contender.

SELECT demo.heading('The TVIEWs');
CREATE EXTENSION pg_tviews;
\set QUIET off
SELECT clock_timestamp() AS began \gset
\set ECHO queries
\ir tviews.sql
\set ECHO none
\set QUIET on
SELECT extract(epoch FROM clock_timestamp() - :'began'::timestamptz) * 1000 AS took \gset

SELECT clock_timestamp() AS began \gset
SELECT demo.create_materialized_views() \g /dev/null
SELECT extract(epoch FROM clock_timestamp() - :'began'::timestamptz) * 1000 AS refresh \gset

\echo
SELECT format('   took       %s for %s documents of %s kB, with indexes and triggers', demo.ms(:took),
              demo.number(count(*)), demo.number(sum(octet_length(data::text)) / 1000))
FROM (SELECT data FROM tv_maintainer UNION ALL SELECT data FROM tv_section
      UNION ALL SELECT data FROM tv_package UNION ALL SELECT data FROM tv_source) AS documents;
SELECT format('   contender  %s for materialized views of the same queries, with the indexes they need',
              demo.ms(:refresh));

VACUUM ANALYZE tv_maintainer, tv_section, tv_package, tv_source;
ANALYZE mv_maintainer, mv_section, mv_package, mv_source;
