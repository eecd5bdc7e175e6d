/*
 * crew.h
 *		The same work by several threads, each with a connection of its own,
 *		while this one shows how far it has come.
 */
#ifndef LEDGERCTL_CREW_H
#define LEDGERCTL_CREW_H

#include <stdatomic.h>

#include "cli.h"
#include "fault.h"

#define CREW_MAX 64

typedef struct crew
{
	const char *what;			/* for the progress */
	uint64_t	total;
	atomic_uint_fast64_t done;	/* of total: whoever works adds to it */
	atomic_bool stop;			/* somebody failed: leave off as soon as you can */
} crew;

typedef cli_exit (*crew_work) (crew *c, void *arg, fault *f);

/*
 * Runs work for each of n arguments of that size.  What is returned is the first
 * failure in the order of the arguments, with its fault.
 */
extern cli_exit crew_run(crew *c, size_t n, crew_work work, void *arguments, size_t size, fault *f);

#endif
