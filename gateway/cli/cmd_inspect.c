/*
 * cmd_inspect.c
 *		ledgerctl inspect: what is in this file?
 *
 * Told by its content, never by its name.  No key is given, so no signature is
 * verified, and the answer says so; hashes that a file brings of its own
 * content are recomputed.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "commands.h"
#include "inspect.h"
#include "timestamp.h"

#define INSPECT_MAX EVENT_LINE_MAX

static bool
starts_with(lc_str text, const char *prefix)
{
	size_t		n = strlen(prefix);

	return text.n >= n && memcmp(text.s, prefix, n) == 0;
}

static const char *
key_kind(uint8_t type)
{
	return type == LC_KEY_COSIGNATURE ? "witness, timestamped Ed25519 (0x04)" : "log, Ed25519 (0x01)";
}

static void
report_key(const char *kind, const lc_verifier *key)
{
	lc_buf		vkey;

	lc_buf_init(&vkey, &cli_alloc);
	lc_verifier_format(&vkey, key);
	cli_json_text("kind", kind);
	cli_json_text("name", key->name);
	cli_json_text("keyId", cli_key_name(key));
	cli_json_text("type", key_kind(key->type));
	cli_json_string("publicKey", (lc_str) {vkey.data, vkey.len});
	cli_print("%s of a %s", kind, key_kind(key->type));
	cli_print("  key id %s", cli_key_name(key));
	cli_print("  public key %s", vkey.data);
	lc_buf_free(&vkey);
}

/* Of a private key only the public half is shown. */
static cli_exit
inspect_private(const char *path, lc_str text)
{
	lc_signer	signer;
	cli_exit	code = cli_signer_text(path, text.s, text.n, &signer);

	if (code == CLI_GOOD)
		report_key("private key", &signer.verifier);
	lc_signer_wipe(&signer);
	return code == CLI_GOOD ? code : CLI_FAILED;
}

static bool
inspect_public(lc_str text)
{
	lc_verifier key;

	if (text.n > 0 && text.s[text.n - 1] == '\n')
		text.n--;
	if (lc_verifier_parse(text.s, text.n, &key) != LC_OK)
		return false;
	report_key("public key", &key);
	return true;
}

cli_exit
inspect_content(const char *path, lc_str text)
{
	lc_note		note;
	lc_checkpoint head;
	size_t		blanks = 0;

	if (starts_with(text, "PRIVATE+KEY+"))
		return inspect_private(path, text);
	if (starts_with(text, "c2sp.org/tlog-proof@"))
		return inspect_bundle(path, text);
	if (timestamp_inspect(text.s, text.n))
		return CLI_GOOD;
	while (blanks < text.n && strchr(" \t\r\n", text.s[blanks]) != NULL && text.s[blanks] != '\0')
		blanks++;
	if (blanks < text.n && text.s[blanks] == '{')
		return inspect_json(path, text);
	if (lc_note_parse(text.s, text.n, &note) == LC_OK)
	{
		inspect_note(&note);
		return CLI_GOOD;
	}
	if (lc_checkpoint_parse(text.s, text.n, &head) == LC_OK)
	{
		cli_json_text("kind", "unsigned checkpoint");
		cli_print("checkpoint without signatures");
		inspect_head(&head);
		return CLI_GOOD;
	}
	if (inspect_public(text))
		return CLI_GOOD;
	return cli_error(CLI_FAILED, "%s is nothing that ledgerctl knows", path);
}

static cli_exit
run(const cli_args *args)
{
	const char *path = cli_operand(args, 0);
	lc_buf		file;
	cli_exit	code = cli_read_file(path, INSPECT_MAX, &file);

	if (code == CLI_GOOD)
	{
		cli_json_text("file", path);
		code = inspect_content(path, (lc_str) {file.data, file.len});
	}
	/* It may have been a private key. */
	if (file.data != NULL)
		OPENSSL_cleanse(file.data, file.len);
	lc_buf_free(&file);
	return code;
}

const cli_command cmd_inspect = {
	"inspect", "FILE", 1, 1,
	"say what a file is: bundle, checkpoint, statement, key, event, time stamp",
	"Says what FILE is, by its content, and what stands in it: a proof bundle, a checkpoint\n"
	"or another signed note, a DSSE envelope, part of an air-gap bundle, a key (of a private\n"
	"one only the public half), an event or exported lines, an RFC 3161 time stamp.\n"
	"\n"
	"Signatures are listed, not verified: that takes keys, and the other commands.  Hashes\n"
	"that an event brings are recomputed.\n",
	NULL,
	"ledgerctl inspect event.tlog-proof\n"
	"ledgerctl inspect log.pub --json\n",
	run, false
};
