/*
 * dispatch.c
 *		From a command line to a command, and the help of each.
 *
 * The reference page (docs/reference/ledgerctl.md) is made of these texts.
 */
#include <stdio.h>
#include <string.h>

#include "cli_internal.h"

#define HELP_COLUMN 22

static const char statuses[] =
	"exit status: 0 good, 1 usage or environment, 3 verification failed, 4 not found,\n"
	"5 an online step under --offline\n";

static const cli_command *
find(const cli_program *program, const char *name)
{
	for (const cli_command *c = program->commands; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static void
show_option(const cli_option *option)
{
	char		left[64];

	snprintf(left, sizeof(left), "--%s%s%s", option->name, option->argument != NULL ? " " : "",
			 option->argument != NULL ? option->argument : "");
	if (strlen(left) < HELP_COLUMN)
		printf("  %-*s%s\n", HELP_COLUMN, left, option->help);
	else
		printf("  %s\n  %*s%s\n", left, HELP_COLUMN, "", option->help);
}

static void
show_synopsis(const cli_command *command)
{
	printf("usage: ledgerctl %s%s%s", command->name, *command->operands != '\0' ? " " : "",
		   command->operands);
	for (const cli_option *o = command->options; o != NULL && o->name != NULL; o++)
		if (o->required)
			printf(" --%s %s%s", o->name, o->argument, o->many ? "…" : "");
	printf(" [option…]\n");
}

static void
show_command(const cli_command *command)
{
	show_synopsis(command);
	printf("\n%s\noptions:\n", command->description);
	for (const cli_option *o = command->options; o != NULL && o->name != NULL; o++)
		show_option(o);
	for (const cli_option *o = cli_common_options; o->name != NULL; o++)
		show_option(o);
	printf("\nexamples:\n");
	for (const char *p = command->examples; *p != '\0';)
	{
		size_t		n = strcspn(p, "\n");

		printf("  %.*s\n", (int) n, p);
		p += n + (p[n] == '\n');
	}
	printf("\n%s", statuses);
}

static void
show_program(const cli_program *program)
{
	printf("usage: %s COMMAND …\n\n%s\ncommands:\n", program->name, program->intro);
	for (const cli_command *c = program->commands; c->name != NULL; c++)
		printf("  %-*s%s\n", HELP_COLUMN, c->name, c->summary);
	printf("\n%s COMMAND --help tells of one.  %s --version names the release.\n\n%s",
		   program->name, program->name, statuses);
}

/* Is the word given as an option, before any "--"? */
static bool
has_word(int argc, char **argv, const char *word)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], word) == 0)
			return true;
	return false;
}

static cli_exit
refuse_online(const char *command)
{
	return cli_error(CLI_OFFLINE, "%s needs a server, and only offline steps are allowed here",
					 command);
}

/* The command of this program; argv are the words behind its name. */
static int
run_own(const cli_command *command, int argc, char **argv)
{
	bool		json = has_word(argc, argv, "--json");
	cli_args	args;
	cli_exit	code;

	cli_output_begin(command->name, json);
	cli_progress_begin(json || has_word(argc, argv, "--quiet"));
	code = cli_args_read(&args, command, argc, argv);
	if (code == CLI_GOOD && cli_has(&args, "help"))
		show_command(command);
	else
	{
		if (code == CLI_GOOD && command->online && cli_offline(&args))
			code = refuse_online(command->name);
		else if (code == CLI_GOOD)
			code = command->run(&args);
		cli_output_end(code);
	}
	cli_args_free(&args);
	/* An answer that did not arrive is no answer: a full disk, a closed pipe. */
	if (fflush(stdout) != 0 || ferror(stdout))
	{
		fprintf(stderr, "ledgerctl: cannot write to standard output\n");
		return code != CLI_GOOD ? (int) code : CLI_USAGE;
	}
	return (int) code;
}

/* To the other program, which need not be there to say that it may not run. */
static int
hand_over(const cli_program *program, const cli_command *command, int argc, char **argv)
{
	cli_args	none = {0};
	bool		offline = has_word(argc, argv, "--offline") || cli_offline(&none);
	cli_exit	code;

	cli_output_begin(command->name, has_word(argc, argv, "--json"));
	if (offline && !has_word(argc, argv, "--help"))
		code = refuse_online(command->name);
	else
		code = program->hand_over(command->name, argv);
	cli_output_end(code);
	return (int) code;
}

int
cli_main(const cli_program *program, int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const cli_command *command;

	if (strcmp(name, "--version") == 0)
		return printf("%s %s\n", program->name, LEDGER_VERSION) < 0;
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
	{
		show_program(program);
		return CLI_GOOD;
	}
	if (argc < 2)
		return (int) cli_error(CLI_USAGE, "which command?  %s --help lists them", program->name);
	command = find(program, name);
	if (command == NULL)
		return (int) cli_error(CLI_USAGE, "there is no command \"%s\"; %s --help lists them", name,
							   program->name);
	if (command->run == NULL)
		return hand_over(program, command, argc, argv);
	return run_own(command, argc - 2, argv + 2);
}
