/*
 * lc_jsonparse.c
 *		Strict, iterative JSON parser.
 *
 * What is lenient elsewhere is an attack here: a duplicate member or a byte
 * order mark lets two readers of one document see two different events.  So
 * everything that RFC 8259 leaves open is an error with a place.
 *
 * No recursion.  Work is n log n in the input, whatever it holds.
 */
#include <stdlib.h>
#include <string.h>

#include "lc_jcs.h"
#include "lc_jsonparse_internal.h"

#define FIRST_ROOM 16

/* Up to here comparing every pair of names beats sorting them. */
#define SMALL_OBJECT 8

/* What may come next. */
typedef enum state
{
	WANT_VALUE,
	WANT_ELEMENT_OR_END,
	WANT_KEY_OR_END,
	WANT_KEY,
	WANT_COMMA_OR_END,
	FINISHED
} state;

/* Call a handler's callback, if there is one. */
#define EMIT(p, callback, ...) \
	(show_token(p), \
	 (p)->handler->callback != NULL ? (p)->handler->callback(__VA_ARGS__) : LC_OK)

/* The token that begins at p->fault; p->pos is behind it, or on it if it is a bracket. */
static void
show_token(const parser *p)
{
	if (p->handler->token == NULL)
		return;
	p->handler->token->s = p->text + p->fault;
	p->handler->token->n = p->pos > p->fault ? p->pos - p->fault : 1;
}

lc_status
lc_json_fail(parser *p, size_t offset, lc_status status)
{
	p->fault = offset;
	return status;
}

/* ---- memory ---- */

static lc_status
ensure_room(parser *p, void **items, size_t used, size_t *max, size_t item_size)
{
	size_t		want = (*max == 0) ? FIRST_ROOM : *max * 2;
	void	   *grown;

	if (used < *max)
		return LC_OK;
	if (want > SIZE_MAX / item_size)
		return lc_json_fail(p, p->pos, LC_ERR_MEMORY);
	grown = p->alloc->resize(p->alloc->ctx, *items, want * item_size);
	if (grown == NULL)
		return lc_json_fail(p, p->pos, LC_ERR_MEMORY);
	*items = grown;
	*max = want;
	return LC_OK;
}

static void
free_parser(parser *p)
{
	while (p->arena != NULL)
	{
		chunk	   *next = p->arena->next;

		p->alloc->release(p->alloc->ctx, p->arena);
		p->arena = next;
	}
	p->alloc->release(p->alloc->ctx, p->names);
	p->alloc->release(p->alloc->ctx, p->frames);
}

/* ---- duplicate names ---- */

static int
compare_names(const void *a, const void *b)
{
	const name *x = a;
	const name *y = b;
	int			order = memcmp(x->s, y->s, x->n < y->n ? x->n : y->n);

	if (order == 0)
		order = (x->n > y->n) - (x->n < y->n);
	return order;
}

static int
compare_names_then_offsets(const void *a, const void *b)
{
	const name *x = a;
	const name *y = b;
	int			order = compare_names(a, b);

	return order != 0 ? order : (x->offset > y->offset) - (x->offset < y->offset);
}

/* The first name of the object that stood before, or NULL.  May reorder them. */
static const name *
find_duplicate(name *names, size_t n)
{
	const name *found = NULL;
	size_t		i;
	size_t		j;

	if (n <= SMALL_OBJECT)
	{
		for (i = 1; i < n; i++)
			for (j = 0; j < i; j++)
				if (compare_names(&names[i], &names[j]) == 0)
					return &names[i];
		return NULL;
	}

	qsort(names, n, sizeof(name), compare_names_then_offsets);
	for (i = 1; i < n; i++)
	{
		if (compare_names(&names[i - 1], &names[i]) == 0 &&
			(found == NULL || names[i].offset < found->offset))
			found = &names[i];
	}
	return found;
}

static lc_status
check_duplicates(parser *p, frame *f)
{
	const name *duplicate = NULL;

	if (f->unsorted)
		duplicate = find_duplicate(p->names + f->first, p->nnames - f->first);
	if (duplicate == NULL)
		return LC_OK;

	/* The path of the error is to end in this name. */
	p->fault = duplicate->offset;
	p->names[p->nnames - 1] = *duplicate;
	return LC_ERR_DUPLICATE;
}

/* ---- values ---- */

static void
skip_space(parser *p)
{
	while (p->pos < p->n)
	{
		char		c = p->text[p->pos];

		if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			break;
		p->pos++;
	}
}

