/*
 * main.c
 *		ledger-gateway: the ledger over HTTP.
 *
 * Exit status: 0 after an orderly end, 1 for wrong use, wrong settings or a
 * start that failed.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "main.h"

static const char usage[] =
	"usage: ledger-gateway [--config FILE] [--check-config | --print-config | --ready]\n"
	"\n"
	"Serves the ledger over HTTP. Settings come from the environment (LEDGER__SECTION__KEY,\n"
	"or LEDGER__SECTION__KEY_FILE for the contents of a file) over a settings file.\n"
	"\n"
	"  --config FILE                 the settings file; else /app/appsettings.json, if there is one\n"
	"  --check-config                tell every error of the settings and exit\n"
	"  --print-config                print the settings that hold, secrets masked, and exit\n"
	"  --ready                       ask the running gateway of these settings whether it is ready\n"
	"  --print-settings-reference    print all settings as a page and exit\n"
	"  --print-routes                print the table of routes as JSON and exit\n"
	"  --version                     print the version and exit\n"
	"  --help                        print this and exit\n";

enum { CONFIG = 1, CHECK, PRINT, READY, REFERENCE, ROUTES, VERSION, HELP };

static const struct option options[] = {
	{"config", required_argument, NULL, CONFIG},
	{"check-config", no_argument, NULL, CHECK},
	{"print-config", no_argument, NULL, PRINT},
	{"ready", no_argument, NULL, READY},
	{"print-settings-reference", no_argument, NULL, REFERENCE},
	{"print-routes", no_argument, NULL, ROUTES},
	{"version", no_argument, NULL, VERSION},
	{"help", no_argument, NULL, HELP},
	{NULL, 0, NULL, 0}
};

static int
with_settings(int what)
{
	switch (what)
	{
		case CHECK:
			printf("%sthe settings are good\n", config_notes());
			return EXIT_SUCCESS;
		case PRINT:
			config_print();
			return EXIT_SUCCESS;
		case READY:
			return ready_ask();
		default:
			return serve();
	}
}

static int
without_settings(int what)
{
	if (what == VERSION)
		printf("ledger-gateway %s\n", LEDGER_VERSION);
	else if (what == HELP)
		fputs(usage, stdout);
	else if (what == ROUTES)
	{
		if (!routes_print())
			return EXIT_FAILURE;
	}
	else
		config_print_reference();
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const char *file = NULL;
	int			what = 0,
				option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
	{
		if (option == CONFIG)
			file = optarg;
		else if (option == '?')
		{
			fputs("Try ledger-gateway --help.\n", stderr);
			return EXIT_FAILURE;
		}
		else if (what == 0)
			what = option;
		else
		{
			fputs("ledger-gateway: one thing at a time; try --help\n", stderr);
			return EXIT_FAILURE;
		}
	}
	if (optind < argc)
	{
		fprintf(stderr, "ledger-gateway: it takes no operands: %s\n", argv[optind]);
		return EXIT_FAILURE;
	}
	if (what == REFERENCE || what == ROUTES || what == VERSION || what == HELP)
		return without_settings(what);
	return config_load(file) ? with_settings(what) : EXIT_FAILURE;
}
