/*
 * lc_envelope.c
 *		The frozen recipes, version 1: timestamps, event envelope, salted
 *		payload hash, event and leaf hashes, projection.
 *
 * Members are written in RFC 8785 order by hand: their names are fixed, all
 * ASCII, and the order of the calls below is their sorted order.  That saves
 * the sort on the append path; the unit tests compare each text with what the
 * canonicaliser makes of it.
 *
 * Never edit a recipe that was released: stored hashes are checked against it
 * for ever.  Write the next one beside it.
 */
#include <string.h>

#include "lc_envelope.h"
#include "lc_jcs.h"
#include "lc_number.h"

/* The greatest integer that every JSON reader keeps exactly (RFC 7493 section 2.2). */
#define MAX_SAFE_INTEGER INT64_C(9007199254740991)

#define US_PER_SECOND INT64_C(1000000)
#define SECONDS_PER_DAY INT64_C(86400)
#define TIMESTAMP_TEXT 27		/* 2026-11-23T19:30:00.000000Z */

/* 0001-01-01T00:00:00 and 10000-01-01T00:00:00 as Unix seconds. */
#define FIRST_SECOND INT64_C(-62135596800)
#define END_SECOND INT64_C(253402300800)

/* ---- timestamps, proleptic Gregorian ---- */

/*
 * Years here begin in March, so that a leap day comes last; 400 of them have
 * 146,097 days.  Day 0 is 0000-03-01; 1970-01-01 is day 719,468.
 */
#define DAYS_PER_ERA 146097
#define EPOCH_DAY 719468

/* Date of a day number counted from 0000-03-01 (never negative here). */
static void
date_from_day(int64_t day, int *year, int *month, int *mday)
{
	int64_t		era = day / DAYS_PER_ERA;
	int			of_era = (int) (day % DAYS_PER_ERA);
	int			year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int			of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int			march_month = (5 * of_year + 2) / 153;

	*mday = of_year - (153 * march_month + 2) / 5 + 1;
	*month = march_month < 10 ? march_month + 3 : march_month - 9;
	*year = (int) (era * 400) + year_of_era + (*month <= 2 ? 1 : 0);
}

/* The inverse. */
static int64_t
day_from_date(int year, int month, int mday)
{
	int			march_year = year - (month <= 2 ? 1 : 0);
	int			march_month = month > 2 ? month - 3 : month + 9;
	int			year_of_era = march_year % 400;
	int			of_year = (153 * march_month + 2) / 5 + mday - 1;

	return (int64_t) (march_year / 400) * DAYS_PER_ERA + year_of_era * 365 +
		year_of_era / 4 - year_of_era / 100 + of_year;
}

/* value in exactly n decimal digits. */
static void
put_digits(char *to, int value, int n)
{
	while (n-- > 0)
	{
		to[n] = (char) ('0' + value % 10);
		value /= 10;
	}
}

lc_status
lc_timestamp_format(lc_buf *out, int64_t unix_us)
{
	char		text[] = "0000-00-00T00:00:00.000000Z";
	int64_t		seconds = unix_us / US_PER_SECOND;
	int			us = (int) (unix_us % US_PER_SECOND);
	int64_t		days;
	int			second;
	int			year;
	int			month;
	int			mday;

	/* C rounds towards zero; a fraction counts forward from its second. */
	if (us < 0)
	{
		us += (int) US_PER_SECOND;
		seconds--;
	}
	if (seconds < FIRST_SECOND || seconds >= END_SECOND)
		return LC_ERR_RANGE;
	seconds += EPOCH_DAY * SECONDS_PER_DAY;
	days = seconds / SECONDS_PER_DAY;
	second = (int) (seconds % SECONDS_PER_DAY);
	date_from_day(days, &year, &month, &mday);

	put_digits(text, year, 4);
	put_digits(text + 5, month, 2);
	put_digits(text + 8, mday, 2);
	put_digits(text + 11, second / 3600, 2);
	put_digits(text + 14, second / 60 % 60, 2);
	put_digits(text + 17, second % 60, 2);
	put_digits(text + 20, us, 6);
	lc_buf_append(out, text, TIMESTAMP_TEXT);
	return out->status;
}

/* n decimal digits as a number, or -1. */
static int
read_digits(const char *text, int n)
{
	int			value = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return days[month - 1];
}

lc_status
lc_timestamp_parse(const char *text, size_t n, int64_t *unix_us)
{
	static const char shape[] = "0000-00-00T00:00:00.000000Z";
	int			year;
	int			month;
	int			mday;
	int			hour;
	int			minute;
	int			second;
	size_t		i;

	if (n != TIMESTAMP_TEXT)
		return LC_ERR_SYNTAX;
	for (i = 0; i < n; i++)
	{
		bool		digit = text[i] >= '0' && text[i] <= '9';

		if (shape[i] == '0' ? !digit : text[i] != shape[i])
			return LC_ERR_SYNTAX;
	}
	year = read_digits(text, 4);
	month = read_digits(text + 5, 2);
	mday = read_digits(text + 8, 2);
	hour = read_digits(text + 11, 2);
	minute = read_digits(text + 14, 2);
	second = read_digits(text + 17, 2);

	/* No leap second: no timestamp column can hold 60. */
	if (year < 1 || month < 1 || month > 12 || mday < 1 || mday > days_in_month(year, month) ||
		hour > 23 || minute > 59 || second > 59)
		return LC_ERR_RANGE;
	*unix_us = ((day_from_date(year, month, mday) - EPOCH_DAY) * SECONDS_PER_DAY +
				hour * 3600 + minute * 60 + second) * US_PER_SECOND +
		read_digits(text + 20, 6);
	return LC_OK;
}

