/*
 * event.c
 *		Reading and recomputing one event.
 *
 * The envelope is written again from its members by the recipe that the ledger
 * itself uses, and must come out as it came in: so a member that the recipe
 * does not know, or another spelling of one, cannot hide in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "lc_base64.h"
#include "lc_hex.h"
#include "lc_jcs.h"

static cli_exit
not_json(const char *where, const lc_json_error *err)
{
	return cli_error(CLI_FAILED, "%s: %s at byte %zu%s%s", where, lc_status_text(err->status),
					 err->offset, *err->path != '\0' ? ", " : "", err->path);
}

/* "is <computed>, but … says <stated>": what every wrong hash is told as. */
static cli_exit
wrong_hash(const char *where, const char *name, const uint8_t computed[LC_HASH_LEN],
		   const uint8_t stated[LC_HASH_LEN], const char *by)
{
	char		hex[2][2 * LC_HASH_LEN];

	lc_hex_encode(computed, LC_HASH_LEN, hex[0]);
	lc_hex_encode(stated, LC_HASH_LEN, hex[1]);
	return cli_error(CLI_FAILED, "%s: the %s is %.64s, but %s says %.64s", where, name, hex[0], by,
					 hex[1]);
}

/* ---- envelope ---- */

static cli_exit
check_envelope(const char *where, const lc_json *envelope, event_doc *doc)
{
	lc_buf		again;
	lc_json_error err;
	cli_exit	code = envelope_read(where, envelope, &doc->event);

	if (code != CLI_GOOD)
		return code;
	lc_buf_init(&again, &cli_alloc);
	if (lc_json_canonicalize(envelope->source.s, envelope->source.n, &doc->envelope, &cli_alloc,
							 &err) != LC_OK)
		code = not_json(where, &err);
	else if (lc_event_envelope(&again, &doc->event) != LC_OK)
		code = cli_error(CLI_FAILED, "%s: an envelope has at most %d bytes", where, LC_ENVELOPE_MAX);
	else if (again.len != doc->envelope.len ||
			 memcmp(again.data, doc->envelope.data, again.len) != 0)
		code = cli_error(CLI_FAILED, "%s: the envelope has members that " LC_EVENT_SCHEMA_V1
						 " does not have", where);
	else if (lc_event_hash(doc->envelope.data, doc->envelope.len, doc->event_hash) != LC_OK ||
			 lc_leaf_hash(doc->envelope.data, doc->envelope.len, doc->leaf_hash) != LC_OK)
		code = cli_error(CLI_USAGE, "OpenSSL cannot hash");
	doc->readable = code == CLI_GOOD;
	lc_buf_free(&again);
	return code;
}

/* ---- payload, salt and evaluation of a line ---- */

/* The salted hash of a JSON value, against the one in the envelope. */
static cli_exit
check_salted(const char *where, const char *name, uint8_t domain, const lc_json *value,
			 const uint8_t *salt, size_t salt_len, const uint8_t stated[LC_HASH_LEN])
{
	lc_buf		canonical;
	lc_json_error err;
	uint8_t		hash[LC_HASH_LEN];
	cli_exit	code = CLI_GOOD;

	lc_buf_init(&canonical, &cli_alloc);
	if (lc_json_canonicalize(value->source.s, value->source.n, &canonical, &cli_alloc, &err) != LC_OK)
		code = not_json(where, &err);
	else if (lc_salted_hash(domain, salt, salt_len, canonical.data, canonical.len, hash) != LC_OK)
		code = cli_error(CLI_FAILED, "%s: the salt has %zu bytes; it must have 0, or %d to %d", where,
						 salt_len, LC_SALT_MIN, LC_SALT_MAX);
	else if (memcmp(hash, stated, LC_HASH_LEN) != 0)
		code = wrong_hash(where, name, hash, stated, "the envelope");
	lc_buf_free(&canonical);
	return code;
}

static bool
is_null(const lc_json *value)
{
	return value != NULL && value->type == LC_JSON_NULL;
}

static cli_exit
check_erased(const char *where, const lc_json *line, event_doc *doc)
{
	doc->payload = PAYLOAD_ERASED;
	if (!is_null(lc_json_member(line, "salt")) || lc_json_member(line, "evaluation") != NULL)
		return cli_error(CLI_FAILED, "%s: payload, salt and evaluation are erased together, and "
						 "only a part of them is", where);
	return CLI_GOOD;
}

static cli_exit
check_evaluation(const char *where, const lc_json *line, const uint8_t *salt, size_t salt_len,
				 const event_doc *doc)
{
	const lc_json *evaluation = lc_json_member(line, "evaluation");

	if ((evaluation != NULL) != doc->event.has_evaluation_hash)
		return cli_error(CLI_FAILED, "%s: evaluation and evaluationHash must both be there, or neither",
						 where);
	return evaluation == NULL ? CLI_GOOD
		: check_salted(where, "evaluation hash", LC_DOMAIN_EVALUATION, evaluation, salt, salt_len,
					   doc->event.evaluation_hash);
}

