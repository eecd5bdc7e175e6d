/*
 * anchor_settings.c
 *		How often chains are anchored.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anchor_settings.h"

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

bool
span_parse(const char *text, uint64_t *seconds)
{
	uint64_t	days = 0,
				hours,
				minutes,
				rest;
	const char *p = text;

	/* A bare number would be days to one reader and seconds to another. */
	if (strchr(text, '.') != NULL && !read_part(&p, 3650, '.', &days))
		return false;
	if (!read_part(&p, 23, ':', &hours) || !read_part(&p, 59, ':', &minutes) ||
		!read_part(&p, 59, '\0', &rest))
		return false;
	*seconds = ((days * 24 + hours) * 60 + minutes) * 60 + rest;
	return true;
}

static cli_exit
set(PGconn *conn, const char *name, const char *value)
{
	const char *values[] = {name, value};
	fault		f;
	PGresult   *result = db_query(conn, &f, "SELECT set_config($1, $2, false)", 2, values);

	PQclear(result);
	return result != NULL ? CLI_GOOD : cli_error(CLI_USAGE, "the setting %s: %s", name, f.text);
}

static cli_exit
set_span(PGconn *conn, const char *variable, const char *name)
{
	const char *text = setting(variable);
	uint64_t	seconds;
	char		value[24];

	if (text == NULL)
		return CLI_GOOD;
	if (!span_parse(text, &seconds))
		return cli_error(CLI_USAGE, "LEDGER__%s must be a time like 00:05:00 (hh:mm:ss, or d.hh:mm:ss), not \"%s\"",
						 variable, text);
	snprintf(value, sizeof(value), "%" PRIu64, seconds);
	return set(conn, name, value);
}

static cli_exit
set_number(PGconn *conn, const char *variable, const char *name)
{
	const char *text = setting(variable);

	if (text == NULL)
		return CLI_GOOD;
	if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 9)
		return cli_error(CLI_USAGE, "LEDGER__%s must be a whole number, not \"%s\"", variable, text);
	return set(conn, name, text);
}

/* Until the extension's library is loaded, its settings take any value. */
static cli_exit
load_library(PGconn *conn)
{
	fault		f;
	PGresult   *result = db_query(conn, &f, "SELECT ledger.ledger_uuid_v7()", 0, NULL);

	PQclear(result);
	return result != NULL ? CLI_GOOD : cli_error(CLI_USAGE, "the ledger: %s", f.text);
}

cli_exit
anchor_settings_apply(PGconn *conn)
{
	cli_exit	code = load_library(conn);

	if (code == CLI_GOOD)
		code = set_number(conn, "MERKLE__BATCHSIZE", "ledger.anchor_batch_size");

	if (code == CLI_GOOD)
		code = set_span(conn, "MERKLE__WINDOWDURATION", "ledger.anchor_window");
	if (code == CLI_GOOD)
		code = set_span(conn, "MERKLE__ANCHORINTERVAL", "ledger.anchor_interval");
	return code;
}
