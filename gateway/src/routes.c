/*
 * routes.c
 *		The routes.  To add one: a row here, its SQL function in sql/functions,
 *		its path in openapi.yaml (test/gateway/openapi.mjs compares them).
 */
#include "http_local.h"
#include "probe.h"
#include "prom.h"
#include "route.h"
#include "work.h"

#define FINDING "/v1/ledger/findings/{findingId*}"
#define CHAIN "/v1/ledger/chains/{chainId}"
#define RO ROUTE_READ_ONLY

const route routes[] = {
	{.name = "getIndex", .method = "GET", .pattern = "/", .class = ROUTE_LOCAL, .local = local_index},
	{.name = "getOpenApi", .method = "GET", .pattern = "/openapi.yaml", .class = ROUTE_LOCAL, .local = local_openapi,
		.produces = "application/yaml"},
	{.name = "getProblem", .method = "GET", .pattern = "/problems/{code}", .class = ROUTE_LOCAL,
		.local = local_problem},

	/* What orchestrators and monitors ask; also on the admin port. */
	{.name = "getLive", .method = "GET", .pattern = "/health/live", .class = ROUTE_LOCAL, .local = probe_live,
		.flags = ROUTE_ADMIN},
	{.name = "getReady", .method = "GET", .pattern = "/health/ready", .class = ROUTE_LOCAL, .local = probe_ready,
		.flags = ROUTE_ADMIN},
	{.name = "getMetrics", .method = "GET", .pattern = "/metrics", .class = ROUTE_LOCAL, .local = prom_local,
		.produces = "text/plain application/openmetrics-text", .flags = ROUTE_ADMIN},

	/* Events. */
	{.name = "appendEvent", .method = "POST", .pattern = "/v1/ledger/events", .scope = SCOPE_EVENTS_WRITE,
		.class = ROUTE_APPEND, .body = BODY_JSON},
	{.name = "appendEvents", .method = "POST", .pattern = "/v1/ledger/events:batch", .scope = SCOPE_EVENTS_WRITE,
		.class = ROUTE_SLOW, .body = BODY_EVENTS, .function = "ledger_http_append_batch"},
	{.name = "listEvents", .method = "GET", .pattern = "/v1/ledger/events", .scope = SCOPE_EVENTS_READ,
		.class = ROUTE_QUICK, .function = "ledger_http_events",
		.query = "chainId sinceSequence findingId type limit cursor", .flags = RO | ROUTE_PAGED},
	{.name = "getEvent", .method = "GET", .pattern = "/v1/ledger/events/{eventId}", .scope = SCOPE_EVENTS_READ,
		.class = ROUTE_QUICK, .function = "ledger_http_event", .flags = RO},
	/* Not read-only: who asked for evidence is recorded (ledger_access_log). */
	{.name = "getEventProof", .method = "GET", .pattern = "/v1/ledger/events/{eventId}/proof",
		.scope = SCOPE_EVENTS_READ, .class = ROUTE_SLOW, .function = "ledger_http_proof", .produces = "text/plain"},

	/* Chains, as tlog-tiles (C2SP) and by our own proofs. */
	{.name = "listChains", .method = "GET", .pattern = "/v1/ledger/chains", .scope = SCOPE_EVENTS_READ,
		.class = ROUTE_QUICK, .function = "ledger_http_chains", .query = "policyVersion limit cursor",
		.flags = RO | ROUTE_PAGED},
	{.name = "getCheckpoint", .method = "GET", .pattern = CHAIN "/checkpoint", .scope = SCOPE_EVENTS_READ,
		.class = ROUTE_QUICK, .function = "ledger_http_checkpoint", .produces = "text/plain",
		.query = "size", .flags = RO},
	{.name = "getConsistency", .method = "GET", .pattern = CHAIN "/consistency", .scope = SCOPE_EVENTS_READ,
		.class = ROUTE_SLOW, .function = "ledger_http_consistency", .query = "from to"},
	{.name = "getTile", .method = "GET", .pattern = CHAIN "/tile/{tile...}", .scope = SCOPE_EVENTS_READ,
		.class = ROUTE_QUICK, .function = "ledger_http_tile", .produces = "application/octet-stream",
		.flags = RO | ROUTE_LONG},
	{.name = "listAnchors", .method = "GET", .pattern = "/v1/ledger/anchors", .scope = SCOPE_EVENTS_READ,
		.class = ROUTE_QUICK, .function = "ledger_http_anchors", .query = "chainId sinceSize limit cursor",
		.flags = RO | ROUTE_PAGED},

	/* Findings. */
	{.name = "listFindings", .method = "GET", .pattern = "/v1/ledger/projections/findings",
		.scope = SCOPE_EVENTS_READ, .class = ROUTE_SLOW, .function = "ledger_http_findings",
		.query = "findingId policyVersion status severityMin severityMax riskSeverity artifactId vulnId chainId "
			"asOfSequence asOf limit cursor", .flags = RO | ROUTE_PAGED},
	{.name = "getFindingHistory", .method = "GET", .pattern = FINDING "/history", .scope = SCOPE_EVENTS_READ,
		.class = ROUTE_QUICK, .function = "ledger_http_history", .query = "policyVersion limit cursor",
		.flags = RO | ROUTE_PAGED},

	{.name = "exportFindings", .method = "GET", .pattern = "/ledger/export/findings", .scope = SCOPE_EXPORT_READ,
		.class = ROUTE_SLOW, .work = export_findings, .produces = "application/x-ndjson application/json",
		.query = "shape since_sequence until_sequence since_observed_at until_observed_at advisory_id component_purl "
			"finding_status severity risk_profile_version page_size page_token",
		.flags = ROUTE_PAGED | ROUTE_GZIP},
	{.name = "getRedactionManifest", .method = "GET", .pattern = "/ledger/export/redaction-manifest",
		.scope = SCOPE_EXPORT_READ, .class = ROUTE_QUICK, .function = "ledger_http_redaction_manifest", .flags = RO},
	{.name = "verifyLedger", .method = "POST", .pattern = "/v1/ledger/verify", .scope = SCOPE_AUDIT,
		.class = ROUTE_SLOW, .body = BODY_JSON, .function = "ledger_http_verify"},

	/* Attachments. */
	{.name = "addAttachment", .method = "POST", .pattern = FINDING "/attachments", .scope = SCOPE_ATTACHMENTS_WRITE,
		.class = ROUTE_SLOW, .body = BODY_BYTES, .body_limit = 16 * 1024 * 1024, .work = attachment_store,
		.query = "policyVersion artifactId vulnId filename"},
	{.name = "listAttachments", .method = "GET", .pattern = FINDING "/attachments", .scope = SCOPE_ATTACHMENTS_READ,
		.class = ROUTE_SLOW, .function = "ledger_http_attachments", .query = "limit cursor", .flags = ROUTE_PAGED},
	{.name = "getAttachment", .method = "GET", .pattern = FINDING "/attachments/{attachmentId}",
		.scope = SCOPE_ATTACHMENTS_READ, .class = ROUTE_SLOW, .work = attachment_read, .produces = "*/*",
		.query = "tenant expires signature", .flags = ROUTE_SIGNED_URL},
	{.name = "linkAttachment", .method = "POST", .pattern = FINDING "/attachments/{attachmentId}/link",
		.scope = SCOPE_ATTACHMENTS_READ, .class = ROUTE_SLOW, .work = attachment_link},
	{.name = "pushAttachment", .method = "POST", .pattern = FINDING "/attachments/{attachmentId}/push",
		.scope = SCOPE_ATTACHMENTS_EGRESS, .class = ROUTE_SLOW, .body = BODY_JSON, .work = attachment_push},
};

const size_t routes_count = sizeof(routes) / sizeof(routes[0]);
