/*
 * redaction.c
 *		Whether a line of an export obeys the rules of redaction.
 *
 * Addresses are looked for by hand and not by a regular expression: what the
 * library's may do depends on the locale of whoever verifies.
 */
#include <stdlib.h>
#include <string.h>

#include "redaction.h"

#define MANIFEST_MAX (1024 * 1024)
#define MANIFEST_DEPTH 8
#define MASK "[masked]"

/* What must hold whatever the manifest of the day says. */
static const redaction_rule built_in[] = {
	{"canonical", "provenance.actor_id", "truncate_realm"},
	{"canonical", "provenance.comment", "mask"},
	{"canonical", "*", "mask_addresses"},
	{"compact", "provenance.actor_id", "drop"},
	{"compact", "provenance.comment", "drop"},
	{"compact", "rationale", "drop"},
	{"compact", "*", "mask_addresses"}
};

/* ---- rules ---- */

static cli_exit
add_rule(redaction *r, const char *path, const lc_json *rule)
{
	lc_str		shape = lc_json_string(rule, "shape");
	lc_str		where = lc_json_string(rule, "path");
	lc_str		action = lc_json_string(rule, "action");

	if (shape.s == NULL || where.s == NULL ||
		!(cli_is(action, "mask") || cli_is(action, "drop") || cli_is(action, "truncate_realm") ||
		  cli_is(action, "mask_addresses")))
		return cli_error(CLI_USAGE, "%s: a rule that is not understood: %.*s", path, CLI_SHOW(rule->source));
	r->rules[r->count++] = (redaction_rule) {cli_copy(shape), cli_copy(where), cli_copy(action)};
	return CLI_GOOD;
}

static cli_exit
read_rules(redaction *r, const char *path, lc_str text)
{
	lc_jsontree *tree;
	const lc_json *rules;
	cli_exit	code = CLI_GOOD;

	if (lc_jsontree_parse(text.s, text.n, MANIFEST_DEPTH, &cli_alloc, &tree, NULL) != LC_OK)
		return cli_error(CLI_USAGE, "%s: no manifest of redaction", path);
	rules = lc_json_member(lc_jsontree_root(tree), "rules");
	if (rules == NULL || rules->type != LC_JSON_ARRAY ||
		!cli_is(lc_json_string(lc_jsontree_root(tree), "schema"), "ledger.redaction.v1"))
		code = cli_error(CLI_USAGE, "%s: no manifest of redaction of version ledger.redaction.v1", path);
	else
	{
		r->rules = cli_alloc.resize(NULL, NULL, (rules->count + 1) * sizeof(*r->rules));
		for (const lc_json *rule = rules->child; rule != NULL && code == CLI_GOOD; rule = rule->next)
			code = add_rule(r, path, rule);
	}
	lc_jsontree_free(tree);
	return code;
}

cli_exit
redaction_read(const char *path, redaction *out)
{
	lc_buf		file;
	lc_buf		canonical;
	cli_exit	code;

	memset(out, 0, sizeof(*out));
	if (path == NULL)
	{
		out->rules = (redaction_rule *) built_in;
		out->count = sizeof(built_in) / sizeof(built_in[0]);
		return CLI_GOOD;
	}
	out->given = true;
	code = cli_read_file(path, MANIFEST_MAX, &file);
	lc_buf_init(&canonical, &cli_alloc);
	if (code == CLI_GOOD && lc_json_canonicalize(file.data, file.len, &canonical, &cli_alloc, NULL) != LC_OK)
		code = cli_error(CLI_USAGE, "%s: no JSON", path);
	if (code == CLI_GOOD && lc_sha256(canonical.data, canonical.len, out->digest) != LC_OK)
		code = cli_error(CLI_USAGE, "OpenSSL cannot hash");
	if (code == CLI_GOOD)
		code = read_rules(out, path, (lc_str) {canonical.data, canonical.len});
	lc_buf_free(&canonical);
	lc_buf_free(&file);
	return code;
}

void
redaction_free(redaction *r)
{
	if (!r->given)
		return;
	for (size_t i = 0; i < r->count; i++)
	{
		free((void *) r->rules[i].shape);
		free((void *) r->rules[i].path);
		free((void *) r->rules[i].action);
	}
	free(r->rules);
}

/* ---- addresses ---- */

/* Bytes that are no part of an address, on either side of its sign. */
static bool
is_outside(unsigned char c)
{
	return c <= ' ' || c == 0x7f || strchr("@<>()\"',;:/\\|=?&#[]", c) != NULL;
}

/* U+FF20, the full-width sign. */
static bool
is_wide_sign(const char *s, const char *end)
{
	return end - s >= 3 && memcmp(s, "\xef\xbc\xa0", 3) == 0;
}

/* How many bytes of a sign begin here; 0: none. */
static size_t
sign_length(const char *s, const char *end)
{
	if (*s == '@')
		return 1;
	if (is_wide_sign(s, end) || (end - s >= 3 && memcmp(s, "%40", 3) == 0))
		return 3;
	return 0;
}

