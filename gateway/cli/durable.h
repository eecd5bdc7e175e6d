/*
 * durable.h
 *		Files that must survive a crash: written beside their place, flushed,
 *		moved there in one step, and the directory flushed.
 *
 * Directories are file descriptors, so that nobody can move one away between
 * two steps.
 */
#ifndef LEDGERCTL_DURABLE_H
#define LEDGERCTL_DURABLE_H

#include "fault.h"
#include "lc_buf.h"

/* An existing directory; -1 and a fault if it cannot be opened. */
extern int	durable_open_dir(const char *path, fault *f);

/* The same, made if it is not there; only its last part. */
extern int	durable_make_dir(const char *path, fault *f);

/* A directory of that name in parent, made if it is not there. */
extern int	durable_sub_dir(int parent, const char *name, fault *f);

/*
 * A file that is never overwritten.  One that is there with the same bytes is
 * success (an earlier try got that far), one with others is a fault.
 */
extern bool durable_create(int dir, const char *name, const void *bytes, size_t n, fault *f);

/* A file that takes the place of the one before. */
extern bool durable_replace(int dir, const char *name, const void *bytes, size_t n, fault *f);

/* Renames a file, never onto another. */
extern bool durable_rename(int dir, const char *from, const char *to, fault *f);

/*
 * Appends the file to out.  One that is not there is *absent and no fault; one
 * longer than max is a fault.
 */
extern bool durable_read(int dir, const char *name, size_t max, lc_buf *out, bool *absent, fault *f);

#endif
