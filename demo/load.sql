-- The package index, from the files that packages.awk wrote in the current
-- directory.  Keys are numbered there; identity goes on after the last one.

\copy tb_maintainer (pk_maintainer, name, email) FROM tb_maintainer
\copy tb_section (pk_section, name) FROM tb_section
\copy tb_source (pk_source, name) FROM tb_source
\copy tb_package (pk_package, fk_source, fk_maintainer, fk_section, name, version, architecture, installed_size, summary) FROM tb_package
\copy tb_dependency (pk_dependency, fk_package, fk_target, kind, requirement) FROM tb_dependency

SELECT setval(pg_get_serial_sequence('tb_maintainer', 'pk_maintainer'), max(pk_maintainer)) FROM tb_maintainer \g /dev/null
SELECT setval(pg_get_serial_sequence('tb_section', 'pk_section'), max(pk_section)) FROM tb_section \g /dev/null
SELECT setval(pg_get_serial_sequence('tb_source', 'pk_source'), max(pk_source)) FROM tb_source \g /dev/null
SELECT setval(pg_get_serial_sequence('tb_package', 'pk_package'), max(pk_package)) FROM tb_package \g /dev/null
SELECT setval(pg_get_serial_sequence('tb_dependency', 'pk_dependency'), max(pk_dependency)) FROM tb_dependency \g /dev/null

-- The way back from every row that a document embeds to the documents.
CREATE INDEX ON tb_package (fk_source);
CREATE INDEX ON tb_package (fk_maintainer);
CREATE INDEX ON tb_package (fk_section);
CREATE INDEX ON tb_dependency (fk_target);

VACUUM ANALYZE tb_maintainer, tb_section, tb_source, tb_package, tb_dependency;

SELECT format('   %-14s %10s rows', relation, demo.number(rows))
FROM (VALUES (1, 'tb_maintainer', (SELECT count(*) FROM tb_maintainer)),
             (2, 'tb_section', (SELECT count(*) FROM tb_section)),
             (3, 'tb_source', (SELECT count(*) FROM tb_source)),
             (4, 'tb_package', (SELECT count(*) FROM tb_package)),
             (5, 'tb_dependency', (SELECT count(*) FROM tb_dependency))) AS t (no, relation, rows)
ORDER BY no;
