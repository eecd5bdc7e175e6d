/*
 * uuid_map.c
 *		Open addressing with linear probing.
 *
 * Chain ids are made of SHA-256, but a caller may choose one, and so may choose
 * many that meet in one slot: that costs time, as it would in a list.
 */
#include <stdlib.h>
#include <string.h>

#include "uuid_map.h"

#define FIRST_ROOM 64

typedef struct uuid_slot
{
	uint8_t		id[LC_UUID_LEN];
	uint32_t	value;
	bool		used;
} uuid_slot;

static size_t
first_slot(const uuid_map *map, const uint8_t id[LC_UUID_LEN])
{
	uint64_t	hash;

	memcpy(&hash, id, sizeof(hash));
	return (size_t) ((hash * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (map->room - 1);
}

static void
place(uuid_map *map, const uint8_t id[LC_UUID_LEN], uint32_t value)
{
	size_t		i = first_slot(map, id);

	while (map->slots[i].used)
		i = (i + 1) & (map->room - 1);
	memcpy(map->slots[i].id, id, LC_UUID_LEN);
	map->slots[i].value = value;
	map->slots[i].used = true;
}

static void
grow(uuid_map *map)
{
	uuid_map	wider = {NULL, map->room > 0 ? map->room * 2 : FIRST_ROOM, map->count};

	wider.slots = cli_alloc.resize(NULL, NULL, wider.room * sizeof(*wider.slots));
	memset(wider.slots, 0, wider.room * sizeof(*wider.slots));
	for (size_t i = 0; i < map->room; i++)
		if (map->slots[i].used)
			place(&wider, map->slots[i].id, map->slots[i].value);
	free(map->slots);
	*map = wider;
}

void
uuid_map_add(uuid_map *map, const uint8_t id[LC_UUID_LEN], uint32_t value)
{
	if ((map->count + 1) * 2 > map->room)
		grow(map);
	place(map, id, value);
	map->count++;
}

/* The cursor counts the slots that were looked at. */
bool
uuid_map_next(const uuid_map *map, const uint8_t id[LC_UUID_LEN], size_t *cursor, uint32_t *value)
{
	if (map->room == 0)
		return false;
	for (size_t first = first_slot(map, id);;)
	{
		const uuid_slot *slot = &map->slots[(first + *cursor) & (map->room - 1)];

		if (!slot->used)
			return false;
		++*cursor;
		if (memcmp(slot->id, id, LC_UUID_LEN) == 0)
		{
			*value = slot->value;
			return true;
		}
	}
}

void
uuid_map_free(uuid_map *map)
{
	free(map->slots);
	memset(map, 0, sizeof(*map));
}
