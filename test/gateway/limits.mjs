// What is too long, too slow, too many or no JSON: refused with the right words, at once, and
// without harm to anybody else.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { anEvent, newTenant, raw, request, sql, startGateway, waitFor } from './lib/gateway.mjs';

const env = {
	LEDGER__HTTP__REQUESTTIMEOUT: '3s', LEDGER__HTTP__IDLETIMEOUT: '2s', LEDGER__HTTP__MAXBODY: '65536', LEDGER__HTTP__MAXBATCH: '262144',
	LEDGER__HTTP__MAXDEPTH: '16',
};
let gateway;
before(async () => { gateway = await startGateway({ env }); });
after(() => gateway.stop());

const post = (body, headers = {}, path = '/v1/ledger/events') =>
	gateway.api(path, { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...headers } });
const auth = (tenant = 'acme') => `Host: ledger\r\nX-Stella-Tenant: ${tenant}\r\nAuthorization: Bearer ${gateway.authority.token({ tenant })}\r\n`;
const statuses = (text) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));

// It still answers others, and quickly.
async function stillThere() {
	const started = Date.now();
	assert.equal((await gateway.api('/health/live')).status, 200);
	assert.ok(Date.now() - started < 1000);
}

describe('header and target', () => {
	test('a header of 16 KiB is taken, one byte more is 431', async () => {
		const header = (size) => {
			const start = 'GET /health/live HTTP/1.1\r\nHost: ledger\r\nConnection: close\r\n';
			let text = start;
			for (let i = 0; text.length + 1000 < size; i++) text += `X-${String(i).padStart(4, '0')}: ${'a'.repeat(800)}\r\n`;
			text += `X-Last: ${'b'.repeat(size - text.length - 'X-Last: \r\n\r\n'.length)}\r\n\r\n`;
			assert.equal(text.length, size);
			return text;
		};
		for (const [size, status] of [[16384, 200], [16385, 431], [20000, 431]]) {
			const socket = await raw(gateway.port);
			await socket.send(header(size));
			const { text } = await socket.closed();
			assert.deepEqual(statuses(text), [status], `${size}`);
			if (status === 431) assert.match(text, /"code":"header_too_large"/);
		}
	});
	test('a header without end is 431, by the library', async () => {
		const socket = await raw(gateway.port);
		await socket.send(`GET / HTTP/1.1\r\nHost: ledger\r\n${`X: ${'a'.repeat(1000)}\r\n`.repeat(100)}`);
		assert.equal(statuses((await socket.closed()).text)[0], 431);
	});
	test('more than 100 fields are 431', async () => {
		const socket = await raw(gateway.port);
		await socket.send(`GET / HTTP/1.1\r\nHost: ledger\r\n${'X: a\r\n'.repeat(100)}\r\n`);
		assert.deepEqual(statuses((await socket.closed()).text), [431]);
	});
	test('a target that is too long is 414', async () => {
		for (const target of [`/${'a'.repeat(1023)}`, `/?${'a'.repeat(8191)}`]) {
			const answer = await gateway.api(target);
			assert.equal(answer.status, 414);
			assert.equal(answer.json.code, 'target_too_long');
		}
		assert.equal((await gateway.api(`/${'a'.repeat(1022)}`)).status, 404);
		const socket = await raw(gateway.port);
		await socket.send(`GET /${'a'.repeat(100_000)}`);
		assert.equal(statuses((await socket.closed()).text)[0], 414);
	});
	test('an unknown query parameter is 400 and says which are known', async () => {
		const answer = await gateway.api('/v1/ledger/events?limit=1&colour=red');
		assert.equal(answer.status, 400);
		assert.equal(answer.json.code, 'query_invalid');
		assert.match(answer.json.detail, /colour/);
		assert.match(answer.json.hint, /sinceSequence/);
	});
	test('a page token that is none of ours is 400', async () => {
		for (const cursor of ['x', '', 'AAAA', 'a'.repeat(3000)]) {
			const answer = await gateway.api(`/v1/ledger/events?cursor=${cursor}`);
			assert.equal(answer.status, 400);
			assert.equal(answer.json.code, 'cursor_invalid');
		}
	});
	test('Accept', async () => {
		const accept = async (Accept, path = '/v1/ledger/chains') => (await gateway.api(path, { headers: { Accept } })).status;
		for (const good of ['application/json', '*/*', 'application/*', 'text/html, */*;q=0.1', 'application/json;q=0.5, text/html', '']) assert.equal(await accept(good), 200, good);
		for (const bad of ['text/html', 'application/xml', 'application/json;q=0', '*/*, application/json;q=0.0']) assert.equal(await accept(bad), 406, bad);
	});

	// Who asks for what a route gives is not told 406; that nothing is there, is.
	test('Accept of what is no JSON', async () => {
		const none = '0198c0de-0000-7000-8000-00000000dead';
		for (const [path, Accept] of [
			[`/v1/ledger/events/${none}/proof`, 'text/plain'], [`/v1/ledger/chains/${none}/checkpoint`, 'text/plain'],
			[`/v1/ledger/chains/${none}/tile/0/000`, 'application/octet-stream'],
			[`/v1/ledger/findings/none/attachments/${none}`, 'image/png'],
		]) assert.equal((await gateway.api(path, { headers: { Accept } })).status, 404, path);
		assert.equal((await gateway.api('/ledger/export/findings?shape=compact', { headers: { Accept: 'application/x-ndjson' } })).status, 200);
		assert.equal((await gateway.api('/openapi.yaml', { token: null, tenant: null, headers: { Accept: 'application/yaml' } })).status, 200);
	});
});

