/*
 * lc_tlogproof.c
 *		Proof bundles (C2SP tlog-proof), read strictly: what is read and
 *		written again is the same bytes.
 *
 * The specification sets no limits; these are far above what any tree needs.
 */
#include <string.h>

#include "lc_base64.h"
#include "lc_text.h"
#include "lc_tlogproof.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

/* The optional line, the base64 of at least one byte. */
static lc_status
read_extra(lc_str *rest, lc_str *extra)
{
	lc_str		after = *rest;
	size_t		n;

	extra->s = NULL;
	extra->n = 0;
	if (!lc_text_skip(&after, "extra "))
		return LC_OK;
	if (!lc_text_line(&after, extra) || extra->n == 0 ||
		lc_base64_check(extra->s, extra->n, &n) != LC_OK)
		return LC_ERR_SYNTAX;
	*rest = after;
	return extra->n > LC_NOTE_MAX_LEN ? LC_ERR_TOO_LONG : LC_OK;
}

/* Hashes, one a line, up to the empty line, which is read too. */
static lc_status
read_hashes(lc_str *rest, lc_proof *proof)
{
	lc_str		line;

	proof->count = 0;
	while (lc_text_line(rest, &line))
	{
		size_t		n;

		if (line.n == 0)
			return LC_OK;
		if (proof->count == LC_MERKLE_MAX_HEIGHT)
			return LC_ERR_TOO_LONG;
		if (lc_base64_decode(line.s, line.n, proof->hashes[proof->count], LC_HASH_LEN, &n) != LC_OK ||
			n != LC_HASH_LEN)
			return LC_ERR_SYNTAX;
		proof->count++;
	}
	return LC_ERR_SYNTAX;
}

lc_status
lc_tlogproof_parse(const char *text, size_t n, lc_tlogproof *out)
{
	lc_str		rest = {text, n};
	lc_str		line;
	lc_status	status;

	if (!lc_text_line(&rest, &line) || !lc_text_skip(&line, FIRST_LINE) || line.n > 0)
		return LC_ERR_SYNTAX;
	status = read_extra(&rest, &out->extra);
	if (status != LC_OK)
		return status;
	if (!lc_text_line(&rest, &line) || !lc_text_skip(&line, "index ") ||
		!lc_text_uint(line, &out->index))
		return LC_ERR_SYNTAX;
	status = read_hashes(&rest, &out->proof);
	if (status != LC_OK)
		return status;
	out->checkpoint = rest;
	if (rest.n > LC_NOTE_MAX_LEN)
		return LC_ERR_TOO_LONG;
	return rest.n > 0 ? LC_OK : LC_ERR_SYNTAX;
}

void
lc_tlogproof_format(lc_buf *out, const lc_tlogproof *proof)
{
	lc_buf_puts(out, FIRST_LINE "\n");
	if (proof->extra.s != NULL)
	{
		lc_buf_puts(out, "extra ");
		lc_buf_append(out, proof->extra.s, proof->extra.n);
		lc_buf_putc(out, '\n');
	}
	lc_buf_puts(out, "index ");
	lc_buf_put_int64(out, (int64_t) proof->index);
	lc_buf_putc(out, '\n');
	for (size_t i = 0; i < proof->proof.count; i++)
	{
		lc_buf_put_base64(out, proof->proof.hashes[i], LC_HASH_LEN);
		lc_buf_putc(out, '\n');
	}
	lc_buf_putc(out, '\n');
	lc_buf_append(out, proof->checkpoint.s, proof->checkpoint.n);
}
