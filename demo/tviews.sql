-- The read models: what the application reads.  Nothing else is needed to
-- keep them right.

CREATE TABLE tv_maintainer AS
SELECT tb_maintainer.pk_maintainer, tb_maintainer.id, tb_maintainer.email AS identifier,
       jsonb_build_object('id', tb_maintainer.id,
                          'name', tb_maintainer.name,
                          'email', tb_maintainer.email) AS data
FROM tb_maintainer;

CREATE TABLE tv_section AS
SELECT tb_section.pk_section, tb_section.id, tb_section.name AS identifier,
       jsonb_build_object('id', tb_section.id,
                          'name', tb_section.name) AS data
FROM tb_section;

-- A package with its maintainer, its section, the packages it depends on, and
-- how many depend on it.
CREATE TABLE tv_package AS
SELECT tb_package.pk_package, tb_package.id, tb_package.name AS identifier,
       tb_package.fk_source, tb_package.fk_maintainer, tb_package.fk_section,
       v_maintainer.id AS maintainer_id, v_section.id AS section_id,
       jsonb_build_object(
           'id', tb_package.id,
           'name', tb_package.name,
           'version', tb_package.version,
           'architecture', tb_package.architecture,
           'installed_size', tb_package.installed_size,
           'summary', tb_package.summary,
           'maintainer', v_maintainer.data,
           'section', v_section.data,
           'dependencies', (
               SELECT coalesce(jsonb_agg(jsonb_build_object(
                          'name', target.name,
                          'version', target.version,
                          'kind', tb_dependency.kind,
                          'requirement', tb_dependency.requirement)
                      ORDER BY target.name), '[]')
               FROM tb_dependency
               JOIN tb_package AS target ON target.pk_package = tb_dependency.fk_target
               WHERE tb_dependency.fk_package = tb_package.pk_package),
           'required_by', (
               SELECT count(*)
               FROM tb_dependency
               WHERE tb_dependency.fk_target = tb_package.pk_package)) AS data
FROM tb_package
JOIN v_maintainer ON v_maintainer.pk_maintainer = tb_package.fk_maintainer
JOIN v_section ON v_section.pk_section = tb_package.fk_section;

-- One level more: a source package with the whole documents of the packages
-- that are built from it.
CREATE TABLE tv_source AS
SELECT tb_source.pk_source, tb_source.id, tb_source.name AS identifier,
       jsonb_build_object(
           'id', tb_source.id,
           'name', tb_source.name,
           'packages', (
               SELECT coalesce(jsonb_agg(v_package.data ORDER BY v_package.identifier), '[]')
               FROM v_package
               WHERE v_package.fk_source = tb_source.pk_source)) AS data
FROM tb_source;
