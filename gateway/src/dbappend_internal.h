/*
 * dbappend_internal.h
 *		The two halves of dbappend: queues of tenants (append_queue.c) and lanes,
 *		which run their batches (dbappend.c).
 */
#ifndef GATEWAY_DBAPPEND_INTERNAL_H
#define GATEWAY_DBAPPEND_INTERNAL_H

#include "append_item.h"
#include "dbappend.h"
#include "dbconn.h"

/*
 * Of one batch.  Beyond some hundred events a larger one saves nothing more,
 * and all of them wait for its end.
 */
#define BATCH_ITEMS 256
#define BATCH_BYTES (1024 * 1024)

#define TENANT_BUCKETS 256

typedef struct append_queue
{
	dbappend   *owner;
	char		tenant[64];
	append_item *first, *last;
	bool		flying;			/* a batch of it is with a lane */
	bool		slow;			/* its last batch waited for a lock or a statement too long */
	bool		listed;			/* among those that are ready */
	loop_timer	hold;			/* before a batch is tried again */
	unsigned	tries;			/* batches in a row that ended in 40001 or 40P01 */
	struct append_queue *next_ready;
	struct append_queue *next;	/* of its bucket */
} append_queue;

typedef struct lane
{
	dbappend   *owner;
	dbconn		conn;
	bool		prepared;
	bool		parsing;		/* the statement goes with the batch, and has not come back yet */
	append_queue *queue;		/* NULL: idle */
	append_item *batch;			/* in the order of their numbers */
	size_t		count;
	PGresult   *answer, *error;
} lane;

struct dbappend
{
	loop	   *loop;
	append_queue *buckets[TENANT_BUCKETS];
	append_queue *ready, **ready_end;
	size_t		waiting;
	lane	   *lanes;
	size_t		lanes_count;
};

/* NULL: out of memory. */
extern append_queue *append_queue_find(dbappend *a, const char *tenant);
extern void append_queue_add(append_queue *q, append_item *item);
extern void append_queue_put_back(append_queue *q, append_item *list);	/* in front, in their order */

/* Takes items for one batch, and refuses those that are too late.  NULL: none is left. */
extern append_item *append_queue_take(append_queue *q, size_t *count);

/* The next that has work, may have a lane, and is not slow unless slow ones are welcome.  NULL: none. */
extern append_queue *append_queue_next(dbappend *a, bool slow);

/* Ready if it has work; forgotten if it has none and remembers nothing. */
extern void append_queue_settle(append_queue *q);

/* No batch of it before so many milliseconds. */
extern void append_queue_hold(append_queue *q, int64_t ms);

/* For all that wait, everywhere. */
extern void append_queues_refuse(dbappend *a, void (*refuse) (append_item *item, void *arg), void *arg);

extern void append_queues_free(dbappend *a);	/* nothing waits */

/* dbappend.c: a queue became ready. */
extern void dbappend_schedule(dbappend *a);

#endif
