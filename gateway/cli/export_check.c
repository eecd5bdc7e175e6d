/*
 * export_check.c
 *		What the events of an export say together.
 *
 * Links are compared with the hash that the line before states, not with the
 * one computed from it: so one changed line is one fault, told at that line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export_check.h"
#include "lc_hex.h"

#define REDACTED "ledger.payload_redacted"

/* Room for one more of count things. */
static void *
grown(void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room > 0 ? *room * 2 : 16;
	return cli_alloc.resize(NULL, items, *room * size);
}

/* ---- chains ---- */

static bool
is_chain(const export_chain *c, const lc_event *e)
{
	return memcmp(c->chain_id, e->chain_id, LC_UUID_LEN) == 0 && cli_is(e->tenant, c->tenant);
}

static export_chain *
find_chain(export_check *e, const lc_event *event)
{
	size_t		cursor = 0;
	uint32_t	i;

	/* Exports come chain by chain, so it is nearly always the one before. */
	if (e->chain_count > 0 && is_chain(&e->chains[e->recent], event))
		return &e->chains[e->recent];
	while (uuid_map_next(&e->by_id, event->chain_id, &cursor, &i))
		if (is_chain(&e->chains[i], event))
		{
			e->recent = i;
			return &e->chains[i];
		}
	return NULL;
}

static export_chain *
add_chain(export_check *e, const lc_event *event)
{
	export_chain *c;

	e->chains = grown(e->chains, e->chain_count, &e->chain_room, sizeof(*e->chains));
	e->recent = e->chain_count++;
	uuid_map_add(&e->by_id, event->chain_id, (uint32_t) e->recent);
	c = &e->chains[e->recent];
	memset(c, 0, sizeof(*c));
	c->tenant = cli_copy(event->tenant);
	c->policy = cli_copy(event->policy_version);
	memcpy(c->chain_id, event->chain_id, LC_UUID_LEN);
	c->first = (uint64_t) event->sequence;
	c->whole = event->sequence == 1;
	lc_frontier_init(&c->tree);
	return c;
}

/* ---- order and links ---- */

static cli_exit
check_place(export_chain *c, const char *where, const lc_event *event)
{
	uint64_t	sequence = (uint64_t) event->sequence;

	if (!cli_is(event->policy_version, c->policy))
		return cli_error(CLI_FAILED, "%s: policy version \"%.*s\" in a chain of \"%s\"", where,
						 CLI_SHOW(event->policy_version), c->policy);
	if (c->events == 0 || sequence == c->last + 1)
		return CLI_GOOD;
	c->whole = false;
	if (sequence <= c->last)
		return cli_error(CLI_FAILED, "%s: sequence %llu after %llu: out of order or there twice", where,
						 (unsigned long long) sequence, (unsigned long long) c->last);
	if (sequence == c->last + 2)
		return cli_error(CLI_FAILED, "%s: sequence %llu is missing before %llu", where,
						 (unsigned long long) c->last + 1, (unsigned long long) sequence);
	return cli_error(CLI_FAILED, "%s: sequences %llu to %llu are missing before %llu", where,
					 (unsigned long long) c->last + 1, (unsigned long long) sequence - 1,
					 (unsigned long long) sequence);
}

static cli_exit
check_link(const export_chain *c, const char *where, const lc_event *event)
{
	static const uint8_t zeros[LC_HASH_LEN];
	bool		start = event->sequence == 1;
	const uint8_t *before = start ? zeros : c->last_hash;
	char		hex[2][2 * LC_HASH_LEN];

	/* The line before is not there: nothing to compare with. */
	if (!start && (c->events == 0 || (uint64_t) event->sequence != c->last + 1))
		return CLI_GOOD;
	if (memcmp(event->previous_hash, before, LC_HASH_LEN) == 0)
		return CLI_GOOD;
	lc_hex_encode(event->previous_hash, LC_HASH_LEN, hex[0]);
	lc_hex_encode(before, LC_HASH_LEN, hex[1]);
	if (start)
		return cli_error(CLI_FAILED, "%s: previousHash is %.64s; that of sequence 1 is 64 zeros", where,
						 hex[0]);
	return cli_error(CLI_FAILED, "%s: previousHash is %.64s, but the event hash of sequence %llu is "
					 "%.64s", where, hex[0], (unsigned long long) c->last, hex[1]);
}

/* ---- erased payloads ---- */

static void
remember_erased(export_chain *c, const lc_event *event)
{
	erased_event *x;

	c->erased = grown(c->erased, c->erased_count, &c->erased_room, sizeof(*c->erased));
	x = &c->erased[c->erased_count++];
	x->sequence = (uint64_t) event->sequence;
	memcpy(x->id, event->id, LC_UUID_LEN);
	memcpy(x->payload_hash, event->payload_hash, LC_HASH_LEN);
	x->explained = false;
}

