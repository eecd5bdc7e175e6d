/*
 * signing_key.c
 *		Where the private key comes from: --key-file, else
 *		LEDGER__MERKLE__SIGNINGKEY_FILE, else LEDGER__MERKLE__SIGNINGKEY.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "db.h"
#include "online.h"

#define KEY_VARIABLE "LEDGER__MERKLE__SIGNINGKEY"

/* The variable is wiped: a crash dump of this process need not hold it twice. */
static cli_exit
key_from_environment(lc_signer *out)
{
	char	   *text = getenv(KEY_VARIABLE);
	cli_exit	code;

	if (text == NULL || *text == '\0')
		return CLI_NOT_FOUND;
	code = cli_signer_text(KEY_VARIABLE, text, strlen(text), out);
	OPENSSL_cleanse(text, strlen(text));
	return code;
}

cli_exit
signing_key(const cli_args *args, lc_signer *out)
{
	const char *path = cli_value(args, "key-file");
	cli_exit	code;

	if (path == NULL)
		path = setting("MERKLE__SIGNINGKEY_FILE");
	if (path == NULL)
		code = key_from_environment(out);
	else if ((code = cli_signer_file(path, out)) == CLI_NOT_FOUND)
		code = CLI_USAGE;
	if (code == CLI_GOOD && out->verifier.type != LC_KEY_ED25519)
	{
		lc_signer_wipe(out);
		return cli_error(CLI_USAGE, "the signing key is a witness's; a log's is made by keygen without --witness");
	}
	return code;
}
