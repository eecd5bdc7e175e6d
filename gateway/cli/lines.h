/*
 * lines.h
 *		A file read line by line, with a cap on the length of one: a file is
 *		never in memory as a whole.
 */
#ifndef LEDGERCTL_LINES_H
#define LEDGERCTL_LINES_H

#include "cli.h"

typedef struct line_reader
{
	const char *path;
	int			fd;
	size_t		max;			/* bytes of a line */
	uint64_t	number;			/* of the line last read, from 1 */
	uint64_t	read;			/* bytes of the file so far */
	uint64_t	size;			/* of the file, 0 if it is no regular one */
	lc_buf		buf;
	size_t		start;			/* where the next line begins in it */
	bool		at_end;
} line_reader;

extern cli_exit lines_open(line_reader *r, const char *path, size_t max);

/* The line without its newline, valid until the next call; s == NULL at the end. */
extern cli_exit lines_next(line_reader *r, lc_str *line);
/* Go on reading at a byte where a line begins, which is then line number + 1. */
extern cli_exit lines_seek(line_reader *r, uint64_t offset, uint64_t number);
extern void lines_close(line_reader *r);

#endif
