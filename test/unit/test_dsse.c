/*
 * test_dsse.c
 *		lc_dsse: the example of DSSE's protocol.md, signatures that Go's
 *		crypto/ed25519 made, and envelopes as others write them.
 */
#include "examples.h"
#include "harness.h"
#include "lc_dsse.h"
#include "lc_sha256.h"

/* secure-systems-lab/dsse, protocol.md, section "Test Vectors". */
#define TYPE "http://example.com/HelloWorld"
#define PAYLOAD "hello world"
#define PAE "DSSEv1 29 http://example.com/HelloWorld 11 hello world"

#define HEAD "{\"payload\":\"aGVsbG8gd29ybGQ=\",\"payloadType\":\"http://example.com/HelloWorld\",\"signatures\":["
#define LOG_SIG "4DHX3Zn4qpBKvEj7maE8O9u9bjXEnPLLnyXVUJ2PXJR8DSLcL3QDpFvfJOj3pB/SPHsl6Jg4boxsMb6KvuYABw=="
#define LOG_SIG_URL "4DHX3Zn4qpBKvEj7maE8O9u9bjXEnPLLnyXVUJ2PXJR8DSLcL3QDpFvfJOj3pB_SPHsl6Jg4boxsMb6KvuYABw=="
#define OTHER_SIG "x/7blsxfU9FOMmRNCE1fQAjqnRS4B64XHgHQqM4PxTkE4pZ8CzhLJ/AMlVukwhsdJPXxlAS0QIBeX/ygWBbRAQ=="
#define LOG_ENTRY "{\"keyid\":\"example.com/log+cc714670\",\"sig\":\"" LOG_SIG "\"}"
#define OTHER_ENTRY "{\"keyid\":\"other+a7eff06d\",\"sig\":\"" OTHER_SIG "\"}"
#define WRONG_ENTRY "{\"keyid\":\"example.com/log+cc714670\",\"sig\":\"" OTHER_SIG "\"}"

static lc_verifier
verifier(const char *text)
{
	lc_verifier v;

	if (lc_verifier_parse(text, strlen(text), &v) != LC_OK)
		abort();
	return v;
}

static lc_signer
signer(const char *text)
{
	lc_signer	s;

	if (lc_signer_parse(text, strlen(text), &s) != LC_OK)
		abort();
	return s;
}

static void
test_pae(void)
{
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_dsse_pae(&out, str(TYPE), str(PAYLOAD));
	is_text(&out, PAE, "the example of the specification");
	lc_buf_reset(&out);
	lc_dsse_pae(&out, str(""), str(""));
	is_text(&out, "DSSEv1 0  0 ", "of nothing");
	lc_buf_reset(&out);
	lc_dsse_pae(&out, str("\xC3\xA8"), str("a b"));
	is_text(&out, "DSSEv1 2 \xC3\xA8 3 a b", "lengths count bytes");
	lc_buf_free(&out);
}

/* ---- reading ---- */

static lc_status
parse_exact(const char *json, lc_dsse *d)
{
	size_t		n = strlen(json);
	char	   *copy = exact_copy(json, n);
	lc_status	status = lc_dsse_parse(copy, n, &lc_alloc_malloc, d);

	/* What was read must not borrow from it. */
	if (n > 0)
		memset(copy, 'x', n);
	free(copy);
	return status;
}

