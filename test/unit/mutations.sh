#!/usr/bin/env bash
# Breaks a copy of the core in one place at a time, and demands that a unit test
# notices.  A mutation that changes nothing any more is a failure too: it has
# lost its place in the source.  Prints TAP.
#
# usage: test/unit/mutations.sh [PATTERN]	only those whose name matches
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

pattern=${1:-.}
build=$PWD/build/mutations
copy=$build/source
log=$build/log
survivors=0

rm -rf "$build"
mkdir -p "$copy"
cp -p extension/core/*.[ch] "$copy"

build() {
	make -s -j2 -C test/unit CORE="$copy" BUILD="$build/tests" WARNINGS=-w "$@" >"$log" 2>&1
}

# The tests, that of the changed file first and the slow ones last.
in_order() {
	local module=${1#lc_} first
	module=${module%.*}
	case $module in
		jcs_*) module=jcs ;;
		jsonstring) module=jsonparse ;;
	esac
	first="test_$module(_.*)?"
	basename -a -s .c test/unit/test_*.c | grep -xE "$first" || true
	basename -a -s .c test/unit/test_*.c | grep -vxE "$first|test_cost|test_numgen"
	printf '%s\n' test_numgen test_cost
}

# Do all tests pass?  Each is linked when its turn comes: most mutations do not
# get past the first.  An endless loop has not passed.
tests_pass() {
	local test
	for test in $(in_order "$1"); do
		build "$build/tests/$test" || { cat "$log" >&2; exit 1; }
		env -u LEDGER_LONG timeout 120 test/unit/run.sh "$build/tests/$test" >"$log" 2>&1 || return 1
	done
}

# mutant FILE NAME PERL-SUBSTITUTION
mutant() {
	local file=$1 name=$2 change=$3
	[[ $name =~ $pattern ]] || return 0
	perl -0pe "$change" "extension/core/$file" >"$copy/$file"
	if cmp -s "extension/core/$file" "$copy/$file"; then
		echo "not ok - $name: the mutation finds its place in $file"
		survivors=$((survivors + 1))
	elif ! build core; then
		echo "not ok - $name: the mutated $file compiles"
		sed 's/^/# /' "$log"
		survivors=$((survivors + 1))
	elif tests_pass "$file"; then
		echo "not ok - $name: a test notices"
		survivors=$((survivors + 1))
	else
		echo "ok - $name: $(grep -m 1 '^not ok' "$log" | sed -E 's/^not ok ([0-9]+ )?- //' || echo stopped)"
	fi
	cp "extension/core/$file" "$copy/$file"
}

if build core && tests_pass lc_buf.c; then
	echo 'ok - the unchanged core passes'
else
	echo 'not ok - the unchanged core passes'
	exit 1
fi

mutant lc_buf.c 'no room for the NUL' 's/buf->len \+ n \+ 1;/buf->len + n;/'
mutant lc_buf.c 'length overflows' 's/n >= SIZE_MAX - buf->len/false/'
mutant lc_buf.c 'hex length overflows' 's/n > SIZE_MAX \/ 2\)/false)/'
mutant lc_buf.c 'a cut forgets lack of memory' 's/if \(buf->status != LC_ERR_MEMORY\)//'
mutant lc_buf.c 'lack of memory unnoticed' 's/data == NULL\)\n\t\{\n\t\tbuf->status = LC_ERR_MEMORY/data == NULL)\n\t{\n\t\tbuf->status = LC_OK/'

mutant lc_hex.c 'g is a digit' "s/c <= 'f'/c <= 'g'/"
mutant lc_hex.c 'length not checked' 's/len != 2 \* n/len < 2 * n/'
mutant lc_hex.c 'capital digits' 's/0123456789abcdef/0123456789ABCDEF/'
mutant lc_sha256.c 'another hash' 's/"SHA256"/"SHA512-256"/'
mutant lc_sha256.c 'only the first part' 's/i < count/i < count \&\& i < 1/'


mutant lc_base64.c 'stray bits before ==' 's/bits & 0xffff\) != 0/bits \& 0) != 0/'
mutant lc_base64.c 'stray bits before =' 's/bits & 0xff\) != 0/bits \& 0) != 0/'
mutant lc_base64.c 'padding in the middle' 's/bool\t\tlast = i \+ 4 == len/bool\t\tlast = true/'
mutant lc_base64.c 'missing padding' 's/len % 4 != 0/false/'
mutant lc_base64.c 'more than there is room for' 's/\*n == cap/*n == cap + 1/'
mutant lc_base64.c 'unknown digits' 's/if \(value < 0\)/if (value < -1)/'

mutant lc_utf8.c 'names in the order of bytes' 's/x\[i\] >= 0xEE && y/false \&\& y/'
mutant lc_utf8.c 'shorter names last' 's/\(an > bn\) - \(an < bn\)/(an < bn) - (an > bn)/'
mutant lc_utf8.c 'overlong two bytes' 's/lead >= 0xC2/lead >= 0xC0/'
mutant lc_utf8.c 'overlong three bytes' 's/low = 0xA0/low = 0x80/'
mutant lc_utf8.c 'overlong four bytes' 's/low = 0x90/low = 0x80/'
mutant lc_utf8.c 'surrogates' 's/high = 0x9F/high = 0xBF/'
mutant lc_utf8.c 'above U+10FFFF' 's/high = 0x8F/high = 0xBF/'
mutant lc_utf8.c 'a bit of the word not looked at' 's/0x8080808080808080/0x0080808080808080/'
mutant lc_utf8.c 'third byte not looked at' 's/i = 2; i < len/i = 3; i < len/'
mutant lc_utf8.c 'a cut sequence read over' 's/if \(n < len\)/if (false)/'

mutant lc_merkle.c 'a node hashed like a leaf' 's/NODE_PREFIX 0x01/NODE_PREFIX 0x00/'
mutant lc_merkle.c 'left and right swapped' 's/input \+ 1, left(.*?)LC_HASH_LEN, right/input + 1, right$1LC_HASH_LEN, left/s'
mutant lc_merkle.c 'only the left half of a node hashed' 's/lc_sha256\(input, sizeof\(input\)/lc_sha256(input, 33/'
mutant lc_merkle.c 'the root of no leaves' 's/lc_sha256\("", 0, out\)/lc_sha256("", 1, out)/'
mutant lc_merkle.c 'a power of two not split' 's/height_within\(n - 1\)/height_within(n)/'
mutant lc_merkle.c 'a frontier of 2^63 leaves' 's/size > LC_MERKLE_MAX_SIZE \|\| n != count/n != count/'
mutant lc_merkle.c 'a frontier of too few hashes' 's/n != count \* LC_HASH_LEN/n > count * LC_HASH_LEN/'
mutant lc_merkle.c 'a subtree where it does not fit' 's/if \(f->size % added != 0\)\n\t\treturn LC_ERR_MISUSE;//'
mutant lc_merkle.c 'more leaves than there can be' 's/if \(added > LC_MERKLE_MAX_SIZE - f->size\)\n\t\treturn LC_ERR_RANGE;//'
mutant lc_merkle.c 'a subtree beyond all sizes' 's/height >= LC_MERKLE_MAX_HEIGHT\)/height > 4294967295u)/'
mutant lc_merkle.c 'subtrees never joined' 's/\(f->size >> height & 1\) != 0/false/'
mutant lc_merkle.c 'joined the wrong way round' 's/lc_merkle_node\(f->hashes\[--count\], node, node\)/lc_merkle_node(node, f->hashes[--count], node)/'
mutant lc_merkle.c 'a refused append half done' 's/lc_merkle_node\(f->hashes\[--count\], node, node\)/lc_merkle_node(f->hashes[f->count = --count], node, node)/'
mutant lc_merkle.c 'the sink told of another place' 's/height \+ 1, f->size >> \(height \+ 1\)/height + 1, f->size >> height/'
mutant lc_merkle.c 'the sink told of another height' 's/sink->arg, height \+ 1,/sink->arg, height,/'
mutant lc_merkle.c 'a sink that fails unnoticed' 's/status = sink->node\(/(void) sink->node(/'
mutant lc_merkle.c 'the root without its largest subtree' 's/i = f->count - 1; i > 0; i--/i = f->count - 1; i > 1; i--/'
mutant lc_merkle.c 'the root the wrong way round' 's/lc_merkle_node\(f->hashes\[i - 1\], root, root\)/lc_merkle_node(root, f->hashes[i - 1], root)/'
mutant lc_merkle.c 'a range taken for a node of the tree' 's/ && start % size == 0//'
mutant lc_merkle.c 'every node read from its leaves' 's/if \(size == UINT64_C\(1\) << height/if (size == 1 \&\& size == UINT64_C(1) << height/'
mutant lc_merkle.c 'a range that ends before it starts' 's/start > end \|\| end > LC_MERKLE/end > LC_MERKLE/'
mutant lc_merkle.c 'a range beyond all sizes' 's/start > end \|\| end > LC_MERKLE_MAX_SIZE/start > end/'
mutant lc_merkle.c 'the root of an empty range' 's/if \(start == end\)\n\t\treturn lc_merkle_empty_root\(out\);/if (start == end)\n\t\treturn LC_OK;/'
mutant lc_merkle.c 'a proof from the root down' 's/i < proof->count \/ 2/i < 0/'
mutant lc_merkle.c 'a failed proof keeps its hashes' 's/proof->count = 0;\n\t\treturn status;/return status;/'
mutant lc_merkle.c 'the wrong half' 's/if \(leaf < middle\)/if (leaf <= middle)/'
mutant lc_merkle.c 'a proof of a leaf behind the last' 's/index >= size \|\| size > LC_MERKLE_MAX_SIZE\)\n\t\treturn LC_ERR_RANGE/index > size || size > LC_MERKLE_MAX_SIZE)\n\t\treturn LC_ERR_RANGE/'
mutant lc_merkle.c 'a proof that a tree shrank' 's/size1 > size2 \|\| size2 > LC_MERKLE_MAX_SIZE\)\n\t\treturn LC_ERR_RANGE/size2 > LC_MERKLE_MAX_SIZE)\n\t\treturn LC_ERR_RANGE/'
mutant lc_merkle.c 'a proof of growth repeats the old root' 's/status == LC_OK && start > 0\)/status == LC_OK)/'
mutant lc_merkle.c 'a proof of growth without its first hash' 's/status == LC_OK && start > 0\)/false)/'
mutant lc_merkle.c 'a proof from the empty tree' 's/if \(size1 == 0\)\n\t\treturn LC_OK;//'
mutant lc_merkle.c 'any place accepted' 's/index >= size \|\| size > LC_MERKLE_MAX_SIZE\)\n\t\treturn LC_ERR_PROOF/size > LC_MERKLE_MAX_SIZE)\n\t\treturn LC_ERR_PROOF/'
mutant lc_merkle.c 'sizes over 2^63 accepted' 's/index >= size \|\| size > LC_MERKLE_MAX_SIZE\)\n\t\treturn LC_ERR_PROOF/index >= size)\n\t\treturn LC_ERR_PROOF/'
mutant lc_merkle.c 'hashes read behind the last' 's/if \(sn == 0\)\n\t\t\treturn LC_ERR_PROOF;\n//g'
mutant lc_merkle.c 'a path that ends early' 's/if \(sn != 0\)\n\t\treturn LC_ERR_PROOF;//'
mutant lc_merkle.c 'the last node without a sibling' 's/\(fn & 1\) != 0 \|\| fn == sn/(fn \& 1) != 0/g'
mutant lc_merkle.c 'rows without a sibling not skipped' 's/while \(\(\*fn & 1\) == 0 && \*fn != 0\)/while (false)/'
mutant lc_merkle.c 'the root not compared' 's/status == LC_OK && memcmp\(computed, root, LC_HASH_LEN\) != 0/false/'
mutant lc_merkle.c 'half of the root compared' 's/memcmp\(computed, root, LC_HASH_LEN\)/memcmp(computed, root, LC_HASH_LEN \/ 2)/'
mutant lc_merkle.c 'the old root not compared' 's/memcmp\(fr, root1, LC_HASH_LEN\) == 0 && //'
mutant lc_merkle.c 'the new root not compared' 's/ && memcmp\(sr, root2, LC_HASH_LEN\) == 0 \?/ ?/'
mutant lc_merkle.c 'growth that ends early' 's/return sn == 0 && memcmp\(fr/return memcmp(fr/'
mutant lc_merkle.c 'growth to more than 2^63 leaves' 's/size1 > size2 \|\| size2 > LC_MERKLE_MAX_SIZE\)\n\t\treturn LC_ERR_PROOF/size1 > size2)\n\t\treturn LC_ERR_PROOF/'
mutant lc_merkle.c 'growth from the empty tree' 's/size1 == 0 \|\| size1 > size2/size1 > size2/'
mutant lc_merkle.c 'equal sizes with a proof' 's/return count == 0 && memcmp\(root1/return memcmp(root1/'
mutant lc_merkle.c 'equal sizes with other roots' 's/count == 0 && memcmp\(root1, root2, LC_HASH_LEN\) == 0 \?/count == 0 ?/'
mutant lc_merkle.c 'a failure of SHA-256 taken for a verdict' 's/if \(status != LC_OK\)\n\t\t\treturn status;\n\t\tfn >>= 1/if (status != LC_OK)\n\t\t\treturn LC_ERR_PROOF;\n\t\tfn >>= 1/'

mutant lc_uuid.c 'chain id of version 7' 's/set_version\(digest, 8\)/set_version(digest, 7)/'
mutant lc_uuid.c 'another variant' 's/\| 0x80\)/| 0xC0)/'
mutant lc_uuid.c 'another separator' 's/"::"/":;"/'
mutant lc_uuid.c 'fraction of the millisecond' 's/\* 4096 \/ 1000/* 4095 \/ 1000/'
mutant lc_uuid.c 'dashes not looked at' "s/text\[i\] != '-'/false/"

mutant lc_number.c 'exponent form from 10^20 on' 's/n <= 21\)\n\t\{\n\t\tlc_buf_append\(out, d->digits, \(size_t\) k\)/n <= 20)\n\t{\n\t\tlc_buf_append(out, d->digits, (size_t) k)/'
mutant lc_number.c 'seven zeros behind the point' 's/n > -6/n > -7/'
mutant lc_number.c 'seventeen digits taken as they are' 's/SAFE_DIGITS 15/SAFE_DIGITS 17/'
mutant lc_number.c 'the next decimal up forgotten' 's/step_up\(d\);//'
mutant lc_number.c 'digits beyond the seventeenth ignored' 's/if \(d->too_long\)/if (false)/'
mutant lc_number.c 'exponents overflow' 's/value < EXPONENT_LIMIT \/ 10 - 10/true/'
mutant lc_number.c 'no plus in the exponent' "s/if \(n > 0\)\n\t\t\tlc_buf_putc\(out, '\+'\);//"
mutant lc_number.c 'zeros before a number' "s/\(\*first == '0' && p - first > 1\)/false/"
mutant lc_number.c 'a point without digits' 's/if \(p == first\)\n\t\t\treturn false;//'
mutant lc_number.c 'infinity is a number' 's/isnan\(value\) \|\| isinf\(value\)/isnan(value)/'
mutant lc_number.c 'a subnormal has fifteen digits' 's/\(value < 0x1p-1022\) \? 1/(value < 0) ? 1/'
mutant lc_number.c 'zeros at the end kept' "s/d->digits\[d->count - 1\] == '0'/false/"
mutant lc_number.c 'bytes behind a number' 's/if \(p != end\)\n\t\treturn false;//'
mutant lc_number.c 'a refused number stays' 's/lc_buf_truncate\(out, mark\)/(void) mark/'

mutant lc_jcs_text.c 'a space escaped' 's/c >= 0x20/c > 0x20/'
mutant lc_jcs_text.c 'form feed' "s/escape\[1\] = 'f'/escape[1] = 'v'/"
mutant lc_jcs_text.c 'capital hex in escapes' 's/0123456789abcdef/0123456789ABCDEF/'
mutant lc_jcs_text.c 'a quote unescaped' "s/ && c != '\"'//"
mutant lc_jcs_text.c 'DEL escaped' 's/c >= 0x20/c >= 0x20 \&\& c != 0x7f/'
mutant lc_jcs_text.c 'bad UTF-8 passed on' 's/!lc_utf8_valid\(s, n, NULL\)/false/'

mutant lc_jcs.c 'two equal names in a row' 's/\(m - 1, m\) >= 0/(m - 1, m) > 0/'
mutant lc_jcs.c 'disorder unnoticed' 's/f->unsorted = true/f->unsorted = false/'
mutant lc_jcs.c 'one level more' 's/nframes == LC_JCS_MAX_DEPTH/nframes == LC_JCS_MAX_DEPTH + 1/'
mutant lc_jcs.c 'a failed text stays' 's/lc_buf_truncate\(w->out, w->start\)/(void) w/'
mutant lc_jcs.c 'a failure is forgotten' 's/w->status = status;/w->status = LC_OK;/'
mutant lc_jcs.c 'two values' 's/w->done \? lc_jcs_fail\(w, LC_ERR_MISUSE\) : LC_OK/LC_OK/'
mutant lc_jcs.c 'a value without a name' 's/f->in_member \? LC_OK : lc_jcs_fail\(w, LC_ERR_MISUSE\)/LC_OK/'
mutant lc_jcs.c 'half a document' 's/w->status == LC_OK && !w->done/false/'
mutant lc_jcs.c 'commas in arrays' 's/f->count > 0/f->count > 1/'
mutant lc_jcs.c 'grown arrays lose what they held' 's/if \(items == inline_items\)\n\t\tmemcpy/if (false)\n\t\tmemcpy/'
mutant lc_jcs.c 'the wrong bracket ends' 's/f->is_object != is_object \|\| //'

mutant lc_jcs_order.c 'small objects in reverse' 's/&moving\) > 0/\&moving) < 0/'
mutant lc_jcs_order.c 'large objects half sorted' 's/qsort\(m, n,/qsort(m, n \/ 2,/'
mutant lc_jcs_order.c 'duplicates pass' 's/== 0\)\n\t\t\{/== 7)\n\t\t{/'
mutant lc_jcs_order.c 'an object taken for its first member' 's/body\.start <= offset/body.start < offset/'
mutant lc_jcs_order.c 'too few levels' 's/LC_JCS_MAX_DEPTH\) \+ 1/LC_JCS_MAX_DEPTH) - 1/'
mutant lc_jcs_order.c 'notes in the order of their ends' 's/if \(w->nnotes > 1\)\n\t\tqsort[^;]*;//'
mutant lc_jcs_order.c 'the last member lost' 's/l->last = n->first \+ n->count/l->last = n->first + n->count - 1/'

mutant lc_jsonparse.c 'duplicates pass' 's/if \(f->unsorted\)/if (false)/'
mutant lc_jsonparse.c 'two equal names in a row' 's/\(to - 1, to\) >= 0/(to - 1, to) > 0/'
mutant lc_jsonparse.c 'the last duplicate is named' 's/offset < found->offset/offset > found->offset/'
mutant lc_jsonparse.c 'one level more' 's/p->nframes >= p->max_depth/p->nframes > p->max_depth/'
mutant lc_jsonparse.c 'trailing bytes' 's/c < 0 \? LC_OK : lc_json_fail\(p, p->pos, LC_ERR_TRAILING\)/LC_OK/'
mutant lc_jsonparse.c 'form feed is white space' "s/c != ' ' &&/c != ' ' \&\& c != '\\\\f' \&\&/"
mutant lc_jsonparse.c 'a comma at the end of an array' 's/WANT_KEY : WANT_VALUE/WANT_KEY : WANT_ELEMENT_OR_END/'
mutant lc_jsonparse.c 'a comma at the end of an object' 's/\? WANT_KEY : WANT_VALUE/? WANT_KEY_OR_END : WANT_VALUE/'
mutant lc_jsonparse.c 'the wrong bracket ends' "s/c == \(f->is_object \? '\}' : '\]'\)/c == '}' || c == ']'/"
mutant lc_jsonparse.c 'zeros before a number' "s/if \(peek\(p\) == '0'\)\n\t\tp->pos\+\+;[^\n]*\n\telse/if (false)\n\t\t;\n\telse/"
mutant lc_jsonparse.c 'an exponent without digits' 's/p->pos\+\+;\n\t\tstatus = skip_digits\(p\);\n\t\}\n\tif \(status != LC_OK\)/p->pos++;\n\t\tif (is_digit(peek(p))) status = skip_digits(p);\n\t}\n\tif (status != LC_OK)/'
mutant lc_jsonparse.c 'the place of a number' 's/p->fault = start;\n\treturn EMIT\(p, number/return EMIT(p, number/'
mutant lc_jsonparse.c 'lines counted from zero' 's/err->line = 1/err->line = 0/'
mutant lc_jsonparse.c 'a path cut inside a character' 's/\(unsigned char\) path\.data\[n\] & 0xC0\) == 0x80/false)/'
mutant lc_jsonparse.c 'a literal read over the end' 's/p->n - start < n \|\| //'
mutant lc_jsonparse.c 'strings not freed' 's/p->alloc->release\(p->alloc->ctx, p->arena\);//'

mutant lc_jsonstring.c 'U+0000 escaped' 's/if \(unit == 0\)/if (false)/'
mutant lc_jsonstring.c 'U+0000 itself' "s/if \(p->text\[i\] == '.0'\)/if (false)/"
mutant lc_jsonstring.c 'a low surrogate alone' 's/unit >= 0xDC00 && unit <= 0xDFFF/false/'
mutant lc_jsonstring.c 'a high surrogate alone' 's/low < 0xDC00 \|\| low > 0xDFFF/false/'
mutant lc_jsonstring.c 'pairs below U+10000' 's/c = 0x10000 \+/c =/'
mutant lc_jsonstring.c 'control characters' 's/p->text\[i\] < 0x20\)\n\t\treturn/p->text[i] < 0x00)\n\t\treturn/'
mutant lc_jsonstring.c 'bad UTF-8' 's/\(seen & 0x80\) != 0/false/'
mutant lc_jsonstring.c 'an escape read over the end' 's/p->n - offset < 4/false/'
mutant lc_jsonstring.c 'a backslash at the end' 's/p->n - p->pos < 2\)\n\t\t\treturn/false)\n\t\t\treturn/'
mutant lc_jsonstring.c 'too little room for a decoded string' 's/find_closing_quote\(p, p->pos\) - start\)/find_closing_quote(p, p->pos) - start - 4000)/'
mutant lc_jsonstring.c 'room for decoded strings used twice' 's/c->used \+= n;//'
mutant lc_jsonstring.c 'unknown escapes' 's/if \(found == NULL\)/if (false)/'

mutant lc_canonicalize.c 'a failed text stays' 's/lc_buf_truncate\(out, mark\)/(void) mark/'
mutant lc_canonicalize.c 'a failed buffer is made good' 's/ && out->len > mark\)/)/'

mutant lc_envelope.h 'another domain for payloads' 's/LC_DOMAIN_PAYLOAD 0x02/LC_DOMAIN_PAYLOAD 0x04/'
mutant lc_envelope.h 'another domain for evaluations' 's/LC_DOMAIN_EVALUATION 0x03/LC_DOMAIN_EVALUATION 0x04/'
mutant lc_envelope.h 'a salt of fifteen bytes' 's/LC_SALT_MIN 16/LC_SALT_MIN 15/'
mutant lc_envelope.h 'a salt of 65 bytes' 's/LC_SALT_MAX 64/LC_SALT_MAX 65/'
mutant lc_envelope.h 'an envelope of 65,536 bytes' 's/LC_ENVELOPE_MAX 65535/LC_ENVELOPE_MAX 65536/'
mutant lc_envelope.h 'another schema' 's/ledger\.event\.v1/ledger.event.v2/'
mutant lc_envelope.c 'domain not hashed' 's/head\[0\] = domain/head[0] = 0x02/'
mutant lc_envelope.c 'length of the salt not hashed' 's/head\[1\] = \(uint8_t\) salt_len/head[1] = 0/'
mutant lc_envelope.c 'salt not hashed' 's/parts\[1\]\.n = salt_len/parts[1].n = 0/'
mutant lc_envelope.c 'leaf hash of an inner node' 's/leaf_prefix = 0x00/leaf_prefix = 0x01/'
mutant lc_envelope.c 'sequence 0' 's/e->sequence < 1/e->sequence < 0/'
mutant lc_envelope.c 'an unsafe integer' 's/9007199254740991\)/9007199254740992)/'
mutant lc_envelope.c 'vulnId left out' 's/\tput_optional_text\(&w, "vulnId", e->vuln_id\);//'
mutant lc_envelope.c 'recordedBy left out' 's/\tput_text\(&w, "recordedBy", e->recorded_by\);//'
mutant lc_envelope.c 'times swapped' 's/e->occurred_us\);/e->recorded_us);/'
mutant lc_envelope.c 'members out of order' 's/(\tput_text\(&w, "tenant"[^\n]*\n)(\tput_text\(&w, "type"[^\n]*\n)/$2$1/'
mutant lc_envelope.c 'a required member absent' 's/refuse\(w, LC_ERR_MISUSE\);\n\t\treturn;\n\t\}\n\tput_name\(w, name\);\n\tlc_jcs_put_string/return;\n\t}\n\tput_name(w, name);\n\tlc_jcs_put_string/'
mutant lc_envelope.c 'a refused envelope stays' 's/lc_buf_truncate\(w->out, w->mark\)/(void) w/'
mutant lc_envelope.c 'the year 0' 's/62135596800\)/62135596801)/'
mutant lc_envelope.c 'the year 10000' 's/253402300800\)/253402300801)/'
mutant lc_envelope.c 'fractions before 1970' 's/seconds--;//'
mutant lc_envelope.c 'leap centuries' 's/ \|\| year % 400 == 0//'
mutant lc_envelope.c 'centuries are leap years' 's/ - of_era \/ 146096//'
mutant lc_envelope.c 'a leap second' 's/second > 59/second > 60/'
mutant lc_envelope.c 'lower-case t' "s/text\[i\] != shape\[i\]/(text[i] | 32) != (shape[i] | 32)/"
mutant lc_envelope.c 'severity as text' 's/put_optional_number\(&w, "severity"/put_optional_text(\&w, "severity"/'
mutant lc_envelope.c 'labels of any type' "s/value\.s\[0\] != brackets\[0\] \|\| //"
mutant lc_envelope.c 'air gap without a bundle' 's/p->airgap_bundle_id\.s != NULL \|\| p->has_airgap/p->airgap_bundle_id.s != NULL \&\& p->has_airgap/'
mutant lc_envelope.c 'riskEventSequence left out' 's/if \(p->has_risk_event_sequence\)/if (false)/'


mutant lc_base64.c 'padding at the end of a piece' 's/ && got < PIECE_BYTES\)/ \&\& false)/'
mutant lc_base64.c 'two alphabets at once' "s/if \(url && has_either/if (false \&\& has_either/"
mutant lc_base64.c 'the other alphabet turned round' "s/c == '-' \? '\+' : '\/'/c == '-' ? '\/' : '+'/"
mutant lc_base64.c 'half a text stays' 's/lc_buf_truncate\(out, mark\)/(void) mark/'
mutant lc_base64.c 'no padding written' "s/\{'=', '=', '=', '='\}/{'A', 'A', 'A', 'A'}/"
mutant lc_base64.c 'the second byte not written' 's/if \(have > 1\)/if (have > 2)/'

mutant lc_text.c 'a line without newline' 's/if \(end == NULL\)\n\t\treturn false;/if (end == NULL)\n\t\tend = rest->s + rest->n - (rest->n > 0);/'
mutant lc_text.c 'a leading zero' "s/ \|\| \(text\.n > 1 && text\.s\[0\] == '0'\)//"
mutant lc_text.c 'no digits at all' 's/text\.n == 0 \|\| //'
mutant lc_text.c 'two to the 63rd' 's/digit > 7/digit > 8/'
mutant lc_text.c 'numbers overflow' 's/ \|\| sum > \(uint64_t\) INT64_MAX \/ 10 \|\|/ ||/'
mutant lc_text.c 'control characters' 's/< 0x20/< 0x1f/'
mutant lc_text.c 'bad UTF-8 in a note' 's/!lc_utf8_valid\(text, n, NULL\)/false/'

mutant lc_ed25519.c 'every signature holds' 's/== 1\n\t\t\t\? LC_OK : LC_ERR_SIGNATURE/>= 0\n\t\t\t? LC_OK : LC_ERR_SIGNATURE/'
mutant lc_ed25519.c 'a key handle leaks' 's/\tEVP_PKEY_free\(key\);\n\tif \(status == LC_ERR_CRYPTO/\tif (status == LC_ERR_CRYPTO/'
mutant lc_ed25519.c "the host's errors are cleared" 's/ERR_pop_to_mark\(\)/ERR_clear_error()/'
mutant lc_ed25519.c 'seeds that are no secret' 's/RAND_priv_bytes\(seed, LC_ED25519_KEY_LEN\) == 1/seed != NULL/'
mutant lc_ed25519.c 'the point of order 1' 's/\{0x01\},/{0x03},/'
mutant lc_ed25519.c 'the point of order 2' 's/\{0xec, 0xff/{0xeb, 0xff/'
mutant lc_ed25519.c 'points of order 4' 's/\{0x00\},/{0x03},/'
mutant lc_ed25519.c 'points of order 8' 's/\{0x26, 0xe8/{0x27, 0xe8/'
mutant lc_ed25519.c 'their negatives' 's/\{0xc7, 0x17/{0xc8, 0x17/'
mutant lc_ed25519.c 'the sign bit counts' 's/y\[31\] &= 0x7f;//'
mutant lc_ed25519.c 'y may be p' 's/y\[0\] < 0xed/y[0] <= 0xed/'
mutant lc_ed25519.c 'canonical keys refused' 's/i = 30; i > 0/i = 30; i > 1/'
mutant lc_ed25519.c 'encodings not looked at' 's/!is_canonical\(y\)/false/'

mutant lc_notekey.c 'a space of Unicode' 's/s\[1\] == 0x85 \|\| //'
mutant lc_notekey.c 'an ideographic space' 's/s\[0\] == 0xE3 && s\[1\] == 0x80 && s\[2\] == 0x80/false/'
mutant lc_notekey.c 'one space too many' 's/s\[2\] <= 0x8A/s[2] <= 0x8B/'
mutant lc_notekey.c 'a plus in a name' "s/s\[i\] == '\+' \|\| //"
mutant lc_notekey.c 'a longer name' 's/n <= LC_KEY_NAME_MAX &&/n <= LC_KEY_NAME_MAX + 1 \&\&/'
mutant lc_notekey.c 'no newline in a key id' 's/\{"\\n", 1\}/{"\\n", 0}/'
mutant lc_notekey.c 'type not in a key id' 's/\{&v->type, 1\}/{\&v->type, 0}/'
mutant lc_notekey.c 'any type' 's/type != LC_KEY_ED25519 && type != LC_KEY_COSIGNATURE/false/'
mutant lc_notekey.c 'weak keys' 's/status = lc_ed25519_check_public\(public_key\)/status = LC_OK/'
mutant lc_notekey.c 'id of a public key not compared' 's/memcmp\(v\.id, id, LC_KEY_ID_LEN\) != 0/false/'
mutant lc_notekey.c 'id of a private key not compared' 's/memcmp\(signer\.verifier\.id, id, LC_KEY_ID_LEN\) != 0/false/'
mutant lc_notekey.c 'text behind a key' 's/n - name->n != 1/n - name->n < 1/'
mutant lc_notekey.c 'a separator not looked at' "s/ \|\| plus\[1 \+ ID_TEXT\] != '\+'//"
mutant lc_notekey.c 'a seed left in memory' 's/OPENSSL_cleanse\(s, sizeof\(\*s\)\)/(void) s/'

mutant lc_note.c 'one signature more' 's/out->count == LC_NOTE_MAX_SIGNATURES/out->count == LC_NOTE_MAX_SIGNATURES + 1/'
mutant lc_note.c 'a note of any length' 's/if \(n > LC_NOTE_MAX_LEN\)/if (false)/g'
mutant lc_note.c 'the first empty line separates' 's/for \(size_t i = n; i >= 2; i--\)/for (size_t i = 2; i <= n; i++)/'
mutant lc_note.c 'a note without signatures' 's/separator >= n - 1/separator >= n/'
mutant lc_note.c 'control characters in a note' 's/status = lc_text_printable\(note, n\)/status = LC_OK/'
mutant lc_note.c 'names not looked at' 's/!lc_note_name_valid\(s\.name\.s, s\.name\.n\) \|\| //'
mutant lc_note.c 'a key id alone' 's/n <= LC_KEY_ID_LEN/n < LC_KEY_ID_LEN/'
mutant lc_note.c 'two lines as one' 's/ \|\| rest\.n > 0 \|\|/ ||/'
mutant lc_note.c 'a key known by its name' 's/ &&\n\t\tmemcmp\(s->id, key->id, LC_KEY_ID_LEN\) == 0//'
mutant lc_note.c 'a key known by its id' 's/memcmp\(s->name\.s, key->name, s->name\.n\) == 0/true/'
mutant lc_note.c 'the last line decides' 's/if \(status != LC_OK\)\n\t\t\tbreak;//'
mutant lc_note.c 'the first line decides' 's/if \(status != LC_OK\)\n\t\t\tbreak;/break;/'
mutant lc_note.c 'a cosignature of any text' 's/ \|\| !is_checkpoint\(text\)//g'
mutant lc_note.c 'a cosignature of any length' 's/n != COSIGNATURE_LEN \|\| //'
mutant lc_note.c 'a time of 2^63' 's/if \(at > \(uint64_t\) INT64_MAX\)/if (false)/'
mutant lc_note.c 'the time not signed' 's/lc_buf_put_int64\(out, \(int64_t\) time\)/lc_buf_put_int64(out, 0)/'
mutant lc_note.c 'the oldest time' 's/at > \*time/*time == 0/'
mutant lc_note.c 'a text without newline signed' "s/text\.n == 0 \|\| text\.s\[text\.n - 1\] != '.n'/text.n == 0/"
mutant lc_note.c 'control characters signed' 's/status = lc_text_printable\(text\.s, text\.n\)/status = LC_OK/'
mutant lc_note.c 'a time of 2^63 signed' 's/time > \(uint64_t\) INT64_MAX \? LC_ERR_RANGE : LC_OK/LC_OK/'

mutant lc_checkpoint.c 'an empty origin' 's/ \|\| c\.origin\.n == 0//'
mutant lc_checkpoint.c 'a short root' 's/ && n == LC_HASH_LEN//'
mutant lc_checkpoint.c 'an empty extension line' 's/ \|\| line\.n == 0//'
mutant lc_checkpoint.c 'extensions lost' 's/c\.extensions\.s = rest\.n > 0 \? rest\.s : NULL/c.extensions.s = NULL/'
mutant lc_checkpoint.c 'an origin of two lines' 's/ \|\| lc_text_line\(&rest, &line\)\)/)/'
mutant lc_checkpoint.c 'a negative size written' 's/size > \(uint64_t\) INT64_MAX \? LC_ERR_RANGE : check_origin\(origin\)/check_origin(origin)/'
mutant lc_checkpoint.c 'control characters in a checkpoint' 's/status = lc_text_printable\(text, n\)/status = LC_OK/'

mutant lc_tlogproof.c 'another version' 's/ \|\| line\.n > 0\)/)/'
mutant lc_tlogproof.c 'empty extra data' 's/extra->n == 0 \|\|/false ||/'
mutant lc_tlogproof.c 'extra data that is no base64' 's/lc_base64_check\(extra->s, extra->n, &n\) != LC_OK/(n = 0) != 0/'
mutant lc_tlogproof.c 'extra data of any length' 's/extra->n > LC_NOTE_MAX_LEN/false/'
mutant lc_tlogproof.c 'a hash more' 's/proof->count == LC_MERKLE_MAX_HEIGHT/proof->count == LC_MERKLE_MAX_HEIGHT + 1/'
mutant lc_tlogproof.c 'a short hash' 's/ \|\|\n\t\t\tn != LC_HASH_LEN//'
mutant lc_tlogproof.c 'no checkpoint' 's/rest\.n > 0 \? LC_OK : LC_ERR_SYNTAX/LC_OK/'
mutant lc_tlogproof.c 'a checkpoint of any length' 's/if \(rest\.n > LC_NOTE_MAX_LEN\)/if (false)/'

mutant lc_jsontree.c 'escaped strings borrowed' 's/b->token\.n == n \+ 2/true/'
mutant lc_jsontree.c 'a source without its bracket' 's/b->token\.s \+ 1 - json/b->token.s - json/'
mutant lc_jsontree.c 'only the last child' 's/if \(parent->last == NULL\)/if (true)/'
mutant lc_jsontree.c 'chunks used twice' 's/c->used \+= n;//'
mutant lc_jsontree.c 'chunks too small' 's/size_t\t\tsize = n > CHUNK_BYTES \? n : CHUNK_BYTES/size_t\t\tsize = CHUNK_BYTES/'
mutant lc_jsontree.c 'a failed tree leaks' 's/\telse\n\t\tlc_jsontree_free\(b\.tree\);//'
mutant lc_jsontree.c 'names by their beginning' 's/m->key\.n == n && memcmp/m->key.n >= n \&\& memcmp/'
mutant lc_jsontree.c 'an unsafe integer' 's/value > LC_JSON_MAX_INTEGER/false/'
mutant lc_jsontree.c 'a number in quotes' 's/member->type != LC_JSON_NUMBER \|\| //'
mutant lc_jsonparse.c 'a token without its end' 's/p->pos > p->fault \? p->pos - p->fault : 1/1/'

mutant lc_dsse.c 'another PAE' 's/"DSSEv1"/"DSSEv2"/'
mutant lc_dsse.c 'the length not signed' 's/\(int64_t\) text\.n/(int64_t) 0/'
mutant lc_dsse.c 'a signature more' 's/list->count > LC_DSSE_MAX_SIGNATURES/list->count > LC_DSSE_MAX_SIGNATURES + 1/'
mutant lc_dsse.c 'a keyid of any type' 's/ \|\| \(keyid != NULL && s->keyid\.s == NULL\)//'
mutant lc_dsse.c 'no signature in a signature' 's/s->base64\.s == NULL \|\| //'
mutant lc_dsse.c 'a payload of any length' 's/d->payload\.len > LC_DSSE_MAX_PAYLOAD/false/'
mutant lc_dsse.c 'strings that were freed' 's/s->base64\.s = at;//'
mutant lc_dsse.c 'another key is tried' 's/return s->keyid\.n == keyid\.n && .*$/return true;/m'
mutant lc_dsse.c 'only named keys are tried' 's/if \(s->keyid\.n == 0\)\n\t\treturn true;/if (s->keyid.n == 0)\n\t\treturn false;/'
mutant lc_dsse.c 'the first signature decides' 's/if \(status != LC_ERR_SIGNATURE\)\n\t\t\treturn status;/return status;/'
mutant lc_dsse.c 'a witness opens envelopes' 's/if \(key->type != LC_KEY_ED25519\)/if (false)/'
mutant lc_dsse.c 'a witness signs envelopes' 's/if \(key->verifier\.type != LC_KEY_ED25519\)/if (false)/'
mutant lc_dsse.c 'half an envelope stays' 's/lc_buf_truncate\(out, mark\)/(void) mark/'
mutant lc_dsse.c 'a refused envelope leaks' 's/\tif \(status != LC_OK\)\n\t\tlc_dsse_free\(out\);\n\treturn status;/\treturn status;/'

mutant lc_statement.c 'a member more in an anchor' 's/ \|\|\n\t\tstatement->count != ANCHOR_MEMBERS \+ [^;]*\n\t\treturn/)\n\t\treturn/'
mutant lc_statement.c 'a member more in a mark' 's/ \|\| statement->count != MARK_MEMBERS//'
mutant lc_statement.c 'another schema of anchors' 's/!equals\(a\.schema_version, LC_EVENT_SCHEMA_V1\) \|\|/false ||/'
mutant lc_statement.c 'another schema of marks' 's/!equals\(lc_json_string\(statement, "schemaVersion"\), LC_MARK_SCHEMA_V1\) \|\|/false ||/'
mutant lc_statement.c 'sequenceEnd beside treeSize' 's/a->sequence_end == a->tree_size &&/true \&\&/'
mutant lc_statement.c 'leafCount not compared' 's/a->leaf_count == a->sequence_end - a->sequence_start \+ 1 &&/true \&\&/'
mutant lc_statement.c 'no root before' 's/a->has_previous_root == \(a->sequence_start > 1\)/true/'
mutant lc_statement.c 'an anchor of no events' 's/a->sequence_start <= a->sequence_end &&/true \&\&/'
mutant lc_statement.c 'times swapped in an anchor' 's/"windowStart", &a\.window_start/"windowStart", \&a.window_end/'
mutant lc_statement.c 'any mode' 's/\(equals\(m->mode, "full"\) \|\| equals\(m->mode, "incremental"\)\)/true/'
mutant lc_statement.c 'a mark of nothing' 's/ &&\n\t\tm->tree_size >= 1//'
mutant lc_statement.c 'a longer tenant' 's/TENANT_MAX 128/TENANT_MAX 129/'
mutant lc_statement.c 'a longer origin' 's/ORIGIN_MAX 201/ORIGIN_MAX 202/'
mutant lc_statement.c 'a mark that JSON may round' 's/ \|\| m->tree_size > LC_JSON_MAX_INTEGER//'

rm -rf "$build"
[ "$survivors" -eq 0 ]
