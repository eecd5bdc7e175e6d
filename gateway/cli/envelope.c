/*
 * envelope.c
 *		The members of an envelope ledger.event.v1, read back from JSON.
 *
 * The table is the one of docs/formats.md section 2.  That nothing but these
 * members is there is seen by writing the envelope again (event.c).
 */
#include <string.h>

#include "event.h"
#include "lc_hex.h"

typedef enum kind
{
	TEXT,
	UUID,
	HASH,
	TIME,
	SEQUENCE
} kind;

typedef struct member
{
	const char *object;			/* the member it is in, or NULL */
	const char *name;
	kind		kind;
	size_t		offset;
	size_t		present;		/* offset of has_…; 0: none */
	bool		optional;
} member;

#define AT(field) offsetof(lc_event, field)

static const member members[] = {
	{"actor", "id", TEXT, AT(actor_id), 0, false},
	{"actor", "type", TEXT, AT(actor_type), 0, false},
	{NULL, "chainId", UUID, AT(chain_id), 0, false},
	{NULL, "evaluationHash", HASH, AT(evaluation_hash), AT(has_evaluation_hash), true},
	{NULL, "evidenceBundleRef", TEXT, AT(evidence_bundle_ref), 0, true},
	{"finding", "artifactId", TEXT, AT(artifact_id), 0, false},
	{"finding", "id", TEXT, AT(finding_id), 0, false},
	{"finding", "vulnId", TEXT, AT(vuln_id), 0, true},
	{NULL, "id", UUID, AT(id), 0, false},
	{NULL, "occurredAt", TIME, AT(occurred_us), 0, false},
	{NULL, "payloadHash", HASH, AT(payload_hash), 0, false},
	{NULL, "policyVersion", TEXT, AT(policy_version), 0, false},
	{NULL, "previousHash", HASH, AT(previous_hash), 0, false},
	{NULL, "recordedAt", TIME, AT(recorded_us), 0, false},
	{NULL, "recordedBy", TEXT, AT(recorded_by), 0, false},
	{NULL, "sequence", SEQUENCE, AT(sequence), 0, false},
	{NULL, "sourceRunId", UUID, AT(source_run_id), AT(has_source_run_id), true},
	{NULL, "tenant", TEXT, AT(tenant), 0, false},
	{NULL, "type", TEXT, AT(type), 0, false},
};

static bool
read_sequence(const lc_json *object, const char *name, int64_t *out)
{
	uint64_t	value;

	if (!lc_json_uint(object, name, &value) || value == 0)
		return false;
	*out = (int64_t) value;
	return true;
}

static bool
read_value(const lc_json *object, const member *m, void *field)
{
	lc_str		text = lc_json_string(object, m->name);

	if (m->kind == SEQUENCE)
		return read_sequence(object, m->name, field);
	if (text.s == NULL)
		return false;
	switch (m->kind)
	{
		case TEXT:
			*(lc_str *) field = text;
			return true;
		case UUID:
			return lc_uuid_parse(text.s, text.n, field) == LC_OK;
		case HASH:
			return lc_hex_decode(text.s, text.n, field, LC_HASH_LEN) == LC_OK;
		case TIME:
			return lc_timestamp_parse(text.s, text.n, field) == LC_OK;
		case SEQUENCE:
			break;
	}
	return false;
}

static cli_exit
bad_member(const char *where, const member *m, bool missing)
{
	static const char *const wanted[] = {
		[TEXT] = "a text",
		[UUID] = "a UUID in lower case",
		[HASH] = "64 lower-case hex digits",
		[TIME] = "a time such as 2026-11-23T19:30:00.000000Z",
		[SEQUENCE] = "a whole number from 1 on",
	};

	return cli_error(CLI_FAILED, "%s: envelope: \"%s%s%s\" %s %s", where,
					 m->object != NULL ? m->object : "", m->object != NULL ? "." : "", m->name,
					 missing ? "is missing: it must be" : "is not", wanted[m->kind]);
}

static cli_exit
read_member(const char *where, const lc_json *envelope, const member *m, lc_event *out)
{
	const lc_json *object = m->object != NULL ? lc_json_member(envelope, m->object) : envelope;
	bool		missing = lc_json_member(object, m->name) == NULL;

	if (missing && m->optional)
		return CLI_GOOD;
	if (missing || !read_value(object, m, (char *) out + m->offset))
		return bad_member(where, m, missing);
	if (m->present != 0)
		*((bool *) ((char *) out + m->present)) = true;
	return CLI_GOOD;
}

cli_exit
envelope_read(const char *where, const lc_json *envelope, lc_event *out)
{
	lc_str		schema = lc_json_string(envelope, "schema");

	memset(out, 0, sizeof(*out));
	if (envelope == NULL || envelope->type != LC_JSON_OBJECT)
		return cli_error(CLI_FAILED, "%s: the envelope is no JSON object", where);
	if (schema.s == NULL)
		return cli_error(CLI_FAILED, "%s: envelope: \"schema\" is missing: this is no event", where);
	/* The version is read from the event, never assumed (section 11). */
	if (schema.n != strlen(LC_EVENT_SCHEMA_V1) ||
		memcmp(schema.s, LC_EVENT_SCHEMA_V1, schema.n) != 0)
		return cli_error(CLI_FAILED, "%s: envelope: schema \"%.*s\" is not known to this release",
						 where, CLI_SHOW(schema));
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
	{
		cli_exit	code = read_member(where, envelope, &members[i], out);

		if (code != CLI_GOOD)
			return code;
	}
	return CLI_GOOD;
}
