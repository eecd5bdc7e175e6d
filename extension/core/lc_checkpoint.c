/*
 * lc_checkpoint.c
 *		The text of a checkpoint (C2SP tlog-checkpoint): origin, tree size, root
 *		hash, and extension lines, which are kept and not understood.
 */
#include "lc_base64.h"
#include "lc_note.h"
#include "lc_text.h"

/* One hash in base64, its one spelling. */
static bool
read_hash(lc_str text, uint8_t hash[LC_HASH_LEN])
{
	size_t		n;

	return lc_base64_decode(text.s, text.n, hash, LC_HASH_LEN, &n) == LC_OK && n == LC_HASH_LEN;
}

/* Further lines, each ended and none empty. */
static bool
extensions_valid(lc_str rest)
{
	lc_str		line;

	while (rest.n > 0)
	{
		if (!lc_text_line(&rest, &line) || line.n == 0)
			return false;
	}
	return true;
}

lc_status
lc_checkpoint_parse(const char *text, size_t n, lc_checkpoint *out)
{
	lc_str		rest = {text, n};
	lc_checkpoint c;
	lc_str		size;
	lc_str		root;
	lc_status	status;

	if (n > LC_NOTE_MAX_LEN)
		return LC_ERR_TOO_LONG;
	status = lc_text_printable(text, n);
	if (status != LC_OK)
		return status;
	if (!lc_text_line(&rest, &c.origin) || c.origin.n == 0)
		return LC_ERR_SYNTAX;
	if (!lc_text_line(&rest, &size) || !lc_text_uint(size, &c.size))
		return LC_ERR_SYNTAX;
	if (!lc_text_line(&rest, &root) || !read_hash(root, c.root))
		return LC_ERR_SYNTAX;
	if (!extensions_valid(rest))
		return LC_ERR_SYNTAX;
	c.extensions.s = rest.n > 0 ? rest.s : NULL;
	c.extensions.n = rest.n;
	*out = c;
	return LC_OK;
}

/* Would the origin be read as that one line? */
static lc_status
check_origin(lc_str origin)
{
	lc_status	status = lc_text_printable(origin.s, origin.n);
	lc_str		rest = origin;
	lc_str		line;

	if (status == LC_OK && (origin.n == 0 || lc_text_line(&rest, &line)))
		status = LC_ERR_SYNTAX;
	return status;
}

void
lc_checkpoint_format(lc_buf *out, lc_str origin, uint64_t size, const uint8_t root[LC_HASH_LEN])
{
	lc_status	status = size > (uint64_t) INT64_MAX ? LC_ERR_RANGE : check_origin(origin);

	if (status != LC_OK)
	{
		if (out->status == LC_OK)
			out->status = status;
		return;
	}
	lc_buf_append(out, origin.s, origin.n);
	lc_buf_putc(out, '\n');
	lc_buf_put_int64(out, (int64_t) size);
	lc_buf_putc(out, '\n');
	lc_buf_put_base64(out, root, LC_HASH_LEN);
	lc_buf_putc(out, '\n');
}
