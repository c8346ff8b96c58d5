-- SPDX-License-Identifier: BSD-2-Clause
-- postfixadmin: where mail goes, as a virtual: map: aliases, catch-alls and alias
-- domains. With the accounts: map beside it a mailbox that forwards stays its
-- owner's, and a catch-all does not reach into mailboxes.
WITH link AS (
    SELECT a.address AS source, trim(t.target) AS target
    FROM alias a JOIN domain d ON d.domain = a.domain,
         LATERAL unnest(string_to_array(a.goto, ',')) AS t (target)
    WHERE a.active AND d.active AND trim(t.target) <> ''
    UNION ALL
    SELECT '@' || x.alias_domain, '@' || x.target_domain
    FROM alias_domain x
         JOIN domain f ON f.domain = x.alias_domain
         JOIN domain t ON t.domain = x.target_domain
    WHERE x.active AND f.active AND t.active),
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
