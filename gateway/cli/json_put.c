/*
 * json_put.c
 *		Members of a JSON object that becomes a file.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json_put.h"
#include "lc_hex.h"

void
json_put_key(lc_jcs *w, const char *name)
{
	lc_jcs_key(w, name, strlen(name));
}

void
json_put_string(lc_jcs *w, const char *name, lc_str value)
{
	json_put_key(w, name);
	lc_jcs_string(w, value.s, value.n);
}

void
json_put_text(lc_jcs *w, const char *name, const char *value)
{
	json_put_string(w, name, (lc_str) {value, strlen(value)});
}

void
json_put_hash(lc_jcs *w, const char *name, const uint8_t hash[LC_HASH_LEN])
{
	char		hex[2 * LC_HASH_LEN];

	lc_hex_encode(hash, LC_HASH_LEN, hex);
	json_put_string(w, name, (lc_str) {hex, sizeof(hex)});
}

void
json_put_uint(lc_jcs *w, const char *name, uint64_t value)
{
	char		text[24];

	json_put_key(w, name);
	lc_jcs_number(w, text, (size_t) snprintf(text, sizeof(text), "%" PRIu64, value));
}

void
json_put_seconds(lc_jcs *w, const char *name, uint64_t us)
{
	json_put_double(w, name, (double) us / 1e6);
}

/* Any decimal of 15 digits comes back from a double as it was. */
void
json_put_double(lc_jcs *w, const char *name, double value)
{
	char		text[40];
	int			n = snprintf(text, sizeof(text), "%.15g", value);

	json_put_key(w, name);
	if (isfinite(value))
		lc_jcs_number(w, text, (size_t) n);
	else
		lc_jcs_string(w, text, (size_t) n);
}
