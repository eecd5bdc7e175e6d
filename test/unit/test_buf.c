/*
 * test_buf.c
 *		lc_buf, lc_error.
 */
#include "harness.h"

static void
test_append(void)
{
	static const uint8_t bytes[] = {0x00, 0x0f, 0xf0, 0xff};
	lc_buf		buf;

	lc_buf_init(&buf, &lc_alloc_malloc);
	ok(buf.data == NULL && buf.len == 0 && buf.status == LC_OK, "a new buffer is empty");
	lc_buf_append(&buf, "", 0);
	is_text(&buf, "", "appending nothing is nothing");
	ok(buf.data != NULL && buf.data[0] == '\0', "and yet NUL-terminated");
	lc_buf_puts(&buf, "abc");
	lc_buf_putc(&buf, 'd');
	lc_buf_append(&buf, "ef\0g", 4);
	is_bytes(buf.data, buf.len, "abcdef\0g", 8, "pieces follow each other");
	ok(buf.data[buf.len] == '\0', "a NUL stands behind the last byte");
	lc_buf_reset(&buf);
	lc_buf_put_hex(&buf, bytes, sizeof(bytes));
	is_text(&buf, "000ff0ff", "bytes in hex");
	lc_buf_truncate(&buf, 3);
	is_text(&buf, "000", "cut back");
	lc_buf_truncate(&buf, 30);
	is_text(&buf, "000", "cutting never lengthens");
	lc_buf_free(&buf);
	ok(buf.data == NULL && buf.cap == 0, "freed");
}

static void
test_integers(void)
{
	static const struct
	{
		int64_t		value;
		const char *text;
	}			cases[] = {
		{0, "0"}, {7, "7"}, {-7, "-7"}, {10, "10"},
		{INT64_MAX, "9223372036854775807"}, {INT64_MIN, "-9223372036854775808"},
	};
	size_t		i;
	lc_buf		buf;

	lc_buf_init(&buf, &lc_alloc_malloc);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		lc_buf_reset(&buf);
		lc_buf_put_int64(&buf, cases[i].value);
		is_text(&buf, cases[i].text, cases[i].text);
	}
	lc_buf_free(&buf);
}

static void
test_growth(void)
{
	lc_buf		buf;
	size_t		i;
	bool		same = true;

	lc_buf_init(&buf, &lc_alloc_malloc);
	for (i = 0; i < 100000; i++)
		lc_buf_putc(&buf, (char) ('a' + i % 26));
	for (i = 0; i < 100000; i++)
		same = same && buf.data[i] == (char) ('a' + i % 26);
	ok(same && buf.len == 100000, "100,000 bytes, one at a time");
	lc_buf_free(&buf);
}

static void
test_failure(void)
{
	broken		b = {.left = 1};
	lc_alloc	alloc = {broken_resize, broken_release, &b};
	char		block[1000] = {0};
	lc_buf		buf;

	lc_buf_init(&buf, &alloc);
	lc_buf_puts(&buf, "kept");
	lc_buf_append(&buf, block, sizeof(block));
	is_status(buf.status, LC_ERR_MEMORY, "the allocator's failure is remembered");
	lc_buf_puts(&buf, "x");
	is_text(&buf, "kept", "what comes after a failure is ignored");
	lc_buf_truncate(&buf, 2);
	is_status(buf.status, LC_ERR_MEMORY, "cutting back does not forget it");
	is_text(&buf, "ke", "though it cuts");
	lc_buf_reset(&buf);
	is_status(buf.status, LC_OK, "a reset does");
	lc_buf_append(&buf, "x", SIZE_MAX - 1);
	is_status(buf.status, LC_ERR_MEMORY, "a length that would overflow is refused");
	lc_buf_reset(&buf);
	lc_buf_put_hex(&buf, (const uint8_t *) "x", SIZE_MAX / 2 + 1);
	is_status(buf.status, LC_ERR_MEMORY, "also where hex doubles it");
	lc_buf_free(&buf);

	/* With memory at hand: four bytes and SIZE_MAX - 4 more wrap to a small sum. */
	lc_buf_init(&buf, &lc_alloc_malloc);
	lc_buf_puts(&buf, "kept");
	lc_buf_append(&buf, block, SIZE_MAX - 4);
	is_status(buf.status, LC_ERR_MEMORY, "a sum that would wrap around is refused");
	is_text(&buf, "kept", "and nothing is written");
	lc_buf_free(&buf);
}

static void
test_status_texts(void)
{
	int			status;
	bool		good = true;

	for (status = LC_OK; status <= LC_ERR_CRYPTO; status++)
	{
		const char *text = lc_status_text((lc_status) status);

		good = good && strlen(text) > 0 && strcmp(text, "unknown error") != 0 &&
			text[strlen(text) - 1] != '.';
	}
	ok(good, "every status has its phrase");
	ok(strcmp(lc_status_text((lc_status) 99), "unknown error") == 0, "and others have one too");
}

int
main(void)
{
	test_append();
	test_integers();
	test_growth();
	test_failure();
	test_status_texts();
	return done();
}
