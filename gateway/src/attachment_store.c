/*
 * attachment_store.c
 *		POST …/attachments: seal what came and store it with its event.
 */
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "append_item.h"
#include "attachment.h"
#include "config.h"
#include "disposition.h"
#include "lc_base64.h"
#include "lc_jcs.h"
#include "lc_sha256.h"
#include "lc_uuid.h"
#include "work.h"

typedef struct upload
{
	char		id[LC_UUID_TEXT + 1];
	char		digest[SEAL_DIGEST + 1];
	char		media_type[256];
	char		file_name[256];
	seal		sealed;
	bool		minted;			/* no key stands for the id */
} upload;

static bool
copy(char *to, size_t size, lc_str from)
{
	if (from.n >= size)
		return false;
	memcpy(to, from.s != NULL ? from.s : "", from.n);
	to[from.n] = '\0';
	return true;
}

static bool
read_names(job *j, const attachment_ask *ask, upload *u)
{
	lc_str		type = lc_json_string(ask->root, "contentType"),
				name = attachment_query(ask, "filename");

	if (type.s == NULL || type.n == 0)
		type = (lc_str) {"application/octet-stream", strlen("application/octet-stream")};
	if (!copy(u->media_type, sizeof(u->media_type), type) || !media_type_good(u->media_type))
		return attachment_refuse(j, "media_type", NULL, "Content-Type is no media type");
	u->file_name[0] = '\0';
	if (name.s != NULL && (!copy(u->file_name, sizeof(u->file_name), name) || !file_name_good(u->file_name)))
		return attachment_refuse(j, "query_invalid", NULL,
								 "filename must be at most 255 bytes, without folders and control characters");
	return true;
}

/*
 * The same Idempotency-Key for the same finding is the same attachment; its id is
 * made of them, so that the ledger finds the stored one.  Otherwise a new one.
 */
static bool
choose_id(const job *j, const attachment_ask *ask, upload *u)
{
	lc_str		key = lc_json_string(ask->root, "idempotencyKey");
	struct timespec now;
	uint8_t		uuid[LC_UUID_LEN],
				random[10],
				hash[LC_HASH_LEN];
	lc_bytes	parts[] = {
		{"attachment", sizeof("attachment")}, {j->who.tenant, strlen(j->who.tenant) + 1},
		{ask->finding.s, ask->finding.n}, {"", 1}, {key.s, key.n}
	};

	u->minted = key.s == NULL;
	if (u->minted)
	{
		clock_gettime(CLOCK_REALTIME, &now);
		if (RAND_bytes(random, sizeof(random)) != 1)
			return false;
		lc_uuid_v7(uuid, (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000, random);
	}
	else
	{
		if (lc_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), hash) != LC_OK)
			return false;
		memcpy(uuid, hash, sizeof(uuid));
		uuid[6] = (uint8_t) ((uuid[6] & 0x0f) | 0x80);
		uuid[8] = (uint8_t) ((uuid[8] & 0x3f) | 0x80);
	}
	lc_uuid_format(uuid, u->id);
	u->id[LC_UUID_TEXT] = '\0';
	return true;
}

/* In its place: nothing of the content is left behind. */
static bool
seal_body(job *j, const attachment_ask *ask, upload *u)
{
	char		empty[1] = "";
	char	   *body = j->body.len > 0 ? j->body.data : empty;
	keyring		ring;
	seal_result result = SEAL_FAILED;

	if (!attachment_keys(j, &ring))
		return false;
	if (choose_id(j, ask, u) && seal_digest(body, j->body.len, u->digest))
	{
		seal_subject subject = {
			.tenant = {j->who.tenant, strlen(j->who.tenant)}, .finding = ask->finding,
			.attachment = {u->id, LC_UUID_TEXT}, .digest = {u->digest, SEAL_DIGEST},
			.media_type = {u->media_type, strlen(u->media_type)}, .file_name = {u->file_name, strlen(u->file_name)}
		};

		result = seal_make(&ring, &subject, body, j->body.len, &u->sealed, body);
	}
	keyring_wipe(&ring);
	return result == SEAL_OK || attachment_refuse(j, "internal", NULL, "the attachment could not be encrypted");
}

