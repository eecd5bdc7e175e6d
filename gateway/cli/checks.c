/*
 * checks.c
 *		A list of checks, as lines and as JSON.
 */
#include <stdarg.h>
#include <stdio.h>

#include "checks.h"

static struct
{
	unsigned	failed;
	lc_buf		names;			/* of what failed, separated by ", " */
} checks;

void
checks_begin(void)
{
	checks.failed = 0;
	lc_buf_init(&checks.names, &cli_alloc);
	cli_json_list("checks");
}

void
check_tell(const char *name, check_verdict verdict, const char *hint, const char *format, ...)
{
	static const char *const words[] = {"ok", "fail", "not applicable"};
	char		evidence[2048];
	va_list		args;

	va_start(args, format);
	vsnprintf(evidence, sizeof(evidence), format, args);
	va_end(args);
	cli_print("%-14s  %-22s %s", words[verdict], name, evidence);
	cli_json_object(NULL);
	cli_json_text("name", name);
	cli_json_text("verdict", words[verdict]);
	cli_json_text("evidence", evidence);
	if (verdict == CHECK_FAIL && hint != NULL)
	{
		cli_print("%-14s  %-22s what to do: %s", "", "", hint);
		cli_json_text("hint", hint);
	}
	lc_jcs_end_object(cli_json());
	if (verdict != CHECK_FAIL)
		return;
	lc_buf_puts(&checks.names, checks.failed++ > 0 ? ", " : "");
	lc_buf_puts(&checks.names, name);
}

cli_exit
checks_end(void)
{
	cli_exit	code = CLI_GOOD;

	lc_jcs_end_array(cli_json());
	if (checks.failed > 0)
		code = cli_error(CLI_FAILED, "not as it must be: %s", checks.names.data);
	lc_buf_free(&checks.names);
	return code;
}
