/*
 * test_number.c
 *		lc_number: decimal text and doubles in ECMAScript's form.
 *
 * Expected texts are what JavaScript prints for the number; refusals are the
 * numbers whose decimal value JavaScript would change.
 */
#include <float.h>
#include <math.h>

#include "harness.h"
#include "lc_number.h"

static void
writes(const char *text, const char *want)
{
	lc_buf		out;
	lc_status	status;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_puts(&out, "[");
	status = lc_number_canonical(&out, text, strlen(text));
	if (!ok(status == LC_OK && out.data[0] == '[' && strcmp(out.data + 1, want) == 0,
			"%.60s is %.60s", text, want))
		printf("#   got \"%s\" (%s)\n", out.data + 1, lc_status_text(status));
	lc_buf_free(&out);
}

static void
refuses_n(const char *text, size_t n, lc_status want, const char *name)
{
	lc_buf		out;
	lc_status	status;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_puts(&out, "[");
	status = lc_number_canonical(&out, text, n);
	if (!ok(status == want && out.len == 1 && out.status == LC_OK,
			"%.60s: %s", name, lc_status_text(want)))
		printf("#   got \"%s\" (%s)\n", out.data, lc_status_text(status));
	lc_buf_free(&out);
}

static void
rounds(const char *text)
{
	refuses_n(text, strlen(text), LC_ERR_NUMBER, text);
}

static void
malformed(const char *text)
{
	refuses_n(text, strlen(text), LC_ERR_SYNTAX, text[0] == '\0' ? "nothing" : text);
}

static void
test_forms(void)
{
	writes("0", "0");
	writes("-0", "0");
	writes("-0.0e5", "0");
	writes("0e999999999999999999999999", "0");
	writes("1", "1");
	writes("-1", "-1");
	writes("1.50", "1.5");
	writes("100", "100");
	writes("1e2", "100");
	writes("1E+2", "100");
	writes("1e-2", "0.01");
	writes("1e00002", "100");
	writes("10.0100e1", "100.1");
	writes("0.1", "0.1");
	writes("0.30000000000000004", "0.30000000000000004");
	writes("-333333333.3333333", "-333333333.3333333");

	/* Where the form changes: 21 digits before the point, 6 zeros behind it. */
	writes("1e20", "100000000000000000000");
	writes("123456789012345e6", "123456789012345000000");
	writes("1e21", "1e+21");
	writes("-1.5e21", "-1.5e+21");
	writes("12e20", "1.2e+21");
	writes("0.000001", "0.000001");
	writes("0.0000015", "0.0000015");
	writes("0.0000001", "1e-7");
	writes("-1.5e-7", "-1.5e-7");
	writes("12e-8", "1.2e-7");
}

static void
test_edges(void)
{
	/* Fifteen digits are always kept; from sixteen on it depends. */
	writes("999999999999999", "999999999999999");
	writes("123456789.012345", "123456789.012345");
	writes("9007199254740991", "9007199254740991");
	writes("9007199254740992", "9007199254740992");
	rounds("9007199254740993");
	rounds("9007199254740993.0");
	writes("9007199254740994", "9007199254740994");
	rounds("12345678901234567890");
	writes("12345678901234567000", "12345678901234567000");
	rounds("0.1000000000000000055");
	rounds("333333333.33333329");
	rounds("0.10000000000000001");

	/* 1e23 lies between two doubles; PostgreSQL prints 9.999999999999999e+22. */
	writes("1e23", "1e+23");
	rounds("9.999999999999999e22");
	writes("100000000000000000000000", "1e+23");

	/* 2^-44: the decimal of 16 digits nearest to it reads back as its neighbour. */
	writes("5.684341886080802e-14", "5.684341886080802e-14");
	writes("5.684341886080801e-14", "5.684341886080801e-14");
	rounds("5.6843418860808015e-14");
	/* Two decimals of 17 digits read back as this double; only one is its form. */
	writes("1424953923781206.2", "1424953923781206.2");
	rounds("1424953923781206.3");

	writes("1.7976931348623157e308", "1.7976931348623157e+308");
	rounds("1.7976931348623158e308");
	rounds("1.8e308");
	rounds("1e309");
	rounds("1e400");
	writes("2.2250738585072014e-308", "2.2250738585072014e-308");
	writes("2.225073858507201e-308", "2.225073858507201e-308");
	writes("5e-324", "5e-324");
	writes("-5e-324", "-5e-324");
	writes("1e-323", "1e-323");
	rounds("4.9e-324");
	rounds("3e-324");
	rounds("2e-324");
	rounds("1e-324");
	rounds("1e-400");

	/* Around the border of the short cut for few digits. */
	writes("123456789012345e276", "1.23456789012345e+290");
	writes("123456789012345e277", "1.23456789012345e+291");
	writes("123456789012345e-304", "1.23456789012345e-290");
	writes("123456789012345e-305", "1.23456789012345e-291");
}

/* count times c, with something before and behind; lives until the next call. */
static const char *
long_text(const char *before, char c, size_t count, const char *behind)
{
	static lc_buf buf;

	if (buf.alloc == NULL)
		lc_buf_init(&buf, &lc_alloc_malloc);
	if (before == NULL)
	{
		lc_buf_free(&buf);
		return NULL;
	}
	lc_buf_reset(&buf);
	lc_buf_puts(&buf, before);
	while (count-- > 0)
		lc_buf_putc(&buf, c);
	lc_buf_puts(&buf, behind);
	return buf.data;
}

