/*
 * fuzz_envelope.c
 *		The recipes on any event and projection: what they write is canonical
 *		JSON of bounded length, and what they refuse leaves nothing behind.
 *		Times and UUIDs read back, and so does base64, in its one spelling.
 */
#include "fuzz.h"
#include "lc_base64.h"
#include "lc_envelope.h"
#include "lc_jsonparse.h"
#include "lc_utf8.h"

/* The writer's text is what the canonicaliser makes of it. */
static void
check_text(const lc_buf *out, lc_status status)
{
	lc_buf		again;

	lc_buf_init(&again, &lc_alloc_malloc);
	HOLDS(out->status == LC_OK);
	if (status == LC_OK)
	{
		lc_status	parsed = lc_json_canonicalize(out->data, out->len, &again, &lc_alloc_malloc, NULL);

		/* The host cannot store U+0000, which the parser therefore refuses. */
		HOLDS(parsed == LC_ERR_NUL || (parsed == LC_OK && same_text(out, &again)));
	}
	else
		HOLDS(out->len == 0);
	lc_buf_free(&again);
}

static lc_str
take_optional(input *in)
{
	lc_str		absent = {NULL, 0};

	return take_byte(in) % 2 == 0 ? absent : take_text(in);
}

/* A text that is required: absent now and then. */
static lc_str
take_required(input *in)
{
	lc_str		text = take_text(in);

	if (text.n == 7)
		text.s = NULL;
	return text;
}

static void
check_event(input in)
{
	lc_event	e;
	lc_buf		out;
	lc_status	status;

	memset(&e, 0, sizeof(e));
	e.sequence = take_int64(&in) % 100000;
	e.occurred_us = take_int64(&in) / 16;
	e.recorded_us = take_int64(&in) / 16;
	e.has_source_run_id = take_byte(&in) % 2;
	e.has_evaluation_hash = take_byte(&in) % 2;
	take_bytes(&in, e.id, sizeof(e.id));
	take_bytes(&in, e.payload_hash, 4);
	e.tenant = take_required(&in);
	e.type = take_required(&in);
	e.policy_version = take_required(&in);
	e.finding_id = take_required(&in);
	e.artifact_id = take_required(&in);
	e.vuln_id = take_optional(&in);
	e.actor_id = take_required(&in);
	e.actor_type = take_required(&in);
	e.recorded_by = take_required(&in);
	e.evidence_bundle_ref = take_optional(&in);

	lc_buf_init(&out, &lc_alloc_malloc);
	status = lc_event_envelope(&out, &e);
	check_text(&out, status);
	HOLDS(out.len <= LC_ENVELOPE_MAX);
	if (status == LC_OK)
		HOLDS(e.sequence >= 1 && e.tenant.s != NULL && lc_utf8_valid(e.tenant.s, e.tenant.n, NULL));
	lc_buf_free(&out);
}

/* A decimal from the input's integers, with a point somewhere. */
static lc_str
take_decimal(input *in, char *room, size_t size)
{
	lc_str		text = {room, 0};

	text.n = (size_t) snprintf(room, size, "%d.%03d", take_byte(in) % 11, take_byte(in) * 4 % 1000);
	if (take_byte(in) % 4 == 0)
		text.s = NULL;
	return text;
}

static void
check_projection(input in)
{
	lc_projection p;
	lc_buf		out;
	char		severity[32];
	char		score[32];
	lc_status	status;

	memset(&p, 0, sizeof(p));
	p.severity = take_decimal(&in, severity, sizeof(severity));
	p.risk_score = take_decimal(&in, score, sizeof(score));
	p.has_risk_event_sequence = take_byte(&in) % 2;
	p.risk_event_sequence = take_int64(&in);
	p.has_airgap_staleness_seconds = take_byte(&in) % 2;
	p.airgap_staleness_seconds = take_int64(&in) / 1024;
	p.current_sequence = take_byte(&in);
	p.tenant = take_text(&in);
	p.finding_id = take_optional(&in);
	p.status = take_optional(&in);
	p.explain_ref = take_optional(&in);
	p.airgap_bundle_id = take_optional(&in);
	p.risk_explanation_id = take_optional(&in);

	lc_buf_init(&out, &lc_alloc_malloc);
	status = lc_projection_canonical(&out, &p);
	check_text(&out, status);
	lc_buf_free(&out);
}

