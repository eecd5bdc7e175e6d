/*
 * http_local.c
 *		Answers that need no database: the index, the OpenAPI document, the
 *		page of a problem.
 */
#include <string.h>

#include "http_local.h"
#include "lc_jcs.h"
#include "openapi.h"
#include "request.h"

static void
put_string(lc_buf *out, const char *s)
{
	lc_jcs_put_string(out, s, strlen(s));
}

void
local_index(struct request *r)
{
	static const char head[] = "{\"name\":\"Findings Ledger\",\"version\":\"" LEDGER_VERSION "\",\"links\":{"
		"\"openapi\":\"/openapi.yaml\",\"live\":\"/health/live\",\"ready\":\"/health/ready\","
		"\"metrics\":\"/metrics\"},\"routes\":[";
	lc_buf	   *out = &r->reply.body;

	reply_clear(&r->reply);
	lc_buf_puts(out, head);
	for (size_t i = 0; i < routes_count; i++)
	{
		if (i > 0)
			lc_buf_putc(out, ',');
		lc_buf_puts(out, "{\"name\":");
		put_string(out, routes[i].name);
		lc_buf_puts(out, ",\"method\":");
		put_string(out, routes[i].method);
		lc_buf_puts(out, ",\"path\":");
		put_string(out, routes[i].pattern);
		lc_buf_putc(out, '}');
	}
	lc_buf_puts(out, "]}\n");
}

void
local_openapi(struct request *r)
{
	reply_clear(&r->reply);
	reply_header_set(&r->reply, "Content-Type", "application/yaml");
	reply_header_set(&r->reply, "Cache-Control", "public, max-age=300");
	reply_header_set(&r->reply, "ETag", openapi_tag);
	lc_buf_append(&r->reply.body, openapi_document, openapi_document_size);
}

void
local_problem(struct request *r)
{
	const char *code = r->match.params[0].value;
	const problem_kind *kind = problem_find(code);
	lc_buf	   *out = &r->reply.body;
	problem		p;

	/* problem_find knows an answer for everything; here what there is, and of an SQLSTATE also its class. */
	if (strcmp(kind->code, code) != 0 && strcmp(kind->code, "internal") == 0)
	{
		problem_set(&p, "not_found", "There is no problem of that code.");
		request_problem(r, &p);
		return;
	}
	reply_clear(&r->reply);
	reply_header_set(&r->reply, "Cache-Control", "public, max-age=300");
	lc_buf_puts(out, "{\"code\":");
	put_string(out, kind->code);
	lc_buf_puts(out, ",\"status\":");
	lc_buf_put_int64(out, kind->status);
	lc_buf_puts(out, ",\"title\":");
	put_string(out, kind->title);
	lc_buf_puts(out, ",\"help\":");
	put_string(out, kind->help);
	lc_buf_puts(out, "}\n");
}
