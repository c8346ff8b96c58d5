-- SPDX-License-Identifier: BSD-2-Clause
-- Modoboa: where mail goes, as a virtual: map: aliases, lists, catch-alls and alias
-- domains.
WITH link AS (
    SELECT a.address AS source, r.address AS target
    FROM admin_alias a
         JOIN admin_aliasrecipient r ON r.alias_id = a.id
         JOIN admin_domain d ON d.id = a.domain_id
    WHERE a.enabled AND d.enabled
    UNION ALL
    SELECT '@' || x.name, '@' || t.name
    FROM admin_domainalias x JOIN admin_domain t ON t.id = x.target_id
    WHERE x.enabled AND t.enabled),
checked AS (
    SELECT source, target,
           source ~ '^([^][:space:][,"<>()|!#*%\\@]+)?@[A-Za-z0-9.-]+$'
           AND target ~ '^([^][:space:][,"<>()|!#*%\\@]+)?@[A-Za-z0-9.-]+$' AS plain
    FROM link)
(SELECT source || ' ' || string_agg(target, ', ' ORDER BY target)
 FROM checked WHERE plain GROUP BY source ORDER BY source)
UNION ALL
(SELECT '# left out: ' || count(*) || ' destinations' FROM checked WHERE NOT plain
 HAVING count(*) > 0);
