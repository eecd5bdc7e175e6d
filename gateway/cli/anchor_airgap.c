/*
 * anchor_airgap.c
 *		A bundle to be carried across an air gap: one JSON file an anchor.
 *
 *		<dir>/<bundle id>/<tenant>/<anchor id>.json
 *
 *		{"anchorId": …, "bundleId": …, "chainId": …, "checkpoint": text, "dsse": {…},
 *		 "schema": "ledger.airgap.v1", "tenant": …, "treeSize": …}, canonical JSON
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anchor.h"
#include "durable.h"
#include "lc_jcs.h"
#include "lc_jsonparse.h"
#include "lc_sha256.h"

#define AIRGAP_SCHEMA "ledger.airgap.v1"

typedef struct airgap
{
	int			fd;				/* of the bundle's directory */
	char		bundle[256];
} airgap;

static void
put_member(lc_buf *out, const char *before, const char *text, size_t n)
{
	lc_buf_puts(out, before);
	lc_jcs_put_string(out, text, n);
}

/* Names in the order of RFC 8785; dsse is canonical already. */
static void
write_manifest(lc_buf *out, const airgap *a, const anchor_item *item)
{
	put_member(out, "{\"anchorId\":", item->anchor_id, strlen(item->anchor_id));
	put_member(out, ",\"bundleId\":", a->bundle, strlen(a->bundle));
	put_member(out, ",\"chainId\":", item->chain, strlen(item->chain));
	put_member(out, ",\"checkpoint\":", item->checkpoint.s, item->checkpoint.n);
	lc_buf_puts(out, ",\"dsse\":");
	lc_buf_append(out, item->dsse.s, item->dsse.n);
	lc_buf_puts(out, ",\"schema\":\"" AIRGAP_SCHEMA "\"");
	put_member(out, ",\"tenant\":", item->tenant, strlen(item->tenant));
	lc_buf_puts(out, ",\"treeSize\":");
	lc_buf_put_int64(out, (int64_t) item->size);
	lc_buf_puts(out, "}\n");
}

static bool
write_item(const airgap *a, const anchor_item *item, const lc_buf *manifest, fault *f)
{
	char		name[64];
	int			tenant = durable_sub_dir(a->fd, item->tenant, f);
	bool		good;

	if (tenant < 0)
		return false;
	snprintf(name, sizeof(name), "%s.json", item->anchor_id);
	good = durable_create(tenant, name, manifest->data, manifest->len, f);
	close(tenant);
	return good;
}

static anchor_outcome
airgap_publish(external_anchor *self, const anchor_item *item, anchor_receipt *out, fault *f)
{
	const airgap *a = self->data;
	uint8_t		hash[LC_HASH_LEN];
	lc_buf		manifest;
	bool		good;

	lc_buf_init(&manifest, &lc_alloc_malloc);
	write_manifest(&manifest, a, item);
	if (manifest.status != LC_OK || lc_sha256(manifest.data, manifest.len, hash) != LC_OK)
		good = fault_set(f, "the manifest cannot be made: %s", lc_status_text(manifest.status));
	else
		good = write_item(a, item, &manifest, f);
	lc_buf_free(&manifest);
	if (!good)
		return ANCHOR_FAILED;
	lc_buf_puts(&out->reference, "airgap::");
	lc_buf_puts(&out->reference, a->bundle);
	lc_buf_append(&out->receipt, hash, sizeof(hash));
	return ANCHOR_DONE;
}

static void
airgap_close(external_anchor *self)
{
	airgap	   *a = self->data;

	close(a->fd);
	free(a);
}

/* The bundle's id is a directory's name and part of a reference. */
static bool
bundle_valid(const char *bundle)
{
	size_t		n = strspn(bundle, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return n > 0 && n <= 128 && bundle[n] == '\0' && bundle[0] != '.';
}

bool
anchor_airgap_open(external_anchor *self, const char *directory, const char *bundle, fault *f)
{
	airgap	   *a;
	int			parent;

	if (!bundle_valid(bundle))
		return fault_set(f, "\"%s\" is no bundle id: 1 to 128 of A-Z a-z 0-9 . _ -, not starting with a dot", bundle);
	a = malloc(sizeof(*a));
	if (a == NULL)
		return fault_set(f, "out of memory");
	snprintf(a->bundle, sizeof(a->bundle), "%s", bundle);
	parent = durable_open_dir(directory, f);
	a->fd = parent < 0 ? -1 : durable_sub_dir(parent, bundle, f);
	if (parent >= 0)
		close(parent);
	if (a->fd < 0)
	{
		free(a);
		return false;
	}
	self->kind = "airgap";
	snprintf(self->name, sizeof(self->name), "%s", bundle);
	self->publish = airgap_publish;
	self->close = airgap_close;
	self->data = a;
	return true;
}
