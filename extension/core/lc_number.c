/*
 * lc_number.c
 *		Decimal numbers in the form that RFC 8785 takes from ECMAScript.
 *
 * The rule is one-sided on purpose: a number is either written exactly as it
 * came (in its one canonical spelling) or refused.  A canonicaliser that
 * rounds, as RFC 8785 allows, gives two different payloads one hash: 2^53 + 1
 * could be swapped for 2^53 without a trace.
 *
 * Nothing here depends on LC_NUMERIC, which the host owns: strtod is fed
 * digits and an exponent without a decimal point, and the separator that
 * snprintf writes is skipped, whatever it is.  Input of any length costs one
 * pass over it; exponents saturate.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lc_number.h"

/* No double needs more digits than these to be told from its neighbours. */
#define MAX_DIGITS 17

/* Up to here any decimal of so many digits is the shortest form of its double. */
#define SAFE_DIGITS 15
#define SAFE_EXPONENT 290

/* Far above any exponent that matters, far below overflow when lengths are added. */
#define EXPONENT_LIMIT (INT64_MAX / 4)

/* Sign, digits d1 d2 d3 … without zeros at either end, value d1.d2d3… * 10^exponent. */
typedef struct decimal
{
	bool		negative;
	bool		too_long;		/* more significant digits than fit */
	int			count;			/* 0 for zero */
	int64_t		exponent;
	char		digits[MAX_DIGITS + 1];
} decimal;

/* What read_digits keeps across integer part and fraction. */
typedef struct digit_scan
{
	decimal    *to;
	int64_t		seen;			/* digits from the first one that is not 0 */
	int64_t		last_nonzero;	/* how many of them up to the last that is not 0 */
} digit_scan;

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void
take_digit(digit_scan *scan, char c)
{
	if (scan->seen == 0 && c == '0')
		return;
	if (scan->seen < MAX_DIGITS)
		scan->to->digits[scan->seen] = c;
	scan->seen++;
	if (c != '0')
		scan->last_nonzero = scan->seen;
}

/* The digits after e or E; false if there is none.  Saturates. */
static bool
read_exponent(const char **at, const char *end, int64_t *exponent)
{
	const char *p = *at;
	bool		negative = false;
	int64_t		value = 0;

	if (p < end && (*p == '+' || *p == '-'))
		negative = (*p++ == '-');
	if (p == end || !is_digit(*p))
		return false;
	for (; p < end && is_digit(*p); p++)
	{
		if (value < EXPONENT_LIMIT / 10 - 10)
			value = value * 10 + (*p - '0');
	}
	*exponent = negative ? -value : value;
	*at = p;
	return true;
}

/* Read text by the grammar of RFC 8259 section 6; false if it is not that. */
static bool
read_decimal(const char *text, size_t n, decimal *d)
{
	const char *p = text;
	const char *end = text + n;
	const char *first;
	digit_scan	scan = {d, 0, 0};
	int64_t		point = 0;		/* where the point stands, counted from the first digit */
	int64_t		exponent = 0;

	d->negative = (p < end && *p == '-');
	if (d->negative)
		p++;

	first = p;
	for (; p < end && is_digit(*p); p++)
		take_digit(&scan, *p);
	if (p == first || (*first == '0' && p - first > 1))
		return false;
	point = scan.seen;

	if (p < end && *p == '.')
	{
		first = ++p;
		for (; p < end && is_digit(*p); p++)
		{
			take_digit(&scan, *p);
			if (scan.seen == 0)
				point--;
		}
		if (p == first)
			return false;
	}
	if (p < end && (*p == 'e' || *p == 'E'))
	{
		p++;
		if (!read_exponent(&p, end, &exponent))
			return false;
	}
	if (p != end)
		return false;

	d->too_long = scan.last_nonzero > MAX_DIGITS;
	d->count = d->too_long ? MAX_DIGITS : (int) scan.last_nonzero;
	d->exponent = point - 1 + exponent;
	return true;
}

/* The double nearest to digits * 10^(exponent - count + 1). */
static double
to_double(const char *digits, int count, int64_t exponent)
{
	char		text[MAX_DIGITS + 32];

	snprintf(text, sizeof(text), "%.*se%d", count, digits, (int) (exponent - count + 1));
	return strtod(text, NULL);
}

/* Round value (> 0) to so many significant digits, correctly, trailing zeros kept. */
static void
round_to(double value, int count, decimal *d)
{
	char		text[64];
	const char *p;
	int			i = 0;

	snprintf(text, sizeof(text), "%.*e", count - 1, value);
	for (p = text; *p != 'e'; p++)
	{
		if (is_digit(*p) && i < count)
			d->digits[i++] = *p;
	}
	d->count = i;
	d->exponent = strtol(p + 1, NULL, 10);
}

