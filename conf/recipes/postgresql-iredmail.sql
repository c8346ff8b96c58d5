-- SPDX-License-Identifier: BSD-2-Clause
-- What iRedMail's tables (database vmail) say of who may send as what, for
-- fromguard-refresh:
--
--   fromguard-refresh /var/lib/fromguard-maps/directory.cdb \
--     psql -Xq -v ON_ERROR_STOP=1 -f postgresql-iredmail.sql service=vmail
--
-- One statement is one view of the tables, whoever edits them meanwhile. COPY
-- escapes tabs and line ends, so that no value makes a row of its own; what has
-- a backslash is then left out. No password is looked at:
--   GRANT SELECT (username, domain, active, enablesmtp) ON mailbox
--     TO "fromguard-refresh";
--   GRANT SELECT ON alias, alias_domain, domain, forwardings
--     TO "fromguard-refresh";
SET client_encoding = 'UTF8';
SET default_transaction_read_only = on;
SET statement_timeout = '50s';

COPY (
WITH served AS (
	SELECT lower(domain) AS domain FROM domain WHERE active = 1 AND backupmx = 0
), login AS (
	-- Whoever may edit one domain must not write into another: a name has to
	-- be of the domain that its row belongs to, here and below.
	SELECT username, active = 1 AND enablesmtp = 1
		AND lower(domain) IN (SELECT domain FROM served) AS active
	FROM mailbox
	WHERE right(lower(username), length(domain) + 1) = '@' || lower(domain)
), goes AS (
	-- One row a destination: members of an alias (is_list), further
	-- addresses of a mailbox (is_alias), its forwards and itself
	-- (is_forwarding); a catch-all has the bare domain for its address.
	SELECT CASE WHEN lower(address) = lower(domain) THEN '@' || address
		ELSE address END AS address, forwarding AS destination
	FROM forwardings
	WHERE active = 1 AND lower(domain) IN (SELECT domain FROM served)
		AND (lower(address) = lower(domain) OR
			right(lower(address), length(domain) + 1) = '@' || lower(domain))
		AND NOT EXISTS (SELECT FROM alias
			WHERE alias.address = forwardings.address
				AND alias.active <> 1)
)
SELECT CASE WHEN active THEN 'account' ELSE 'disabled' END, username, NULL
	FROM login
UNION ALL SELECT 'alias', address, destination FROM goes
UNION ALL SELECT 'alias', '@' || alias_domain, '@' || target_domain
	FROM alias_domain
	WHERE active = 1 AND lower(target_domain) IN (SELECT domain FROM served)
) TO STDOUT (NULL '');
\echo end
