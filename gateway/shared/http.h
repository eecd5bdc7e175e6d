/*
 * http.h
 *		One POST to a service that was configured, by libcurl.
 *
 * No redirect is followed, nothing but http and https is spoken, and no answer
 * is longer than HTTP_MAX_ANSWER: the other side is not trusted.
 */
#ifndef GATEWAY_HTTP_H
#define GATEWAY_HTTP_H

#include "fault.h"
#include "lc_buf.h"

#define HTTP_MAX_ANSWER (1024 * 1024)

/* Seconds that a whole exchange may take, and the CA file for https (NULL: the system's). */
typedef struct http_limits
{
	long		timeout;
	const char *ca_file;
} http_limits;

extern http_limits http_settings;

typedef struct http_answer
{
	long		status;
	char		content_type[128];	/* without parameters, "" if there is none */
	lc_buf		body;
} http_answer;

/* False if there was no whole answer; any status is an answer.  The caller frees the body either way. */
extern bool http_post(const char *url, const char *content_type, const lc_buf *body,
					  http_answer *out, fault *f);

/* The URL without user and password: how messages and receipts name the service. */
extern void http_public_url(const char *url, char *out, size_t size);

#endif
