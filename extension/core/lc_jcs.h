/*
 * lc_jcs.h
 *		The canonical JSON writer (RFC 8785), driven by events.
 *
 * The only one in the repository: PostgreSQL's jsonb, the strict parser, the
 * event envelope and the projection all feed it.  Members may come in any
 * order; the writer sorts them when their object ends.
 *
 * Key bytes passed to lc_jcs_key are borrowed until the matching
 * lc_jcs_end_object; string and number bytes only for the call.  Strings
 * must be well-formed UTF-8 (else LC_ERR_UTF8).  The first failure sticks:
 * later calls return it and do nothing, and what the writer wrote is taken
 * back.  Text in out is final once lc_jcs_finish returned LC_OK, not before.
 */
#ifndef LC_JCS_H
#define LC_JCS_H

#include "lc_buf.h"

/* Deepest nesting of arrays and objects that the writer takes. */
#define LC_JCS_MAX_DEPTH 1000

typedef struct lc_jcs lc_jcs;

/* NULL only if the allocator returns NULL.  Writes at the end of out. */
extern lc_jcs *lc_jcs_new(lc_buf *out, const lc_alloc *alloc);
extern void lc_jcs_free(lc_jcs *w);

extern lc_status lc_jcs_begin_object(lc_jcs *w);
extern lc_status lc_jcs_key(lc_jcs *w, const char *s, size_t n);
extern lc_status lc_jcs_end_object(lc_jcs *w);	/* LC_ERR_DUPLICATE here */
extern lc_status lc_jcs_begin_array(lc_jcs *w);
extern lc_status lc_jcs_end_array(lc_jcs *w);
extern lc_status lc_jcs_string(lc_jcs *w, const char *s, size_t n);
extern lc_status lc_jcs_number(lc_jcs *w, const char *text, size_t n);
extern lc_status lc_jcs_boolean(lc_jcs *w, bool value);
extern lc_status lc_jcs_null(lc_jcs *w);

/* LC_OK only if exactly one complete value was written. */
extern lc_status lc_jcs_finish(lc_jcs *w);

/*
 * Where the writer stands, or where it failed, as a path such as
 * $.risk.scores[3] (a name that is no identifier is quoted: $["a b"]).
 */
extern void lc_jcs_path(const lc_jcs *w, lc_buf *out);

/* The two kinds of steps of such a path, for who keeps a stack of their own. */
extern void lc_jcs_put_path_key(lc_buf *out, const char *s, size_t n);
extern void lc_jcs_put_path_index(lc_buf *out, size_t index);

/*
 * Just a quoted, escaped JSON string, without a writer.  Ill-formed UTF-8
 * makes the buffer fail with LC_ERR_UTF8.
 */
extern void lc_jcs_put_string(lc_buf *out, const char *s, size_t n);

#endif
