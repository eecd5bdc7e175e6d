/*
 * lc_jsontree.c
 *		A JSON document in memory.
 *
 * Built by the parser's events, so that it holds what the strict parser let
 * pass and nothing else.  Values live in chunks that do not move: a pointer to
 * one stays good as the tree grows.  A string is borrowed from the document
 * unless it has escapes.  No recursion: a value knows the one around it.
 */
#include <string.h>

#include "lc_jsontree.h"
#include "lc_text.h"

#define CHUNK_BYTES 4096

typedef union chunk_align
{
	void	   *pointer;
	uint64_t	number;
} chunk_align;

typedef struct tree_chunk
{
	struct tree_chunk *next;
	size_t		used;
	size_t		size;
	chunk_align bytes[];
} tree_chunk;

/* A value while its tree is built; the value comes first, so that one is the other. */
typedef struct tree_node
{
	lc_json		json;
	struct tree_node *parent;
	struct tree_node *last;		/* child */
} tree_node;

struct lc_jsontree
{
	const lc_alloc *alloc;
	tree_chunk *chunks;
	tree_node  *root;
};

typedef struct builder
{
	lc_jsontree *tree;
	tree_node  *open;			/* the object or array that values go into */
	lc_str		key;			/* of the next member */
	lc_str		token;			/* what the parser tells of, as it stands */
} builder;

/* ---- memory ---- */

static void *
take(lc_jsontree *tree, size_t n)
{
	tree_chunk *c = tree->chunks;
	void	   *place;

	n = (n + sizeof(chunk_align) - 1) / sizeof(chunk_align) * sizeof(chunk_align);
	if (c == NULL || c->size - c->used < n)
	{
		size_t		size = n > CHUNK_BYTES ? n : CHUNK_BYTES;

		c = tree->alloc->resize(tree->alloc->ctx, NULL, sizeof(tree_chunk) + size);
		if (c == NULL)
			return NULL;
		c->next = tree->chunks;
		c->used = 0;
		c->size = size;
		tree->chunks = c;
	}
	place = (char *) c->bytes + c->used;
	c->used += n;
	return place;
}

void
lc_jsontree_free(lc_jsontree *tree)
{
	const lc_alloc *alloc;

	if (tree == NULL)
		return;
	alloc = tree->alloc;
	while (tree->chunks != NULL)
	{
		tree_chunk *next = tree->chunks->next;

		alloc->release(alloc->ctx, tree->chunks);
		tree->chunks = next;
	}
	alloc->release(alloc->ctx, tree);
}

/* The decoded string for as long as the tree lives. */
static lc_status
keep_text(builder *b, const char *s, size_t n, lc_str *out)
{
	char	   *copy;

	out->s = s;
	out->n = n;
	/* An escape is longer than what it stands for: without one, s is in the document. */
	if (b->token.n == n + 2)
		return LC_OK;
	copy = take(b->tree, n > 0 ? n : 1);
	if (copy == NULL)
		return LC_ERR_MEMORY;
	memcpy(copy, s, n);
	out->s = copy;
	return LC_OK;
}

/* ---- events ---- */

/* A new value in its place; NULL if there is no memory. */
static tree_node *
add_value(builder *b, lc_json_type type)
{
	tree_node  *node = take(b->tree, sizeof(tree_node));
	tree_node  *parent = b->open;

	if (node == NULL)
		return NULL;
	memset(node, 0, sizeof(*node));
	node->json.type = type;
	node->json.source = b->token;
	node->parent = parent;
	if (parent == NULL)
	{
		b->tree->root = node;
		return node;
	}
	if (parent->json.type == LC_JSON_OBJECT)
		node->json.key = b->key;
	if (parent->last == NULL)
		parent->json.child = &node->json;
	else
		parent->last->json.next = &node->json;
	parent->last = node;
	parent->json.count++;
	return node;
}

static lc_status
open_value(builder *b, lc_json_type type)
{
	tree_node  *node = add_value(b, type);

	if (node == NULL)
		return LC_ERR_MEMORY;
	b->open = node;
	return LC_OK;
}

