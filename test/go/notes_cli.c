/*
 * notes_cli.c
 *		The core's keys, notes and envelopes behind a line protocol.
 *
 * One command per line on standard input, one answer per line on standard
 * output: "ok<TAB>result[<TAB>result…]" or "error<TAB>phrase".  Fields are
 * separated by tabs, all in hex but numbers.
 *
 *		name NAME					ok if a key may be called so
 *		key NAME TYPE SEED			private and public key
 *		public VKEY					the same key, written again
 *		private SKEY				the same key, and its public one
 *		sign SKEY TEXT TIME			a signature line
 *		verify VKEY NOTE			time of the cosignature
 *		format ORIGIN SIZE ROOT		a checkpoint
 *		checkpoint TEXT				the same checkpoint, written again
 *		envelope SKEY TYPE PAYLOAD	a DSSE envelope
 *		open VKEY JSON				type and payload of one that is signed
 *
 * A line that is no command ends the program with status 2.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "lc_dsse.h"
#include "lc_hex.h"
#include "lc_note.h"

#define MAX_FIELDS 4

static const lc_alloc *const alloc = &lc_alloc_malloc;

/* The texts of the current line, and the answer. */
static lc_str fields[MAX_FIELDS];
static char *words[MAX_FIELDS];
static lc_buf answer;

static void
give_up(const char *why)
{
	fprintf(stderr, "notes_cli: %s\n", why);
	exit(2);
}

/* Cut the line, its first word being the command; decode what is hex. */
static size_t
split(char *line)
{
	size_t		n = 0;

	while (line != NULL && n < MAX_FIELDS)
	{
		words[n++] = line;
		line = strchr(line, '\t');
		if (line != NULL)
			*line++ = '\0';
	}
	for (size_t i = 1; i < n; i++)
	{
		size_t		len = strlen(words[i]) / 2;
		char	   *bytes = malloc(len + 1);

		if (bytes == NULL)
			give_up("out of memory");
		fields[i].s = bytes;
		fields[i].n = lc_hex_decode(words[i], 2 * len, (uint8_t *) bytes, len) == LC_OK ? len : 0;
	}
	return n;
}

static void
put_hex(const lc_buf *text)
{
	lc_buf_putc(&answer, '\t');
	lc_buf_put_hex(&answer, (const uint8_t *) text->data, text->len);
}

/* A text for functions that want it NUL-terminated; without NULs there is one. */
static const char *
c_string(size_t i, char to[LC_KEY_NAME_MAX + 2])
{
	size_t		n = fields[i].n < LC_KEY_NAME_MAX + 1 ? fields[i].n : LC_KEY_NAME_MAX + 1;

	memcpy(to, fields[i].s, n);
	to[n] = '\0';
	return to;
}

static lc_status
do_name(void)
{
	return lc_key_name_valid(fields[1].s, fields[1].n) ? LC_OK : LC_ERR_SYNTAX;
}

static lc_status
answer_signer(const lc_signer *signer)
{
	lc_buf		text;

	lc_buf_init(&text, alloc);
	lc_signer_format(&text, signer);
	put_hex(&text);
	lc_buf_reset(&text);
	lc_verifier_format(&text, &signer->verifier);
	put_hex(&text);
	lc_buf_free(&text);
	return LC_OK;
}

static lc_status
do_key(void)
{
	char		name[LC_KEY_NAME_MAX + 2];
	lc_signer	signer;
	lc_status	status;

	if (fields[3].n != LC_ED25519_KEY_LEN)
		give_up("bad seed");
	status = lc_signer_make(c_string(1, name), (uint8_t) strtoul(words[2], NULL, 10),
							(const uint8_t *) fields[3].s, &signer);
	return status == LC_OK ? answer_signer(&signer) : status;
}

static lc_status
do_public(void)
{
	lc_verifier v;
	lc_buf		text;
	lc_status	status = lc_verifier_parse(fields[1].s, fields[1].n, &v);

	if (status != LC_OK)
		return status;
	lc_buf_init(&text, alloc);
	lc_verifier_format(&text, &v);
	put_hex(&text);
	lc_buf_free(&text);
	return LC_OK;
}

static lc_status
do_private(void)
{
	lc_signer	signer;
	lc_status	status = lc_signer_parse(fields[1].s, fields[1].n, &signer);

	return status == LC_OK ? answer_signer(&signer) : status;
}