static void
check_times(input in)
{
	int64_t		us = take_int64(&in) / 16;
	int64_t		back;
	lc_buf		out;
	lc_str		text;

	lc_buf_init(&out, &lc_alloc_malloc);
	if (lc_timestamp_format(&out, us) == LC_OK)
		HOLDS(out.len == 27 && lc_timestamp_parse(out.data, out.len, &back) == LC_OK && back == us);
	else
		HOLDS(out.len == 0);

	/* Any bytes that are read as a time are how that time is written. */
	text = take_text(&in);
	if (lc_timestamp_parse(text.s, text.n, &back) == LC_OK)
	{
		lc_buf_reset(&out);
		HOLDS(lc_timestamp_format(&out, back) == LC_OK);
		HOLDS(out.len == text.n && memcmp(out.data, text.s, text.n) == 0);
	}
	lc_buf_free(&out);
}

static void
check_uuids(input in)
{
	uint8_t		uuid[LC_UUID_LEN];
	uint8_t		back[LC_UUID_LEN];
	char		text[LC_UUID_TEXT];
	lc_str		given;

	take_bytes(&in, uuid, sizeof(uuid));
	lc_uuid_format(uuid, text);
	HOLDS(lc_uuid_parse(text, sizeof(text), back) == LC_OK && memcmp(uuid, back, sizeof(uuid)) == 0);
	given = take_text(&in);
	if (lc_uuid_parse(given.s, given.n, back) == LC_OK)
	{
		lc_uuid_format(back, text);
		HOLDS(given.n == sizeof(text) && memcmp(text, given.s, sizeof(text)) == 0);
	}
}

static void
check_salts(input in)
{
	uint8_t		domain = take_byte(&in);
	lc_str		salt = take_text(&in);
	uint8_t		hash[LC_HASH_LEN];
	lc_status	status;

	status = lc_salted_hash(domain, (const uint8_t *) salt.s, salt.n, (const char *) in.p, in.n, hash);
	HOLDS((status == LC_OK) ==
		  ((domain == 2 || domain == 3) && (salt.n == 0 || (salt.n >= 16 && salt.n <= 64))));
}

/* Encoded the slow way, bit by bit. */
static size_t
encode_base64(const uint8_t *bytes, size_t n, char *to)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t		bit;
	size_t		len = 0;

	for (bit = 0; bit < 8 * n; bit += 6)
	{
		int			value = 0;
		size_t		i;

		for (i = bit; i < bit + 6; i++)
			value = value * 2 + (i < 8 * n ? bytes[i / 8] >> (7 - i % 8) & 1 : 0);
		to[len++] = digits[value];
	}
	while (len % 4 != 0)
		to[len++] = '=';
	return len;
}

static void
check_base64(input in)
{
	uint8_t		back[256];
	char		text[512];
	lc_str		given = take_text(&in);
	size_t		len = encode_base64((const uint8_t *) given.s, given.n, text);
	size_t		n;

	HOLDS(lc_base64_decode(text, len, back, sizeof(back), &n) == LC_OK);
	HOLDS(n == given.n && memcmp(back, given.s, n) == 0);
	if (n > 0)
		HOLDS(lc_base64_decode(text, len, back, n - 1, &n) == LC_ERR_TOO_LONG);

	/* Any text that decodes is how its bytes are spelt. */
	if (lc_base64_decode(given.s, given.n, back, sizeof(back), &n) == LC_OK)
		HOLDS(encode_base64(back, n, text) == given.n && memcmp(text, given.s, given.n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input		in = {data, size};
	uint8_t		what = take_byte(&in);

	switch (what % 6)
	{
		case 0:
			check_event(in);
			break;
		case 1:
			check_projection(in);
			break;
		case 2:
			check_times(in);
			break;
		case 3:
			check_uuids(in);
			break;
		case 4:
			check_salts(in);
			break;
		default:
			check_base64(in);
			break;
	}
	return 0;
}