static void
test_parse(void)
{
	lc_dsse		d;
	static const char text[] =
		HEAD OTHER_ENTRY ",{\"sig\":\"" LOG_SIG_URL "\",\"cert\":[\"x\",{}],\"keyid\":\"\"},"
		"{\"keyid\":\"\\u0065cdsa\",\"sig\":\"AAAA\"},{\"sig\":\"\"}],\"more\":{\"payload\":null}}";

	is_status(parse_exact(text, &d), LC_OK, "an envelope with members that are not known");
	is_text(&d.payload, PAYLOAD, "its payload");
	is_text(&d.payload_type, TYPE, "its type");
	is_int((int64_t) d.count, 4, "its signatures");
	ok(same(d.signatures[0].keyid, "other+a7eff06d") && same(d.signatures[0].base64, OTHER_SIG) &&
	   d.signatures[0].ed25519, "the first");
	ok(d.signatures[1].keyid.n == 0 && same(d.signatures[1].base64, LOG_SIG_URL) &&
	   d.signatures[1].ed25519, "one of no key in particular, in the other alphabet");
	is_hex(d.signatures[1].signature, 8, "e031d7dd99f8aa90", "begins so");
	ok(same(d.signatures[2].keyid, "ecdsa") && same(d.signatures[2].base64, "AAAA") &&
	   !d.signatures[2].ed25519, "one of another algorithm is kept");
	ok(d.signatures[3].keyid.s == NULL && d.signatures[3].base64.n == 0 && !d.signatures[3].ed25519,
	   "so is an empty one");
	lc_dsse_free(&d);

	is_status(parse_exact(HEAD "]}", &d), LC_OK, "an envelope that is not signed");
	ok(d.count == 0, "has no signature");
	lc_dsse_free(&d);
	is_status(parse_exact("{\"payload\":\"\",\"payloadType\":\"\",\"signatures\":[]}", &d), LC_OK, "an empty one");
	ok(d.payload.len == 0 && d.payload.data != NULL && d.payload_type.len == 0 && d.payload_type.data != NULL,
	   "is empty");
	lc_dsse_free(&d);
	lc_dsse_free(&d);
}

static void
refuses(const char *json, lc_status want, const char *name)
{
	lc_dsse		d;

	ok(parse_exact(json, &d) == want && d.count == 0 && d.payload.data == NULL && d.strings.data == NULL,
	   "refused: %s", name);
}

static void
test_refusals(void)
{
	lc_buf		many;

	refuses("", LC_ERR_SYNTAX, "nothing");
	refuses("[]", LC_ERR_SYNTAX, "an array");
	refuses("null", LC_ERR_SYNTAX, "null");
	refuses("{\"payloadType\":\"\",\"signatures\":[]}", LC_ERR_SYNTAX, "no payload");
	refuses("{\"payload\":\"\",\"signatures\":[]}", LC_ERR_SYNTAX, "no type");
	refuses("{\"payload\":\"\",\"payloadType\":\"\"}", LC_ERR_SYNTAX, "no signatures");
	refuses("{\"payload\":{},\"payloadType\":\"\",\"signatures\":[]}", LC_ERR_SYNTAX, "a payload that is no string");
	refuses("{\"payload\":\"\",\"payloadType\":null,\"signatures\":[]}", LC_ERR_SYNTAX, "a type that is null");
	refuses("{\"payload\":\"\",\"payloadType\":\"\",\"signatures\":{}}", LC_ERR_SYNTAX, "signatures in an object");
	refuses("{\"payload\":\"aGVsbG8gd29ybGQ\",\"payloadType\":\"\",\"signatures\":[]}", LC_ERR_SYNTAX, "no padding");
	refuses("{\"payload\":\"aGVsbG8gd29ybGR=\",\"payloadType\":\"\",\"signatures\":[]}", LC_ERR_SYNTAX, "stray bits");
	refuses("{\"payload\":\"+_+_\",\"payloadType\":\"\",\"signatures\":[]}", LC_ERR_SYNTAX, "two alphabets at once");
	refuses(HEAD "\"x\"]}", LC_ERR_SYNTAX, "a signature that is no object");
	refuses(HEAD "{}]}", LC_ERR_SYNTAX, "a signature without one");
	refuses(HEAD "{\"keyid\":null,\"sig\":\"AAAA\"}]}", LC_ERR_SYNTAX, "a keyid that is null");
	refuses(HEAD LOG_ENTRY ",{\"sig\":\"A\"}]}", LC_ERR_SYNTAX, "a second one that is no base64");
	refuses("{\"payload\":\"\",\"payload\":\"\",\"payloadType\":\"\",\"signatures\":[]}", LC_ERR_DUPLICATE,
			"two payloads");
	refuses(HEAD "]} ]", LC_ERR_TRAILING, "bytes behind it");

	lc_buf_init(&many, &lc_alloc_malloc);
	lc_buf_puts(&many, HEAD);
	for (int i = 0; i < LC_DSSE_MAX_SIGNATURES; i++)
		lc_buf_puts(&many, "{\"sig\":\"AAAA\"},");
	lc_buf_puts(&many, "{\"sig\":\"AAAA\"}]}");
	refuses(many.data, LC_ERR_TOO_LONG, "33 signatures");
	lc_buf_free(&many);
}

