/*
 * jwks.h
 *		The authority's keys: where they come from, and which are good now.
 *
 * A thread of its own reads the file or asks the URL (LEDGER__AUTH__JWKS): at
 * the start, every LEDGER__AUTH__REFRESH (sooner if the authority says so), at
 * SIGHUP, and when a token names a key that is not there.  The last good set
 * stays while the authority is away.
 */
#ifndef GATEWAY_JWKS_H
#define GATEWAY_JWKS_H

#include "auth.h"

/*
 * Starts the thread.  A file is read at once, and must be good; a URL is asked
 * soon.  changed is called with the new generation, in the thread, when other
 * keys are there.  False after a message.
 */
extern bool jwks_start(void (*changed) (uint64_t generation));
extern void jwks_stop(void);

/* Ask anew now.  What was verified before counts no more, even if the keys stay: the settings may be others. */
extern void jwks_reload(void);

/*
 * A key is missed.  True: a fetch is on its way, to which jwks_wait can be
 * tied.  False: the last one of this kind was less than
 * LEDGER__AUTH__MINREFRESH ago; tokens with invented kids must not make us
 * flood the authority.
 */
extern bool jwks_want(void);

/* auth_wait and auth_wait_end. */
extern bool jwks_wait(loop *l, loop_call *call);
extern void jwks_wait_end(loop_call *call);

/* The members of it that have to do with keys. */
extern void jwks_count(auth_counters *out);

#endif
