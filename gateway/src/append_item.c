/*
 * append_item.c
 *		An event as an item of a batch, and its answer.
 *
 * The body is canonical JSON already (the door made it so); it is looked into
 * for the id and the type only, what it means is judged by the database.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>

#include "append_item.h"
#include "clock.h"
#include "lc_jcs.h"
#include "lc_jsontree.h"
#include "lc_uuid.h"
#include "prom.h"
#include "quota.h"

static bool
has_value(const lc_json *object, const char *name)
{
	const lc_json *member = lc_json_member(object, name);

	return member != NULL && member->type != LC_JSON_NULL;
}

static bool
is_id(lc_str key)
{
	return (key.n == 2 && memcmp(key.s, "id", 2) == 0) || (key.n == 7 && memcmp(key.s, "eventId", 7) == 0);
}

/*
 * "eventId":"…", in front of the members there are.  One with the value null
 * counts as left out, as in the database, and is left out: two of the same name
 * would be ill-formed.
 */
static bool
put_minted(lc_buf *out, const lc_json *event)
{
	uint8_t		random[10];
	uint8_t		uuid[LC_UUID_LEN];
	char		text[LC_UUID_TEXT];

	if (RAND_bytes(random, sizeof(random)) != 1)
		return false;
	lc_uuid_v7(uuid, clock_us(CLOCK_REALTIME), random);
	lc_uuid_format(uuid, text);
	lc_buf_puts(out, "{\"eventId\":\"");
	lc_buf_append(out, text, sizeof(text));
	lc_buf_putc(out, '"');
	for (const lc_json *member = event->child; member != NULL; member = member->next)
		if (!is_id(member->key))
		{
			lc_buf_putc(out, ',');
			lc_jcs_put_string(out, member->key.s, member->key.n);
			lc_buf_putc(out, ':');
			lc_buf_append(out, member->source.s, member->source.n);
		}
	lc_buf_putc(out, '}');
	return true;
}

static void
put_who(lc_buf *out, const job *j, lc_str key)
{
	lc_buf_puts(out, ",\"subject\":");
	lc_jcs_put_string(out, j->who.subject, strlen(j->who.subject));
	lc_buf_puts(out, ",\"actorType\":");
	lc_jcs_put_string(out, j->who.actor_type, strlen(j->who.actor_type));
	lc_buf_puts(out, ",\"anyActor\":");
	lc_buf_puts(out, (j->who.scopes & SCOPE_EVENTS_ACTOR) != 0 ? "true" : "false");
	if (key.s != NULL)
	{
		lc_buf_puts(out, ",\"key\":");
		lc_jcs_put_string(out, key.s, key.n);
	}
}

static void
note_type(char out[64], const lc_json *event)
{
	lc_str		type = lc_json_string(event, "type");

	if (type.s == NULL)
		type = lc_json_string(event, "eventType");
	memset(out, 0, 64);
	if (type.s != NULL && type.n < 64)
		memcpy(out, type.s, type.n);
}

/* Both texts come from the door, so that they are not JSON can only be memory. */
static bool
fill(append_item *item, const job *j)
{
	lc_jsontree *context = NULL;
	lc_jsontree *event = NULL;
	bool		good = false;

	if (lc_jsontree_parse(j->context.data, j->context.len, 0, &lc_alloc_malloc, &context, NULL) == LC_OK &&
		lc_jsontree_parse(j->body.data, j->body.len, 0, &lc_alloc_malloc, &event, NULL) == LC_OK)
	{
		const lc_json *root = lc_jsontree_root(event);
		lc_str		key = lc_json_string(lc_jsontree_root(context), "idempotencyKey");

		lc_buf_puts(&item->text, "{\"event\":");
		item->minted = root->type == LC_JSON_OBJECT && key.s == NULL && !has_value(root, "id") &&
			!has_value(root, "eventId");
		good = !item->minted || put_minted(&item->text, root);
		if (!item->minted)
			lc_buf_append(&item->text, root->source.s, root->source.n);
		put_who(&item->text, j, key);
		lc_buf_putc(&item->text, '}');
		note_type(item->type, root);
	}
	lc_jsontree_free(context);
	lc_jsontree_free(event);
	return good && item->text.status == LC_OK;
}

