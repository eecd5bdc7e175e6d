/*
 * span.c
 *		Lengths of time as settings write them.
 */
#include <string.h>

#include "span.h"

#define MAX_DAYS 3650

/* One or more digits up to max, and the character after them; *p moves behind it. */
static bool
read_part(const char **p, uint64_t max, char end, uint64_t *out)
{
	uint64_t	value = 0;
	const char *q = *p;

	while (*q >= '0' && *q <= '9' && value <= max)
		value = value * 10 + (uint64_t) (*q++ - '0');
	if (q == *p || value > max || *q != end)
		return false;
	*p = end == '\0' ? q : q + 1;
	*out = value;
	return true;
}

static bool
read_clock(const char *p, uint64_t *milliseconds)
{
	uint64_t	days = 0,
				hours,
				minutes,
				seconds;

	if (strchr(p, '.') != NULL && !read_part(&p, MAX_DAYS, '.', &days))
		return false;
	if (!read_part(&p, 23, ':', &hours) || !read_part(&p, 59, ':', &minutes) || !read_part(&p, 59, '\0', &seconds))
		return false;
	*milliseconds = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
	return true;
}

static bool
read_unit(const char *text, uint64_t *milliseconds)
{
	static const struct
	{
		const char *name;
		uint64_t	milliseconds;
	}			units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	size_t		digits = strspn(text, "0123456789");
	uint64_t	n = 0;

	if (digits == 0 || digits > 12)
		return false;
	for (size_t i = 0; i < digits; i++)
		n = n * 10 + (uint64_t) (text[i] - '0');
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(text + digits, units[i].name) == 0)
		{
			*milliseconds = n * units[i].milliseconds;
			return n <= (uint64_t) MAX_DAYS * 86400000 / units[i].milliseconds;
		}
	return false;
}

bool
span_parse(const char *text, uint64_t *milliseconds)
{
	return strchr(text, ':') != NULL ? read_clock(text, milliseconds) : read_unit(text, milliseconds);
}
