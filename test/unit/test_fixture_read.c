/*
 * test_fixture_read.c
 *		The chain id of a line, found without parsing it.
 */
#include "fixture.h"
#include "harness.h"

#define ID "2a404bbc-b702-8fe2-b08c-96c047b4200f"
#define OTHER "ffffffff-b702-8fe2-b08c-96c047b4200f"

static void
is_chain(const char *line, const char *want, const char *name)
{
	uint8_t		id[LC_UUID_LEN];
	char		text[LC_UUID_TEXT] = {0};
	bool		found = fixture_line_chain((lc_str) {line, strlen(line)}, id);

	if (!ok(found == (want != NULL), "%s: %s", name, want != NULL ? "found" : "none") || want == NULL)
		return;
	lc_uuid_format(id, text);
	is_bytes(text, sizeof(text), want, strlen(want), name);
}

int
main(void)
{
	is_chain("{\"envelope\":{\"actor\":{\"id\":\"a\",\"type\":\"system\"},\"chainId\":\"" ID "\"}}", ID,
			 "a line");
	is_chain("{\"envelope\":{\"actor\":{\"id\":\"\\\"chainId\\\":\\\"" OTHER "\\\"\"},\"chainId\":\"" ID "\"}}", ID,
			 "an actor whose name looks like it");
	is_chain("{\"envelope\":{\"actor\":{\"id\":\"\\\\\"},\"chainId\":\"" ID "\"}}", ID,
			 "a name that ends with a backslash");
	is_chain("{\"envelope\":{\"chainId\":\"" ID "\"},\"payload\":{\"chainId\":\"" OTHER "\"}}", ID,
			 "a payload with a member of that name");
	is_chain("", NULL, "nothing");
	is_chain("{\"chainId\":\"2a404bbc-b702", NULL, "a line cut off within it");
	is_chain("{\"chainId\":\"2A404BBC-b702-8fe2-b08c-96c047b4200f\"}", NULL, "another spelling");
	is_chain("{\"chainId\": \"" ID "\"}", NULL, "no canonical JSON");
	return done();
}
