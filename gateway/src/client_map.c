/*
 * client_map.c
 *		Entries, and the names in a certificate.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "claims.h"
#include "client_map.h"
#include "lc_jsontree.h"
#include "lc_sha256.h"

#define MAP_DEPTH 8

typedef enum match_kind { MATCH_SHA256, MATCH_SUBJECT, MATCH_URI, MATCH_DNS } match_kind;
static const char *const kind_names[] = {"sha256", "subject", "uri", "dns"};

#define KINDS (sizeof(kind_names) / sizeof(kind_names[0]))

typedef struct client
{
	match_kind	kind;
	char	   *value;			/* of sha256: 64 lower-case digits */
	identity	who;
} client;

struct client_map
{
	size_t		count;
	client	   *clients;
};

static bool
is(lc_str s, const char *text)
{
	return s.s != NULL && s.n == strlen(text) && memcmp(s.s, text, s.n) == 0;
}

/* ---- the file ---- */

/* All members of an object must be among these names, which end with NULL. */
static bool
check_members(const lc_json *object, const char *const *names, fault *f)
{
	if (object->type != LC_JSON_OBJECT)
		return fault_set(f, "not an object");
	for (const lc_json *m = object->child; m != NULL; m = m->next)
	{
		const char *const *name = names;

		while (*name != NULL && !is(m->key, *name))
			name++;
		if (*name == NULL)
			return fault_set(f, "unknown member \"%.*s\"", m->key.n > 64 ? 64 : (int) m->key.n, m->key.s);
	}
	return true;
}

/* "AB:CD:…" and "abcd…" are the same. */
static bool
normal_sha256(char *value)
{
	char	   *to = value;

	for (const char *from = value; *from != '\0'; from++)
	{
		if (*from == ':')
			continue;
		if (strchr("0123456789abcdefABCDEF", *from) == NULL)
			return false;
		*to++ = (char) (*from >= 'A' && *from <= 'F' ? *from + ('a' - 'A') : *from);
	}
	*to = '\0';
	return to - value == 64;
}

static bool
read_match(const lc_json *match, client *out, fault *f)
{
	const char *const names[] = {"sha256", "subject", "uri", "dns", NULL};

	if (match == NULL)
		return fault_set(f, "no \"match\"");
	if (!check_members(match, names, f))
		return fault_at(f, "match");
	if (match->count != 1 || match->child->type != LC_JSON_STRING || match->child->text.n == 0)
		return fault_set(f, "\"match\" must have one member, a string");
	for (size_t k = 0; k < KINDS; k++)
		if (is(match->child->key, kind_names[k]))
			out->kind = (match_kind) k;
	out->value = strndup(match->child->text.s, match->child->text.n);
	if (out->value == NULL)
		return fault_set(f, "out of memory");
	if (out->kind == MATCH_SHA256 && !normal_sha256(out->value))
		return fault_set(f, "\"sha256\" must have 64 hex digits");
	return true;
}

static bool
read_scopes(const lc_json *scopes, identity *out, fault *f)
{
	if (scopes == NULL || scopes->type != LC_JSON_ARRAY || scopes->count == 0)
		return fault_set(f, "\"scopes\" must be an array of names");
	for (const lc_json *one = scopes->child; one != NULL; one = one->next)
	{
		scope		found = one->type == LC_JSON_STRING ? scope_find(one->text.s, one->text.n) : SCOPE_NONE;

		if (found == SCOPE_NONE)
			return fault_set(f, "unknown scope \"%.*s\"", one->text.n > 64 ? 64 : (int) one->text.n,
							 one->text.s != NULL ? one->text.s : "");
		out->scopes |= (uint32_t) found;
	}
	return true;
}