static lc_status
do_sign(void)
{
	lc_signer	signer;
	lc_buf		line;
	lc_status	status = lc_signer_parse(fields[1].s, fields[1].n, &signer);

	if (status != LC_OK)
		give_up("bad private key");
	lc_buf_init(&line, alloc);
	status = lc_note_sign(&line, fields[2].s, fields[2].n, &signer, strtoull(words[3], NULL, 10), alloc);
	if (status == LC_OK)
		put_hex(&line);
	lc_buf_free(&line);
	return status;
}

static lc_status
do_verify(void)
{
	static lc_note note;
	lc_verifier v;
	uint64_t	time;
	lc_status	status;

	if (lc_verifier_parse(fields[1].s, fields[1].n, &v) != LC_OK)
		give_up("bad public key");
	status = lc_note_parse(fields[2].s, fields[2].n, &note);
	if (status == LC_OK)
		status = lc_note_verify(&note, &v, &time, alloc);
	if (status == LC_OK)
	{
		lc_buf_putc(&answer, '\t');
		lc_buf_put_int64(&answer, (int64_t) time);
	}
	return status;
}

static lc_status
answer_checkpoint(lc_str origin, uint64_t size, const uint8_t root[LC_HASH_LEN])
{
	lc_buf		text;
	lc_status	status;

	lc_buf_init(&text, alloc);
	lc_checkpoint_format(&text, origin, size, root);
	status = text.status;
	if (status == LC_OK)
		put_hex(&text);
	lc_buf_free(&text);
	return status;
}

static lc_status
do_format(void)
{
	if (fields[3].n != LC_HASH_LEN)
		give_up("bad root");
	return answer_checkpoint(fields[1], strtoull(words[2], NULL, 10), (const uint8_t *) fields[3].s);
}

static lc_status
do_checkpoint(void)
{
	lc_checkpoint c;
	lc_status	status = lc_checkpoint_parse(fields[1].s, fields[1].n, &c);

	return status == LC_OK ? answer_checkpoint(c.origin, c.size, c.root) : status;
}

static lc_status
do_envelope(void)
{
	lc_signer	signer;
	lc_buf		json;
	lc_status	status;

	if (lc_signer_parse(fields[1].s, fields[1].n, &signer) != LC_OK)
		give_up("bad private key");
	lc_buf_init(&json, alloc);
	status = lc_dsse_sign(&json, fields[2], fields[3], &signer, 1, alloc);
	if (status == LC_OK)
		put_hex(&json);
	lc_buf_free(&json);
	return status;
}

static lc_status
do_open(void)
{
	static lc_dsse d;
	lc_verifier v;
	lc_status	status;

	if (lc_verifier_parse(fields[1].s, fields[1].n, &v) != LC_OK)
		give_up("bad public key");
	status = lc_dsse_parse(fields[2].s, fields[2].n, alloc, &d);
	if (status != LC_OK)
		return status;
	status = lc_dsse_verify(&d, &v, alloc);
	if (status == LC_OK)
	{
		put_hex(&d.payload_type);
		put_hex(&d.payload);
	}
	lc_dsse_free(&d);
	return status;
}

static const struct
{
	const char *name;
	size_t		nfields;
	lc_status	(*run) (void);
}			commands[] = {
	{"name", 1, do_name},
	{"key", 3, do_key},
	{"public", 1, do_public},
	{"private", 1, do_private},
	{"sign", 3, do_sign},
	{"verify", 2, do_verify},
	{"format", 3, do_format},
	{"checkpoint", 1, do_checkpoint},
	{"envelope", 3, do_envelope},
	{"open", 2, do_open},
};

static void
answer_line(char *line)
{
	size_t		n = split(line);
	size_t		i;
	lc_status	status;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
	{
		if (strcmp(words[0], commands[i].name) == 0 && n == commands[i].nfields + 1)
			break;
	}
	if (i == sizeof(commands) / sizeof(commands[0]))
		give_up("unknown command");

	lc_buf_reset(&answer);
	status = commands[i].run();
	if (answer.status != LC_OK)
		give_up("out of memory");
	if (status == LC_OK)
		printf("ok%.*s\n", (int) answer.len, answer.len > 0 ? answer.data : "");
	else
		printf("error\t%s\n", lc_status_text(status));
	fflush(stdout);
	for (i = 1; i < n; i++)
		free((char *) (uintptr_t) fields[i].s);
}

int
main(void)
{
	char	   *line = NULL;
	size_t		size = 0;
	ssize_t		n;

	lc_buf_init(&answer, alloc);
	while ((n = getline(&line, &size, stdin)) >= 0)
	{
		if (n > 0 && line[n - 1] == '\n')
			line[n - 1] = '\0';
		answer_line(line);
	}
	free(line);
	lc_buf_free(&answer);
	lc_sha256_thread_end();
	return 0;
}
