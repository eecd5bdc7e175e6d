/*
 * lc_jcs.c
 *		The canonical JSON writer: events in, text out.
 *
 * Values are written at once, members in the order in which they come;
 * lc_jcs_order.c puts them right at the end.
 *
 * No recursion: the nesting of the input must not decide how much stack of
 * the server is used.  All memory belongs to the writer, so a jump out of the
 * allocator leaves nothing behind that the host's memory context does not own.
 */
#include <string.h>

#include "lc_jcs_internal.h"
#include "lc_number.h"

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

lc_status
lc_jcs_fail(lc_jcs *w, lc_status status)
{
	w->status = status;
	lc_buf_truncate(w->out, w->start);
	return status;
}

void *
lc_jcs_grow(lc_jcs *w, void *items, const void *inline_items, size_t *max, size_t item_size)
{
	void	   *grown = NULL;

	if (*max <= SIZE_MAX / 2 / item_size)
		grown = w->alloc->resize(w->alloc->ctx, items == inline_items ? NULL : items,
								 *max * 2 * item_size);
	if (grown == NULL)
	{
		lc_jcs_fail(w, LC_ERR_MEMORY);
		return NULL;
	}
	if (items == inline_items)
		memcpy(grown, items, *max * item_size);
	*max *= 2;
	return grown;
}

static frame *
top_frame(lc_jcs *w)
{
	return w->nframes > 0 ? &w->frames[w->nframes - 1] : NULL;
}

/* A value begins: is one due here?  Writes the comma of an array. */
static lc_status
value_begin(lc_jcs *w)
{
	frame	   *f = top_frame(w);

	if (w->status != LC_OK)
		return w->status;
	if (f == NULL)
		return w->done ? lc_jcs_fail(w, LC_ERR_MISUSE) : LC_OK;
	if (f->is_object)
		return f->in_member ? LC_OK : lc_jcs_fail(w, LC_ERR_MISUSE);
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
		return lc_jcs_fail(w, w->out->status);
	if (f == NULL)
	{
		w->done = true;
		return w->nnotes > 0 ? lc_jcs_reorder(w) : LC_OK;
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
		return lc_jcs_fail(w, LC_ERR_DEPTH);
	ENSURE_ROOM(w, frames, nframes, max_frames, inline_frames);
	lc_buf_putc(w->out, is_object ? '{' : '[');
	f = &w->frames[w->nframes++];
	f->is_object = is_object;
	f->unsorted = false;
	f->in_member = false;
	f->start = w->out->len;
	f->first = w->nmembers;
	f->count = 0;
	return w->out->status == LC_OK ? LC_OK : lc_jcs_fail(w, w->out->status);
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

lc_status
lc_jcs_key(lc_jcs *w, const char *s, size_t n)
{
	frame	   *f = top_frame(w);
	member	   *m;

	if (w->status != LC_OK)
		return w->status;
	if (f == NULL || !f->is_object || f->in_member)
		return lc_jcs_fail(w, LC_ERR_MISUSE);
	ENSURE_ROOM(w, members, nmembers, max_members, inline_members);
	m = &w->members[w->nmembers];
	if (w->nmembers > f->first)
		lc_buf_putc(w->out, ',');
	m->key = s;
	m->key_len = n;
	m->start = m->end = w->out->len;
	lc_jcs_put_string(w->out, s, n);
	lc_buf_putc(w->out, ':');
	if (w->out->status != LC_OK)
		return lc_jcs_fail(w, w->out->status);

	/* Equal names count as unsorted: the sort finds them again. */
	if (w->nmembers > f->first && lc_jcs_compare_members(m - 1, m) >= 0)
		f->unsorted = true;
	w->nmembers++;
	f->in_member = true;
	return LC_OK;
}

static lc_status
end_container(lc_jcs *w, bool is_object)
{
	frame	   *f = top_frame(w);

	if (w->status != LC_OK)
		return w->status;
	if (f == NULL || f->is_object != is_object || f->in_member)
		return lc_jcs_fail(w, LC_ERR_MISUSE);
	if (f->unsorted && lc_jcs_note_order(w, f) != LC_OK)
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
	lc_jcs_put_string(w->out, s, n);
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
		return lc_jcs_fail(w, status);
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
		return lc_jcs_fail(w, LC_ERR_MISUSE);
	return w->status;
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
