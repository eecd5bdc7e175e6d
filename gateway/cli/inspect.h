/*
 * inspect.h
 *		The kinds of files that inspect shows, each by a function of its own.
 */
#ifndef LEDGERCTL_INSPECT_H
#define LEDGERCTL_INSPECT_H

#include "event.h"
#include "lc_note.h"

extern cli_exit inspect_bundle(const char *path, lc_str text);
extern cli_exit inspect_json(const char *path, lc_str text);
extern void inspect_note(const lc_note *note);
extern void inspect_head(const lc_checkpoint *head);

#endif
