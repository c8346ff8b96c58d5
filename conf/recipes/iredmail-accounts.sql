-- SPDX-License-Identifier: BSD-2-Clause
-- iRedMail (database vmail): who can log in, as an accounts: map. Names that a map
-- file would have to quote are left out, so that no row can become two lines.
WITH login AS (
    SELECT m.username AS name,
           m.username ~ '^[^][:space:][,"<>()|!#*%\\@]+@[A-Za-z0-9.-]+$' AS plain
    FROM mailbox m JOIN domain d ON d.domain = m.domain
    WHERE m.active = 1 AND d.active = 1)
(SELECT name || '|' FROM login WHERE plain ORDER BY name)
UNION ALL
(SELECT '# left out: ' || count(*) || ' mailboxes' FROM login WHERE NOT plain
 HAVING count(*) > 0);
