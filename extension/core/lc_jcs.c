/*
 * lc_jcs.c
 *		The canonical JSON writer.
 *
 * Values are written at once, members in the order in which they come.  An
 * object whose members turn out unsorted at its end leaves a note: where each
 * member stands in the text, in canonical order.  When the outermost value is
 * complete, the text is copied once through all notes.  Sorting every object
 * in place would move the innermost text once per level: a document of nested
 * one-member swaps could then cost a thousand times its size.
 *
 * No recursion: the nesting of the input must not decide how much stack of
 * the server is used.  All memory belongs to the writer, so a jump out of the
 * allocator leaves nothing behind that the host's memory context does not own.
 */
#include <stdlib.h>
#include <string.h>

#include "lc_jcs.h"
#include "lc_number.h"
#include "lc_utf8.h"

/* Room inside the writer itself: a usual payload needs no further allocation. */
#define INLINE_FRAMES 8
#define INLINE_MEMBERS 32
#define INLINE_NOTES 8
#define INLINE_SPANS 32

/* Below this an insertion sort beats qsort's calls. */
#define SMALL_OBJECT 12

typedef struct member
{
	const char *key;
	size_t		key_len;
	size_t		start;			/* of "key":value, as offsets into out */
	size_t		end;
} member;

/* One open object or array. */
typedef struct frame
{
	bool		is_object;
	bool		unsorted;
	bool		in_member;		/* a key stands, its value does not yet */
	size_t		start;			/* behind the opening bracket */
	size_t		first;			/* its first member in members[] */
	size_t		count;			/* elements written, arrays only */
} frame;

typedef struct span
{
	size_t		start;
	size_t		end;
} span;

/* An unsorted object: its body in the text, and its members in order. */
typedef struct note
{
	span		body;
	size_t		first;			/* in spans[] */
	size_t		count;
} note;

/* One level of the final copy: text still to copy, members still to come. */
typedef struct level
{
	span		text;
	size_t		next;			/* in spans[] */
	size_t		last;			/* behind the object's last */
} level;

struct lc_jcs
{
	lc_buf	   *out;
	const lc_alloc *alloc;
	lc_status	status;
	bool		done;
	size_t		start;			/* length of out before us */

	frame	   *frames;
	size_t		nframes;
	size_t		max_frames;
	member	   *members;		/* of all open objects, innermost last */
	size_t		nmembers;
	size_t		max_members;
	note	   *notes;
	size_t		nnotes;
	size_t		max_notes;
	span	   *spans;
	size_t		nspans;
	size_t		max_spans;
	level	   *levels;
	lc_buf		scratch;

	frame		inline_frames[INLINE_FRAMES];
	member		inline_members[INLINE_MEMBERS];
	note		inline_notes[INLINE_NOTES];
	span		inline_spans[INLINE_SPANS];
};

lc_jcs *
lc_jcs_new(lc_buf *out, const lc_alloc *alloc)
{
	lc_jcs	   *w = alloc->resize(alloc->ctx, NULL, sizeof(lc_jcs));

	if (w == NULL)
		return NULL;
	memset(w, 0, offsetof(lc_jcs, inline_frames));
	w->out = out;
	w->alloc = alloc;
	w->status = out->status;
	w->start = out->len;
	w->frames = w->inline_frames;
	w->max_frames = INLINE_FRAMES;
	w->members = w->inline_members;
	w->max_members = INLINE_MEMBERS;
	w->notes = w->inline_notes;
	w->max_notes = INLINE_NOTES;
	w->spans = w->inline_spans;
	w->max_spans = INLINE_SPANS;
	lc_buf_init(&w->scratch, alloc);
	return w;
}

void
lc_jcs_free(lc_jcs *w)
{
	const lc_alloc *alloc;

	if (w == NULL)
		return;
	alloc = w->alloc;
	if (w->frames != w->inline_frames)
		alloc->release(alloc->ctx, w->frames);
	if (w->members != w->inline_members)
		alloc->release(alloc->ctx, w->members);
	if (w->notes != w->inline_notes)
		alloc->release(alloc->ctx, w->notes);
	if (w->spans != w->inline_spans)
		alloc->release(alloc->ctx, w->spans);
	alloc->release(alloc->ctx, w->levels);
	lc_buf_free(&w->scratch);
	alloc->release(alloc->ctx, w);
}

/* The first failure sticks, and takes back what was written. */
static lc_status
fail(lc_jcs *w, lc_status status)
{
	w->status = status;
	lc_buf_truncate(w->out, w->start);
	return status;
}

/*
 * The array at items, moved to twice its room.  Its first room lies inside
 * the writer (inline_items) and is not the allocator's to resize.
 */
