/*
 * test_projection.c
 *		lc_projection_canonical: what the cycle hash covers.
 *
 * The expected texts and hashes were made without the core, as those of
 * test_envelope.c were.
 */
#include "harness.h"
#include "lc_envelope.h"
#include "lc_jsonparse.h"

#define CHAIN "f14b996b-1fb7-83e1-80e2-03d4c9ac55e7"
#define EVENT "01a209e2-fb3b-774b-8000-000000000000"

/* A projection without its optional members. */
static lc_projection
plain(void)
{
	lc_projection p;

	memset(&p, 0, sizeof(p));
	p.tenant = str("acme");
	p.finding_id = str("F-1");
	p.policy_version = str("policy-7");
	p.status = str("affected");
	lc_uuid_parse(CHAIN, 36, p.chain_id);
	lc_uuid_parse(EVENT, 36, p.current_event_id);
	p.current_sequence = 1;
	return p;
}

static lc_projection
full(void)
{
	lc_projection p = plain();

	p.artifact_id = str("pkg:deb/openssl@3.0");
	p.vuln_id = str("CVE-2026-0001");
	p.severity = str("7.500");
	p.labels = str("{\"owner\":\"ops\",\"team\":\"sp\xc3\xa4ti\"}");
	p.explain_ref = str("x://1");
	p.rationale = str("[\"seen in the wild\",\"\xc3\xb6" "ffentlich\"]");
	p.risk_score = str("71.01");
	p.risk_severity = str("high");
	p.risk_profile_version = str("1.10.0");
	p.risk_explanation_id = str("E-1");
	p.has_risk_event_sequence = true;
	p.risk_event_sequence = 11;
	p.airgap_bundle_id = str("B-7");
	p.has_airgap_staleness_seconds = true;
	p.airgap_staleness_seconds = 3600;
	p.current_sequence = 12;
	return p;
}

static void
hash_is(const lc_projection *p, const char *want, const char *name)
{
	lc_buf		out;
	uint8_t		hash[LC_HASH_LEN] = {0};

	lc_buf_init(&out, &lc_alloc_malloc);
	if (lc_projection_canonical(&out, p) == LC_OK)
		lc_sha256(out.data, out.len, hash);
	is_hex(hash, LC_HASH_LEN, want, name);
	lc_buf_free(&out);
}

static void
test_text(void)
{
	lc_projection p = full();
	lc_buf		out;
	lc_buf		again;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_init(&again, &lc_alloc_malloc);
	is_status(lc_projection_canonical(&out, &p), LC_OK, "a projection with every member");
	is_text(&out, "{\"airgap\":{\"bundleId\":\"B-7\",\"stalenessSeconds\":3600},"
			"\"artifactId\":\"pkg:deb/openssl@3.0\",\"chainId\":\"" CHAIN "\","
			"\"currentEventId\":\"" EVENT "\",\"currentSequence\":12,\"explainRef\":\"x://1\","
			"\"findingId\":\"F-1\",\"labels\":{\"owner\":\"ops\",\"team\":\"sp\xc3\xa4ti\"},"
			"\"policyVersion\":\"policy-7\",\"rationale\":[\"seen in the wild\",\"\xc3\xb6"
			"ffentlich\"],\"riskEventSequence\":11,\"riskExplanationId\":\"E-1\","
			"\"riskProfileVersion\":\"1.10.0\",\"riskScore\":71.01,\"riskSeverity\":\"high\","
			"\"schema\":\"ledger.projection.v1\",\"severity\":7.5,\"status\":\"affected\","
			"\"tenant\":\"acme\",\"vulnId\":\"CVE-2026-0001\"}", "its text");
	is_status(lc_json_canonicalize(out.data, out.len, &again, &lc_alloc_malloc, NULL), LC_OK, "is JSON");
	is_text(&again, out.data, "in canonical form");
	hash_is(&p, "22c158ca12dcbb3f4ed6f4abea767ecf99081c61b976ca9bc41ac2519140af22", "its cycle hash");

	p = plain();
	lc_buf_reset(&out);
	is_status(lc_projection_canonical(&out, &p), LC_OK, "one without optional members");
	is_text(&out, "{\"chainId\":\"" CHAIN "\",\"currentEventId\":\"" EVENT "\",\"currentSequence\":1,"
			"\"findingId\":\"F-1\",\"policyVersion\":\"policy-7\",\"schema\":\"ledger.projection.v1\","
			"\"status\":\"affected\",\"tenant\":\"acme\"}", "its text");
	lc_buf_free(&out);
	lc_buf_free(&again);
}

static void
text_member_is(size_t offset, const char *value, const char *want, const char *name)
{
	lc_projection p = plain();

	*(lc_str *) ((char *) &p + offset) = str(value);
	hash_is(&p, want, name);
}

