/*
 * examples.h
 *		Keys and texts that several tests need.
 *
 * The seeds are those of RFC 8032 section 7.1, TEST 1 to 3.  The texts were made
 * by Go 1.19's crypto/ed25519 and golang.org/x/mod/sumdb/note.
 */
#ifndef EXAMPLES_H
#define EXAMPLES_H

#define LOG_VKEY "example.com/log+cc714670+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
#define LOG_SKEY "PRIVATE+KEY+example.com/log+cc714670+AZ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"
#define WITNESS_VKEY "witness.example.com/w1+e8498172+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM"
#define WITNESS_SKEY \
	"PRIVATE+KEY+witness.example.com/w1+e8498172+BEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7"
#define OTHER_VKEY "other+a7eff06d+AfxRzY5iGKGjjaR+0AIw8FgIFu0TujMDrF3rkRVIkIAl"
#define OTHER_SKEY "PRIVATE+KEY+other+a7eff06d+AcWqjfQ/n4N77bdELzHct7Fm04U1B28JS4XOOi4LRFj3"

#define CHECKPOINT \
	"example.com/log/acme/5f0c3c4e-4c55-8d57-a1f3-9a8c1c1f7a10\n" \
	"3\n" \
	"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

#define DASH "\xE2\x80\x94"

#define LOG_LINE \
	DASH " example.com/log " \
	"zHFGcF82hRH/6SGTX3Q6lpgBIyOtUNvE56+/BT9NVHL1RIA4v3V1rqI0q9V04tvfzKX7oO8grBXzjUUqwzMMe6H/OQc=\n"

/* Cosignatures of the same checkpoint: at 1679315147, three seconds later, and in no time there is. */
#define WITNESS_LINE \
	DASH " witness.example.com/w1 " \
	"6EmBcgAAAABkGFDL+4qVELNkV3hr2DJRw/lK2t/6KHDW115uTbTczjN+WlMl+Wjco+Vo3doJM2A0xvOr2tdGKcNw6KbC7y67zRFTAw==\n"
#define LATER_LINE \
	DASH " witness.example.com/w1 " \
	"6EmBcgAAAABkGFDOkCRVs9FIe3sjVyk92ysG3lv9HDXuhttZR/08i+01AmtjZtgxH9C2Z+nUSoZ1vzsskG+B7G2MFNxm2l++ivhDBA==\n"
#define NEVER_LINE \
	DASH " witness.example.com/w1 " \
	"6EmBcoAAAAAAAAAAf0rc/MzO0X+iLJ3bDt4HJ6CwU4WfxRyshSpLotzn4YtUPakFBseMRAbZFurYnVjopmvuR6OrRBVolw/+50K0Dg==\n"

#endif
