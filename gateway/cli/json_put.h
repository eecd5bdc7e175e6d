/*
 * json_put.h
 *		Members of a JSON object that becomes a file.  (What a command answers
 *		with --json is written by cli_json_….)
 */
#ifndef LEDGERCTL_JSON_PUT_H
#define LEDGERCTL_JSON_PUT_H

#include "cli.h"

extern void json_put_key(lc_jcs *w, const char *name);
extern void json_put_text(lc_jcs *w, const char *name, const char *value);
extern void json_put_string(lc_jcs *w, const char *name, lc_str value);
extern void json_put_hash(lc_jcs *w, const char *name, const uint8_t hash[LC_HASH_LEN]);
extern void json_put_uint(lc_jcs *w, const char *name, uint64_t value);

/* Microseconds as seconds. */
extern void json_put_seconds(lc_jcs *w, const char *name, uint64_t us);

/* At most 15 digits of it, which every reader keeps; a string if it is no number. */
extern void json_put_double(lc_jcs *w, const char *name, double value);

#endif
