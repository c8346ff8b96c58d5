-- SPDX-License-Identifier: BSD-2-Clause
-- Modoboa: who can log in, as an accounts: map. Names that a map file would have
-- to quote are left out, so that no row can become two lines.
WITH login AS (
    SELECT u.username AS name,
           u.username ~ '^[^][:space:][,"<>()|!#*%\\@]+@[A-Za-z0-9.-]+$' AS plain
    FROM core_user u
         JOIN admin_mailbox m ON m.user_id = u.id
         JOIN admin_domain d ON d.id = m.domain_id
    WHERE u.is_active AND d.enabled)
(SELECT name || '|' FROM login WHERE plain ORDER BY name)
UNION ALL
(SELECT '# left out: ' || count(*) || ' mailboxes' FROM login WHERE NOT plain
 HAVING count(*) > 0);
