-- Rows in which a TVIEW and its view differ, in either direction; those that
-- are suspended are not looked at.

SET client_min_messages = warning;
WITH RECURSIVE suspended AS (
	SELECT m.tview::oid FROM pg_tview_meta m WHERE to_jsonb(m) ->> 'suspended' IS NOT NULL
	UNION
	SELECT m.tview::oid FROM suspended s JOIN pg_tview_meta m ON s.tview = ANY (m.dependencies::oid[]))
SELECT string_agg(format('(SELECT %1$L, to_jsonb(t) - ''updated_at'' FROM %1$s t EXCEPT ALL SELECT %1$L, to_jsonb(v) FROM %2$s v) UNION ALL '
	'(SELECT %2$L, to_jsonb(v) FROM %2$s v EXCEPT ALL SELECT %2$L, to_jsonb(t) - ''updated_at'' FROM %1$s t)', m.tview, m.view), ' UNION ALL ')
FROM pg_tview_meta m WHERE m.tview NOT IN (SELECT s.tview FROM suspended s) \gexec