/* The byte at p->pos, or -1 at the end. */
static int
peek(const parser *p)
{
	return p->pos < p->n ? (unsigned char) p->text[p->pos] : -1;
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* At least one digit at p->pos. */
static lc_status
skip_digits(parser *p)
{
	if (!is_digit(peek(p)))
		return lc_json_fail(p, p->pos, LC_ERR_SYNTAX);
	while (is_digit(peek(p)))
		p->pos++;
	return LC_OK;
}

static lc_status
parse_number(parser *p)
{
	size_t		start = p->pos;
	lc_status	status = LC_OK;

	if (peek(p) == '-')
		p->pos++;
	if (peek(p) == '0')
		p->pos++;				/* alone: 01 is no number */
	else
		status = skip_digits(p);
	if (status == LC_OK && peek(p) == '.')
	{
		p->pos++;
		status = skip_digits(p);
	}
	if (status == LC_OK && (peek(p) == 'e' || peek(p) == 'E'))
	{
		p->pos++;
		if (peek(p) == '+' || peek(p) == '-')
			p->pos++;
		status = skip_digits(p);
	}
	if (status != LC_OK)
		return status;
	p->fault = start;
	return EMIT(p, number, p->handler->arg, p->text + start, p->pos - start);
}

static lc_status
parse_literal(parser *p, const char *word)
{
	size_t		start = p->pos;
	size_t		n = strlen(word);

	if (p->n - start < n || memcmp(p->text + start, word, n) != 0)
		return lc_json_fail(p, start, LC_ERR_SYNTAX);
	p->pos += n;
	p->fault = start;
	if (word[0] == 'n')
		return EMIT(p, null, p->handler->arg);
	return EMIT(p, boolean, p->handler->arg, word[0] == 't');
}

static lc_status
open_container(parser *p, bool is_object)
{
	void	   *frames = p->frames;
	frame	   *f;
	lc_status	status;

	p->fault = p->pos;
	if (p->nframes >= p->max_depth)
		return LC_ERR_DEPTH;
	status = ensure_room(p, &frames, p->nframes, &p->max_frames, sizeof(frame));
	p->frames = frames;
	if (status == LC_OK)
		status = is_object ? EMIT(p, begin_object, p->handler->arg)
			: EMIT(p, begin_array, p->handler->arg);
	if (status != LC_OK)
		return status;
	p->pos++;
	f = &p->frames[p->nframes++];
	f->is_object = is_object;
	f->unsorted = false;
	f->in_member = false;
	f->first = p->nnames;
	f->index = 0;
	return LC_OK;
}

static lc_status
close_container(parser *p)
{
	frame	   *f = &p->frames[p->nframes - 1];
	lc_status	status;

	p->fault = p->pos;
	if (f->is_object)
	{
		status = check_duplicates(p, f);
		if (status == LC_OK)
			status = EMIT(p, end_object, p->handler->arg);
	}
	else
		status = EMIT(p, end_array, p->handler->arg);
	if (status != LC_OK)
		return status;
	p->pos++;
	p->nnames = f->first;
	p->nframes--;
	return LC_OK;
}

static lc_status
parse_value(parser *p, state *next)
{
	lc_str		string;
	size_t		start = p->pos;
	lc_status	status;
	int			c = peek(p);

	*next = WANT_COMMA_OR_END;
	switch (c)
	{
		case '{':
			*next = WANT_KEY_OR_END;
			return open_container(p, true);
		case '[':
			*next = WANT_ELEMENT_OR_END;
			return open_container(p, false);
		case '"':
			status = lc_json_read_string(p, &string);
			if (status != LC_OK)
				return status;
			p->fault = start;
			return EMIT(p, string, p->handler->arg, string.s, string.n);
		case 't':
			return parse_literal(p, "true");
		case 'f':
			return parse_literal(p, "false");
		case 'n':
			return parse_literal(p, "null");
		default:
			if (c == '-' || is_digit(c))
				return parse_number(p);
			return lc_json_fail(p, start, LC_ERR_SYNTAX);
	}
}

/* A name and its colon. */
static lc_status
parse_key(parser *p)
{
	frame	   *f = &p->frames[p->nframes - 1];
	void	   *names = p->names;
	size_t		start = p->pos;
	lc_str		key;
	name	   *to;
	lc_status	status;

	if (peek(p) != '"')
		return lc_json_fail(p, start, LC_ERR_SYNTAX);
	status = lc_json_read_string(p, &key);
	if (status == LC_OK)
		status = ensure_room(p, &names, p->nnames, &p->max_names, sizeof(name));
	p->names = names;
	if (status != LC_OK)
		return status;

	to = &p->names[p->nnames++];
	to->s = key.s;
	to->n = key.n;
	to->offset = start;
	if (p->nnames - f->first > 1 && compare_names(to - 1, to) >= 0)
		f->unsorted = true;
	f->in_member = true;

	p->fault = start;
	status = EMIT(p, key, p->handler->arg, key.s, key.n);
	if (status != LC_OK)
		return status;
	skip_space(p);
	if (peek(p) != ':')
		return lc_json_fail(p, p->pos, LC_ERR_SYNTAX);
	p->pos++;
	return LC_OK;
}

/* Behind a value: the end of its container, a comma, or the end of it all. */
static lc_status
parse_after_value(parser *p, state *next)
{
	frame	   *f;
	int			c = peek(p);

	if (p->nframes == 0)
	{
		*next = FINISHED;
		return c < 0 ? LC_OK : lc_json_fail(p, p->pos, LC_ERR_TRAILING);
	}
	f = &p->frames[p->nframes - 1];
	if (c == (f->is_object ? '}' : ']'))
		return close_container(p);
	if (c != ',')
		return lc_json_fail(p, p->pos, LC_ERR_SYNTAX);
	p->pos++;
	f->index++;
	f->in_member = false;
	*next = f->is_object ? WANT_KEY : WANT_VALUE;
	return LC_OK;
}

static lc_status
run_parser(parser *p)
{
	state		want = WANT_VALUE;
	lc_status	status = LC_OK;

	while (status == LC_OK && want != FINISHED)
	{
		skip_space(p);
		switch (want)
		{
			case WANT_ELEMENT_OR_END:
				if (peek(p) == ']')
				{
					want = WANT_COMMA_OR_END;
					status = close_container(p);
					break;
				}
				status = parse_value(p, &want);
				break;
			case WANT_VALUE:
				status = parse_value(p, &want);
				break;
			case WANT_KEY_OR_END:
				if (peek(p) == '}')
				{
					want = WANT_COMMA_OR_END;
					status = close_container(p);
					break;
				}
				want = WANT_VALUE;
				status = parse_key(p);
				break;
			case WANT_KEY:
				want = WANT_VALUE;
				status = parse_key(p);
				break;
			case WANT_COMMA_OR_END:
				status = parse_after_value(p, &want);
				break;
			case FINISHED:
				break;
		}
	}
	return status;
}

/* ---- errors ---- */

/* Write the path into err, cut at a character if it is too long. */
static void
fill_path(const parser *p, lc_json_error *err)
{
	lc_buf		path;
	size_t		i;
	size_t		n;

	lc_buf_init(&path, p->alloc);
	lc_buf_putc(&path, '$');
	for (i = 0; i < p->nframes && path.len < sizeof(err->path); i++)
	{
		const frame *f = &p->frames[i];
		size_t		names_end = (i + 1 < p->nframes) ? p->frames[i + 1].first : p->nnames;

		if (!f->is_object)
			lc_jcs_put_path_index(&path, f->index);
		else if (f->in_member)
			lc_jcs_put_path_key(&path, p->names[names_end - 1].s, p->names[names_end - 1].n);
	}
	n = path.len;
	if (n >= sizeof(err->path))
	{
		n = sizeof(err->path) - 1;
		while (n > 0 && ((unsigned char) path.data[n] & 0xC0) == 0x80)
			n--;
	}
	if (n > 0)
		memcpy(err->path, path.data, n);
	err->path[n] = '\0';
	lc_buf_free(&path);
}

static void
fill_error(const parser *p, lc_status status, lc_json_error *err)
{
	size_t		line_start = 0;
	size_t		i;

	err->status = status;
	err->offset = p->fault;
	err->line = 1;
	for (i = 0; i < p->fault; i++)
	{
		if (p->text[i] == '\n')
		{
			err->line++;
			line_start = i + 1;
		}
	}
	err->column = p->fault - line_start + 1;
	fill_path(p, err);
}

lc_status
lc_json_parse(const char *text, size_t n, size_t max_depth, const lc_json_handler *handler,
			  const lc_alloc *alloc, lc_json_error *err)
{
	parser		p;
	lc_status	status;

	memset(&p, 0, sizeof(p));
	p.text = text;
	p.n = n;
	p.max_depth = (max_depth == 0) ? LC_JCS_MAX_DEPTH : max_depth;
	p.handler = handler;
	p.alloc = alloc;
	if (err != NULL)
		memset(err, 0, sizeof(*err));

	status = run_parser(&p);
	if (status != LC_OK && err != NULL)
		fill_error(&p, status, err);
	free_parser(&p);
	return status;
}
