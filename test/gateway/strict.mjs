// What libmicrohttpd lets through and RFC 9112 does not (docs: gateway/src/strict.c), byte by
// byte over a socket: two servers in a row must never disagree where a request ends.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { anEvent, raw, rawExchange, startGateway } from './lib/gateway.mjs';

let gateway;
before(async () => { gateway = await startGateway(); });
after(() => gateway.stop());

const head = 'GET /health/live HTTP/1.1\r\nHost: ledger\r\n';
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: ledger\r\n\r\n';

// The answers to these bytes, until the gateway closes.  A body need not end in a line end.
async function exchange(bytes) {
	const { text } = await rawExchange(gateway.port, bytes);
	return { text, statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1])) };
}

// Refused with this status and code, as a problem, and the connection is closed behind it.
async function refused(bytes, status, code) {
	const { text, statuses } = await exchange(bytes);
	assert.deepEqual(statuses, [status], text);
	assert.match(text, /\r\nContent-Type: application\/problem\+json\r\n/);
	assert.match(text, /\r\nConnection: close\r\n/i);
	const problem = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
	assert.equal(problem.status, status);
	assert.equal(problem.code, code);
	return problem;
}

// Answered, and the connection goes on: a second request on it is answered too.
async function answered(bytes, status) {
	const { text, statuses } = await exchange(`${bytes}${head}Connection: close\r\n\r\n`);
	assert.deepEqual(statuses, [status, 200], text);
	return text;
}

