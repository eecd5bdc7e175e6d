/*
 * http.c
 *		One exchange.
 */
#define _GNU_SOURCE 1

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"

http_limits http_settings = {10, NULL};

bool
http_start(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* ---- what comes back ---- */

typedef struct taking
{
	const http_request *request;
	http_answer *out;
} taking;

static size_t
take_body(char *bytes, size_t size, size_t n, void *arg)
{
	taking	   *t = arg;
	lc_buf	   *body = &t->out->body;
	size_t		max = t->request->max_answer != 0 ? t->request->max_answer : HTTP_MAX_ANSWER;

	/* Taking less than offered ends the transfer. */
	if (size * n > max || body->len > max - size * n)
		return 0;
	lc_buf_append(body, bytes, size * n);
	return body->status == LC_OK ? size * n : 0;
}

/* The value of a header line, if it is the header of that name.  *len: without blanks around it. */
static const char *
header_value(const char *line, size_t n, const char *name, size_t *len)
{
	size_t		name_len = strlen(name);
	const char *value = line + name_len + 1;
	const char *end = line + n;

	if (n <= name_len || strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
		return NULL;
	while (end > value && (unsigned char) end[-1] <= ' ')
		end--;
	while (value < end && (unsigned char) *value <= ' ')
		value++;
	*len = (size_t) (end - value);
	return value;
}

/* max-age of Cache-Control (RFC 9111 section 5.2.2.1); no-store and no-cache are 0. */
static long
max_age(const char *value, size_t n)
{
	char		copy[256];
	char	   *rest = copy,
			   *one;
	long		age = -1;

	if (n >= sizeof(copy))
		return -1;
	memcpy(copy, value, n);
	copy[n] = '\0';
	while ((one = strsep(&rest, ", \t")) != NULL)
	{
		if (strcasecmp(one, "no-store") == 0 || strcasecmp(one, "no-cache") == 0)
			return 0;
		if (strncasecmp(one, "max-age=", 8) == 0 && one[8] >= '0' && one[8] <= '9')
			age = strtol(one + 8, NULL, 10);
	}
	return age;
}

static size_t
take_header(char *line, size_t size, size_t n, void *arg)
{
	http_answer *out = ((taking *) arg)->out;
	size_t		len;
	const char *value;

	if ((value = header_value(line, size * n, "ETag", &len)) != NULL && len < sizeof(out->etag))
	{
		memcpy(out->etag, value, len);
		out->etag[len] = '\0';
	}
	else if ((value = header_value(line, size * n, "Cache-Control", &len)) != NULL)
		out->max_age = max_age(value, len);
	return size * n;
}

static void
take_type(CURL *curl, http_answer *out)
{
	char	   *type = NULL;

	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	snprintf(out->content_type, sizeof(out->content_type), "%s", type != NULL ? type : "");
	out->content_type[strcspn(out->content_type, "; \t")] = '\0';
}

/* ---- what goes out ---- */

static int
watch(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	const http_request *q = arg;

	(void) down_total, (void) down, (void) up_total, (void) up;
	return q->cancelled(q->arg) ? 1 : 0;
}

/*
 * libcurl goes by http_proxy, https_proxy and all_proxy.  https through one is
 * still between the two ends; http to the machine itself, all that https_only
 * lets through besides, would leave the machine.
 */
static bool
by_no_proxy(const http_request *q)
{
	return q->direct || (q->https_only && strncasecmp(q->url, "https://", 8) != 0);
}

static void
limit(CURL *curl, const http_request *q)
{
	if (by_no_proxy(q))
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, q->limits.timeout);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, q->limits.timeout);
	/* Its thread for names is left behind when time is over: the resolver may take a minute to give up. */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	if (q->limits.ca_file != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, q->limits.ca_file);
	if (q->cancelled != NULL)
	{
		curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
		curl_easy_setopt(curl, CURLOPT_XFERINFODATA, q);
	}
}

static bool
add_header(struct curl_slist **headers, const char *name, const char *value)
{
	struct curl_slist *longer = NULL;
	lc_buf		line;

	if (value == NULL || *value == '\0')
		return true;
	/* A line break in a value would be another header. */
	if (strpbrk(value, "\r\n") != NULL)
		return false;
	lc_buf_init(&line, &lc_alloc_malloc);
	lc_buf_puts(&line, name);
	lc_buf_puts(&line, ": ");
	lc_buf_puts(&line, value);
	if (line.status == LC_OK)
		longer = curl_slist_append(*headers, line.data);
	lc_buf_free(&line);
	if (longer != NULL)
		*headers = longer;
	return longer != NULL;
}

