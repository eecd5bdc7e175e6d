/*
 * trust.c
 *		Judging signatures by the keys that the verifier was given.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trust.h"

/* ---- options ---- */

cli_exit
trust_read(const cli_args *args, trust *out)
{
	cli_exit	code;

	memset(out, 0, sizeof(*out));
	code = cli_key_options(args, "key", LC_KEY_ED25519, &out->log);
	if (code == CLI_GOOD)
		code = cli_key_options(args, "witness", LC_KEY_COSIGNATURE, &out->witnesses);
	if (code != CLI_GOOD)
		return code;
	out->origin = cli_value(args, "origin");
	/* Unless said otherwise, every witness that is named. */
	out->quorum = out->witnesses.count;
	if (cli_has(args, "quorum") && out->witnesses.count == 0)
		return cli_error(CLI_USAGE, "--quorum counts the witnesses named by --witness, and none is");
	return cli_number(args, "quorum", 1, out->witnesses.count, &out->quorum);
}

void
trust_free(trust *t)
{
	cli_keys_free(&t->log);
	cli_keys_free(&t->witnesses);
}

/* ---- origin ---- */

static bool
split_last(lc_str *head, lc_str *tail)
{
	size_t		at = head->n;

	while (at > 0 && head->s[at - 1] != '/')
		at--;
	if (at == 0)
		return false;
	tail->s = head->s + at;
	tail->n = head->n - at;
	head->n = at - 1;
	return tail->n > 0;
}

bool
chain_name_read(lc_str line, chain_name *out)
{
	out->origin = line;
	return split_last(&out->origin, &out->chain) &&
		lc_uuid_parse(out->chain.s, out->chain.n, out->chain_id) == LC_OK &&
		split_last(&out->origin, &out->tenant) && out->origin.n > 0;
}

/* ---- signatures ---- */

/* The keys that a note names, for a message: "a+01234567, b+89abcdef". */
static void
list_signers(const lc_note *note, lc_buf *out)
{
	for (size_t i = 0; i < note->count; i++)
	{
		lc_buf_puts(out, i > 0 ? ", " : "");
		lc_buf_append(out, note->signatures[i].name.s, note->signatures[i].name.n);
		lc_buf_putc(out, '+');
		lc_buf_put_hex(out, note->signatures[i].id, LC_KEY_ID_LEN);
	}
}

static cli_exit
too_few(const char *where, const lc_note *note, const char *whose, size_t got, uint64_t needed)
{
	lc_buf		signers;

	lc_buf_init(&signers, &cli_alloc);
	list_signers(note, &signers);
	if (needed == 1 && got == 0)
		cli_error(CLI_FAILED, "%s: no signature by a given %s key; it has those of %s", where, whose,
				  signers.data);
	else
		cli_error(CLI_FAILED, "%s: %zu of the %llu %s signatures asked for; it has those of %s", where,
				  got, (unsigned long long) needed, whose, signers.data);
	lc_buf_free(&signers);
	return CLI_FAILED;
}

static void
report_log_signer(const lc_verifier *key)
{
	cli_json_item((lc_str) {cli_key_name(key), strlen(cli_key_name(key))});
}

static void
report_witness(const lc_verifier *key, uint64_t time)
{
	cli_json_object(NULL);
	cli_json_text("key", cli_key_name(key));
	cli_json_uint("time", time);
	lc_jcs_end_object(cli_json());
}

/* Counts valid lines; one of a known key that is wrong spoils the note. */
static cli_exit
count_signers(const char *where, const lc_note *note, const cli_keys *keys, bool json, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < keys->count; i++)
	{
		const lc_verifier *key = &keys->keys[i];
		uint64_t	time;
		lc_status	status = lc_note_verify(note, key, &time, &cli_alloc);

		if (status == LC_ERR_ABSENT)
			continue;
		if (status == LC_ERR_SIGNATURE)
			return cli_error(CLI_FAILED, "%s: the signature of %s does not fit the text", where,
							 cli_key_name(key));
		if (status != LC_OK)
			return cli_error(CLI_USAGE, "%s: %s", where, lc_status_text(status));
		(*count)++;
		if (json && key->type == LC_KEY_COSIGNATURE)
			report_witness(key, time);
		else if (json)
			report_log_signer(key);
	}
	return CLI_GOOD;
}

static cli_exit
count_all(const char *where, const lc_note *note, const trust *t, bool json, judged *out)
{
	cli_exit	code;

	if (json)
		cli_json_list("signedBy");
	code = count_signers(where, note, &t->log, json, &out->signed_by);
	if (json)
		lc_jcs_end_array(cli_json());
	if (code != CLI_GOOD)
		return code;
	if (json)
		cli_json_list("cosignedBy");
	code = count_signers(where, note, &t->witnesses, json, &out->cosigned_by);
	if (json)
		lc_jcs_end_array(cli_json());
	if (code != CLI_GOOD)
		return code;
	if (out->signed_by == 0)
		return too_few(where, note, "log", 0, 1);
	if (out->cosigned_by < t->quorum)
		return too_few(where, note, "witness", out->cosigned_by, t->quorum);
	return CLI_GOOD;
}

static cli_exit
check_origin(const char *where, const trust *t, judged *out)
{
	if (!chain_name_read(out->head.origin, &out->name))
		return cli_error(CLI_FAILED, "%s: the origin \"%.*s\" names no chain: it is not "
						 "<origin>/<tenant>/<chain id>", where, CLI_SHOW(out->head.origin));
	if (t->origin != NULL && (strlen(t->origin) != out->name.origin.n ||
							  memcmp(t->origin, out->name.origin.s, out->name.origin.n) != 0))
		return cli_error(CLI_FAILED, "%s: the checkpoint is of the log \"%.*s\", not of \"%s\"", where,
						 CLI_SHOW(out->name.origin), t->origin);
	return CLI_GOOD;
}

cli_exit
trust_checkpoint(const char *where, lc_str text, const trust *t, bool json, judged *out)
{
	lc_note		note;
	lc_status	status = lc_note_parse(text.s, text.n, &note);
	cli_exit	code;

	memset(out, 0, sizeof(*out));
	if (status != LC_OK)
		return cli_error(CLI_FAILED, "%s: no signed checkpoint: %s", where, lc_status_text(status));
	code = count_all(where, &note, t, json, out);
	if (code != CLI_GOOD)
		return code;
	if (lc_checkpoint_parse(note.text.s, note.text.n, &out->head) != LC_OK)
		return cli_error(CLI_FAILED, "%s: the note is signed, but its text is no checkpoint", where);
	return check_origin(where, t, out);
}

cli_exit
trust_dsse(const char *where, const lc_dsse *dsse, const trust *t)
{
	size_t		good = 0;

	for (size_t i = 0; i < t->log.count; i++)
	{
		lc_status	status = lc_dsse_verify(dsse, &t->log.keys[i], &cli_alloc);

		if (status == LC_ERR_SIGNATURE)
			return cli_error(CLI_FAILED, "%s: the signature of %s does not fit the statement", where,
							 cli_key_name(&t->log.keys[i]));
		if (status != LC_OK && status != LC_ERR_ABSENT)
			return cli_error(CLI_USAGE, "%s: %s", where, lc_status_text(status));
		good += status == LC_OK;
	}
	return good > 0 ? CLI_GOOD
		: cli_error(CLI_FAILED, "%s: the statement has no signature by a given log key", where);
}
