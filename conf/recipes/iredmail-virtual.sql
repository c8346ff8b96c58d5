-- SPDX-License-Identifier: BSD-2-Clause
-- iRedMail (database vmail): where mail goes, as a virtual: map: aliases of users,
-- lists, forwards, catch-alls (an address that is a domain) and alias domains.
-- Members of a list may send as the list, unless alias_members = single.
WITH link AS (
    SELECT CASE WHEN position('@' IN f.address) = 0 THEN '@' || f.address
                ELSE f.address END AS source,
           f.forwarding AS target
    FROM forwardings f JOIN domain d ON d.domain = f.domain
    WHERE f.active = 1 AND d.active = 1
    UNION ALL
    SELECT '@' || x.alias_domain, '@' || x.target_domain
    FROM alias_domain x JOIN domain t ON t.domain = x.target_domain
    WHERE x.active = 1 AND t.active = 1),
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
