-- SPDX-License-Identifier: BSD-2-Clause
-- What postfixadmin's tables say of who may send as what, for fromguard-refresh:
--
--   fromguard-refresh /var/lib/fromguard-maps/directory.cdb \
--     psql -Xq -v ON_ERROR_STOP=1 -f postgresql-postfixadmin.sql service=postfixadmin
--
-- One statement is one view of the tables, whoever edits them meanwhile. COPY
-- escapes tabs and line ends, so that no value makes a row of its own; what has
-- a backslash is then left out. No password is looked at:
--   GRANT SELECT (username, domain, active) ON mailbox TO "fromguard-refresh";
--   GRANT SELECT ON alias, alias_domain, domain TO "fromguard-refresh";
SET client_encoding = 'UTF8';
SET default_transaction_read_only = on;
SET statement_timeout = '50s';

COPY (
WITH served AS (
	SELECT lower(domain) AS domain FROM domain WHERE active
), login AS (
	-- Whoever may edit one domain must not write into another: a name has to
	-- be of the domain that its row belongs to, here and below.
	SELECT username,
		active AND lower(domain) IN (SELECT domain FROM served) AS active
	FROM mailbox
	WHERE right(lower(username), length(domain) + 1) = '@' || lower(domain)
), goes AS (
	-- A goto with a quote is not divided: a comma may be inside of it.
	SELECT address, trim(destination) AS destination
	FROM alias, unnest(CASE WHEN goto LIKE '%"%' THEN ARRAY[goto]
		ELSE string_to_array(goto, ',') END) AS destination
	WHERE active AND lower(domain) IN (SELECT domain FROM served)
		AND right(lower(address), length(domain) + 1) = '@' || lower(domain)
		AND trim(destination) <> ''
)
SELECT CASE WHEN active THEN 'account' ELSE 'disabled' END, username, NULL
	FROM login
-- A mailbox has an alias of its own name, which may hold a forward as well:
-- it stays the mailbox's. @domain is a catch-all.
UNION ALL SELECT 'alias', address, destination FROM goes
UNION ALL SELECT 'alias', '@' || alias_domain, '@' || target_domain
	FROM alias_domain
	WHERE active AND lower(target_domain) IN (SELECT domain FROM served)
) TO STDOUT (NULL '');
\echo end
