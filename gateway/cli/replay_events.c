/*
 * replay_events.c
 *		Every event read back, and what the chains then are.
 *
 * Three things are compared with each other: what is recomputed here from the
 * columns, what the database says (stored hashes, stored roots of anchors, the
 * root that it computes itself), and what the fixture was.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "lc_hex.h"
#include "replay.h"
#include "stored_event.h"

typedef struct verifier
{
	replay	   *replay;
	PGconn	   *conn;
	atomic_size_t *next;		/* of all workers: the next chain to take */
	crew	   *crew;
	/* of the chain at hand: */
	replay_chain *chain;
	lc_frontier tree;
	checksum	digest;
	PGresult   *anchors;		/* tree_size, root_hash, by size */
	int			anchor;			/* the next one that the tree will reach */
} verifier;

/* ---- one chain ---- */

static cli_exit
crypto_failed(fault *f)
{
	fault_set(f, "OpenSSL cannot hash");
	return CLI_USAGE;
}

static cli_exit
root_differs(const replay_chain *c, uint64_t size, const char *who, const uint8_t mine[LC_HASH_LEN],
			 const uint8_t theirs[LC_HASH_LEN], fault *f)
{
	char		hex[2][2 * LC_HASH_LEN];

	lc_hex_encode(mine, LC_HASH_LEN, hex[0]);
	lc_hex_encode(theirs, LC_HASH_LEN, hex[1]);
	fault_set(f, "%s/%s: the root of its first %" PRIu64 " events is %.64s, but %s says %.64s", c->tenant, c->id,
			  size, hex[0], who, hex[1]);
	return CLI_FAILED;
}

/* The stored root of every anchor whose size the tree has just reached. */
static cli_exit
compare_anchors(verifier *v, fault *f)
{
	uint64_t	size;

	while (v->anchor < PQntuples(v->anchors) && db_uint(v->anchors, v->anchor, "tree_size", &size) &&
		   size == v->tree.size)
	{
		uint8_t		root[LC_HASH_LEN];
		uint8_t		stored[LC_HASH_LEN] = {0};

		if (lc_frontier_root(&v->tree, root) != LC_OK)
			return crypto_failed(f);
		if (!db_hash(v->anchors, v->anchor, "root_hash", stored) ||
			memcmp(root, stored, LC_HASH_LEN) != 0)
			return root_differs(v->chain, size, "the anchor stored for it", root, stored, f);
		v->chain->anchors++;
		v->anchor++;
	}
	return CLI_GOOD;
}

static cli_exit
take_event(void *arg, const stored_event *event, fault *f)
{
	verifier   *v = arg;

	if (v->chain->policy == NULL)
	{
		lc_str		policy = event->event.policy_version;

		v->chain->policy = cli_alloc.resize(NULL, NULL, policy.n + 1);
		memcpy(v->chain->policy, policy.s, policy.n);
		v->chain->policy[policy.n] = '\0';
	}
	v->chain->events++;
	v->chain->erased += event->erased;
	checksum_add(&v->digest, event->event_hash);
	if (lc_frontier_append(&v->tree, event->leaf_hash, NULL) != LC_OK)
		return crypto_failed(f);
	atomic_fetch_add(&v->crew->done, 1);
	return compare_anchors(v, f);
}

/* Anchors beyond the chain's end are of events that are gone. */
static cli_exit
check_end(verifier *v, fault *f)
{
	if (v->chain->events == 0)
		fault_set(f, "%s/%s is registered and has no events", v->chain->tenant, v->chain->id);
	else if (v->anchor < PQntuples(v->anchors))
		fault_set(f, "%s/%s ends at sequence %" PRIu64 ", but is anchored up to %s: events are missing at its end",
				  v->chain->tenant, v->chain->id, v->chain->events,
				  db_text(v->anchors, PQntuples(v->anchors) - 1, "tree_size"));
	else
		return CLI_GOOD;
	return CLI_FAILED;
}

