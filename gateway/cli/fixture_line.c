/*
 * fixture_line.c
 *		Writing a line from canonical pieces.
 *
 * Envelope, payload and evaluation are canonical already: put in the order that
 * RFC 8785 gives the members' names, they make a canonical line, and no
 * document is read a second time.
 */
#include "fixture_line.h"
#include "lc_base64.h"

static void
put_salt(lc_buf *out, lc_str salt)
{
	if (salt.s == NULL)
	{
		lc_buf_puts(out, "null");
		return;
	}
	lc_buf_putc(out, '"');
	lc_buf_put_base64(out, salt.s, salt.n);
	lc_buf_putc(out, '"');
}

void
fixture_line(lc_buf *out, const stored_event *event)
{
	lc_buf_puts(out, "{\"envelope\":");
	lc_buf_append(out, event->envelope.data, event->envelope.len);
	if (event->has_evaluation)
	{
		lc_buf_puts(out, ",\"evaluation\":");
		lc_buf_append(out, event->evaluation.data, event->evaluation.len);
	}
	lc_buf_puts(out, ",\"eventHash\":\"");
	lc_buf_put_hex(out, event->event_hash, LC_HASH_LEN);
	lc_buf_puts(out, "\",\"merkleLeafHash\":\"");
	lc_buf_put_hex(out, event->leaf_hash, LC_HASH_LEN);
	lc_buf_puts(out, "\",\"payload\":");
	if (event->erased)
		lc_buf_puts(out, "null");
	else
		lc_buf_append(out, event->payload.data, event->payload.len);
	lc_buf_puts(out, ",\"salt\":");
	put_salt(out, event->salt);
	lc_buf_putc(out, '}');
}
