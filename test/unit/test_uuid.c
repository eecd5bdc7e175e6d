/*
 * test_uuid.c
 *		lc_uuid.
 */
#include "harness.h"
#include "lc_uuid.h"
#include "lc_sha256.h"

static void
is_uuid(const uint8_t uuid[LC_UUID_LEN], const char *want, const char *name)
{
	char		text[LC_UUID_TEXT];

	lc_uuid_format(uuid, text);
	is_bytes(text, sizeof(text), want, strlen(want), name);
}

static void
refuses(const char *text, const char *name)
{
	uint8_t		uuid[LC_UUID_LEN];

	is_status(lc_uuid_parse(text, strlen(text), uuid), LC_ERR_SYNTAX, name);
}

static void
test_text(void)
{
	static const char text[] = "01234567-89ab-4cde-8f01-23456789abcd";
	uint8_t		uuid[LC_UUID_LEN];

	is_status(lc_uuid_parse(text, 36, uuid), LC_OK, "parse");
	is_hex(uuid, sizeof(uuid), "0123456789ab4cde8f0123456789abcd", "its bytes");
	is_uuid(uuid, text, "format");
	refuses("", "empty");
	refuses("01234567-89ab-4cde-8f01-23456789abc", "a digit short");
	refuses("01234567-89ab-4cde-8f01-23456789abcde", "a digit long");
	refuses("01234567-89AB-4cde-8f01-23456789abcd", "capitals");
	refuses("{0123456-89ab-4cde-8f01-23456789abc}", "braces");
	refuses("0123456789ab4cde8f0123456789abcd", "no dashes");
	refuses("01234567089ab-4cde-8f01-23456789abcd", "a digit for a dash");
	refuses("0123456-789ab-4cde-8f01-23456789abcd", "a dash misplaced");
	refuses("01234567-89ab-4cde-8f01-2345678-abcd", "a dash for a digit");
}

static void
test_v7(void)
{
	static const uint8_t zeros[10] = {0};
	static const uint8_t ones[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
	static const uint8_t mixed[10] = {0xaa, 0xbb, 1, 2, 3, 4, 5, 6, 7, 8};
	uint8_t		uuid[LC_UUID_LEN];
	uint8_t		next[LC_UUID_LEN];
	int64_t		us;
	bool		rising = true;

	/* 2026-11-23T19:30:00.123456Z: 0x1a209e2fb3b ms, 456 us are 0x74b/4096 ms. */
	lc_uuid_v7(uuid, INT64_C(1795462200123456), zeros);
	is_uuid(uuid, "01a209e2-fb3b-774b-8000-000000000000", "no random bits set");
	lc_uuid_v7(uuid, INT64_C(1795462200123456), ones);
	is_uuid(uuid, "01a209e2-fb3b-774b-bfff-ffffffffffff", "all random bits set");
	lc_uuid_v7(uuid, INT64_C(1795462200123999), mixed);
	is_uuid(uuid, "01a209e2-fb3b-7ffb-8102-030405060708", "999 us, and where random bytes go");
	lc_uuid_v7(uuid, 0, zeros);
	is_uuid(uuid, "00000000-0000-7000-8000-000000000000", "the epoch");
	lc_uuid_v7(uuid, -1, zeros);
	is_uuid(uuid, "00000000-0000-7000-8000-000000000000", "before the epoch counts as the epoch");
	lc_uuid_v7(uuid, INT64_C(253402300799999999), ones);
	is_uuid(uuid, "e677d21f-dbff-7ffb-bfff-ffffffffffff", "the year 9999");

	for (us = INT64_C(1795462200123000); us < INT64_C(1795462200125000); us++)
	{
		lc_uuid_v7(uuid, us, ones);
		lc_uuid_v7(next, us + 1, zeros);
		rising = rising && memcmp(uuid, next, sizeof(uuid)) < 0;
	}
	ok(rising, "each microsecond's UUIDs sort behind those of the one before");
}

static void
chain_is(const char *tenant, const char *policy, const char *want)
{
	uint8_t		uuid[LC_UUID_LEN];
	lc_str		t = {tenant, strlen(tenant)};
	lc_str		p = {policy, strlen(policy)};

	is_status(lc_uuid_chain(uuid, t, p), LC_OK, tenant);
	is_uuid(uuid, want, policy);
}

int
main(void)
{
	test_text();
	test_v7();
	chain_is("acme", "policy-7", "f14b996b-1fb7-83e1-80e2-03d4c9ac55e7");
	chain_is("ledger", "ledger", "e36cb825-b248-83f5-b197-ca65671ca786");
	chain_is("t", "v\xe2\x82\xac", "f3470542-3edc-8a1c-a529-d0e96d809ea2");
	lc_sha256_thread_end();
	return done();
}
