/*
 * config_table.c
 *		Every setting of the gateway, one row each; and, with type CONFIG_CHILD,
 *		those of ledgerctl that the gateway hands on to it.
 *
 * docs/reference/gateway-settings.md is printed from this table.
 */
#include "config_internal.h"

#define F(member) offsetof(config, member)
#define NONE 0
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define MIB (INT64_C(1024) * 1024)

enum { KEEP = false, RELOAD = true, PLAIN = false, SECRET = true };

const config_key config_keys[] = {
	/* HTTP */
	{"HTTP__LISTEN", CONFIG_LISTEN, F(listen), "http://127.0.0.1:8080", 0, 0, PLAIN, KEEP,
		"Addresses to listen on, separated by \";\". https:// needs a certificate; * and + stand for every IPv4 "
		"address; port 0 lets the system choose. ASPNETCORE_URLS is another name for it, and has no effect beside it."},
	{"HTTP__ADMINLISTEN", CONFIG_LISTEN, F(admin_listen), "", 0, 0, PLAIN, KEEP,
		"Addresses that answer health and metrics only, so that these can be kept from the network of the callers."},
	{"HTTP__LOOPS", CONFIG_NUMBER, F(loops), "1", 1, 64, PLAIN, KEEP,
		"Threads that serve connections, each with a connection to the database of its own."},
	{"HTTP__MAXCONNECTIONS", CONFIG_NUMBER, F(max_connections), "1024", 1, 100000, PLAIN, KEEP,
		"Connections at once, over all loops; further ones are closed."},
	{"HTTP__PERIPCONNECTIONS", CONFIG_NUMBER, F(per_ip_connections), "0", 0, 100000, PLAIN, KEEP,
		"Connections at once from one address; 0: no such limit, as behind a proxy."},
	{"HTTP__IDLETIMEOUT", CONFIG_MILLISECONDS, F(idle_timeout_ms), "60s", SECOND, DAY, PLAIN, KEEP,
		"A connection on which nothing comes or goes for so long is closed."},
	{"HTTP__REQUESTTIMEOUT", CONFIG_MILLISECONDS, F(request_timeout_ms), "30s", SECOND, HOUR, PLAIN, RELOAD,
		"What a whole request may take, from its first byte to its answer. Exports have EXPORT__TIMEOUT."},
	{"HTTP__DRAINTIMEOUT", CONFIG_MILLISECONDS, F(drain_timeout_ms), "30s", 0, HOUR, PLAIN, RELOAD,
		"After SIGTERM, how long requests in flight may take to finish."},
	{"HTTP__DRAINDELAY", CONFIG_MILLISECONDS, F(drain_delay_ms), "0s", 0, HOUR, PLAIN, RELOAD,
		"After SIGTERM, how long to serve on while readiness answers 503 already, so that a load balancer notices."},
	{"HTTP__MAXHEADER", CONFIG_NUMBER, F(max_header), "16384", 1024, 1048576, PLAIN, KEEP,
		"Bytes of a request line and its headers."},
	{"HTTP__MAXBODY", CONFIG_NUMBER, F(max_body), "1048576", 1024, 64 * MIB, PLAIN, RELOAD,
		"Bytes of a body, where the route has no limit of its own."},
	{"HTTP__BODYMEMORY", CONFIG_NUMBER, F(body_memory), "268435456", MIB, 65536 * MIB, PLAIN, RELOAD,
		"Bytes of bodies that may be on their way at once, of all connections, each as long as it came or became in "
		"canonical form; beyond it requests are told 503."},
	{"HTTP__MAXBATCH", CONFIG_NUMBER, F(max_batch), "16777216", 1024, 256 * MIB, PLAIN, RELOAD,
		"Bytes of the body of a batch of events."},
	{"HTTP__MAXDEPTH", CONFIG_NUMBER, F(max_depth), "64", 4, 1000, PLAIN, RELOAD,
		"How deep arrays and objects may be nested in a body."},
	{"HTTP__CURSORKEY", CONFIG_TEXT, F(cursor_key), "", 0, 0, SECRET, KEEP,
		"Key of page tokens: 32 bytes in base64. Without it each process makes one of its own, and a token is good "
		"only where it came from."},
	/* TLS */
	{"TLS__CERTIFICATE", CONFIG_FILE, F(tls_certificate), "", 0, 0, PLAIN, RELOAD,
		"PEM file of the certificate and its chain, for https:// addresses."},
	{"TLS__KEY", CONFIG_FILE, F(tls_key), "", 0, 0, PLAIN, RELOAD,
		"PEM file of its private key."},
	{"TLS__CLIENTCA", CONFIG_FILE, F(tls_client_ca), "", 0, 0, PLAIN, RELOAD,
		"PEM file of the authorities whose client certificates are accepted."},
	{"TLS__CLIENTS", CONFIG_FILE, F(tls_clients), "", 0, 0, PLAIN, RELOAD,
		"File that maps client certificates to tenants and scopes."},
	{"TLS__REQUIRECLIENT", CONFIG_BOOL, F(tls_require_client), "false", 0, 0, PLAIN, RELOAD,
		"Refuse every request over https:// without a good client certificate."},
	/* DB */
	{"DB__CONNECTIONSTRING", CONFIG_CONNECTION, F(db_connection), "", 0, 0, SECRET, KEEP,
		"The database: a URI (postgresql://…), keywords of libpq (host=… dbname=…), or Host=…;Username=…. "
		"What it leaves out comes from PGHOST and so on."},
	{"DB__APPENDCONNECTIONS", CONFIG_NUMBER, F(db_append_connections), "2", 1, 64, PLAIN, KEEP,
		"Connections of a loop for appends: so many tenants are written to at once."},
	{"DB__SLOWCONNECTIONS", CONFIG_NUMBER, F(db_slow_connections), "4", 1, 256, PLAIN, KEEP,
		"Connections for exports, verification, attachments and other slow work."},
	{"DB__QUEUE", CONFIG_NUMBER, F(db_queue), "1024", 1, 100000, PLAIN, KEEP,
		"Requests of a loop that may wait for the database; a further one is refused with 503 at once."},
	{"DB__CONNECTTIMEOUT", CONFIG_MILLISECONDS, F(db_connect_timeout_ms), "5s", 100, 10 * MINUTE, PLAIN, KEEP,
		"How long connecting may take before the next try."},
	{"DB__STATEMENTTIMEOUT", CONFIG_MILLISECONDS, F(db_statement_timeout_ms), "5s", 100, HOUR, PLAIN, KEEP,
		"What a statement of a quick route or an append may take."},
	{"DB__SLOWTIMEOUT", CONFIG_MILLISECONDS, F(db_slow_timeout_ms), "25s", 100, DAY, PLAIN, KEEP,
		"What a statement of a slow route may take; of exports, EXPORT__TIMEOUT."},
	/* AUTH */
	{"AUTH__JWKS", CONFIG_TEXT, F(auth_jwks), "", 0, 0, PLAIN, RELOAD,
		"The keys of the authority that signs tokens: a file, or a URL with https:// or http://."},
	{"AUTH__ISSUER", CONFIG_TEXT, F(auth_issuer), "", 0, 0, PLAIN, RELOAD,
		"What \"iss\" of a token must be."},
	{"AUTH__AUDIENCE", CONFIG_TEXT, F(auth_audience), "", 0, 0, PLAIN, RELOAD,
		"What \"aud\" of a token must be, or contain."},
	{"AUTH__TENANTCLAIM", CONFIG_TEXT, F(auth_tenant_claim), "tenant", 0, 0, PLAIN, RELOAD,
		"The claim that names the tenant."},
	{"AUTH__CAFILE", CONFIG_FILE, F(auth_ca_file), "", 0, 0, PLAIN, RELOAD,
		"PEM file of the authorities trusted for the URL of the keys; without it the system's."},
	{"AUTH__SKEW", CONFIG_SECONDS, F(auth_skew_s), "60s", 0, 600, PLAIN, RELOAD,
		"How far clocks may differ when \"exp\" and \"nbf\" are looked at."},
	{"AUTH__REFRESH", CONFIG_MILLISECONDS, F(auth_refresh_ms), "5m", SECOND, DAY, PLAIN, RELOAD,
		"How often the keys are fetched anew."},
	{"AUTH__MINREFRESH", CONFIG_MILLISECONDS, F(auth_min_refresh_ms), "30s", 10, DAY, PLAIN, RELOAD,
		"How often at most, when a token names a key that is not known."},
	{"AUTH__CACHE", CONFIG_NUMBER, F(auth_cache), "10000", 0, 10000000, PLAIN, KEEP,
		"Tokens whose good signature is remembered; 0: none."},
	/* QUOTA */
	{"QUOTA__BACKLOG", CONFIG_NUMBER, F(quota_backlog), "5000", 0, 1000000000, PLAIN, RELOAD,
		"Events of a tenant that may wait to be anchored; more are refused with 429. 0: no limit."},
	{"QUOTA__RATE", CONFIG_NUMBER, F(quota_rate), "0", 0, 10000000, PLAIN, RELOAD,
		"Events a second that a tenant may append in the long run; 0: no limit."},
	{"QUOTA__BURST", CONFIG_NUMBER, F(quota_burst), "0", 0, 10000000, PLAIN, RELOAD,
		"Events that it may append at once after a pause; 0: as many as RATE."},
	/* ATTACHMENTS */
	{"ATTACHMENTS__ENCRYPTIONKEY", CONFIG_TEXT, F(att_key), "", 0, 0, SECRET, RELOAD,
		"Key that wraps the keys of attachments: 32 bytes in base64. Without it there are no attachments."},
	{"ATTACHMENTS__PREVIOUSKEYS", CONFIG_TEXT, F(att_previous_keys), "", 0, 0, SECRET, RELOAD,
		"Keys that were used before, separated by \";\": what they wrapped is wrapped anew."},
	{"ATTACHMENTS__MAXSIZE", CONFIG_NUMBER, F(att_max_size), "16777216", 1, 16 * MIB, PLAIN, RELOAD,
		"Bytes of an attachment."},
	{"ATTACHMENTS__LIFETIME", CONFIG_MILLISECONDS, F(att_lifetime_ms), "0s", 0, 3650 * DAY, PLAIN, RELOAD,
		"How long an attachment may be read; 0: as long as it is kept."},
	{"ATTACHMENTS__URLLIFETIME", CONFIG_MILLISECONDS, F(att_url_lifetime_ms), "5m", SECOND, DAY, PLAIN, RELOAD,
		"How long a signed link is good."},
	{"ATTACHMENTS__ALLOWEGRESS", CONFIG_BOOL, F(att_allow_egress), "false", 0, 0, PLAIN, RELOAD,
		"May attachments be pushed to other services? false is sealed mode."},
	{"ATTACHMENTS__EGRESSALLOWLIST", CONFIG_TEXT, F(att_egress_allowlist), "", 0, 0, PLAIN, RELOAD,
		"The hosts to which they may go, separated by \";\"."},
	{"ATTACHMENTS__EGRESSCAFILE", CONFIG_FILE, F(att_egress_ca_file), "", 0, 0, PLAIN, RELOAD,
		"PEM file of the authorities trusted for those; without it the system's."},
	/* EXPORT */
	{"EXPORT__SIGNINGKEY", CONFIG_TEXT, F(export_key), "", 0, 0, SECRET, RELOAD,
		"Private key (of ledgerctl keygen) that signs the manifests of exports; without it they are not signed."},
	{"EXPORT__TIMEOUT", CONFIG_MILLISECONDS, F(export_timeout_ms), "10m", SECOND, DAY, PLAIN, RELOAD,
		"What an export may take."},
	/* OBSERVABILITY */
	{"OBSERVABILITY__ENABLED", CONFIG_BOOL, F(obs_enabled), "true", 0, 0, PLAIN, RELOAD,
		"false: /metrics answers 404."},
	{"OBSERVABILITY__TENANTLABEL", CONFIG_BOOL, F(obs_tenant_label), "true", 0, 0, PLAIN, RELOAD,
		"false: metrics are summed over the tenants: where /metrics must not name them, or there are very many."},
	{"OBSERVABILITY__REFRESH", CONFIG_MILLISECONDS, F(obs_refresh_ms), "5s", 100, HOUR, PLAIN, RELOAD,
		"How often the metrics that the database has are read from it."},
	{"OBSERVABILITY__LOGLEVEL", CONFIG_LEVEL, F(log_level), "info", 0, 0, PLAIN, RELOAD,
		"The least that is logged: debug, info, warn or error. Requests are info, probes that went well debug."},
	/* TICKS */
	{"TICKS__ENABLED", CONFIG_BOOL, F(ticks_enabled), "true", 0, 0, PLAIN, KEEP,
		"Does this process call anchoring and maintenance by the clock? Several may."},
	{"TICKS__ANCHORINTERVAL", CONFIG_MILLISECONDS, F(ticks_anchor_ms), "15s", 100, DAY, PLAIN, RELOAD,
		"How often \"ledgerctl anchor\" is run. What is due then, MERKLE__… says."},
	{"TICKS__MAINTENANCEINTERVAL", CONFIG_MILLISECONDS, F(ticks_maintenance_ms), "1m", 100, DAY, PLAIN, RELOAD,
		"How often partitions and projections are looked after."},
	{"TICKS__LEDGERCTL", CONFIG_TEXT, F(ticks_ledgerctl), "ledgerctl", 0, 0, PLAIN, RELOAD,
		"The program that anchors: a path, or a name that PATH finds."},
	/* Handed on to ledgerctl; docs/anchors.md has their meaning. */
	{"MERKLE__BATCHSIZE", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD,
		"A chain is anchored when it has so many new events."},
	{"MERKLE__WINDOWDURATION", CONFIG_CHILD_SPAN, NONE, "", SECOND, 3650 * DAY, PLAIN, RELOAD,
		"A chain is anchored when its first new event is so old."},
	{"MERKLE__ANCHORINTERVAL", CONFIG_CHILD_SPAN, NONE, "", 0, 3650 * DAY, PLAIN, RELOAD,
		"The same, if that is sooner."},
	{"MERKLE__SIGNINGKEY", CONFIG_CHILD, NONE, "", 0, 0, SECRET, RELOAD,
		"Private key that signs checkpoints. Better MERKLE__SIGNINGKEY_FILE: the gateway itself needs no such key."},
	{"MERKLE__SIGNINGKEY_FILE", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD,
		"The file that holds it, read by ledgerctl alone."},
	{"MERKLE__STATEDIR", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD,
		"Directory in which the signer remembers what it signed."},
	{"EXTERNALANCHORING__ENABLED", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD,
		"true: checkpoints are published as the following say."},
	{"EXTERNALANCHORING__WORM", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD, "off, best-effort or required."},
	{"EXTERNALANCHORING__WORMDIR", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD, "Directory of a write-once store."},
	{"EXTERNALANCHORING__AIRGAP", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD, "off, best-effort or required."},
	{"EXTERNALANCHORING__AIRGAPDIR", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD,
		"Directory of bundles to carry away."},
	{"EXTERNALANCHORING__AIRGAPBUNDLE", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD, "Name of those bundles."},
	{"EXTERNALANCHORING__TSA", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD, "off, best-effort or required."},
	{"EXTERNALANCHORING__TSAURL", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD,
		"URL of a time stamp authority (RFC 3161)."},
	{"EXTERNALANCHORING__TSACAFILE", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD, "PEM file of who certifies it."},
	{"EXTERNALANCHORING__TSAPOLICY", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD, "Policy that its stamps must have."},
	{"EXTERNALANCHORING__WITNESS", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD, "off, best-effort or required."},
	{"EXTERNALANCHORING__WITNESSURL", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD, "URL of a witness."},
	{"EXTERNALANCHORING__WITNESSKEY", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD, "Its public key."},
	{"EXTERNALANCHORING__HTTPSCAFILE", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD,
		"PEM file of the authorities trusted for these URLs."},
	{"EXTERNALANCHORING__TIMEOUT", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD, "Seconds that one exchange may take."},
	{"OFFLINE", CONFIG_CHILD, NONE, "", 0, 0, PLAIN, RELOAD,
		"true: ledgerctl refuses whatever needs a server, so nothing is anchored."},
};

const size_t config_keys_count = sizeof(config_keys) / sizeof(config_keys[0]);
_Static_assert(sizeof(config_keys) / sizeof(config_keys[0]) <= CONFIG_MAX_KEYS, "config_texts has no room for them");
