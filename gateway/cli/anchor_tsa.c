/*
 * anchor_tsa.c
 *		Time stamps, RFC 3161 over HTTP (section 3.4), by OpenSSL's TS.
 *
 * What is stamped is SHA-256 of the signed checkpoint with the one signature
 * line of the log's key, so that a token says both: this tree was there then,
 * and this key had signed it then.
 *
 * A token is kept only if all of this holds (RFC 3161 sections 2.2 to 2.4):
 * status granted; our imprint, our nonce, the policy if one is asked for; a
 * signature whose certificate the CMS names (ESS) and that leads to the CA
 * file; extended key usage timeStamping, critical and alone; a time within
 * the certificate's and close to ours.
 */
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "anchor.h"
#include "http.h"
#include "lc_sha256.h"

/* How far the authority's clock may be from ours, in seconds. */
#define TSA_CLOCK_SKEW 300
#define TSA_NONCE_LEN 16

typedef struct tsa
{
	X509_STORE *store;
	ASN1_OBJECT *policy;		/* NULL: whichever the authority has */
	char		url[1024];		/* may hold a password, which the name does not */
} tsa;

/* OpenSSL's reasons, the last one first. */
static bool
openssl_fault(fault *f, const char *what)
{
	char		reason[256] = "unknown reason";
	unsigned long code;

	while ((code = ERR_get_error()) != 0)
		if (ERR_reason_error_string(code) != NULL)
			snprintf(reason, sizeof(reason), "%s", ERR_reason_error_string(code));
	return fault_set(f, "%s: %s", what, reason);
}

static bool
set_imprint(TS_REQ *request, const uint8_t hash[LC_HASH_LEN])
{
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *algorithm = X509_ALGOR_new();
	bool		good = imprint != NULL && algorithm != NULL &&
		X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) &&
		TS_MSG_IMPRINT_set_algo(imprint, algorithm) &&
		TS_MSG_IMPRINT_set_msg(imprint, (unsigned char *) hash, LC_HASH_LEN) &&
		TS_REQ_set_msg_imprint(request, imprint);

	X509_ALGOR_free(algorithm);
	TS_MSG_IMPRINT_free(imprint);
	return good;
}

static bool
set_nonce(TS_REQ *request)
{
	unsigned char bytes[TSA_NONCE_LEN];
	BIGNUM	   *number;
	ASN1_INTEGER *nonce;
	bool		good;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] |= 0x80;			/* so that no nonce is short */
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	nonce = BN_to_ASN1_INTEGER(number, NULL);
	good = nonce != NULL && TS_REQ_set_nonce(request, nonce);
	ASN1_INTEGER_free(nonce);
	BN_free(number);
	return good;
}

static TS_REQ *
make_request(const tsa *t, const uint8_t hash[LC_HASH_LEN])
{
	TS_REQ	   *request = TS_REQ_new();

	if (request != NULL && TS_REQ_set_version(request, 1) && set_imprint(request, hash) &&
		set_nonce(request) && TS_REQ_set_cert_req(request, 1) &&
		(t->policy == NULL || TS_REQ_set_policy_id(request, t->policy)))
		return request;
	TS_REQ_free(request);
	return NULL;
}

static bool
check_status(TS_RESP *response, fault *f)
{
	TS_STATUS_INFO *info = TS_RESP_get_status_info(response);
	long		status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(info));
	const STACK_OF(ASN1_UTF8STRING) *texts = TS_STATUS_INFO_get0_text(info);
	const char *text = sk_ASN1_UTF8STRING_num(texts) > 0
		? (const char *) ASN1_STRING_get0_data(sk_ASN1_UTF8STRING_value(texts, 0)) : "";

	/* "Granted with mods" is another answer than what was asked for. */
	if (status != TS_STATUS_GRANTED)
		return fault_set(f, "the time stamp was not granted: status %ld%s%s", status, *text ? ", " : "", text);
	if (TS_RESP_get_token(response) == NULL)
		return fault_set(f, "the answer says granted and has no token");
	return true;
}

static bool
check_time(TS_RESP *response, X509 *signer, fault *f)
{
	const ASN1_GENERALIZEDTIME *stamped = TS_TST_INFO_get_time(TS_RESP_get_tst_info(response));
	int			days,
				seconds;

	if (ASN1_TIME_compare(stamped, X509_get0_notBefore(signer)) < 0 ||
		ASN1_TIME_compare(stamped, X509_get0_notAfter(signer)) > 0)
		return fault_set(f, "the time stamp lies outside its certificate's time");
	if (!ASN1_TIME_diff(&days, &seconds, NULL, stamped))
		return fault_set(f, "the time stamp's time cannot be read");
	if (days != 0 || abs(seconds) > TSA_CLOCK_SKEW)
		return fault_set(f, "the authority's clock is more than %d seconds from ours", TSA_CLOCK_SKEW);
	return true;
}

/* The certificate that signed the token: OpenSSL has found it by the ESS attribute. */
static X509 *
signer_of(TS_RESP *response)
{
	PKCS7	   *token = TS_RESP_get_token(response);
	STACK_OF(X509) *signers = PKCS7_get0_signers(token, NULL, 0);
	X509	   *signer = sk_X509_num(signers) == 1 ? sk_X509_value(signers, 0) : NULL;

	sk_X509_free(signers);
	return signer;
}

/*
 * Everything that the request fixes, the signature and the chain.  OpenSSL's
 * purpose for this chain demands the extended key usage as section 2.3 has it.
 */
