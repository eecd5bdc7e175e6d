/*
 * lc_error.c
 *		Words for the core's statuses.
 *
 * Holds no state and never fails, so that it may be called while an error is
 * being reported.  The phrases are part of messages that users read and that
 * regression tests compare: change one only together with its tests.
 */
#include "lc_error.h"

const char *
lc_status_text(lc_status status)
{
	/* No default: the compiler then names the status that was forgotten. */
	switch (status)
	{
		case LC_OK:
			return "no error";
		case LC_ERR_MEMORY:
			return "out of memory";
		case LC_ERR_SYNTAX:
			return "invalid syntax";
		case LC_ERR_TRAILING:
			return "unexpected bytes after the JSON value";
		case LC_ERR_UTF8:
			return "invalid UTF-8";
		case LC_ERR_SURROGATE:
			return "lone surrogate escape";
		case LC_ERR_NUL:
			return "character U+0000 is not supported";
		case LC_ERR_DUPLICATE:
			return "duplicate member name";
		case LC_ERR_NUMBER:
			return "number is not exactly representable as a double";
		case LC_ERR_DEPTH:
			return "nested too deeply";
		case LC_ERR_TOO_LONG:
			return "value is too long";
		case LC_ERR_RANGE:
			return "value is out of range";
		case LC_ERR_MISUSE:
			return "internal error: wrong order of calls";
		case LC_ERR_CRYPTO:
			return "cryptographic library failed";
		case LC_ERR_PROOF:
			return "proof does not lead to the root";
		case LC_ERR_SIGNATURE:
			return "signature is not valid";
		case LC_ERR_ABSENT:
			return "not found";
	}
	return "unknown error";
}
