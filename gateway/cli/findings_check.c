/*
 * findings_check.c
 *		What the lines of an export say, and whether its manifest says the same.
 *
 * Every line is canonical, so the text that its digest covers is the line with
 * the bytes of one member cut out.
 */
#include <stdlib.h>
#include <string.h>

#include "findings_check.h"
#include "lc_hex.h"

#define PAYLOAD_TYPE "application/vnd.stella-ledger-export+json"
#define DIGEST_NAME "\"lineDigest\":"
#define DEPTH 64

static bool
same(lc_str a, const lc_buf *b)
{
	return a.s != NULL && a.n == b->len && (a.n == 0 || memcmp(a.s, b->data, a.n) == 0);
}

static void
keep(lc_buf *out, lc_str text)
{
	lc_buf_reset(out);
	lc_buf_append(out, text.s, text.n);
}

cli_exit
findings_begin(findings_page *p, const redaction *rules)
{
	lc_buf	   *all[] = {&p->tenant, &p->schema, &p->first, &p->last, &p->version, &p->cycle, &p->payload};

	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		lc_buf_init(all[i], &cli_alloc);
	p->rules = rules;
	p->dataset = EVP_MD_CTX_new();
	if (p->dataset == NULL || EVP_DigestInit_ex(p->dataset, EVP_sha256(), NULL) != 1)
		return cli_error(CLI_USAGE, "OpenSSL cannot hash");
	return CLI_GOOD;
}

void
findings_free(findings_page *p)
{
	lc_buf	   *all[] = {&p->tenant, &p->schema, &p->first, &p->last, &p->version, &p->cycle, &p->payload};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i]->alloc != NULL)
			lc_buf_free(all[i]);
	EVP_MD_CTX_free(p->dataset);
	lc_jsontree_free(p->manifest);
}

bool
findings_is_manifest(const lc_json *line)
{
	return lc_json_member(line, "manifest") != NULL;
}

/* ---- a line ---- */

static cli_exit
check_canonical(const char *where, lc_str text)
{
	lc_buf		canonical;
	bool		good;

	lc_buf_init(&canonical, &cli_alloc);
	good = lc_json_canonicalize(text.s, text.n, &canonical, &cli_alloc, NULL) == LC_OK && same(text, &canonical);
	lc_buf_free(&canonical);
	return good ? CLI_GOOD : cli_error(CLI_FAILED, "%s: not canonical JSON", where);
}

/* The digest of the line without the member that holds it, and that they are the same. */
static cli_exit
check_digest(findings_page *p, const char *where, lc_str text, const lc_json *line)
{
	const lc_json *stated = lc_json_member(line, "lineDigest");
	size_t		name = strlen(DIGEST_NAME);
	const char *from;
	const char *to;
	uint8_t		digest[LC_HASH_LEN];
	char		hex[2 * LC_HASH_LEN];

	if (stated == NULL || stated->type != LC_JSON_STRING)
		return cli_error(CLI_FAILED, "%s: no lineDigest", where);
	from = stated->source.s - name;
	to = stated->source.s + stated->source.n;
	/* With the comma that joins it to its neighbour. */
	if (*to == ',')
		to++;
	else if (from[-1] == ',')
		from--;
	if (lc_sha256_parts((lc_bytes[]) {{text.s, (size_t) (from - text.s)}, {to, (size_t) (text.s + text.n - to)}}, 2,
		digest) != LC_OK ||
		EVP_DigestUpdate(p->dataset, digest, sizeof(digest)) != 1)
		return cli_error(CLI_USAGE, "OpenSSL cannot hash");
	lc_hex_encode(digest, sizeof(digest), hex);
	if (stated->text.n != sizeof(hex) || memcmp(stated->text.s, hex, sizeof(hex)) != 0)
		return cli_error(CLI_FAILED, "%s: the line's digest is %.64s, but it says %.*s", where, hex,
			CLI_SHOW(stated->text));
	return CLI_GOOD;
}

static int
compare(lc_str a, const lc_buf *b)
{
	size_t		n = a.n < b->len ? a.n : b->len;
	int			order = n > 0 ? memcmp(a.s, b->data, n) : 0;

	return order != 0 ? order : a.n < b->len ? -1 : a.n > b->len;
}

