/*
 * prom.c
 *		What this process counts, and GET /metrics.
 *
 * Counters of requests are atomics, each loop adds to them; those of writes are
 * a table under a mutex, because tenants and event types come and go.  Labels
 * come from the route table, from what the database committed, and from the
 * database itself: nothing that a client merely sends becomes a label, so nobody
 * can make series at will.  The table of writes is bounded all the same.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "config.h"
#include "db.h"
#include "dbappend.h"
#include "log.h"
#include "probe.h"
#include "prom.h"
#include "prom_process.h"
#include "prom_set.h"
#include "quota.h"
#include "request.h"
#include "tick.h"

#define BUCKETS 14
static const double bounds[BUCKETS] = {
	0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
};

static size_t
bucket_of(double seconds)
{
	size_t		i = 0;

	while (i < BUCKETS && seconds > bounds[i])
		i++;
	return i;
}

/* ---- requests ---- */

/* The last of each list stands for all others. */
static const char *const methods[] = {
	"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "other"
};
static const unsigned statuses[] = {
	200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 412, 413, 414, 415, 416, 417, 422,
	423, 425, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 0
};

#define METHODS (sizeof(methods) / sizeof(methods[0]))
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))
/* Rows of the route table, and one for what matched none. */
#define MAX_ROUTES 128

typedef struct request_counts
{
	atomic_uint_fast64_t answered[METHODS][STATUSES];
	atomic_uint_fast64_t seconds[BUCKETS + 1];
	atomic_uint_fast64_t microseconds;	/* of all */
} request_counts;

static request_counts requests[MAX_ROUTES];
static atomic_int in_flight;

static void
add(atomic_uint_fast64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t
get(atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void
prom_request(const request *r, double seconds)
{
	size_t		row = r->match.route != NULL ? (size_t) (r->match.route - routes) : routes_count;
	size_t		method = 0,
				status = 0;
	request_counts *counts = &requests[row < MAX_ROUTES ? row : MAX_ROUTES - 1];

	while (method < METHODS - 1 && strcmp(r->method, methods[method]) != 0)
		method++;
	while (status < STATUSES - 1 && r->reply.status != statuses[status])
		status++;
	add(&counts->answered[method][status], 1);
	add(&counts->seconds[bucket_of(seconds)], 1);
	add(&counts->microseconds, seconds > 0 ? (uint64_t) (seconds * 1e6) : 0);
}

void
prom_in_flight(int change)
{
	atomic_fetch_add_explicit(&in_flight, change, memory_order_relaxed);
}

static void
put_route(prom_set *s, const char *name, request_counts *counts)
{
	uint64_t	seconds[BUCKETS + 1];
	const char *labels[] = {"route", name, "method", NULL, "code", NULL, NULL};
	char		code[16];

	for (size_t m = 0; m < METHODS; m++)
		for (size_t c = 0; c < STATUSES; c++)
		{
			uint64_t	n = get(&counts->answered[m][c]);

			if (n == 0)
				continue;
			snprintf(code, sizeof(code), "%u", statuses[c]);
			labels[3] = methods[m];
			labels[5] = statuses[c] == 0 ? "other" : code;
			prom_add_value(s, "http_requests_total", (double) n, labels);
		}
	for (size_t i = 0; i <= BUCKETS; i++)
		seconds[i] = get(&counts->seconds[i]);
	labels[2] = NULL;
	prom_add_histogram(s, "http_request_duration_seconds", bounds, BUCKETS, seconds,
					   (double) get(&counts->microseconds) / 1e6, labels);
}

static void
put_requests(prom_set *s)
{
	for (size_t i = 0; i <= routes_count && i < MAX_ROUTES; i++)
		put_route(s, i < routes_count ? routes[i].name : "none", &requests[i]);
	prom_add_value(s, "http_requests_in_flight", atomic_load(&in_flight), NULL);
}

/* ---- writes ---- */

/* Combinations of tenant, event type and source that are kept apart; later ones count as "other". */
#define MAX_SERIES 4096
#define SLOTS (2 * MAX_SERIES)

typedef struct write_series
{
	char	   *key;			/* tenant, type and source, each with its NUL */
	size_t		key_len;
	const char *type,
			   *source;
	uint64_t	events;
	uint64_t	seconds[BUCKETS + 1];
	double		sum;
} write_series;

static pthread_mutex_t writes_mutex = PTHREAD_MUTEX_INITIALIZER;
static write_series *slots[SLOTS];
static size_t series_count;

static size_t
make_key(char *out, size_t size, const char *tenant, const char *type, const char *source)
{
	const char *parts[] = {tenant, type, source};
	size_t		at = 0;

	for (size_t i = 0; i < 3; i++)
	{
		size_t		n = strlen(parts[i]);

		if (n > size / 3 - 1)
			n = size / 3 - 1;
		memcpy(out + at, parts[i], n);
		out[at + n] = '\0';
		at += n + 1;
	}
	return at;
}

static uint64_t
hash_of(const char *bytes, size_t n)
{
	uint64_t	h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char) bytes[i]) * UINT64_C(1099511628211);
	return h;
}

