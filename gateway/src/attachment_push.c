/*
 * attachment_push.c
 *		POST …/push: send an attachment to a service of the allow-list.
 *
 * Judged before anything is read or connected to, recorded before it leaves.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "attachment.h"
#include "config.h"
#include "egress.h"
#include "http.h"
#include "lc_jcs.h"
#include "log.h"
#include "work.h"

#define PUSH_TIMEOUT 30			/* seconds */
#define PUSH_ANSWER 65536		/* bytes of an answer, of which only the digest is told */
#define URL_MAX_LENGTH 2048

/* {"url": "…"} and nothing else. */
static bool
read_url(job *j, char *out, size_t size)
{
	lc_jsontree *tree = NULL;
	const lc_json *root;
	lc_str		url = {NULL, 0};

	if (lc_jsontree_parse(j->body.data, j->body.len, 20, &lc_alloc_malloc, &tree, NULL) == LC_OK)
	{
		root = lc_jsontree_root(tree);
		if (root->type == LC_JSON_OBJECT && root->count == 1)
			url = lc_json_string(root, "url");
		if (url.s != NULL && url.n < size && memchr(url.s, '\0', url.n) == NULL)
			snprintf(out, size, "%.*s", (int) url.n, url.s);
		else
			url.s = NULL;
	}
	lc_jsontree_free(tree);
	return url.s != NULL ||
		attachment_refuse(j, "LG400", "Send {\"url\": \"https://…\"}.", "the body must be an object with url alone");
}

static bool
judge_url(job *j, const char *url)
{
	const config *c = config_now();
	fault		f;

	if (egress_allowed(url, c->att_allow_egress, c->att_egress_allowlist, &f))
		return true;
	log_line(LOG_WARN, "attachments.egress_refused", "tenant %s: %s", j->who.tenant, f.text);
	return attachment_refuse(j, "egress_refused",
							 c->att_allow_egress ?
							 "An operator allows hosts in LEDGER__ATTACHMENTS__EGRESSALLOWLIST." :
							  "LEDGER__ATTACHMENTS__ALLOWEGRESS and …__EGRESSALLOWLIST allow it.", "%s", f.text);
}

static bool
gave_up(void *arg)
{
	return job_abandoned(arg);
}

static bool
send_out(job *j, const char *url, const attachment_row *row, const lc_buf *plain, http_answer *answer)
{
	const char *ca = config_now()->att_egress_ca_file;
	char		type[256];
	fault		f;
	http_request request = {
		.method = "PUT", .url = url, .content_type = type, .body = plain->data, .body_len = plain->len,
		.limits = {PUSH_TIMEOUT, ca != NULL && ca[0] != '\0' ? ca : NULL},
		/* A proxy would be a host that no list has judged, and would resolve the names by itself. */
		.max_answer = PUSH_ANSWER, .https_only = true, .direct = true, .cancelled = gave_up, .arg = j
	};

	snprintf(type, sizeof(type), "%.*s", (int) row->subject.media_type.n, row->subject.media_type.s);
	if (!http_send(&request, answer, &f))
	{
		log_line(LOG_WARN, "attachments.egress_failed", "attachment %s: %s", row->id, f.text);
		return attachment_refuse(j, "egress_failed", NULL,
								 "attachment %s could not be sent: the service did not answer", row->id);
	}
	/* A redirect is an answer like others: it was not followed. */
	if (answer->status < 200 || answer->status > 299)
		return attachment_refuse(j, "egress_failed", NULL, "attachment %s was not taken: the service answered %ld",
								 row->id, answer->status);
	return true;
}

static void
put_text(lc_buf *out, const char *name, const char *value, size_t n)
{
	lc_buf_puts(out, ",\"");
	lc_buf_puts(out, name);
	lc_buf_puts(out, "\":");
	lc_jcs_put_string(out, value, n);
}

/* What left, where to, and a digest of what was answered: enough to compare with the other side's books. */
static void
answer_receipt(job *j, const char *where, const attachment_row *row, const http_answer *answer)
{
	char		digest[SEAL_DIGEST + 1] = "",
				when[32] = "";
	time_t		now = time(NULL);
	struct tm	utc;
	lc_buf	   *out = &j->reply.body;

	if (gmtime_r(&now, &utc) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
	seal_digest(answer->body.len > 0 ? answer->body.data : "", answer->body.len, digest);
	reply_clear(&j->reply);
	j->reply.status = 200;
	reply_header_set(&j->reply, "Content-Type", "application/json");
	lc_buf_puts(out, "{\"status\":");
	lc_buf_put_int64(out, answer->status);
	lc_buf_puts(out, ",\"receipt\":{\"size\":");
	lc_buf_put_int64(out, (int64_t) row->ciphertext.n);
	put_text(out, "attachmentId", row->id, strlen(row->id));
	put_text(out, "digest", row->subject.digest.s, row->subject.digest.n);
	put_text(out, "url", where, strlen(where));
	put_text(out, "pushedAt", when, strlen(when));
	put_text(out, "answerDigest", digest, strlen(digest));
	lc_buf_puts(out, "}}");
}

void
attachment_push(job *j, dbslow_conn *c)
{
	char		url[URL_MAX_LENGTH],
				where[URL_MAX_LENGTH];	/* what may be told of it */
	attachment_row row;
	http_answer answer;
	lc_buf		plain;
	keyring		ring;

	if (!read_url(j, url, sizeof(url)) || !judge_url(j, url) || !attachment_keys(j, &ring))
		return;
	keyring_wipe(&ring);
	http_public_url(url, where, sizeof(where));
	where[strcspn(where, "?")] = '\0';	/* a query may be a signature */
	if (attachment_load(j, c, "push", where, &row) && attachment_open(j, &row, &plain))
	{
		lc_buf_init(&answer.body, &lc_alloc_malloc);
		if (send_out(j, url, &row, &plain, &answer))
			answer_receipt(j, where, &row, &answer);
		lc_buf_free(&answer.body);
		lc_buf_free(&plain);	/* which wipes it */
	}
	attachment_row_free(&row);
}
