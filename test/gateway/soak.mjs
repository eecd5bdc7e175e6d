// A minute of load with everything going wrong in turn: PostgreSQL restarted, its
// backends killed, the authority gone, clients that hang up, keys reloaded.  No answer
// may be wrong, no acknowledged event lost or stored twice, and nothing may grow.
// LEDGER_LONG=1: twenty minutes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer, Agent } from 'node:http';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { anEvent, cluster, file, killBackends, newTenant, pause, raw, rows, sanitizer, startGateway, theAuthority, waitFor } from './lib/gateway.mjs';

const seconds = process.env.LEDGER_LONG ? 1200 : 60;
const authority = theAuthority();
let keys, gateway, tenants;

// The authority's key set over HTTP, which can be away.
async function serveKeys() {
	const server = createServer((request, response) => {
		if (keys.away) { request.socket.destroy(); return; }
		response.setHeader('Content-Type', 'application/json');
		response.end(JSON.stringify(authority.jwks()));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return { server, url: `http://127.0.0.1:${server.address().port}/jwks`, away: false };
}

before(async () => {
	keys = await serveKeys();
	gateway = await startGateway({ env: {
		LEDGER__AUTH__JWKS: keys.url, LEDGER__DB__CONNECTTIMEOUT: '2s', LEDGER__HTTP__REQUESTTIMEOUT: '10s', LEDGER__HTTP__LOOPS: '2',
	} });
	tenants = [await newTenant('soak'), await newTenant('soak')];
});
after(async () => {
	await cluster('start');
	await gateway.stop();
	keys.server.closeAllConnections();
	keys.server.close();
});

// Appends, each read back: what was acknowledged must be found, and be what was sent.
async function client(tenant, state) {
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	while (!state.over) {
		const event = anEvent();
		const answer = await gateway.api('/v1/ledger/events', { method: 'POST', tenant, agent, body: event }).catch((error) => ({ error }));
		if (answer.error) { state.broken++; continue; }
		state.statuses[answer.status] = (state.statuses[answer.status] ?? 0) + 1;
		if (answer.status >= 300) continue;
		const { envelope, payload } = answer.json;
		if (envelope.tenant !== tenant || envelope.finding.id !== event.findingId || payload.comment !== event.payload.comment)
			state.wrong.push(answer.text);
		state.acknowledged.get(tenant).push(envelope.id);
		const read = await gateway.api(`/v1/ledger/events/${envelope.id}`, { tenant, agent }).catch(() => ({ status: 0 }));
		if (read.status === 200 && read.text !== answer.text) state.wrong.push(`${answer.text}\n${read.text}`);
		if (![0, 200, 503, 504].includes(read.status)) state.wrong.push(`${read.status} ${read.text}`);
	}
	agent.destroy();
}

// Reads of the other kind: a list of one tenant must never hold another's event.
async function reader(tenant, state) {
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	const paths = ['/v1/ledger/events?limit=20', '/v1/ledger/projections/findings?limit=20', '/v1/ledger/chains', '/ledger/export/findings?shape=compact'];
	for (let i = 0; !state.over; i++) {
		const answer = await gateway.api(paths[i % paths.length], { tenant, agent }).catch(() => ({ status: 0 }));
		if (answer.status === 200 && answer.text.includes(tenants.find((other) => other !== tenant))) state.wrong.push(answer.text);
		if (![0, 200, 503, 504].includes(answer.status)) state.wrong.push(`${answer.status} ${answer.text}`);
	}
	agent.destroy();
}

// Hangs up in the middle of a request, again and again.
async function rude(tenant, state) {
	const token = authority.token({ tenant });
	const head = `POST /v1/ledger/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nX-Stella-Tenant: ${tenant}\r\n`
		+ 'Content-Type: application/json\r\nContent-Length: 400\r\n\r\n{"type":';
	for (let i = 0; !state.over; i++) {
		const socket = await raw(gateway.port).catch(() => null);
		if (!socket) continue;
		await socket.send(head.slice(0, 20 + (i * 37) % head.length));
		await pause(20);
		socket.destroy();
	}
}

// wrk on one event, with a token: how many answers were neither 200 nor an honest refusal?
function wrk(path, tenant, length) {
	const script = file('soak.lua', `
		wrk.headers["Authorization"] = "Bearer ${authority.token({ tenant, exp: Math.floor(Date.now() / 1000) + 7200 })}"
		wrk.headers["X-Stella-Tenant"] = "${tenant}"
		local threads = {}
		function setup(thread) table.insert(threads, thread) end
		function init() good, refused, wrong = 0, 0, 0 end
		function response(status)
			if status == 200 then good = good + 1
			elseif status == 503 or status == 504 then refused = refused + 1
			else wrong = wrong + 1 end
		end
		function done()
			for _, t in ipairs(threads) do
				print(string.format("counted %d %d %d", t:get("good"), t:get("refused"), t:get("wrong")))
			end
		end`);
	const child = spawn('wrk', ['-t1', '-c64', `-d${length}s`, '-s', script, gateway.url + path], { stdio: ['ignore', 'pipe', 'inherit'] });
	let text = '';
	child.stdout.on('data', (chunk) => { text += chunk; });
	return once(child, 'close').then(() => {
		const found = /counted (\d+) (\d+) (\d+)/.exec(text);
		assert.ok(found, `wrk said: ${text}`);
		return { good: Number(found[1]), refused: Number(found[2]), wrong: Number(found[3]) };
	});
}

// One of each in turn, and a while of peace between them.
async function faults(state) {
	const all = [
		async () => { await cluster('stop'); await cluster('start'); },
		async () => { for (let i = 0; i < 10; i++) { await killBackends(); await pause(100); } },
		async () => { keys.away = true; gateway.signal('SIGHUP'); await pause(2000); keys.away = false; },
		async () => { gateway.signal('SIGHUP'); },
	];
	for (let i = 0; !state.over; i++) {
		await all[i % all.length]();
		// Peace means that appends are answered again, not that time has passed.
		const before = state.statuses[201] ?? 0;
		await waitFor(() => state.over || (state.statuses[201] ?? 0) > before + 50, { what: `appends after fault ${i % all.length}` });
		state.faults++;
	}
}

test(`${seconds} s of load and faults: no wrong answer, nothing lost, nothing grows`, { timeout: (seconds + 120) * 1000 }, async () => {
	const state = { over: false, statuses: {}, broken: 0, wrong: [], faults: 0, acknowledged: new Map(tenants.map((tenant) => [tenant, []])) };
	const first = await waitFor(async () => {
		const answer = await gateway.api('/v1/ledger/events', { method: 'POST', tenant: tenants[0], body: anEvent() });
		return answer.status === 201 && answer.json;
	});
	const clients = [...tenants.flatMap((tenant) => [client(tenant, state), client(tenant, state), client(tenant, state), reader(tenant, state)]),
		rude(tenants[0], state)];
	const load = wrk(`/v1/ledger/events/${first.envelope.id}`, tenants[0], seconds);
	const harm = faults(state);
	// Buffers and caches fill at first: what counts is what comes after.
	await pause(seconds * 250);
	const start = { rss: gateway.rss(), fds: gateway.fds() };
	const counted = await load.finally(() => { state.over = true; });
	await Promise.all([...clients, harm]);

	assert.deepEqual(state.wrong.slice(0, 3), [], 'wrong answers');
	for (const status of Object.keys(state.statuses)) assert.ok(['200', '201', '503', '504'].includes(status), `appends were answered ${status}`);
	assert.equal(counted.wrong, 0, 'wrk got answers that are neither 200 nor 503 nor 504');
	const least = sanitizer ? 200 : 1000;
	assert.ok(counted.good > least && state.statuses[201] > least, JSON.stringify({ counted, statuses: state.statuses }));
	assert.ok(state.faults >= 4, `only ${state.faults} faults`);
	for (const [tenant, ids] of state.acknowledged) {
		const found = new Map((await rows(`SELECT event_id, count(*) AS n FROM ledger.ledger_events WHERE tenant_id = '${tenant}' GROUP BY 1`))
			.map((row) => [row.event_id, Number(row.n)]));
		assert.deepEqual(ids.filter((id) => found.get(id) !== 1).slice(0, 3), [], 'acknowledged, and not stored exactly once');
		assert.equal((await rows(`SELECT * FROM ledger.ledger_verify('${tenant}')`)).length, 0, 'the verifier finds something');
	}
	const twice = await rows(`SELECT finding_id FROM ledger.ledger_events WHERE tenant_id IN ('${tenants.join("','")}')
		GROUP BY 1 HAVING count(*) > 1`);
	assert.deepEqual(twice, [], 'stored twice under two ids');
	await waitFor(() => gateway.fds() <= start.fds + 8, { what: `descriptors: ${start.fds} before, ${gateway.fds()} now` });
	const grown = gateway.rss() - start.rss;
	// Sanitizers keep what was freed.
	assert.ok(grown < (sanitizer ? 400 : 8) * 1024 * 1024, `memory grew by ${grown} bytes`);
	console.log(`# ${JSON.stringify({ ...counted, statuses: state.statuses, broken: state.broken, faults: state.faults, rssGrown: grown })}`);
});
