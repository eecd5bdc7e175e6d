/*
 * errcodes.h
 *		Every SQLSTATE the ledger raises, from C and from SQL: the one list.
 *		docs/reference/errors.md is generated from it.
 *
 * Class LG is ours.  The digits follow HTTP where HTTP has a word for it, so
 * that a reader knows the gateway's answer from the SQLSTATE.
 *
 * LEDGER_ERROR(symbol, SQLSTATE, name, HTTP status, meaning, what to do)
 */
#ifndef LEDGER_ERRCODES_H
#define LEDGER_ERRCODES_H

#define LEDGER_ERRORS \
	LEDGER_ERROR(ERRCODE_LEDGER_INVALID, "LG400", "ledger_invalid", 400, \
				 "An argument or a member of the event is missing, empty, too long, malformed or out of range.", \
				 "Mend the field that the message names.") \
	LEDGER_ERROR(ERRCODE_LEDGER_FORBIDDEN, "LG403", "ledger_forbidden", 403, \
				 "The role may not touch this tenant or write this event type, or the row brings a column that the ledger sets itself.", \
				 "Ask an operator for ledger_grant_tenant(), or leave the named column out.") \
	LEDGER_ERROR(ERRCODE_LEDGER_UNKNOWN, "LG404", "ledger_unknown", 404, \
				 "The tenant, event type or chain does not exist.", \
				 "Create it first (ledger_create_tenant(), ledger_add_event_type()), or mend the name.") \
	LEDGER_ERROR(ERRCODE_LEDGER_CONFLICT, "LG409", "ledger_conflict", 409, \
				 "The event id is taken by an event with other content, the expected sequence was not met, an imported event does not follow the chain's head, or the finding or policy version belongs to another chain.", \
				 "Read the stored event or the head that the detail names, and decide anew.") \
	LEDGER_ERROR(ERRCODE_LEDGER_TOO_LARGE, "LG413", "ledger_too_large", 413, \
				 "The payload's canonical form is longer than ledger.max_payload_bytes.", \
				 "Store large content elsewhere and put its digest into the payload.") \
	LEDGER_ERROR(ERRCODE_LEDGER_UNPROCESSABLE, "LG422", "ledger_unprocessable", 422, \
				 "The payload holds a number that a double would round, a member that the reducer reads has the wrong shape, or a hash of an imported event differs.", \
				 "Send such a number as a string; mend the member that the message names; export the lines again.") \
	LEDGER_ERROR(ERRCODE_LEDGER_APPEND_ONLY, "LG423", "ledger_append_only", 423, \
				 "A guard refused a change of recorded data or of the objects that protect it.", \
				 "Append a correcting event; change the schema by a migration.") \
	LEDGER_ERROR(ERRCODE_LEDGER_CORRUPTED, "LG500", "ledger_corrupted", 500, \
				 "Stored data or the ledger's own objects are not as the ledger left them.", \
				 "Run ledger_verify() and ledger_guard_state(), and keep the evidence.") \
	LEDGER_ERROR(ERRCODE_LEDGER_NOT_READY, "LG503", "ledger_not_ready", 503, \
				 "The database cannot run the ledger as it is: wrong encoding, no migrations, no pg_partman, or tables that cannot be read.", \
				 "Follow the hint; ledger_check_runtime() lists what is missing.") \
	LEDGER_ERROR(ERRCODE_LEDGER_TOO_MANY_CHAINS, "LG507", "ledger_too_many_chains", 507, \
				 "One transaction appends to more chains than ledger.max_chains_per_transaction allows.", \
				 "Split the batch, or raise the setting together with max_locks_per_transaction.")

#define LEDGER_SQLSTATE(s) \
	MAKE_SQLSTATE((s)[0], (s)[1], (s)[2], (s)[3], (s)[4])

#define ERRCODE_LEDGER_INVALID			LEDGER_SQLSTATE("LG400")
#define ERRCODE_LEDGER_FORBIDDEN		LEDGER_SQLSTATE("LG403")
#define ERRCODE_LEDGER_UNKNOWN			LEDGER_SQLSTATE("LG404")
#define ERRCODE_LEDGER_CONFLICT			LEDGER_SQLSTATE("LG409")
#define ERRCODE_LEDGER_TOO_LARGE		LEDGER_SQLSTATE("LG413")
#define ERRCODE_LEDGER_UNPROCESSABLE	LEDGER_SQLSTATE("LG422")
#define ERRCODE_LEDGER_APPEND_ONLY		LEDGER_SQLSTATE("LG423")
#define ERRCODE_LEDGER_CORRUPTED		LEDGER_SQLSTATE("LG500")
#define ERRCODE_LEDGER_NOT_READY		LEDGER_SQLSTATE("LG503")
#define ERRCODE_LEDGER_TOO_MANY_CHAINS	LEDGER_SQLSTATE("LG507")

#endif
