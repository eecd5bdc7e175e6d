/*
 * test_vectors.c
 *		The examples of RFC 8785 (test/vectors/rfc8785), and the documents of
 *		$LEDGER_VECTORS/jcs where that is set.
 *
 * Run from the checkout's top folder.  One document of either set holds a
 * number that a double rounds.  The ledger refuses it there; with the rounded
 * number in its place the rest must come out as published.
 */
#include "harness.h"
#include "lc_hex.h"
#include "lc_jsonparse.h"
#include "lc_number.h"

#define RFC "test/vectors/rfc8785/"

static const char rounded_number[] = "333333333.33333329";
static const char its_double[] = "333333333.3333333";

static bool
load(lc_buf *to, const char *format, const char *folder, const char *name)
{
	char		path[1024];

	lc_buf_reset(to);
	snprintf(path, sizeof(path), format, folder, name);
	return read_file(path, to) || ok(false, "%s can be read", path);
}

/* Put the double in the place of the number that it rounds. */
static void
replace_rounded(lc_buf *input, size_t at)
{
	lc_buf		fixed;

	lc_buf_init(&fixed, &lc_alloc_malloc);
	lc_buf_append(&fixed, input->data, at);
	lc_buf_puts(&fixed, its_double);
	lc_buf_puts(&fixed, input->data + at + strlen(rounded_number));
	lc_buf_reset(input);
	lc_buf_append(input, fixed.data, fixed.len);
	lc_buf_free(&fixed);
}

static void
canonical_is(lc_buf *input, const lc_buf *want, bool has_rounded, const char *name)
{
	lc_buf		out;
	lc_json_error err;
	lc_status	status;

	lc_buf_init(&out, &lc_alloc_malloc);
	status = lc_json_canonicalize(input->data, input->len, &out, &lc_alloc_malloc, &err);
	if (has_rounded &&
		ok(status == LC_ERR_NUMBER && out.len == 0 && strcmp(err.path, "$.numbers[0]") == 0 &&
		   strncmp(input->data + err.offset, rounded_number, strlen(rounded_number)) == 0,
		   "%s: the number that rounds is refused", name))
	{
		replace_rounded(input, err.offset);
		status = lc_json_canonicalize(input->data, input->len, &out, &lc_alloc_malloc, &err);
	}
	if (status != LC_OK)
		printf("#   %s at %zu, %s\n", lc_status_text(status), err.offset, err.path);
	is_bytes(out.data != NULL ? out.data : "", out.len, want->data, want->len, name);
	lc_buf_free(&out);
}

/* Hex with white space in it, to bytes. */
static bool
unhex(const lc_buf *hex, lc_buf *bytes)
{
	char		digits[2];
	size_t		i;
	size_t		n = 0;

	lc_buf_reset(bytes);
	for (i = 0; i < hex->len; i++)
	{
		uint8_t		byte;

		if (strchr(" \r\n\t", hex->data[i]) != NULL)
			continue;
		digits[n++] = hex->data[i];
		if (n < 2)
			continue;
		n = 0;
		if (lc_hex_decode(digits, 2, &byte, 1) != LC_OK)
			return false;
		lc_buf_append(bytes, &byte, 1);
	}
	return n == 0;
}

static void
test_rfc_documents(void)
{
	static const char *const names[] = {"sample", "sorting", "address", "big-string", "subtypes"};
	lc_buf		input;
	lc_buf		want;
	lc_buf		bytes;
	size_t		i;

	lc_buf_init(&input, &lc_alloc_malloc);
	lc_buf_init(&want, &lc_alloc_malloc);
	lc_buf_init(&bytes, &lc_alloc_malloc);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (load(&input, "%s%s-input.json", RFC, names[i]) &&
			load(&want, "%s%s-output.json", RFC, names[i]))
			canonical_is(&input, &want, i == 0, names[i]);
	}
	if (load(&want, "%s%s-output.json", RFC, "sample") &&
		load(&input, "%s%s-output.hex", RFC, "sample") && unhex(&input, &bytes))
		is_bytes(want.data, want.len, bytes.data, bytes.len, "section 3.2.4 gives the same bytes");
	lc_buf_free(&input);
	lc_buf_free(&want);
	lc_buf_free(&bytes);
}