static bool
read_actor(const lc_json *entry, identity *out, fault *f)
{
	const lc_json *type = lc_json_member(entry, "actorType");
	lc_str		subject = lc_json_string(entry, "subject");

	if (subject.s == NULL || subject.n == 0 || subject.n >= sizeof(out->subject))
		return fault_set(f, "\"subject\" must be a string of 1 to 255 bytes");
	for (size_t i = 0; i < subject.n; i++)
		if ((unsigned char) subject.s[i] < 0x20 || subject.s[i] == 0x7f)
			return fault_set(f, "\"subject\" has a control character");
	memcpy(out->subject, subject.s, subject.n);
	if (type != NULL && (type->type != LC_JSON_STRING ||
						 !(is(type->text, "system") || is(type->text, "operator") || is(type->text, "integration"))))
		return fault_set(f, "\"actorType\" must be system, operator or integration");
	snprintf(out->actor_type, sizeof(out->actor_type), "%.*s", type != NULL ? (int) type->text.n : 11,
			 type != NULL ? type->text.s : "integration");
	return true;
}

static bool
read_client(const lc_json *entry, client *out, fault *f)
{
	const char *const names[] = {"match", "tenant", "subject", "actorType", "scopes", NULL};
	lc_str		tenant;

	if (!check_members(entry, names, f) || !read_match(lc_json_member(entry, "match"), out, f))
		return false;
	tenant = lc_json_string(entry, "tenant");
	if (tenant.s == NULL || !tenant_name_valid(tenant.s, tenant.n))
		return fault_set(f, "\"tenant\" must be the name of a tenant");
	memcpy(out->who.tenant, tenant.s, tenant.n);
	out->who.certificate = true;
	return read_actor(entry, &out->who, f) && read_scopes(lc_json_member(entry, "scopes"), &out->who, f);
}

static bool
same_match(const client *a, const client *b)
{
	return a->kind == b->kind &&
		(a->kind == MATCH_DNS ? strcasecmp(a->value, b->value) : strcmp(a->value, b->value)) == 0;
}

static bool
same_identity(const identity *a, const identity *b)
{
	return strcmp(a->tenant, b->tenant) == 0 && strcmp(a->subject, b->subject) == 0 &&
		strcmp(a->actor_type, b->actor_type) == 0 && a->scopes == b->scopes;
}

static bool
read_clients(const lc_json *clients, client_map *map, fault *f)
{
	map->clients = calloc(clients->count > 0 ? clients->count : 1, sizeof(client));
	if (map->clients == NULL)
		return fault_set(f, "out of memory");
	for (const lc_json *entry = clients->child; entry != NULL; entry = entry->next)
	{
		client	   *c = &map->clients[map->count++];

		if (!read_client(entry, c, f))
			return fault_at(f, "entry %zu", map->count);
		for (size_t i = 0; i + 1 < map->count; i++)
			if (same_match(&map->clients[i], c) && !same_identity(&map->clients[i].who, &c->who))
				return fault_set(f, "entries %zu and %zu match the same certificates and differ", i + 1, map->count);
	}
	return true;
}

client_map *
client_map_parse(const char *text, size_t n, fault *f)
{
	const char *const names[] = {"clients", NULL};
	client_map *map = calloc(1, sizeof(*map));
	lc_jsontree *tree = NULL;
	lc_json_error err;
	const lc_json *root;
	const lc_json *clients;
	bool		good = false;

	if (map == NULL)
		fault_set(f, "out of memory");
	else if (lc_jsontree_parse(text, n, MAP_DEPTH, &lc_alloc_malloc, &tree, &err) != LC_OK)
		fault_set(f, "%s in line %zu, column %zu", lc_status_text(err.status), err.line, err.column);
	else
	{
		root = lc_jsontree_root(tree);
		clients = lc_json_member(root, "clients");
		if (check_members(root, names, f))
			good = clients != NULL && clients->type == LC_JSON_ARRAY ? read_clients(clients, map, f)
				: fault_set(f, "no array \"clients\"");
	}
	lc_jsontree_free(tree);
	if (good)
		return map;
	client_map_free(map);
	return NULL;
}

