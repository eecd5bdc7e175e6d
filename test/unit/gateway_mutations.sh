#!/usr/bin/env bash
# As mutations.sh does to the core: breaks a copy of the gateway's own parsers and
# judges in one place at a time, and demands that the unit test named notices.
# A mutation that changes nothing any more is a failure too.  Prints TAP.
#
# usage: test/unit/gateway_mutations.sh [PATTERN]	only those whose name matches
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

pattern=${1:-.}
build=$PWD/build/gateway-mutations
copy=$build/source
log=$build/log
survivors=0

rm -rf "$build"
mkdir -p "$copy/shared" "$copy/src"
cp -p gateway/shared/*.[ch] "$copy/shared"
cp -p gateway/src/*.[ch] "$copy/src"

# Does that test pass?  An endless loop has not.
passes() {
	make -s -C test/unit GATEWAY="$copy" BUILD="$build/tests" WARNINGS=-w "$build/tests/test_$1" >"$log" 2>&1 ||
		{ echo "not ok - test_$1 is built"; sed 's/^/# /' "$log"; exit 1; }
	timeout 120 test/unit/run.sh "$build/tests/test_$1" >"$log" 2>&1
}

# mutant FILE TEST NAME PERL-SUBSTITUTION
mutant() {
	local file=src/$1 test=$2 name=$3 change=$4
	[[ $name =~ $pattern ]] || return 0
	perl -0pe "$change" "gateway/$file" >"$copy/$file"
	if cmp -s "gateway/$file" "$copy/$file"; then
		echo "not ok - $name: the mutation finds its place in $file"
		survivors=$((survivors + 1))
	elif passes "$test"; then
		echo "not ok - $name: a test notices"
		survivors=$((survivors + 1))
	else
		echo "ok - $name: $(grep -m 1 '^not ok' "$log" | sed -E 's/^not ok ([0-9]+ )?- //' || echo stopped)"
	fi
	cp "gateway/$file" "$copy/$file"
}

for test in base64url jwk jwt wycheproof_jws claims token_cache client_map auth; do
	passes "$test" || { echo "not ok - the unchanged gateway passes test_$test"; sed 's/^/# /' "$log"; exit 1; }
done
echo 'ok - the unchanged gateway passes'

mutant base64url.c base64url 'a lone character' 's/have == 6 \|\| //'
mutant base64url.c base64url 'stray bits' 's/ \|\| \(bits & \(\(1U << have\) - 1\)\) != 0//'
mutant base64url.c base64url 'characters that are none' 's/if \(digit < 0\)\n\t\t\treturn false;/if (digit < 0)\n\t\t\tcontinue;/'
mutant base64url.c base64url 'the standard alphabet' "s/c == '-' \? 62/c == '+' ? 62/"
mutant base64url.c base64url 'more bytes than there is room for' 's/written == cap/false/'
mutant base64url.c base64url 'half a text stays' 's/lc_buf_truncate\(out, mark\)/(void) mark/'

mutant jwk.c jwk 'a key for encryption, by use' 's/!is\(use->text, "sig"\)/false/'
mutant jwk.c jwk 'a key for encryption, by key_ops' 's/return verify \? NULL/return true ? NULL/'
mutant jwk.c jwk 'any alg of a key' 's/out->algs != JWT_NONE \? NULL/true ? NULL/'
mutant jwk.c jwk 'alg not looked at' 's/if \(alg == NULL\)\n\t\treturn NULL;/return NULL;/'
mutant jwk.c jwk 'RSA keys of 1,024 bits' 's/RSA_MIN_BITS 2048/RSA_MIN_BITS 1024/'
mutant jwk.c jwk 'RSA keys of 2,047 bits' 's/ \|\| \(n_len == RSA_MIN_BITS \/ 8 && n\[0\] < 0x80\)//'
mutant jwk.c jwk 'e = 1' 's/exponent < 3/exponent < 1/'
mutant jwk.c jwk 'an even e' 's/exponent % 2 == 0/false/'
mutant jwk.c jwk 'a leading zero in n' 's/ \|\| n_len == 0 \|\| n\[0\] == 0/ || n_len == 0/'
mutant jwk.c jwk 'another curve' 's/!is\(lc_json_string\(object, "crv"\), "P-256"\)/false/'
mutant jwk.c jwk 'another curve of Ed' 's/!is\(lc_json_string\(object, "crv"\), "Ed25519"\)/false/'
mutant jwk.c jwk 'a short Ed25519 key' 's/ \|\| n != sizeof\(x\)\)/)/'
mutant jwk.c jwk 'weak Ed25519 keys' 's/lc_ed25519_check_public\(x\) != LC_OK/false/'
mutant jwk.c jwk 'private keys' 's/lc_json_member\(object, "d"\) != NULL/false/'
mutant jwk.c jwk 'two keys of one kid' 's/if \(same_kid\(/if (false \&\& same_kid(/'
mutant jwk.c jwk 'a key more' 's/set->count == JWK_MAX_KEYS\)/false)/'
mutant jwk.c jwk 'kids not in the digest' 's/lc_buf_append\(&all, k->kid, k->kid_len\)/(void) 0/'

mutant jwt.c jwt 'alg none and HMAC' 's/out->alg == JWT_NONE\)/false)/'
mutant jwt.c jwt 'crit' 's/lc_json_member\(header, "crit"\) != NULL \|\| //'
mutant jwt.c jwt 'b64' 's/ \|\| lc_json_member\(header, "b64"\) != NULL//'
mutant jwt.c jwt 'any typ' 's/!is_type\(typ->text\)/false/'
mutant jwt.c jwt 'an empty kid' 's/kid->text\.n == 0 \|\| //'
mutant jwt.c jwt 'a kid of any length' 's/ \|\| kid->text\.n > JWK_MAX_KID//'
mutant jwt.c jwt 'tokens of any length' 's/if \(n > JWT_MAX\)/if (false)/'
mutant jwt.c jwt 'alg of the token alone' 's/if \(\(k->algs & \(unsigned\) t->alg\) == 0\)/if (false)/'
mutant jwt.c jwt 'any kid' 's/return t->kid_len == 0 \|\| /return true || /'
mutant jwt.c jwt 'r and s of any length' 's/case JWT_ES256:\n\t\t\treturn t->signature_len == PAIR_LEN && /case JWT_ES256:\n\t\t\treturn /'
mutant jwt.c jwt 'a PS256 salt of any length' 's/RSA_PSS_SALTLEN_DIGEST/RSA_PSS_SALTLEN_AUTO/'
mutant jwt.c jwt 'PS256 as RS256' 's/if \(alg == JWT_RS256\)\n/if (alg != JWT_NONE)\n/'
mutant jwt.c jwt 'every signature holds' 's/t->text_len\) == 1;/t->text_len) >= 0;/'
mutant jwt.c wycheproof_jws 'every signature holds, by Wycheproof' 's/t->text_len\) == 1;/t->text_len) >= 0;/'
mutant jwt.c jwt 'the payload is not signed' 's/out->text_len = \(size_t\) \(second - token\)/out->text_len = (size_t) (first - token)/'

mutant claims.c claims 'exp not looked at' 's/at >= c->expires \+ want->skew/false/'
mutant claims.c claims 'a second more' 's/at >= c->expires \+/at > c->expires +/'
mutant claims.c claims 'nbf not looked at' 's/c->not_before > at \+ want->skew \|\| //'
mutant claims.c claims 'iat not looked at' 's/ \|\| c->issued > at \+ want->skew//'
mutant claims.c claims 'exp not required' 's/ \|\| out->expires == INT64_MIN\)/)/'
mutant claims.c claims 'any issuer' 's/if \(strcmp\(c->texts, want->issuer\) != 0\)/if (false)/'
mutant claims.c claims 'the issuer is an audience' 's/one = c->texts \+ strlen\(c->texts\) \+ 1/one = c->texts/'
mutant claims.c claims 'any audience' 's/if \(!has_audience\(c, want->audience\)\)/if (false)/'
mutant claims.c claims 'an empty list of audiences' 's/ \|\| aud->count == 0//'
mutant claims.c claims 'milliseconds' 's/253402300799\.0/1e300/'
mutant claims.c claims 'a longer subject' 's/subject\.n >= sizeof\(out->subject\)/subject.n > sizeof(out->subject)/'
mutant claims.c claims 'control characters in a subject' 's/ \|\| !printable\(subject\)//'
mutant claims.c claims 'any tenant' 's/!tenant_name_valid\(tenant\.s, tenant\.n\)/false/'
mutant claims.c claims 'a longer tenant' 's/n >= IDENTITY_TENANT_SIZE/n > IDENTITY_TENANT_SIZE/'
mutant claims.c claims 'clients are people' 's/if \(is\(azp, out->subject\) \|\| is\(client, out->subject\)\)/if (false)/'
mutant scope.c claims 'scopes by their beginning' 's/strlen\(names\[i\]\.name\) == n && //'

mutant token_cache.c token_cache 'old tokens stay when keys change' 's/i = c->generation == generation \? find\(c, hash\) : NONE/i = find(c, hash)/; s/all_free\(c\);\n\tc->generation/c->generation/; s/\t\tc->entries\[i\]\.used = false;\n\t\}\n/\t}\n/; s/if \(c->entries\[i\]\.used\)\n\t\t\tclaims_free\(&c->entries\[i\]\.claims\);//'
mutant token_cache.c token_cache 'what old keys verified comes in' 's/if \(c->generation == generation && c->capacity/if (c->capacity/'
mutant token_cache.c token_cache 'exp is not looked at again' 's/\*verdict = claims_check\(&e->claims, want, now\)/*verdict = CLAIMS_GOOD/'
mutant token_cache.c token_cache 'an expired token stays' 's/if \(\*verdict == CLAIMS_EXPIRED\)\n\t\t\ttake_out\(c, i\);//'
mutant token_cache.c token_cache 'expired tokens are never swept' 's/\t\tsweep\(c, skew, now\);\n//'
mutant token_cache.c token_cache 'all is swept at once' 's/n < SWEEP/n < (int) c->capacity/'
mutant token_cache.c token_cache 'used tokens go first' 's/while \(c->entries\[i\]\.visited\)/while (false)/'
mutant token_cache.c token_cache 'tokens by their first bytes' 's/memcmp\(c->entries\[i\]\.hash, hash, 32\) != 0/memcmp(c->entries[i].hash + 4, hash + 4, 4) != 0/'
mutant token_cache.c token_cache 'the hand stays at one that is gone' 's/if \(c->hand == i\)\n\t\tc->hand = e->newer;//'
mutant token_cache.c token_cache 'a token twice' 's/ && find\(c, hash\) == NONE//'

mutant client_map.c client_map 'unknown members' 's/if \(\*name == NULL\)/if (false)/'
mutant client_map.c client_map 'a match by two things' 's/match->count != 1 \|\| //'
mutant client_map.c client_map 'short fingerprints' 's/return to - value == 64/return true/'
mutant client_map.c client_map 'unknown scopes' 's/if \(found == SCOPE_NONE\)/if (false)/'
mutant client_map.c client_map 'entries that contradict' 's/ && !same_identity\(/ \&\& false \&\& !same_identity(/'
mutant client_map.c client_map 'names cut at a NUL' 's/n < 0 \|\| \(size_t\) n != strlen\(c->value\)/strlen(text) != strlen(c->value)/'
mutant client_map.c client_map 'names of any kind' 's/name->type == type && //'
mutant client_map.c client_map 'the last match counts' 's/ && !found && i < map->count/ \&\& i < map->count/; s/found = matches\(&map->clients\[i\], cert, sha256\);\n\t\tif \(found\)/if (matches(\&map->clients[i], cert, sha256) \&\& (found = true))/'

mutant auth.c auth 'the cache is not emptied' 's/\ttoken_cache_empty\(cache, generation\);\n\}/\t(void) generation;\n}/'
mutant auth.c auth 'the first key is tried whatever the kid' 's/if \(k->kid_len == t->kid_len && memcmp/if (true || memcmp/'
mutant auth.c auth 'expiry is told before the signature is known' 's/\tif \(keys == NULL\)\n\t\treturn no_keys\(p\);/\tclaims early;\n\tif (claims_read(t.payload, t.payload_len, "tenant", \&early) == NULL)\n\t{\n\t\tbool late = early.expires + 60 <= (int64_t) now;\n\t\tclaims_free(\&early);\n\t\tif (late)\n\t\t{\n\t\t\tproblem_set(p, "token_expired", "x");\n\t\t\treturn AUTH_REFUSED;\n\t\t}\n\t}\n\tif (keys == NULL)\n\t\treturn no_keys(p);/'
mutant jwks.c auth 'fetched as often as one likes' 's/ && now - last_wanted >= config_now\(\)->auth_min_refresh_ms//'
mutant jwks.c auth 'who gave up is called' 's/\t\tif \(w->theirs == call\)\n\t\t\tw->theirs = NULL;/\t\t;/'
mutant jwks.c auth 'bad keys replace good ones' 's/return good;\n\}\n\nstatic bool\nfetch/if (!good)\n\t\tkeys_changed(key_set_replace(NULL));\n\treturn good;\n}\n\nstatic bool\nfetch/'

rm -rf "$build"
[ "$survivors" -eq 0 ]
