/*
 * tls.c
 *		Certificates of TLS, ours and those of clients.
 *
 * What was read is one object, which a reload replaces as a whole.  The old one
 * is kept, for handshakes that are under way in other threads; that is a few
 * kilobytes a reload.
 */
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "log.h"
#include "tls.h"

#define MAX_CHAIN 8

typedef struct material
{
	gnutls_pcert_st chain[MAX_CHAIN];
	unsigned	chain_length;
	gnutls_privkey_t key;
	gnutls_x509_trust_list_t clients;	/* NULL: no client certificates */
	struct material *older;
} material;

static _Atomic(material *) current;

static bool
failed(const char *what, const char *file, int error)
{
	log_line(LOG_ERROR, "tls.files", "%s %s: %s", what, file, gnutls_strerror(error));
	return false;
}

static bool
read_chain(material *m, const char *file)
{
	gnutls_datum_t pem;
	int			error = gnutls_load_file(file, &pem);

	if (error < 0)
		return failed("the certificate", file, error);
	m->chain_length = MAX_CHAIN;
	error = gnutls_pcert_list_import_x509_raw(m->chain, &m->chain_length, &pem, GNUTLS_X509_FMT_PEM, 0);
	gnutls_free(pem.data);
	return error >= 0 || failed("the certificate", file, error);
}

static bool
read_key(material *m, const char *file)
{
	gnutls_datum_t pem;
	int			error = gnutls_load_file(file, &pem);

	if (error < 0)
		return failed("the private key", file, error);
	error = gnutls_privkey_init(&m->key);
	if (error >= 0)
		error = gnutls_privkey_import_x509_raw(m->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_memset(pem.data, 0, pem.size);
	gnutls_free(pem.data);
	return error >= 0 || failed("the private key", file, error);
}

/* A key that is not the certificate's would fail every handshake: better told now. */
static bool
key_fits(material *m, const char *file)
{
	static const gnutls_datum_t sample = {(void *) "sample", 6};
	gnutls_digest_algorithm_t digest = GNUTLS_DIG_SHA256;
	gnutls_sign_algorithm_t algorithm;
	gnutls_datum_t signature = {NULL, 0};
	int			error;

	if (gnutls_pubkey_get_preferred_hash_algorithm(m->chain[0].pubkey, &digest, NULL) < 0)
		digest = GNUTLS_DIG_SHA256;
	algorithm = gnutls_pk_to_sign((gnutls_pk_algorithm_t) gnutls_pubkey_get_pk_algorithm(m->chain[0].pubkey, NULL),
								  digest);
	error = gnutls_privkey_sign_data(m->key, digest, 0, &sample, &signature);
	if (error >= 0)
		error = gnutls_pubkey_verify_data2(m->chain[0].pubkey, algorithm, 0, &sample, &signature);
	gnutls_free(signature.data);
	return error >= 0 || failed("the certificate's key is not the one of", file, error);
}

static bool
read_clients(material *m, const char *file)
{
	int			error;

	if (*file == '\0')
		return true;
	error = gnutls_x509_trust_list_init(&m->clients, 0);
	if (error >= 0)
		error = gnutls_x509_trust_list_add_trust_file(m->clients, file, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
	if (error == 0)
		error = GNUTLS_E_NO_CERTIFICATE_FOUND;
	return error > 0 || failed("the clients' CA", file, error);
}

static void
free_material(material *m)
{
	for (unsigned i = 0; i < m->chain_length; i++)
		gnutls_pcert_deinit(&m->chain[i]);
	if (m->key != NULL)
		gnutls_privkey_deinit(m->key);
	if (m->clients != NULL)
		gnutls_x509_trust_list_deinit(m->clients, 1);
	free(m);
}

static bool
load(void)
{
	const config *settings = config_now();
	material   *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return false;
	if (*settings->tls_certificate == '\0' || *settings->tls_key == '\0')
	{
		log_line(LOG_ERROR, "tls.files", "https:// needs LEDGER__TLS__CERTIFICATE and LEDGER__TLS__KEY");
		free(m);
		return false;
	}
	if (!read_chain(m, settings->tls_certificate))
	{
		m->chain_length = 0;
		free_material(m);
		return false;
	}
	if (!read_key(m, settings->tls_key) || !key_fits(m, settings->tls_key) ||
		!read_clients(m, settings->tls_client_ca))
	{
		free_material(m);
		return false;
	}
	m->older = atomic_load(&current);
	atomic_store(&current, m);
	return true;
}

bool
tls_start(void)
{
	return atomic_load(&current) != NULL || load();
}

void
tls_reload(void)
{
	if (atomic_load(&current) == NULL)
		return;
	if (load())
		log_line(LOG_INFO, "tls.reloaded", "certificates were read anew");
	else
		log_line(LOG_ERROR, "tls.not_reloaded", "certificates are wrong; those from before hold");
}

int
tls_certificate(gnutls_session_t session, const gnutls_datum_t *names, int names_count,
				const gnutls_pk_algorithm_t *algorithms, int algorithms_count,
				gnutls_pcert_st **chain, unsigned *chain_length, gnutls_privkey_t *key)
{
	material   *m = atomic_load(&current);

	(void) session;
	(void) names;
	(void) names_count;
	(void) algorithms;
	(void) algorithms_count;
	*chain = m->chain;
	*chain_length = m->chain_length;
	*key = m->key;
	return 0;
}

void
tls_begin(gnutls_session_t session)
{
	if (atomic_load(&current)->clients == NULL)
		return;
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
	/* Names of CAs are a hint only, and would be those from before a reload. */
	gnutls_certificate_send_x509_rdn_sequence(session, 1);
}

static bool
verify(gnutls_x509_trust_list_t clients, gnutls_x509_crt_t *chain, unsigned n)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (void *) GNUTLS_KP_TLS_WWW_CLIENT, .size = 0
	};
	unsigned	status = 1;
	int			error = gnutls_x509_trust_list_verify_crt2(clients, chain, n, &purpose, 1,
														   GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM), &status,
														   NULL);

	return error >= 0 && status == 0;
}

tls_peer
tls_judge(gnutls_session_t session, gnutls_datum_t *der)
{
	material   *m = atomic_load(&current);
	unsigned	n = 0;
	const gnutls_datum_t *shown = gnutls_certificate_get_peers(session, &n);
	gnutls_x509_crt_t chain[MAX_CHAIN];
	unsigned	imported = 0;
	bool		good;

	if (shown == NULL || n == 0)
		return TLS_PEER_NONE;
	if (m->clients == NULL || n > MAX_CHAIN)
		return TLS_PEER_BAD;
	for (; imported < n; imported++)
	{
		if (gnutls_x509_crt_init(&chain[imported]) < 0)
			break;
		if (gnutls_x509_crt_import(chain[imported], &shown[imported], GNUTLS_X509_FMT_DER) < 0)
		{
			gnutls_x509_crt_deinit(chain[imported]);
			break;
		}
	}
	good = imported == n && verify(m->clients, chain, n);
	for (unsigned i = 0; i < imported; i++)
		gnutls_x509_crt_deinit(chain[i]);
	*der = shown[0];
	return good ? TLS_PEER_GOOD : TLS_PEER_BAD;
}
