/*
 * lc_jcs_order.c
 *		Canonical order of members: sorting, notes, and the one final copy.
 *
 * An object that ends unsorted leaves a note: where each of its members stands
 * in the text, in canonical order.  When the outermost value is complete, the
 * text is copied once through all notes.  Sorting every object in place would
 * move the innermost text once per level: a document of nested two-member
 * swaps could then cost a thousand times its size.
 */
#include <stdlib.h>
#include <string.h>

#include "lc_jcs_internal.h"
#include "lc_utf8.h"

/* Below this an insertion sort beats qsort's calls. */
#define SMALL_OBJECT 12

int
lc_jcs_compare_members(const void *a, const void *b)
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
		qsort(m, n, sizeof(member), lc_jcs_compare_members);
		return;
	}
	for (i = 1; i < n; i++)
	{
		member		moving = m[i];
		size_t		to = i;

		for (; to > 0 && lc_jcs_compare_members(&m[to - 1], &moving) > 0; to--)
			m[to] = m[to - 1];
		m[to] = moving;
	}
}

lc_status
lc_jcs_note_order(lc_jcs *w, frame *f)
{
	member	   *m = w->members + f->first;
	size_t		n = w->nmembers - f->first;
	note	   *to;
	size_t		i;

	sort_members(m, n);
	for (i = 1; i < n; i++)
	{
		if (lc_jcs_compare_members(&m[i - 1], &m[i]) == 0)
		{
			/* lc_jcs_path is to name it. */
			m[n - 1] = m[i];
			f->in_member = true;
			return lc_jcs_fail(w, LC_ERR_DUPLICATE);
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

lc_status
lc_jcs_reorder(lc_jcs *w)
{
	/* A note's levels nest as its objects do, and each has a note. */
	size_t		levels = (w->nnotes < LC_JCS_MAX_DEPTH ? w->nnotes : LC_JCS_MAX_DEPTH) + 1;

	w->levels = w->alloc->resize(w->alloc->ctx, NULL, levels * sizeof(level));
	if (w->levels == NULL)
		return lc_jcs_fail(w, LC_ERR_MEMORY);
	if (w->nnotes > 1)
		qsort(w->notes, w->nnotes, sizeof(note), compare_notes);
	copy_in_order(w);
	if (w->scratch.status != LC_OK)
		return lc_jcs_fail(w, w->scratch.status);

	/* Only the order changed, so the length is the same. */
	memcpy(w->out->data + w->start, w->scratch.data, w->scratch.len);
	return LC_OK;
}