/* ---- writing members ---- */

/*
 * One envelope under construction.  Content errors are kept here and not in
 * the buffer, which outlives them.
 */
typedef struct writer
{
	lc_buf	   *out;
	size_t		mark;			/* where the text began */
	lc_status	status;
} writer;

static void
refuse(writer *w, lc_status status)
{
	if (w->status == LC_OK)
		w->status = status;
}

/* A literal piece: braces, and names with their quotes and colon. */
#define PUT(w, literal) lc_buf_append((w)->out, literal, sizeof(literal) - 1)

/* The name of a member, behind a comma unless it is its object's first. */
static void
put_name(writer *w, const char *name)
{
	if (w->out->len > 0 && w->out->data[w->out->len - 1] != '{')
		lc_buf_putc(w->out, ',');
	lc_buf_putc(w->out, '"');
	lc_buf_puts(w->out, name);
	lc_buf_append(w->out, "\":", 2);
}

static void
put_text(writer *w, const char *name, lc_str value)
{
	if (value.s == NULL)
	{
		refuse(w, LC_ERR_MISUSE);
		return;
	}
	put_name(w, name);
	lc_jcs_put_string(w->out, value.s, value.n);
}

static void
put_optional_text(writer *w, const char *name, lc_str value)
{
	if (value.s != NULL)
		put_text(w, name, value);
}

/* A decimal; absent when its text is. */
static void
put_optional_number(writer *w, const char *name, lc_str value)
{
	lc_status	status;

	if (value.s == NULL)
		return;
	put_name(w, name);
	status = lc_number_canonical(w->out, value.s, value.n);
	if (status != LC_OK)
		refuse(w, status);
}

/*
 * JSON that is canonical already.  It comes from lc_jcs in the same process;
 * the brackets are looked at so that a mix-up cannot pass for another type.
 */
static void
put_optional_json(writer *w, const char *name, lc_str value, const char brackets[2])
{
	if (value.s == NULL)
		return;
	if (value.n < 2 || value.s[0] != brackets[0] || value.s[value.n - 1] != brackets[1])
	{
		refuse(w, LC_ERR_MISUSE);
		return;
	}
	put_name(w, name);
	lc_buf_append(w->out, value.s, value.n);
}

static void
put_integer(writer *w, const char *name, int64_t value)
{
	if (value < -MAX_SAFE_INTEGER || value > MAX_SAFE_INTEGER)
		refuse(w, LC_ERR_RANGE);
	put_name(w, name);
	lc_buf_put_int64(w->out, value);
}

static void
put_uuid(writer *w, const char *name, const uint8_t uuid[LC_UUID_LEN])
{
	char		text[LC_UUID_TEXT];

	lc_uuid_format(uuid, text);
	put_name(w, name);
	lc_buf_putc(w->out, '"');
	lc_buf_append(w->out, text, LC_UUID_TEXT);
	lc_buf_putc(w->out, '"');
}

static void
put_hash(writer *w, const char *name, const uint8_t hash[LC_HASH_LEN])
{
	put_name(w, name);
	lc_buf_putc(w->out, '"');
	lc_buf_put_hex(w->out, hash, LC_HASH_LEN);
	lc_buf_putc(w->out, '"');
}

static void
put_time(writer *w, const char *name, int64_t unix_us)
{
	lc_status	status;

	put_name(w, name);
	lc_buf_putc(w->out, '"');
	status = lc_timestamp_format(w->out, unix_us);
	if (status != LC_OK)
		refuse(w, status);
	lc_buf_putc(w->out, '"');
}

static void
begin(writer *w, lc_buf *out)
{
	w->out = out;
	w->mark = out->len;
	w->status = out->status;
	PUT(w, "{");
}

/* Close the text; take it back if anything about it was wrong. */
static lc_status
finish(writer *w)
{
	PUT(w, "}");
	refuse(w, w->out->status);
	if (w->status != LC_OK && w->out->len > w->mark)
		lc_buf_truncate(w->out, w->mark);
	return w->status;
}

/* ---- recipes ---- */

