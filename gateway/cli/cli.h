/*
 * cli.h
 *		What the commands of ledgerctl and ledgerctl-online share: exit
 *		statuses, the table that a command is, messages, JSON output, files,
 *		keys and progress.
 *
 * Standard output holds the answer and nothing else: lines for people, or with
 * --json one canonical JSON object.  Everything else goes to standard error,
 * as "ledgerctl: …".  Text from files is hostile: what is printed has no
 * control characters and no ill-formed UTF-8 left in it (output.c sees to it).
 *
 * A command returns the exit status.  Who finds out what went wrong says so
 * with cli_error() and returns what that returns; who calls it passes it on.
 */
#ifndef LEDGERCTL_CLI_H
#define LEDGERCTL_CLI_H

#include "lc_jcs.h"
#include "lc_notekey.h"
#include "lc_sha256.h"

/* Stable: scripts depend on them (docs/reference/ledgerctl.md). */
typedef enum cli_exit
{
	CLI_GOOD = 0,
	CLI_USAGE = 1,				/* wrong use, or the environment does not allow it */
	CLI_FAILED = 3,				/* verification failed: what was given is not what it claims */
	CLI_NOT_FOUND = 4,			/* a file, event, chain or key that is not there */
	CLI_OFFLINE = 5				/* an online step was asked for where only offline ones may be */
} cli_exit;

/* ---- commands and their options (options.c, dispatch.c) ---- */

typedef struct cli_option
{
	const char *name;			/* without the dashes */
	const char *argument;		/* what its value is called; NULL: a switch */
	const char *help;
	bool		required;
	bool		many;			/* may be given more than once */
} cli_option;

typedef struct cli_args cli_args;

typedef struct cli_command
{
	const char *name;
	const char *operands;		/* as the synopsis shows them, or "" */
	size_t		min_operands;
	size_t		max_operands;	/* SIZE_MAX: any number */
	const char *summary;		/* one line, no full stop */
	const char *description;	/* paragraphs, lines of at most 80 columns */
	const cli_option *options;	/* ended by a NULL name; NULL: none */
	const char *examples;		/* command lines, each ended by a newline */
	cli_exit	(*run) (const cli_args *args);
	bool		online;			/* talks to a server: refused under --offline */
} cli_command;

typedef struct cli_program
{
	const char *name;
	const char *intro;			/* the paragraph below "usage:" */
	const cli_command *commands;	/* ended by a NULL name */
	/* A command whose run is NULL is another program's; this one becomes it. */
	cli_exit	(*hand_over) (const char *command, char **argv);
} cli_program;

/* The whole of a main(). */
extern int	cli_main(const cli_program *program, int argc, char **argv);

extern bool cli_has(const cli_args *args, const char *option);
extern const char *cli_value(const cli_args *args, const char *option);	/* the last, or NULL */
extern size_t cli_count(const cli_args *args, const char *option);
extern const char *cli_value_at(const cli_args *args, const char *option, size_t i);
extern size_t cli_operands(const cli_args *args);
extern const char *cli_operand(const cli_args *args, size_t i);

/* A whole decimal number of min … max; a message and CLI_USAGE otherwise.  Absent: *out stays. */
extern cli_exit cli_number(const cli_args *args, const char *option, uint64_t min, uint64_t max,
						   uint64_t *out);

/* --offline was given, or LEDGER__OFFLINE is true. */
extern bool cli_offline(const cli_args *args);

/* ---- what is said (output.c) ---- */

#define CLI_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* For "%.*s": borrowed bytes, cut where a message would lose its reader. */
#define CLI_SHOW(str) ((int) ((str).n < 300 ? (str).n : 300)), ((str).s == NULL ? "" : (str).s)

/* Something is wrong.  Goes to standard error and into "errors"; returns code. */
extern cli_exit cli_error(cli_exit code, const char *format, ...) CLI_PRINTF(2, 3);

/* Something the reader must know, but nothing wrong: standard error and "notes". */
extern void cli_note(const char *format, ...) CLI_PRINTF(1, 2);

/* One line of the answer for people: nothing with --json. */
extern void cli_print(const char *format, ...) CLI_PRINTF(1, 2);
extern bool cli_wants_json(void);

