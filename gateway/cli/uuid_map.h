/*
 * uuid_map.h
 *		From a UUID to numbers: chains of a file, of which there may be many.
 */
#ifndef LEDGERCTL_UUID_MAP_H
#define LEDGERCTL_UUID_MAP_H

#include "cli.h"
#include "lc_uuid.h"

typedef struct uuid_map
{
	struct uuid_slot *slots;	/* a power of two, at most half of them used */
	size_t		room;
	size_t		count;
} uuid_map;

/* A UUID may be added with several numbers. */
extern void uuid_map_add(uuid_map *map, const uint8_t id[LC_UUID_LEN], uint32_t value);

/*
 * The numbers of a UUID, one after the other: *cursor is 0 at first.  False: no
 * further one.
 */
extern bool uuid_map_next(const uuid_map *map, const uint8_t id[LC_UUID_LEN], size_t *cursor,
						  uint32_t *value);
extern void uuid_map_free(uuid_map *map);

#endif