static bool
check_token(const tsa *t, TS_REQ *request, TS_RESP *response, fault *f)
{
	TS_VERIFY_CTX *context = TS_REQ_to_TS_VERIFY_CTX(request, NULL);
	bool		good = false;

	if (context != NULL && X509_STORE_up_ref(t->store))
	{
		TS_VERIFY_CTX_add_flags(context, TS_VFY_SIGNATURE | TS_VFY_SIGNER);
		TS_VERIFY_CTX_set_store(context, t->store);
		good = TS_RESP_verify_response(context, response) == 1;
	}
	if (!good)
		openssl_fault(f, "the time stamp is not valid");
	TS_VERIFY_CTX_free(context);
	return good;
}

static bool
check_response(const tsa *t, TS_REQ *request, TS_RESP *response, fault *f)
{
	X509	   *signer;

	if (!check_status(response, f) || !check_token(t, request, response, f))
		return false;
	signer = signer_of(response);
	if (signer == NULL)
		return fault_set(f, "the token has not exactly one signer");
	return check_time(response, signer, f);
}

/* tsa::<serial in hex>, as `openssl ts -reply -text` shows it; the token in DER. */
static bool
take_token(TS_RESP *response, anchor_receipt *out, fault *f)
{
	BIGNUM	   *serial = ASN1_INTEGER_to_BN(TS_TST_INFO_get_serial(TS_RESP_get_tst_info(response)), NULL);
	char	   *hex = serial == NULL ? NULL : BN_bn2hex(serial);
	unsigned char *der = NULL;
	int			n = i2d_PKCS7(TS_RESP_get_token(response), &der);
	bool		good = hex != NULL && n > 0;

	if (good)
	{
		lc_buf_puts(&out->reference, "tsa::");
		for (const char *p = hex; *p != '\0'; p++)
			lc_buf_putc(&out->reference, *p >= 'A' && *p <= 'F' ? (char) (*p + 32) : *p);
		lc_buf_append(&out->receipt, der, (size_t) n);
	}
	else
		openssl_fault(f, "the token cannot be written");
	OPENSSL_free(der);
	OPENSSL_free(hex);
	BN_free(serial);
	return good;
}

/* Exactly one DER value of the right type. */
static TS_RESP *
read_response(const http_answer *answer, fault *f)
{
	const unsigned char *p = (const unsigned char *) answer->body.data;
	TS_RESP    *response = NULL;

	if (answer->status != 200)
	{
		fault_set(f, "the time stamp authority answered with HTTP status %ld", answer->status);
		return NULL;
	}
	if (answer->body.len > 0)
		response = d2i_TS_RESP(NULL, &p, (long) answer->body.len);
	if (response == NULL || p != (const unsigned char *) answer->body.data + answer->body.len)
	{
		fault_set(f, "the authority's answer is no time stamp response");
		TS_RESP_free(response);
		return NULL;
	}
	return response;
}

static bool
encode_request(TS_REQ *request, lc_buf *out)
{
	unsigned char *der = NULL;
	int			n = i2d_TS_REQ(request, &der);

	if (n > 0)
		lc_buf_append(out, der, (size_t) n);
	OPENSSL_free(der);
	return n > 0 && out->status == LC_OK;
}

/* Posts the request and judges what comes back. */
static anchor_outcome
exchange(external_anchor *self, TS_REQ *request, const lc_buf *der, anchor_receipt *out, fault *f)
{
	http_answer answer;
	TS_RESP    *response;
	bool		good;

	const tsa  *t = self->data;

	if (!http_post(t->url, "application/timestamp-query", der, &answer, f))
	{
		lc_buf_free(&answer.body);
		return ANCHOR_DOWN;
	}
	response = read_response(&answer, f);
	good = response != NULL && check_response(t, request, response, f) &&
		take_token(response, out, f);
	TS_RESP_free(response);
	lc_buf_free(&answer.body);
	return good ? ANCHOR_DONE : ANCHOR_FAILED;
}

static anchor_outcome
tsa_publish(external_anchor *self, const anchor_item *item, anchor_receipt *out, fault *f)
{
	const tsa  *t = self->data;
	uint8_t		hash[LC_HASH_LEN];
	TS_REQ	   *request = NULL;
	anchor_outcome outcome = ANCHOR_FAILED;
	lc_buf		der;

	lc_buf_init(&der, &lc_alloc_malloc);
	ERR_clear_error();
	if (lc_sha256(item->checkpoint.s, item->checkpoint.n, hash) == LC_OK)
		request = make_request(t, hash);
	if (request != NULL && encode_request(request, &der))
		outcome = exchange(self, request, &der, out, f);
	else
		openssl_fault(f, "the time stamp request cannot be made");
	TS_REQ_free(request);
	lc_buf_free(&der);
	return outcome;
}

static void
tsa_close(external_anchor *self)
{
	tsa		   *t = self->data;

	X509_STORE_free(t->store);
	ASN1_OBJECT_free(t->policy);
	free(t);
}

bool
anchor_tsa_open(external_anchor *self, const char *url, const char *ca_file, const char *policy_oid,
				fault *f)
{
	tsa		   *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return fault_set(f, "out of memory");
	self->kind = "tsa";
	snprintf(t->url, sizeof(t->url), "%s", url);
	http_public_url(url, self->name, sizeof(self->name));
	self->publish = tsa_publish;
	self->close = tsa_close;
	self->data = t;
	t->store = X509_STORE_new();
	if (t->store == NULL || X509_STORE_load_file(t->store, ca_file) != 1)
		openssl_fault(f, "the CA file of the time stamp authority cannot be read");
	else if (policy_oid != NULL && (t->policy = OBJ_txt2obj(policy_oid, 1)) == NULL)
		fault_set(f, "\"%s\" is no object identifier of a policy", policy_oid);
	else
		return true;
	tsa_close(self);
	return false;
}
