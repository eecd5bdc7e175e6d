/*
 * jwks_source.c
 *		Reading a file, asking a URL.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http.h"
#include "jwks_source.h"

static const char *
path_of(const char *place)
{
	return strncmp(place, "file://", 7) == 0 ? place + 7 : place;
}

bool
jwks_is_file(const char *place)
{
	return strncmp(place, "file://", 7) == 0 || strstr(place, "://") == NULL;
}

bool
jwks_source_check(const char *place, fault *f)
{
	if (!jwks_is_file(place))
		return http_url_secure(place, f);
	return access(path_of(place), R_OK) == 0 || fault_set(f, "%s", strerror(errno));
}

static bool
read_whole(int fd, lc_buf *out, fault *f)
{
	char		piece[8192];
	ssize_t		n;

	while ((n = read(fd, piece, sizeof(piece))) != 0)
	{
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_set(f, "%s", strerror(errno));
		if (out->len + (size_t) n > JWKS_MAX_BYTES)
			return fault_set(f, "more than %d bytes", JWKS_MAX_BYTES);
		lc_buf_append(out, piece, (size_t) n);
	}
	return out->status == LC_OK || fault_set(f, "out of memory");
}

static bool
read_file(const char *path, lc_buf *out, fault *f)
{
	struct stat st;
	bool		good;

	/* Not blocking: a named pipe would hold the thread. */
	int			fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fault_set(f, "%s", strerror(errno));
	good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read_whole(fd, out, f) : fault_set(f, "it is no file");
	close(fd);
	return good;
}

static jwks_read
ask(const jwks_source *source, char etag[256], long *max_age, lc_buf *out, fault *f)
{
	http_answer answer;
	jwks_read	result = JWKS_FAILED;
	http_request request = {
		.method = "GET", .url = source->place, .accept = "application/jwk-set+json, application/json",
		.if_none_match = etag,
		.limits = {.timeout = source->timeout, .ca_file = source->ca_file[0] != '\0' ? source->ca_file : NULL},
		.max_answer = JWKS_MAX_BYTES, .https_only = true,
		.cancelled = source->cancelled, .arg = source->arg
	};

	if (http_send(&request, &answer, f))
	{
		*max_age = answer.max_age;
		if (answer.status == 304 && etag[0] != '\0')
			result = JWKS_SAME;
		else if (answer.status != 200)
			fault_set(f, "the answer has status %ld", answer.status);
		else
		{
			lc_buf_append(out, answer.body.data != NULL ? answer.body.data : "", answer.body.len);
			snprintf(etag, 256, "%s", answer.etag);
			result = out->status == LC_OK ? JWKS_READ : JWKS_FAILED;
		}
	}
	lc_buf_free(&answer.body);
	return result;
}

jwks_read
jwks_source_read(const jwks_source *source, char etag[256], long *max_age, lc_buf *out, fault *f)
{
	*max_age = -1;
	if (!jwks_is_file(source->place))
		return ask(source, etag, max_age, out, f);
	etag[0] = '\0';
	return read_file(path_of(source->place), out, f) ? JWKS_READ : JWKS_FAILED;
}
