/*
 * clock.c
 *		Clocks, and times as text.
 */
#include <stddef.h>
#include <string.h>

#include "clock.h"

int64_t
clock_us(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* By hand: each answer has two, and printf takes longer than all else about them. */
char *
clock_put_ms(char out[CLOCK_MS_SIZE], int64_t us)
{
	uint64_t	left = us > 0 ? (uint64_t) us : 0;
	char		digits[CLOCK_MS_SIZE];
	size_t		from = sizeof(digits);

	for (int i = 0; i < 4 || left > 0; i++)
	{
		if (i == 3)
			digits[--from] = '.';
		digits[--from] = (char) ('0' + left % 10);
		left /= 10;
	}
	memcpy(out, digits + from, sizeof(digits) - from);
	out[sizeof(digits) - from] = '\0';
	return out + sizeof(digits) - from;
}