static void
test_rfc_refusal(void)
{
	lc_buf		input;
	lc_buf		out;
	lc_json_error err;

	lc_buf_init(&input, &lc_alloc_malloc);
	lc_buf_init(&out, &lc_alloc_malloc);
	if (load(&input, "%s%s", RFC, "big-numbers-refused.json"))
	{
		is_status(lc_json_canonicalize(input.data, input.len, &out, &lc_alloc_malloc, &err),
				  LC_ERR_NUMBER, "appendix D's numbers are refused");
		ok(strcmp(err.path, "$.giantNumber") == 0 && err.line == 2, "at the first of them");
		ok(out.len == 0, "with nothing written");
	}
	lc_buf_free(&input);
	lc_buf_free(&out);
}

/* One line of appendix B: bits and text. */
static void
number_is(const char *bits_text, const char *want)
{
	uint64_t	bits = strtoull(bits_text, NULL, 16);
	double		value;
	lc_buf		out;
	lc_status	status;

	memcpy(&value, &bits, sizeof(value));
	lc_buf_init(&out, &lc_alloc_malloc);
	status = lc_number_from_double(&out, value);
	if (strcmp(want, "error") == 0)
		ok(status == LC_ERR_NUMBER && out.len == 0, "%s is no number", bits_text);
	else
		is_text(&out, want, bits_text);

	/* And its text, read as a decimal, is its own form. */
	lc_buf_reset(&out);
	if (strcmp(want, "error") != 0)
		ok(lc_number_canonical(&out, want, strlen(want)) == LC_OK && strcmp(out.data, want) == 0,
		   "%s is canonical", want);
	lc_buf_free(&out);
}

static void
test_rfc_numbers(void)
{
	char		bits[32];
	char		want[64];
	int			count = 0;
	FILE	   *file = fopen(RFC "numbers.txt", "r");

	if (file != NULL)
	{
		while (fscanf(file, "%31s %63s", bits, want) == 2)
		{
			number_is(bits, want);
			count++;
		}
		fclose(file);
	}
	is_int(count, 26, "appendix B has 26 lines");
}

static void
test_published_documents(void)
{
	static const char *const names[] = {"arrays", "french", "structures", "unicode", "values", "weird"};
	const char *vectors = getenv("LEDGER_VECTORS");
	char		folder[512];
	lc_buf		input;
	lc_buf		want;
	lc_buf		hex;
	size_t		i;

	snprintf(folder, sizeof(folder), "%s/jcs", vectors != NULL ? vectors : "");
	lc_buf_init(&input, &lc_alloc_malloc);
	lc_buf_init(&want, &lc_alloc_malloc);
	lc_buf_init(&hex, &lc_alloc_malloc);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (vectors == NULL)
		{
			skip(names[i], "LEDGER_VECTORS is not set");
			continue;
		}
		if (!load(&input, "%s/input/%s.json", folder, names[i]) ||
			!load(&hex, "%s/outhex/%s.txt", folder, names[i]) ||
			!ok(unhex(&hex, &want), "%s: the hex is hex", names[i]))
			continue;
		canonical_is(&input, &want, strcmp(names[i], "values") == 0, names[i]);
		if (load(&hex, "%s/output/%s.json", folder, names[i]))
			is_bytes(want.data, want.len, hex.data, hex.len, "text and hex agree");
	}
	lc_buf_free(&input);
	lc_buf_free(&want);
	lc_buf_free(&hex);
}

int
main(void)
{
	test_rfc_documents();
	test_rfc_refusal();
	test_rfc_numbers();
	test_published_documents();
	return done();
}