static void
test_length(void)
{
	writes(long_text("1.", '0', 100000, ""), "1");
	writes(long_text("1.5", '0', 100000, "e2"), "150");
	writes(long_text("1", '0', 300, ""), "1e+300");
	writes(long_text("1", '0', 1000, "e-1000"), "1");
	writes(long_text("0.", '0', 1000, "1e1001"), "1");
	rounds(long_text("1", '0', 400, ""));
	rounds(long_text("0.", '0', 400, "1"));
	rounds(long_text("1.", '0', 100000, "1"));
	rounds(long_text("", '9', 100000, ""));
	rounds("1e99999999999999999999999999999999");
	rounds("1e-99999999999999999999999999999999");
	rounds(long_text("1e-", '9', 100000, ""));
	writes(long_text("0e", '9', 100000, ""), "0");
	rounds("1e9223372036854775807");
	rounds("1e-9223372036854775808");
	long_text(NULL, 0, 0, NULL);
}

static void
test_grammar(void)
{
	static const char *const bad[] = {
		"", "-", "+1", "--1", "01", "-01", "00", "1.", "1.e5", ".5", "-.5", "1e", "1e+", "1e-",
		"1e5.5", "1ee5", "1e+-5", "1.2.3", "0x10", "NaN", "Infinity", "-Infinity", "inf", " 1",
		"1 ", "1,5", "1_000", "1f", "\xd9\xa1", "e5",
	};
	size_t		i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		malformed(bad[i]);
	refuses_n("1\0", 2, LC_ERR_SYNTAX, "a NUL behind it");
	refuses_n("12", 0, LC_ERR_SYNTAX, "no bytes of it");
}

static void
double_is(double value, const char *want)
{
	lc_buf		out;
	lc_status	status;

	lc_buf_init(&out, &lc_alloc_malloc);
	status = lc_number_from_double(&out, value);
	if (!ok(status == LC_OK && strcmp(out.data, want) == 0, "the double %a is %s", value, want))
		printf("#   got \"%s\"\n", out.data != NULL ? out.data : "");
	lc_buf_free(&out);
}

static void
test_doubles(void)
{
	lc_buf		out;

	double_is(0.0, "0");
	double_is(-0.0, "0");
	double_is(1.0, "1");
	double_is(-42.0, "-42");
	double_is(0.1 + 0.2, "0.30000000000000004");
	double_is(0x1p53, "9007199254740992");
	double_is(-0x1p53 + 1, "-9007199254740991");
	double_is(0x1p-44, "5.684341886080802e-14");
	double_is(-0x1.fffffffffffffp1023, "-1.7976931348623157e+308");
	double_is(0x1p-1022, "2.2250738585072014e-308");
	double_is(0x0.fffffffffffffp-1022, "2.225073858507201e-308");
	double_is(0x1p-1074, "5e-324");
	double_is(1e21, "1e+21");
	double_is(1e-7, "1e-7");

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_puts(&out, "[");
	is_status(lc_number_from_double(&out, (double) NAN), LC_ERR_NUMBER, "NaN has no form");
	is_status(lc_number_from_double(&out, (double) INFINITY), LC_ERR_NUMBER, "nor has infinity");
	is_status(lc_number_from_double(&out, -(double) INFINITY), LC_ERR_NUMBER, "nor its negative");
	is_text(&out, "[", "and they leave nothing behind");
	lc_buf_free(&out);
}

/* A number for which memory does not suffice leaves no part of itself. */
static void
test_memory(void)
{
	broken		b = {.left = 1};
	lc_alloc	alloc = {broken_resize, broken_release, &b};
	lc_buf		out;
	size_t		mark;

	lc_buf_init(&out, &alloc);
	lc_buf_putc(&out, '[');
	while (out.cap - out.len > 4)
		lc_buf_putc(&out, ' ');
	mark = out.len;
	is_status(lc_number_canonical(&out, "-1.5e300", 8), LC_ERR_MEMORY, "no room for a number");
	is_int((int64_t) out.len, (int64_t) mark, "none of it is written");
	lc_buf_free(&out);

	b.left = 1;
	lc_buf_init(&out, &alloc);
	while (out.cap == 0 || out.cap - out.len > 4)
		lc_buf_putc(&out, ' ');
	mark = out.len;
	is_status(lc_number_from_double(&out, -1.5e300), LC_ERR_MEMORY, "no room for a double");
	is_int((int64_t) out.len, (int64_t) mark, "none of it is written");
	lc_buf_free(&out);
}

/* What a double's form must satisfy, whatever the double. */
static bool
form_is_sound(double value, lc_buf *form, lc_buf *again)
{
	lc_buf_reset(form);
	lc_buf_reset(again);
	return lc_number_from_double(form, value) == LC_OK &&
		strtod(form->data, NULL) == value &&
		lc_number_canonical(again, form->data, form->len) == LC_OK &&
		again->len == form->len && memcmp(again->data, form->data, form->len) == 0;
}

/* Every power of two with its neighbours: where the shortest form is hardest to find. */
static void
test_powers(void)
{
	lc_buf		form;
	lc_buf		again;
	int			e;
	bool		sound = true;

	lc_buf_init(&form, &lc_alloc_malloc);
	lc_buf_init(&again, &lc_alloc_malloc);
	for (e = -1074; e <= 1023; e++)
	{
		double		power = ldexp(1.0, e);

		sound = form_is_sound(power, &form, &again) && sound;
		sound = form_is_sound(nextafter(power, 0.0), &form, &again) && sound;
		sound = form_is_sound(-nextafter(power, DBL_MAX), &form, &again) && sound;
	}
	ok(sound, "all powers of two and their neighbours read back, and are their own form");
	lc_buf_free(&form);
	lc_buf_free(&again);
}

int
main(void)
{
	test_forms();
	test_edges();
	test_length();
	test_grammar();
	test_doubles();
	test_memory();
	test_powers();
	return done();
}
