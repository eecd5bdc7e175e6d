/*
 * http.h
 *		One exchange with a service that was configured, by libcurl.
 *
 * No redirect is followed, nothing but http and https is spoken, and no answer
 * is longer than its limit: the other side is not trusted.  Any thread; the
 * program calls http_start() once, before it has a second one.
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

/* What http_post goes by. */
extern http_limits http_settings;

extern bool http_start(void);	/* false: libcurl cannot be used */

typedef struct http_answer
{
	long		status;
	char		content_type[128];	/* without parameters, "" if there is none */
	char		etag[256];		/* as it was sent, "" if there is none or it is longer */
	long		max_age;		/* seconds, of Cache-Control; -1: it does not say */
	lc_buf		body;
} http_answer;

typedef struct http_request
{
	const char *method;			/* "GET", "POST" or "PUT" */
	const char *url;
	const char *content_type;	/* of the body */
	const void *body;			/* NULL: none */
	size_t		body_len;
	const char *accept;			/* NULL: anything */
	const char *if_none_match;	/* NULL or "": unconditional; else 304 is an answer */
	const char *authorization;	/* the whole value of that header; NULL: none */
	http_limits limits;
	size_t		max_answer;		/* bytes; 0: HTTP_MAX_ANSWER */
	bool		https_only;		/* refuse what http_url_secure refuses */
	bool		direct;			/* by no proxy, whatever the environment names */
	bool		(*cancelled) (void *arg);	/* asked about once a second; NULL: never */
	void	   *arg;
} http_request;

/* False if there was no whole answer; any status is an answer.  The caller frees the body either way. */
extern bool http_send(const http_request *request, http_answer *out, fault *f);

extern bool http_post(const char *url, const char *content_type, const lc_buf *body,
					  http_answer *out, fault *f);

/*
 * A URL of https with a host and without user and password; plain http just for
 * 127.0.0.0/8, ::1 and localhost.
 */
extern bool http_url_secure(const char *url, fault *f);

/* The URL without user and password: how messages and receipts name the service. */
extern void http_public_url(const char *url, char *out, size_t size);

#endif
