/*
 * anchor_worm.c
 *		Write once, read many: each anchor as two files in a directory that
 *		the storage, or its owner, keeps from being changed.
 *
 *		<dir>/<tenant>/<chain id>/<tree size, 20 digits>-<anchor id>.checkpoint
 *		<dir>/<tenant>/<chain id>/<tree size, 20 digits>-<anchor id>.dsse
 *
 * The anchor's id is in the name: after a restore a chain may come to the same
 * size again with other events, and both checkpoints are evidence.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anchor.h"
#include "durable.h"
#include "lc_sha256.h"

typedef struct worm
{
	int			fd;
} worm;

/* The statement first: who finds a checkpoint finds what belongs to it. */
static bool
write_pair(int dir, const char *stem, const anchor_item *item, fault *f)
{
	char		name[128];

	snprintf(name, sizeof(name), "%s.dsse", stem);
	if (!durable_create(dir, name, item->dsse.s, item->dsse.n, f))
		return false;
	snprintf(name, sizeof(name), "%s.checkpoint", stem);
	return durable_create(dir, name, item->checkpoint.s, item->checkpoint.n, f);
}

static bool
write_item(const worm *w, const char *stem, const anchor_item *item, fault *f)
{
	int			tenant = durable_sub_dir(w->fd, item->tenant, f);
	int			chain = tenant < 0 ? -1 : durable_sub_dir(tenant, item->chain, f);
	bool		good = chain >= 0 && write_pair(chain, stem, item, f);

	if (chain >= 0)
		close(chain);
	if (tenant >= 0)
		close(tenant);
	return good;
}

static anchor_outcome
worm_publish(external_anchor *self, const anchor_item *item, anchor_receipt *out, fault *f)
{
	const worm *w = self->data;
	char		stem[96];
	uint8_t		hash[LC_HASH_LEN];

	snprintf(stem, sizeof(stem), "%020" PRIu64 "-%s", item->size, item->anchor_id);
	if (!write_item(w, stem, item, f))
		return ANCHOR_FAILED;
	if (lc_sha256(item->checkpoint.s, item->checkpoint.n, hash) != LC_OK)
	{
		fault_set(f, "OpenSSL cannot hash");
		return ANCHOR_FAILED;
	}
	lc_buf_puts(&out->reference, "worm::");
	lc_buf_puts(&out->reference, item->tenant);
	lc_buf_putc(&out->reference, '/');
	lc_buf_puts(&out->reference, item->chain);
	lc_buf_putc(&out->reference, '/');
	lc_buf_puts(&out->reference, stem);
	lc_buf_puts(&out->reference, ".checkpoint");
	lc_buf_append(&out->receipt, hash, sizeof(hash));
	return ANCHOR_DONE;
}

static void
worm_close(external_anchor *self)
{
	worm	   *w = self->data;

	close(w->fd);
	free(w);
}

bool
anchor_worm_open(external_anchor *self, const char *directory, fault *f)
{
	worm	   *w = malloc(sizeof(*w));

	if (w == NULL)
		return fault_set(f, "out of memory");
	w->fd = durable_open_dir(directory, f);
	if (w->fd < 0)
	{
		free(w);
		return false;
	}
	self->kind = "worm";
	snprintf(self->name, sizeof(self->name), "%s", directory);
	self->publish = worm_publish;
	self->close = worm_close;
	self->data = w;
	return true;
}
