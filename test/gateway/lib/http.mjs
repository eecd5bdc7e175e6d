// HTTP as tests need it: nothing is added, decoded or retried behind their back.
import { connect } from 'node:net';
import http from 'node:http';
import https from 'node:https';

// One request on a connection of its own (or the agent's): {status, headers, raw, bytes, text, json}.
// headers has lower-case names; raw is the list as it came.  An object as body is sent as JSON,
// an array as NDJSON only if the caller says so by its content type; strings and buffers go as they are.
// options are node's (agent, cert, key, ca, servername, localAddress …).
export function request(url, { method = 'GET', body, headers = {}, timeout = 120_000, ...options } = {}) {
	const sent = { ...headers };
	const named = (name) => Object.keys(sent).some((header) => header.toLowerCase() === name);
	let payload = body;
	if (body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)) {
		payload = JSON.stringify(body);
		if (!named('content-type')) sent['Content-Type'] = 'application/json';
	}
	if (payload !== undefined && !named('content-length') && !named('transfer-encoding')) sent['Content-Length'] = Buffer.byteLength(payload);
	return new Promise((resolve, reject) => {
		const module = url.startsWith('https:') ? https : http;
		const asked = module.request(url, { method, headers: sent, agent: false, ...options }, (response) => {
			const chunks = [];
			response.on('data', (chunk) => chunks.push(chunk));
			response.on('error', reject);
			response.on('end', () => {
				const bytes = Buffer.concat(chunks);
				const text = bytes.toString('utf8');
				resolve({
					status: response.statusCode, headers: response.headers, raw: response.rawHeaders, bytes, text,
					get json() { return JSON.parse(text); },
				});
			});
		});
		asked.setTimeout(timeout, () => asked.destroy(new Error(`no answer from ${method} ${url} within ${timeout} ms`)));
		asked.on('error', reject);
		asked.end(payload);
	});
}

// A plain socket, for what no HTTP library would send.
//
//     const socket = await raw(port);
//     socket.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
//     await socket.until(/\r\n\r\n/)         what came so far, once it matches
//     await socket.closed()                  {text, ms}: all that came until the other side closed
//     socket.end() / socket.destroy()
export async function raw(port, { host = '127.0.0.1', timeout = 20_000 } = {}) {
	const socket = connect({ port, host });
	const started = Date.now();
	let text = '';
	let over = false;
	const watchers = new Set();
	const look = () => { for (const watcher of watchers) watcher(); };
	socket.setEncoding('latin1');
	socket.on('data', (chunk) => { text += chunk; look(); });
	socket.on('close', () => { over = true; look(); });
	await new Promise((resolve, reject) => { socket.once('connect', resolve); socket.once('error', reject); });
	socket.on('error', () => {});
	const wait = (done, what) => new Promise((resolve, reject) => {
		const timer = setTimeout(() => { watchers.delete(check); reject(new Error(`${what}: not within ${timeout} ms; so far ${JSON.stringify(text.slice(0, 300))}`)); }, timeout);
		const check = () => {
			if (!done()) {
				if (!over) return;
				clearTimeout(timer);
				watchers.delete(check);
				reject(new Error(`${what}: the connection was closed; so far ${JSON.stringify(text.slice(0, 300))}`));
				return;
			}
			clearTimeout(timer);
			watchers.delete(check);
			resolve();
		};
		watchers.add(check);
		check();
	});
	return {
		socket,
		get text() { return text; },
		send: (bytes) => new Promise((resolve) => { socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, resolve); }),
		until: async (pattern) => { await wait(() => pattern.test(text), `waiting for ${pattern}`); return text; },
		closed: async () => { await wait(() => over, 'waiting for the end'); return { text, ms: Date.now() - started }; },
		end: () => socket.end(),
		destroy: () => socket.destroy(),
	};
}

// Sends bytes and gives all that came until the other side closed: {text, statuses, ms}.
export async function rawExchange(port, bytes, options) {
	const connection = await raw(port, options);
	await connection.send(bytes);
	const { text, ms } = await connection.closed();
	return { text, ms, statuses: [...text.matchAll(/(?:^|\n)HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1])) };
}