async function holding(port, bytes) {
	const socket = await raw(port);
	await socket.send(bytes);
	return socket;
}

/*
 * How much of a body has been read cannot be seen, so attempts are made until one is
 * refused.  Whose bytes come last is the one: while an earlier attempt is still there that
 * may be the body which ought to hold the room, and another takes its place.
 */
async function refusedBeside(hold, attempt) {
	let holder = await hold();
	const answer = await waitFor(async () => {
		if (holder.text !== '') holder = await hold();
		const tried = await attempt();
		return tried.status === 503 && tried;
	}, { what: 'a refusal' });
	return { holder, answer };
}

describe('bodies', () => {
	test('Content-Length over the limit is 413 before a byte of the body', async () => {
		const socket = await raw(gateway.port);
		await socket.send(`POST /v1/ledger/events HTTP/1.1\r\n${auth()}Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n`);
		const { text } = await socket.closed();
		assert.deepEqual(statuses(text), [413]);
		assert.match(text, /"code":"body_too_large"/);
	});
	test('a batch of too many events is 413 before the database sees it', async () => {
		for (const [body, type] of [['[' + Array(10_001).fill('{}').join() + ']', 'application/json'], ['{}\n'.repeat(10_001), 'application/x-ndjson']]) {
			const answer = await gateway.api('/v1/ledger/events:batch', { method: 'POST', body, headers: { 'Content-Type': type } });
			assert.equal(answer.status, 413, answer.text);
			assert.match(answer.json.detail, /at most 10000 events/);
		}
	});
	test('an empty body is told to be empty', async () => {
		const answer = await gateway.api('/v1/ledger/verify', { method: 'POST', body: '', headers: { 'Content-Type': 'application/json' } });
		assert.equal(answer.status, 400);
		assert.match(answer.json.detail, /the body is empty/);
	});
	test('bodies of all connections together have a limit, and what ends makes room', async () => {
		const small = await startGateway({ env: { ...env, LEDGER__HTTP__BODYMEMORY: '1048576', LEDGER__HTTP__MAXBODY: '1048576', LEDGER__HTTP__MAXBATCH: '1048576', LEDGER__HTTP__REQUESTTIMEOUT: '2m' } });
		try {
			const head = `POST /v1/ledger/events HTTP/1.1\r\n${auth()}Content-Type: application/json\r\nContent-Length: 900000\r\n\r\n`;
			const { holder, answer } = await refusedBeside(
				async () => holding(small.port, head + ' '.repeat(800_000)),
				() => small.api('/v1/ledger/events', { method: 'POST', body: { ...anEvent(), payload: { comment: 'x'.repeat(400_000) } } }));
			assert.equal(answer.json.code, 'pool_exhausted');
			assert.ok(Number(answer.headers['retry-after']) >= 1);
			holder.destroy();
			await waitFor(async () => (await small.api('/v1/ledger/events', { method: 'POST', body: { ...anEvent(), payload: { comment: 'x'.repeat(400_000) } } })).status === 201,
				{ what: 'room again' });
		} finally {
			await small.stop();
		}
	});
	// 1e20 has 21 digits in canonical form, which is what goes on to the database.
	test('a body counts as long as it becomes', async () => {
		const small = await startGateway({ env: { ...env, LEDGER__HTTP__BODYMEMORY: '1048576', LEDGER__HTTP__MAXBODY: '1048576', LEDGER__HTTP__MAXBATCH: '1048576', LEDGER__HTTP__REQUESTTIMEOUT: '2m' } });
		const grows = (n) => JSON.stringify({ ...anEvent(), payload: { comment: 'x', numbers: 'HERE' } }).replace('"HERE"', `[${Array(n).fill('1e20').join()}]`);
		const append = (body) => small.api('/v1/ledger/events', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
		try {
			const alone = await append(grows(60_000));
			assert.equal(alone.status, 413, alone.text.slice(0, 300));
			assert.match(alone.json.detail, /canonical form/);
			assert.equal((await append(grows(25_000))).status, 201);
			const half = `POST /v1/ledger/events HTTP/1.1\r\n${auth()}Content-Type: application/json\r\nContent-Length: 700000\r\n\r\n${' '.repeat(650_000)}`;
			// There is room for it as it comes, not as it becomes.
			const { holder } = await refusedBeside(() => holding(small.port, half), () => append(grows(25_000)));
			assert.equal((await append(grows(1_000))).status, 201);
			holder.destroy();
			await waitFor(async () => (await append(grows(25_000))).status === 201, { what: 'room again' });
		} finally {
			await small.stop();
		}
	});
	test('a chunked body over the limit is 413 while it comes, and the client sees the answer', async () => {
		const socket = await raw(gateway.port);
		await socket.send(`POST /v1/ledger/events HTTP/1.1\r\n${auth()}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`);
		const chunk = `1000\r\n${'a'.repeat(4096)}\r\n`;
		for (let i = 0; i < 17; i++) await socket.send(chunk);
		const { text } = await socket.closed();
		assert.deepEqual(statuses(text), [413]);
		assert.match(text, /"code":"body_too_large"/);
	});
	test('a client that sends on regardless gets its 413', async () => {
		const answer = await post(Buffer.alloc(2_000_000, 'a'));
		assert.equal(answer.status, 413);
	});
	// A socket that is closed with bytes in it is reset, and the reset can take the answer with it.
	for (const [status, what, header] of [
		[413, 'a body that is too long', () => `${auth()}Content-Type: application/json\r\nContent-Length: 400000\r\n`],
		[413, 'a chunked body that is too long', () => `${auth()}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n`],
		[400, 'a header that is malformed', () => 'Host: ledger\r\nX-Folded: a\r\n b\r\nContent-Length: 400000\r\n'],
		[401, 'a batch of who may not send one', () => 'Host: ledger\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n'],
	])
		test(`${status} for ${what} reaches a client that goes on sending, and no reset does`, async () => {
			const id = randomUUID();
			const socket = await raw(gateway.port);
			const errors = [];
			socket.socket.on('error', (error) => errors.push(error.code));
			socket.socket.pause();
			const body = /chunked/.test(what) ? `20000\r\n${'a'.repeat(0x20000)}\r\n` : 'a'.repeat(100_000);
			await socket.send(`POST /v1/ledger/events${/batch/.test(what) ? ':batch' : ''} HTTP/1.1\r\n${header()}X-Request-Id: ${id}\r\n\r\n${body}`);
			// The gateway has answered and is done with it; the client does not know that yet.
			await gateway.line((line) => line.request_id === id && line.status === status);
			for (let i = 0; i < 10; i++) await socket.send('a'.repeat(20_000));
			socket.socket.resume();
			const { text } = await socket.closed();
			assert.deepEqual(statuses(text), [status], text);
			assert.match(text, /"code":"/);
			assert.deepEqual(errors, []);
		});
	test('a body of exactly the limit is read, one byte more is not', async () => {
		assert.equal((await post(Buffer.alloc(65536, ' '))).json.code, 'json_malformed');
		assert.equal((await post(Buffer.alloc(65537, ' '))).status, 413);
	});
	test('batches have a limit of their own', async () => {
		const batch = (bytes) => post(Buffer.alloc(bytes, ' '), {}, '/v1/ledger/events:batch');
		assert.equal((await batch(262144)).json.code, 'json_malformed');
		assert.equal((await batch(262145)).status, 413);
	});
	test('a refused short body keeps the connection', async () => {
		const socket = await raw(gateway.port);
		await socket.send('POST /v1/ledger/events HTTP/1.1\r\nHost: ledger\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nabcdeGET /health/live HTTP/1.1\r\nHost: ledger\r\nConnection: close\r\n\r\n');
		assert.deepEqual(statuses((await socket.closed()).text), [401, 200]);
	});
	test('Content-Type', async () => {
		const type = async (value, path) => (await post('{}', { 'Content-Type': value }, path)).status;
		for (const good of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"', 'application/cloudevents+json'])
			assert.equal(await type(good), 400, good);
		for (const bad of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1', 'application/x-ndjson', 'json', undefined]) {
			const answer = await post('{}', { 'Content-Type': bad });
			assert.equal(answer.status, 415, String(bad));
			assert.match(answer.headers['accept-post'], /application\/json/);
		}
		assert.equal((await post('{}', { 'Content-Encoding': 'gzip' })).status, 415);
		assert.equal((await post('', { 'Content-Type': 'application/x-ndjson' }, '/v1/ledger/events:batch')).status !== 415, true);
	});
	test('X-Stella-Tenant: missing and empty are 400, another one is 403', async () => {
		const named = async (value) => gateway.api('/v1/ledger/events', { headers: { 'X-Stella-Tenant': value } });
		for (const value of [undefined, '']) {
			const answer = await named(value);
			assert.equal(answer.status, 400);
			assert.equal(answer.json.code, 'tenant_missing');
		}
		for (const value of ['globex', 'ACME', 'acme,globex', 'acme\u00e9', 'acm', 'acme2']) {
			const answer = await named(value);
			assert.equal(answer.status, 403, value);
			assert.equal(answer.json.code, 'tenant_mismatch');
		}
	});
	test('HTTP/1.0 is answered too, and closed', async () => {
		const socket = await raw(gateway.port);
		await socket.send('GET /health/live HTTP/1.0\r\n\r\n');
		assert.deepEqual(statuses((await socket.closed()).text), [200]);
	});
});

describe('hostile JSON', () => {
	const wrap = (value) => `{"type":"finding.created","findingId":"f","policyVersion":"p","payload":{"a":${value}}}`;
	const bytes = (...parts) => Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
	const deep = (n, open = '[', close = ']') => wrap(open.repeat(n) + (open === '{"x":' ? '1' : '') + close.repeat(n));
	// Every class; each must be refused with 400 json_malformed and a place, whatever it is sent as.
	const documents = {
		empty: '', blanks: ' \n\t ', 'one brace': '{', 'no end': wrap('1').slice(0, -1), 'in a string': wrap('"abc').slice(0, -3), 'in an escape': wrap('"\\u12'),
		'a number': '1', 'a string': '"x"', true: 'true', null: 'null', 'an array': '[]', 'a negative zero': '-0',
		'two values': `${wrap('1')}{}`, 'rubbish behind': `${wrap('1')}x`, 'a comma behind': `${wrap('1')},`, 'a NUL behind': `${wrap('1')}\0`,
		'a NUL before': `\0${wrap('1')}`, 'a NUL in a string': wrap('"a\0b"'), 'an escaped NUL': wrap('"a\\u0000b"'), 'an escaped NUL as a name': wrap('{"a\\u0000":1}'),
		'a control character in a string': wrap('"a\x01b"'), 'a newline in a string': wrap('"a\nb"'),
		'a byte order mark': `\ufeff${wrap('1')}`, 'UTF-16': Buffer.from(wrap('1'), 'utf16le'), 'a byte order mark of UTF-16': bytes([0xff, 0xfe], Buffer.from('{}', 'utf16le')),
		'a stray continuation byte': bytes(wrap('"').slice(0, -2), [0x80], '"}}'), 'an overlong slash': bytes(wrap('"').slice(0, -2), [0xc0, 0xaf], '"}}'),
		'an encoded surrogate': bytes(wrap('"').slice(0, -2), [0xed, 0xa0, 0x80], '"}}'), 'beyond U+10FFFF': bytes(wrap('"').slice(0, -2), [0xf4, 0x90, 0x80, 0x80], '"}}'),
		'a cut character': bytes(wrap('"').slice(0, -2), [0xe2, 0x82], '"}}'), 'the byte FF': bytes(wrap('"').slice(0, -2), [0xff], '"}}'),
		'a lone high surrogate': wrap('"\\ud800"'), 'a lone low surrogate': wrap('"\\udc00"'), 'surrogates in the wrong order': wrap('"\\udc00\\ud800"'), 'a high one before a letter': wrap('"\\ud800a"'),
		'a duplicate member': '{"type":"a","type":"b"}', 'a duplicate by escape': '{"type":"a","\\u0074ype":"b"}', 'a duplicate deep inside': wrap('[{"b":1,"c":2,"b":3}]'),
		'a bad escape': wrap('"\\x41"'), 'a short escape': wrap('"\\u12G4"'), 'single quotes': wrap("'a'"), 'no quotes': '{type:1}', 'a comment': wrap('1 /* x */'),
		'a comma too many': wrap('[1,]'), 'a comma too many in an object': wrap('{"b":1,}'), 'a comma missing': wrap('[1 2]'), 'a colon missing': wrap('{"b" 1}'), 'two colons': wrap('{"b"::1}'),
		'no value': wrap('{"b":}'), 'a bracket of the wrong kind': wrap('[1}'),
		'a leading zero': wrap('01'), 'a plus': wrap('+1'), 'a point without digits': wrap('1.'), 'a point first': wrap('.5'), 'an empty exponent': wrap('1e'), hex: wrap('0x1F'),
		NaN: wrap('NaN'), Infinity: wrap('-Infinity'), minus: wrap('-'), 'two points': wrap('1.2.3'), True: wrap('True'), nul: wrap('nul'),
		'a huge number': wrap('1e400'), 'a huge negative number': wrap('-1e999999999'), 'an integer that a double rounds': wrap('9007199254740993'), 'many digits': wrap('123456789012345678901234567890'),
		'a fraction that a double rounds': wrap('0.10000000000000000000000001'),
		'too deep': deep(15), 'much too deep': deep(30000), 'objects too deep': deep(15, '{"x":', '}'), 'deep without end': '['.repeat(60000), 'objects deep without end': '{"a":'.repeat(10000),
	};
	for (const [what, body] of Object.entries(documents))
		test(what, async () => {
			const answer = await post(body);
			assert.equal(answer.status, 400, answer.text);
			assert.equal(answer.json.code, 'json_malformed');
			const [error] = answer.json.errors;
			assert.match(error.pointer, /^#/);
			assert.ok(error.line >= 1 && error.column >= 1 && error.offset >= 0 && error.offset <= Buffer.byteLength(body), JSON.stringify(error));
			assert.match(answer.json.detail, /line \d+, column \d+|Line \d+, column \d+/);
		});

	// And what only looks like it must pass the door: what the ledger then says is not about JSON.
	const good = {
		'a pair of surrogates': wrap('"\\ud83d\\ude00"'), 'a character beyond U+FFFF': wrap('"😀"'), 'U+FFFF and U+10FFFF': wrap('"\uffff\u{10ffff}"'), 'a DEL': wrap('"\x7f"'),
		'blanks everywhere': ` \r\n\t${wrap(' [ 1 , 2 ] ')} \n`, 'an empty name': wrap('{"":1}'), 'as deep as it may be': deep(14), 'an exact large integer': wrap('9007199254740992'),
		'exponents': wrap('[1E5,1e-7,1.5e+3]'), 'minus zero': wrap('-0'), 'escapes of every kind': wrap('"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"'),
		'names alike but for case': wrap('{"b":1,"B":2}'), 'names alike but for composition': wrap('{"\u00e9":1,"e\u0301":2}'), '__proto__': wrap('{"__proto__":{"x":1}}'), 'a long string': wrap(`"${'x'.repeat(60000)}"`),
		'many members': wrap(`{${Array.from({ length: 3000 }, (_, i) => `"m${i}":${i}`).join(',')}}`),
	};
	for (const [what, body] of Object.entries(good))
		test(`good: ${what}`, async () => {
			const answer = await post(body);
			assert.notEqual(answer.json.code, 'json_malformed', answer.text);
			assert.ok(answer.status < 500, answer.text);
		});

	test('the place is exact', async () => {
		const answer = await post('{"payload": {"a b": [1, {"c/d": 1,\n  "c/d": 2}]}}');
		assert.deepEqual({ ...answer.json.errors[0], detail: '' }, { detail: '', pointer: '#/payload/a b/1/c~1d', offset: 37, line: 2, column: 3 });
	});

	test('in a batch each line names itself', async () => {
		const lines = [JSON.stringify(anEvent()), '', '{"a":1,"a":2}', ''].join('\n');
		const answer = await post(lines, { 'Content-Type': 'application/x-ndjson' }, '/v1/ledger/events:batch');
		assert.equal(answer.status, 400, answer.text);
		assert.equal(answer.json.errors[0].line, 3);
		assert.equal(answer.json.errors[0].column, 8);
		assert.equal(answer.json.errors[0].pointer, '#/1/a');
		const scalar = await post('{"a":1}\n5\n', { 'Content-Type': 'application/x-ndjson' }, '/v1/ledger/events:batch');
		assert.equal(scalar.json.code, 'json_malformed');
		assert.equal(scalar.json.errors[0].pointer, '#/1');
		const array = await post('[{"a":1},7]', {}, '/v1/ledger/events:batch');
		assert.equal(array.json.code, 'json_malformed');
		assert.equal(array.json.errors[0].pointer, '#/1');
		assert.equal((await post('{}', {}, '/v1/ledger/events:batch')).json.code, 'json_malformed');
	});

	test('lines and an array are the same batch', async () => {
		const tenant = await newTenant('lines');
		const batch = (body, type) => gateway.api('/v1/ledger/events:batch', { method: 'POST', tenant, body, headers: { 'Content-Type': type } });
		const events = [anEvent(), anEvent(), anEvent()];
		const first = await batch(JSON.stringify(events), 'application/json');
		assert.equal(first.status, 201, first.text);
		const second = await batch(`${[anEvent(), anEvent()].map((event) => JSON.stringify(event)).join('\r\n')}\r\n`, 'application/x-ndjson');
		assert.equal(second.status, 201, second.text);
		assert.equal(await sql("SELECT count(*) FROM ledger.ledger_events WHERE tenant_id = :'t'", { vars: { t: tenant } }), '5');
	});
	test('a long body is judged as a short one, also if its client does not wait for it', async () => {
		const long = `[${Array.from({ length: 2000 }, (_, i) => JSON.stringify(anEvent({ payload: { i, text: 'x'.repeat(20) } }))).join(',\n')}`.slice(0, 250_000);
		const answer = await post(`${long}\u0001`, {}, '/v1/ledger/events:batch');
		assert.equal(answer.status, 400);
		assert.equal(answer.json.code, 'json_malformed');
		assert.ok(answer.json.errors[0].line > 1000, JSON.stringify(answer.json.errors));
		for (let i = 0; i < 10; i++) {
			const socket = await raw(gateway.port);
			await socket.send(`POST /v1/ledger/events:batch HTTP/1.1\r\n${auth()}Content-Type: application/json\r\nContent-Length: ${long.length}\r\n\r\n${long}`);
			socket.destroy();
		}
	});
	test('long bodies that wait to be read when the gateway ends are refused or done, and nothing of them is left', async () => {
		const ending = await startGateway({ env: { LEDGER__HTTP__DRAINTIMEOUT: '0s' } });
		const body = `[${Array.from({ length: 9000 }, (_, i) => JSON.stringify({ i, text: 'x'.repeat(300) })).join()}`;
		const head = `POST /v1/ledger/events:batch HTTP/1.1\r\n${auth()}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
		const sockets = await Promise.all(Array.from({ length: 12 }, () => raw(ending.port)));
		// All but the last byte; then the last one of each at once.
		for (const socket of sockets) await socket.send(head + body.slice(0, -1));
		for (const socket of sockets) socket.send(body.slice(-1));
		await sockets[0].until(/^HTTP\/1\.1 400 /);
		ending.signal('SIGTERM');
		for (const socket of sockets) {
			const { text } = await socket.closed();
			// One whose last byte had not been read yet is cut.
			assert.match(text, /^(HTTP\/1\.1 (400 [^]*"code":"json_malformed"|503 [^]*"code":"draining")|$)/);
		}
		// A second signal would end it at once.
		await ending.exited;
		await ending.stop();
	});
	test('nothing of all that has hurt', stillThere);
});

describe('slowness', () => {
	test('a client that drips its header is cut off in time', async () => {
		const socket = await raw(gateway.port);
		await socket.send('GET /health/live HTTP/1.1\r\n');
		const timer = setInterval(() => socket.send('X-A: b\r\n'), 100);
		const { text, ms } = await socket.closed().finally(() => clearInterval(timer));
		assert.ok(ms >= 2500 && ms < 5000, `${ms} ms`);
		assert.deepEqual(statuses(text), [408]);
	});
	test('so is one that drips its request line, or its first bytes', async () => {
		const socket = await raw(gateway.port);
		const timer = setInterval(() => socket.send('G'), 100);
		const { ms } = await socket.closed().finally(() => clearInterval(timer));
		assert.ok(ms >= 2500 && ms < 5000, `${ms} ms`);
	});
	test('so is one that drips its body', async () => {
		const socket = await raw(gateway.port);
		await socket.send(`POST /v1/ledger/events HTTP/1.1\r\n${auth()}Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n`);
		const timer = setInterval(() => socket.send(' '), 100);
		const { text, ms } = await socket.closed().finally(() => clearInterval(timer));
		assert.ok(ms >= 2500 && ms < 5000, `${ms} ms`);
		assert.deepEqual(statuses(text), [408]);
		assert.match(text, /"code":"request_timeout"/);
	});
	test('a silent connection is closed after the idle time, before and between requests', async () => {
		const silent = await raw(gateway.port);
		const used = await raw(gateway.port);
		await used.send('GET /health/live HTTP/1.1\r\nHost: ledger\r\n\r\n');
		await used.until(/"status"/);
		for (const socket of [silent, used]) {
			const { ms } = await socket.closed();
			assert.ok(ms >= 1500 && ms < 5000, `${ms} ms`);
		}
	});
	test('a client that goes away while its request waits harms nobody', async () => {
		const sockets = await Promise.all(Array.from({ length: 20 }, () => raw(gateway.port)));
		for (const socket of sockets) await socket.send(`GET /v1/ledger/projections/findings HTTP/1.1\r\n${auth()}\r\n`);
		for (const socket of sockets) socket.destroy();
		await stillThere();
	});
	test('a request whose answer does not come in time is 504, and the connection goes on', async () => {
		// Somebody holds the table that appends need.
		const tenant = await newTenant('slow');
		const { hold } = await import('./lib/hold.mjs');
		const lock = await hold('LOCK TABLE ledger.ledger_events IN ACCESS EXCLUSIVE MODE');
		const started = Date.now();
		try {
			const answer = await gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent() });
			assert.ok([503, 504].includes(answer.status), answer.text);
			assert.ok(Date.now() - started < 8000);
			await stillThere();
		} finally {
			await lock.release();
		}
		await waitFor(async () => (await gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent() })).status === 201,
			{ what: 'appends work again' });
	});

	const attack = (args) => new Promise((resolve, reject) => {
		const child = spawn('slowhttptest', ['-u', `${gateway.url}/v1/ledger/events`, '-c', '200', '-r', '200', '-l', '6', '-p', '2', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
		let text = '';
		child.stdout.on('data', (chunk) => { text += chunk; });
		child.stderr.on('data', (chunk) => { text += chunk; });
		child.on('error', reject);
		child.on('close', () => resolve(text));
	});
	// slowhttptest asks by itself, on a fresh connection, whether the service still answers.
	for (const [what, args] of [['slow headers', ['-H', '-i', '1']], ['slow bodies', ['-B', '-i', '1', '-s', '8192']], ['slow reading', ['-X', '-w', '1', '-y', '8', '-n', '1', '-z', '1', '-k', '3']]])
		test(`slowhttptest: ${what}`, async () => {
			const over = attack(args);
			let worst = 0;
			for (let i = 0; i < 20; i++) {
				const started = Date.now();
				assert.equal((await request(`${gateway.url}/health/live`)).status, 200);
				worst = Math.max(worst, Date.now() - started);
				await new Promise((done) => setTimeout(done, 200));
			}
			const report = (await over).replace(/\x1b\[[0-9;]*m/g, '');
			assert.ok(worst < 1000, `${worst} ms`);
			assert.match(report, /service available:\s+YES/);
			assert.doesNotMatch(report, /service available:\s+NO/);
			await waitFor(() => gateway.fds() < 60, { what: 'the attackers\' connections are gone' });
		});
});
