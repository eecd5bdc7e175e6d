/*
 * keys.c
 *		Keys as they come in: public ones from an argument or a file, private
 *		ones from a file or an environment variable.
 *
 * A private key passes through one static buffer, which is wiped, and through
 * no memory that realloc() could leave a copy of.  No message shows any of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "cli.h"

#define KEY_FILE_MAX 4096
#define PRIVATE_PREFIX "PRIVATE+KEY+"

static const char *
key_problem(lc_status status)
{
	return status == LC_ERR_RANGE ? "it is a weak key, which no honest signer has"
		: "it is no <name>+<key id>+<base64> of Ed25519, or its id is not that of its key";
}

/* One line, its newline not counted. */
static lc_str
one_line(const char *text, size_t n)
{
	return (lc_str) {text, n > 0 && text[n - 1] == '\n' ? n - 1 : n};
}

static bool
is_private(lc_str text)
{
	size_t		n = strlen(PRIVATE_PREFIX);

	return text.n >= n && memcmp(text.s, PRIVATE_PREFIX, n) == 0;
}

static cli_exit
key_from_file(const char *path, lc_verifier *out)
{
	lc_buf		file;
	lc_str		line;
	lc_status	status;
	cli_exit	code = cli_read_file(path, KEY_FILE_MAX, &file);

	if (code == CLI_GOOD)
	{
		line = one_line(file.data, file.len);
		status = lc_verifier_parse(line.s, line.n, out);
		if (is_private(line))
			code = cli_error(CLI_USAGE, "%s holds a private key; a public one is needed", path);
		else if (status != LC_OK)
			code = cli_error(CLI_USAGE, "%s holds no public key: %s", path, key_problem(status));
	}
	else if (code == CLI_FAILED)
		code = CLI_USAGE;
	if (file.data != NULL)
		OPENSSL_cleanse(file.data, file.len);
	lc_buf_free(&file);
	return code;
}

cli_exit
cli_key(const char *argument, lc_verifier *out)
{
	lc_str		text = {argument, strlen(argument)};
	lc_status	status = lc_verifier_parse(text.s, text.n, out);

	if (status == LC_OK)
		return CLI_GOOD;
	if (is_private(text))
		return cli_error(CLI_USAGE, "a private key is given on the command line, where others "
						 "can read it; give the public key");
	/* A name with two '+' is meant as a key, unless a file is called that. */
	if (access(argument, F_OK) != 0 && strchr(argument, '+') != strrchr(argument, '+'))
		return cli_error(CLI_USAGE, "key \"%s\": %s", argument, key_problem(status));
	return key_from_file(argument, out);
}

/* One key under two names would count as two signers: its signatures do not say a name. */
static cli_exit
refuse_repeated(const char *option, const cli_keys *keys, const lc_verifier *key)
{
	for (size_t i = 0; i < keys->count; i++)
		if (memcmp(keys->keys[i].public_key, key->public_key, LC_ED25519_KEY_LEN) == 0)
			return cli_error(CLI_USAGE, "--%s %s is the key that was given before", option,
							 cli_key_name(key));
	return CLI_GOOD;
}

cli_exit
cli_key_options(const cli_args *args, const char *option, uint8_t type, cli_keys *out)
{
	size_t		count = cli_count(args, option);

	out->count = 0;
	out->keys = cli_alloc.resize(NULL, NULL, (count + 1) * sizeof(*out->keys));
	for (size_t i = 0; i < count; i++)
	{
		lc_verifier *key = &out->keys[i];
		cli_exit	code = cli_key(cli_value_at(args, option, i), key);

		if (code != CLI_GOOD)
			return code;
		if (key->type != type)
			return cli_error(CLI_USAGE, "--%s %s is a key of %s; --%s takes those of %s", option,
							 cli_key_name(key),
							 key->type == LC_KEY_COSIGNATURE ? "a witness" : "a log", option,
							 type == LC_KEY_COSIGNATURE ? "witnesses" : "logs");
		code = refuse_repeated(option, out, key);
		if (code != CLI_GOOD)
			return code;
		out->count++;
	}
	return CLI_GOOD;
}

void
cli_keys_free(cli_keys *keys)
{
	free(keys->keys);
	keys->keys = NULL;
	keys->count = 0;
}

const char *
cli_key_name(const lc_verifier *key)
{
	static char name[LC_KEY_NAME_MAX + 16];
	lc_buf		text;

	lc_buf_init(&text, &cli_alloc);
	lc_verifier_key_id(&text, key);
	memcpy(name, text.data, text.len < sizeof(name) ? text.len + 1 : sizeof(name));
	name[sizeof(name) - 1] = '\0';
	lc_buf_free(&text);
	return name;
}

cli_exit
cli_signer_text(const char *where, const char *text, size_t n, lc_signer *out)
{
	lc_str		line = one_line(text, n);
	lc_status	status = lc_signer_parse(line.s, line.n, out);

	if (status != LC_OK)
		return cli_error(CLI_USAGE, "%s holds no private key as keygen writes it: %s", where,
						 lc_status_text(status));
	return CLI_GOOD;
}

/* Who else on this machine could have read the key? */
static void
check_mode(const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && (st.st_mode & S_IRWXO) != 0)
		cli_note("%s can be read by every user of this machine", path);
}

cli_exit
cli_signer_file(const char *path, lc_signer *out)
{
	static char text[KEY_FILE_MAX];
	int			fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t		len = 0;
	ssize_t		n;
	cli_exit	code;

	if (fd < 0)
		return cli_error(errno == ENOENT ? CLI_NOT_FOUND : CLI_USAGE, "%s: %s", path,
						 strerror(errno));
	check_mode(path, fd);
	while (len < sizeof(text) && (n = read(fd, text + len, sizeof(text) - len)) > 0)
		len += (size_t) n;
	close(fd);
	code = cli_signer_text(path, text, len, out);
	OPENSSL_cleanse(text, sizeof(text));
	return code;
}
