/*
 * export_check.h
 *		The chains of an export, checked event by event as they come: numbers
 *		without gaps, links, the growing tree, and signed checkpoints that its
 *		root must agree with.
 */
#ifndef LEDGERCTL_EXPORT_CHECK_H
#define LEDGERCTL_EXPORT_CHECK_H

#include "event.h"
#include "lc_merkle.h"
#include "trust.h"
#include "uuid_map.h"

typedef struct erased_event
{
	uint64_t	sequence;
	uint8_t		id[LC_UUID_LEN];
	uint8_t		payload_hash[LC_HASH_LEN];
	bool		explained;		/* by a later ledger.payload_redacted */
} erased_event;

typedef struct export_chain
{
	char	   *tenant;
	char	   *policy;
	uint8_t		chain_id[LC_UUID_LEN];
	uint64_t	first;			/* sequences in the export */
	uint64_t	last;
	uint64_t	events;
	bool		whole;			/* from sequence 1 without gap: the tree is known */
	bool		has_checkpoint;
	uint8_t		last_hash[LC_HASH_LEN];	/* as the line said */
	lc_frontier tree;
	erased_event *erased;
	size_t		erased_count;
	size_t		erased_room;
} export_chain;

/* A checkpoint that the export must agree with. */
typedef struct export_target
{
	const char *path;
	lc_buf		note;
	judged		checkpoint;
	bool		compared;
	bool		agrees;
} export_target;

typedef struct export_check
{
	export_target *targets;
	size_t		target_count;
	export_chain *chains;		/* in the order of their first events */
	size_t		chain_count;
	size_t		chain_room;
	size_t		recent;			/* the chain of the event before */
	uuid_map	by_id;			/* from chain ids into chains */
} export_check;

/* One readable event, in the order of the lines; tells what is wrong. */
extern cli_exit export_event(export_check *e, const char *where, const event_doc *doc);

/* When all are read: checkpoints that were not reached, erasures that nothing explains. */
extern cli_exit export_finish(export_check *e);
extern void export_report(const export_check *e);
extern void export_free(export_check *e);

#endif
