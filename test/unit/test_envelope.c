/*
 * test_envelope.c
 *		lc_envelope: the event envelope and every hash recipe of it.
 *
 * The expected texts and hashes were made without the core, from
 * docs/formats.md, by a few lines of JavaScript (JSON.stringify and
 * node:crypto).
 */
#include "harness.h"
#include "lc_envelope.h"
#include "lc_jsonparse.h"

#define CHAIN "f14b996b-1fb7-83e1-80e2-03d4c9ac55e7"
#define EVENT "01a209e2-fb3b-774b-8000-000000000000"
#define RUN "01234567-89ab-4cde-8f01-23456789abcd"
#define AB16 "abababababababababababababababab"
#define CD16 "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
#define EE16 "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define ZERO16 "00000000000000000000000000000000"

/* An event without its optional members. */
static lc_event
plain_event(void)
{
	lc_event	e;

	memset(&e, 0, sizeof(e));
	e.tenant = str("acme");
	e.type = str("finding.created");
	e.policy_version = str("policy-7");
	e.finding_id = str("F-1");
	e.artifact_id = str("pkg:deb/openssl@3.0");
	e.actor_id = str("x");
	e.actor_type = str("system");
	e.recorded_by = str("ledger_app");
	lc_uuid_parse(EVENT, 36, e.id);
	lc_uuid_parse(CHAIN, 36, e.chain_id);
	e.occurred_us = INT64_C(1795462199999999);
	e.recorded_us = INT64_C(1795462200000000);
	e.sequence = INT64_C(9007199254740991);
	memset(e.payload_hash, 0xab, LC_HASH_LEN);
	memset(e.previous_hash, 0xcd, LC_HASH_LEN);
	return e;
}

static void
add_evaluation(lc_event *e)
{
	e->has_evaluation_hash = true;
	memset(e->evaluation_hash, 0xee, LC_HASH_LEN);
}

static void
add_run(lc_event *e)
{
	e->has_source_run_id = true;
	lc_uuid_parse(RUN, 36, e->source_run_id);
}

static lc_event
full_event(void)
{
	lc_event	e = plain_event();

	e.actor_id = str("zo\xc3\xab \"ops\"\\\n");
	e.actor_type = str("operator");
	e.vuln_id = str("CVE-2026-0001");
	e.evidence_bundle_ref = str("bundle::1");
	add_evaluation(&e);
	add_run(&e);
	e.sequence = 1;
	memset(e.previous_hash, 0, LC_HASH_LEN);
	return e;
}

static void
hash_is(const lc_event *e, const char *want, const char *name)
{
	lc_buf		out;
	uint8_t		hash[LC_HASH_LEN] = {0};

	lc_buf_init(&out, &lc_alloc_malloc);
	if (lc_event_envelope(&out, e) == LC_OK)
		lc_event_hash(out.data, out.len, hash);
	is_hex(hash, LC_HASH_LEN, want, name);
	lc_buf_free(&out);
}

static void
test_text(void)
{
	lc_event	e = full_event();
	lc_buf		out;
	uint8_t		hash[LC_HASH_LEN];

	lc_buf_init(&out, &lc_alloc_malloc);
	is_status(lc_event_envelope(&out, &e), LC_OK, "an event with every member");
	is_text(&out, "{\"actor\":{\"id\":\"zo\xc3\xab \\\"ops\\\"\\\\\\n\",\"type\":\"operator\"},"
			"\"chainId\":\"" CHAIN "\",\"evaluationHash\":\"" EE16 EE16 "\","
			"\"evidenceBundleRef\":\"bundle::1\",\"finding\":{\"artifactId\":\"pkg:deb/openssl@3.0\","
			"\"id\":\"F-1\",\"vulnId\":\"CVE-2026-0001\"},\"id\":\"" EVENT "\","
			"\"occurredAt\":\"2026-11-23T19:29:59.999999Z\",\"payloadHash\":\"" AB16 AB16 "\","
			"\"policyVersion\":\"policy-7\",\"previousHash\":\"" ZERO16 ZERO16 "\","
			"\"recordedAt\":\"2026-11-23T19:30:00.000000Z\",\"recordedBy\":\"ledger_app\","
			"\"schema\":\"ledger.event.v1\",\"sequence\":1,\"sourceRunId\":\"" RUN "\","
			"\"tenant\":\"acme\",\"type\":\"finding.created\"}", "its envelope");
	is_status(lc_event_hash(out.data, out.len, hash), LC_OK, "event hash");
	is_hex(hash, LC_HASH_LEN, "c4b0c5716f42a29233ef032cc438f74a592faba209ebc71f0ac11c029c88cd81",
		   "SHA-256 of the envelope");
	is_status(lc_leaf_hash(out.data, out.len, hash), LC_OK, "leaf hash");
	is_hex(hash, LC_HASH_LEN, "12af48c2dc652f5c0512402ed1e55d8a3346ac21acfe0ab08e5dc629591f1c14",
		   "SHA-256 of 0x00 and the envelope");

	e = plain_event();
	lc_buf_reset(&out);
	is_status(lc_event_envelope(&out, &e), LC_OK, "an event without optional members");
	is_text(&out, "{\"actor\":{\"id\":\"x\",\"type\":\"system\"},\"chainId\":\"" CHAIN "\","
			"\"finding\":{\"artifactId\":\"pkg:deb/openssl@3.0\",\"id\":\"F-1\"},"
			"\"id\":\"" EVENT "\",\"occurredAt\":\"2026-11-23T19:29:59.999999Z\","
			"\"payloadHash\":\"" AB16 AB16 "\",\"policyVersion\":\"policy-7\","
			"\"previousHash\":\"" CD16 CD16 "\",\"recordedAt\":\"2026-11-23T19:30:00.000000Z\","
			"\"recordedBy\":\"ledger_app\",\"schema\":\"ledger.event.v1\","
			"\"sequence\":9007199254740991,\"tenant\":\"acme\",\"type\":\"finding.created\"}",
			"its envelope");
	lc_leaf_hash(out.data, out.len, hash);
	is_hex(hash, LC_HASH_LEN, "a2c896e462add90afafa56850d1eb09f514331a444cf1cbecb39e1e1fdfa0a42",
		   "its leaf hash");
	lc_buf_free(&out);
}

