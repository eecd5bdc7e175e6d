/*
 * anchor_settings.h
 *		How often chains are anchored: LEDGER__MERKLE__… to settings of the
 *		database session.
 */
#ifndef LEDGERCTL_ANCHOR_SETTINGS_H
#define LEDGERCTL_ANCHOR_SETTINGS_H

#include "db.h"

/* A .NET time span, [d.]hh:mm:ss, to whole seconds; false for anything else. */
extern bool span_parse(const char *text, uint64_t *seconds);

/* Sets what the environment names for this session, and leaves the rest to the database. */
extern cli_exit anchor_settings_apply(PGconn *conn);

#endif
