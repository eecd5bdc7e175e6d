/*
 * replay_format.h
 *		What names a report of a replay (docs/formats.md section 13): between
 *		who writes one and who checks it.
 */
#ifndef LEDGERCTL_REPLAY_FORMAT_H
#define LEDGERCTL_REPLAY_FORMAT_H

#define HARNESS_TYPE "application/vnd.stella-ledger-harness+json"
#define HARNESS_SCHEMA "ledger.replay.v1"
#define HARNESS_SIGNATURE_SUFFIX ".sig"
#define POLICY_VARIABLE "LEDGER_POLICY_HASH"

#endif
