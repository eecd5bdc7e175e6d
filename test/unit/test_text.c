/*
 * test_text.c
 *		lc_text: lines, and whole numbers in their one spelling.
 */
#include "harness.h"
#include "lc_text.h"

static void
number_is(const char *text, uint64_t want)
{
	uint64_t	got = 0;

	ok(lc_text_uint(str(text), &got) && got == want, "%s is a number", text);
}

static void
is_no_number(const char *text)
{
	uint64_t	got = 42;

	ok(!lc_text_uint(str(text), &got) && got == 42, "\"%s\" is none", text);
}

static void
test_numbers(void)
{
	number_is("0", 0);
	number_is("7", 7);
	number_is("20852163", 20852163);
	number_is("9223372036854775799", UINT64_C(9223372036854775799));
	number_is("9223372036854775807", (uint64_t) INT64_MAX);
	is_no_number("9223372036854775808");
	is_no_number("9223372036854775810");
	is_no_number("10000000000000000000");
	is_no_number("18446744073709551616");
	is_no_number("36893488147419103233");
	is_no_number("");
	is_no_number("00");
	is_no_number("01");
	is_no_number("-1");
	is_no_number("+1");
	is_no_number(" 1");
	is_no_number("1 ");
	is_no_number("1e3");
	is_no_number("0x1");
	is_no_number("1/");
	is_no_number("1:");
	is_no_number("\xD9\xA1");	/* an Arabic one */
}

static void
test_lines(void)
{
	char	   *copy = exact_copy("one\n\nlast", 9);
	lc_str		rest = {copy, 9};
	lc_str		line;

	ok(lc_text_line(&rest, &line) && same(line, "one"), "the first line");
	ok(lc_text_line(&rest, &line) && line.n == 0, "an empty line");
	ok(!lc_text_line(&rest, &line) && same(rest, "last"), "what has no newline is no line");
	ok(lc_text_skip(&rest, "la") && same(rest, "st"), "a prefix is cut off");
	ok(!lc_text_skip(&rest, "sto") && !lc_text_skip(&rest, "t") && same(rest, "st"),
	   "another is not, and nothing changes");
	rest.n = 0;
	ok(!lc_text_line(&rest, &line) && lc_text_skip(&rest, ""), "nothing has no line");
	free(copy);
}

static void
test_printable(void)
{
	static const char every[] = "a\x01\x02\x03\x04\x05\x06\x07\x08\t\v\f\r\x0e\x0f\x10\x11\x12\x13\x14"
		"\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f";
	bool		refused = true;

	for (size_t i = 1; i < sizeof(every); i++)	/* its NUL too */
		refused = refused && lc_text_printable(every + i, 1) == LC_ERR_SYNTAX;
	ok(refused, "no control character but newline");
	is_status(lc_text_printable("a \n~\x7f\xC3\xA8\n", 8), LC_OK, "all other characters, DEL too");
	is_status(lc_text_printable("\xC3", 1), LC_ERR_UTF8, "no UTF-8 that is cut");
	is_status(lc_text_printable("", 0), LC_OK, "nothing");
}

int
main(void)
{
	test_numbers();
	test_lines();
	test_printable();
	return done();
}
