/*
 * test_uuid_map.c
 *		From UUIDs to numbers, with several numbers for one, and with UUIDs
 *		that all begin in the same slot.
 */
#include "harness.h"
#include "uuid_map.h"

#define MANY 5000

static void
make_id(uint8_t id[LC_UUID_LEN], bool same_slot, uint32_t n)
{
	memset(id, 0, LC_UUID_LEN);
	/* The first half chooses the slot. */
	memcpy(id + (same_slot ? 8 : 0), &n, sizeof(n));
}

static bool
holds(const uuid_map *map, const uint8_t id[LC_UUID_LEN], uint32_t want)
{
	size_t		cursor = 0;
	uint32_t	value;

	while (uuid_map_next(map, id, &cursor, &value))
		if (value == want)
			return true;
	return false;
}

static void
test_many(bool same_slot, uint32_t count, const char *name)
{
	uuid_map	map = {0};
	uint8_t		id[LC_UUID_LEN];
	size_t		cursor = 0;
	uint32_t	value;
	bool		all = true;

	make_id(id, same_slot, 1);
	ok(!uuid_map_next(&map, id, &cursor, &value), "%s: an empty map has nothing", name);
	for (uint32_t i = 0; i < count; i++)
	{
		make_id(id, same_slot, i);
		uuid_map_add(&map, id, i);
	}
	for (uint32_t i = 0; i < count; i++)
	{
		make_id(id, same_slot, i);
		all = all && holds(&map, id, i) && !holds(&map, id, i + 1);
	}
	ok(all, "%s: each has its own number", name);
	make_id(id, same_slot, count);
	ok(!holds(&map, id, count), "%s: what was not added is not there", name);
	uuid_map_free(&map);
}

static void
test_several(void)
{
	uuid_map	map = {0};
	uint8_t		id[LC_UUID_LEN];
	size_t		cursor = 0;
	uint32_t	value;
	bool		seen[100] = {false};
	size_t		count = 0;

	make_id(id, false, 7);
	for (uint32_t i = 0; i < 100; i++)
		uuid_map_add(&map, id, i);
	while (uuid_map_next(&map, id, &cursor, &value))
	{
		count += value < 100 && !seen[value];
		seen[value % 100] = true;
	}
	ok(count == 100, "several numbers of one UUID come each once, also after the map has grown");
	uuid_map_free(&map);
}

int
main(void)
{
	test_many(false, MANY, "UUIDs anywhere");
	test_many(true, 500, "UUIDs of one slot");
	test_several();
	return done();
}