/* Sixteen megabytes, and a byte more. */
static void
test_large_payload(void)
{
	lc_buf		json;
	lc_dsse		d;
	char	   *digits = malloc(LC_DSSE_MAX_PAYLOAD / 3 * 4 + 8);
	size_t		n = LC_DSSE_MAX_PAYLOAD / 3 * 4 + 4;

	if (digits == NULL)
		abort();
	memset(digits, 'A', n);
	for (int more = 0; more < 2; more++)
	{
		/* 16 MiB are a multiple of three and one byte. */
		memcpy(digits + n - 4, more == 0 ? "AA==" : "AAA=", 4);
		lc_buf_init(&json, &lc_alloc_malloc);
		lc_buf_puts(&json, "{\"payload\":\"");
		lc_buf_append(&json, digits, n);
		lc_buf_puts(&json, "\",\"payloadType\":\"\",\"signatures\":[]}");
		is_status(lc_dsse_parse(json.data, json.len, &lc_alloc_malloc, &d),
				  more == 0 ? LC_OK : LC_ERR_TOO_LONG, more == 0 ? "16 MiB of payload" : "and a byte");
		is_int((int64_t) d.payload.len, more == 0 ? LC_DSSE_MAX_PAYLOAD : 0, "are read, or nothing");
		lc_dsse_free(&d);
		lc_buf_free(&json);
	}
	free(digits);
}

/* ---- verifying ---- */

static void
judges(const char *json, const char *vkey, lc_status want, const char *name)
{
	lc_dsse		d;
	lc_verifier key = verifier(vkey);

	if (parse_exact(json, &d) != LC_OK)
		abort();
	is_status(lc_dsse_verify(&d, &key, &lc_alloc_malloc), want, name);
	lc_dsse_free(&d);
}

