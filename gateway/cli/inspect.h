/*
 * inspect.h
 *		The kinds of files that inspect shows, each by a function of its own, on
 *		bytes: so that a test can hand it mangled ones by the thousand.
 */
#ifndef LEDGERCTL_INSPECT_H
#define LEDGERCTL_INSPECT_H

#include "event.h"
#include "lc_note.h"

/* Any bytes (cmd_inspect.c): finds out which of the others they are for. */
extern cli_exit inspect_content(const char *path, lc_str text);

extern cli_exit inspect_bundle(const char *path, lc_str text);
extern cli_exit inspect_json(const char *path, lc_str text);
extern void inspect_note(const lc_note *note);
extern void inspect_head(const lc_checkpoint *head);

#endif
