-- Files attached to findings, encrypted by the gateway: no key is ever here.  What
-- the chain holds of one is its event, finding.attachment_added, with the digest.
CREATE TABLE ledger.ledger_attachments (
	tenant_id     text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	attachment_id uuid        NOT NULL,
	finding_id    text COLLATE "C" NOT NULL,
	media_type    text COLLATE "C" NOT NULL,
	file_name     text COLLATE "C" NOT NULL,
	size_bytes    bigint      NOT NULL CHECK (size_bytes >= 0),
	digest        bytea       NOT NULL CHECK (octet_length(digest) = 32),
	algorithm     text COLLATE "C" NOT NULL CHECK (algorithm = 'AES-256-GCM'),
	key_id        text COLLATE "C" NOT NULL CHECK (key_id ~ '^[0-9a-f]{16}$'),
	wrapped_key   bytea       NOT NULL CHECK (octet_length(wrapped_key) = 60),
	nonce         bytea       NOT NULL CHECK (octet_length(nonce) = 12),
	tag           bytea       NOT NULL CHECK (octet_length(tag) = 16),
	ciphertext    bytea       NOT NULL CHECK (octet_length(ciphertext) = size_bytes),
	created_at    timestamptz NOT NULL DEFAULT now(),
	expires_at    timestamptz,
	PRIMARY KEY (tenant_id, attachment_id)
);
-- Ciphertext does not compress.
ALTER TABLE ledger.ledger_attachments ALTER COLUMN ciphertext SET STORAGE EXTERNAL;
CREATE INDEX ledger_attachments_finding_idx
	ON ledger.ledger_attachments (tenant_id, finding_id, created_at, attachment_id);
-- What a rotation goes along.
CREATE INDEX ledger_attachments_key_idx ON ledger.ledger_attachments (key_id, tenant_id, attachment_id);
COMMENT ON TABLE ledger.ledger_attachments IS
	'Attachments of findings, encrypted with AES-256-GCM under a key of their own that is wrapped by the gateway''s. Append-only; only the wrapped key changes, when the gateway''s key is rotated.';
COMMENT ON COLUMN ledger.ledger_attachments.tenant_id IS 'Whose finding it is.';
COMMENT ON COLUMN ledger.ledger_attachments.attachment_id IS 'Its id, and that of its event finding.attachment_added.';
COMMENT ON COLUMN ledger.ledger_attachments.finding_id IS 'The finding.';
COMMENT ON COLUMN ledger.ledger_attachments.media_type IS 'Media type, as the sender said.';
COMMENT ON COLUMN ledger.ledger_attachments.file_name IS 'File name, as the sender said; empty: none.';
COMMENT ON COLUMN ledger.ledger_attachments.size_bytes IS 'Bytes of the content, and of the ciphertext.';
COMMENT ON COLUMN ledger.ledger_attachments.digest IS 'SHA-256 of the content; its event says the same.';
COMMENT ON COLUMN ledger.ledger_attachments.algorithm IS 'AES-256-GCM.';
COMMENT ON COLUMN ledger.ledger_attachments.key_id IS 'Which key of the gateway wrapped the data key.';
COMMENT ON COLUMN ledger.ledger_attachments.wrapped_key IS 'Data key: nonce, ciphertext and tag.';
COMMENT ON COLUMN ledger.ledger_attachments.nonce IS 'Nonce of the ciphertext.';
COMMENT ON COLUMN ledger.ledger_attachments.tag IS 'Authentication tag of the ciphertext.';
COMMENT ON COLUMN ledger.ledger_attachments.ciphertext IS 'The encrypted content.';
COMMENT ON COLUMN ledger.ledger_attachments.created_at IS 'When it was stored.';
COMMENT ON COLUMN ledger.ledger_attachments.expires_at IS 'From when on it is not given out any more; NULL: never.';