lc_status
lc_event_envelope(lc_buf *out, const lc_event *e)
{
	writer		w;

	begin(&w, out);
	PUT(&w, "\"actor\":{");
	put_text(&w, "id", e->actor_id);
	put_text(&w, "type", e->actor_type);
	PUT(&w, "}");
	put_uuid(&w, "chainId", e->chain_id);
	if (e->has_evaluation_hash)
		put_hash(&w, "evaluationHash", e->evaluation_hash);
	put_optional_text(&w, "evidenceBundleRef", e->evidence_bundle_ref);
	PUT(&w, ",\"finding\":{");
	put_text(&w, "artifactId", e->artifact_id);
	put_text(&w, "id", e->finding_id);
	put_optional_text(&w, "vulnId", e->vuln_id);
	PUT(&w, "}");
	put_uuid(&w, "id", e->id);
	put_time(&w, "occurredAt", e->occurred_us);
	put_hash(&w, "payloadHash", e->payload_hash);
	put_text(&w, "policyVersion", e->policy_version);
	put_hash(&w, "previousHash", e->previous_hash);
	put_time(&w, "recordedAt", e->recorded_us);
	put_text(&w, "recordedBy", e->recorded_by);
	PUT(&w, ",\"schema\":\"" LC_EVENT_SCHEMA_V1 "\"");
	if (e->sequence < 1)
		refuse(&w, LC_ERR_RANGE);
	put_integer(&w, "sequence", e->sequence);
	if (e->has_source_run_id)
		put_uuid(&w, "sourceRunId", e->source_run_id);
	put_text(&w, "tenant", e->tenant);
	put_text(&w, "type", e->type);

	/* One byte more is to come. */
	if (out->len - w.mark >= LC_ENVELOPE_MAX)
		refuse(&w, LC_ERR_TOO_LONG);
	return finish(&w);
}

lc_status
lc_salted_hash(uint8_t domain, const uint8_t *salt, size_t salt_len, const char *canonical,
			   size_t n, uint8_t out[LC_HASH_LEN])
{
	uint8_t		head[2];
	lc_bytes	parts[3];

	/* 0x00 and 0x01 are the Merkle tree's (RFC 6962 section 2.1). */
	if (domain != LC_DOMAIN_PAYLOAD && domain != LC_DOMAIN_EVALUATION)
		return LC_ERR_MISUSE;
	if (salt_len != 0 && (salt_len < LC_SALT_MIN || salt_len > LC_SALT_MAX))
		return LC_ERR_RANGE;

	/* The length keeps a byte from moving between salt and payload. */
	head[0] = domain;
	head[1] = (uint8_t) salt_len;
	parts[0].p = head;
	parts[0].n = sizeof(head);
	parts[1].p = salt;
	parts[1].n = salt_len;
	parts[2].p = canonical;
	parts[2].n = n;
	return lc_sha256_parts(parts, 3, out);
}

lc_status
lc_event_hash(const char *envelope, size_t n, uint8_t out[LC_HASH_LEN])
{
	return lc_sha256(envelope, n, out);
}

lc_status
lc_leaf_hash(const char *entry, size_t n, uint8_t out[LC_HASH_LEN])
{
	static const uint8_t leaf_prefix = 0x00;
	lc_bytes	parts[2];

	parts[0].p = &leaf_prefix;
	parts[0].n = 1;
	parts[1].p = entry;
	parts[1].n = n;
	return lc_sha256_parts(parts, 2, out);
}

lc_status
lc_projection_canonical(lc_buf *out, const lc_projection *p)
{
	writer		w;

	begin(&w, out);
	if (p->airgap_bundle_id.s != NULL || p->has_airgap_staleness_seconds)
	{
		PUT(&w, "\"airgap\":{");
		put_optional_text(&w, "bundleId", p->airgap_bundle_id);
		if (p->has_airgap_staleness_seconds)
			put_integer(&w, "stalenessSeconds", p->airgap_staleness_seconds);
		PUT(&w, "}");
	}
	put_optional_text(&w, "artifactId", p->artifact_id);
	put_uuid(&w, "chainId", p->chain_id);
	put_uuid(&w, "currentEventId", p->current_event_id);
	put_integer(&w, "currentSequence", p->current_sequence);
	put_optional_text(&w, "explainRef", p->explain_ref);
	put_optional_text(&w, "findingId", p->finding_id);
	put_optional_json(&w, "labels", p->labels, "{}");
	put_optional_text(&w, "policyVersion", p->policy_version);
	put_optional_json(&w, "rationale", p->rationale, "[]");
	if (p->has_risk_event_sequence)
		put_integer(&w, "riskEventSequence", p->risk_event_sequence);
	put_optional_text(&w, "riskExplanationId", p->risk_explanation_id);
	put_optional_text(&w, "riskProfileVersion", p->risk_profile_version);
	put_optional_number(&w, "riskScore", p->risk_score);
	put_optional_text(&w, "riskSeverity", p->risk_severity);
	PUT(&w, ",\"schema\":\"" LC_PROJECTION_SCHEMA_V1 "\"");
	put_optional_number(&w, "severity", p->severity);
	put_optional_text(&w, "status", p->status);
	put_optional_text(&w, "tenant", p->tenant);
	put_optional_text(&w, "vulnId", p->vuln_id);
	return finish(&w);
}
