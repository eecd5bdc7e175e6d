/*
 * state.h
 *		What this signer signed last, kept outside the database: one file a
 *		chain in a directory of its own.
 *
 * A signature may only leave after the state that stands for it is on disk,
 * so that no crash makes the signer forget a root that others may hold.  A
 * file that cannot be read is a fault and never "no state": else breaking the
 * file would be the way to make the signer trust the database again.
 */
#ifndef LEDGERCTL_STATE_H
#define LEDGERCTL_STATE_H

#include "fault.h"
#include "lc_sha256.h"

typedef struct signer_state
{
	char		origin[512];	/* first line of the checkpoint: log, tenant, chain */
	uint64_t	size;
	uint8_t		root[LC_HASH_LEN];
	uint64_t	incarnation;	/* of the database that it was signed for (ledger_settings) */
} signer_state;

typedef struct state_dir
{
	int			fd;				/* locked (flock) while it is open; -1: there is none */
} state_dir;

/* One signer a directory: a fault if another holds it. */
extern bool state_open(state_dir *dir, const char *path, fault *f);
extern void state_close(state_dir *dir);

/* *absent, which is no fault, if the chain has none. */
extern bool state_read(const state_dir *dir, const char *tenant, const char *chain,
					   signer_state *out, bool *absent, fault *f);

/* On disk when it returns. */
extern bool state_write(const state_dir *dir, const char *tenant, const char *chain,
						const signer_state *state, fault *f);

/* Puts the file aside under a name that tells its size, for a chain that was rolled back. */
extern bool state_retire(const state_dir *dir, const char *tenant, const char *chain,
						 const signer_state *state, fault *f);

#endif
