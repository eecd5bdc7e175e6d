/*
 * options.c
 *		Reading a command line against a command's table.
 *
 * Options and operands may be mixed; "--" ends the options.  Long names only,
 * "--name value" or "--name=value", never abbreviated: a script that relied on
 * an abbreviation would break when an option is added.
 */
#include <stdlib.h>
#include <string.h>

#include "cli_internal.h"

const cli_option cli_common_options[] = {
	{"json", NULL, "answer with one JSON object on standard output", false, false},
	{"quiet", NULL, "do not tell how far long work has come", false, false},
	{"offline", NULL, "refuse, with status 5, whatever needs a server; also LEDGER__OFFLINE=true",
	false, false},
	{"help", NULL, "show this text", false, false},
	{NULL, NULL, NULL, false, false}
};

static const cli_option *
find(const cli_option *options, const char *name, size_t n)
{
	for (; options != NULL && options->name != NULL; options++)
		if (strlen(options->name) == n && memcmp(options->name, name, n) == 0)
			return options;
	return NULL;
}

static void
remember(cli_args *args, const cli_option *option, const char *value)
{
	args->given[args->ngiven].option = option;
	args->given[args->ngiven++].value = value;
}

/* One "--…" word and, if its option wants one, its value; *i moves on. */
static cli_exit
read_option(cli_args *args, int argc, char **argv, int *i)
{
	const char *name = argv[*i] + 2;
	const char *equals = strchr(name, '=');
	size_t		n = equals != NULL ? (size_t) (equals - name) : strlen(name);
	const cli_option *option = find(args->command->options, name, n);
	const char *value = equals != NULL ? equals + 1 : NULL;

	if (option == NULL)
		option = find(cli_common_options, name, n);
	if (option == NULL)
		return cli_error(CLI_USAGE, "%s has no option --%.*s", args->command->name, (int) n, name);
	if (option->argument == NULL && value != NULL)
		return cli_error(CLI_USAGE, "option --%s takes no value", option->name);
	if (option->argument != NULL && value == NULL)
	{
		if (*i + 1 >= argc)
			return cli_error(CLI_USAGE, "option --%s needs a value: %s", option->name,
							 option->argument);
		value = argv[++*i];
	}
	if (!option->many && option->argument != NULL && cli_has(args, option->name))
		return cli_error(CLI_USAGE, "option --%s is given twice", option->name);
	remember(args, option, value);
	return CLI_GOOD;
}

static cli_exit
check_required(const cli_args *args)
{
	const cli_command *command = args->command;

	if (cli_has(args, "help"))
		return CLI_GOOD;
	for (const cli_option *o = command->options; o != NULL && o->name != NULL; o++)
		if (o->required && !cli_has(args, o->name))
			return cli_error(CLI_USAGE, "%s needs the option --%s %s", command->name, o->name,
							 o->argument);
	if (args->noperands < command->min_operands)
		return cli_error(CLI_USAGE, "%s needs %s", command->name, command->operands);
	if (args->noperands > command->max_operands)
		return cli_error(CLI_USAGE, "%s cannot use \"%s\"", command->name,
						 args->operands[command->max_operands]);
	return CLI_GOOD;
}

cli_exit
cli_args_read(cli_args *args, const cli_command *command, int argc, char **argv)
{
	bool		more = true;

	memset(args, 0, sizeof(*args));
	args->command = command;
	args->given = cli_alloc.resize(NULL, NULL, ((size_t) argc + 1) * sizeof(*args->given));
	args->operands = cli_alloc.resize(NULL, NULL, ((size_t) argc + 1) * sizeof(*args->operands));
	for (int i = 0; i < argc; i++)
	{
		if (more && strcmp(argv[i], "--") == 0)
			more = false;
		else if (more && strcmp(argv[i], "-h") == 0)
			remember(args, find(cli_common_options, "help", 4), NULL);
		else if (more && strncmp(argv[i], "--", 2) == 0)
		{
			cli_exit	code = read_option(args, argc, argv, &i);

			if (code != CLI_GOOD)
				return code;
		}
		else if (more && argv[i][0] == '-' && argv[i][1] != '\0')
			return cli_error(CLI_USAGE, "%s has no option %s", command->name, argv[i]);
		else
			args->operands[args->noperands++] = argv[i];
	}
	return check_required(args);
}

void
cli_args_free(cli_args *args)
{
	free(args->given);
	free(args->operands);
}

size_t
cli_count(const cli_args *args, const char *option)
{
	size_t		count = 0;

	for (size_t i = 0; i < args->ngiven; i++)
		count += strcmp(args->given[i].option->name, option) == 0;
	return count;
}

const char *
cli_value_at(const cli_args *args, const char *option, size_t i)
{
	for (size_t k = 0; k < args->ngiven; k++)
		if (strcmp(args->given[k].option->name, option) == 0 && i-- == 0)
			return args->given[k].value;
	return NULL;
}

bool
cli_has(const cli_args *args, const char *option)
{
	return cli_count(args, option) > 0;
}

const char *
cli_value(const cli_args *args, const char *option)
{
	size_t		count = cli_count(args, option);

	return count > 0 ? cli_value_at(args, option, count - 1) : NULL;
}

size_t
cli_operands(const cli_args *args)
{
	return args->noperands;
}

const char *
cli_operand(const cli_args *args, size_t i)
{
	return i < args->noperands ? args->operands[i] : NULL;
}

cli_exit
cli_number(const cli_args *args, const char *option, uint64_t min, uint64_t max, uint64_t *out)
{
	const char *text = cli_value(args, option);
	uint64_t	value = 0;
	bool		good;

	if (text == NULL)
		return CLI_GOOD;
	good = *text != '\0';
	for (const char *p = text; *p != '\0' && good; p++)
	{
		uint64_t	digit = (uint64_t) (*p - '0');

		good = *p >= '0' && *p <= '9' && value <= (UINT64_MAX - digit) / 10;
		value = value * 10 + digit;
	}
	if (!good || value < min || value > max)
		return cli_error(CLI_USAGE, "option --%s must be a whole number from %llu to %llu, not \"%s\"",
						 option, (unsigned long long) min, (unsigned long long) max, text);
	*out = value;
	return CLI_GOOD;
}

/* As the gateway reads its switches: true and 1, in any case. */
static bool
is_true(const char *value)
{
	return value != NULL && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0 ||
							 strcmp(value, "True") == 0 || strcmp(value, "TRUE") == 0);
}

bool
cli_offline(const cli_args *args)
{
	return cli_has(args, "offline") || is_true(getenv("LEDGER__OFFLINE"));
}
