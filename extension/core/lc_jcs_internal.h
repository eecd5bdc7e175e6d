/*
 * lc_jcs_internal.h
 *		The canonical writer's state, shared by lc_jcs.c and lc_jcs_order.c
 *		and by nothing else.
 */
#ifndef LC_JCS_INTERNAL_H
#define LC_JCS_INTERNAL_H

#include "lc_jcs.h"

/* Room inside the writer itself: a usual payload needs no further allocation. */
#define INLINE_FRAMES 8
#define INLINE_MEMBERS 32
#define INLINE_NOTES 8
#define INLINE_SPANS 32

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

/* Room for one item more in an array of the writer, or return the failure. */
#define ENSURE_ROOM(w, array, n, max, inline_array) \
	do { \
		if ((w)->n == (w)->max) \
		{ \
			void	   *grown_ = lc_jcs_grow((w), (w)->array, (w)->inline_array, \
											 &(w)->max, sizeof((w)->array[0])); \
			if (grown_ == NULL) \
				return (w)->status; \
			(w)->array = grown_; \
		} \
	} while (0)

/* The first failure sticks, and takes back what was written. */
extern lc_status lc_jcs_fail(lc_jcs *w, lc_status status);

/*
 * The array at items, moved to twice its room.  Its first room lies inside
 * the writer (inline_items) and is not the allocator's to resize.
 */
extern void *lc_jcs_grow(lc_jcs *w, void *items, const void *inline_items, size_t *max,
						 size_t item_size);

/* By the UTF-16 code units of their names. */
extern int	lc_jcs_compare_members(const void *a, const void *b);

/* Sort the innermost object's members and note their order. */
extern lc_status lc_jcs_note_order(lc_jcs *w, frame *f);

/* Put the finished text into canonical order. */
extern lc_status lc_jcs_reorder(lc_jcs *w);

#endif