static void
test_optional_members(void)
{
	lc_event	e = plain_event();

	hash_is(&e, "95040f000a6f9a99217376b66cd2f77ae6d7c762ac2f61216cbe38fba4631a45", "none");
	add_evaluation(&e);
	hash_is(&e, "0c7fe9904b9cc2777acd4fd815f0eecfe3ac656c19667912d332774a2edd1765", "evaluationHash");
	e = plain_event();
	e.evidence_bundle_ref = str("bundle::1");
	hash_is(&e, "eb1ceede7cf1b8a9ec9885836a6c6ba5b19efebe401a42c9639b12c770cdd16e", "evidenceBundleRef");
	e = plain_event();
	e.vuln_id = str("CVE-2026-0001");
	hash_is(&e, "732d5f02a604ae3d4f0bf1f4f13c4142ff4700e33d2b8dd9227d07317672b383", "vulnId");
	e = plain_event();
	add_run(&e);
	hash_is(&e, "cb8f5bf70f2e042a0fe3e0bea9b1fb84e66f0b74bd5ebaa34532fb7b7b65b15e", "sourceRunId");
}

/* The canonicaliser, which sorts, leaves what the recipe wrote by hand as it is. */
static void
test_is_canonical(void)
{
	lc_event	e = full_event();
	lc_buf		out;
	lc_buf		again;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_init(&again, &lc_alloc_malloc);
	lc_event_envelope(&out, &e);
	is_status(lc_json_canonicalize(out.data, out.len, &again, &lc_alloc_malloc, NULL), LC_OK,
			  "an envelope is JSON");
	is_text(&again, out.data, "in canonical form");
	lc_buf_free(&out);
	lc_buf_free(&again);
}

static void
refuses(const lc_event *e, lc_status want, const char *name)
{
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_puts(&out, "kept");
	is_status(lc_event_envelope(&out, e), want, name);
	is_text(&out, "kept", "with nothing written");
	lc_buf_free(&out);
}

static void
test_refusals(void)
{
	lc_event	e = plain_event();
	lc_str *const required[] = {
		&e.tenant, &e.type, &e.policy_version, &e.finding_id, &e.artifact_id, &e.actor_id,
		&e.actor_type, &e.recorded_by,
	};
	size_t		i;

	for (i = 0; i < sizeof(required) / sizeof(required[0]); i++)
	{
		e = plain_event();
		required[i]->s = NULL;
		refuses(&e, LC_ERR_MISUSE, "a required member is absent");
		e = plain_event();
		*required[i] = str("a\xed\xa0\x80");
		refuses(&e, LC_ERR_UTF8, "a text is not UTF-8");
	}
	e = plain_event();
	e.sequence = 0;
	refuses(&e, LC_ERR_RANGE, "sequence 0");
	e.sequence = -1;
	refuses(&e, LC_ERR_RANGE, "sequence -1");
	e.sequence = INT64_C(9007199254740992);
	refuses(&e, LC_ERR_RANGE, "a sequence that JSON readers round");
	e = plain_event();
	e.occurred_us = INT64_C(253402300800000000);
	refuses(&e, LC_ERR_RANGE, "occurred in the year 10000");
	e = plain_event();
	e.recorded_us = INT64_C(-62135596800000001);
	refuses(&e, LC_ERR_RANGE, "recorded before the year 1");
}

