/*
 * anchor_settings.c
 *		How often chains are anchored.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anchor_settings.h"
#include "span.h"

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
	uint64_t	milliseconds;
	char		value[24];

	if (text == NULL)
		return CLI_GOOD;
	/* PostgreSQL keeps these in whole seconds. */
	if (!span_parse(text, &milliseconds) || milliseconds % 1000 != 0)
		return cli_error(CLI_USAGE, "LEDGER__%s must be " SPAN_FORMS ", not \"%s\"", variable, text);
	snprintf(value, sizeof(value), "%" PRIu64, milliseconds / 1000);
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