client_map *
client_map_load(const char *path, fault *f)
{
	char		piece[4096];
	size_t		n;
	lc_buf		text;
	client_map *map = NULL;
	FILE	   *file = fopen(path, "re");

	if (file == NULL)
	{
		fault_set(f, "%s", strerror(errno));
		return NULL;
	}
	lc_buf_init(&text, &lc_alloc_malloc);
	while (text.len <= CLIENT_MAP_MAX_BYTES && (n = fread(piece, 1, sizeof(piece), file)) > 0)
		lc_buf_append(&text, piece, n);
	if (ferror(file) || text.status != LC_OK || text.len > CLIENT_MAP_MAX_BYTES)
		fault_set(f, "it cannot be read whole, or has more than %d bytes", CLIENT_MAP_MAX_BYTES);
	else
		map = client_map_parse(text.data != NULL ? text.data : "", text.len, f);
	fclose(file);
	lc_buf_free(&text);
	return map;
}

void
client_map_free(client_map *map)
{
	if (map == NULL)
		return;
	for (size_t i = 0; i < map->count; i++)
		free(map->clients[i].value);
	free(map->clients);
	free(map);
}

/* ---- a certificate ---- */

static bool
has_subject(X509 *cert, const char *value)
{
	BIO		   *out = BIO_new(BIO_s_mem());
	char	   *text;
	long		n;
	bool		same = false;

	if (out != NULL && X509_NAME_print_ex(out, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0)
	{
		n = BIO_get_mem_data(out, &text);
		same = n == (long) strlen(value) && n > 0 && memcmp(text, value, (size_t) n) == 0;
	}
	BIO_free(out);
	return same;
}

/* By length, not up to a NUL: "good.example\0.evil.example" is another name. */
static bool
same_name(const ASN1_STRING *name, const client *c)
{
	int			n = ASN1_STRING_length(name);
	const char *text = (const char *) ASN1_STRING_get0_data(name);

	if (n < 0 || (size_t) n != strlen(c->value))
		return false;
	return (c->kind == MATCH_DNS ? strncasecmp(text, c->value, (size_t) n) : memcmp(text, c->value, (size_t) n)) == 0;
}

static bool
has_alternative(X509 *cert, const client *c)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int			type = c->kind == MATCH_URI ? GEN_URI : GEN_DNS;
	bool		found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
	{
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		/* Both kinds are an IA5String in the same union. */
		if (name->type == type && same_name(name->d.ia5, c))
			found = true;
	}
	GENERAL_NAMES_free(names);
	return found;
}

static bool
matches(const client *c, X509 *cert, const char *sha256)
{
	switch (c->kind)
	{
		case MATCH_SHA256:
			return strcmp(c->value, sha256) == 0;
		case MATCH_SUBJECT:
			return has_subject(cert, c->value);
		case MATCH_URI:
		case MATCH_DNS:
			return has_alternative(cert, c);
	}
	return false;
}

static bool
hex_sha256(const uint8_t *der, size_t n, char out[65])
{
	uint8_t		hash[LC_HASH_LEN];

	if (lc_sha256(der, n, hash) != LC_OK)
		return false;
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
	return true;
}

bool
client_map_find(const client_map *map, const uint8_t *der, size_t n, identity *out)
{
	const unsigned char *p = der;
	char		sha256[65];
	X509	   *cert;
	bool		found = false;

	if (n > CLIENT_MAP_MAX_BYTES || !hex_sha256(der, n, sha256))
		return false;
	ERR_set_mark();
	cert = d2i_X509(NULL, &p, (long) n);
	for (size_t i = 0; cert != NULL && p == der + n && !found && i < map->count; i++)
	{
		found = matches(&map->clients[i], cert, sha256);
		if (found)
			*out = map->clients[i].who;
	}
	X509_free(cert);
	ERR_pop_to_mark();
	return found;
}
