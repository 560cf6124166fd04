-- After a step: what changed, what it took, what the contender takes.
\set ECHO none
SELECT clock_timestamp() AS ended \gset
\set QUIET on
SELECT extract(epoch FROM :'ended'::timestamptz - :'began'::timestamptz) * 1000 AS took \gset

CREATE TEMP TABLE change AS SELECT * FROM demo.compare(:'began');

SELECT clock_timestamp() AS began \gset
REFRESH MATERIALIZED VIEW mv_maintainer;
REFRESH MATERIALIZED VIEW mv_section;
REFRESH MATERIALIZED VIEW mv_package;
REFRESH MATERIALIZED VIEW mv_source;
SELECT extract(epoch FROM clock_timestamp() - :'began'::timestamptz) * 1000 AS refresh \gset

-- Every row that differs from before the step was written, no other row was,
-- and now no row differs from what the queries return.
INSERT INTO demo.step (title, took, changed, refresh, wrong)
SELECT :'title', :took, (SELECT sum(added + changed + deleted) FROM change), :refresh,
       (SELECT sum(abs(dated - added - changed)) FROM change)
       + (SELECT sum(added + changed + deleted) FROM demo.compare(now()))
RETURNING no AS step, wrong \gset

\echo
SELECT format('   took       %s, from the first statement to the end of the transaction', demo.ms(:took));
SELECT format('   tv_ rows   %s',
              coalesce(string_agg(format('tv_%s ', entity) || concat_ws(' + ',
                                  CASE WHEN changed > 0 THEN demo.number(changed) || ' changed' END,
                                  CASE WHEN added > 0 THEN demo.number(added) || ' added' END,
                                  CASE WHEN deleted > 0 THEN demo.number(deleted) || ' deleted' END),
                              ', ' ORDER BY no),
                       'none changed'))
FROM change
WHERE added + changed + deleted > 0;
SELECT format('   REFRESH    %s (%s times as long) for materialized views of the same queries',
              demo.ms(:refresh), demo.times(:refresh, :took));
SELECT CASE :wrong WHEN 0 THEN '   checked    every tv_ row equals the refreshed one, and no other row was written'
                   ELSE format('   WRONG      %s tv_ rows', demo.number(:wrong)) END;
SELECT format('   document   tv_%s %s', :'entity', :'shown');
SELECT demo.difference(:'before', demo.document(:'entity', :'shown'));
DROP TABLE change;
