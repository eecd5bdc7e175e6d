/*
 * payload.c
 *		What the reducer reads of a payload (docs/projection.md), and the
 *		checks that make every stored event foldable.
 *
 * The link trigger calls it to refuse bad members, the fold calls it again to
 * use them: one reader, so that what was accepted can always be folded.  The
 * verifier reads leniently: a tampered payload may have any shape, and a member
 * with a wrong one counts as absent.
 */
#include "ledger.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* The member of that name, or NULL if it is absent or JSON null. */
static JsonbValue *
member(JsonbContainer *object, const char *name)
{
	JsonbValue *v;

	if (!JsonContainerIsObject(object))
		return NULL;
	v = getKeyJsonValueFromContainer(object, name, strlen(name), NULL);
	return v == NULL || v->type == jbvNull ? NULL : v;
}

#define VALUE_SHOWN 80

/* What came, for a message: a scalar as JSON, anything larger by its name. */
static const char *
shown(JsonbValue *v)
{
	char	   *text;

	if (v == NULL)
		return "absent";
	if (v->type == jbvBinary)
		return JsonContainerIsObject(v->val.binary.data) ? "an object" : "an array";
	text = JsonbToCString(NULL, &JsonbValueToJsonb(v)->root, 0);
	if (strlen(text) > VALUE_SHOWN)
		text = psprintf("%s…", pnstrdup(text, pg_mbcliplen(text, strlen(text), VALUE_SHOWN)));
	return text;
}

/* verb says whether v is the member ("is") or one of those in it ("holds"). */
static void
refuse(const PayloadFacts *facts, const char *path, const char *wanted, const char *verb,
	   JsonbValue *v)
{
	if (facts->lenient)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_UNPROCESSABLE),
			 errmsg("payload.%s must be %s", path, wanted),
			 errdetail("It %s %s.", verb, shown(v)),
			 errhint("Leave it out if the event says nothing about it.")));
}

/* Returns only to a lenient reader, who takes the member for absent. */
static void
wrong_shape(const PayloadFacts *facts, const char *path, const char *wanted, JsonbValue *v)
{
	refuse(facts, path, wanted, "is", v);
}

static text *
string_member(const PayloadFacts *facts, JsonbContainer *object, const char *name, const char *path)
{
	JsonbValue *v = member(object, name);

	if (v == NULL)
		return NULL;
	if (v->type != jbvString)
	{
		wrong_shape(facts, path, "a string", v);
		return NULL;
	}
	return cstring_to_text_with_len(v->val.string.val, v->val.string.len);
}

static JsonbContainer *
object_member(const PayloadFacts *facts, JsonbContainer *object, const char *name, const char *path)
{
	JsonbValue *v = member(object, name);

	if (v == NULL)
		return NULL;
	if (v->type != jbvBinary || !JsonContainerIsObject(v->val.binary.data))
	{
		wrong_shape(facts, path, "an object", v);
		return NULL;
	}
	return v->val.binary.data;
}

static int
compare_numeric(Numeric a, int64 b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a),
											 NumericGetDatum(int64_to_numeric(b))));
}

/* Is it a whole number from least to 2^53 - 1? */
bool
ledger_whole_number(const JsonbValue *v, int64 least, int64 *out)
{
	Numeric		n = v->type == jbvNumeric ? v->val.numeric : NULL;

	if (n == NULL || compare_numeric(n, least) < 0 || compare_numeric(n, LEDGER_MAX_SAFE_INTEGER) > 0 ||
		!DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(n),
										  DirectFunctionCall1(numeric_floor, NumericGetDatum(n)))))
		return false;
	*out = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(n)));
	return true;
}

static bool
integer_member(const PayloadFacts *facts, JsonbContainer *object, const char *name,
			   const char *path, int64 *out)
{
	JsonbValue *v = member(object, name);

	if (v == NULL)
		return false;
	if (ledger_whole_number(v, 0, out))
		return true;
	wrong_shape(facts, path, "a whole number from 0 to 9007199254740991", v);
	return false;
}

/* A number from 0 to limit, rounded half up to scale decimals; NULL if it is none. */
static Numeric
bounded_number(const PayloadFacts *facts, JsonbValue *v, const char *path, int64 limit, int scale,
			   const char *wanted)
{
	if (v == NULL || v->type != jbvNumeric || compare_numeric(v->val.numeric, 0) < 0 ||
		compare_numeric(v->val.numeric, limit) > 0)
	{
		wrong_shape(facts, path, wanted, v);
		return NULL;
	}
	return DatumGetNumeric(DirectFunctionCall2(numeric_round, NumericGetDatum(v->val.numeric),
											   Int32GetDatum(scale)));
}

