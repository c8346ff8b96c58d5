-- SPDX-License-Identifier: BSD-2-Clause
-- What Modoboa's tables say of who may send as what, for fromguard-refresh:
--
--   fromguard-refresh /var/lib/fromguard-maps/directory.cdb \
--     psql -Xq -v ON_ERROR_STOP=1 -f postgresql-modoboa.sql service=modoboa
--
-- One statement is one view of the tables, whoever edits them meanwhile. COPY
-- escapes tabs and line ends, so that no value makes a row of its own; what has
-- a backslash is then left out. No password is looked at:
--   GRANT SELECT (id, is_active) ON core_user TO "fromguard-refresh";
--   GRANT SELECT ON admin_alias, admin_domain, admin_domainalias, admin_mailbox,
--     admin_senderaddress, modoboa_admin_aliasrecipient
--     TO "fromguard-refresh";
SET client_encoding = 'UTF8';
SET default_transaction_read_only = on;
SET statement_timeout = '50s';

COPY (
WITH login AS (
	SELECT mailbox.id, mailbox.address || '@' || domain.name AS username,
		core_user.is_active AND domain.enabled AS active
	FROM admin_mailbox AS mailbox
	JOIN admin_domain AS domain ON domain.id = mailbox.domain_id
	JOIN core_user ON core_user.id = mailbox.user_id
), goes AS (
	-- Whoever may edit one domain must not write into another: an alias has
	-- to be of the domain that its row belongs to. @domain is a catch-all,
	-- which people write *@domain as well.
	SELECT regexp_replace(alias.address, '^[*]@', '@') AS address,
		recipient.address AS destination
	FROM admin_alias AS alias
	JOIN admin_domain AS domain ON domain.id = alias.domain_id
	JOIN modoboa_admin_aliasrecipient AS recipient
		ON recipient.alias_id = alias.id
	WHERE alias.enabled AND domain.enabled
		AND (alias.expire_at IS NULL OR alias.expire_at > now())
		AND right(lower(alias.address), length(domain.name) + 1) =
			'@' || lower(domain.name)
)
SELECT CASE WHEN active THEN 'account' ELSE 'disabled' END, username, NULL
	FROM login
UNION ALL SELECT 'alias', address, destination FROM goes
UNION ALL SELECT 'alias', '@' || other.name, '@' || domain.name
	FROM admin_domainalias AS other
	JOIN admin_domain AS domain ON domain.id = other.target_id
	WHERE other.enabled AND domain.enabled
-- "Sender addresses", given to a mailbox by an administrator: of domains that
-- need not be here, or whole domains.
UNION ALL SELECT 'owner', sender.address, login.username
	FROM admin_senderaddress AS sender
	JOIN login ON login.id = sender.mailbox_id
	WHERE login.active
) TO STDOUT (NULL '');
\echo end