static void
put_text(lc_buf *out, const char *name, const char *value)
{
	lc_buf_puts(out, ",\"");
	lc_buf_puts(out, name);
	lc_buf_puts(out, "\":");
	lc_jcs_put_string(out, value, strlen(value));
}

static void
put_bytes(lc_buf *out, const char *name, const uint8_t *bytes, size_t n)
{
	lc_buf_puts(out, ",\"");
	lc_buf_puts(out, name);
	lc_buf_puts(out, "\":\"");
	lc_buf_put_base64(out, bytes, n);
	lc_buf_putc(out, '"');
}

/* All but the ciphertext, for ledger_http_attach(). */
static void
describe(lc_buf *out, const upload *u, size_t size)
{
	int64_t		lifetime = config_now()->att_lifetime_ms;

	lc_buf_init(out, &lc_alloc_malloc);
	lc_buf_puts(out, "{\"size\":");
	lc_buf_put_int64(out, (int64_t) size);
	if (lifetime > 0)
	{
		lc_buf_puts(out, ",\"lifetimeSeconds\":");
		lc_buf_put_int64(out, (lifetime + 999) / 1000);
	}
	put_text(out, "attachmentId", u->id);
	put_text(out, "digest", u->digest);
	put_text(out, "mediaType", u->media_type);
	put_text(out, "fileName", u->file_name);
	put_text(out, "algorithm", SEAL_ALGORITHM);
	put_text(out, "keyId", u->sealed.key_id);
	put_bytes(out, "wrappedKey", u->sealed.wrapped_key, SEAL_WRAPPED);
	put_bytes(out, "nonce", u->sealed.nonce, AEAD_NONCE);
	put_bytes(out, "tag", u->sealed.tag, AEAD_TAG);
	lc_buf_putc(out, '}');
}

/* The answer's row; NULL: the reply holds the problem. */
static PGresult *
try_store(job *j, dbslow_conn *c, const lc_buf *about)
{
	static const char sql[] = "SELECT a.status, a.headers, a.body FROM ledger.ledger_http_attach($1, $2, $3, $4) AS a";
	db_value	values[] = {
		{j->who.tenant, strlen(j->who.tenant), false},
		{j->context.data, j->context.len, false},
		{about->data, about->len, false},
		{j->body.len > 0 ? j->body.data : "", j->body.len, true}
	};
	PGresult   *result;

	if (!dbslow_begin(c, j, false))
		return NULL;
	result = dbslow_query(c, j, sql, 4, values);
	if (result == NULL || dbslow_commit(c, j))
		return result;
	PQclear(result);
	return NULL;
}

/* Its id was chosen before the first try, so that another one stores nothing twice. */
static bool
store(job *j, dbslow_conn *c, const upload *u)
{
	lc_buf		about;
	PGresult   *result = NULL;
	bool		good;

	describe(&about, u, j->body.len);
	if (about.status == LC_OK)
		while ((result = try_store(j, c, &about)) == NULL && dbslow_again(c, j, true))
			;
	else
		attachment_refuse(j, "internal", NULL, "out of memory");
	good = result != NULL && (db_result_reply(result, &j->reply) ||
		attachment_refuse(j, "internal", NULL, "the database's answer cannot be read"));
	if (good && u->minted)
		append_mark_new(&j->reply);
	PQclear(result);
	lc_buf_free(&about);
	return good;
}

void
attachment_store(job *j, dbslow_conn *c)
{
	attachment_ask ask;
	upload		u;

	if ((int64_t) j->body.len > config_now()->att_max_size)
		attachment_refuse(j, "body_too_large", NULL, "an attachment has at most %lld bytes",
						  (long long) config_now()->att_max_size);
	else if (attachment_read_ask(j, &ask))
	{
		if (read_names(j, &ask, &u) && seal_body(j, &ask, &u) && store(j, c, &u))
		{
			reply_header_setf(&j->reply, "Location", "%s/%s", j->path, u.id);
			if (j->reply.status == 201)
				append_count_one(j, "finding.attachment_added");
		}
		lc_jsontree_free(ask.tree);
	}
	/* What was refused before it was sealed. */
	if (j->body.data != NULL)
		OPENSSL_cleanse(j->body.data, j->body.len);
}
