/*
 * scrape.c
 *		Prometheus' text format, as far as samples go: name, labels, value.
 */
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "json_put.h"
#include "lc_utf8.h"
#include "scrape.h"

#define ANSWER_MAX (8 * 1024 * 1024)
#define TIMEOUT_SECONDS 30
#define SAMPLES_MAX 10000
#define PREFIX "ledger_"

bool
scrape(const char *url, lc_buf *out, fault *f)
{
	http_request request = {.method = "GET", .url = url, .accept = "text/plain",
	.limits = {TIMEOUT_SECONDS, NULL}, .max_answer = ANSWER_MAX};
	http_answer answer;
	bool		good;

	lc_buf_init(out, &cli_alloc);
	memset(&answer, 0, sizeof(answer));
	lc_buf_init(&answer.body, &cli_alloc);
	good = http_start() ? http_send(&request, &answer, f) : fault_set(f, "libcurl cannot be used");
	if (good && answer.status != 200)
		good = fault_set(f, "it answers with status %ld", answer.status);
	if (good)
		lc_buf_append(out, answer.body.data, answer.body.len);
	lc_buf_free(&answer.body);
	return good;
}

/* Where the series ends: behind its labels, in whose values anything may stand. */
static const char *
series_end(const char *line, const char *end)
{
	const char *p = line;

	while (p < end && *p != '{' && *p != ' ' && *p != '\t')
		p++;
	if (p == end || *p != '{')
		return p;
	for (bool quoted = false; p < end; p++)
	{
		if (quoted && *p == '\\')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (*p == '}' && !quoted)
			return p + 1;
	}
	return end;
}

static bool
read_sample(const char *line, const char *end, lc_str *series, double *value)
{
	char		number[64];
	const char *stop = series_end(line, end);
	size_t		n;
	char	   *rest;

	*series = (lc_str) {line, (size_t) (stop - line)};
	while (stop < end && (*stop == ' ' || *stop == '\t'))
		stop++;
	n = 0;
	while (stop + n < end && stop[n] != ' ' && stop[n] != '\t')
		n++;
	if (series->n == 0 || n == 0 || n >= sizeof(number))
		return false;
	memcpy(number, stop, n);
	number[n] = '\0';
	*value = strtod(number, &rest);
	return *rest == '\0';
}

bool
scrape_next(const char **at, const char *end, lc_str *series, double *value)
{
	while (*at < end)
	{
		const char *line = *at;
		const char *stop = memchr(line, '\n', (size_t) (end - line));

		*at = stop != NULL ? stop + 1 : end;
		if (stop == NULL)
			stop = end;
		if (*line != '#' && read_sample(line, stop, series, value))
			return true;
	}
	return false;
}

static bool
has_suffix(lc_str series, const char *suffix)
{
	const char *brace = memchr(series.s, '{', series.n);
	size_t		name = brace != NULL ? (size_t) (brace - series.s) : series.n;
	size_t		n = strlen(suffix);

	return name >= n && memcmp(series.s + name - n, suffix, n) == 0;
}

void
scrape_put(lc_jcs *w, const char *name, const lc_buf *text)
{
	const char *at = text->data != NULL ? text->data : "";
	const char *end = at + text->len;
	lc_str		series;
	double		value;
	size_t		count = 0;

	json_put_key(w, name);
	lc_jcs_begin_array(w);
	while (count < SAMPLES_MAX && scrape_next(&at, end, &series, &value))
	{
		if (series.n < strlen(PREFIX) || memcmp(series.s, PREFIX, strlen(PREFIX)) != 0 ||
			has_suffix(series, "_bucket") || !lc_utf8_valid(series.s, series.n, NULL))
			continue;
		count++;
		lc_jcs_begin_object(w);
		json_put_string(w, "series", series);
		json_put_double(w, "value", value);
		lc_jcs_end_object(w);
	}
	lc_jcs_end_array(w);
}