static void *
grow(lc_jcs *w, void *items, const void *inline_items, size_t *max, size_t item_size)
{
	void	   *grown = NULL;

	if (*max <= SIZE_MAX / 2 / item_size)
		grown = w->alloc->resize(w->alloc->ctx, items == inline_items ? NULL : items,
								 *max * 2 * item_size);
	if (grown == NULL)
	{
		fail(w, LC_ERR_MEMORY);
		return NULL;
	}
	if (items == inline_items)
		memcpy(grown, items, *max * item_size);
	*max *= 2;
	return grown;
}

/* Room for one item more in an array of the writer, or return the failure. */
#define ENSURE_ROOM(w, array, n, max, inline_array) \
	do { \
		if ((w)->n == (w)->max) \
		{ \
			void	   *grown_ = grow((w), (w)->array, (w)->inline_array, \
									  &(w)->max, sizeof((w)->array[0])); \
			if (grown_ == NULL) \
				return (w)->status; \
			(w)->array = grown_; \
		} \
	} while (0)

static frame *
top_frame(lc_jcs *w)
{
	return w->nframes > 0 ? &w->frames[w->nframes - 1] : NULL;
}

/* ---- order of members ---- */

static int
compare_members(const void *a, const void *b)
{
	const member *x = a;
	const member *y = b;

	return lc_utf16_compare(x->key, x->key_len, y->key, y->key_len);
}

static int
compare_notes(const void *a, const void *b)
{
	const note *x = a;
	const note *y = b;

	return (x->body.start > y->body.start) - (x->body.start < y->body.start);
}

static void
sort_members(member *m, size_t n)
{
	size_t		i;

	if (n > SMALL_OBJECT)
	{
		qsort(m, n, sizeof(member), compare_members);
		return;
	}
	for (i = 1; i < n; i++)
	{
		member		moving = m[i];
		size_t		to = i;

		for (; to > 0 && compare_members(&m[to - 1], &moving) > 0; to--)
			m[to] = m[to - 1];
		m[to] = moving;
	}
}

/* Sort the innermost object's members and note their order. */
static lc_status
note_order(lc_jcs *w, frame *f)
{
	member	   *m = w->members + f->first;
	size_t		n = w->nmembers - f->first;
	note	   *to;
	size_t		i;

	sort_members(m, n);
	for (i = 1; i < n; i++)
	{
		if (compare_members(&m[i - 1], &m[i]) == 0)
		{
			/* lc_jcs_path is to name it. */
			m[n - 1] = m[i];
			f->in_member = true;
			return fail(w, LC_ERR_DUPLICATE);
		}
	}

	ENSURE_ROOM(w, notes, nnotes, max_notes, inline_notes);
	to = &w->notes[w->nnotes];
	to->body.start = f->start;
	to->body.end = w->out->len;
	to->first = w->nspans;
	to->count = n;
	for (i = 0; i < n; i++)
	{
		ENSURE_ROOM(w, spans, nspans, max_spans, inline_spans);
		w->spans[w->nspans].start = m[i].start;
		w->spans[w->nspans].end = m[i].end;
		w->nspans++;
	}
	w->nnotes++;
	return LC_OK;
}

/*
 * The first note behind an offset, or NULL.  Notes are sorted by then.  Not
 * one at the offset itself: an object's body and its first member begin at the
 * same place.
 */