/* The root that the database computes, by its own code. */
static cli_exit
compare_own_root(verifier *v, fault *f)
{
	const char *values[] = {v->chain->tenant, v->chain->id, NULL};
	char		size[24];
	uint8_t		theirs[LC_HASH_LEN] = {0};
	PGresult   *rows;
	bool		same;

	snprintf(size, sizeof(size), "%" PRIu64, v->chain->events);
	values[2] = size;
	rows = db_query(v->conn, f, "SELECT ledger.ledger_chain_root($1, $2, $3) AS root", 3, values);
	if (rows == NULL)
		return CLI_USAGE;
	same = db_hash(rows, 0, "root", theirs) && memcmp(theirs, v->chain->root, LC_HASH_LEN) == 0;
	PQclear(rows);
	return same ? CLI_GOOD
		: root_differs(v->chain, v->chain->events, "the database", v->chain->root, theirs, f);
}

static void
compare_fixture(verifier *v)
{
	const export_chain *want = v->replay->fixture == NULL ? NULL
		: fixture_chain(v->replay->fixture, v->chain->tenant, v->chain->chain_id);
	uint8_t		root[LC_HASH_LEN];

	v->chain->parted = v->replay->fixture != NULL &&
		(want == NULL || want->last != v->chain->events || lc_frontier_root(&want->tree, root) != LC_OK ||
		 memcmp(root, v->chain->root, LC_HASH_LEN) != 0);
}

static cli_exit
verify_chain(verifier *v, fault *f)
{
	replay_chain *c = v->chain;
	const char *values[] = {c->tenant, c->id};
	cli_exit	code;

	if (!db_select_tenant(v->conn, c->tenant, f))
		return CLI_USAGE;
	v->anchors = db_query(v->conn, f, "SELECT r.tree_size, r.root_hash FROM ledger.ledger_merkle_roots AS r"
						  " WHERE r.tenant_id = $1 AND r.chain_id = $2 ORDER BY r.tree_size", 2, values);
	if (v->anchors == NULL)
		return CLI_USAGE;
	v->anchor = 0;
	lc_frontier_init(&v->tree);
	checksum_begin(&v->digest);
	code = chain_visit(v->conn, c->tenant, c->id, take_event, v, f);
	if ((!checksum_end(&v->digest, c->digest) || lc_frontier_root(&v->tree, c->root) != LC_OK) &&
		code == CLI_GOOD)
		code = crypto_failed(f);
	if (code == CLI_GOOD)
		code = check_end(v, f);
	if (code == CLI_GOOD)
		code = compare_own_root(v, f);
	if (code == CLI_GOOD)
		compare_fixture(v);
	PQclear(v->anchors);
	return code;
}

static cli_exit
verify_chains(crew *c, void *arg, fault *f)
{
	verifier   *v = arg;
	cli_exit	code = rows_in_order(v->conn, f) ? CLI_GOOD : CLI_USAGE;

	v->crew = c;
	while (code == CLI_GOOD && !atomic_load(&c->stop))
	{
		size_t		i = atomic_fetch_add(v->next, 1);

		if (i >= v->replay->chain_count)
			break;
		v->chain = &v->replay->chains[i];
		code = verify_chain(v, f);
	}
	return code;
}

/* ---- all of them ---- */

static cli_exit
list_chains(replay *r)
{
	for (size_t t = 0; t < r->tenants.count; t++)
	{
		chain_list	ids;
		fault		f;

		if (!chains_read(r->conns[0], r->tenants.names[t], &ids, &f))
			return cli_error(CLI_USAGE, "%s", f.text);
		r->chains = cli_alloc.resize(NULL, r->chains, (r->chain_count + ids.count + 1) * sizeof(*r->chains));
		for (size_t i = 0; i < ids.count; i++)
		{
			replay_chain *c = &r->chains[r->chain_count++];

			memset(c, 0, sizeof(*c));
			c->tenant = r->tenants.names[t];
			memcpy(c->id, ids.ids[i], sizeof(c->id));
			(void) lc_uuid_parse(c->id, strlen(c->id), c->chain_id);
		}
		chains_free(&ids);
	}
	return CLI_GOOD;
}