/* 65,535 bytes are taken, one more is not, however they come about. */
static void
test_length(void)
{
	lc_event	e = plain_event();
	char	   *longest = malloc(65536);
	lc_buf		out;
	size_t		room;

	if (longest == NULL)
		abort();
	memset(longest, 'a', 65536);
	lc_buf_init(&out, &lc_alloc_malloc);
	lc_event_envelope(&out, &e);
	room = 65535 - out.len;

	e.evidence_bundle_ref.s = longest;
	e.evidence_bundle_ref.n = room - strlen(",\"evidenceBundleRef\":\"\"");
	lc_buf_reset(&out);
	lc_buf_puts(&out, "before");
	is_status(lc_event_envelope(&out, &e), LC_OK, "an envelope of 65,535 bytes");
	is_int((int64_t) out.len, 65535 + 6, "its length");
	e.evidence_bundle_ref.n++;
	refuses(&e, LC_ERR_TOO_LONG, "one byte more");
	e.evidence_bundle_ref.n--;
	longest[0] = '\n';
	refuses(&e, LC_ERR_TOO_LONG, "an escape more");
	lc_buf_free(&out);
	free(longest);
}

static void
salted_is(uint8_t domain, size_t salt_len, const char *want)
{
	uint8_t		salt[LC_SALT_MAX];
	uint8_t		hash[LC_HASH_LEN] = {0};
	char		name[64];
	size_t		i;

	for (i = 0; i < sizeof(salt); i++)
		salt[i] = (uint8_t) (i + 1);
	snprintf(name, sizeof(name), "domain %d, %zu bytes of salt", domain, salt_len);
	is_status(lc_salted_hash(domain, salt, salt_len, "{\"a\":1}", 7, hash), LC_OK, name);
	is_hex(hash, LC_HASH_LEN, want, "its hash");
}

static void
test_salted_hashes(void)
{
	static const size_t bad[] = {1, 15, 65, 255, 256, 272, SIZE_MAX};
	uint8_t		salt[LC_SALT_MAX] = {0};
	uint8_t		hash[LC_HASH_LEN] = {7};
	size_t		i;
	int			domain;
	bool		refused = true;

	salted_is(2, 0, "cac451b940d444838bce846e8f2ad26c9f72c5308bee12f2a45986bf9cfaa83a");
	salted_is(2, 16, "57fe843dfe51009e12ff0bfba5c0a826dbd956ef5c32e5d077ea26dc5646f23e");
	salted_is(2, 17, "4afee25920642fcc52d3b0c58375b0a28f0dae614f78d9b2c18431db7446f8ff");
	salted_is(2, 63, "f571ece93d0542460c6309de200cab7ed8d98a758c120fe13afec18e70dd7357");
	salted_is(2, 64, "3a0ecb2d4984f84832d6b1af9f8a474930895768ec0458ed9d562d720c9c9c9a");
	salted_is(3, 0, "d04247bfc8ca22e7cbf131a7223595ec665dec20f82288748fddfed1ab920d87");
	salted_is(3, 16, "3128255db6331cf2b8142d099308fd80efabe3b9c1046ac3664437e374570ed9");
	salted_is(3, 64, "a47a41d04f69662e9a7dc1330e5c321e37de91329f0dc610923eaf312adfc079");
	is_status(lc_salted_hash(LC_DOMAIN_PAYLOAD, NULL, 0, "{\"a\":1}", 7, hash), LC_OK,
			  "no salt may be NULL");
	is_hex(hash, LC_HASH_LEN, "cac451b940d444838bce846e8f2ad26c9f72c5308bee12f2a45986bf9cfaa83a",
		   "with the same hash");

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_status(lc_salted_hash(LC_DOMAIN_PAYLOAD, salt, bad[i], "{}", 2, hash), LC_ERR_RANGE,
				  "a salt of a wrong length");
	for (domain = 0; domain < 256; domain++)
		refused = refused && (domain == 2 || domain == 3 ||
							  lc_salted_hash((uint8_t) domain, salt, 16, "{}", 2, hash) == LC_ERR_MISUSE);
	ok(refused, "no other domain is taken");
}

int
main(void)
{
	test_text();
	test_optional_members();
	test_is_canonical();
	test_refusals();
	test_length();
	test_salted_hashes();
	lc_sha256_thread_end();
	return done();
}
