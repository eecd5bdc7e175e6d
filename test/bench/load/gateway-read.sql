-- What the gateway calls for an event by its id.
\set n random(1, :findings)
SELECT status, headers, body FROM ledger.ledger_http_event('bench', ('{"requestId":"0198c0de-0000-7000-8000-000000000000",'
	|| '"subject":"tester","actorType":"operator","path":{"eventId":"0198c0de-0000-7000-8000-' || lpad(:n::text, 12, '0') || '"},"query":{}}')::jsonb);
