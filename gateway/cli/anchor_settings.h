/*
 * anchor_settings.h
 *		How often chains are anchored: LEDGER__MERKLE__… to settings of the
 *		database session.
 */
#ifndef LEDGERCTL_ANCHOR_SETTINGS_H
#define LEDGERCTL_ANCHOR_SETTINGS_H

#include "db.h"

/* Sets what the environment names for this session, and leaves the rest to the database. */
extern cli_exit anchor_settings_apply(PGconn *conn);

#endif
