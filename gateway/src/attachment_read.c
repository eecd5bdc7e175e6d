/*
 * attachment_read.c
 *		GET …/attachments/{attachmentId} and POST …/link.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "attachment.h"
#include "config.h"
#include "disposition.h"
#include "lc_base64.h"
#include "lc_hex.h"
#include "lc_jcs.h"
#include "link.h"
#include "work.h"

static void
name_of(lc_str from, char *to, size_t size)
{
	snprintf(to, size, "%.*s", (int) from.n, from.s != NULL ? from.s : "");
}

/* Content-Digest of RFC 9530, from "sha256:" and hex. */
static void
set_digests(reply *r, lc_str digest)
{
	uint8_t		hash[32];
	lc_buf		text;

	reply_header_setf(r, "ETag", "\"%.*s\"", (int) digest.n, digest.s);
	if (digest.n != SEAL_DIGEST || lc_hex_decode(digest.s + 7, 64, hash, 32) != LC_OK)
		return;
	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_puts(&text, "sha-256=:");
	lc_buf_put_base64(&text, hash, sizeof(hash));
	lc_buf_putc(&text, ':');
	if (text.status == LC_OK)
		reply_header_set(r, "Content-Digest", text.data);
	lc_buf_free(&text);
}

static void
give_out(job *j, const attachment_row *row, lc_buf *plain)
{
	char		type[256],
				name[256];

	name_of(row->subject.media_type, type, sizeof(type));
	name_of(row->subject.file_name, name, sizeof(name));
	reply_clear(&j->reply);
	j->reply.status = 200;
	disposition_set(&j->reply, type, name);
	set_digests(&j->reply, row->subject.digest);
	lc_buf_free(&j->reply.body);
	j->reply.body = *plain;		/* and its allocator, which wipes it when the answer was sent */
}

void
attachment_read(job *j, dbslow_conn *c)
{
	attachment_row row;
	lc_buf		plain;
	keyring		ring;

	/* Without a key nothing is asked of the database. */
	if (!attachment_keys(j, &ring))
		return;
	keyring_wipe(&ring);
	if (attachment_load(j, c, "read", NULL, &row) && attachment_open(j, &row, &plain))
		give_out(j, &row, &plain);
	attachment_row_free(&row);
}

/* The link's path is this one without its last segment. */
static bool
write_link(job *j, time_t expires, lc_buf *out)
{
	char		path[sizeof(j->path)];
	char	   *last;

	snprintf(path, sizeof(path), "%s", j->path);
	last = strrchr(path, '/');
	if (last == NULL || strcmp(last, "/link") != 0)
		return false;
	*last = '\0';
	return link_make(out, path, j->who.tenant, expires);
}

static void
answer_link(job *j)
{
	int64_t		lifetime = config_now()->att_url_lifetime_ms;
	time_t		expires = time(NULL) + (lifetime + 999) / 1000;
	struct tm	utc;
	char		when[32];
	lc_buf		url;

	lc_buf_init(&url, &lc_alloc_malloc);
	if (gmtime_r(&expires, &utc) == NULL || strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0 ||
		!write_link(j, expires, &url))
		attachment_refuse(j, "internal", NULL, "the link could not be made");
	else
	{
		reply_clear(&j->reply);
		j->reply.status = 200;
		reply_header_set(&j->reply, "Content-Type", "application/json");
		reply_header_set(&j->reply, "Cache-Control", "no-store");
		lc_buf_puts(&j->reply.body, "{\"expiresAt\":\"");
		lc_buf_puts(&j->reply.body, when);
		lc_buf_puts(&j->reply.body, "\",\"url\":");
		lc_jcs_put_string(&j->reply.body, url.data, url.len);
		lc_buf_puts(&j->reply.body, "}");
	}
	lc_buf_free(&url);
}

void
attachment_link(job *j, dbslow_conn *c)
{
	attachment_row row;
	keyring		ring;

	if (!attachment_keys(j, &ring))
		return;
	keyring_wipe(&ring);
	if (attachment_load(j, c, "link", NULL, &row))
		answer_link(j);
	attachment_row_free(&row);
}
