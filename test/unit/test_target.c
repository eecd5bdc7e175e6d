/*
 * test_target.c
 *		Request targets: what is decoded to what, and what is refused.
 */
#include <string.h>

#include "harness.h"
#include "target.h"

#define CHECK(what) ok((what), "%s", #what)

static void
parse(const char *raw, target *t, const char **fault)
{
	*fault = target_parse(raw, strlen(raw), t);
}

static void
good_targets(void)
{
	target		t;
	const char *fault;

	parse("/", &t, &fault);
	CHECK(fault == NULL && t.segments_count == 0 && t.query_count == 0 && strcmp(t.path, "/") == 0);
	target_free(&t);

	parse("/v1/a%20b/%C3%A4?x=1&y=a+b%2Bc&x=2&flag", &t, &fault);
	CHECK(fault == NULL && t.segments_count == 3 && t.query_count == 4 && t.slashed == 0);
	CHECK(strcmp(t.segments[1], "a b") == 0 && strcmp(t.segments[2], "\xc3\xa4") == 0);
	CHECK(strcmp(t.path, "/v1/a%20b/%C3%A4") == 0);
	CHECK(strcmp(t.query[1].value, "a b+c") == 0 && strcmp(t.query[3].value, "") == 0);
	CHECK(strcmp(target_query(&t, "x"), "1") == 0 && target_query(&t, "z") == NULL);
	target_free(&t);

	/* A plus is a blank in a query only; a slash that was escaped is noted. */
	parse("/a+b/pkg:npm%2Flodash/c?q=%2f", &t, &fault);
	CHECK(fault == NULL && strcmp(t.segments[0], "a+b") == 0 && t.slashed == 2);
	CHECK(strcmp(t.segments[1], "pkg:npm/lodash") == 0 && strcmp(t.query[0].value, "/") == 0);
	target_free(&t);

	parse("http://ledger:8080/a?b", &t, &fault);
	CHECK(fault == NULL && strcmp(t.authority, "ledger:8080") == 0 && strcmp(t.path, "/a") == 0);
	target_free(&t);

	parse("/a?&&b=1&", &t, &fault);
	CHECK(fault == NULL && t.query_count == 1);
	target_free(&t);
}

static void
refused_targets(void)
{
	static const char *const bad[] = {
		"", "a", "*", "?a", "//", "//a", "/a/", "/a//b", "/.", "/..", "/a/./b", "/a/../b", "/%2e", "/a/%2E%2e/b",
		"/.%2e", "/%", "/%4", "/%zz", "/%00", "/a%00b", "/%0a", "/%7f", "/%1F", "/%5c", "/a\\b", "/a#b", "/a b",
		"/a\tb", "/a\"b", "/<a>", "/{a}", "/a|b", "/a^b", "/a`b", "/\xc3\xa4", "/%ff", "/%c0%af", "/%ed%a0%80",
		"/%f5%80%80%80", "/?%00", "/?a=%0d", "/?=1", "/?a=%f", "/?a=%c3", "/?a b", "/?a=#", "http://", "http:///a",
		"https://", "ftp://a/b", "http:/a", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		target		t;
		const char *fault;

		parse(bad[i], &t, &fault);
		ok(fault != NULL, "refused: %s", bad[i]);
		target_free(&t);
	}
}

static void
limits(void)
{
	char		raw[TARGET_MAX_LENGTH + 2];
	target		t;

	memset(raw, 'a', sizeof(raw));
	raw[0] = '/';
	CHECK(!target_too_long(raw, sizeof(t.path) - 1) && target_too_long(raw, sizeof(t.path)));
	CHECK(target_parse(raw, sizeof(t.path) - 1, &t) == NULL && strlen(t.path) == sizeof(t.path) - 1);
	target_free(&t);
	CHECK(target_parse(raw, sizeof(t.path), &t) != NULL);
	target_free(&t);
	raw[1] = '?';
	CHECK(!target_too_long(raw, TARGET_MAX_LENGTH) && target_too_long(raw, TARGET_MAX_LENGTH + 1));
	CHECK(target_parse(raw, TARGET_MAX_LENGTH, &t) == NULL && strlen(t.query[0].name) == TARGET_MAX_LENGTH - 2);
	target_free(&t);
	/* As many parameters as there is room for, and one more. */
	for (size_t i = 0; i <= TARGET_MAX_QUERY; i++)
		memcpy(raw + 2 + 2 * i, "a&", 2);
	CHECK(target_parse(raw, 2 + 2 * TARGET_MAX_QUERY, &t) == NULL && t.query_count == TARGET_MAX_QUERY);
	target_free(&t);
	CHECK(target_parse(raw, 2 + 2 * (TARGET_MAX_QUERY + 1), &t) != NULL);
	target_free(&t);
}

int
main(void)
{
	good_targets();
	refused_targets();
	limits();
	return done();
}
