/*
 * config.h
 *		Settings: environment LEDGER__SECTION__KEY over …_FILE over the
 *		settings file.  One table (config_table.c) has each with its type,
 *		default, bounds, whether it is secret and whether SIGHUP changes it;
 *		docs/reference/gateway-settings.md is generated from it.
 *
 * config_now() is good until the caller returns to its loop: a reload replaces
 * the whole, and the old one is kept until the program ends.
 */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct config
{
	/* HTTP */
	char	   *listen;			/* "http://127.0.0.1:8080", several separated by ";" ; https:// with TLS */
	char	   *admin_listen;	/* "" : none */
	int64_t		max_connections, per_ip_connections, loops;
	int64_t		idle_timeout_ms, request_timeout_ms, drain_timeout_ms, drain_delay_ms;
	int64_t		max_header, max_body, max_batch, max_depth, body_memory;
	char	   *cursor_key;		/* secret; base64, 32 bytes; "" : random */
	/* TLS */
	char	   *tls_certificate, *tls_key, *tls_client_ca, *tls_clients;	/* files; "" : none */
	bool		tls_require_client;
	/* DB */
	char	   *db_connection;	/* secret; for PQconninfoParse, whichever form was given (connstring.h) */
	int64_t		db_slow_connections, db_append_connections, db_queue;
	int64_t		db_connect_timeout_ms, db_statement_timeout_ms, db_slow_timeout_ms;
	/* AUTH */
	char	   *auth_jwks, *auth_issuer, *auth_audience, *auth_tenant_claim, *auth_ca_file;
	int64_t		auth_skew_s, auth_refresh_ms, auth_min_refresh_ms, auth_cache;
	/* QUOTA */
	int64_t		quota_backlog, quota_rate, quota_burst;
	/* ATTACHMENTS */
	char	   *att_key, *att_previous_keys;	/* secret; base64, 32 bytes (previous: several, ";") */
	bool		att_allow_egress;
	char	   *att_egress_allowlist, *att_egress_ca_file;
	int64_t		att_url_lifetime_ms, att_max_size, att_lifetime_ms;
	/* EXPORT */
	char	   *export_key;		/* secret; a signed-note private key; "" : manifests are not signed */
	int64_t		export_timeout_ms;
	/* OBSERVABILITY */
	bool		obs_enabled, obs_tenant_label;
	int64_t		obs_refresh_ms;
	char	   *log_level;		/* debug, info, warn, error */
	/* TICKS */
	bool		ticks_enabled;
	int64_t		ticks_anchor_ms, ticks_maintenance_ms;
	char	   *ticks_ledgerctl;	/* the program that signs */
	int64_t		merkle_interval_ms;	/* LEDGER__MERKLE__ANCHORINTERVAL, else WINDOWDURATION: for "late" */
} config;

extern const config *config_now(void);

/*
 * Reads all.  Every error is told, at once, on standard error, without values
 * of secrets; false if there was one.  At a reload the settings that cannot
 * change keep their values and a changed one is told in the log.
 */
extern bool config_load(const char *file);
extern bool config_reload(void);
extern void config_print(void);	/* --print-config: secrets masked */
extern const char *config_notes(void);	/* lines about what is allowed, and hardly meant */

/*
 * The environment for a child (the ticks): LEDGER__MERKLE__…,
 * LEDGER__EXTERNALANCHORING__… and the connection, whether they came from the
 * environment or the file, and what any program needs (PATH, HOME, TZ, LANG).
 */
extern char *const *config_child_environment(void);

#endif