/* The token is the closing bracket. */
static lc_status
close_value(builder *b)
{
	lc_json    *json = &b->open->json;

	json->source.n = (size_t) (b->token.s + 1 - json->source.s);
	b->open = b->open->parent;
	return LC_OK;
}

static lc_status
on_begin_object(void *arg)
{
	return open_value(arg, LC_JSON_OBJECT);
}

static lc_status
on_begin_array(void *arg)
{
	return open_value(arg, LC_JSON_ARRAY);
}

static lc_status
on_end(void *arg)
{
	return close_value(arg);
}

static lc_status
on_key(void *arg, const char *s, size_t n)
{
	builder    *b = arg;

	return keep_text(b, s, n, &b->key);
}

static lc_status
on_string(void *arg, const char *s, size_t n)
{
	builder    *b = arg;
	tree_node  *node = add_value(b, LC_JSON_STRING);

	return node == NULL ? LC_ERR_MEMORY : keep_text(b, s, n, &node->json.text);
}

static lc_status
on_number(void *arg, const char *text, size_t n)
{
	builder    *b = arg;
	tree_node  *node = add_value(b, LC_JSON_NUMBER);

	if (node == NULL)
		return LC_ERR_MEMORY;
	node->json.text.s = text;
	node->json.text.n = n;
	return LC_OK;
}

static lc_status
on_boolean(void *arg, bool value)
{
	builder    *b = arg;
	tree_node  *node = add_value(b, LC_JSON_BOOLEAN);

	if (node == NULL)
		return LC_ERR_MEMORY;
	node->json.boolean = value;
	return LC_OK;
}

static lc_status
on_null(void *arg)
{
	return add_value(arg, LC_JSON_NULL) == NULL ? LC_ERR_MEMORY : LC_OK;
}

lc_status
lc_jsontree_parse(const char *text, size_t n, size_t max_depth, const lc_alloc *alloc,
				  lc_jsontree **out, lc_json_error *err)
{
	builder		b;
	lc_json_handler handler = {
		on_begin_object, on_key, on_end, on_begin_array, on_end,
		on_string, on_number, on_boolean, on_null, &b, &b.token
	};
	lc_status	status;

	*out = NULL;
	memset(&b, 0, sizeof(b));
	b.tree = alloc->resize(alloc->ctx, NULL, sizeof(lc_jsontree));
	if (b.tree == NULL)
	{
		if (err != NULL)
		{
			memset(err, 0, sizeof(*err));
			err->status = LC_ERR_MEMORY;
		}
		return LC_ERR_MEMORY;
	}
	b.tree->alloc = alloc;
	b.tree->chunks = NULL;
	b.tree->root = NULL;
	status = lc_json_parse(text, n, max_depth, &handler, alloc, err);
	if (status == LC_OK)
		*out = b.tree;
	else
		lc_jsontree_free(b.tree);
	return status;
}

/* ---- looking ---- */

const lc_json *
lc_jsontree_root(const lc_jsontree *tree)
{
	return &tree->root->json;
}

const lc_json *
lc_json_member(const lc_json *object, const char *name)
{
	size_t		n = strlen(name);

	if (object == NULL || object->type != LC_JSON_OBJECT)
		return NULL;
	for (const lc_json *m = object->child; m != NULL; m = m->next)
	{
		if (m->key.n == n && memcmp(m->key.s, name, n) == 0)
			return m;
	}
	return NULL;
}

lc_str
lc_json_string(const lc_json *object, const char *name)
{
	const lc_json *member = lc_json_member(object, name);
	lc_str		absent = {NULL, 0};

	return member != NULL && member->type == LC_JSON_STRING ? member->text : absent;
}

bool
lc_json_uint(const lc_json *object, const char *name, uint64_t *out)
{
	const lc_json *member = lc_json_member(object, name);
	uint64_t	value;

	if (member == NULL || member->type != LC_JSON_NUMBER || !lc_text_uint(member->text, &value) ||
		value > LC_JSON_MAX_INTEGER)
		return false;
	*out = value;
	return true;
}
