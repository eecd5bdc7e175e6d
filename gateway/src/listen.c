/*
 * listen.c
 *		Addresses to listen on.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lc_text.h"
#include "listen.h"

static bool
read_scheme(lc_str *text, listen_address *out)
{
	out->https = text->n > 8 && strncasecmp(text->s, "https://", 8) == 0;
	if (!out->https && (text->n <= 7 || strncasecmp(text->s, "http://", 7) != 0))
		return false;
	text->s += out->https ? 8 : 7;
	text->n -= out->https ? 8 : 7;
	return true;
}

/* The host, and what stands behind it. */
static bool
read_host(lc_str *text, listen_address *out)
{
	const char *end;
	char		host[64];
	unsigned char ip[16];
	size_t		n;

	out->v6 = text->n > 0 && text->s[0] == '[';
	end = memchr(text->s, out->v6 ? ']' : ':', text->n);
	if (out->v6 && end == NULL)
		return false;
	n = (end != NULL ? (size_t) (end - text->s) : text->n) - (out->v6 ? 1 : 0);
	if (n == 0 || n >= sizeof(host))
		return false;
	memcpy(host, text->s + (out->v6 ? 1 : 0), n);
	host[n] = '\0';
	n += out->v6 ? 2 : 0;
	text->s += n;
	text->n -= n;
	if (!out->v6 && (strcmp(host, "*") == 0 || strcmp(host, "+") == 0))
		strcpy(host, "0.0.0.0");
	else if (!out->v6 && strcasecmp(host, "localhost") == 0)
		strcpy(host, "127.0.0.1");
	/* Written anew, so that one address has one spelling. */
	return inet_pton(out->v6 ? AF_INET6 : AF_INET, host, ip) == 1 &&
		inet_ntop(out->v6 ? AF_INET6 : AF_INET, ip, out->host, sizeof(out->host)) != NULL;
}

static bool
read_port(lc_str text, listen_address *out)
{
	uint64_t	port = out->https ? 443 : 80;

	if (text.n > 0 && text.s[text.n - 1] == '/')
		text.n--;
	if (text.n > 0 && !(lc_text_skip(&text, ":") && lc_text_uint(text, &port) && port <= UINT16_MAX))
		return false;
	out->port = (uint16_t) port;
	return true;
}

bool
listen_next(const char **list, listen_address *out, fault *f)
{
	lc_str		text,
				rest;

	f->text[0] = '\0';
	*list += strspn(*list, "; ");
	if (**list == '\0')
		return false;
	text = (lc_str) {*list, strcspn(*list, ";")};
	*list += text.n;
	while (text.n > 0 && text.s[text.n - 1] == ' ')
		text.n--;
	rest = text;
	memset(out, 0, sizeof(*out));
	if (!read_scheme(&rest, out) || !read_host(&rest, out) || !read_port(rest, out))
		return fault_set(f, "\"%.*s\" is no address to listen on, like http://127.0.0.1:8080 or http://*:8080",
						 (int) text.n, text.s);
	return true;
}

void
listen_format(lc_buf *out, const listen_address *a)
{
	lc_buf_puts(out, a->https ? "https://" : "http://");
	if (a->v6)
		lc_buf_putc(out, '[');
	lc_buf_puts(out, a->host);
	lc_buf_puts(out, a->v6 ? "]:" : ":");
	lc_buf_put_int64(out, a->port);
}