static const note *
note_behind(const lc_jcs *w, size_t offset)
{
	size_t		low = 0;
	size_t		high = w->nnotes;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (w->notes[middle].body.start <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < w->nnotes ? &w->notes[low] : NULL;
}

/* Copy the whole text to scratch, each noted object in its order. */
static void
copy_in_order(lc_jcs *w)
{
	size_t		depth = 1;

	w->levels[0].text.start = w->start;
	w->levels[0].text.end = w->out->len;
	w->levels[0].next = w->levels[0].last = 0;

	while (depth > 0)
	{
		level	   *l = &w->levels[depth - 1];
		const char *text = w->out->data + l->text.start;

		if (l->text.start < l->text.end)
		{
			const note *n = note_behind(w, l->text.start);

			if (n == NULL || n->body.start >= l->text.end)
			{
				lc_buf_append(&w->scratch, text, l->text.end - l->text.start);
				l->text.start = l->text.end;
				continue;
			}
			lc_buf_append(&w->scratch, text, n->body.start - l->text.start);
			l->text.start = n->body.end;

			l = &w->levels[depth++];
			l->text = w->spans[n->first];
			l->next = n->first + 1;
			l->last = n->first + n->count;
		}
		else if (l->next < l->last)
		{
			lc_buf_putc(&w->scratch, ',');
			l->text = w->spans[l->next++];
		}
		else
			depth--;
	}
}

/* Put the finished text into canonical order. */
static lc_status
reorder(lc_jcs *w)
{
	/* A note's levels nest as its objects do, and each has a note. */
	size_t		levels = (w->nnotes < LC_JCS_MAX_DEPTH ? w->nnotes : LC_JCS_MAX_DEPTH) + 1;

	w->levels = w->alloc->resize(w->alloc->ctx, NULL, levels * sizeof(level));
	if (w->levels == NULL)
		return fail(w, LC_ERR_MEMORY);
	if (w->nnotes > 1)
		qsort(w->notes, w->nnotes, sizeof(note), compare_notes);
	copy_in_order(w);
	if (w->scratch.status != LC_OK)
		return fail(w, w->scratch.status);

	/* Only the order changed, so the length is the same. */
	memcpy(w->out->data + w->start, w->scratch.data, w->scratch.len);
	return LC_OK;
}

/* ---- events ---- */

/* A value begins: is one due here?  Writes the comma of an array. */
static lc_status
value_begin(lc_jcs *w)
{
	frame	   *f = top_frame(w);

	if (w->status != LC_OK)
		return w->status;
	if (f == NULL)
		return w->done ? fail(w, LC_ERR_MISUSE) : LC_OK;
	if (f->is_object)
		return f->in_member ? LC_OK : fail(w, LC_ERR_MISUSE);
	if (f->count > 0)
		lc_buf_putc(w->out, ',');
	return LC_OK;
}

/* A value is complete. */
static lc_status
value_end(lc_jcs *w)
{
	frame	   *f = top_frame(w);

	if (w->out->status != LC_OK)
		return fail(w, w->out->status);
	if (f == NULL)
	{
		w->done = true;
		return w->nnotes > 0 ? reorder(w) : LC_OK;
	}
	if (f->is_object)
	{
		w->members[w->nmembers - 1].end = w->out->len;
		f->in_member = false;
	}
	else
		f->count++;
	return LC_OK;
}

static lc_status
begin_container(lc_jcs *w, bool is_object)
{
	lc_status	status = value_begin(w);
	frame	   *f;

	if (status != LC_OK)
		return status;
	if (w->nframes == LC_JCS_MAX_DEPTH)
		return fail(w, LC_ERR_DEPTH);
	ENSURE_ROOM(w, frames, nframes, max_frames, inline_frames);
	lc_buf_putc(w->out, is_object ? '{' : '[');
	f = &w->frames[w->nframes++];
	f->is_object = is_object;
	f->unsorted = false;
	f->in_member = false;
	f->start = w->out->len;
	f->first = w->nmembers;
	f->count = 0;
	return w->out->status == LC_OK ? LC_OK : fail(w, w->out->status);
}

lc_status
lc_jcs_begin_object(lc_jcs *w)
{
	return begin_container(w, true);
}

lc_status
lc_jcs_begin_array(lc_jcs *w)
{
	return begin_container(w, false);
}

/* RFC 8785 section 3.2.2.2: these seven have short forms, no others. */
static void
put_escape(lc_buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char		escape[6] = {'\\', 0, '0', '0', 0, 0};

	switch (c)
	{
		case '\b':
			escape[1] = 'b';
			break;
		case '\t':
			escape[1] = 't';
			break;
		case '\n':
			escape[1] = 'n';
			break;
		case '\f':
			escape[1] = 'f';
			break;
		case '\r':
			escape[1] = 'r';
			break;
		case '"':
		case '\\':
			escape[1] = (char) c;
			break;
		default:
			escape[1] = 'u';
			escape[4] = hex[c >> 4];
			escape[5] = hex[c & 15];
			lc_buf_append(out, escape, 6);
			return;
	}
	lc_buf_append(out, escape, 2);
}

/* Append a string; false if it is not UTF-8. */
static bool
put_string(lc_buf *out, const char *s, size_t n)
{
	size_t		run = 0;		/* start of what needs no escape */
	size_t		i;

	if (!lc_utf8_valid(s, n, NULL))
		return false;
	lc_buf_putc(out, '"');
	for (i = 0; i < n; i++)
	{
		unsigned char c = (unsigned char) s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		lc_buf_append(out, s + run, i - run);
		put_escape(out, c);
		run = i + 1;
	}
	lc_buf_append(out, s + run, n - run);
	lc_buf_putc(out, '"');
	return true;
}

void
lc_jcs_put_string(lc_buf *out, const char *s, size_t n)
{
	if (out->status == LC_OK && !put_string(out, s, n))
		out->status = LC_ERR_UTF8;
}

lc_status
lc_jcs_key(lc_jcs *w, const char *s, size_t n)
{
	frame	   *f = top_frame(w);
	member	   *m;

	if (w->status != LC_OK)
		return w->status;
	if (f == NULL || !f->is_object || f->in_member)
		return fail(w, LC_ERR_MISUSE);
	ENSURE_ROOM(w, members, nmembers, max_members, inline_members);
	m = &w->members[w->nmembers];
	if (w->nmembers > f->first)
		lc_buf_putc(w->out, ',');
	m->key = s;
	m->key_len = n;
	m->start = m->end = w->out->len;
	if (!put_string(w->out, s, n))
		return fail(w, LC_ERR_UTF8);
	lc_buf_putc(w->out, ':');

	/* Equal names count as unsorted: the sort finds them again. */
	if (w->nmembers > f->first && compare_members(m - 1, m) >= 0)
		f->unsorted = true;
	w->nmembers++;
	f->in_member = true;
	return w->out->status == LC_OK ? LC_OK : fail(w, w->out->status);
}

static lc_status
end_container(lc_jcs *w, bool is_object)
{
	frame	   *f = top_frame(w);

	if (w->status != LC_OK)
		return w->status;
	if (f == NULL || f->is_object != is_object || f->in_member)
		return fail(w, LC_ERR_MISUSE);
	if (f->unsorted && note_order(w, f) != LC_OK)
		return w->status;
	w->nmembers = f->first;
	w->nframes--;
	lc_buf_putc(w->out, is_object ? '}' : ']');
	return value_end(w);
}

lc_status
lc_jcs_end_object(lc_jcs *w)
{
	return end_container(w, true);
}

lc_status
lc_jcs_end_array(lc_jcs *w)
{
	return end_container(w, false);
}

lc_status
lc_jcs_string(lc_jcs *w, const char *s, size_t n)
{
	lc_status	status = value_begin(w);

	if (status != LC_OK)
		return status;
	if (!put_string(w->out, s, n))
		return fail(w, LC_ERR_UTF8);
	return value_end(w);
}

lc_status
lc_jcs_number(lc_jcs *w, const char *text, size_t n)
{
	lc_status	status = value_begin(w);

	if (status != LC_OK)
		return status;
	status = lc_number_canonical(w->out, text, n);
	if (status != LC_OK)
		return fail(w, status);
	return value_end(w);
}

static lc_status
put_literal(lc_jcs *w, const char *word)
{
	lc_status	status = value_begin(w);

	if (status != LC_OK)
		return status;
	lc_buf_puts(w->out, word);
	return value_end(w);
}

lc_status
lc_jcs_boolean(lc_jcs *w, bool value)
{
	return put_literal(w, value ? "true" : "false");
}

lc_status
lc_jcs_null(lc_jcs *w)
{
	return put_literal(w, "null");
}

lc_status
lc_jcs_finish(lc_jcs *w)
{
	if (w->status == LC_OK && !w->done)
		return fail(w, LC_ERR_MISUSE);
	return w->status;
}

/* ---- paths ---- */

/* ECMAScript's identifiers, ASCII only: what may stand behind a dot. */
static bool
is_identifier(const char *s, size_t n)
{
	size_t		i;

	for (i = 0; i < n; i++)
	{
		char		c = s[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$')
			continue;
		if (i == 0 || c < '0' || c > '9')
			return false;
	}
	return n > 0;
}

void
lc_jcs_put_path_key(lc_buf *out, const char *s, size_t n)
{
	if (is_identifier(s, n))
	{
		lc_buf_putc(out, '.');
		lc_buf_append(out, s, n);
		return;
	}
	lc_buf_putc(out, '[');
	lc_jcs_put_string(out, s, n);
	lc_buf_putc(out, ']');
}

void
lc_jcs_put_path_index(lc_buf *out, size_t index)
{
	lc_buf_putc(out, '[');
	lc_buf_put_int64(out, (int64_t) index);
	lc_buf_putc(out, ']');
}

void
lc_jcs_path(const lc_jcs *w, lc_buf *out)
{
	size_t		i;

	lc_buf_putc(out, '$');
	for (i = 0; i < w->nframes; i++)
	{
		const frame *f = &w->frames[i];
		size_t		members_end = (i + 1 < w->nframes) ? w->frames[i + 1].first : w->nmembers;

		if (!f->is_object)
			lc_jcs_put_path_index(out, f->count);
		else if (f->in_member)
			lc_jcs_put_path_key(out, w->members[members_end - 1].key,
								w->members[members_end - 1].key_len);
	}
}
