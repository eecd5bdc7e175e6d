/*
 * cmd_verify_proof.c
 *		ledgerctl verify-proof: is this event in the log that this key signed?
 *
 * The steps of C2SP tlog-proof "Verifying a tlog proof": leaf hash, origin and
 * signatures, cosignatures, inclusion.  What binds the ledger's own names is
 * checked besides: the checkpoint is of the event's tenant and chain, and the
 * leaf's index is the event's sequence - 1.  Else a proof for one chain could
 * be shown for another.
 */
#include <string.h>

#include "commands.h"
#include "lc_hex.h"
#include "proof_check.h"

#define BUNDLE_MAX (LC_NOTE_MAX_LEN * 3)

static const cli_option options[] = {
	{"event", "FILE", "the event: its envelope as JSON, or a line of an export", true, false},
	{"key", "KEY", "a public key of the log, or a file that holds one", true, true},
	{"witness", "KEY", "a public key of a witness, or a file that holds one", false, true},
	{"quorum", "N", "how many of these witnesses must have signed (all)", false, false},
	{"origin", "NAME", "the log's origin, if keys of several logs are alike", false, false},
	{NULL, NULL, NULL, false, false}
};

static cli_exit
run(const cli_args *args)
{
	const char *bundle_path = cli_operand(args, 0);
	const char *event_path = cli_value(args, "event");
	lc_buf		bundle = {0};
	lc_buf		event = {0};
	trust		t;
	cli_exit	code = trust_read(args, &t);

	if (code == CLI_GOOD)
		code = cli_read_note(bundle_path, BUNDLE_MAX, &bundle);
	if (code == CLI_GOOD)
		code = cli_read_file(event_path, EVENT_LINE_MAX, &event);
	if (code == CLI_GOOD)
		code = proof_check(bundle_path, (lc_str) {bundle.data, bundle.len},
						   event_path, (lc_str) {event.data, event.len}, &t);
	trust_free(&t);
	if (bundle.alloc != NULL)
		lc_buf_free(&bundle);
	if (event.alloc != NULL)
		lc_buf_free(&event);
	return code;
}

const cli_command cmd_verify_proof = {
	"verify-proof", "BUNDLE", 1, 1,
	"check that an event is in the log, from its proof bundle",
	"Checks, with no server, that an event is in a signed tree: the signatures of the\n"
	"checkpoint in BUNDLE (C2SP tlog-proof), that it is of the event's chain, that the\n"
	"event is at its place, and that the proof leads from it to the signed root.  Given\n"
	"as a line of an export, the event's payload is checked against its hash as well.\n"
	"\n"
	"One valid signature by a given key of the log is needed; a wrong one by any given\n"
	"key refuses the whole.  Signatures of other keys are not looked at.\n",
	options,
	"ledgerctl verify-proof event.tlog-proof --event event.json --key log.pub\n"
	"ledgerctl verify-proof event.tlog-proof --event event.json --key log.pub \\\n"
	"    --witness w1.pub --witness w2.pub --witness w3.pub --quorum 2\n",
	run, false
};