#define MEMBER(field, value, want) text_member_is(offsetof(lc_projection, field), value, want, #field)

/* Each optional member alone. */
static void
test_members(void)
{
	lc_projection p = plain();

	hash_is(&p, "f86618be20971af8665899b1bb1166c482c27eda476fd58350ec3a6a0b4199d4", "none");
	MEMBER(artifact_id, "pkg:deb/openssl@3.0",
		   "52e54aeead59444537967df2419e903eb3050f0e91854577993ed44387b991ad");
	MEMBER(explain_ref, "x://1", "f467a011f857d53718292e8c02407b080d4c0cfe1e2646f6e3c3271a3d0f28c3");
	MEMBER(labels, "{\"owner\":\"ops\",\"team\":\"sp\xc3\xa4ti\"}",
		   "5f5dbb3aee892da260de1f34b5e29cb2ffb5c7ec61b7f9a14f3e2715d891b14e");
	MEMBER(rationale, "[\"seen in the wild\",\"\xc3\xb6" "ffentlich\"]",
		   "ffb6282c1005127c192fb438a60a8ee91c9420e53cce636c00b9df86bb64304d");
	MEMBER(risk_explanation_id, "E-1", "cf2a5619ada452dc20fe35164a5ebb85da12e2c1678622276b4a2d9ed37a6bb7");
	MEMBER(risk_profile_version, "1.10.0",
		   "1620d4c8e0edd5bac5008cde73f879b1c3245d8f5d1a2e542a90ddbb4154fe76");
	MEMBER(risk_score, "71.01", "0b6d6d885a118649656df44a3205a00404a3ecc26f2207239545c177e4daf205");
	MEMBER(risk_severity, "high", "12deec663ce39fd3a61a9f4a349922611abf1601d65ef0a6bbb60a1e3cff03a7");
	MEMBER(severity, "7.500", "02e146c21314458f06e1682dfce18c7db4867f6b0a5b3faa360f83fe0c360f2e");
	MEMBER(severity, "7.5", "02e146c21314458f06e1682dfce18c7db4867f6b0a5b3faa360f83fe0c360f2e");
	MEMBER(vuln_id, "CVE-2026-0001", "6cb6f0288b2f8e544f743fde3e17b35ed459f6a4cd2268d7215e18a7aaa2b47c");
	MEMBER(airgap_bundle_id, "B-7", "2628a1b98fcbc0b17b2f19fe940c3a099a5ac3e398319fc5fe8fc34b4a3ce536");

	p.has_airgap_staleness_seconds = true;
	hash_is(&p, "01b3a97df659a2d1b1f6bea57674abef96a6dd0a7bbd95faafed99fa949695ef",
			"airgap_staleness_seconds");
	p = plain();
	p.has_risk_event_sequence = true;
	p.risk_event_sequence = 11;
	hash_is(&p, "3ed8046dc0b0d3591bf1dee4be33fe43889227323962d921b38dfef3b6a00cb5", "risk_event_sequence");
}

static void
refuses(const lc_projection *p, lc_status want, const char *name)
{
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_puts(&out, "kept");
	is_status(lc_projection_canonical(&out, p), want, name);
	is_text(&out, "kept", "with nothing written");
	lc_buf_free(&out);
}

static void
test_refusals(void)
{
	lc_projection p = full();

	p.labels = str("[1]");
	refuses(&p, LC_ERR_MISUSE, "labels that are no object");
	p.labels = str("1}");
	refuses(&p, LC_ERR_MISUSE, "labels that only end as one");
	p.labels = str("{");
	refuses(&p, LC_ERR_MISUSE, "labels cut short");
	p = full();
	p.rationale = str("{}");
	refuses(&p, LC_ERR_MISUSE, "a rationale that is no array");
	p = full();
	p.severity = str("7,5");
	refuses(&p, LC_ERR_SYNTAX, "a severity that is no number");
	p.severity = str("0.1000000000000000055");
	refuses(&p, LC_ERR_NUMBER, "a severity that rounds");
	p = full();
	p.risk_score = str("");
	refuses(&p, LC_ERR_SYNTAX, "an empty risk score");
	p = full();
	p.status = str("\xff");
	refuses(&p, LC_ERR_UTF8, "a status that is not UTF-8");
	p = full();
	p.risk_event_sequence = INT64_MAX;
	refuses(&p, LC_ERR_RANGE, "a sequence that JSON readers round");
	p = full();
	p.airgap_staleness_seconds = INT64_MIN;
	refuses(&p, LC_ERR_RANGE, "seconds that JSON readers round");
}

int
main(void)
{
	test_text();
	test_members();
	test_refusals();
	lc_sha256_thread_end();
	return done();
}
