/*
 * test_base64url.c
 *		One spelling of any bytes, and no other.
 */
#include "base64url.h"
#include "harness.h"

static bool
decodes(const char *text, size_t n)
{
	char	   *copy = exact_copy(text, n);
	uint8_t		out[256];
	size_t		len;
	bool		good = base64url_decode(copy, n, out, sizeof(out), &len);

	free(copy);
	return good;
}

static void
reads(const char *text, const char *want, size_t want_n)
{
	uint8_t    *out = malloc(want_n > 0 ? want_n : 1);
	size_t		len = 0;
	char		name[100];

	snprintf(name, sizeof(name), "\"%s\" is read", text);
	if (ok(base64url_decode(text, strlen(text), out, want_n, &len), "%s, and fits exactly", name))
		is_bytes((char *) out, len, want, want_n, name);
	if (want_n > 0)
		ok(!base64url_decode(text, strlen(text), out, want_n - 1, &len), "%s, but not into less room", name);
	free(out);
}

static void
refused(const char *text, const char *why)
{
	ok(!decodes(text, strlen(text)), "%s is refused: \"%s\"", why, text);
}

/* Of each length, written and read again, by both readers. */
static void
round_trips(void)
{
	uint8_t		bytes[200],
				back[200];
	bool		good = true;
	size_t		len;
	lc_buf		text,
				appended;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t) (i * 167 + 31);
	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_init(&appended, &lc_alloc_malloc);
	for (size_t n = 0; n <= sizeof(bytes); n++)
	{
		lc_buf_reset(&text);
		lc_buf_reset(&appended);
		base64url_append(&text, bytes, n);
		good = good && text.len == (n * 8 + 5) / 6 && BASE64URL_BYTES(text.len) >= n;
		good = good && base64url_decode(text.data ? text.data : "", text.len, back, n, &len) && len == n;
		good = good && memcmp(back, bytes, n) == 0;
		good = good && base64url_append_decoded(&appended, text.data ? text.data : "", text.len);
		good = good && appended.len == n && (n == 0 || memcmp(appended.data, bytes, n) == 0);
	}
	ok(good, "bytes of each length survive");
	lc_buf_free(&text);
	lc_buf_free(&appended);
}

/* Each of the 256 bytes in the place of a digit. */
static void
alphabet(void)
{
	int			taken = 0;
	char		text[4] = "AAAA";

	for (int c = 0; c < 256; c++)
	{
		text[2] = (char) c;
		taken += decodes(text, 4);
	}
	is_int(taken, 64, "64 characters are digits");
}

/* Of all texts of two and three digits, as many are read as there are bytes. */
static void
counts(void)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	int			two = 0,
				three = 0;

	for (int i = 0; i < 64 * 64 * 64; i++)
	{
		char		text[3] = {digits[i >> 12], digits[i >> 6 & 63], digits[i & 63]};

		two += i < 64 * 64 && decodes((char[]) {digits[i >> 6], digits[i & 63]}, 2);
		three += decodes(text, 3);
	}
	is_int(two, 256, "two digits stand for one byte in 256 ways");
	is_int(three, 65536, "three digits stand for two bytes in 65,536 ways");
}

static void
appending(void)
{
	char		text[131];
	lc_buf		out;

	memset(text, 'A', sizeof(text));
	text[130] = '=';
	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_puts(&out, "before");
	ok(!base64url_append_decoded(&out, text, sizeof(text)), "a fault far behind is found");
	is_text(&out, "before", "and nothing of it stays");
	lc_buf_free(&out);
}

int
main(void)
{
	/* RFC 4648 section 10, without its padding. */
	reads("", "", 0);
	reads("Zg", "f", 1);
	reads("Zm8", "fo", 2);
	reads("Zm9v", "foo", 3);
	reads("Zm9vYg", "foob", 4);
	reads("Zm9vYmE", "fooba", 5);
	reads("Zm9vYmFy", "foobar", 6);
	/* RFC 7515 appendix C. */
	reads("A-z_4ME", "\x03\xec\xff\xe0\xc1", 5);
	refused("Zg==", "padding");
	refused("Zm8=", "padding");
	refused("Z", "a lone character");
	refused("Zm9vY", "a lone character behind a group");
	refused("A", "a lone zero");
	refused("Zm9vA", "a lone zero behind a group");
	refused("Zh", "bits that stand for nothing");
	refused("Zm9", "bits that stand for nothing");
	refused("A+z/", "the other alphabet");
	refused("Zm9v\n", "a line break");
	refused("Zm 9v", "a blank");
	refused(" Zm9v", "a blank before");
	refused("Zm9v.", "a full stop");
	ok(!decodes("Zm\0v", 4), "a NUL is refused");
	alphabet();
	counts();
	round_trips();
	appending();
	return done();
}
