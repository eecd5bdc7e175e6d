/*
 * test_route.c
 *		Which route a path belongs to; media types of requests and answers.
 */
#include "harness.h"
#include "media.h"
#include "route.h"
#include "target.h"

const route routes[] = {
	{.name = "root", .method = "GET", .pattern = "/"},
	{.name = "list", .method = "GET", .pattern = "/v1/events"},
	{.name = "add", .method = "POST", .pattern = "/v1/events"},
	{.name = "batch", .method = "POST", .pattern = "/v1/events:batch"},
	{.name = "one", .method = "GET", .pattern = "/v1/events/{id}"},
	{.name = "special", .method = "GET", .pattern = "/v1/events/special"},
	{.name = "history", .method = "GET", .pattern = "/v1/findings/{finding*}/history"},
	{.name = "file", .method = "GET", .pattern = "/v1/findings/{finding*}/files/{file}"},
	{.name = "tile", .method = "GET", .pattern = "/v1/tile/{tile...}"},
};
const size_t routes_count = sizeof(routes) / sizeof(routes[0]);

/* Finds the route of a path; "405 …" with what is allowed; "404". */
static const char *
find(const char *method, const char *path, route_match *m)
{
	static char text[128];
	target		t;
	bool		found;

	if (target_parse(path, strlen(path), &t) != NULL)
	{
		target_free(&t);
		return "400";
	}
	found = route_find(method, &t, m);
	snprintf(text, sizeof(text), "%s", found ? m->route->name : m->allowed[0] != '\0' ? m->allowed : "404");
	for (size_t i = 0; found && i < m->count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %.*s=%s", (int) m->params[i].name_len,
				 m->params[i].name, m->params[i].value);
	target_free(&t);
	return text;
}

static void
finds(const char *method, const char *path, const char *want)
{
	route_match m;
	const char *got = find(method, path, &m);

	ok(strcmp(got, want) == 0, "%s %s is %s, got %s", method, path, want, got);
}

static void
test_routes(void)
{
	finds("GET", "/", "root");
	finds("HEAD", "/", "root");
	finds("GET", "/v1/events", "list");
	finds("POST", "/v1/events", "add");
	finds("POST", "/v1/events:batch", "batch");
	finds("GET", "/v1/events/42", "one id=42");
	finds("GET", "/v1/events/special", "special");
	finds("GET", "/v1/events/a%20b", "one id=a b");
	finds("GET", "/v1/findings/a%2Fb/history", "history finding=a/b");
	finds("GET", "/v1/findings/x/files/y", "file finding=x file=y");
	finds("GET", "/v1/tile/0/x001/067.p/5", "tile tile=0/x001/067.p/5");
	finds("DELETE", "/v1/events", "GET, HEAD, POST");
	finds("GET", "/v1/events:batch", "POST");
	finds("POST", "/v1/events/special", "GET, HEAD");
	finds("GET", "/v1", "404");
	finds("GET", "/v1/events/42/x", "404");
	finds("GET", "/v1/Events", "404");
	finds("GET", "/v1/events/a%2Fb", "404");
	finds("GET", "/v1/findings/x/files/a%2Fb", "404");
	finds("GET", "/v1/tile/0/a%2Fb", "404");
	finds("GET", "/v1/tile", "404");
	finds("GET", "/v1%2Fevents", "404");
}

static void
test_media(void)
{
	static const struct
	{
		const char *accept;
		bool		good;
	}			of_json[] = {
		{NULL, true}, {"", true}, {"*/*", true}, {"application/json", true}, {"APPLICATION/Json", true},
		{"application/*", true}, {"text/html, application/json;q=0.2", true}, {"*/*;q=0.1", true},
		{"text/html", false}, {"application/json;q=0", false}, {"*/*, application/json;q=0.000", false},
		{"application/*;q=0, */*", false}, {"application/*;q=0, application/json", true}, {"application/jsonx", false},
		{",,", false}, {";", false}, {"application/json ; q=1", true}
	};

	for (size_t i = 0; i < sizeof(of_json) / sizeof(of_json[0]); i++)
		ok(media_accepts(of_json[i].accept, NULL) == of_json[i].good, "Accept: %s",
		   of_json[i].accept != NULL ? of_json[i].accept : "(none)");
	ok(media_accepts("text/plain", "application/json text/plain"), "one of two is enough");
	ok(media_accepts("image/png", "*/*"), "what may be anything is always accepted");
	ok(media_accepts_gzip("gzip, br") && media_accepts_gzip("br, *") && !media_accepts_gzip(NULL) &&
	   !media_accepts_gzip("gzip;q=0, *") && !media_accepts_gzip("identity") && !media_accepts_gzip("xgzip"),
	   "Accept-Encoding");
	ok(media_check_body(BODY_JSON, "application/json; charset=UTF-8", true) &&
	   media_check_body(BODY_JSON, "application/cloudevents+json", true) &&
	   !media_check_body(BODY_JSON, "application/x-ndjson", true) &&
	   media_check_body(BODY_EVENTS, "application/x-ndjson", true) &&
	   !media_check_body(BODY_JSON, "application/json; charset=latin1", true) &&
	   !media_check_body(BODY_JSON, NULL, true) && media_check_body(BODY_JSON, NULL, false) &&
	   media_check_body(BODY_BYTES, "image/png", true), "Content-Type");
}

int
main(void)
{
	test_routes();
	test_media();
	return done();
}
