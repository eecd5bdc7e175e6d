/*
 * ready.c
 *		ledger-gateway --ready: is the gateway that runs with these settings
 *		ready?  For HEALTHCHECK in an image that has no curl.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "config.h"
#include "listen.h"
#include "main.h"

#define TIMEOUT_S 5L

static size_t
take_nothing(char *bytes, size_t size, size_t n, void *arg)
{
	(void) bytes;
	(void) arg;
	return size * n;
}

/* An address that means every one is reached by its loopback. */
static void
make_url(listen_address *a, lc_buf *url)
{
	if (strcmp(a->host, "0.0.0.0") == 0)
		strcpy(a->host, "127.0.0.1");
	else if (strcmp(a->host, "::") == 0)
		strcpy(a->host, "::1");
	listen_format(url, a);
	lc_buf_puts(url, "/health/ready");
	lc_buf_putc(url, '\0');
}

static long
get_status(const char *url, char *error)
{
	CURL	   *curl = curl_easy_init();
	long		status = 0;

	if (curl == NULL)
		return 0;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_nothing);
	/* Its own certificate is for its own name, not for 127.0.0.1, and no secret is sent. */
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	return status;
}

int
ready_ask(void)
{
	const config *c = config_now();
	const char *list = c->admin_listen[0] != '\0' ? c->admin_listen : c->listen;
	char		error[CURL_ERROR_SIZE] = "";
	listen_address a;
	lc_buf		url;
	fault		f;
	long		status = 0;

	if (!listen_next(&list, &a, &f) || a.port == 0)
	{
		fprintf(stderr, "ledger-gateway: the settings do not say on which port it listens\n");
		return EXIT_FAILURE;
	}
	lc_buf_init(&url, &lc_alloc_malloc);
	make_url(&a, &url);
	if (url.status == LC_OK)
		status = get_status(url.data, error);
	if (status == 200)
		printf("ready\n");
	else if (status != 0)
		fprintf(stderr, "ledger-gateway: not ready: status %ld\n", status);
	else
		fprintf(stderr, "ledger-gateway: not ready: %s\n", error);
	lc_buf_free(&url);
	return status == 200 ? EXIT_SUCCESS : EXIT_FAILURE;
}
