#!/usr/bin/env bash
# Breaks a copy of ledgerctl in one place at a time, and demands that a test of this
# folder notices.  A change that finds its place no more is a failure too.  Prints TAP.
#
# usage: test/ledgerctl/broken.sh [PATTERN]	only those whose name matches
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

pattern=${1:-.}
copy=$PWD/build/broken
log=$copy/log
survivors=0

rm -rf "$copy"
mkdir -p "$copy/test/differential" "$copy/test/audit" "$copy/extension"
cp -r gateway extension/core "$copy"
mv "$copy/core" "$copy/extension"
rm -rf "$copy/gateway/bin"
cp extension/findings_ledger.control "$copy/extension"
cp -r test/ledgerctl "$copy/test"
cp test/differential/tap.mjs "$copy/test/differential"
cp test/audit/hashes.mjs "$copy/test/audit"

export LEDGERCTL=$copy/build/ledgerctl/ledgerctl LEDGERCTL_BUILT=$PWD/gateway/bin/ledgerctl GO_TILES=$PWD/build/go/tiles

passes() {
	rm -rf "$copy/work"
	mkdir "$copy/work"
	if [ "$1" = mutations ]; then
		node "$copy/test/ledgerctl/fixture.mjs" "$copy/work"
		timeout 120 "$copy/build/ledgerctl/mutations" "$copy/work" >"$log" 2>&1
	else
		timeout 120 node "$copy/test/ledgerctl/$1.mjs" "$copy/work" >"$log" 2>&1
	fi
}

# broken FILE TEST NAME PERL-SUBSTITUTION
broken() {
	local file=$1 test=$2 name=$3 change=$4
	[[ $name =~ $pattern ]] || return 0
	perl -0pe "$change" "gateway/cli/$file" >"$copy/gateway/cli/$file"
	if cmp -s "gateway/cli/$file" "$copy/gateway/cli/$file"; then
		echo "not ok - $name: the change finds its place in $file"
		survivors=$((survivors + 1))
	elif ! make -s -C "$copy/test/ledgerctl" WARNINGS=-w >"$log" 2>&1; then
		echo "not ok - $name: the changed $file compiles"
		sed 's/^/# /' "$log"
		survivors=$((survivors + 1))
	elif passes "$test"; then
		echo "not ok - $name: no test of $test notices"
		survivors=$((survivors + 1))
	else
		echo "ok - $name: $test notices"
	fi
	cp "gateway/cli/$file" "$copy/gateway/cli/$file"
}

broken dispatch.c commands 'online commands run offline' 's/if \(offline && /if (false \&\& /'
broken dispatch.c commands 'the other program runs offline' 's/code == CLI_GOOD && command->online && cli_offline/false \&\& cli_offline/'
broken ledgerctl.c commands 'an online program is looked for beside only' 's/i < sizeof\(places\) \/ sizeof\(places\[0\]\)/i < 1/'
broken dispatch.c commands 'an answer that was not written is good' 's/fflush\(stdout\) != 0 \|\| ferror\(stdout\)/false/'
broken options.c proofs 'an option is given twice' 's/!option->many && /false \&\& /'
broken options.c proofs 'any quorum' 's/ \|\| value < min \|\| value > max//'
broken output.c proofs 'escape sequences pass' 's/c < 0x20 \|\| c == 0x7f \|\| /c == 0 || /'
broken output.c proofs 'C1 controls pass' 's/c == 0xc2 && \(unsigned char\) p\[1\] < 0xa0/false/'
broken progress.c tiles 'a bar in a log' 's/terminal = isatty\(STDERR_FILENO\) != 0/terminal = true/'
broken progress.c exports 'a line for what is done at once' 's/FIRST_LINE_MS 2000/FIRST_LINE_MS 0/'
broken progress.c exports 'no line at all' 's/if \(progress.drawn\)/if (false)/'
broken files.c commands 'a key is overwritten' 's/O_EXCL \| /O_TRUNC | /'
broken files.c proofs 'a file of any size' 's/\(size_t\) n > max - out->len/false/'
broken files.c checkpoints 'links are followed' 's/lstat\(/stat(/'
broken keys.c proofs 'a private key on the command line' 's/if \(is_private\(text\)\)/if (false)/'
broken keys.c proofs 'any type of key' 's/if \(key->type != type\)/if (false)/'
broken keys.c proofs 'one witness counts twice' 's/memcmp\(keys->keys\[i\]\.public_key, key->public_key, LC_ED25519_KEY_LEN\) == 0/false/'
broken cmd_keygen.c commands 'a key that all can read' 's/0600/0644/'
broken cmd_keygen.c commands 'a witness key is a log key' 's/cli_has\(args, "witness"\)/false/'
broken cmd_keygen.c commands 'the private key as JSON' 's/strcmp\(path, "-"\) == 0 && cli_wants_json\(\)/false/'
broken cmd_inspect.c commands 'a private key is shown' 's/report_key\("private key", &signer\.verifier\)/(cli_print("%.*s", CLI_SHOW(text)), report_key("private key", \&signer.verifier))/'

