// A port in front of the database, for what a network or a pooler does to connections:
//
//     const door = await relay();              listens and hands on to the cluster
//     door.silence()                           new connections wait for ever, as in a network without answers; (false): no more
//     door.cut(/f-1/)                          the next request with these bytes reaches the server and is carried out there,
//                                              and then the connection ends before the answer: resolves when it has
//     door.cut(/f-1/, 'COMMIT')                the same to the next COMMIT behind them
//     door.inject('DISCARD ALL')               a statement on each session, behind the client's back, as poolers do
//     door.lead({ host, port })                to another server from now on; connections to the old one end
//     door.close()                             and every connection
//     door.url                                 for LEDGER__DB__CONNECTIONSTRING
//
// relay({ host }): listens there, not on 127.0.0.1.  relay({ edit }): what comes from the server goes through edit(bytes) first.
import { connect, createServer } from 'node:net';
import { database } from './cluster.mjs';

// Messages of PostgreSQL's protocol: a byte, a length of four bytes that counts itself, the rest.
function messages(buffer) {
	const found = [];
	while (buffer.length >= 5 && buffer.length > buffer.readUInt32BE(1)) {
		const end = 1 + buffer.readUInt32BE(1);
		found.push(buffer.subarray(0, end));
		buffer = buffer.subarray(end);
	}
	return { found, rest: buffer };
}

const READY = 'Z'.charCodeAt(0);

function query(text) {
	const message = Buffer.alloc(6 + Buffer.byteLength(text));
	message.write('Q');
	message.writeUInt32BE(message.length - 1, 1);
	message.write(text, 5);
	return message;
}

export async function relay({ host = '127.0.0.1', port = 0, edit = (bytes) => bytes } = {}) {
	const links = new Set();
	let silent = false;
	let unanswered = 0;
	let target = { host: database.host, port: database.port };
	let cutting;

	const end = ({ client, upstream }) => { client.destroy(); upstream?.destroy(); };

	// From the client, and from the server: what is handed on, if anything.
	function ask(link, chunk) {
		const text = cutting || link.awaits ? chunk.toString('latin1') : '';
		if (cutting?.pattern.test(text)) {
			link.awaits = cutting;
			cutting = undefined;
		}
		if (link.awaits && text.includes(link.awaits.end)) {
			link.doomed = link.awaits.done;
			link.awaits = undefined;
		}
		link.upstream.write(chunk);
	}
	function answer(link, chunk) {
		if (!link.doomed && !link.swallow) {
			link.client.write(edit(chunk));
			return;
		}
		const { found, rest } = messages(Buffer.concat([link.rest, chunk]));
		link.rest = rest;
		if (!found.some((message) => message[0] === READY)) return;
		if (link.doomed) {
			end(link);
			link.doomed();
		} else {
			link.swallow();
			link.swallow = undefined;
			link.rest = Buffer.alloc(0);
		}
	}

	const server = createServer((client) => {
		const link = { client: client.on('error', () => {}), rest: Buffer.alloc(0) };
		links.add(link);
		client.on('close', () => { links.delete(link); end(link); });
		if (silent) {
			unanswered++;
			return;
		}
		link.upstream = connect(target).on('error', () => {}).on('close', () => end(link));
		client.on('data', (chunk) => ask(link, chunk));
		link.upstream.on('data', (chunk) => answer(link, chunk));
	});
	await new Promise((done, failed) => { server.once('error', failed); server.listen(port, host, done); });
	const own = server.address().port;
	return {
		port: own,
		url: `postgresql://${database.user}@${host}:${own}/${database.name}`,
		silence: (on = true) => { silent = on; },
		unanswered: () => unanswered,
		cut: (pattern, last = '') => new Promise((done) => { cutting = { pattern, end: last, done }; }),
		inject: (text) => Promise.all([...links].filter((link) => link.upstream).map((link) => new Promise((done) => {
			link.swallow = done;
			link.upstream.write(query(text));
		}))),
		lead: (to) => { target = to; links.forEach(end); },
		close: () => new Promise((done) => { server.close(done); links.forEach(end); }),
	};
}