static int
by_sequence(const void *key, const void *item)
{
	uint64_t	a = *(const uint64_t *) key;
	uint64_t	b = ((const erased_event *) item)->sequence;

	return a < b ? -1 : a > b;
}

/* A ledger.payload_redacted names the erased event by id, sequence and payload hash, all three. */
static void
explain_erased(export_chain *c, const lc_json *body)
{
	lc_str		id = lc_json_string(body, "eventId");
	lc_str		hash = lc_json_string(body, "payloadHash");
	uint64_t	sequence;
	erased_event *x;
	uint8_t		wanted[LC_HASH_LEN];
	uint8_t		uuid[LC_UUID_LEN];

	if (c->erased_count == 0 || !lc_json_uint(body, "sequence", &sequence) || id.s == NULL ||
		hash.s == NULL || lc_uuid_parse(id.s, id.n, uuid) != LC_OK ||
		lc_hex_decode(hash.s, hash.n, wanted, LC_HASH_LEN) != LC_OK)
		return;
	x = bsearch(&sequence, c->erased, c->erased_count, sizeof(*x), by_sequence);
	if (x != NULL && memcmp(x->id, uuid, LC_UUID_LEN) == 0 &&
		memcmp(x->payload_hash, wanted, LC_HASH_LEN) == 0)
		x->explained = true;
}

/* ---- the tree ---- */

static bool
is_target_of(const export_target *t, const export_chain *c)
{
	return memcmp(t->checkpoint.name.chain_id, c->chain_id, LC_UUID_LEN) == 0 &&
		cli_is(t->checkpoint.name.tenant, c->tenant);
}

static cli_exit
compare_root(export_target *t, const char *where, const uint8_t root[LC_HASH_LEN])
{
	char		hex[2][2 * LC_HASH_LEN];

	t->compared = true;
	t->agrees = memcmp(root, t->checkpoint.head.root, LC_HASH_LEN) == 0;
	if (t->agrees)
		return CLI_GOOD;
	lc_hex_encode(root, LC_HASH_LEN, hex[0]);
	lc_hex_encode(t->checkpoint.head.root, LC_HASH_LEN, hex[1]);
	return cli_error(CLI_FAILED, "%s: the root of the %llu events up to here is %.64s, but %s says "
					 "%.64s", where, (unsigned long long) t->checkpoint.head.size, hex[0], t->path,
					 hex[1]);
}

static cli_exit
grow_tree(export_check *e, export_chain *c, const char *where, const uint8_t leaf[LC_HASH_LEN])
{
	uint8_t		root[LC_HASH_LEN];
	cli_exit	worst = CLI_GOOD;

	if (!c->whole)
		return CLI_GOOD;
	if (lc_frontier_append(&c->tree, leaf, NULL) != LC_OK)
		return cli_error(CLI_USAGE, "OpenSSL cannot hash");
	for (size_t i = 0; i < e->target_count; i++)
	{
		export_target *t = &e->targets[i];
		cli_exit	code;

		if (t->checkpoint.head.size != c->tree.size || !is_target_of(t, c))
			continue;
		if (lc_frontier_root(&c->tree, root) != LC_OK)
			return cli_error(CLI_USAGE, "OpenSSL cannot hash");
		code = compare_root(t, where, root);
		worst = worst != CLI_GOOD ? worst : code;
	}
	return worst;
}

cli_exit
export_event(export_check *e, const char *where, const event_doc *doc)
{
	const lc_event *event = &doc->event;
	export_chain *c = find_chain(e, event);
	cli_exit	code;
	cli_exit	next;

	if (c == NULL)
		c = add_chain(e, event);
	code = check_place(c, where, event);
	next = check_link(c, where, event);
	code = code != CLI_GOOD ? code : next;
	if (doc->payload == PAYLOAD_ERASED)
		remember_erased(c, event);
	else if (cli_is(event->type, REDACTED))
		explain_erased(c, doc->body);
	c->events++;
	c->last = (uint64_t) event->sequence;
	memcpy(c->last_hash, doc->stated_hash, LC_HASH_LEN);
	next = grow_tree(e, c, where, doc->leaf_hash);
	return code != CLI_GOOD ? code : next;
}

/* ---- the end ---- */

