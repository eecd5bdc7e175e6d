/*
 * lc_canonicalize.c
 *		Strict parser and canonical writer joined: JSON text in, JCS out.
 */
#include <string.h>

#include "lc_jcs.h"
#include "lc_jsonparse.h"

static lc_status
on_begin_object(void *arg)
{
	return lc_jcs_begin_object(arg);
}

static lc_status
on_key(void *arg, const char *s, size_t n)
{
	return lc_jcs_key(arg, s, n);
}

static lc_status
on_end_object(void *arg)
{
	return lc_jcs_end_object(arg);
}

static lc_status
on_begin_array(void *arg)
{
	return lc_jcs_begin_array(arg);
}

static lc_status
on_end_array(void *arg)
{
	return lc_jcs_end_array(arg);
}

static lc_status
on_string(void *arg, const char *s, size_t n)
{
	return lc_jcs_string(arg, s, n);
}

static lc_status
on_number(void *arg, const char *text, size_t n)
{
	return lc_jcs_number(arg, text, n);
}

static lc_status
on_boolean(void *arg, bool value)
{
	return lc_jcs_boolean(arg, value);
}

static lc_status
on_null(void *arg)
{
	return lc_jcs_null(arg);
}

lc_status
lc_json_canonicalize(const char *text, size_t n, lc_buf *out, const lc_alloc *alloc,
					 lc_json_error *err)
{
	return lc_json_canonicalize_to_depth(text, n, 0, out, alloc, err);
}

lc_status
lc_json_canonicalize_to_depth(const char *text, size_t n, size_t max_depth, lc_buf *out,
							  const lc_alloc *alloc, lc_json_error *err)
{
	lc_json_handler handler = {
		on_begin_object, on_key, on_end_object, on_begin_array, on_end_array,
		on_string, on_number, on_boolean, on_null, NULL, NULL
	};
	size_t		mark = out->len;
	lc_jcs	   *w = lc_jcs_new(out, alloc);
	lc_status	status;

	if (w == NULL)
	{
		if (err != NULL)
		{
			memset(err, 0, sizeof(*err));
			err->status = LC_ERR_MEMORY;
		}
		return LC_ERR_MEMORY;
	}
	handler.arg = w;
	status = lc_json_parse(text, n, max_depth, &handler, alloc, err);
	if (status == LC_OK)
		status = lc_jcs_finish(w);

	/*
	 * The parser may have stopped in the middle, with half a text written.  A
	 * buffer that had failed before took nothing, and stays failed.
	 */
	if (status != LC_OK && out->len > mark)
		lc_buf_truncate(out, mark);
	lc_jcs_free(w);
	return status;
}