static write_series *
new_series(const char *key, size_t n)
{
	write_series *series = calloc(1, sizeof(*series));

	if (series == NULL || (series->key = malloc(n)) == NULL)
	{
		free(series);
		return NULL;
	}
	memcpy(series->key, key, n);
	series->key_len = n;
	series->type = series->key + strlen(series->key) + 1;
	series->source = series->type + strlen(series->type) + 1;
	series_count++;
	return series;
}

/* With the mutex.  NULL: there is no room for it, or no memory. */
static write_series *
find_series(const char *tenant, const char *type, const char *source, size_t limit)
{
	char		key[600];
	size_t		n = make_key(key, sizeof(key), tenant, type, source);

	for (size_t i = hash_of(key, n) % SLOTS;; i = (i + 1) % SLOTS)
	{
		if (slots[i] == NULL)
			return series_count < limit ? (slots[i] = new_series(key, n)) : NULL;
		if (slots[i]->key_len == n && memcmp(slots[i]->key, key, n) == 0)
			return slots[i];
	}
}

void
prom_write(const char *tenant, const char *event_type, const char *source, double seconds, uint64_t events)
{
	write_series *series;

	pthread_mutex_lock(&writes_mutex);
	series = find_series(tenant, event_type, source, MAX_SERIES - 3);
	if (series == NULL)
		series = find_series("other", "other", source, MAX_SERIES);
	if (series != NULL)
	{
		series->events += events;
		series->seconds[bucket_of(seconds)] += events;
		series->sum += seconds * (double) events;
	}
	pthread_mutex_unlock(&writes_mutex);
}

/* What has the same labels (sources of the older names) is one sample at the end. */
static void
put_series(prom_set *s, const write_series *series)
{
	const char *labels[] = {"tenant", series->key, "event_type", series->type, "source", series->source, NULL};

	prom_add_value(s, "ledger_events_total", (double) series->events, labels);
	prom_add_histogram(s, "ledger_write_duration_seconds", bounds, BUCKETS, series->seconds,
					   series->sum, labels);
	labels[4] = NULL;
	prom_add_histogram(s, "ledger_write_latency_seconds", bounds, BUCKETS, series->seconds,
					   series->sum, labels);
	if (!probe_type_projected(series->type))
		return;
	prom_add_value(s, "ledger_projection_events_total", (double) series->events, labels);
	prom_add_histogram(s, "ledger_projection_apply_seconds", bounds, BUCKETS, series->seconds,
					   series->sum, labels);
}

static void
put_writes(prom_set *s)
{
	pthread_mutex_lock(&writes_mutex);
	for (size_t i = 0; i < SLOTS; i++)
		if (slots[i] != NULL)
			put_series(s, slots[i]);
	pthread_mutex_unlock(&writes_mutex);
}

/* ---- what other parts count ---- */

static void
put_quota(const quota_state *state, void *arg)
{
	prom_set   *s = arg;
	char		limit[24];
	const char *labels[] = {"tenant", state->tenant, NULL, NULL, NULL, NULL, NULL};
	uint64_t	left = state->limit > state->backlog ? state->limit - state->backlog : 0;

	/* A token may name any tenant; only one that is there is worth a series. */
	if (!probe_tenant_known(state->tenant))
		return;
	if (state->limit > 0)
		prom_add_value(s, "ledger_quota_remaining", (double) left, labels);
	labels[2] = "reason";
	labels[3] = "backlog";
	prom_add_value(s, "ledger_quota_rejections_total", (double) state->rejected_backlog, labels);
	labels[3] = "rate";
	prom_add_value(s, "ledger_quota_rejections_total", (double) state->rejected_rate, labels);
	snprintf(limit, sizeof(limit), "%llu", (unsigned long long) state->limit);
	labels[3] = "anchoring";
	labels[4] = "limit";
	labels[5] = limit;
	prom_add_value(s, "ledger_backpressure_applied_total", (double) state->backpressure, labels);
}

