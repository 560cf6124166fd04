-- The proof: for every TVIEW, its rows and those of its view, subtracted from
-- each other both ways.  The view is computed once, in the same snapshot.

SELECT demo.heading('Summary');
SELECT format('   %-58s %9s %9s %9s %8s', '', 'tv_ rows', 'took', 'REFRESH', 'times');
SELECT format('   %-58s %9s %9s %9s %8s',
              CASE WHEN length(title) > 58 THEN left(title, 55) || '...' ELSE title END,
              demo.number(changed), demo.ms(took), demo.ms(refresh), demo.times(refresh, took))
FROM demo.step
ORDER BY no;

SELECT demo.heading('Proof: tv_ EXCEPT ALL v_, and v_ EXCEPT ALL tv_');

CREATE FUNCTION demo.prove(OUT line text, OUT wrong bigint) RETURNS SETOF record
LANGUAGE plpgsql AS $$
DECLARE
    entity  text;
    fields  text;
    rows    bigint;
    extra   bigint;
    missing bigint;
BEGIN
    FOR entity IN SELECT e.entity FROM demo.entity AS e ORDER BY e.no
    LOOP
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO fields
        FROM pg_attribute
        WHERE attrelid = ('v_' || entity)::regclass AND attnum > 0;

        EXECUTE format(
            'WITH v AS MATERIALIZED (SELECT %1$s FROM %2$I),
                  t AS MATERIALIZED (SELECT %1$s FROM %3$I)
             SELECT (SELECT count(*) FROM v),
                    (SELECT count(*) FROM (TABLE t EXCEPT ALL TABLE v) AS x),
                    (SELECT count(*) FROM (TABLE v EXCEPT ALL TABLE t) AS x)',
            fields, 'v_' || entity, 'tv_' || entity)
        INTO rows, extra, missing;
        wrong := extra + missing;
        line := format('   %-14s %10s rows in the view, %s only in tv_, %s only in v_',
                       'tv_' || entity, demo.number(rows), demo.number(extra), demo.number(missing));
        RETURN NEXT;
    END LOOP;
END
$$;

CREATE TEMP TABLE proof AS SELECT * FROM demo.prove();
SELECT line FROM proof;

SELECT (SELECT sum(wrong) FROM proof) + (SELECT sum(wrong) FROM demo.step) AS wrong \gset
SELECT CASE WHEN :wrong > 0 THEN 'DO $$ BEGIN RAISE ''the demo failed: %'', ''' || :wrong
                                 || ' rows are not what they should be''; END $$'
            ELSE 'SELECT ''   No row differs.  Nothing was repaired: no function of the extension was called.''' END \gexec
