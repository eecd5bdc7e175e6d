/*
 * export_manifest.c
 *		The last line of an export: a DSSE envelope that says what was given.
 */
#include <string.h>

#include "config.h"
#include "export.h"
#include "lc_dsse.h"
#include "log.h"

#define PAYLOAD_TYPE "application/vnd.stella-ledger-export+json"

/* config_check.c has refused a bad key, so that this fails only without memory. */
static bool
sign(lc_buf *out, lc_str payload)
{
	const char *key = config_now()->export_key;
	lc_str		type = {PAYLOAD_TYPE, strlen(PAYLOAD_TYPE)};
	size_t		n = key != NULL ? strlen(key) : 0;
	lc_signer	signer;
	lc_status	status;

	/* As a file has it that was mounted. */
	while (n > 0 && (key[n - 1] == '\n' || key[n - 1] == '\r'))
		n--;
	if (n == 0)
		return lc_dsse_sign(out, type, payload, NULL, 0, &lc_alloc_malloc) == LC_OK;
	status = lc_signer_parse(key, n, &signer);
	if (status == LC_OK)
		status = lc_dsse_sign(out, type, payload, &signer, 1, &lc_alloc_malloc);
	lc_signer_wipe(&signer);
	if (status != LC_OK)
		log_line(LOG_ERROR, "export.unsigned", "the manifest of an export could not be signed: %s",
				 lc_status_text(status));
	return status == LC_OK;
}

bool
export_manifest_line(lc_buf *out, const lc_buf *payload, const lc_buf *token)
{
	lc_buf_puts(out, "{\"manifest\":");
	if (!sign(out, (lc_str) {payload->data, payload->len}))
		return false;
	if (token->len > 0)
	{
		lc_buf_puts(out, ",\"nextPageToken\":\"");
		lc_buf_append(out, token->data, token->len);
		lc_buf_putc(out, '"');
	}
	lc_buf_putc(out, '}');
	return out->status == LC_OK;
}
