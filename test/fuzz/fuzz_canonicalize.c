/*
 * fuzz_canonicalize.c
 *		Text to canonical text.  What comes out is UTF-8, parses, and is its
 *		own canonical form; and a writer that is fed the same events with the
 *		members of each object in another order writes the same.
 */
#include "fuzz.h"
#include "lc_jcs.h"
#include "lc_jsonparse.h"
#include "lc_utf8.h"

/* A tree of what the parser told, so that members can be told in reverse. */
typedef enum kind
{
	OBJECT, ARRAY, STRING, NUMBER, TRUE, FALSE, NUL
} kind;

typedef struct node
{
	kind		kind;
	char	   *name;
	size_t		name_len;
	char	   *text;
	size_t		text_len;
	struct node *parent;
	struct node *last;			/* child */
	struct node *previous;		/* sibling */
	struct node *next;
} node;

typedef struct tree
{
	node	   *root;
	node	   *open;
	char	   *name;
	size_t		name_len;
} tree;

static char *
copy(const char *s, size_t n)
{
	char	   *result = malloc(n + 1);

	if (result == NULL)
		abort();
	memcpy(result, s, n);
	return result;
}

static node *
add(tree *t, kind k, const char *s, size_t n)
{
	node	   *fresh = calloc(1, sizeof(node));

	if (fresh == NULL)
		abort();
	fresh->kind = k;
	fresh->text = copy(s, n);
	fresh->text_len = n;
	fresh->name = t->name;
	fresh->name_len = t->name_len;
	t->name = NULL;
	fresh->parent = t->open;
	if (t->open == NULL)
		t->root = fresh;
	else
	{
		fresh->previous = t->open->last;
		if (fresh->previous != NULL)
			fresh->previous->next = fresh;
		t->open->last = fresh;
	}
	return fresh;
}

static lc_status
on_begin_object(void *arg)
{
	tree	   *t = arg;

	t->open = add(t, OBJECT, "", 0);
	return LC_OK;
}

static lc_status
on_begin_array(void *arg)
{
	tree	   *t = arg;

	t->open = add(t, ARRAY, "", 0);
	return LC_OK;
}

static lc_status
on_end(void *arg)
{
	tree	   *t = arg;

	t->open = t->open->parent;
	return LC_OK;
}

static lc_status
on_key(void *arg, const char *s, size_t n)
{
	tree	   *t = arg;

	t->name = copy(s, n);
	t->name_len = n;
	return LC_OK;
}

static lc_status
on_string(void *arg, const char *s, size_t n)
{
	add(arg, STRING, s, n);
	return LC_OK;
}

static lc_status
on_number(void *arg, const char *text, size_t n)
{
	add(arg, NUMBER, text, n);
	return LC_OK;
}

static lc_status
on_boolean(void *arg, bool truth)
{
	add(arg, truth ? TRUE : FALSE, "", 0);
	return LC_OK;
}

static lc_status
on_null(void *arg)
{
	add(arg, NUL, "", 0);
	return LC_OK;
}

/* Members last to first, elements first to last. */
static void
tell(lc_jcs *w, const node *n)
{
	const node *child = n->last;

	if (n->name != NULL)
		lc_jcs_key(w, n->name, n->name_len);
	switch (n->kind)
	{
		case OBJECT:
			lc_jcs_begin_object(w);
			for (; child != NULL; child = child->previous)
				tell(w, child);
			lc_jcs_end_object(w);
			break;
		case ARRAY:
			lc_jcs_begin_array(w);
			while (child != NULL && child->previous != NULL)
				child = child->previous;
			for (; child != NULL; child = child->next)
				tell(w, child);
			lc_jcs_end_array(w);
			break;
		case STRING:
			lc_jcs_string(w, n->text, n->text_len);
			break;
		case NUMBER:
			lc_jcs_number(w, n->text, n->text_len);
			break;
		case NUL:
			lc_jcs_null(w);
			break;
		default:
			lc_jcs_boolean(w, n->kind == TRUE);
			break;
	}
}

static void
forget(node *n)
{
	while (n != NULL)
	{
		node	   *previous = n->previous;

		forget(n->last);
		free(n->name);
		free(n->text);
		free(n);
		n = previous;
	}
}

/* The same through events, in another order. */
static void
check_events(const char *text, size_t n, lc_status want, const lc_buf *canonical)
{
	tree		t = {NULL, NULL, NULL, 0};
	lc_json_handler handler = {
		on_begin_object, on_key, on_end, on_begin_array, on_end,
		on_string, on_number, on_boolean, on_null, &t, NULL
	};
	lc_buf		out;
	lc_jcs	   *w;

	lc_buf_init(&out, &lc_alloc_malloc);
	if (lc_json_parse(text, n, 0, &handler, &lc_alloc_malloc, NULL) == LC_OK)
	{
		w = lc_jcs_new(&out, &lc_alloc_malloc);
		tell(w, t.root);
		HOLDS(lc_jcs_finish(w) == want);
		HOLDS(same_text(&out, canonical));
		lc_jcs_free(w);
	}
	else
		HOLDS(want != LC_OK);
	lc_buf_free(&out);
	free(t.name);
	forget(t.root);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	lc_buf		out;
	lc_buf		again;
	lc_json_error err;
	lc_status	status;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_init(&again, &lc_alloc_malloc);
	status = lc_json_canonicalize(text, size, &out, &lc_alloc_malloc, &err);
	HOLDS(err.status == status);
	if (status == LC_OK)
	{
		HOLDS(lc_utf8_valid(out.data, out.len, NULL));
		HOLDS(lc_json_canonicalize(out.data, out.len, &again, &lc_alloc_malloc, NULL) == LC_OK);
		HOLDS(same_text(&out, &again));
	}
	else
		HOLDS(out.len == 0 && out.status == LC_OK && err.offset <= size);
	check_events(text, size, status, &out);
	lc_buf_free(&out);
	lc_buf_free(&again);
	return 0;
}
