/*
 * importline.c
 *		One import line (docs/formats.md section 10) as a row of ledger_events.
 *
 * Every member has one spelling: uuids and hashes in small letters, times with
 * six fraction digits and Z, base64 with its padding, sequence as a number.
 * What is unknown, missing or spelt otherwise is LG400 and named; import.c says
 * in which line.  So the columns give back the very envelope that was sent, and
 * that is compared, byte by byte, before any hash is looked at.
 */
#include "import.h"

#include "catalog/pg_type.h"
#include "lc_base64.h"
#include "lc_hex.h"
#include "lc_uuid.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

static const char *const envelope_groups[] = {"actor", "finding"};

/* What came, for the detail of a refusal. */
static const char *
shown(const JsonbValue *v)
{
	switch (v->type)
	{
		case jbvString:
			return psprintf("\"%s\"", pnstrdup(v->val.string.val,
											   pg_mbcliplen(v->val.string.val, v->val.string.len, 80)));
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(v->val.numeric)));
		case jbvBool:
			return v->val.boolean ? "true" : "false";
		case jbvNull:
			return "null";
		default:
			return JsonContainerIsObject(v->val.binary.data) ? "an object" : "an array";
	}
}

/* v is NULL where the value is a secret: a salt in the server's log would outlive an erasure. */
static void
bad_member(const JsonbValue *v, const char *prefix, const char *name, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_INVALID),
			 errmsg("%s%s must be %s", prefix, name, wanted),
			 v == NULL ? 0 : errdetail("It is %s.", shown(v)),
			 errhint("Lines are described in docs/formats.md, section 10.")));
}

static void
missing_member(const char *prefix, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_INVALID),
			 errmsg("%s%s is missing", prefix, name),
			 errhint("Lines are described in docs/formats.md, section 10.")));
}

static void
unknown_member(const char *prefix, const char *group, const JsonbValue *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_INVALID),
			 errmsg("unknown member \"%s%s%s\"", prefix, group,
					pnstrdup(key->val.string.val,
							 pg_mbcliplen(key->val.string.val, key->val.string.len, 80))),
			 errdetail("No hash would cover it."),
			 errhint("Lines are described in docs/formats.md, section 10.")));
}

/* The columns whose values stand in the envelope. */
static bool
in_envelope(EventColumn column)
{
	return column != EC_EVENT_BODY && column != EC_PAYLOAD_SALT && column != EC_EVALUATION &&
		column != EC_EVENT_HASH && column != EC_MERKLE_LEAF_HASH;
}

static bool
optional(EventColumn column)
{
	return column == EC_VULN_ID || column == EC_SOURCE_RUN_ID || column == EC_EVIDENCE_BUNDLE_REF ||
		column == EC_EVALUATION_HASH;
}

static JsonbValue *
member(JsonbContainer *object, const char *name, size_t n)
{
	return getKeyJsonValueFromContainer(object, name, (int) n, NULL);
}

static JsonbContainer *
object_value(JsonbValue *v, const char *prefix, const char *name)
{
	if (v == NULL)
		missing_member(prefix, name);
	if (v->type != jbvBinary || !JsonContainerIsObject(v->val.binary.data))
		bad_member(v, prefix, name, "an object");
	return v->val.binary.data;
}

static bool
key_is(const JsonbValue *key, const char *name, size_t n)
{
	return key->val.string.len == n && memcmp(key->val.string.val, name, n) == 0;
}

/* Is it a member of the envelope, or of the group (with its dot) in it? */
static bool
known_in_envelope(const JsonbValue *key, const char *group)
{
	size_t		skip = strlen(group);

	for (int c = 0; c < EC_COUNT; c++)
	{
		const char *name = ledger_event_columns[c].member;

		if (!in_envelope(c) || strncmp(name, group, skip) != 0)
			continue;
		if (strchr(name + skip, '.') == NULL && key_is(key, name + skip, strlen(name + skip)))
			return true;
	}
	for (int g = 0; skip == 0 && g < lengthof(envelope_groups); g++)
		if (key_is(key, envelope_groups[g], strlen(envelope_groups[g])))
			return true;
	return false;
}