bool
append_item_make(job *j)
{
	append_item *item = calloc(1, sizeof(*item));

	if (item == NULL)
	{
		job_refuse(j, "pool_exhausted", "out of memory");
		return false;
	}
	j->append = item;
	lc_buf_init(&item->text, &lc_alloc_malloc);
	quota_accepted(j->who.tenant, 1);
	if (fill(item, j))
	{
		j->weight = item->text.len;
		return true;
	}
	append_item_refuse(j, "pool_exhausted", "out of memory");
	return false;
}

static void
done(job *j)
{
	quota_accepted(j->who.tenant, -1);
	lc_buf_free(&j->append->text);
	free(j->append);
	j->append = NULL;
	job_done(j);
}

/* Where events come from, by who writes them (contract section 9). */
static const char *
source(const char *actor_type)
{
	if (strcmp(actor_type, "operator") == 0)
		return "workflow";
	return strcmp(actor_type, "integration") == 0 ? "orchestrator" : "policy";
}

static void
count_stored(const job *j, const char *type)
{
	double		seconds = (double) (clock_us(CLOCK_MONOTONIC) - j->queued_us) / 1e6;

	prom_write(j->who.tenant, type, source(j->who.actor_type), seconds, 1);
}

void
append_mark_new(reply *r)
{
	if (r->status != 200)
		return;
	r->status = 201;
	reply_header_remove(r, "Idempotency-Hit");
}

void
append_count_one(const job *j, const char *type)
{
	count_stored(j, type);
	quota_add_unanchored(j->who.tenant, 1);
}

void
append_count_batch(const job *j)
{
	/* A digit for each event, "1" for one that is new; none: all are. */
	const char *news = reply_header_get(&j->reply, "Ledger-New");
	lc_jsontree *tree = NULL;
	uint64_t	count = 0;
	char		type[64];

	if (lc_jsontree_parse(j->body.data, j->body.len, 0, &lc_alloc_malloc, &tree, NULL) == LC_OK)
		for (const lc_json *event = lc_jsontree_root(tree)->child; event != NULL; event = event->next)
		{
			bool		stored_before = news != NULL && *news != '1';

			if (news != NULL && *news != '\0')
				news++;
			if (stored_before)
				continue;
			note_type(type, event);
			count_stored(j, type);
			count++;
		}
	lc_jsontree_free(tree);
	quota_add_unanchored(j->who.tenant, count);
}

/* Whoever left the id out learns it here: a second try without it would be a second event. */
static void
tell_unreplicated(job *j)
{
	const char *location = reply_header_get(&j->reply, "Location");
	const char *id = location != NULL ? strrchr(location, '/') : NULL;
	problem		p;

	problem_set(&p, "not_replicated", "event %s is committed, and perhaps not on the standbys",
				id != NULL ? id + 1 : "?");
	if (id != NULL)
		snprintf(p.hint, sizeof(p.hint), "Send it again with \"eventId\": \"%s\".", id + 1);
	problem_reply(&j->reply, &p, j->path, j->trace_id);
}

void
append_item_answer(job *j, const PGresult *result, int row, bool replicated)
{
	if (!db_row_reply(result, row, 1, j))
	{
		append_item_refuse(j, "internal", "the database gave no answer for the event");
		return;
	}
	/* It was there already: by a first try, whose answer was lost. */
	if (j->append->minted)
		append_mark_new(&j->reply);
	if (j->reply.status == 201)
		append_count_one(j, j->append->type);
	/* One that was found, too: another item of the same transaction may be what wrote it. */
	if (j->reply.status < 300 && !replicated)
		tell_unreplicated(j);
	done(j);
}

void
append_item_fail(job *j, const PGresult *result, unsigned retry_after)
{
	db_job_problem(result, j, retry_after);
	done(j);
}

void
append_item_refuse(job *j, const char *code, const char *detail)
{
	problem		p;

	problem_set(&p, code, "%s", detail);
	problem_reply(&j->reply, &p, j->path, j->trace_id);
	done(j);
}
