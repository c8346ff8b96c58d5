/* SPDX-License-Identifier: BSD-2-Clause */
/* Time stamps of logs: syslog's (RFC 3164) and those of RFC 3339. */
#include "wire/maillog.h"

enum { DAY = 24 * 60 * 60 };

/* Read n digits at *p; false where they are no digits. */
static bool
take_number(const char **p, const char *end, int n, int *number)
{
	*number = 0;
	for (; n > 0; n--, (*p)++) {
		if (*p == end || **p < '0' || **p > '9')
			return false;
		*number = *number * 10 + (**p - '0');
	}
	return true;
}

static bool
take_byte(const char **p, const char *end, char byte)
{
	if (*p == end || **p != byte)
		return false;
	(*p)++;
	return true;
}

/* Read "08:23:04". */
static bool
take_clock(const char **p, const char *end, struct tm *tm)
{
	return take_number(p, end, 2, &tm->tm_hour) && take_byte(p, end, ':') &&
	       take_number(p, end, 2, &tm->tm_min) && take_byte(p, end, ':') &&
	       take_number(p, end, 2, &tm->tm_sec) && tm->tm_hour < 24 &&
	       tm->tm_min < 60 && tm->tm_sec <= 60;
}

/* Read "Z", "+01:00" or "+0100", where there is one of them. */
static bool
take_zone(const char **p, const char *end, int *seconds, bool *given)
{
	int hours;
	int minutes;
	char sign;

	*given = false;
	*seconds = 0;
	if (*p == end || (**p != 'Z' && **p != '+' && **p != '-'))
		return true;
	*given = true;
	sign = *(*p)++;
	if (sign == 'Z')
		return true;
	if (!take_number(p, end, 2, &hours))
		return false;
	(void)take_byte(p, end, ':'); /* may be left out */
	if (!take_number(p, end, 2, &minutes))
		return false;
	*seconds = (hours * 60 + minutes) * 60;
	if (sign == '-')
		*seconds = -*seconds;
	return true;
}

/* Read "2026-11-24", or that and "T08:23:04.123456+01:00". */
static size_t
parse_iso(struct span text, int64_t *time)
{
	const char *p = text.data;
	const char *end = text.data + text.len;
	struct tm tm = {.tm_isdst = -1};
	int zone = 0;
	bool zone_given = false;
	time_t made;

	if (!take_number(&p, end, 4, &tm.tm_year) || !take_byte(&p, end, '-') ||
	    !take_number(&p, end, 2, &tm.tm_mon) || !take_byte(&p, end, '-') ||
	    !take_number(&p, end, 2, &tm.tm_mday) || tm.tm_mon < 1 ||
	    tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (p != end && (*p == 'T' || (*p == ' ' && p + 1 != end &&
				       p[1] >= '0' && p[1] <= '9'))) {
		p++;
		if (!take_clock(&p, end, &tm))
			return 0;
		if (p != end && (*p == '.' || *p == ','))
			for (p++; p != end && *p >= '0' && *p <= '9';)
				p++;
		if (!take_zone(&p, end, &zone, &zone_given))
			return 0;
	}
	made = zone_given ? timegm(&tm) - zone : mktime(&tm);
	*time = (int64_t)made;
	return (size_t)(p - text.data);
}

/* Read "Nov 24 08:23:04"; a day of one digit has a blank in front. */
static size_t
parse_syslog(struct span text, time_t today, int64_t *time)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *p = text.data;
	const char *end = text.data + text.len;
	struct tm tm = {.tm_isdst = -1};
	struct tm now;
	const char *month;
	time_t made;

	if (text.len < 15 || text.data[3] != ' ')
		return 0;
	month = memmem(months, sizeof(months) - 1, text.data, 3);
	if (month == NULL || (month - months) % 3 != 0)
		return 0;
	p += 4;
	tm.tm_mon = (int)(month - months) / 3;
	if (!take_number(&p, end, *p == ' ' ? (p++, 1) : 2, &tm.tm_mday) ||
	    !take_byte(&p, end, ' ') || !take_clock(&p, end, &tm) ||
	    localtime_r(&today, &now) == NULL)
		return 0;
	tm.tm_year = now.tm_year;
	made = mktime(&tm);
	/* Clocks may be apart by some hours, not by a year. */
	if (made > today + DAY) {
		tm.tm_year--;
		tm.tm_isdst = -1;
		made = mktime(&tm);
	}
	*time = (int64_t)made;
	return (size_t)(p - text.data);
}

size_t
maillog_time(struct span text, time_t today, int64_t *time)
{
	if (text.len > 0 && text.data[0] >= '0' && text.data[0] <= '9')
		return parse_iso(text, time);
	return parse_syslog(text, today, time);
}