static void
check_envelope_members(JsonbContainer *object, const char *group)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	key;

	while ((token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE)
		if (token == WJB_KEY && !known_in_envelope(&key, group))
			unknown_member("envelope.", group, &key);
}

static void
check_line_members(JsonbContainer *line)
{
	static const char *const names[] = {"envelope", "evaluation", "eventHash", "merkleLeafHash",
	"payload", "salt"};
	JsonbIterator *it = JsonbIteratorInit(line);
	JsonbIteratorToken token;
	JsonbValue	key;

	while ((token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE)
	{
		bool		known = token != WJB_KEY;

		for (int i = 0; !known && i < lengthof(names); i++)
			known = key_is(&key, names[i], strlen(names[i]));
		if (!known)
			unknown_member("", "", &key);
	}
}

static Datum
read_hash(const JsonbValue *v, const char *prefix, const char *name)
{
	uint8		hash[LC_HASH_LEN];

	if (v->type != jbvString ||
		lc_hex_decode(v->val.string.val, v->val.string.len, hash, LC_HASH_LEN) != LC_OK)
		bad_member(v, prefix, name, "64 hex digits in small letters");
	return ledger_bytea(hash, LC_HASH_LEN);
}

static Datum
read_uuid(const JsonbValue *v, const char *prefix, const char *name)
{
	pg_uuid_t  *uuid = (pg_uuid_t *) palloc(sizeof(pg_uuid_t));

	if (v->type != jbvString ||
		lc_uuid_parse(v->val.string.val, v->val.string.len, uuid->data) != LC_OK)
		bad_member(v, prefix, name, "a UUID in small letters");
	return UUIDPGetDatum(uuid);
}

static Datum
read_time(const JsonbValue *v, const char *prefix, const char *name)
{
	int64		unix_us = 0;

	if (v->type != jbvString ||
		lc_timestamp_parse(v->val.string.val, v->val.string.len, &unix_us) != LC_OK)
		bad_member(v, prefix, name, "a time such as 2026-11-23T19:30:00.000000Z, with six fraction digits");
	return TimestampTzGetDatum(unix_us - LEDGER_PG_EPOCH_UNIX_US);
}

static Datum
read_sequence(const JsonbValue *v, const char *prefix, const char *name)
{
	int64		n = 0;

	if (v->type != jbvNumeric)
		bad_member(v, prefix, name, "a whole number");
	if (!ledger_whole_number(v, 1, &n))
		bad_member(v, prefix, name, "a whole number from 1 on");
	return Int64GetDatum(n);
}

static Datum
read_text(const JsonbValue *v, const char *prefix, const char *name)
{
	if (v->type != jbvString)
		bad_member(v, prefix, name, "a string");
	return PointerGetDatum(cstring_to_text_with_len(v->val.string.val, v->val.string.len));
}

static void
read_envelope_member(JsonbContainer *object, EventColumn column, const char *key, EventRow *row)
{
	const char *prefix = "envelope.";
	const char *name = ledger_event_columns[column].member;
	JsonbValue *v = member(object, key, strlen(key));

	row->nulls[column] = v == NULL;
	if (v == NULL)
	{
		if (!optional(column))
			missing_member(prefix, name);
		return;
	}
	switch (ledger_event_columns[column].type)
	{
		case TEXTOID:
			row->values[column] = read_text(v, prefix, name);
			break;
		case UUIDOID:
			row->values[column] = read_uuid(v, prefix, name);
			break;
		case INT8OID:
			row->values[column] = read_sequence(v, prefix, name);
			break;
		case TIMESTAMPTZOID:
			row->values[column] = read_time(v, prefix, name);
			break;
		default:
			row->values[column] = read_hash(v, prefix, name);
			break;
	}
}

static void
read_envelope(JsonbContainer *envelope, EventRow *row)
{
	JsonbContainer *groups[lengthof(envelope_groups)];

	check_envelope_members(envelope, "");
	for (int g = 0; g < lengthof(envelope_groups); g++)
	{
		const char *name = envelope_groups[g];

		groups[g] = object_value(member(envelope, name, strlen(name)), "envelope.", name);
		check_envelope_members(groups[g], g == 0 ? "actor." : "finding.");
	}
	for (int c = 0; c < EC_COUNT; c++)
	{
		const char *name = ledger_event_columns[c].member;
		const char *dot = strchr(name, '.');
		JsonbContainer *object = envelope;

		if (!in_envelope(c))
			continue;
		if (dot != NULL)
			object = groups[name[0] == 'a' ? 0 : 1];
		read_envelope_member(object, c, dot == NULL ? name : dot + 1, row);
	}
}

static void
read_line_hash(JsonbContainer *line, EventColumn column, EventRow *row)
{
	const char *name = ledger_event_columns[column].member;
	JsonbValue *v = member(line, name, strlen(name));

	if (v == NULL)
		missing_member("", name);
	row->values[column] = read_hash(v, "", name);
	row->nulls[column] = false;
}

static void
read_salt(const JsonbValue *v, EventRow *row)
{
	uint8		salt[LC_SALT_MAX];
	size_t		n = 0;
	lc_status	status = LC_ERR_SYNTAX;

	row->nulls[EC_PAYLOAD_SALT] = v->type == jbvNull;
	if (v->type == jbvNull)
		return;
	if (v->type == jbvString)
		status = lc_base64_decode(v->val.string.val, v->val.string.len, salt, sizeof(salt), &n);
	if (status == LC_ERR_SYNTAX)
		bad_member(NULL, "", "salt", "base64 (RFC 4648 section 4, padded) or null");
	if (status == LC_ERR_TOO_LONG || (n > 0 && n < LC_SALT_MIN))
		bad_member(NULL, "", "salt", "empty or 16 to 64 bytes long");
	row->values[EC_PAYLOAD_SALT] = ledger_bytea(salt, n);
}

/* Payload, salt and evaluation: what an erasure takes away. */
static void
read_body(JsonbContainer *line, EventRow *row)
{
	JsonbValue *payload = member(line, "payload", strlen("payload"));
	JsonbValue *salt = member(line, "salt", strlen("salt"));
	JsonbValue *evaluation = member(line, "evaluation", strlen("evaluation"));

	if (payload == NULL)
		missing_member("", "payload");
	if (salt == NULL)
		missing_member("", "salt");
	row->nulls[EC_EVENT_BODY] = payload->type == jbvNull;
	if (payload->type != jbvNull)
	{
		(void) object_value(payload, "", "payload");
		row->values[EC_EVENT_BODY] = JsonbPGetDatum(JsonbValueToJsonb(payload));
	}
	read_salt(salt, row);
	row->nulls[EC_EVALUATION] = evaluation == NULL;
	if (evaluation != NULL)
	{
		if (evaluation->type == jbvNull)
			bad_member(evaluation, "", "evaluation", "what the evaluator answered, or left out");
		row->values[EC_EVALUATION] = JsonbPGetDatum(JsonbValueToJsonb(evaluation));
	}
}

/* The canonical line begins with its envelope: is that what the columns give? */
static void
compare_envelope(const EventRow *row, const lc_buf *canonical)
{
	lc_buf		envelope;

	lc_buf_init(&envelope, &ledger_palloc);
	lc_buf_puts(&envelope, "{\"envelope\":");
	ledger_row_envelope(row, &envelope);
	if (canonical->len <= envelope.len || memcmp(canonical->data, envelope.data, envelope.len) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("envelope is not what its members give")));
	lc_buf_free(&envelope);
}

/*
 * Fill row from a line and append the line's canonical JSON to canonical.  All
 * that can be said of the line alone is checked, but for its hashes.
 */
void
ledger_read_line(JsonbValue *line, EventRow *row, lc_buf *canonical)
{
	JsonbContainer *object = object_value(line, "", "a line");

	memset(row->nulls, true, sizeof(row->nulls));
	check_line_members(object);
	read_envelope(object_value(member(object, "envelope", strlen("envelope")), "", "envelope"),
				  row);
	read_line_hash(object, EC_EVENT_HASH, row);
	read_line_hash(object, EC_MERKLE_LEAF_HASH, row);
	read_body(object, row);
	ledger_validate_row(row, true);
	ledger_whole_fields(row, true);
	ledger_canonicalize(canonical, JsonbValueToJsonb(line), "the line");
	compare_envelope(row, canonical);
}
