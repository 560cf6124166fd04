-- What an application does with the package index.

\set title '1. A new version of one package'
\set entity package
SELECT identifier AS shown FROM tv_package
WHERE data @> '{"dependencies": [{"name": "curl"}]}' AND jsonb_array_length(data -> 'dependencies') < 5
ORDER BY identifier LIMIT 1 \gset
\ir before.sql
UPDATE tb_package SET version = version || '+demo1' WHERE name = 'curl';
\ir after.sql

\set title '2. The maintainer with the most packages is renamed'
SELECT email FROM tb_maintainer JOIN tb_package ON fk_maintainer = pk_maintainer
GROUP BY email ORDER BY count(*) DESC, email LIMIT 1 \gset
SELECT min(identifier) AS shown FROM tv_package WHERE data -> 'maintainer' ->> 'email' = :'email' \gset
\ir before.sql
UPDATE tb_maintainer SET name = 'Guild of ' || name
WHERE email = :'email';
\ir after.sql

\set title '3. A package is added, with its dependencies'
\set shown curl-demo
\ir before.sql
BEGIN;
INSERT INTO tb_source (name) VALUES ('curl-demo');
INSERT INTO tb_package (fk_source, fk_maintainer, fk_section,
                        name, version, architecture, installed_size, summary)
SELECT pk_source, fk_maintainer, fk_section, 'curl-demo', '1.0-1', 'all', 42, 'not a real package'
FROM tb_source, tb_package
WHERE tb_source.name = 'curl-demo' AND tb_package.name = 'curl';
INSERT INTO tb_dependency (fk_package, fk_target, kind, requirement)
SELECT p.pk_package, target.pk_package, 'depends', ''
FROM tb_package AS p, tb_package AS target
WHERE p.name = 'curl-demo' AND target.name IN ('curl', 'perl', 'libc6');
COMMIT;
\ir after.sql

\set title '4. A package moves to another maintainer, section, and source'
\set shown curl
\ir before.sql
UPDATE tb_package
SET fk_maintainer = (SELECT pk_maintainer FROM tb_maintainer WHERE name LIKE 'Guild of %'),
    fk_section = (SELECT pk_section FROM tb_section WHERE name = 'games'),
    fk_source = (SELECT pk_source FROM tb_source WHERE name = 'curl-demo')
WHERE name = 'curl';
\ir after.sql

\set title '5. A package is removed, and with it all relations to and from it'
SELECT identifier AS shown FROM tv_package
WHERE data @> '{"dependencies": [{"name": "wget"}]}' AND jsonb_array_length(data -> 'dependencies') < 5
ORDER BY identifier LIMIT 1 \gset
\ir before.sql
DELETE FROM tb_package WHERE name = 'wget';
\ir after.sql

\set title '6. One transaction of many statements, with a savepoint and a read of its own'
\set shown openssl
\ir before.sql
BEGIN;
UPDATE tb_package SET version = '99.0-1' FROM tb_source
WHERE pk_source = fk_source AND tb_source.name = 'openssl';
UPDATE tb_section SET name = 'network' WHERE name = 'net';
SAVEPOINT before_the_mistake;
DELETE FROM tb_package WHERE name = 'perl';
ROLLBACK TO SAVEPOINT before_the_mistake;
SELECT data ->> 'version' AS what_it_reads FROM tv_package WHERE identifier = 'openssl';
UPDATE tb_package SET version = '99.0-2' WHERE name = 'openssl';
INSERT INTO tb_dependency (fk_package, fk_target, kind, requirement)
SELECT p.pk_package, target.pk_package, 'recommends', '>= 1.0'
FROM tb_package AS p, tb_package AS target WHERE p.name = 'openssl' AND target.name = 'curl-demo';
UPDATE tb_dependency SET kind = 'recommends' FROM tb_package
WHERE pk_package = fk_package AND name = 'openssl';
DELETE FROM tb_package WHERE name = 'curl';
COMMIT;
\ir after.sql

\set title '7. A thousand updates of one maintainer in one transaction'
SELECT min(identifier) AS shown FROM tv_package WHERE data -> 'maintainer' ->> 'email' = :'email' \gset
\ir before.sql
DO $$
BEGIN
    FOR i IN 1 .. 1000 LOOP
        UPDATE tb_maintainer SET name = 'Guild ' || i WHERE name LIKE 'Guild %';
    END LOOP;
END
$$;
\ir after.sql

\set title '8. A rollback, after the transaction has read its own change'
\set entity section
\set shown libs
\ir before.sql
BEGIN;
UPDATE tb_section SET name = 'libraries' WHERE name = 'libs';
SELECT count(*) AS libraries FROM tv_package
WHERE data @> '{"section": {"name": "libraries"}}';
ROLLBACK;
\ir after.sql

\set title '9. A column that is in no document, in every package'
\set entity package
\set shown bash
\ir before.sql
UPDATE tb_package SET checked_at = now();
\ir after.sql

\set title '10. Every package of one section is built again'
SELECT min(identifier) AS shown FROM tv_package WHERE data @> '{"section": {"name": "haskell"}}' \gset
\ir before.sql
UPDATE tb_package SET version = version || '+demo1' FROM tb_section
WHERE pk_section = fk_section AND tb_section.name = 'haskell';
\ir after.sql

\set title '11. The worst case: a new version of what a third of all packages depend on'
\set entity source
\set shown hello
\ir before.sql
UPDATE tb_package SET version = version || '+demo1' WHERE name = 'libc6';
\ir after.sql