static void
test_verify(void)
{
	judges(HEAD LOG_ENTRY "]}", LOG_VKEY, LC_OK, "Go's signature holds");
	judges(HEAD OTHER_ENTRY "," LOG_ENTRY "]}", LOG_VKEY, LC_OK, "beside another's");
	judges(HEAD OTHER_ENTRY "," LOG_ENTRY "]}", OTHER_VKEY, LC_OK, "which holds too");
	judges(HEAD WRONG_ENTRY "," LOG_ENTRY "]}", LOG_VKEY, LC_OK, "a wrong one of the same key does no harm");
	judges(HEAD WRONG_ENTRY "]}", LOG_VKEY, LC_ERR_SIGNATURE, "and does not help");
	judges(HEAD "]}", LOG_VKEY, LC_ERR_ABSENT, "no signature");
	judges(HEAD OTHER_ENTRY "]}", LOG_VKEY, LC_ERR_ABSENT, "none of this key");
	judges(HEAD "{\"keyid\":\"example.com/log+cc714671\",\"sig\":\"" LOG_SIG "\"}]}", LOG_VKEY, LC_ERR_ABSENT,
		   "another keyid is another key's");
	judges(HEAD "{\"sig\":\"" LOG_SIG "\"}]}", LOG_VKEY, LC_OK, "without keyid any key is tried");
	judges(HEAD "{\"sig\":\"" LOG_SIG_URL "\",\"keyid\":\"\"}]}", LOG_VKEY, LC_OK, "an empty one is none");
	judges(HEAD "{\"sig\":\"" LOG_SIG "\"}]}", OTHER_VKEY, LC_ERR_SIGNATURE, "and may fail");
	judges(HEAD "{\"sig\":\"AAAA\"}]}", LOG_VKEY, LC_ERR_SIGNATURE, "one of another length");
	judges("{\"payload\":\"aGVsbG8gd29ybGQ=\",\"payloadType\":\"http://example.com/HelloWorle\",\"signatures\":["
		   LOG_ENTRY "]}", LOG_VKEY, LC_ERR_SIGNATURE, "another type");
	judges("{\"payload\":\"aGVsbG8gd29ybGE=\",\"payloadType\":\"http://example.com/HelloWorld\",\"signatures\":["
		   LOG_ENTRY "]}", LOG_VKEY, LC_ERR_SIGNATURE, "another payload");
	judges(HEAD "{\"sig\":\"" LOG_SIG "\"}]}", WITNESS_VKEY, LC_ERR_ABSENT, "a witness signs no envelopes");
}

/* ---- signing ---- */

static void
test_sign(void)
{
	lc_signer	keys[2] = {signer(OTHER_SKEY), signer(LOG_SKEY)};
	lc_signer	witness = signer(WITNESS_SKEY);
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	is_status(lc_dsse_sign(&out, str(TYPE), str(PAYLOAD), keys, 2, &lc_alloc_malloc), LC_OK, "two keys sign");
	is_text(&out, HEAD OTHER_ENTRY "," LOG_ENTRY "]}", "as Go does");
	lc_buf_reset(&out);
	is_status(lc_dsse_sign(&out, str(TYPE), str(PAYLOAD), keys, 0, &lc_alloc_malloc), LC_OK, "none signs");
	is_text(&out, HEAD "]}", "an envelope to be signed later");
	lc_buf_reset(&out);
	is_status(lc_dsse_sign_one(&out, str(TYPE), str(PAYLOAD), &keys[1], &lc_alloc_malloc), LC_OK, "one signs");
	is_text(&out, LOG_ENTRY, "its own entry");

	lc_buf_reset(&out);
	lc_buf_puts(&out, "before");
	is_status(lc_dsse_sign(&out, str(TYPE), str(PAYLOAD), &witness, 1, &lc_alloc_malloc), LC_ERR_MISUSE,
			  "a witness signs no envelopes");
	is_status(lc_dsse_sign_one(&out, str(TYPE), str(PAYLOAD), &witness, &lc_alloc_malloc), LC_ERR_MISUSE,
			  "nor an entry");
	is_status(lc_dsse_sign(&out, str("\xff"), str(PAYLOAD), keys, 1, &lc_alloc_malloc), LC_ERR_UTF8,
			  "a type that is no text");
	is_status(lc_dsse_sign(&out, str(TYPE), str(PAYLOAD), keys, 33, &lc_alloc_malloc), LC_ERR_TOO_LONG,
			  "more than 32 keys");
	is_text(&out, "before", "nothing is written then");
	lc_buf_reset(&out);
	is_status(lc_dsse_sign(&out, str("a\"\\"), str(""), keys, 0, &lc_alloc_malloc), LC_OK, "a type with a quote");
	is_text(&out, "{\"payload\":\"\",\"payloadType\":\"a\\\"\\\\\",\"signatures\":[]}", "is escaped");
	lc_buf_free(&out);
}

int
main(void)
{
	test_pae();
	test_parse();
	test_refusals();
	test_large_payload();
	test_verify();
	test_sign();
	lc_sha256_thread_end();
	return done();
}
