-- SPDX-License-Identifier: BSD-2-Clause
-- Modoboa: sender addresses that mailboxes were given beyond their aliases, as an
-- owners: map.
WITH link AS (
    SELECT s.address AS sender, u.username AS login
    FROM admin_senderaddress s
         JOIN admin_mailbox m ON m.id = s.mailbox_id
         JOIN core_user u ON u.id = m.user_id
         JOIN admin_domain d ON d.id = m.domain_id
    WHERE u.is_active AND d.enabled),
checked AS (
    SELECT sender, login,
           sender ~ '^([^][:space:][,"<>()|!#*%\\@]+)?@[A-Za-z0-9.-]+$'
           AND login ~ '^[^][:space:][,"<>()|!#*%\\@]+@[A-Za-z0-9.-]+$' AS plain
    FROM link)
(SELECT sender || ' ' || string_agg(login, ', ' ORDER BY login)
 FROM checked WHERE plain GROUP BY sender ORDER BY sender)
UNION ALL
(SELECT '# left out: ' || count(*) || ' sender addresses' FROM checked WHERE NOT plain
 HAVING count(*) > 0);
