/*
 * core_cli.c
 *		The core behind a line protocol, for comparison with other
 *		implementations.
 *
 * One command per line on standard input, one answer per line on standard
 * output: "ok<TAB>result[<TAB>result…]" or "error<TAB>phrase[<TAB>place]".
 * Fields are separated by tabs; a text field is hex, "-" where absent.
 *
 *		json HEX				canonical form
 *		number TEXT				canonical form of a decimal
 *		double HEX				the same for the big-endian bits of a double
 *		chain TENANT POLICY		chain id
 *		salted DOMAIN SALT JSON	salted hash of the canonical form
 *		event 19 fields			envelope, event hash, leaf hash
 *		projection 20 fields	canonical form, cycle hash
 *
 * A line that is no command ends the program with status 2.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "lc_envelope.h"
#include "lc_hex.h"
#include "lc_jsonparse.h"
#include "lc_number.h"

#define MAX_FIELDS 24

static const lc_alloc *const alloc = &lc_alloc_malloc;

/* The fields of the current line, decoded texts and the answer. */
static char *fields[MAX_FIELDS];
static size_t nfields;
static char *decoded[MAX_FIELDS];
static lc_buf answer;

static void
give_up(const char *why)
{
	fprintf(stderr, "core_cli: %s\n", why);
	exit(2);
}

static void
split(char *line)
{
	nfields = 0;
	while (line != NULL && nfields < MAX_FIELDS)
	{
		fields[nfields++] = line;
		line = strchr(line, '\t');
		if (line != NULL)
			*line++ = '\0';
	}
}

static void
need(size_t n)
{
	if (nfields != n + 1)
		give_up("wrong number of fields");
}

static bool
absent(size_t i)
{
	return strcmp(fields[i], "-") == 0;
}

/* Field i from hex; its memory lives until the line is answered. */
static lc_str
text_field(size_t i)
{
	lc_str		s = {NULL, 0};
	size_t		n = strlen(fields[i]);

	if (absent(i))
		return s;
	decoded[i] = malloc(n / 2 + 1);
	if (decoded[i] == NULL || lc_hex_decode(fields[i], n, (uint8_t *) decoded[i], n / 2) != LC_OK)
		give_up("bad hex");
	s.s = decoded[i];
	s.n = n / 2;
	return s;
}

static void
uuid_field(size_t i, uint8_t uuid[LC_UUID_LEN])
{
	if (lc_uuid_parse(fields[i], strlen(fields[i]), uuid) != LC_OK)
		give_up("bad uuid");
}

static void
hash_field(size_t i, uint8_t hash[LC_HASH_LEN])
{
	if (lc_hex_decode(fields[i], strlen(fields[i]), hash, LC_HASH_LEN) != LC_OK)
		give_up("bad hash");
}

static int64_t
integer_field(size_t i)
{
	return strtoll(fields[i], NULL, 10);
}

static void
put_hash(const uint8_t hash[LC_HASH_LEN])
{
	lc_buf_putc(&answer, '\t');
	lc_buf_put_hex(&answer, hash, LC_HASH_LEN);
}

static lc_status
do_json(void)
{
	lc_str		json;
	lc_json_error err;
	lc_status	status;

	need(1);
	json = text_field(1);
	status = lc_json_canonicalize(json.s, json.n, &answer, alloc, &err);
	if (status != LC_OK)
	{
		lc_buf_putc(&answer, '\t');
		lc_buf_put_int64(&answer, (int64_t) err.offset);
		lc_buf_putc(&answer, '\t');
		lc_buf_puts(&answer, err.path);
	}
	return status;
}

static lc_status
do_number(void)
{
	need(1);
	return lc_number_canonical(&answer, fields[1], strlen(fields[1]));
}

static lc_status
do_double(void)
{
	uint64_t	bits;
	double		value;

	need(1);
	bits = strtoull(fields[1], NULL, 16);
	memcpy(&value, &bits, sizeof(value));
	return lc_number_from_double(&answer, value);
}

static lc_status
do_chain(void)
{
	uint8_t		uuid[LC_UUID_LEN];
	char		text[LC_UUID_TEXT];
	lc_str		policy;
	lc_status	status;

	need(2);
	policy = text_field(2);
	status = lc_uuid_chain(uuid, text_field(1), policy);
	lc_uuid_format(uuid, text);
	lc_buf_append(&answer, text, sizeof(text));
	return status;
}

static lc_status
do_salted(void)
{
	uint8_t		hash[LC_HASH_LEN];
	lc_str		salt;
	lc_str		json;
	lc_buf		canonical;
	lc_status	status;

	need(3);
	salt = text_field(2);
	json = text_field(3);
	lc_buf_init(&canonical, alloc);
	status = lc_json_canonicalize(json.s, json.n, &canonical, alloc, NULL);
	if (status == LC_OK)
		status = lc_salted_hash((uint8_t) integer_field(1), (const uint8_t *) salt.s, salt.n,
								canonical.data, canonical.len, hash);
	if (status == LC_OK)
		lc_buf_put_hex(&answer, hash, LC_HASH_LEN);
	lc_buf_free(&canonical);
	return status;
}

