/*
 * state.c
 *		The signer's memory.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "durable.h"
#include "lc_hex.h"
#include "lc_jcs.h"
#include "lc_jsontree.h"
#include "state.h"

#define STATE_SCHEMA "ledger.signer.v1"
#define STATE_MAX 4096

bool
state_open(state_dir *dir, const char *path, fault *f)
{
	dir->fd = durable_open_dir(path, f);
	if (dir->fd < 0)
		return false;
	if (flock(dir->fd, LOCK_EX | LOCK_NB) != 0)
	{
		state_close(dir);
		return fault_set(f, "another signer works with the state directory \"%s\"", path);
	}
	return true;
}

void
state_close(state_dir *dir)
{
	if (dir->fd >= 0)
		close(dir->fd);
	dir->fd = -1;
}

/* A tenant has no slash and a chain id 36 characters: no two chains share a name. */
static void
state_name(char out[256], const char *tenant, const char *chain)
{
	snprintf(out, 256, "%s.%s.json", tenant, chain);
}

static bool
member_is(const lc_json *root, const char *name, const char *text)
{
	lc_str		s = lc_json_string(root, name);

	return s.s != NULL && s.n == strlen(text) && memcmp(s.s, text, s.n) == 0;
}

/* Exactly the members that state_write writes. */
static bool
state_parse(const lc_json *root, signer_state *out)
{
	lc_str		origin = lc_json_string(root, "origin");
	lc_str		hash = lc_json_string(root, "rootHash");

	if (root->type != LC_JSON_OBJECT || root->count != 5 ||
		!member_is(root, "schema", STATE_SCHEMA) ||
		origin.s == NULL || origin.n >= sizeof(out->origin) ||
		hash.s == NULL || lc_hex_decode(hash.s, hash.n, out->root, LC_HASH_LEN) != LC_OK ||
		!lc_json_uint(root, "incarnation", &out->incarnation) ||
		!lc_json_uint(root, "treeSize", &out->size) || out->size == 0)
		return false;
	memcpy(out->origin, origin.s, origin.n);
	out->origin[origin.n] = '\0';
	return true;
}

bool
state_read(const state_dir *dir, const char *tenant, const char *chain, signer_state *out,
		   bool *absent, fault *f)
{
	char		name[256];
	lc_buf		text;
	lc_jsontree *tree = NULL;
	bool		good;

	state_name(name, tenant, chain);
	lc_buf_init(&text, &lc_alloc_malloc);
	good = durable_read(dir->fd, name, STATE_MAX, &text, absent, f);
	if (good && !*absent)
	{
		good = text.len > 0 &&
			lc_jsontree_parse(text.data, text.len, 4, &lc_alloc_malloc, &tree, NULL) == LC_OK &&
			state_parse(lc_jsontree_root(tree), out);
		if (!good)
			fault_set(f, "the state file \"%s\" is damaged; restore it from a copy, "
					  "or take it away knowing that the signer then trusts the database", name);
	}
	lc_jsontree_free(tree);
	lc_buf_free(&text);
	return good;
}

bool
state_write(const state_dir *dir, const char *tenant, const char *chain, const signer_state *state,
			fault *f)
{
	char		name[256];
	lc_buf		text;
	bool		good;

	state_name(name, tenant, chain);
	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_puts(&text, "{\"incarnation\":");
	lc_buf_put_int64(&text, (int64_t) state->incarnation);
	lc_buf_puts(&text, ",\"origin\":");
	lc_jcs_put_string(&text, state->origin, strlen(state->origin));
	lc_buf_puts(&text, ",\"rootHash\":\"");
	lc_buf_put_hex(&text, state->root, LC_HASH_LEN);
	lc_buf_puts(&text, "\",\"schema\":\"" STATE_SCHEMA "\",\"treeSize\":");
	lc_buf_put_int64(&text, (int64_t) state->size);
	lc_buf_puts(&text, "}\n");
	if (text.status != LC_OK)
		good = fault_set(f, "the state of %s/%s: %s", tenant, chain, lc_status_text(text.status));
	else
		good = durable_replace(dir->fd, name, text.data, text.len, f);
	lc_buf_free(&text);
	return good;
}

bool
state_retire(const state_dir *dir, const char *tenant, const char *chain,
			 const signer_state *state, fault *f)
{
	char		name[256],
				aside[256];

	state_name(name, tenant, chain);
	for (unsigned i = 0; i < 1000; i++)
	{
		snprintf(aside, sizeof(aside), "%s.%s.rolled-back-%" PRIu64 "-%u.json", tenant, chain,
				 state->size, i);
		if (faccessat(dir->fd, aside, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
			return durable_rename(dir->fd, name, aside, f);
	}
	return fault_set(f, "the chain %s/%s was rolled back too often", tenant, chain);
}