static cli_exit
check_payload(const char *where, const lc_json *line, event_doc *doc)
{
	const lc_json *payload = lc_json_member(line, "payload");
	lc_str		base64 = lc_json_string(line, "salt");
	uint8_t		salt[LC_SALT_MAX];
	size_t		n;
	cli_exit	code;

	if (is_null(payload))
		return check_erased(where, line, doc);
	if (payload == NULL || payload->type != LC_JSON_OBJECT)
		return cli_error(CLI_FAILED, "%s: the payload is no JSON object", where);
	if (base64.s == NULL || lc_base64_decode(base64.s, base64.n, salt, sizeof(salt), &n) != LC_OK)
		return cli_error(CLI_FAILED, "%s: the salt is no base64 of at most %d bytes", where,
						 LC_SALT_MAX);
	doc->payload = PAYLOAD_CHECKED;
	doc->body = payload;
	code = check_salted(where, "payload hash", LC_DOMAIN_PAYLOAD, payload, salt, n,
						doc->event.payload_hash);
	return code != CLI_GOOD ? code : check_evaluation(where, line, salt, n, doc);
}

/* ---- the line ---- */

static cli_exit
check_stated(const char *where, const lc_json *line, const char *member, const char *name,
			 const uint8_t computed[LC_HASH_LEN], uint8_t stated[LC_HASH_LEN])
{
	lc_str		text = lc_json_string(line, member);

	if (text.s == NULL || lc_hex_decode(text.s, text.n, stated, LC_HASH_LEN) != LC_OK)
		return cli_error(CLI_FAILED, "%s: \"%s\" is not 64 lower-case hex digits", where, member);
	if (memcmp(computed, stated, LC_HASH_LEN) != 0)
		return wrong_hash(where, name, computed, stated, "the line");
	return CLI_GOOD;
}

static cli_exit
check_members(const char *where, const lc_json *line)
{
	static const char *const known[] = {"envelope", "eventHash", "evaluation", "merkleLeafHash",
	"payload", "salt"};

	for (const lc_json *m = line->child; m != NULL; m = m->next)
	{
		bool		found = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			found = found || (m->key.n == strlen(known[i]) && memcmp(m->key.s, known[i], m->key.n) == 0);
		if (!found)
			return cli_error(CLI_FAILED, "%s: \"%.*s\" is no member of an export line", where,
							 CLI_SHOW(m->key));
	}
	return CLI_GOOD;
}

/* Goes on after a fault: each thing that is wrong with a line is told. */
static cli_exit
check_line(const char *where, const lc_json *line, event_doc *doc)
{
	uint8_t		stated_leaf[LC_HASH_LEN];
	cli_exit	code = check_members(where, line);
	cli_exit	next = check_envelope(where, lc_json_member(line, "envelope"), doc);

	if (!doc->readable)
		return next;
	memcpy(doc->stated_hash, doc->event_hash, LC_HASH_LEN);
	code = code != CLI_GOOD ? code : next;
	next = check_stated(where, line, "eventHash", "event hash", doc->event_hash, doc->stated_hash);
	code = code != CLI_GOOD ? code : next;
	next = check_stated(where, line, "merkleLeafHash", "leaf hash", doc->leaf_hash, stated_leaf);
	code = code != CLI_GOOD ? code : next;
	next = check_payload(where, line, doc);
	return code != CLI_GOOD ? code : next;
}

/* One form only: whoever hashes the line's bytes and whoever parses it see the same. */
static cli_exit
check_canonical(const char *where, const char *text, size_t n)
{
	lc_buf		canonical;
	lc_json_error err;
	cli_exit	code = CLI_GOOD;

	lc_buf_init(&canonical, &cli_alloc);
	if (lc_json_canonicalize(text, n, &canonical, &cli_alloc, &err) != LC_OK)
		code = not_json(where, &err);
	else if (canonical.len != n || memcmp(canonical.data, text, n) != 0)
		code = cli_error(CLI_FAILED, "%s: not canonical JSON (RFC 8785)", where);
	lc_buf_free(&canonical);
	return code;
}

cli_exit
event_read(const char *where, const char *text, size_t n, bool canonical, event_doc *out)
{
	lc_json_error err;
	const lc_json *root;
	cli_exit	code;

	memset(out, 0, sizeof(*out));
	lc_buf_init(&out->envelope, &cli_alloc);
	if (lc_jsontree_parse(text, n, 0, &cli_alloc, &out->tree, &err) != LC_OK)
		return not_json(where, &err);
	root = lc_jsontree_root(out->tree);
	if (lc_json_member(root, "envelope") != NULL)
		code = check_line(where, root, out);
	else
	{
		code = check_envelope(where, root, out);
		memcpy(out->stated_hash, out->event_hash, LC_HASH_LEN);
	}
	if (code == CLI_GOOD && canonical)
		code = check_canonical(where, text, n);
	return code;
}

void
event_free(event_doc *doc)
{
	lc_jsontree_free(doc->tree);
	doc->tree = NULL;
	lc_buf_free(&doc->envelope);
}