static lc_status
do_event(void)
{
	lc_event	e;
	uint8_t		hash[LC_HASH_LEN];
	size_t		start = answer.len;
	size_t		n;
	lc_status	status;

	need(19);
	memset(&e, 0, sizeof(e));
	e.tenant = text_field(1);
	e.type = text_field(2);
	e.policy_version = text_field(3);
	e.finding_id = text_field(4);
	e.artifact_id = text_field(5);
	e.vuln_id = text_field(6);
	e.actor_id = text_field(7);
	e.actor_type = text_field(8);
	e.recorded_by = text_field(9);
	e.evidence_bundle_ref = text_field(10);
	uuid_field(11, e.id);
	uuid_field(12, e.chain_id);
	e.has_source_run_id = !absent(13);
	if (e.has_source_run_id)
		uuid_field(13, e.source_run_id);
	e.occurred_us = integer_field(14);
	e.recorded_us = integer_field(15);
	e.sequence = integer_field(16);
	hash_field(17, e.payload_hash);
	e.has_evaluation_hash = !absent(18);
	if (e.has_evaluation_hash)
		hash_field(18, e.evaluation_hash);
	hash_field(19, e.previous_hash);

	status = lc_event_envelope(&answer, &e);
	if (status != LC_OK)
		return status;
	n = answer.len - start;
	if (lc_event_hash(answer.data + start, n, hash) != LC_OK)
		return LC_ERR_CRYPTO;
	put_hash(hash);
	if (lc_leaf_hash(answer.data + start, n, hash) != LC_OK)
		return LC_ERR_CRYPTO;
	put_hash(hash);
	return LC_OK;
}

static lc_status
do_projection(void)
{
	lc_projection p;
	uint8_t		hash[LC_HASH_LEN];
	size_t		start = answer.len;
	lc_status	status;

	need(20);
	memset(&p, 0, sizeof(p));
	p.tenant = text_field(1);
	p.finding_id = text_field(2);
	p.policy_version = text_field(3);
	p.artifact_id = text_field(4);
	p.vuln_id = text_field(5);
	p.status = text_field(6);
	p.severity = text_field(7);
	p.labels = text_field(8);
	p.explain_ref = text_field(9);
	p.rationale = text_field(10);
	p.risk_score = text_field(11);
	p.risk_severity = text_field(12);
	p.risk_profile_version = text_field(13);
	p.risk_explanation_id = text_field(14);
	p.has_risk_event_sequence = !absent(15);
	p.risk_event_sequence = integer_field(15);
	p.airgap_bundle_id = text_field(16);
	p.has_airgap_staleness_seconds = !absent(17);
	p.airgap_staleness_seconds = integer_field(17);
	uuid_field(18, p.chain_id);
	uuid_field(19, p.current_event_id);
	p.current_sequence = integer_field(20);

	status = lc_projection_canonical(&answer, &p);
	if (status != LC_OK)
		return status;
	if (lc_sha256(answer.data + start, answer.len - start, hash) != LC_OK)
		return LC_ERR_CRYPTO;
	put_hash(hash);
	return LC_OK;
}

static const struct
{
	const char *name;
	lc_status	(*run) (void);
}			commands[] = {
	{"json", do_json},
	{"number", do_number},
	{"double", do_double},
	{"chain", do_chain},
	{"salted", do_salted},
	{"event", do_event},
	{"projection", do_projection},
};

static void
answer_line(char *line)
{
	size_t		i;
	lc_status	status;

	split(line);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
	{
		if (strcmp(fields[0], commands[i].name) == 0)
			break;
	}
	if (i == sizeof(commands) / sizeof(commands[0]))
		give_up("unknown command");

	lc_buf_reset(&answer);
	status = commands[i].run();
	if (answer.status != LC_OK)
		give_up("out of memory");
	if (status == LC_OK)
		printf("ok\t%.*s\n", (int) answer.len, answer.len > 0 ? answer.data : "");
	else
		printf("error\t%s%.*s\n", lc_status_text(status), (int) answer.len,
			   answer.len > 0 ? answer.data : "");

	for (i = 0; i < MAX_FIELDS; i++)
	{
		free(decoded[i]);
		decoded[i] = NULL;
	}
}

int
main(void)
{
	char	   *line = NULL;
	size_t		size = 0;
	ssize_t		n;

	lc_buf_init(&answer, alloc);
	while ((n = getline(&line, &size, stdin)) >= 0)
	{
		if (n > 0 && line[n - 1] == '\n')
			line[n - 1] = '\0';
		answer_line(line);
	}
	free(line);
	lc_buf_free(&answer);
	lc_sha256_thread_end();
	return fflush(stdout) == 0 ? 0 : 1;
}
