// Many connections: the numbers at which libmicrohttpd's own loop sleeps with unread requests,
// and the limits.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { raw, sanitizer, startGateway, waitFor } from './lib/gateway.mjs';

let gateway;
before(async () => { gateway = await startGateway({ env: { LEDGER__HTTP__MAXCONNECTIONS: '1024' } }); });
after(() => gateway.stop());

const ask = 'GET /health/live HTTP/1.1\r\nHost: ledger\r\n\r\n';
const open = (n, port = gateway.port, options) => Promise.all(Array.from({ length: n }, () => raw(port, options)));
const close = (sockets) => { for (const socket of sockets) socket.destroy(); };
const answers = (socket) => [...socket.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));

// All of them ask in the same moment, several times over; each must be answered soon.
async function round(sockets, expected) {
	const started = Date.now();
	for (const socket of sockets) socket.socket.write(ask);
	await waitFor(() => sockets.every((socket) => answers(socket).length === expected), { every: 5, what: `${sockets.length} answers` });
	return Date.now() - started;
}

describe('ready at once', () => {
	// The process is stopped while they ask, so that it finds all of them ready in one call of epoll_wait.
	for (const n of [127, 128, 129, 255, 256, 257, 384, 512])
		test(`${n} connections`, async () => {
			const sockets = await open(n);
			let slowest = 0;
			for (let i = 1; i <= 5; i++) {
				gateway.signal('SIGSTOP');
				for (const socket of sockets) socket.socket.write(ask);
				await Promise.all(sockets.map((socket) => waitFor(() => socket.socket.writableLength === 0)));
				const started = Date.now();
				gateway.signal('SIGCONT');
				await waitFor(() => sockets.every((socket) => answers(socket).length === i), { every: 5, what: `${n} answers` });
				slowest = Math.max(slowest, Date.now() - started);
			}
			assert.ok(slowest < 1500, `${slowest} ms`);
			assert.ok(sockets.every((socket) => answers(socket).every((status) => status === 200)));
			close(sockets);
		});
	test('the same through the database', async () => {
		const sockets = await open(256);
		const head = `GET /v1/ledger/chains?limit=1 HTTP/1.1\r\nHost: ledger\r\nX-Stella-Tenant: acme\r\nAuthorization: Bearer ${gateway.authority.token()}\r\n\r\n`;
		gateway.signal('SIGSTOP');
		for (const socket of sockets) socket.socket.write(head);
		await Promise.all(sockets.map((socket) => waitFor(() => socket.socket.writableLength === 0)));
		gateway.signal('SIGCONT');
		await waitFor(() => sockets.every((socket) => answers(socket).length === 1), { what: '256 answers' });
		assert.deepEqual([...new Set(sockets.flatMap(answers))], [200]);
		close(sockets);
	});
});

describe('limits', () => {
	test('beyond the limit a connection is told so, and room is given again', async () => {
		const small = await startGateway({ env: { LEDGER__HTTP__MAXCONNECTIONS: '50' } });
		const sockets = await open(50, small.port);
		await round(sockets, 1);
		const over = await raw(small.port);
		await over.send(ask);
		const { text } = await over.closed();
		assert.match(text, /^HTTP\/1\.1 503 /);
		assert.match(text, /\r\nRetry-After: 1\r\n/);
		assert.match(text, /"code":"pool_exhausted"/);
		// Probes have a port of their own.
		assert.equal((await small.admin('/health/live')).status, 200);
		// Those within the limit are as well as before.
		await round(sockets, 2);
		sockets.pop().destroy();
		await waitFor(async () => (await small.api('/health/live')).status === 200, { what: 'room again' });
		close(sockets);
		await small.stop();
	});
	test('so many that nobody is told are closed, and the others live on', async () => {
		const small = await startGateway({ env: { LEDGER__HTTP__MAXCONNECTIONS: '20' } });
		const sockets = await open(20, small.port);
		await round(sockets, 1);
		const flood = await Promise.all(Array.from({ length: 300 }, () => raw(small.port).catch(() => null)));
		await round(sockets, 2);
		assert.ok(small.fds() < 20 + 64 + 60, `${small.fds()} descriptors`);
		close(flood.filter((socket) => socket));
		await waitFor(() => small.fds() < 60, { what: 'the flood is gone' });
		await round(sockets, 3);
		close(sockets);
		await small.stop();
	});
	test('one address may hold only so many', async () => {
		const fair = await startGateway({ env: { LEDGER__HTTP__PERIPCONNECTIONS: '5' } });
		const sockets = await open(5, fair.port);
		await round(sockets, 1);
		const sixth = await raw(fair.port);
		await sixth.send(ask);
		assert.equal((await sixth.closed()).text, '');
		assert.equal((await fair.api('/health/live', { localAddress: '127.0.0.2' })).status, 200);
		close(sockets);
		await fair.stop();
	});
	test('a thousand idle connections cost nothing that others would feel', async () => {
		const idle = await open(900);
		const sockets = await open(16);
		const took = await round(sockets, 1);
		assert.ok(took < 500, `${took} ms`);
		// Sanitizers keep what was freed.
		const most = (sanitizer ? 512 : 96) * 1024 * 1024;
		assert.ok(gateway.rss() < most, `${gateway.rss()} bytes`);
		close([...idle, ...sockets]);
		await waitFor(() => gateway.fds() < 60, { what: 'they are gone' });
	});
});

test('two loops share an address', async () => {
	const two = await startGateway({ env: { LEDGER__HTTP__LOOPS: '2' } });
	const sockets = await open(256, two.port);
	for (let i = 1; i <= 5; i++) await round(sockets, i);
	assert.equal((await two.api('/v1/ledger/chains')).status, 200);
	close(sockets);
	await two.stop();
});

test('an address that is taken is told, and the start fails', async () => {
	const second = await startGateway({ env: { LEDGER__HTTP__LISTEN: gateway.url }, started: false });
	assert.equal((await second.exited).code, 1);
	assert.match(second.stdout.join('\n'), /cannot listen on http:\/\/127\.0\.0\.1:\d+: Address already in use/);
});
