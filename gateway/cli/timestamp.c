/*
 * timestamp.c
 *		Reading time stamps with OpenSSL's parser; whether anyone should believe
 *		them is for openssl ts -verify and the authority's certificate.
 */
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>

#include "timestamp.h"

/* Of a response or of a token; NULL if it is neither.  Free it. */
static TS_TST_INFO *
read_info(const unsigned char *der, long n)
{
	const unsigned char *p = der;
	TS_RESP    *response = d2i_TS_RESP(NULL, &p, n);
	PKCS7	   *token;
	TS_TST_INFO *info = NULL;

	if (response != NULL && p == der + n && TS_RESP_get_tst_info(response) != NULL)
		info = TS_TST_INFO_dup(TS_RESP_get_tst_info(response));
	TS_RESP_free(response);
	if (info != NULL)
		return info;
	p = der;
	token = d2i_PKCS7(NULL, &p, n);
	if (token != NULL && p == der + n && PKCS7_type_is_signed(token))
		info = PKCS7_to_TS_TST_INFO(token);
	PKCS7_free(token);
	return info;
}

/* What a BIO holds, as a member and a line; some of OpenSSL's printers end with a newline. */
static void
put(const char *name, const char *label, BIO *bio)
{
	char	   *text;
	long		n = BIO_get_mem_data(bio, &text);
	lc_str		s = {text, n > 0 ? (size_t) n : 0};

	if (s.n > 0 && s.s[s.n - 1] == '\n')
		s.n--;
	cli_json_string(name, s);
	cli_print("%s %.*s", label, CLI_SHOW(s));
	(void) BIO_reset(bio);
}

static void
report(TS_TST_INFO *info, BIO *bio)
{
	TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(info);
	const ASN1_OCTET_STRING *hash = TS_MSG_IMPRINT_get_msg(imprint);
	const ASN1_INTEGER *nonce = TS_TST_INFO_get_nonce(info);

	cli_json_text("kind", "time stamp");
	cli_print("RFC 3161 time stamp, not verified here");
	TS_ASN1_INTEGER_print_bio(bio, TS_TST_INFO_get_serial(info));
	put("serial", "  serial", bio);
	ASN1_GENERALIZEDTIME_print(bio, TS_TST_INFO_get_time(info));
	put("time", "  time", bio);
	TS_OBJ_print_bio(bio, TS_TST_INFO_get_policy_id(info));
	put("policy", "  policy", bio);
	TS_OBJ_print_bio(bio, TS_MSG_IMPRINT_get_algo(imprint)->algorithm);
	put("hashAlgorithm", "  hash algorithm", bio);
	for (int i = 0; i < ASN1_STRING_length(hash); i++)
		BIO_printf(bio, "%02x", ASN1_STRING_get0_data(hash)[i]);
	put("imprint", "  imprint", bio);
	if (nonce != NULL)
	{
		TS_ASN1_INTEGER_print_bio(bio, nonce);
		put("nonce", "  nonce", bio);
	}
}

bool
timestamp_inspect(const void *der, size_t n)
{
	TS_TST_INFO *info = n > 0 && n < 1000000 ? read_info(der, (long) n) : NULL;
	BIO		   *bio = BIO_new(BIO_s_mem());

	/* What OpenSSL noted about bytes that are no time stamp is of no interest. */
	ERR_clear_error();
	if (info != NULL && bio != NULL)
		report(info, bio);
	BIO_free(bio);
	TS_TST_INFO_free(info);
	return info != NULL && bio != NULL;
}