/* Rows of a tenant that no registered chain has, or of a chain that the fixture has and the ledger has not. */
static cli_exit
compare_counts(replay *r, fault *f)
{
	for (size_t t = 0; t < r->tenants.count; t++)
	{
		const char *values[] = {r->tenants.names[t]};
		PGresult   *rows = !db_select_tenant(r->conns[0], values[0], f) ? NULL
			: db_query(r->conns[0], f, "SELECT count(*) AS n FROM ledger.ledger_events AS e WHERE e.tenant_id = $1",
					   1, values);
		uint64_t	stored = 0;
		uint64_t	read = 0;

		if (rows == NULL)
			return CLI_USAGE;
		(void) db_uint(rows, 0, "n", &stored);
		PQclear(rows);
		for (size_t i = 0; i < r->chain_count; i++)
			if (r->chains[i].tenant == r->tenants.names[t])
				read += r->chains[i].events;
		if (stored != read)
		{
			fault_set(f, "%s has %" PRIu64 " events, but its registered chains have %" PRIu64, values[0], stored, read);
			return CLI_FAILED;
		}
	}
	return CLI_GOOD;
}

static cli_exit
compare_chain_lists(const replay *r, fault *f)
{
	size_t		of_fixture = r->fixture != NULL ? r->fixture->check.chain_count : 0;

	for (size_t i = 0; i < of_fixture; i++)
	{
		const export_chain *want = &r->fixture->check.chains[i];
		bool		found = false;
		char		id[LC_UUID_TEXT];

		for (size_t k = 0; k < r->chain_count && !found; k++)
			found = memcmp(r->chains[k].chain_id, want->chain_id, LC_UUID_LEN) == 0 &&
				strcmp(r->chains[k].tenant, want->tenant) == 0;
		if (found)
			continue;
		lc_uuid_format(want->chain_id, id);
		fault_set(f, "%s/%.36s is in the fixture, and the database has no such chain", want->tenant, id);
		return CLI_FAILED;
	}
	return CLI_GOOD;
}

static cli_exit
add_up(replay *r, fault *f)
{
	checksum	events;
	checksum	roots;
	bool		good;

	checksum_begin(&events);
	checksum_begin(&roots);
	for (size_t i = 0; i < r->chain_count; i++)
	{
		r->totals.events += r->chains[i].events;
		r->totals.erased += r->chains[i].erased;
		r->totals.anchors += r->chains[i].anchors;
		checksum_add(&events, r->chains[i].digest);
		checksum_add(&roots, r->chains[i].root);
	}
	good = checksum_end(&events, r->totals.events_checksum);
	good = checksum_end(&roots, r->totals.roots_checksum) && good;
	return good ? CLI_GOOD : crypto_failed(f);
}

static cli_exit
verify_all(replay *r, fault *f)
{
	crew		c = {.what = "verifying events", .total = r->fixture != NULL ? r->fixture->lines : 0};
	verifier   *workers = cli_alloc.resize(NULL, NULL, r->connections * sizeof(*workers));
	atomic_size_t next = 0;
	cli_exit	code;

	memset(workers, 0, r->connections * sizeof(*workers));
	for (size_t i = 0; i < r->connections; i++)
	{
		workers[i].replay = r;
		workers[i].conn = r->conns[i];
		workers[i].next = &next;
	}
	code = crew_run(&c, r->connections, verify_chains, workers, sizeof(*workers), f);
	cli_alloc.release(NULL, workers);
	return code;
}

cli_exit
replay_events(replay *r)
{
	fault		f;
	cli_exit	code = list_chains(r);

	if (code != CLI_GOOD)
		return code;
	code = verify_all(r, &f);
	if (code == CLI_GOOD)
		code = compare_counts(r, &f);
	if (code == CLI_GOOD)
		code = compare_chain_lists(r, &f);
	for (size_t i = 0; i < r->chain_count && code == CLI_GOOD; i++)
		if (r->chains[i].parted)
			code = replay_locate(r, &r->chains[i], &f);
	if (code == CLI_GOOD)
		code = add_up(r, &f);
	if (code == CLI_FAILED)
		replay_differs(r, &f);
	else if (code != CLI_GOOD)
		return cli_error(code, "%s", f.text);
	return CLI_GOOD;
}
