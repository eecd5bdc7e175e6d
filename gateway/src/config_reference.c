/*
 * config_reference.c
 *		docs/reference/gateway-settings.md, from the table of settings.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config_internal.h"
#include "main.h"

static const char intro[] =
	"# Settings of ledger-gateway\n"
	"\n"
	"<!-- Generated from gateway/src/config_table.c by docs/generate.sh; do not edit. -->\n"
	"\n"
	"Each setting is a variable of the environment. The same name with `_FILE` behind it names a file whose\n"
	"contents are the value (a newline at its end is not part of it); to give both is an error. An empty\n"
	"variable counts as none. Below the environment stands a settings file of JSON, `/app/appsettings.json` or\n"
	"what `--config` names. `LEDGER__DB__CONNECTIONSTRING` is there\n"
	"`{\"Ledger\": {\"Db\": {\"ConnectionString\": \"…\"}}}`, in any case. A name that is not in these tables is\n"
	"an error.\n"
	"\n"
	"`ledger-gateway --check-config` tells every error, and what is allowed but hardly meant: that nobody can be\n"
	"let in, that a secret's file is open to others, that a value has no effect (in the log: `config.note`).\n"
	"`--print-config` tells what holds and where it came from.\n"
	"Times are written `00:05:00` (hh:mm:ss, or d.hh:mm:ss) or `500ms`, `30s`, `5m`, `12h`, `7d`. Settings that\n"
	"are marked *reload* are read anew at SIGHUP; a change of another one is told in the log and waits for a\n"
	"restart.\n";

static const char child_intro[] =
	"\n"
	"## Handed on to ledgerctl\n"
	"\n"
	"The ticks run `ledgerctl anchor`; these reach it, from the environment or the settings file, and mean what\n"
	"[Anchors](../anchors.md) says.\n";

static const char head[] = "\n| setting | default | values | | meaning |\n| --- | --- | --- | --- | --- |\n";

static bool
is_child(const config_key *k)
{
	return k->type == CONFIG_CHILD || k->type == CONFIG_CHILD_SPAN;
}

/* 60000 as "1m": the largest unit that is whole. */
static void
print_span(int64_t ms)
{
	static const struct
	{
		int64_t		ms;
		const char *name;
	}			units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};

	for (size_t i = 0; i < 5; i++)
		if (ms % units[i].ms == 0 && (ms != 0 || i == 3))
		{
			printf("%" PRId64 "%s", ms / units[i].ms, units[i].name);
			return;
		}
}

static void
print_values(const config_key *k)
{
	int64_t		unit = k->type == CONFIG_SECONDS ? 1000 : 1;

	switch (k->type)
	{
		case CONFIG_BOOL:
			printf("true, false");
			break;
		case CONFIG_NUMBER:
			printf("%" PRId64 " to %" PRId64, k->min, k->max);
			break;
		case CONFIG_MILLISECONDS:
		case CONFIG_SECONDS:
			print_span(k->min * unit);
			printf(" to ");
			print_span(k->max * unit);
			break;
		case CONFIG_FILE:
			printf("file");
			break;
		case CONFIG_LISTEN:
			printf("addresses");
			break;
		case CONFIG_CONNECTION:
			printf("connection string");
			break;
		case CONFIG_LEVEL:
			printf("level");
			break;
		case CONFIG_CHILD_SPAN:
			printf("time");
			break;
		case CONFIG_TEXT:
		case CONFIG_CHILD:
			printf("text");
			break;
	}
}

static void
print_row(const config_key *k)
{
	printf("| `" CONFIG_PREFIX "%s` | ", k->name);
	if (k->initial[0] != '\0')
		printf("`%s`", k->initial);
	printf(" | ");
	print_values(k);
	printf(" | %s%s%s | ", k->secret ? "secret" : "", k->secret && k->reload ? ", " : "", k->reload ? "reload" : "");
	for (const char *p = k->help; *p != '\0'; p++)
		printf(*p == '|' ? "\\%c" : "%c", *p);
	printf(" |\n");
}

/* One table a section: the sections are in the order of the rows. */
void
config_print_reference(void)
{
	char		section[40] = "";

	fputs(intro, stdout);
	for (size_t i = 0; i < config_keys_count; i++)
	{
		const config_key *k = &config_keys[i];
		char		name[40];

		snprintf(name, sizeof(name), "%.*s", (int) strcspn(k->name, "_"), k->name);
		if (is_child(k))
			strcpy(name, "child");
		if (strcmp(section, name) != 0)
		{
			if (is_child(k))
				fputs(child_intro, stdout);
			else
				printf("\n## %s\n", name);
			fputs(head, stdout);
			strcpy(section, name);
		}
		print_row(k);
	}
}