static cli_exit
unreached(const export_check *e, const export_target *t)
{
	const export_chain *c = NULL;
	const chain_name *name = &t->checkpoint.name;
	unsigned long long size = (unsigned long long) t->checkpoint.head.size;

	for (size_t i = 0; i < e->chain_count && c == NULL; i++)
		if (is_target_of(t, &e->chains[i]))
			c = &e->chains[i];
	if (c == NULL)
		return cli_error(CLI_FAILED, "%s: signed for %llu events of %.*s/%.*s, of which the export has "
						 "none", t->path, size, CLI_SHOW(name->tenant), CLI_SHOW(name->chain));
	if (!c->whole)
		return cli_error(CLI_FAILED, "%s: its root needs all events of %.*s/%.*s from sequence 1, and the "
						 "export does not have them", t->path, CLI_SHOW(name->tenant),
						 CLI_SHOW(name->chain));
	return cli_error(CLI_FAILED, "%s: signed for %llu events of %.*s/%.*s, but the export ends at "
					 "sequence %llu", t->path, size, CLI_SHOW(name->tenant), CLI_SHOW(name->chain),
					 (unsigned long long) c->last);
}

static size_t
unexplained(const export_chain *c)
{
	size_t		count = 0;

	for (size_t i = 0; i < c->erased_count; i++)
		count += !c->erased[i].explained;
	return count;
}

cli_exit
export_finish(export_check *e)
{
	cli_exit	worst = CLI_GOOD;
	uint8_t		root[LC_HASH_LEN];

	for (size_t i = 0; i < e->target_count; i++)
	{
		export_target *t = &e->targets[i];
		cli_exit	code = CLI_GOOD;

		if (!t->compared && t->checkpoint.head.size == 0 && lc_merkle_empty_root(root) == LC_OK)
			code = compare_root(t, t->path, root);
		else if (!t->compared)
			code = unreached(e, t);
		worst = worst != CLI_GOOD ? worst : code;
		for (size_t k = 0; k < e->chain_count; k++)
			e->chains[k].has_checkpoint |= is_target_of(t, &e->chains[k]);
	}
	for (size_t k = 0; k < e->chain_count; k++)
	{
		const export_chain *c = &e->chains[k];

		if (unexplained(c) > 0)
			cli_note("%s: %zu erased payloads that no event of the export accounts for", c->tenant,
					 unexplained(c));
		if (!c->has_checkpoint)
			cli_note("%s: no checkpoint was given for the chain of policy version %s: that it is whole "
					 "and the log's own is not shown", c->tenant, c->policy);
	}
	return worst;
}

static void
report_chain(const export_chain *c)
{
	char		id[LC_UUID_TEXT];
	uint8_t		root[LC_HASH_LEN];

	lc_uuid_format(c->chain_id, id);
	cli_json_object(NULL);
	cli_json_text("tenant", c->tenant);
	cli_json_string("chainId", (lc_str) {id, sizeof(id)});
	cli_json_uint("firstSequence", c->first);
	cli_json_uint("lastSequence", c->last);
	cli_json_uint("events", c->events);
	cli_json_uint("erased", c->erased_count);
	cli_json_uint("erasedUnexplained", unexplained(c));
	if (c->whole && lc_frontier_root(&c->tree, root) == LC_OK)
		cli_json_hex("rootHash", root, LC_HASH_LEN);
	lc_jcs_end_object(cli_json());
	cli_print("%s/%.36s: %llu events, sequences %llu to %llu, %zu erased", c->tenant, id,
			  (unsigned long long) c->events, (unsigned long long) c->first,
			  (unsigned long long) c->last, c->erased_count);
}

void
export_report(const export_check *e)
{
	cli_json_list("chains");
	for (size_t i = 0; i < e->chain_count; i++)
		report_chain(&e->chains[i]);
	lc_jcs_end_array(cli_json());
	cli_json_list("checkpoints");
	for (size_t i = 0; i < e->target_count; i++)
	{
		const export_target *t = &e->targets[i];

		cli_json_object(NULL);
		cli_json_text("file", t->path);
		cli_json_uint("treeSize", t->checkpoint.head.size);
		cli_json_bool("agrees", t->agrees);
		lc_jcs_end_object(cli_json());
		if (t->agrees)
			cli_print("%s: the first %llu events of %.*s/%.*s give its signed root", t->path,
					  (unsigned long long) t->checkpoint.head.size, CLI_SHOW(t->checkpoint.name.tenant),
					  CLI_SHOW(t->checkpoint.name.chain));
	}
	lc_jcs_end_array(cli_json());
}

void
export_free(export_check *e)
{
	for (size_t i = 0; i < e->chain_count; i++)
	{
		free(e->chains[i].tenant);
		free(e->chains[i].policy);
		free(e->chains[i].erased);
	}
	free(e->chains);
	uuid_map_free(&e->by_id);
	for (size_t i = 0; i < e->target_count; i++)
		lc_buf_free(&e->targets[i].note);
	free(e->targets);
}
