-- Before a step, with "title" set, and "entity" and "shown": the document to
-- show.  From here to after.sql the statements are printed, and timed.
\set QUIET on
SELECT demo.heading(:'title');
SELECT demo.document(:'entity', :'shown') AS before \gset
\set QUIET off
SELECT clock_timestamp() AS began \gset
\set ECHO queries