static void
put_db(prom_set *s)
{
	db_counters c = {0};

	db_count(&c);
	prom_add_value(s, "ledger_db_pool_connections", c.connections, (const char *[]) {"state", "configured", NULL});
	prom_add_value(s, "ledger_db_pool_connections", c.connected, (const char *[]) {"state", "connected", NULL});
	prom_add_value(s, "ledger_db_pool_connections", c.busy, (const char *[]) {"state", "busy", NULL});
	prom_add_value(s, "ledger_db_pool_waiting", c.waiting, NULL);
	prom_add_value(s, "ledger_db_pool_timeouts_total", (double) c.timeouts, NULL);
	prom_add_value(s, "ledger_db_pool_reconnects_total", (double) c.reconnects, NULL);
	prom_add_value(s, "ledger_db_retries_total", (double) c.retries, NULL);
	prom_add_value(s, "ledger_db_append_batches_total", (double) c.batches, NULL);
	prom_add_value(s, "ledger_db_append_batched_events_total", (double) c.batched, NULL);
	prom_add_value(s, "ledger_db_shared_statements_total", (double) c.read_batches, NULL);
	prom_add_value(s, "ledger_db_shared_requests_total", (double) c.batched_reads, NULL);
}

static void
put_auth(prom_set *s)
{
	auth_counters c = {0};

	auth_count(&c);
	prom_add_value(s, "ledger_jwt_cache_requests_total", (double) c.cache_requests, NULL);
	prom_add_value(s, "ledger_jwt_cache_hits_total", (double) c.cache_hits, NULL);
	prom_add_value(s, "ledger_jwt_cache_evictions_total", (double) c.cache_evictions, NULL);
	prom_add_value(s, "ledger_jwks_keys", c.keys, NULL);
	prom_add_value(s, "ledger_jwks_fetches_total", (double) c.jwks_fetches, NULL);
	prom_add_value(s, "ledger_jwks_failures_total", (double) c.jwks_failures, NULL);
	prom_add_value(s, "ledger_jwks_last_success_timestamp_seconds", (double) c.jwks_last_success, NULL);
}

static void
put_ticks(prom_set *s)
{
	tick_counters all[TICK_MAX];
	size_t		n = tick_count(all, TICK_MAX);

	for (size_t i = 0; i < n; i++)
	{
		const char *labels[] = {"tick", all[i].name, NULL};

		prom_add_value(s, "ledger_tick_runs_total", (double) all[i].runs, labels);
		prom_add_value(s, "ledger_tick_failures_total", (double) all[i].failures, labels);
		prom_add_value(s, "ledger_tick_last_success_timestamp_seconds", (double) all[i].last_success, labels);
	}
}

/* ---- the text ---- */

static bool
write_text(bool openmetrics, lc_buf *out)
{
	prom_set	s;
	bool		good;

	prom_set_init(&s, config_now()->obs_tenant_label);
	put_requests(&s);
	put_writes(&s);
	quota_each(put_quota, &s);
	put_db(&s);
	put_auth(&s);
	put_ticks(&s);
	probe_samples(&s);
	prom_add_value(&s, "ledger_log_dropped_total", (double) log_dropped(), NULL);
	prom_add_process(&s);
	good = prom_write_set(&s, openmetrics, out);
	prom_set_free(&s);
	return good;
}

void
prom_text(lc_buf *out)
{
	write_text(false, out);
}

/* Only who asks for it gets OpenMetrics; Prometheus does. */
static bool
wants_openmetrics(const request *r)
{
	const char *accept = request_header(r, "Accept");

	return accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;
}

void
prom_local(request *r)
{
	bool		openmetrics = wants_openmetrics(r);
	problem		p = {0};
	lc_buf		text;

	if (!config_now()->obs_enabled)
	{
		problem_set(&p, "not_found", "metrics are switched off");
		request_problem(r, &p);
		return;
	}
	lc_buf_init(&text, &lc_alloc_malloc);
	if (write_text(openmetrics, &text))
		request_text(r, 200, openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
					 : "text/plain; version=0.0.4; charset=utf-8", text.data, text.len);
	else
	{
		problem_set(&p, "internal", "the metrics could not be written");
		request_problem(r, &p);
	}
	lc_buf_free(&text);
}
