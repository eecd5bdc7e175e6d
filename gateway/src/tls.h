/*
 * tls.h
 *		The certificate that we show, and the judgement of the one that a
 *		client shows (mutual TLS).
 *
 * libmicrohttpd asks a client for a certificate but lets in whatever comes, so
 * the gateway judges the peer itself, against LEDGER__TLS__CLIENTCA.
 */
#ifndef GATEWAY_TLS_H
#define GATEWAY_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>

/* TLS 1.2 and 1.3 only. */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

/* Reads the files.  False after a message. */
extern bool tls_start(void);

/* SIGHUP: reads the files anew, for connections from now on.  What is wrong is told, and the old ones stay. */
extern void tls_reload(void);

/* For MHD_OPTION_HTTPS_CERT_CALLBACK. */
extern int	tls_certificate(gnutls_session_t session, const gnutls_datum_t *names, int names_count,
							const gnutls_pk_algorithm_t *algorithms, int algorithms_count,
							gnutls_pcert_st **chain, unsigned *chain_length, gnutls_privkey_t *key);

/* Before the handshake: ask for the client's certificate, if there is a CA to judge it by. */
extern void tls_begin(gnutls_session_t session);

typedef enum tls_peer
{
	TLS_PEER_NONE,				/* showed no certificate */
	TLS_PEER_GOOD,				/* signed by the CA, valid now, for clients */
	TLS_PEER_BAD
} tls_peer;

/* der: the peer's certificate, as long as the session lives. */
extern tls_peer tls_judge(gnutls_session_t session, gnutls_datum_t *der);

#endif