static void
read_severity(JsonbContainer *payload, PayloadFacts *facts)
{
	static const char *wanted = "a number from 0 to 10 or one of none, low, medium, high, critical";
	JsonbValue *v = member(payload, "severity");
	JsonbValue	number;

	if (v == NULL)
		return;
	if (v->type == jbvString)
	{
		const char *score = ledger_severity_word(v->val.string.val, v->val.string.len);

		if (score == NULL)
		{
			wrong_shape(facts, "severity", wanted, v);
			return;
		}
		number.type = jbvNumeric;
		number.val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(score),
																 ObjectIdGetDatum(InvalidOid),
																 Int32GetDatum(-1)));
		v = &number;
	}
	facts->severity = bounded_number(facts, v, "severity", 10, 3, wanted);
	facts->has_severity = facts->severity != NULL;
}

static void
read_labels(JsonbContainer *payload, bool merge, PayloadFacts *facts)
{
	JsonbValue *v = member(payload, "labels");
	const char *wanted = merge ? "an object of strings or nulls" : "an object of strings";
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	item;

	if (v == NULL)
		return;
	if (v->type != jbvBinary || !JsonContainerIsObject(v->val.binary.data))
	{
		wrong_shape(facts, "labels", wanted, v);
		return;
	}
	it = JsonbIteratorInit(v->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
		if (token == WJB_VALUE && item.type != jbvString && !(merge && item.type == jbvNull))
		{
			refuse(facts, "labels", wanted, "holds", &item);
			return;
		}
	facts->labels = JsonbValueToJsonb(v);
}

static void
read_rationale(JsonbContainer *payload, PayloadFacts *facts)
{
	JsonbValue *v = member(payload, "rationale");
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	item;

	if (v == NULL)
		return;
	if (v->type != jbvBinary || !JsonContainerIsArray(v->val.binary.data) ||
		JsonContainerIsScalar(v->val.binary.data))
	{
		wrong_shape(facts, "rationale", "an array of strings", v);
		return;
	}
	it = JsonbIteratorInit(v->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
		if (token == WJB_ELEM && item.type != jbvString)
		{
			refuse(facts, "rationale", "an array of strings", "holds", &item);
			return;
		}
	facts->rationale = JsonbValueToJsonb(v);
}

/* Parse one number of a semantic version: no leading zero, at most 9 digits. */
static const char *
semver_part(const char *s, const char *end, int *out)
{
	const char *start = s;

	*out = 0;
	while (s < end && *s >= '0' && *s <= '9' && s - start < 9)
		*out = *out * 10 + (*s++ - '0');
	if (s == start || (*start == '0' && s - start > 1))
		return NULL;
	return s;
}

static bool
parse_semver(const text *version, int parts[3])
{
	const char *s = VARDATA_ANY(version);
	const char *end = s + VARSIZE_ANY_EXHDR(version);

	for (int i = 0; i < 3; i++)
	{
		s = semver_part(s, end, &parts[i]);
		if (s == NULL)
			return false;
		if (i < 2 && (s == end || *s++ != '.'))
			return false;
	}
	return s == end;
}

/* <0, 0, >0; both were checked when they were read. */
int
ledger_compare_semver(const text *a, const text *b)
{
	int			pa[3] = {0, 0, 0};
	int			pb[3] = {0, 0, 0};

	(void) parse_semver(a, pa);
	(void) parse_semver(b, pb);
	for (int i = 0; i < 3; i++)
		if (pa[i] != pb[i])
			return pa[i] < pb[i] ? -1 : 1;
	return 0;
}

static const char *
read_risk_severity(const PayloadFacts *facts, JsonbContainer *risk, Numeric score)
{
	JsonbValue *v = member(risk, "severity");
	const char *word = NULL;

	if (v != NULL)
	{
		word = v->type == jbvString ?
			ledger_risk_word(v->val.string.val, v->val.string.len) : NULL;
		if (word == NULL)
			wrong_shape(facts, "risk.severity",
						"one of critical, high, medium, low, informational", v);
	}
	if (word != NULL)
		return word;
	return ledger_risk_band(DatumGetFloat8(DirectFunctionCall1(numeric_float8,
															   NumericGetDatum(score))));
}

static void
read_risk(JsonbContainer *payload, PayloadFacts *facts)
{
	JsonbContainer *risk = object_member(facts, payload, "risk", "risk");
	int			parts[3];

	if (risk == NULL)
		return;
	facts->risk_score = bounded_number(facts, member(risk, "score"), "risk.score", 100, 2,
									   "a number from 0 to 100");
	if (facts->risk_score == NULL)
		return;
	facts->risk_severity = read_risk_severity(facts, risk, facts->risk_score);
	facts->risk_profile_version = string_member(facts, risk, "profileVersion",
												"risk.profileVersion");
	if (facts->risk_profile_version == NULL || !parse_semver(facts->risk_profile_version, parts))
	{
		wrong_shape(facts, "risk.profileVersion", "a semantic version such as 1.2.0",
					member(risk, "profileVersion"));
		return;
	}
	facts->risk_explanation_id = string_member(facts, risk, "explanationId", "risk.explanationId");
	facts->has_risk_sequence = integer_member(facts, risk, "eventSequence", "risk.eventSequence",
											  &facts->risk_sequence);
	facts->has_risk = true;
}

static void
read_airgap(JsonbContainer *payload, PayloadFacts *facts)
{
	JsonbContainer *airgap = object_member(facts, payload, "airgap", "airgap");
	JsonbContainer *bundle;

	if (airgap == NULL)
		return;
	bundle = object_member(facts, airgap, "bundle", "airgap.bundle");
	if (bundle != NULL)
		facts->airgap_bundle_id = string_member(facts, bundle, "bundleId", "airgap.bundle.bundleId");
	if (facts->airgap_bundle_id == NULL)
		facts->airgap_bundle_id = string_member(facts, airgap, "bundleId", "airgap.bundleId");
	facts->has_airgap_staleness = integer_member(facts, airgap, "stalenessSeconds",
												 "airgap.stalenessSeconds",
												 &facts->airgap_staleness);
}

/* The first of three members that is a string; others are the caller's own business. */
static text *
read_justification(JsonbContainer *payload)
{
	static const char *names[] = {"justification", "comment", "reason"};

	for (int i = 0; i < lengthof(names); i++)
	{
		JsonbValue *v = member(payload, names[i]);

		if (v != NULL && v->type == jbvString)
			return cstring_to_text_with_len(v->val.string.val, v->val.string.len);
	}
	return NULL;
}

/* Read what the type reads; LG422 names a member of the wrong shape, unless lenient. */
void
ledger_read_payload(const EventType *type, Jsonb *payload, bool lenient, PayloadFacts *facts)
{
	JsonbContainer *root = &payload->root;
	JsonbValue *status;

	memset(facts, 0, sizeof(*facts));
	facts->lenient = lenient;
	facts->justification = read_justification(root);
	if ((type->reads & READS_STATUS) && (status = member(root, "status")) != NULL)
	{
		if (status->type != jbvString)
			wrong_shape(facts, "status", "a string", status);
		else
			facts->status = ledger_status_word(status->val.string.val, status->val.string.len);
	}
	if (type->reads & READS_SEVERITY)
		read_severity(root, facts);
	if (type->reads & READS_LABELS)
		read_labels(root, type->labels_merge, facts);
	if (type->reads & READS_EXPLAIN_REF)
		facts->explain_ref = string_member(facts, root, "explainRef", "explainRef");
	if (type->reads & READS_RATIONALE)
		read_rationale(root, facts);
	if (type->reads & READS_RISK)
		read_risk(root, facts);
	if (type->reads & READS_AIRGAP)
		read_airgap(root, facts);
}

/* Push old labels that the change does not name, or the change's strings. */
static void
push_labels(JsonbParseState **state, Jsonb *from, Jsonb *unless_in)
{
	JsonbIterator *it = JsonbIteratorInit(&from->root);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &value, true);
		if (value.type == jbvNull)
			continue;
		if (unless_in != NULL &&
			getKeyJsonValueFromContainer(&unless_in->root, key.val.string.val, key.val.string.len,
										 NULL) != NULL)
			continue;
		pushJsonbValue(state, WJB_KEY, &key);
		pushJsonbValue(state, WJB_VALUE, &value);
	}
}

/* Labels after a merge: a string sets, null removes; old may be NULL. */
Jsonb *
ledger_merge_labels(Jsonb *old, Jsonb *new)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (old != NULL)
		push_labels(&state, old, new);
	push_labels(&state, new, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