static cli_exit
check_place(findings_page *p, const char *where, const lc_json *line)
{
	lc_str		version = lc_json_string(line, "projection_version");
	lc_str		cycle = lc_json_string(line, "cycle_hash");
	uint64_t	sequence;
	int			order;

	if (!lc_json_uint(line, "event_sequence", &sequence) || version.s == NULL || cycle.s == NULL)
		return cli_error(CLI_FAILED,
			"%s: no finding of an export: event_sequence, projection_version or cycle_hash is missing", where);
	order = sequence < p->sequence ? -1 : sequence > p->sequence ? 1 : compare(version, &p->version);
	if (order == 0)
		order = compare(cycle, &p->cycle);
	if (p->lines > 0 && order <= 0)
		return cli_error(CLI_FAILED, "%s: out of order, or there twice", where);
	p->sequence = sequence;
	keep(&p->version, version);
	keep(&p->cycle, cycle);
	lc_buf_reset(&p->last);
	lc_buf_puts(&p->last, "{\"cycle_hash\":");
	lc_jcs_put_string(&p->last, cycle.s, cycle.n);
	lc_buf_puts(&p->last, ",\"event_sequence\":");
	lc_buf_put_int64(&p->last, (int64_t) sequence);
	lc_buf_puts(&p->last, ",\"projection_version\":");
	lc_jcs_put_string(&p->last, version.s, version.n);
	lc_buf_putc(&p->last, '}');
	if (p->lines == 0)
		keep(&p->first, (lc_str) {p->last.data, p->last.len});
	return CLI_GOOD;
}

static cli_exit
check_subject(findings_page *p, const char *where, const lc_json *line)
{
	lc_str		tenant = lc_json_string(line, "tenant");
	lc_str		schema = lc_json_string(line, "schema");

	if (tenant.s == NULL || !(cli_is(schema, "export.v1.canonical") || cli_is(schema, "export.v1.compact")))
		return cli_error(CLI_FAILED, "%s: the schema is \"%.*s\", which is not known", where, CLI_SHOW(schema));
	if (p->lines == 0)
	{
		keep(&p->tenant, tenant);
		keep(&p->schema, schema);
		return CLI_GOOD;
	}
	if (!same(tenant, &p->tenant))
		return cli_error(CLI_FAILED, "%s: of tenant \"%.*s\" in an export of \"%s\"", where, CLI_SHOW(tenant),
			p->tenant.data);
	if (!same(schema, &p->schema))
		return cli_error(CLI_FAILED, "%s: %.*s among lines of %s", where, CLI_SHOW(schema), p->schema.data);
	return CLI_GOOD;
}

cli_exit
findings_line(findings_page *p, const char *where, lc_str text, const lc_json *line)
{
	cli_exit	code = line->type == LC_JSON_OBJECT ? check_canonical(where, text)
		: cli_error(CLI_FAILED, "%s: no finding of an export", where);
	cli_exit	next;

	if (code == CLI_GOOD)
		code = check_digest(p, where, text, line);
	next = check_subject(p, where, line);
	if (next == CLI_GOOD)
	{
		lc_str		shape = {p->schema.data + strlen("export.v1."), p->schema.len - strlen("export.v1.")};
		cli_exit	last = redaction_check(p->rules, where, shape, line);

		next = check_place(p, where, line);
		next = next != CLI_GOOD ? next : last;
	}
	p->lines++;
	return code != CLI_GOOD ? code : next;
}

/* ---- the manifest ---- */

static cli_exit
open_envelope(findings_page *p, const char *where, const lc_json *line, const trust *t)
{
	const lc_json *envelope = lc_json_member(line, "manifest");
	lc_dsse		dsse;
	cli_exit	code = CLI_GOOD;

	if (lc_dsse_parse(envelope->source.s, envelope->source.n, &cli_alloc, &dsse) != LC_OK)
		return cli_error(CLI_FAILED, "%s: the manifest is no DSSE envelope", where);
	if (!cli_is((lc_str) {dsse.payload_type.data, dsse.payload_type.len}, PAYLOAD_TYPE))
		code = cli_error(CLI_FAILED, "%s: the manifest is of type %s", where, dsse.payload_type.data);
	else if (t->log.count > 0)
		code = trust_dsse(where, &dsse, t);
	else
		cli_note("%s: no --key was given: who made the export, and that it is whole, is not shown", where);
	keep(&p->payload, (lc_str) {dsse.payload.data, dsse.payload.len});
	lc_dsse_free(&dsse);
	if (code == CLI_GOOD)
		code = check_canonical(where, (lc_str) {p->payload.data, p->payload.len});
	if (code == CLI_GOOD && lc_jsontree_parse(p->payload.data, p->payload.len, DEPTH, &cli_alloc, &p->manifest,
		NULL) != LC_OK)
		code = cli_error(CLI_FAILED, "%s: the manifest's payload is no JSON", where);
	return code;
}

static cli_exit
check_hex(const char *where, const lc_json *manifest, const char *name, const uint8_t hash[LC_HASH_LEN],
	const char *what)
{
	lc_str		stated = lc_json_string(manifest, name);
	char		hex[2 * LC_HASH_LEN];

	lc_hex_encode(hash, LC_HASH_LEN, hex);
	if (stated.s != NULL && stated.n == sizeof(hex) && memcmp(stated.s, hex, sizeof(hex)) == 0)
		return CLI_GOOD;
	return cli_error(CLI_FAILED, "%s: %s is %.64s, but the manifest says %.*s", where, what, hex, CLI_SHOW(stated));
}

