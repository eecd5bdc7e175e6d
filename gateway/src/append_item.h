/*
 * append_item.h
 *		One append on its way: the request's event as an item of a batch, and
 *		what becomes of it (dbappend.c).
 */
#ifndef GATEWAY_APPEND_ITEM_H
#define GATEWAY_APPEND_ITEM_H

#include "db_internal.h"

typedef struct append_item
{
	lc_buf		text;			/* {"event":…,"subject":…,"actorType":…,"anyActor":…[,"key":…]} */
	char		type[64];		/* for metrics; "" if the event names none */
	bool		minted;			/* its id was made here: whoever finds it stored has stored it */
} append_item;

/*
 * Makes job->append.  An event without id gets one here, before its first try,
 * so that trying again cannot store it twice.  False: out of memory; the job has
 * been refused.
 */
extern bool append_item_make(job *j);

/*
 * Answers the job with a row (item, status, headers, body) of the committed
 * batch, and frees the item.  What is stored and not replicated, though it should
 * be, is not acknowledged.
 */
extern void append_item_answer(job *j, const PGresult *result, int row, bool replicated);

/* The same with the problem of a failed batch; result NULL: the database is away. */
extern void append_item_fail(job *j, const PGresult *result, unsigned retry_after);
extern void append_item_refuse(job *j, const char *code, const char *detail);

/* The answer "it was there already", for what can only have been stored by this very request. */
extern void append_mark_new(reply *r);

/* A whole batch (POST …/events:batch) is committed: the same counting for each of its events. */
extern void append_count_batch(const job *j);

/* And of one event that came with something else (an attachment). */
extern void append_count_one(const job *j, const char *type);

#endif
