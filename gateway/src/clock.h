/*
 * clock.h
 *		What time it is, in microseconds, and how times are written.
 */
#ifndef GATEWAY_CLOCK_H
#define GATEWAY_CLOCK_H

#include <stdint.h>
#include <time.h>

extern int64_t clock_us(clockid_t which);

/* Room for what clock_put_ms writes. */
#define CLOCK_MS_SIZE 24

/* Microseconds as milliseconds with three decimals, "12.345"; the place of the NUL behind it. */
extern char *clock_put_ms(char out[CLOCK_MS_SIZE], int64_t us);

#endif
