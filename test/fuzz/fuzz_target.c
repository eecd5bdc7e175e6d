/*
 * fuzz_target.c
 *		Request targets on any bytes: what is taken is unambiguous, and written
 *		with every byte escaped it is the same target again.  Then which route
 *		it belongs to, in a table with a pattern of each kind.
 */
#include "fuzz.h"
#include "lc_utf8.h"
#include "route.h"
#include "target.h"

const route routes[] = {
	{.name = "index", .method = "GET", .pattern = "/"},
	{.name = "list", .method = "GET", .pattern = "/v1/ledger/events"},
	{.name = "append", .method = "POST", .pattern = "/v1/ledger/events"},
	{.name = "batch", .method = "POST", .pattern = "/v1/ledger/events:batch"},
	{.name = "one", .method = "GET", .pattern = "/v1/ledger/events/{eventId}"},
	{.name = "finding", .method = "GET", .pattern = "/v1/ledger/findings/{findingId*}/history"},
	{.name = "tile", .method = "GET", .pattern = "/v1/ledger/chains/{chainId}/tile/{path...}"},
};
const size_t routes_count = sizeof(routes) / sizeof(routes[0]);

static void
check_text(const char *text, bool path)
{
	size_t		bad;

	HOLDS(lc_utf8_valid(text, strlen(text), &bad));
	for (const char *p = text; *p != '\0'; p++)
		HOLDS((unsigned char) *p >= 0x20 && *p != 0x7f && !(path && *p == '\\'));
}

static void
put_escaped(lc_buf *out, const char *text)
{
	char		escape[4];

	for (; *text != '\0'; text++)
	{
		snprintf(escape, sizeof(escape), "%%%02X", (unsigned char) *text);
		lc_buf_puts(out, escape);
	}
}

static void
check_again(const target *t)
{
	target		again;
	lc_buf		raw;

	lc_buf_init(&raw, &lc_alloc_malloc);
	for (size_t i = 0; i < t->segments_count; i++)
	{
		lc_buf_putc(&raw, '/');
		put_escaped(&raw, t->segments[i]);
	}
	if (t->segments_count == 0)
		lc_buf_putc(&raw, '/');
	for (size_t i = 0; i < t->query_count; i++)
	{
		lc_buf_putc(&raw, i == 0 ? '?' : '&');
		put_escaped(&raw, t->query[i].name);
		lc_buf_putc(&raw, '=');
		put_escaped(&raw, t->query[i].value);
	}
	/* Three bytes for one may be more than a target has. */
	if (!target_too_long(raw.data, raw.len))
	{
		HOLDS(target_parse(raw.data, raw.len, &again) == NULL);
		HOLDS(again.segments_count == t->segments_count && again.query_count == t->query_count);
		HOLDS(again.slashed == t->slashed);
		for (size_t i = 0; i < t->segments_count; i++)
			HOLDS(strcmp(again.segments[i], t->segments[i]) == 0);
		for (size_t i = 0; i < t->query_count; i++)
			HOLDS(strcmp(again.query[i].name, t->query[i].name) == 0 &&
				  strcmp(again.query[i].value, t->query[i].value) == 0);
		target_free(&again);
	}
	lc_buf_free(&raw);
}

static void
check_target(const target *t)
{
	HOLDS(t->segments_count <= TARGET_MAX_SEGMENTS && t->query_count <= TARGET_MAX_QUERY);
	HOLDS(t->path[0] == '/' && strlen(t->path) < sizeof(t->path) && strchr(t->path, '?') == NULL);
	for (size_t i = 0; i < t->segments_count; i++)
	{
		const char *segment = t->segments[i];

		check_text(segment, true);
		HOLDS(*segment != '\0' && strcmp(segment, ".") != 0 && strcmp(segment, "..") != 0);
		HOLDS((strchr(segment, '/') != NULL) == ((t->slashed >> i & 1) != 0));
	}
	for (size_t i = 0; i < t->query_count; i++)
	{
		check_text(t->query[i].name, false);
		check_text(t->query[i].value, false);
		HOLDS(t->query[i].name[0] != '\0' && target_query(t, t->query[i].name) != NULL);
	}
}

static void
check_route(const target *t, const char *method)
{
	route_match m;

	if (!route_find(method, t, &m))
	{
		HOLDS(m.route == NULL && strlen(m.allowed) < sizeof(m.allowed));
		return;
	}
	HOLDS(m.count <= ROUTE_MAX_PARAMS);
	for (size_t i = 0; i < m.count; i++)
	{
		check_text(m.params[i].value, true);
		HOLDS(m.params[i].value[0] != '\0');
		/* A slash is in a parameter only where the pattern has room for one. */
		HOLDS(strchr(m.params[i].value, '/') == NULL || strpbrk(m.route->pattern, "*.") != NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	target		t;
	const char *fault = target_parse((const char *) data, size, &t);

	HOLDS(fault == NULL || *fault != '\0');
	if (fault == NULL)
	{
		check_target(&t);
		check_again(&t);
		check_route(&t, "GET");
		check_route(&t, "HEAD");
		check_route(&t, "POST");
		check_route(&t, "DELETE");
	}
	target_free(&t);
	return 0;
}