/* The next decimal of the same length. */
static void
step_up(decimal *d)
{
	int			i = d->count - 1;

	while (i >= 0 && d->digits[i] == '9')
		d->digits[i--] = '0';
	if (i >= 0)
		d->digits[i]++;
	else
	{
		/* 999 became 000: it is 1000.  No power of two comes so near to one of ten. */
		d->digits[0] = '1';
		d->exponent++;
	}
}

/*
 * The shortest decimal that reads back as value (> 0), and of those the
 * nearest to it: Number::toString of ECMA-262.
 *
 * A correctly rounded decimal is not enough.  Below a power of two doubles
 * lie twice as dense as above, so that the decimal nearest to 2^-44 with 16
 * digits, 5.684341886080801e-14, reads back as another double, while
 * 5.684341886080802e-14, the next one up, reads back as 2^-44.  What reads
 * back is an interval around value that reaches at least as far up as down:
 * if the nearest decimal lies outside, then only the next one up can lie
 * inside, and nothing if the nearest one is itself above value.
 */
static void
shortest(double value, decimal *d)
{
	/* A subnormal has fewer bits, down to one: 5e-324. */
	int			count = (value < 0x1p-1022) ? 1 : SAFE_DIGITS;

	for (; count < MAX_DIGITS; count++)
	{
		round_to(value, count, d);
		if (to_double(d->digits, d->count, d->exponent) == value)
			break;
		step_up(d);
		if (to_double(d->digits, d->count, d->exponent) == value)
			break;
	}
	if (count == MAX_DIGITS)
		round_to(value, MAX_DIGITS, d);
	while (d->count > 1 && d->digits[d->count - 1] == '0')
		d->count--;
}

static void
put_zeros(lc_buf *out, int n)
{
	while (n-- > 0)
		lc_buf_putc(out, '0');
}

/* ECMA-262 Number::toString, steps 6 to 12, from the digits on. */
static void
put_ecmascript(lc_buf *out, const decimal *d)
{
	int			k = d->count;
	int			n = (int) d->exponent + 1;

	if (d->negative)
		lc_buf_putc(out, '-');
	if (k <= n && n <= 21)
	{
		lc_buf_append(out, d->digits, (size_t) k);
		put_zeros(out, n - k);
	}
	else if (n > 0 && n <= 21)
	{
		lc_buf_append(out, d->digits, (size_t) n);
		lc_buf_putc(out, '.');
		lc_buf_append(out, d->digits + n, (size_t) (k - n));
	}
	else if (n > -6 && n <= 0)
	{
		lc_buf_puts(out, "0.");
		put_zeros(out, -n);
		lc_buf_append(out, d->digits, (size_t) k);
	}
	else
	{
		lc_buf_putc(out, d->digits[0]);
		if (k > 1)
		{
			lc_buf_putc(out, '.');
			lc_buf_append(out, d->digits + 1, (size_t) k - 1);
		}
		lc_buf_putc(out, 'e');
		if (n > 0)
			lc_buf_putc(out, '+');
		lc_buf_put_int64(out, n - 1);
	}
}

/* Whether d is itself the shortest form of the double nearest to it. */
static bool
is_shortest(const decimal *d)
{
	decimal		form;
	double		value;

	if (d->too_long)
		return false;
	if (d->count <= SAFE_DIGITS && d->exponent >= -SAFE_EXPONENT && d->exponent <= SAFE_EXPONENT)
		return true;

	/* Outside all doubles: 1.8e308 is infinite, 2.4e-324 is nothing. */
	if (d->exponent > 308 || d->exponent < -324)
		return false;
	value = to_double(d->digits, d->count, d->exponent);
	if (value == 0 || isinf(value))
		return false;
	shortest(value, &form);
	return form.count == d->count && form.exponent == d->exponent &&
		memcmp(form.digits, d->digits, (size_t) d->count) == 0;
}

/* The buffer's verdict; a number that memory did not suffice for leaves no part. */
static lc_status
settle(lc_buf *out, size_t mark)
{
	if (out->status != LC_OK && out->len > mark)
		lc_buf_truncate(out, mark);
	return out->status;
}

lc_status
lc_number_canonical(lc_buf *out, const char *text, size_t n)
{
	size_t		mark = out->len;
	decimal		d;

	if (!read_decimal(text, n, &d))
		return LC_ERR_SYNTAX;
	if (d.count == 0)
		lc_buf_putc(out, '0');	/* no sign: RFC 8785 writes -0 as 0 */
	else if (!is_shortest(&d))
		return LC_ERR_NUMBER;
	else
		put_ecmascript(out, &d);
	return settle(out, mark);
}

lc_status
lc_number_from_double(lc_buf *out, double value)
{
	size_t		mark = out->len;
	decimal		d;

	if (isnan(value) || isinf(value))
		return LC_ERR_NUMBER;
	if (value > -0x1p53 && value < 0x1p53 && value == (double) (int64_t) value)
		lc_buf_put_int64(out, (int64_t) value);
	else
	{
		shortest(fabs(value), &d);
		d.negative = value < 0;
		put_ecmascript(out, &d);
	}
	return settle(out, mark);
}
