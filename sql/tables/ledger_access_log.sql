-- Who was given evidence, and when.  Written by the gateway through
-- ledger_log_access(); a row stays as it is.
CREATE TABLE ledger.ledger_access_log (
	tenant_id  text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	access_id  uuid        NOT NULL DEFAULT ledger.ledger_uuid_v7(),
	at         timestamptz NOT NULL DEFAULT now(),
	subject    text COLLATE "C" NOT NULL CHECK (octet_length(subject) <= 1024),
	-- Whoever has a link is nobody in particular: a token's subject may be "link" too.
	via        text COLLATE "C" CHECK (via IN ('token', 'certificate', 'link')),
	role_name  name        NOT NULL DEFAULT session_user,
	action     text COLLATE "C" NOT NULL CHECK (action ~ '^[a-z]+([._][a-z]+)*$' AND octet_length(action) <= 63),
	object     text COLLATE "C" NOT NULL CHECK (octet_length(object) <= 4096),
	request_id text COLLATE "C" CHECK (octet_length(request_id) <= 256),
	trace_id   text COLLATE "C" CHECK (octet_length(trace_id) <= 64),
	PRIMARY KEY (tenant_id, access_id)
);
COMMENT ON TABLE ledger.ledger_access_log IS
	'Who got evidence through the gateway: proofs, exports, attachments, verifications. Append-only; written by ledger_log_access().';
COMMENT ON COLUMN ledger.ledger_access_log.tenant_id IS 'Whose evidence it is.';
COMMENT ON COLUMN ledger.ledger_access_log.access_id IS 'UUID version 7: in the order of time.';
COMMENT ON COLUMN ledger.ledger_access_log.at IS 'When the transaction that gave it began.';
COMMENT ON COLUMN ledger.ledger_access_log.subject IS 'Who asked, as the gateway knows him: subject of the token, or of the client certificate.';
COMMENT ON COLUMN ledger.ledger_access_log.via IS 'What he brought: token, certificate, or a signed link, which says nothing of who he is.';
COMMENT ON COLUMN ledger.ledger_access_log.role_name IS 'Database role that the gateway was logged in with.';
COMMENT ON COLUMN ledger.ledger_access_log.action IS 'What was done: proof, consistency, export, verify, attachment.read, …';
COMMENT ON COLUMN ledger.ledger_access_log.object IS 'To what: an event''s id, a chain and sizes, an attachment''s id, and where it was pushed to, filters of an export.';
COMMENT ON COLUMN ledger.ledger_access_log.request_id IS 'X-Request-Id of the request.';
COMMENT ON COLUMN ledger.ledger_access_log.trace_id IS 'Trace id of the request (W3C Trace Context).';
