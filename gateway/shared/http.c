/*
 * http.c
 *		One POST.
 */
#define _GNU_SOURCE 1

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "http.h"

http_limits http_settings = {10, NULL};

static size_t
take_body(char *bytes, size_t size, size_t n, void *arg)
{
	lc_buf	   *body = arg;

	/* Taking less than offered ends the transfer. */
	if (body->len + size * n > HTTP_MAX_ANSWER)
		return 0;
	lc_buf_append(body, bytes, size * n);
	return body->status == LC_OK ? size * n : 0;
}

static void
limit(CURL *curl)
{
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, http_settings.timeout);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, http_settings.timeout);
	if (http_settings.ca_file != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, http_settings.ca_file);
}

static void
take_type(CURL *curl, http_answer *out)
{
	char	   *type = NULL;

	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	snprintf(out->content_type, sizeof(out->content_type), "%s", type != NULL ? type : "");
	out->content_type[strcspn(out->content_type, "; \t")] = '\0';
}

static struct curl_slist *
headers_for(const char *content_type)
{
	char		line[160];
	struct curl_slist *headers;

	snprintf(line, sizeof(line), "Content-Type: %s", content_type);
	headers = curl_slist_append(NULL, line);
	/* libcurl would otherwise wait for "100 Continue" before a larger body. */
	return headers == NULL ? NULL : curl_slist_append(headers, "Expect:");
}

bool
http_post(const char *url, const char *content_type, const lc_buf *body, http_answer *out, fault *f)
{
	char		reason[CURL_ERROR_SIZE] = "",
				name[512];
	struct curl_slist *headers = headers_for(content_type);
	CURL	   *curl = curl_easy_init();
	CURLcode	code = CURLE_OUT_OF_MEMORY;

	lc_buf_init(&out->body, &lc_alloc_malloc);
	if (curl != NULL && headers != NULL)
	{
		limit(curl);
		curl_easy_setopt(curl, CURLOPT_URL, url);
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) body->len);
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
		curl_easy_setopt(curl, CURLOPT_WRITEDATA, &out->body);
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
	http_public_url(url, name, sizeof(name));
	return fault_set(f, "no answer from %s: %s", name, reason[0] ? reason : curl_easy_strerror(code));
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
