-- What the demo measures and prints with.  It reads tv_ tables and never
-- calls a function of the extension: nothing here can repair anything.

CREATE SCHEMA demo;

CREATE TABLE demo.entity (no int PRIMARY KEY, entity text);
INSERT INTO demo.entity VALUES (1, 'maintainer'), (2, 'section'), (3, 'package'), (4, 'source');

CREATE TABLE demo.step (
    no         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title      text,
    took       float8,      -- ms
    changed    bigint,      -- tv_ rows added, changed, or deleted
    refresh    float8,      -- ms
    wrong      bigint       -- tv_ rows that are not what they should be
);

CREATE FUNCTION demo.number(n numeric) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT ltrim(to_char(n, '999,999,999,990'));
$$;

-- Milliseconds with about three digits that mean something.
CREATE FUNCTION demo.ms(ms float8) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN ms < 10 THEN ltrim(to_char(ms, '990.00'))
                WHEN ms < 100 THEN ltrim(to_char(ms, '990.0'))
                ELSE demo.number(ms::numeric) END || ' ms';
$$;

CREATE FUNCTION demo.times(slow float8, fast float8) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN slow < 10 * fast THEN ltrim(to_char(slow / fast, '990.0'))
                ELSE demo.number((slow / fast)::numeric) END;
$$;

-- A title, and a rule to the 100th column.
CREATE FUNCTION demo.heading(title text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format(E'\n== %s %s', title, repeat('=', 96 - length(title)));
$$;

CREATE FUNCTION demo.document(entity text, identifier text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    doc text;
BEGIN
    EXECUTE format('SELECT data FROM %I WHERE identifier = $1', 'tv_' || entity)
    INTO doc USING identifier;
    RETURN coalesce(doc, '');
END
$$;

-- The fields of a document, in order: maintainer.name, dependencies[libc6].version
CREATE FUNCTION demo.fields(doc jsonb, OUT path text, OUT value text, OUT sort int[])
RETURNS SETOF record
LANGUAGE sql IMMUTABLE AS $$
    WITH RECURSIVE field (path, value, sort) AS (
        SELECT '', doc, ARRAY[]::int[]
        UNION ALL
        SELECT field.path || child.path, child.value, field.sort || child.no::int
        FROM field
        CROSS JOIN LATERAL (
            SELECT CASE field.path WHEN '' THEN '' ELSE '.' END || e.key AS path, e.value, e.no
            FROM jsonb_each(CASE jsonb_typeof(field.value) WHEN 'object' THEN field.value END)
                 WITH ORDINALITY AS e (key, value, no)
            UNION ALL
            SELECT format('[%s]', coalesce(a.value ->> 'name', a.no::text)), a.value, a.no
            FROM jsonb_array_elements(CASE jsonb_typeof(field.value) WHEN 'array' THEN field.value END)
                 WITH ORDINALITY AS a (value, no)) AS child
    )
    SELECT field.path, field.value::text, field.sort
    FROM field
    WHERE field.value IN ('{}', '[]') OR jsonb_typeof(field.value) NOT IN ('object', 'array');
$$;

-- A document before and after, as lines: what differs (not more than eight
-- fields of it), and of the rest what is no identifier and in no array.
CREATE FUNCTION demo.difference(before text, after text) RETURNS SETOF text
LANGUAGE sql AS $$
    WITH field AS (
        SELECT path, b.value AS old, a.value AS new, coalesce(a.sort, b.sort) AS sort,
               b.value IS DISTINCT FROM a.value AS changed
        FROM demo.fields(nullif(before, '')::jsonb) AS b
        FULL JOIN demo.fields(nullif(after, '')::jsonb) AS a USING (path)
    ), chosen AS (
        SELECT *, row_number() OVER (PARTITION BY changed ORDER BY path ~ '(^|\.)id$', sort) AS no
        FROM field
    ), shown AS (
        SELECT * FROM chosen
        WHERE no <= 8 AND (changed OR path !~ '(\[|(^|\.)id$)')
    ), line AS (
        SELECT sort, 1 AS no, path, '-' AS sign, old AS value FROM shown WHERE changed AND old IS NOT NULL
        UNION ALL
        SELECT sort, 2, path, '+', new FROM shown WHERE changed AND new IS NOT NULL
        UNION ALL
        SELECT sort, 3, path, ' ', new FROM shown WHERE NOT changed
    ), text AS (
        SELECT sort, no, left(format('      %s %-36s %s', sign, path, value), 100) AS text FROM line
    )
    (SELECT text FROM text ORDER BY sort, no)
    UNION ALL
    SELECT format('        ... and %s not shown, %s of them changed',
                  demo.number(count(*)), demo.number(count(*) FILTER (WHERE changed)))
    FROM field
    WHERE path NOT IN (SELECT path FROM shown)
    HAVING count(*) > 0;
$$;

-- How the tv_ tables differ from the materialized views, which are as old as
-- their last refresh; and how many tv_ rows bear a date after "since".
CREATE FUNCTION demo.compare(since timestamptz,
                             OUT no int, OUT entity text, OUT added bigint, OUT changed bigint,
                             OUT deleted bigint, OUT dated bigint)
RETURNS SETOF record
LANGUAGE plpgsql AS $$
DECLARE
    fields text;
BEGIN
    FOR no, entity IN SELECT e.no, e.entity FROM demo.entity AS e ORDER BY e.no
    LOOP
        SELECT string_agg(format('t.%1$I IS DISTINCT FROM m.%1$I', attname), ' OR ' ORDER BY attnum)
        INTO fields
        FROM pg_attribute
        WHERE attrelid = ('mv_' || entity)::regclass AND attnum > 0;

        EXECUTE format(
            'SELECT count(*) FILTER (WHERE m.%1$I IS NULL),
                    count(*) FILTER (WHERE m.%1$I IS NOT NULL AND t.%1$I IS NOT NULL AND (%4$s)),
                    count(*) FILTER (WHERE t.%1$I IS NULL),
                    count(*) FILTER (WHERE t.updated_at >= $1)
             FROM %2$I AS t FULL JOIN %3$I AS m ON m.%1$I = t.%1$I',
            'pk_' || entity, 'tv_' || entity, 'mv_' || entity, fields)
        INTO added, changed, deleted, dated USING since;
        RETURN NEXT;
    END LOOP;
END
$$;

-- The contender: the same queries, each reading the materialized view of the
-- level below.
CREATE FUNCTION demo.create_materialized_views() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    entity text;
BEGIN
    FOR entity IN SELECT e.entity FROM demo.entity AS e ORDER BY e.no
    LOOP
        EXECUTE format('CREATE MATERIALIZED VIEW %I AS %s', 'mv_' || entity,
                       regexp_replace(pg_get_viewdef(('v_' || entity)::regclass), '\mv_', 'mv_', 'g'));
        EXECUTE format('CREATE UNIQUE INDEX ON %I (%I)', 'mv_' || entity, 'pk_' || entity);
        IF entity = 'package' THEN
            CREATE INDEX ON mv_package (fk_source);
        END IF;
    END LOOP;
END
$$;
