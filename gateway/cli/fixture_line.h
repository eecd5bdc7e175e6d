/*
 * fixture_line.h
 *		A stored event as a line of docs/formats.md section 10.
 */
#ifndef LEDGERCTL_FIXTURE_LINE_H
#define LEDGERCTL_FIXTURE_LINE_H

#include "stored_event.h"

/* Appends the line, without its newline. */
extern void fixture_line(lc_buf *out, const stored_event *event);

#endif