describe('framing', () => {
	test('a plain request passes, and so does the next on the same connection', () => answered(`${head}\r\n`, 200));

	test('Content-Length and Transfer-Encoding together', () => refused(
		`POST /v1/ledger/events HTTP/1.1\r\nHost: ledger\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
		400, 'http_malformed'));

	test('two Content-Length that differ', () => refused(
		`POST /v1/ledger/events HTTP/1.1\r\nHost: ledger\r\nContent-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
		400, 'http_malformed'));

	test('two Content-Length that agree', () => refused(
		`${head}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`, 400, 'http_malformed'));

	for (const coding of ['gzip', 'xchunked', 'chunked, identity', 'gzip, chunked', 'identity', ' chunked x'])
		test(`Transfer-Encoding: ${coding}`, () => refused(
			`POST /v1/ledger/events HTTP/1.1\r\nHost: ledger\r\nTransfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`, 501, 'unsupported'));

	test('two Transfer-Encoding', () => refused(
		'POST /v1/ledger/events HTTP/1.1\r\nHost: ledger\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
		400, 'http_malformed'));

	test('Transfer-Encoding in HTTP/1.0', () => refused(
		'POST /v1/ledger/events HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400, 'http_malformed'));

	// These the library refuses itself, before it calls us: in words of its own, and with its status line
	// twice (a fault of 0.9.75).  What counts is that the connection ends and nothing is served behind them.
	for (const length of ['+3', '-1', '3 x', '0x10', '99999999999999999999'])
		test(`Content-Length: ${length}`, async () => {
			const { statuses } = await exchange(`${head}Content-Length: ${length}\r\n\r\n${smuggled}`);
			assert.ok(statuses.length > 0 && statuses.every((status) => status === 400 || status === 413), `${statuses}`);
		});

	test('a GET with a body', () => refused(`${head}Content-Length: 3\r\n\r\nabc`, 400, 'http_malformed'));
	test('a GET with a chunked body', () => refused(
		`${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`, 400, 'http_malformed'));
	test('a GET with a body of no bytes passes', () => answered(`${head}Content-Length: 0\r\n\r\n`, 200));
});

describe('header fields', () => {
	test('no Host', () => refused('GET /health/live HTTP/1.1\r\n\r\n', 400, 'http_malformed'));
	test('no Host is good in HTTP/1.0', async () => {
		const { statuses } = await exchange('GET /health/live HTTP/1.0\r\n\r\n');
		assert.deepEqual(statuses, [200]);
	});
	test('two Host', () => refused(`${head}Host: ledger\r\n\r\n`, 400, 'http_malformed'));
	for (const host of ['', 'a b', 'a/b', 'user@host', 'a"b'])
		test(`Host: ${host || '(empty)'}`, () => refused(`GET /health/live HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 400, 'http_malformed'));

	for (const [what, line] of [
		['a blank before the colon', 'X-A : 1\r\n'],
		['a tab before the colon', 'X-A\t: 1\r\n'],
		['a name with a bracket', 'X(A: 1\r\n'],
		['a name with a byte above 127', 'X\xe4: 1\r\n'],
		['an empty name', ': 1\r\n'],
		['a folded line', 'X-A: 1\r\n 2\r\n'],
		['a line folded by a tab', 'X-A: 1\r\n\t2\r\n'],
		['a folded last line', 'X-A: 1\r\nX-B: 2\r\n  3\r\n'],
		['a bare CR in a value', 'X-A: 1\r2\r\n'],
		['a bare CR before the line end', 'X-A: 1\r\r\n'],
		['a NUL in a value', 'X-A: 1\x002\r\n'],
		['two NULs in a value, like a line end', 'X-A: 1\0\0X-B: 2\r\n'],
		['a NUL at the end of a value', 'X-A: 1\0\r\n'],
		['a NUL in a name, with a colon before it', 'X-A:\0B: 1\r\n'],
		['a bell in a value', 'X-A: 1\x072\r\n'],
		['a DEL in a value', 'X-A: 1\x7f\r\n'],
		['a line that ends in a bare LF', 'X-A: 1\n'],
		['a bare LF between two fields', 'X-A: 1\nX-B: 2\r\n'],
	])
		test(what, () => refused(`${head}${line}\r\n`, 400, 'http_malformed'));

	test('a bare LF behind the request line', () => refused('GET /health/live HTTP/1.1\nHost: ledger\r\n\r\n', 400, 'http_malformed'));
	test('a bare LF as the empty line', () => refused(`${head}\n`, 400, 'http_malformed'));
	// These the library refuses itself.
	for (const [what, line] of [['a line without a colon', 'nothing\r\n'], ['a NUL in a name', 'X-\0A: 1\r\n']])
		test(what, async () => {
			const { statuses } = await exchange(`${head}${line}\r\n${smuggled}`);
			assert.deepEqual(statuses, [400]);
		});

	for (const name of ['Authorization', 'Content-Type', 'X-Stella-Tenant', 'Idempotency-Key', 'Expect', 'If-None-Match'])
		test(`${name} twice`, () => refused(`${head}${name}: a\r\n${name.toLowerCase()}: a\r\n\r\n`, 400, 'http_malformed'));

	for (const [what, line] of [
		['blanks and tabs around a value', 'X-A:  \t1 2\t3\r\n'],
		['no blank behind the colon', 'X-A:1\r\n'],
		['an empty value', 'X-A:\r\n'],
		['a field twice that may be', 'X-A: 1\r\nX-A: 2\r\n'],
		['a value of UTF-8', 'X-A: \xc3\xa4\r\n'],
		['cookies', 'Cookie: a=b; c=d\r\n'],
		['a colon in the value', 'X-A: a:b\r\n'],
	])
		test(`${what}: good`, () => answered(`${head}${line}\r\n`, 200));

	test('many requests in one write, each judged by itself', async () => {
		const { statuses } = await exchange(`${`${head}X-A: 1\r\n\r\n`.repeat(20)}${head}X-B : 1\r\n\r\n${head}\r\n`);
		assert.deepEqual(statuses, [...Array(20).fill(200), 400]);
	});
	test('a header that comes in pieces of one byte', async () => {
		const socket = await raw(gateway.port);
		for (const byte of `${head}X-A: 1\r\nX-B:\t2\r\nConnection: close\r\n\r\n`) await socket.send(byte);
		const { text } = await socket.closed();
		assert.match(text, /^HTTP\/1\.1 200 /);
	});
	test('Expect: 100-continue is answered, another one is 417', async () => {
		await refused('POST /v1/ledger/events HTTP/1.1\r\nHost: ledger\r\nExpect: foo\r\nContent-Length: 2\r\n\r\n', 417, 'expectation');
		// What will be refused is not asked for.
		const problem = await refused('POST /v1/ledger/events HTTP/1.1\r\nHost: ledger\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n', 401, 'token_missing');
		assert.equal(problem.instance, '/v1/ledger/events');
	});
	test('100 Continue comes for what is admitted', async () => {
		const socket = await raw(gateway.port);
		await socket.send('POST /v1/ledger/events HTTP/1.1\r\nHost: ledger\r\nX-Stella-Tenant: acme\r\nExpect: 100-continue\r\n' +
			`Authorization: Bearer ${gateway.authority.token()}\r\nContent-Type: application/json\r\nContent-Length: 1\r\nConnection: close\r\n\r\n`);
		await socket.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
		await socket.send('{');
		assert.match((await socket.closed()).text, /\r\n\r\nHTTP\/1\.1 400 /);
	});
});

describe('the request line', () => {
	// The target is refused; the connection may go on.
	const target = async (text, status = 400) => {
		const { text: answer, statuses } = await exchange(`GET ${text} HTTP/1.1\r\nHost: ledger\r\n\r\n${head}Connection: close\r\n\r\n`);
		assert.deepEqual(statuses, [status, 200], answer);
		return answer;
	};
	for (const text of ['/health/live%00x', '/health%2Flive', '/health%5Clive', '/health/%zz', '/health/%4', '/health/live%', '/health//live',
		'//health/live', '/health/live/', '/health/./live', '/x/../health/live', '/x/%2e%2E/health/live', '/health/%0alive', '/health/%c0%af',
		'/health/%ff', '/health/%ed%a0%80', '/health/live#x', '/health\\live', '/health/<live', '*', 'health/live', '/?a=%00', '/?a=%ff', '/?=1',
		'/x"y'])
		test(`GET ${text}`, () => target(text));
	test('a target with a byte above 127', () => target('/health/l\xe4ve'));
	test('a target with a control byte', () => target('/health/l\x01ve'));
	test('a target with a NUL is never served cut', () => refused('GET /health/live\0x HTTP/1.1\r\nHost: ledger\r\n\r\n', 400, 'http_malformed'));
	test('two blanks before the target', () => refused('GET  /health/live HTTP/1.1\r\nHost: ledger\r\n\r\n', 400, 'http_malformed'));
	test('a target with a blank', async () => {
		const { statuses } = await exchange(`GET /health live HTTP/1.1\r\nHost: ledger\r\nConnection: close\r\n\r\n`);
		assert.deepEqual(statuses, [400]);
	});
	test('%2F is taken only where the route says so', async () => {
		const found = await gateway.api('/v1/ledger/findings/pkg:npm%2Flodash/history');
		assert.equal(found.status === 200 || found.status === 404, true, found.text);
		assert.notEqual(found.json.code, 'http_malformed');
		const event = await gateway.api('/v1/ledger/events/a%2Fb');
		assert.equal(event.status, 400);
		assert.equal(event.json.code, 'http_malformed');
	});
	test('the absolute form is taken for our own host only', async () => {
		await answered('GET http://ledger/health/live HTTP/1.1\r\nHost: ledger\r\n\r\n', 200);
		await target('http://other/health/live');
		await target('http:///health/live');
		await target('ftp://ledger/health/live');
	});

	for (const method of ['get', 'Get', 'FOO', 'CONNECT', 'TRACE', 'PROPFIND', 'LOCK', 'G\x01T'])
		test(`method ${method}`, () => refused(`${method} /health/live HTTP/1.1\r\nHost: ledger\r\n\r\n`, 501, 'unsupported'));
	for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
		test(`method ${method} where it is not possible`, async () => {
			const text = await answered(`${method} /health/live HTTP/1.1\r\nHost: ledger\r\nContent-Length: 0\r\n\r\n`, 405);
			assert.match(text, /\r\nAllow: GET, HEAD\r\n/);
		});
	test('Allow names every method of the path', async () => {
		const answer = await gateway.api('/v1/ledger/events', { method: 'DELETE' });
		assert.equal(answer.status, 405);
		assert.deepEqual(answer.headers.allow.split(', ').sort(), ['GET', 'HEAD', 'POST']);
	});

	for (const version of ['HTTP/1.2', 'HTTP/1.9']) test(version, () => refused(`GET /health/live ${version}\r\nHost: ledger\r\n\r\n`, 400, 'http_malformed'));
	for (const version of ['HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.1 ', 'HTTP/1.10', 'HTP/1.1', ''])
		test(`version "${version}" is not served`, async () => {
			const { statuses } = await exchange(`GET /health/live ${version}\r\nHost: ledger\r\n\r\n`);
			assert.ok(statuses.length <= 1 && statuses[0] !== 200, `${statuses}`);
		});
	test('a line of blanks, of nothing, of rubbish', async () => {
		for (const bytes of [' \r\n\r\n', '\r\n\r\n\x16\x03\x01\x02\r\n\r\n', 'GET\r\n\r\n', 'GET \r\nHost: x\r\n\r\n', '\0\0\0\0\r\n\r\n']) {
			const socket = await raw(gateway.port);
			await socket.send(bytes);
			socket.end();
			assert.doesNotMatch((await socket.closed()).text, /^HTTP\/1\.1 200/);
		}
		assert.equal((await gateway.admin('/health/live')).status, 200);
	});
});

describe('blanks around values', () => {
	const event = JSON.stringify(anEvent());
	const append = ({ authorization = (token) => `Bearer ${token}`, tenant = 'acme', type = 'application/json', length = Buffer.byteLength(event), host = 'ledger' }) =>
		`POST /v1/ledger/events HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${authorization(gateway.authority.token({}))}\r\nX-Stella-Tenant: ${tenant}\r\n` +
		`Content-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n${event}`;
	for (const [what, fields] of Object.entries({
		'of the tenant': { tenant: ' acme \t ' }, 'of the type': { type: 'application/json  ' }, 'of the host': { host: '\t ledger \t' },
		'of the credentials, and in them': { authorization: (token) => `  Bearer   ${token} \t` },
	})) test(what, () => answered(append(fields), 201));
	test('but not within a value', () => answered(append({ tenant: 'ac me' }), 403));
	test('a value of blanks is an empty one', () => answered(append({ tenant: ' \t ' }), 400));
	// libmicrohttpd has judged it before: nobody may read it in another way.
	test('not of the framing', async () => {
		assert.deepEqual([...new Set((await exchange(append({ length: `${Buffer.byteLength(event)} ` }))).statuses)], [400]);
		await refused('POST /v1/ledger/events HTTP/1.1\r\nHost: ledger\r\nTransfer-Encoding: chunked \r\n\r\n0\r\n\r\n', 501, 'unsupported');
	});
});

// What libmicrohttpd refuses itself, before anybody is asked, and with a page of HTML
// (docs/how-to/use-the-gateway.md lists them).  The connection ends there.
describe('what is no request at all', () => {
	const post = 'POST /v1/ledger/events HTTP/1.1\r\nHost: ledger\r\n';
	for (const [what, bytes, status] of [
		['a request line of two words', 'GET /health/live\r\nHost: ledger\r\n\r\n', 400],
		['another protocol', 'GET /health/live HTTX/1.1\r\nHost: ledger\r\n\r\n', 400],
		['a line without a colon', `${head}nocolon\r\n\r\n`, 400],
		['a length that is no number', `${post}Content-Length: 5x\r\n\r\nabcde`, 400],
		['a length beyond all', `${post}Content-Length: 99999999999999999999999\r\n\r\nabcde`, 413],
		['a target beyond all memory', `GET /${'a'.repeat(40000)} HTTP/1.1\r\nHost: ledger\r\n\r\n`, 414],
		['a header beyond all memory', `${head}A: ${'a'.repeat(40000)}\r\n\r\n`, 431],
		['a version of which nothing is known', 'GET /health/live HTTP/2.0\r\nHost: ledger\r\n\r\n', 505],
	]) test(what, async () => {
		const { text, statuses } = await exchange(`${bytes}${smuggled}`);
		// Of a bad length it writes the header of its answer twice.
		assert.ok(statuses.length > 0 && statuses.every((s) => s === status), text);
		assert.match(text, /<html>/);
	});
});

describe('answers', () => {
	test('HEAD has the header of GET and no body', async () => {
		const get = await gateway.api('/');
		const { text } = await exchange('HEAD / HTTP/1.1\r\nHost: ledger\r\nConnection: close\r\n\r\n');
		assert.match(text, /^HTTP\/1\.1 200 /);
		assert.match(text, new RegExp(`\r\nContent-Length: ${get.bytes.length}\r\n`));
		assert.ok(text.endsWith('\r\n\r\n'));
	});
	test('what every answer has', async () => {
		for (const answer of [await gateway.api('/'), await gateway.api('/nothing'), await gateway.api('/v1/ledger/events', { token: null })]) {
			assert.equal(answer.headers['x-content-type-options'], 'nosniff');
			assert.equal(answer.headers['cache-control'], 'no-store');
			assert.match(answer.headers['content-security-policy'], /default-src 'none'/);
			assert.match(answer.headers['x-request-id'], /^[0-9a-f]{32}$/);
			assert.match(answer.headers['server-timing'], /;dur=\d/);
		}
	});
	test('X-Request-Id is the caller\'s if it is well-formed', async () => {
		const id = async (given) => (await gateway.api('/', { headers: { 'X-Request-Id': given } })).headers['x-request-id'];
		assert.equal(await id('abc-1.2_3'), 'abc-1.2_3');
		for (const bad of ['a b', 'a"b', 'x'.repeat(40), '<script>']) assert.match(await id(bad), /^[0-9a-f]{32}$/);
	});
	test('traceparent is taken if it is valid, else there is a new one', async () => {
		const trace = '0af7651916cd43dd8448eb211c80319c';
		const traced = async (traceparent) => (await gateway.api('/nothing', { headers: { traceparent } })).json.traceId;
		assert.equal(await traced(`00-${trace}-b7ad6b7169203331-01`), trace);
		assert.equal(await traced(`cc-${trace}-b7ad6b7169203331-01-what-the-future-brings`), trace);
		for (const bad of [`ff-${trace}-b7ad6b7169203331-01`, `00-${trace.toUpperCase()}-b7ad6b7169203331-01`, `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
			`00-${trace}-${'0'.repeat(16)}-01`, `00-${trace}-b7ad6b7169203331-01-x`, `00-${trace}-b7ad6b7169203331`, '00', `00_${trace}-b7ad6b7169203331-01`]) {
			const given = await traced(bad);
			assert.match(given, /^[0-9a-f]{32}$/);
			assert.notEqual(given, trace);
		}
	});
	test('ETag and If-None-Match', async () => {
		const first = await gateway.api('/openapi.yaml');
		assert.equal(first.status, 200);
		for (const list of [first.headers.etag, `W/${first.headers.etag}`, `"a,b", ${first.headers.etag}`, '*']) {
			const again = await gateway.api('/openapi.yaml', { headers: { 'If-None-Match': list } });
			assert.equal(again.status, 304, list);
			assert.equal(again.headers.etag, first.headers.etag);
			assert.equal(again.headers['cache-control'], first.headers['cache-control']);
			assert.equal(again.bytes.length, 0);
		}
		for (const list of ['"other"', first.headers.etag.slice(0, -1), `"x${first.headers.etag.slice(1)}`])
			assert.equal((await gateway.api('/openapi.yaml', { headers: { 'If-None-Match': list } })).status, 200, list);
	});
	test('the admin port has health and metrics and nothing else', async () => {
		assert.equal((await gateway.admin('/health/live')).status, 200);
		assert.equal((await gateway.admin('/metrics')).status, 200);
		for (const path of ['/', '/openapi.yaml', '/v1/ledger/events']) assert.equal((await gateway.admin(path)).status, 404, path);
	});
});
