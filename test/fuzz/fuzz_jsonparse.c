/*
 * fuzz_jsonparse.c
 *		The strict parser on any bytes: what it tells its handler is balanced
 *		and well-formed, and a fault has a place inside the text.
 */
#include "fuzz.h"
#include "lc_jcs.h"
#include "lc_jsonparse.h"
#include "lc_utf8.h"

#define DEPTH 64

typedef struct watch
{
	bool		is_object[DEPTH];
	bool		named[DEPTH];
	size_t		depth;
	size_t		values;
} watch;

/* A value may come: in an object only behind a name. */
static void
value(watch *w)
{
	if (w->depth > 0 && w->is_object[w->depth - 1])
	{
		HOLDS(w->named[w->depth - 1]);
		w->named[w->depth - 1] = false;
	}
	if (w->depth == 0)
		HOLDS(w->values++ == 0);
}

static lc_status
opened(watch *w, bool is_object)
{
	value(w);
	HOLDS(w->depth < DEPTH);
	w->is_object[w->depth] = is_object;
	w->named[w->depth++] = false;
	return LC_OK;
}

static lc_status
closed(watch *w, bool is_object)
{
	HOLDS(w->depth > 0 && w->is_object[w->depth - 1] == is_object && !w->named[w->depth - 1]);
	w->depth--;
	return LC_OK;
}

static lc_status
on_begin_object(void *arg)
{
	return opened(arg, true);
}

static lc_status
on_end_object(void *arg)
{
	return closed(arg, true);
}

static lc_status
on_begin_array(void *arg)
{
	return opened(arg, false);
}

static lc_status
on_end_array(void *arg)
{
	return closed(arg, false);
}

static lc_status
on_key(void *arg, const char *s, size_t n)
{
	watch	   *w = arg;

	HOLDS(w->depth > 0 && w->is_object[w->depth - 1] && !w->named[w->depth - 1]);
	HOLDS(lc_utf8_valid(s, n, NULL) && memchr(s, 0, n) == NULL);
	w->named[w->depth - 1] = true;
	return LC_OK;
}

static lc_status
on_string(void *arg, const char *s, size_t n)
{
	value(arg);
	HOLDS(lc_utf8_valid(s, n, NULL) && memchr(s, 0, n) == NULL);
	return LC_OK;
}

static lc_status
on_number(void *arg, const char *text, size_t n)
{
	size_t		i;

	value(arg);
	HOLDS(n > 0);
	for (i = 0; i < n; i++)
		HOLDS(strchr("+-.0123456789eE", text[i]) != NULL && text[i] != '\0');
	return LC_OK;
}

static lc_status
on_boolean(void *arg, bool truth)
{
	(void) truth;
	value(arg);
	return LC_OK;
}

static lc_status
on_null(void *arg)
{
	value(arg);
	return LC_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	watch		w = {.depth = 0};
	lc_json_handler handler = {
		on_begin_object, on_key, on_end_object, on_begin_array, on_end_array,
		on_string, on_number, on_boolean, on_null, &w, NULL
	};
	lc_json_error err;
	lc_status	status = lc_json_parse((const char *) data, size, DEPTH, &handler, &lc_alloc_malloc, &err);

	HOLDS(err.status == status);
	HOLDS(memchr(err.path, 0, sizeof(err.path)) != NULL);
	HOLDS(lc_utf8_valid(err.path, strlen(err.path), NULL));
	if (status == LC_OK)
	{
		HOLDS(w.depth == 0 && w.values == 1);
		HOLDS(lc_utf8_valid((const char *) data, size, NULL));
	}
	else
	{
		HOLDS(err.offset <= size && err.line >= 1 && err.column >= 1 && err.column <= err.offset + 1);
		HOLDS(err.path[0] == '$');
	}
	return 0;
}