static bool
in_domain(const char *s, const char *end)
{
	return s < end && !is_outside((unsigned char) *s) && *s != '%' && *s != '.' && !is_wide_sign(s, end);
}

/* Two characters, neither digit nor hyphen, at the beginning of a label. */
static bool
is_top_level(const char *s, const char *end)
{
	size_t		characters = 0;

	while (in_domain(s, end) && (*s < '0' || *s > '9') && *s != '-')
	{
		characters++;
		for (s++; s < end && ((unsigned char) *s & 0xc0) == 0x80; s++)
			;
		if (characters == 2)
			return true;
	}
	return false;
}

/* A version number: one or more digits, a point, a digit. */
static bool
is_version(const char *s, const char *end)
{
	const char *from = s;

	while (s < end && *s >= '0' && *s <= '9')
		s++;
	return s > from && end - s >= 2 && s[0] == '.' && s[1] >= '0' && s[1] <= '9';
}

static bool
is_domain(const char *s, const char *end)
{
	if (is_version(s, end))
		return false;
	while (in_domain(s, end))
	{
		while (in_domain(s, end))
			s++;
		if (s == end || *s != '.')
			return false;
		s++;
		if (is_top_level(s, end))
			return true;
	}
	return false;
}

static bool
ends_local_part(const char *begin, const char *at)
{
	if (at == begin || is_outside((unsigned char) at[-1]))
		return false;
	return at - begin < 3 || !is_wide_sign(at - 3, at);
}

bool
redaction_has_address(lc_str text)
{
	const char *end = text.s + text.n;

	for (const char *s = text.s; s < end; s++)
	{
		size_t		n = sign_length(s, end);

		if (n > 0 && ends_local_part(text.s, s) && is_domain(s + n, end))
			return true;
	}
	return false;
}

/* ---- a line ---- */

static cli_exit
check_addresses(const char *where, const lc_json *value)
{
	if (value->key.s != NULL && redaction_has_address(value->key))
		return cli_error(CLI_FAILED, "%s: a member is named like an e-mail address", where);
	if (value->type == LC_JSON_STRING && redaction_has_address(value->text))
		return cli_error(CLI_FAILED, "%s: an e-mail address in \"%.*s\"", where, CLI_SHOW(value->key));
	if (value->type != LC_JSON_OBJECT && value->type != LC_JSON_ARRAY)
		return CLI_GOOD;
	for (const lc_json *child = value->child; child != NULL; child = child->next)
	{
		cli_exit	code = check_addresses(where, child);

		if (code != CLI_GOOD)
			return code;
	}
	return CLI_GOOD;
}

/* The member that a path with dots names, or NULL. */
static const lc_json *
find(const lc_json *value, const char *path)
{
	char		name[64];

	while (value != NULL && *path != '\0')
	{
		size_t		n = strcspn(path, ".");

		if (n >= sizeof(name))
			return NULL;
		memcpy(name, path, n);
		name[n] = '\0';
		value = lc_json_member(value, name);
		path += n + (path[n] == '.');
	}
	return value;
}

/* user:<realm>, of lower-case letters, digits, points and hyphens. */
static bool
is_realm(lc_str text)
{
	if (text.s == NULL || text.n < 6 || memcmp(text.s, "user:", 5) != 0)
		return false;
	for (size_t i = 5; i < text.n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789.-", text.s[i]) == NULL || text.s[i] == '\0')
			return false;
	return true;
}

static cli_exit
check_rule(const redaction_rule *rule, const char *where, const lc_json *line)
{
	const lc_json *value;

	if (strcmp(rule->action, "mask_addresses") == 0)
		return check_addresses(where, line);
	value = find(line, rule->path);
	if (value == NULL)
		return CLI_GOOD;
	if (strcmp(rule->action, "drop") == 0)
		return cli_error(CLI_FAILED, "%s: %s is there, and is to be left out", where, rule->path);
	if (strcmp(rule->action, "mask") == 0 && !(value->type == LC_JSON_STRING && cli_is(value->text, MASK)))
		return cli_error(CLI_FAILED, "%s: %s is not masked", where, rule->path);
	if (strcmp(rule->action, "truncate_realm") == 0 && !(value->type == LC_JSON_STRING && is_realm(value->text)))
		return cli_error(CLI_FAILED, "%s: %s is more than a realm", where, rule->path);
	return CLI_GOOD;
}

cli_exit
redaction_check(const redaction *r, const char *where, lc_str shape, const lc_json *line)
{
	for (size_t i = 0; i < r->count; i++)
	{
		cli_exit	code = cli_is(shape, r->rules[i].shape) ? check_rule(&r->rules[i], where, line) : CLI_GOOD;

		if (code != CLI_GOOD)
			return code;
	}
	return CLI_GOOD;
}
