/*
 * routes_print.c
 *		--print-routes: the table of routes as JSON, for the test that compares
 *		it with openapi.yaml.
 */
#include <stdio.h>
#include <string.h>

#include "lc_jcs.h"
#include "main.h"
#include "route.h"

static void
put_string(lc_jcs *w, const char *name, const char *value)
{
	lc_jcs_key(w, name, strlen(name));
	lc_jcs_string(w, value, strlen(value));
}

/* Words separated by spaces. */
static void
put_words(lc_jcs *w, const char *name, const char *words)
{
	lc_jcs_key(w, name, strlen(name));
	lc_jcs_begin_array(w);
	while (words != NULL && *words != '\0')
	{
		size_t		n = strcspn(words, " ");

		lc_jcs_string(w, words, n);
		words += n + strspn(words + n, " ");
	}
	lc_jcs_end_array(w);
}

static void
put_route(lc_jcs *w, const route *r)
{
	static const char *const bodies[] = {
		[BODY_NONE] = "none", [BODY_JSON] = "json", [BODY_EVENTS] = "events", [BODY_BYTES] = "bytes"
	};

	lc_jcs_begin_object(w);
	put_string(w, "name", r->name);
	put_string(w, "method", r->method);
	put_string(w, "pattern", r->pattern);
	put_string(w, "scope", r->scope == SCOPE_NONE ? "" : scope_name(r->scope));
	put_string(w, "body", bodies[r->body]);
	put_words(w, "query", r->query);
	lc_jcs_key(w, "signedUrl", strlen("signedUrl"));
	lc_jcs_boolean(w, (r->flags & ROUTE_SIGNED_URL) != 0);
	lc_jcs_key(w, "paged", strlen("paged"));
	lc_jcs_boolean(w, (r->flags & ROUTE_PAGED) != 0);
	lc_jcs_end_object(w);
}

bool
routes_print(void)
{
	lc_buf		out;
	lc_jcs	   *w;
	bool		good = false;

	lc_buf_init(&out, &lc_alloc_malloc);
	w = lc_jcs_new(&out, &lc_alloc_malloc);
	if (w != NULL)
	{
		lc_jcs_begin_array(w);
		for (size_t i = 0; i < routes_count; i++)
			put_route(w, &routes[i]);
		lc_jcs_end_array(w);
		good = lc_jcs_finish(w) == LC_OK && out.status == LC_OK && puts(out.data) >= 0;
		lc_jcs_free(w);
	}
	lc_buf_free(&out);
	return good;
}
