/*
 * egress.c
 *		Judges a URL by the parser that will connect to it (libcurl's), so that
 *		there is no second opinion about which host is meant.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "egress.h"
#include "http.h"

#define HOST_MAX 300			/* of a name (253) or an address in brackets, a colon and a port */

/* What a parser may take for something else than it looks like. */
static bool
plain_text(const char *url)
{
	const unsigned char *c;

	for (c = (const unsigned char *) url; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '\\')
			return false;
	return true;
}

static bool
read_part(CURLU *u, CURLUPart part, unsigned flags, char *out, size_t size)
{
	char	   *text = NULL;
	bool		good = curl_url_get(u, part, &text, flags) == CURLUE_OK && strlen(text) < size;

	if (good)
		snprintf(out, size, "%s", text);
	curl_free(text);
	return good;
}

static bool
has_part(CURLU *u, CURLUPart part)
{
	char	   *text = NULL;
	bool		has = curl_url_get(u, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

/* "host:port" of the URL; libcurl has made one spelling of an IPv4 address. */
static bool
read_authority(const char *url, char *out, size_t size, fault *f)
{
	char		host[HOST_MAX],
				port[8];
	CURLU	   *u = curl_url();
	bool		good;

	if (u == NULL)
		return fault_set(f, "out of memory");
	if (!plain_text(url) || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK)
		good = fault_set(f, "it is no absolute URL");
	else if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
		good = fault_set(f, "it holds a user name or a password");
	else if (has_part(u, CURLUPART_FRAGMENT) || has_part(u, CURLUPART_ZONEID))
		good = fault_set(f, "it holds a fragment or a zone");
	else if (!read_part(u, CURLUPART_HOST, 0, host, sizeof(host)) ||
			 !read_part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)))
		good = fault_set(f, "its host cannot be read");
	else
		good = snprintf(out, size, "%s:%s", host, port) < (int) size || fault_set(f, "its host is too long");
	curl_url_cleanup(u);
	return good;
}

/* Has the entry a port?  The colons of an address in brackets are none. */
static bool
entry_is(const char *entry, size_t n, const char *authority)
{
	const char *bracket = memchr(entry, ']', n),
			   *from = bracket != NULL ? bracket : entry;
	bool		has_port = memchr(from, ':', n - (size_t) (from - entry)) != NULL;
	size_t		length = strlen(authority),
				tail = has_port ? 0 : strlen(":443");

	return length == n + tail && strncasecmp(entry, authority, n) == 0 &&
		(has_port || strcmp(authority + n, ":443") == 0);
}

static bool
listed(const char *list, const char *authority)
{
	while (*list != '\0')
	{
		size_t		n;

		list += strspn(list, "; \t");
		n = strcspn(list, "; \t");
		if (n > 0 && entry_is(list, n, authority))
			return true;
		list += n;
	}
	return false;
}

bool
egress_allowed(const char *url, bool allow, const char *list, fault *f)
{
	char		authority[HOST_MAX];
	fault		why;

	if (!allow)
		return fault_set(f, "attachments leave this deployment nowhere: it is sealed");
	if (!read_authority(url, authority, sizeof(authority), &why))
		return fault_set(f, "the URL is not taken: %s", why.text);
	if (!listed(list, authority))
		return fault_set(f, "%s is not among the hosts that are allowed", authority);
	if (!http_url_secure(url, &why))
		return fault_set(f, "the URL is not taken: %s", why.text);
	return true;
}
