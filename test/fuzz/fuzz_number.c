/*
 * fuzz_number.c
 *		Decimals and doubles.  An accepted decimal's form is its own form, and
 *		strtod reads both as the same; a double's form reads back as it, is
 *		accepted as a decimal, and no decimal with a digit less reads back.
 */
#include <math.h>

#include "fuzz.h"
#include "lc_number.h"

static void
check_decimal(const char *text, size_t n)
{
	lc_buf		given;
	lc_buf		form;
	lc_buf		again;

	lc_buf_init(&given, &lc_alloc_malloc);
	lc_buf_init(&form, &lc_alloc_malloc);
	lc_buf_init(&again, &lc_alloc_malloc);
	lc_buf_append(&given, text, n);
	if (lc_number_canonical(&form, text, n) == LC_OK)
	{
		HOLDS(strtod(given.data, NULL) == strtod(form.data, NULL));
		HOLDS(lc_number_canonical(&again, form.data, form.len) == LC_OK && same_text(&form, &again));
		lc_buf_reset(&again);
		HOLDS(lc_number_from_double(&again, strtod(form.data, NULL)) == LC_OK);
		HOLDS(same_text(&form, &again));
	}
	else
		HOLDS(form.len == 0 && form.status == LC_OK);
	lc_buf_free(&given);
	lc_buf_free(&form);
	lc_buf_free(&again);
}

/* How many digits from the first to the last that is not 0. */
static int
significant(const lc_buf *form)
{
	int			seen = 0;
	int			count = 0;
	size_t		i;

	for (i = 0; i < form->len && form->data[i] != 'e'; i++)
	{
		if (form->data[i] < '0' || form->data[i] > '9' || (seen == 0 && form->data[i] == '0'))
			continue;
		seen++;
		if (form->data[i] != '0')
			count = seen;
	}
	return count;
}

static void
check_double(double value)
{
	lc_buf		form;
	lc_buf		again;
	char		shorter[64];

	lc_buf_init(&form, &lc_alloc_malloc);
	lc_buf_init(&again, &lc_alloc_malloc);
	if (isnan(value) || isinf(value))
		HOLDS(lc_number_from_double(&form, value) == LC_ERR_NUMBER);
	else
	{
		HOLDS(lc_number_from_double(&form, value) == LC_OK);
		HOLDS(strtod(form.data, NULL) == value);
		HOLDS(lc_number_canonical(&again, form.data, form.len) == LC_OK && same_text(&form, &again));
		if (significant(&form) > 1)
		{
			snprintf(shorter, sizeof(shorter), "%.*e", significant(&form) - 2, value);
			HOLDS(strtod(shorter, NULL) != value);
		}
	}
	lc_buf_free(&form);
	lc_buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	double		value;

	check_decimal((const char *) data, size);
	if (size >= sizeof(value))
	{
		memcpy(&value, data, sizeof(value));
		check_double(value);
	}
	return 0;
}
