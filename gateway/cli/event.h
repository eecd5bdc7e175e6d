/*
 * event.h
 *		An event as an outsider holds it: its envelope as JSON, or a line of
 *		docs/formats.md section 10, which brings payload and salt along.
 *
 * Every hash is recomputed; what a file says about itself is compared, never
 * believed.  What is wrong is told, each thing once, with the place it is at.
 */
#ifndef LEDGERCTL_EVENT_H
#define LEDGERCTL_EVENT_H

#include "cli.h"
#include "lc_envelope.h"
#include "lc_jsontree.h"

/* Far more than PostgreSQL's jsonb holds. */
#define EVENT_LINE_MAX ((size_t) 512 * 1024 * 1024)

typedef enum event_payload
{
	PAYLOAD_NOT_GIVEN,			/* an envelope alone */
	PAYLOAD_CHECKED,
	PAYLOAD_ERASED
} event_payload;

typedef struct event_doc
{
	lc_jsontree *tree;
	lc_buf		envelope;		/* canonical */
	lc_event	event;			/* borrows from the tree */
	bool		readable;		/* false: the members below are not set */
	event_payload payload;
	const lc_json *body;		/* the payload, or NULL */
	uint8_t		event_hash[LC_HASH_LEN];
	uint8_t		leaf_hash[LC_HASH_LEN];
	uint8_t		stated_hash[LC_HASH_LEN];	/* eventHash as the line says; else event_hash */
} event_doc;

/*
 * The text must outlive the document.  where is how messages name it.
 * canonical: refuse a line that is not written as RFC 8785 says.  Free the
 * document whatever this returned.
 */
extern cli_exit event_read(const char *where, const char *text, size_t n, bool canonical,
						   event_doc *out);
extern void event_free(event_doc *doc);

/* Envelope members into out (envelope.c); says what is missing or mistyped. */
extern cli_exit envelope_read(const char *where, const lc_json *envelope, lc_event *out);

#endif