/*
 * Members of the JSON object, written whether it is wanted or not.  Beside
 * them it has "command", "exitCode", "errors" and "notes".
 */
extern lc_jcs *cli_json(void);	/* for what is nested */
extern void cli_json_text(const char *name, const char *value);
extern void cli_json_string(const char *name, lc_str value);
extern void cli_json_uint(const char *name, uint64_t value);	/* a string from 2^53 on */
extern void cli_json_bool(const char *name, bool value);
extern void cli_json_hex(const char *name, const uint8_t *bytes, size_t n);
extern void cli_json_list(const char *name);	/* begins an array: end it with lc_jcs_end_array */
extern void cli_json_item(lc_str value);	/* a string in an array */
extern void cli_json_object(const char *name);	/* NULL in an array; end it with lc_jcs_end_object */

/* dispatch.c begins and ends the output of a command. */
extern void cli_output_begin(const char *command, bool json);
extern void cli_output_end(cli_exit code);

/* ---- progress (progress.c) ---- */

/*
 * So much of a piece of work is done; total 0: not known.  Cheap: call it as
 * often as you like.  what is a string that lives on, and names the counted
 * ("events"); another what is another piece of work.
 */
extern void cli_progress(const char *what, uint64_t done, uint64_t total);
extern void cli_progress_end(void); /* that piece is done: its last line */
extern void cli_progress_clear(void);	/* before anything else is written to the terminal */

/* dispatch.c says whether there is to be any. */
extern void cli_progress_begin(bool silent);

/* ---- memory and files (files.c) ---- */

/* malloc's, but a failure ends the program: nothing here goes on without memory. */
extern const lc_alloc cli_alloc;

/* A C string of its own; and whether a text, which may be none, is that. */
extern char *cli_copy(lc_str text);
extern bool cli_is(lc_str text, const char *want);

/*
 * The whole file into out, which is initialised here.  What does not exist is
 * CLI_NOT_FOUND, what is longer than max CLI_FAILED, what cannot be read
 * CLI_USAGE.
 */
extern cli_exit cli_read_file(const char *path, size_t max, lc_buf *out);

/* The same for a note or a bundle: without the empty line that psql prints behind one. */
extern cli_exit cli_read_note(const char *path, size_t max, lc_buf *out);

/* A file that must not exist yet, flushed with its directory; mode is not widened by any umask. */
extern cli_exit cli_write_new(const char *path, int mode, const void *bytes, size_t n);

/*
 * A long file that must not exist yet, for its owner's eyes, written line by
 * line.  Closed and kept it is flushed with its directory; not kept, or not
 * written to its end, it is removed.  cli_out_line() false: errno says why.
 */
typedef struct cli_out
{
	const char *path;
	int			fd;				/* -1: not open */
	lc_buf		buf;
} cli_out;

extern cli_exit cli_out_open(cli_out *out, const char *path);
extern bool cli_out_line(cli_out *out, const lc_buf *line);
extern cli_exit cli_out_close(cli_out *out, bool keep);

/*
 * Every regular file below a directory, sorted by path; symbolic links are not
 * followed.  A callback's status other than CLI_GOOD ends the walk with it.
 */
typedef cli_exit (*cli_visit) (const char *path, void *arg);
extern cli_exit cli_walk(const char *dir, cli_visit visit, void *arg);

/* ---- keys (keys.c) ---- */

typedef struct cli_keys
{
	size_t		count;
	lc_verifier *keys;
} cli_keys;

/* A public key as given on the command line: a vkey, or a file that holds one. */
extern cli_exit cli_key(const char *argument, lc_verifier *out);

/* All values of an option; type is LC_KEY_…, and a key of another one is refused. */
extern cli_exit cli_key_options(const cli_args *args, const char *option, uint8_t type, cli_keys *out);
extern void cli_keys_free(cli_keys *keys);

/* <name>+<key id>; a static buffer for one message. */
extern const char *cli_key_name(const lc_verifier *key);

/* A private key from a file, or from text: wipe it with lc_signer_wipe(). */
extern cli_exit cli_signer_file(const char *path, lc_signer *out);
extern cli_exit cli_signer_text(const char *where, const char *text, size_t n, lc_signer *out);

#endif
