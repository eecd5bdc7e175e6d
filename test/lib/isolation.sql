-- What the isolation specs say in one word.  A permutation starts with
-- fresh('iso-…'): the spec's own tenant, and names of chains and event ids that
-- no earlier permutation has used, so that each begins with empty chains.
CREATE TABLE public.round (tenant text PRIMARY KEY, n integer NOT NULL, running boolean NOT NULL);
GRANT SELECT ON public.round TO PUBLIC;

CREATE FUNCTION public.fresh(name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ledger.ledger_create_tenant(name);
	UPDATE public.round SET running = false;
	INSERT INTO public.round AS r VALUES (name, 1, true)
	ON CONFLICT (tenant) DO UPDATE SET n = r.n + 1, running = true;
	RETURN name;
END
$$;

CREATE FUNCTION public.here() RETURNS text LANGUAGE sql STABLE AS
	'SELECT tenant FROM public.round WHERE running';
CREATE FUNCTION public.policy(name text) RETURNS text LANGUAGE sql STABLE AS
	$$ SELECT name || '-' || n FROM public.round WHERE running $$;
CREATE FUNCTION public.id(k integer) RETURNS uuid LANGUAGE sql STABLE AS
	$$ SELECT md5(tenant || n || '-' || k)::uuid FROM public.round WHERE running $$;

-- One event of a finding, in the chain of a policy; its sequence.
CREATE FUNCTION public.put(finding text, chain text DEFAULT 'a', type text DEFAULT 'finding.created', expected bigint DEFAULT NULL)
	RETURNS bigint LANGUAGE sql AS $$
	SELECT sequence_no FROM ledger.ledger_append(public.here(), type, finding, public.policy(chain), 'img', expected_sequence => expected)
	$$;
-- The same with an event id: was it created, and what is its sequence?
CREATE FUNCTION public.put_id(k integer, finding text, chain text DEFAULT 'a', OUT created boolean, OUT sequence_no bigint)
	LANGUAGE sql AS $$
	SELECT r.created, (r.event).sequence_no FROM ledger.ledger_append_request(jsonb_build_object('id', public.id(k),
		'tenant', public.here(), 'type', 'finding.created', 'policyVersion', public.policy(chain), 'findingId', finding, 'artifactId', 'img')) AS r
	$$;
-- A batch, one event for each chain named.
CREATE FUNCTION public.put_many(VARIADIC chains text[]) RETURNS TABLE (chain text, sequence_no bigint) LANGUAGE sql AS $$
	SELECT split_part(m.policy_version, '-', 1), m.sequence_no FROM ledger.ledger_append_many((
		SELECT jsonb_agg(jsonb_build_object('tenant', public.here(), 'type', 'finding.created',
			'policyVersion', public.policy(c), 'findingId', 'F' || n, 'artifactId', 'img') ORDER BY n)
		FROM unnest(chains) WITH ORDINALITY AS u (c, n))) AS m
	$$;

-- One call of the gateway, an item for each finding, keyed by its name; "?…" is refused,
-- "A+" is one more event of finding A.
CREATE FUNCTION public.http(VARIADIC findings text[]) RETURNS TABLE (item integer, status integer, hit boolean, sequence text) LANGUAGE sql AS $$
	SELECT a.item, a.status, a.headers ->> 'Idempotency-Hit' = 'true', a.body::jsonb #>> '{envelope,sequence}'
	FROM ledger.ledger_http_append(public.here(), (
		SELECT jsonb_agg(jsonb_build_object('subject', 'ann', 'actorType', 'operator', 'key', public.policy(f), 'event', jsonb_build_object(
			'type', CASE WHEN f LIKE '?%' THEN 'finding.nothing' ELSE 'finding.created' END,
			'policyVersion', public.policy('a'), 'findingId', rtrim(f, '+'), 'artifactId', 'img')) ORDER BY n)
		FROM unnest(findings) WITH ORDINALITY AS u (f, n))) AS a
	$$;

-- How the permutation ended: the chains' findings in order, and nothing to report.
CREATE FUNCTION public.chains() RETURNS TABLE (chain text, findings text, projected text, found bigint) LANGUAGE sql AS $$
	SELECT split_part(e.policy_version, '-', 1), string_agg(e.finding_id, ' ' ORDER BY e.sequence_no),
		(SELECT string_agg(p.finding_id || '@' || p.current_sequence, ' ' ORDER BY p.finding_id) FROM ledger.findings_projection AS p
		 WHERE p.tenant_id = public.here() AND p.policy_version = e.policy_version),
		(SELECT count(*) FROM ledger.ledger_verify(public.here()))
	FROM ledger.ledger_events AS e, public.round AS r
	WHERE r.running AND e.tenant_id = r.tenant AND e.policy_version LIKE '%-' || r.n
	GROUP BY e.policy_version ORDER BY 1
	$$;