static bool
add_headers(struct curl_slist **headers, const http_request *q)
{
	/* libcurl would otherwise wait for "100 Continue" before a larger body. */
	struct curl_slist *first = curl_slist_append(NULL, "Expect:");

	*headers = first;
	return first != NULL && add_header(headers, "Content-Type", q->content_type) &&
		add_header(headers, "Accept", q->accept) && add_header(headers, "If-None-Match", q->if_none_match) &&
		add_header(headers, "Authorization", q->authorization);
}

static void
set_request(CURL *curl, const http_request *q, struct curl_slist *headers, taking *t)
{
	limit(curl, q);
	curl_easy_setopt(curl, CURLOPT_URL, q->url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (strcmp(q->method, "GET") != 0)
	{
		/* PUT too goes as libcurl's POST under another name: the body lies in memory. */
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, q->body != NULL ? q->body : "");
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) q->body_len);
		if (strcmp(q->method, "POST") != 0)
			curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, q->method);
	}
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
}

bool
http_send(const http_request *request, http_answer *out, fault *f)
{
	char		reason[CURL_ERROR_SIZE] = "",
				name[512];
	struct curl_slist *headers = NULL;
	taking		t = {request, out};
	CURL	   *curl;
	CURLcode	code = CURLE_OUT_OF_MEMORY;

	memset(out, 0, sizeof(*out));
	out->max_age = -1;
	lc_buf_init(&out->body, &lc_alloc_malloc);
	if (request->https_only && !http_url_secure(request->url, f))
		return false;
	curl = curl_easy_init();
	if (add_headers(&headers, request) && curl != NULL)
	{
		set_request(curl, request, headers, &t);
		curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
		code = curl_easy_perform(curl);
	}
	if (code == CURLE_OK)
	{
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
		take_type(curl, out);
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	if (code == CURLE_OK)
		return true;
	http_public_url(request->url, name, sizeof(name));
	return fault_set(f, "no answer from %s: %s", name, reason[0] ? reason : curl_easy_strerror(code));
}

bool
http_post(const char *url, const char *content_type, const lc_buf *body, http_answer *out, fault *f)
{
	http_request request = {
		.method = "POST", .url = url, .content_type = content_type, .body = body->data, .body_len = body->len,
		.limits = http_settings
	};

	return http_send(&request, out, f);
}

/* ---- URLs ---- */

/* This machine itself: 127.0.0.0/8 (RFC 1122), ::1, and the name that stands for them. */
static bool
is_loopback(const char *host)
{
	struct in_addr address;

	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

/* libcurl's own reading of the URL, so that what is judged is what will be asked. */
static bool
judge_url(CURLU *url, fault *f)
{
	char	   *scheme = NULL,
			   *host = NULL,
			   *user = NULL;
	bool		good = true;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		good = fault_set(f, "the URL has no scheme or no host");
	else if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK)
		good = fault_set(f, "the URL has a user in it");
	else if (strcmp(scheme, "https") != 0 && (strcmp(scheme, "http") != 0 || !is_loopback(host)))
		good = fault_set(f, "the URL is not https (plain http is for this machine itself only)");
	curl_free(user);
	curl_free(host);
	curl_free(scheme);
	return good;
}

bool
http_url_secure(const char *url, fault *f)
{
	CURLU	   *parsed = curl_url();
	bool		good;

	if (parsed == NULL)
		return fault_set(f, "out of memory");
	good = curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK ? judge_url(parsed, f)
		: fault_set(f, "it is no URL of https");
	curl_url_cleanup(parsed);
	return good;
}

void
http_public_url(const char *url, char *out, size_t size)
{
	const char *authority = strstr(url, "://");
	size_t		scheme;
	const char *at;

	authority = authority == NULL ? url : authority + 3;
	scheme = (size_t) (authority - url);
	at = memrchr(authority, '@', strcspn(authority, "/?#"));
	snprintf(out, size, "%.*s%s", (int) scheme, url, at == NULL ? authority : at + 1);
}
