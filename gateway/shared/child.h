/*
 * child.h
 *		Runs another program to its end, and hears what it has to say.
 */
#ifndef GATEWAY_CHILD_H
#define GATEWAY_CHILD_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"

typedef struct child
{
	const char *program;		/* a path, or a name that PATH finds */
	char *const *argv;
	char *const *environment;
	int			stop;			/* a descriptor that becomes readable when all is to end */
	int64_t		limit_ms;		/* then SIGTERM, and SIGKILL a little later */
	int64_t		grace_ms;		/* likewise, after stop became readable */
	void		(*line) (const char *text, size_t n);	/* each line of its standard error */
} child;

/*
 * Its exit status; 128 and the signal's number if one ended it; -1 if it could
 * not be started.  Standard input and output are /dev/null, no other descriptor
 * is handed on, and it has a process group and default signals of its own.
 */
extern int	child_run(const child *c, fault *f);

#endif