static cli_exit
check_hashes(findings_page *p, const char *where, const lc_json *manifest)
{
	const lc_json *filters = lc_json_member(manifest, "filters");
	uint8_t		hash[LC_HASH_LEN];
	cli_exit	code;

	if (EVP_DigestFinal_ex(p->dataset, hash, NULL) != 1)
		return cli_error(CLI_USAGE, "OpenSSL cannot hash");
	code = check_hex(where, manifest, "datasetSha256", hash, "the data set's SHA-256");
	if (code != CLI_GOOD)
		return code;
	/* What is part of a canonical text is canonical. */
	if (filters == NULL || lc_sha256(filters->source.s, filters->source.n, hash) != LC_OK)
		return cli_error(CLI_FAILED, "%s: the manifest names no filters", where);
	code = check_hex(where, manifest, "filtersHash", hash, "the SHA-256 of the filters");
	if (code == CLI_GOOD && p->rules->given)
		code = check_hex(where, manifest, "redactionSha256", p->rules->digest,
			"the SHA-256 of the rules given by --redaction");
	return code;
}

static cli_exit
check_position(const char *where, const lc_json *manifest, const char *name, const findings_page *p,
	const lc_buf *place)
{
	const lc_json *stated = lc_json_member(manifest, name);

	if (p->lines == 0 ? stated == NULL : stated != NULL && same(stated->source, place))
		return CLI_GOOD;
	return cli_error(CLI_FAILED, "%s: %s is not that of the lines", where, name);
}

static cli_exit
check_subjects(findings_page *p, const char *where, const lc_json *manifest)
{
	lc_str		schema = lc_json_string(manifest, "schemaVersion");
	uint64_t	count;

	if (!(cli_is(schema, "export.v1.canonical") || cli_is(schema, "export.v1.compact")))
		return cli_error(CLI_FAILED, "%s: the manifest is of version \"%.*s\", which is not known", where,
			CLI_SHOW(schema));
	if (!lc_json_uint(manifest, "count", &count) || count != p->lines)
		return cli_error(CLI_FAILED, "%s: %llu lines, but the manifest does not count as many", where,
			(unsigned long long) p->lines);
	if (p->lines > 0 && !same(schema, &p->schema))
		return cli_error(CLI_FAILED, "%s: the lines are %s, but the manifest is of %.*s", where, p->schema.data,
			CLI_SHOW(schema));
	if (p->lines > 0 && !same(lc_json_string(manifest, "tenant"), &p->tenant))
		return cli_error(CLI_FAILED, "%s: the lines are of tenant \"%s\", but the manifest is of another", where,
			p->tenant.data);
	return CLI_GOOD;
}

/* The token stands beside the envelope for convenience; the signed one counts. */
static cli_exit
check_token(const char *where, const lc_json *manifest, const lc_json *line)
{
	lc_str		told = lc_json_string(line, "nextPageToken");
	lc_str		token = lc_json_string(manifest, "nextPageToken");

	if (told.n == token.n && (told.s == NULL) == (token.s == NULL) && (told.n == 0 || memcmp(told.s, token.s,
		told.n) == 0))
		return CLI_GOOD;
	return cli_error(CLI_FAILED, "%s: the nextPageToken beside the manifest is not the one in it", where);
}

cli_exit
findings_manifest(findings_page *p, const char *where, const lc_json *line, const trust *t)
{
	const lc_json *manifest;
	cli_exit	code = open_envelope(p, where, line, t);

	if (code != CLI_GOOD)
		return code;
	manifest = lc_jsontree_root(p->manifest);
	code = check_subjects(p, where, manifest);
	if (code == CLI_GOOD)
		code = check_hashes(p, where, manifest);
	if (code == CLI_GOOD)
		code = check_position(where, manifest, "firstPosition", p, &p->first);
	if (code == CLI_GOOD)
		code = check_position(where, manifest, "lastPosition", p, &p->last);
	return code == CLI_GOOD ? check_token(where, manifest, line) : code;
}

/* ---- pages ---- */

static bool
same_member(const findings_page *a, const findings_page *b, const char *name, const char *other)
{
	const lc_json *x = lc_json_member(lc_jsontree_root(a->manifest), name);
	const lc_json *y = lc_json_member(lc_jsontree_root(b->manifest), other);

	return x != NULL && y != NULL && x->source.n == y->source.n && memcmp(x->source.s, y->source.s, x->source.n) == 0;
}

cli_exit
findings_follow(const findings_page *before, const findings_page *page, const char *where)
{
	if (!same_member(before, page, "tenant", "tenant") || !same_member(before, page, "filtersHash", "filtersHash") ||
		!same_member(before, page, "chains", "chains") || !same_member(before, page, "redactionSha256",
			"redactionSha256"))
		return cli_error(CLI_FAILED, "%s: a page of another export than the one before it", where);
	if (!same_member(before, page, "lastPosition", "afterPosition"))
		return cli_error(CLI_FAILED, "%s: does not begin where the page before it ended", where);
	return CLI_GOOD;
}