broken proof_check.c proofs 'any tenant' 's/c->name\.tenant\.n != e->tenant\.n \|\| memcmp\(c->name\.tenant\.s, e->tenant\.s, e->tenant\.n\) != 0/false/'
broken proof_check.c proofs 'any chain' 's/memcmp\(c->name\.chain_id, e->chain_id, LC_UUID_LEN\) != 0/false/'
broken proof_check.c proofs 'any index' 's/proof->index != \(uint64_t\) e->sequence - 1/false/'
broken proof_check.c mutations 'any root' 's/memcmp\(root, c->head\.root, LC_HASH_LEN\) == 0/true/'
broken proof_check.c proofs 'paths counted wrongly' 's/index != last \|\| \(index & 1\) != 0/true/'
broken trust.c proofs 'a wrong signature is passed over' 's/if \(status == LC_ERR_ABSENT\)/if (status != LC_OK)/'
broken trust.c proofs 'nobody need sign' 's/out->signed_by == 0/false/'
broken trust.c proofs 'no witness need sign' 's/out->cosigned_by < t->quorum/false/'
broken trust.c proofs 'one witness is enough' 's/out->quorum = out->witnesses\.count;/out->quorum = 1;/'
broken trust.c proofs 'any origin' 's/t->origin != NULL && \(strlen/t->origin == NULL \&\& (strlen/'
broken trust.c checkpoints 'a statement that nobody signed' 's/return good > 0 \? CLI_GOOD/return true ? CLI_GOOD/'
broken event.c proofs 'members that the recipe does not have' 's/again\.len != doc->envelope\.len \|\|\s+memcmp\(again\.data, doc->envelope\.data, again\.len\) != 0/false/'
broken event.c mutations 'payloads are not hashed' 's/memcmp\(hash, stated, LC_HASH_LEN\) != 0/false/'
broken event.c proofs 'stated hashes are believed' 's/memcmp\(computed, stated, LC_HASH_LEN\) != 0/false/'
broken event.c proofs 'half an erasure' 's/if \(!is_null\(lc_json_member\(line, "salt"\)\)[^)]*\)[^)]*\)/if (false)/'
broken event.c exports 'lines in any form' 's/canonical\.len != n \|\| memcmp\(canonical\.data, text, n\) != 0/false/'
broken envelope.c proofs 'any schema' 's/memcmp\(schema\.s, LC_EVENT_SCHEMA_V1, schema\.n\) != 0/false/'

broken export_check.c exports 'links are not looked at' 's/memcmp\(event->previous_hash, before, LC_HASH_LEN\) == 0/true/'
broken export_check.c exports 'gaps pass' 's/c->events == 0 \|\| sequence == c->last \+ 1/c->events == 0 || sequence > c->last/'
broken export_check.c exports 'repetition passes' 's/c->events == 0 \|\| sequence == c->last \+ 1/c->events == 0 || sequence <= c->last + 1/'
broken export_check.c exports 'roots are not compared' 's/t->agrees = memcmp\(root, t->checkpoint\.head\.root, LC_HASH_LEN\) == 0/t->agrees = true/'
broken export_check.c exports 'a short export agrees' 's/code = unreached\(e, t\)/code = CLI_GOOD/'
broken export_check.c exports 'every erasure is explained' 's/x->explained = false;/x->explained = true;/'
broken lines.c exports 'a last line without its end' 's/if \(r->at_end\)\n\t\t\treturn cli_error/if (r->at_end \&\& n == 1)\n\t\t\treturn cli_error/'
broken cmd_verify_export.c exports 'a faulty line is no fault' 's/s->faulty > 0 \? CLI_FAILED : next/next/'
broken cmd_verify_export.c exports 'nothing is good' 's/s->lines == 0/false/'
broken cmd_verify_export.c exports 'any data set' 's/if \(wanted == NULL \|\| /if (true || /'

broken anchor_file.c checkpoints 'a gap between anchors' 's/b->start != a->size \+ 1/false/'
broken anchor_file.c checkpoints 'a wrong root before' 's/memcmp\(b->previous_root, a->root, LC_HASH_LEN\) != 0/false/'
broken anchor_file.c checkpoints 'two roots for one size' 's/return memcmp\(a->root, b->root, LC_HASH_LEN\) == 0 \?/return true ?/'
broken anchor_file.c checkpoints 'statements of another anchor' 's/if \(differs != NULL\)/if (false)/'
broken cmd_verify_checkpoints.c checkpoints 'a faulty anchor is no fault' 's/code == CLI_GOOD && f\.faulty > 0/false/'
broken cmd_verify_checkpoints.c checkpoints 'an empty directory is good' 's/code == CLI_GOOD && f\.count == 0/false/'

broken cmd_verify_tiles.c tiles 'tiles above are not compared' 's/if \(memcmp\(stored\[i\], f->level\[level\]\[i\], LC_HASH_LEN\) == 0\)/if (true)/'
broken cmd_verify_tiles.c tiles 'partial tiles are not compared' 's/if \(f->filled\[level\] > 0\)/if (false)/'
broken cmd_verify_tiles.c tiles 'the root is not compared' 's/if \(memcmp\(root, head->root, LC_HASH_LEN\) == 0\)/if (true)/'
broken cmd_verify_tiles.c tiles 'entries are not hashed' 's/i < width && memcmp\(hash, leaves\[i\], LC_HASH_LEN\) != 0/false/'
broken cmd_verify_tiles.c tiles 'bytes after the entries' 's/return left == 0 \? CLI_GOOD/return true ? CLI_GOOD/'
broken tiles.c tiles 'tiles of another length' 's/file\.len != \(size_t\) stored \* LC_HASH_LEN/file.len < (size_t) width * LC_HASH_LEN/'
broken tiles.c tiles 'no full tile for a partial one' 's/tile_path\(full, level, n, TILE_WIDTH\)/tile_path(full, level, n, *width)/'

rm -rf "$copy"
[ "$survivors" -eq 0 ]
