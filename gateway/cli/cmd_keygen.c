/*
 * cmd_keygen.c
 *		ledgerctl keygen: a key pair for a log or a witness.
 *
 * The private key goes into a file that only its owner can read and that did
 * not exist before, or to standard output if that was asked for by name.  Its
 * bytes stay in one buffer, which is wiped.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "commands.h"

#define SECRET_MAX 2048

static const cli_option options[] = {
	{"name", "NAME", "of the key: the log's origin, or a witness's own name", true, false},
	{"out", "FILE", "where the private key goes; - is standard output", true, false},
	{"witness", NULL, "a key for timestamped cosignatures (type 0x04), not for a log", false, false},
	{NULL, NULL, NULL, false, false}
};

/* The key's text, its memory and nothing else: a buffer that grew would leave copies behind. */
static char secret[SECRET_MAX];

static void *
secret_resize(void *ctx, void *ptr, size_t size)
{
	(void) ctx;
	(void) ptr;
	return size <= sizeof(secret) ? secret : NULL;
}

static void
secret_release(void *ctx, void *ptr)
{
	(void) ctx;
	(void) ptr;
	OPENSSL_cleanse(secret, sizeof(secret));
}

static const lc_alloc secret_alloc = {secret_resize, secret_release, NULL};

static cli_exit
write_private(const lc_signer *key, const char *path)
{
	lc_buf		text;
	cli_exit	code = CLI_GOOD;

	lc_buf_init(&text, &secret_alloc);
	lc_signer_format(&text, key);
	lc_buf_putc(&text, '\n');
	if (text.status != LC_OK)
		code = cli_error(CLI_USAGE, "the key cannot be written: %s", lc_status_text(text.status));
	else if (strcmp(path, "-") != 0)
		code = cli_write_new(path, 0600, text.data, text.len);
	else if (write(STDOUT_FILENO, text.data, text.len) != (ssize_t) text.len)
		code = cli_error(CLI_USAGE, "cannot write to standard output");
	lc_buf_free(&text);
	return code;
}

static void
report(const lc_signer *key, const char *path)
{
	lc_buf		vkey;

	lc_buf_init(&vkey, &cli_alloc);
	lc_verifier_format(&vkey, &key->verifier);
	/* Standard output is the private key's if it was asked for. */
	if (strcmp(path, "-") == 0)
		cli_note("the public key is %s", vkey.data);
	else
		cli_print("%s", vkey.data);
	cli_json_string("publicKey", (lc_str) {vkey.data, vkey.len});
	cli_json_text("keyId", cli_key_name(&key->verifier));
	cli_json_text("file", path);
	lc_buf_free(&vkey);
}

static cli_exit
make_key(const char *name, uint8_t type, lc_signer *key)
{
	uint8_t		seed[LC_ED25519_KEY_LEN];
	lc_status	status = lc_ed25519_generate(seed);

	if (status == LC_OK)
		status = lc_signer_make(name, type, seed, key);
	OPENSSL_cleanse(seed, sizeof(seed));
	return status == LC_OK ? CLI_GOOD
		: cli_error(CLI_USAGE, "the key cannot be made: %s", lc_status_text(status));
}

static cli_exit
run(const cli_args *args)
{
	const char *name = cli_value(args, "name");
	const char *path = cli_value(args, "out");
	uint8_t		type = cli_has(args, "witness") ? LC_KEY_COSIGNATURE : LC_KEY_ED25519;
	lc_signer	key;
	cli_exit	code;

	if (!lc_key_name_valid(name, strlen(name)))
		return cli_error(CLI_USAGE, "\"%s\" cannot name a key: 1 to %d bytes without blanks, control "
						 "characters and \"+\"", name, LC_KEY_NAME_MAX);
	if (strcmp(path, "-") == 0 && cli_wants_json())
		return cli_error(CLI_USAGE, "with --json standard output is not free for the private key");
	code = make_key(name, type, &key);
	if (code == CLI_GOOD)
		code = write_private(&key, path);
	if (code == CLI_GOOD)
		report(&key, path);
	lc_signer_wipe(&key);
	return code;
}

const cli_command cmd_keygen = {
	"keygen", "", 0, 0,
	"make a key pair that signs checkpoints",
	"Makes an Ed25519 key pair.  The private key goes into a new file that only its owner\n"
	"can read; the public key is printed.  Both are one line, in the form of C2SP\n"
	"signed-note; Go's note package reads them.\n",
	options,
	"ledgerctl keygen --name ledger.example/prod --out log.key > log.pub\n"
	"ledgerctl keygen --name witness.example/w1 --out w1.key --witness > w1.pub\n"
	"ledgerctl keygen --name ledger.example/prod --out - | your-secret-store put log-key\n",
	run, false
};
